"""Store, sender and watcher as the product has them, before pretend providers on real sockets, and a clock that a test
may push forward: two minutes of doubt take no two minutes.
"""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, TypeVar

from bridge.book import RuleBook
from bridge.book.loading import load_book
from bridge.delivery.gateways import Gateways
from bridge.delivery.sender import Sender
from bridge.delivery.watcher import Watcher
from bridge.dispatch.decide import bound
from bridge.intake.read import read
from bridge.model import Envelope, Happening, Recipient, StoredMail
from bridge.providers.build import gateways as open_gateways
from bridge.providers.http import HttpClient
from bridge.store import mails, plans
from bridge.store.engine import Store, Tx

SECRET = "pa55word-that-nobody-may-see"
HOUSE = """
listen: [{door: smtp, address: "127.0.0.1:2525", trust: 127.0.0.0/8}]
domains: bridge.test
operator: {mail: operator@bridge.test}
outgoing_mail: {relay: "smtp://127.0.0.1:1", from: sms@bridge.test, tls: "off"}
region: KZ
timezone: Asia/Almaty
currency: KZT
budgets: {total: {money: 1000000 KZT/day}}
"""
"""A configuration but for its people and providers."""


class Clock:
    """The real one and what was added."""

    def __init__(self) -> None:
        self.ahead = timedelta(0)

    def __call__(self) -> datetime:
        return datetime.now(UTC) + self.ahead

    def forward(self, seconds: float) -> None:
        self.ahead += timedelta(seconds=seconds)


@dataclass(kw_only=True)
class World:
    """What every message passes on its way out. *alarms*: kind and gateway of each that was rung."""

    store: Store
    book: RuleBook
    clock: Clock
    gateways: Gateways
    sender: Sender
    watcher: Watcher
    alarms: list[tuple[str, str]] = field(default_factory=list)
    numbers: Any = field(default_factory=lambda: itertools.count(1))

    async def mail(self, to: str = "normal", subject: str = "") -> None:
        """An alert comes in, is kept and decided; whatever follows may go."""
        subject = subject or f"disk {next(self.numbers)} is full"
        content = f"From: mon@host.test\r\nSubject: {subject}\r\n\r\nlook\r\n".encode()
        envelope = Envelope(content, self.clock(), "mon@host.test", (Recipient(f"{to}@bridge.test"),))

        def come_in(tx: Tx) -> None:
            number = mails.keep(tx, envelope, "test")
            self.decide(tx, [read(StoredMail(number, envelope), self.book)])

        await self.store.write(come_in)
        self.sender.wake()

    def decide(self, tx: Tx, happenings: Sequence[Happening]) -> None:
        book, now = self.book, self.clock()
        decided = plans.plan(tx, happenings, *bound(book, now), now)
        assert [one.error for one in decided if one.error] == []

    async def raw(self, sql: str) -> list[tuple[Any, ...]]:
        """The rows of a question to the store."""
        return [tuple(row) for row in await self.store.read(lambda tx: tx.raw(sql))]

    async def states(self) -> list[str]:
        """Of all messages, in the order they were made."""
        return [row[0] for row in await self.raw("SELECT state FROM messages ORDER BY id")]


W = TypeVar("W", bound=World)


@asynccontextmanager
async def sending(folder: Path, config: str, rules: str, clock: Clock, make: Callable[..., W]) -> AsyncIterator[W]:
    """A world by *make* in *folder*, whose sender works until the end; its watcher is asked by the test."""
    (folder / "rules").mkdir()
    (folder / "rules" / "10.yaml").write_text(rules)
    (folder / "config.yaml").write_text(HOUSE + config)
    book, store = load_book(folder / "config.yaml").require(), Store(folder / "bridge.db")
    async with AsyncExitStack() as stack:
        http = await stack.enter_async_context(HttpClient())
        gateways = Gateways(open_gateways(book.config.providers, http), clock)
        await store.open()
        stack.callback(store.close)
        made: list[W] = []
        sender = Sender(
            store, lambda: made[0].gateways, owner="n1/a", now=clock,
            decide_failed=lambda tx, failed: made[0].decide(tx, failed),
            alarm=lambda kind, name, _why: made[0].alarms.append((kind, name)),
        )  # fmt: skip
        watcher = Watcher(
            store, lambda: made[0].gateways, owner="n1/a", now=clock,
            decide=lambda tx, happened: made[0].decide(tx, happened), submit=sender.submit,
        )  # fmt: skip
        made.append(make(store=store, book=book, clock=clock, gateways=gateways, sender=sender, watcher=watcher))
        working = asyncio.create_task(sender.run())
        try:
            yield made[0]
        finally:
            working.cancel()
            await asyncio.gather(working, return_exceptions=True)
            await sender.finish(2)
