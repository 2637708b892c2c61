"""Small changes of a text that make it shorter, and how as few of them as needed are done.

What may be changed is found by ``links``, ``figures`` and ``wording``; each change stands for itself, so any of them
may be left undone.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple


class Edit(NamedTuple):
    """``text[start:end]`` is to be *new*, which is shorter."""

    start: int
    end: int
    new: str

    @property
    def saved(self) -> int:
        """Characters it saves."""
        return self.end - self.start - len(self.new)


def edited(text: str, edits: Sequence[Edit]) -> str:
    """*text* with *edits* done; they are in any order and do not overlap."""
    done: list[str] = []
    place = 0
    for start, end, new in sorted(edits):
        done += (text[place:start], new)
        place = end
    return "".join((*done, text[place:]))
