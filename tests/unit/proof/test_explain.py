"""``explain`` says what ``run`` does: the same functions, the same plan."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from bridge.book import RuleBook
from bridge.dispatch.decide import bound
from bridge.intake.read import read
from bridge.memory import Memory
from bridge.model import Envelope, Plan, Reading, Recipient, StoredMail
from bridge.proof.explain import Shown, as_data, envelope_from, explain
from bridge.proof.mails import BadTest
from bridge.proof.remembered import instance_of, mail_with, memory_for
from bridge.store import mails, plans
from bridge.store.engine import Store
from tests.unit.proof.office import Office

NOW = datetime(2026, 1, 5, 7, 0, tzinfo=UTC)
MAIL = (
    b"From: NAS <nas7@mon.test>\nTo: team@bridge.test, x@else.test\nSubject: disk full\n"
    b"Message-ID: <a@mon.test>\n\nhello\n"
)


def envelope(content: bytes = MAIL, *recipients: str) -> Envelope:
    to = recipients or ("team@bridge.test",)
    return Envelope(content, NOW, "nas7@mon.test", tuple(map(Recipient, to)), peer="10.0.0.5", tls=True)


async def kept(store: Store, mail: Envelope) -> int:
    return await store.write(lambda tx: mails.keep(tx, mail, "node/1"))


async def run(store: Store, mail: StoredMail, book: RuleBook, now: datetime, own: str) -> Plan:
    """What the planner does with a mail."""
    reading = read(mail, book, own=own)
    decided = await store.write(lambda tx: plans.plan(tx, [reading], *bound(book, now), now))
    return decided[0].plan


def remembered(path: Path, book: RuleBook, now: datetime) -> Callable[[Reading], Memory]:
    """What the store remembers of all that a reading needs."""
    needs, _decide = bound(book, now)
    return lambda reading: memory_for(path, lambda known: needs(reading, known), now)


@pytest.mark.anyio
async def test_explain_over_the_store_is_what_run_decides(office: Office, tmp_path: Path) -> None:
    """A first mail, its repeat, its copy, and one that nobody takes: the plans are equal, every row of them."""
    book, path = office.book(), tmp_path / "bridge.db"
    store = Store(path)
    await store.open()
    try:
        own = instance_of(path, NOW)
        again = MAIL.replace(b"<a@", b"<b@")
        for minutes, content, to in (
            (0, MAIL, "team@bridge.test"),
            (5, again, "team@bridge.test"),
            (6, again, "team@bridge.test"),
            (40, MAIL.replace(b"<a@", b"<c@"), "team@bridge.test"),
            (41, MAIL.replace(b"disk", b"tape"), "drop@bridge.test"),
            (42, MAIL.replace(b"disk", b"tape"), "archive@bridge.test"),
        ):
            now = NOW + timedelta(minutes=minutes)
            number = await kept(store, replace(envelope(content, to), received_at=now))
            mail = mail_with(path, number)
            assert mail is not None
            before = path.read_bytes()
            found = explain(mail, book, now, remembered(path, book, now), own=own)
            assert path.read_bytes() == before
            assert found.plan == await run(store, mail, book, now, own)
            assert found.plan.fates
    finally:
        store.close()


def test_every_rule_is_named_with_the_first_condition_that_failed(office: Office) -> None:
    found = as_data(explain(StoredMail(0, envelope()), office.book(), NOW))
    assert found["routes"] == [
        {"event": 0, "rule": rule, "matched": False, "trace": f"recipient team@bridge.test does not fit {pattern}"}
        for rule, pattern in (
            ("dropped", "drop@bridge.test"), ("archive", "archive@bridge.test"), ("broken", "broken@bridge.test"),
            ("duty", "duty@bridge.test"),
        )
    ] + [{"event": 0, "rule": "disks", "matched": True, "trace": "took team@bridge.test"}]  # fmt: skip


def test_the_shape_is_the_one_others_build_on(office: Office) -> None:
    found = as_data(explain(StoredMail(0, envelope()), office.book(), NOW))
    assert set(found) == {
        "events", "routes", "fates", "messages", "mails", "otherwise", "incidents", "later", "budgets",
        "nothing_sent_because",
    }  # fmt: skip
    assert found["nothing_sent_because"] is None
    assert found["messages"] == [
        {
            "person": person, "phone": phone, "text": "nas7 disk full 10", "encoding": "GSM-7", "segments": 1,
            "price": "14.00 KZT", "via": "smsc", "class": "normal", "not_before": "2026-01-05T07:00:00+00:00",
        }
        for person, phone in (("aigul", "+77010000001"), ("ivan", "+77010000002"))
    ]  # fmt: skip
    events: Any = found["events"]
    (event,) = events
    assert set(event) == {"producer", "host", "service", "severity", "state", "key", "title", "detail", "labels"}


def test_who_is_meant_because_a_rota_has_nobody_is_told(office: Office) -> None:
    """Monday 12:00: the night's rota is empty, the two who stand in are named; a rota that has somebody is not."""
    office.config.write_text(
        office.config.read_text().replace(
            "rotas:\n", 'rotas:\n  night: {members: [aigul], hours: "22:00-08:00", otherwise: both}\n'
        )
    )
    (rules,) = (office.folder / "rules").glob("*.yaml")
    rules.write_text("rules: [{rule: all, to: [on-call night, on-call duty]}]\n")
    found = as_data(explain(StoredMail(0, envelope()), office.book(), NOW))
    assert found["otherwise"] == [{"rota": "night", "people": ["aigul", "ivan"]}]
    rules.write_text("rules: [{rule: all, to: on-call duty}]\n")
    assert as_data(explain(StoredMail(0, envelope()), office.book(), NOW))["otherwise"] == []


def test_what_the_memory_and_the_time_to_come_have_of_it_is_told(office: Office) -> None:
    found = as_data(explain(StoredMail(0, envelope()), office.book(), NOW))
    incidents: Any = found["incidents"]
    (incident,) = incidents
    assert (incident["number"], incident["state"], incident["count"]) == (1000, "open", 1)
    assert found["later"] == [
        {"at": "2026-01-05T19:00:00+00:00", "what": "closed without a word if nothing more comes"}
    ]
    assert [(fate["person"], fate["what"], fate["because"]) for fate in found["fates"]] == [  # type: ignore[attr-defined]
        ("aigul", "sms", None), ("ivan", "sms", None),
    ]  # fmt: skip


def test_each_fate_of_a_mail_that_pages_nobody_is_told(office: Office) -> None:
    found = as_data(explain(StoredMail(0, envelope(MAIL, "archive@bridge.test")), office.book(), NOW))
    assert [(fate["rule"], fate["what"], fate["because"]) for fate in found["fates"]] == [  # type: ignore[attr-defined]
        ("archive", "mail", None), ("archive", "nothing", "mail only"),
    ]  # fmt: skip
    assert [mail["to"] for mail in found["mails"]] == [["list@bridge.test", "aigul@bridge.test"]]  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    "mail, reason",
    [
        (envelope(MAIL, "drop@bridge.test"), "dropped (not today)"),
        (envelope(MAIL, "archive@bridge.test"), "mail only"),
        (envelope(MAIL, "x@bridge.test"), "refused (550 5.1.1 <x@bridge.test>: no rule takes this address from you)"),
        (
            replace(envelope(), peer="203.0.113.9"),
            "refused (530 5.7.0 Log in first, or ask the operator to list your network)",
        ),
        (envelope(b"Auto-Submitted: auto-replied\n" + MAIL), "loop"),
    ],
)  # fmt: skip
def test_why_nothing_is_sent_is_said_in_the_one_vocabulary(office: Office, mail: Envelope, reason: str) -> None:
    found = explain(StoredMail(0, mail), office.book(), NOW)
    assert found.nothing_sent_because == reason


def test_a_refused_mail_still_shows_what_rules_would_think_of_it(office: Office) -> None:
    found = explain(StoredMail(0, replace(envelope(), peer="203.0.113.9")), office.book(), NOW)
    assert found.plan is None
    assert [visit.rule for visit in found.reading.events[0].trace if visit.matched] == ["disks"]


def test_the_header_tells_what_nobody_said(office: Office) -> None:
    book = office.book()
    shown = envelope_from(MAIL, Shown(), book, NOW)
    assert ([r.address for r in shown.recipients], shown.mail_from) == (["team@bridge.test"], "nas7@mon.test")
    assert b"\r\n" in shown.content
    assert b"\n\n" not in shown.content
    bounce = envelope_from(b"Return-Path: <>\n" + MAIL, Shown(), book, NOW)
    assert bounce.mail_from == ""
    said = envelope_from(MAIL, Shown("<a@b.test>", ("c@bridge.test",), "10.1.1.1", "nas"), book, NOW)
    assert (said.mail_from, said.peer, said.login, said.recipients[0].address) == (
        "a@b.test", "10.1.1.1", "nas", "c@bridge.test",
    )  # fmt: skip


def test_a_source_shows_its_network_or_its_login(office: Office) -> None:
    book = office.book()
    assert envelope_from(MAIL, Shown("two@mon.test", source="pair"), book, NOW).peer == "10.0.0.12"
    assert envelope_from(MAIL, Shown("one@mon.test", source="pair"), book, NOW).peer == "10.0.0.11"
    assert envelope_from(MAIL, Shown(source="nas"), book, NOW).login == "nas"
    with pytest.raises(BadTest, match="no way of source web"):
        envelope_from(MAIL, Shown(source="web"), book, NOW)


def test_a_mail_that_is_for_nobody_of_ours_is_explained_for_any_address(office: Office) -> None:
    book = office.book()
    mail = envelope_from(MAIL.replace(b"team@bridge.test, ", b""), Shown(), book, NOW)
    found = explain(StoredMail(0, mail), book, NOW, admission=False)
    assert mail.recipients == ()
    assert found.nothing_sent_because == "no rule takes it"
