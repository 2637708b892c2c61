"""Silences and inhibition: nobody hears of it now; what is still open when that is over is told (FORMAT §11)."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from bridge.proof.world import World
from tests.unit.dispatch.stage import NOW, Stage, build, phones, strict

__all__ = ["strict"]
pytestmark = pytest.mark.usefixtures("strict")

RULES = """
rules:
  - {rule: one, when: {recipient: one@bridge.test}, to: aigul}
  - rule: ladder
    when: {recipient: ladder@bridge.test}
    to: aigul
    escalate: [{after: 10m, to: ivan}, {after: 15m, to: marat}]
inhibit:
  - {inhibit: site, while: {host: gw*}, hide: {host: [db*, gw*]}}
  - {inhibit: rack, while: {host: pdu1, severity: critical}, hide: {host: sw*}, equal: [label.rack]}
silences:
  - {silence: planned, when: {host: gw9}, during: {hours: 08:00-09:00}, by: aigul}
"""


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory) -> Callable[[], Stage]:
    book = build(tmp_path_factory.mktemp("office"), RULES)
    return lambda: Stage(World(book, NOW))


@pytest.fixture
def stage(office: Callable[[], Stage]) -> Stage:
    return office()


def problem(stage: Stage, host: str, severity: str = "High", to: str = "one", word: str = "Problem") -> list[str]:
    subject = "Problem: Disk" if word == "Problem" else "Resolved in 5m 0s: Disk"
    return stage.mail(subject, to, f"Problem name: Disk\nHost: {host}\nSeverity: {severity}\nOriginal problem ID: 1\n")


def over(stage: Stage, host: str) -> list[str]:
    return problem(stage, host, word="Resolved")


# --- silences -----------------------------------------------------------------------------------


def test_a_silence_that_was_made_meanwhile_and_ends_later_holds_on(stage: Stage) -> None:
    stage.order("silences", "add", "host=db*", "10m")
    assert problem(stage, "db1") == []
    stage.wait(minutes=5)
    stage.order("silences", "add", "host=db1", "20m")
    assert stage.wait(minutes=10) == []
    assert phones(stage.wait(minutes=15)) == ["aigul@25"]


def test_what_got_worse_while_it_was_silent_is_said_to_those_too_who_know_of_it(stage: Stage) -> None:
    assert phones(problem(stage, "db1")) == ["aigul@0"]
    stage.order("silences", "add", "host=db*", "10m")
    assert problem(stage, "db1", "Disaster") == []
    assert problem(stage, "db1", "Disaster") == []
    [said] = stage.wait(minutes=11)
    assert said.startswith("aigul@10 ")
    assert "now CRIT" in said


def test_who_knows_of_it_hears_nothing_new_at_the_end_of_a_silence(stage: Stage) -> None:
    problem(stage, "db1")
    stage.order("silences", "add", "host=db*", "10m")
    assert problem(stage, "db1") == []
    assert stage.wait(minutes=30) == []


@pytest.mark.parametrize(
    ("pattern", "silent"), [("db1", True), ("DB1.*", True), ("db1.shop.test", True), ("b1", False)]
)
def test_a_silence_of_a_host_fits_it_with_its_domain_or_without(stage: Stage, pattern: str, silent: bool) -> None:
    stage.order("silences", "add", f"host={pattern}", "10m")
    assert (problem(stage, "db1.shop.test") == []) is silent


def test_the_note_of_a_silence_is_listed(stage: Stage) -> None:
    stage.order("silences", "add", "host=db*", "10m", "change", "4711")
    assert stage.order("silences", "list").said[-1].endswith("host=db* (change 4711)")


def test_a_ladder_that_a_silence_held_keeps_the_distance_of_its_steps(stage: Stage) -> None:
    """Everybody at once at the end of a silence would leave nobody the time to answer."""
    problem(stage, "db1", to="ladder")
    stage.order("silences", "add", "host=db*", "1h")
    assert stage.wait(minutes=59) == []
    assert phones(stage.wait(minutes=11)) == ["ivan@60", "marat@65"]


def test_a_silence_that_is_ended_sooner_lets_a_ladder_go_on(stage: Stage) -> None:
    problem(stage, "db1", to="ladder")
    stage.order("silences", "add", "host=db*", "2h")
    stage.wait(minutes=20)
    stage.order("silences", "end", "1")
    assert phones(stage.wait(minutes=3)) == ["ivan@21"]


# --- inhibition ---------------------------------------------------------------------------------


def test_what_is_hidden_by_two_is_told_when_the_last_of_them_is_over(stage: Stage) -> None:
    problem(stage, "gw1")
    stage.wait(minutes=1)
    problem(stage, "db1")
    problem(stage, "gw2")
    ended, second = over(stage, "gw1")
    assert "OVER gw1" in ended
    assert "gw2: Disk" in second, "db1 is hidden by gw2 now"
    ended, last = over(stage, "gw2")
    assert "OVER gw2" in ended
    assert "db1: Disk" in last


def test_an_incident_hides_others_while_it_is_silent_itself(stage: Stage) -> None:
    assert problem(stage, "gw9") == []
    assert problem(stage, "db1") == []
    assert stage.reasons == ["hidden by site (gw9/Disk)"]


def test_an_event_never_hides_itself(stage: Stage) -> None:
    """It fits both ``while`` and ``hide``: the first of its kind is told, and hides the others."""
    assert phones(problem(stage, "gw1")) == ["aigul@0"]
    assert problem(stage, "gw2") == []


def test_the_end_of_what_was_hidden_is_said_to_nobody(stage: Stage) -> None:
    problem(stage, "gw1")
    problem(stage, "db1")
    assert over(stage, "db1") == []
    assert stage.reasons == ["resolved before it was sent"]
    assert phones(over(stage, "gw1")) == ["aigul@0"], "its own end alone"


def test_what_gets_worse_hides_what_it_did_not_hide_before(stage: Stage) -> None:
    """``while`` asks for class critical; both have no label ``rack``, and both empty is equal."""
    problem(stage, "pdu1", "High")
    assert phones(problem(stage, "sw1")) == ["aigul@0"]
    problem(stage, "pdu1", "Disaster")
    assert problem(stage, "sw2") == []
    assert stage.reasons == ["hidden by rack (pdu1/Disk)"]


def test_the_next_trouble_of_a_hider_may_hide_less(stage: Stage) -> None:
    problem(stage, "pdu1", "Disaster")
    assert problem(stage, "sw1") == []
    another = "Problem name: Disk\nHost: pdu1\nSeverity: High\nOriginal problem ID: 2\n"
    assert [text.partition(" ")[2][3:13] for text in stage.mail("Problem: Disk", "one", another)] == [
        "HIGH pdu1:",
        "HIGH sw1: ",
    ]


def test_a_hider_that_an_operator_ends_hides_no_more(stage: Stage) -> None:
    problem(stage, "gw1")
    problem(stage, "db1")
    stage.order("incidents", "resolve", "1000")
    assert phones(stage.seen()) == ["aigul@0"]
