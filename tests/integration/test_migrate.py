"""Stores of every age on a real disk: made whole, brought up step by step, refused, killed half way."""

from __future__ import annotations

import multiprocessing
import os
import re
import signal
import sqlite3
import time
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from bridge.cli import migrate
from bridge.errors import StoreUnavailable, StoreVersion
from bridge.store import engine, schema
from bridge.store.migrations import runner

NOW = datetime(2026, 11, 21, 3, 12, tzinfo=UTC)
STEP = '''"""{meaning}"""

from alembic import op
from sqlalchemy import Column, Text

revision = "{after}"
down_revision = {before!r}
branch_labels = None
depends_on = None


def upgrade() -> None:
    {body}
'''
ADD = 'op.add_column("people", Column("{name}", Text, nullable=False, server_default=""))'


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Steps of a pretend product: 1.0 makes a table, 1.1 and 2.0 add to it."""
    made = tmp_path / "steps" / "versions"
    made.mkdir(parents=True)
    table = (
        'op.create_table("meta", Column("name", Text, primary_key=True), Column("value", Text));'
        ' op.create_table("people", Column("name", Text, primary_key=True))'
    )
    _step(made, None, "1.0", "The first.", table)
    _step(made, "1.0", "1.1", "People have a phone.", ADD.format(name="phone"))
    _step(made, "1.1", "2.0", "People have a language.", ADD.format(name="language"))
    return made


def _step(folder: Path, before: str | None, after: str, meaning: str, body: str) -> None:
    text = STEP.format(before=before, after=after, meaning=meaning, body=body)
    (folder / f"v{after.replace('.', '_')}.py").write_text(text)


def _store(path: Path, folder: Path, version: str) -> Path:
    path.touch()
    for step in runner.steps(path, target=version, folder=folder):
        runner.take(path, step)
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("INSERT INTO people (name) VALUES ('aigul')")
    return path


def _columns(path: Path) -> list[str]:
    with closing(sqlite3.connect(path)) as connection:
        return [row[1] for row in connection.execute("PRAGMA table_info(people)")]


def _ddl(path: Path) -> dict[str, str]:
    with closing(sqlite3.connect(path)) as connection:
        rows = connection.execute("SELECT name, sql FROM sqlite_master WHERE sql IS NOT NULL").fetchall()
    return {name: re.sub(r"\s+", " ", sql).replace("( ", "(").replace(" )", ")") for name, sql in rows}


def test_a_store_made_by_all_steps_is_the_store_made_whole(tmp_path: Path) -> None:
    whole, stepped = tmp_path / "whole.db", tmp_path / "stepped.db"
    with closing(sqlite3.connect(whole, isolation_level=None)) as connection:
        engine.create(connection)
    stepped.touch()
    for step in runner.steps(stepped):
        runner.take(stepped, step)
    assert _ddl(stepped) == _ddl(whole)
    assert len(_ddl(whole)) > 30
    assert runner.version_of(stepped) == runner.version_of(whole) == schema.VERSION


def test_every_version_has_a_step_and_the_last_one_is_the_schema() -> None:
    files = sorted(path.stem for path in runner.VERSIONS.glob("v*.py"))
    assert f"v{schema.VERSION.replace('.', '_')}" in files


def test_steps_are_taken_in_order_and_keep_what_is_there(tmp_path: Path, folder: Path) -> None:
    path = _store(tmp_path / "bridge.db", folder, "1.0")
    todo = runner.steps(path, target="2.0", folder=folder)
    assert [(step.before, step.after, step.meaning) for step in todo] == [
        ("1.0", "1.1", "People have a phone."),
        ("1.1", "2.0", "People have a language."),
    ]
    for step in todo:
        runner.take(path, step)
    assert _columns(path) == ["name", "phone", "language"]
    assert runner.version_of(path) == "2.0"
    assert runner.steps(path, target="2.0", folder=folder) == []
    assert runner.sound(path)


def test_F20_a_minor_ahead_is_left_and_a_newer_major_is_refused(tmp_path: Path, folder: Path) -> None:
    path = _store(tmp_path / "bridge.db", folder, "1.1")
    assert runner.steps(path, target="1.0", folder=folder) == []
    backup = runner.back_up(path, "1.1", NOW)
    runner.take(path, runner.steps(path, target="2.0", folder=folder)[0])
    with pytest.raises(StoreVersion) as refused:
        runner.steps(path, target="1.1", folder=folder)
    assert str(refused.value) == (
        "the store is of version 2.0, this program knows 1.1."
        f" Install a newer smsbridge, or restore the backup {backup}."
    )


def test_F20_a_step_that_fails_leaves_the_store_as_it_was(tmp_path: Path, folder: Path) -> None:
    path = _store(tmp_path / "bridge.db", folder, "1.1")
    _step(folder, "1.1", "2.0", "Breaks.", f'{ADD.format(name="half")}; op.drop_table("absent")')
    with pytest.raises(Exception, match="no such table"):
        runner.take(path, runner.steps(path, target="2.0", folder=folder)[0])
    assert (_columns(path), runner.version_of(path)) == (["name", "phone"], "1.1")


def _take_slowly(path: Path, folder: Path) -> None:
    for step in runner.steps(path, target="2.0", folder=folder):
        runner.take(path, step)


def test_F20_killed_anywhere_the_store_is_of_one_version_or_the_next(tmp_path: Path, folder: Path) -> None:
    slow = "import time; time.sleep(0.02); " + ADD.format(name="language") + "; time.sleep(0.02)"
    _step(folder, "1.1", "2.0", "Slow.", slow)
    seen = set()
    for number in range(12):
        path = _store(tmp_path / f"{number}.db", folder, "1.0")
        process = multiprocessing.get_context("fork").Process(target=_take_slowly, args=(path, folder))
        process.start()
        time.sleep(0.012 * number)
        os.kill(process.pid or 0, signal.SIGKILL)
        process.join()
        version = runner.version_of(path)
        seen.add(version)
        assert _columns(path) == {
            "1.0": ["name"], "1.1": ["name", "phone"], "2.0": ["name", "phone", "language"],
        }[version]  # fmt: skip
        assert runner.sound(path)
    assert len(seen) > 1, "every kill came at the same moment: the test proves nothing"


def test_another_major_needs_the_store_alone_and_a_minor_does_not(tmp_path: Path, folder: Path) -> None:
    path = _store(tmp_path / "bridge.db", folder, "1.0")
    with closing(sqlite3.connect(path, isolation_level=None)) as bridge:
        bridge.execute("SELECT * FROM people").fetchall()
        minor, major = runner.steps(path, target="2.0", folder=folder)
        runner.take(path, minor)
        with pytest.raises(StoreUnavailable, match="is in use; stop the bridge first"):
            runner.take(path, major)
        assert runner.version_of(path) == "1.1"
    runner.take(path, major)
    assert runner.version_of(path) == "2.0"


def test_the_backup_is_whole_while_somebody_writes_and_only_its_owner_reads_it(tmp_path: Path, folder: Path) -> None:
    path = _store(tmp_path / "bridge.db", folder, "1.0")
    with closing(sqlite3.connect(path, isolation_level=None)) as bridge:
        bridge.execute("INSERT INTO people (name) VALUES ('ivan')")  # is in the WAL, not yet in the file
        copy = runner.back_up(path, "1.0", NOW)
    assert copy.name == "bridge.db.1.0-20261121T031200Z"
    assert copy.stat().st_mode & 0o777 == 0o600
    with closing(sqlite3.connect(copy)) as connection:
        assert connection.execute("SELECT name FROM people").fetchall() == [("aigul",), ("ivan",)]
    with pytest.raises(StoreUnavailable, match="no backup could be made"):
        runner.back_up(path, "1.0", NOW)


@pytest.mark.parametrize("content", [b"hello, this is no database at all" * 40, None])
def test_a_file_that_is_no_store_is_said(tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "bridge.db"
    if content is None:
        with closing(sqlite3.connect(path)) as connection:
            connection.execute("CREATE TABLE other (x)")
    else:
        path.write_bytes(content)
    with pytest.raises(StoreVersion, match="is no store of smsbridge"):
        runner.version_of(path)


@pytest.fixture
def called(tmp_path: Path, folder: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Result]:
    """``smsbridge migrate`` of the pretend product, at version 2.0."""
    config = tmp_path / "config.yaml"
    config.write_text(
        "listen: [{door: http, address: '127.0.0.1:1'}]\n"
        f"store: sqlite://{tmp_path}/bridge.db\n"
        "operator: {mail: it@example.kz}\n"
        "providers: {smsc: {type: smsc-http, base_url: 'https://smsc.kz', login: a, password: {env: P}}}\n"
    )
    (tmp_path / "rules").mkdir()
    (tmp_path / "rules" / "10.yaml").write_text("rules: [{rule: all, drop: not now}]\n")
    real = runner.steps
    monkeypatch.setattr(
        runner, "steps", lambda path, target="2.0", folder=folder: real(path, target=target, folder=folder)
    )
    return lambda *words: CliRunner().invoke(migrate.command, ["-c", str(config), *words])


def test_migrate_makes_a_backup_and_says_every_step(
    tmp_path: Path, folder: Path, called: Callable[..., Result]
) -> None:
    path = _store(tmp_path / "bridge.db", folder, "1.0")
    planned = called("--dry-run")
    assert planned.exit_code == 0, planned.exception
    assert planned.output == "1.0 → 1.1: People have a phone.\n1.1 → 2.0: People have a language.\n"
    assert runner.version_of(path) == "1.0"
    done = called()
    assert done.exit_code == 0, done.output
    assert re.fullmatch(
        rf"Backup: {re.escape(str(path))}\.1\.0-\d{{8}}T\d{{6}}Z\n1\.0 → 1\.1: done\n1\.1 → 2\.0: done\n", done.output
    )
    assert runner.version_of(runner.backups(path)[0]) == "1.0"
    assert called().output.endswith("Nothing to do.\n")
    assert len(runner.backups(path)) == 1
