"""send.php against the vectors of its replies, and the rules behind each error."""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

SEND = json.loads((Path(__file__).parents[3] / "vectors" / "send_http.json").read_text(encoding="utf-8"))["cases"]
ASKED = [pytest.param(case, id=case["name"]) for case in SEND if "request" in case]
REFUSED = [pytest.param(case, id=case["name"]) for case in SEND if case["name"].startswith("error")]


@pytest.mark.parametrize("case", ASKED)
def test_answers_success_byte_for_byte_as_the_vectors(world: Any, case: dict[str, Any]) -> None:
    assert world.ask("send", **case["request"]["params"]) == case["reply"]


def _provoke(world: Any, code: int) -> dict[str, str]:
    """Whatever makes the door say *code*."""
    match code:
        case 1:
            return {"mes": ""}
        case 2:
            return {"login": "demo", "psw": "wrong"}
        case 3:
            world.account(balance=Decimal("1.39"))
        case 4:
            world.limit(bad_requests_a_minute=1)
            world.send(mes="")
        case 5:
            return {"time": "tomorrow"}
        case 6:
            world.account(forbidden_words=("test",))
        case 7:
            return {"phones": "12"}
        case 8:
            world.account(unreachable=("7701",))
        case 9:
            world.send()
    return {}


@pytest.mark.parametrize("case", REFUSED)
def test_answers_each_error_byte_for_byte_as_the_vectors(world: Any, case: dict[str, Any]) -> None:
    wrong = _provoke(world, case["parsed"]["error_code"])

    answer = world.send(**{"id": "1234", "fmt": str(case["fmt"])} | wrong)

    assert answer == case["reply"]


def test_op_lists_every_number_as_the_vector(world: Any) -> None:
    case = next(case for case in SEND if case["name"].startswith("op=1"))
    world.account(balance=Decimal("100.50"))

    answer = world.send(phones="77010000001,7701", op="1", fmt="3", cost="3", id="7")

    assert answer == case["reply"]


def test_err_lists_only_the_bad_numbers(world: Any) -> None:
    answer = json.loads(world.send(phones="77010000001;7701", err="1", fmt="3"))

    assert [line["phone"] for line in answer["phones"]] == ["7701"]


def test_a_price_request_sends_nothing_and_costs_nothing(world: Any) -> None:
    world.send(cost="1")

    assert world.simulator.messages() == ()
    assert world.ask("balance", fmt="1") == "101.90"


def test_charges_each_segment_by_the_longest_prefix(world: Any) -> None:
    world.account(prices={"default": Decimal(9), "77": Decimal(5), "7701": Decimal("1.40")})

    assert world.send(mes="ж" * 71, cost="3") == "1,2,2.80,99.10"


def test_sends_to_each_of_several_phones_once(world: Any) -> None:
    world.send(phones="+77010000001, 77010000002;77010000001")

    assert [message.phone for message in world.simulator.messages()] == ["77010000001", "77010000002", "77010000001"]


@pytest.mark.parametrize(
    ("written", "phone"),
    [("87010000001", "77010000001"), ("+87010000001", "87010000001"), ("8 (701) 000-00-01", "77010000001")],
)
def test_repairs_a_national_number_only_without_plus(world: Any, written: str, phone: str) -> None:
    world.send(phones=written)

    assert world.simulator.messages()[0].phone == phone


def test_T15_list_names_recipients_line_by_line(world: Any) -> None:
    world.send(phones="", mes="", list="77010000001:Код: 1\n77010000002;Код: 2")

    assert [(m.phone, m.text) for m in world.simulator.messages()] == [
        ("77010000001", "Код: 1"),
        ("77010000002", "Код: 2"),
    ]


def test_T15_a_group_name_reaches_its_members(world: Any) -> None:
    world.account(groups={"1": ("77010000001", "77010000002")})

    world.send(phones="G1")

    assert len(world.simulator.messages()) == 2


@pytest.mark.parametrize("id", ["0", "2147483648", "a b", "x" * 41])
def test_takes_only_ids_it_documents(world: Any, id: str) -> None:
    answer = world.send(id=id)

    assert answer == ("1,1" if id == "0" else "0,-1")


def test_keeps_a_client_id_of_letters(world: Any) -> None:
    assert json.loads(world.send(id="alert-2025.11_21-a", fmt="3")) == {"id": "alert-2025.11_21-a", "cnt": 1}


def test_maxsms_cuts_the_text_to_its_parts(world: Any) -> None:
    assert world.send(mes="ж" * 200, maxsms="2", cost="2").endswith(",2,2.80")
    assert world.simulator.messages()[0].text == "ж" * 134


def test_translit_makes_a_cheaper_text(world: Any) -> None:
    world.send(mes="Щука", translit="1")

    assert world.simulator.messages()[0].text == "Shhuka"


@pytest.mark.parametrize(
    ("time", "tz", "seconds"),
    [
        ("0", "", 0),
        ("+10", "", 600),
        ("01763712000", "", 3600),
        ("2111251100", "", 3600),
        ("21.11.25 11:00", "", 3600),
        ("2111251300", "2", 3600),
        ("11-18", "", 3600),
        ("01.01.20 10:00", "", 0),
    ],
)
def test_reads_every_form_of_time_from_moscow(world: Any, time: str, tz: str, seconds: float) -> None:
    """The clock stands at 07:00 UTC, 10:00 in Moscow."""
    world.send(time=time, tz=tz)

    message = world.simulator.messages()[0]
    assert (message.send_at - message.received_at).total_seconds() == seconds


@pytest.mark.parametrize("valid", ["25", "0", "00:00", "1:2", "x"])
def test_refuses_a_life_time_outside_a_minute_and_a_day(world: Any, valid: str) -> None:
    assert world.send(valid=valid) == "0,-1"


def test_refuses_a_sender_that_is_not_registered(world: Any) -> None:
    world.account(senders=("ACME",))

    assert world.send(sender="EVIL", id="5") == "5,-6"
    assert world.send(sender="ACME", id="5") == "5,1"


@pytest.mark.parametrize("sender", ["", "."])
def test_shows_the_number_when_the_sender_name_is_switched_off(world: Any, sender: str) -> None:
    world.send(sender=sender)

    assert world.simulator.messages()[0].sender == "77770000000"


def test_takes_the_password_as_md5_unless_switched_off(world: Any) -> None:
    md5 = {"login": "demo", "psw": "5ebe2294ecd0e0f08eab7690d2a6ee69"}

    assert world.send(**md5) == "1,1"
    world.switch(md5_passwords=False)
    assert world.send(**md5, mes="other") == "0,-2"


def test_takes_the_key_alone(world: Any) -> None:
    assert world.send(apikey="key") == "1,1"
    assert world.send(apikey="no") == "0,-2"


def test_an_account_without_key_is_not_opened_by_an_empty_one(world: Any) -> None:
    world.account(apikey="")

    assert world.send(apikey="", login="") == "0,-2"


def test_refuses_an_address_that_is_not_on_the_list(world: Any) -> None:
    world.account(allowed_addresses=("10.0.0.1",))

    assert world.send() == "0,-2"


def test_the_request_of_a_message_shows_no_secret(world: Any) -> None:
    world.send(apikey="key")
    world.send(mes="two")

    shown = json.dumps([message.as_json() for message in world.simulator.messages()])
    assert "secret" not in shown
    assert '"apikey": "***"' in shown
    assert '"psw": "***"' in shown


@pytest.mark.parametrize("flag", ["hlr", "ping"])
def test_hlr_and_ping_want_no_text(world: Any, flag: str) -> None:
    world.send(mes="", **{flag: "1"})

    assert world.simulator.messages()[0].channel == flag


def test_counts_octets_of_a_binary_message(world: Any) -> None:
    assert world.send(mes="00" * 141, bin="2") == "1,2"


def test_json_numbers_may_come_as_text(world: Any) -> None:
    world.switch(json_numbers_as_text=True)

    assert world.send(fmt="3", id="1234", cost="2") == '{"id": "1234", "cnt": "1", "cost": "1.40"}'
