"""Forgetting what is over: expenses no window reaches, counts, silences, turns, what waits for nothing.

A little at a time, because whoever waits for a 250 waits for the same writer. What a person may look up later
(messages, mails, incidents, the journal) is not touched here; the last known prices are never forgotten.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Table, bindparam, exists, select, tuple_

from bridge.store import schema
from bridge.store.engine import Tx
from bridge.store.statements import Statement, to_us

MOST = 2_000  # rows of a table that go in one transaction
KEPT = timedelta(days=32)  # what is over stays so long; no calendar period of a budget is longer
_sp, _h, _i, _t = schema.spends.c, schema.held.c, schema.incidents.c, schema.timers.c


def _forget(table: Table, over: ColumnElement[bool]) -> Statement:
    key = tuple(table.primary_key.columns)
    gone = select(*key).where(over).limit(bindparam("most"))
    of_key: ColumnElement[Any] = key[0] if len(key) == 1 else tuple_(*key)
    return Statement(table.delete().where(of_key.in_(gone)))


_BEFORE: ColumnElement[int] = bindparam("before", required=True)
_FORGET: Mapping[str, Statement] = {
    "spends": _forget(schema.spends, (_sp.at > 0) & (_sp.at < bindparam("unreached"))),
    "tallies": _forget(schema.tallies, schema.tallies.c.until <= bindparam("now")),
    "silences": _forget(schema.silences, schema.silences.c.end < _BEFORE),
    "overrides": _forget(schema.overrides, schema.overrides.c.end < _BEFORE),
    "notices": _forget(schema.notices, schema.notices.c.told_at < bindparam("unreached")),
    # a bundle without a timer is said by nobody; one that an open incident hides is, as soon as that is over
    "held": _forget(
        schema.held,
        (_h.since < _BEFORE)
        & ~exists().where(_t.name == _h.bundle)
        & ~exists().where(_i.id == _h.incident_id, _i.state.in_(("open", "acked"))),
    ),
}


def prune(tx: Tx, now: datetime, longest: timedelta = KEPT, most: int = MOST) -> dict[str, int]:
    """Forget up to *most* rows of each table; how many went. *longest*: how far back any budget looks."""
    values = {
        "now": to_us(now), "before": to_us(now - KEPT), "unreached": to_us(now - max(longest, KEPT)), "most": most,
    }  # fmt: skip
    return {name: tx.run(statement, values) for name, statement in _FORGET.items()}
