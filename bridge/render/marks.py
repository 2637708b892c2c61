"""Which stretch of a rendered text gives way, and which is kept, carried inside the text itself.

``| shrink(2)`` and ``| keep`` wrap their value in code points that Unicode keeps for a program's own use
(U+FDD0…U+FDEF) and that were taken out of every value before, so a message cannot bring its own. Filters behind them
look through the wrapping.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from bridge.sms.pieces import CODE, DETAIL, Piece

LEVELS = range(1, 10)  # what a rule may write
_LEVEL_NONE = 0xFDD0 - CODE  # + level
_END = "\ufdef"
_MARKS = r"\ufdd0-\ufdef"

_foreign = re.compile(rf"[{_MARKS}]").sub
_has_marks = re.compile(rf"[{_MARKS}]").search
_stretches = re.compile(rf"([\ufdd0-\ufdee])([^{_MARKS}]*)\ufdef|([^{_MARKS}]+)").finditer


def bare(text: str) -> str:
    """*text* without marks: what every value goes through before a template sees it."""
    return _foreign("", text)


def marked(text: str, level: int) -> str:
    """*text* as a stretch that gives way at *level* (``CODE`` to ``DETAIL``, see ``Piece``); earlier marks are lost."""
    if not CODE <= level <= DETAIL:
        raise ValueError(f"no level {level}")
    said = bare(text)
    return f"{chr(_LEVEL_NONE + level)}{said}{_END}" if said else ""


def pieces(text: str) -> tuple[Piece, ...]:
    """A rendered text as pieces, in order, none of them empty."""
    found = (_piece(stretch) for stretch in _stretches(text))
    return tuple(piece for piece in found if piece.text)


def _piece(stretch: re.Match[str]) -> Piece:
    if stretch[1]:
        return Piece(stretch[2], ord(stretch[1]) - _LEVEL_NONE)
    return Piece(stretch[3])


def through(change: Callable[[str], str], text: str) -> str:
    """*change* done to what *text* says; a stretch that gives way or is kept still does or is afterwards.

    Of several stretches each is changed by itself.
    """
    if not _has_marks(text):
        return change(text)
    changed = ((piece.gives_way, change(piece.text)) for piece in pieces(text))
    return "".join(marked(text, level) if level else text for level, text in changed)
