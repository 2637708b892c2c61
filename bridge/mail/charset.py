"""Bytes to text when the sender said something wrong, something unknown, or nothing.

Order: strict UTF-8 (a text in another charset is almost never valid UTF-8 by accident), what was declared, the
default of the source, a guess by chardet. Charset-normalizer is no choice: it takes short cp1251, koi8-r and cp866
for Johab.
"""

from __future__ import annotations

import codecs
import re
from functools import lru_cache
from typing import NamedTuple

import chardet

_GUESS = 4_000  # bytes shown to chardet: enough for a family of charsets, 1 ms
# Python knows these as text encodings, but no mail is written in them: quadratic, or escapes in disguise.
_NEVER = frozenset({"idna", "punycode", "unicode-escape", "raw-unicode-escape", "undefined", "mbcs", "oem", "palmos"})
_NOTHING_SAID = frozenset({"", "ascii"})
_WIDE = ("utf-16", "utf-32", "utf-7", "iso2022", "hz")  # bytes that look like ASCII or UTF-8 and are neither
_WESTERN = {"iso8859-1": "cp1252"}  # as every mail program reads it: 0x80-0x9F are quotes, not controls
_CODE_PAGE = re.compile(r"^(?:x-)?(?:windows|win|cp|ibm|dos|microsoft-cp)[-_ ]?(\d{3,4})$")
_ALIASES = {"koi8r": "koi8-r", "koi8u": "koi8-u", "utf8mb4": "utf-8", "x-mac-cyrillic": "mac-cyrillic"}


class Decoded(NamedTuple):
    """A text, the charset it was read in (Python's name), and what was wrong (``""``: nothing)."""

    text: str
    charset: str
    trouble: str


def decode(data: bytes, declared: str = "", default: str | None = None) -> Decoded:
    """The text that *data* is in its charset, by the order above. Never raises; *declared* may be any text."""
    said = known(declared)
    if said.startswith(_WIDE) and (text := _strict(data, said)) is not None:
        return Decoded(text, said, "")
    if (text := _strict(data, "utf-8")) is not None:
        return Decoded(text, "utf-8", "")
    trouble = f"unknown charset {declared[:40]}" if declared and not said else ""
    if said not in _NOTHING_SAID and (text := _strict(data, said)) is not None:
        return Decoded(text, said, trouble)
    for name in (known(default or ""), _guess(data)):
        if name not in _NOTHING_SAID and (text := _strict(data, name)) is not None:
            return Decoded(text, name, trouble or f"text not in its charset, read as {name}")
    last = said if said not in _NOTHING_SAID else "utf-8"
    return Decoded(data.decode(last, "replace"), last, trouble or f"text not in its charset, read as {last}")


@lru_cache(maxsize=256)
def known(name: str) -> str:
    """Python's name of a charset as written in a mail, ``""`` when it is none that text may be written in."""
    wanted = name.strip().strip("\"'").lower().removesuffix(";")
    if page := _CODE_PAGE.match(wanted):
        wanted = "cp" + page[1]
    try:
        codec = codecs.lookup(_ALIASES.get(wanted, wanted))
    except (LookupError, ValueError):  # ValueError: a NUL in the name
        return ""
    if codec.name in _NEVER or not codec._is_text_encoding:
        return ""
    return _WESTERN.get(codec.name, codec.name)


def _strict(data: bytes, name: str) -> str | None:
    try:
        return data.decode(name)
    except ValueError:  # UnicodeError and its kin
        return None


def _guess(data: bytes) -> str:
    """Charset of *data* as chardet sees it; its first call loads models (0.1 s), a later one takes 1 ms."""
    odd = next((at for at, byte in enumerate(data) if byte > 127), 0)  # a long ASCII head says nothing
    begin = max(0, odd - _GUESS // 4)
    found = chardet.detect(data[begin : begin + _GUESS])["encoding"]
    return known(found or "")
