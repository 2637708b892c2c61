"""The event of a mail that nobody recognises."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from bridge.mail.parse import parse
from bridge.model import Envelope
from bridge.producers.generic import DETAIL, TITLE, generic_event

Wrap = Callable[..., Envelope]


def test_host_from_the_sender_title_from_the_subject_detail_from_the_text(wrap: Wrap) -> None:
    envelope = wrap(b"From: apc@ups1.office.example\r\nSubject: [External] Power Failure !!!\r\n\r\nat 02:14\r\n")
    event = generic_event(parse(envelope), envelope, "office")
    assert (event.source, event.producer, event.host) == ("office", "generic", "ups1.office.example")
    assert (event.title, event.detail, event.key, event.problem_id) == ("Power Failure !!!", "at 02:14", "", "")
    assert (event.severity, event.state) == ("info", "problem")


@pytest.mark.parametrize(
    ("content", "title"),
    [
        (b"Subject: \r\n\r\nfirst line\r\nsecond", "first line"),
        (b"Content-Type: application/pdf; name=alarm.pdf\r\n\r\nx", "alarm.pdf"),
        (b"", "(empty mail)"),
    ],
)
def test_a_title_is_never_empty(wrap: Wrap, content: bytes, title: str) -> None:
    envelope = wrap(content)
    assert generic_event(parse(envelope), envelope, "s").title == title


def test_T19_fields_are_bounded(wrap: Wrap) -> None:
    envelope = wrap(b"Subject: " + b"x" * 9000 + b"\r\n\r\n" + b"y" * 50_000)
    event = generic_event(parse(envelope), envelope, "s")
    assert (len(event.title), len(event.detail)) == (TITLE, DETAIL)


def test_a_severity_written_into_a_text_is_not_believed(wrap: Wrap) -> None:
    envelope = wrap(b"Subject: hello\r\n\r\nSeverity: Disaster\r\n")
    assert generic_event(parse(envelope), envelope, "s").severity == "info"
