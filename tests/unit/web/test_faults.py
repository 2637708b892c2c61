"""The pretend provider's switches."""

from __future__ import annotations

import pytest

from bridge.simulator.simulator import Simulator
from bridge.web import faults
from bridge.web.say import say_in

KEYS = ("refuse", "silent", "noreceipt", "twice", "reversed", "slow", "money")


@pytest.mark.parametrize("key", KEYS)
def test_every_switch_is_a_setting_that_the_simulator_knows(key: str) -> None:
    world, say = Simulator(), say_in("en")
    faults.toggle(world, key)
    assert [switch.key for switch in faults.switches(world, say) if switch.on] == [key]
    assert faults.summary(world, say).startswith("provider: ")
    faults.toggle(world, key)
    assert faults.summary(world, say) == ""


def test_switches_of_one_setting_replace_each_other() -> None:
    world, say = Simulator(), say_in("en")
    for key in ("refuse", "money", "twice", "reversed", "slow"):
        faults.toggle(world, key)
    assert {switch.key for switch in faults.switches(world, say) if switch.on} == {"money", "reversed", "slow"}


def test_without_a_pretend_provider_nothing_fails() -> None:
    assert faults.summary(None, say_in("en")) == ""
