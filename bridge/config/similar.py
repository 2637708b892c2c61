"""The nearest names to one that nobody knows."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches


def nearest(word: str, known: Iterable[str], *, first: bool = False) -> list[str]:
    """Up to three of *known* (one with *first*) that look like *word*, nearest first, without regard to case."""
    by_fold = {name.casefold(): name for name in sorted(known)}
    found = get_close_matches(word.casefold(), by_fold, n=1 if first else 3, cutoff=0.7 if first else 0.6)
    return [by_fold[name] for name in found]


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """``; did you mean aigul?``, or "" when nothing is near."""
    found = nearest(word, known)
    if not found:
        return ""
    return "; did you mean " + (found[0] if len(found) == 1 else f"{', '.join(found[:-1])} or {found[-1]}") + "?"
