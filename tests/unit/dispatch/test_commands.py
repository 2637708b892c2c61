"""Commands by SMS that change more than one's own incident: one-time codes, mute, take, swap, close, ack all."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from bridge.proof.world import World
from tests.unit.dispatch.stage import NOW, PEOPLE, Stage, build, phones, strict

__all__ = ["strict"]
pytestmark = pytest.mark.usefixtures("strict")

RULES = """
rules:
  - {rule: duty, when: {recipient: duty@bridge.test}, to: on-call duty}
  - {rule: narrow, when: {recipient: narrow@bridge.test}, to: aigul, replies: {commands: [ack, status]}}
  - {rule: by mail to the team, when: {recipient: team@bridge.test}, to: aigul, replies: {mail: both}}
  - {rule: all, to: both}
"""


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory) -> Callable[[], Stage]:
    book = build(tmp_path_factory.mktemp("office"), RULES, trusting=True)
    return lambda: Stage(World(book, NOW, receipts=False))


@pytest.fixture
def stage(office: Callable[[], Stage]) -> Stage:
    return office()


@pytest.fixture(scope="module")
def doubting(tmp_path_factory: pytest.TempPathFactory) -> Callable[[], Stage]:
    book = build(tmp_path_factory.mktemp("doubting"), RULES)
    return lambda: Stage(World(book, NOW, receipts=False))


def texts(seen: list[str], who: str) -> list[str]:
    return [each.partition(" ")[2] for each in seen if each.startswith(f"{who}@")]


# --- proof of who it is --------------------------------------------------------------------------


@pytest.mark.parametrize("typed", ["mute sw3 2h", "unmute sw3", "take 4h", "swap ivan", "10 close", "ack all"])
def test_T32_what_changes_more_than_ones_own_alert_wants_a_one_time_code(
    doubting: Callable[[], Stage], typed: str
) -> None:
    stage = doubting()
    stage.mail()
    assert stage.reply(typed) == [f"aigul@0 Add your one-time code: {typed} 123456"]
    assert stage.incident().state == "open"
    assert not stage.world.memory.silences
    assert not stage.world.memory.overrides


def test_T32_a_code_that_cannot_be_proven_opens_nothing(doubting: Callable[[], Stage]) -> None:
    stage = doubting()
    assert stage.mail()
    assert stage.reply("mute sw3 2h 123456") == ["aigul@0 Add your one-time code: mute sw3 2h 123456"]
    assert not stage.world.memory.silences


def test_T32_the_right_is_asked_before_the_code(doubting: Callable[[], Stage]) -> None:
    stage = doubting()
    assert stage.reply("mute sw3 2h", "marat") == ["marat@0 This phone may not use mute. Ask operator@bridge.test"]


def test_what_is_passed_on_needs_no_code(doubting: Callable[[], Stage]) -> None:
    stage = doubting()
    stage.mail()
    assert texts(stage.reply("10 no"), "aigul") == ["10: nobody is after you"]


def test_an_ack_wants_a_code_where_it_is_said_so(tmp_path: Path) -> None:
    book = build(tmp_path, RULES, "commands: {one_time_code: [ack, mute]}\n")
    stage = Stage(World(book, NOW))
    stage.mail()
    assert stage.reply("10 ok") == ["aigul@0 Add your one-time code: 10 ok 123456"]
    assert stage.incident().state == "open"
    assert stage.reply("10 ok?")[0].startswith("aigul@0 10 INFO mon db01 disk full")


# --- ack all, close, passing on, narrowing -------------------------------------------------------


def test_ack_all_takes_what_nobody_has(stage: Stage) -> None:
    stage.mail()
    stage.mail("web1 down")
    stage.reply("10 ok", "ivan")
    assert texts(stage.reply("ack all"), "aigul") == ["11 acked: mon web1 down. Others told. Undo: 11 un"]
    assert [stage.incident(n).acked_by for n in (1000, 1001)] == ["ivan", "aigul"]
    assert texts(stage.reply("ack all"), "aigul") == ["Nothing is open for you"]


def test_who_closes_an_alert_tells_everybody_who_was_told(stage: Stage) -> None:
    stage.mail()
    stage.wait(minutes=25)
    seen = stage.reply("10 close")
    assert texts(seen, "aigul") == ["10 closed: mon db01 disk full"]
    assert texts(seen, "ivan") == ["10 OVER mon: db01 disk full, after 25 min"]
    assert stage.incident().state == "resolved"
    assert [each for each in seen if each.startswith("mail")] == ["mail mon@host.test@25 Re: db01 disk full"]


def test_nobody_after_you_names_the_team_that_reads_the_thread(stage: Stage) -> None:
    stage.mail(to="team")
    seen = stage.reply("no")
    assert texts(seen, "aigul") == ["10: nobody is after you. Team both is told by mail"]
    assert "mail both@bridge.test@0 Re: db01 disk full" in seen


def test_a_rule_narrows_what_may_be_typed_about_its_alerts(stage: Stage) -> None:
    stage.mail(to="narrow")
    assert texts(stage.reply("10 close"), "aigul") == ["This phone may not use close. Ask operator@bridge.test"]
    assert stage.incident().state == "open"
    assert texts(stage.reply("10 ok"), "aigul") == ["10 acked: mon db01 disk full. Undo: 10 un"]


# --- mute ----------------------------------------------------------------------------------------


def test_a_host_is_muted_for_a_while_and_then_told(stage: Stage) -> None:
    assert stage.reply("mute mon 2h") == ["aigul@0 mon muted until 10:00. Undo: unmute mon"]
    assert stage.mail() == []
    assert stage.reasons == ["silenced by 1 until 10:00"]
    assert phones(stage.wait(hours=2)) == ["aigul@120", "ivan@120"]


def test_unmute_tells_what_was_kept(stage: Stage) -> None:
    stage.reply("mute mon until 12:00")
    stage.mail()
    stage.wait(minutes=5)
    seen = stage.reply("unmute mon")
    assert sorted(phones(seen)) == ["aigul@5", "aigul@5", "ivan@5"]
    assert "mon is loud again" in texts(seen, "aigul")
    assert stage.reply("unmute mon") == ["aigul@5 mon is not muted"]


def test_unmute_alone_means_the_only_one_of_ones_own(stage: Stage) -> None:
    stage.reply("mute mon 2h")
    stage.reply("mute sw3 2h", "ivan")
    assert texts(stage.reply("unmute"), "aigul") == ["mon is loud again"]
    assert [s.end > NOW for s in stage.world.memory.silences.values()] == [False, True]


def test_an_alert_is_muted_by_its_code_and_only_that_one(stage: Stage) -> None:
    stage.mail()
    assert texts(stage.reply("mute 10 1h"), "aigul") == ["10 muted until 09:00. Undo: unmute 10"]
    assert phones(stage.mail("web1 down")) == ["aigul@0", "ivan@0"]
    assert texts(stage.reply("unmute 10"), "aigul") == ["10 is loud again"]


@pytest.mark.parametrize("typed", ["mute mon", "mute 2h", "mute * 2h", "mute mon 900d"])
def test_T32_a_mute_without_end_or_of_everything_is_not_done(stage: Stage, typed: str) -> None:
    stage.mail()
    assert "10 ok = ack" in stage.reply(typed)[0]
    assert not stage.world.memory.silences


# --- who is on call -------------------------------------------------------------------------------


def test_who_is_on_call_until_when_and_who_follows(stage: Stage) -> None:
    assert stage.reply("who", "marat") == ["marat@0 On call duty: Aigul until Mon 09:00, then Ivan"]


def test_taking_a_rota_tells_the_one_who_had_it(stage: Stage) -> None:
    seen = stage.reply("take 4h", "ivan")
    assert texts(seen, "ivan") == ["You are on call for duty until 12:00. Aigul is told"]
    assert texts(seen, "aigul") == ["Swapped: Ivan has duty Sat 08:00-Sat 12:00"]
    assert phones(stage.mail(to="duty")) == ["ivan@0"]
    assert stage.reply("who", "marat") == ["marat@0 On call duty: Ivan until Sat 12:00, then Aigul"]
    stage.wait(hours=4)
    assert phones(stage.mail("web1", to="duty")) == ["aigul@240"]


def test_taking_what_one_has_until_the_handover_tells_nobody_else(stage: Stage) -> None:
    assert stage.reply("take") == ["aigul@0 You are on call for duty until Mon 09:00"]


def test_which_rota_is_asked_back(stage: Stage) -> None:
    assert stage.reply("take night 4h") == ["aigul@0 Which one? duty. Reply like: take duty 4h"]
    assert not stage.world.memory.overrides


# --- swap ----------------------------------------------------------------------------------------


def test_a_swap_is_done_when_the_other_one_agrees(stage: Stage) -> None:
    seen = stage.reply("swap ivan")
    assert texts(seen, "ivan") == ["Aigul asks you to take duty Sat 08:00-Mon 09:00. Reply swap ok or swap no"]
    assert texts(seen, "aigul") == ["Ivan is asked to take duty Sat 08:00-Mon 09:00"]
    assert not stage.world.memory.overrides
    stage.wait(minutes=5)
    seen = stage.reply("swap ok", "ivan")
    assert texts(seen, "ivan") == texts(seen, "aigul") == ["Swapped: Ivan has duty Sat 08:05-Mon 09:00"]
    assert "mail both@bridge.test@5 Swapped: Ivan has duty Sat 08:05-Mon 09:00" in seen
    assert phones(stage.mail(to="duty")) == ["ivan@5"]


def test_a_swap_that_is_refused_changes_nothing(stage: Stage) -> None:
    stage.reply("swap ivan")
    seen = stage.reply("swap no", "ivan")
    assert texts(seen, "aigul") == ["Ivan does not take duty Sat 08:00-Mon 09:00"]
    assert not stage.world.memory.overrides
    assert stage.reply("swap ok", "ivan") == ["ivan@0 Nobody asks you to swap"]


def test_who_was_asked_may_agree_without_a_right_of_his_own(stage: Stage) -> None:
    assert stage.reply("swap ok", "marat")[0].startswith("marat@0 This phone may not use swap.")
    stage.reply("swap marat")
    assert phones(stage.reply("swap ok", "marat")) == ["aigul@0", "marat@0"]
    assert stage.world.memory.overrides[0].person == "marat"


def test_a_swap_that_nobody_answers_is_none(stage: Stage) -> None:
    stage.reply("swap ivan")
    assert stage.wait(hours=3) == []
    assert stage.reply("swap ok", "ivan") == ["ivan@180 Nobody asks you to swap"]


def test_who_is_not_on_call_now_swaps_his_next_turn(stage: Stage) -> None:
    assert "duty Mon 09:00-Mon 09:00" in stage.reply("swap aigul", "ivan")[0]
    stage.reply("swap ok")
    (override,) = stage.world.memory.overrides
    assert (override.person, (override.end - override.begin).days) == ("aigul", 7)


def test_a_bare_ok_never_answers_a_swap_while_an_alert_is_open(stage: Stage) -> None:
    stage.reply("swap ivan")
    stage.mail()
    stage.reply("ok", "ivan")
    assert stage.incident().acked_by == "ivan"
    assert not stage.world.memory.overrides


@pytest.mark.parametrize("typed", ["swap", "swap nobody", "swap aigul"])
def test_a_swap_with_nobody_is_answered_with_help(stage: Stage, typed: str) -> None:
    assert "12 ok = ack" in stage.reply(typed)[0].replace("10", "12")
    assert not [name for name in stage.world.memory.timers if name.startswith("swap/")]


def test_T09_nobody_gets_more_answers_than_allowed(doubting: Callable[[], Stage]) -> None:
    stage = doubting()
    assert len([each for _ in range(9) for each in stage.reply("who")]) == 5
    stage.wait(minutes=10)
    assert len(stage.reply("who")) == 1


def test_T09_answers_are_counted_over_the_whole_day_that_the_limit_names(tmp_path: Path) -> None:
    stage = Stage(World(build(tmp_path, RULES, "commands: {answers: 2/day}\n"), NOW))
    answered = []
    for _ in range(4):
        answered.append(len(stage.reply("who")))
        stage.wait(hours=4)
    assert answered == [1, 1, 0, 0]
    ends = {tally.until for tally in stage.world.memory.tallies[f"answers/{PEOPLE['aigul']}"]}
    assert ends == {datetime(2026, 11, 21, 19, tzinfo=UTC)}  # midnight in Almaty: so long the store keeps them
    stage.wait(hours=2)  # 02:00 of the next day
    assert len(stage.reply("who")) == 1


def test_T09_news_of_colleagues_take_no_answer_away(doubting: Callable[[], Stage]) -> None:
    stage = doubting()
    for n in range(6):
        stage.mail(f"db0{n} disk full")
        stage.reply(f"1{n} ok", "ivan")
    assert [each for each in stage.reply("who") if each.startswith("aigul")]
