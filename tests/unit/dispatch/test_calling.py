"""A missed call is an ack like ``ok``, from a phone that was just given a number; else it is silence."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest

from bridge.model import Call
from tests.unit.dispatch.callers import OUR_NUMBER, ringing_stage
from tests.unit.dispatch.stage import PEOPLE, Stage, strict  # noqa: F401 - a fixture

pytestmark = pytest.mark.usefixtures("strict")


@pytest.fixture
def stage(tmp_path: Path) -> Stage:
    return ringing_stage(tmp_path / "office")


def rings(stage: Stage, who: str = "aigul", to: str = OUR_NUMBER, ago: float = 0) -> list[str]:
    at = stage.now - timedelta(minutes=ago)
    stage.world._decide(Call(1, PEOPLE.get(who, who), to, "smsc", at))
    return stage.seen()


def test_a_call_acknowledges_like_ok(stage: Stage) -> None:
    assert stage.mail("disk full", "own")[0] == f"aigul@0 disk full. 10 ok or ring {OUR_NUMBER}"
    stage.wait(minutes=1)
    told = rings(stage)
    assert any(each.startswith("aigul@1 10 acked") for each in told)
    assert any(each.startswith("ivan@1") and "Aigul has it" in each for each in told)
    incident = stage.incident()
    assert (incident.state, incident.acked_by) == ("acked", "aigul")


def test_the_thread_reads_that_it_was_a_call(stage: Stage) -> None:
    stage.mail("disk full", "own")
    stage.wait(minutes=1)
    stage.world._decide(Call(1, PEOPLE["aigul"], OUR_NUMBER, "smsc", stage.now))
    assert any("by a call." in body for body in stage.bodies())


def test_one_call_acknowledges_all_that_is_open_on_the_phone(stage: Stage) -> None:
    stage.mail("disk full", "own")
    stage.mail("fan stopped", "own")
    rings(stage)
    assert [stage.incident(number).acked_by for number in (1000, 1001)] == ["aigul", "aigul"]


def test_T32_a_call_from_another_phone_is_silence(stage: Stage) -> None:
    stage.mail("disk full", "own")
    for who in ("+77010000999", "ivan"):  # a stranger, and somebody who may not answer so
        assert rings(stage, who) == []
    assert stage.incident().state == "open"


def test_T32_a_call_that_nobody_asked_for_is_silence(stage: Stage) -> None:
    stage.mail("disk full", "sms")  # that rule lets nobody answer by a call, so no number was given
    assert rings(stage) == []
    assert stage.incident().state == "open"


def test_T32_a_call_to_a_number_that_was_not_given_is_silence(stage: Stage) -> None:
    stage.mail("disk full", "own")
    assert rings(stage, to="+77770000009") == []
    assert stage.incident().state == "open"


def test_T32_a_call_never_acknowledges_what_its_rule_lets_nobody_answer_so(stage: Stage) -> None:
    stage.mail("disk full", "own")
    stage.mail("fan stopped", "sms")
    rings(stage)
    assert [stage.incident(number).state for number in (1000, 1001)] == ["acked", "open"]


@pytest.mark.parametrize("after, acked", [(14.9, True), (16.9, True), (17.1, False)])
def test_the_number_lives_a_quarter_of_an_hour(stage: Stage, after: float, acked: bool) -> None:
    """Two minutes are left to clocks that differ."""
    stage.mail("disk full", "own")
    stage.world.advance(stage.now + timedelta(minutes=after))
    rings(stage)
    assert (stage.incident().state == "acked") is acked


def test_T25_a_call_from_before_the_number_was_given_is_silence(stage: Stage) -> None:
    """A post that was captured yesterday and comes again today."""
    stage.mail("disk full", "own")
    assert rings(stage, ago=3) == []
    assert stage.incident().state == "open"


def test_a_call_counts_from_when_it_rang_and_not_from_when_it_was_heard_of(stage: Stage) -> None:
    stage.mail("disk full", "own")
    stage.wait(minutes=25)
    rings(stage, ago=15)
    assert stage.incident().state == "acked"


def test_T25_a_call_that_is_heard_of_again_says_nothing_more(stage: Stage) -> None:
    stage.mail("disk full", "own")
    rings(stage)
    assert rings(stage) == []
    assert stage.incident().acked_by == "aigul"


def test_words_do_not_acknowledge_where_only_a_call_may(stage: Stage) -> None:
    stage.mail("disk full", "own")
    (answer,) = stage.reply("10 ok", "marat")
    assert answer.startswith("marat@0")
    assert "acked" not in answer
    assert stage.incident().state == "open"
    rings(stage, "marat")
    assert stage.incident().acked_by == "marat"


def test_a_number_shown_without_a_code_can_be_rung(tmp_path: Path, make: Callable[[Path], Stage]) -> None:
    stage = make(tmp_path)
    stage.mail("disk full", "bare")
    rings(stage)
    assert stage.incident().acked_by == "aigul"


@pytest.fixture
def make() -> Callable[[Path], Stage]:
    rules = """
rules:
  - {rule: bare, when: {recipient: bare@bridge.test}, to: aigul, text: "{{ title }}. Ring {{ call_to_ack }}"}
"""
    return lambda folder: ringing_stage(folder / "bare", rules)
