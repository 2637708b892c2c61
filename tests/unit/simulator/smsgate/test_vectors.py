"""What the protocol's vectors say, asked of the simulator: requests as they stand there, answers of the same shape."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from xml.etree import ElementTree

import pytest

from bridge.simulator.settings import Handler

VECTORS = Path(__file__).parents[3] / "vectors"
ALL = json.loads((VECTORS / "smsgate.json").read_text(encoding="utf-8"))


def named(kind: str, name: str) -> dict[str, Any]:
    (found,) = [one for one in ALL[kind] if one["name"] == name]
    return dict(found)


@pytest.mark.parametrize("name", ["the page's cascade: viber, then vk, then sms", "send to two phones"])
def test_a_get_of_the_page_is_taken(gate: Any, name: str) -> None:
    case = named("get", name)
    answer = gate.ask("sendmessage", query=urlsplit(case["url"]).query)
    assert len(answer.split(",")) == len(case["parsed"]["ids"])
    assert all(id.isdecimal() for id in answer.split(","))


def test_the_same_get_within_a_minute_is_refused_in_the_page_s_words(gate: Any) -> None:
    query = urlsplit(named("get", "send to two phones")["url"]).query
    assert gate.ask("sendmessage", query=query)[0].isdecimal()
    assert gate.ask("sendmessage", query=query) == named("get", "duplicate")["reply"]
    gate.later(61)
    assert gate.ask("sendmessage", query=query)[0].isdecimal()


def test_a_token_is_taken_by_get(gate: Any) -> None:
    case = named("get", "token instead of login and password")
    assert gate.ask("sendmessage", query=urlsplit(case["url"]).query, token="TOKEN").isdecimal()


def test_a_wrong_password_is_answered_with_or_without_the_prefix(gate: Any) -> None:
    words = named("get", "other error, no prefix promised")["reply"]
    assert gate.ask("sendmessage", query="login=demo&password=x&phone=1") == f"error: {words}"
    gate.switch(error_prefix=False)
    assert gate.ask("sendmessage", query="login=demo&password=x&phone=1") == words


def test_the_mixed_json_is_answered_in_the_same_mixture(gate: Any) -> None:
    case = named("json", "send, mixed reply")
    answer = json.loads(gate.ask("sendmessagejson", body=json.dumps(case["request"])))
    assert _shape(answer) == _shape(case["reply"])
    assert answer["message"][0][1] == case["reply"]["message"][0][1]
    assert answer["message"][2] == case["reply"]["message"][2]
    assert [message.channel for message in gate.simulator.messages()] == ["viber", "viber"]


def _shape(value: Any) -> Any:
    """Names and kinds, without the values."""
    if isinstance(value, dict):
        return {name: _shape(one) for name, one in value.items()}
    return [_shape(one) for one in value] if isinstance(value, list) else type(value).__name__


def test_states_are_answered_in_the_vector_s_shape(gate: Any, cascade: dict[str, str]) -> None:
    gate.fault(fates={"viber": "expired"})
    id = gate.send(**cascade)["id_message"]
    gate.later(181)
    gate.later(1)
    case = named("json", "state")
    asked = json.dumps(case["request"]).replace("1000123", id)
    known, unknown = json.loads(gate.ask("sendmessagejson", body=asked))["state"]
    expected, nobody = case["reply"]["state"]
    assert unknown == nobody
    assert list(known) == list(expected)
    different = {name for name in known if known[name] != expected[name]}
    assert different == {"time_change_state"}


def test_the_xml_of_the_vectors_is_taken_and_answered(gate: Any) -> None:
    answer = gate.ask("message", body=(VECTORS / "smsgate_send_request.xml").read_bytes())
    given = ElementTree.fromstring(answer).find("message/information")  # noqa: S314 - our own
    assert given is not None
    assert (given.text, given.get("client_id_message"), given.get("phone")) == ("send", "111", "77010000001")
    expected = ElementTree.fromstring((VECTORS / "smsgate_send_reply.xml").read_bytes()).find("message/information")  # noqa: S314
    assert expected is not None
    assert set(given.attrib) == {*expected.attrib, "id_whatsapp"}
    gate.switch(id_whatsapp=False)
    body = (VECTORS / "smsgate_send_request.xml").read_bytes().replace(b'"111"', b'"113"')
    assert "id_whatsapp" not in gate.ask("message", body=body)
    assert [message.text for message in gate.simulator.messages()] == ["line one\nline two"] * 2


def test_the_state_request_of_the_vectors_is_answered(gate: Any) -> None:
    id = gate.send()["id_message"]
    gate.later(2)
    body = (VECTORS / "smsgate_state_request.xml").read_text(encoding="utf-8").replace("1000123", id)
    states = ElementTree.fromstring(gate.ask("state_message", body=body)).findall("state")  # noqa: S314 - our own
    assert [(one.get("id_message"), one.text) for one in states] == [
        (id, "deliver"),
        ("1", "Сообщение с таким ID не принималось"),
    ]
    expected = ElementTree.fromstring((VECTORS / "smsgate_state_reply.xml").read_bytes()).find("state")  # noqa: S314
    assert expected is not None
    assert set(states[0].attrib) == set(expected.attrib)


@pytest.mark.parametrize("body", ["<request>", "<request>\n</request>", "<!DOCTYPE a []><request/>", "<other/>"])
def test_what_is_no_document_is_refused_in_the_vector_s_words(gate: Any, body: str) -> None:
    reply = named("xml", "whole document refused")["reply"]
    words = ElementTree.fromstring(reply).findtext("error") or "?"  # noqa: S314 - our own
    assert words in gate.ask("message", body=body)


def test_a_document_that_is_refused_has_the_status_of_the_switch(gate: Any) -> None:
    gate.ask("message", body="<request>")
    assert gate.status == 200
    gate.switch(error_status=400)
    gate.ask("message", body="<request>")
    assert gate.status == 400


def test_posts_are_those_of_the_vectors(gate: Any, cascade: dict[str, str]) -> None:
    gate.simulator.air.handlers = (Handler(url="http://us.test/x", gateway="smsgate"), Handler(url="http://us.test/y"))
    gate.send(**cascade)
    gate.later(2)
    gate.simulator.reply("77010000001", "ответ")
    (kind, state, wants), (json_kind, viber, _) = gate.posted()
    expected = ALL["push_status_xml"]["request"]
    element, like = (ElementTree.fromstring(one).find("state") for one in (state, expected))  # noqa: S314 - our own
    assert element is not None
    assert like is not None
    assert (kind.partition(";")[0], element.text, set(element.attrib)) == ("text/xml", "deliver", set(like.attrib))
    assert wants == f"<id_sms>{element.get('id_sms')}</id_sms>"
    assert wants in ALL["push_status_xml"]["reply"].replace("3234", element.get("id_sms", ""))
    assert json_kind.startswith("application/json")
    assert _shape(json.loads(viber)) == _shape(ALL["inbound_viber_json"]["body"])
