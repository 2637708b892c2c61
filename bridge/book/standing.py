"""What stands beside the rules of a book: planned silences, inhibitions and watches (FORMAT §11), compiled.

Whether an event is *like* what they name is asked once, when the mail is read, because only then the whole mail is
at hand; the answer goes along as :class:`bridge.model.Marks`. Windows of time are asked whenever it matters.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from zoneinfo import ZoneInfo

from bridge.config.load import Loaded
from bridge.config.models.conditions import Condition
from bridge.config.models.root import Config
from bridge.config.models.rules import RuleFile, Watch
from bridge.config.problem import Path
from bridge.config.spans import Moment
from bridge.errors import ConfigError
from bridge.model import Email, Event, Marks
from bridge.oncall.clock import moment_of
from bridge.oncall.windows import Span, Windows, next_change
from bridge.routing.conditions import CompiledCondition
from bridge.routing.facts import Facts
from bridge.routing.look import Address, Look, address_of
from bridge.routing.rulebook import Rules


@dataclass(frozen=True, slots=True)
class PlannedSilence:
    """A silence of the rule book: one stretch, or a window again and again."""

    name: str
    condition: CompiledCondition
    begin: datetime | None
    end: datetime | None
    span: Span | None
    zone: ZoneInfo
    by: str
    note: str

    def until(self, now: datetime) -> datetime | None:
        """When it ends, if it holds at *now*; None if it does not."""
        if self.begin is not None and now < self.begin:
            return None
        if self.end is not None and now >= self.end:
            return None
        if self.span is None:
            return self.end
        if not self.span.holds(now, self.zone):
            return None
        over = next_change(self.span, now, self.zone)
        return min((moment for moment in (over, self.end) if moment is not None), default=None)


@dataclass(frozen=True, slots=True)
class Inhibition:
    """An open incident like *cause* hides events like *hide* whose *equal* fields are the same."""

    name: str
    cause: CompiledCondition
    hide: CompiledCondition
    equal: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Watched:
    """A mail that must come, and the entry of the book that says so."""

    name: str
    condition: CompiledCondition
    written: Watch
    zone: ZoneInfo


@dataclass(frozen=True, slots=True)
class Standing:
    """All of them, by name in the order of the book."""

    silences: Mapping[str, PlannedSilence] = field(default_factory=dict)
    inhibitions: Mapping[str, Inhibition] = field(default_factory=dict)
    watches: Mapping[str, Watched] = field(default_factory=dict)

    @property
    def empty(self) -> bool:
        """Whether the book has nothing of the kind: then no mail is looked at for it."""
        return not (self.silences or self.inhibitions or self.watches)

    def marks(self, event: Event, email: Email, facts: Facts, at: datetime, recipients: Sequence[str]) -> Marks:
        """Which entries an event is like that a rule took for *recipients*."""
        if not self.silences and not self.inhibitions:
            return Marks()
        look, addresses = Look(event, email, facts, at), _addresses(recipients)
        return Marks(
            tuple(each.name for each in self.silences.values() if each.condition.split(look, addresses)),
            tuple(each.name for each in self.inhibitions.values() if each.cause.split(look, addresses)),
            tuple(each.name for each in self.inhibitions.values() if each.hide.split(look, addresses)),
            email.from_address,
            recipients[0] if recipients else "",
        )

    def waited_for(self, event: Event, email: Email, facts: Facts, at: datetime) -> tuple[str, ...]:
        """The watches that waited for a mail like this."""
        if not self.watches:
            return ()
        look, addresses = Look(event, email, facts, at), _addresses(facts.recipients)
        return tuple(each.name for each in self.watches.values() if each.condition.split(look, addresses))


def _addresses(recipients: Sequence[str]) -> tuple[Address, ...]:
    return tuple(map(address_of, recipients)) or (address_of(""),)


def compile_standing(loaded: Loaded, rules: Rules, windows: Windows) -> Standing:
    """Those of all rule files. Raises ConfigError with every mistake and its place."""
    work = _Compiler(loaded, loaded.config, rules, windows)
    for file, content in loaded.rule_files:
        work.file(file, content)
    if work.errors:
        raise ConfigError(tuple(work.errors))
    return Standing(work.silences, work.inhibitions, work.watches)


@dataclass(slots=True)
class _Compiler:
    loaded: Loaded
    config: Config
    rules: Rules
    windows: Windows
    silences: dict[str, PlannedSilence] = field(default_factory=dict)
    inhibitions: dict[str, Inhibition] = field(default_factory=dict)
    watches: dict[str, Watched] = field(default_factory=dict)
    errors: list[str] = field(default_factory=list)

    def file(self, file: str, content: RuleFile) -> None:
        for n, silence in enumerate(content.silences):
            path: Path = ("silences", n)
            condition = self._condition(silence.when, file, (*path, "when"))
            span = self._span(silence.during, file, (*path, "during")) if silence.during is not None else None
            begin, end = self._moment(silence.begin), self._moment(silence.end)
            made = PlannedSilence(
                silence.silence, condition, begin, end, span, self.windows.zone, silence.by, silence.note or ""
            )
            self._once(self.silences, silence.silence, file, (*path, "silence"))
            self.silences[silence.silence] = made
        for n, entry in enumerate(content.inhibit):
            path = ("inhibit", n)
            cause = self._condition(entry.while_, file, (*path, "while"))
            hide = self._condition(entry.hide, file, (*path, "hide"))
            self._once(self.inhibitions, entry.inhibit, file, (*path, "inhibit"))
            self.inhibitions[entry.inhibit] = Inhibition(entry.inhibit, cause, hide, entry.equal)
        for n, watch in enumerate(content.watch):
            path = ("watch", n)
            condition = self._condition(watch.for_, file, (*path, "for"))
            zone = ZoneInfo(watch.zone or self.config.timezone)
            self._once(self.watches, watch.watch, file, (*path, "watch"))
            self.watches[watch.watch] = Watched(watch.watch, condition, watch, zone)

    def _condition(self, condition: Condition, file: str, path: Path) -> CompiledCondition:
        compiled = self.rules.conditions.compile(condition, path)
        for mistake in self.rules.conditions.taken():
            self.errors.append(str(self.loaded.places.problem(file, mistake.path, mistake.sentence)))
        return compiled

    def _span(self, window: object, file: str, path: Path) -> Span | None:
        try:
            return self.windows.compile(window)  # type: ignore[arg-type]
        except (KeyError, ValueError) as error:
            self.errors.append(str(self.loaded.places.problem(file, path, str(error.args[0]))))
            return None

    def _moment(self, moment: Moment | None) -> datetime | None:
        if moment is None:
            return None
        return moment_of(moment.local, ZoneInfo(moment.zone) if moment.zone else self.windows.zone)

    def _once(self, known: Mapping[str, object], name: str, file: str, path: Path) -> None:
        if name in known:
            sentence = f'"{name}" is the name of another one too'
            self.errors.append(str(self.loaded.places.problem(file, path, sentence)))
