"""The journal: one row for every step of a life, in the order of the store (not of the clocks)."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import func, select

from bridge.model import JournalEntry
from bridge.store import rows, schema
from bridge.store.engine import Tx
from bridge.store.statements import Statement, insert

_ADD = insert(schema.journal, without=("seq",))
_LAST = Statement(select(func.max(schema.journal.c.seq)))


def add(tx: Tx, entries: Sequence[JournalEntry]) -> None:
    """Append steps."""
    tx.many(_ADD, [rows.journal_row(entry) for entry in entries])


def last(tx: Tx) -> int:
    """The newest sequence number, 0 for an empty journal."""
    row = tx.one(_LAST)
    return int(row[0] or 0) if row else 0
