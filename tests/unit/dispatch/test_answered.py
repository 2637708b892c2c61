"""Answers: an ack, a mail in the thread, a question back, or silence."""

import email
from datetime import timedelta
from email import policy

import pytest

from bridge.model import Conversation

AIGUL, IVAN, SILENT = "+77010000001", "+77010000002", "+77010000003"


def texts(plan, phone=None):
    return [message.text for message in plan.messages if phone in (None, message.phone)]


def read(mail):
    return email.message_from_bytes(mail.content, policy=policy.default)


def test_ok_acknowledges_the_only_open_alert_without_a_code(world):
    world.mail(headers="Message-ID: <alert@mon>\r\n")
    world.wait(minutes=14)
    plan = world.reply("ok")
    assert plan.read_as == "ack"
    assert [(i.state, i.acked_by) for i in plan.incidents] == [("acked", "aigul")]
    assert texts(plan) == ["10 acked: db01 db01 disk full. Undo: 10 un"]
    mail = read(plan.mails[0])
    assert mail["In-Reply-To"] == "<alert@mon>"
    assert "<alert@mon>" in mail["References"]
    assert mail["To"] == "root@db01.example.kz"
    assert mail["Subject"] == "Re: db01 disk full"
    assert "Acked by Aigul at 08:14" in mail.get_content()
    assert mail["Auto-Submitted"] == "auto-replied"


def test_an_acknowledged_alert_is_silent_for_who_was_told(world):
    world.zabbix()
    world.reply("10 ok")
    world.wait(minutes=40)
    plan = world.zabbix()
    assert not plan.messages
    assert [fate.reason for fate in plan.fates] == ["acknowledged by aigul"]
    world.wait(hours=24)
    assert world.zabbix().messages  # ack_lasts


def test_the_others_who_were_told_hear_of_it_in_their_language(world):
    world.mail("team")
    plan = world.reply("ok")
    assert texts(plan, AIGUL) == ["10 acked: db01 db01 disk full. Others told. Undo: 10 un"]
    assert texts(plan, IVAN) == ["10 db01 db01 disk full: у Aigul с 08:00"]


def test_a_second_ack_is_noted_and_says_who_has_it(world):
    world.mail("team")
    world.reply("ok")
    plan = world.reply("ок", IVAN)
    assert texts(plan) == ["10: уже у Aigul с 08:00. Вас тоже отметили"]
    assert not plan.incidents
    assert not plan.mails


def test_with_two_open_it_asks_back_and_takes_the_code(world):
    world.mail()
    world.mail("one", "raid broken", sender="root@db02.example.kz")
    plan = world.reply("ok")
    assert plan.read_as == "which"
    assert texts(plan) == ["Which one? 10 db01 db01 disk full, 11 db02 raid broken. Reply like: 10 ok"]
    assert not plan.incidents
    plan = world.reply("11 ok")
    assert [(i.title, i.state) for i in plan.incidents] == [("raid broken", "acked")]


def test_words_go_to_the_thread_and_get_no_sms(world):
    world.mail(headers="Message-ID: <alert@mon>\r\n")
    plan = world.reply("on my way, check the raid first please")
    assert plan.read_as == "text"
    assert not plan.messages
    assert not plan.incidents
    mail = read(plan.mails[0])
    assert mail["In-Reply-To"] == "<alert@mon>"
    assert "on my way, check the raid first please" in mail.get_content()
    assert mail["From"].startswith('"Aigul (SMS)"') or "Aigul (SMS)" in str(mail["From"])


def test_words_without_any_alert_go_to_the_operator(world):
    plan = world.reply("hello there, who are you people")
    assert [m.to for m in plan.mails] == [("operator@bridge.test",)]


def test_T39_an_unknown_number_gets_silence(world):
    world.mail()
    plan = world.reply("ok", "+79990000000")
    assert plan.read_as == "stranger"
    assert not plan.messages
    assert not plan.mails
    assert not plan.incidents


def test_T32_a_person_without_the_right_is_told_so(world):
    world.mail("silent")
    plan = world.reply("ok", SILENT)
    assert texts(plan) == ["This phone may not use ok. Ask operator@bridge.test"]
    assert not plan.incidents


@pytest.mark.parametrize("text", ["ack all", "mute db01 2h", "take 4h", "close", "run restart"])
def test_T32_what_changes_more_than_ones_own_alert_is_not_done(world, text):
    world.mail()
    plan = world.reply(text)
    assert not plan.incidents
    assert "may not use" in texts(plan)[0]


def test_T09_five_answers_in_ten_minutes_then_silence(world):
    world.mail()
    answers = [len(world.reply("help").messages) for _ in range(7)]
    assert answers == [1, 1, 1, 1, 1, 0, 0]
    world.wait(minutes=11)
    assert world.reply("help").messages
    world.wait(minutes=1)


def test_an_ack_beyond_the_limit_still_counts(world):
    world.mail()
    for _ in range(6):
        world.reply("help")
    plan = world.reply("10 ok")
    assert not plan.messages
    assert plan.incidents[0].state == "acked"


def test_undo_opens_it_again(world):
    world.mail()
    world.reply("ok")
    plan = world.reply("10 un")
    assert [i.state for i in plan.incidents] == ["open"]
    assert texts(plan) == ["10 open again: db01 db01 disk full"]
    assert plan.mails


def test_list_status_help_note(world):
    assert texts(world.reply("list")) == ["Nothing is open for you"]
    world.mail()
    assert texts(world.reply("list")) == ["Open: 10 db01 db01 disk full"]
    assert texts(world.reply("10?")) == ["10 INFO db01 db01 disk full: 0 s, x1"]
    assert world.reply("10 note disk ordered").mails
    assert texts(world.last) == ["10: note kept and mailed to the thread"]


def test_an_unknown_code_lists_what_is_open_and_a_closed_one_says_since_when(world):
    world.zabbix()
    world.sent()
    assert texts(world.reply("17 ok")) == ["No alert 17 on this phone. Open: 10. Reply list"]
    world.zabbix("Resolved")
    assert texts(world.reply("10 ok")) == ["10 is over since 08:00. Thank you, nothing to do"]


def test_stop_of_a_person_is_told_to_the_operator_and_the_team(world):
    plan = world.reply("stop")
    assert [m.to for m in plan.mails] == [("operator@bridge.test", "both@bridge.test")]


def test_T11_an_answer_never_becomes_a_header(world):
    world.mail(subject="=?utf-8?q?x=0D=0ABcc:_evil=40example.org?=")
    plan = world.reply("ok thanks\r\nBcc: evil@example.org")
    for mail in plan.mails:
        assert "bcc" not in {name.lower() for name, _value in read(mail).items()}


def test_a_question_is_not_an_ack(world):
    world.mail()
    assert not world.reply("ok?").incidents
    assert not world.reply("не ок").incidents


def test_an_answer_to_a_plain_message_goes_to_the_thread_of_its_mail(world):
    world.mail("plain", headers="Message-ID: <plain@erp>\r\n")
    plan = world.reply("on my way")
    assert not plan.messages
    mail = read(plan.mails[0])
    assert (mail["To"], mail["In-Reply-To"]) == ("root@db01.example.kz", "<plain@erp>")
    assert "on my way" in mail.get_content()
    assert "> db01 disk full" in mail.get_content()


def test_a_code_before_words_says_whose_thread_they_belong_to(world):
    world.mail(headers="Message-ID: <first@mon>\r\n")
    world.mail("one", "raid broken", sender="root@db02.example.kz", headers="Message-ID: <second@mon>\r\n")
    plan = world.reply("10 on my way there")
    assert plan.read_as == "text"
    assert read(plan.mails[0])["In-Reply-To"] == "<first@mon>"


def test_a_late_ok_is_about_the_alert_whose_code_it_names_not_about_the_last_plain_message(world):
    world.zabbix()
    world.sent()
    world.zabbix("Resolved")
    world.mail("plain", "coffee is ready")
    plan = world.reply("10 ok")
    assert texts(plan) == ["10 is over since 08:00. Thank you, nothing to do"]
    assert not plan.mails


def test_T39_a_phone_of_nobody_is_a_stranger_again_when_its_codes_are_free(world):
    world.mail("+77019999999", "hello")
    world.memory.plain.clear()
    rested = Conversation("+77019999999", "10", (), world.now, world.now + timedelta(hours=1), over=(1000,))
    world.memory.conversations["+77019999999"] = {"10": rested}
    assert texts(world.reply("list", "+77019999999")) == ["Nothing is open for you"]
    world.wait(hours=1)
    plan = world.reply("list", "+77019999999")
    assert (plan.read_as, plan.messages) == ("stranger", ())


def test_what_stands_behind_an_ok_is_a_note(world):
    world.mail()
    plan = world.reply("ok, on my way")
    assert plan.read_as == "ack"
    assert [entry.data["text"] for entry in plan.journal if entry.kind == "incident.note"] == ["on my way"]
