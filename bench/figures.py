"""A figure, the target it is held to, and the table they end in."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class Figure:
    """The median of some rounds. *anchor* names what was measured beside it, in the same rounds."""

    part: str
    what: str
    values: tuple[float, ...]
    unit: str  # ms, ×, /s, s, MB
    anchor: str = ""
    target: float | None = None  # None: nothing was promised
    sense: Literal["at most", "at least"] = "at most"

    @property
    def median(self) -> float:
        """Of all rounds."""
        return statistics.median(self.values)

    @property
    def reached(self) -> bool:
        """Whether the target is met; True where there is none."""
        if self.target is None:
            return True
        return self.median <= self.target if self.sense == "at most" else self.median >= self.target

    def cells(self) -> tuple[str, ...]:
        """One line of the table."""
        shown = f"{_short(self.median)} {self.unit}"
        span = f"{_short(min(self.values))}–{_short(max(self.values))} of {len(self.values)}"
        target = "" if self.target is None else f"{self.sense} {_short(self.target)} {self.unit}"
        verdict = "" if self.target is None else ("yes" if self.reached else "NO")
        return self.part, self.what, shown, span, target, verdict, self.anchor


def table(figures: Sequence[Figure]) -> str:
    """All figures, aligned."""
    head = ("part", "what", "median", "rounds", "target", "reached", "beside")
    lines = [head, *(figure.cells() for figure in figures)]
    widths = [max(len(line[column]) for line in lines) for column in range(len(head))]
    rows = ("  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip() for line in lines)
    return "\n".join(rows)


def _short(value: float) -> str:
    """Three digits that matter."""
    return f"{value:.0f}" if value >= 100 else f"{value:.3g}"
