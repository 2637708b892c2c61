"""One SMS that tells of several has one code; what is answered to it is meant for all of them."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from email import message_from_string
from email.policy import default

import pytest

from bridge.config.units import Money
from bridge.proof.world import Posted, Sent, World
from tests.unit.dispatch.stage import NOW, PEOPLE, Stage, build, phones, strict

__all__ = ["strict"]
pytestmark = pytest.mark.usefixtures("strict")

RULES = """
rules:
  - rule: racks
    when: {recipient: rack@bridge.test}
    to: both
    key: "{{ title }}"
    group: {by: [label.rack], wait: 1m, every: 5m}
    text: "{{ title }} {{ code }} ok"
    group_text: "{{ count }} down ({{ list }}) {{ code }} ok"
    replies: {mail: both}
    escalate: [{after: 20m, to: marat}]
  - rule: bulk racks
    when: {recipient: bulk@bridge.test}
    to: both
    class: bulk
    group: {by: [source], wait: 1m}
    group_text: "{{ count }} slow {{ code }}"
  - rule: own words
    when: {recipient: own@bridge.test}
    to: aigul
    group: {by: [source], wait: 1m, every: 0s}
  - rule: nights
    when: {recipient: night@bridge.test}
    to: marat
    quiet: {during: {hours: "08:00-10:00", zone: UTC}}
    group_text: "{{ count }} at night {{ code }}"
  - rule: other nights
    when: {recipient: night2@bridge.test}
    to: marat
    quiet: {during: {hours: "08:00-10:00", zone: UTC}}
  - rule: notes
    when: {recipient: note@bridge.test}
    to: aigul
    text: "{{ title }}"
    group: {by: [source], wait: 1m}
  - {rule: one, when: {recipient: one@bridge.test}, to: aigul, key: "{{ title }}"}
  - {rule: short, when: {recipient: short@bridge.test}, to: both, ack_lasts: 1h, repeat: 10m}
"""


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory) -> Callable[[], Stage]:
    book = build(tmp_path_factory.mktemp("racks"), RULES, trusting=True)
    return lambda: Stage(World(book, NOW, receipts=False))


@pytest.fixture
def stage(office: Callable[[], Stage]) -> Stage:
    return office()


def texts(seen: list[str], who: str) -> list[str]:
    return [each.partition(" ")[2] for each in seen if each.startswith(f"{who}@")]


def down(stage: Stage, *names: str, to: str = "rack") -> list[str]:
    """These go down in one minute; what was said at its end."""
    for name in names:
        stage.mail(name, to)
    return stage.wait(minutes=1)


def acked(stage: Stage) -> dict[str, str]:
    """Who has what of that which goes on."""
    return {i.title: i.acked_by for i in stage.world.memory.incidents.values() if i.live}


# --- one code ------------------------------------------------------------------------------------


def test_an_sms_about_several_shows_one_code_and_takes_no_other(stage: Stage) -> None:
    seen = down(stage, "w1", "w2", "w3")
    assert texts(seen, "aigul") == texts(seen, "ivan") == ["3 down (mon x3) 10 ok"]
    assert [*stage.world.memory.codes(PEOPLE["aigul"])] == ["10"]
    assert {stage.incident(number).code for number in (1000, 1001, 1002)} == {"10"}


def test_the_next_sms_of_the_group_keeps_the_code(stage: Stage) -> None:
    down(stage, "w1", "w2")
    stage.mail("w3", "rack")
    stage.mail("w4", "rack")
    assert texts(stage.wait(minutes=5), "aigul") == ["2 down (mon x2) 10 ok"]
    stage.reply("10 ok")
    assert acked(stage) == dict.fromkeys(("w1", "w2", "w3", "w4"), "aigul")


def test_a_group_of_which_nothing_goes_on_begins_anew_and_its_code_rests(stage: Stage) -> None:
    down(stage, "w1", "w2")
    stage.reply("10 close")
    stage.wait(minutes=10)
    assert texts(down(stage, "w3", "w4"), "aigul") == ["2 down (mon x2) 11 ok"]


def test_colleagues_are_shown_the_code_that_the_group_has(stage: Stage) -> None:
    stage.mail("db01 disk full", "one")  # takes 10 of aigul alone
    seen = down(stage, "w1", "w2")
    assert texts(seen, "aigul") == texts(seen, "ivan") == ["2 down (mon x2) 11 ok"]


def test_one_alone_of_a_group_has_a_code_of_its_own(stage: Stage) -> None:
    down(stage, "w1", "w2")
    stage.mail("w3", "rack")
    assert texts(stage.wait(minutes=5), "aigul") == ["w3 11 ok"]
    assert texts(stage.reply("11 ok"), "aigul") == ["11 acked: mon w3. Others told. Undo: 11 un"]
    assert acked(stage) == {"w1": "", "w2": "", "w3": "aigul"}


def test_a_bare_ok_asks_back_while_one_of_the_group_has_a_code_of_its_own_too(stage: Stage) -> None:
    down(stage, "w1", "w2")
    stage.wait(minutes=60)
    stage.mail("w1", "rack")
    assert texts(stage.wait(minutes=5), "aigul") == ["w1 11 ok"]
    assert texts(stage.reply("ok"), "aigul") == ["Which one? 10 2x mon (w1, w2), 11 mon w1. Reply like: 10 ok"]
    stage.reply("11 ok")
    assert acked(stage) == {"w1": "aigul", "w2": ""}
    stage.reply("ok")
    assert acked(stage) == {"w1": "aigul", "w2": "aigul"}


# --- what is answered to it ----------------------------------------------------------------------


@pytest.mark.parametrize("typed", ["10 ok", "ok", "ack all"])
def test_an_ok_takes_all_that_the_sms_told_of(stage: Stage, typed: str) -> None:
    down(stage, "w1", "w2", "w3", "w4")
    seen = stage.reply(typed)
    assert texts(seen, "aigul") == ["10 acked: 4x mon (w1, w2, w3, +1). Others told. Undo: 10 un"]
    assert acked(stage) == dict.fromkeys(("w1", "w2", "w3", "w4"), "aigul")


def test_an_ok_stops_every_ladder_of_the_group(stage: Stage) -> None:
    down(stage, "w1", "w2", "w3")
    stage.reply("10 ok")
    assert phones(stage.wait(hours=1)) == []


def test_a_group_that_nobody_takes_is_one_sms_to_the_next(stage: Stage) -> None:
    down(stage, "w1", "w2", "w3")
    assert phones(stage.wait(minutes=19)) == []
    seen = stage.wait(minutes=1)
    assert texts(seen, "marat") == ["3 down (mon x3) 10 ok"]
    stage.reply("10 ok", "marat")
    assert acked(stage) == dict.fromkeys(("w1", "w2", "w3"), "marat")


def test_colleagues_hear_once_who_has_the_group_and_the_team_reads_one_mail(stage: Stage) -> None:
    down(stage, "w1", "w2", "w3")
    stage.world.happened()
    stage.world.reply(PEOPLE["aigul"], "10 ok")
    effects = stage.world.happened().effects
    mails = [effect for effect in effects if isinstance(effect, Posted)]
    heard = [effect.message.text for effect in effects if isinstance(effect, Sent) and effect.message.person == "ivan"]
    assert heard == ["10 3x mon (w1, w2, w3): Aigul has it since 08:01"]
    assert len(mails) == 1
    mail = message_from_string(mails[0].mail.content.decode(), policy=default)
    assert mail["To"] == "both@bridge.test"
    assert mail["Subject"] == "Re: w3"  # in the thread that came last
    body = mail.get_content()
    assert "Marat is not told any more." in body  # by the ladders
    assert [name for name in ("w1", "w2", "w3") if f"mon: {name}" in body] == ["w1", "w2", "w3"]


def test_a_colleague_who_knows_them_by_codes_of_their_own_hears_it_under_these(stage: Stage) -> None:
    stage.mail("w1", "one")
    seen = down(stage, "w1", "w2")  # aigul was told of w1
    assert (texts(seen, "aigul"), texts(seen, "ivan")) == (["w2 11 ok"], ["2 down (mon x2) 11 ok"])
    seen = stage.reply("11 ok", "ivan")
    assert texts(seen, "aigul") == ["10 mon w1: Ivan has it since 08:01", "11 mon w2: Ivan has it since 08:01"]


def test_the_second_hears_who_has_it_and_takes_what_came_since(stage: Stage) -> None:
    down(stage, "w1", "w2")
    stage.reply("10 ok")
    assert texts(stage.reply("10 ok", "ivan"), "ivan") == ["10 is with Aigul since 08:01. Noted you too"]
    stage.mail("w3", "rack")
    stage.mail("w4", "rack")
    stage.wait(minutes=5)
    assert texts(stage.reply("10 ok", "ivan"), "ivan") == ["10 acked: 2x mon (w3, w4). Others told. Undo: 10 un"]
    assert acked(stage) == {"w1": "aigul", "w2": "aigul", "w3": "ivan", "w4": "ivan"}


def test_the_group_is_given_back_and_its_ladders_go_on(stage: Stage) -> None:
    down(stage, "w1", "w2")
    stage.reply("10 ok")
    stage.wait(minutes=2)
    seen = stage.reply("10 un")
    assert texts(seen, "aigul") == ["10 open again: 2x mon (w1, w2). Next: Marat at 08:23"]
    assert len([line for line in seen if line.startswith("mail both")]) == 1
    assert [text for text in stage.wait(minutes=30) if "marat" in text] == ["marat@23 2 down (mon x2) 10 ok"]


def test_the_group_is_passed_on_once(stage: Stage) -> None:
    down(stage, "w1", "w2")
    seen = stage.reply("10 esc")
    assert texts(seen, "aigul") == ["10 passed on, Marat is told: 2x mon (w1, w2)"]
    assert texts(seen, "marat") == ["2 down (mon x2) 10 ok"]
    assert len([line for line in seen if line.startswith("mail both")]) == 1


def test_the_group_is_closed_and_each_who_was_told_hears_it_once(stage: Stage) -> None:
    down(stage, "w1", "w2")
    stage.wait(minutes=9)
    seen = stage.reply("10 close")
    assert texts(seen, "aigul") == ["10 closed: 2x mon (w1, w2)"]
    assert texts(seen, "ivan") == ["10 OVER 2x mon (w1, w2), after 10 min"]
    assert acked(stage) == {}
    assert texts(stage.reply("10 ok", "ivan"), "ivan") == ["10 is over since 08:10. Thank you, nothing to do"]


def test_status_and_list_name_what_a_code_stands_for(stage: Stage) -> None:
    down(stage, "w1", "w2", "w3", "w4")
    stage.mail("db01 disk full", "one")
    assert texts(stage.reply("10?"), "aigul") == ["10 INFO 4x mon (w1, w2, w3, +1): 1 min, x4"]
    assert texts(stage.reply("list"), "aigul") == ["Open: 10 4x mon (w1, w2, w3, +1), 11 mon db01 disk full"]
    assert texts(stage.reply("ok"), "aigul") == [
        "Which one? 10 4x mon (w1, w2, w3, +1), 11 mon db01 disk full. Reply like: 10 ok"
    ]
    assert acked(stage) == dict.fromkeys(("w1", "w2", "w3", "w4", "db01 disk full"), "")


def test_a_note_about_the_group_is_one_mail_and_stands_in_every_trail(stage: Stage) -> None:
    down(stage, "w1", "w2")
    seen = stage.reply("note 10 fuse is out")
    assert texts(seen, "aigul") == ["10: note kept and mailed to the thread"]
    assert len([line for line in seen if line.startswith("mail")]) == 1


def test_the_group_is_muted_and_loud_again_by_its_code(stage: Stage) -> None:
    down(stage, "w1", "w2")
    assert texts(stage.reply("mute 10 2h"), "aigul") == ["10 muted until 10:01. Undo: unmute 10"]
    assert [s.matchers["title"] for s in stage.world.memory.silences.values()] == ["w1", "w2"]
    assert texts(stage.reply("unmute 10"), "aigul") == ["10 is loud again"]
    assert all(silence.end == stage.now for silence in stage.world.memory.silences.values())


def test_stop_lets_every_ladder_of_the_group_go_on(stage: Stage) -> None:
    down(stage, "w1", "w2")
    assert texts(stage.reply("stop"), "marat") == ["2 down (mon x2) 10 ok"]


def test_nobody_hears_of_an_ack_in_class_bulk(stage: Stage) -> None:
    down(stage, "w1", "w2", to="bulk")
    assert texts(stage.reply("10 ok"), "ivan") == []
    assert acked(stage) == {"w1": "aigul", "w2": "aigul"}


# --- what has nothing to do with each other ------------------------------------------------------


def test_what_an_sms_without_a_code_told_of_is_named_by_the_list_one_by_one(stage: Stage) -> None:
    seen = down(stage, "db01 disk full", "web7 down", to="own")
    assert texts(seen, "aigul") == ["2 alerts 08:00-08:01: mon x2. Reply list"]
    assert texts(stage.reply("list"), "aigul") == ["Open: 10 mon db01 disk full, 11 mon web7 down"]
    stage.reply("11 ok")
    assert acked(stage) == {"db01 disk full": "", "web7 down": "aigul"}


def test_many_of_them_leave_codes_for_others_and_a_bare_ok_never_means_the_rest(stage: Stage) -> None:
    down(stage, *(f"w{n}" for n in range(14)), to="own")
    codes = stage.world.memory.codes(PEOPLE["aigul"])
    assert sorted(codes) == [str(code) for code in range(10, 21)]
    assert len(codes["20"].incidents) == 4
    for code in range(10, 20):
        stage.reply(f"{code} ok")
    assert texts(stage.reply("ok"), "aigul")[0].startswith("Which one?")
    stage.reply("20 ok")
    assert set(acked(stage).values()) == {"aigul"}


def test_only_the_shared_code_is_left_where_half_of_the_codes_are_in_use(stage: Stage) -> None:
    for n in range(5):
        down(stage, *(f"w{n}.{i}" for i in range(10)), to="own")
    assert len(stage.world.memory.codes(PEOPLE["aigul"])) == 46  # 45 and the one they share
    assert len(stage.world.memory.codes(PEOPLE["aigul"])["55"].incidents) == 5
    down(stage, "a", "b", to="own")
    assert len(stage.world.memory.codes(PEOPLE["aigul"])["56"].incidents) == 2


def test_no_code_is_used_up_by_what_nobody_is_asked_to_answer(stage: Stage) -> None:
    down(stage, "n1", "n2", to="note")
    assert not stage.world.memory.codes(PEOPLE["aigul"])


def test_a_rule_says_several_only_of_its_own(stage: Stage) -> None:
    """At the end of the quiet hours: a rule's words for several are not about the alerts of other rules."""
    stage.wait(hours=5)
    stage.mail("n1", "night")
    stage.mail("n2", "night")
    assert texts(stage.wait(hours=2), "marat") == ["2 at night 10"]
    stage.wait(hours=22)
    stage.mail("n3", "night")
    stage.mail("n4", "night2")
    assert texts(stage.wait(hours=2), "marat") == ["2 alerts 13:00-15:00: mon x2. Reply list"]


# --- codes that were used ------------------------------------------------------------------------


def test_T32_a_code_rests_as_long_as_quarantine_after_its_alert_is_over(stage: Stage) -> None:
    stage.mail("db01 disk full", "one")
    stage.reply("10 close")
    stage.wait(hours=23)
    assert texts(stage.mail("db02 disk full", "one"), "aigul")[0].startswith("11 ")
    assert texts(stage.reply("10 ok"), "aigul") == ["10 is over since 08:00. Thank you, nothing to do"]
    stage.wait(hours=1)
    assert texts(stage.mail("db03 disk full", "one"), "aigul")[0].startswith("10 ")
    stage.reply("10 ok")
    assert acked(stage) == {"db02 disk full": "", "db03 disk full": "aigul"}


def test_the_end_of_one_of_several_leaves_the_code_to_the_others(stage: Stage) -> None:
    def problem(number: int) -> list[str]:
        body = f"Problem name: Disk {number}\nHost: db0{number}\nSeverity: High\nOriginal problem ID: {number}\n"
        return stage.mail(f"Problem: Disk {number}", "rack", body)

    def recovery(number: int) -> list[str]:
        body = f"Problem name: Disk {number}\nHost: db0{number}\nSeverity: High\nOriginal problem ID: {number}\n"
        return stage.mail(f"Resolved in 5m 0s: Disk {number}", "rack", body)

    problem(1)
    problem(2)
    stage.wait(minutes=1)
    assert recovery(1) == []
    assert texts(stage.reply("10 ok"), "aigul") == ["10 acked: db02 Disk 2. Others told. Undo: 10 un"]
    assert texts(stage.wait(minutes=5), "aigul") == ["OVER db01: Disk 1, after 1 min"]  # 10 is not over
    assert recovery(2) == []
    assert texts(stage.wait(minutes=5), "ivan") == ["10 OVER db02: Disk 2, after 6 min"]


def test_the_ends_of_a_group_are_one_sms_with_the_troubles_that_came_meanwhile(stage: Stage) -> None:
    def problem(number: int, word: str = "Problem") -> list[str]:
        body = f"Problem name: Disk {number}\nHost: db0{number}\nSeverity: High\nOriginal problem ID: {number}\n"
        return stage.mail(f"{word}: Disk {number}", "rack", body)

    for number in (1, 2, 3):
        problem(number)
    assert texts(stage.wait(minutes=1), "aigul") == ["3 down (db01, db02, db03) 10 ok"]
    assert [problem(number, "Resolved in 5m 0s") for number in (1, 2)] == [[], []]
    assert stage.reasons == ["collecting until 08:06:00"]
    assert texts(stage.wait(minutes=5), "aigul") == ["OVER x2: db01, db02"]
    problem(3, "Resolved in 5m 0s")
    problem(4)
    problem(5)
    assert texts(stage.wait(minutes=5), "aigul") == ["2 down (db04, db05) 11 ok. OVER: db03"]


def test_an_sms_about_several_does_not_leave_when_all_of_it_is_over(stage: Stage) -> None:
    def mail(number: int, word: str) -> list[str]:
        body = f"Problem name: Disk {number}\nHost: db0{number}\nSeverity: High\nOriginal problem ID: {number}\n"
        return stage.mail(f"{word}: Disk {number}", "rack", body)

    stage.world.gateways.balances.left["smsc"] = Money(Decimal(0), "KZT")
    mail(1, "Problem")
    mail(2, "Problem")
    stage.wait(minutes=1)
    mail(1, "Resolved in 5m 0s")
    known = stage.world.memory.messages
    assert {message.state for message in known.values()} == {"READY"}
    mail(2, "Resolved in 5m 0s")
    assert [message.reason for message in known.values() if message.about] == ["resolved before it was sent"] * 2


# --- how long an ack holds -----------------------------------------------------------------------


def test_an_ack_that_has_lasted_can_be_given_again(stage: Stage) -> None:
    stage.mail("db01 disk full", "short")
    stage.reply("10 ok")
    stage.wait(minutes=70)
    assert phones(stage.mail("db01 disk full", "short")) == ["aigul@70", "ivan@70"]
    assert texts(stage.reply("10 ok", "ivan"), "ivan") == ["10 acked: mon db01 disk full. Others told. Undo: 10 un"]
    assert (stage.incident().acked_by, stage.incident().acked_at) == ("ivan", NOW + timedelta(minutes=70))
    stage.wait(minutes=20)
    assert stage.mail("db01 disk full", "short") == []
    stage.wait(minutes=50)
    stage.reply("10 ok", "ivan")
    assert stage.incident().acked_at == stage.now


def test_what_is_said_again_in_the_morning_is_not_when_somebody_took_it_at_night(stage: Stage) -> None:
    stage.wait(hours=4, minutes=50)
    stage.mail("n1", "night2")
    stage.wait(minutes=40)
    assert stage.mail("n1", "night2") == []
    assert stage.reasons == ["quiet hours until 15:00"]
    stage.reply("10 ok", "marat")
    assert phones(stage.wait(hours=2)) == []


# --- who hears of an ack -------------------------------------------------------------------------


def test_who_answered_already_hears_nothing_of_the_ack_of_another(stage: Stage) -> None:
    down(stage, "w1", "w2")
    stage.reply("10 esc")
    assert texts(stage.reply("10 ok", "ivan"), "aigul") == []
    assert texts(stage.mail("db01 disk full", "short"), "aigul")[0].startswith("11 ")
    stage.reply("11 esc")
    stage.reply("11 esc")  # said twice, known once
    assert [step for step in stage.steps(1002) if step[0] == "answer"] == [("answer", "aigul")]


def test_nobody_gives_back_what_another_has(stage: Stage) -> None:
    down(stage, "w1", "w2")
    stage.reply("10 ok")
    assert texts(stage.reply("10 un", "ivan"), "ivan") == ["10 is with Aigul since 08:01. Noted you too"]
    assert acked(stage) == {"w1": "aigul", "w2": "aigul"}


def test_T09_colleagues_do_not_hear_of_every_turn_of_somebody_who_takes_and_gives_back(stage: Stage) -> None:
    stage.mail("db01 disk full", "short")
    heard = []
    for _ in range(6):
        heard += texts(stage.reply("10 ok"), "ivan")
        stage.reply("10 un")
    assert len(heard) == 3
    stage.wait(hours=1)
    assert len(texts(stage.reply("10 ok"), "ivan")) == 1
