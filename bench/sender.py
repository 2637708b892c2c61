"""Our side of one hand-over, from the claim to the committed outcome: its CPU, and how many a second there are.

The sender of the product over a real store, in this process; the provider is the pretend one, in another. Beside it,
in turns: aiohttp posting the same forms to the same provider. Rates are taken with answers that come after 5 ms:
over HTTP at most fourteen requests may be open, over SMPP as many as the window has places.
"""

from __future__ import annotations

import asyncio
import tempfile
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from sqlalchemy import func, select

from bench.figures import Figure
from bench.processes import free_port
from bench.setting import PEOPLE, Place, phone, write
from bench.world import put, simulator
from bridge.app.collector import spare_the_collector
from bridge.book.loading import load_book
from bridge.delivery.gateways import Gateways
from bridge.delivery.pace import rates_of
from bridge.delivery.sender import Sender
from bridge.model import Message
from bridge.providers.base import Arrival, LinkedGateway
from bridge.providers.build import gateways
from bridge.providers.http import HttpClient
from bridge.store import rows, schema
from bridge.store.attempts import Claimed, Outcome
from bridge.store.engine import Store
from bridge.store.statements import Statement, insert

TARGET_MS, TARGET_HTTP, TARGET_SMPP = 0.8, 0.6, 2.0
_ADD = insert(schema.messages)
_m = schema.messages.c
_PARALLEL = 14
_ANSWER = 0.005  # seconds that the provider takes for an answer where rates are measured
_SMPP = """\
  smpp:
    type: smsc-smpp
    hosts: ["127.0.0.1:{port}"]
    tls: "off"
    login: linked
    password: {{file: "{password}"}}
    number: "+77770000001"
    window: 100
    rate: 100000/s
    prices: {{"+7": 18.00}}
people:
"""


@dataclass(frozen=True, slots=True)
class _Run:
    """What some messages took."""

    cpu: float  # ms a message
    rate: float  # messages a second


@dataclass(frozen=True, slots=True)
class _Round:
    """The three ways in one round, and HTTP without the wait for an answer."""

    ours: _Run
    plain: _Run
    http: _Run
    same: _Run
    smpp: _Run


def _now() -> datetime:
    return datetime.now(UTC)


def measure(rounds: int, count: int) -> list[Figure]:
    """*rounds* times *count* messages each way, and as many plain requests."""
    port = free_port()
    with tempfile.TemporaryDirectory() as name, simulator(Path(name), smpp=port) as provider:
        seen = asyncio.run(_rounds(Path(name), provider, port, rounds, count))
    beside = "aiohttp, the same requests"
    slow = f"{beside}, answers after 5 ms"
    return [
        Figure("sender", "CPU a message, claim to committed outcome", _of(seen, "ours"), "ms", beside, TARGET_MS),
        Figure("sender", "the same, as a ratio", tuple(one.ours.cpu / one.plain.cpu for one in seen), "×", beside),
        Figure("sender", "CPU a message over SMPP", _of(seen, "smpp"), "ms", "", TARGET_MS),
        Figure("sender", "messages a second by HTTP", tuple(one.http.rate for one in seen), "/s", slow),
        Figure("sender", "the same, as a ratio", tuple(one.http.rate / one.same.rate for one in seen), "×", slow,
               TARGET_HTTP, "at least"),
        Figure("sender", "messages a second by SMPP", tuple(one.smpp.rate for one in seen), "/s", "by HTTP, both 5 ms"),
        Figure("sender", "the same, as a ratio", tuple(one.smpp.rate / one.http.rate for one in seen), "×",
               "by HTTP, both 5 ms", TARGET_SMPP, "at least"),
    ]  # fmt: skip


def _of(seen: Sequence[_Round], way: str) -> tuple[float, ...]:
    return tuple(getattr(one, way).cpu for one in seen)


async def _rounds(folder: Path, provider: int, smpp: int, rounds: int, count: int) -> list[_Round]:
    place = Place(folder / "bridge", 1, 2, provider)
    write(place)
    door = _SMPP.format(port=smpp, password=place.folder / "password")
    place.config.write_text(place.config.read_text().replace("people:\n", door, 1))
    seen: list[_Round] = []
    async with HttpClient() as http, _sending(place, http, provider) as (store, sender, accepted):
        spare_the_collector()  # as "smsbridge run" does
        bench = _Bench(store, sender, accepted, http, provider, count)
        await bench.ours("smsc", count // 4)
        await bench.ours("smpp", count // 4)
        for number in range(1, rounds + 1):
            seen.append(await bench.round())
            print(f"sender {number}: {_line(seen[-1])}")
    return seen


def _line(one: _Round) -> str:
    return (
        f"CPU {one.ours.cpu:.2f} ms, aiohttp alone {one.plain.cpu:.2f} ms, SMPP {one.smpp.cpu:.2f} ms; "
        f"a second: HTTP {one.http.rate:.0f}, aiohttp alone {one.same.rate:.0f}, SMPP {one.smpp.rate:.0f}"
    )


@asynccontextmanager
async def _sending(place: Place, http: HttpClient, provider: int) -> AsyncIterator[tuple[Store, Sender, _Accepted]]:
    """A store and the running sender that empties it."""
    put(f"http://127.0.0.1:{provider}/sim/accounts",
        {"linked": {"password": "secret", "balance": "1000000000", "number": "77770000001"}})  # fmt: skip
    store = Store(place.store)
    await store.open()
    book = load_book(place.config).require()
    opened = Gateways(gateways(book.config.providers, http), _now, rates_of(book.config), book.zone(""))
    linked = [door.gateway for door in opened.doors.values() if isinstance(door.gateway, LinkedGateway)]
    for gateway in linked:
        await gateway.open(_ignored)
    accepted = _Accepted()
    sender = Sender(
        store, lambda: opened, owner="bench/1", now=_now, decide_failed=lambda tx, failed: None, ended=accepted.ended
    )
    task = asyncio.create_task(sender.run())
    try:
        yield store, sender, accepted
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        await sender.finish(5)
        for gateway in linked:
            await gateway.close()
        store.close()


async def _ignored(_gateway: LinkedGateway, _arrival: Arrival) -> None:
    """Receipts are not measured here."""


class _Accepted:
    """Counts outcomes that are committed, so that nobody has to look into the store while the clock runs."""

    def __init__(self) -> None:
        self._missing = 0
        self._all = asyncio.Event()

    async def by_providers(self, count: int) -> None:
        """Returns when *count* more were accepted, and the commits that say so have ended."""
        self._missing += count
        self._all.clear()
        await self._all.wait()

    def ended(self, _claimed: Claimed, outcome: Outcome, _seconds: float) -> None:
        """An attempt ended; any but an acceptance is tried again, and not what is measured."""
        self._missing -= outcome.submission == "ACCEPTED"
        if not self._missing:
            self._all.set()


@dataclass(slots=True)
class _Bench:
    """One store and one provider, messages with numbers of their own for each run."""

    store: Store
    sender: Sender
    accepted: _Accepted
    http: HttpClient
    provider: int
    count: int
    last: int = 0

    async def round(self) -> _Round:
        """Each way once; a provider that answers at once first, then one that takes its time."""
        ours, plain = await self.ours("smsc", self.count), await self.plain(self.count)
        self._slow(_ANSWER)
        try:
            http, same = await self.ours("smsc", self.count), await self.plain(self.count)
            smpp = await self.ours("smpp", self.count)
        finally:
            self._slow(0)
        return _Round(ours, plain, http, same, smpp)

    def _slow(self, seconds: float) -> None:
        fault = {"all": {"on": ["send"], "delay": seconds}}
        faults = {"smsc": fault, "smsc-smpp": fault} if seconds else {}
        put(f"http://127.0.0.1:{self.provider}/sim/faults", faults)

    async def ours(self, provider: str, count: int) -> _Run:
        """The product's own: CPU is that of this whole process, all threads."""
        first, self.last = self.last, self.last + count
        ready = [rows.message_row(_message(first + number + 1, provider)) for number in range(count)]
        await self.store.write(lambda tx: tx.many(_ADD, ready))  # planning is measured elsewhere
        cpu, began = time.process_time(), time.perf_counter()
        self.sender.wake()
        await self.accepted.by_providers(count)
        ours = _run(cpu, began, count)
        await self._stand_in_store(first, provider, count)
        return ours

    async def _stand_in_store(self, first: int, provider: str, count: int) -> None:
        """What was counted is what the store says, or nothing was measured."""
        accepted = Statement(select(func.count()).where(_m.id > first, _m.state == "ACCEPTED", _m.provider == provider))
        found = (await self.store.read(lambda tx: tx.rows(accepted)))[0][0]
        if found != count:
            raise RuntimeError(f"{found} of {count} messages by {provider} are accepted")

    async def plain(self, count: int) -> _Run:
        """The same client without store and rules."""
        first, self.last = self.last, self.last + count
        url, numbers = f"http://127.0.0.1:{self.provider}/sys/send.php", iter(range(count))

        async def work() -> None:
            for number in numbers:
                form = {
                    "login": "demo", "psw": "secret", "phones": phone(number % PEOPLE), "mes": f"plain {number}",
                    "charset": "utf-8", "fmt": "3", "cost": "3", "id": str(first + number),
                }  # fmt: skip
                await self.http.post(url, form, within=30)

        cpu, began = time.process_time(), time.perf_counter()
        await asyncio.gather(*(work() for _ in range(_PARALLEL)))
        return _run(cpu, began, count)


def _run(cpu: float, began: float, count: int) -> _Run:
    return _Run((time.process_time() - cpu) / count * 1000, count / (time.perf_counter() - began))


def _message(number: int, provider: str) -> Message:
    now = _now()
    return Message(
        id=number, phone=phone(number % PEOPLE), person="", text=f"10 HIGH db{number}: Disk space below 5% on /var",
        encoding="GSM-7", segments=1, price=None, currency="KZT", rule="bench", message_class="critical", channel="sms",
        providers=(provider,), originator="", answerable=True, created_at=now, due_at=now,
        valid_until=now + timedelta(hours=6), language="en", mail_id=number,
    )  # fmt: skip
