"""T09: whatever answers us, a trigger ends in a few messages and then in silence."""

from dataclasses import replace

from bridge.intake.read import read
from bridge.model import Envelope, Recipient, StoredMail

AIGUL = "+77010000001"


def hand_over(mail, world, own):
    """A mail that one bridge sent comes in at the other one, at an address that no rule takes."""
    world.mails += 1
    envelope = Envelope(
        mail.content, world.now, mail.envelope_from, (Recipient("operator@bridge.test"),), peer="127.0.0.1"
    )
    return world.decide(read(StoredMail(world.mails, envelope), world.book, own=own))


def test_T09_two_bridges_that_report_to_each_other_settle(make_world):
    worlds = {"a": make_world(), "b": make_world()}
    for name, world in worlds.items():
        world.memory.instance = name
    waiting = [("a", mail) for mail in worlds["a"].mail("stranger").mails]
    sent = 0
    while waiting:
        sender, mail = waiting.pop()
        sent += 1
        assert sent <= 10
        receiver = "b" if sender == "a" else "a"
        waiting += [(receiver, answer) for answer in hand_over(mail, worlds[receiver], receiver).mails]
    assert sent >= 1


def test_T09_a_report_of_ours_that_comes_back_starts_nothing(world):
    (report,) = world.mail("stranger").mails
    back = hand_over(report, world, world.memory.instance)
    assert not back.mails
    assert not back.messages
    assert [fate.reason for fate in back.fates] == ["loop"]


def test_T09_a_vacation_mail_is_never_answered(world):
    plan = world.mail("one", "I am away", headers="Auto-Submitted: auto-replied (vacation)\r\n")
    assert not plan.messages
    assert not plan.mails


def test_T09_a_phone_that_echoes_every_sms_settles(world):
    texts = [world.mail().messages[0].text]
    sent = 0
    for _ in range(50):
        if not texts:
            break
        world.wait(seconds=2)
        plan = world.reply(texts.pop())
        texts += [message.text for message in plan.messages if message.phone == AIGUL]
        sent += len(plan.messages) + len(plan.mails)
    assert sent <= 10
    assert not texts


def test_T10_reports_go_to_the_operator_not_to_the_sender(world):
    for mail in (*world.mail("stranger").mails, *world.mail("broken", text="too long " * 900).mails):
        assert mail.to == ("operator@bridge.test",)
        assert mail.envelope_from == ""


def test_T10_the_thread_of_a_mail_without_sender_is_nobody(world):
    plan = world.mail(headers="Message-ID: <a@b>\r\n")
    incident = plan.incidents[-1]
    world.memory.incidents[incident.id] = replace(incident, thread=replace(incident.thread, sender=""))
    answer = world.reply("ok")
    assert answer.incidents[0].state == "acked"
    assert not answer.mails
