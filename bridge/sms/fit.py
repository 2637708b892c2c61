"""A rendered text made into one SMS that may be sent: clean, harmless, and never dearer than allowed.

Knows which letters a text is sent in. ``bridge.render`` says what may give way, ``shrinking`` in which order it does.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from bridge.model import Encoding
from bridge.sms import gsm7
from bridge.sms.clean import clean, is_ordinary, strip_hidden
from bridge.sms.cutting import cut
from bridge.sms.danger import defuse
from bridge.sms.pieces import CODE, DETAIL, HOST, KEEP, Piece
from bridge.sms.segment import segment
from bridge.sms.shrinking import Finish, Room, Spell, shrunk
from bridge.sms.tables import table
from bridge.sms.translit import spoken, translit_pieces, typography

__all__ = ["CODE", "DETAIL", "HOST", "KEEP", "Alphabet", "Fitted", "Piece", "cut", "fit"]

Alphabet = Literal["keep", "translit", "cheaper"]

_JOINERS = "\u200d\ufe0f"  # of emoji


@dataclass(frozen=True, slots=True)
class Fitted:
    """A text as it will be handed to the provider, measured as it is."""

    text: str
    encoding: Encoding
    segments: int
    shortened: bool  # something of the text was written shorter or cut away
    alphabet_used: Literal["keep", "translit"]


def fit(pieces: Sequence[Piece], parts: int, alphabet: Alphabet, language: str = "") -> Fitted:
    """Join *pieces* into a text of at most *parts* segments (>= 1), clean and without gateway commands.

    ``keep`` leaves the letters alone and folds typography (``№ « » – …``) where that alone makes the text
    GSM-7. ``translit`` writes everything with GSM-7 letters, *language* settling ambiguous ones.
    ``cheaper`` is translit where that saves a segment of the whole text, else keep. A text that fits is not touched.
    Too long: pieces give way as ``shrinking`` says, the highest *gives_way* first, common words as the readers of
    *language* shorten them. The result never is in a dearer encoding than the whole text.
    """
    if parts < 1:
        raise ValueError(f"a text needs at least one part, not {parts}")
    if not is_ordinary(_joined(pieces)):
        pieces = _stripped(pieces)
    kept = _kept(_joined(pieces))
    if alphabet == "keep" or (alphabet == "cheaper" and gsm7.can_encode(kept)):
        return _as_written(pieces, kept, parts, language)
    latin = _latin("".join(translit_pieces([piece.text for piece in pieces], language)))
    if alphabet == "cheaper" and _count(latin) >= _count(kept):
        return _as_written(pieces, kept, parts, language)
    return _in_latin(pieces, latin, parts, language)


def _stripped(pieces: Sequence[Piece]) -> list[Piece]:
    return [piece._replace(text=strip_hidden(piece.text)) for piece in pieces]


def _as_written(pieces: Sequence[Piece], whole: str, parts: int, language: str) -> Fitted:
    text = whole
    if _count(whole) > parts:
        pieces = _without_signs(pieces, whole, language)
        text = _fitted(pieces, parts, list, _kept, language)
    return _measured(text, whole, "keep")


def _in_latin(pieces: Sequence[Piece], whole: str, parts: int, language: str) -> Fitted:
    text = whole
    if _count(whole) > parts:
        read_as = spoken(_joined(pieces), language)  # once: a cut may take the letter that told
        text = _fitted(pieces, parts, lambda texts: translit_pieces(texts, read_as), _latin, language)
    return _measured(text, whole, "translit")


def _fitted(pieces: Sequence[Piece], parts: int, spell: Spell, finish: Finish, language: str) -> str:
    room = Room(parts, spell, finish)
    text = room.made(pieces)
    return text if room.holds(text) else shrunk(_stripped(pieces), room, table(language))


def _measured(text: str, whole: str, used: Literal["keep", "translit"]) -> Fitted:
    found = segment(text)
    return Fitted(text, found.encoding, len(found.segments), text != whole, used)


def _without_signs(pieces: Sequence[Piece], whole: str, language: str) -> Sequence[Piece]:
    """*pieces* without emoji and signs, where nothing else makes the text UCS-2 and so leaves it half the room."""
    if gsm7.can_encode(whole):
        return pieces
    lacking = gsm7.lacking(typography(whole))
    needed = any(piece.gives_way < 0 and gsm7.lacking(typography(piece.text)) for piece in pieces)
    if needed or any(unicodedata.category(sign)[0] in "LM" and sign not in _JOINERS for sign in lacking):
        return pieces
    texts = translit_pieces([piece.text for piece in pieces], language)
    return [piece._replace(text=text) for piece, text in zip(pieces, texts, strict=True)]


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
