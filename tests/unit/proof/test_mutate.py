"""Mutants: every single thing that could go, and whether a test notices."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from bridge.book.loading import LoadedBook
from bridge.proof.changes import of_condition, of_rule
from bridge.proof.mutate import Verdict, judged, mutants
from bridge.proof.runner import Outcome, play
from tests.unit.proof.office import CONFIG, MAILS, Office, build

RULES = """
rules:
  - rule: team
    when: {recipient: team@bridge.test, subject: [disk, tape]}
    to: both
    text: "{{ title }} {{ code }}"
  - rule: rest
    when: {recipient: team@bridge.test}
    to: aigul
    class: critical
"""
WHOLE = """
tests:
  - test: a disk
    mail: {like: disk, subject: a disk is full}
    expect: [{sms: aigul, text: a disk is full 10, rule: team}, sms: ivan]
  - test: a tape
    mail: {like: disk, subject: tape gone}
    expect: [{sms: aigul, rule: team}, sms: ivan]
  - test: all else
    mail: note
    expect: [{sms: aigul, class: critical, rule: rest}]
  - test: others are refused
    mail: {like: note, recipient: else@bridge.test}
    expect: refused 550 5.1.1
"""
ANY = """
tests:
  - {test: a disk, mail: disk}
  - {test: a note, mail: {like: note, subject: something}, expect: [sms: aigul]}
  - {test: others, mail: {like: note, recipient: else@bridge.test}}
"""


def verdict(office: Office) -> Verdict:
    loaded = office.load()
    return judged(loaded, outcomes(loaded), mutants(loaded))


def outcomes(loaded: LoadedBook) -> list[Outcome]:
    book = loaded.require()
    return [play(book, file, tests, n) for file, tests in loaded.loaded.test_files for n in range(len(tests.tests))]


def survivors(folder: Path, rules: str, tests: str) -> list[str]:
    office = build(folder, CONFIG, rules)
    office.write(tests)
    return [f"{one.line} {one.rule}: {one.what}" for one in verdict(office).survivors]


def test_a_book_whose_every_part_is_tested_has_no_survivors(tmp_path: Path) -> None:
    assert survivors(tmp_path, RULES, WHOLE) == []


@pytest.mark.parametrize(
    "test, left",
    [
        ("a tape", ["4 team: subject tape taken out"]),
        ("others are refused", ["8 rest: recipient taken out"]),
        (
            "all else",
            [
                "4 team: subject taken out", "7 rest: the rule taken out", "9 rest: to aigul taken out",
                "10 rest: class normal instead of critical", "10 rest: class taken out",
            ],
        ),
    ],
)  # fmt: skip
def test_without_a_test_what_it_proved_survives_with_its_place(tmp_path: Path, test: str, left: list[str]) -> None:
    head, *each = WHOLE.split("  - test: ")
    fewer = head + "".join(f"  - test: {one}" for one in each if not one.startswith(test))
    found = survivors(tmp_path, RULES, fewer)
    assert set(left) <= set(found)
    assert len(found) < 9


def test_a_test_that_does_not_hold_notices_nothing(tmp_path: Path) -> None:
    office = build(tmp_path, CONFIG, RULES)
    office.write("tests: [{test: wrong, mail: disk, expect: [sms: ivan]}]")
    found = verdict(office)
    assert len(found.survivors) == found.tried > 10


def test_what_gives_the_same_book_is_no_mutant(tmp_path: Path) -> None:
    plain = "rules: [{rule: all, when: {recipient: team@bridge.test}, to: aigul}]"
    same = plain.replace("to: aigul", "to: aigul, class: normal, repeat: 30m, parts: 2")
    office = build(tmp_path / "a", CONFIG, plain)
    office.write(ANY)
    other = build(tmp_path / "b", CONFIG, same)
    other.write(ANY)
    assert verdict(other).tried == verdict(office).tried + 1  # class critical instead of normal


def changes(folder: Path, rule: str, key: str) -> list[str]:
    """The mutants of *key* of the only rule that are tried."""
    office = build(folder, CONFIG, f"rules: [{{rule: all, when: {{recipient: team@bridge.test}}, to: ivan, {rule}}}]")
    office.write(ANY)
    tried = [one.what for one in mutants(office.load()) if one.make() is not None]
    return [what for what in tried if what.startswith(key)]


def test_texts_that_nobody_reads_are_no_mutants(tmp_path: Path) -> None:
    text = 'text: {kk: "{{ host }}", ru: "{{ title }}"}'
    assert len(changes(tmp_path / "a", text, "text.ru")) == 2
    assert changes(tmp_path / "b", f"language: kk, {text}", "text.ru") == []
    assert len(changes(tmp_path / "c", f"language: kk, {text}", "text.kk")) == 2


def test_the_same_words_in_two_languages_can_spare_one(tmp_path: Path) -> None:
    text = 'text: {kk: "{{ host }}", ru: "{{ host }}"}'
    assert [one for one in changes(tmp_path, text, "text.") if one.endswith(("kk taken out", "ru taken out"))] == []


@pytest.mark.parametrize(
    "rule, seen",
    [
        ("send_via: smsc", False),
        ('send_via: smsc, text: "{{ title }}"', True),
        ('send_via: smsc, text: "{{ code }}"', False),
        ("send_via: smsc, track: false", True),
        ("send_via: spare", True),
        ("class: bulk", True),
    ],
)
def test_a_sender_is_a_mutant_only_where_it_is_shown(tmp_path: Path, rule: str, seen: bool) -> None:
    """What can be answered shows the number; of the two gateways only the first has one."""
    assert changes(tmp_path, f"{rule}, sender: SHOP", "sender") == (["sender taken out"] if seen else [])


def test_the_order_of_rules_counts_only_where_an_event_may_come_to_both(tmp_path: Path) -> None:
    rules = """
rules:
  - {rule: one, when: {host: "db*"}, to: aigul}
  - {rule: two, when: {host: "web*"}, to: ivan}
  - {rule: three, to: ivan}
"""
    office = build(tmp_path, CONFIG, rules)
    office.write(ANY)
    orders = [f"{one.rule} {one.what}" for one in mutants(office.load()) if "instead of before" in one.what]
    assert orders == ["two after “three” instead of before it"]


def test_children_conditions_named_and_nested_are_changed_one_by_one(tmp_path: Path) -> None:
    rules = """
conditions:
  lab: {host: ["lab*", "*-test"]}
rules:
  - rule: parent
    when:
      not: {use: lab}
      any:
        - {host: {any: ["a*", "b*"], not: "*-old"}}
        - {label.team: x, severity: {above: info}}
    to: aigul
    set: {severity: high}
    rules:
      - {rule: child, when: {during: {hours: 08:00-09:00}, header.X-P: {is: ["1", "2"]}}, to: ivan}
"""
    office = build(tmp_path, CONFIG, rules)
    office.write(ANY)
    found = {f"{one.rule}: {one.what}" for one in mutants(office.load())}
    assert found >= {
        "condition lab: host lab* taken out", "condition lab: host *-test taken out", "parent: not taken out",
        "parent: not holds instead", "parent: any taken out", "parent: any[0] taken out", "parent: any[1] taken out",
        "parent: any[0].host any a* taken out", "parent: any[0].host not *-old taken out",
        "parent: any[1].label.team taken out", "parent: any[1].severity turned round",
        "parent: set severity taken out", "child: the rule taken out", "child: during taken out",
        "child: during turned round", "child: header.x-p is 1 taken out", "child: to ivan taken out",
    }  # fmt: skip
    assert len(found) == len(mutants(office.load()))


def test_a_named_condition_that_is_not_needed_survives(tmp_path: Path) -> None:
    rules = """
conditions:
  lab: {subject: [disk, tape]}
rules:
  - {rule: dropped, when: {use: lab}, drop: lab}
  - {rule: rest, to: aigul}
"""
    tests = """
tests:
  - {test: a disk, mail: disk, expect: nothing because dropped (lab)}
  - {test: a note, mail: note, expect: [sms: aigul]}
"""
    assert survivors(tmp_path, rules, tests) == ["3 condition lab: subject tape taken out"]


def test_a_mutant_is_decided_as_a_book_written_so(tmp_path: Path) -> None:
    """What the workshop puts together is what loading the changed files gives."""
    parent = """
rules:
  - rule: parent
    when: {recipient: team@bridge.test}
    text: "{{ title }}"
    to: both
    rules:
      - {rule: child, when: {subject: disk}, to: ivan, text: "{{ host }}"}
      - {rule: other, to: aigul}
  - {rule: behind, to: both}
"""
    written = {
        "the rule taken out": re.sub(r"      - {rule: child, .*\n", "", parent),
        "subject taken out": parent.replace("when: {subject: disk}, ", ""),
        "text {{ host }} taken out": parent.replace("{{ host }}", ""),
        "text taken out": parent.replace(', text: "{{ host }}"', ""),
        "to ivan taken out": parent.replace("to: ivan, ", ""),
    }  # fmt: skip
    made = build(tmp_path / "made", CONFIG, parent)
    made.write(MAILS + ANY, mails="")
    changes = {one.what: one for one in mutants(made.load()) if one.rule == "child"}
    for n, (what, rules) in enumerate(written.items()):
        office = build(tmp_path / str(n), CONFIG, rules)
        office.write(MAILS + ANY, mails="")
        loaded = office.load()
        ((file, tests),) = loaded.loaded.test_files
        book = changes[what].make()
        assert book is not None
        for index in range(len(tests.tests)):
            one, other = play(book, file, tests, index), play(loaded.require(), file, tests, index)
            assert (one.failures, one.courses, one.refused) == (other.failures, other.courses, other.refused), what


def test_changes_leave_what_they_change_as_it_is(tmp_path: Path) -> None:
    office = build(tmp_path, CONFIG, RULES)
    office.write(ANY)
    rule = office.load().loaded.rule_files[0][1].rules[0]
    before = repr(rule)
    assert rule.when is not None
    assert all(change.new != rule for change in of_rule(rule))
    assert all(change.new != rule.when for change in of_condition(rule.when))
    assert repr(rule) == before
