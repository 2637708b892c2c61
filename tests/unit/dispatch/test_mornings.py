"""What waited for the end of quiet hours, a digest or too many answers, as a person reads it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest

from bridge.proof.world import World
from tests.unit.dispatch.stage import NOW, Stage, build, strict

__all__ = ["strict"]
pytestmark = pytest.mark.usefixtures("strict")

MORE = "commands: {answers: 3/10m}\n"
RULES = """
rules:
  - rule: nights
    when: {recipient: night@bridge.test}
    to: aigul
    close_after: 48h
    quiet: {during: {hours: "07:00-10:00"}}
  - rule: own words
    when: {recipient: own@bridge.test}
    to: aigul
    quiet: {during: {hours: "07:00-10:00"}}
    text: "{{ host }} {{ title }}"
    group_text: "{{ count }} at night: {{ list }}"
  - {rule: mornings, when: {recipient: digest@bridge.test}, to: aigul, digest: {at: ["09:00", "11:00"]}}
  - rule: together
    when: {recipient: many@bridge.test}
    to: aigul
    key: "{{ host }}"
    threshold: {count: 3 in 5m, by: [title]}
    text: "{{ count }}x {{ title }}"
  - {rule: comes and goes, when: {recipient: flap@bridge.test}, to: aigul, flap: {changes: 2 in 1h, calm: 15m}}
  - {rule: one, when: {recipient: one@bridge.test}, to: aigul}
  - {rule: plain, when: {recipient: plain@bridge.test}, to: aigul, track: false, text: "{{ title }}"}
"""


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory) -> Callable[[], Stage]:
    book = build(tmp_path_factory.mktemp("office"), RULES, MORE)
    return lambda: Stage(World(book, NOW))


@pytest.fixture
def stage(office: Callable[[], Stage]) -> Stage:
    return office()


def disk(stage: Stage, host: str, word: str = "Problem", to: str = "night") -> list[str]:
    body = f"Problem name: Disk full\nHost: {host}\nSeverity: High\nOriginal problem ID: {host[-2:]}\n"
    return stage.mail(f"{word}: Disk full", to, body)


def over(stage: Stage, host: str, to: str = "night") -> list[str]:
    return disk(stage, host, "Resolved in 5m 0s", to)


def test_the_morning_counts_what_ended_overnight_and_names_what_did_not(stage: Stage) -> None:
    for host in ("db01", "db02", "db03"):
        assert disk(stage, host) == []
    over(stage, "db01")
    over(stage, "db02")
    assert stage.wait(hours=3) == ["aigul@120 Night 07:00-10:00: 3 alerts, 2 over. Open: db03 Disk full. Reply list"]
    assert stage.reply("list") == ["aigul@180 Open: 10 db03 Disk full"]


def test_the_morning_names_hosts_where_several_are_open(stage: Stage) -> None:
    for host in ("db01", "db02", "db03"):
        disk(stage, host)
    over(stage, "db03")
    assert stage.wait(hours=3) == ["aigul@120 Night 07:00-10:00: 3 alerts, 1 over. Open: db01, db02. Reply list"]


def test_a_night_of_which_nothing_is_open_says_nothing(stage: Stage) -> None:
    disk(stage, "db01")
    over(stage, "db01")
    assert stage.wait(hours=3) == []


def test_one_alert_of_a_night_is_said_as_ever(stage: Stage) -> None:
    disk(stage, "db01")
    assert stage.wait(hours=3) == ["aigul@120 10 HIGH db01: Disk full. Reply 10 ok"]


def test_what_was_told_in_the_evening_and_ended_at_night_is_counted_as_over(stage: Stage) -> None:
    stage.wait(hours=3)
    disk(stage, "db01")
    stage.wait(hours=22)  # the next morning, 09:00
    over(stage, "db01")
    disk(stage, "db02")
    assert stage.wait(hours=3) == ["aigul@1560 Night 07:00-10:00: 2 alerts, 1 over. Open: db02 Disk full. Reply list"]


def test_the_words_of_a_rule_go_before_ours(stage: Stage) -> None:
    for host in ("db01", "db02", "db03"):
        disk(stage, host, to="own")
    over(stage, "db03", "own")
    assert stage.wait(hours=3) == ["aigul@120 2 at night: db01, db02"]


def test_the_end_of_what_a_digest_told_waits_for_the_next_one(stage: Stage) -> None:
    for host in ("db01", "db02", "db03"):
        disk(stage, host, to="digest")
    assert stage.wait(hours=1) == ["aigul@60 3 alerts 08:00-09:00: db01, db02, db03. Reply list"]
    assert [over(stage, host, "digest") for host in ("db01", "db02")] == [[], []]
    assert stage.reasons == ["in the digest at 11:00"]
    assert stage.wait(hours=2) == ["aigul@180 OVER x2: db01, db02"]


def test_the_threshold_that_many_keys_pass_together_says_how_many_they_were(stage: Stage) -> None:
    assert [disk(stage, host, to="many") for host in ("db01", "db02")] == [[], []]
    assert disk(stage, "db03", to="many") == ["aigul@0 3x Disk full"]


def test_what_comes_and_goes_is_said_by_no_rule(stage: Stage) -> None:
    disk(stage, "db01", to="flap")
    over(stage, "db01", "flap")
    disk(stage, "db01", to="flap")
    assert stage.newest("aigul").rule == "(flapping)"


def test_T09_the_last_answer_for_a_while_says_that_it_is(stage: Stage) -> None:
    stage.mail()
    stage.wait(minutes=1)
    said = [stage.reply("status 10") for _ in range(5)]
    assert [len(each) for each in said] == [1, 1, 1, 0, 0]
    assert said[2] == ["aigul@1 Many messages from this phone, no answers until 08:11. 10 ok still works"]
    stage.reply("10 ok")
    assert stage.incident().acked_by == "aigul"
    assert "status" not in "".join(stage.wait(minutes=11))
    assert stage.reply("status 10")[0].startswith("aigul@12 10 HIGH") is False
    assert stage.begun + timedelta(minutes=12) == stage.now


def test_an_sms_about_several_is_not_what_words_are_about(stage: Stage) -> None:
    """An answer without any open alert is about the last plain message, however many bundles came after it."""
    stage.mail("printer out of paper", "plain")
    for host in ("db01", "db02"):
        disk(stage, host, to="digest")
    stage.wait(hours=1)
    for host in ("db01", "db02"):
        over(stage, host, "digest")
    assert stage.reply("thank you very much indeed") == ["mail mon@host.test@60 Re: printer out of paper"]
