"""What a person could not see in a text, and what would break those who read it after us, goes here (T11, T23).

Removed: control characters, bidirectional and zero-width marks, tags, combining marks piled higher than four.
Replaced: lone surrogates (they raise in every matcher) by U+FFFD, the blanks of typography by ordinary ones.
"""

from __future__ import annotations

import re

_INVISIBLE = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u00ad\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e"
    "\u2060-\u206f\u3164\ufeff\uffa0\ufff0-\ufffb\U000e0000-\U000e0fff]"
)
_SURROGATE = re.compile("[\ud800-\udfff]")
_BLANKS = re.compile("[\t\u00a0\u1680\u2000-\u200a\u202f\u205f\u3000]")
_ENDS_OF_LINE = re.compile("\r\n|[\r\x0b\x0c\x85\u2028\u2029]")
_PILE = re.compile(
    "([\u0300-\u036f\u0483-\u0489\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20ff\ufe20-\ufe2f]{4})"
    "[\u0300-\u036f\u0483-\u0489\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20ff\ufe20-\ufe2f]+"
)
_EMPTY_LINES = re.compile(r"\n{3,}")


def line(text: str) -> str:
    """*text* as one line: runs of blanks and line ends become one blank, outer ones go, the unseen is removed."""
    text = " ".join(text.split())
    if text.isascii() and text.isprintable():
        return text
    return " ".join(_seen(text).split())


def block(text: str) -> str:
    """*text* in lines: ends of line become ``\\n``, never more than one empty line, no blanks at a line's end."""
    if _ENDS_OF_LINE.search(text):
        text = _ENDS_OF_LINE.sub("\n", text)
    if not text.isascii() or _INVISIBLE.search(text):
        text = _seen(text)
    text = text.replace("\t", " ")
    if " \n" in text:  # no pattern for this: " +\\n" is quadratic on a line of blanks
        text = "\n".join([row.rstrip() for row in text.split("\n")])
    return (_EMPTY_LINES.sub("\n\n", text) if "\n\n\n" in text else text).strip()


def _seen(text: str) -> str:
    text = _SURROGATE.sub("\ufffd", _INVISIBLE.sub("", _BLANKS.sub(" ", text)))
    return text if text.isascii() else _PILE.sub(r"\1", text)
