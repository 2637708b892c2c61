"""CPU of our side of one hand-over: from the claim to the committed outcome.

The sender of the product over a real store, in this process; the provider is the pretend one, in another. Beside it,
in turns: aiohttp posting the same forms to the same provider.
"""

from __future__ import annotations

import asyncio
import tempfile
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

from bench.figures import Figure
from bench.setting import PEOPLE, Place, phone, write
from bench.world import simulator
from bridge.book.loading import load_book
from bridge.delivery.gateways import Gateways
from bridge.delivery.sender import Sender
from bridge.model import Message
from bridge.providers.build import gateways
from bridge.providers.http import HttpClient
from bridge.store import rows, schema
from bridge.store.engine import Store
from bridge.store.statements import insert

TARGET_MS = 0.8
_ADD = insert(schema.messages)
_PARALLEL = 14


def _now() -> datetime:
    return datetime.now(UTC)


def measure(rounds: int, count: int) -> list[Figure]:
    """*rounds* times *count* messages, and as many plain requests."""
    with tempfile.TemporaryDirectory() as name, simulator(Path(name)) as provider:
        pairs = asyncio.run(_rounds(Path(name), provider, rounds, count))
    beside = "aiohttp, the same requests"
    ratio = tuple(ours / plain for ours, plain in pairs)
    cost = tuple(ours for ours, _plain in pairs)
    return [
        Figure("sender", "CPU a message, claim to committed outcome", cost, "ms", beside, TARGET_MS),
        Figure("sender", "the same, as a ratio", ratio, "×", beside),
    ]


async def _rounds(folder: Path, provider: int, rounds: int, count: int) -> list[tuple[float, float]]:
    place = Place(folder / "bridge", 1, 2, provider)
    write(place)
    pairs = []
    async with HttpClient() as http, _sending(place, http) as store:
        await _ours(store, http, 0, count // 4)
        for number in range(1, rounds + 1):
            ours = await _ours(store, http, number * 1_000_000, count)
            plain = await _plain(http, provider, number * 1_000_000, count)
            pairs.append((ours, plain))
            print(f"sender {number}: ours {ours:.2f} ms, aiohttp alone {plain:.2f} ms")
    return pairs


@asynccontextmanager
async def _sending(place: Place, http: HttpClient) -> AsyncIterator[Store]:
    """A store that a running sender empties."""
    store = Store(place.store)
    await store.open()
    opened = Gateways(gateways(load_book(place.config).require().config.providers, http), _now)
    sender = Sender(store, lambda: opened, owner="bench/1", now=_now, decide_failed=lambda tx, failed: None)
    task = asyncio.create_task(sender.run())
    try:
        yield store
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        await sender.finish(5)
        store.close()


async def _ours(store: Store, http: HttpClient, first: int, count: int) -> float:
    """CPU milliseconds a message of this whole process, all threads."""
    ready = [rows.message_row(_message(first + number + 1)) for number in range(count)]
    await store.write(lambda tx: tx.many(_ADD, ready))
    began = time.process_time()
    while await _waiting(store):  # noqa: ASYNC110 - the store is the truth, and nothing else is told of it
        await asyncio.sleep(0.05)
    return (time.process_time() - began) / count * 1000


async def _waiting(store: Store) -> int:
    query = "SELECT count(*) FROM messages WHERE state IN ('READY', 'INFLIGHT')"
    return int((await store.read(lambda tx: tx.raw(query)))[0][0])


async def _plain(http: HttpClient, provider: int, first: int, count: int) -> float:
    url, numbers = f"http://127.0.0.1:{provider}/sys/send.php", iter(range(count))

    async def work() -> None:
        for number in numbers:
            form = {
                "login": "demo", "psw": "secret", "phones": phone(number % PEOPLE), "mes": f"plain {number}",
                "charset": "utf-8", "fmt": "3", "cost": "3", "id": str(first + number),
            }  # fmt: skip
            await http.post(url, form, within=30)

    began = time.process_time()
    await asyncio.gather(*(work() for _ in range(_PARALLEL)))
    return (time.process_time() - began) / count * 1000


def _message(number: int) -> Message:
    now = _now()
    return Message(
        id=number, phone=phone(number % PEOPLE), person="", text=f"10 HIGH db{number}: Disk space below 5% on /var",
        encoding="GSM-7", segments=1, price=None, currency="KZT", rule="bench", message_class="critical", channel="sms",
        providers=("smsc",), originator="", answerable=True, created_at=now, due_at=now,
        valid_until=now + timedelta(hours=6), language="en", mail_id=number,
    )  # fmt: skip
