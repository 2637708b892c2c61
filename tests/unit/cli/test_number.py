"""What an operator hears of one phone: from the configuration, the store, and the gateway itself."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from bridge.model import Stop, Unsubscribed
from bridge.simulator.simulator import Simulator
from bridge.store import rows, schema
from bridge.store.statements import insert

if TYPE_CHECKING:
    from conftest import House

SINCE = datetime(2026, 11, 20, 3, 12, tzinfo=UTC)
ASEL = "+77010000001"


def test_a_person_is_told_with_number_way_and_price(house: House) -> None:
    house.store(lambda tx: None)
    done = house.call("number", "Asel")
    assert done.code == 0
    assert done.out.splitlines() == [
        "number     +77010000001, a mobile, KZ",
        "person     Асель (asel)",
        "goes by    smsc",
        "a segment  18.00 KZT",
    ]


def test_a_number_is_read_as_people_write_it(house: House) -> None:
    house.store(lambda tx: None)
    told = json.loads(house.call("number", "8 701 000 00 09", "--json").out)
    assert (told["phone"], told["person"], told["providers"], told["price"]) == (
        "+77010000009",
        None,
        ["smsc"],
        "18.00",
    )


def test_what_keeps_sms_away_is_said_and_the_exit_code_says_it_too(house: House) -> None:
    stop = insert(schema.stops)
    gone = insert(schema.unsubscribed)
    house.store(lambda tx: tx.many(stop, [rows.stop_row(Stop(ASEL, "asel", SINCE))]))
    house.store(lambda tx: tx.many(gone, [rows.unsubscribed_row(Unsubscribed("smsgate:one", "viber", ASEL, SINCE))]))
    done = house.call("number", "asel")
    assert done.code == 1
    assert "smsbridge oncall start asel" in done.out
    assert "viber, smsgate:one, since" in done.out
    told = json.loads(house.call("number", "asel", "--json").out)
    assert told["stop"] == SINCE.isoformat()
    assert [one["account"] for one in told["unsubscribed"]] == ["smsgate:one"]


def test_T04_a_number_abroad_is_told_as_one_that_gets_nothing(house: House) -> None:
    house.store(lambda tx: None)
    done = house.call("number", "+4915123456789")
    assert done.code == 1
    assert "a mobile, DE" in done.out
    assert "allowed    no: SMS to this country are not" in done.out


def test_the_gateway_says_whose_number_it_is_and_what_a_segment_costs(
    house: House, provider: tuple[Simulator, int]
) -> None:
    simulator, port = provider
    house.write(url=f"http://127.0.0.1:{port}")
    house.store(lambda tx: None)
    told = json.loads(house.call("number", "asel", "--ask", "--json").out)["asked"]
    assert [(one["provider"], one["why"]) for one in told] == [("smsc", None)]
    assert told[0]["network"]
    assert float(told[0]["price"]) > 0
    assert house.call("number", "asel", "--ask").out.splitlines()[-1].startswith(f"smsc       {told[0]['network']}")
    assert not simulator.messages(), "nothing was sent"


def test_a_gateway_that_cannot_be_asked_is_told_with_its_reason_and_no_secret(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOUSE_PASSWORD", "hunter2")
    house.write(url="http://127.0.0.1:9")
    house.store(lambda tx: None)
    done = house.call("number", "asel", "--ask")
    assert done.code == 0
    assert done.out.splitlines()[-1].startswith("smsc ")
    assert "127.0.0.1" in done.out or "connect" in done.out
    assert "hunter2" not in done.out + done.err


@pytest.mark.parametrize("who", ["nobody", "12", "+999"])
def test_what_is_no_number_is_a_wrong_call(house: House, who: str) -> None:
    done = house.call("number", who)
    assert done.code == 2
    assert "is no telephone number and no person" in done.err
