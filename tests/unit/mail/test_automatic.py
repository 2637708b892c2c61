"""T09: never answered is one question, pages nobody another."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from bridge.mail.automatic import loop_mark
from bridge.mail.parse import parse
from bridge.model import Envelope

Wrap = Callable[..., Envelope]


def marks(wrap: Wrap, header: str, mail_from: str = "a@b.kz", own: str = "bridge-1") -> tuple[str, str]:
    envelope = wrap(f"From: a@b.kz\r\nSubject: x\r\n{header}\r\ntext".encode(), mail_from)
    email = parse(envelope)
    return email.automatic, loop_mark(email, envelope, own)


@pytest.mark.parametrize(
    ("header", "why"),
    [
        ("Auto-Submitted: auto-generated\r\n", "Auto-Submitted: auto-generated"),
        ("Auto-Submitted: auto-notified; x=y\r\n", "Auto-Submitted: auto-notified"),
        ("Precedence: Bulk\r\n", "Precedence: bulk"),
        ("Precedence: list\r\n", "Precedence: list"),
        ("List-Id: <news.shop.example>\r\n", "List-Id"),
        ("X-Auto-Response-Suppress: All\r\n", "X-Auto-Response-Suppress"),
    ],
)
def test_T09_mails_of_monitors_are_never_answered_but_page(wrap: Wrap, header: str, why: str) -> None:
    assert marks(wrap, header) == (why, "")


@pytest.mark.parametrize(
    ("header", "why"),
    [
        ("Auto-Submitted: auto-replied (vacation)\r\n", "Auto-Submitted: auto-replied"),
        ("X-Autoreply: yes\r\n", "X-Autoreply"),
        ("X-Autorespond: vacation\r\n", "X-Autorespond"),
        ("Precedence: auto_reply\r\n", "Precedence: auto_reply"),
        ("Received: x\r\n" * 51, "more than 50 Received"),
        ("X-Smsbridge-Loop: bridge-1\r\n", "X-Smsbridge-Loop"),
    ],
)
def test_T09_answers_of_machines_and_circles_page_nobody(wrap: Wrap, header: str, why: str) -> None:
    assert marks(wrap, header) == (why, why)


def test_T09_a_delivery_report_pages_nobody(wrap: Wrap) -> None:
    header = "Content-Type: multipart/report; report-type=delivery-status; boundary=b\r\n"
    assert marks(wrap, header) == ("multipart/report", "delivery report")


def test_T09_a_report_of_the_null_sender_pages_nobody_whatever_its_type(wrap: Wrap) -> None:
    assert marks(wrap, "Content-Type: multipart/report; boundary=b\r\n", "")[1] == "delivery report"
    assert marks(wrap, "Content-Type: multipart/report; boundary=b\r\n")[1] == ""


@pytest.mark.parametrize("sender", ["", "<>"])
def test_T09_the_null_sender_is_never_answered_but_pages(wrap: Wrap, sender: str) -> None:
    assert marks(wrap, "", sender) == ("null sender", "")


def test_T09_another_bridge_may_page_and_is_never_answered(wrap: Wrap) -> None:
    assert marks(wrap, "X-Smsbridge-Loop: bridge-2\r\n") == ("X-Smsbridge-Loop", "")
    assert marks(wrap, "X-Smsbridge-Loop: bridge-2\r\n", own="")[1] == "X-Smsbridge-Loop"


@pytest.mark.parametrize("header", ["", "Auto-Submitted: no\r\n", "X-Autoreply: no\r\n", "Precedence: urgent\r\n"])
def test_ordinary_mails_may_be_answered(wrap: Wrap, header: str) -> None:
    assert marks(wrap, header) == ("", "")
