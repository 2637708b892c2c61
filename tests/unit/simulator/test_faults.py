"""Which fault meets which request."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError


def fault(world: Any, **every: object) -> None:
    world.simulator.set_faults({"smsc": {"all": every}})


def test_refuses_with_the_code_and_takes_nothing(world: Any) -> None:
    fault(world, refuse=8)

    assert world.send(id="5") == "5,-8"
    assert world.simulator.messages() == ()
    assert world.ask("balance", fmt="1") == "101.90"


def test_a_pretended_refusal_leaves_the_same_request_free(world: Any) -> None:
    fault(world, refuse=9)
    world.send()
    fault(world)

    assert world.send(id="5") == "5,1"


def test_may_refuse_and_take_all_the_same(world: Any) -> None:
    """Error 9 proves nothing: here is the case."""
    fault(world, refuse=9, take=True)

    assert world.send() == "0,-9"
    assert len(world.simulator.messages()) == 1


def test_F18_one_phone_of_several_is_refused(world: Any) -> None:
    world.simulator.set_faults({"smsc": {"phones": {"77010000002": {"refuse": 8}}}})

    assert world.send(phones="77010000001,77010000002", id="5") == "5,1"
    assert [message.phone for message in world.simulator.messages()] == ["77010000001"]
    assert world.send(phones="77010000002", id="6") == "6,-8"


def test_a_phones_own_fault_replaces_the_one_for_all(world: Any) -> None:
    world.simulator.set_faults({"smsc": {"all": {"refuse": 8}, "phones": {"77010000001": {}}}})

    assert world.send(id="5") == "5,1"


def test_strikes_as_often_as_it_says(world: Any) -> None:
    fault(world, refuse=8, times=2)

    assert [world.send(id="5") for _ in range(3)] == ["5,-8", "5,-8", "5,1"]


def test_price_requests_have_a_door_of_their_own(world: Any) -> None:
    fault(world, refuse=8)
    assert world.send(cost="1") == "1.40,1"
    fault(world, refuse=8, on=["price"])
    assert world.send(cost="1") == "0,-8"


def test_other_doors_fail_when_they_are_named(world: Any) -> None:
    fault(world, refuse=4, on=["status", "balance"])

    assert world.ask("status", phone="7", id="1", fmt="1") == "0,-4"
    assert world.ask("balance", fmt="1") == "0,-4"
    assert world.send(id="5") == "5,1"


def test_throttles_to_so_many_a_second(world: Any) -> None:
    fault(world, throttle=2)

    answers = [world.send(mes=f"n{number}", id="5") for number in range(3)]
    world.clock.forward(1)
    assert [*answers, world.send(mes="later", id="5")] == ["5,1", "5,1", "0,-9", "5,1"]


def test_replacing_heals_what_is_not_named(world: Any) -> None:
    fault(world, refuse=8)
    assert world.simulator.air.faults.as_json()["smsc"] == {"all": {"refuse": 8}}
    world.simulator.set_faults({})

    assert world.simulator.air.faults.as_json()["smsc"] == {}


@pytest.mark.parametrize(
    "wrong", [{"smsc": {"all": {"refuse": 10}}}, {"smsc": {"all": {"explode": True}}}, {"smsc": 1}]
)
def test_a_wrong_fault_changes_nothing(world: Any, wrong: dict[str, object]) -> None:
    fault(world, refuse=8)
    with pytest.raises(ValidationError):
        world.simulator.set_faults(wrong)

    assert world.send(id="5") == "5,-8"


def test_an_unknown_gateway_changes_nothing(world: Any) -> None:
    with pytest.raises(KeyError, match="carrier"):
        world.simulator.set_faults({"carrier": {}})
