"""The end of a trouble goes the ways its problem went (FORMAT §7.7)."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from bridge.proof.world import World
from tests.unit.dispatch.stage import NOW, PEOPLE, Stage, build, phones, strict

__all__ = ["strict"]
pytestmark = pytest.mark.usefixtures("strict")

RULES = """
rules:
  - {rule: by host, when: {recipient: keys@bridge.test}, to: aigul, key: "host {{ host }}", continue: true}
  - {rule: by title, when: {recipient: keys@bridge.test}, to: ivan, key: "title {{ title }}"}
  - {rule: at night, when: {recipient: night@bridge.test, during: {hours: 20:00-08:30}}, to: aigul}
  - {rule: by day, when: {recipient: night@bridge.test}, to: ivan}
  - rule: ladder
    when: {recipient: ladder@bridge.test}
    to: aigul
    escalate: [{after: 5m, to: ivan, channel: call}]
  - {rule: mail, when: {recipient: mail@bridge.test}, to: aigul, on_recovery: mail only}
  - {rule: one, when: {recipient: one@bridge.test}, to: aigul, repeat: 10m}
"""
PROBLEM = "Problem name: Disk\nHost: db01\nSeverity: High\nOriginal problem ID: 1\n"


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory) -> Callable[[], Stage]:
    book = build(tmp_path_factory.mktemp("office"), RULES)
    return lambda: Stage(World(book, NOW))


@pytest.fixture
def stage(office: Callable[[], Stage]) -> Stage:
    return office()


def test_a_problem_of_the_night_ends_where_it_began(stage: Stage) -> None:
    assert phones(stage.problem(to="night")) == ["aigul@0"]
    stage.wait(hours=2)
    assert phones(stage.recovery(to="night")) == ["aigul@120"]


def test_those_of_the_ladder_hear_the_end_too(stage: Stage) -> None:
    stage.problem(to="ladder")
    stage.wait(minutes=6)
    assert phones(stage.recovery(to="ladder")) == ["aigul@6", "ivan@6"]


def test_one_end_ends_every_incident_that_the_rules_keys_made_of_its_trouble(stage: Stage) -> None:
    assert phones(stage.problem(to="keys")) == ["aigul@0", "ivan@0"]
    assert phones(stage.recovery(to="keys")) == ["aigul@0", "ivan@0"]
    assert [stage.incident(number).state for number in (1000, 1001)] == ["resolved", "resolved"]


def test_mail_only_is_mailed_and_not_sent_to_a_phone(stage: Stage) -> None:
    stage.problem(to="mail")
    assert stage.recovery(to="mail") == ["mail mon@host.test@0 OVER: Disk"]
    assert stage.reasons == ["recovery tells nobody"]


def test_who_was_told_hears_the_end_though_the_repeat_to_him_did_not_leave(world):
    world.mail("always", "Problem: Disk", PROBLEM)
    world.sent()
    again = world.mail("always", "Problem: Disk", PROBLEM)
    end = world.mail("always", "Resolved in 5m 0s: Disk", PROBLEM)
    assert end.cancel == tuple((message.id, "resolved before it was sent") for message in again.messages)
    assert [message.phone for message in end.messages] == [PEOPLE["aigul"]]


def test_everything_that_did_not_leave_is_cancelled_by_the_end(world):
    first = world.mail("always", "Problem: Disk", PROBLEM)
    again = world.mail("always", "Problem: Disk", PROBLEM)
    end = world.mail("always", "Resolved in 5m 0s: Disk", PROBLEM)
    assert [number for number, _ in end.cancel] == [message.id for message in (*first.messages, *again.messages)]
    assert not end.messages
