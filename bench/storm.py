"""A storm: ten thousand different mails within a minute, from three sources, to one person (threats F15, T04, T40).

Through the real reader, planner and store, with a clock of its own. What leaves is counted: of class normal twenty
SMS, one "limited until" and one digest that counts all the others; of class critical as many as the budget allows,
and the operator's mail about its end.
"""

from __future__ import annotations

import asyncio
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from bench.figures import Figure
from bridge.book import RuleBook
from bridge.book.loading import load_book
from bridge.dispatch.decide import bound
from bridge.intake.read import read
from bridge.model import Due, Envelope, Happening, MessageClass, Recipient, StoredMail
from bridge.store import mails, plans, timers
from bridge.store.engine import Store, Tx

BEGIN = datetime(2026, 11, 21, 9, 0, tzinfo=UTC)  # 14:00 in Almaty
TARGET_SECONDS = 60.0  # ten thousand mails come within a minute, so they are decided within one
_BATCH = 64  # as the planner decides them
_OVER, _MINUTE = 20, timedelta(minutes=1)
_LONGEST = timedelta(hours=1)
_CONFIG = """
listen: [{{door: smtp, address: "127.0.0.1:2525", trust: 127.0.0.0/8}}]
domains: bridge.test
operator: {{mail: operator@bridge.test}}
outgoing_mail: {{relay: "smtp://127.0.0.1:2526", from: sms@bridge.test, tls: "off"}}
sources: {{east: {{network: 127.0.0.11}}, west: {{network: 127.0.0.12}}, north: {{network: 127.0.0.13}}}}
region: KZ
timezone: Asia/Almaty
currency: KZT
people: {{aigul: {{name: Aigul, phone: "+77010000001"}}}}
providers:
  smsc: {{type: smsc-http, base_url: "https://smsc.kz", login: x, password: {{env: X}}, number: "+77770000000",
         prices: {{default: 14.00}}}}
budgets: {budgets}
storm: {{over: 20 in 5m, digest: 10m}}
"""
_RULES = """
rules: [{{rule: all, to: aigul, class: {message_class}}}]
"""


@dataclass(frozen=True, slots=True)
class Left:
    """What left in a storm, and what became of the rest."""

    alerts: int  # SMS about one mail each
    limited: tuple[str, ...]  # texts of rule (storm), as they were made
    at: tuple[datetime, ...]  # when those were made
    held: int  # what still waits
    decided: int  # mails with a fate
    subjects: tuple[str, ...]  # of the operator's mails
    spent: int  # messages that the total budget saw
    seconds: float  # real time for the mails alone


class House:
    """A store with one person, hit by mails."""

    def __init__(self, folder: Path, message_class: MessageClass, budgets: str) -> None:
        (folder / "rules").mkdir(parents=True, exist_ok=True)
        (folder / "config.yaml").write_text(_CONFIG.format(budgets=budgets))
        (folder / "rules" / "10.yaml").write_text(_RULES.format(message_class=message_class))
        self.book: RuleBook = load_book(folder / "config.yaml").require()
        self.store = Store(folder / "bridge.db")
        self.now = BEGIN

    async def storm(self, count: int, begin: int = 0) -> float:
        """*count* different mails within a minute, numbered from *begin*; the real seconds it took to decide them."""
        began, start = time.perf_counter(), self.now
        for first in range(begin, begin + count, _BATCH):
            numbers = range(first, min(first + _BATCH, begin + count))
            self.now = start + _MINUTE * ((numbers[-1] - begin) / count)
            envelopes = [_mail(number, self.now) for number in numbers]
            await self.decide_mails(envelopes)
        return time.perf_counter() - began

    async def decide_mails(self, envelopes: Sequence[Envelope]) -> None:
        """Keep, read and decide them in one transaction."""

        def keep(tx: Tx) -> None:
            numbers = [mails.keep(tx, envelope, "n1/a") for envelope in envelopes]
            stored = (StoredMail(number, each) for number, each in zip(numbers, envelopes, strict=True))
            self._plan(tx, [read(mail, self.book, own="me") for mail in stored])

        await self.store.write(keep)

    async def wait(self, span: timedelta) -> None:
        """Let time pass; everything due happens at its moment."""
        until = self.now + span
        while (due := await self.store.read(timers.next_due)) is not None and due <= until:
            self.now = max(self.now, due)
            await self.store.write(lambda tx: self._plan(tx, [Due(each) for each in timers.due(tx, self.now, _BATCH)]))
        self.now = until

    def _plan(self, tx: Tx, happenings: Sequence[Happening]) -> None:
        for decided in plans.plan(tx, happenings, *bound(self.book, self.now), self.now):
            if decided.error is not None:
                raise decided.error

    async def rows(self, sql: str) -> list[tuple[Any, ...]]:
        """What a query finds."""
        return await self.store.read(lambda tx: tx.raw(sql))

    async def left(self, seconds: float) -> Left:
        """Count."""
        ours = await self.rows("SELECT text, created_at FROM messages WHERE rule = '(storm)' ORDER BY id")
        epoch = datetime(1970, 1, 1, tzinfo=UTC)
        return Left(
            alerts=(await self.rows("SELECT count(*) FROM messages WHERE rule = 'all'"))[0][0],
            limited=tuple(row[0] for row in ours),
            at=tuple(epoch + timedelta(microseconds=row[1]) for row in ours),
            held=(await self.rows("SELECT count(*) FROM held"))[0][0],
            decided=(await self.rows("SELECT count(*) FROM mails WHERE state = 'PLANNED' AND fates <> '[]'"))[0][0],
            subjects=tuple(row[0] for row in await self.rows("SELECT subject FROM outgoing_mails ORDER BY id")),
            spent=(await self.rows("SELECT count(*) FROM spends WHERE budget = 'total'"))[0][0],
            seconds=seconds,
        )


def _mail(number: int, now: datetime) -> Envelope:
    body = f"From: monitor{number % 3}@host.test\r\nSubject: trouble {number} on host{number % 40}\r\n\r\nx{number}\r\n"
    source = f"127.0.0.{11 + number % 3}"
    return Envelope(body.encode(), now, "mon@host.test", (Recipient("duty@bridge.test"),), peer=source)


@contextmanager
def _folder() -> Iterator[Path]:
    with tempfile.TemporaryDirectory() as name:
        yield Path(name) / "house"


async def play(
    folder: Path, message_class: MessageClass, count: int, *, money: int, wait: timedelta = _LONGEST
) -> Left:
    """A storm of *count* mails, and what follows within *wait*."""
    house = House(folder, message_class, f"{{total: {{money: {money} KZT/day}}}}")
    await house.store.open()
    try:
        seconds = await house.storm(count)
        await house.wait(wait)
        return await house.left(seconds)
    finally:
        house.store.close()


def measure(rounds: int, count: int) -> list[Figure]:
    """*count* mails of each class; the counts are asserted, the time is the figure."""
    normal, critical = [], []
    for number in range(1, max(rounds // 2, 1) + 1):
        with _folder() as folder:
            left = asyncio.run(play(folder, "normal", count, money=count * 14))
        assert left.alerts == _OVER, left.alerts
        assert [text.startswith("Limited until 14:") for text in left.limited] == [True, False], left.limited
        assert left.limited[1].startswith(f"{count - _OVER} alerts 14:0"), left.limited[1]
        assert (left.held, left.decided) == (0, count)
        normal.append(left.seconds)
        with _folder() as folder:
            left = asyncio.run(play(folder, "critical", count, money=count // 2 * 14, wait=timedelta(0)))
        assert (left.alerts, left.spent, left.decided) == (count // 2, count // 2, count)
        assert left.subjects == ("[smsbridge] budget total has nothing left for class critical",), left.subjects
        critical.append(left.seconds)
        print(f"storm {number}: {count} mails, normal {normal[-1]:.1f} s, critical {critical[-1]:.1f} s")
    scale = count / 10_000
    return [
        Figure("storm", f"{count} mails, class normal: all decided", tuple(normal), "s", target=TARGET_SECONDS * scale),
        Figure("storm", f"{count} mails, class critical", tuple(critical), "s", target=TARGET_SECONDS * scale),
    ]
