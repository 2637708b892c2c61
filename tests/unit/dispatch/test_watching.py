"""Mail that must come: when it is missed, what its arrival mends, and what clocks that change do to it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from bridge.book.standing import Watched
from bridge.book.watches import rule_of, watch_action
from bridge.config.models.rules import Watch
from bridge.dispatch import watching
from bridge.dispatch.cadence import learned, must_come, must_come_first
from bridge.errors import ConfigError
from bridge.memory import Memory
from bridge.model import Timer
from bridge.proof.world import World
from bridge.routing.conditions import CompiledCondition
from tests.unit.dispatch.stage import NOW, Stage, build, phones, strict

__all__ = ["strict"]
pytestmark = pytest.mark.usefixtures("strict")

RULES = """
rules:
  - {rule: ok, when: {subject: success}, drop: no news}
  - {rule: rest, to: marat}
watch:
  - watch: nightly
    for: {recipient: nightly@bridge.test, subject: success}
    cron: "30 3 * * *"
    grace: 45m
    to: on-call duty
    text: "no backup mail since {{ since | hm }}"
  - watch: alive
    for: {recipient: alive@bridge.test, subject: success}
    every: 15m
    grace: 5m
    to: both
    class: critical
    escalate: [{after: 10m, to: marat}]
  - watch: hosts
    for: {recipient: hosts@bridge.test}
    by: [host]
    every: 1d
    grace: 2h
    to: aigul
    text: "{{ host }}: no backup mail, last {{ since | ago }}"
  - watch: learned
    for: {recipient: learned@bridge.test}
    learn: true
    to: aigul
"""


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory) -> Callable[[], Stage]:
    book = build(tmp_path_factory.mktemp("office"), RULES, trusting=True)
    return lambda: Stage(World(book, NOW, receipts=False))


@pytest.fixture
def stage(office: Callable[[], Stage]) -> Stage:
    return office()


# --- the sum ------------------------------------------------------------------------------------


def watched(cron: str = "", every: timedelta | None = None, grace: int = 45, zone: str = "Asia/Almaty") -> Watched:
    written = Watch.model_construct(
        watch="w", cron=cron or None, every=every, learn=False, grace=timedelta(minutes=grace), by=()
    )
    return Watched("w", CompiledCondition.__new__(CompiledCondition), written, ZoneInfo(zone))


def at(text: str, zone: str = "Asia/Almaty") -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone)).astimezone(UTC)


@pytest.mark.parametrize(
    "came, following",
    [
        ("2026-11-24 03:10", "2026-11-25 03:30"),  # early: that day's
        ("2026-11-24 03:30", "2026-11-25 03:30"),
        ("2026-11-24 04:14", "2026-11-25 03:30"),  # late, within the grace: still that day's
        ("2026-11-24 04:16", "2026-11-26 03:30"),  # later: the next day's, early
    ],
)
def test_a_mail_belongs_to_the_moment_whose_grace_is_not_over(came: str, following: str) -> None:
    assert must_come(watched("30 3 * * *"), at(came)) == at(following)


def test_every_is_elapsed_time_and_cron_the_wall_clock() -> None:
    before = at("2026-03-28 03:00", "Europe/Berlin")  # clocks go forward in the night after
    assert must_come(watched(every=timedelta(days=1), zone="Europe/Berlin"), before) == before + timedelta(hours=24)
    assert must_come(watched("0 4 * * *", zone="Europe/Berlin"), before) == at("2026-03-29 04:00", "Europe/Berlin")


@pytest.mark.parametrize(
    "zone, came, following",
    [
        # the hour of 02:00 is missing: the first minute after it
        ("Europe/Berlin", "2026-03-28 02:00", "2026-03-29 01:00:00+00:00"),
        # 02:30 comes twice: the first pass, and the second is no moment of its own
        ("Europe/Berlin", "2026-10-24 02:00", "2026-10-25 00:30:00+00:00"),
        ("Europe/Berlin", "2026-10-25 02:00", "2026-10-26 01:30:00+00:00"),
        # half an hour on Lord Howe: 02:00 → 02:30 on 4 October, 02:00 → 01:30 on 5 April
        ("Australia/Lord_Howe", "2026-10-03 02:00", "2026-10-03 15:30:00+00:00"),
        ("America/New_York", "2026-03-07 02:00", "2026-03-08 07:00:00+00:00"),
    ],
)
def test_F17_a_night_on_which_clocks_change_has_one_moment(zone: str, came: str, following: str) -> None:
    due = must_come(watched("30 2 * * *", zone=zone), at(came, zone))
    assert due == datetime.fromisoformat(following)


def test_before_its_first_mail_a_watch_waits_for_the_first_moment() -> None:
    assert must_come_first(watched("30 3 * * *"), at("2026-11-24 03:10")) == at("2026-11-24 03:30")
    assert must_come_first(watched(every=timedelta(hours=1)), NOW) == NOW + timedelta(hours=1)
    assert must_come_first(watched(), NOW) is None


# --- played -------------------------------------------------------------------------------------


def success(stage: Stage, to: str) -> list[str]:
    return stage.mail("success", to)


def test_a_mail_that_stays_away_is_an_alert_and_its_arrival_the_end_of_it(stage: Stage) -> None:
    stage.wait(hours=19)  # 03:00 in Almaty
    stage.wait(minutes=10)
    assert success(stage, "nightly") == []
    assert stage.wait(hours=25) == []
    seen = stage.wait(minutes=5)
    assert [each.split(" ", 1)[1] for each in seen] == ["no backup mail since 03:10"]
    assert stage.newest("aigul").rule == "watch/nightly"
    incident = stage.incident()
    assert (incident.source, incident.key, incident.state) == ("watch", "watch/nightly", "open")
    (over,) = success(stage, "nightly")
    assert "OVER nightly" in over
    assert stage.incident().state == "resolved"


def test_every_missed_night_is_told_until_somebody_has_it(stage: Stage) -> None:
    success(stage, "nightly")
    assert len(stage.wait(days=3)) == 2
    assert stage.incident().count == 2
    stage.order("incidents", "ack", "1000")
    stage.seen()
    assert stage.wait(hours=23) == []


def test_a_heartbeat_that_stops_is_one_absence_however_long(stage: Stage) -> None:
    success(stage, "alive")
    assert phones(stage.wait(minutes=21)) == ["aigul@20", "ivan@20"]
    assert phones(stage.wait(minutes=9)) == ["marat@30"]
    assert phones(stage.wait(hours=9)) == []
    assert len(phones(success(stage, "alive"))) == 3


def test_a_mail_in_time_moves_the_moment(stage: Stage) -> None:
    for _ in range(5):
        success(stage, "alive")
        assert stage.wait(minutes=19) == []
    assert phones(stage.wait(minutes=2)) == ["aigul@96", "ivan@96"]


def test_each_value_is_a_watch_of_its_own(stage: Stage) -> None:
    stage.problem(to="hosts")  # host db01
    stage.wait(hours=5)
    stage.mail(to="hosts")  # host mon
    seen = [each for each in stage.wait(hours=22) if "backup" in each]
    assert seen == ["aigul@1560 db01: no backup mail, last 26h ago"]
    assert stage.world.memory.open_incident("watch", "watch/hosts/db01") is not None
    assert stage.world.memory.open_incident("watch", "watch/hosts/mon") is None


def test_what_is_not_learned_yet_is_silent(stage: Stage) -> None:
    stage.mail(to="learned")
    stage.seen()
    assert not [each for each in stage.wait(days=40) if "learned" in each]


@pytest.mark.parametrize(
    "hours, cadence",
    [
        ([24.0] * 12, None),
        ([24.0] * 13, 24),
        ([24.0] * 12 + [48.0], 24),  # one night was missed
        ([24.0] * 11 + [168.0] * 2, 168),  # it is weekly now
        ([24, 24, 24, 24, 72, 24, 24, 24, 24, 72, 24, 24, 24], 72),  # working days only
        ([0.02, 23.98] * 8, 23.98),  # two jobs, one after the other
    ],
)
def test_a_cadence_is_the_longest_pause_but_one_of_fourteen_arrivals(hours: list[float], cadence: float | None) -> None:
    wanted = None if cadence is None else timedelta(hours=cadence)
    assert learned([hour * 3600 for hour in hours]) == wanted


def test_what_was_learned_is_missed_once_and_its_arrival_ends_it(stage: Stage) -> None:
    for _ in range(13):
        stage.mail(to="learned")
        assert not stage.wait(hours=23, minutes=59)
        stage.wait(minutes=1)
    stage.mail(to="learned")
    stage.seen()
    assert not [each for each in stage.wait(hours=24, minutes=14) if "learned" in each]
    missed = stage.wait(minutes=2)
    assert [each for each in missed if "No mail from learned" in each], missed
    assert not [each for each in stage.wait(days=5) if "No mail from learned" in each], "one absence, however long"
    assert [each for each in stage.mail(to="learned") if "OVER learned" in each]
    assert [each for each in stage.wait(hours=24, minutes=16) if "No mail from learned" in each], "the outlier is none"


def test_a_learned_watch_that_was_written_anew_learns_anew(stage: Stage, tmp_path: Path) -> None:
    for _ in range(14):
        stage.mail(to="learned")
        stage.wait(hours=24)
    stage.world.book = build(tmp_path, RULES.replace("learn: true", "learn: true\n    grace: 1h"))
    stage.seen()
    assert not [each for each in stage.wait(days=9) if "No mail from learned" in each]


def test_F05_a_learned_watch_whose_time_ran_out_while_nobody_listened_gets_its_grace(stage: Stage) -> None:
    watch = stage.world.book.standing.watches["learned"]
    data = {"watch": "learned", "values": [], "cadence": watching._cadence(watch), "pauses": [86400.0] * 13,
            "last": "2026-11-19T03:12:00+00:00", "due": "2026-11-20T03:12:00+00:00"}  # fmt: skip
    missed = Timer(9, NOW - timedelta(hours=1), "watch", data=data, name="watch/learned")
    assert started(stage, missed)["watch/learned"].due_at == NOW + timedelta(minutes=15)


def test_a_watch_whose_incident_an_operator_ended_waits_on(stage: Stage) -> None:
    success(stage, "alive")
    stage.wait(minutes=21)
    stage.order("incidents", "resolve", "1000")
    assert phones(stage.wait(minutes=15)) == ["aigul@35", "ivan@35"]


def test_a_watch_that_is_gone_after_a_reload_closes_its_incident(stage: Stage, tmp_path: Path) -> None:
    success(stage, "alive")
    stage.wait(minutes=25)
    stage.world.book = build(tmp_path, RULES.replace("watch: alive", "watch: other"))
    stage.seen()
    assert phones(stage.wait(minutes=30)) == []
    assert stage.incident().state == "closed"


# --- the begin ----------------------------------------------------------------------------------


def started(stage: Stage, *timers: Timer) -> dict[str, Timer]:
    memory = Memory(complete=True, timers={timer.name: timer for timer in timers})
    return {timer.name: timer for timer in watching.start(stage.world.book, memory, NOW).timers}


def test_a_watch_counts_from_the_moment_its_book_was_loaded(stage: Stage) -> None:
    timers = started(stage)
    assert {name: timer.due_at - NOW for name, timer in timers.items()} == {
        "watch/nightly": timedelta(hours=20, minutes=15),  # 04:15
        "watch/alive": timedelta(minutes=20),
    }
    assert watching.start_needs(stage.world.book).timers >= {"watch/nightly", "watch/alive"}


def test_F05_a_restart_leaves_a_watch_that_waits_as_it_is(stage: Stage) -> None:
    before = started(stage)["watch/alive"]
    waiting = Timer(7, NOW + timedelta(minutes=1), "watch", data=before.data, name=before.name)
    assert "watch/alive" not in started(stage, waiting)


def test_a_watch_whose_time_ran_out_while_nobody_listened_gets_its_grace(stage: Stage) -> None:
    before = started(stage)["watch/alive"]
    missed = Timer(7, NOW - timedelta(hours=1), "watch", data=before.data, name=before.name)
    assert started(stage, missed)["watch/alive"].due_at == NOW + timedelta(minutes=5)


def test_a_watch_that_was_written_anew_begins_anew(stage: Stage, tmp_path: Path) -> None:
    before = started(stage)["watch/alive"]
    stage.world.book = build(tmp_path, RULES.replace("every: 15m", "every: 1h"))
    assert started(stage, before)["watch/alive"].due_at == NOW + timedelta(minutes=65)


# --- the book -----------------------------------------------------------------------------------


def test_a_watch_takes_from_defaults_what_it_shares_with_rules(tmp_path: Path) -> None:
    more = "defaults: {parts: 1, alphabet: cheaper, replies: {mail: both}, digest: {at: '09:00'}}\n"
    book = build(tmp_path, RULES, more)
    action = book.action(rule_of("nightly"))
    assert action is not None
    assert (action.parts, action.alphabet, action.replies.mail[0].name) == (1, "cheaper", "both")
    assert action.digest is None
    written = book.standing.watches["alive"].written
    assert watch_action(written, book.config).message_class == "critical"
    assert watch_action(written, book.config).validity == timedelta(hours=2)


@pytest.mark.parametrize(
    "old, new, sentence",
    [
        ('"30 3 * * *"', '"30 3 30 2 *"', "never comes"),
        ("{{ since | hm }}", "{{ nobody }}", "nobody"),
    ],
)
def test_a_watch_that_cannot_be_is_refused_with_its_place(tmp_path: Path, old: str, new: str, sentence: str) -> None:
    with pytest.raises(ConfigError) as refused:
        build(tmp_path, RULES.replace(old, new))
    (problem,) = refused.value.problems
    assert sentence in problem
    assert "rules/10.yaml:" in problem


def test_a_mail_that_came_too_late_is_not_taken_for_that_of_the_next_night(stage: Stage) -> None:
    """It ends what was missing; the next night is waited for as any other."""
    success(stage, "nightly")
    assert phones(stage.wait(hours=45)) == ["aigul@2655"], "04:15 of the day after tomorrow: this one is tomorrow's"
    assert len(success(stage, "nightly")) == 1, "it is over"
    assert phones(stage.wait(days=1)) == ["ivan@4095"], "and missing again"


def test_the_sms_says_when_each_missing_mail_was_due(tmp_path: Path) -> None:
    rules = """
watch: [{watch: report, for: {subject: report}, cron: "10 8,9 * * *", grace: 5m, to: aigul}]
rules: [{rule: one, when: {subject: report}, drop: only watched}]
"""
    stage = Stage(World(build(tmp_path, rules), NOW))
    stage.mail("report")
    assert stage.wait(hours=1) == []
    assert ["due 09:10" in each for each in stage.wait(minutes=30)] == [True]
    stage.wait(hours=22)
    first, second = stage.wait(hours=3)
    assert "due 08:10" in first
    assert "due 09:10" in second
