"""What follows from receipts: states only move forward, and somebody hears of a message that did not arrive."""

from __future__ import annotations

from collections.abc import Callable
from email import message_from_string, policy
from pathlib import Path

import pytest

from bridge.dispatch.reported import forward
from bridge.model import Failed, Receipt
from bridge.proof.world import World
from bridge.providers import smsgate_codes
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


KEPT = {
    "en": (
        "waits until it is paid: message 1",
        "The account of gate is empty; it keeps the message and sends it once it is paid.",
        "Sent again by smsc at 08:00; Aigul may get it twice.",
    ),
    "ru": (
        "ждёт оплаты: сообщение 1",
        "Счёт у gate пуст; сообщение там сохранено и уйдёт, когда счёт пополнят.",
        "Отправлено ещё раз через smsc в 08:00; может прийти дважды: Aigul.",
    ),
    "kk": (
        "төлемді күтуде: 1 хабары",
        "gate шоты бос; хабар сонда сақтаулы, шот толтырылғанда жіберіледі.",
        "08:00 smsc арқылы қайта жіберілді; Aigul екі рет алуы мүмкін.",
    ),
}


@pytest.mark.parametrize("language", KEPT)
def test_F24_of_a_critical_one_that_is_kept_until_it_is_paid_the_operator_reads_so(
    tmp_path: Path, language: str
) -> None:
    stage = Stage(World(build(tmp_path, RULES, f"language: {language}\n"), NOW, receipts=False))
    stage.mail(to="critical")
    stage.bodies()
    why = f"outcome unknown, {smsgate_codes.UNPAID}; never asked again"
    plan = stage.world._decide(Failed(1, why, "4.4.2", ("smsc",), "gate"))
    subject, *news = KEPT[language]
    assert [mail.subject for mail in plan.mails] == [f"[smsbridge] {subject}"]
    (mail,) = stage.bodies()
    body = message_from_string(mail, policy=policy.default).get_body()
    assert body is not None
    assert " ".join(body.get_content().split()).startswith(" ".join(news))
