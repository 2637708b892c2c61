"""Mails at the door: kept whole, held by lease, taken up by whoever comes next."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from bridge.model import Envelope, Recipient
from bridge.store import mails
from bridge.store.engine import Store

pytestmark = pytest.mark.anyio

NOW = datetime(2026, 11, 21, 3, 12, 0, 123456, tzinfo=UTC)
LATER = NOW + mails.LEASE
RAW = b"Subject: x\r\n\r\n\x00\xff bytes as they came\r\n"


def envelope(number: int = 0, at: datetime = NOW) -> Envelope:
    recipients = (
        Recipient("OnCall@bridge.test", "SUCCESS,FAILURE", "rfc822;OnCall@bridge.test"),
        Recipient("b@bridge.test"),
    )
    return Envelope(
        RAW, at, f"m{number}@host.test", recipients, peer="10.0.0.1", login="mon", tls=True, ret="HDRS", envid="q"
    )


async def keep(store: Store, count: int = 1, owner: str = "n1/a") -> list[int]:
    return [await store.write(lambda tx, n=n: mails.keep(tx, envelope(n), owner)) for n in range(count)]


async def claim(store: Store, owner: str = "n1/a", now: datetime = LATER, most: int = 64) -> list[tuple[int, int]]:
    found = await store.write(lambda tx: mails.claim(tx, owner, now, most))
    return [(mail.id, mail.attempts) for mail in found]


async def test_every_byte_and_every_wish_of_the_envelope_comes_back(store: Store) -> None:
    (number,) = await keep(store)
    (found,) = await store.read(lambda tx: mails.load(tx, [number]))
    assert found.envelope == envelope()
    assert (found.id, found.attempts) == (number, 0)


async def test_whoever_took_a_mail_holds_it_until_the_lease_runs_out(store: Store) -> None:
    (number,) = await keep(store)
    assert await claim(store, "n2/x", LATER - timedelta(microseconds=1)) == []
    assert await claim(store, "n2/x") == [(number, 1)]
    assert await claim(store, "n1/a") == []


async def test_oldest_first_and_no_more_than_asked_for(store: Store) -> None:
    numbers = await keep(store, 5)
    assert [number for number, _ in await claim(store, most=3)] == numbers[:3]
    assert [number for number, _ in await claim(store, most=3)] == numbers[3:]


async def test_F26_a_mail_that_was_begun_before_comes_alone_and_the_least_suspect_first(store: Store) -> None:
    numbers = await keep(store, 4)
    await claim(store, most=2)
    at = LATER + mails.LEASE
    taken = [await claim(store, "n1/b", at) for _ in range(3)]
    assert taken == [[(numbers[0], 2)], [(numbers[1], 2)], [(numbers[2], 1), (numbers[3], 1)]]


async def test_what_an_earlier_boot_held_is_free_at_once_and_other_nodes_keep_theirs(store: Store) -> None:
    await keep(store, 2, "n1/old")
    await keep(store, 1, "n2/alive")
    await keep(store, 1, "n1/new")
    assert await store.write(lambda tx: mails.release_old_boots(tx, "n1", "n1/new")) == 2
    assert [number for number, _ in await claim(store, "n1/new", NOW)] == [1, 2]


async def test_a_mail_that_was_set_aside_is_read_again_only_when_asked(store: Store) -> None:
    (number,) = await keep(store)
    await store.write(lambda tx: mails.quarantine(tx, number))
    assert await claim(store) == []
    assert await store.write(lambda tx: mails.retry(tx, number, NOW))
    assert await claim(store, now=NOW) == [(number, 1)]
    assert not await store.write(lambda tx: mails.retry(tx, 99, NOW))


async def test_how_many_wait_and_since_when(store: Store) -> None:
    assert await store.read(mails.waiting) == (0, None)
    await keep(store, 2)
    await store.write(lambda tx: mails.keep(tx, envelope(at=NOW - timedelta(hours=1)), "n1/a"))
    assert await store.read(mails.waiting) == (3, NOW - timedelta(hours=1))


async def test_numbers_are_never_used_again(store: Store) -> None:
    (first,) = await keep(store)
    await store.write(lambda tx: tx.raw("DELETE FROM mails"))
    (second,) = await keep(store)
    assert second > first
