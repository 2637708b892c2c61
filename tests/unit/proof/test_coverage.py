"""Coverage: what the tests of a book have seen of its rules and branches."""

from __future__ import annotations

from pathlib import Path

from bridge.proof.coverage import Coverage, Seen, covered, watched
from bridge.proof.runner import Outcome, play
from tests.unit.proof.office import CONFIG, MAILS, Office, build

RULES = """
rules:
  - rule: marks
    when: {severity: info}
    set: {label.seen: x}
    mail_to: list@bridge.test
    continue: true
  - rule: team
    when: {recipient: team@bridge.test, any: [{subject: disk}, {subject: tape}]}
    to: both
    text: {en: "{{ title }}", ru: "{{ title }}!"}
    recovery_text: over
    rules:
      - {rule: tapes, when: {subject: tape}, to: ivan}
  - {rule: never, when: {recipient: never@bridge.test}, to: ivan}
"""


def seen_by(office: Office, tests: str) -> tuple[Coverage, list[Outcome]]:
    office.write(tests)
    loaded, seen = office.load(), Seen()
    book = watched(loaded, seen)
    found = [play(book, file, each, n) for file, each in loaded.loaded.test_files for n in range(len(each.tests))]
    return covered(loaded, found, seen), found


def missing(found: Coverage) -> list[str]:
    return [f"{line} {rule.name}: {branch.what}" for rule in found.rules for line, branch in rule.missing]


def test_a_branch_is_seen_when_a_matcher_held_and_when_it_failed(tmp_path: Path) -> None:
    tests = """
tests:
  - {test: a tape, mail: {like: disk, subject: tape gone}, expect: [{sms: ivan}, {mail: list@bridge.test}]}
"""
    found, (outcome,) = seen_by(build(tmp_path, CONFIG, RULES), tests)
    assert outcome.held, outcome.failures
    assert missing(found) == [
        "4 marks: severity info never failed",
        "9 team: subject disk never held",
        "9 team: subject tape never failed",
        "9 team: recipient team@bridge.test never failed",
        "8 team: never took anything itself",
        "11 team: text.en was never sent",
        "12 team: recovery_text was never sent",
        "14 tapes: subject tape never failed",
        "15 never: recipient never@bridge.test never held",
    ]
    assert [rule.fitted for rule in found.rules] == [True, True, True, False]
    assert found.counts == (3, 4, 9, 18)
    assert round(found.percent) == 55


def test_the_door_counts_an_address_that_it_refuses_as_one_that_does_not_fit(tmp_path: Path) -> None:
    rules = "rules: [{rule: all, when: {recipient: team@bridge.test}, to: aigul}]"
    office = build(tmp_path, CONFIG, rules)
    taken = "tests:\n  - {test: taken, mail: note, expect: [sms: aigul]}\n"
    refused = "  - {test: refused, mail: {like: note, recipient: x@bridge.test}, expect: refused 550 5.1.1}\n"
    assert missing(seen_by(office, taken)[0]) == ["1 all: recipient team@bridge.test never failed"]
    found, _outcomes = seen_by(office, taken + refused)
    assert (missing(found), found.percent) == ([], 100.0)


def test_a_parent_whose_last_child_takes_everything_has_no_branch_of_its_own(tmp_path: Path) -> None:
    rules = "rules: [{rule: top, to: aigul, rules: [{rule: low, to: ivan}]}]"
    found, _outcomes = seen_by(build(tmp_path, CONFIG, rules), "tests: [{test: x, mail: note, expect: [sms: ivan]}]")
    assert (missing(found), found.counts) == ([], (2, 2, 1, 1))


def test_texts_of_defaults_are_covered_for_all_rules_together(tmp_path: Path) -> None:
    config = CONFIG + 'defaults: {text: {en: "{{ title }}", ru: "{{ title }}!"}}\n'
    rules = "rules: [{rule: one, when: {subject: disk}, to: aigul}, {rule: two, to: aigul}]"
    tests = "tests: [{test: x, mail: note, expect: [{sms: aigul, text: paper low}]}]"
    found, _outcomes = seen_by(build(tmp_path, config, rules), tests)
    assert [one for one in missing(found) if "defaults" in one] == [
        f"{config.count(chr(10))} defaults: text.ru was never sent"
    ]


def test_a_watch_with_a_text_of_its_own_is_no_rule(tmp_path: Path) -> None:
    watch = 'watch: [{watch: tapes, for: {subject: tape}, every: 1d, to: ivan, text: "no tape since {{ since | hm }}"}]'
    rules = f"rules: [{{rule: all, to: aigul}}]\n{watch}\n"
    tests = "tests: [{test: x, steps: [{mail: {like: disk, subject: tape}}, {wait: 2d, expect: [sms: ivan]}]}]"
    found, (outcome,) = seen_by(build(tmp_path, CONFIG, rules), tests)
    assert outcome.held, outcome.failures
    assert [rule.name for rule in found.rules] == ["all"]


def test_a_text_in_a_language_that_is_never_sent_is_no_branch(tmp_path: Path) -> None:
    rules = """
rules:
  - rule: kazakh
    when: {subject: disk}
    to: ivan
    language: kk
    text: {kk: "{{ title }}", ru: "{{ title }}!"}
  - rule: kazakh but for one
    to: ivan
    language: kk
    text: {kk: "{{ title }}", ru: "{{ title }}!"}
    rules: [{rule: russian, when: {subject: tape}, language: ru}]
"""
    found, _outcomes = seen_by(build(tmp_path, CONFIG, rules), "tests: [{test: x, mail: disk, expect: [sms: ivan]}]")
    assert [one for one in missing(found) if "sent" in one] == [
        "11 kazakh but for one: text.kk was never sent",
        "11 kazakh but for one: text.ru was never sent",
    ]


def test_watching_changes_nothing(tmp_path: Path) -> None:
    tests = """
tests:
  - {test: a tape, mail: {like: disk, subject: tape gone}, expect: [{sms: ivan}, {mail: list@bridge.test}]}
  - {test: a disk, mail: disk, expect: [{sms: ivan}]}
  - {test: refused, mail: {like: note, peer: 203.0.113.7}, expect: refused 530 5.7.0}
"""
    office = build(tmp_path, CONFIG, RULES)
    _found, outcomes = seen_by(office, tests)
    plain = office.play(MAILS + tests, mails="")
    assert [one.failures for one in outcomes] == [one.failures for one in plain]
    assert [one.courses for one in outcomes] == [one.courses for one in plain]
    assert [one.held for one in plain] == [True, False, True]
