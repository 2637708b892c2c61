"""Due things, in order, by a given clock and by the loop."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from bridge.simulator.timers import Timers

pytestmark = pytest.mark.anyio


def test_runs_what_is_due_in_order_of_time_then_of_setting(clock: Any) -> None:
    timers, ran = Timers(clock), []
    for name, seconds in (("late", 2), ("first", 1), ("second", 1), ("never", 9)):
        timers.at(clock.now + timedelta(seconds=seconds), lambda at, name=name: ran.append((name, at.second)))

    timers.advance(clock.now + timedelta(seconds=2))

    assert ran == [("first", 1), ("second", 1), ("late", 2)]


async def test_the_loop_wakes_for_a_nearer_thing_set_later() -> None:
    timers, done = Timers(lambda: datetime.now(UTC)), asyncio.Event()
    running = asyncio.create_task(timers.run())
    timers.at(datetime.now(UTC) + timedelta(hours=1), lambda at: None)
    await asyncio.sleep(0.01)
    timers.at(datetime.now(UTC) + timedelta(milliseconds=20), lambda at: done.set())

    async with asyncio.timeout(5):
        await done.wait()
    running.cancel()
