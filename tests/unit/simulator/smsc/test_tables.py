"""The provider's tables of codes, as the simulator says them: each code of the vectors can be met, with its meaning."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from bridge.simulator.records import FAILED, FINAL, STATES

VECTORS = Path(__file__).parents[3] / "vectors"


def codes(name: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads((VECTORS / f"{name}.json").read_text(encoding="utf-8"))["codes"]
    return found


_KEYS = {one["code"]: one for one in codes("status_codes")}


def test_the_states_are_those_of_the_vectors() -> None:
    assert {code: one["key"] for code, one in _KEYS.items()} == STATES
    assert {code for code, one in _KEYS.items() if one["final"]} == FINAL
    assert {code for code, one in _KEYS.items() if one["final"] and not one["success"]} == FAILED


@pytest.mark.parametrize("err", [one["err"] for one in codes("err_codes")])
def test_every_error_of_the_network_comes_back_in_the_status_and_in_its_callback(world: Any, err: int) -> None:
    world.simulator.set_faults({"smsc": {"all": {"fate": "undelivered", "err": err}}})
    world.send(phones="77010000001", id="7")
    world.clock.forward(60)
    answer = json.loads(world.ask("status", phone="77010000001", id="7", fmt="3", charset="utf-8"))
    assert (answer["status"], answer["err"]) == (20, err)


@pytest.mark.parametrize("one", codes("send_errors"), ids=lambda one: str(one["code"]))
def test_every_refusal_can_be_met_with_its_words(world: Any, one: dict[str, Any]) -> None:
    world.simulator.set_faults({"smsc": {"all": {"refuse": one["code"]}}})
    answer = json.loads(world.send(phones="77010000001", id="7", fmt="3"))
    assert answer["error_code"] == one["code"]
    assert answer["error"] == one["description"]
    assert ("id" in answer) is one["with_id"]
