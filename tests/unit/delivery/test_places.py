"""Claiming ahead of free places: never more on the wire than allowed, and nothing goes that should not go any more."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest
from structlog.testing import capture_logs

from bridge.delivery.choosing import Choosing
from bridge.delivery.gateways import Gateways
from bridge.delivery.places import Places
from bridge.delivery.sender import Sender
from bridge.errors import AccountPaused
from bridge.providers.base import Accepted, Request
from bridge.store import fates, outbox
from bridge.store.engine import Store

pytestmark = pytest.mark.anyio


@dataclass
class Wire:
    """A provider that answers after *seconds*, and what it saw of the bridge; *fails* from then on."""

    seconds: float = 0.002
    open: int = 0
    most: int = 0
    texts: list[str] = field(default_factory=list)
    fails: AccountPaused | None = None

    async def submit(self, request: Request) -> Accepted:
        self.open += 1
        self.most = max(self.most, self.open)
        self.texts.append(request.canonical["mes"])
        try:
            await asyncio.sleep(self.seconds)
            if self.fails is not None:
                raise self.fails
        finally:
            self.open -= 1
        return Accepted(request.client_id, 1)


@pytest.fixture
def wired(puppet: Any) -> Callable[..., tuple[Wire, Any]]:
    def make(**changes: Any) -> tuple[Wire, Any]:
        wire, gateway = Wire(), puppet(**{"parallel": 3, **changes})
        gateway.submit = wire.submit
        return wire, gateway

    return make


@asynccontextmanager
async def sending(store: Store, gateways: Gateways, clock: Any) -> AsyncIterator[Sender]:
    sender = Sender(store, lambda: gateways, owner="n1/a", now=clock, decide_failed=lambda _tx, _failed: None)
    task = asyncio.create_task(sender.run())
    try:
        yield sender
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        await sender.finish(1)


async def states(store: Store) -> dict[str, int]:
    return dict(await store.read(lambda tx: tx.raw("SELECT state, count(*) FROM messages GROUP BY state")))


async def until(look: Callable[[dict[str, int]], bool], store: Store) -> dict[str, int]:
    """The states, once they are as wanted."""
    for _ in range(1000):
        seen = await states(store)
        if look(seen):
            return seen
        await asyncio.sleep(0.005)
    raise AssertionError(f"it did not happen: {seen}")


def quick(gateways: Gateways, name: str = "smsc") -> Gateways:
    """The door has answered fast before."""
    gateways.worked(name, 0.005)
    return gateways


async def test_more_is_claimed_than_there_are_places_and_never_more_is_on_the_wire(
    store: Store, clock: Any, wired: Any, message: Any, put: Any
) -> None:
    wire, gateway = wired()
    await put(*(message(n + 1) for n in range(60)))
    at_once: list[int] = []
    async with sending(store, quick(Gateways({"smsc": gateway}, clock)), clock) as sender:
        for _ in range(1000):
            at_once.append(sender.under_way)
            if len(wire.texts) == 60:
                break
            await asyncio.sleep(0.002)
        await until(lambda seen: seen == {"ACCEPTED": 60}, store)
    assert wire.most == 3
    assert max(at_once) > 3
    assert len(set(wire.texts)) == 60


async def test_F24_what_was_claimed_ahead_does_not_go_to_an_account_that_paused_meanwhile(
    store: Store, clock: Any, wired: Any, message: Any, put: Any
) -> None:
    wire, gateway = wired()
    wire.fails = AccountPaused("no money", cause="money")
    await put(*(message(n + 1) for n in range(20)))
    async with sending(store, quick(Gateways({"smsc": gateway}, clock)), clock):
        await until(lambda seen: bool(wire.texts) and seen == {"READY": 20}, store)
    assert len(wire.texts) == 3, "those on the wire when the first answer came"
    unsent = await store.read(lambda tx: tx.raw("SELECT error FROM submissions WHERE state = 'NOT_SENT'"))
    assert ("the gateway rests since it was claimed",) in unsent


async def test_what_finds_no_place_in_time_is_not_sent_and_waits_again(
    store: Store, clock: Any, wired: Any, message: Any, put: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bridge.delivery.sender._PATIENCE", 0.05)
    wire, gateway = wired()
    wire.seconds = 0.5
    await put(*(message(n + 1) for n in range(9)))
    async with sending(store, quick(Gateways({"smsc": gateway}, clock)), clock):
        await until(lambda seen: seen == {"INFLIGHT": 3, "READY": 6}, store)
        assert len(wire.texts) == 3
        clock.forward(60)
        await until(lambda seen: seen.get("ACCEPTED") == 9, store)
    assert len(set(wire.texts)) == len(wire.texts) == 9


async def test_F13_a_crash_leaves_what_never_began_as_unknown_as_what_did(
    store: Store, clock: Any, wired: Any, message: Any, put: Any
) -> None:
    wire, gateway = wired()
    wire.seconds = 5
    await put(*(message(n + 1) for n in range(15)))
    gateways = quick(Gateways({"smsc": gateway}, clock))
    claimed = await store.write(lambda tx: outbox.claim(tx, clock(), "n1/a", 99, Choosing(gateways, tx, clock(), "n1")))
    assert len(claimed) == 15
    found = await store.write(lambda tx: fates.orphans(tx, "n1", "n1/b", clock()))
    assert (len(found), await states(store)) == (15, {"UNKNOWN": 15})


@pytest.mark.parametrize("doubt", ["hold", "late", "once"])
async def test_nothing_is_claimed_ahead_where_nobody_could_say_that_it_never_began(
    doubt: str, store: Store, clock: Any, wired: Any, message: Any, put: Any
) -> None:
    _, gateway = wired(doubt=doubt)
    _, askable = wired(name="http")
    await put(*(message(n + 1, providers=("smsc", "http")) for n in range(20)))
    gateways = quick(quick(Gateways({"smsc": gateway, "http": askable}, clock)), "http")
    claimed = await store.write(lambda tx: outbox.claim(tx, clock(), "n1/a", 99, Choosing(gateways, tx, clock(), "n1")))
    assert len(claimed) == 3, "the places are those of the account"


async def test_nothing_is_claimed_ahead_at_a_door_that_is_slow_or_failed_or_not_known_yet(
    store: Store, clock: Any, wired: Any
) -> None:
    _, gateway = wired()
    gateways = Gateways({"smsc": gateway}, clock)
    assert gateways.free() == 3
    gateways.worked("smsc", 0.005)
    assert gateways.free() == 15
    gateways.failed("smsc", "cut off")
    assert gateways.free() == 3
    gateways.worked("smsc", 0.4)
    assert gateways.free() == 3


async def test_nothing_is_claimed_ahead_while_another_node_has_something_under_way(
    store: Store, clock: Any, wired: Any, message: Any, put: Any
) -> None:
    (_, one), (_, other) = wired(), wired()
    ours, theirs = quick(Gateways({"smsc": one}, clock)), quick(Gateways({"smsc": other}, clock))

    async def claim(gateways: Gateways, owner: str, most: int) -> int:
        operation = lambda tx: outbox.claim(tx, clock(), owner, most, Choosing(gateways, tx, clock(), owner))  # noqa: E731
        return len(await store.write(operation))

    await put(*(message(n + 1) for n in range(40)))
    assert await claim(ours, "n1/a", 1) == 1
    assert await claim(theirs, "n2/a", 99) == 2, "with one of ours that makes three"
    assert await claim(ours, "n1/a", 99) == 0


async def test_a_stop_begins_nothing_more_and_leaves_it_ready(
    store: Store, clock: Any, wired: Any, message: Any, put: Any
) -> None:
    wire, gateway = wired()
    wire.seconds = 0.3
    await put(*(message(n + 1) for n in range(12)))
    async with sending(store, quick(Gateways({"smsc": gateway}, clock)), clock) as sender:
        await until(lambda _seen: len(wire.texts) == 3, store)
        assert sender.under_way == 12
    assert len(wire.texts) == 3, "those on the wire were awaited, no other began"
    assert await states(store) == {"ACCEPTED": 3, "READY": 9}
    unsent = await store.read(lambda tx: tx.raw("SELECT DISTINCT error FROM submissions WHERE state = 'NOT_SENT'"))
    assert unsent == [("the bridge stops, and its turn had not come",)]


async def test_a_hand_over_that_breaks_off_gives_its_place_to_the_next(
    store: Store, clock: Any, wired: Any, message: Any, put: Any
) -> None:
    wire, gateway = wired(parallel=1)
    sound = wire.submit

    async def submit(request: Request) -> Accepted:
        if len(wire.texts) == 1:
            wire.texts.append("broken")
            raise ZeroDivisionError
        return await sound(request)

    gateway.submit = submit
    await put(*(message(n + 1) for n in range(4)))
    gateways = quick(Gateways({"smsc": gateway}, clock))
    with capture_logs() as logs:
        async with sending(store, gateways, clock):
            await until(lambda seen: seen == {"ACCEPTED": 3, "INFLIGHT": 1}, store)
    assert wire.most == 1
    assert [entry["event"] for entry in logs if entry["log_level"] == "critical"] == ["hand-over broke off"]
    assert gateways.accounts[gateway.account].open == 0, "no place is lost"


async def place(places: Places, patience: float = 1) -> asyncio.Task[None]:
    """Somebody who waits for a place, or has it."""
    waiting = asyncio.create_task(places.place(patience))
    await asyncio.sleep(0)
    return waiting


async def test_a_turn_that_was_given_up_in_the_last_moment_goes_to_the_next() -> None:
    places = Places(1)
    await places.place(1)
    first, second = await place(places), await place(places)
    places.free()
    first.cancel()
    await second
    places.free()
    await places.place(0.01)
    with pytest.raises(TimeoutError):
        await places.place(0.01)


async def test_who_is_cancelled_in_the_queue_takes_no_place() -> None:
    places = Places(1)
    await places.place(1)
    first, second = await place(places), await place(places)
    first.cancel()
    await asyncio.sleep(0)
    places.free()
    await second


async def test_who_is_cancelled_when_its_time_is_over_gives_back_nothing() -> None:
    places = Places(1)
    await places.place(1)
    late = await place(places, 0)
    places._give_up_late()
    late.cancel()
    with pytest.raises(asyncio.CancelledError):
        await late
    with pytest.raises(TimeoutError):
        await places.place(0.01)  # the place is still taken


async def test_an_impatient_turn_behind_a_patient_one_is_given_up_in_time() -> None:
    places = Places(1)
    await places.place(1)
    patient, impatient = await place(places, 60), await place(places, 0.02)
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(impatient, 5)
    places.free()
    await patient


async def test_fewer_places_after_a_reload_let_what_is_under_way_end_first() -> None:
    places = Places(2)
    await places.place(1)
    await places.place(1)
    places.most = 1
    waiting = await place(places)
    places.free()
    await asyncio.sleep(0)
    assert not waiting.done(), "one is still on the wire, and only one may be"
    places.free()
    await waiting
