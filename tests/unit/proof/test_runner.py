"""Rule tests that hold, and rule tests that must not (FORMAT §12)."""

from __future__ import annotations

import pytest

from tests.unit.proof.office import Office


def first(outcome: object) -> tuple[str, str, str]:
    """The first difference of a test that did not hold."""
    difference = outcome.failures[0].differences[0]  # type: ignore[attr-defined]
    return difference.expected, difference.happened, difference.why


def test_expect_is_complete_an_sms_that_is_not_listed_fails(office: Office) -> None:
    outcome = office.one("mail: note\nexpect: [{sms: aigul, text: paper low}]")
    assert first(outcome) == ("", "{sms: ivan, text: paper low, rule: team}", "")


def test_only_written_keys_are_compared(office: Office) -> None:
    assert office.one("mail: note\nexpect: [sms: ivan, sms: aigul]").held


@pytest.mark.parametrize(
    "key, right, wrong",
    [
        ("text", '"nas7 disk full 10"', '"nas7 disk full"'),
        ("contains", "disk", "Disk"),
        ("matches", "'^nas[0-9] '", "'^disk'"),
        ("segments", "1", "2"),
        ("encoding", "GSM-7", "UCS-2"),
        ("price", "14.00 KZT", "14.00 RUB"),
        ("via", "[smsc, spare]", "spare"),
        ("via", "smsc", "[smsc]"),
        ("sender", '"77770000000"', "OFFICE"),
        ("class", "normal", "critical"),
        ("rule", "disks", "team"),
        ("at", '"12:00"', '"12:01"'),
        ("at", "2026-01-05 07:00 UTC", "2026-01-05 07:00"),
        ("after", "0s", "1m"),
        ("valid", "6h", "2h"),
        ("language", "en", "ru"),
        ("code", '"10"', '"11"'),
        ("incident", '"*disk full*"', "nothing"),
        ("incident", '"1000"', '"1001"'),
    ],
)
def test_each_key_of_an_sms_is_compared(office: Office, key: str, right: str, wrong: str) -> None:
    held = office.one(f"mail: disk\nexpect: [{{sms: aigul, {key}: {right}}}, sms: ivan]")
    assert held.held, held.failures
    if (key, wrong) == ("via", "[smsc]"):
        return  # one provider alone in a list is that provider
    failed = office.one(f"mail: disk\nexpect: [{{sms: aigul, {key}: {wrong}}}, sms: ivan]")
    assert first(failed)[2] == key


def test_items_stand_in_order_of_time(office: Office) -> None:
    steps = """
        mail: {{like: note, subject: "n {{n}}"}}
        times: 2
        every: 1m
        expect:
          - {{sms: ivan, text: {0}}}
          - {{sms: aigul, text: {1}}}
          - {{sms: ivan, text: {2}}}
          - {{sms: aigul, text: {3}}}
    """
    assert office.one(steps.format("n 1", "n 1", "n 2", "n 2")).held
    outcome = office.one(steps.format("n 2", "n 1", "n 1", "n 2"))
    assert first(outcome)[2] == "all of these happened, but in another order of time"


def test_a_vague_item_does_not_take_the_effect_of_an_exact_one(office: Office) -> None:
    outcome = office.one(
        """
        mail: {like: note, subject: "n {n}"}
        times: 2
        expect: [sms: aigul, sms: ivan, {sms: aigul, text: n 1}, sms: ivan]
        """
    )
    assert outcome.held, outcome.failures


def test_vary_takes_turns_and_other_braces_are_themselves(office: Office) -> None:
    outcome = office.one(
        """
        mail: {like: note, recipient: archive@bridge.test, subject: "{word} {n} {x}"}
        times: 3
        vary: {word: [a, b]}
        expect:
          - {mail: list@bridge.test, subject: "a 1 {x}"}
          - mail: aigul@bridge.test
          - {mail: list@bridge.test, subject: "b 2 {x}"}
          - mail: aigul@bridge.test
          - {mail: list@bridge.test, subject: "a 3 {x}", rule: archive}
          - mail: aigul@bridge.test
        """
    )
    assert outcome.held, outcome.failures


def test_nothing_because_compares_the_reason(office: Office) -> None:
    mail = "mail: {like: note, recipient: drop@bridge.test}\n"
    assert office.one(mail + "expect: nothing because dropped (not today)").held
    assert office.one(mail + "expect: nothing because dropped…").held
    outcome = office.one(mail + "expect: nothing because dropped (never)")
    assert first(outcome)[:2] == ("nothing because dropped (never)", "nothing because dropped (not today)")


def test_nothing_because_fails_when_something_left(office: Office) -> None:
    outcome = office.one("mail: note\nexpect: nothing because dropped…")
    assert first(outcome)[1] == "{sms: aigul, text: paper low, rule: team}"


def test_not_names_who_was_not_told_and_why(office: Office) -> None:
    steps = """
        steps:
          - mail: note
          - at: +5m
            mail: note
            expect: [{not: %s, because: incident open since 12:00 and repeated after 12:30}]
    """
    assert office.one(steps % "ivan").held
    assert office.one(steps % '"+77010000002"').held
    assert not office.one(steps % '"+77010000009"').held


@pytest.mark.parametrize(
    "mail, phrase",
    [
        ("{like: note, peer: 203.0.113.7}", "refused 530 5.7.0"),
        ("{like: note, recipient: nobody@bridge.test}", "refused 550 5.1.1"),
        ("{like: note, recipient: nobody@bridge.test}", "refused 550 5.1.1 for nobody@bridge.test"),
        ("{like: note, recipient: nobody@bridge.test}", "refused 550 5.1.1 no rule takes"),
        ("{like: note, source: nas, peer: ''}", "refused 550 5.7.1"),
        ("{like: note, text: '" + "long " * 5000 + "'}", "refused 552 5.3.4"),
        ("{like: note, recipient: [team@bridge.test, x@bridge.test]}", "refused 550 5.1.1 for x@bridge.test"),
    ],
)
def test_the_door_refuses_as_it_would(office: Office, mail: str, phrase: str) -> None:
    outcome = office.one(f"mail: {mail}\nexpect: {phrase}")
    assert outcome.held, outcome.failures


def test_a_refusal_that_did_not_come_is_said(office: Office) -> None:
    outcome = office.one("mail: note\nexpect: refused 550 5.1.1")
    assert first(outcome)[:2] == ("refused 550 5.1.1", "the door took it")


def test_a_mail_that_the_door_refused_shows_the_refusal(office: Office) -> None:
    outcome = office.one("mail: {like: note, peer: 203.0.113.7}\nexpect: [sms: aigul, sms: ivan]")
    assert first(outcome)[1].startswith("refused 530 5.7.0")


def test_a_source_shows_itself_by_what_it_names(office: Office) -> None:
    """Of several ways in the one that may use this sender; a token hands in no mail."""
    outcome = office.one(
        "mail: {like: note, peer: '', source: nas, from: nas@mon.test}\nexpect: [sms: aigul, sms: ivan]"
    )
    assert outcome.held, outcome.failures
    pair = """
        steps:
          - mail: {like: note, peer: '', source: pair, from: one@mon.test}
            expect: [sms: aigul, sms: ivan]
          - mail: {like: note, peer: '', source: pair, from: two@mon.test}
            expect: [sms: aigul, sms: ivan]
          - mail: {like: note, peer: '', source: pair, from: three@mon.test}
            expect: refused 550 5.7.1
    """
    assert office.one(pair).held
    assert office.one("mail: {like: note, source: web}").broken == "step 1: no way of source web hands in mail"


def test_like_is_followed_and_an_empty_text_takes_a_key_away(office: Office) -> None:
    outcome = office.one("mail: {like: note, subject: ''}\nexpect: [event: {title: ''}, sms: aigul, sms: ivan]")
    assert not outcome.held
    kept = office.one(
        "mail: {like: note, headers: {X-Prio: '1'}}\nexpect: [event: {title: paper low}, sms: aigul, sms: ivan]"
    )
    assert kept.held, kept.failures


def test_a_file_beside_the_test_is_a_mail(office: Office) -> None:
    mail = b"From: x@mon.test\nTo: Team <team@bridge.test>, other@example.kz\nSubject: disk of file\n\nhello\n"
    (office.tests.parent / "disk.eml").write_bytes(mail)
    by_name = "mail: disk.eml\nexpect: refused 530 5.7.0"
    assert office.one(by_name).held
    outcome = office.one(
        "mail: {file: disk.eml, peer: 10.0.0.5}\nexpect: [{sms: aigul, contains: disk of file}, sms: ivan]"
    )
    assert outcome.held, outcome.failures
    beside = office.one("mail: {file: disk.eml, peer: 10.0.0.5, subject: x}")
    assert beside.broken == "step 1: subject: cannot stand beside file:, which holds header and body"


def test_a_mail_in_an_old_charset_is_encoded_before_it_is_read(office: Office) -> None:
    outcome = office.one("mail: {like: note, charset: koi8-r, text: 'нет места'}\nexpect: [sms: aigul, sms: ivan]")
    assert outcome.held, outcome.failures
    wrong = office.one("mail: {like: note, charset: us-ascii, text: 'нет места'}")
    assert wrong.broken.startswith("step 1: this mail cannot be written:")


def test_an_answer_acks_tells_the_others_and_the_thread(office: Office) -> None:
    outcome = office.one(
        """
        steps:
          - mail: disk
          - at: +4m
            reply: {from: aigul, text: 10 ok}
            expect:
              - {sms: aigul, contains: acked, rule: (answer)}
              - {sms: ivan, contains: Aigul}
              - {mail: nas7@mon.test, thread: true, contains: Aigul, rule: (answer)}
              - {incident: "*disk full*", state: acked, acked_by: aigul, count: 1}
          - mail: disk
            expect: nothing because acknowledged by aigul
          - reply: {from: "+77010009999", text: 10 ok}
            expect: nothing
        """
    )
    assert outcome.held, outcome.failures


def test_time_passes_and_timers_fire(office: Office) -> None:
    outcome = office.one(
        """
        steps:
          - mail: disk
          - wait: 11h59m
            expect: [{incident: "*disk full*", state: open}]
          - wait: 1m
            expect: [{incident: "*disk full*", state: closed}]
        """
    )
    assert outcome.held, outcome.failures


def test_a_time_of_day_is_the_next_such(office: Office) -> None:
    steps = "steps:\n  - at: 07:01\n    mail: disk\n    expect: [{{sms: aigul, at: {0}}}, sms: ivan]"
    assert office.one(steps.format("2026-01-06 07:01")).held


def test_the_clock_never_goes_back(office: Office) -> None:
    outcome = office.one("steps:\n  - {at: 2026-01-04 10:00, mail: disk}")
    assert outcome.broken == "step 1: at: 2026-01-04 10:00 is over, it is 2026-01-05 12:00"


def test_a_message_that_did_not_arrive_is_told_to_the_operator(office: Office) -> None:
    outcome = office.one(
        """
        given: {receipts: none}
        steps:
          - mail: disk
          - receipt: {of: ivan, state: undelivered, error: "8"}
            expect: [{mail: operator@bridge.test, rule: (operator)}]
          - receipt: {of: ivan, state: undelivered}
            expect: nothing
        """
    )
    assert outcome.held, outcome.failures


def test_T24_a_receipt_never_moves_a_message_back(office: Office) -> None:
    outcome = office.one(
        """
        steps:
          - mail: disk
          - wait: 1s
          - receipt: {of: ivan, state: undelivered}
            expect: nothing
        """
    )
    assert outcome.held, outcome.failures


def test_a_receipt_for_somebody_who_got_nothing_is_a_mistake(office: Office) -> None:
    assert office.one("receipt: {of: ivan, state: read}").broken == "step 1: receipt: nothing was sent to ivan"


def test_on_call_may_be_said_for_a_test(office: Office) -> None:
    mail = "mail: {like: note, recipient: duty@bridge.test}\n"
    assert office.one(mail + "expect: [{sms: aigul, class: critical}]").held
    assert office.one("given: {on_call: {duty: ivan}}\n" + mail + "expect: [sms: ivan]").held


def test_given_of_a_test_stands_over_that_of_its_file_key_by_key(office: Office) -> None:
    outcomes = office.play(
        """
        tests:
          - test: of the file
            mail: note
            expect: [{sms: aigul, at: 09:00}, {sms: ivan}]
          - test: its own
            given: {at: 2026-01-05 10:00}
            mail: {like: note, recipient: archive@bridge.test}
            expect: nothing because mail only
        """,
        mails="given: {at: 2026-01-05 09:00, ignore: [{mail: list@bridge.test}, {mail: aigul@bridge.test}]}\n"
        + _mails(),
    )
    assert [outcome.held for outcome in outcomes] == [True, True]


def _mails() -> str:
    from tests.unit.proof.office import MAILS

    return MAILS


@pytest.mark.parametrize(
    "steps, what",
    [
        ("request: {path: /x}", "step request"),
        ("answer: {from: a@b.test, text: x}", "step answer"),
        ("operator: queue list", "operator queue list"),
        ("mail: {like: note, text: 'a:{totp}'}", "placeholder {totp}"),
        ("mail: note\nexpect: [{answer: 200}]", "expect answer"),
        ("steps:\n  - mail: note\n  - receipt: {of: ivan, state: delivered, part: 1}", "receipt part"),
    ],
)
def test_what_is_not_built_is_said_and_never_held(office: Office, steps: str, what: str) -> None:
    outcome = office.one(steps)
    assert (outcome.held, outcome.not_built) == (False, what)


def test_a_template_that_fails_still_alerts_and_the_operator_hears_it(office: Office) -> None:
    outcome = office.one(
        f"""
        mail: {{like: note, recipient: broken@bridge.test, text: "{"x" * 4000}"}}
        expect: [{{sms: aigul}}, {{mail: operator@bridge.test}}]
        """
    )
    assert outcome.held, outcome.failures


def test_rules_that_were_reached_are_known(office: Office) -> None:
    assert office.one("mail: note").rules == {"team"}
