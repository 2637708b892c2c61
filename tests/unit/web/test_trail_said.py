"""How each kind of entry of the journal is told, with the data that the product gives it."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path

import pytest

import bridge.web
from bridge.model import Fate, JournalEntry
from bridge.store.views_trail import KeptMail, TrailRows
from bridge.web.seen import Seen
from bridge.web.trail import Step
from bridge.web.trail_steps import journal_step, steps_of

AT = datetime(2026, 11, 21, 2, 30, tzinfo=UTC)  # 07:30 in Almaty
UNTIL = "2026-11-21T05:15:00+00:00"  # 10:15
LANGUAGES = ("en", "ru", "kk")
MISSES = "The escalation misses somebody: the operator is told."

Data = Mapping[str, object]
SAID: Mapping[str, tuple[tuple[Data, str], ...]] = {
    "incident.opened": (
        ({"key": "db01/disk"}, "Opened incident 1000. New: no open incident had the key db01/disk."),
    ),
    "incident.episode": (
        ({"problem_id": "77"}, "It began anew: problem 77."),
        ({"problem_id": ""}, "It began anew."),
    ),
    "incident.again": (
        (
            {"count": 3, "twin": False},
            "The same trouble again. Repeated: incident 1000 is open with this key, now 3 times.",
        ),
        ({"count": 3, "twin": True}, "The same trouble, seen by another way."),
    ),
    "incident.acked": (({"by": "aigul", "text": "12 ok"}, "Acked by Aigul."),),
    "incident.acked.second": (({"by": "ivan"}, "Ivan acked too."),),
    "incident.unacked": (({"by": "aigul"}, "Aigul took the ack back: open again."),),
    "incident.ack": (({"by": "console"}, "Acked by the console."),),
    "incident.unack": (({"by": "console"}, "The console took the ack back: open again."),),
    "incident.resolve": (({"by": "marat"}, "marat said it is over."),),
    "incident.passed": (
        ({"by": "aigul", "next": "Ivan"}, "Aigul passed it on. Told next: Ivan."),
        ({"by": "+77019998877", "next": ""}, "+7 701 ••• 88 77 passed it on. Nobody is left who could be told next."),
    ),
    "incident.unanswered": (({}, "Everybody was told, nobody has it."),),
    "incident.over": (({}, "It is over."), ({"by": "ivan"}, "Ivan said it is over.")),
    "incident.closed": (({}, "Closed, nothing was heard of it any more."),),
    "incident.note": (({"by": "aigul", "text": "on my way"}, "Note by Aigul. “on my way”"),),
    "mail.stopped": (
        ({"reason": "loop"}, "The mail went no further. An automatic answer, or a mail of our own."),
    ),
    "person.not_told": (
        (
            {"person": "ivan", "reason": "quiet hours until 07:00", "rule": "r"},
            "Ivan was not told. Quiet hours until 07:00, then it is looked at again.",
        ),
        (
            {"person": "", "reason": "silenced by 31 until 16:05", "rule": "r"},
            "Nothing was sent. Silence 31 holds until 16:05.",
        ),
    ),
    "person.not_reached": (({"person": "aigul"}, "Aigul was not reached: the next step comes at once."),),
    "colleagues.not_told": (
        (
            {"why": "many acks"},
            "The others did not hear who has it. They heard of it several times already.",
        ),
    ),
    "operator.not_told": (
        (
            {"why": "many mails", "about": "stopped/1000"},
            "The operator got no mail of it. Many such mails went within the hour.",
        ),
    ),
    "ladder.begun": (
        ({"rungs": 2, "rounds": 1}, "The escalation begins: 2 steps."),
        ({"rungs": 1, "rounds": 3}, "The escalation begins: 1 step, 3 times."),
    ),
    "ladder.step": (
        ({"step": "step:2", "people": ["ivan", "+77019998877"]}, "Escalation, step 2: Ivan, +7 701 ••• 88 77."),
        ({"step": "step:3.1", "people": []}, "Escalation, step 1 of round 3."),
    ),
    "ladder.nobody": (
        (
            {"why": "on-call night: nobody on call in night; over budget total"},
            f"{MISSES} Nobody is on call in night. The budget total has no room for it.",
        ),
        (
            {"why": "dba: nobody to tell"},
            f"{MISSES} Nobody is there to be told.",
        ),
        (
            {"why": "the rule “night” is gone"},
            f"{MISSES} The rule “night” is gone.",
        ),
    ),
    "storm.began": (
        (
            {"person": "aigul", "until": UNTIL},
            "A storm on the phone of Aigul. What comes waits for the digest at 10:15.",
        ),
    ),
    "storm.over": (({"person": "+77019998877"}, "The storm on the phone of +7 701 ••• 88 77 is over."),),
    "template.failed": (
        (
            {"rule": "night", "why": "'servce' is not known"},
            "The text of “night” failed, host and title were sent instead. 'servce' is not known",
        ),
    ),
    "watch.arrived": (({"watch": "backup", "values": ["nas7"]}, "The expected mail came: “backup”, nas7."),),
    "watch.missing": (
        (
            {"watch": "backup", "values": [], "due": "2026-11-20T22:00:00+00:00"},
            "The expected mail did not come: “backup”. It was due at 03:00.",
        ),
    ),
    "gateway.trouble": (
        (
            {"about": "account.money", "provider": "smsc", "why": "error 3"},
            "Trouble with smsc: the operator is told. error 3",
        ),
    ),
    "rota.otherwise": (
        ({"rota": "night", "people": ["aigul", "ivan"]}, "Nobody is on call in night: Aigul, Ivan instead."),
        ({"rota": "night", "people": []}, "Nobody is on call in night."),
    ),
    "rota.taken": (
        (
            {"rota": "night", "person": "ivan", "until": "2026-11-22T03:00:00+00:00", "begin": UNTIL, "by": "ivan"},
            "Ivan has night until 22 Nov 08:00.",
        ),
        (
            {"rota": "night", "person": "ivan", "until": UNTIL, "begin": UNTIL, "by": "marat"},
            "Ivan has night until 10:15. Done by marat.",
        ),
    ),
    "rota.swap.asked": (
        ({"rota": "night", "person": "aigul", "other": "ivan"}, "Aigul asked Ivan to take night."),
    ),
    "rota.swap.refused": (
        ({"rota": "night", "person": "ivan", "other": "aigul"}, "Ivan does not take night of Aigul."),
    ),
    "silence.made": (
        (
            {"silence": 31, "by": "aigul", "until": UNTIL, "matchers": {"host": "db0*", "label.a": "x"}, "note": "up"},
            "Silence 31 by Aigul, until 10:15. It hides: Host db0*, label.a x. “up”",
        ),
    ),
    "silence.ended": (({"silence": 31, "by": "marat"}, "Silence 31 ended by marat."),),
    "phone.stopped": (
        (
            {"phone": "+77010000001", "person": "aigul", "rotas": ["night"], "text": "STOP"},
            "Aigul turned SMS off. On call in night at that time: others stand in.",
        ),
        (
            {"phone": "+77019998877", "person": "", "rotas": [], "text": "STOP"},
            "+7 701 ••• 88 77 turned SMS off.",
        ),
    ),
    "phone.started": (
        ({"phone": "+77010000001", "person": "aigul", "by": "Aigul"}, "Aigul gets SMS again."),
        ({"phone": "+77010000001", "person": "aigul", "by": "marat"}, "Aigul gets SMS again. Done by marat."),
    ),
    "phone.subscribed": (
        (
            {"phone": "+77010000002", "way": "viber", "account": "smsgate:x", "since": UNTIL, "by": "marat"},
            "Ivan can be reached by Viber again. Done by marat.",
        ),
    ),
    "phone.unsubscribed": (
        (
            {"person": "ivan", "way": "viber", "account": "smsgate:x"},
            "Ivan wants nothing more by Viber: nothing goes that way any more.",
        ),
    ),
    "reply.ignored": (
        (
            {"phone": "+77019998877", "why": "unknown number"},
            "An SMS from +7 701 ••• 88 77 was not followed. The number is unknown and was told nothing.",
        ),
    ),
    "reply.unanswered": (
        (
            {"phone": "+77010000001", "why": "many answers", "frame": "help"},
            "Aigul got no answer by SMS. It had as many answers as a phone may have for now.",
        ),
    ),
    "call.received": (
        (
            {"phone": "+77010000001", "to": "+77272000000", "why": "nothing is open for it"},
            "The call from Aigul meant nothing. Nothing is open for this phone.",
        ),
    ),
    "call.offered": (({"number": "+77272000000"}, "Asks to ring +77272000000."),),
    "call.not_offered": (
        ({"why": "it would be dearer"}, "Names no number to ring. The SMS would be dearer with it."),
        (
            {"why": "it was given 10 numbers within an hour"},
            "Names no number to ring. This phone was given 10 numbers within an hour.",
        ),
    ),
    "attempt.found": (({"code": "1", "cost": "18"}, "Found at the gateway by its id. It has it, status 1."),),
    "attempt.given_up": (
        (
            {"how": "hold", "why": "asked 4 times: 3 × not found, 1 × nothing"},
            "No proof in time: held until somebody looks. Asked 4 times: 3 × not found, 1 × no answer.",
        ),
        (
            {"how": "copy", "why": "never asked"},
            "No proof in time: a marked copy goes another way. Nobody could be asked.",
        ),
    ),
    "attempt.repeated": (
        (
            {"provider": "smsc", "why": "its answer came late", "perhaps_double": False},
            "The same request goes to smsc once more. Its answer came late.",
        ),
        (
            {"provider": "smsc", "why": "asked 1 times: 1 × nothing", "perhaps_double": True},
            "The same request goes to smsc once more. The phone may get it twice. Asked 1 time: 1 × no answer.",
        ),
    ),
    "attempt.returned": (
        (
            {"attempt": 1, "provider": "mail", "client_id": "a", "failed": True, "reason": "550 no"},
            "The mail of mail came back. 550 no",
        ),
        (
            {"attempt": 1, "provider": "mail", "client_id": "a", "failed": False, "reason": ""},
            "An error mail came: mail is still awaited.",
        ),
    ),
    "message.onward": (({"of": 4, "provider": "smsc", "way": "sms"}, "It goes by the next way: SMS."),),
    "message.copy": (
        ({"of": 4, "providers": ["smsc"]}, "A second copy, marked as such: SMS 5, by smsc."),
    ),
    "message.dropped": (
        (
            {"person": "aigul", "reason": "over budget total", "rule": "(answer)"},
            "Aigul was not told. The budget total has no room for it.",
        ),
    ),
    "message.cancelled": (({"by": "marat", "why": "test"}, "SMS 5 cancelled by marat. test"),),
    "message.held": (({"by": "marat", "why": ""}, "SMS 5 held back by marat."),),
    "message.released": (({"by": "marat", "why": ""}, "SMS 5 let go by marat."),),
    "message.hurried": (({"by": "marat", "why": ""}, "SMS 5 hurried on by marat."),),
    "message.failed": (
        (
            {"reason": "outcome unknown, never asked"},
            "SMS 5: did not reach its phone. Its fate could not be proved. Nobody could be asked.",
        ),
    ),
    "message.delivered": (
        ({"provider": "smsc", "code": "1", "error": "0"}, "SMS 5: delivered. smsc said status 1."),
    ),
    "message.undelivered": (
        ({"provider": "smsc", "code": "20", "error": "6"}, "SMS 5: not delivered. smsc said status 20, error 6."),
    ),
    "message.expired": (({"provider": "smsc", "code": "3", "error": ""}, "SMS 5: came too late. smsc said status 3."),),
    "message.accepted": (
        ({"provider": "smsc", "code": "0", "error": ""}, "SMS 5: taken by smsc. smsc said status 0."),
    ),
}  # fmt: skip


def entry(kind: str, data: Data) -> JournalEntry:
    about = 5 if kind.startswith(("message.", "attempt.", "call.offered", "call.not")) else 0
    return JournalEntry(AT, kind, 1, 1000, about, data)


def told(step: Step) -> str:
    """A step as one line: headline, what it quotes, reasons."""
    title = step.title if step.title.endswith(".") else f"{step.title}."
    quote = f"“{step.quote}”" if step.quote else ""
    return " ".join(filter(None, (title, quote, *(" ".join(filter(None, pair)) for pair in step.why))))


@pytest.mark.parametrize("kind", SAID)
def test_a_kind_is_told_in_words(v: Seen, kind: str) -> None:
    for data, sentence in SAID[kind]:
        assert told(journal_step(v, entry(kind, data))) == sentence


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("kind", SAID)
def test_it_is_told_in_every_language_with_its_data(
    seen_in: Callable[[str], Seen], v: Seen, kind: str, language: str
) -> None:
    for data, english in SAID[kind]:
        step = journal_step(seen_in(language), entry(kind, data))
        said = told(step)
        assert step.title
        assert kind not in said
        assert not re.search(r"[{}\[\]]|\bNone\b", said), said
        assert (said == english) == (language == "en"), said
        for name in ("Aigul", "Ivan", "marat", "night", "db0*", "10:15", "Viber", "smsc", "••• 88 77", "backup"):
            assert (name in english) == (name in said), said


@pytest.mark.parametrize("language", ["ru", "kk"])
@pytest.mark.parametrize("kind", SAID)
def test_no_english_is_left_in_other_languages(seen_in: Callable[[str], Seen], kind: str, language: str) -> None:
    ours = re.compile(r"\b(the|was|not|because|it|is|of|by|told|nobody|asked)\b", re.IGNORECASE)
    for data, _ in SAID[kind]:
        if kind in ("template.failed", "gateway.trouble") or data.get("reason") == "550 no":
            continue  # these quote what a machine said
        said = told(journal_step(seen_in(language), entry(kind, data)))
        assert not ours.search(said), said


def rows(*entries: JournalEntry, fates: tuple[Fate, ...] = ()) -> TrailRows:
    mail = KeptMail(1, AT, "PLANNED", "mon", "Disk", "<1@mon>", fates, 4182, "zabbix@mon1", ("a@b.test",), None)
    return TrailRows((mail,), (), (), entries, (), (), (), (), (), cut=False)


def test_a_fate_of_the_mail_is_said_once(v: Seen) -> None:
    silent = JournalEntry(AT, "person.not_told", 1, 1000, 0, {"person": "ivan", "reason": "flapping", "rule": "r"})
    fate = Fate(0, "nothing", "r", "ivan", "flapping")
    assert [each.title for each in steps_of(v, rows(silent, fates=(fate,))) if each.against] == ["Ivan was not told"]


def test_who_is_not_told_by_a_timer_is_shown_although_no_mail_has_that_fate(v: Seen) -> None:
    data = {"person": "ivan", "reason": "quiet hours until 07:00", "rule": "r"}
    late = JournalEntry(AT, "person.not_told", 0, 1000, 0, data)
    steps = [each for each in steps_of(v, rows(late)) if each.against]
    assert [each.title for each in steps] == ["Ivan was not told"]
    assert steps[0].group == "against"


def test_a_kind_of_another_version_is_shown_as_it_stands(v: Seen) -> None:
    (step,) = [
        each for each in steps_of(v, rows(JournalEntry(AT, "moon.rose", 1, data={"n": 1}))) if each.sign == "dot"
    ]
    assert (step.title, step.folds[0].pairs) == ("moon.rose", (("n", "1"),))


def test_what_is_said_of_a_phone_hides_its_number(v: Seen) -> None:
    for kind, examples in SAID.items():
        for data, _ in examples:
            if kind != "call.offered":  # a number of the provider's
                assert "+7701999" not in told(journal_step(v, entry(kind, data))), kind


def test_every_sign_is_one_of_the_sprite(v: Seen) -> None:
    sprite = (Path(bridge.web.__file__).parent / "templates" / "sprite.j2").read_text(encoding="utf-8")
    for kind, examples in SAID.items():
        for data, _ in examples:
            assert f'id="i-{journal_step(v, entry(kind, data)).sign}"' in sprite, kind
