"""What the protocol's vectors say, written and read by our side."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest

from bridge.errors import DeliveryError, OutcomeUnknown, PermanentFailure
from bridge.providers import smsgate_codes
from bridge.providers.base import Accepted, Request
from bridge.providers.smsgate_answers import Given, status, taken
from bridge.providers.smsgate_cascade import check_parts, order
from bridge.providers.smsgate_get import Get
from bridge.providers.smsgate_json import Json
from bridge.providers.smsgate_wire import Login
from bridge.providers.smsgate_xml import Xml, parse

VECTORS = Path(__file__).parents[2] / "vectors"
ALL = json.loads((VECTORS / "smsgate.json").read_text(encoding="utf-8"))
DEMO = Login("demo", "secret")


def named(kind: str, name: str) -> dict[str, Any]:
    (found,) = [one for one in ALL[kind] if one["name"] == name]
    return dict(found)


def request(client_id: str = "111", phone: str = "77010000001", **kinds: Any) -> Request:
    return Request({"phone": phone, "send_sms": "1", "text_sms": "x"}, client_id, **kinds)


# GET


def test_a_get_is_written_as_on_the_page() -> None:
    case = named("get", "the page's cascade: viber, then vk, then sms")
    fields = {name: value for name, value in case["params"].items() if name not in ("login", "password")}
    asked = Get().send(fields, "1", DEMO)
    assert dict(parse_qsl(urlsplit(asked.target).query, strict_parsing=True)) == case["params"]
    assert urlsplit(asked.target).path == urlsplit(case["url"]).path
    assert order(fields) == case["order"]


def test_a_token_takes_the_place_of_login_and_password() -> None:
    case = named("get", "token instead of login and password")
    login = Login(token="TOKEN")
    query = dict(parse_qsl(urlsplit(case["url"]).query))
    asked = Get().send(query, "1", login)
    assert login.headers() == case["headers"]
    assert f"https://gate.example{asked.target}" == case["url"]


@pytest.mark.parametrize("case", [one for one in ALL["get"] if "parsed" in one and "state" not in one["parsed"]],
                         ids=lambda case: case["name"])  # fmt: skip
def test_a_get_answer_is_ids_or_an_error(case: dict[str, Any]) -> None:
    given = list(Get().sent(case["reply"].encode()))
    if "ids" in case["parsed"]:
        assert [one.id for one in given] == case["parsed"]["ids"]
    else:
        assert [one.error for one in given] == [case["parsed"]["error"]]
        with pytest.raises(DeliveryError):
            taken(given, request())


@pytest.mark.parametrize("word", named("get", "status words")["replies"])
def test_a_get_state_is_a_word(word: str) -> None:
    assert status(Get().stated(word.encode(), ["1"])["1"]).code == word


def test_a_get_question_is_written_as_on_the_page() -> None:
    case = named("get", "status")
    assert f"https://gate.example{Get().states(['1000123'], DEMO).target}" == case["url"]


# JSON


def test_a_json_request_is_written_as_in_the_vector() -> None:
    case = named("json", "send, mixed reply")
    message = dict(case["request"]["message"][0])
    first = message.pop("phones")[0]
    asked = Json().send({"phone": first["phone"], **message}, first["client_id_message"], DEMO)
    assert (asked.method, asked.target, asked.content_type) == ("POST", case["path"], case["content_type"])
    expected = {**case["request"], "message": [{**message, "phones": [first]}]}
    assert json.loads(asked.body or b"") == expected


def test_a_template_is_an_object_in_json_and_elements_in_xml() -> None:
    fields = {"phone": "77010000001", "send_vk": "1", "templateId": "100", "templateData": '{"Name":"Имя"}'}
    (message,) = json.loads(Json().send(fields, "1", DEMO).body or b"")["message"]
    assert message["templateData"] == {"Name": "Имя"}
    assert "<templateData><Name>Имя</Name></templateData>" in (Xml().send(fields, "1", DEMO).body or b"").decode()


@pytest.mark.parametrize("case", [one for one in ALL["json"] if "message" in one["reply"] or "error" in one["reply"]],
                         ids=lambda case: case["name"])  # fmt: skip
def test_a_json_answer_is_read_as_in_the_vector(case: dict[str, Any]) -> None:
    given = list(Json().sent(json.dumps(case["reply"]).encode()))
    results = case["parsed"] if isinstance(case["parsed"], list) else [case["parsed"]]
    accepted = [one["id_message"] for result in results for one in result.get("accepted", ())]
    rejected = [one["phone"] for result in results for one in result.get("rejected", ())]
    assert [one.id for one in given if one.id] == accepted
    assert [one.phone for one in given if one.error and one.phone] == rejected
    assert sum(1 for one in given if one.error and not one.phone) == sum("error" in result for result in results)


def test_our_result_is_found_by_our_number_and_not_by_its_place() -> None:
    given = list(Json().sent(json.dumps(named("json", "send, mixed reply")["reply"]).encode()))
    assert taken(given, request("111")) == Accepted("1000123 501", 1)
    with pytest.raises(PermanentFailure) as caught:
        taken(given, request("112", "770"))
    assert caught.value.code == "Номер телефона присутствует в стоп-листе."
    with pytest.raises(OutcomeUnknown):
        taken(given, request("113"))


def test_states_are_read_as_in_the_vector() -> None:
    case = named("json", "state")
    asked = Json().states(["1000123", "1"], DEMO)
    assert json.loads(asked.body or b"") == case["request"]
    states = Json().stated(json.dumps(case["reply"]).encode(), ["1000123", "1"])
    first, second = status(states["1000123"]), status(states["1"])
    assert (first.state, first.error, str(first.cost)) == ("DELIVERED", "viber:expired sms:deliver", "1.15")
    assert (second.state, second.code) == (None, "Сообщение с таким ID не принималось")


# XML


def test_xml_requests_are_written_as_in_the_vectors_octet_by_octet() -> None:
    fields = {
        "phone": "77010000001",
        "send_viber": "1",
        "send_sms": "2",
        "sender_viber": "TEST",
        "text_viber": "line one\nline two",
        "sender_sms": "TEST",
        "text_sms": "line one\nline two & more",
    }
    assert Xml().send(fields, "111", DEMO).body == (VECTORS / "smsgate_send_request.xml").read_bytes()
    asked = Xml().states(["1000123", "1"], DEMO)
    assert asked.body == (VECTORS / "smsgate_state_request.xml").read_bytes()
    case = named("xml", "state")
    assert (asked.target, asked.content_type) == (case["path"], case["content_type"])


def test_xml_answers_are_read_as_in_the_vectors() -> None:
    given = list(Xml().sent((VECTORS / "smsgate_send_reply.xml").read_bytes()))
    assert taken(given, request("111")).provider_id == "1000123 501", "its own id, then those of its ways"
    assert Given(error="Нет отправителя.") in given
    with pytest.raises(PermanentFailure):
        taken(given, request("112", "770"))
    states = Xml().stated((VECTORS / "smsgate_state_reply.xml").read_bytes(), ["1000123", "1"])
    assert list(states) == ["1000123"]
    assert status(states["1000123"]).state == "DELIVERED"


def test_a_refused_document_is_a_refusal() -> None:
    reply = named("xml", "whole document refused")["reply"]
    with pytest.raises(PermanentFailure):
        taken(Xml().sent(reply.encode()), request())


def test_the_published_example_is_no_xml() -> None:
    fragment = named("xml", "the published request example is not well formed")["fragment"]
    with pytest.raises(ValueError, match="no XML"):
        parse(f"<response>{fragment}</response>".encode(), "response")


# rules of the page


@pytest.mark.parametrize("case", ALL["client_checks"], ids=lambda case: str(case["input"])[:50])
def test_the_rules_of_single_parameters_hold(case: dict[str, Any]) -> None:
    if case["ok"]:
        check_parts(case["input"])
        return
    with pytest.raises(PermanentFailure):
        check_parts(case["input"])


@pytest.mark.parametrize("case", ALL["order"], ids=str)
def test_the_order_is_that_of_the_numbers(case: dict[str, Any]) -> None:
    assert order({name: str(value) for name, value in case["flags"].items()}) == case["order"]


@pytest.mark.parametrize("word", [*ALL["states"]["overall"], *ALL["states"]["viber_only"]])
def test_every_state_is_known_and_the_final_ones_are(word: str) -> None:
    assert smsgate_codes.state(word) is not None
    assert (word in smsgate_codes.FINAL) is (word in ALL["states"]["final"])
