"""Answers that say which message they answer, and answers that nobody signed (T24, T32)."""

import pytest

from bridge.model import Reply

AIGUL = "+77010000001"


def texts(plan):
    return [message.text for message in plan.messages]


def viber(world, text, answers=0, phone=AIGUL):
    world.replies += 1
    return world.decide(Reply(world.replies, phone, "", text, "gate", answers, proven=False))


def test_ok_below_an_alert_acknowledges_that_one_though_others_are_open(world):
    world.mail()
    second = world.mail("one", "raid broken", sender="root@db02.example.kz").messages[0]
    world.mail("one", "fan dead", sender="root@db03.example.kz")
    plan = viber(world, "ok", second.id)
    assert plan.read_as == "ack"
    assert [(i.title, i.state, i.acked_by) for i in plan.incidents] == [("raid broken", "acked", "aigul")]


def test_a_code_beats_the_alert_it_stands_below(world):
    world.mail()
    second = world.mail("one", "raid broken", sender="root@db02.example.kz").messages[0]
    plan = viber(world, "10 ok", second.id)
    assert [i.title for i in plan.incidents] == ["db01 disk full"]


def test_ok_below_an_alert_that_is_over_acknowledges_no_other(world):
    over = world.zabbix().messages[0]
    world.zabbix("Resolved")
    world.mail("one", "raid broken", sender="root@db02.example.kz")
    plan = viber(world, "ok", over.id)
    assert not [incident for incident in plan.incidents if incident.state == "acked"]


def test_words_below_an_alert_go_to_its_thread_though_another_is_newer(world):
    first = world.mail(headers="Message-ID: <one@mon>\r\n").messages[0]
    world.wait(minutes=1)
    world.mail("one", "raid broken", sender="root@db02.example.kz", headers="Message-ID: <two@mon>\r\n")
    plan = viber(world, "somebody is at the door, ask him in please", first.id)
    assert plan.read_as == "text"
    assert b"<one@mon>" in plan.mails[0].content
    assert b"<two@mon>" not in plan.mails[0].content


def test_T24_a_message_to_somebody_else_is_not_what_is_answered(world):
    other = world.mail("ivan").messages[0]
    assert other.phone != AIGUL
    world.mail("one", "raid broken", sender="root@db02.example.kz")
    world.mail("one", "fan dead", sender="root@db03.example.kz")
    assert viber(world, "ok", other.id).read_as == "unproven"


def test_T32_with_the_code_that_was_shown_anybody_may_acknowledge(world):
    world.mail()
    assert viber(world, "10 ok").read_as == "ack"


@pytest.mark.parametrize("text", ["ok", "ack all", "status", "list", "who", "mute db01 2h", "take 4h", "stop", "start"])
def test_T24_what_nobody_signed_does_no_command_that_needs_a_role(world, text):
    world.mail()
    plan = viber(world, text)
    assert plan.read_as == "unproven"
    assert len(texts(plan)) == 1
    assert texts(plan)[0].startswith("Not done: ")
    assert not plan.incidents
    assert not plan.stops
    assert not plan.silences
    assert not plan.overrides


@pytest.mark.parametrize("text", ["ack all", "status 10", "note 10 was I", "10 close", "stop"])
def test_T24_nor_does_it_below_the_alert_or_with_its_code(world, text):
    message = world.mail().messages[0]
    plan = viber(world, text, message.id)
    assert plan.read_as == "unproven"
    assert not plan.incidents


def test_the_same_by_sms_is_done(world):
    world.mail()
    assert world.reply("stop").stops


def test_help_is_for_everybody(world):
    world.mail()
    assert viber(world, "help").read_as == "help"
