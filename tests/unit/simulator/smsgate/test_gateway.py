"""What is taken, what is refused, and both answers to everything the page leaves open."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bridge.simulator.simulator import CannotAnswer
from bridge.simulator.smsgate import texts


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"send_sms": "0"}, texts.NO_SENDER),
        ({"send_sms": ""}, texts.NO_SENDER),
        ({"send_sms": "x"}, texts.ORDER),
        ({"send_sms": "10"}, texts.ORDER),
        ({"send_viber": "1", "text_viber": "x", "sender_viber": "T"}, texts.ORDER),
        ({"text_sms": ""}, texts.NO_TEXT),
        ({"sender_sms": ""}, texts.NO_SENDER),
        ({"sender_sms": "TWELVELETTER"}, texts.LONG_SENDER),
        ({"sender_sms": "1234567890123456"}, texts.LONG_SENDER),
        ({"send_viber": "2", "text_viber": "x" * 1001, "sender_viber": "T"}, texts.LONG_TEXT),
        ({"send_viber": "2", "text_viber": "x", "sender_viber": "T", "validity_period_viber": "0"}, texts.ORDER),
        ({"button_text": "x" * 20, "button_url": "u"}, texts.LONG_BUTTON),
        ({"button_text": "x"}, texts.NO_LINK),
        ({"image_url": "i"}, texts.NO_LINK),
        ({"send_vk": "2"}, texts.NO_TEXT),
    ],
    ids=str,
)
def test_a_message_that_is_wrong_is_refused_whole(gate: Any, fields: dict[str, str], words: str) -> None:
    assert gate.send(**fields) == {"error": words}
    assert gate.channels == []


@pytest.mark.parametrize(
    ("phone", "words"),
    [("770", texts.STOP_LIST), ("", texts.NO_PHONE), ("+77010000001", texts.NO_PHONE), ("7" * 16, texts.LONG_NUMBER),
     ("123", texts.LONG_NUMBER)],
)  # fmt: skip
def test_a_phone_that_is_wrong_is_refused_alone(gate: Any, phone: str, words: str) -> None:
    refused = gate.send(phone)
    assert (refused["error"], refused["phone"]) == (words, phone)
    assert "id_message" not in refused


def test_senders_words_and_directions_are_those_of_the_account(gate: Any) -> None:
    gate.account(senders=("BANK",), forbidden_words=("casino",), unreachable=("7702",))
    assert gate.send(sender_sms="TEST") == {"error": texts.UNKNOWN_SENDER}
    assert gate.send(sender_sms="BANK", text_sms="a Casino!")["error"] == texts.MODERATOR
    assert gate.send("77020000001", sender_sms="BANK")["error"] == texts.CLOSED
    assert gate.send(sender_sms="77055550000")["id_message"]


def test_a_number_that_is_none_is_refused(gate: Any) -> None:
    assert gate.send(client_id="abc")["error"] == texts.CLIENT_ID


@pytest.mark.parametrize("repeated", ["same id", "error", "no id"])
def test_a_repeated_number_sends_nothing_and_is_answered_as_switched(gate: Any, repeated: str) -> None:
    gate.switch(repeated=repeated)
    first = gate.send(client_id="111")
    second = gate.send(client_id="111", text_sms="another text")
    assert len(gate.channels) == 1
    expected = {
        "same id": first,
        "error": {"client_id_message": "111", "phone": "77010000001", "error": texts.SENT_BEFORE},
        "no id": {name: value for name, value in first.items() if name != "id_message"},
    }
    assert second == expected[repeated]


def test_without_a_number_the_same_message_is_sent_again_unless_switched(gate: Any) -> None:
    assert gate.send()["id_message"] != gate.send()["id_message"]
    gate.switch(identical_post=True)
    gate.send()
    message = {"send_sms": "1", "sender_sms": "TEST", "text_sms": "hello"}
    asked = [{**message, "phones": [{"phone": "77010000001", "client_id_message": ""}]}]
    assert gate.json(message=asked) == {"error": texts.IDENTICAL}


def test_get_takes_the_same_twice_only_where_switched(gate: Any) -> None:
    params = {"phone": "77010000001", "send_sms": "1", "sender_sms": "T", "text_sms": "x"}
    gate.switch(identical_get=False)
    assert gate.get(**params) != gate.get(**params)
    assert len(gate.channels) == 2


@pytest.mark.parametrize(
    ("switch", "check"),
    [
        ({"ids_as_numbers": True}, lambda one: isinstance(one["id_message"], int) and isinstance(one["id_sms"], int)),
        ({"id_whatsapp": False}, lambda one: "id_whatsapp" not in one),
        ({"echo_client_id": False}, lambda one: one["client_id_message"] == ""),
        ({"later_ids": True}, lambda one: one["id_sms"] != "0"),
        ({}, lambda one: one["id_viber"] != "0" and one["id_sms"] == "0"),
    ],
    ids=["numbers", "no whatsapp id", "no client id", "later ids", "as it is"],
)
def test_an_acceptance_is_written_as_switched(
    gate: Any, cascade: dict[str, str], switch: dict[str, Any], check: Any
) -> None:
    gate.switch(**switch)
    assert check(gate.send(client_id="111", **cascade))


def test_results_come_as_lists_or_objects(gate: Any) -> None:
    message = {"send_sms": "1", "sender_sms": "T", "text_sms": "x", "phones": [{"phone": "77010000001"}]}
    refused = {**message, "send_sms": "0"}
    good, bad = gate.json(message=[message, refused])["message"]
    assert (type(good), type(bad)) == (list, dict)
    gate.switch(single_as_object=True, refusal_in_list=True)
    good, bad = gate.json(message=[message, refused])["message"]
    assert (type(good), type(bad)) == (dict, list)


def test_a_token_opens_what_the_switch_says(gate: Any) -> None:
    params = {"phone": "77010000001", "send_sms": "1", "sender_sms": "T", "text_sms": "x"}
    assert gate.get(token="TOKEN", **params).isdecimal()
    assert texts.PASSWORD in gate.get(token="OTHER", **params)
    gate.switch(token_everywhere=False)
    assert texts.PASSWORD in gate.get(token="TOKEN", **params)
    assert texts.PASSWORD in gate.ask("state_message", body="<request/>", token="TOKEN")
    body = json.dumps({"state": [{"id_message": "1"}]})
    assert "state" in json.loads(gate.ask("sendmessagejson", body=body, token="TOKEN"))


@pytest.mark.parametrize("document", [b"", b"[]", b"{", b"1", b'{"message": []}', b'{"message": {}}', b"\xff"])
def test_a_json_document_that_is_none_is_refused(gate: Any, document: bytes) -> None:
    body = document.replace(b"{", b'{"login": "demo", "password": "secret",', 1) if b":" in document else document
    assert set(json.loads(gate.ask("sendmessagejson", body=body))) == {"error"}


def test_money_is_taken_for_the_channel_that_made_it(gate: Any, cascade: dict[str, str]) -> None:
    gate.fault(fates={"viber": "undelivered"})
    gate.send(**cascade, text_sms="x" * 161)
    gate.later(1)
    assert '<money currency="RUR">97.70</money>' in gate.xml("balance", "")


def test_without_money_the_message_waits_for_some(gate: Any) -> None:
    """A late alert: the text of the refusal says it, and so it is."""
    gate.account(balance=Decimal(0))
    assert gate.send(client_id="111")["error"] == texts.NO_MONEY
    gate.later(60)
    assert gate.channels == []
    gate.account(balance=Decimal(10))
    gate.later(2)
    assert gate.channels == ["sms"]
    gate.account(balance=Decimal(0))
    gate.switch(queue_unpaid=False)
    assert gate.send(client_id="112")["error"] == texts.NO_MONEY
    gate.account(balance=Decimal(10))
    gate.later(2)
    assert gate.channels == ["sms"]


def test_a_fault_keeps_one_message_as_unpaid_until_a_moment_later(gate: Any) -> None:
    """``refuse: 3`` alone takes nothing; with ``take`` it says the same and means what it says."""
    gate.fault(refuse=3)
    assert gate.send(client_id="110")["error"] == texts.NO_MONEY
    gate.fault(refuse=3, take=True, times=1)
    assert gate.send(client_id="111")["error"] == texts.NO_MONEY
    assert gate.channels == []
    assert gate.send(client_id="111")["id_message"], "the number is used, though nothing has begun"
    gate.later(2)
    assert gate.channels == ["sms"]


def test_what_a_fault_keeps_is_gone_where_nothing_is_kept(gate: Any) -> None:
    gate.switch(queue_unpaid=False)
    gate.fault(refuse=3, take=True, times=1)
    assert gate.send(client_id="111")["error"] == texts.NO_MONEY
    gate.later(2)
    assert gate.channels == []


def test_variables_of_address_books_are_replaced_where_switched(gate: Any) -> None:
    gate.send(text_sms="a #name# b")
    gate.switch(macros=True)
    gate.send(text_sms="a #name# b")
    assert [one.text for one in gate.simulator.messages()] == ["a #name# b", "a  b"]


def test_inbound_sms_are_fetched_by_time_in_the_zone_that_is_switched(gate: Any) -> None:
    gate.switch(hours_from_utc=3)
    gate.simulator.reply("77010000001", "one\ntwo", to="77055550000")
    gate.simulator.reply("77010000001", "to somebody else", to="77770000000")
    found = gate.xml("incoming", '<time start="2025-11-21 09:59:59" end="2025-11-21 10:00:01" />')
    assert found.count("<sms ") == 1
    assert 'date_receive="2025-11-21 10:00:00"' in found
    assert 'originator="77010000001"' in found
    assert ">one\\ntwo</sms>" in found
    assert "<sms " not in gate.xml("incoming", '<time start="2025-11-21 10:00:00" />')


def test_a_viber_message_is_answered_by_viber_and_an_sms_by_sms(gate: Any, cascade: dict[str, str]) -> None:
    gate.send(**cascade)
    assert gate.simulator.reply("77010000001", "да").kind == "viber"
    assert gate.simulator.reply("77010000001", "да", to="77055550000").kind == "sms"
    gate.send("77010000002")
    with pytest.raises(CannotAnswer):
        gate.simulator.reply("77010000002", "да")


def test_states_are_posted_where_get_state_said(gate: Any, cascade: dict[str, str]) -> None:
    assert gate.xml("get_state", '<get_state type="set">http://us.test/states</get_state>').count("us.test") == 1
    gate.fault(fates={"viber": "undelivered"})
    answer = gate.send(**cascade)
    for _ in range(3):
        gate.later(1)
    words = [wants for _, _, wants in gate.posted()]
    cascade_of = gate.simulator.smsgate.cascades.by_id[answer["id_message"]]
    assert words == [f"<id_sms>{cascade_of.ids[way]}</id_sms>" for way in ("viber", "sms")]
    gate.switch(push_cascade=False)
    gate.send(**cascade)
    gate.later(2)
    gate.later(2)
    assert gate.posted() == []
    gate.switch(pushed_id="id_message")
    answer = gate.send("77010000009")
    gate.later(1)
    assert [wants for _, _, wants in gate.posted()] == [f"<id_sms>{answer['id_message']}</id_sms>"]
    gate.xml("get_state", '<get_state type="set"></get_state>')
    assert gate.simulator.air.handlers == ()


@pytest.mark.parametrize(("refuse", "words"), [*texts.WHOLE.items(), *texts.ITEM.items()])
def test_a_fault_refuses_in_words_and_takes_nothing(gate: Any, refuse: int, words: str) -> None:
    gate.fault(refuse=refuse)
    message = {"send_sms": "1", "sender_sms": "T", "text_sms": "x", "phones": [{"phone": "77010000001"}]}
    assert words in json.dumps(gate.json(message=[message]), ensure_ascii=False)
    assert gate.channels == []
    gate.fault(refuse=refuse, take=True)
    assert words in json.dumps(gate.json(message=[message]), ensure_ascii=False)
    gate.later(1)
    assert gate.channels == ["sms"], "the error that proves nothing"


def test_a_phone_has_faults_of_its_own(gate: Any) -> None:
    gate.simulator.set_faults({"smsgate": {"phones": {"77010000001": {"refuse": 8, "times": 1}}}})
    assert gate.send()["error"] == texts.STOP_LIST
    assert gate.send("77010000002")["id_message"]
    assert gate.send()["id_message"]


def test_too_many_a_second_are_refused(gate: Any) -> None:
    gate.fault(throttle=1)
    gate.send()
    assert "error" in gate.json(message=[{"send_sms": "1"}])


@pytest.mark.parametrize("page", ["sendmessage", "sendmessagejson", "message", "state_message", "balance", "incoming"])
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(body=st.binary(max_size=200), query=st.text(alphabet=st.characters(max_codepoint=127), max_size=100))
def test_any_request_is_answered(gate: Any, page: str, body: bytes, query: str) -> None:
    assert gate.ask(page, body=body, query=query)
