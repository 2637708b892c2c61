"""Who unsubscribed and what an operator took back, of hand-overs that began before and after that."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from bridge.memory import Needs
from bridge.model import Happening, JournalEntry, Message, Plan, Receipt, Unsubscribed
from bridge.store import direct, given, journal, plans, rows, schema
from bridge.store.attempts import ADD_SUBMISSION, Attempt, submission_row
from bridge.store.engine import Store, Tx
from bridge.store.statements import insert

pytestmark = pytest.mark.anyio

BEGUN = datetime(2026, 11, 21, 3, 12, tzinfo=UTC)
ASEL, IVAN = "+77010000001", "+77010000002"
ONE, TWO = "smsgate:one", "smsgate:two"


def after(**span: float) -> datetime:
    return BEGUN + timedelta(**span)


async def handed_over(store: Store, *begun: datetime, phone: str = ASEL, incident: int = 0) -> int:
    """A message that went to ``smsgate:one`` at these times; its number."""

    def hand_over(tx: Tx) -> int:
        made = Message(
            id=0, phone=phone, person="asel", text="x", encoding="GSM-7", segments=1, price=None, currency="KZT",
            rule="night", message_class="normal", channel="sms", providers=("gate",), originator="", answerable=True,
            created_at=BEGUN, due_at=BEGUN, valid_until=after(hours=6), language="en", incident_id=incident,
        )  # fmt: skip
        id = direct.add(tx, made, "test").id
        attempts = [
            Attempt(id, n, "gate", ONE, "c", {}, "r", "ACCEPTED", "7", "", "", (), at, at)
            for n, at in enumerate(begun, 1)
        ]
        tx.many(ADD_SUBMISSION, [submission_row(attempt) for attempt in attempts])
        return id

    return await store.write(hand_over)


async def taken_back(store: Store, at: datetime, account: str = ONE, way: str = "viber", phone: str = ASEL) -> None:
    """Somebody unsubscribed, and an operator's word ended that."""
    one = Unsubscribed(account, way, phone, BEGUN)

    def undo(tx: Tx) -> None:
        tx.many(insert(schema.unsubscribed), [rows.unsubscribed_row(one)])
        assert given.subscribe_again(tx, [one], "dana", at) == [one]

    await store.write(undo)


async def told(store: Store, message_id: int, *ways: tuple[str, str], at: datetime) -> tuple[str, ...]:
    """What a receipt that says so leaves: the ways the bridge does not use any more."""

    def decide(receipt: Happening, _memory: object) -> Plan:
        assert isinstance(receipt, Receipt)
        return Plan(unsubscribed=tuple(Unsubscribed(*one, ASEL, at) for one in receipt.unsubscribed))

    receipt = Receipt(message_id, "DELIVERED", "gate", unsubscribed=ways)

    def report(tx: Tx) -> list[plans.Decided]:
        return plans.plan(tx, [receipt], lambda _h, _k: Needs(), decide, at)

    (decided,) = await store.write(report)
    assert decided.error is None
    return tuple(f"{one.account} {one.way}" for one in await store.read(given.all_unsubscribed))


async def test_an_old_message_that_ends_with_unsubscribe_does_not_undo_an_operator_s_undo(store: Store) -> None:
    old = await handed_over(store, BEGUN)
    await taken_back(store, after(hours=1))
    assert await told(store, old, (ONE, "viber"), at=after(days=1)) == ()


async def test_who_unsubscribes_after_the_undo_is_unsubscribed(store: Store) -> None:
    await taken_back(store, after(minutes=-1))
    new = await handed_over(store, BEGUN)
    assert await told(store, new, (ONE, "viber"), at=after(hours=1)) == (f"{ONE} viber",)


async def test_a_hand_over_that_was_repeated_after_the_undo_is_a_new_one(store: Store) -> None:
    again = await handed_over(store, BEGUN, after(hours=2))
    await taken_back(store, after(hours=1))
    assert await told(store, again, (ONE, "viber"), at=after(hours=3)) == (f"{ONE} viber",)


@pytest.mark.parametrize("account, way, phone", [(TWO, "viber", ASEL), (ONE, "vk", ASEL), (ONE, "viber", IVAN)])
async def test_the_undo_of_another_account_way_or_phone_says_nothing_of_this_one(
    store: Store, account: str, way: str, phone: str
) -> None:
    old = await handed_over(store, BEGUN)
    await taken_back(store, after(hours=1), account, way, phone)
    assert await told(store, old, (ONE, "viber"), at=after(days=1)) == (f"{ONE} viber",)


async def test_of_two_ways_only_the_one_that_was_taken_back_is_left_out(store: Store) -> None:
    old = await handed_over(store, BEGUN)
    await taken_back(store, after(hours=1))
    assert await told(store, old, (ONE, "viber"), (ONE, "vk"), at=after(days=1)) == (f"{ONE} vk",)


async def test_the_undo_is_found_behind_the_steps_of_the_message_s_incident(store: Store) -> None:
    async def step(at: datetime) -> None:
        await store.write(lambda tx: journal.add(tx, [JournalEntry(at, "event.counted", incident_id=1000)]))

    await taken_back(store, after(minutes=-1), way="vk")
    await step(BEGUN)
    old = await handed_over(store, BEGUN, incident=1000)
    await taken_back(store, after(hours=1))
    await step(after(hours=2))
    assert await told(store, old, (ONE, "viber"), (ONE, "vk"), at=after(days=1)) == (f"{ONE} vk",)


async def test_a_receipt_about_no_message_of_ours_stays_as_it_is(store: Store) -> None:
    said = Receipt(77, "DELIVERED", "gate", unsubscribed=((ONE, "viber"),))
    assert await store.read(lambda tx: given.as_it_stands(tx, said)) == said
