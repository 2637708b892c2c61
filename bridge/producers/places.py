"""A pack file as a tree of nodes that know where they stand, so that every mistake can be told with its place.

All scalars are read as the text they are written as (there is no other type in a pack), so YAML's own ideas about
``yes``, ``0123`` and ``12:30`` never meet a pattern.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import yaml

from bridge.config.similar import did_you_mean

LARGEST = 1_000_000  # bytes of a pack file
ALIASES = 20  # of one file (T20)
_DEPTH = 20

Made = TypeVar("Made")


@dataclass(frozen=True, slots=True)
class Place:
    """A node of a file, with the way to it. What it reads wrong becomes a problem; it then gives something empty."""

    path: Path
    problems: list[str]
    node: yaml.Node
    key: str = ""

    def wrong(self, sentence: str) -> None:
        mark = self.node.start_mark
        what = f"{self.key}: " if self.key else ""
        self.problems.append(f"{self.path}:{mark.line + 1}:{mark.column + 1} {what}{sentence}")

    def map(self, keys: tuple[str, ...] | None = None) -> dict[str, Place]:
        """Values by key; a key outside *keys* (None: any is right) or written twice is a problem."""
        if not isinstance(self.node, yaml.MappingNode) or self.key.count(".") > _DEPTH:
            self.wrong("must be a map of keys and values")
            return {}
        found: dict[str, Place] = {}
        for key, value in self.node.value:
            name = str(key.value) if isinstance(key, yaml.ScalarNode) else ""
            below = Place(self.path, self.problems, value, f"{self.key}.{name}".lstrip("."))
            where = Place(self.path, self.problems, key, below.key)
            if not name or (keys is not None and name not in keys):
                where.wrong(_no_key(name, keys or ()))
            elif name in found:
                where.wrong("stands here twice")
            else:
                found[name] = below
        return found

    def list(self) -> list[Place]:
        """Elements; one value may stand alone."""
        if not isinstance(self.node, yaml.SequenceNode):
            return [self]
        return [Place(self.path, self.problems, each, self.key) for each in self.node.value]

    def text(self) -> str:
        """The scalar as it is written."""
        if isinstance(self.node, yaml.ScalarNode):
            return str(self.node.value)
        self.wrong("must be a text")
        return ""

    def made(self, make: Callable[[str], Made]) -> Made | None:
        """What *make* makes of the text; its ValueError is a problem here."""
        try:
            return make(self.text())
        except ValueError as error:
            self.wrong(str(error))
            return None


def _no_key(name: str, keys: tuple[str, ...]) -> str:
    """What is wrong with a key that is none of *keys*: the nearest ones, else all."""
    near = did_you_mean(name, keys)
    return "no such key" + (near or (f"; there are {', '.join(keys)}" if keys else ""))


def opened(path: Path, problems: list[str]) -> Place | None:
    """The top of a file; None, with a problem, when it cannot be read."""
    try:
        if path.stat().st_size > LARGEST:
            problems.append(f"{path}:1:1 is larger than 1 MB")
            return None
        text = path.read_text("utf-8-sig")
        if sum(isinstance(token, yaml.AliasToken) for token in yaml.scan(text, Loader=yaml.CSafeLoader)) > ALIASES:
            problems.append(f"{path}:1:1 has more than {ALIASES} aliases")
            return None
        node = yaml.compose(text, Loader=yaml.CSafeLoader)
    except UnicodeDecodeError:
        problems.append(f"{path}:1:1 is not UTF-8")
    except OSError as error:
        problems.append(f"{path}:1:1 cannot be read: {error.strerror}")
    except yaml.MarkedYAMLError as error:
        problems.append(f"{path}:{_place(error.problem_mark)} {error.problem}")
    except yaml.YAMLError as error:  # a control character has no mark
        problems.append(f"{path}:1:1 {error}")
    else:
        if node is not None:
            return Place(path, problems, node)
        problems.append(f"{path}:1:1 is empty")
    return None


def _place(mark: yaml.Mark | None) -> str:
    return f"{mark.line + 1}:{mark.column + 1}" if mark is not None else "1:1"
