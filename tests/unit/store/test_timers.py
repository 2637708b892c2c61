"""Timers are rows: due in order, and known ahead."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from bridge.model import Timer
from bridge.store import rows, schema, timers
from bridge.store.engine import Store
from bridge.store.statements import insert

pytestmark = pytest.mark.anyio

NOW = datetime(2026, 11, 21, 3, 12, tzinfo=UTC)
_ADD = insert(schema.timers, without=("id",))


async def test_timers_fall_due_in_order_and_not_a_microsecond_early(store: Store) -> None:
    dues = [NOW + timedelta(microseconds=offset) for offset in (1, 0, -5)]
    made = [Timer(0, due, "close", n, {"n": n}) for n, due in enumerate(dues)]
    await store.write(lambda tx: tx.many(_ADD, [rows.timer_row(one) for one in made]))
    found = await store.read(lambda tx: timers.due(tx, NOW, 9))
    assert [(one.incident_id, one.due_at, one.data) for one in found] == [(2, dues[2], {"n": 2}), (1, NOW, {"n": 1})]
    assert len(await store.read(lambda tx: timers.due(tx, NOW, 1))) == 1


async def test_the_next_one_is_known(store: Store) -> None:
    assert await store.read(timers.next_due) is None
    await store.write(lambda tx: tx.many(_ADD, [rows.timer_row(Timer(0, NOW, "close"))]))
    assert await store.read(timers.next_due) == NOW
