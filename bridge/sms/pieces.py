"""A rendered text in pieces, each of which says when it gives way.

From 9 down to 1 stands what a rule marked with ``| shrink(n)``, above it the detail, at 0 what goes with the tail,
and below 0 what is kept.
"""

from __future__ import annotations

from typing import Final, NamedTuple

DETAIL: Final = 10  # gives way before all that is marked
KEEP: Final = -1  # never cut while the text can be made to fit without
HOST: Final = -2  # kept even before what is kept
CODE: Final = -3  # kept to the very end: without it nobody can answer


class Piece(NamedTuple):
    """A stretch of a rendered text. *gives_way*: the n of ``| shrink(n)``, 0 = with the tail, below = kept."""

    text: str
    gives_way: int = 0
