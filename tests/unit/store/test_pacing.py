"""Who was given the same text for the same phone a moment ago: the accounts that would refuse a double."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from bridge.model import Message
from bridge.store import outbox, pacing, rows, schema
from bridge.store.attempts import Outcome, Prepared, Wait
from bridge.store.engine import Store
from bridge.store.statements import insert

pytestmark = pytest.mark.anyio

NOW = datetime(2026, 11, 21, 3, 12, tzinfo=UTC)
_ADD = insert(schema.messages)


def message(number: int, **changes: Any) -> Message:
    made = Message(
        id=number, phone="+77010000001", person="", text="UPS on battery", encoding="GSM-7", segments=1,
        price=None, currency="KZT", rule="night", message_class="normal", channel="sms", providers=("smsc",),
        originator="", answerable=False, created_at=NOW, due_at=NOW, valid_until=NOW + timedelta(hours=9),
        language="en",
    )  # fmt: skip
    return replace(made, **changes)


async def put(store: Store, *messages: Message) -> None:
    await store.write(lambda tx: tx.many(_ADD, [rows.message_row(one) for one in messages]))


async def begin(store: Store, seconds: float = 0, account: str = "smsc:acme", most: int = 64) -> list[int]:
    """Claim what is ready, that long after NOW."""
    prepared = Prepared("smsc", account, {"mes": "x"}, "r1")
    now = NOW + timedelta(seconds=seconds)
    claimed = await store.write(lambda tx: outbox.claim(tx, now, "n1/a", most, lambda _m, _a, _t: prepared))
    return [one.message.id for one in claimed]


async def twins(store: Store, *messages: Message, seconds: float = 1) -> list[dict[str, datetime]]:
    return await store.read(lambda tx: pacing.twins(tx, messages, NOW + timedelta(seconds=seconds)))


async def test_the_same_text_for_the_same_phone_is_found_within_the_minute_and_no_longer(store: Store) -> None:
    await put(store, message(1))
    await begin(store)
    assert await twins(store, message(2)) == [{"smsc:acme": NOW}]
    assert await twins(store, message(2), seconds=60.9) == [{"smsc:acme": NOW}]
    assert await twins(store, message(2), seconds=61.1) == [{}]


@pytest.mark.parametrize(
    "other",
    [
        {"phone": "+77010000002"},
        {"text": "UPS on battery."},
        {"originator": "ALERT"},
        {"way": 1},
        {"id": 1},
    ],
    ids=lambda changes: next(iter(changes)),
)
async def test_whatever_an_account_tells_apart_is_no_twin_nor_is_a_message_its_own(
    store: Store, other: dict[str, Any]
) -> None:
    await put(store, message(1))
    await begin(store)
    assert await twins(store, replace(message(2), **other)) == [{}]


async def test_each_message_gets_its_own_twins_and_of_each_account_the_last(store: Store) -> None:
    await put(store, message(1), message(2), message(3, text="load high"))
    await begin(store, 0, "smsc:acme", most=2)
    await begin(store, 5, "smsc:other")
    found = await twins(store, message(7), message(8, text="load high"), message(9, text="all well"), seconds=6)
    late = NOW + timedelta(seconds=5)
    assert found == [{"smsc:acme": NOW, "smsc:other": late}, {"smsc:acme": NOW}, {}]


async def test_what_was_not_sent_is_no_twin(store: Store) -> None:
    await put(store, message(1))
    await begin(store)
    await store.write(lambda tx: outbox.settle(tx, [Outcome(1, 1, "NOT_SENT", "READY")], NOW))
    assert await twins(store, message(2)) == [{}]


async def test_a_text_that_got_its_number_later_is_found_by_what_it_says_now(store: Store) -> None:
    await put(store, message(1, text="call {{call}}"))
    now = NOW
    await store.write(lambda tx: outbox.claim(tx, now, "n1/a", 1, lambda _m, _a, _t: Wait(now)))
    await store.write(lambda tx: tx.raw("UPDATE messages SET lease_owner = 'n1/a'"))
    assert await store.write(lambda tx: outbox.number(tx, message(1, text="call +7 701"), "n1/a"))
    await begin(store)
    assert await twins(store, message(2, text="call +7 701")) == [{"smsc:acme": NOW}]
    assert await twins(store, message(2, text="call {{call}}")) == [{}]


async def test_a_claim_is_told_of_the_twins_of_each_message(store: Store) -> None:
    await put(store, message(1), message(2, text="load high"))
    await begin(store)
    await put(store, message(3), message(4, text="all well"))
    heard: dict[int, set[str]] = {}

    def choose(one: Message, _attempts: object, same: Any) -> Wait:
        heard[one.id] = set(same)
        return Wait(NOW + timedelta(seconds=1))

    await store.write(lambda tx: outbox.claim(tx, NOW, "n1/a", 9, choose))
    assert heard == {3: {"smsc:acme"}, 4: set()}


async def test_looking_for_twins_reads_no_row_but_theirs(store: Store) -> None:
    """However many messages a phone has had: the index says which of them are meant."""
    sql, values = pacing._TWINS.sql("sqlite"), {"wanted": "[]", "since": 0, "most": 1}
    plan = await store.read(lambda tx: tx._cursor.execute(f"EXPLAIN QUERY PLAN {sql}", values).fetchall())
    steps = [row[3] for row in plan]
    assert any("COVERING INDEX messages_phone (phone=? AND text_hash=?)" in step for step in steps), steps
    assert not any(step.startswith(("SCAN messages", "SCAN submissions", "SCAN other")) for step in steps), steps
