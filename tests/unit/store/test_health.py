"""How well gateways do, from what became of their messages."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import partial
from itertools import count, islice
from typing import Any

import pytest

from bridge.store import accounts, health
from bridge.store.accounts import AccountRow
from bridge.store.engine import Store, Tx
from bridge.store.health import GatewayHealth
from bridge.store.statements import to_us

pytestmark = pytest.mark.anyio

NOW = datetime(2026, 11, 21, 3, 12, tzinfo=UTC)
_MESSAGE = "INSERT INTO messages (id, state, ended_at) VALUES ({}, '{}', {})"
_ATTEMPT = """INSERT INTO submissions (message_id, attempt, provider, account, state, started_at)
              VALUES ({}, 1, '{}', 'smsc:one', '{}', {})"""


@pytest.fixture
def hand_over(store: Store) -> Any:
    """Write what a gateway was given, and what became of it."""
    numbers = count(1)

    async def hand_over(
        times: int, state: str, *, how: str = "ACCEPTED", provider: str = "smsc", ago: float = 600
    ) -> None:
        start = NOW - timedelta(seconds=ago)
        ended = to_us(start + timedelta(seconds=4)) if state in ("DELIVERED", "UNDELIVERED") else "NULL"
        await store.write(lambda tx: accounts.put(tx, AccountRow("smsc:one")))
        for number in islice(numbers, times):
            message = _MESSAGE.format(number, state, ended)
            attempt = _ATTEMPT.format(number, provider, how, to_us(start))
            await store.write(partial(_add, message, attempt))

    return hand_over


def _add(message: str, attempt: str, tx: Tx) -> None:
    tx.raw(message)
    tx.raw(attempt)


async def look(store: Store) -> dict[str, GatewayHealth]:
    return await store.read(lambda tx: health.look(tx, NOW))


async def test_counts_what_arrived_and_how_soon(store: Store, hand_over: Any) -> None:
    await hand_over(3, "DELIVERED")
    await hand_over(1, "UNDELIVERED")
    await hand_over(1, "ACCEPTED")
    await hand_over(1, "UNKNOWN", how="UNKNOWN")
    assert await look(store) == {"smsc": GatewayHealth(6, 5, 1, 5, 3, 1, 4.0)}


async def test_what_may_still_arrive_is_not_judged(store: Store, hand_over: Any) -> None:
    await hand_over(20, "ACCEPTED", ago=179)
    assert (await look(store))["smsc"].judged == 0
    assert not (await look(store))["smsc"].is_poor


async def test_what_is_long_over_says_nothing_about_today(store: Store, hand_over: Any) -> None:
    await hand_over(20, "UNDELIVERED", ago=2 * 3600 + 1)
    assert await look(store) == {}


@pytest.mark.parametrize("delivered, lost, poor", [(4, 5, False), (4, 6, True), (5, 5, False), (0, 10, True)])
async def test_poor_is_where_most_of_many_does_not_arrive(
    store: Store, hand_over: Any, delivered: int, lost: int, poor: bool
) -> None:
    await hand_over(delivered, "DELIVERED")
    await hand_over(lost, "UNDELIVERED")
    assert (await look(store))["smsc"].is_poor is poor


async def test_a_gateway_without_receipts_is_not_called_poor(store: Store, hand_over: Any) -> None:
    await hand_over(20, "ACCEPTED_NO_ID")
    assert (await look(store))["smsc"].judged == 20
    assert not (await look(store))["smsc"].is_poor


async def test_doors_of_one_account_are_told_apart(store: Store, hand_over: Any) -> None:
    await hand_over(2, "DELIVERED", provider="http")
    await hand_over(1, "UNDELIVERED", provider="mail")
    found = await look(store)
    assert {name: (each.delivered, each.lost) for name, each in found.items()} == {"http": (2, 0), "mail": (0, 1)}


async def test_a_gateway_whose_account_tells_no_balance_is_counted_too(store: Store, hand_over: Any) -> None:
    await hand_over(1, "DELIVERED", provider="smpp")
    await store.write(lambda tx: tx.raw("DELETE FROM accounts"))
    assert (await look(store))["smpp"].delivered == 1
