"""Steps in their places, and the verdict above them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from bridge.model import Fate, Incident, JournalEntry, Message, Thread, Visit
from bridge.store.attempts import Attempt
from bridge.store.views import KeptReply, Sent
from bridge.store.views_trail import KeptEvent, KeptMail, TrailRows
from bridge.web.seen import Seen
from bridge.web.trail import Step, in_order, lasted, only_ids, shown
from bridge.web.trail_steps import steps_of
from bridge.web.trail_verdict import verdict

AT = datetime(2026, 11, 21, 2, 30, tzinfo=UTC)  # 07:30 in Almaty
MAIL = KeptMail(1, AT, "PLANNED", "mon", "Disk", "<1@mon>", (), 4182, "zabbix@mon1", ("oncall@bridge.test",), None)
MESSAGE = Message(
    1, "+77010000001", "aigul", "12 HIGH db01: Disk", "GSM-7", 1, Decimal("18.00"), "KZT", "all", "normal", "sms",
    ("smsc",), "", True, AT, AT, AT + timedelta(hours=6), "en", 1000, 1, 1,
)  # fmt: skip
INCIDENT = Incident(
    1000, "mon", "k", "k", "open", 1, "zabbix", "db01", "", "high", "Disk", "", {}, "", 1, AT, AT, AT, "all", "12", "",
    Thread(1, "", (), "Disk", ""),
)  # fmt: skip
EMPTY = TrailRows((), (), (), (), (), (), (), (), (), cut=False)


def sent(state: str, **changes: object) -> Sent:
    ended = AT + timedelta(seconds=6.2) if state == "DELIVERED" else None
    message = replace(MESSAGE, state=state, **changes)  # type: ignore[arg-type]
    return Sent(message, "smsc", "5", None, 1, ended)


def rows(*messages: Sent, mail: KeptMail = MAIL, replies: tuple[KeptReply, ...] = ()) -> TrailRows:
    return replace(EMPTY, mails=(mail,), incidents=(INCIDENT,), messages=messages, replies=replies)


def step(id: str, seconds: float) -> Step:
    return Step(AT + timedelta(seconds=seconds), id, "info", "dot", id)


def plain(text: str) -> str:
    return text.replace("\u00a0", " ")


def test_steps_stand_in_order_of_time_and_of_cause_within_one_moment() -> None:
    steps = [step("c", 2), step("a", 0), step("b1", 1), step("b2", 1)]
    assert [each.id for each in in_order(steps)] == ["a", "b1", "b2", "c"]


def test_a_step_says_how_far_it_is_from_the_one_before(v: Seen) -> None:
    steps = [step("a", 0), step("b", 0), step("c", 0.017), step("d", 5.917), step("e", 135)]
    places = list(shown(v, steps, "Aigul", "Aigul"))
    assert [plain(place.distance) for place in places] == ["start", "same", "+17 ms", "+5.9 s", "+2 min 9 s"]
    assert [place.clock for place in places][:3] == ["07:30:00.000", "07:30:00.000", "07:30:00.017"]
    assert [place.last for place in places] == [False, False, False, False, True]


def test_a_chapter_is_named_where_it_begins_and_not_again(v: Seen) -> None:
    steps = [
        replace(step("a", 0), chapter="mail"), replace(step("b", 1), chapter="decided"), step("c", 2),
        replace(step("d", 3), chapter="decided"), replace(step("e", 4), chapter="told"),
    ]  # fmt: skip
    chapters = [place.chapter for place in shown(v, steps, "Aigul, Ivan", "")]
    assert chapters == ["The mail", "What was decided", "", "", "Aigul, Ivan: told"]


def test_no_id_stands_twice_on_a_page() -> None:
    assert [each.id for each in only_ids([step("a", 0), step("a", 1), step("b", 2), step("a", 3)])] == [
        "a", "a-2", "b", "a-3",
    ]  # fmt: skip


@pytest.mark.parametrize(
    "seconds, said",
    [(0.0004, "1 ms"), (0.351, "351 ms"), (5.94, "5.9 s"), (129, "2 min 9 s"), (7300, "2 h"), (200_000, "2 d")],
)
def test_spans_are_written_as_people_say_them(v: Seen, seconds: float, said: str) -> None:
    assert lasted(v, timedelta(seconds=seconds)) == said.replace(" ", "\u00a0"), "no line breaks in it"


def test_the_verdict_of_a_delivered_sms_says_how_long_it_took_and_what_it_cost(v: Seen) -> None:
    said = verdict(v, rows(sent("DELIVERED")), INCIDENT)
    assert tuple(map(plain, said.sentences)) == (
        "zabbix@mon1 mailed at 07:30:00.", "The SMS was on the phone of Aigul 6.2 s later.", "Nobody has it yet.",
        "1 SMS, 18.00 KZT.",
    )  # fmt: skip
    assert said.end == "warn"


def test_the_verdict_says_what_is_unknown_before_anything_reached(v: Seen) -> None:
    unknown = sent("UNKNOWN", phone="+77010000002", person="ivan")
    said = verdict(v, rows(sent("DELIVERED"), unknown), INCIDENT)
    assert "It is not known whether the SMS reached Ivan." in said.sentences
    assert said.end == "unknown"
    held = verdict(v, rows(sent("HELD", reason="unknown: no proof in 15 min")), INCIDENT)
    assert held.end == "unknown"


@pytest.mark.parametrize("state", ["UNDELIVERED", "REJECTED", "EXPIRED"])
def test_the_verdict_of_a_lost_sms_is_red(v: Seen, state: str) -> None:
    said = verdict(v, rows(sent(state)), INCIDENT)
    assert "It did not reach Aigul." in said.sentences
    assert said.end == "bad"


@pytest.mark.parametrize(
    "state, sentence",
    [
        ("READY", "The SMS for Aigul is on its way."),
        ("ACCEPTED", "The gateway has the SMS for Aigul; no receipt yet."),
        ("CANCELLED", "It was over before the SMS left."),
    ],
)
def test_taken_is_not_delivered(v: Seen, state: str, sentence: str) -> None:
    assert sentence in verdict(v, rows(sent(state)), INCIDENT).sentences


def test_the_verdict_of_silence_gives_its_reasons(v: Seen) -> None:
    quiet = replace(MAIL, fates=(Fate(0, "nothing", "r", reason="mail only"),))
    said = verdict(v, replace(EMPTY, mails=(quiet,)), None)
    assert said.sentences == ("zabbix@mon1 mailed at 07:30:00.", "No SMS was sent. No SMS: the rule “r” only mails.")


def test_the_verdict_quotes_the_answer(v: Seen) -> None:
    reply = KeptReply(1, "sms", "smsc", "+77010000001", "", "12 ок", AT + timedelta(minutes=2, seconds=15), "ack", 1000)
    over = replace(INCIDENT, state="resolved", resolved_at=AT + timedelta(minutes=20))
    said = verdict(v, rows(sent("DELIVERED"), replies=(reply,)), over)
    assert "Aigul answered “12 ок” after 2 min 15 s." in map(plain, said.sentences)
    assert "Over since 07:50:00." in said.sentences
    assert said.end == "ok"


def test_every_reason_of_a_fate_is_a_dashed_step(v: Seen) -> None:
    fates = tuple(Fate(0, "nothing", "r", "ivan", reason) for reason in ("mail only", "to nobody", "flapping"))
    steps = steps_of(v, replace(EMPTY, mails=(replace(MAIL, fates=fates),)))
    against = [each for each in steps if each.against]
    assert len(against) == 3
    assert {each.title for each in against} == {"Ivan was not told"}
    assert all(each.group == "against" for each in against)


def test_a_hand_over_says_of_which_sms_it_is(v: Seen) -> None:
    """Two SMS of one moment go side by side: what the gateway took of them must not be mixed up."""
    attempts = tuple(
        Attempt(number, 1, "smsc", "smsc:x", f"id{number}", {}, "r", "ACCEPTED", "", "", "", (), AT, AT)
        for number in (17, 18)
    )
    took = [each for each in steps_of(v, replace(rows(), attempts=attempts)) if each.title == "smsc took it"]
    assert [each.why[0][1] for each in took] == ["SMS 17, attempt 1, id id17.", "SMS 18, attempt 1, id id18."]


@pytest.mark.parametrize("language, quoted", [("en", "“night”"), ("ru", "«night»"), ("kk", "«night»")])
def test_what_was_decided_stands_before_who_was_not_told_of_it(
    seen_in: Callable[[str], Seen], language: str, quoted: str
) -> None:
    event = KeptEvent(1, 0, 1000, {"producer": "zabbix", "title": "Disk"}, (Visit("night", True, note="took a@b"),))
    entries = (JournalEntry(AT, "mail.read", 1), JournalEntry(AT, "incident.opened", 1, 1000, 0, {"key": "k"}))
    fated = replace(MAIL, fates=(Fate(0, "nothing", "night", "ivan", "flapping"),))
    steps = steps_of(seen_in(language), replace(EMPTY, mails=(fated,), events=(event,), journal=entries))
    assert [each.sign for each in steps] == ["mail", "eye", "rule", "crit", "dash"]
    assert [each.chapter for each in steps] == ["mail", "", "decided", "decided", ""]
    assert quoted in steps[2].title


def test_a_cancelled_message_is_a_bubble_and_a_step_against(v: Seen) -> None:
    cancelled = Sent(replace(MESSAGE, state="CANCELLED", reason="resolved before it was sent"), "", "", None, 0, AT)
    steps = steps_of(v, rows(cancelled))
    assert [each.title for each in steps if each.against] == ["Aigul was not told"]
    assert any(each.bubble == MESSAGE.text for each in steps)


@pytest.mark.parametrize("language", ["en", "ru", "kk"])
def test_the_next_way_and_who_unsubscribed_are_told_in_words(seen_in: Callable[[str], Seen], language: str) -> None:
    entries = (
        JournalEntry(AT, "message.onward", 1, 1000, 2, {"of": 1, "provider": "smsc", "way": "sms"}),
        JournalEntry(AT, "phone.unsubscribed", 1, 1000, 1, {"person": "aigul", "way": "viber", "account": "smsgate:x"}),
    )
    titles = [each.title for each in steps_of(seen_in(language), replace(rows(), journal=entries))]
    assert any("SMS" in title and "message.onward" not in title for title in titles)
    assert any("Viber" in title for title in titles)


def test_a_copy_says_that_it_may_be_one(v: Seen) -> None:
    steps = steps_of(v, rows(sent("DELIVERED", copy=True)))
    assert any("Maybe a second copy" in label for each in steps for label, _ in each.why)


@pytest.mark.parametrize("language", ["en", "ru", "kk"])
def test_every_language_tells_every_kind_of_end(seen_in: Callable[[str], Seen], language: str) -> None:
    v = seen_in(language)
    for state in (
        "READY",
        "ACCEPTED",
        "UNKNOWN",
        "REJECTED",
        "DELIVERED",
        "UNDELIVERED",
        "EXPIRED",
        "HELD",
        "CANCELLED",
    ):
        said = verdict(v, rows(sent(state)), INCIDENT)
        assert all(sentence and "{" not in sentence for sentence in said.sentences), (language, state)
