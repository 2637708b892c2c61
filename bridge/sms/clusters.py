"""What a reader takes for one character: a flag, a family, a letter with its marks.

A small form of Unicode's extended grapheme clusters (UAX #29): enough of it that a cut never leaves half
a flag or a lone mark. Scripts that join whole syllables (Devanagari, Thai) are cut between letters.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator

_ZWJ = "\u200d"
_MARKS = frozenset(("Mn", "Mc", "Me"))
# Latin, Greek, Cyrillic, Armenian, Hebrew letters, punctuation and common symbols: nothing joins here.
_plain = re.compile(
    r"[\0-\x0c\x0e-\u02ff\u0370-\u0482\u048a-\u058f\u05d0-\u05ea\u1e00-\u200c\u2010-\u20cf\u2100-\u2bff]*"
).fullmatch


def is_plain(text: str) -> bool:
    """Whether every code point of *text* surely is a cluster of its own."""
    return _plain(text) is not None


def clusters(text: str) -> Iterator[str]:
    """The clusters of *text* in order; joined together they are *text* again."""
    if is_plain(text):
        yield from text
        return
    start = flags = 0
    for here in range(1, len(text)):
        flags = flags + 1 if _is_flag_half(text[here - 1]) else 0
        if not _belongs(text[here - 1], text[here], odd_flags=flags % 2 == 1):
            yield text[start:here]
            start = here
    yield text[start:]


def border(text: str, place: int) -> int:
    """The last place at or before *place* where *text* may be cut without breaking a cluster."""
    if place >= len(text) or is_plain(text):
        return min(place, len(text))
    reached = 0
    for cluster in clusters(text):
        if reached + len(cluster) > place:
            break
        reached += len(cluster)
    return reached


def _belongs(before: str, character: str, *, odd_flags: bool) -> bool:
    if before == _ZWJ or (before == "\r" and character == "\n"):
        return True
    if _is_flag_half(character):
        return odd_flags
    return character == _ZWJ or _extends(character)


def _is_flag_half(character: str) -> bool:
    return "\U0001f1e6" <= character <= "\U0001f1ff"


def _extends(character: str) -> bool:
    if "\U0001f3fb" <= character <= "\U0001f3ff" or "\U000e0020" <= character <= "\U000e007f":
        return True  # skin tones; tags of flags of regions
    if "\u1160" <= character <= "\u11ff":
        return True  # vowels and tails of a Hangul syllable
    return unicodedata.category(character) in _MARKS
