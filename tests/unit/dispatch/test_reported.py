"""What follows from receipts: states only move forward, and somebody hears of a message that did not arrive."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from bridge.dispatch.reported import forward
from bridge.model import Failed, Receipt
from bridge.proof.world import World
from tests.unit.dispatch.stage import NOW, Stage, build, phones, strict

__all__ = ["strict"]
pytestmark = pytest.mark.usefixtures("strict")

RULES = """
rules:
  - {rule: never, when: {recipient: never@bridge.test}, to: aigul, receipts: {mail: never}}
  - {rule: plain, when: {recipient: plain@bridge.test}, to: aigul, track: false, text: "{{ title }}"}
  - {rule: critical, when: {recipient: critical@bridge.test}, to: aigul, class: critical}
  - {rule: all, to: aigul}
"""
SOURCES = "sources: {named: {network: 127.0.0.1, from: mon@host.test}}\n"


@pytest.fixture(scope="module")
def offices(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Stage]:
    books = {more: build(tmp_path_factory.mktemp("office"), RULES, more) for more in ("", SOURCES)}
    return lambda more: Stage(World(books[more], NOW, receipts=False))


@pytest.fixture
def stage(offices: Callable[[str], Stage]) -> Stage:
    return offices("")


@pytest.fixture
def named(offices: Callable[[str], Stage]) -> Stage:
    """The source says who may send for it: a person who can be written to."""
    return offices(SOURCES)


def test_T24_a_receipt_moves_a_message_only_forward(stage: Stage) -> None:
    stage.mail()
    stage.receipt("aigul", "DELIVERED")
    assert stage.receipt("aigul", "UNDELIVERED") == []
    assert stage.newest("aigul").state == "DELIVERED"
    assert not forward("DELIVERED", "ACCEPTED")
    assert forward("ACCEPTED", "DELIVERED")


@pytest.mark.parametrize("state", ["UNDELIVERED", "EXPIRED"])
def test_the_operator_hears_of_what_did_not_arrive(stage: Stage, state: str) -> None:
    stage.mail()
    assert stage.receipt("aigul", state) == ["mail operator@bridge.test@0 [smsbridge] not delivered to Aigul"]  # type: ignore[arg-type]


def test_the_sender_hears_of_it_where_his_source_names_him(named: Stage) -> None:
    named.mail()
    named.world.receipt(named.newest("aigul"), "UNDELIVERED", error="13")
    (body,) = named.bodies()
    assert "To: mon@host.test" in body
    assert "Not delivered: db01 disk full" in body
    assert "+77010000001" not in body
    assert "error 13" in body


def test_a_report_answers_no_report(named: Stage) -> None:
    named.mail()
    named.world.receipt(named.newest("aigul"), "UNDELIVERED")
    (effect,) = named.world.happened().effects
    assert effect.mail.envelope_from == ""  # type: ignore[union-attr]
    assert effect.mail.kind == "failed"  # type: ignore[union-attr]


def test_a_plain_message_has_no_thread_so_the_operator_hears_of_it(named: Stage) -> None:
    named.mail(to="plain")
    assert named.receipt("aigul", "UNDELIVERED") == ["mail operator@bridge.test@0 [smsbridge] not delivered to Aigul"]


def test_a_rule_may_want_no_report(stage: Stage) -> None:
    stage.mail(to="never")
    assert stage.receipt("aigul", "UNDELIVERED") == []
    assert stage.newest("aigul").state == "UNDELIVERED"


def test_our_own_answers_are_reported_to_nobody(stage: Stage) -> None:
    stage.reply("who")
    assert stage.receipt("aigul", "UNDELIVERED") == []


def test_a_message_nobody_knows_changes_nothing(stage: Stage) -> None:
    plan = stage.world._decide(Receipt(77, "DELIVERED", "smsc"))
    assert (plan.states, plan.journal) == ((), ())


def test_F07_a_critical_one_without_provable_fate_goes_once_more_and_says_so(stage: Stage) -> None:
    stage.mail(to="critical")
    first = stage.newest("aigul")
    stage.world._decide(Failed(first.id, "no receipt", copy_via=("smsc",)))
    seen = stage.seen()
    assert phones(seen) == ["aigul@0"]
    assert "Maybe a second copy" in "".join(seen)
    assert stage.newest("aigul").copy
