"""Handing over: an acceptance is never forgotten, a place is never lost. The wire itself: integration tests."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from decimal import Decimal
from typing import Any

import pytest

from bridge.delivery.gateways import Gateways
from bridge.delivery.sender import Sender
from bridge.errors import AccountPaused, OutcomeUnknown, PermanentFailure, StoreUnavailable
from bridge.model import Failed, Spend
from bridge.store import rows, schema
from bridge.store.attempts import Outcome
from bridge.store.engine import Store
from bridge.store.statements import insert

pytestmark = pytest.mark.anyio


class Desk:
    def __init__(self, store: Store, gateways: Gateways, clock: Any) -> None:
        self.failed: list[Failed] = []
        self.ended: list[Outcome] = []
        self.alarms: list[str] = []
        self.gateways = gateways
        self.sender = Sender(
            store, lambda: self.gateways, owner="n1/a", now=clock,
            decide_failed=lambda _tx, failed: self.failed.extend(failed),
            ended=lambda _claimed, outcome, _seconds: self.ended.append(outcome),
            alarm=lambda kind, _name, _why: self.alarms.append(kind),
            charge=lambda: lambda _provider, _phone, _segments, cost: cost and cost * 6,
        )  # fmt: skip

    @asynccontextmanager
    async def sending(self) -> AsyncIterator[None]:
        task = asyncio.create_task(self.sender.run())
        try:
            yield
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
            await self.sender.finish(1)


async def eventually(look: Callable[[], bool]) -> None:
    for _ in range(500):
        if look():
            return
        await asyncio.sleep(0.01)
    raise AssertionError("it did not happen")


async def test_an_acceptance_is_kept_until_the_store_takes_it(
    store: Store, clock: Any, puppet: Any, message: Any, put: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bridge.delivery.sender._POLL", 0.01)
    desk = Desk(store, Gateways({"smsc": puppet()}, clock), clock)
    await put(message())
    real, away = desk.sender._write_outcomes, 3

    async def write_outcomes() -> None:
        nonlocal away
        if away and desk.sender._outcomes:
            away -= 1
            raise StoreUnavailable("disk is full")
        await real()

    monkeypatch.setattr(desk.sender, "_write_outcomes", write_outcomes)
    async with desk.sending():
        await eventually(lambda: bool(desk.ended))
    assert away == 0
    assert [one.submission for one in desk.ended] == ["ACCEPTED"]
    assert await store.read(lambda tx: tx.raw("SELECT state, cost FROM messages")) == [("ACCEPTED", "18.00")]


@pytest.mark.parametrize(
    "end, left", [(None, [(108.0,)]), (PermanentFailure("no"), []), (OutcomeUnknown("?"), [(14.0,)])]
)
async def test_T04_a_reservation_becomes_the_cost_in_the_currency_of_the_budgets_or_is_given_back(
    store: Store, clock: Any, puppet: Any, message: Any, put: Any, end: Any, left: list[tuple[float]]
) -> None:
    desk = Desk(store, Gateways({"smsc": puppet(ends=[end] if end else [])}, clock), clock)
    await put(message())
    spend = rows.spend_row(Spend("total", clock(), 1, 1, Decimal(14), critical=False))
    await store.write(lambda tx: tx.many(insert(schema.spends), [spend]))
    async with desk.sending():
        await eventually(lambda: bool(desk.ended))
    assert await store.read(lambda tx: tx.raw("SELECT money / 10000.0 FROM spends WHERE message_id = 1")) == left


async def test_a_place_is_given_back_however_a_hand_over_ends(
    store: Store, clock: Any, puppet: Any, message: Any, put: Any
) -> None:
    ends = [PermanentFailure("no"), AccountPaused("no money", cause="money")]
    desk = Desk(store, Gateways({"smsc": puppet(parallel=1, ends=ends)}, clock), clock)
    await put(message(1), message(2))
    async with desk.sending():
        await eventually(lambda: len(desk.ended) == 2)
        assert desk.gateways.accounts["smsc:acme"].open == 0
    assert [one.reason for one in desk.failed] == ["no"]
    assert desk.alarms == ["account.money"]


async def test_a_bug_of_a_gateway_costs_no_place_and_leaves_the_message_to_be_asked_for(
    store: Store, clock: Any, puppet: Any, message: Any, put: Any
) -> None:
    gateway = puppet(parallel=1, ends=[KeyError("bug")])
    desk = Desk(store, Gateways({"smsc": gateway}, clock), clock)
    await put(message(1))
    async with desk.sending():
        await eventually(lambda: len(gateway.handed) == 1 and not desk.sender.under_way)
        await put(message(2))
        desk.sender.wake()
        await eventually(lambda: len(desk.ended) == 1)
    states = await store.read(lambda tx: tx.raw("SELECT state FROM messages ORDER BY id"))
    assert states == [("INFLIGHT",), ("ACCEPTED",)]


async def test_a_gateway_that_a_reload_took_away_sends_nothing(
    store: Store, clock: Any, puppet: Any, message: Any, put: Any
) -> None:
    gateway = puppet()
    desk = Desk(store, Gateways({"smsc": gateway}, clock), clock)
    await put(message())
    (claimed,) = await desk.sender._claim()
    desk.gateways = Gateways({"smsc": gateway}, clock)
    desk.gateways.doors.pop("smsc")
    ended = await desk.sender._handed_over(desk.gateways, claimed)
    assert type(ended).__name__ == "NotSent"
    assert gateway.handed == []


async def test_who_is_woken_while_looking_looks_again_at_once(
    store: Store, clock: Any, puppet: Any, message: Any, put: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Found by the delivery test: a message written during a look waited for the next poll, a second."""
    monkeypatch.setattr("bridge.delivery.sender._POLL", 30)
    desk = Desk(store, Gateways({"smsc": puppet()}, clock), clock)
    real, first = desk.sender._claim, True

    async def claim() -> list[Any]:
        nonlocal first
        found = await real()
        if first:
            first = False
            await put(message())
            desk.sender.wake()
        return found

    monkeypatch.setattr(desk.sender, "_claim", claim)
    async with desk.sending():
        await eventually(lambda: bool(desk.ended))


async def test_the_same_text_for_the_same_phone_is_handed_over_once_a_minute(
    store: Store, clock: Any, puppet: Any, message: Any, put: Any
) -> None:
    gateway = puppet()
    await put(message(1, text="same"), message(2, text="same"), message(3, text="other"))
    desk = Desk(store, Gateways({"smsc": gateway}, clock), clock)
    async with desk.sending():
        await eventually(lambda: len(desk.ended) == 2)
    assert sorted(request.canonical["mes"] for request in gateway.handed) == ["other", "same"]
    clock.forward(60)
    another_node = Desk(store, Gateways({"smsc": gateway}, clock), clock)
    async with another_node.sending():
        await asyncio.sleep(0.1)
        assert len(gateway.handed) == 2
        clock.forward(1)
        another_node.sender.wake()
        await eventually(lambda: len(another_node.ended) == 1)
    assert len(gateway.handed) == 3
