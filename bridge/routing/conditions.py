"""Compiled conditions: what a rule asks, in the order in which it is asked.

The envelope's fields come first, then the event's, then texts, windows and combinations: cheap before dear. The
first clause in this order that does not hold is the one that ``explain`` names.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from zoneinfo import ZoneInfo

from bridge.config.models.conditions import Condition, Pattern
from bridge.config.models.windows import Window
from bridge.config.problem import Path
from bridge.routing.clauses import (
    AllClause,
    AnyClause,
    Clause,
    DuringClause,
    FieldClause,
    NetworkClause,
    NotClause,
    all_fit,
)
from bridge.routing.look import Address, Look
from bridge.routing.patterns import WrongPattern, compile_pattern, wrong_words
from bridge.routing.regexes import Groups

CompileWindow = Callable[[str | Window], Callable[[datetime], bool]]
CONDITIONS = "conditions"
Part = tuple[Groups, tuple[Address, ...]]

_EARLY = ("source", "door", "producer", "identity", "from_", "mail_from")
_MIDDLE = ("recipient", "severity", "state", "host", "service", "key")
_LATE = ("size", "attachment", "subject", "title", "detail", "text")


@dataclass(frozen=True, slots=True)
class CompiledCondition:
    """All clauses must hold. *common* are the same for all recipients, *own* are asked for each."""

    common: tuple[Clause, ...]
    own: tuple[Clause, ...]

    def split(self, look: Look, addresses: tuple[Address, ...]) -> tuple[Part, ...]:
        """The recipients for whom it holds, in their order, apart by what their named groups are."""
        groups = all_fit(self.common, look, addresses[0])
        if groups is None:
            return ()
        return ((groups, addresses),) if not self.own else self._for_each(groups, look, addresses)

    def _for_each(self, common: Groups, look: Look, addresses: tuple[Address, ...]) -> tuple[Part, ...]:
        parts: list[tuple[Groups, list[Address]]] = []
        for address in addresses:
            own = all_fit(self.own, look, address)
            if own is None:
                continue
            groups = {**common, **own} if own else common
            alike = next((members for other, members in parts if other == groups), None)
            if alike is None:
                parts.append((groups, [address]))
            else:
                alike.append(address)
        return tuple((groups, tuple(members)) for groups, members in parts)

    def failed(self, look: Look, address: Address) -> str:
        """The first clause that does not hold for *address*, in words; "" when all do."""
        clauses = (*self.common, *self.own)
        return next((each.told(look, address, holds=False) for each in clauses if each.fits(look, address) is None), "")


def envelope_clauses(clauses: Sequence[Clause]) -> Iterator[Clause]:
    """Those of *clauses*, and of the alls in them, that the envelope alone decides; the others count as holding."""
    for clause in clauses:
        if clause.by_envelope:
            yield clause
        elif isinstance(clause, AllClause):
            yield from envelope_clauses(clause.clauses)


@dataclass(frozen=True, slots=True)
class Mistake:
    """Something wrong at *path*: below the rule (``("when", "host")``), or below ``("conditions", NAME)``."""

    path: Path
    sentence: str


@dataclass(slots=True)
class ConditionCompiler:
    """Compiles conditions of one book; *named* are the book's conditions, *windows* makes a test of a window.

    *zone* is that of the configuration, in which a trace shows times.
    """

    named: Mapping[str, Condition]
    windows: CompileWindow
    zone: ZoneInfo
    mistakes: list[Mistake] = field(default_factory=list)
    _used: dict[str, AllClause] = field(default_factory=dict)
    _open: list[str] = field(default_factory=list)

    def compile(self, condition: Condition | None, path: Path = ("when",)) -> CompiledCondition:
        """*condition* (None: always holds); what is wrong in it is added to ``mistakes``."""
        clauses = tuple(self._clauses(condition, path)) if condition is not None else ()
        own = tuple(clause for clause in clauses if clause.asks_recipient)
        return CompiledCondition(tuple(clause for clause in clauses if not clause.asks_recipient), own)

    def taken(self) -> list[Mistake]:
        """The mistakes since the last call."""
        taken, self.mistakes = self.mistakes, []
        return taken

    def _clauses(self, condition: Condition, path: Path) -> Iterator[Clause]:
        yield from self._fields(condition, path, _EARLY)
        if condition.network:
            yield NetworkClause(condition.network)
        yield from self._fields(condition, path, _MIDDLE)
        for name, pattern in condition.labels.items():
            yield from self._field(f"label.{name}", pattern, path)
        for name, pattern in condition.headers.items():
            yield from self._field(f"header.{name.lower()}", pattern, path)
        if condition.during is not None:
            yield self._during(condition.during, path)
        yield from self._fields(condition, path, _LATE)
        yield from self._combined(condition, path)

    def _fields(self, condition: Condition, path: Path, keys: tuple[str, ...]) -> Iterator[Clause]:
        for key in keys:
            pattern = getattr(condition, key)
            if pattern is not None:
                yield from self._field(key.rstrip("_"), pattern, path)

    def _field(self, name: str, pattern: Pattern, path: Path) -> Iterator[Clause]:
        place = (*path, name)
        try:
            compiled = compile_pattern(pattern, name)
        except WrongPattern as error:
            self.mistakes.append(Mistake((*place, *error.path), str(error)))
            return
        for word in wrong_words(pattern, name):
            self.mistakes.append(Mistake(place, f'"{word[:40]}" is no {name}'))
        yield FieldClause(name, compiled)

    def _during(self, window: str | Window, path: Path) -> Clause:
        try:
            inside = self.windows(window)
        except (KeyError, ValueError) as error:
            self.mistakes.append(Mistake((*path, "during"), str(error.args[0])))
            return AllClause("", ())
        return DuringClause(inside, window if isinstance(window, str) else "its window", self.zone)

    def _combined(self, condition: Condition, path: Path) -> Iterator[Clause]:
        for name in condition.use:
            yield self.use(name, path)
        for number, part in enumerate(condition.all_):
            yield self._part(part, (*path, "all", number), "")
        if condition.any_:
            parts = enumerate(condition.any_)
            yield AnyClause(tuple(self._part(part, (*path, "any", number), "") for number, part in parts))
        if condition.not_ is not None:
            yield NotClause(self._part(condition.not_, (*path, "not"), ""))

    def _part(self, condition: Condition, path: Path, name: str) -> AllClause:
        return AllClause(name, tuple(self._clauses(condition, path)))

    def use(self, name: str, path: Path) -> AllClause:
        """The named condition *name*, compiled once for all that use it."""
        if name in self._used:
            return self._used[name]
        if name not in self.named or name in self._open:
            why = f"{name} uses itself" if name in self._open else f'no condition is called "{name}"'
            self.mistakes.append(Mistake((*path, "use"), why))
            return AllClause(name, ())
        self._open.append(name)
        self._used[name] = self._part(self.named[name], (CONDITIONS, name), f"use {name}")
        self._open.pop()
        return self._used[name]
