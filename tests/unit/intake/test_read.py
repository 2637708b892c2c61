"""One mail, read: what it says, which rules want it, and what makes it the same mail again."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bridge.book import RuleBook
from bridge.intake.read import read, unreadable
from bridge.model import Envelope, StoredMail

MAIL = (
    b"From: Mon <mon@host.test>\r\nSubject: db01 is down\r\nMessage-ID: <1@host.test>\r\nReferences: <0@host.test>\r\n"
    b"Date: Sat, 21 Nov 2026 08:12:00 +0500\r\n\r\nlook\r\n"
)
Make = Callable[..., Envelope]


def test_a_mail_becomes_events_with_the_rules_that_want_them(book: RuleBook, envelope: Make) -> None:
    reading = read(StoredMail(7, envelope(MAIL)), book)
    assert (reading.mail_id, reading.subject, reading.sender) == (7, "db01 is down", "mon@host.test")
    (routed,) = reading.events
    assert [route.rule for route in routed.routes] == ["databases"]
    assert routed.left == ()
    assert (reading.thread.message_id, reading.thread.references) == ("<1@host.test>", ("<0@host.test>",))


def test_the_trace_says_why_a_rule_did_not_want_it(book: RuleBook, envelope: Make) -> None:
    reading = read(StoredMail(1, envelope(MAIL.replace(b"db01", b"web1"))), book)
    (routed,) = reading.events
    assert routed.left == ("oncall@bridge.test",)
    visit = next(visit for visit in routed.trace if visit.rule == "databases")
    assert not visit.matched
    assert "db" in visit.failed


def test_each_recipient_is_walked_for_itself(book: RuleBook, envelope: Make) -> None:
    (routed,) = read(StoredMail(1, envelope(MAIL, "oncall", "all")), book).events
    assert {(route.rule, route.recipients) for route in routed.routes} == {
        ("databases", ("oncall@bridge.test",)),
        ("all", ("all@bridge.test",)),
    }


def test_T05_a_from_that_its_source_may_not_use_pages_nobody(book: RuleBook, envelope: Make) -> None:
    reading = read(StoredMail(1, envelope(MAIL, peer="127.0.0.9")), book)
    assert reading.refused == "From not allowed"
    assert [routed.routes for routed in reading.events] == [()]


def test_T09_our_own_mark_pages_nobody(book: RuleBook, envelope: Make) -> None:
    marked = b"X-Smsbridge-Loop: me\r\n" + MAIL
    assert read(StoredMail(1, envelope(marked)), book, own="me").refused.startswith("loop")
    assert read(StoredMail(1, envelope(MAIL)), book, own="me").refused == ""


@pytest.mark.parametrize(
    ("changed", "same"),
    [
        (MAIL, True),
        (b"Received: by relay2\r\n" + MAIL, True),  # it came another way round
        (MAIL.replace(b"<1@", b"<2@"), False),
        (MAIL.replace(b"08:12", b"08:13"), False),  # a device with a constant Message-ID
        (MAIL.replace(b"look", b"look!"), False),
    ],
)
def test_what_makes_a_second_copy_the_same_mail(book: RuleBook, envelope: Make, changed: bytes, *, same: bool) -> None:
    one, two = (read(StoredMail(1, envelope(content)), book).digest for content in (MAIL, changed))
    assert (one == two) is same


def test_another_recipient_makes_another_mail(book: RuleBook, envelope: Make) -> None:
    one, two = (read(StoredMail(1, envelope(MAIL, to)), book).digest for to in ("oncall", "all"))
    assert one != two


def test_a_mail_without_a_message_id_is_never_taken_for_a_copy(book: RuleBook, envelope: Make) -> None:
    assert read(StoredMail(1, envelope(b"Subject: x\r\n\r\nx")), book).digest == ""


def test_F26_a_mail_that_cannot_be_read_is_one_event_that_says_so(book: RuleBook, envelope: Make) -> None:
    reading = unreadable(StoredMail(12, envelope(MAIL, "all")), book, "it stopped the reader 3 times")
    (routed,) = reading.events
    assert "M-12" in routed.event.title
    assert [route.rule for route in routed.routes] == ["all"]
    assert reading.unreadable == "it stopped the reader 3 times"


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(head=st.binary(max_size=300), body=st.binary(max_size=300))
def test_T18_whatever_the_bytes_are_somebody_is_told_or_a_rule_says_why(
    book: RuleBook, envelope: Make, head: bytes, body: bytes
) -> None:
    content = head + b"\r\n\r\n" + body
    reading: Any = read(StoredMail(1, envelope(content, "all")), book)
    assert reading.events
    assert reading.refused or all(routed.routes or routed.left for routed in reading.events)
