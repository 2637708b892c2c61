from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from bridge.errors import StoreUnavailable
from bridge.store import users
from bridge.store.engine import Store
from bridge.store.users import Logins, User

pytestmark = pytest.mark.anyio

NOW = datetime(2026, 11, 21, 3, 12, tzinfo=UTC)
HASH = users.make_hash("right")


def _user(login: str = "zabbix", **other: object) -> User:
    return replace(User(login, HASH, frozenset({"smtp"}), NOW, NOW), **other)  # type: ignore[arg-type]


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[Store]:
    opened = Store(tmp_path / "bridge.db")
    await opened.open()
    yield opened
    opened.close()


@pytest.fixture
def logins() -> Logins:
    known = Logins()
    known.load([_user()])
    return known


def test_T06_a_hash_says_how_it_was_made_and_is_salted() -> None:
    assert HASH.startswith("scrypt$15$8$1$")
    assert users.make_hash("right") != HASH
    assert users.fits_hash("right", HASH)
    assert not users.fits_hash("wrong", HASH)


@pytest.mark.parametrize("stored", ["", "right", "md5$x", "scrypt$15$8$1$$"])
def test_a_hash_that_cannot_be_read_fits_nothing(stored: str) -> None:
    assert not users.fits_hash("right", stored)


async def test_users_are_written_read_replaced_and_removed(store: Store) -> None:
    locked = _user("nas", roles=frozenset({"viewer", "smtp"}), locked_until=NOW + timedelta(hours=1))
    assert await store.write(lambda tx: users.add_user(tx, _user()))
    assert await store.write(lambda tx: users.add_user(tx, locked))
    assert not await store.write(lambda tx: users.add_user(tx, _user(hash="other")))
    assert await store.read(users.all_users) == [locked, _user()]
    await store.write(lambda tx: users.replace_user(tx, _user(hash="other")))
    assert [user.hash for user in await store.read(users.all_users)] == [HASH, "other"]
    later = NOW + timedelta(minutes=1)
    assert await store.write(lambda tx: users.unlock_user(tx, "nas", later))
    assert not await store.write(lambda tx: users.unlock_user(tx, "nobody", later))
    assert (await store.read(users.all_users))[0] == replace(locked, locked_until=None, updated_at=later)
    assert await store.write(lambda tx: users.remove_user(tx, "nas"))
    assert not await store.write(lambda tx: users.remove_user(tx, "nas"))


async def test_logins_follow_the_store(store: Store) -> None:
    logins = Logins()
    following = asyncio.create_task(users.follow(store, logins, every=0.02))

    async def until(login: str, present: bool) -> None:
        async with asyncio.timeout(5):
            while not logins.loaded or bool(logins.roles(login)) is not present:
                await asyncio.sleep(0.01)

    await until("zabbix", False)
    await store.write(lambda tx: users.add_user(tx, _user()))
    await until("zabbix", True)
    await store.write(lambda tx: users.remove_user(tx, "zabbix"))
    await until("zabbix", False)
    following.cancel()


async def test_verifies_password_role_and_lock(logins: Logins) -> None:
    assert await logins.verify("zabbix", "right", now=NOW)
    assert not await logins.verify("zabbix", "wrong", now=NOW)
    assert not await logins.verify("Zabbix", "right", now=NOW)
    assert not await logins.verify("zabbix", "right", now=NOW, role="admin")
    logins.load([_user(locked_until=NOW + timedelta(minutes=1))])
    assert not await logins.verify("zabbix", "right", now=NOW)
    assert await logins.verify("zabbix", "right", now=NOW + timedelta(minutes=1))


async def test_T06_scrypt_is_paid_once_for_a_password_that_fits(
    logins: Logins, monkeypatch: pytest.MonkeyPatch
) -> None:
    paid: list[str] = []
    real = users._scrypt

    def counting(password: str, *rest: object) -> bytes:
        paid.append(password)
        return real(password, *rest)  # type: ignore[arg-type]

    monkeypatch.setattr(users, "_scrypt", counting)
    assert all(await asyncio.gather(*(logins.verify("zabbix", "right", now=NOW) for _ in range(20))))
    assert await logins.verify("zabbix", "right", now=NOW)
    assert paid.count("right") == 1
    for _ in range(2):
        assert not await logins.verify("zabbix", "wrong", now=NOW)
    assert paid.count("wrong") == 2
    logins.load([_user(), _user("nas")])
    assert await logins.verify("zabbix", "right", now=NOW)
    assert paid.count("right") == 1
    logins.load([_user(updated_at=NOW + timedelta(seconds=1))])
    assert await logins.verify("zabbix", "right", now=NOW)
    assert paid.count("right") == 2


async def test_T06_the_loop_goes_on_while_passwords_are_checked(logins: Logins) -> None:
    check = asyncio.create_task(logins.verify("zabbix", "right", now=NOW))
    turns = 0
    while not check.done():
        turns += 1
        await asyncio.sleep(0.002)
    assert turns > 5


async def test_a_new_password_counts_at_once(logins: Logins) -> None:
    assert await logins.verify("zabbix", "right", now=NOW)
    logins.load([_user(hash=users.make_hash("new"))])
    assert not await logins.verify("zabbix", "right", now=NOW)
    logins.load([])
    assert not await logins.verify("zabbix", "new", now=NOW)


async def test_unread_users_are_not_no_users() -> None:
    with pytest.raises(StoreUnavailable):
        await Logins().verify("zabbix", "right", now=NOW)


async def test_T06_passwords_that_wait_are_bounded(logins: Logins) -> None:
    asked = [logins.verify("zabbix", f"guess {number}", now=NOW) for number in range(100)]
    tasks = [asyncio.ensure_future(one) for one in asked]
    await asyncio.sleep(0)
    refused = [task for task in tasks if task.done() and isinstance(task.exception(), StoreUnavailable)]
    assert len(refused) == 36
    logins.close()
    await asyncio.wait(tasks)
