"""Plain text with ``*`` and ``?``, as operators write it (FORMAT §5): no case, nothing else is special.

Both sides are case-folded before they meet, so nothing here looks at case. No glob can be slow: a star is one
``find``, and a glob with ``?`` is handed to RE2, which is linear.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import re2


@dataclass(frozen=True, slots=True)
class Glob:
    """A compiled glob, with what an index may know about it.

    ``exact`` is the only text that fits, if there is only one; ``prefix`` and ``suffix`` are what every fitting
    text begins and ends with; ``literal`` is the longest text that every fitting one holds.
    """

    fits: Callable[[str], bool]
    exact: str | None
    prefix: str
    suffix: str
    literal: str


def compile_glob(glob: str, *, anywhere: bool) -> Glob:
    """*glob* for a field that must fit from end to end, or for one that must hold it *anywhere*."""
    folded = glob.casefold()
    pieces = (f"*{folded}*" if anywhere else folded).split("*")
    runs = [run for piece in pieces for run in piece.split("?")]
    literal = max(runs, key=len)
    prefix, suffix = pieces[0].split("?")[0], pieces[-1].split("?")[-1]
    if "?" in folded:
        return Glob(_by_re2(pieces), None, prefix, suffix, literal)
    if len(pieces) == 1:
        return exactly(glob)
    return Glob(_by_pieces(pieces), None, prefix, suffix, literal)


def exactly(text: str) -> Glob:
    """A glob that only *text* fits, stars and all."""
    folded = text.casefold()
    return Glob(folded.__eq__, folded, folded, folded, folded)


def _by_pieces(pieces: list[str]) -> Callable[[str], bool]:
    first, last = pieces[0], pieces[-1]
    middle = [piece for piece in pieces[1:-1] if piece]
    if not middle and not last:
        return lambda text: text.startswith(first)
    if not middle and not first:
        return lambda text: text.endswith(last)
    if len(middle) == 1 and not first and not last:
        only = middle[0]
        return lambda text: only in text
    return lambda text: _in_order(text, first, middle, last)


def _in_order(text: str, first: str, middle: list[str], last: str) -> bool:
    """Taking each piece as far left as possible is enough: a star forgives everything between."""
    end = len(text) - len(last)
    if len(first) > end or not text.startswith(first) or not text.endswith(last):
        return False
    at = len(first)
    for piece in middle:
        found = text.find(piece, at, end)
        if found < 0:
            return False
        at = found + len(piece)
    return True


def _by_re2(pieces: list[str]) -> Callable[[str], bool]:
    parts = [".".join(re2.escape(run) for run in piece.split("?")) for piece in pieces]
    pattern = re2.compile(r"(?s)\A" + ".*".join(parts) + r"\z")
    return lambda text: pattern.search(text) is not None
