"""Configuration, permissions, secrets, disk and store: what can be known without the network."""

from __future__ import annotations

import os
import shutil
import sqlite3
import stat
from contextlib import closing
from datetime import timedelta
from pathlib import Path

from bridge.cli.checkup.finding import Finding, Findings, Patient
from bridge.cli.secrets import secrets_of
from bridge.cli.tables import span
from bridge.errors import ConfigError, StoreError

_LITTLE, _LEAST = 1_000_000_000, 100_000_000  # bytes; below the least the doors answer 452 soon
_OLDEST_SQLITE = (3, 35, 0)  # RETURNING
_LATE = timedelta(minutes=5)


async def configuration(patient: Patient) -> Findings:
    """What ``check`` says, counted."""
    loaded = patient.loaded
    if loaded.book is None:
        what = f"{_several(len(loaded.errors), 'error')}, the first: {loaded.errors[0]}"
        return (Finding("bad", "configuration", what, f"smsbridge check -c {patient.path}"),)
    warnings = len(loaded.warnings)
    rules = _several(len(loaded.book.rules.by_name), "rule")
    if warnings:
        what = f"{rules}, {_several(warnings, 'warning')}"
        return (Finding("warn", "configuration", what, f"smsbridge check -c {patient.path}"),)
    return (Finding("ok", "configuration", f"{rules}, nothing wrong"),)


def _several(count: int, what: str) -> str:
    return f"{count} {what}" if count == 1 else f"{count} {what}s"


async def permissions(patient: Patient) -> Findings:
    """Who else may change the configuration, or read the store (threats T30)."""
    found: list[Finding] = []
    for path in _configuration_files(patient):
        mode = _mode(path)
        if mode is not None and mode & (stat.S_IWOTH | stat.S_IWGRP):
            who = "everybody" if mode & stat.S_IWOTH else "its group"
            found.append(_open_to(path, mode, f"may be changed by {who}", "chmod 644"))
    store = patient.store_path
    for path in _store_files(store) if store else ():
        mode = _mode(path)
        if mode is not None and mode & 0o077:
            found.append(_open_to(path, mode, "holds messages and may be opened by others", "chmod 600"))
    return tuple(found) or (Finding("ok", "permissions", "configuration and store are closed to others"),)


async def secrets(patient: Patient) -> Findings:
    """Whether every secret can be had from here; none is ever printed."""
    named = secrets_of(patient.config)
    found: list[Finding] = []
    for where, secret in named:
        try:
            secret.resolve()
        except ConfigError as error:
            if secret.kind == "credential" and not os.environ.get("CREDENTIALS_DIRECTORY"):
                mend = (
                    f"systemd-run -P -p User=smsbridge -p LoadCredential={secret.name}:/etc/smsbridge/credentials/"
                    f"{secret.name} smsbridge doctor -c {patient.path.absolute()}"
                )
                found.append(Finding("warn", where, f"credential {secret.name} is given to the unit only", mend))
            else:
                found.append(Finding("bad", where, str(error), _put_secret_there(secret.kind, secret.name)))
    return tuple(found) or (Finding("ok", "secrets", f"all {len(named)} can be read"),)


async def disk(patient: Patient) -> Findings:
    """Room where the store lies."""
    store = patient.store_path
    folder = next((parent for parent in store.parents if parent.is_dir()), None) if store else None
    if folder is None:
        return ()
    usage = shutil.disk_usage(folder)
    what = f"{_size(usage.free)} of {_size(usage.total)} are free at {folder}"
    mend = "make room, or shorten keep: in the configuration"
    if usage.free < _LEAST:
        return (Finding("bad", "disk", what, mend),)
    if usage.free < max(_LITTLE, usage.total // 50):
        return (Finding("warn", "disk", what, mend),)
    return (Finding("ok", "disk", what),)


async def store(patient: Patient) -> Findings:
    """SQLite itself, the store's version and health, and what lies in it that nobody takes up."""
    path = patient.store_path
    if path is None:
        return (Finding("bad", "store", f"{patient.config.store.url} is not built yet", "use sqlite:///PATH"),)
    if sqlite3.sqlite_version_info < _OLDEST_SQLITE:
        mend = "use a Python with SQLite 3.35 or newer"
        return (Finding("bad", "store", f"SQLite {sqlite3.sqlite_version} is too old", mend),)
    if not path.is_file():
        return (Finding("warn", "store", f"no {path} yet", "smsbridge run makes it"),)
    from bridge.store.migrations import runner

    try:
        version, todo = runner.version_of(path), runner.steps(path)
        if not runner.sound(path):
            return (Finding("bad", "store", f"{path} is damaged", _restore(path)),)
    except (StoreError, sqlite3.DatabaseError) as error:
        return (Finding("bad", "store", str(error), _restore(path)),)
    if todo:
        return (Finding("bad", "store", f"{path} is of version {version}", f"smsbridge migrate -c {patient.path}"),)
    size = sum(one.stat().st_size for one in _store_files(path) if one.is_file())
    what = f"version {version}, {_size(size)}, whole (SQLite {sqlite3.sqlite_version})"
    return (Finding("ok", "store", what), *_left_lying(patient, path))


def _left_lying(patient: Patient, path: Path) -> Findings:
    """Mails that were set aside, and a queue that nobody works on."""
    now = int(patient.now.timestamp() * 1_000_000)
    with closing(sqlite3.connect(path)) as connection:
        aside = connection.execute("SELECT count(*) FROM mails WHERE state = 'QUARANTINED'").fetchone()[0]
        oldest = connection.execute("SELECT min(received_at) FROM mails WHERE state = 'RECEIVED'").fetchone()[0]
        held = connection.execute("SELECT count(*) FROM messages WHERE state = 'HELD'").fetchone()[0]
    found: list[Finding] = []
    if aside:
        found.append(Finding("warn", "mails", f"{aside} could not be read", "smsbridge queue list --mails"))
    if oldest is not None and timedelta(microseconds=now - oldest) > _LATE:
        waited = span(timedelta(microseconds=now - oldest))
        found.append(Finding("bad", "mails", f"the oldest unread one waits for {waited}", "is the bridge running?"))
    if held:
        found.append(Finding("warn", "messages", f"{held} are held", "smsbridge queue list"))
    return tuple(found)


def _configuration_files(patient: Patient) -> list[Path]:
    return [Path(name) for name in patient.loaded.loaded.places.documents]


def _store_files(path: Path) -> list[Path]:
    return [path, *(path.with_name(path.name + end) for end in ("-wal", "-shm"))]


def _mode(path: Path) -> int | None:
    try:
        return stat.S_IMODE(path.stat().st_mode)
    except OSError:
        return None


def _open_to(path: Path, mode: int, what: str, mend: str) -> Finding:
    return Finding("bad", "permissions", f"{path} {what} (mode {mode:04o})", f"{mend} {path}")


def _put_secret_there(kind: str, name: str) -> str:
    return {
        "env": f"set {name} in the environment of the bridge",
        "file": f"put it into {name}, mode 600, owned by the bridge's user",
        "credential": f"LoadCredential={name}:/etc/smsbridge/credentials/{name} in the unit",
    }[kind]


def _restore(path: Path) -> str:
    from bridge.store.migrations.runner import backups

    newest = next(iter(backups(path)), None)
    return f"stop the bridge and restore the backup {newest}" if newest else "stop the bridge and restore a backup"


def _size(count: int) -> str:
    for unit in ("B", "kB", "MB"):
        if count < 1000:
            return f"{count} {unit}"
        count //= 1000
    return f"{count} GB"
