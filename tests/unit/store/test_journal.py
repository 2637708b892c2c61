"""The journal only grows, in the order of the store."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from bridge.model import JournalEntry
from bridge.store import journal
from bridge.store.engine import Store

pytestmark = pytest.mark.anyio

NOW = datetime(2026, 11, 21, 3, 12, tzinfo=UTC)


async def test_steps_are_numbered_in_the_order_they_were_written_whatever_the_clock_says(store: Store) -> None:
    assert await store.read(journal.last) == 0
    steps = [JournalEntry(NOW - timedelta(hours=n), f"step.{n}", 7, data={"n": n}) for n in range(3)]
    await store.write(lambda tx: journal.add(tx, steps[:2]))
    await store.write(lambda tx: journal.add(tx, steps[2:]))
    await store.write(lambda tx: journal.add(tx, []))
    found = await store.read(lambda tx: tx.raw("SELECT seq, kind, data FROM journal ORDER BY seq"))
    assert found == [(1, "step.0", '{"n":0}'), (2, "step.1", '{"n":1}'), (3, "step.2", '{"n":2}')]
    assert await store.read(journal.last) == 3
