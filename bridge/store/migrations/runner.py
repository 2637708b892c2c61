"""Which steps a store needs, and doing them: a backup first, then one transaction a step.

Alembic reads the steps and gives them their operations; the version is kept in ``meta`` and not in a table of its
own, so that a store made by ``schema.py`` and one made by all steps are the same.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from alembic.migration import MigrationContext
from alembic.operations import Operations
from alembic.script import Script, ScriptDirectory
from sqlalchemy import Connection, NullPool, create_engine, event
from sqlalchemy.exc import OperationalError

from bridge.errors import StoreUnavailable, StoreVersion
from bridge.store import schema

VERSIONS = Path(__file__).parent / "versions"
_BUSY_MS = 5000


@dataclass(frozen=True, slots=True)
class Step:
    """One step: from a version to the next, and what it does."""

    before: str  # "" is an empty file
    after: str
    meaning: str
    script: Script


def version_of(path: Path) -> str:
    """The version of the store at *path*, "" for a file without tables. Raises StoreVersion, StoreUnavailable."""
    try:
        with closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=rw", uri=True)) as connection:
            tables = connection.execute("SELECT count(*) FROM sqlite_master WHERE type = 'table'").fetchone()[0]
            if not tables:
                return ""
            row = connection.execute("SELECT value FROM meta WHERE name = 'schema'").fetchone()
    except sqlite3.DatabaseError as error:
        if isinstance(error, sqlite3.OperationalError) and "no such table" not in str(error):
            raise StoreUnavailable(f"{path}: {error}") from error
        raise StoreVersion(f"{path} is no store of smsbridge") from error
    if row is None:
        raise StoreVersion(f"{path} is no store of smsbridge")
    return str(row[0])


def steps(path: Path, *, target: str = schema.VERSION, folder: Path = VERSIONS) -> list[Step]:
    """What lies between the store at *path* and *target*; nothing where it is there or a minor ahead.

    Raises StoreVersion for a store that no step leads from, and for one of a newer major (F20).
    """
    found = version_of(path)
    if found and _numbers(found, path) >= _numbers(target, path):
        if _numbers(found, path)[0] > _numbers(target, path)[0]:
            raise StoreVersion(_too_new(path, found, target))
        return []
    return _between(path, found, target, folder)


def back_up(path: Path, version: str, now: datetime) -> Path:
    """A copy beside the store, whole whether or not a bridge writes to it: ``bridge.db.1.0-20261121T031200Z``.

    Raises StoreUnavailable when there is no room.
    """
    copy = path.with_name(f"{path.name}.{version}-{now:%Y%m%dT%H%M%SZ}")
    try:
        os.close(os.open(copy, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
        with closing(sqlite3.connect(path)) as source, closing(sqlite3.connect(copy)) as target:
            source.backup(target)
        _flush(copy)
    except (sqlite3.Error, OSError) as error:
        raise StoreUnavailable(f"no backup could be made at {copy}: {error}") from error
    return copy


def take(path: Path, step: Step) -> None:
    """Do one step in one transaction. Raises StoreUnavailable, with nothing changed, where the store is in use."""
    alone = step.before.split(".")[0] != step.after.split(".")[0]
    try:
        with _connected(path, alone=alone) as connection, connection.begin():
            with Operations.context(MigrationContext.configure(connection)):
                step.script.module.upgrade()
            connection.exec_driver_sql(
                "INSERT INTO meta (name, value) VALUES ('schema', ?)"
                " ON CONFLICT (name) DO UPDATE SET value = excluded.value",
                (step.after,),
            )
    except OperationalError as error:
        if "locked" not in str(error.orig):
            raise
        raise StoreUnavailable(f"{path} is in use; stop the bridge first") from error


def sound(path: Path) -> bool:
    """Whether SQLite finds the file whole."""
    with closing(sqlite3.connect(path)) as connection:
        return connection.execute("PRAGMA quick_check").fetchall() == [("ok",)]


def backups(path: Path) -> list[Path]:
    """The copies that :func:`back_up` made, newest first."""
    return sorted(path.parent.glob(f"{path.name}.*-*Z"), key=lambda copy: copy.stat().st_mtime, reverse=True)


@contextmanager
def _connected(path: Path, *, alone: bool) -> Iterator[Connection]:
    """A connection whose transactions hold DDL too. *alone*: nobody else may have the file open."""

    def connect() -> sqlite3.Connection:
        connection = sqlite3.connect(path, isolation_level=None)
        connection.execute(f"PRAGMA busy_timeout={_BUSY_MS if not alone else 0}")
        connection.execute("PRAGMA synchronous=FULL")
        if alone:
            connection.execute("PRAGMA locking_mode=EXCLUSIVE")
        return connection

    engine = create_engine("sqlite://", creator=connect, poolclass=NullPool)
    event.listen(engine, "begin", lambda connection: connection.exec_driver_sql("BEGIN IMMEDIATE"))
    try:
        with engine.connect() as connection:
            yield connection
    finally:
        engine.dispose()


def _between(path: Path, found: str, target: str, folder: Path) -> list[Step]:
    scripts = {script.revision: script for script in _directory(folder).walk_revisions()}
    chain: list[Step] = []
    wanted = target
    while wanted != found:
        script = scripts.get(wanted)
        if script is None:
            raise StoreVersion(f"no step leads from {path}, which is of version {found or 'nothing'}, to {target}")
        before = str(script.down_revision or "")
        chain.append(Step(before, script.revision, (script.module.__doc__ or "").strip().splitlines()[0], script))
        wanted = before
        if not wanted and found:
            raise StoreVersion(f"no step leads from {path}, which is of version {found}, to {target}")
    return chain[::-1]


def _directory(folder: Path) -> ScriptDirectory:
    return ScriptDirectory(str(folder.parent), version_locations=[str(folder)])


def _numbers(version: str, path: Path) -> tuple[int, int]:
    major, _, minor = version.partition(".")
    if not (major.isdecimal() and minor.isdecimal()):
        raise StoreVersion(f"{path} says it is of version {version!r}, which is none of ours")
    return int(major), int(minor)


def _too_new(path: Path, found: str, target: str) -> str:
    older = next(iter(backups(path)), None)
    restore = f", or restore the backup {older}" if older else ""
    return f"the store is of version {found}, this program knows {target}. Install a newer smsbridge{restore}."


def _flush(path: Path) -> None:
    """To the disk, the file and its name."""
    for one, flags in ((path, os.O_RDONLY), (path.parent, os.O_RDONLY | os.O_DIRECTORY)):
        handle = os.open(one, flags)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
