"""Lines of an operator in rule tests: acts, looks, and what is read."""

from __future__ import annotations

import pytest

from tests.unit.proof.office import Office

DISK = "steps:\n  - mail: disk\n"


def test_an_act_is_decided_as_any_other_happening(office: Office) -> None:
    outcome = office.one(
        DISK
        + """
  - operator: incidents ack 10
    expect:
      - {output: "1000 acked: nas7 disk full"}
      - {incident: "*disk full*", state: acked, acked_by: operator}
      - {mail: nas7@mon.test, contains: operator}
      - {sms: aigul, contains: operator has it}
      - {sms: ivan, rule: (answer)}
  - mail: {like: disk, headers: {X-Again: "1"}}
    expect: nothing because acknowledged by operator
  - operator: incidents unack 1000
    expect: [{output: open again}, {incident: "1000", state: open}]
  - operator: incidents resolve 10
    expect: [{output: "nas7 disk full"}, {incident: "1000", state: resolved}]
"""
    )
    assert outcome.held, outcome


@pytest.mark.parametrize(
    "line, holds, lacks",
    [
        ("incidents show 10", "1000 open", "acked"),
        ("incidents show 1000", "told aigul", "told nobody"),
        ("incidents list", "nas7 disk full", "paper"),
        ("oncall who duty", "duty: aigul", "nobody"),
        ("oncall who", "duty: aigul", "nobody"),
    ],
)
def test_a_look_changes_nothing_and_is_read(office: Office, line: str, holds: str, lacks: str) -> None:
    assert office.one(f"{DISK}  - operator: {line}\n    expect: [output: '{holds}']").held
    failed = office.one(f"{DISK}  - operator: {line}\n    expect: [output: '{lacks}']")
    (difference,) = failed.failures[0].differences
    assert holds in difference.happened


def test_who_is_on_call_follows_what_a_test_gives(office: Office) -> None:
    assert office.one("given: {on_call: {duty: ivan}}\noperator: oncall who duty\nexpect: [output: ivan]").held


def test_an_act_that_changes_nothing_says_so(office: Office) -> None:
    assert office.one("operator: incidents ack 77\nexpect: [output: there is no incident 77]").held


@pytest.mark.parametrize(
    "line, sentence",
    [
        ("smsbridge incidents list", "operator: write what stands after smsbridge"),
        ("incidents show 99", "operator: there is no incident 99"),
        ('incidents "list', 'operator: "incidents "list": No closing quotation'),
    ],
)
def test_a_line_that_means_nothing_is_a_mistake_of_the_test(office: Office, line: str, sentence: str) -> None:
    assert office.one(f"operator: '{line}'").broken == f"step 1: {sentence}"
