"""A mistake with its place, and how a place is spoken of (wording §8)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

Level = Literal["error", "warning", "note"]
Path = tuple[str | int, ...]  # keys and indices from the top of a file: ("rules", 0, "when", "host")


@dataclass(frozen=True, slots=True)
class Place:
    """A line and a column, both counted from 1; 0 = not known."""

    line: int = 0
    column: int = 0


@dataclass(frozen=True, slots=True)
class Problem:
    """One sentence about one place. *path* is as the sentence shows it: ``people.ivan.phone``."""

    file: str
    line: int
    column: int
    path: str
    sentence: str
    level: Level = "error"

    def __str__(self) -> str:
        """``FILE:LINE:COLUMN PATH: sentence``; what is not known is left out."""
        where = f"{self.file}:{self.line}:{self.column}" if self.line else f"{self.file}:"
        return " ".join(part for part in (where, f"{self.path}:" if self.path else "", self.sentence) if part)


def written_path(parts: Sequence[str | int]) -> Path:
    """*parts* of a model error as the operator wrote them: hidden parts go, ``label.`` joins what follows."""
    path: list[str | int] = []
    for part in parts:
        if isinstance(part, str) and (part == "" or part.startswith("·")):
            continue
        if path and isinstance(path[-1], str) and path[-1].endswith("."):
            path[-1] = f"{path[-1]}{part}"
        else:
            path.append(part)
    return tuple(path)


def spoken(path: Path) -> str:
    """``("rules", 3, "when", "host", "regex")`` → ``host.regex``: inside a rule its own keys are enough."""
    inner = _inside_rule(path)
    text = ""
    for part in inner:
        text += f"[{part}]" if isinstance(part, int) else f".{part}" if text else part
    return text


def _inside_rule(path: Path) -> Path:
    start = 0
    for index in range(len(path) - 1):
        if path[index] == "rules" and isinstance(path[index + 1], int):
            start = index + 2
    inner = path[start:]
    if start and inner[:1] == ("when",) and len(inner) > 1:
        return inner[1:]
    return inner or path[-2:]
