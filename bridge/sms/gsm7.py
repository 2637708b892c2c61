"""The GSM 7-bit default alphabet: which characters it holds and what each of them takes.

Source: 3GPP TS 23.038 §6.2.1 (basic table, 1 septet a character) and §6.2.1.1 (extension table: an
escape and a character, 2 septets). National language tables are not used: phones disagree on them.
"""

from __future__ import annotations

import re
import unicodedata

from gsm0338.charset import BASIC_CHARACTER_SET, BASIC_CHARACTER_SET_EXTENSION

_ESCAPE = 0x1B  # stands in the basic table, but only announces a character of the other one


def _characters(table: dict[int, str]) -> str:
    return "".join(unicodedata.lookup(name) for code, name in table.items() if code != _ESCAPE)


BASIC: str = _characters(BASIC_CHARACTER_SET)
EXTENSION: str = _characters(BASIC_CHARACTER_SET_EXTENSION)

# A regex, because it asks for 280 characters in 1-4 µs where a loop takes 11.
_whole = re.compile(f"[{re.escape(BASIC + EXTENSION)}]*").fullmatch
_outside = re.compile(f"[^{re.escape(BASIC + EXTENSION)}]").findall
_extended = re.compile(f"[{re.escape(EXTENSION)}]").findall


def can_encode(text: str) -> bool:
    """Whether every character of *text* is in one of the two tables."""
    return _whole(text) is not None


def septets(text: str) -> int:
    """Room *text* takes, in septets: ``€ { } [ ] ~ ^ | \\`` and form feed take 2, all others 1.

    *text* is one that ``can_encode`` accepts; other characters are counted as 1.
    """
    return len(text) + len(_extended(text))


def lacking(text: str) -> tuple[str, ...]:
    """The characters of *text* that force UCS-2: each once, in order of appearance."""
    return tuple(dict.fromkeys(_outside(text)))
