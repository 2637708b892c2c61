"""A message on its way: INFLIGHT before the first byte, forward only, one id for all attempts."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from bridge.model import Message, Receipt
from bridge.store import fates, outbox, rows, schema
from bridge.store.attempts import LEASE, Attempt, Claimed, Outcome, Prepared, Wait
from bridge.store.engine import Store
from bridge.store.statements import insert

pytestmark = pytest.mark.anyio

NOW = datetime(2026, 11, 21, 3, 12, tzinfo=UTC)
_ADD = insert(schema.messages)


def at(seconds: float) -> datetime:
    return NOW + timedelta(seconds=seconds)


def message(number: int, **changes: Any) -> Message:
    made = Message(
        id=number, phone=f"+7701000000{number}", person="", text=f"text {number}", encoding="GSM-7", segments=1,
        price=None, currency="KZT", rule="night", message_class="normal", channel="sms", providers=("smsc",),
        originator="", answerable=False, created_at=NOW, due_at=NOW, valid_until=at(1800), language="en",
    )  # fmt: skip
    return replace(made, **changes)


def prepared(provider: str = "smsc", account: str = "smsc:acme", **changes: Any) -> Prepared:
    return replace(Prepared(provider, account, {"mes": "x"}, "r1"), **changes)


def always(choice: Prepared | Wait) -> Callable[[Message, Sequence[Attempt]], Prepared | Wait]:
    return lambda _message, _attempts, _twins: choice


async def put(store: Store, *messages: Message) -> None:
    await store.write(lambda tx: tx.many(_ADD, [rows.message_row(one) for one in messages]))


async def claim(
    store: Store, choose: Any = None, now: datetime = NOW, owner: str = "n1/a", most: int = 64
) -> list[Claimed]:
    choose = choose or always(prepared())
    return await store.write(lambda tx: outbox.claim(tx, now, owner, most, choose))


async def settle(store: Store, *outcomes: Outcome, now: datetime = NOW) -> None:
    await store.write(lambda tx: outbox.settle(tx, outcomes, now))


async def state(store: Store, number: int = 1) -> str:
    return str((await store.read(lambda tx: tx.raw(f"SELECT state FROM messages WHERE id = {number}")))[0][0])  # noqa: S608


def accepted(number: int = 1, attempt: int = 1, **changes: Any) -> Outcome:
    return replace(Outcome(number, attempt, "ACCEPTED", "ACCEPTED", provider_id="9", cost="18.00"), **changes)


# claim


async def test_a_claim_writes_everything_a_repeat_needs_in_one_commit(store: Store) -> None:
    await put(store, message(1))
    (claimed,) = await claim(store)
    assert claimed.lease_until == at(LEASE.total_seconds())
    (row,) = await store.read(
        lambda tx: tx.raw("SELECT provider, account, client_id, request, revision, state, attempt FROM submissions")
    )
    assert row[:2] == ("smsc", "smsc:acme")
    assert row[2] == claimed.attempt.client_id
    assert json.loads(row[3]) == {"mes": "x"}
    assert row[4:] == ("r1", "INFLIGHT", 1)
    assert await state(store) == "INFLIGHT"


async def test_what_is_claimed_is_claimed_once(store: Store) -> None:
    await put(store, message(1))
    assert len(await claim(store)) == 1
    assert await claim(store, owner="n2/b") == []
    assert await claim(store, owner="n2/b", now=at(1000)) == []  # an orphan is asked for, never just sent again


async def test_the_most_urgent_goes_first_and_of_equals_the_newest(store: Store) -> None:
    kinds = ("bulk", "normal", "critical", "normal", "critical")
    await put(store, *(message(n, message_class=kind) for n, kind in enumerate(kinds, 1)))
    assert [one.message.id for one in await claim(store)] == [5, 3, 4, 2, 1]


async def test_nothing_goes_before_its_time(store: Store) -> None:
    await put(store, message(1, due_at=at(60)))
    assert await claim(store, now=at(59)) == []
    assert len(await claim(store, now=at(60))) == 1


async def test_F07_behind_any_number_of_messages_for_a_dead_gateway_the_others_are_found(store: Store) -> None:
    waiting = [message(n, phone="+77010000001", message_class="critical", providers=("dead",)) for n in range(1, 301)]
    await put(store, *waiting, message(301, phone="+77010000002", providers=("well",)))

    def choose(one: Message, _attempts: Sequence[Attempt], _twins: object) -> Prepared | Wait:
        return prepared("well") if "well" in one.providers else Wait(at(2))

    assert [one.message.id for one in await claim(store, choose, most=14)] == [301]


async def test_a_message_without_a_place_waits_until_then(store: Store) -> None:
    await put(store, message(1))
    assert await claim(store, always(Wait(at(30)))) == []
    assert await claim(store, now=at(29)) == []
    assert len(await claim(store, now=at(30))) == 1


async def test_a_message_that_only_waits_for_room_can_go_at_once(store: Store) -> None:
    await put(store, message(1))
    assert await claim(store, always(Wait(NOW))) == []
    assert len(await claim(store)) == 1


# client ids


async def test_ids_count_up_for_each_account_and_begin_where_no_other_installation_does(store: Store) -> None:
    await put(store, *(message(n) for n in (1, 2, 3)))
    first, second = (int(one.attempt.client_id) for one in await claim(store, most=2))
    assert abs(second - first) == 1
    assert min(first, second) == 8 * int((NOW - datetime(2026, 1, 1, tzinfo=UTC)).total_seconds())
    (other,) = await claim(store, always(prepared(account="smsc:other", ids=(500, 501))))
    assert other.attempt.client_id == "500"


async def test_a_repeat_at_the_same_account_has_the_same_id_and_at_another_one_its_own(store: Store) -> None:
    await put(store, message(1))
    (first,) = await claim(store)
    await settle(store, Outcome(1, 1, "NOT_SENT", "READY", due_at=NOW))
    (again,) = await claim(store)
    await settle(store, Outcome(1, 2, "NOT_SENT", "READY", due_at=NOW))
    (other,) = await claim(store, always(prepared(account="smsc:other", ids=(7, 9))))
    assert again.attempt.client_id == first.attempt.client_id
    assert (again.attempt.number, other.attempt.number, other.attempt.client_id) == (2, 3, "7")
    assert [attempt.state for attempt in other.earlier] == ["NOT_SENT", "NOT_SENT"]


async def test_T25_an_id_is_not_used_again_after_a_start(store: Store) -> None:
    await put(store, message(1), message(2))
    (first,) = await claim(store, most=1)
    store.close()
    reopened = Store(store.path)
    await reopened.open()
    (second,) = await claim(reopened, most=1)
    reopened.close()
    assert int(second.attempt.client_id) == int(first.attempt.client_id) + 1


# settle


async def test_an_outcome_is_written_to_attempt_and_message(store: Store) -> None:
    await put(store, message(1))
    await claim(store)
    await settle(store, accepted(due_at=at(30)))
    (row,) = await store.read(lambda tx: tx.raw("SELECT state, provider_id, cost, lease_until FROM messages"))
    assert row == ("ACCEPTED", "9", "18.00", 0)
    (row,) = await store.read(lambda tx: tx.raw("SELECT state, provider_id FROM submissions"))
    assert row == ("ACCEPTED", "9")


async def test_T24_a_late_answer_does_not_undo_what_a_receipt_said(store: Store) -> None:
    await put(store, message(1))
    await claim(store)
    await store.write(lambda tx: tx.raw("UPDATE messages SET state = 'DELIVERED'"))
    await settle(store, Outcome(1, 1, "UNKNOWN", "UNKNOWN"))
    assert await state(store) == "DELIVERED"


async def test_an_answer_to_an_old_attempt_does_not_settle_a_new_one(store: Store) -> None:
    await put(store, message(1))
    await claim(store)
    await settle(store, Outcome(1, 1, "NOT_SENT", "READY", due_at=NOW))
    await claim(store)
    await settle(store, accepted(attempt=1))
    assert await state(store) == "INFLIGHT"


async def test_an_answer_that_comes_after_all_ends_the_doubt(store: Store) -> None:
    await put(store, message(1))
    await claim(store)
    await store.write(lambda tx: fates.orphans(tx, "n1", "n1/b", NOW))
    await settle(store, accepted())
    assert await state(store) == "ACCEPTED"


# orphans


async def test_an_earlier_boot_s_hand_over_is_unknown_and_another_node_s_is_not(store: Store) -> None:
    await put(store, message(1), message(2), message(3))
    for owner in ("n1/old", "n2/alive", "n1/new"):
        await claim(store, owner=owner, most=1)
    found = await store.write(lambda tx: fates.orphans(tx, "n1", "n1/new", NOW))
    assert found == [3]  # the newest went first
    assert [await state(store, n) for n in (1, 2, 3)] == ["INFLIGHT", "INFLIGHT", "UNKNOWN"]
    (row,) = await store.read(lambda tx: tx.raw("SELECT state, error FROM submissions WHERE message_id = 3"))
    assert row == ("UNKNOWN", "the bridge stopped before the answer")


async def test_F13_a_lease_that_ran_out_makes_any_hand_over_an_orphan(store: Store) -> None:
    await put(store, message(1))
    await claim(store, owner="n2/gone")
    late = at(LEASE.total_seconds())
    assert await store.write(lambda tx: fates.run_out(tx, late - timedelta(seconds=1))) == []
    assert await store.write(lambda tx: fates.run_out(tx, late)) == [1]


async def test_F01_what_an_earlier_boot_was_asking_after_is_asked_after_at_once(store: Store) -> None:
    """Found by the kill test: else a question that a kill cut off waits for the whole lease."""
    await put(store, message(1))
    await claim(store)
    await settle(store, Outcome(1, 1, "UNKNOWN", "UNKNOWN", due_at=NOW))
    assert len(await store.write(lambda tx: fates.watch(tx, NOW, "n1/a", 9))) == 1
    assert await store.write(lambda tx: fates.watch(tx, NOW, "n1/b", 9)) == []
    await store.write(lambda tx: fates.orphans(tx, "n1", "n1/b", NOW))
    assert len(await store.write(lambda tx: fates.watch(tx, NOW, "n1/b", 9))) == 1


# questions


async def test_a_question_and_its_answer_are_evidence_of_the_attempt(store: Store) -> None:
    await put(store, message(1))
    await claim(store)
    await settle(store, Outcome(1, 1, "UNKNOWN", "UNKNOWN", due_at=NOW))
    (watched,) = await store.write(lambda tx: fates.watch(tx, NOW, "n1/a", 9))
    said = {"at": NOW.isoformat(), "said": "not found"}
    await store.write(lambda tx: fates.remember(tx, watched.attempts[0], said, at(10)))
    assert await store.write(lambda tx: fates.watch(tx, at(9), "n1/a", 9)) == []
    (again,) = await store.write(lambda tx: fates.watch(tx, at(10), "n1/a", 9))
    assert again.attempts[0].evidence == (said,)


async def test_a_repeat_is_the_same_request_letter_by_letter(store: Store) -> None:
    await put(store, message(1))
    await claim(store)
    await settle(store, Outcome(1, 1, "UNKNOWN", "UNKNOWN", due_at=NOW))
    (watched,) = await store.write(lambda tx: fates.watch(tx, NOW, "n1/a", 9))
    claimed = await store.write(lambda tx: fates.again(tx, watched, at(3), "n1/a"))
    one, two = watched.attempts[0], claimed.attempt
    assert (one.client_id, one.request, one.revision) == (two.client_id, two.request, two.revision)
    assert (two.number, await state(store)) == (2, "INFLIGHT")


# receipts


def receipt(kind: str = "DELIVERED") -> Receipt:
    return Receipt(0, kind, "smsc", "1", "")  # type: ignore[arg-type]


async def receive(store: Store, key: str, client_id: str, phone: str = "77010000001") -> Receipt | None:
    return await store.write(lambda tx: fates.receive(tx, receipt(), key, "smsc:acme", client_id, phone, NOW))


async def test_T25_a_receipt_counts_once_however_often_it_comes(store: Store) -> None:
    await put(store, message(1))
    (claimed,) = await claim(store)
    first = await receive(store, "k1", claimed.attempt.client_id)
    assert first is not None
    assert first.message_id == 1
    assert await receive(store, "k1", claimed.attempt.client_id) is None


async def test_T24_a_receipt_needs_id_and_phone_of_one_message_of_ours(store: Store) -> None:
    await put(store, message(1), message(2))
    claimed = {one.message.id: one.attempt.client_id for one in await claim(store)}
    assert await receive(store, "k1", claimed[1], "77010000002") is None
    assert await receive(store, "k2", "4711") is None
    assert await receive(store, "k3", claimed[1], "+77010000001") is not None


# hold, release, too late


async def test_held_messages_go_only_when_released(store: Store) -> None:
    await put(store, message(1))
    assert await store.write(lambda tx: outbox.hold(tx, [1], "an operator said so")) == 1
    assert await claim(store) == []
    assert await store.write(lambda tx: outbox.release(tx, [1, 2], NOW)) == 1
    assert len(await claim(store)) == 1


async def test_too_late_is_too_late_for_what_waits_and_for_nothing_else(store: Store) -> None:
    await put(store, *(message(n) for n in (1, 2, 3)))
    await store.write(lambda tx: outbox.hold(tx, [1], "why"))
    await claim(store, most=1)  # message 3
    assert await store.write(lambda tx: outbox.expire(tx, at(1799))) == []
    assert sorted(await store.write(lambda tx: outbox.expire(tx, at(1800)))) == [1, 2]
    assert await state(store, 3) == "INFLIGHT"


async def test_the_depth_counts_by_state_and_class(store: Store) -> None:
    await put(store, message(1), message(2, message_class="critical"), message(3))
    await claim(store, most=1)
    assert await store.read(outbox.depth) == {("INFLIGHT", "critical"): 1, ("READY", "normal"): 2}
