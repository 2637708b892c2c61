"""Sentences with holes: ``{name}``, ``{n|one|many}`` and ``[[only when its values are there]]``.

Read once when a catalogue is loaded. A value is put in as it is and never read as a sentence again, so braces in
an alert stay braces.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field

Values = Mapping[str, object]
Plural = Callable[[int], int]  # number -> index of the form to take

_parts = re.compile(r"\[\[|\]\]|\{([a-z_]+)((?:\|[^{}|]*)*)\}")


@dataclass(frozen=True, slots=True)
class Hole:
    """A place for the value *name*; with *forms*, one of them is taken by the number that stands there."""

    name: str
    forms: tuple[str, ...] = ()


Part = str | Hole


@dataclass(frozen=True, slots=True)
class Stretch:
    """Part of a sentence; an *optional* one vanishes when one of its values is empty."""

    parts: tuple[Part, ...]
    optional: bool = False
    names: tuple[str, ...] = field(init=False)  # the values it has a place for

    def __post_init__(self) -> None:
        object.__setattr__(self, "names", tuple(part.name for part in self.parts if isinstance(part, Hole)))


@dataclass(frozen=True, slots=True)
class Pattern:
    """A sentence of a catalogue; *plural* is the rule of its language."""

    stretches: tuple[Stretch, ...]
    plural: Plural
    names: frozenset[str] = field(init=False)  # the values it has a place for

    def __post_init__(self) -> None:
        object.__setattr__(self, "names", frozenset(name for stretch in self.stretches for name in stretch.names))

    def fill(self, values: Values) -> str:
        """The sentence with *values*; a missing one is empty text."""
        return "".join(text for text, _ in self.filled(values))

    def filled(self, values: Values) -> Iterator[tuple[str, str]]:
        """The sentence piece by piece: its text, and the name of the value it came from ("" = words of ours)."""
        empty = {name for name in self.names if values.get(name) in (None, "")}
        for stretch in self.stretches:
            if stretch.optional and not empty.isdisjoint(stretch.names):
                continue
            for part in stretch.parts:
                yield (part, "") if isinstance(part, str) else (self._value(part, values), part.name)

    def _value(self, hole: Hole, values: Values) -> str:
        if not hole.forms:
            return _text(values, hole.name)
        number = values.get(hole.name, 0)
        if not isinstance(number, int):
            raise TypeError(f"{hole.name} chooses a form of a word and so must be a number, not {number!r}")
        return hole.forms[min(self.plural(abs(number)), len(hole.forms) - 1)]


def _text(values: Values, name: str) -> str:
    value = values.get(name)
    return "" if value is None else str(value)


def read_pattern(source: str, plural: Plural) -> Pattern:
    """The sentence *source*; ValueError where ``[[`` and ``]]`` do not pair."""
    stretches: list[Stretch] = []
    parts: list[Part] = []
    optional = False
    place = 0
    for found in _parts.finditer(source):
        _add(parts, source[place : found.start()])
        place = found.end()
        if found[1] is not None:
            parts.append(Hole(found[1], tuple(found[2].split("|")[1:])))
            continue
        if (found[0] == "[[") == optional:
            raise ValueError(f"[[ and ]] do not pair in {source!r}")
        _close(stretches, parts, optional=optional)
        optional = not optional
    if optional:
        raise ValueError(f"[[ and ]] do not pair in {source!r}")
    _add(parts, source[place:])
    _close(stretches, parts, optional=False)
    return Pattern(tuple(stretches), plural)


def _add(parts: list[Part], text: str) -> None:
    if text:
        parts.append(text)


def _close(stretches: list[Stretch], parts: list[Part], *, optional: bool) -> None:
    if parts:
        stretches.append(Stretch(tuple(parts), optional))
        parts.clear()
