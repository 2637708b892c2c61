"""A bridge without network over a real SQLite file: planner, store, rule book and a clock that is moved by hand.

It may be stopped and started at any moment, like the program: only the file stays. The gateways take every message at
once, and the network says "delivered" a second later.
"""

from __future__ import annotations

import asyncio
import heapq
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

from bridge.app.planner import Planner
from bridge.book import RuleBook
from bridge.dispatch.decide import bound
from bridge.model import Envelope, Happening, MessageState, Order, Plan, Receipt, Recipient
from bridge.proof.world import RECEIPT_AFTER
from bridge.store import inbound, mails, plans, timers
from bridge.store.engine import Store

_MOST_ROUNDS = 50  # of the planner at one moment
NOW = datetime(2026, 11, 21, 3, 0, tzinfo=UTC)  # a Saturday, 08:00 in Almaty
PEOPLE = {"aigul": "+77010000001", "ivan": "+77010000002", "marat": "+77010000003"}


def envelope(subject: str, to: str = "one", text: str = "hello", *, at: datetime = NOW) -> Envelope:
    """A mail of a monitor to ``TO@bridge.test``."""
    content = f"From: mon@host.test\r\nSubject: {subject}\r\n\r\n{text}\r\n".encode()
    return Envelope(content, at, "mon@host.test", (Recipient(f"{to}@bridge.test"),), peer="127.0.0.1")


@dataclass(frozen=True)
class Round:
    """What was decided in one transaction, in its order."""

    at: datetime
    decided: tuple[tuple[Happening, Plan], ...]


@dataclass
class Reopened:
    """*seen* is what people got, in order, with the minutes since the begin: ``ivan@10 CRIT db01 …``,
    ``call ivan@15 …``, ``mail both@bridge.test@10 Re: …``."""

    folder: Path
    book: RuleBook
    now: datetime = NOW
    begun: datetime = NOW
    seen: list[str] = field(default_factory=list)
    decided: list[Round] = field(default_factory=list)
    _loop: asyncio.AbstractEventLoop = field(default_factory=asyncio.new_event_loop)
    _receipts: list[tuple[datetime, int]] = field(default_factory=list)  # the network's memory outlives ours
    _said: int = 0
    _just_decided: list[plans.Decided] = field(default_factory=list)

    def start(self) -> None:
        """Open the file and take the rule book, as the program does when it starts."""
        self.store = Store(self.folder / "bridge.db")
        self._loop.run_until_complete(self.store.open())
        decided = self._just_decided.extend
        self.planner = Planner(
            self.store, lambda: self.book, owner="n1/a", own="me", now=lambda: self.now, decided=decided
        )
        self.planner.started()
        self._round()

    def stop(self) -> None:
        self.planner.close()
        self.store.close()

    def restart(self) -> None:
        """Stopped and started: nothing but the file is left of the first."""
        self.stop()
        self.start()

    def end(self) -> None:
        self.stop()
        self._loop.close()

    # --- what happens ----------------------------------------------------------------------------

    def mail(self, subject: str, to: str = "one", text: str = "hello") -> None:
        self.take(envelope(subject, to, text, at=self.now))

    def take(self, given: Envelope) -> None:
        """A mail comes to the door, is kept and read."""
        number = self._loop.run_until_complete(self.store.write(lambda tx: mails.keep(tx, given, "n1/a")))
        self.planner.offer(number, given)
        self._round()

    def reply(self, text: str, who: str = "aigul") -> None:
        self._said += 1
        key, phone = f"reply-{self._said}", PEOPLE[who]
        self._loop.run_until_complete(
            self.store.write(lambda tx: inbound.keep(tx, key, "sms", "smsc", phone, "+77770000000", text, self.now))
        )
        self._round()

    def order(self, *words: str, by: str = "marat") -> None:
        self._at_once(Order(by, words))

    def receipt(self, message_id: int, state: MessageState) -> None:
        self._at_once(Receipt(message_id, state, "smsc", at=self.now))

    def wait(self, **span: float) -> None:
        """Let time pass: everything due happens at its moment."""
        to = self.now + timedelta(**span)
        while (moment := self._next_moment()) is not None and moment <= to:
            self.now = max(self.now, moment)
            self._fire()
        self.now = to

    def rows(self, sql: str) -> list[tuple[object, ...]]:
        """What a question to the file finds."""
        return self._loop.run_until_complete(self.store.read(lambda tx: tx.raw(sql)))

    # --- inside ----------------------------------------------------------------------------------

    def _next_moment(self) -> datetime | None:
        due = self._loop.run_until_complete(self.store.read(timers.next_due))
        moments = [moment for moment in (due, self._receipts[0][0] if self._receipts else None) if moment is not None]
        return min(moments, default=None)

    def _fire(self) -> None:
        if self._receipts and self._receipts[0][0] <= self.now:
            self._at_once(Receipt(heapq.heappop(self._receipts)[1], "DELIVERED", "smsc", at=self.now))
        self._round()

    def _round(self) -> None:
        for _ in range(_MOST_ROUNDS):
            self.planner.wake()
            busy = self._loop.run_until_complete(self.planner._round())
            self._follow()
            if not busy:
                return
        raise AssertionError("the planner never comes to rest: something cannot be decided or written")

    def _at_once(self, happening: Happening) -> None:
        needs, decide = bound(self.book, self.now)
        self._just_decided += self._loop.run_until_complete(
            self.store.write(lambda tx: plans.plan(tx, [happening], needs, decide, self.now))
        )
        self._follow()
        self._round()

    def _follow(self) -> None:
        """What was just decided leaves."""
        decided = self._just_decided[:]
        self._just_decided.clear()
        for one in decided:
            if one.error is not None:
                raise one.error
            self._deliver(one.plan)
        if decided:
            self.decided.append(Round(self.now, tuple((one.happening, one.plan) for one in decided)))

    def _deliver(self, plan: Plan) -> None:
        at = f"{(self.now - self.begun) / timedelta(minutes=1):g}"
        for message in plan.messages:
            voice = "call " if message.channel == "call" else ""
            self.seen.append(f"{voice}{message.person or message.phone}@{at} {message.text}")
            heapq.heappush(self._receipts, (self.now + RECEIPT_AFTER, message.id))
        self.seen += [f"mail {', '.join(mail.to)}@{at} {mail.subject}" for mail in plan.mails]
        numbers = ", ".join(str(message.id) for message in plan.messages)
        if numbers:
            taken = f"UPDATE messages SET state = 'ACCEPTED' WHERE id IN ({numbers})"  # noqa: S608 - ids of our own
            self._loop.run_until_complete(self.store.write(lambda tx: tx.raw(taken)))
