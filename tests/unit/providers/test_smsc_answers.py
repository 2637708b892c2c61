"""Answers of smsc as the vectors hold them, and as they should not be."""

from __future__ import annotations

import json
from contextlib import suppress
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
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
from bridge.providers import smsc_answers
from bridge.providers.base import Accepted, Balance, Question

VECTORS = Path(__file__).parents[2] / "vectors"


def cases(name: str) -> dict[str, dict[str, Any]]:
    return {case["name"]: case for case in json.loads((VECTORS / f"{name}.json").read_text())["cases"]}


SEND, STATUS = cases("send_http"), cases("status_http")
BALANCE, ANSWERS = cases("balance_http"), cases("get_answers_http")


def send(reply: str | bytes, client_id: str = "1234", *, repeat: bool = False) -> Accepted:
    return smsc_answers.parse_send(reply if isinstance(reply, bytes) else reply.encode(), client_id, repeat=repeat)


@pytest.mark.parametrize(
    "case",
    [c for c in SEND.values() if c["parsed"]["ok"] and c["reply"].startswith("{") and c["parsed"]["id"]],
    ids=lambda case: case["name"],
)
def test_reads_every_success_of_the_vectors(case: dict[str, Any]) -> None:
    parsed = case["parsed"]
    money: dict[str, Any] = {
        name: None if parsed[name] is None else Decimal(parsed[name]) for name in ("cost", "balance")
    }
    assert send(case["reply"], str(parsed["id"])) == Accepted(str(parsed["id"]), parsed["cnt"], **money)


@pytest.mark.parametrize("code", range(1, 10))
def test_reads_every_error_of_the_vectors(code: int) -> None:
    with pytest.raises(DeliveryError) as caught:
        send(SEND[f"error {code} fmt=3"]["reply"])
    assert caught.value.code == str(code)
    assert not isinstance(caught.value, OutcomeUnknown)


def test_a_double_of_a_doubtful_attempt_stays_doubtful() -> None:
    reply = SEND["error 9 fmt=3"]["reply"]
    with pytest.raises(NotSent):
        send(reply)
    with pytest.raises(OutcomeUnknown) as caught:
        send(reply, repeat=True)
    assert caught.value.code == "9"


@pytest.mark.parametrize(
    "reply",
    [
        "",
        ",",
        "OK",
        "1234,1,1.40,100.50",
        "<html><body><h1>502 Bad Gateway</h1></body></html>",
        '{"id": 1234, "cnt": 1',
        '[{"id": 1234, "cnt": 1}]',
        '"1234"',
        "null",
        "{}",
        '{"cnt": 1}',
        '{"id": null, "cnt": 1}',
        '{"id": true, "cnt": 1}',
        '{"id": 1235, "cnt": 1}',
        '{"id": "12345", "cnt": 1}',
        '{"error": "oops"}',
        '{"error": "oops", "error_code": null}',
        '{"error": "oops", "error_code": "no money"}',
        '{"error": "oops", "error_code": 0}',
        '{"error": "message is denied", "error_code": 6, "id": 999}',
        '{"id": NaN}',
        '{"id": ' + "9" * 5000 + "}",
        "[" * 60_000,
    ],
    ids=lambda reply: reply[:40],
)
def test_T37_an_answer_that_is_not_understood_whole_proves_nothing(reply: str) -> None:
    with pytest.raises(OutcomeUnknown):
        send(reply)


def test_a_byte_order_mark_before_the_answer_is_no_harm() -> None:
    assert send("\ufeff" + '{"id": 1234}').provider_id == "1234"


def test_T37_bytes_that_are_no_text_prove_nothing() -> None:
    with pytest.raises(OutcomeUnknown):
        send(b"\x00\xff\xfe{]]>not an answer")


def test_a_taken_message_stays_taken_when_its_money_cannot_be_read() -> None:
    accepted = send('{"id": "1234", "cnt": "many", "cost": "free", "balance": 1e999}')
    assert accepted == Accepted("1234")


@pytest.mark.parametrize("number", ["1e99999999999999999999", "9" * 5000, "-0", "1E+400", "0.1e-99999999999"])
def test_T37_a_number_of_any_size_is_no_exception(number: str) -> None:
    sent = smsc_answers.parse_send(
        f'{{"id": 1234, "cnt": {number}, "cost": {number}, "balance": {number}}}'.encode(), "1234", repeat=False
    )
    assert (sent.provider_id, sent.cost) == ("1234", None)
    for parse in (smsc_answers.parse_balance, smsc_answers.parse_price, smsc_answers.parse_status):
        with pytest.raises(TemporaryFailure):
            parse(f'{{"cost": {number}, "balance": "{number}e1", "status": "{number}.0"}}'.encode())


def test_T37_half_an_emoji_and_nothing_are_no_letters() -> None:
    """A provider cuts a text between the halves of a letter; no store takes one of them, nor a NUL."""
    body = rb'[{"id": "5\u0000", "phone": "77010000001", "message": "ok \ud83d\u0000", "to_phone": "7"}]'
    (found,) = smsc_answers.parse_answers(body)
    assert (found.id, found.text) == ("5", "ok ?")
    found.text.encode("utf-8")


def test_one_row_that_cannot_be_read_says_nothing_about_the_others() -> None:
    body = b'[{"id": 1, "status": "?"}, {"id": 2, "status": 1}, 7, {"id": 3}, {"status": 1}]'
    questions = [Question(f"+7701000000{n}", str(n)) for n in (1, 2, 3)]
    assert [(one.client_id, found.state) for one, found in smsc_answers.parse_statuses(body, questions).items()] == [
        ("2", "DELIVERED")
    ]


def test_a_balance_may_be_below_zero_and_a_cost_may_not() -> None:
    accepted = send('{"id": 1234, "cost": -1.40, "balance": "-3.50"}')
    assert (accepted.cost, accepted.balance) == (None, Decimal("-3.50"))


def test_an_error_with_a_known_text_and_an_unknown_number_is_matched_by_its_number() -> None:
    with pytest.raises(TemporaryFailure) as caught:
        send('{"error": "no money", "error_code": 42}')
    assert caught.value.code == "42"


@given(st.binary(max_size=200) | st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.sampled_from(["id", "cnt", "error_code", "status"]), inner),
).map(lambda value: json.dumps(value).encode()))  # fmt: skip
def test_T37_any_bytes_give_a_value_or_a_declared_error(body: bytes) -> None:
    def outcome(parse: Any, *arguments: Any, **named: Any) -> None:
        with suppress(DeliveryError):
            parse(body, *arguments, **named)

    outcome(smsc_answers.parse_send, "1234", repeat=False)
    outcome(smsc_answers.parse_price)
    outcome(smsc_answers.parse_status)
    outcome(smsc_answers.parse_statuses, [Question("+77010000001", "1")])
    outcome(smsc_answers.parse_balance)
    outcome(smsc_answers.parse_answers)


# Prices


@pytest.mark.parametrize("name", ["ok fmt=3 cost=1"])
def test_reads_a_price(name: str) -> None:
    price = smsc_answers.parse_price(SEND[name]["reply"].encode())
    assert (price.cost, price.segments) == (Decimal("1.40"), 1)


def test_a_price_that_is_refused_as_a_double_may_be_asked_again() -> None:
    with pytest.raises(NotSent):
        smsc_answers.parse_price(SEND["error 9 fmt=3"]["reply"].encode())
    with pytest.raises(TemporaryFailure):
        smsc_answers.parse_price(b'{"cnt": 1}')


# Status


def test_reads_a_status_with_everything_it_says() -> None:
    reply = json.loads(STATUS["fmt=3 all=2 asked with trailing commas (list form)"]["reply"])[0]
    answer = smsc_answers.parse_status(json.dumps(reply | {"status": "2", "err": "0"}).encode())
    assert (answer.state, answer.code, answer.read) == ("DELIVERED", "2", True)
    assert answer.at == datetime(2017, 5, 26, 18, 39, 32, tzinfo=UTC)
    assert answer.sent_at == datetime(2017, 5, 26, 18, 39, 27, tzinfo=UTC)
    assert (answer.cost, answer.phone, answer.text) == (Decimal("1.20"), "79990000000", "test")
    assert answer.sender == "TEST"


def test_reads_the_short_status_of_the_vectors() -> None:
    answer = smsc_answers.parse_status(STATUS["fmt=3 all=0"]["reply"].encode())
    assert (answer.state, answer.error, answer.read) == ("DELIVERED", "0", False)


def test_not_found_is_no_state() -> None:
    assert smsc_answers.parse_status(b'{"status": -3, "err": 0, "last_timestamp": 0}').state is None


def test_an_error_is_no_status() -> None:
    with pytest.raises(AccountPaused):
        smsc_answers.parse_status(STATUS["error fmt=3"]["reply"].encode())
    with pytest.raises(TemporaryFailure):
        smsc_answers.parse_status(b'{"err": 0}')


@pytest.mark.parametrize("stamp", ["0", '"soon"', "-5", "99999999999999", "1e400", '"1495823972.5"', "null"])
def test_a_time_that_is_none_is_left_out(stamp: str) -> None:
    assert smsc_answers.parse_status(f'{{"status": 1, "last_timestamp": {stamp}}}'.encode()).at is None


def test_a_list_is_matched_by_ids_and_never_by_place() -> None:
    one, two, three = (Question(f"+7999000000{n}", str(n)) for n in (1, 2, 3))
    reply = [
        {"id": 2, "status": 20, "err": 1, "phone": "79990000002"},
        {"id": "1", "status": "1", "err": "0"},
        {"id": 3, "status": 1, "phone": "79990000009"},
        {"id": 4, "status": 1},
        {"status": 1},
        "x",
    ]
    found = smsc_answers.parse_statuses(json.dumps(reply).encode(), [one, two, three])
    assert {question.client_id: answer.state for question, answer in found.items()} == {
        "1": "DELIVERED",
        "2": "UNDELIVERED",
    }


def test_an_object_where_a_list_was_expected_is_an_error() -> None:
    with pytest.raises(TemporaryFailure) as caught:
        smsc_answers.parse_statuses(STATUS["list request answered by an object means error"]["reply"].encode(), [])
    assert caught.value.code == "9"


# Balance


@pytest.mark.parametrize(
    ("name", "balance"),
    [
        ("fmt=3", Balance(Decimal("250.80"))),
        ("fmt=3 cur=1", Balance(Decimal("100.01"), "RUR")),
        ("fmt=3 cur=1 with credit", Balance(Decimal("100.01"), "KZT", Decimal(50))),
    ],
)
def test_reads_a_balance(name: str, balance: Balance) -> None:
    assert smsc_answers.parse_balance(BALANCE[name]["reply"].encode()) == balance


def test_no_balance_is_no_zero() -> None:
    with pytest.raises(TemporaryFailure):
        smsc_answers.parse_balance(b'{"balance": ""}')


# Inbound


@pytest.mark.parametrize(
    ("name", "call"), [("fmt=3", False), ("phone confirmation call", True), ("ordinary inbound call", True)]
)
def test_reads_inbound(name: str, call: bool) -> None:
    (inbound,) = smsc_answers.parse_answers(ANSWERS[name]["reply"].encode())
    assert (inbound.id, inbound.phone, inbound.to) == ("48583869", "+77010000001", "77770000000")
    assert inbound.call is call
    assert inbound.received == datetime(2025, 11, 21, 7, 0, 5, tzinfo=UTC)
    assert inbound.sent == datetime(2025, 11, 21, 7, 0, 1, tzinfo=UTC)


def test_nothing_new_is_no_error_and_an_error_is_not_nothing_new() -> None:
    assert smsc_answers.parse_answers(b"[]") == ()
    with pytest.raises(TemporaryFailure):
        smsc_answers.parse_answers(ANSWERS["error"]["reply"].encode())


def test_a_row_without_an_id_or_a_sender_is_left_out_and_the_others_stay() -> None:
    rows = [{"phone": "77010000001", "message": "x"}, {"id": 1, "message": "x"}, {"id": 2, "phone": "Kcell"}, 7]
    (inbound,) = smsc_answers.parse_answers(json.dumps(rows).encode())
    assert (inbound.id, inbound.phone, inbound.received) == ("2", "Kcell", None)


def test_a_permanent_error_has_its_rfc3463_status() -> None:
    with pytest.raises(PermanentFailure) as caught:
        send(SEND["error 8 fmt=3"]["reply"])
    assert caught.value.status == "5.1.2"
