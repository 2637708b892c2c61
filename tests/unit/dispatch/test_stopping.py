"""STOP and START: nobody sends to a stopped phone, and what it would have heard reaches somebody else."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal

import pytest

from bridge.config.units import Money
from bridge.proof.world import World
from tests.unit.dispatch.stage import NOW, PEOPLE, Stage, build, phones, strict

__all__ = ["strict"]
pytestmark = pytest.mark.usefixtures("strict")

RULES = """
rules:
  - {rule: one, when: {recipient: one@bridge.test}, to: aigul, repeat: always, text: "{{ title }} {{ code }}"}
  - {rule: duty, when: {recipient: duty@bridge.test}, to: on-call duty, text: "{{ title }} {{ code }}"}
  - {rule: team, when: {recipient: team@bridge.test}, to: both, text: "{{ title }} {{ code }}"}
  - {rule: plain, when: {recipient: plain@bridge.test}, to: aigul, track: false, text: "{{ title }}"}
  - rule: ladder
    when: {recipient: ladder@bridge.test}
    to: aigul
    repeat: always
    escalate: [{after: 5m, to: ivan}, {after: 10m, to: marat}]
  - rule: ladder of the stopped
    when: {recipient: steps@bridge.test}
    to: ivan
    escalate: [{after: 5m, to: aigul}, {after: 10m, to: marat}]
  - {rule: digest, when: {recipient: digest@bridge.test}, to: aigul, digest: {at: 09:00}}
"""
UNTOLD = "mail operator@bridge.test@0 [smsbridge] Nobody was told: Aigul turned SMS off"


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory) -> Callable[[], Stage]:
    book = build(tmp_path_factory.mktemp("office"), RULES, trusting=True)
    return lambda: Stage(World(book, NOW))


@pytest.fixture
def stage(office: Callable[[], Stage]) -> Stage:
    return office()


def test_stop_says_once_that_sms_are_off(stage: Stage) -> None:
    assert stage.reply("stop") == [
        "mail operator@bridge.test@0 [smsbridge] Aigul turned SMS off and is on call",
        "mail both@bridge.test@0 [smsbridge] Aigul turned SMS off and is on call",
        "aigul@0 SMS to this phone is off. Team both is told. START turns it on",
        "ivan@0 Aigul turned SMS off. You are on call for duty now",
    ]
    assert stage.reply("stop") == []


def test_who_is_not_on_call_may_stop_without_an_alarm_about_a_rota(stage: Stage) -> None:
    assert stage.reply("stop", "marat") == [
        "mail operator@bridge.test@0 [smsbridge] Marat turned SMS off",
        "marat@0 SMS to this phone is off. START turns it on",
    ]


def test_T40_nothing_is_sent_to_a_stopped_phone_and_the_operator_hears_of_the_alert(stage: Stage) -> None:
    stage.reply("stop")
    assert stage.mail() == [UNTOLD]
    assert stage.reasons == ["stopped by aigul"]
    assert stage.mail() == []  # the operator was told of this one
    assert stage.reply("list") == []
    assert stage.mail("printer", "plain") == [UNTOLD]


def test_T40_a_stop_of_an_unknown_number_stops_nothing(stage: Stage) -> None:
    assert stage.reply("stop", "+77099999999") == []
    assert phones(stage.mail()) == ["aigul@0"]


def test_who_is_on_call_next_stands_in(stage: Stage) -> None:
    stage.reply("stop")
    assert phones(stage.mail(to="duty")) == ["ivan@0"]


def test_the_one_who_stands_in_is_told_of_what_is_open(stage: Stage) -> None:
    assert stage.mail(to="duty") == ["aigul@0 db01 disk full 10"]
    assert [each for each in stage.reply("stop") if each.startswith("ivan")] == [
        "ivan@0 Aigul turned SMS off. You are on call for duty now", "ivan@0 db01 disk full 10",
    ]  # fmt: skip


def test_the_others_of_a_team_are_told(stage: Stage) -> None:
    stage.reply("stop")
    assert stage.mail(to="team") == ["ivan@0 db01 disk full 10"]
    assert stage.reasons == ["stopped by aigul"]


def test_a_rota_in_which_all_have_stopped_is_said_loudly(stage: Stage) -> None:
    stage.reply("stop", "ivan")
    stage.world.reply(PEOPLE["aigul"], "stop")
    assert "Nobody else of duty can be reached" in stage.bodies()[0]
    assert stage.mail(to="duty") == [UNTOLD]


def test_the_ladder_begins_at_once_where_only_stopped_phones_are_meant(stage: Stage) -> None:
    stage.reply("stop")
    assert phones(stage.mail(to="ladder")) == ["ivan@0"]
    assert phones(stage.mail(to="ladder")) == []  # a repeat does not drive it on
    assert phones(stage.wait(minutes=12)) == ["marat@10"]
    assert phones(stage.wait(hours=1)) == []


def test_a_step_to_a_stopped_phone_passes_to_the_next_at_once(stage: Stage) -> None:
    stage.reply("stop")
    assert phones(stage.mail(to="steps")) == ["ivan@0"]
    assert phones(stage.wait(minutes=20)) == ["marat@5"]


def test_a_digest_for_a_stopped_phone_alone_reaches_the_operator(stage: Stage) -> None:
    stage.mail(to="digest")
    stage.reply("stop")
    assert stage.wait(hours=2) == ["mail operator@bridge.test@60 [smsbridge] Nobody was told: Aigul turned SMS off"]


def test_what_has_not_left_is_taken_back(stage: Stage) -> None:
    stage.world.gateways.balances.left["smsc"] = Money(Decimal(0), "KZT")
    stage.mail()
    stage.mail("printer", "plain")
    assert [each.state for each in stage.world.memory.messages.values()] == ["READY", "READY"]
    stage.reply("stop")
    states = [(each.state, each.reason) for each in stage.world.memory.messages.values()]
    assert states[:2] == [("CANCELLED", "stopped by aigul")] * 2


def test_news_about_acks_do_not_reach_a_stopped_phone(stage: Stage) -> None:
    stage.mail(to="team")
    stage.reply("stop")
    assert phones(stage.reply("10 ok", "ivan")) == ["ivan@0"]


def test_start_undoes_it_and_says_so_to_who_stood_in(stage: Stage) -> None:
    stage.reply("stop")
    stage.mail(to="team")
    assert stage.reply("start") == [
        "mail operator@bridge.test@0 [smsbridge] Aigul turned SMS on again",
        "mail both@bridge.test@0 [smsbridge] Aigul turned SMS on again",
        "ivan@0 Swapped: Aigul has duty Sat 08:00-Mon 09:00",
        "aigul@0 SMS to this phone is on",
    ]
    assert phones(stage.mail(to="duty", subject="raid broken")) == ["aigul@0"]
    assert stage.world.memory.stops == {}


def test_T40_an_operator_undoes_a_stop_that_nobody_meant(stage: Stage) -> None:
    stage.reply("stop")
    assert stage.order("oncall", "who").said == (
        "duty: ivan until 2026-11-23 09:00, then aigul (aigul turned SMS off)",
    )
    assert stage.order("oncall", "start", "aigul").said == ("SMS to aigul are on",)
    assert stage.order("oncall", "start", "+77010000001").said == ("SMS to +77010000001 are not off",)
    stage.seen()
    assert phones(stage.mail(to="duty")) == ["aigul@0"]


def test_a_recovery_is_not_sent_to_a_stopped_phone(stage: Stage) -> None:
    stage.problem()
    stage.reply("stop")
    assert stage.recovery() == []
    assert stage.reasons == ["stopped by aigul"]


def test_a_digest_that_reaches_nobody_is_one_mail_with_all_of_it(stage: Stage) -> None:
    for number in range(25):
        stage.mail(f"web{number:02} slow", "digest")
    stage.reply("stop")
    stage.world.advance(NOW + timedelta(hours=2))
    bodies = stage.bodies()
    assert len(bodies) == 1
    assert [f"web{number:02} slow" in bodies[0] for number in (0, 19, 20)] == [True, True, False]
    assert "and 5 more" in bodies[0]


def test_T40_a_flood_for_a_stopped_phone_is_twenty_mails_in_an_hour(stage: Stage) -> None:
    stage.reply("stop")
    seen = [len(stage.mail(f"web{number:02} slow")) for number in range(30)]
    assert seen == [1] * 20 + [0] * 10
    stage.wait(minutes=61)
    assert stage.mail("db01 disk full") == [UNTOLD.replace("@0", "@61")]


def test_the_end_of_what_reached_nobody_is_no_alarm(stage: Stage) -> None:
    stage.problem(to="digest")
    stage.wait(hours=2)
    stage.reply("stop")
    stage.recovery(to="digest")
    assert stage.wait(hours=24) == []
