"""Timers: things to be decided later, as rows with a due time."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import bindparam, func, select

from bridge.model import Timer
from bridge.store import rows, schema
from bridge.store.engine import Tx
from bridge.store.statements import Statement, columns_of, from_us, to_us

_t = schema.timers.c
_COLUMNS = columns_of(schema.timers)
_DUE = Statement(
    select(schema.timers).where(_t.due_at <= bindparam("now")).order_by(_t.due_at, _t.id).limit(bindparam("most"))
)
_NEXT = Statement(select(func.min(_t.due_at)))


def due(tx: Tx, now: datetime, most: int) -> list[Timer]:
    """Timers whose time has come, oldest first. Deciding one deletes it; a second look finds nothing."""
    found = tx.rows(_DUE, {"now": to_us(now), "most": most})
    return [rows.timer(dict(zip(_COLUMNS, row, strict=True))) for row in found]


def next_due(tx: Tx) -> datetime | None:
    """When the next timer falls due."""
    row = tx.one(_NEXT)
    return None if row is None or row[0] is None else from_us(row[0])
