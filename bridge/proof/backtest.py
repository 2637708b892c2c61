"""The mails of a store decided again, by today's rules and by others: what would change, and what it would cost.

Each set of rules reads and decides all mails in their order, in a world of its own that begins empty, and with many
mails in a process of its own. Nobody answers in it, and the network delivers everything.
"""

from __future__ import annotations

import contextlib
import re
import signal
from collections import Counter, deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from multiprocessing import get_context
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Literal

from bridge.book.loading import load_book
from bridge.errors import BridgeError, ConfigError
from bridge.intake.passwords import Passwords
from bridge.intake.read import read
from bridge.model import Plan, StoredMail
from bridge.proof.compare import reasons_of
from bridge.proof.remembered import mails_since
from bridge.proof.world import Effect, Posted, Sent, World

Kind = Literal["people", "text", "price", "fate"]
KINDS: tuple[Kind, ...] = ("people", "text", "price", "fate")
_FORGET_EVERY = 2000  # mails
_CHUNK = 250  # mails
_PATIENCE = 5.0  # seconds for a process to end by itself
_WAITING = ("in the digest", "collecting until", "quiet hours until", "storm and digest")  # said later, not lost


@dataclass(frozen=True, slots=True)
class Told:
    """What one mail did at once, by one set of rules. Codes stand as ``##``: another rule would shift them all."""

    people: tuple[str, ...]  # person or phone, with ``call`` before it for voice; addresses of mails
    texts: tuple[str, ...]
    price: tuple[tuple[str, Decimal], ...]  # by currency
    reasons: tuple[str, ...]  # why somebody was not told

    @property
    def reaches(self) -> bool:
        """Whether somebody hears of it by SMS, now or in a bundle."""
        return bool(self.texts) or any(reason.startswith(_WAITING) for reason in self.reasons)


@dataclass(frozen=True, slots=True)
class Changed:
    """A mail that would do something else."""

    mail: int
    at: datetime
    subject: str
    before: Told
    after: Told

    @property
    def kinds(self) -> tuple[Kind, ...]:
        """In what both differ."""
        before, after = self.before, self.after
        pairs = ((before.people, after.people), (before.texts, after.texts), (before.price, after.price))
        same = (*(one == other for one, other in pairs), before.reasons == after.reasons)
        return tuple(kind for kind, alike in zip(KINDS, same, strict=True) if not alike)

    @property
    def lost(self) -> bool:
        """Whether it reached somebody, and would reach nobody any more."""
        return self.before.reaches and not self.after.reaches


@dataclass(slots=True)
class Sums:
    """What one person got, or all of them."""

    messages: int = 0
    segments: int = 0
    price: Counter[str] = field(default_factory=Counter)  # currency -> amount; "" counts messages of unknown price

    def add(self, sent: Sent) -> None:
        """One more message."""
        message = sent.message
        self.messages += 1
        self.segments += message.segments
        if message.price is None:
            self.price[""] += 1
        else:
            self.price[message.currency] += message.price  # type: ignore[assignment]


@dataclass(frozen=True, slots=True)
class Decided:
    """A mail, and what it did at once."""

    mail: int
    at: datetime
    subject: str
    told: Told


@dataclass(slots=True)
class Totals:
    """Everything that was sent by one set of rules, also what was held and came later."""

    people: dict[str, Sums] = field(default_factory=dict)
    everyone: Sums = field(default_factory=Sums)

    def add(self, effects: Iterable[Effect]) -> None:
        """Count the messages among *effects*."""
        for effect in effects:
            if isinstance(effect, Sent):
                self.people.setdefault(_who(effect), Sums()).add(effect)
                self.everyone.add(effect)


@dataclass(frozen=True, slots=True)
class Task:
    """Which mails are decided, and by what: the rules of the configuration, or those of a folder."""

    store: Path
    since: datetime
    until: datetime
    config: Path
    rules: Path | None
    own: str  # the loop mark of the installation


Stream = Iterator[list[Decided] | Totals]  # chunks in the order of the mails; the totals come last


@dataclass(slots=True)
class Outcome:
    """Everything that a backtest found. *changes* are the first of *changed*, those that are lost before others."""

    before: Totals = field(default_factory=Totals)
    after: Totals = field(default_factory=Totals)
    mails: int = 0
    changed: int = 0
    lost: int = 0
    kinds: Counter[Kind] = field(default_factory=Counter)
    changes: list[Changed] = field(default_factory=list)


def backtest(
    before: Stream, after: Stream, *, limit: int = 50, tick: Callable[[int], None] = lambda _done: None
) -> Outcome:
    """What differs between two streams of the same mails. *limit* mails that change are kept, all are counted.

    Memory does not grow with the number of mails. *tick* hears how many were compared.
    """
    outcome = Outcome()
    for old, new in _paired(_one_by_one(before, outcome.before), _one_by_one(after, outcome.after)):
        outcome.mails += 1
        if old.told != new.told:
            _note(outcome, Changed(old.mail, old.at, old.subject, old.told, new.told), limit)
        if outcome.mails % _CHUNK == 0:
            tick(_CHUNK)
    outcome.changes.sort(key=lambda one: one.mail)
    return outcome


def _one_by_one(stream: Stream, totals: Totals) -> Iterator[Decided]:
    for chunk in stream:
        if isinstance(chunk, Totals):
            totals.people, totals.everyone = chunk.people, chunk.everyone
        else:
            yield from chunk


def _paired(before: Iterator[Decided], after: Iterator[Decided]) -> Iterator[tuple[Decided, Decided]]:
    """The mails that both have seen: one may have been removed from the store between two looks."""
    old, new = next(before, None), next(after, None)
    while old is not None and new is not None:
        if old.mail == new.mail:
            yield old, new
        first = min(old.mail, new.mail)
        old = next(before, None) if old.mail == first else old
        new = next(after, None) if new.mail == first else new
    deque(before, 0)  # the totals come last
    deque(after, 0)


def _note(outcome: Outcome, change: Changed, limit: int) -> None:
    """Count a change, and keep it if there is room: what is lost takes the place of what only changes."""
    kept = outcome.changes
    outcome.changed += 1
    outcome.lost += change.lost
    outcome.kinds.update(change.kinds)
    if len(kept) < limit:
        kept.append(change)
    elif change.lost and outcome.lost <= limit:
        kept.remove(next(one for one in reversed(kept) if not one.lost))
        kept.append(change)


# deciding


def decided(task: Task) -> Stream:
    """All mails of *task*, decided here."""
    book = load_book(task.config, rules=task.rules).require()
    world, totals = World(book, task.since), Totals()
    count = 0
    for chunk in mails_since(task.store, task.since, task.until, _CHUNK):
        yield [_decided(world, totals, mail, task.own) for mail in chunk]
        count += len(chunk)
        if count >= _FORGET_EVERY:
            count = 0
            world.forget()
    world.advance(task.until)
    totals.add(world.happened().effects)
    yield totals


def _decided(world: World, totals: Totals, mail: StoredMail, own: str) -> Decided:
    """What *mail* does at its moment; what fell due before it is only summed up."""
    reading = read(mail, world.book, own=own, passwords=Passwords(trusting=True))  # those of the store are masked
    world.advance(reading.received_at)
    totals.add(world.happened().effects)
    plan = world.take(reading)
    effects = world.happened().effects
    totals.add(effects)
    return Decided(mail.id, reading.received_at, reading.subject, _told(plan, effects))


@dataclass(frozen=True, slots=True)
class _Broken:
    """An error on its way from one process to another: not every one of ours survives being copied."""

    sentence: str
    problems: tuple[str, ...]

    def error(self) -> BridgeError:
        return ConfigError(self.problems) if self.problems else BridgeError(self.sentence)


@contextlib.contextmanager
def decided_beside(task: Task) -> Iterator[Stream]:
    """All mails of *task*, decided by another process. Raises BridgeError when that one could not go on."""
    context = get_context("spawn")
    here, there = context.Pipe(duplex=False)
    process = context.Process(target=_decide_there, args=(task, there), daemon=True)
    process.start()
    there.close()
    try:
        yield _heard(here)
    finally:
        here.close()  # a process that still decides ends at its next chunk
        process.join(_PATIENCE)
        if process.is_alive():
            process.kill()
            process.join()


def _heard(pipe: Connection) -> Stream:
    while True:
        try:
            chunk = pipe.recv()
        except EOFError as error:
            raise BridgeError("the process that decides the mails ended before its time") from error
        if isinstance(chunk, _Broken):
            raise chunk.error()
        yield chunk
        if isinstance(chunk, Totals):
            return


def _decide_there(task: Task, pipe: Connection) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the process that was called
    try:
        for chunk in decided(task):
            pipe.send(chunk)
    except BrokenPipeError:
        return  # nobody listens any more
    except BridgeError as error:
        pipe.send(_Broken(str(error), error.problems if isinstance(error, ConfigError) else ()))


def _told(plan: Plan, effects: Sequence[Effect]) -> Told:
    sent = sorted((each for each in effects if isinstance(each, Sent)), key=lambda each: each.message.phone)
    posted = sorted(f"mail {each.address}" for each in effects if isinstance(each, Posted))
    price: Counter[str] = Counter()
    for each in sent:
        price[each.message.currency] += each.message.price or Decimal(0)  # type: ignore[assignment]
    people = tuple(each.kind.removeprefix("sms") + (" " if each.kind == "call" else "") + _who(each) for each in sent)
    texts = tuple(_without_code(each) for each in sent)
    return Told((*people, *posted), texts, tuple(sorted(price.items())), reasons_of(plan.fates))  # type: ignore[arg-type]


def _who(sent: Sent) -> str:
    return sent.message.person or sent.message.phone


def _without_code(sent: Sent) -> str:
    if not sent.code:
        return sent.message.text
    return re.sub(rf"(?<!\w){re.escape(sent.code)}(?!\w)", "##", sent.message.text)
