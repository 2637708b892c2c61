"""What comes and goes is said once, then nothing until its state holds; then that, once (FORMAT §4 Flap)."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from bridge.proof.world import World
from tests.unit.dispatch.stage import NOW, Stage, build, phones, strict

__all__ = ["strict"]
pytestmark = pytest.mark.usefixtures("strict")

RULES = """
rules:
  - {rule: one, when: {recipient: one@bridge.test}, to: aigul, repeat: 10m, flap: {changes: 3 in 1h, calm: 5m}}
  - {rule: both, when: {recipient: both@bridge.test}, to: both, flap: {changes: 3 in 1h, calm: 5m}}
"""


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory) -> Callable[[], Stage]:
    book = build(tmp_path_factory.mktemp("office"), RULES)
    return lambda: Stage(World(book, NOW))


@pytest.fixture
def stage(office: Callable[[], Stage]) -> Stage:
    return office()


def test_the_change_too_many_is_said_and_then_nothing_is(stage: Stage) -> None:
    stage.problem(1)
    stage.recovery(1)
    assert phones(stage.problem(2)) == ["aigul@0"]
    [said] = stage.recovery(2)
    assert said == "aigul@0 11 HIGH db01: Disk, comes and goes. Told again when it holds"
    assert stage.problem(3) == []
    assert stage.reasons == ["flapping"]
    assert stage.recovery(3) == []
    assert stage.reasons == ["flapping"]


def _flapping(stage: Stage, to: str = "one") -> None:
    """It flaps, and its state is a problem."""
    for number in (1, 2):
        stage.problem(number, to)
        stage.recovery(number, to)
    stage.problem(3, to)


def test_the_state_that_holds_is_said_once(stage: Stage) -> None:
    _flapping(stage)
    stage.wait(minutes=4)
    stage.seen()
    assert phones(stage.wait(minutes=30)) == ["aigul@5"]
    assert stage.steps(1002) == [("0", "aigul")]


def test_an_end_that_holds_is_said_to_those_who_were_told(stage: Stage) -> None:
    _flapping(stage, "both")
    stage.recovery(3, "both")
    [first, second] = stage.wait(minutes=30)
    assert first.startswith("aigul@5 ")
    assert second.startswith("ivan@5 ")
    assert " OVER " in first
    assert " OVER " in second


def test_a_change_in_between_begins_the_calm_anew(stage: Stage) -> None:
    _flapping(stage)
    stage.wait(minutes=4)
    stage.recovery(3)
    assert phones(stage.wait(minutes=4)) == []
    assert phones(stage.wait(minutes=2)) == ["aigul@9"]


def test_a_repeat_after_the_calm_is_a_repeat_and_no_flapping(stage: Stage) -> None:
    """Its changes are still in the window; only another change makes it flapping again."""
    _flapping(stage)
    stage.wait(minutes=6)
    stage.wait(minutes=10)
    [said] = stage.problem(3)
    assert said.startswith("aigul@16 ")
    assert "again" in said
    assert stage.wait(minutes=30) == []


def test_T02_who_heard_that_it_flaps_hears_it_again_only_after_it_was_calm(stage: Stage) -> None:
    """One incident that flaps, is calm and flaps again: two tellings, each with a step of its own."""
    _flapping(stage)
    stage.wait(minutes=6)
    stage.recovery(3)
    stage.wait(minutes=6)
    told = [key for number in range(1000, 1003) for key in ((number, *step) for step in stage.steps(number))]
    assert len(told) == len(set(told))
