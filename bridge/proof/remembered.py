"""A running bridge's memory, looked at and never touched: the store is opened for reading only."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import TypeVar
from urllib.parse import quote

from bridge.errors import StoreUnavailable
from bridge.memory import Memory, Needs
from bridge.model import StoredMail
from bridge.store import mails, plans
from bridge.store.engine import Tx, check_version

T = TypeVar("T")


def memory_for(path: Path, needs: Needs, now: datetime) -> Memory:
    """What the store at *path* remembers of what *needs* names. Raises StoreUnavailable, StoreVersion."""
    return _read(path, lambda tx: plans.load(tx, needs, now))


def instance_of(path: Path, now: datetime) -> str:
    """The loop mark of the installation that this store belongs to."""
    return memory_for(path, Needs(), now).instance


def mail_with(path: Path, number: int) -> StoredMail | None:
    """A mail that was kept, with its bytes; None where there is none (any more)."""
    found = _read(path, lambda tx: mails.load(tx, [number]))
    return found[0] if found else None


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
