"""What is over is forgotten, a little at a time; what still counts, holds or waits never is."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import Table, bindparam, select

from bridge.store import pruning, schema
from bridge.store.engine import Store, Tx
from bridge.store.statements import Statement

pytestmark = pytest.mark.anyio

NOW = datetime(2026, 11, 21, 3, 12, tzinfo=UTC)


def us(days: float) -> int:
    """That many days before now, as the store keeps moments."""
    return int((NOW - timedelta(days=days)).timestamp()) * 1_000_000


async def put(store: Store, table: Table, *rows: dict[str, Any]) -> None:
    def write(tx: Tx) -> None:
        for row in rows:
            tx.run(Statement(table.insert().values({name: bindparam(name) for name in row})), row)

    await store.write(write)


def spend(days: float, message: int) -> dict[str, Any]:
    return {"budget": "total", "at": us(days), "message_id": message, "segments": 1, "money": 0, "critical": 0}


async def pruned(store: Store, **named: Any) -> dict[str, int]:
    gone = await store.write(lambda tx: pruning.prune(tx, NOW, **named))
    return {name: count for name, count in gone.items() if count}


async def test_an_expense_is_kept_as_long_as_a_budget_looks_back(store: Store) -> None:
    price = {"budget": "price/smsc/+7701", "at": 0, "message_id": 0, "segments": 1, "money": 140_000, "critical": 0}
    await put(store, schema.spends, price, *(spend(days, n) for n, days in enumerate((1, 31, 33, 61, 90), 1)))
    assert await pruned(store, longest=timedelta(days=60)) == {"spends": 2}
    assert await pruned(store) == {"spends": 1}
    left = await store.read(lambda tx: tx.raw("SELECT message_id FROM spends ORDER BY 1"))
    assert left == [(0,), (1,), (2,)], "the last known price too"


async def test_only_so_many_go_at_once(store: Store) -> None:
    await put(store, schema.spends, *(spend(40, n) for n in range(1, 26)))
    assert [await pruned(store, most=10) for _ in range(4)] == [{"spends": 10}, {"spends": 10}, {"spends": 5}, {}]


async def test_what_nobody_counts_any_more_goes_at_once(store: Store) -> None:
    await put(store, schema.tallies, {"name": "a", "at": 0, "until": us(0)}, {"name": "b", "at": 0, "until": us(-1)})
    assert await pruned(store) == {"tallies": 1}
    assert await store.read(lambda tx: tx.raw("SELECT name FROM tallies")) == [("b",)]


@pytest.mark.parametrize("table", [schema.silences, schema.overrides], ids=lambda table: table.name)
async def test_what_holds_or_ended_lately_stays(store: Store, table: Table) -> None:
    await put(store, table, *({"id": n, "end": us(days)} for n, days in enumerate((-5, 1, 31, 33), 1)))
    assert await pruned(store) == {table.name: 1}
    assert await store.read(lambda tx: tx.rows(Statement(select(table.c.id).order_by(table.c.id)))) == [
        (1,),
        (2,),
        (3,),
    ]


async def test_the_operator_is_not_told_again_within_the_longest_budget(store: Store) -> None:
    await put(store, schema.notices, {"cause": "a", "told_at": us(40)}, {"cause": "b", "told_at": us(20)})
    assert await pruned(store, longest=timedelta(days=60)) == {}
    assert await pruned(store) == {"notices": 1}


async def test_F01_what_waits_is_never_forgotten(store: Store) -> None:
    """Only what waits for nothing goes: no timer, and no trouble that goes on."""
    await put(
        store,
        schema.held,
        {"bundle": "quiet/a", "member": "m/1/0", "since": us(400)},
        {"bundle": "gone", "member": "m/1/0", "since": us(400)},
        {"bundle": "gone", "member": "i/1", "incident_id": 1, "since": us(400)},
        {"bundle": "hidden/7", "member": "i/2", "incident_id": 2, "since": us(400)},
        {"bundle": "gone", "member": "m/2/0", "since": us(1)},
    )
    await put(store, schema.timers, {"name": "quiet/a", "due_at": 0, "kind": "quiet"})
    await put(
        store,
        schema.incidents,
        {"id": 1, "state": "resolved", "source": "s", "key": "a"},
        {"id": 2, "state": "acked", "source": "s", "key": "b"},
    )
    assert await pruned(store) == {"held": 2}
    left = await store.read(lambda tx: tx.raw("SELECT bundle, member FROM held ORDER BY 1, 2"))
    assert left == [("gone", "m/2/0"), ("hidden/7", "i/2"), ("quiet/a", "m/1/0")]


async def test_pieces_and_receipts_that_wait_for_the_rest_are_not_forgotten(store: Store) -> None:
    """A piece of an inbound SMS waits ten minutes for the others, a receipt an hour for its message."""
    parked = {"message_id": 0, "account": "smsc:one", "phone": "+77010000001", "received_at": us(1)}
    piece = {"event_key": "smsc:one/piece/1", "client_id": "piece/+77010000001/77770000000/7/2", **parked}
    await put(store, schema.receipts, piece, {"event_key": "smsc:one/dlr:5:1", "client_id": "5", **parked})
    assert await pruned(store) == {}
    assert await store.read(lambda tx: tx.raw("SELECT count(*) FROM receipts")) == [(2,)]
