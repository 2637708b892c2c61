"""One writer thread with group commit, one reader thread, one SQLite file.

Everything that changes the store is an *operation*: a function that gets a :class:`Tx`. Operations that wait
while a commit runs are committed together by the next one, each inside a SAVEPOINT of its own, so one that
fails does so alone. A caller hears of its operation only after the commit (WAL, ``synchronous=FULL``), so
what was awaited is on the disk. If the commit fails, all of its callers hear of it and the connection is
opened anew: a failed ``fsync`` is never tried again and believed (threats F04).
"""

from __future__ import annotations

import asyncio
import json
import os
import queue
import secrets
import sqlite3
import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import closing, suppress
from pathlib import Path
from typing import Any, TypeVar

from bridge.errors import StoreError, StoreUnavailable, StoreVersion
from bridge.store import schema
from bridge.store.statements import Statement

T = TypeVar("T")
Row = tuple[Any, ...]
Operation = Callable[["Tx"], Any]

_BATCH = 256  # operations in one commit: more would only add latency
_BUSY_MS = 5000


class Keys(list[Any]):
    """A list bound to ``one_of``: SQLite gets it as JSON, PostgreSQL as an array."""


class Tx:
    """One transaction, as operations see it. Never kept beyond the operation."""

    __slots__ = ("_cursor", "dialect")

    def __init__(self, cursor: sqlite3.Cursor) -> None:
        self._cursor = cursor
        self.dialect = "sqlite"

    def run(self, statement: Statement, values: Mapping[str, Any] | None = None) -> int:
        """Execute once; how many rows it changed."""
        self._cursor.execute(statement.sql(self.dialect), _bound(values))
        return self._cursor.rowcount

    def add(self, statement: Statement, values: Mapping[str, Any]) -> int:
        """Execute an INSERT; the id that the database chose."""
        self._cursor.execute(statement.sql(self.dialect), values)
        return self._cursor.lastrowid or 0

    def many(self, statement: Statement, rows: Sequence[Mapping[str, Any]]) -> None:
        """Execute once for each row, as one call to the driver."""
        if rows:
            self._cursor.executemany(statement.sql(self.dialect), rows)

    def rows(self, statement: Statement, values: Mapping[str, Any] | None = None) -> list[Row]:
        """All rows of a query (or of a change with RETURNING)."""
        return self._cursor.execute(statement.sql(self.dialect), _bound(values)).fetchall()

    def one(self, statement: Statement, values: Mapping[str, Any] | None = None) -> Row | None:
        """The first row, or None."""
        rows = self.rows(statement, values)
        return rows[0] if rows else None

    def raw(self, sql: str) -> list[Row]:
        """Housekeeping that Core has no words for (PRAGMA, VACUUM INTO)."""
        return self._cursor.execute(sql).fetchall()


def _bound(values: Mapping[str, Any] | None) -> Mapping[str, Any]:
    if not values:
        return {}
    if any(type(value) is Keys for value in values.values()):
        return {name: json.dumps(value) if type(value) is Keys else value for name, value in values.items()}
    return values


class _Thread:
    """A thread that runs operations from a queue, many in one transaction."""

    def __init__(self, name: str, path: Path, *, writes: bool, setup: Callable[[sqlite3.Connection], None]) -> None:
        self._path = path
        self._writes = writes
        self._setup = setup
        self._queue: queue.SimpleQueue[_Call | None] = queue.SimpleQueue()
        self._connection: sqlite3.Connection | None = None
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)
        self._closing = False
        self.commits = 0
        self.operations = 0

    def start(self) -> None:
        self._thread.start()

    def put(self, call: _Call) -> None:
        if self._closing:
            raise StoreUnavailable("the store is closed")
        self._queue.put(call)

    def stop(self) -> None:
        if not self._closing:
            self._closing = True
            self._queue.put(None)
            self._thread.join()

    @property
    def waiting(self) -> int:
        return self._queue.qsize()

    def _run(self) -> None:
        going = True
        while going:
            batch, going = self._next_batch()
            if batch:
                self._commit(batch)
                _answer(batch)
        if self._connection is not None:
            self._connection.close()

    def _next_batch(self) -> tuple[list[_Call], bool]:
        first = self._queue.get()
        if first is None:
            return [], False
        batch = [first]
        while len(batch) < _BATCH:
            try:
                call = self._queue.get_nowait()
            except queue.Empty:
                break
            if call is None:
                return batch, False
            batch.append(call)
        return batch, True

    def _commit(self, batch: list[_Call]) -> None:
        try:
            connection = self._connection or self._open()
            cursor = connection.cursor()
            cursor.execute("BEGIN IMMEDIATE" if self._writes else "BEGIN")
            tx = Tx(cursor)
            for call in batch:
                _perform(cursor, tx, call, alone=len(batch) == 1)
            cursor.execute("COMMIT")
            self.commits += 1
            self.operations += len(batch)
        except (sqlite3.Error, StoreError) as error:
            self._reopen()
            for call in batch:
                call.fail(error if isinstance(error, StoreError) else StoreUnavailable(str(error)))

    def _open(self) -> sqlite3.Connection:
        _made_private(self._path)
        connection = sqlite3.connect(self._path, isolation_level=None, check_same_thread=False, cached_statements=512)
        try:
            self._setup(connection)
        except BaseException:
            connection.close()
            raise
        self._connection = connection
        return connection

    def _reopen(self) -> None:
        if self._connection is not None:
            self._connection.close()  # rolls back whatever was open
            self._connection = None


class _Call:
    """One operation and the one who waits for it."""

    __slots__ = ("error", "future", "loop", "operation", "result")

    def __init__(self, operation: Operation, loop: asyncio.AbstractEventLoop, future: asyncio.Future[Any]) -> None:
        self.operation = operation
        self.loop = loop
        self.future = future
        self.result: Any = None
        self.error: BaseException | None = None

    def fail(self, error: BaseException) -> None:
        if self.error is None or isinstance(error, StoreUnavailable):
            self.error = error

    def settle(self) -> None:
        if self.future.done():  # the one who waited was cancelled
            return
        if self.error is not None:
            self.future.set_exception(self.error)
        else:
            self.future.set_result(self.result)


def _perform(cursor: sqlite3.Cursor, tx: Tx, call: _Call, *, alone: bool) -> None:
    """Run one operation; its own failure is its own, a broken transaction is everybody's."""
    if not alone:
        cursor.execute("SAVEPOINT operation")
    try:
        call.result = call.operation(tx)
    except sqlite3.OperationalError:
        raise  # disk full, I/O error, locked: nothing of this transaction can be trusted
    except Exception as error:  # noqa: BLE001 - handed to the caller, who decides
        call.error = error
        cursor.execute("ROLLBACK" if alone else "ROLLBACK TO operation")
        if alone:
            cursor.execute("BEGIN")
    if not alone:
        cursor.execute("RELEASE operation")


def _answer(batch: list[_Call]) -> None:
    """Wake the waiting tasks: one call into each event loop for the whole batch."""
    loops: dict[asyncio.AbstractEventLoop, list[_Call]] = {}
    for call in batch:
        loops.setdefault(call.loop, []).append(call)
    for loop, calls in loops.items():
        try:
            loop.call_soon_threadsafe(_settle, calls)
        except RuntimeError:  # that loop is closed: nobody waits any more
            continue


def _settle(calls: Iterable[_Call]) -> None:
    for call in calls:
        call.settle()


class Store:
    """The embedded store: ``await store.write(operation)``, ``await store.read(operation)``.

    Raises :class:`StoreUnavailable` when nothing was written and the call may be made again;
    :class:`StoreVersion` when the file belongs to another version of the program.
    """

    def __init__(self, path: Path, *, create: bool = True) -> None:
        self.path = path
        self._create = create
        self._writer = _Thread("store-writer", path, writes=True, setup=self._setup_writer)
        self._reader = _Thread("store-reader", path, writes=False, setup=_setup)
        self._emptying = threading.Lock()
        self._closed = False

    async def open(self) -> None:
        """Create an empty store if there is none, check the version, start both threads."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        self._writer.start()
        self._reader.start()
        try:
            await self.write(lambda tx: None)
            await self.read(lambda tx: None)
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """Finish what is queued, then close. May be called twice."""
        self._writer.stop()
        self._reader.stop()
        with self._emptying:  # the last one to leave the file takes its log away
            self._closed = True

    async def write(self, operation: Callable[[Tx], T]) -> T:
        """Run *operation* in the writer thread; returns after the commit."""
        return await self._call(self._writer, operation)

    async def read(self, operation: Callable[[Tx], T]) -> T:
        """Run *operation* in the reader thread, on a snapshot of what is committed."""
        return await self._call(self._reader, operation)

    async def empty_log(self) -> bool:
        """Move what the write-ahead log holds into the file and leave nothing in it, also no older version of a row
        (threats T29). False: somebody was reading or writing; ask again later."""
        return await asyncio.to_thread(self._emptied_log)

    def _emptied_log(self) -> bool:
        with self._emptying:
            return not self._closed and _emptied_log(self.path)

    @property
    def waiting(self) -> int:
        """Operations that wait for the writer."""
        return self._writer.waiting

    @property
    def commits(self) -> tuple[int, int]:
        """(commits, operations) since the start: their ratio is what group commit gains."""
        return self._writer.commits, self._writer.operations

    async def _call(self, thread: _Thread, operation: Callable[[Tx], T]) -> T:
        loop = asyncio.get_running_loop()
        future: asyncio.Future[T] = loop.create_future()
        thread.put(_Call(operation, loop, future))
        return await future

    def _setup_writer(self, connection: sqlite3.Connection) -> None:
        fresh = not _has_tables(connection)
        if fresh and not self._create:
            raise StoreVersion(f"{self.path}: no store here; smsbridge run makes one")
        connection.execute("PRAGMA journal_mode=WAL")
        _setup(connection)
        if fresh:
            create(connection)
        check_version(connection, self.path)


def _emptied_log(path: Path) -> bool:
    try:
        with closing(sqlite3.connect(path, isolation_level=None)) as connection:
            connection.execute("PRAGMA busy_timeout=50")
            busy = connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0]
    except sqlite3.OperationalError:
        return False
    return not busy


def _setup(connection: sqlite3.Connection) -> None:
    connection.execute(f"PRAGMA busy_timeout={_BUSY_MS}")
    connection.execute("PRAGMA synchronous=FULL")
    connection.execute("PRAGMA cache_size=-16384")
    connection.execute("PRAGMA secure_delete=FAST")


def _made_private(path: Path) -> None:
    """A new file is its owner's alone from its first moment; SQLite gives its companions the same mode (T31)."""
    with suppress(FileExistsError):
        os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600))


def _has_tables(connection: sqlite3.Connection) -> bool:
    return connection.execute("SELECT 1 FROM sqlite_master WHERE name = 'meta'").fetchone() is not None


def create(connection: sqlite3.Connection) -> None:
    """All tables of an empty store, in one transaction."""
    connection.execute("BEGIN IMMEDIATE")
    if not _has_tables(connection):  # another process may have been first
        for statement in ddl():
            connection.execute(statement)
        facts = [("schema", schema.VERSION), ("instance", secrets.token_hex(5))]
        connection.executemany("INSERT INTO meta (name, value) VALUES (?, ?)", facts)
    connection.execute("COMMIT")


def ddl() -> list[str]:
    """CREATE statements of the whole schema, for SQLite."""
    from sqlalchemy.dialects import sqlite
    from sqlalchemy.schema import CreateIndex, CreateTable

    dialect = sqlite.dialect()
    statements: list[str] = []
    for table in schema.metadata.sorted_tables:
        statements.append(str(CreateTable(table).compile(dialect=dialect)))
        statements.extend(str(CreateIndex(index).compile(dialect=dialect)) for index in table.indexes)
    return statements


def check_version(connection: sqlite3.Connection, path: Path) -> None:
    """Refuse a store that this program does not know (threats F20)."""
    row = connection.execute("SELECT value FROM meta WHERE name = 'schema'").fetchone()
    found = str(row[0]) if row else "0.0"
    if found.split(".")[0] != schema.VERSION.split(".")[0]:
        raise StoreVersion(
            f"the store {path} is of version {found}, this program knows {schema.VERSION}."
            " Install the version that fits, or run: smsbridge migrate"
        )
