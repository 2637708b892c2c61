"""status.php against the vectors of its replies."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from bridge.simulator.faults import Fault

CASES = json.loads((Path(__file__).parents[3] / "vectors" / "status_http.json").read_text(encoding="utf-8"))["cases"]
BY_NAME = {case["name"]: case["reply"] for case in CASES}
SENT = 1495823967
ONE = {"phone": "79990000000", "id": "1", "charset": "utf-8"}
TWO = {"phone": "79990000000,79990000001", "id": "1,2", "charset": "utf-8", "fmt": "1"}


@pytest.fixture
def moscow(world: Any) -> Any:
    """26 May 2017, 21:39:27 in Moscow; the network needs five seconds; failures are not charged."""
    world.clock.now = datetime.fromtimestamp(SENT, UTC)
    world.account(prices={"default": Decimal("1.20")})
    world.switch(operator_delay=1, delivery_delay=4, charge_failures=False)
    return world


def delivered(world: Any, mes: str = "a, b: c", **params: str) -> None:
    world.send(phones="79990000000", id="1", sender="TEST", mes=mes, **params)
    world.clock.forward(5)


def failed(world: Any) -> None:
    """A second message, sent a second later, that fails at …980."""
    world.clock.now = datetime.fromtimestamp(SENT + 1, UTC)
    world.simulator.set_faults({"smsc": {"all": {"fate": "undelivered", "err": 1, "receipt_delay": 11}}})
    world.send(phones="79990000001", id="2", sender="TEST", mes="c")
    world.clock.forward(12)


@pytest.mark.parametrize("fmt", ["0", "1", "2", "3"])
def test_brief_status_byte_for_byte(moscow: Any, fmt: str) -> None:
    delivered(moscow)

    assert moscow.ask("status", **ONE, fmt=fmt) == BY_NAME[f"fmt={fmt} all=0"]


def test_text_form_with_everything_byte_for_byte(moscow: Any) -> None:
    delivered(moscow)

    assert moscow.ask("status", **ONE, all="1") == BY_NAME["fmt=0 all=1"]


def test_numbers_with_commas_in_the_message_byte_for_byte(moscow: Any) -> None:
    delivered(moscow, "a, b: c, d")

    assert moscow.ask("status", **ONE, all="1", fmt="1") == BY_NAME["fmt=1 all=1, commas in the message"]


def test_numbers_with_everything_have_the_sender_tenth_and_the_message_last(moscow: Any) -> None:
    delivered(moscow, "test")

    fields = moscow.ask("status", **ONE, all="2", fmt="1").split(",")
    assert (len(fields), fields[9], fields[11]) == (12, "TEST", "test")


def test_newer_servers_append_comment_and_type(moscow: Any) -> None:
    moscow.switch(status_tail=True)
    delivered(moscow, "shown\n~~~\nnote")

    assert moscow.ask("status", **ONE, all="1", fmt="1").endswith(",shown,note,0")


def test_list_form_by_a_trailing_comma_has_the_fields_of_the_vector(moscow: Any) -> None:
    delivered(moscow, "test")

    wanted = json.loads(BY_NAME["fmt=3 all=2 asked with trailing commas (list form)"])[0]
    (found,) = json.loads(moscow.ask("status", phone="79990000000,", id="1,", all="2", fmt="3", charset="utf-8"))
    assert {name: found[name] for name in wanted} == wanted


@pytest.mark.parametrize(
    ("level", "mes", "name"),
    [
        ("0", "x", "fmt=1 two ids: one line a message, lines end with id,phone"),
        ("1", "a, b", "fmt=1 all=1, two ids: lines end with the id only"),
    ],
)
def test_lists_of_numbers_byte_for_byte(moscow: Any, level: str, mes: str, name: str) -> None:
    delivered(moscow, mes)
    failed(moscow)

    assert moscow.ask("status", **TWO, all=level) == BY_NAME[name]


@pytest.mark.parametrize(
    ("level", "net", "name"),
    [
        ("0", "MegaFON open Joint Stock Company", "HLR fmt=1 all=0"),
        ("1", "MegaFON", "fmt=1 all=1, HLR: the 15th field is HLR"),
    ],
)
def test_hlr_byte_for_byte(moscow: Any, level: str, net: str, name: str) -> None:
    moscow.switch(hlr=moscow.simulator.air.switches.hlr | {"net": net})
    delivered(moscow, "", hlr="1")

    assert moscow.ask("status", **ONE, all=level, fmt="1") == BY_NAME[name]


def test_hlr_as_json_has_the_fields_a_public_adapter_saw(moscow: Any) -> None:
    delivered(moscow, "", hlr="1")

    wanted = json.loads(BY_NAME["HLR fmt=3 all=2 (field set seen in a public adapter)"])
    found = json.loads(moscow.ask("status", **ONE, all="2", fmt="3"))
    assert wanted.keys() <= found.keys()
    assert (found["type"], found["cost"]) == (4, "0.30")


def test_a_list_error_is_one_line_and_an_object_in_json(moscow: Any) -> None:
    moscow.limit(status_lists_a_minute=0)

    assert moscow.ask("status", **TWO) == BY_NAME["list request, fmt=1: error is one line"]
    error = json.loads(moscow.ask("status", **TWO | {"fmt": "3"}))
    assert error["error_code"] == json.loads(BY_NAME["list request answered by an object means error"])["error_code"]


@pytest.mark.parametrize(("fmt", "name"), [("1", "error fmt=1"), ("3", "error fmt=3")])
def test_errors_byte_for_byte(moscow: Any, fmt: str, name: str) -> None:
    assert moscow.ask("status", **ONE, fmt=fmt, login="demo", psw="no") == BY_NAME[name]


def test_states_go_from_waiting_to_handed_over_to_delivered(world: Any) -> None:
    world.switch(operator_delay=1, delivery_delay=4)
    world.send(id="5")
    states = []
    for _ in range(3):
        states.append(world.ask("status", phone="77010000001", id="5", fmt="1").partition(",")[0])
        world.clock.forward(1 if len(states) == 1 else 4)

    assert states == ["-1", "0", "1"]


@pytest.mark.parametrize(
    ("fault", "status", "err"),
    [
        (Fault(fate="undelivered"), 20, 1),
        (Fault(fate="undelivered", err=6), 20, 6),
        (Fault(fate="read"), 2, 0),
        (Fault(fate="wrong_number"), 22, 249),
        (Fault(fate="forbidden"), 23, 252),
        (Fault(fate="unavailable"), 25, 248),
        (Fault(fate="waiting"), -1, 0),
        (Fault(receipts="none"), 0, 0),
        (Fault(receipts="lost"), 1, 0),
    ],
)
def test_the_network_ends_a_message_as_it_is_told(world: Any, fault: Fault, status: int, err: int) -> None:
    world.simulator.set_faults({"smsc": {"all": fault.model_dump()}})
    world.send(id="5")
    world.clock.forward(60)

    message = world.simulator.messages()[0]
    assert (message.status, message.err) == (status, err)


def test_an_expired_message_ends_with_its_life_time(world: Any) -> None:
    world.simulator.set_faults({"smsc": {"all": {"fate": "expired"}}})
    world.send(id="5", valid="01:00")
    world.clock.forward(3599)
    assert world.simulator.messages()[0].status == 0
    world.clock.forward(1)

    assert world.simulator.messages()[0].status == 3


def test_the_newest_of_two_messages_with_one_id_is_reported(world: Any) -> None:
    world.send(id="5", mes="old")
    world.send(id="5", mes="new")

    assert '"message": "new"' in world.ask("status", phone="77010000001", id="5", all="1", fmt="3")


def test_deletes_a_message_once(world: Any) -> None:
    world.send(id="5")
    which = {"phone": "77010000001", "id": "5", "fmt": "3"}

    assert world.ask("status", **which, **{"del": "1"}) == '{"result": "OK"}'
    assert json.loads(world.ask("status", **which, **{"del": "1"}))["error_code"] == 5
    assert json.loads(world.ask("status", **which))["status"] == -3


def test_another_account_does_not_see_the_message(world: Any) -> None:
    accounts = world.simulator.air.accounts
    accounts["other"] = accounts["demo"].model_copy(update={"login": "other", "apikey": "other"})
    world.send(id="5")

    assert world.ask("status", phone="77010000001", id="5", fmt="1", apikey="other") == "-3,0,0"


def test_test_mode_delivers_with_err_200(world: Any) -> None:
    world.account(test_mode=True)
    world.send(id="5")
    world.clock.forward(60)

    assert world.simulator.messages()[0].err == 200


def test_answers_in_the_charset_that_was_asked(world: Any) -> None:
    world.send(id="5", mes="ёлка")
    raw = world.raw("status", b"login=demo&psw=secret&phone=77010000001&id=5&all=1&charset=koi8-r")

    assert "message = ёлка".encode("koi8-r") in world.simulator.smsc.answer(raw).body


def test_lists_as_text_and_xml_name_each_message(world: Any) -> None:
    world.send(id="1")
    world.send(id="2", phones="77010000002")
    both = {"phone": "77010000001,77010000002", "id": "1,2"}

    lines = world.ask("status", **both).split("\n")
    assert [line.rpartition(", ")[2] for line in lines] == ["id = 1", "id = 2"]
    xml = world.ask("status", **both, fmt="2")
    assert xml.startswith("<result>\n<sms>\n<id>1</id>")
    assert xml.count("<status>-1</status>") == 2


def test_a_text_cannot_break_out_of_its_xml(world: Any) -> None:
    world.send(id="1", mes="</sms><status>20</status>&")

    found = world.ask("status", phone="77010000001", id="1", all="1", fmt="2")
    assert "&lt;/sms&gt;&lt;status&gt;20&lt;/status&gt;&amp;" in found


@pytest.mark.parametrize("params", [{"id": "1"}, {"phone": "7"}, {"id": ",,", "phone": ","}, {**ONE, "charset": "x"}])
def test_a_question_without_its_parts_is_a_wrong_parameter(world: Any, params: dict[str, str]) -> None:
    assert world.ask("status", **params, fmt="1") == "0,-1"
