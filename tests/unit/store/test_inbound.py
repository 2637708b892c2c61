"""What came in by SMS or call is kept once and waits until it is answered."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from bridge.model import Call, Reply
from bridge.store import inbound
from bridge.store.engine import Store

pytestmark = pytest.mark.anyio

NOW = datetime(2026, 11, 21, 3, 12, tzinfo=UTC)


async def keep(store: Store, key: str, kind: str = "sms", text: str = "ok") -> bool:
    return await store.write(lambda tx: inbound.keep(tx, key, kind, "smsc", "+77010000001", "+77770000000", text, NOW))


async def test_T25_one_key_is_one_sms_however_often_it_comes(store: Store) -> None:
    assert [await keep(store, "in:1"), await keep(store, "in:1", text="other"), await keep(store, "in:2")] == [
        True, False, True,
    ]  # fmt: skip
    assert [getattr(one, "text", "") for one in await store.read(lambda tx: inbound.waiting(tx, 9))] == ["ok", "ok"]


async def test_calls_and_sms_come_in_their_order_and_no_more_than_asked_for(store: Store) -> None:
    await keep(store, "a", text="бірінші")
    await keep(store, "b", "call")
    await keep(store, "c")
    assert await store.read(lambda tx: inbound.waiting(tx, 2)) == [
        Reply(1, "+77010000001", "+77770000000", "бірінші", "smsc"),
        Call(2, "+77010000001", "+77770000000", "smsc", NOW),
    ]


async def test_T18_a_text_without_end_is_cut(store: Store) -> None:
    await keep(store, "a", text="x" * 100_000)
    (found,) = await store.read(lambda tx: inbound.waiting(tx, 1))
    assert isinstance(found, Reply)
    assert len(found.text) == 2000


async def ring(store: Store, key: str, seconds: float = 0, phone: str = "+77010000001") -> bool:
    at = NOW + timedelta(seconds=seconds)
    return await store.write(lambda tx: inbound.ring(tx, key, "smsc", phone, "+77770000000", at))


async def test_T25_a_call_that_is_posted_and_polled_is_one_call(store: Store) -> None:
    assert await ring(store, "wc:1")
    assert not await ring(store, "in:7", 1)
    assert not await ring(store, "in:8", -90)
    assert await ring(store, "in:9", 91)


async def test_calls_of_two_phones_are_two_and_an_sms_is_no_call(store: Store) -> None:
    await keep(store, "in:1")
    assert await ring(store, "wc:1")
    assert await ring(store, "wc:2", phone="+77010000002")


async def test_a_call_is_known_with_the_moment_it_rang(store: Store) -> None:
    await ring(store, "wc:1", -300)
    (found,) = await store.read(lambda tx: inbound.waiting(tx, 9))
    assert isinstance(found, Call)
    assert found.at == NOW - timedelta(seconds=300)
