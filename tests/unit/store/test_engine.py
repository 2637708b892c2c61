"""Group commit: what was awaited is on the disk, one failure is one failure, a dead disk is everybody's."""

import asyncio
import sqlite3
import stat
import threading
import time
from contextlib import closing
from pathlib import Path

import pytest

from bridge.errors import StoreUnavailable, StoreVersion
from bridge.store import schema
from bridge.store.engine import Keys, Store, Tx
from bridge.store.statements import Statement, insert, one_of, upsert

pytestmark = pytest.mark.anyio

_ADD = insert(schema.meta)
_ALL = Statement(schema.meta.select().where(schema.meta.c.name.like("t%")).order_by(schema.meta.c.name))
_SOME = Statement(schema.meta.select().where(one_of(schema.meta.c.name, "names")).order_by(schema.meta.c.name))


def put(name: str, value: str = "x"):
    return lambda tx: tx.run(_ADD, {"name": name, "value": value})


async def test_what_was_awaited_can_be_read_by_another_connection(store: Store) -> None:
    await store.write(put("t1"))
    with sqlite3.connect(store.path) as other:
        assert other.execute("SELECT value FROM meta WHERE name = 't1'").fetchone() == ("x",)


async def test_writes_with_full_sync_and_a_write_ahead_log(store: Store) -> None:
    assert await store.write(lambda tx: tx.raw("PRAGMA synchronous")) == [(2,)]
    assert await store.write(lambda tx: tx.raw("PRAGMA journal_mode")) == [("wal",)]


async def test_operations_that_wait_are_committed_together(store: Store) -> None:
    before = store.commits
    await asyncio.gather(*(store.write(put(f"t{n}")) for n in range(100)))
    commits, operations = (now - then for now, then in zip(store.commits, before, strict=True))
    assert operations == 100
    assert commits < 50


async def test_a_failing_operation_fails_alone(store: Store) -> None:
    def fails(tx: Tx) -> None:
        tx.run(_ADD, {"name": "t-half", "value": "written before the failure"})
        raise LookupError("no")

    calls = [store.write(put("t1")), store.write(fails), store.write(put("t2")), store.write(put("t1"))]
    results = await asyncio.gather(*calls, return_exceptions=True)
    assert isinstance(results[1], LookupError)
    assert isinstance(results[3], sqlite3.IntegrityError)
    assert [row[0] for row in await store.read(lambda tx: tx.rows(_ALL))] == ["t1", "t2"]


async def test_F04_a_broken_commit_is_heard_by_everybody_and_the_next_one_works(store: Store) -> None:
    def breaks(_tx: Tx) -> None:
        raise sqlite3.OperationalError("disk I/O error")

    results = await asyncio.gather(
        store.write(put("t1")), store.write(breaks), store.write(put("t2")), return_exceptions=True
    )
    failed = [result for result in results if isinstance(result, StoreUnavailable)]
    kept = await store.read(lambda tx: tx.rows(_ALL))
    assert len(failed) + len(kept) == 3  # whoever was not told of a failure is on the disk, and nobody else
    assert isinstance(results[1], StoreUnavailable)
    await store.write(put("t3"))
    assert ("t3", "x") in await store.read(lambda tx: tx.rows(_ALL))


async def test_F12_a_locked_store_is_unavailable_not_broken(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    await store.write(lambda tx: tx.raw("SELECT 1"))
    locker = sqlite3.connect(store.path, isolation_level=None)
    locker.execute("BEGIN IMMEDIATE")
    monkeypatch.setattr("bridge.store.engine._BUSY_MS", 50)
    store._writer._reopen()  # so that the short wait is in force
    with pytest.raises(StoreUnavailable, match="locked"):
        await store.write(put("t1"))
    locker.execute("ROLLBACK")
    await store.write(put("t1"))


async def test_lists_are_bound_as_one_value(store: Store) -> None:
    for name in ("t1", "t2", "t3"):
        await store.write(put(name))
    found = await store.read(lambda tx: tx.rows(_SOME, {"names": Keys(["t3", "t1", "nobody"])}))
    assert [row[0] for row in found] == ["t1", "t3"]


async def test_every_statement_compiles_for_both_databases() -> None:
    from bridge.store import inbound, journal, mails, outbox, plans, post, timers

    seen = 0
    for room in (inbound, journal, mails, outbox, plans, post, timers):
        for value in vars(room).values():
            if isinstance(value, Statement):
                seen += 1
                assert "unnest" not in value.sql("sqlite")
                assert "json_each" not in value.sql("postgresql")
    assert seen > 40


async def test_constants_are_literals_so_that_partial_indexes_are_used(store: Store) -> None:
    from bridge.store import mails, outbox

    pairs = [(outbox._READY, "messages_ready"), (mails._CLAIM, "mails_waiting")]
    pairs += zip(outbox._EXPIRE, ("messages_ready", "messages_held"), strict=True)
    pairs += zip(outbox._DEPTH, ("messages_ready", "messages_held", "messages_watched"), strict=True)
    for statement, index in pairs:
        values = {"now": 0, "most": 1, "owner": "", "until": 0, "blocked": "[]"}
        sql = "EXPLAIN QUERY PLAN " + statement.sql("sqlite")

        def explain(tx: Tx, sql: str = sql, values: dict = values) -> str:
            return str(tx._cursor.execute(sql, values).fetchall())

        assert index in await store.write(explain)


async def test_an_upsert_replaces_all_but_what_is_kept(store: Store) -> None:
    statement = upsert(schema.accounts, ("account",), keep=("balance",))
    row = dict.fromkeys((c.name for c in schema.accounts.columns), "") | {"since": 0, "until": 0, "asked_at": 0}
    await store.write(lambda tx: tx.run(statement, row | {"account": "a", "state": "well", "balance": "5"}))
    await store.write(lambda tx: tx.run(statement, row | {"account": "a", "state": "money", "balance": "7"}))
    found = await store.read(lambda tx: tx.raw("SELECT state, balance FROM accounts"))
    assert found == [("money", "5")]


async def test_T31_the_store_file_is_for_its_owner_only(store: Store) -> None:
    await store.write(put("t1"))
    for file in store.path.parent.iterdir():
        assert stat.S_IMODE(file.stat().st_mode) == 0o600, file


async def test_F20_a_store_of_another_major_version_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "old.db"
    store = Store(path)
    await store.open()
    await store.write(lambda tx: tx.raw("UPDATE meta SET value = '99.0' WHERE name = 'schema'"))
    store.close()
    with pytest.raises(StoreVersion, match=r"99\.0"):
        await Store(path).open()


async def test_a_store_that_should_be_there_is_not_made(tmp_path: Path) -> None:
    with pytest.raises(StoreVersion, match="smsbridge run"):
        await Store(tmp_path / "none.db", create=False).open()


async def test_a_closed_store_says_so(tmp_path: Path) -> None:
    store = Store(tmp_path / "a.db")
    await store.open()
    store.close()
    store.close()
    with pytest.raises(StoreUnavailable, match="closed"):
        await store.write(put("t1"))


async def test_two_processes_worth_of_stores_can_open_one_new_file_at_once(tmp_path: Path) -> None:
    stores = [Store(tmp_path / "shared.db") for _ in range(4)]
    await asyncio.gather(*(store.open() for store in stores))
    await asyncio.gather(*(store.write(put(f"t{n}")) for n, store in enumerate(stores)))
    assert len(await stores[0].read(lambda tx: tx.rows(_ALL))) == 4
    for store in stores:
        store.close()


async def test_T29_closing_waits_for_whoever_empties_the_log_so_that_no_log_stays(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun = threading.Event()

    def slowly(path: Path) -> bool:
        with closing(sqlite3.connect(path)) as connection:
            connection.execute("SELECT count(*) FROM mails").fetchone()
            begun.set()
            time.sleep(0.2)
        return True

    monkeypatch.setattr("bridge.store.engine._emptied_log", slowly)
    store = Store(tmp_path / "bridge.db")
    await store.open()
    await store.write(put("t1"))
    emptying = asyncio.create_task(store.empty_log())
    await asyncio.to_thread(begun.wait, 5)
    store.close()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["bridge.db"]
    assert await emptying
    assert await store.empty_log() is False, "it is closed"
