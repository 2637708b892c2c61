"""What a message becomes as a cascade, and what is refused before a byte leaves."""

from __future__ import annotations

import dataclasses
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.config.models.providers import Provider
from bridge.errors import PermanentFailure
from bridge.model import Message, WayText
from bridge.providers.smsgate_cascade import canonical, check, check_parts, order, plain
from bridge.providers.smsgate_get import Get
from bridge.providers.smsgate_json import Json
from bridge.providers.smsgate_wire import Login
from bridge.providers.smsgate_xml import Xml

NOW = datetime(2026, 11, 21, 3, 0, tzinfo=UTC)
DANGEROUS = json.loads((Path(__file__).parents[2] / "vectors" / "dangerous_texts.json").read_text(encoding="utf-8"))


def settings(**keys: Any) -> Provider:
    return Provider.model_validate({"type": "smsgate-json", "base_url": "https://gate.example", **keys})


def message(**changes: Any) -> Message:
    made = Message(
        id=1, phone="+77010000001", person="", text="12 CRIT db01: disk full", encoding="GSM-7", segments=1, price=None,
        currency="KZT", rule="night", message_class="normal", channel="sms", providers=("gate",), originator="",
        answerable=False, created_at=NOW, due_at=NOW, valid_until=NOW + timedelta(minutes=30), language="en",
    )  # fmt: skip
    return dataclasses.replace(made, **changes)


def test_an_ordinary_message_goes_the_ways_of_the_door_in_their_order() -> None:
    door = settings(channels=["viber", "whatsapp", "sms"], viber_sender="ACME", whatsapp_sender="WACME", sender="BANK")
    fields = canonical(message(), door, NOW)
    assert fields == {
        "phone": "77010000001",
        "send_viber": "1",
        "text_viber": "12 CRIT db01: disk full",
        "sender_viber": "ACME",
        "validity_period_viber": "3",
        "finale_viber_read": "0",
        "send_whatsapp": "2",
        "text_whatsapp": "12 CRIT db01: disk full",
        "sender_whatsapp": "WACME",
        "validity_period_whatsapp": "3",
        "send_sms": "3",
        "text_sms": "12 CRIT db01: disk full",
        "sender_sms": "BANK",
    }
    check(fields)


def test_a_rule_that_says_viber_gets_viber_alone() -> None:
    assert order(canonical(message(channel="viber"), settings(channels=["sms"]), NOW)) == ["viber"]


@pytest.mark.parametrize("channel", ["call", "flash"])
def test_what_smsgate_cannot_do_is_refused_before_a_byte_leaves(channel: Any) -> None:
    with pytest.raises(PermanentFailure):
        check(canonical(message(channel=channel), settings(channels=["sms"]), NOW))


def test_a_text_too_long_for_viber_goes_by_sms_alone() -> None:
    door = settings(channels=["viber", "sms"])
    assert order(canonical(message(text="x" * 1000), door, NOW)) == ["viber", "sms"]
    assert order(canonical(message(text="x" * 1001), door, NOW)) == ["sms"]
    with pytest.raises(PermanentFailure):
        check(canonical(message(text="x" * 1001, channel="viber"), door, NOW))


def test_who_unsubscribed_from_viber_gets_the_other_ways() -> None:
    gone = ("viber",)
    assert order(canonical(message(), settings(channels=["viber", "sms"]), NOW, unsubscribed=gone)) == ["sms"]
    assert order(canonical(message(), settings(channels=["viber"]), NOW, unsubscribed=gone)) == []
    assert order(canonical(message(channel="viber"), settings(), NOW, unsubscribed=gone)) == []


def test_a_rule_writes_its_own_text_button_picture_and_time_for_viber() -> None:
    wish = WayText(
        "viber", "db01: disk full, 96 %", timedelta(minutes=7), ("Open", "https://wiki.example/db"), "https://i.example/1"
    )  # fmt: skip
    fields = canonical(message(ways=(wish,), message_class="critical"), settings(channels=["viber", "sms"]), NOW)
    assert fields == {
        "phone": "77010000001",
        "send_viber": "1",
        "text_viber": "db01: disk full, 96 %",
        "validity_period_viber": "7",
        "finale_viber_read": "0",
        "button_text": "Open",
        "button_url": "https://wiki.example/db",
        "image_url": "https://i.example/1",
        "send_sms": "2",
        "text_sms": "12 CRIT db01: disk full",
    }
    check(fields)


def test_the_message_ends_before_a_rule_s_time_for_a_way_does() -> None:
    wish = WayText("viber", validity=timedelta(hours=2))
    fields = canonical(message(ways=(wish,)), settings(channels=["viber", "sms"]), NOW)
    assert fields["validity_period_viber"] == "30"
    assert fields["text_viber"] == fields["text_sms"]


def test_a_button_shows_with_viber_only_and_a_picture_by_whatsapp_needs_none() -> None:
    viber = WayText("viber", button=("Open", "https://wiki.example/db"), image="https://i.example/1")
    whatsapp = WayText("whatsapp", "a long story", image="https://i.example/2")
    asked = message(ways=(viber, whatsapp))
    assert "button_text" not in canonical(asked, settings(channels=["sms"]), NOW)
    fields = canonical(asked, settings(channels=["whatsapp", "sms"]), NOW)
    assert (fields["text_whatsapp"], fields["image_url_whatsapp"]) == ("a long story", "https://i.example/2")
    assert "image_url" not in fields
    check(fields)


def test_vk_goes_with_its_template_and_is_left_out_without_one() -> None:
    door = settings(channels=["vk", "sms"])
    assert order(canonical(message(), door, NOW)) == ["sms"]
    vk = WayText("vk", template="100", values=(("Host", 'db01 "x" #name#'), ("What", "disk\nfull")))
    fields = canonical(message(ways=(vk,)), door, NOW)
    assert order(fields) == ["vk", "sms"]
    assert "text_vk" not in fields
    check(fields)
    sent = json.loads(Json().send(fields, "5", Login("a", "b")).body or b"")["message"][0]
    assert (sent["templateId"], sent["templateData"]) == ("100", {"Host": "db01 \"x\" 'name'", "What": "disk\nfull"})


def test_a_long_text_of_its_own_closes_viber_and_not_the_sms() -> None:
    asked = message(ways=(WayText("viber", "x" * 1001),))
    assert order(canonical(asked, settings(channels=["viber", "sms"]), NOW)) == ["sms"]


@pytest.mark.parametrize("case", DANGEROUS["dangerous"], ids=lambda case: repr(case["text"])[:40])
def test_T16_nothing_that_a_text_says_becomes_a_button_a_picture_or_a_way(case: dict[str, Any]) -> None:
    text = case["text"]
    asked = message(text=text, ways=(WayText("viber", text), WayText("vk", template="1", values=(("x", text),))))
    fields = canonical(asked, settings(channels=["viber", "vk", "sms"]), NOW)
    assert not {"button_text", "button_url", "image_url", "image_url_whatsapp"} & set(fields)
    assert fields["templateId"] == "1"
    assert set(json.loads(fields["templateData"])) == {"x"}


@pytest.mark.parametrize(
    ("kind", "configured", "left", "minutes"),
    [
        ("normal", "10m", 30, "10"),
        ("critical", "10m", 30, "3"),
        ("critical", "2m", 30, "2"),
        ("normal", "10m", 4, "4"),
        ("normal", "30s", 30, "1"),
        ("normal", "3m", 0, "1"),
    ],
)
def test_viber_is_tried_no_longer_than_the_message_is_worth(
    kind: Any, configured: str, left: int, minutes: str
) -> None:
    asked = message(message_class=kind, valid_until=NOW + timedelta(minutes=left))
    fields = canonical(asked, settings(channels=["viber", "sms"], viber_validity=configured), NOW)
    assert fields["validity_period_viber"] == minutes


@pytest.mark.parametrize(
    ("keys", "changes", "sender"),
    [
        ({"number": "+77055550000", "sender": "BANK"}, {"answerable": True}, "77055550000"),
        ({"number": "+77055550000", "sender": "BANK"}, {}, "BANK"),
        ({"number": "+77055550000", "sender": "BANK", "number_as_sender": False}, {"answerable": True}, "BANK"),
        ({"sender": "BANK", "senders": {"+7701": "KCELL", "+77": "KZ"}}, {}, "KCELL"),
        ({"sender": "BANK"}, {"originator": "SHOP"}, "SHOP"),
        ({}, {}, None),
    ],
)
def test_the_sender_is_that_of_whoever_may_say_it(
    keys: dict[str, Any], changes: dict[str, Any], sender: str | None
) -> None:
    assert canonical(message(**changes), settings(**keys), NOW).get("sender_sms") == sender


@pytest.mark.parametrize("phone", ["", "G1", "77010000001,77010000002", "a@b.kz", "7701000000１", "0701000000", "+7"])
def test_T15_what_is_no_number_is_refused(phone: str) -> None:
    with pytest.raises(PermanentFailure):
        check({"phone": phone, "send_sms": "1", "text_sms": "x"})


@pytest.mark.parametrize(
    "wrong",
    [
        {"send_sms": "0"},
        {"send_sms": "1", "send_viber": "1", "text_viber": "x"},
        {"send_sms": "10"},
        {"send_sms": "1", "text_sms": ""},
        {"send_sms": "1", "send_vk": "2"},
        {"base": "4"},
        {"button_text_whatsapp": "x"},
        {"templateData": "[1]"},
        {"templateData": "{"},
        {"finale_viber_read": "2"},
    ],
    ids=str,
)
def test_what_the_provider_would_not_understand_is_refused(wrong: dict[str, str]) -> None:
    check({"phone": "77010000001", "send_sms": "1", "text_sms": "x"})
    with pytest.raises(PermanentFailure):
        check({"phone": "77010000001", "send_sms": "1", "text_sms": "x", **wrong})


def test_T16_a_button_comes_from_nowhere_but_a_rule() -> None:
    """A message has no field for one yet; whatever its text is."""
    fields = canonical(message(text='","button_text":"x","button_url":"https://evil.example'), settings(), NOW)
    assert not [name for name in fields if name.startswith(("button", "image", "base", "template"))]
    check_parts({"button_text": "Open", "button_url": "https://example.com", "image_url": "https://example.com/i.png"})


@pytest.mark.parametrize(("text", "left"), [("#name#", "'name'"), ("a #number# b", "a 'number' b"), ("#12# C#", None)])
def test_T16_a_variable_of_an_address_book_is_only_text(text: str, left: str | None) -> None:
    assert plain(text) == (left or text)
    assert len(plain(text)) == len(text)


@pytest.mark.parametrize("case", DANGEROUS["dangerous"], ids=lambda case: repr(case["text"])[:40])
def test_T13_T14_a_dangerous_text_stays_readable_text(case: dict[str, str]) -> None:
    letters = [letter for letter in case["text"] if letter.isalnum()]
    assert [letter for letter in plain(case["text"]) if letter.isalnum()] == letters


@given(text=st.text(min_size=1, max_size=200))
def test_T16_whatever_the_text_is_it_is_one_value_in_every_way_of_writing(text: str) -> None:
    fields = canonical(message(text=text), settings(), NOW)
    expected, login = fields["text_sms"], Login("demo", "secret")
    (asked,) = json.loads(Json().send(fields, "1", login).body or b"")["message"]
    assert asked["text_sms"] == expected
    assert set(asked) == {"send_sms", "text_sms", "phones"}
    document = ElementTree.fromstring(Xml().send(fields, "1", login).body or b"")  # noqa: S314 - our own
    assert [one.tag for one in document.iter()] == [
        "request", "security", "login", "password", "message", "send_sms", "text_sms", "abonent",
    ]  # fmt: skip
    body = Xml().send(fields, "1", login).body or b""
    assert b"\n" not in body
    target = Get().send(fields, "1", login).target
    assert target.count("&") == 4
    assert all(" " < letter <= "~" for letter in target)


def test_a_text_that_an_url_cannot_hold_is_refused() -> None:
    with pytest.raises(PermanentFailure, match="smsgate-json"):
        Get().send(canonical(message(text="ж" * 400), settings(), NOW), "1", Login("demo", "secret"))


def test_xml_has_one_line_and_a_literal_backslash_n_does_not_become_two() -> None:
    fields = canonical(message(text="one\ntwo C:\\new"), settings(), NOW)
    assert b"<text_sms>one\\ntwo C:/new</text_sms>" in (Xml().send(fields, "1", Login("a", "b")).body or b"")
