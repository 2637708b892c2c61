"""Playing rule tests: each over an empty memory, a clock of its own, and the rule book as it is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from functools import partial
from pathlib import Path
from zoneinfo import ZoneInfo

from bridge.book import RuleBook
from bridge.config.models import Expect, Given, RuleTest, TestFile, TestMail, TestStep
from bridge.config.names import Who
from bridge.config.spans import Moment
from bridge.model import MessageState
from bridge.oncall.clock import moment_of
from bridge.proof.compare import Difference, compare
from bridge.proof.given import Balances, SpentBefore, spent_of, worth_in
from bridge.proof.items import Look
from bridge.proof.mails import BadTest, Mails, NotBuilt, envelope_of, filled
from bridge.proof.operator import typed
from bridge.proof.shown import clock_of
from bridge.proof.world import Course, World

_BEGIN = datetime(2026, 1, 5, 12, 0)  # noqa: DTZ001 - FORMAT §12: a Monday, by the clock of ``timezone``
_UNBUILT_STEPS = ("request", "answer")
_NETWORK_WORDS: dict[str, MessageState] = {
    "delivered": "DELIVERED", "undelivered": "UNDELIVERED", "expired": "EXPIRED", "read": "DELIVERED"
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class StepFailed:
    """What a step (counted from 1) caused instead of what it expects."""

    step: int
    differences: tuple[Difference, ...]


@dataclass(frozen=True, slots=True)
class Played:
    """A step with what it caused: what ``--accept`` writes down."""

    step: TestStep
    look: Look
    held: bool


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of one test."""

    file: str
    index: int  # of the test in its file
    name: str
    failures: tuple[StepFailed, ...] = ()
    not_built: str = ""  # what this version cannot play: "step request"
    broken: str = ""  # why the test itself cannot be played
    played: tuple[Played, ...] = ()
    courses: frozenset[Course] = frozenset()  # the ways of its events through the rules
    refused: bool = False  # the door said no to something

    @property
    def held(self) -> bool:
        return not (self.failures or self.not_built or self.broken)

    @property
    def rules(self) -> frozenset[str]:
        """Rules that fitted some event on the way."""
        return frozenset().union(*(course.fitted for course in self.courses))

    @property
    def asked(self) -> frozenset[str]:
        """Rules that were asked whether they fit."""
        return frozenset().union(*(course.asked for course in self.courses))


def play(book: RuleBook, file: str, tests: TestFile, index: int) -> Outcome:
    """Play the test at *index* of *tests*; *file* is where they were read from."""
    test = tests.tests[index]
    given = _given(tests.given, test.given)
    mails = Mails(tests.mails, Path(file).parent)
    try:
        stage = _Stage(book, given, mails)
    except BadTest as error:
        return Outcome(file, index, test.test, broken=str(error))
    failures: list[StepFailed] = []
    played: list[Played] = []
    not_built = broken = ""
    try:
        for number, step in enumerate(_steps(test), 1):
            look, differences = stage.step(step)
            played.append(Played(step, look, not differences))
            if differences:
                failures.append(StepFailed(number, tuple(differences)))
    except NotBuilt as error:
        not_built = str(error)
    except BadTest as error:
        broken = f"step {len(played) + 1}: {error}"
    world = stage.world
    courses = frozenset(world.courses)
    return Outcome(file, index, test.test, tuple(failures), not_built, broken, tuple(played), courses, world.refused)


def _steps(test: RuleTest) -> Sequence[TestStep]:
    return test.steps or (test,)


def _given(general: Given | None, own: Given | None) -> Given:
    """Key by key over the file's."""
    values = {name: getattr(one, name) for one in (general, own) if one for name in one.model_fields_set}
    return Given.model_construct(set(values), **values)


class _Stage:
    """One test while it is played."""

    def __init__(self, book: RuleBook, given: Given, mails: Mails) -> None:
        self._book = book
        self._zone = ZoneInfo(book.config.timezone)
        self._mails = mails
        self._ignore: tuple[Expect, ...] = given.ignore or ()
        begin = self._moment(given.at) if given.at else moment_of(_BEGIN, self._zone)
        self.world = World(book, begin, receipts=given.receipts != "none", on_call=given.on_call)
        self.world.memory.spent_before = SpentBefore(given.spent or {}, partial(worth_in, book.config))
        self.world.gateways.balances = Balances(dict(given.balance or {}))
        self._came = 0

    def step(self, step: TestStep) -> tuple[Look, list[Difference]]:
        """Do what the step says; what happened, and what of it is not as expected. Raises BadTest."""
        for name in _UNBUILT_STEPS:
            if getattr(step, name) is not None:
                raise NotBuilt(f"step {name}")
        world = self.world
        if step.at is not None:
            self._move(step.at)
        began = world.now
        output = self._happen(step, began)
        incidents, spent = tuple(world.memory.incidents.values()), spent_of(world.memory)
        book, happened = self._book, world.happened()
        look = Look(happened, began, self._zone, incidents, book.person_of, book.config, output, spent)
        return look, [] if step.expect is None else compare(step.expect, self._ignore, look)

    def _happen(self, step: TestStep, began: datetime) -> tuple[str, ...]:
        """Let it happen; the lines that an operator reads."""
        if step.operator is not None:
            return typed(self.world, step.operator)
        if step.mail is not None:
            self._mail(step, step.mail, began)
        elif step.reply is not None:
            text = filled(step.reply.text, {"n": "1"})
            self.world.reply(self._phone(step.reply.from_), text, step.reply.to or "")
        elif step.call is not None:
            self.world.call(self._phone(step.call.from_))
        elif step.provider is not None:
            self.world.turn(step.provider)
        elif step.receipt is not None:
            self._receipt(step)
        elif step.wait is not None:
            self.world.advance(began + step.wait)
        return ()

    def _mail(self, step: TestStep, written: str | TestMail, began: datetime) -> None:
        mail = self._mails.find(written)
        for n in range(1, (step.times or 1) + 1):
            self.world.advance(began + (n - 1) * (step.every or timedelta()))
            self._came += 1
            words = {"n": str(n), **_turn(step.vary or {}, n)}
            self.world.mail(envelope_of(mail, self._book, self._mails.folder, self.world.now, words, self._came))

    def _receipt(self, step: TestStep) -> None:
        said = step.receipt
        assert said is not None  # noqa: S101 - asked only for such steps
        if said.part is not None:
            raise NotBuilt("receipt part")
        message = self.world.newest_message(self._phone(said.of))
        if message is None:
            raise BadTest(f"receipt: nothing was sent to {said.of.name}")
        self.world.receipt(message, _NETWORK_WORDS[said.state], error=said.error or "", read=said.state == "read")

    def _phone(self, who: Who) -> str:
        person = self._book.config.people.get(who.name) if who.kind == "name" else None
        if person is not None:
            return person.phone
        if who.kind != "phone":
            raise BadTest(f"{who.name or who.kind} is no person and no phone")
        return who.name

    def _move(self, at: Moment | time | timedelta) -> None:
        now = self.world.now
        match at:
            case timedelta():
                to = now + at
            case time():
                to = self._next(at, now)
            case Moment():
                to = self._moment(at)
        if to < now:
            raise BadTest(f"at: {clock_of(to, self._zone)} is over, it is {clock_of(now, self._zone)}")
        self.world.advance(to)

    def _next(self, at: time, now: datetime) -> datetime:
        """The next moment, *now* included, at which the clock shows *at*."""
        today = now.astimezone(self._zone).date()
        days = (moment_of(datetime.combine(today + timedelta(days=n), at), self._zone) for n in range(3))
        return next(moment for moment in days if moment >= now)

    def _moment(self, at: Moment) -> datetime:
        return moment_of(at.local, ZoneInfo(at.zone) if at.zone else self._zone).astimezone(UTC)


def _turn(vary: Mapping[str, tuple[str, ...]], n: int) -> dict[str, str]:
    """The words whose turn it is at the *n*-th time."""
    return {name: words[(n - 1) % len(words)] for name, words in vary.items() if words}
