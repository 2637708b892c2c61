"""What answers mean: texts of refusals, repeats, states, and everything that is no answer at all."""

from __future__ import annotations

import json
from contextlib import suppress
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.errors import (
    AccountPaused,
    DeliveryError,
    NotSent,
    OutcomeUnknown,
    PermanentFailure,
    TemporaryFailure,
)
from bridge.providers import smsgate_codes, smsgate_xml
from bridge.providers.base import Accepted, Request
from bridge.providers.smsgate_answers import Given, State, status, taken
from bridge.providers.smsgate_get import Get
from bridge.providers.smsgate_json import Json
from bridge.providers.smsgate_wire import Dialect
from bridge.providers.smsgate_xml import Xml
from bridge.simulator.smsgate import texts

FIELDS = {"phone": "77010000001", "send_sms": "1", "text_sms": "x"}
FIRST = Request(FIELDS, "111")
AFTER_DOUBT = Request(FIELDS, "111", repeat=True, heard=True)
AFTER_REFUSAL = Request(FIELDS, "111", heard=True)
DIALECTS: dict[str, Dialect] = {"json": Json(), "xml": Xml(), "get": Get()}


@pytest.mark.parametrize(
    ("text", "kind", "cause_or_status"),
    [
        (texts.FORMAT.format("XML"), PermanentFailure, "5.5.4"),
        (texts.EMPTY, PermanentFailure, "5.5.4"),
        (texts.PASSWORD, AccountPaused, "password"),
        (texts.BLOCKED, AccountPaused, "blocked"),
        ("Аккаунт заблокирован.", AccountPaused, "blocked"),
        (texts.NO_MONEY, smsgate_codes.KeptUnpaid, "money"),
        ("Insufficient funds. The SMS will be sent when the balance allows it.", smsgate_codes.KeptUnpaid, "money"),
        ("Недостаточно средств.", AccountPaused, "money"),
        ("Закончились SMS.", AccountPaused, "money"),
        ("У нас закончились SMS. Для разрешения проблемы свяжитесь с менеджером.", AccountPaused, "money"),
        (texts.NO_PHONE, PermanentFailure, "5.1.3"),
        (texts.LONG_NUMBER, PermanentFailure, "5.1.3"),
        (texts.STOP_LIST, PermanentFailure, "5.7.1"),
        (texts.CLOSED, PermanentFailure, "5.7.1"),
        ("Данное направление закрыто для вас.", PermanentFailure, "5.7.1"),
        (texts.MODERATOR, PermanentFailure, "5.7.1"),
        (texts.NO_SENDER, PermanentFailure, "5.7.1"),
        (texts.LONG_SENDER, PermanentFailure, "5.7.1"),
        (texts.UNKNOWN_SENDER, PermanentFailure, "5.7.1"),
        ("Отправитель не прошел модерацию.", PermanentFailure, "5.7.1"),
        (texts.NO_TEXT, PermanentFailure, "5.5.4"),
        (texts.NO_LINK, PermanentFailure, "5.5.4"),
        (texts.IDENTICAL, NotSent, None),
        ("Что-то пошло не так", TemporaryFailure, None),
    ],
)
def test_every_text_that_is_known_is_an_error_and_keeps_it(
    text: str, kind: type[DeliveryError], cause_or_status: str | None
) -> None:
    error = smsgate_codes.refused(text, repeat=False)
    assert type(error) is kind
    assert error.code == text[:100]
    if isinstance(error, AccountPaused):
        assert error.cause == cause_or_status
    if isinstance(error, PermanentFailure):
        assert error.status == cause_or_status


@pytest.mark.parametrize("text", [texts.IDENTICAL, "Что-то пошло не так"])
def test_after_a_lost_answer_such_a_text_proves_nothing(text: str) -> None:
    with pytest.raises(OutcomeUnknown):
        taken([Given(client_id="111", error=text)], AFTER_DOUBT)


@pytest.mark.parametrize("id", ["", "1000123"])
@pytest.mark.parametrize("dialect", ["json", "xml"])
def test_F24_a_message_that_is_kept_until_it_is_paid_may_still_arrive_and_pauses_the_account(
    dialect: str, id: str
) -> None:
    bodies = {
        "json": json.dumps({"message": [[{"error": texts.NO_MONEY, "client_id_message": "111", "id_message": id}]]}),
        "xml": f'<response><message><information id_message="{id}" client_id_message="111">{texts.NO_MONEY}'
        "</information></message></response>",
    }
    with pytest.raises(OutcomeUnknown) as caught:
        taken(DIALECTS[dialect].sent(bodies[dialect].encode()), FIRST)
    assert isinstance(caught.value, AccountPaused)
    assert (caught.value.cause, caught.value.code) == ("money", texts.NO_MONEY[:100])


def test_a_message_that_is_kept_for_another_reason_pauses_nothing() -> None:
    error = smsgate_codes.refused("Сообщение будет отправлено в рабочее время.", repeat=False)
    assert type(error) is OutcomeUnknown


@pytest.mark.parametrize("said", ["", "send", "deliver"])
def test_by_xml_an_id_with_a_state_or_without_a_word_is_an_acceptance_and_with_an_error_is_none(said: str) -> None:
    body = (
        '<response><message><information id_message="7" client_id_message="111">{}</information></message></response>'
    )
    assert taken(Xml().sent(body.format(said).encode()), FIRST) == Accepted("7")
    with pytest.raises(OutcomeUnknown):
        taken(Xml().sent(body.format("Что-то пошло не так").encode()), FIRST)


@pytest.mark.parametrize("request_", [AFTER_DOUBT, AFTER_REFUSAL], ids=["doubt", "refusal"])
@pytest.mark.parametrize(
    "given_",
    [Given("1000123", "111"), Given(client_id="111", error=texts.SENT_BEFORE), Given(client_id="111")],
    ids=str,
)
def test_a_repeated_number_is_accepted_whichever_way_it_is_answered(given_: Given, request_: Request) -> None:
    assert taken([given_], request_) == Accepted(given_.id)


def test_a_number_that_is_taken_before_we_used_it_is_somebody_else_s() -> None:
    with pytest.raises(PermanentFailure, match="ids"):
        taken([Given(client_id="111", error=texts.SENT_BEFORE)], FIRST)


@pytest.mark.parametrize(
    "results",
    [
        [],
        [Given("1000123", "999")],
        [Given("1000123", "111", "77010000009")],
        [Given("1000123"), Given("1000124")],
        [Given("0", "111")],
        [Given("", "111")],
        [Given("1000123; DROP", "111")],
        [Given("1000123", "111", error="Что-то пошло не так")],
    ],
    ids=str,
)
def test_F07_T37_an_answer_that_is_not_about_our_message_proves_nothing(results: list[Given]) -> None:
    with pytest.raises(OutcomeUnknown):
        taken(results, FIRST)


@pytest.mark.parametrize("number", [True, False], ids=["numbers", "text"])
def test_ids_come_as_numbers_or_as_text(number: bool) -> None:
    kind: Any = int if number else str
    row = {
        "id_message": kind(1000123),
        "client_id_message": kind(111),
        "phone": kind(77010000001),
        "count_message": kind(2),
    }
    for message in ([row], row):
        assert taken(Json().sent(json.dumps({"message": [message]}).encode()), FIRST) == Accepted("1000123", 2)


def test_parts_are_segments_only_where_the_first_way_is_sms() -> None:
    viber = Request({**FIELDS, "send_sms": "2", "send_viber": "1", "text_viber": "x"}, "111")
    assert taken([Given("1", "111", parts="2")], FIRST).segments == 2
    assert taken([Given("1", "111", parts="2")], viber).segments is None


@pytest.mark.parametrize("dialect", DIALECTS)
def test_F13_a_repeat_that_is_refused_for_its_content_says_nothing_of_the_first(dialect: str) -> None:
    refusals = {
        "json": json.dumps({"message": [{"error": texts.CLOSED}]}),
        "xml": f"<response><message><information>{texts.CLOSED}</information></message></response>",
        "get": texts.CLOSED,
    }
    body = refusals[dialect].encode()
    with pytest.raises(PermanentFailure):
        taken(DIALECTS[dialect].sent(body), FIRST)
    with pytest.raises(OutcomeUnknown, match="the repeat was refused"):
        taken(DIALECTS[dialect].sent(body), AFTER_DOUBT)


@pytest.mark.parametrize("refusal", [[{"error": texts.NO_SENDER}], {"error": texts.NO_SENDER}], ids=["list", "object"])
def test_a_message_is_refused_in_a_list_or_without_one(refusal: object) -> None:
    with pytest.raises(PermanentFailure):
        taken(Json().sent(json.dumps({"message": [refusal]}).encode()), FIRST)


def test_T37_a_number_beyond_all_bounds_is_no_id_and_no_crash() -> None:
    body = b'{"message": [{"id_message": 1e99999999999999999999, "client_id_message": "1"}]}'
    with pytest.raises(OutcomeUnknown):
        taken(Json().sent(body), FIRST)


NO_ANSWERS = [
    b"",
    b"\x00\xff\xfe{]]>",
    b"<html><body>502 Bad Gateway</body></html>",
    b"502 Bad Gateway",
    b"[]",
    b"null",
    b'{"message": 1}',
    b'{"message": [1, null, "x", [1]]}',
    b"[" * 5000,
    b'{"state": {}}',
    b"<response/>",
    b"<response><message/></response>",
    b"<response>",
    b'<?xml version="1.0" encoding="utf-7"?><a/>',
    b"123,abc",
    b"-1",
    "١٢٣".encode(),
]


@pytest.mark.parametrize("dialect", DIALECTS)
@pytest.mark.parametrize("body", NO_ANSWERS, ids=lambda body: repr(body[:30]))
def test_T37_what_is_no_answer_leaves_the_outcome_unknown(dialect: str, body: bytes) -> None:
    with pytest.raises(OutcomeUnknown):
        taken(DIALECTS[dialect].sent(body), FIRST)


@pytest.mark.parametrize("dialect", DIALECTS)
@pytest.mark.parametrize(
    "body", [body for body in NO_ANSWERS if b"response" not in body], ids=lambda body: repr(body[:30])
)
def test_T37_what_is_no_answer_to_a_question_may_be_asked_again(dialect: str, body: bytes) -> None:
    with pytest.raises(TemporaryFailure):
        DIALECTS[dialect].stated(body, ["1"])


@pytest.mark.parametrize("dialect", DIALECTS)
@given(body=st.binary(max_size=300) | st.text(max_size=200).map(str.encode))
def test_T37_any_bytes_are_an_acceptance_or_one_of_our_errors(dialect: str, body: bytes) -> None:
    for read in (
        lambda: taken(DIALECTS[dialect].sent(body), FIRST),
        lambda: DIALECTS[dialect].stated(body, ["1"]),
        lambda: smsgate_xml.balance(body),
        lambda: smsgate_xml.inbound(body),
    ):
        with suppress(DeliveryError):
            assert read() is not None


BOMB = (
    b'<?xml version="1.0"?><!DOCTYPE r [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]><response><error>&b;</error></response>'
)


@pytest.mark.parametrize("body", [BOMB, BOMB.replace(b'"aaaa"', b'SYSTEM "file:///etc/passwd"')], ids=["bomb", "file"])
def test_T27_entities_are_not_read(body: bytes) -> None:
    with pytest.raises(OutcomeUnknown):
        taken(Xml().sent(body), FIRST)
    with pytest.raises(TemporaryFailure):
        smsgate_xml.balance(body)


# states


@pytest.mark.parametrize(
    ("word", "state", "read"),
    [
        ("send", "ACCEPTED", False),
        ("deliver", "DELIVERED", False),
        ("read", "DELIVERED", True),
        ("link", "DELIVERED", True),
        ("not_deliver", "UNDELIVERED", False),
        ("expired", "EXPIRED", False),
        ("partly_deliver", "ACCEPTED", False),
        ("unsubscribe", "UNDELIVERED", False),
    ],
)
def test_a_word_is_a_state(word: str, state: str, read: bool) -> None:
    answer = status(State(word))
    assert (answer.state, answer.code, answer.read) == (state, word, read)


def test_a_way_that_has_ended_does_not_end_the_whole() -> None:
    answer = status(State("send", {"viber": "expired", "sms": "send"}, {"viber": "1.00", "sms": "0"}))
    assert (answer.state, answer.error, answer.cost) == ("ACCEPTED", "viber:expired", None)


def test_what_all_ways_took_is_the_cost() -> None:
    answer = status(State("deliver", {"viber": "read"}, {"viber": "0.70", "sms": "1.15", "vk": "", "whatsapp": "x"}))
    assert (answer.cost, answer.read) == (Decimal("1.85"), True)


def test_a_text_that_is_no_state_is_told_from_one_that_says_there_is_none() -> None:
    assert status(State("Сообщение с таким ID не принималось")).state is None
    with pytest.raises(TemporaryFailure) as caught:
        status(State("Что-то пошло не так"))
    assert caught.value.code == "Что-то пошло не так"


def test_states_of_others_are_left_out() -> None:
    body = json.dumps({"state": [{"id_message": 2, "state": "deliver"}, {"id_message": 1, "state": "send"}, 5]})
    assert Json().stated(body.encode(), ["1"]) == {"1": State("send")}


@pytest.mark.parametrize("dialect", DIALECTS)
def test_a_wrong_password_pauses_the_account_when_asked_too(dialect: str) -> None:
    bodies = {
        "json": json.dumps({"error": texts.PASSWORD}),
        "xml": f"<response><error>{texts.PASSWORD}</error></response>",
        "get": f"error: {texts.PASSWORD}",
    }
    with pytest.raises(AccountPaused):
        DIALECTS[dialect].stated(bodies[dialect].encode(), ["1"])


# balance and inbound


def test_a_balance_is_read_in_the_word_of_today() -> None:
    body = '<response><money currency="RUR">150.5</money><sms area="Россия">111</sms></response>'
    found = smsgate_xml.balance(body.encode())
    assert (found.amount, found.currency) == (Decimal("150.5"), "RUB")


def test_inbound_sms_keep_their_lines_and_their_id() -> None:
    body = (
        '<response><sms id_sms="1234" date_receive="2020-01-31 12:55:53" originator="79001234567" prefix=""'
        ' phone="3443">да\\nнет</sms><sms originator="79001234567">no id</sms></response>'
    )
    (one,) = smsgate_xml.inbound(body.encode())
    assert (one.id, one.phone, one.to, one.text) == ("1234", "+79001234567", "3443", "да\nнет")
    assert one.received is not None
    assert one.received.tzinfo is not None
