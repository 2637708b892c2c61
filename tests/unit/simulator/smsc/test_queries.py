"""Balance, inbound, history, operator and confirmation calls against the vectors."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from decimal import Decimal
from itertools import count
from pathlib import Path
from typing import Any

import pytest

FOLDER = Path(__file__).parents[3] / "vectors"
BALANCE = {
    c["name"]: c["reply"] for c in json.loads((FOLDER / "balance_http.json").read_text(encoding="utf-8"))["cases"]
}
ANSWERS = {
    c["name"]: c["reply"] for c in json.loads((FOLDER / "get_answers_http.json").read_text(encoding="utf-8"))["cases"]
}
CALLS = {c["name"]: c["reply"] for c in json.loads((FOLDER / "wait_call.json").read_text(encoding="utf-8"))["cases"]}


@pytest.mark.parametrize(
    ("name", "account", "params"),
    [
        ("fmt 0 or 1, cur=0", {"balance": Decimal("250.80")}, {"fmt": "0"}),
        ("fmt 0 or 1, cur=0", {"balance": Decimal("250.80")}, {"fmt": "1"}),
        ("fmt=2", {"balance": Decimal("250.80")}, {"fmt": "2"}),
        ("fmt=3", {"balance": Decimal("250.80")}, {"fmt": "3"}),
        ("fmt=3 cur=1", {"balance": Decimal("100.01"), "currency": "RUR"}, {"fmt": "3", "cur": "1"}),
        (
            "fmt=3 cur=1 with credit",
            {"balance": Decimal("100.01"), "currency": "KZT", "credit": Decimal(50)},
            {"fmt": "3", "cur": "1"},
        ),
        ("balance zero is one field", {"balance": Decimal(0)}, {"fmt": "1"}),
    ],
)
def test_balance_byte_for_byte(world: Any, name: str, account: dict[str, object], params: dict[str, str]) -> None:
    world.account(**account)

    assert world.ask("balance", **params) == BALANCE[name]


def test_balance_error_byte_for_byte(world: Any) -> None:
    world.limit(balance_a_minute=0)

    assert world.ask("balance", fmt="1") == BALANCE["error fmt=1"]


@pytest.fixture
def answered(world: Any) -> Any:
    """The phone wrote at 10:00:01 Moscow time, the provider got it four seconds later."""
    world.clock.now = datetime(2025, 11, 21, 7, 0, 5, tzinfo=UTC)
    world.switch(inbound_delay=4)
    world.simulator.air._answer_ids = count(48583869)
    return world


@pytest.mark.parametrize(("fmt", "name"), [("3", "fmt=3"), ("0", "fmt=0 one line a message")])
def test_answers_byte_for_byte(answered: Any, fmt: str, name: str) -> None:
    answered.simulator.reply("77010000001", "ack 17, ok: yes", "77770000000")

    assert answered.ask("get", get_answers="1", fmt=fmt) == ANSWERS[name]


def test_nothing_new_is_an_empty_array(world: Any) -> None:
    assert world.ask("get", get_answers="1", fmt="3") == ANSWERS["fmt=3 nothing new"]


def test_calls_byte_for_byte(answered: Any) -> None:
    answered.simulator.call("77010000001", "77770000000")

    assert answered.ask("get", get_answers="1", fmt="3") == ANSWERS["ordinary inbound call"]


def test_confirmation_call_byte_for_byte(answered: Any) -> None:
    answered.switch(wait_call_numbers=("77770000000",))
    answered.ask("wait_call", phone="77010000001")
    answered.simulator.call("77010000001", "77770000000")

    assert answered.ask("get", get_answers="1", fmt="3") == ANSWERS["phone confirmation call"]


def test_an_error_of_answers_is_an_object(world: Any) -> None:
    world.limit(answers_a_minute=0)

    assert json.loads(world.ask("get", get_answers="1", fmt="3"))["error_code"] == 9


def texts(world: Any, **params: str) -> list[str]:
    return [row["message"] for row in json.loads(world.ask("get", get_answers="1", fmt="3", **params))]


def test_answers_are_filtered_by_id_count_and_number(world: Any) -> None:
    for text, to in (("a", "77770000000"), ("b", "77770000000"), ("c", "77770000009")):
        world.simulator.reply("77010000001", text, to)

    assert texts(world) == ["a", "b", "c"]
    assert texts(world, after_id="1") == ["b", "c"]
    assert texts(world, after_id="1", cnt="1") == ["b"]
    assert texts(world, to_phone="77770000009") == ["c"]


def test_answers_of_other_days_want_hours_or_an_id(world: Any) -> None:
    world.simulator.reply("77010000001", "yesterday", "77770000000")
    world.clock.forward(20 * 3600)
    world.simulator.reply("77010000001", "today", "77770000000")

    assert texts(world) == ["today"]
    assert texts(world, hour="20") == ["yesterday", "today"]
    assert texts(world, hour="19") == ["today"]


def test_history_has_newest_first_within_its_days(world: Any) -> None:
    world.send(id="1", mes="one")
    world.clock.forward(86400)
    world.send(id="2", mes="two")

    ids = [row["id"] for row in json.loads(world.ask("get", get_messages="1", fmt="3"))]
    assert ids == [2, 1]
    only = json.loads(world.ask("get", get_messages="1", fmt="3", start="22.11.2025", end="22.11.2025"))
    assert [row["message"] for row in only] == ["two"]
    assert json.loads(world.ask("get", get_messages="1", fmt="3", start="2025-11-22"))["error_code"] == 1


def test_get_without_a_known_question_is_a_wrong_parameter(world: Any) -> None:
    assert world.ask("get", fmt="1") == "0,-1"


def test_info_names_operator_and_region(world: Any) -> None:
    found = json.loads(world.ask("info", get_operator="1", phone="79990000000", fmt="3"))

    assert (found["operator"], found["mcc"], found["mnc"]) == ("МегаФон", "250", "02")
    assert world.ask("info", get_operator="1", phone="x", fmt="1") == "0,-1"


@pytest.mark.parametrize(
    ("fmt", "name"), [("0", "fmt=0"), ("1", "fmt=1, first number is the one to call"), ("2", "fmt=2"), ("3", "fmt=3")]
)
def test_wait_call_byte_for_byte(world: Any, fmt: str, name: str) -> None:
    assert world.ask("wait_call", phone="77010000001", fmt=fmt) == CALLS[name]


@pytest.mark.parametrize(("fmt", "name"), [("0", "error fmt=0"), ("1", "error fmt=1")])
def test_wait_call_refuses_its_black_list(world: Any, fmt: str, name: str) -> None:
    world.account(black_list=("77010000001",))

    assert world.ask("wait_call", phone="77010000001", fmt=fmt) == CALLS[name]


def test_wait_call_costs_what_the_account_says(world: Any) -> None:
    world.account(channel_prices={"wait_call": Decimal("60.00")})
    world.ask("wait_call", phone="77010000001")

    assert world.ask("balance", fmt="1") == "41.90"
    assert world.ask("wait_call", phone="77010000002", fmt="1") == "0,-3"
