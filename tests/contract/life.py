"""A door with what the product has behind it: a store, a sender, a watcher, and a clock that a test pushes forward.

Each message has a phone of its own, a fault may strike there alone, so one provider misbehaves in every way at once.
"""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import timedelta
from functools import cache
from pathlib import Path
from typing import Any

from bridge.book import RuleBook
from bridge.book.loading import load_book
from bridge.delivery.gateways import Gateways
from bridge.delivery.links import Links
from bridge.delivery.sender import Sender
from bridge.delivery.watcher import Watcher
from bridge.dispatch.decide import bound
from bridge.model import Happening
from bridge.store import direct, plans
from bridge.store.engine import Store, Tx
from tests.contract.kit import CLOCK, Door, Seen, World, message

_BOOK = """
listen: [{door: smtp, address: "127.0.0.1:2525", trust: 127.0.0.0/8}]
domains: bridge.test
operator: {mail: operator@bridge.test}
outgoing_mail: {relay: "smtp://127.0.0.1:1", from: sms@bridge.test, tls: "off"}
region: KZ
currency: KZT
people: {aigul: {phone: "+77010000001"}}
providers: {other: {type: smsc-http, base_url: "https://smsc.kz", login: acme, password: {env: X}}}
"""
# seconds, beyond every deadline and the validity; a short one after each long one, for what found no place at once
_STEPS = (2, 2, 2, 2, 10, 20, 30, 31, 2, 61, 2, 61, 2, 120, 2, 300, 2, 2, 300, 2, 2, 600, 2, 600, 2)
_BEFORE = "77019999999"
_VALID = timedelta(minutes=25)


@cache
def _book() -> RuleBook:
    """A rule book without rules: what decides receipts and failures."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "rules").mkdir()
        (folder / "config.yaml").write_text(_BOOK)
        return load_book(folder / "config.yaml").require()


class Life:
    """Hands over and asks as the product does. Every hand-over has a breaker and an account of its own."""

    def __init__(self, world: World, store: Store, book: RuleBook) -> None:
        self.world = world
        self.store = store
        self._book = book
        self._gateways = self._doors()
        self._sender = self._sender_of(self._gateways)
        self._watcher = Watcher(
            store, lambda: self._gateways, owner="n/1", now=CLOCK, decide=self._decide, submit=self._sender.submit
        )
        self._links = Links(store, lambda: self._gateways, now=CLOCK, decide=self._decide, arrived=lambda: None)

    def _doors(self) -> Gateways:
        return Gateways({self.world.gateway.name: self.world.gateway}, CLOCK)

    def _sender_of(self, gateways: Gateways) -> Sender:
        return Sender(self.store, lambda: gateways, owner="n/1", now=CLOCK, decide_failed=self._decide)

    def _decide(self, tx: Tx, happenings: Sequence[Happening]) -> None:
        decided = plans.plan(tx, happenings, *bound(self._book, CLOCK()), CLOCK())
        assert [one.error for one in decided if one.error] == []

    async def hand_over(self, phone: str) -> int:
        """A message for *phone* (digits) leaves; its number, once its outcome is written."""
        gateways = self._doors()
        sender = self._sender_of(gateways)
        now = CLOCK()
        made = message(
            id=0, phone=f"+{phone}", text=f"alert {phone}", message_class="normal", created_at=now, due_at=now,
            providers=(self.world.gateway.name,), valid_until=now + _VALID,
        )  # fmt: skip
        claimed = await self.store.write(lambda tx: direct.add_and_claim(tx, made, "test", "n/1", gateways.choose))
        sender.submit(claimed)
        assert await sender.finish(20) == 0
        return claimed.message.id

    async def open(self) -> None:
        await self._links.follow()

    async def live_on(self) -> None:
        """Time goes by until nobody asks for anything any more."""
        for seconds in _STEPS:
            CLOCK.forward(seconds)
            self.world.simulator.messages()  # the pretend network goes on, too
            for _ in range(3):
                while await self._watcher.round():
                    pass
                while self._sender.under_way:
                    await asyncio.sleep(0.005)
                while self._sender._outcomes:
                    await self._sender._write_outcomes()
                await asyncio.sleep(0.005)

    async def states(self) -> dict[int, str]:
        return dict(await self.rows("SELECT id, state FROM messages"))

    async def rows(self, sql: str) -> list[Any]:
        return await self.store.read(lambda tx: tx.raw(sql))

    async def close(self) -> None:
        await self._links.close()


async def lives(door: Door, faults: Mapping[str, Mapping[str, Any]], folder: Path) -> dict[str, Seen]:
    """What becomes of one message for each of *faults*, which strikes its first hand-over only."""
    async with lived(door, folder) as life:
        return await _seen(life, faults)


@asynccontextmanager
async def lived(door: Door, folder: Path) -> AsyncIterator[Life]:
    """*door* with everything behind it, fresh, and a clock that stands still."""
    store = Store(folder / "bridge.db")
    with CLOCK.stopped():
        await store.open()
        try:
            async with door.open() as world:
                life = Life(world, store, _book())
                await life.open()
                yield life
                await life.close()
        finally:
            store.close()


async def _seen(life: Life, faults: Mapping[str, Mapping[str, Any]]) -> dict[str, Seen]:
    phones = {name: f"7701{number:07}" for number, name in enumerate(faults, 1)}
    struck = {phone: {"on": (life.world.door.send_door,), "times": 1, **faults[name]} for name, phone in phones.items()}
    struck[_BEFORE] = {"on": (life.world.door.send_door,), "throttle": 1}
    life.world.simulator.set_faults({life.world.door.family: {"phones": struck}})
    places = asyncio.Semaphore(1 if life.world.door.one_link else 6)

    async def begin(name: str) -> int:
        async with places:
            if "throttle" in faults[name]:  # it strikes the second within a second
                await life.hand_over(_BEFORE)
            return await life.hand_over(phones[name])

    begun = await asyncio.gather(*(begin(name) for name in phones))
    first, sms = await life.states(), _on_phones(life, phones)
    await life.live_on()
    end, sms_at_end = await life.states(), _on_phones(life, phones)
    return {
        name: Seen(first[number], sms[name], end[number], sms_at_end[name])
        for name, number in zip(phones, begun, strict=True)
    }


def _on_phones(life: Life, phones: Mapping[str, str]) -> dict[str, int]:
    return {name: len(life.world.simulator.messages(phone)) for name, phone in phones.items()}
