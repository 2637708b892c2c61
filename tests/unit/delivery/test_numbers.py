"""A number to ring is asked for before the message is INFLIGHT, once, and no alert waits for it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import pytest

from bridge.delivery.choosing import ASKING
from bridge.delivery.gateways import Gateways
from bridge.delivery.sender import Sender
from bridge.dispatch import ringing
from bridge.errors import AccountPaused, DeliveryError, NotSent, TemporaryFailure
from bridge.model import CallSlot
from bridge.providers.base import CallNumber
from bridge.store import outbox, pacing
from bridge.store.attempts import NumberFirst
from bridge.store.engine import Store

pytestmark = pytest.mark.anyio

SLOT = CallSlot("db01 down. Ring ", "", "db01 down.")
PLANNED = "db01 down. Ring +00000000000"


@dataclass
class Calls:
    """What wait_call answers, and for whom it was asked."""

    confirms_by_call: bool = True
    number: str | DeliveryError | None = "77770000001"  # None: it never answers
    asked: list[str] = field(default_factory=list)
    texts: list[str] = field(default_factory=list)  # in the store, when it was asked

    async def answer(self, phone: str) -> CallNumber:
        self.asked.append(phone)
        if self.number is None:
            await asyncio.sleep(3600)
        if isinstance(self.number, DeliveryError):
            raise self.number
        return CallNumber(str(self.number), (str(self.number),))


@pytest.fixture
def calls() -> Calls:
    return Calls()


@pytest.fixture
def ringing_door(puppet: Any, calls: Calls) -> Any:
    """A gateway with ``confirm_by_call``."""

    class Ringing(puppet):  # type: ignore[misc]
        confirms_by_call = calls.confirms_by_call

        async def ask_for_call(self, phone: str) -> CallNumber:
            return await calls.answer(phone)

    return Ringing


@asynccontextmanager
async def sending(
    store: Store, gateways: Gateways, clock: Any, alarms: list[str] | None = None
) -> AsyncIterator[Sender]:
    heard = [] if alarms is None else alarms
    sender = Sender(
        store, lambda: gateways, owner="n1/a", now=clock, decide_failed=lambda _tx, _failed: None,
        alarm=lambda kind, _name, _why: heard.append(kind),
    )  # fmt: skip
    task = asyncio.create_task(sender.run())
    try:
        yield sender
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        await sender.finish(1)


async def eventually(look: Callable[[], bool]) -> None:
    for _ in range(500):
        if look():
            return
        await asyncio.sleep(0.01)
    raise AssertionError("it did not happen")


async def kept(store: Store) -> list[tuple[str, str, str]]:
    rows = await store.read(lambda tx: tx.raw("SELECT text, state, call FROM messages ORDER BY id"))
    return [(str(text), str(state), str(call)) for text, state, call in rows]


async def test_the_number_stands_in_what_was_sent_and_in_what_is_kept(
    store: Store, clock: Any, ringing_door: Any, message: Any, put: Any, calls: Calls
) -> None:
    door = ringing_door()
    await put(message(text=PLANNED, call=SLOT))
    async with sending(store, Gateways({"smsc": door}, clock), clock):
        await eventually(lambda: len(door.handed) == 1)
    assert calls.asked == ["+77010000001"]
    assert door.handed[0].canonical["mes"] == "db01 down. Ring +77770000001"
    assert (await kept(store))[0][0] == "db01 down. Ring +77770000001"
    since = clock() - timedelta(minutes=1)
    name = ringing.tally_of("+77010000001", "+77770000001")
    assert await store.read(lambda tx: pacing.tallied(tx, name, since)) == 1


async def test_nothing_is_inflight_before_the_number_is_there(
    store: Store, clock: Any, ringing_door: Any, message: Any, put: Any, calls: Calls
) -> None:
    calls.number = None
    door = ringing_door()
    await put(message(text=PLANNED, call=SLOT))
    async with sending(store, Gateways({"smsc": door}, clock), clock):
        await eventually(lambda: bool(calls.asked))
        await asyncio.sleep(0.05)
        assert [row[:2] for row in await kept(store)] == [(PLANNED, "READY")]
        assert await store.read(lambda tx: tx.raw("SELECT count(*) FROM submissions")) == [(0,)]
    assert calls.asked == ["+77010000001"]


@pytest.mark.parametrize(
    "end", [TemporaryFailure("busy", code="9"), NotSent("no connection"), AccountPaused("no money", cause="money")]
)
async def test_where_no_number_can_be_had_its_sentence_is_left_out(
    store: Store, clock: Any, ringing_door: Any, puppet: Any, message: Any, put: Any, calls: Calls, end: DeliveryError
) -> None:
    calls.number, alarms = end, list[str]()
    first, other = ringing_door(), puppet("other", "smsc:other")
    gateways = Gateways({"smsc": first, "other": other}, clock)
    await put(message(text=PLANNED, call=SLOT, providers=("smsc", "other")))
    async with sending(store, gateways, clock, alarms):
        await eventually(lambda: len(first.handed) + len(other.handed) == 1)
    sent = [*first.handed, *other.handed]
    assert [request.canonical["mes"] for request in sent] == ["db01 down."]
    assert [row[0] for row in await kept(store)] == ["db01 down."]
    assert alarms == (["account.money"] if isinstance(end, AccountPaused) else [])


async def test_an_answer_that_stays_away_delays_an_alert_by_seconds_only(
    store: Store, clock: Any, ringing_door: Any, message: Any, put: Any, calls: Calls, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bridge.delivery.numbers.LONGEST", 0.05)
    calls.number, door = None, ringing_door()
    await put(message(text=PLANNED, call=SLOT))
    async with sending(store, Gateways({"smsc": door}, clock), clock):
        await eventually(lambda: len(door.handed) == 1)
    assert door.handed[0].canonical["mes"] == "db01 down."


async def test_a_door_without_confirm_by_call_is_not_asked(
    store: Store, clock: Any, puppet: Any, message: Any, put: Any, calls: Calls
) -> None:
    door = puppet()
    await put(message(text=PLANNED, call=SLOT))
    async with sending(store, Gateways({"smsc": door}, clock), clock):
        await eventually(lambda: len(door.handed) == 1)
    assert door.handed[0].canonical["mes"] == "db01 down."
    assert calls.asked == []


async def test_another_door_of_the_chain_gives_the_number(
    store: Store, clock: Any, ringing_door: Any, puppet: Any, message: Any, put: Any, calls: Calls
) -> None:
    sends, gives = puppet("mail", "gate:one"), ringing_door("http", "smsc:acme")
    await put(message(text=PLANNED, call=SLOT, providers=("mail", "http")))
    async with sending(store, Gateways({"mail": sends, "http": gives}, clock), clock):
        await eventually(lambda: len(sends.handed) == 1)
    assert sends.handed[0].canonical["mes"] == "db01 down. Ring +77770000001"
    assert gives.handed == []


async def test_T04_a_phone_gets_so_many_numbers_an_hour(
    store: Store, clock: Any, ringing_door: Any, message: Any, put: Any, calls: Calls, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bridge.dispatch.ringing.MOST_AN_HOUR", 2)
    door = ringing_door(parallel=1)
    several = [CallSlot(f"{n} ring ", "", f"{n}") for n in range(3)]
    await put(*(message(n + 1, text=f"{n} ring +00000000000", call=slot) for n, slot in enumerate(several)))
    async with sending(store, Gateways({"smsc": door}, clock), clock):
        await eventually(lambda: len(door.handed) == 3)
    assert len(calls.asked) == 2
    assert sum("+77770000001" in row[0] for row in await kept(store)) == 2


async def test_a_repeat_within_minutes_shows_the_same_number_and_a_late_one_another(
    store: Store, clock: Any, ringing_door: Any, message: Any, put: Any, calls: Calls
) -> None:
    door = ringing_door(ends=[NotSent("refused", code="9"), NotSent("refused", code="9")])
    await put(message(text=PLANNED, call=SLOT))
    async with sending(store, Gateways({"smsc": door}, clock), clock) as sender:
        await eventually(lambda: len(door.handed) == 1)
        clock.forward(60)
        sender.wake()
        await eventually(lambda: len(door.handed) == 2)
        assert len(calls.asked) == 1
        calls.number = "77770000002"
        clock.forward(300)
        sender.wake()
        await eventually(lambda: len(door.handed) == 3)
    assert [request.canonical["mes"][-12:] for request in door.handed] == [
        "+77770000001", "+77770000001", "+77770000002",
    ]  # fmt: skip


async def test_an_ack_while_the_number_is_asked_for_stops_the_message(
    store: Store, clock: Any, ringing_door: Any, message: Any, put: Any, calls: Calls, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bridge.delivery.numbers.LONGEST", 0.2)
    calls.number, door = None, ringing_door()
    await put(message(text=PLANNED, call=SLOT))
    async with sending(store, Gateways({"smsc": door}, clock), clock) as sender:
        await eventually(lambda: bool(calls.asked))
        await store.write(lambda tx: tx.raw("UPDATE messages SET state = 'CANCELLED'"))
        await asyncio.sleep(0.3)
        sender.wake()
        await asyncio.sleep(0.05)
    assert door.handed == []
    assert [row[:2] for row in await kept(store)] == [(PLANNED, "CANCELLED")]


async def test_F01_who_died_while_asking_keeps_nobody_waiting_for_long(
    store: Store, clock: Any, ringing_door: Any, message: Any, put: Any, calls: Calls
) -> None:
    door = ringing_door()
    await put(message(text=PLANNED, call=SLOT))
    kept_for = NumberFirst(clock() + ASKING)
    await store.write(lambda tx: outbox.claim(tx, clock(), "n2/b", 1, lambda _message, _attempts, _twins: kept_for))
    gateways = Gateways({"smsc": door}, clock)
    async with sending(store, gateways, clock) as sender:
        await asyncio.sleep(0.05)
        assert calls.asked == []
        clock.forward(21)
        sender.wake()
        await eventually(lambda: len(door.handed) == 1)
    assert calls.asked == ["+77010000001"]
