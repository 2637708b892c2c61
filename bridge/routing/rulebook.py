"""The rules of all files as one compiled book: made once at load, asked for every event."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from zoneinfo import ZoneInfo

from bridge.config.load import Places
from bridge.config.models.conditions import Condition
from bridge.config.models.root import Config
from bridge.config.models.rules import Rule, RuleFile
from bridge.config.problem import Path, Problem
from bridge.errors import ConfigError
from bridge.model import SEVERITIES, STATES, Email, Event, RoutedEvent
from bridge.routing.conditions import CONDITIONS, CompiledCondition, CompileWindow, ConditionCompiler
from bridge.routing.facts import Facts
from bridge.routing.rules import (
    CompiledRule,
    RuleList,
    Surroundings,
    Value,
    Written,
    action_of,
    inherited,
    written_in,
)
from bridge.routing.walk import walk

CompileValue = Callable[[str, str], Value]  # template, place "FILE:LINE:COLUMN PATH" -> text of an event


@dataclass(frozen=True, slots=True)
class Rules:
    """Every rule of the book, ready to be asked."""

    top: RuleList
    by_name: Mapping[str, CompiledRule]
    conditions: ConditionCompiler

    def walk(
        self, event: Event, email: Email, facts: Facts, received_at: datetime, *, trace: bool = False
    ) -> RoutedEvent:
        """What the rules make of *event*; see :func:`bridge.routing.walk.walk`."""
        return walk(self.top, event, email, facts, received_at, trace=trace)

    def condition(self, condition: Condition, path: Path = ("when",)) -> CompiledCondition:
        """A condition that stands outside the rules: of inhibit, silences and watch. Raises ConfigError."""
        compiled = self.conditions.compile(condition, path)
        wrong = self.conditions.taken()
        if wrong:
            raise ConfigError(tuple(f"{'.'.join(map(str, each.path))}: {each.sentence}" for each in wrong))
        return compiled


def compile_rules(
    files: Sequence[tuple[str, RuleFile]],
    config: Config,
    *,
    compile_value: CompileValue,
    windows: CompileWindow,
    places: Places | None = None,
) -> Rules:
    """All rules of *files*, in order. Raises ConfigError with every mistake in them.

    *compile_value* makes a function of a template and raises ConfigError for a wrong one; that function raises
    BridgeError when it fails. *windows* makes a test of a window's name or of a window written in place.
    """
    named = {name: condition for _file, each in files for name, condition in each.conditions.items()}
    homes = {name: file for file, each in files for name in each.conditions}
    conditions = ConditionCompiler(named, windows, ZoneInfo(config.timezone))
    compiler = _Compiler(config, conditions, compile_value, places or Places(), homes)
    for name in named:
        compiler.named_condition(name)
    top = RuleList(tuple(rule for file, each in files for rule in compiler.file(file, each.rules)))
    if compiler.errors:
        raise ConfigError(tuple(compiler.errors))
    return Rules(top, {rule.name: rule for rule in top.everyone()}, compiler.conditions)


@dataclass(slots=True)
class _Compiler:
    config: Config
    conditions: ConditionCompiler
    compile_value: CompileValue
    places: Places
    homes: Mapping[str, str]  # named condition -> its file
    errors: list[str] = field(default_factory=list)
    _number: int = 0
    _rank: int = 0
    _names: dict[str, Problem] = field(default_factory=dict)

    def file(self, file: str, rules: tuple[Rule, ...]) -> tuple[CompiledRule, ...]:
        """The top rules of one file."""
        everyone = {"default": tuple(self.config.providers)}
        around = Surroundings(self.config.send_via or everyone, self.config.escalations)
        parent = written_in(self.config.defaults)
        return tuple(self._rule(rule, file, ("rules", place), parent, around) for place, rule in enumerate(rules))

    def named_condition(self, name: str) -> None:
        """Compile a named condition even if no rule uses it: its mistakes are mistakes."""
        self.conditions.use(name, (CONDITIONS, name))
        self._report(self.homes[name], ())

    def _rule(self, rule: Rule, file: str, path: Path, parent: Written, around: Surroundings) -> CompiledRule:
        number, self._number = self._number, self._number + 1
        self._once(rule.rule, file, path)
        written = inherited(parent, rule)
        condition = self.conditions.compile(rule.when)
        self._report(file, path)
        sets = self._sets(rule, file, path)
        places = enumerate(rule.rules)
        below = tuple(self._rule(child, file, (*path, "rules", place), written, around) for place, child in places)
        rank, self._rank = self._rank, self._rank + 1
        line = self.places.place(file, path)[1].line
        action = action_of(written, rule, around)
        return CompiledRule(
            rule.rule, file, line, condition, sets, rule.continue_, action, RuleList(below), number, rank
        )

    def _once(self, name: str, file: str, path: Path) -> None:
        here = self.places.problem(file, (*path, "rule"), f'"{name}" is the name of another rule too', "error")
        if (first := self._names.setdefault(name, here)) is not here:
            sentence = f'"{name}" stands here and in {first.file} line {first.line}; rules need names of their own'
            self.errors.append(str(self.places.problem(file, (*path, "rule"), sentence)))

    def _sets(self, rule: Rule, file: str, path: Path) -> tuple[tuple[str, Value], ...]:
        sets: list[tuple[str, Value]] = []
        for name, template in (rule.set_ or {}).items():
            place = self.places.problem(file, (*path, "set", name), "")
            words = {"severity": SEVERITIES, "state": STATES}.get(name)
            if words and "{" not in template and template.strip().casefold() not in words:
                sentence = f'"{template[:40]}" is no {name}; write {", ".join(words)}'
                self.errors.append(str(self.places.problem(file, (*path, "set", name), sentence)))
            try:
                sets.append((name, self.compile_value(template, str(place).rstrip(": "))))
            except ConfigError as error:
                self.errors += error.problems
        return tuple(sets)

    def _report(self, file: str, path: Path) -> None:
        """Give the mistakes of the condition that was just compiled their places."""
        for each in self.conditions.taken():
            home = self.homes.get(str(each.path[1])) if each.path[0] == CONDITIONS else None
            where = (home, each.path) if home else (file, (*path, *each.path))
            self.errors.append(str(self.places.problem(*where, each.sentence)))
