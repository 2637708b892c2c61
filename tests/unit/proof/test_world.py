"""The world in memory: gateways, receipts, timers, and a memory that learns what was written."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import product

import pytest

from bridge.book import RuleBook
from bridge.config.secrets import SecretText
from bridge.memory import Memory
from bridge.model import Envelope, Message, Plan, Recipient, Spend
from bridge.proof.lasting import lasting_memory
from bridge.proof.world import Posted, Sent, World, originator
from bridge.providers.http import HttpClient
from bridge.providers.smsc_http import SmscHttp
from tests.unit.proof.office import Office

NOW = datetime(2026, 1, 5, 7, 0, tzinfo=UTC)
MAIL = b"From: nas7@mon.test\r\nSubject: disk full\r\nMessage-ID: <a@mon.test>\r\n\r\nhello\r\n"


def envelope(*recipients: str) -> Envelope:
    return Envelope(MAIL, NOW, "nas7@mon.test", tuple(map(Recipient, recipients)), peer="10.0.0.5")


def world(office: Office) -> World:
    return World(office.book(), NOW)


def test_what_may_go_leaves_at_once_and_its_receipt_comes_a_second_later(office: Office) -> None:
    here = world(office)
    here.mail(envelope("team@bridge.test"))
    sent = here.happened().effects
    assert [(e.at, e.via, e.message.state) for e in sent if isinstance(e, Sent)] == [(NOW, "smsc", "ACCEPTED")] * 2
    here.advance(NOW + timedelta(milliseconds=999))
    assert {m.state for m in here.memory.messages.values()} == {"ACCEPTED"}
    here.advance(NOW + timedelta(seconds=1))
    assert {m.state for m in here.memory.messages.values()} == {"DELIVERED"}
    assert here.happened().effects == []


def test_one_mail_to_two_addresses_is_two_effects(office: Office) -> None:
    here = world(office)
    here.mail(envelope("archive@bridge.test"))
    posted = [effect for effect in here.happened().effects if isinstance(effect, Posted)]
    assert [(p.address, p.rule) for p in posted] == [("list@bridge.test", "archive"), ("aigul@bridge.test", "archive")]


def test_the_door_passes_on_only_the_recipients_it_took(office: Office) -> None:
    here = world(office)
    knocked = here.mail(envelope("team@bridge.test", "who@bridge.test"))
    assert knocked.envelope is not None
    assert [r.address for r in knocked.envelope.recipients] == ["team@bridge.test"]
    assert [r.address for r in knocked.refusals] == ["who@bridge.test"]


def test_the_same_mail_twice_is_one(office: Office) -> None:
    here = world(office)
    here.mail(envelope("team@bridge.test"))
    here.happened()
    here.mail(envelope("team@bridge.test"))
    assert {fate.reason for fate in here.happened().fates} == {"same mail as M-1"}


def test_a_message_that_was_cancelled_before_its_time_never_leaves(office: Office) -> None:
    here = world(office)
    here.mail(envelope("team@bridge.test"))
    first, second = here.memory.messages.values()
    here.happened()
    waits = replace(first, id=90, state="READY", due_at=NOW + timedelta(hours=1))
    here.memory.apply(Plan(messages=(waits, replace(waits, id=91, phone=second.phone))))
    for message in (waits, here.memory.messages[91]):
        here._later(message.due_at, message)
    here.memory.apply(Plan(cancel=((90, "resolved before it was sent"),)))
    here.advance(NOW + timedelta(hours=2))
    sent = here.happened().effects
    assert [(e.message.id, e.at) for e in sent if isinstance(e, Sent)] == [(91, NOW + timedelta(hours=1))]


def test_a_memory_learns_what_its_plans_changed_about_messages(office: Office) -> None:
    here = world(office)
    here.mail(envelope("team@bridge.test"))
    memory = Memory(complete=True)
    one, two = here.memory.messages.values()
    memory.apply(Plan(messages=(replace(one, state="READY"), replace(two, state="ACCEPTED"))))
    memory.apply(Plan(cancel=((one.id, "over"),), states=((two.id, "UNDELIVERED", "8"), (777, "DELIVERED", ""))))
    assert [(m.state, m.reason) for m in memory.messages.values()] == [("CANCELLED", "over"), ("UNDELIVERED", "8")]
    assert one.id not in memory.waiting[one.incident_id]


@pytest.mark.parametrize("empty", [lambda: Memory(complete=True), lambda: lasting_memory("test", {})])
def test_a_memory_gets_back_what_a_cancelled_message_had_reserved(office: Office, empty: Callable[[], Memory]) -> None:
    memory, one = empty(), a_message(office)
    waits, left = replace(one, id=1, state="READY"), replace(one, id=2, state="ACCEPTED")
    spends = [Spend("total", NOW + timedelta(seconds=n), n, 1, Decimal(14), critical=False) for n in (1, 2, 3)]
    memory.apply(Plan(messages=(waits, left), spends=tuple(spends)))
    memory.apply(Plan(cancel=((1, "over"), (2, "over"))))
    found = memory.spent("total", NOW)
    assert (found.messages, found.money, found.oldest) == (2, Decimal(28), spends[1].at)


@pytest.mark.parametrize("answerable, wish", list(product([True, False], ["", "SHOP", "+77015554433"])))
def test_the_sender_shown_is_the_one_the_gateway_would_choose(office: Office, answerable: bool, wish: str) -> None:
    book, message = office.book(), a_message(office)
    changed = replace(message, answerable=answerable, originator=wish)
    for name, settings in book.config.providers.items():
        gateway = SmscHttp(name, settings, SecretText("x"), HttpClient())
        assert originator(book, changed, name) == gateway.canonical(changed, NOW).get("sender", "")


def a_message(office: Office) -> Message:
    here = world(office)
    here.mail(envelope("team@bridge.test"))
    return next(iter(here.memory.messages.values()))


def test_a_provider_with_senders_for_prefixes_shows_the_longest(office: Office) -> None:
    book, message = office.book(), replace(a_message(office), answerable=False)
    smsc = book.config.providers["smsc"].model_copy(update={"senders": {"+7": "SEVEN", "+7701": "LONG"}})
    config = book.config.model_copy(update={"providers": {"smsc": smsc}})
    changed: RuleBook = replace(book, config=config)
    gateway = SmscHttp("smsc", smsc, SecretText("x"), HttpClient())
    assert originator(changed, message, "smsc") == gateway.canonical(message, NOW)["sender"] == "LONG"
