"""Splitting text into the parts a phone network carries.

The only place that knows how many characters fit. Pure: no I/O, no configuration.
Source: 3GPP TS 23.038 (alphabets), TS 23.040 §9.2.3.24.1 (concatenation).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from bridge.model import Encoding
from bridge.sms import gsm7
from bridge.sms.clusters import clusters, is_plain

__all__ = ["Encoding", "Segmentation", "left", "length", "segment", "utf16_units"]

_WHOLE: dict[Encoding, int] = {"GSM-7": 160, "UCS-2": 70}
_PART: dict[Encoding, int] = {"GSM-7": 153, "UCS-2": 67}  # 6 octets of each part go to the header

_Cost = Callable[[str], int]


@dataclass(frozen=True, slots=True)
class Segmentation:
    """How a text will travel, and so what it costs: one segment, one charge."""

    encoding: Encoding
    segments: tuple[str, ...]  # their count is what explain and text call "segments"


def segment(text: str) -> Segmentation:
    """Split *text* without breaking an escape pair or a surrogate pair.

    Room is counted in septets for GSM-7 (``€`` takes 2) and in UTF-16 units for UCS-2 (an emoji
    takes 2). Empty text gives one empty segment; one letter outside GSM 7-bit makes the whole
    text UCS-2. Clusters (flags, families, marks) stay whole unless that would cost one more segment.
    *text* holds no lone surrogates (the doors saw to that); nothing is raised.
    """
    encoding: Encoding = "GSM-7" if gsm7.can_encode(text) else "UCS-2"
    cost = _cost(encoding)
    if cost(text) <= _WHOLE[encoding]:
        return Segmentation(encoding, (text,))
    return Segmentation(encoding, _split(text, cost, _PART[encoding]))


def length(text: str, encoding: Encoding) -> int:
    """Room that *text* takes: septets in GSM-7, UTF-16 units in UCS-2."""
    return _cost(encoding)(text)


def left(found: Segmentation) -> int:
    """Room in the last segment before another one is charged, in septets or UTF-16 units."""
    rooms = _WHOLE if len(found.segments) == 1 else _PART
    return rooms[found.encoding] - length(found.segments[-1], found.encoding)


def utf16_units(text: str) -> int:
    """Length of *text* in UTF-16 code units: 1 in the basic plane, 2 beyond it (emoji)."""
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


def _cost(encoding: Encoding) -> _Cost:
    return gsm7.septets if encoding == "GSM-7" else utf16_units


def _split(text: str, cost: _Cost, room: int) -> tuple[str, ...]:
    if cost(text) == len(text) and is_plain(text):
        return tuple(text[start : start + room] for start in range(0, len(text), room))
    by_letter = tuple(_fill(text, cost, room))
    if is_plain(text):
        return by_letter
    by_cluster = tuple(_fill(clusters(text), cost, room))
    # The phone joins the parts before it shows them: a whole cluster is nicer, but not worth a charge.
    return by_cluster if len(by_cluster) == len(by_letter) else by_letter


def _fill(pieces: Iterable[str], cost: _Cost, room: int) -> Iterator[str]:
    """Fill parts of *room* one after the other; a piece longer than a part is split at code points."""
    part, used = "", 0
    for piece in pieces:
        width = cost(piece)
        for bit, wide in [(piece, width)] if width <= room else [(letter, cost(letter)) for letter in piece]:
            if used + wide > room:
                yield part
                part, used = "", 0
            part, used = part + bit, used + wide
    yield part
