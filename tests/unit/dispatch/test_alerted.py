"""Every event ends in a visible fate, and nobody is told twice of one thing."""

import pytest

AIGUL, IVAN = "+77010000001", "+77010000002"


def texts(plan):
    return [message.text for message in plan.messages]


def reasons(plan):
    return [fate.reason for fate in plan.fates if fate.what == "nothing"]


def phones(plan):
    return sorted(message.phone for message in plan.messages)


def test_the_first_alert_is_one_priced_message_with_a_code(world):
    plan = world.mail()
    (message,) = plan.messages
    assert message.text == "10 INFO db01: db01 disk full. Reply 10 ok"
    assert (message.segments, str(message.price), message.currency) == (1, "14.00", "KZT")
    assert message.answerable
    (fate,) = plan.fates
    assert (fate.what, fate.person, fate.message_id) == ("sms", "aigul", message.id)
    assert [i.state for i in plan.incidents] == ["open"]


def test_colleagues_share_the_code(world):
    plan = world.mail("team")
    assert {(c.phone, c.code) for c in plan.conversations} == {(AIGUL, "10"), (IVAN, "10")}
    world.mail("one", "db02 disk full", sender="root@db02.example.kz")
    assert [c.code for c in world.last.conversations] == ["11"]


def test_a_repeat_within_half_an_hour_says_why_it_is_silent(world):
    world.mail()
    world.wait(minutes=5)
    plan = world.mail()
    assert not plan.messages
    assert reasons(plan) == ["incident open since 08:00 and repeated after 08:30"]
    assert plan.incidents[0].count == 2


def test_after_the_repeat_time_it_is_told_again_with_its_count(world):
    world.mail()
    world.wait(minutes=31)
    assert texts(world.mail()) == ["10 again x2: db01 db01 disk full, since 08:00. Reply 10 ok"]


def test_repeat_always_and_never(world):
    world.mail("always")
    assert len(world.mail("always").messages) == 1
    world.mail("never")
    world.wait(hours=5)
    plan = world.mail("never")
    assert not plan.messages
    assert reasons(plan) == ["incident open since 08:00"]


def test_dedup_never_silences_who_was_not_told(world):
    world.zabbix(to="one")
    plan = world.zabbix(to="team")
    assert phones(plan) == [IVAN]
    assert reasons(plan) == ["incident open since 08:00 and repeated after 08:30"]


def test_worse_is_told_at_once(world):
    world.zabbix(severity="Warning")
    world.wait(minutes=1)
    assert texts(world.zabbix(severity="Disaster")) == ["10 now CRIT db01: Disk. Reply 10 ok"]


def test_the_other_monitor_of_a_pair_is_a_twin(world):
    world.zabbix(peer="127.0.0.11")
    world.wait(seconds=2)
    plan = world.zabbix(peer="127.0.0.12")
    assert reasons(plan) == ["also seen by pair"]
    assert plan.incidents[0].count == 1


def test_the_next_problem_id_is_a_new_episode_that_is_told(world):
    world.zabbix(number=1)
    world.wait(minutes=1)
    plan = world.zabbix(number=2)
    assert phones(plan) == [AIGUL]
    assert [(i.episode, i.count) for i in plan.incidents][-1] == (2, 1)


def test_a_recovery_goes_to_those_who_were_told(world):
    world.zabbix(to="team")
    world.sent()
    world.wait(minutes=30)
    plan = world.zabbix("Resolved", to="team")
    assert phones(plan) == [AIGUL, IVAN]
    assert "OVER db01: Disk, after 30 min" in texts(plan)[0]
    assert plan.incidents[-1].state == "resolved"


def test_a_recovery_that_overtakes_its_problem_cancels_it(world):
    world.zabbix()
    (number,) = [m.id for m in world.last.messages]
    plan = world.zabbix("Resolved")
    assert not plan.messages
    assert plan.cancel == ((number, "resolved before it was sent"),)
    assert reasons(plan) == ["resolved before it was sent"]


def test_the_late_end_of_an_earlier_episode_ends_nothing(world):
    world.zabbix(number=1)
    world.zabbix(number=2)
    world.sent()
    plan = world.zabbix("Resolved", number=1)
    assert not plan.messages
    assert reasons(plan) == ["recovery of something nobody was told"]
    assert world.zabbix("Resolved", number=2).messages


def test_a_recovery_of_something_nobody_was_told(world):
    plan = world.zabbix("Resolved")
    assert reasons(plan) == ["recovery of something nobody was told"]


def test_on_recovery_nobody(world):
    world.zabbix(to="quietend")
    world.sent()
    assert reasons(world.zabbix("Resolved", to="quietend")) == ["recovery tells nobody"]


def test_after_recovery_the_same_trouble_is_a_new_incident(world):
    world.zabbix(number=1)
    world.sent()
    world.zabbix("Resolved", number=1)
    world.wait(minutes=1)
    plan = world.zabbix(number=2)
    assert phones(plan) == [AIGUL]
    assert plan.incidents[-1].id == 1001


def test_after_close_after_the_same_trouble_is_a_new_incident(world):
    world.mail()
    world.wait(hours=12)
    plan = world.mail()
    assert len(plan.messages) == 1
    assert {i.state for i in plan.incidents} == {"closed", "open"}


def test_the_close_timer_closes_only_what_is_quiet(world):
    world.mail()
    timers = world.last
    world.wait(hours=6)
    world.mail()
    world.wait(hours=6)
    world.last = timers
    plan = world.due("close")
    assert not plan.incidents
    (again,) = plan.timers
    world.wait(hours=6)
    assert world.due("close").incidents[0].state == "closed"
    assert again.kind == "close"


def test_drop_mail_nobody_and_plain(world):
    assert reasons(world.mail("drop")) == ["dropped (not today)"]
    plan = world.mail("mail")
    assert reasons(plan) == ["mail only"]
    assert plan.mails[0].to == ("list@bridge.test", "both@bridge.test")
    assert reasons(world.mail("nobody")) == ["to nobody"]
    assert world.last.incidents
    plan = world.mail("plain")
    assert texts(plan) == ["db01 disk full"]
    assert not plan.incidents
    assert len(world.mail("plain").messages) == 1


def test_one_person_gets_one_message_for_one_event(world):
    plan = world.mail("one team ivan")
    assert phones(plan) == [AIGUL, IVAN]


def test_T03_a_number_in_the_address_only_with_a_listed_prefix(world):
    assert phones(world.mail("+77015554433")) == ["+77015554433"]
    plan = world.mail("+77475554433")
    assert not plan.messages
    assert reasons(plan) == ["number not allowed (outside prefixes)"]


def test_an_unrouted_mail_goes_to_the_operator_once_and_as_a_list_at_the_end_of_the_day(world):
    plan = world.mail("stranger")
    assert reasons(plan) == ["no rule takes it"]
    assert [m.to for m in plan.mails] == [("operator@bridge.test",)]
    assert b"one: " in plan.mails[0].content or b"rule by rule" in plan.mails[0].content
    second = world.mail("stranger", "again")
    assert not second.mails
    assert [t.kind for t in second.timers] == ["unrouted"]
    assert not world.mail("stranger", "third").timers
    world.last = second
    world.wait(hours=16)
    (summary,) = world.due("unrouted").mails
    assert b"again" in summary.content
    assert b"third" in summary.content


def test_T05_a_header_from_that_the_source_may_not_use_pages_nobody(world):
    plan = world.mail(sender="zabbix@mon.test", peer="127.0.0.9")
    assert plan.messages
    plan = world.mail(sender="cfo@bank.test", peer="127.0.0.9")
    assert not plan.messages
    assert reasons(plan) == ["refused (From not allowed)"]
    assert [m.to for m in plan.mails] == [("operator@bridge.test",)]


def test_T09_our_own_mails_and_automatic_answers_page_nobody(world):
    for mark in ("X-Smsbridge-Loop: me\r\n", "Auto-Submitted: auto-replied\r\n"):
        plan = world.mail(headers=mark)
        assert not plan.messages
        assert not plan.mails
        assert reasons(plan) == ["loop"]
    assert world.mail(headers="Auto-Submitted: auto-generated\r\n").messages


def test_a_second_copy_of_a_mail_starts_nothing(world):
    mark = "Message-ID: <1@x>\r\nDate: Sat, 21 Nov 2026 08:00:00 +0500\r\n"
    world.mail(headers=mark)
    plan = world.mail(headers=mark)
    assert plan.mail_state == "DUPLICATE"
    assert reasons(plan) == ["same mail as M-1"]
    assert world.mail(headers=mark, text="another body").mail_state == "PLANNED"


def test_a_text_that_fails_sends_the_plain_one_and_tells_the_operator_once_an_hour(world):
    plan = world.mail("broken", text="too long " * 900)
    assert texts(plan) == ["db01: db01 disk full"]
    assert [m.to for m in plan.mails] == [("operator@bridge.test",)]
    assert b"beyond 10000 characters" in plan.mails[0].content
    assert not world.mail("broken", "other trouble", "too long " * 900).mails


def test_every_event_of_a_mail_has_a_fate(make_world):
    for to in ("one", "team", "drop", "mail", "nobody", "stranger", "plain", "one stranger"):
        plan = make_world().mail(to)
        assert {fate.event for fate in plan.fates} == {0}, to


@pytest.mark.parametrize("times", [1, 3])
def test_the_same_arguments_give_the_same_plan(make_world, times):
    plans = []
    for _ in range(2):
        world = make_world()
        plans.append([world.mail("team") for _ in range(times)])
    assert plans[0] == plans[1]
