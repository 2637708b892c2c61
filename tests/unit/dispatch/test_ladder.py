"""Ladders: who is told when nobody has it, what stops them, and that nobody is told twice for one step."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bridge.book.book import Targets
from bridge.config.models.people import Step
from bridge.config.names import Who
from bridge.dispatch import notices
from bridge.dispatch.draft import Draft
from bridge.dispatch.steps import Ladder, from_data, ladder_of
from bridge.memory import Memory
from bridge.model import Failed
from bridge.proof.world import World
from tests.unit.dispatch.stage import NOW, Stage, build, phones, strict

__all__ = ["strict"]
pytestmark = pytest.mark.usefixtures("strict")

RULES = """
rules:
  - rule: one
    when: {recipient: one@bridge.test}
    to: aigul
    replies: {news: [ack, escalation, unanswered]}
    escalate:
      - {after: 10m, to: next duty}
      - {after: 20m, to: aigul, channel: call}
      - {after: 30m, to: [both, marat], class: critical, text: "{{ host }} still {{ title }}"}
  - rule: again
    when: {recipient: again@bridge.test}
    to: aigul
    escalate: [{after: 5m, to: ivan, again: 2}]
  - rule: rounds
    when: {recipient: rounds@bridge.test}
    to: aigul
    escalate: [{after: 4m, to: ivan}, {after: 6m, to: [marat, ivan], again: 1}]
  - rule: several ways
    when: {recipient: ways@bridge.test}
    to: aigul
    escalate: [{after: 5m, to: ivan, channel: [sms, call]}]
  - rule: alone
    when: {recipient: alone@bridge.test}
    to: aigul
    escalate: [{after: 5m, to: aigul, channel: call}]
  - rule: empty rota
    when: {recipient: hole@bridge.test}
    to: aigul
    escalate: [{after: 5m, to: on-call hole}]
  - rule: short memory
    when: {recipient: short@bridge.test}
    to: aigul
    ack_lasts: 1h
    escalate: [{after: 10m, to: ivan}]
  - rule: grouped
    when: {recipient: grouped@bridge.test}
    to: aigul
    group: {by: [source], wait: 2m, every: 10m}
    escalate: [{after: 10m, to: ivan}]
  - rule: planned
    when: {recipient: planned@bridge.test}
    to: aigul
    escalate: [{after: 10m, to: ivan}]
  - rule: hushed
    when: {recipient: hushed@bridge.test}
    to: aigul
    quiet: {during: {hours: 08:08-08:30}}
    escalate: [{after: 10m, to: ivan, channel: call, class: bulk, text: "ring about {{ host }}"}]
silences:
  - {silence: nine, when: {recipient: planned@bridge.test}, during: {hours: 08:05-09:00}, by: aigul}
"""
MORE = """
calendars: {never: {dates: [2020-01-01]}}
"""


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory) -> Callable[[], Stage]:
    rules = RULES.replace("on-call hole", "marat")
    book = build(tmp_path_factory.mktemp("office"), rules, trusting=True)
    return lambda: Stage(World(book, NOW, receipts=False))


@pytest.fixture
def stage(office: Callable[[], Stage]) -> Stage:
    return office()


# --- the sum ------------------------------------------------------------------------------------


def ladder(*minutes: int, again: int = 0) -> Ladder:
    last = len(minutes) - 1
    steps = [
        Step(after=timedelta(minutes=each), to=(Who("name", "ivan"),), again=again if number == last else 0)
        for number, each in enumerate(minutes)
    ]
    return ladder_of("one", "mon", 1, steps, NOW)


def moments(of: Ladder) -> list[int]:
    found = []
    while of.next_at is not None:
        found.append(int((of.next_at - NOW) / timedelta(minutes=1)))
        of = of.gone_on()
    return found


def test_a_round_starts_counted_from_the_last_step_of_the_one_before() -> None:
    assert moments(ladder(10, 20, 30)) == [10, 20, 30]
    assert moments(ladder(10, 20, 30, again=2)) == [10, 20, 30, 40, 50, 60, 70, 80, 90]


def test_a_ladder_of_one_step_speaks_at_once_twice_and_three_times_its_after() -> None:
    assert moments(ladder(5, again=2)) == [5, 10, 15]


def test_steps_are_taken_in_order_of_time_however_they_are_written() -> None:
    assert moments(ladder(20, 5)) == [5, 20]


def test_each_step_of_each_round_has_a_name_of_its_own() -> None:
    of = ladder(1, 2, again=1)
    assert [of.key(number) for number in range(4)] == ["step:1", "step:2", "step:2.1", "step:2.2"]
    assert of.stands_at == "0"
    assert of.gone_on().stands_at == "step:1"


def test_a_ladder_is_the_same_after_a_stay_in_its_timer() -> None:
    of = replace(ladder(1, 2, again=1), spoken=3, paused=NOW + timedelta(minutes=1))
    assert from_data(of.data()) == of


def test_an_ack_stops_the_clock_of_a_ladder() -> None:
    of = ladder(10).held_at(NOW + timedelta(minutes=4)).resumed_at(NOW + timedelta(minutes=24))
    assert moments(of) == [30]


# --- nobody has it ------------------------------------------------------------------------------


def test_a_step_that_quiet_hours_held_back_speaks_by_its_own_words_channel_and_class(stage: Stage) -> None:
    stage.problem(to="hushed")
    stage.wait(minutes=20)
    assert all(message.person == "aigul" for message in stage.world.memory.messages.values())
    stage.wait(minutes=15)
    late = stage.newest("ivan")
    assert (late.text, late.channel, late.message_class) == ("ring about db01", "call", "bulk")
    assert late.valid_until - late.created_at == timedelta(hours=24)


def test_nobody_answers_and_the_ladder_goes_on(stage: Stage) -> None:
    assert phones(stage.mail()) == ["aigul@0"]
    seen = stage.wait(minutes=40)
    assert phones(seen) == ["ivan@10", "call aigul@20", "aigul@30", "ivan@30", "marat@30"]
    assert "marat@30 mon still db01 disk full" in seen
    assert stage.newest("marat").message_class == "critical"
    assert stage.newest("marat").valid_until - stage.newest("marat").created_at == timedelta(hours=2)
    assert stage.steps() == [
        ("0", "aigul"), ("step:1", "ivan"), ("step:2", "aigul"), ("step:3", "aigul"), ("step:3", "ivan"),
        ("step:3", "marat"),
    ]  # fmt: skip


def test_news_of_an_escalation_go_into_the_thread(stage: Stage) -> None:
    stage.mail()
    stage.world.advance(NOW + timedelta(minutes=10))
    (body,) = stage.bodies()
    assert "No answer from Aigul for 10 minutes. Ivan is told now." in body


def test_thirty_minutes_after_the_last_step_thread_and_operator_hear_that_nobody_has_it(stage: Stage) -> None:
    stage.mail()
    stage.wait(minutes=59)
    seen = stage.wait(minutes=2)
    assert seen == ["mail mon@host.test@60 Re: db01 disk full", "mail operator@bridge.test@60 Re: db01 disk full"]
    assert stage.wait(hours=5) == []


def test_a_ladder_without_news_of_it_tells_nobody_that_it_was_unanswered(tmp_path: Path) -> None:
    rules = RULES.replace("[ack, escalation, unanswered]", "ack").replace("on-call hole", "marat")
    stage = Stage(World(build(tmp_path, rules), NOW))
    stage.mail()
    assert not [each for each in stage.wait(hours=2) if each.startswith("mail")]


def test_again_repeats_the_ladder_and_not_the_rules_own_people(stage: Stage) -> None:
    stage.mail(to="again")
    assert phones(stage.wait(hours=1)) == ["ivan@5", "ivan@10", "ivan@15"]
    other = stage.mail("web1 down", to="rounds")
    assert phones(other) == ["aigul@60"]
    assert phones(stage.wait(hours=1)) == ["ivan@64", "marat@66", "ivan@66", "ivan@70", "marat@72", "ivan@72"]


def test_every_channel_of_a_step_is_used(stage: Stage) -> None:
    stage.mail(to="ways")
    assert sorted(phones(stage.wait(minutes=6))) == ["call ivan@5", "ivan@5"]
    assert stage.steps() == [("0", "aigul"), ("step:1", "ivan"), ("step:1/call", "ivan")]


def test_the_ladder_counts_from_the_first_message_and_not_from_the_mail(stage: Stage) -> None:
    assert phones(stage.mail(to="grouped")) == []
    assert phones(stage.wait(minutes=30)) == ["aigul@2", "ivan@12"]


def test_the_next_trouble_begins_its_ladder_anew(stage: Stage) -> None:
    stage.problem(1)
    stage.wait(minutes=12)
    assert phones(stage.problem(2)) == ["aigul@12"]
    assert phones(stage.wait(minutes=15)) == ["ivan@22"]


def test_who_is_on_call_is_asked_when_the_step_speaks(stage: Stage) -> None:
    stage.mail()
    stage.order("oncall", "take", "duty", "ivan", "4h")
    assert phones(stage.wait(minutes=10)) == ["aigul@10"]  # next duty, now that ivan has it


def test_a_silence_holds_a_running_ladder(stage: Stage) -> None:
    stage.mail(to="planned")
    assert phones(stage.wait(minutes=50)) == []
    assert phones(stage.wait(minutes=20)) == ["ivan@60"]


def test_a_running_ladder_survives_a_reload_with_its_own_steps(tmp_path: Path, stage: Stage) -> None:
    stage.mail()
    other = RULES.replace("after: 10m, to: next duty", "after: 15m, to: marat").replace("on-call hole", "marat")
    stage.world.book = build(tmp_path, other)
    assert phones(stage.wait(minutes=21)) == ["ivan@10", "call aigul@20"]


def test_a_name_that_is_gone_since_a_reload_falls_to_the_operator_loudly(tmp_path: Path, stage: Stage) -> None:
    stage.mail(to="hole")
    config = tmp_path / "config.yaml"
    rules = RULES.replace("[both, marat]", "both").replace("[marat, ivan]", "ivan").replace("on-call hole", "ivan")
    build(tmp_path, rules)
    text = config.read_text().replace('  marat: {name: Marat, phone: "+77010000003"}\n', "")
    config.write_text(text.replace("operator@bridge.test}", "operator@bridge.test, to: ivan}"))
    from bridge.book.loading import load_book

    stage.world.book = load_book(config).require()
    seen = stage.wait(minutes=5)
    assert phones(seen) == ["ivan@5"]
    assert [each for each in seen if each.startswith("mail operator")] == [
        "mail operator@bridge.test@5 [smsbridge] marat: nobody to tell"
    ]


# --- somebody has it ----------------------------------------------------------------------------


def test_an_ack_stops_the_ladder(stage: Stage) -> None:
    stage.mail()
    stage.wait(minutes=4)
    stage.reply("10 ok")
    assert stage.wait(hours=30) == []


def test_taking_the_ack_back_lets_the_ladder_go_on_where_it_stood(stage: Stage) -> None:
    stage.mail()
    stage.wait(minutes=4)
    stage.reply("10 ok")
    stage.wait(minutes=20)
    seen = stage.reply("10 un")
    assert "aigul@24 10 open again: mon db01 disk full. Next: Ivan at 08:30" in seen
    assert phones(stage.wait(minutes=16)) == ["ivan@30", "call aigul@40"]


def test_an_operators_ack_and_unack_do_the_same(stage: Stage) -> None:
    stage.mail()
    stage.wait(minutes=4)
    stage.order("incidents", "ack", "1000")
    assert phones(stage.seen()) == ["aigul@4"]
    assert stage.wait(minutes=20) == []
    stage.order("incidents", "unack", "1000")
    assert phones(stage.wait(minutes=6)) == ["ivan@30"]


def test_after_ack_lasts_no_timer_speaks_and_the_ladder_does_not_start_again(stage: Stage) -> None:
    stage.mail(to="short")
    stage.reply("10 ok")
    assert stage.wait(minutes=90) == []
    stage.reply("10 un")
    assert stage.wait(hours=2) == []


def test_the_end_of_the_trouble_is_the_end_of_its_ladder(stage: Stage) -> None:
    stage.problem()
    stage.wait(minutes=5)
    stage.recovery()
    assert stage.wait(hours=3) == []


@pytest.mark.parametrize("verb", ["resolve", "close"])
def test_an_operator_who_ends_it_ends_the_ladder(stage: Stage, verb: str) -> None:
    stage.mail()
    stage.order("incidents", verb, "1000")
    assert stage.wait(hours=3) == []


# --- moving on at once --------------------------------------------------------------------------


def test_i_cannot_moves_on_at_once_and_the_later_steps_keep_their_time(stage: Stage) -> None:
    stage.mail()
    stage.wait(minutes=1)
    seen = stage.reply("no")
    assert "aigul@1 10 passed on, Ivan is told: mon db01 disk full" in seen
    assert sorted(phones(seen)) == ["aigul@1", "ivan@1"]
    assert phones(stage.wait(minutes=29)) == ["call aigul@20", "aigul@30", "ivan@30", "marat@30"]


def test_who_is_the_only_one_left_is_told_that_nobody_is_after_him(stage: Stage) -> None:
    stage.mail(to="alone")
    assert "aigul@0 10: nobody is after you" in stage.reply("esc")
    assert phones(stage.wait(minutes=6)) == ["call aigul@5"]


def test_passing_on_what_one_has_gives_it_back(stage: Stage) -> None:
    stage.mail()
    stage.reply("10 ok")
    stage.wait(minutes=3)
    seen = stage.reply("10 esc")
    assert sorted(phones(seen)) == ["aigul@3", "ivan@3"]
    assert stage.incident().state == "open"


def test_passing_on_what_a_colleague_has_changes_nothing(stage: Stage) -> None:
    stage.mail()
    stage.wait(minutes=11)
    stage.reply("10 ok", "ivan")
    seen = stage.reply("10 esc")
    assert seen == ["aigul@11 10 is with Ivan since 08:11. Noted you too"]
    assert stage.incident().acked_by == "ivan"


def test_stop_of_who_was_told_moves_on_at_once(stage: Stage) -> None:
    stage.mail()
    assert phones(stage.reply("stop")) == ["aigul@0", "ivan@0"]  # to her the last: that it is off


# --- whatever comes in whatever order -----------------------------------------------------------

_ACTS = st.lists(
    st.one_of(
        st.sampled_from(
            ["ok", "un", "esc", "problem", "recovery", "next", "unack", "ack", "resolve", "delivered", "undelivered"]
        ),
        st.integers(1, 25),
    ),
    max_size=14,
)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(acts=_ACTS, to=st.sampled_from(["one", "rounds", "ways", "again"]))
def test_T02_nobody_is_told_twice_for_one_step(office: Callable[[], Stage], acts: list[str | int], to: str) -> None:
    stage, number = office(), 1
    stage.problem(number, to)
    for act in acts:
        match act:
            case int():
                had, spoken = stage.incident().state, len(stage.steps())
                stage.wait(minutes=act)
                assert had == "open" or len(stage.steps()) == spoken
            case "ok" | "un" | "esc":
                stage.reply(act)
            case "problem":
                stage.problem(number, to)
            case "recovery":
                stage.recovery(number, to)
            case "next":
                number += 1
                stage.problem(number, to)
            case "delivered" | "undelivered":
                stage.receipt("aigul", "DELIVERED" if act == "delivered" else "UNDELIVERED")
            case _:
                stage.order("incidents", act, str(max(stage.world.memory.incidents)))
    stage.wait(hours=4)
    notes = [note for told in stage.world.memory.notifications.values() for note in told]
    told = [(n.incident_id, n.episode, n.step, n.phone) for n in notes if n.step.startswith("step:")]
    assert len(told) == len(set(told))


# --- not reached --------------------------------------------------------------------------------

REACH = """
rules:
  - rule: one
    when: {recipient: one@bridge.test}
    to: aigul
    receipts: {not_reached_after: 3m}
    escalate: [{after: 5m, to: ivan}, {after: 8m, to: marat}]
  - rule: two
    when: {recipient: two@bridge.test}
    to: both
    receipts: {not_reached_after: 3m}
    escalate: [{after: 20m, to: marat}]
"""


@pytest.fixture(scope="module")
def proving(tmp_path_factory: pytest.TempPathFactory) -> Callable[[], Stage]:
    book = build(tmp_path_factory.mktemp("reach"), REACH)
    return lambda: Stage(World(book, NOW, receipts=False))


def test_no_proof_of_delivery_in_time_is_not_reached(proving: Callable[[], Stage]) -> None:
    stage = proving()
    stage.mail()
    assert phones(stage.wait(minutes=3)) == ["ivan@3"]
    stage.receipt("ivan", "DELIVERED")
    assert phones(stage.wait(minutes=30)) == ["marat@8"]


def test_nobody_who_is_reached_moves_the_ladder_on(proving: Callable[[], Stage]) -> None:
    stage = proving()
    stage.mail()
    stage.receipt("aigul", "DELIVERED")
    assert phones(stage.wait(minutes=5)) == ["ivan@5"]


def test_undelivered_moves_on_at_once_and_only_once(proving: Callable[[], Stage]) -> None:
    stage = proving()
    stage.mail()
    stage.wait(seconds=20)
    message = stage.newest("aigul")
    assert phones(stage.receipt("aigul", "UNDELIVERED")) == ["ivan@0.333333"]
    stage.world._decide(Failed(message.id, "again"))
    stage.receipt("ivan", "DELIVERED")
    assert phones(stage.wait(minutes=10)) == ["marat@8"]


def test_each_step_that_is_not_reached_moves_on_in_its_turn(proving: Callable[[], Stage]) -> None:
    stage = proving()
    stage.mail()
    assert phones(stage.wait(minutes=30)) == ["ivan@3", "marat@6"]


def test_one_of_several_who_is_reached_is_enough(proving: Callable[[], Stage]) -> None:
    stage = proving()
    stage.mail(to="two")
    stage.receipt("ivan", "DELIVERED")
    stage.receipt("aigul", "UNDELIVERED")
    assert phones(stage.wait(minutes=19)) == []
    assert phones(stage.wait(minutes=1)) == ["marat@20"]


def test_several_who_are_not_reached_move_on_once(proving: Callable[[], Stage]) -> None:
    stage = proving()
    stage.mail(to="two")
    assert phones(stage.receipt("ivan", "UNDELIVERED")) == []
    assert phones(stage.receipt("aigul", "UNDELIVERED")) == ["marat@0"]
    assert phones(stage.wait(minutes=40)) == []


def test_an_ack_ends_the_question_whether_it_arrived(proving: Callable[[], Stage]) -> None:
    stage = proving()
    stage.mail()
    stage.reply("ok")
    assert stage.wait(minutes=30) == []
    assert not [each for each in stage.receipt("aigul", "UNDELIVERED") if each.startswith(("ivan", "marat"))]


# --- found by review ----------------------------------------------------------------------------


def test_the_next_one_reads_who_did_not_answer(stage: Stage) -> None:
    [first] = stage.mail()
    assert "No answer" not in first
    [second] = [each for each in stage.wait(minutes=10) if each.startswith("ivan")]
    assert "No answer from Aigul" in second
    [voice] = [each for each in stage.wait(minutes=10) if each.startswith("call aigul")]
    assert "No answer from Ivan" in voice


def test_who_is_asked_again_himself_does_not_read_that_he_was_silent(stage: Stage) -> None:
    stage.mail(to="alone")
    [again] = stage.wait(minutes=5)
    assert "No answer" not in again


def test_an_ack_that_is_taken_back_after_the_last_step_leaves_nobody_in_the_dark(stage: Stage) -> None:
    stage.mail(to="short")
    stage.wait(minutes=11)
    stage.reply("10 ok")
    assert stage.wait(minutes=50) == []
    stage.reply("10 un")
    stage.seen()
    assert [each.partition("@")[0] for each in stage.wait(minutes=31)] == ["mail mon", "mail operator"]


def test_F05_steps_that_are_late_keep_their_distance(stage: Stage) -> None:
    """After an hour in which nothing ran not everybody is woken in one second."""
    stage.mail(to="rounds")
    stage.world.now += timedelta(hours=1)
    assert phones(stage.wait(minutes=1)) == ["ivan@60"]
    assert phones(stage.wait(minutes=2)) == ["marat@62", "ivan@62"]
    assert phones(stage.wait(minutes=30)) == ["ivan@66", "marat@68", "ivan@68"]


def test_who_stands_in_for_a_rota_is_told_once_in_the_trail_of_each_incident(stage: Stage) -> None:
    stage.problem(1)
    (incident,) = stage.world.memory.incidents.values()
    draft = Draft(stage.world.book, Memory(complete=True), NOW)
    found = Targets((), (), otherwise=(("night", ("ivan",)),))
    for about in (incident, incident, None):
        notices.otherwise(draft, found, about)
    told = [(entry.incident_id, entry.data) for entry in draft.journal]
    assert told == [(incident.id, {"rota": "night", "people": ["ivan"]}), (0, {"rota": "night", "people": ["ivan"]})]
