"""Who is on call, as a terminal beside a running bridge sees it."""

from __future__ import annotations

import asyncio
import json
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from bridge.book.calendars import copy_of
from bridge.book.loading import load_book
from bridge.cli.checkup import phones
from bridge.cli.checkup.finding import Patient
from bridge.dispatch.decide import bound
from bridge.store import inbound, plans
from bridge.store.engine import Tx

if TYPE_CHECKING:
    from conftest import House

URL = "https://calendar.example.kz/duty.ics"


def shift(person: str) -> bytes:
    today = datetime.now(UTC)
    begin, end = (f"{today + timedelta(days=days):%Y%m%dT000000Z}" for days in (-2, 2))
    lines = [
        "BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:x", "BEGIN:VEVENT", "UID:1", "DTSTAMP:20260101T000000Z",
        f"DTSTART:{begin}", f"DTEND:{end}", f"SUMMARY:{person}", "END:VEVENT", "END:VCALENDAR", "",
    ]  # fmt: skip
    return "\r\n".join(lines).encode()


def test_who_knows_the_calendar_that_the_bridge_fetched_last_and_needs_no_network(house: House) -> None:
    house.write(more=f'rotas: {{duty: {{ical: {{url: "{URL}"}}}}}}\n')
    assert json.loads(house.call("oncall", "who", "--json").out)[0]["on_call"] == []
    copy_of(house.folder, URL).parent.mkdir()
    copy_of(house.folder, URL).write_bytes(shift("asel"))
    assert json.loads(house.call("oncall", "who", "--json").out)[0]["on_call"] == ["asel"]


def stop(house: House) -> None:
    """The phone of asel says STOP."""
    book, now = load_book(house.config).require(), datetime.now(UTC)

    def take(tx: Tx) -> None:
        assert inbound.keep(tx, "1", "sms", "smsc", "+77010000001", "+77770000000", "stop", now)
        assert plans.plan(tx, inbound.waiting(tx, 1), *bound(book, now), now)[0].error is None

    house.store(take)


def test_who_says_whose_sms_are_off_and_start_turns_them_on(house: House) -> None:
    house.write(more="rotas: {duty: {members: [asel, boris], starts: 2026-01-05, every: 5200w}}\n")
    assert json.loads(house.call("oncall", "who", "--json").out)[0]["on_call"] == ["asel"]
    stop(house)
    seen = json.loads(house.call("oncall", "who", "--json").out)[0]
    assert (seen["on_call"], seen["stopped"]) == (["boris"], "asel")
    assert "Асель turned SMS off" in house.call("oncall", "who").out
    assert house.call("oncall", "start", "nobody").err == "smsbridge oncall start: SMS to nobody are not off\n"
    assert house.call("oncall", "start", "asel").out == "SMS to asel are on\n"
    assert json.loads(house.call("oncall", "who", "--json").out)[0]["on_call"] == ["asel"]


def test_T40_nothing_is_sent_by_hand_to_a_phone_that_said_stop(house: House) -> None:
    stop(house)
    refused = house.call("send", "asel", "hello", "--direct")
    assert refused.code == 1
    assert "stopped by asel: SMS to this phone are off until it sends START" in refused.err


def test_doctor_names_who_turned_sms_off(house: House) -> None:
    patient = Patient(house.config, load_book(house.config), datetime.now(UTC))
    assert asyncio.run(phones.stopped(patient)) == ()
    stop(house)
    found = asyncio.run(phones.stopped(patient))
    assert [(one.mark, one.about) for one in found] == [("warn", "asel")]
    assert found[0].mend == "START from that phone, or smsbridge oncall start asel"


def test_explain_with_the_store_knows_who_turned_sms_off(house: House) -> None:
    stop(house)
    mail = house.folder / "mail.eml"
    mail.write_bytes(b"Subject: disk full\r\nFrom: a@b.example\r\n\r\nhello\r\n")
    assert "No SMS: stopped by asel" in house.call("explain", str(mail), "--store").out


def test_explain_says_when_people_are_meant_because_a_rota_has_nobody(house: House) -> None:
    house.write(more="rotas: {duty: {ical: {file: none.ics}, otherwise: boris}}\n")
    (house.folder / "none.ics").write_bytes(shift("stranger"))
    (house.folder / "rules" / "10.yaml").write_text("rules: [{rule: all, to: on-call duty}]\n")
    mail = house.folder / "mail.eml"
    mail.write_bytes(b"Subject: disk full\r\nFrom: a@b.example\r\n\r\nhello\r\n")
    said = house.call("explain", str(mail)).out
    assert "SMS to boris" in said
    assert "nobody is on call in duty now: otherwise boris" in said
