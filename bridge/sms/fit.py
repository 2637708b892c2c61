"""A rendered text made into one SMS that may be sent: clean, harmless, and never dearer than allowed.

Knows in which order a text gives way when it is too long. ``bridge.render`` says what may give way.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from bridge.model import Encoding
from bridge.sms import gsm7
from bridge.sms.clean import clean, strip_hidden
from bridge.sms.clusters import border
from bridge.sms.danger import defuse
from bridge.sms.segment import segment
from bridge.sms.translit import translit_pieces, typography

Alphabet = Literal["keep", "translit", "cheaper"]

_MOST_IN_A_PART = 160  # characters: more of a field cannot fit, so it need not be tried
_CUT = ".."  # the sign of three dots would make the SMS UCS-2
_LONG_WORD = 16  # a word with more letters than this before the cut is cut inside
_SHORTEST = 4  # characters of a field that are still worth showing
_Finish = Callable[[str], str]  # what every candidate goes through before it is measured


@dataclass(frozen=True, slots=True)
class Piece:
    """A stretch of a rendered text. *gives_way*: 0 = never before the tail, else the n of ``| shrink(n)``."""

    text: str
    gives_way: int = 0


@dataclass(frozen=True, slots=True)
class Fitted:
    """A text as it will be handed to the provider, measured as it is."""

    text: str
    encoding: Encoding
    segments: int
    shortened: bool  # something of the text was cut away
    alphabet_used: Literal["keep", "translit"]


def fit(pieces: Sequence[Piece], parts: int, alphabet: Alphabet, language: str = "") -> Fitted:
    """Join *pieces* into a text of at most *parts* segments (>= 1), clean and without gateway commands.

    ``keep`` leaves the letters alone and folds typography (``№ « » – …``) where that alone makes the text
    GSM-7. ``translit`` writes everything with GSM-7 letters, *language* settling ambiguous ones.
    ``cheaper`` is translit where that saves a segment of the whole text, else keep. Too long: the pieces with
    the highest *gives_way* are cut first, the longest of them most, then the lower ones, then the tail; at a
    border of words where one is near, ending with ``..``. A text that fits is not cut.
    """
    if parts < 1:
        raise ValueError(f"a text needs at least one part, not {parts}")
    pieces = [replace(piece, text=strip_hidden(piece.text)) for piece in pieces]
    kept = _kept(_joined(pieces))
    if alphabet == "keep" or (alphabet == "cheaper" and gsm7.can_encode(kept)):
        return _measured(pieces, parts, "keep")
    latin = _in_latin(pieces, language)
    if alphabet == "cheaper" and _count(_latin(_joined(latin))) >= _count(kept):
        return _measured(pieces, parts, "keep")
    return _measured(latin, parts, "translit")


def _measured(pieces: Sequence[Piece], parts: int, used: Literal["keep", "translit"]) -> Fitted:
    finish = _kept if used == "keep" else _latin
    whole = finish(_joined(pieces))
    text = whole if _count(whole) <= parts else _shortened(pieces, finish, parts)
    found = segment(text)
    return Fitted(text, found.encoding, len(found.segments), text != whole, used)


def _joined(pieces: Sequence[Piece]) -> str:
    return "".join(piece.text for piece in pieces)


def _kept(text: str) -> str:
    text = clean(text)
    folded = typography(text)
    return defuse(clean(folded) if gsm7.can_encode(folded) else text)


def _latin(text: str) -> str:
    return defuse(clean(text))


def _count(text: str) -> int:
    return len(segment(text).segments)


def _in_latin(pieces: Sequence[Piece], language: str) -> list[Piece]:
    texts = translit_pieces([piece.text for piece in pieces], language)
    return [replace(piece, text=text) for piece, text in zip(pieces, texts, strict=True)]


def _shortened(pieces: Sequence[Piece], finish: _Finish, parts: int) -> str:
    for level in sorted({piece.gives_way for piece in pieces} - {0}, reverse=True):
        text, pieces = _give_way(pieces, level, finish, parts)
        if _count(text) <= parts:
            return text
    whole = finish(_joined(pieces))
    room = _widest(lambda n: finish(cut(whole, n)), len(whole), parts)
    return finish(cut(whole, room))


def _give_way(pieces: Sequence[Piece], level: int, finish: _Finish, parts: int) -> tuple[str, Sequence[Piece]]:
    """The text with the pieces of *level* cut as little as it takes to fit, or with all of them gone."""

    def narrowed(most: int) -> Sequence[Piece]:
        return [replace(piece, text=cut(piece.text, most)) if piece.gives_way == level else piece for piece in pieces]

    longest = max(len(piece.text) for piece in pieces if piece.gives_way == level)
    room = _widest(lambda n: finish(_joined(narrowed(n))), longest, parts)
    given = narrowed(max(room, 0))
    return finish(_joined(given)), given


def _widest(made: Callable[[int], str], most: int, parts: int) -> int:
    """The greatest n of 0..*most* for which the text made with it fits; -1 when none does."""
    most = min(most, parts * _MOST_IN_A_PART)
    return bisect_left(range(most + 1), True, key=lambda n: _count(made(n)) > parts) - 1


def cut(text: str, most: int) -> str:
    """*text* in at most *most* characters: whole, or its head up to a border of words and ``..``, or nothing."""
    if len(text) <= most:
        return text
    if most < _SHORTEST:
        return ""
    room = border(text, most - len(_CUT))
    blank = max(text.rfind(" ", 0, room + 1), text.rfind("\n", 0, room + 1))
    if blank >= _SHORTEST and room - blank <= _LONG_WORD:
        room = blank
    return text[:room].rstrip(" \n.,;:-") + _CUT
