"""Cutting a text so that what is left still reads."""

from __future__ import annotations

import re

from bridge.sms.clusters import border

_CUT = ".."  # the sign of three dots would make the SMS UCS-2
_LONG_WORD = 16  # a word with more letters than this before the cut is cut inside
_SHORTEST = 4  # characters of a field that are still worth showing
_LONG_NUMBER = 24  # characters in which a number at the cut begins
# A number whose unit or last digits may be behind the cut: "1.." of "1 GB" says something else.
_number_at_end = re.compile(r"(?:(?:^|[ \n])[<>=~+-]*[0-9][0-9.,]*)+$").search


def cut(text: str, most: int) -> str:
    """*text* in at most *most* characters: whole, or its head up to a border of words and ``..``, or nothing.

    A number does not stand last before the cut.
    """
    if len(text) <= most:
        return text
    if most < _SHORTEST:
        return ""
    room = border(text, most - len(_CUT))
    blank = max(text.rfind(" ", 0, room + 1), text.rfind("\n", 0, room + 1))
    if blank >= _SHORTEST and room - blank <= _LONG_WORD:
        room = blank
    start = max(0, room - _LONG_NUMBER)
    number = _number_at_end(text[start:room])
    kept = text[: start + number.start() if number else room].rstrip(" \n.,;:-")
    if not kept and not text[0].isspace():  # of a text of nothing but numbers the head is better than nothing
        kept = text[:room].rstrip(" \n.,;:-")
    return kept + _CUT if kept else ""
