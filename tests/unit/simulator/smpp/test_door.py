"""submit_sm and what follows, without connections and with a clock of its own."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from bridge.simulator.faults import HEALTHY, Fault
from bridge.simulator.settings import Account, Handler, SmppSwitches, Switches
from bridge.simulator.simulator import Simulator
from bridge.simulator.smpp.door import No
from bridge.smpp import texts
from bridge.smpp.bodies import Address, Bind, Query, ShortMessage

VECTORS = Path(__file__).parents[3] / "vectors"
SEGMENTS = json.loads((VECTORS / "smpp_segments.json").read_text())["cases"]
COMMANDS = json.loads((VECTORS / "smpp_commands.json").read_text())["cases"]
CODING = json.loads((VECTORS / "smpp_coding.json").read_text())
HLR = json.loads((VECTORS / "hlr_receipts.json").read_text())["cases"]
KINDS = {
    "mail": "mail", "call": "call", "call with param": "call", "viber": "viber", "soc": "soc",
    "telegram code": "telegram", "telegram bot": "bot", "hlr": "hlr", "ping": "ping", "comment": "sms",
}  # fmt: skip


class Clock:
    def __init__(self) -> None:
        self.now = datetime(2026, 11, 21, 3, 12, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def made(clock: Clock) -> Callable[..., Simulator]:
    def make(smpp: SmppSwitches | None = None, **account: Any) -> Simulator:
        known = Account(**({"login": "acme", "password": "secret", "prices": {"default": Decimal(18)}} | account))
        return Simulator(accounts=(known,), switches=Switches(smpp=smpp or SmppSwitches()), now=clock)

    return make


@pytest.fixture
def simulator(made: Callable[..., Simulator]) -> Simulator:
    return made()


def sms(octets: bytes = b"disk full", **changes: Any) -> ShortMessage:
    base: dict[str, Any] = {
        "source": Address("ACME", 5, 1),
        "destination": Address("77010000001", 1, 1),
        "registered": 1,
    }
    return ShortMessage(**(base | {"octets": octets} | changes))


def submit(simulator: Simulator, message: ShortMessage, fault: Fault = HEALTHY) -> str:
    return simulator.smpp.door.submit("acme", message, fault)


def refused(simulator: Simulator, message: ShortMessage, fault: Fault = HEALTHY) -> int:
    with pytest.raises(No) as caught:
        submit(simulator, message, fault)
    return caught.value.status


# vectors


@pytest.mark.parametrize("case", SEGMENTS, ids=[one["name"] for one in SEGMENTS])
def test_the_vectors_parts_are_the_text_they_stand_for(simulator: Simulator, case: dict[str, Any]) -> None:
    for part in case["pdus"]:
        octets = bytes.fromhex(part["short_message_hex"])
        submit(simulator, sms(octets, coding=part["data_coding"], esm_class=part["esm_class"]))
    (arrived,) = simulator.messages()
    assert ("".join(arrived.parts), len(arrived.parts)) == (case["text"], case["parts"])


@pytest.mark.parametrize("case", COMMANDS, ids=[one["kind"] for one in COMMANDS])
def test_the_vectors_commands_are_obeyed(simulator: Simulator, case: dict[str, Any]) -> None:
    submit(simulator, sms(texts.encode(case["text"], texts.GSM)))
    (arrived,) = simulator.messages()
    assert arrived.channel == KINDS[case["kind"]]
    assert bool(arrived.hidden) is ("~~~" in case["text"])


@pytest.mark.parametrize("case", CODING["cases"], ids=[str(one["coding"]) for one in CODING["cases"]])
def test_data_coding_is_the_coding_times_four(simulator: Simulator, case: dict[str, Any]) -> None:
    assert case["data_coding"] == case["coding"] * 4
    octets = texts.encode("ä", case["data_coding"])
    submit(simulator, sms(octets, coding=case["data_coding"]))
    assert simulator.messages()[0].text == "ä"


def test_an_hlr_receipt_has_the_form_of_the_vectors(simulator: Simulator) -> None:
    simulator.air.switches = simulator.air.switches.model_copy(update={"hlr": {
        name: HLR[0]["parsed"][name] for name in ("imsi", "msc", "mcc", "mnc", "cn", "net", "rcn", "rnet")
    }})  # fmt: skip
    id = submit(simulator, sms(texts.encode("__HLR__", texts.GSM)))
    assert _receipts(simulator)[-1] == HLR[0]["text"].replace("855469", id)


def _receipts(simulator: Simulator) -> list[str]:
    """The texts of all receipts that wait for somebody to bind."""
    simulator.air.timers.advance(simulator.air.now() + timedelta(hours=1))
    waiting = simulator.smpp._waiting.get("acme", ())
    return [ShortMessage.read(post.body).octets.decode("latin-1") for post in waiting]


# what is taken


def test_a_submit_is_a_message_paid_and_addressed(simulator: Simulator) -> None:
    id = submit(simulator, sms(validity="000000003000000R"))
    (arrived,) = simulator.messages()
    assert (arrived.id, arrived.gateway, arrived.phone, arrived.sender) == (id, "smsc-smpp", "77010000001", "ACME")
    assert arrived.valid_until - arrived.received_at == timedelta(minutes=30)
    assert simulator.air.accounts["acme"].balance == Decimal(982)


def test_ids_may_be_hexadecimal(made: Callable[..., Simulator]) -> None:
    assert submit(made(SmppSwitches(hexadecimal_ids=True)), sms()) == "D0DAD"


def part(number: int, reference: int = 7, text: bytes = b"part") -> ShortMessage:
    return sms(bytes((5, 0, 3, reference, 2, number)) + text, esm_class=0x40)


def test_parts_that_come_too_late_are_paid_and_rejected(simulator: Simulator, clock: Clock) -> None:
    submit(simulator, part(1))
    clock.now += timedelta(seconds=60)
    simulator.air.timers.advance(clock.now)
    (rejected,) = simulator.messages()
    assert (rejected.status, rejected.err, rejected.parts) == (23, 241, ("part",))
    submit(simulator, part(2))
    assert len(simulator.messages()) == 1
    assert simulator.air.accounts["acme"].balance == Decimal(964)


def test_parts_within_the_minute_are_one_text_in_any_order(simulator: Simulator, clock: Clock) -> None:
    submit(simulator, part(2, text=b"two"))
    clock.now += timedelta(seconds=59)
    submit(simulator, part(1, text=b"one"))
    assert [one.text for one in simulator.messages()] == ["onetwo"]


def test_parts_of_different_references_are_not_mixed(simulator: Simulator) -> None:
    submit(simulator, part(1, 7))
    submit(simulator, part(2, 8))
    assert simulator.messages() == ()


# what is refused


def test_an_identical_submit_within_a_minute_is_refused(simulator: Simulator, clock: Clock) -> None:
    submit(simulator, sms())
    assert refused(simulator, sms()) == 0x45
    clock.now += timedelta(seconds=60)
    submit(simulator, sms())
    assert len(simulator.messages()) == 2


@pytest.mark.parametrize(
    ("change", "status"),
    [
        ({"balance": Decimal(17)}, 0x45),
        ({"senders": ("OTHER",)}, 0x0A),
        ({"forbidden_words": ("disk",)}, 0x45),
        ({"unreachable": ("7701",)}, 0x0B),
    ],
    ids=str,
)
def test_an_account_s_limits_are_kept(made: Callable[..., Simulator], change: dict[str, Any], status: int) -> None:
    simulator = made(**change)
    assert refused(simulator, sms()) == status
    assert simulator.messages() == ()


@pytest.mark.parametrize("to", ["G1", "77010000001,77010000002", "", "a@b.c"])
def test_what_is_no_number_is_refused(simulator: Simulator, to: str) -> None:
    assert refused(simulator, sms(destination=Address(to, 1, 1))) == 0x0B


def test_a_fault_refuses_with_its_status_and_may_take_all_the_same(simulator: Simulator) -> None:
    assert refused(simulator, sms(), Fault(command_status=0x400)) == 0x400
    assert simulator.messages() == ()
    assert refused(simulator, sms(), Fault(command_status=0x400, take=True)) == 0x400
    assert len(simulator.messages()) == 1


def test_the_fifty_first_message_of_a_flood_is_taken_and_blocked(simulator: Simulator) -> None:
    for number in range(51):
        submit(simulator, sms(f"n {number}".encode()))
    assert [one.status for one in simulator.messages()] == [-1] * 50 + [23]


@pytest.mark.parametrize(
    ("bind", "change", "status"),
    [
        (Bind("nobody", "secret"), {}, 0x0F),
        (Bind("acme", "wrong"), {}, 0x0E),
        (Bind("acme", "secret"), {"smpp_password": "own"}, 0x0E),
        (Bind("acme", "secret"), {"allowed_addresses": ("10.0.0.1",)}, 0x0D),
    ],
)
def test_a_bind_is_refused_for_its_reason(
    made: Callable[..., Simulator], bind: Bind, change: dict[str, Any], status: int
) -> None:
    with pytest.raises(No) as caught:
        made(**change).smpp.door.login(bind, "127.0.0.1")
    assert caught.value.status == status


# what is reported


@pytest.mark.parametrize(("form", "has_text", "has_tlvs"), [("both", 1, 1), ("text", 1, 0), ("tlvs", 0, 1)])
def test_a_receipt_has_the_form_that_is_switched(
    made: Callable[..., Simulator], form: Any, has_text: bool, has_tlvs: bool
) -> None:
    simulator = made(SmppSwitches(receipts=form))
    submit(simulator, sms())
    _receipts(simulator)
    (post,) = simulator.smpp._waiting["acme"]
    receipt = ShortMessage.read(post.body)
    assert receipt.is_receipt
    assert (bool(receipt.octets), bool(receipt.tlvs)) == (bool(has_text), bool(has_tlvs))


def test_each_part_of_a_text_has_a_receipt(simulator: Simulator) -> None:
    ids = [submit(simulator, part(1)), submit(simulator, part(2))]
    assert [text.split(" ")[0] for text in _receipts(simulator)] == [f"id:{id}" for id in ids]


def test_without_registered_delivery_the_http_handler_is_told(simulator: Simulator) -> None:
    posts: list[Any] = []
    simulator.air.post = posts.append
    simulator.air.handlers = (Handler(url="http://127.0.0.1:1/cb?charset=utf-8"),)
    id = submit(simulator, sms(registered=0))
    simulator.air.timers.advance(simulator.air.now() + timedelta(hours=1))
    assert posts
    assert all(post.url.startswith("http://") and f"id={id}".encode() in post.body for post in posts)


def test_a_question_tells_the_state(simulator: Simulator, clock: Clock) -> None:
    id = submit(simulator, sms())
    assert simulator.smpp.door.query("acme", Query(id, Address())).state == 1
    clock.now += timedelta(seconds=5)
    answer = simulator.smpp.door.query("acme", Query(id, Address()))
    assert (answer.state, answer.final[:6]) == (2, "261121")
    with pytest.raises(No):
        simulator.smpp.door.query("acme", Query("999", Address()))
    with pytest.raises(No):
        simulator.smpp.door.query("other", Query(id, Address()))
