"""Receipts by the provider's ids, part by part, and pieces of inbound SMS."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import permutations
from typing import Any

import pytest

from bridge.model import Receipt
from bridge.store import inbound, linked, schema
from bridge.store.engine import Store, Tx
from bridge.store.linked import Part
from bridge.store.statements import to_us

pytestmark = pytest.mark.anyio

NOW = datetime(2026, 11, 21, 3, 12, tzinfo=UTC)
PHONE = "+77010000001"
SAID = Receipt(0, "DELIVERED", "smpp", "1")


async def sent(store: Store, number: int, ids: str, **changes: Any) -> None:
    """Message *number* with one submission that the provider calls *ids*."""
    submission = {"message_id": number, "attempt": 1, "provider": "smpp", "account": "smsc:acme", "provider_id": ids}
    state = changes.pop("state", "ACCEPTED")
    segments = changes.pop("segments", max(1, len(ids.split())))
    message = {"id": number, "phone": changes.pop("phone", PHONE), "state": state, "segments": segments}
    started = changes.pop("started_at", NOW)

    def write(tx: Tx) -> None:
        _add(tx, schema.messages, message)
        _add(tx, schema.submissions, submission | {"state": state, "started_at": to_us(started)} | changes)

    await store.write(write)


def _add(tx: Tx, table: Any, values: dict[str, Any]) -> None:
    names = ", ".join(f'"{name}"' for name in values)
    marks = ", ".join(repr(value) for value in values.values())
    tx.raw(f"INSERT INTO {table.name} ({names}) VALUES ({marks})")  # noqa: S608 - the other columns have defaults


async def told(store: Store, id: str, said: Receipt = SAID, phone: str = PHONE, now: datetime = NOW) -> Receipt | None:
    return await store.write(lambda tx: linked.report(tx, said, "smsc:acme", id, phone, now))


@pytest.mark.parametrize(
    ("ours", "theirs"), [("855469", "855469"), ("855469", "D0DAD"), ("D0DAD", "855469"), ("0855469", "855469"),
                         ("a-b", "a-b")],
)  # fmt: skip
async def test_a_receipt_finds_its_message_in_whatever_notation(store: Store, ours: str, theirs: str) -> None:
    await sent(store, 1, ours)
    found = await told(store, theirs)
    assert found is not None
    assert (found.message_id, found.state, found.provider) == (1, "DELIVERED", "smpp")


async def test_the_very_text_goes_before_another_notation(store: Store) -> None:
    await sent(store, 1, "16")
    await sent(store, 2, "10")
    found = await told(store, "10")
    assert found is not None
    assert found.message_id == 2


@pytest.mark.parametrize("change", [{"phone": "+77010000002"}, {"account": "smsc:other"}], ids=str)
async def test_T24_a_receipt_for_another_phone_or_account_is_nobody_s(store: Store, change: dict[str, str]) -> None:
    await sent(store, 1, "855469", **change)
    assert await told(store, "855469") is None


async def test_T25_a_receipt_counts_once(store: Store) -> None:
    await sent(store, 1, "7")
    assert await told(store, "7") is not None
    assert [await told(store, "7") for _ in range(3)] == [None, None, None]


@pytest.mark.parametrize("order", list(permutations("789")))
async def test_F09_a_text_has_arrived_when_its_last_part_has_in_any_order(store: Store, order: tuple[str, ...]) -> None:
    await sent(store, 1, "7 8 9")
    said = [await told(store, part) for part in order]
    assert [one is not None for one in said] == [False, False, True]
    assert said[-1] is not None
    assert (said[-1].message_id, said[-1].state, said[-1].cost) == (1, "DELIVERED", None)


@pytest.mark.parametrize("spelled", ["{:X}", "{:x}", "{:d}"])
async def test_a_text_whose_receipts_spell_ids_otherwise_has_arrived_with_its_last_part(
    store: Store, spelled: str
) -> None:
    await sent(store, 1, "855469 855470")
    assert await told(store, spelled.format(855469)) is None
    found = await told(store, spelled.format(855470))
    assert found is not None
    assert (found.message_id, found.state) == (1, "DELIVERED")


async def test_a_receipt_of_another_message_is_no_part_of_this_one(store: Store) -> None:
    await sent(store, 1, "855469 855470")
    await sent(store, 2, str(0x855470))
    assert await told(store, "855469") is None
    found = await told(store, str(0x855470))
    assert found is not None
    assert found.message_id == 2
    assert await told(store, "855469", replace(SAID, code="2")) is None


async def test_a_text_with_a_lost_part_has_not_arrived(store: Store) -> None:
    await sent(store, 1, "7 8")
    assert await told(store, "7") is None
    lost = await told(store, "8", Receipt(0, "UNDELIVERED", "smpp", "20", "1"))
    assert lost is not None
    assert (lost.state, lost.error) == ("UNDELIVERED", "1")


async def test_F09_a_receipt_before_the_answer_is_parked_and_told_once(store: Store) -> None:
    assert await told(store, "7") is None
    assert await _adopted(store) == []
    await sent(store, 1, "7")
    (found,) = await _adopted(store)
    assert (found.message_id, found.state, found.code) == (1, "DELIVERED", "1")
    assert await _adopted(store) == []


async def test_parked_receipts_of_parts_make_one_of_the_whole(store: Store) -> None:
    await told(store, "8")
    await told(store, "7")
    await sent(store, 1, "7 8")
    found = await _adopted(store)
    assert {one.message_id for one in found} == {1}
    assert all(one.state == "DELIVERED" for one in found)


async def test_a_parked_receipt_is_looked_at_for_a_while(store: Store) -> None:
    await told(store, "7")
    await sent(store, 1, "7")
    assert await _adopted(store, NOW + timedelta(hours=1, seconds=1)) == []
    assert len(await _adopted(store, NOW + timedelta(hours=1))) == 1


async def _adopted(store: Store, now: datetime = NOW) -> list[Receipt]:
    return await store.write(lambda tx: linked.adopt(tx, ["smsc:acme"], timedelta(hours=1), now))


async def test_a_receipt_of_an_unknown_id_is_the_fate_of_the_only_text_whose_answer_is_missing(store: Store) -> None:
    await sent(store, 1, "", state="UNKNOWN", started_at=NOW - timedelta(minutes=5))
    await sent(store, 2, "4")
    found = await told(store, "7")
    assert found is not None
    assert found.message_id == 1


@pytest.mark.parametrize(
    "change",
    [{"started_at": NOW - timedelta(minutes=16)}, {"segments": 2}, {"state": "INFLIGHT"}, {"phone": "+77010000002"}],
    ids=str,
)
async def test_a_guess_is_made_only_where_there_is_one_answer(store: Store, change: dict[str, Any]) -> None:
    await sent(store, 1, "", **({"state": "UNKNOWN"} | change))
    assert await told(store, "7") is None


async def test_two_texts_whose_answers_are_missing_leave_nothing_to_guess(store: Store) -> None:
    await sent(store, 1, "", state="UNKNOWN")
    await sent(store, 2, "", state="UNKNOWN")
    assert await told(store, "7") is None


# inbound


async def sms(store: Store, text: str, key: str, now: datetime = NOW, phone: str = PHONE) -> bool:
    return await store.write(lambda tx: linked.sms(tx, "smsc:acme", "smpp", phone, "777", text, key, now))


async def test_the_same_words_within_a_minute_are_one_sms(store: Store) -> None:
    assert await sms(store, "12 ok", "in:a")
    assert not await sms(store, "12 ok", "in:a", NOW + timedelta(seconds=30))
    assert not await sms(store, "12 ok", "in:other-way", NOW + timedelta(seconds=59))
    assert await sms(store, "12 ok", "in:a", NOW + timedelta(seconds=61))
    assert await sms(store, "13 ok", "in:b")
    assert await sms(store, "12 ok", "in:c", phone="+77010000002")


@pytest.mark.parametrize(
    ("to", "text", "after", "same"),
    [
        ("777", "12 ok", 0, True),
        ("+777", " 12  ok\r\n", 59, True),
        ("", "12 ok", 30, True),
        ("778", "12 ok", 0, False),
        ("777", "12 okay", 0, False),
        ("777", "12 ok", 61, False),
    ],
)
async def test_T25_what_came_over_the_link_and_then_by_a_post_is_one(
    store: Store, to: str, text: str, after: float, same: bool
) -> None:
    assert await sms(store, "12 ok", "in:a")
    at = NOW + timedelta(seconds=after)
    for phone, account in ((PHONE, "smsc:acme"), ("+77010000002", "smsc:acme"), (PHONE, "smsc:other")):
        found = await store.write(
            lambda tx, phone=phone, account=account: linked.came_over_a_link(tx, account, phone, to, text, at)
        )
        assert found is (same and (phone, account) == (PHONE, "smsc:acme"))


async def test_what_came_by_a_post_alone_has_not_come_over_a_link(store: Store) -> None:
    keep = ("smsc:acme/in:77", "sms", "smsc", PHONE, "777", "12 ok", NOW)
    await store.write(lambda tx: inbound.keep(tx, *keep))
    assert not await store.write(lambda tx: linked.came_over_a_link(tx, "smsc:acme", PHONE, "777", "12 ok", NOW))
    assert not await sms(store, "12 ok ", "in:a")


@pytest.mark.parametrize("state", ["ACCEPTED", "ACCEPTED_NO_ID"])
async def test_a_receipt_of_what_was_taken_without_an_id_is_told_by_phone_and_time(store: Store, state: str) -> None:
    await sent(store, 1, "", state="ACCEPTED")
    await store.write(lambda tx: tx.raw(f"UPDATE messages SET state = '{state}'"))  # noqa: S608
    found = await told(store, "855469")
    assert found is not None
    assert (found.message_id, found.state) == (1, "DELIVERED")
    await sent(store, 2, "")
    assert await told(store, "855470") is None


def part(number: int, text: str = "") -> Part:
    return Part(number, 0, (text or f"part{number}").encode())


async def piece(
    store: Store, number: int, total: int = 3, reference: int = 7, now: datetime = NOW, text: str = ""
) -> Any:
    return await store.write(
        lambda tx: linked.piece(tx, "smsc:acme", "smpp", PHONE, "777", (reference, total), part(number, text), now)
    )


@pytest.mark.parametrize("order", list(permutations((1, 2, 3))))
async def test_the_last_piece_brings_all_in_their_order(store: Store, order: tuple[int, ...]) -> None:
    found = [await piece(store, number) for number in order]
    assert found[:2] == [None, None]
    assert [one.octets for one in found[2].parts] == [b"part1", b"part2", b"part3"]
    assert (found[2].phone, found[2].to, found[2].total) == (PHONE, "777", 3)


async def test_a_piece_that_comes_twice_counts_once(store: Store) -> None:
    assert [await piece(store, 1), await piece(store, 1), await piece(store, 2)] == [None, None, None]
    assert await piece(store, 3) is not None


async def test_two_texts_with_different_references_do_not_mix(store: Store) -> None:
    await piece(store, 1, 2, reference=7)
    assert await piece(store, 2, 2, reference=8) is None
    assert await piece(store, 2, 2, reference=7) is not None


async def test_a_text_that_was_read_leaves_its_reference_free(store: Store) -> None:
    await _read(store)
    assert await piece(store, 1, 2, text="other") is None
    whole = await piece(store, 2, 2, text="words")
    assert [one.octets for one in whole.parts] == [b"other", b"words"]


async def _read(store: Store) -> None:
    """A text of two pieces has come and was read."""
    await piece(store, 1, 2)
    whole = await piece(store, 2, 2)
    await store.write(lambda tx: linked.joined(tx, whole))


async def test_F10_a_piece_that_comes_again_after_its_text_was_read_is_no_new_text(store: Store) -> None:
    await _read(store)
    nine = NOW + timedelta(minutes=9)
    assert [await piece(store, 2, 2, now=nine), await piece(store, 1, 2, now=nine)] == [None, None]
    later = NOW + timedelta(minutes=30)
    assert await store.write(lambda tx: linked.late_pieces(tx, ["smsc:acme"], later)) == []


async def test_T31_the_words_of_a_text_that_was_read_are_not_kept_twice(store: Store) -> None:
    await _read(store)
    rows = await store.read(lambda tx: tx.raw("SELECT error FROM receipts"))
    assert len(rows) == 2
    assert not {b"part1".hex(), b"part2".hex()} & {row[0] for row in rows}
    await store.write(lambda tx: linked.late_pieces(tx, ["smsc:acme"], NOW + timedelta(minutes=10)))
    assert await store.read(lambda tx: tx.raw("SELECT error FROM receipts")) == []


@pytest.mark.parametrize(("phone", "to"), [("a/b", "777"), ("Kaspi/Bank", "7/7"), ("%2F", "é %"), ("", "")])
async def test_T37_whatever_the_sender_is_called_its_pieces_are_one_text(store: Store, phone: str, to: str) -> None:
    def come(number: int) -> Any:
        return store.write(lambda tx: linked.piece(tx, "smsc:acme", "smpp", phone, to, (7, 2), part(number), NOW))

    assert await come(1) is None
    whole = await come(2)
    assert (whole.phone, whole.to, len(whole.parts)) == (phone, to, 2)


async def test_pieces_of_long_ago_are_not_part_of_a_new_text(store: Store) -> None:
    await piece(store, 1, 2)
    assert await piece(store, 2, 2, now=NOW + timedelta(minutes=21)) is None


async def test_pieces_that_wait_too_long_are_found_without_the_others(store: Store) -> None:
    await piece(store, 1)
    await piece(store, 3)
    ten = NOW + timedelta(minutes=10)
    assert await store.write(lambda tx: linked.late_pieces(tx, ["smsc:acme"], ten - timedelta(seconds=1))) == []
    (late,) = await store.write(lambda tx: linked.late_pieces(tx, ["smsc:acme"], ten))
    assert [one.number for one in late.parts] == [1, 3]
    await store.write(lambda tx: linked.joined(tx, late))
    assert await store.write(lambda tx: linked.late_pieces(tx, ["smsc:acme"], ten)) == []


async def test_pieces_are_never_taken_for_receipts(store: Store) -> None:
    await sent(store, 1, "7")
    await piece(store, 1)
    assert await _adopted(store) == []
