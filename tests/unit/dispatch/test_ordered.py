"""Orders of an operator: what they do, what they say, and that one which does not fit changes nothing."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest

from bridge.model import Plan
from bridge.proof.world import World
from tests.unit.dispatch.stage import NOW, Stage, build, phones, strict

__all__ = ["strict"]
pytestmark = pytest.mark.usefixtures("strict")

RULES = """
rules:
  - {rule: bulk, when: {recipient: bulk@bridge.test}, to: both, class: bulk}
  - {rule: duty, when: {recipient: duty@bridge.test}, to: on-call duty}
  - {rule: quiet news, when: {recipient: nonews@bridge.test}, to: both, replies: {news: unanswered}}
  - {rule: all, to: both}
silences:
  - {silence: morning, when: {recipient: nobody@bridge.test}, during: {hours: 07:00-09:00}, by: aigul}
"""


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory) -> Callable[[], Stage]:
    book = build(tmp_path_factory.mktemp("office"), RULES)
    return lambda: Stage(World(book, NOW, receipts=False))


@pytest.fixture
def stage(office: Callable[[], Stage]) -> Stage:
    return office()


def nothing_done(plan: Plan) -> bool:
    return not (plan.incidents or plan.messages or plan.silences or plan.overrides or plan.mails or plan.timers)


def test_an_ack_tells_the_thread_and_those_who_were_told(stage: Stage) -> None:
    stage.mail()
    stage.wait(minutes=2)
    plan = stage.order("incidents", "ack", "1000", by="marat")
    assert plan.said == ("1000 acked: mon db01 disk full",)
    assert stage.incident().acked_by == "marat"
    (mail,) = plan.mails
    assert b"Acked by Marat at 08:02." in mail.content
    assert [m.text for m in plan.messages] == ["10 mon db01 disk full: Marat has it since 08:02"] * 2


def test_who_acks_at_the_console_needs_no_sms_about_it(stage: Stage) -> None:
    stage.mail()
    plan = stage.order("incidents", "ack", "1000", by="ivan")
    assert [m.person for m in plan.messages] == ["aigul"]


def test_an_ack_of_bulk_tells_no_phone_and_without_news_no_mail(stage: Stage) -> None:
    stage.mail(to="bulk")
    assert stage.order("incidents", "ack", "1000").messages == ()
    stage.mail("other", to="nonews")
    assert stage.order("incidents", "ack", "1001").mails == ()


def test_several_incidents_in_one_order(stage: Stage) -> None:
    stage.mail()
    stage.mail("web1 down")
    said = stage.order("incidents", "resolve", "1000", "1001", "7").said
    assert [line.partition(":")[0] for line in said] == ["there is no incident 7", "1000 resolved", "1001 resolved"]


@pytest.mark.parametrize(
    "words, said",
    [
        ("incidents ack 1000", "1000 is resolved already"),
        ("incidents ack 7", "there is no incident 7"),
        ("incidents unack 1001", "1001 is not acked"),
        ("incidents note 1001", "say which incident, and the note"),
        ("incidents silence 1001", "say for how long: 2h, until 08:00"),
        ("incidents sing 1001", "there is no order incidents sing"),
        ("oncall take", "say which rota (duty)"),
        ("oncall take night ivan", "no rota is called night (duty)"),
        ("oncall take duty", "say who takes it"),
        ("oncall take duty nobody", "no person is called nobody"),
        ("oncall take duty ivan soon", '"soon" is no span: 4h, until 18:00'),
        ("oncall swap duty ivan 4h", "say the rota and the person; for a span: oncall take"),
        ("oncall who night", "no rota is called night (duty)"),
        ("silences add 2h", "say what and for how long: host=sw* 2h"),
        ("silences add host=sw3", "say what and for how long: host=sw* 2h"),
        ("silences end 9", "no silence 9 holds now"),
        ("silences end", "no silence  holds now"),
    ],
)
def test_an_order_that_does_not_fit_changes_nothing_and_says_why(stage: Stage, words: str, said: str) -> None:
    stage.mail()
    stage.mail("web1 down")
    stage.order("incidents", "resolve", "1000")
    plan = stage.order(*words.split())
    assert plan.said == (said,)
    assert nothing_done(plan)


def test_a_matcher_of_a_silence_must_be_a_field(stage: Stage) -> None:
    plan = stage.order("silences", "add", "hots=sw3", "2h")
    assert nothing_done(plan)
    assert "hots" in plan.said[0]


def test_a_note_is_kept_in_the_trail(stage: Stage) -> None:
    stage.mail()
    plan = stage.order("incidents", "note", "1000", "disk", "is", "ordered")
    assert [(e.kind, e.data["text"]) for e in plan.journal] == [("incident.note", "disk is ordered")]


def test_resolving_cancels_what_waits(stage: Stage) -> None:
    stage.mail()
    assert stage.order("incidents", "resolve", "1000").said == ("1000 resolved: mon db01 disk full",)
    assert stage.incident().resolved_at == NOW


# --- silences -----------------------------------------------------------------------------------


def test_a_silence_holds_until_its_end_and_then_what_is_still_open_is_told(stage: Stage) -> None:
    assert stage.order("silences", "add", "host=mo*", "2h", "change", "4711").said == (
        "silence 1 until 2026-11-21 10:00 by operator: host=mo* (change 4711)",
    )
    assert stage.mail() == []
    assert stage.world.memory.silences[1].note == "change 4711"
    assert phones(stage.wait(hours=2)) == ["aigul@120", "ivan@120"]


def test_the_reason_names_the_silence_by_its_number(stage: Stage) -> None:
    stage.order("silences", "add", "host=mon", "2h")
    stage.mail()
    assert stage.world.memory.silences[1].by == "operator"
    stage.world.happened()
    assert phones(stage.wait(minutes=119)) == []


def test_a_silence_that_is_ended_sooner_wakes_what_it_held(stage: Stage) -> None:
    stage.order("silences", "add", "host=mon", "2h")
    stage.mail()
    stage.wait(minutes=10)
    assert stage.order("silences", "end", "1").said == ("silence 1 is over",)
    assert phones(stage.seen()) == ["aigul@10", "ivan@10"]
    assert stage.order("silences", "end", "1").said == ("no silence 1 holds now",)


def test_the_silence_of_an_incident_is_about_that_one_only(stage: Stage) -> None:
    stage.mail()
    stage.order("incidents", "silence", "1000", "2h")
    assert phones(stage.mail("web1 down")) == ["aigul@0", "ivan@0"]
    assert stage.world.memory.silences[1].matchers == {"source": "127.0.0.1", "host": "mon", "title": "db01 disk full"}


def test_silences_of_book_and_store_are_listed(stage: Stage) -> None:
    assert stage.order("silences", "list").said == ("morning until 2026-11-21 09:00 by aigul",)
    stage.order("silences", "add", "host=mon", "until", "08:30")
    assert stage.order("silences", "list").said == (
        "morning until 2026-11-21 09:00 by aigul",
        "silence 1 until 2026-11-21 08:30 by operator: host=mon",
    )
    stage.wait(hours=2)
    assert stage.order("silences", "list").said == ("Nothing is silenced.",)


# --- who is on call ------------------------------------------------------------------------------


def test_a_rota_is_taken_for_a_while_and_falls_back(stage: Stage) -> None:
    assert stage.order("oncall", "who").said == ("duty: aigul until 2026-11-23 09:00, then ivan",)
    said = stage.order("oncall", "take", "duty", "ivan", "4h").said
    assert said == ("duty: ivan until 2026-11-21 12:00, then aigul (taken over)",)
    assert phones(stage.mail(to="duty")) == ["ivan@0"]
    stage.wait(hours=4)
    assert phones(stage.mail("web1 down", to="duty")) == ["aigul@240"]


def test_a_swap_is_the_rest_of_the_present_turn(stage: Stage) -> None:
    stage.order("oncall", "swap", "duty", "marat")
    (override,) = stage.world.memory.overrides
    assert (override.person, override.end - NOW) == ("marat", timedelta(days=2, hours=1))


def test_the_last_one_who_takes_a_rota_has_it(stage: Stage) -> None:
    stage.order("oncall", "take", "duty", "ivan")
    stage.order("oncall", "take", "duty", "marat", "1h")
    assert stage.order("oncall", "who", "duty").said[0].startswith("duty: marat until 2026-11-21 09:00")
    stage.wait(hours=1)
    assert stage.order("oncall", "who").said[0].startswith("duty: ivan")
