"""``rate`` holds over all doors of an account and over all nodes: it is counted where the attempts are kept."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from bridge.delivery.choosing import Choosing
from bridge.delivery.gateways import Gateways
from bridge.dispatch.budgets import Limit
from bridge.store import outbox
from bridge.store.engine import Store

pytestmark = pytest.mark.anyio

THREE = Limit("messages", Decimal(3), timedelta(seconds=10))


async def claim(store: Store, gateways: Gateways, clock: Any, owner: str = "n1/a") -> list[str]:
    """Which doors take what waits now."""
    claimed = await store.write(lambda tx: outbox.claim(tx, clock(), owner, 99, Choosing(gateways, tx, clock(), owner)))
    return [one.attempt.provider for one in claimed]


async def test_no_more_begin_in_a_span_than_the_rate_allows(
    store: Store, clock: Any, puppet: Any, message: Any, put: Any
) -> None:
    gateways = Gateways({"smsc": puppet(parallel=99)}, clock, {"smsc": THREE})
    await put(*map(message, range(1, 9)))
    assert await claim(store, gateways, clock) == ["smsc"] * 3
    clock.forward(9.9)
    assert await claim(store, gateways, clock) == []
    clock.forward(0.2)
    assert await claim(store, gateways, clock) == ["smsc"] * 3


async def test_two_nodes_share_one_rate(store: Store, clock: Any, puppet: Any, message: Any, put: Any) -> None:
    one = Gateways({"smsc": puppet(parallel=99)}, clock, {"smsc": THREE})
    other = Gateways({"smsc": puppet(parallel=99)}, clock, {"smsc": THREE})
    await put(*map(message, range(1, 3)))
    assert len(await claim(store, one, clock)) == 2
    await put(*map(message, range(3, 9)))
    assert len(await claim(store, other, clock, "n2/b")) == 1


async def test_doors_of_one_account_share_the_tightest_rate(
    store: Store, clock: Any, puppet: Any, message: Any, put: Any
) -> None:
    doors = {"http": puppet("http", parallel=99), "mail": puppet("mail", parallel=99)}
    wide = Limit("messages", Decimal(50), timedelta(seconds=10))
    gateways = Gateways(doors, clock, {"http": wide, "mail": THREE})
    await put(*(message(n, providers=("http",)) for n in range(1, 9)))
    assert len(await claim(store, gateways, clock)) == 3


async def test_what_an_account_may_not_begin_another_one_takes(
    store: Store, clock: Any, puppet: Any, message: Any, put: Any
) -> None:
    doors = {"one": puppet("one", "smsc:one", parallel=99), "two": puppet("two", "gate:two", parallel=99)}
    gateways = Gateways(doors, clock, {"one": THREE})
    await put(*(message(n, providers=("one", "two")) for n in range(1, 6)))
    assert sorted(await claim(store, gateways, clock)) == ["one"] * 3 + ["two"] * 2


async def test_what_has_to_wait_is_due_when_the_account_may_go_on(
    store: Store, clock: Any, puppet: Any, message: Any, put: Any
) -> None:
    gateways = Gateways({"smsc": puppet(parallel=99)}, clock, {"smsc": THREE})
    await put(*map(message, range(1, 5)))
    await claim(store, gateways, clock)
    due = await store.read(lambda tx: tx.raw("SELECT due_at FROM messages WHERE state = 'READY'"))
    assert due == [(int((clock() + timedelta(seconds=10)).timestamp() * 1e6),)]


async def test_a_rate_of_a_day_ends_with_the_day_of_the_zone(
    store: Store, clock: Any, puppet: Any, message: Any, put: Any
) -> None:
    daily = Limit("messages", Decimal(1), period="day")
    gateways = Gateways({"smsc": puppet(parallel=99)}, clock, {"smsc": daily}, ZoneInfo("Asia/Almaty"))
    later = {"valid_until": clock() + timedelta(days=2)}
    await put(message(1, **later), message(2, **later))
    assert len(await claim(store, gateways, clock)) == 1
    clock.forward(15 * 3600)  # 03:12 UTC is 08:12 there
    assert await claim(store, gateways, clock) == []
    clock.forward(3600)
    assert await claim(store, gateways, clock) == ["smsc"]


async def test_without_a_rate_nothing_is_counted(store: Store, clock: Any, puppet: Any, message: Any, put: Any) -> None:
    await put(*map(message, range(1, 9)))
    assert len(await claim(store, Gateways({"smsc": puppet(parallel=99)}, clock), clock)) == 8
