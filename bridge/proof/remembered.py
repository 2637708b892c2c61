"""A running bridge's memory, looked at and never touched: the store is opened for reading only."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TypeVar
from urllib.parse import quote

from sqlalchemy import bindparam, func, select

from bridge.errors import StoreUnavailable
from bridge.memory import Known, Memory, Needs
from bridge.model import Notice, Spent, StoredMail, Tally, Timer
from bridge.store import mails, recall, schema
from bridge.store.engine import Tx, check_version
from bridge.store.statements import Statement, to_us

T = TypeVar("T")
_id, _at = schema.mails.c.id, schema.mails.c.received_at
_span = (_at >= bindparam("since"), _at <= bindparam("until"))
_COUNT_SINCE = Statement(select(func.count()).where(*_span))
_SINCE = Statement(select(_id).where(*_span, _id > bindparam("last")).order_by(_id).limit(bindparam("most")))


def memory_for(path: Path, needs: Callable[[Known], Needs], now: datetime) -> Memory:
    """What the store at *path* remembers of what *needs* names. Raises StoreUnavailable, StoreVersion.

    Who is meant depends on who took over a rota: that is looked up first and handed to *needs*.
    """

    def load(tx: Tx) -> Memory:
        known = recall.known(tx, (), now)
        return recall.load(tx, needs(known), now, known)

    memory = _read(path, load)
    memory.fetch = _Again(path, now)
    return memory


@dataclass(frozen=True, slots=True)
class _Again:
    """Reading on when the store is closed again: it is opened for each question."""

    path: Path
    now: datetime

    def timer(self, name: str) -> Timer | None:
        return _read(self.path, lambda tx: recall.reading_on(tx, self.now).timer(name))

    def tallies(self, name: str) -> Sequence[Tally]:
        return _read(self.path, lambda tx: recall.reading_on(tx, self.now).tallies(name))

    def spent(self, budget: str, since: datetime) -> Spent:
        return _read(self.path, lambda tx: recall.reading_on(tx, self.now).spent(budget, since))

    def notice(self, cause: str) -> Notice | None:
        return _read(self.path, lambda tx: recall.reading_on(tx, self.now).notice(cause))


def instance_of(path: Path, now: datetime) -> str:
    """The loop mark of the installation that this store belongs to."""
    return memory_for(path, lambda _known: Needs(), now).instance


def mail_with(path: Path, number: int) -> StoredMail | None:
    """A mail that was kept, with its bytes; None where there is none (any more)."""
    found = _read(path, lambda tx: mails.load(tx, [number]))
    return found[0] if found else None


def count_since(path: Path, since: datetime, until: datetime) -> int:
    """How many mails came in since then."""
    values = {"since": to_us(since), "until": to_us(until)}
    return _read(path, lambda tx: int(tx.rows(_COUNT_SINCE, values)[0][0]))


def mails_since(path: Path, since: datetime, until: datetime, chunk: int) -> Iterator[list[StoredMail]]:
    """The mails that came in since then, in their order, *chunk* at a time; those whose bytes are gone are left out.

    Each chunk is a read of its own: a long look at a store must not keep its log from being folded in.
    """
    values = {"since": to_us(since), "until": to_us(until), "last": 0, "most": chunk}
    while ids := _read(path, lambda tx: [row[0] for row in tx.rows(_SINCE, values)]):
        yield _read(path, lambda tx, ids=ids: mails.load(tx, ids))  # type: ignore[misc]
        values["last"] = ids[-1]


def _read(path: Path, operation: Callable[[Tx], T]) -> T:
    with _opened(path) as connection:
        try:
            cursor = connection.cursor()
            cursor.execute("BEGIN")  # one snapshot for all that is read
            return operation(Tx(cursor))
        except sqlite3.OperationalError as error:
            raise StoreUnavailable(str(error)) from error


@contextmanager
def _opened(path: Path) -> Iterator[sqlite3.Connection]:
    if not path.is_file():
        raise StoreUnavailable(f"no store {path} here; smsbridge run makes one")
    try:
        connection = sqlite3.connect(f"file:{quote(str(path))}?mode=ro", uri=True, isolation_level=None)
    except sqlite3.OperationalError as error:
        raise StoreUnavailable(f"{path}: {error}") from error
    try:
        check_version(connection, path)
        yield connection
    except sqlite3.DatabaseError as error:
        raise StoreUnavailable(f"{path}: {error}") from error
    finally:
        connection.close()
