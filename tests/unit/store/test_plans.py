"""Deciding in a transaction: everything or nothing, each happening once, and the indexes that keep the promises."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from bridge.memory import Memory, Needs
from bridge.model import (
    Conversation,
    Due,
    Envelope,
    Fate,
    Happening,
    Incident,
    JournalEntry,
    Message,
    Notice,
    Notification,
    OutgoingMail,
    Plan,
    Reading,
    Recipient,
    Reply,
    Spend,
    Started,
    Stop,
    Thread,
    Timer,
)
from bridge.store import inbound, mails, plans, recall, timers
from bridge.store.engine import Store, Tx

pytestmark = pytest.mark.anyio

NOW = datetime(2026, 11, 21, 3, 12, tzinfo=UTC)
THREAD = Thread(1, "<a@b>", ("<r@b>",), "disk full", "mon@host.test")
INCIDENT = Incident(
    id=1000, source="mon", key="db01: disk", producer_key="p1", state="open", episode=1, producer="zabbix",
    host="db01", service="disk", severity="high", title="disk full", detail="no room", labels={"team": "dba"},
    problem_id="5512", count=1, opened_at=NOW, last_at=NOW, sent_at=None, rule="night", code="12", origin="o",
    thread=THREAD, groups={"x": "y"},
)  # fmt: skip
MESSAGE = Message(
    id=1, phone="+77010000001", person="aigul", text="12 db01: disk full", encoding="GSM-7", segments=1, price=None,
    currency="KZT", rule="night", message_class="normal", channel="sms", providers=("smsc",), originator="",
    answerable=True, created_at=NOW, due_at=NOW, valid_until=NOW + timedelta(hours=6), language="en", incident_id=1000,
    episode=1, mail_id=1,
)  # fmt: skip
NOTE = Notification(1000, 1, "0", "+77010000001", "aigul", 1)
ALL = Needs(
    keys=frozenset({("mon", "db01: disk")}), producer_keys=frozenset({("mon", "p1")}),
    phones=frozenset({"+77010000001"}), digests=frozenset({"d"}), causes=frozenset({"c"}),
)  # fmt: skip


async def reading(store: Store, **changes: Any) -> Reading:
    """A mail that was kept and read."""
    envelope = Envelope(b"Subject: x\r\n\r\nx", NOW, "mon@host.test", (Recipient("a@bridge.test"),))
    number = await store.write(lambda tx: mails.keep(tx, envelope, "n1/a"))
    made = Reading(number, NOW, "mon", "o", ("a@bridge.test",), THREAD, "", "disk full", "mon@host.test", "x", ())
    return replace(made, **changes)


async def plan(
    store: Store,
    happenings: list[Happening],
    decide: Callable[[Happening, Memory], Plan],
    needs: Needs = ALL,
    now: datetime = NOW,
) -> list[plans.Decided]:
    return await store.write(lambda tx: plans.plan(tx, happenings, lambda _h, _o: needs, decide, now))


async def loaded(store: Store, needs: Needs = ALL, now: datetime = NOW) -> Memory:
    return await store.read(lambda tx: recall.load(tx, needs, now))


async def count(store: Store, table: str) -> int:
    return int((await store.read(lambda tx: tx.raw(f"SELECT count(*) FROM {table}")))[0][0])  # noqa: S608


async def test_what_was_planned_is_what_the_next_decision_remembers(store: Store) -> None:
    hours = [NOW + timedelta(hours=n) for n in (1, 2)]
    conversation = Conversation("+77010000001", "12", (1000, 1001), *hours, "group/disks/r7", over=(900,))
    notice = Notice("c", NOW, 2, ("line",))
    made = Plan(
        incidents=(INCIDENT,), notifications=(NOTE,), messages=(MESSAGE,), conversations=(conversation,),
        notices=(notice,), taken={"incident": 1, "message": 1},
    )  # fmt: skip
    await plan(store, [await reading(store, digest="d")], lambda _h, _m: made)
    memory = await loaded(store)
    assert memory.open_incident("mon", "db01: disk") == INCIDENT
    assert memory.open_by_producer_key("mon", "p1") == [INCIDENT]
    assert memory.told(INCIDENT) == [NOTE]
    assert memory.codes("+77010000001") == {"12": conversation}
    assert memory.notice("c") == notice
    assert memory.messages[1] == MESSAGE
    assert memory.waiting == {1000: {1}}
    assert memory.first_with("d") == 1
    assert (memory.counters["incident"], memory.counters["message"]) == (1001, 2)


async def test_a_mail_is_planned_once(store: Store) -> None:
    mail, seen = await reading(store), []

    def decide(happening: Happening, _memory: Memory) -> Plan:
        seen.append(happening)
        return Plan(fates=(Fate(0, "nothing", reason="dropped (x)"),))

    for _ in range(3):
        await plan(store, [mail, mail], decide)
    assert len(seen) == 1
    assert await store.read(lambda tx: tx.raw("SELECT state FROM mails")) == [("PLANNED",)]


async def test_a_timer_fires_once(store: Store) -> None:
    timer = Timer(0, NOW, "close", 1000, {"a": 1})
    await plan(store, [await reading(store)], lambda _h, _m: Plan(timers=(timer,)))
    (found,) = await store.read(lambda tx: timers.due(tx, NOW, 9))
    assert (found.kind, found.incident_id, found.data) == ("close", 1000, {"a": 1})
    fired = [len(await plan(store, [Due(found)], lambda _h, _m: Plan(), Needs())) for _ in range(2)]
    assert fired == [1, 0]


async def test_T25_an_inbound_sms_is_read_once(store: Store) -> None:
    await store.write(lambda tx: inbound.keep(tx, "k", "sms", "smsc", "+7701", "+7777", "ok", NOW))
    (reply,) = await store.read(lambda tx: inbound.waiting(tx, 9))
    assert isinstance(reply, Reply)
    read = [len(await plan(store, [reply], lambda _h, _m: Plan(read_as="ack"), Needs())) for _ in range(2)]
    assert read == [1, 0]
    assert await store.read(lambda tx: tx.raw("SELECT state, read_as FROM replies")) == [("DONE", "ack")]


async def test_T25_a_missed_call_is_taken_note_of_once(store: Store) -> None:
    await store.write(lambda tx: inbound.keep(tx, "k", "call", "smsc", "+7701", "+7777", "", NOW))
    (call,) = await store.read(lambda tx: inbound.waiting(tx, 9))
    read = [len(await plan(store, [call], lambda _h, _m: Plan(read_as="call"), Needs())) for _ in range(2)]
    assert read == [1, 0]
    assert await store.read(lambda tx: inbound.waiting(tx, 9)) == []


async def test_decisions_of_one_batch_see_each_other(store: Store) -> None:
    numbers: list[int] = []

    def decide(_happening: Happening, memory: Memory) -> Plan:
        known = memory.open_incident("mon", "db01: disk")
        if known is None:
            return Plan(incidents=(INCIDENT,), taken={"incident": 1})
        numbers.append(known.id)
        return Plan(incidents=(replace(known, count=known.count + 1),))

    await plan(store, [await reading(store) for _ in range(3)], decide)
    assert numbers == [1000, 1000]
    assert await store.read(lambda tx: tx.raw("SELECT count FROM incidents")) == [(3,)]


async def test_F26_one_that_cannot_be_decided_leaves_the_others_alone(store: Store) -> None:
    first, poison, last = [await reading(store) for _ in range(3)]

    def decide(happening: Happening, _memory: Memory) -> Plan:
        if happening is poison:
            raise ZeroDivisionError
        return Plan()

    decided = await plan(store, [first, poison, last], decide)
    assert [type(one.error) for one in decided] == [type(None), ZeroDivisionError, type(None)]
    states = await store.read(lambda tx: tx.raw("SELECT state FROM mails ORDER BY id"))
    assert states == [("PLANNED",), ("RECEIVED",), ("PLANNED",)]


async def test_a_plan_is_written_whole_or_not_at_all(store: Store) -> None:
    mail = await reading(store)
    broken = Plan(incidents=(INCIDENT,), messages=(MESSAGE,), notifications=(NOTE, NOTE))
    with pytest.raises(sqlite3.IntegrityError):
        await plan(store, [mail], lambda _h, _m: broken)
    assert [await count(store, table) for table in ("incidents", "messages", "notifications")] == [0, 0, 0]
    assert await store.read(lambda tx: tx.raw("SELECT state FROM mails")) == [("RECEIVED",)]


async def test_promise_2_nobody_can_be_told_of_one_step_twice(store: Store) -> None:
    await plan(store, [await reading(store)], lambda _h, _m: Plan(notifications=(NOTE,)))
    again = replace(NOTE, message_id=2)
    with pytest.raises(sqlite3.IntegrityError, match="notifications"):
        await plan(store, [await reading(store)], lambda _h, _m: Plan(notifications=(again,)))
    for other in (replace(again, step="recovery"), replace(again, episode=2), replace(again, phone="+77010000002")):
        await plan(store, [await reading(store)], lambda _h, _m, other=other: Plan(notifications=(other,)))


async def test_only_one_incident_can_be_open_for_a_key(store: Store) -> None:
    await plan(store, [await reading(store)], lambda _h, _m: Plan(incidents=(INCIDENT,)))
    second = replace(INCIDENT, id=1001)
    with pytest.raises(sqlite3.IntegrityError, match="incidents"):
        await plan(store, [await reading(store)], lambda _h, _m: Plan(incidents=(second,)))
    closed = replace(INCIDENT, state="closed")
    await plan(store, [await reading(store)], lambda _h, _m: Plan(incidents=(closed, second)))
    assert (await loaded(store)).open_incident("mon", "db01: disk") == second


async def test_what_waits_can_be_cancelled_and_what_left_cannot(store: Store) -> None:
    other = replace(MESSAGE, id=2)
    await plan(store, [await reading(store)], lambda _h, _m: Plan(messages=(MESSAGE, other)))
    await store.write(lambda tx: tx.raw("UPDATE messages SET state = 'INFLIGHT' WHERE id = 2"))
    await plan(store, [await reading(store)], lambda _h, _m: Plan(cancel=((1, "recovered"), (2, "recovered"))))
    rows = await store.read(lambda tx: tx.raw("SELECT state, reason FROM messages ORDER BY id"))
    assert rows == [("CANCELLED", "recovered"), ("INFLIGHT", "")]


async def test_T04_a_cancel_gives_back_only_what_never_left(store: Store) -> None:
    numbers = (1, 2, 3)
    spends = tuple(Spend("total", NOW, n, 1, Decimal(14), critical=False) for n in numbers)
    messages = tuple(replace(MESSAGE, id=n) for n in numbers)
    await plan(store, [await reading(store)], lambda _h, _m: Plan(messages=messages, spends=spends))
    attempt = "INSERT INTO submissions (message_id, attempt, state) VALUES (3, 1, 'UNKNOWN')"
    await store.write(lambda tx: tx.raw("UPDATE messages SET state = 'INFLIGHT' WHERE id = 2"))
    await store.write(lambda tx: tx.raw("UPDATE messages SET state = 'HELD' WHERE id = 3"))
    await store.write(lambda tx: tx.raw(attempt))
    over = tuple((n, "recovered") for n in numbers)
    await plan(store, [await reading(store)], lambda _h, _m: Plan(cancel=over))
    assert await store.read(lambda tx: tx.raw("SELECT message_id FROM spends ORDER BY 1")) == [(2,), (3,)]


async def test_a_copy_is_known_for_a_day_and_no_longer(store: Store) -> None:
    await plan(store, [await reading(store, digest="d")], lambda _h, _m: Plan())
    assert (await loaded(store, now=NOW + timedelta(hours=23, minutes=59))).first_with("d") == 1
    assert (await loaded(store, now=NOW + timedelta(hours=24, seconds=1))).first_with("d") is None


async def test_fates_mails_and_journal_are_kept_as_they_were_decided(store: Store) -> None:
    mail = OutgoingMail(1, "acked", "", ("a@b.test",), "<m@b>", "Re: x", b"raw", NOW, NOW, 1000, 1)
    entry = JournalEntry(NOW, "mail.read", 1, 1000, 1, {"why": "Жұлдыз"})
    fates = (Fate(0, "sms", "night", "aigul", "", 1), Fate(1, "nothing", reason="dropped (x)"))
    made = Plan(fates=fates, mails=(mail,), journal=(entry,), mail_state="DUPLICATE")
    await plan(store, [await reading(store)], lambda _h, _m: made)
    from bridge.store import rows

    ((state, written),) = await store.read(lambda tx: tx.raw("SELECT state, fates FROM mails"))
    assert (state, rows.fates(written)) == ("DUPLICATE", fates)
    assert await store.read(lambda tx: tx.raw("SELECT content, state FROM outgoing_mails")) == [(b"raw", "READY")]
    ((kind, data),) = await store.read(lambda tx: tx.raw("SELECT kind, data FROM journal"))
    assert (kind, data) == ("mail.read", '{"why":"Жұлдыз"}')


async def test_a_decision_that_asks_for_more_than_it_named_is_an_error_not_a_guess(store: Store) -> None:
    from bridge.memory import NotLoaded

    def decide(_happening: Happening, memory: Memory) -> Plan:
        memory.open_incident("mon", "another")
        return Plan()

    (decided,) = await plan(store, [await reading(store)], decide)
    assert isinstance(decided.error, NotLoaded)


async def test_F04_a_broken_disk_undoes_the_whole_decision(store: Store) -> None:
    from bridge.errors import StoreUnavailable

    mail = await reading(store)

    def breaks(tx: Tx) -> None:
        plans.plan(tx, [mail], lambda _h, _o: ALL, lambda _h, _m: Plan(incidents=(INCIDENT,)), NOW)
        raise sqlite3.OperationalError("disk I/O error")

    with pytest.raises(StoreUnavailable):
        await store.write(breaks)
    assert await count(store, "incidents") == 0
    await plan(store, [mail], lambda _h, _m: Plan(incidents=(INCIDENT,)))
    assert await count(store, "incidents") == 1


async def test_a_phone_that_said_stop_is_known_until_it_says_start(store: Store) -> None:
    stop = Stop("+77010000001", "aigul", NOW)

    def decided(tx: Tx, *stops: Stop) -> dict[str, Stop]:
        plans.plan(tx, [Started()], lambda _h, _k: Needs(), lambda _h, _m: Plan(stops=stops), NOW)
        return recall.known(tx, (), NOW).stops

    assert await store.write(lambda tx: decided(tx, stop)) == {stop.phone: stop}
    assert await store.write(lambda tx: recall.load(tx, Needs(), NOW).stops) == {stop.phone: stop}
    assert await store.write(lambda tx: decided(tx, replace(stop, over=True))) == {}


async def test_an_sms_about_several_that_did_not_leave_brings_the_others(store: Store) -> None:
    other = replace(INCIDENT, id=1001, key="db02: disk")
    both = replace(MESSAGE, id=2, incident_id=0, episode=0, about=(1000, 1001))
    notes = (replace(NOTE, message_id=2), replace(NOTE, incident_id=1001, message_id=2))
    made = Plan(incidents=(INCIDENT, other), messages=(both,), notifications=notes)

    def load(tx: Tx) -> Memory:
        return recall.load(tx, Needs(incidents=frozenset({1000})), NOW)

    def write(tx: Tx) -> Memory:
        plans.plan(tx, [Started()], lambda _h, _k: Needs(), lambda _h, _m: made, NOW)
        return load(tx)

    memory = await store.write(write)
    assert memory.messages == {2: both}
    assert memory.incidents == {1000: INCIDENT, 1001: other}
    assert memory.told(other) == [notes[1]]
    cancelled = Plan(cancel=((2, "over"),))
    await store.write(lambda tx: plans.plan(tx, [Started()], lambda _h, _k: Needs(), lambda _h, _m: cancelled, NOW))
    assert (await store.read(load)).incidents.keys() == {1000}


async def test_an_sms_about_several_hides_no_older_plain_message(store: Store) -> None:
    plain = replace(MESSAGE, incident_id=0, episode=0, text="paper out", rule="printer")
    bundle = replace(plain, id=2, text="3 alerts", about=(1000, 1001))
    storm = replace(plain, id=3, text="Limited until 14:20", rule="(storm)")
    made = Plan(messages=(plain, bundle, storm))

    def write(tx: Tx) -> Memory:
        mails.keep(tx, Envelope(b"x", NOW, "mon@host.test", (Recipient("a@b.test"),)), "test/1")
        plans.plan(tx, [Started()], lambda _h, _k: Needs(), lambda _h, _m: made, NOW)
        return recall.load(tx, Needs(phones=frozenset({plain.phone})), NOW)

    memory = await store.write(write)
    assert memory.plain[plain.phone].text == "paper out"
    assert set(memory.messages) == {1, 2, 3}  # all that is still to leave for this phone
