"""Outgoing mails: each taken by one, tried again when due, never after its end."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from bridge.model import OutgoingMail
from bridge.store import post, rows, schema
from bridge.store.engine import Store
from bridge.store.statements import insert

pytestmark = pytest.mark.anyio

NOW = datetime(2026, 11, 21, 3, 12, tzinfo=UTC)
_ADD = insert(schema.outgoing_mails)


def mail(number: int, due: datetime = NOW) -> OutgoingMail:
    to = ("a@b.test", "ж@b.test")
    return OutgoingMail(number, "acked", "", to, f"<{number}@b>", "Re: x", b"raw \xff", NOW, due, 1000, 5)


async def put(store: Store, *mails: OutgoingMail) -> None:
    await store.write(lambda tx: tx.many(_ADD, [rows.outgoing_row(one) for one in mails]))


async def claim(store: Store, now: datetime = NOW, owner: str = "n1/a", most: int = 9) -> list[tuple[int, int]]:
    return [(one.id, attempt) for one, attempt in await store.write(lambda tx: post.claim(tx, now, owner, most))]


async def test_a_mail_comes_back_as_it_was_written(store: Store) -> None:
    await put(store, mail(1))
    ((found, attempt),) = await store.write(lambda tx: post.claim(tx, NOW, "n1/a", 1))
    assert (found, attempt) == (mail(1), 1)


async def test_each_mail_is_taken_by_one_and_when_it_is_due(store: Store) -> None:
    await put(store, mail(1), mail(2, NOW + timedelta(seconds=10)))
    assert await claim(store) == [(1, 1)]
    assert await claim(store, owner="n2/b") == []
    assert await claim(store, NOW + timedelta(seconds=10)) == [(2, 1)]


async def test_what_is_sent_or_given_up_is_never_taken_again(store: Store) -> None:
    await put(store, mail(1), mail(2))
    await claim(store)
    await store.write(lambda tx: post.sent(tx, 1, NOW))
    await store.write(lambda tx: post.failed(tx, 2, "no such mailbox", NOW))
    assert await claim(store, NOW + timedelta(days=9)) == []
    found = await store.read(lambda tx: tx.raw("SELECT state, reason FROM outgoing_mails ORDER BY id"))
    assert found == [("SENT", ""), ("FAILED", "no such mailbox")]


async def test_a_mail_that_has_to_wait_comes_again_with_the_next_number(store: Store) -> None:
    await put(store, mail(1))
    await claim(store)
    due = NOW + timedelta(seconds=30)
    await store.write(lambda tx: post.later(tx, 1, "greylisted", due))
    assert await claim(store, due - timedelta(seconds=1)) == []
    assert await claim(store, due) == [(1, 2)]


async def test_what_a_dead_process_held_is_free_at_the_next_start_or_after_its_lease(store: Store) -> None:
    await put(store, mail(1), mail(2))
    await claim(store, owner="n1/old", most=1)
    await claim(store, owner="n2/gone", most=1)
    assert await store.write(lambda tx: post.release_old_boots(tx, "n1", "n1/new")) == 1
    assert await claim(store) == [(1, 2)]
    assert await claim(store, NOW + post.LEASE) == [(1, 3), (2, 2)]
