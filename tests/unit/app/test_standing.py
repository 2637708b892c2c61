"""What is done again and again: figures about money, and forgetting, over a real store."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest

from bench.storm import BEGIN, House
from bridge.app.standing import Standing
from bridge.delivery.gateways import Gateways
from bridge.observe import Metrics

pytestmark = pytest.mark.anyio

BUDGETS = "{total: {money: 100 KZT/day, messages: 50/2h, over: hold}, each_prefix: {'+7701': {segments: 5/week}}}"


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[House]:
    made = House(tmp_path / "house", "normal", BUDGETS)
    await made.store.open()
    yield made
    made.store.close()


async def looked(house: House) -> Metrics:
    """The figures after one look."""
    metrics = Metrics()
    standing = Standing(
        house.store, metrics, lambda: house.now, lambda: Gateways({}, lambda: house.now), lambda: house.book
    )
    task = asyncio.create_task(standing.run())
    while standing._next_prune == 0.0:
        await asyncio.sleep(0.005)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    return metrics


def figures(metrics: Metrics, name: str) -> dict[tuple[str, ...], float]:
    found = next(each for each in metrics.registry.collect() if each.name == f"smsbridge_{name}")
    return {tuple(sample.labels.values()): sample.value for sample in found.samples if sample.value}


async def test_what_budgets_have_seen_and_what_waits_for_them_is_shown(house: House) -> None:
    await house.storm(8)
    metrics = await looked(house)
    assert figures(metrics, "budget_used") == {
        ("total", "money", "day"): 70.0, ("total", "messages", "2h"): 5.0,
        ("each_prefix +7701", "segments", "week"): 5.0,
    }  # fmt: skip
    assert figures(metrics, "budget_limit") == {
        ("total", "money", "day"): 100.0, ("total", "messages", "2h"): 50.0,
        ("each_prefix +7701", "segments", "week"): 5.0,
    }  # fmt: skip
    assert figures(metrics, "held") == {("budget",): 3.0}


async def test_what_no_window_reaches_is_forgotten(house: House) -> None:
    await house.storm(3)
    house.now = BEGIN + timedelta(days=3)
    await looked(house)
    assert await house.rows("SELECT (SELECT count(*) FROM spends), (SELECT count(*) FROM tallies)") == [(6, 0)]
    house.now = BEGIN + timedelta(days=60)
    await looked(house)
    assert await house.rows("SELECT count(*) FROM spends") == [(0,)]
