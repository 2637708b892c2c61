"""What happened becomes what is expected, and nothing else in the file changes."""

from __future__ import annotations

import pytest

from bridge.proof.accept import accepted
from bridge.proof.mails import BadTest
from tests.unit.proof.office import MAILS, Office

TESTS = """
tests:   # kept
  - test: first
    mail: note
    expect: nothing because of the moon   # gone with the phrase? no
  # a comment between

  - test: second
    steps:
      - mail: disk          # kept too
        expect:
          - {sms: aigul, text: wrong, segments: 1}
          - {sms: ivan}
          - event: {title: other}
          - {incident: "*disk full*", state: acked}
      # before the next
      - {wait: 1h, expect: [{sms: ivan}]}
  - test: third
    mail: {like: note, recipient: drop@bridge.test}
    expect:
      - {not: ivan, because: no reason}
      - sms: ivan
  - test: fourth
    mail: {like: note, recipient: nobody@bridge.test}
    expect: [sms: ivan]
"""


def accept(office: Office, index: int) -> str:
    outcome = office.play(TESTS)[index]
    assert not outcome.held
    text = accepted(office.tests.read_text(), outcome)
    again = office.play(text.removeprefix(MAILS))[index]
    assert again.held, again.failures
    return text


def test_a_phrase_becomes_a_list_and_the_test_holds(office: Office) -> None:
    text = accept(office, 0)
    assert (
        "    mail: note\n    expect:\n"
        "      - {sms: aigul, text: paper low, rule: team}\n"
        "      - {sms: ivan, text: paper low, rule: team}   # gone with the phrase? no\n"
        "  # a comment between\n"
    ) in text


def test_items_keep_their_keys_and_steps_their_comments(office: Office) -> None:
    text = accept(office, 1)
    assert (
        "      - mail: disk          # kept too\n"
        "        expect:\n"
        "          - {sms: aigul, text: nas7 disk full 10, segments: 1}\n"
        "          - {sms: ivan}\n"
    ) in text
    assert "      # before the next\n      - {wait: 1h, expect: nothing}\n" in text


def test_no_effect_at_all_becomes_the_reason(office: Office) -> None:
    assert "    expect: nothing because dropped (not today)\n  - test: fourth" in accept(office, 2)


def test_a_refusal_becomes_the_phrase(office: Office) -> None:
    assert accept(office, 3).endswith("expect: refused 550 5.1.1\n")


def test_accepting_touches_only_what_did_not_hold(office: Office) -> None:
    before, after = office.play(TESTS), accept(office, 0)
    assert before[1:] != []
    assert after.partition("- test: second")[2] == TESTS.partition("- test: second")[2]


def test_a_yaml_that_grew_smaller_is_not_written_to(office: Office) -> None:
    outcome = office.one("mail: note\nexpect: nothing because of the moon")
    with pytest.raises(BadTest, match="step 1 has no expect"):
        accepted("tests: [{test: it, mail: note}]", outcome)
