"""Printing text that strangers wrote: the only way any text reaches a page.

Markup is escaped by the templates; this makes visible what would change how the text around it is read, and
cuts what has no end. An address stays text: nothing here becomes a link.
"""

from __future__ import annotations

import re

LONGEST = 10_000  # characters of one text on a page

_ODD = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u00ad\u061c\u115f\u1160\u17b4\u17b5\u180e\u200b\u200e\u200f\u2028-\u202e"
    "\u2060-\u206f\u3164\ufeff\uffa0\ufff9-\ufffb\ud800-\udfff\U000e0000-\U000e0fff]"
)


def visible(text: str) -> str:
    """*text* with controls and signs of direction as marked symbols: ``␛``, ``⟦U+202E⟧``; at most 10,000 characters.

    Line ends and tabs stay; a joiner between letters (U+200C, U+200D) belongs to how words are written and stays.
    """
    if len(text) > LONGEST:
        text = f"{text[:LONGEST]} … (+{len(text) - LONGEST})"
    if text.isascii() and text.isprintable():
        return text
    return _ODD.sub(_symbol, text.replace("\r\n", "\n"))


def _symbol(found: re.Match[str]) -> str:
    code = ord(found[0])
    if code < 0x20:
        return chr(0x2400 + code)
    return "␡" if code == 0x7F else f"⟦U+{code:04X}⟧"


def finalized(value: object) -> object:
    """What every ``{{ … }}`` of a template goes through: safe markup of ours as it is, all else made visible."""
    if hasattr(value, "__html__"):
        return value
    return visible(value) if isinstance(value, str) else value
