"""``read_bounce``: what an error mail says of one mail of ours."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.mail.bounce import Bounce, read_bounce

_REPORT = """\
From: MAILER-DAEMON@mail.example.kz (Mail Delivery System)
Subject: Undelivered Mail Returned to Sender
Auto-Submitted: auto-replied
MIME-Version: 1.0
Content-Type: multipart/report; report-type=delivery-status;
\tboundary="4XyZ.1/mail.example.kz"

--4XyZ.1/mail.example.kz
Content-Description: Notification

{words}

--4XyZ.1/mail.example.kz
Content-Type: message/delivery-status

Reporting-MTA: dns; mail.example.kz
X-Postfix-Queue-ID: 4XyZ

{fields}

--4XyZ.1/mail.example.kz
Content-Type: text/rfc822-headers

From: bounce@sms.example.kz
Action: failed

--4XyZ.1/mail.example.kz--
"""
_FIELDS = "Final-Recipient: rfc822; send@send.smsc.kz\nAction: {action}\nStatus: {status}\nDiagnostic-Code: {code}"
_QMAIL = """\
Subject: failure notice

Hi. This is the qmail-send program at mail.example.kz.
I'm afraid I wasn't able to deliver your message. This is a permanent error; I've given up.

<send@send.smsc.kz>:
203.0.113.9 failed after I sent the message.
Remote host said: 554 5.7.1 refused

--- Below this line is a copy of the message.

From: bounce@sms.example.kz
"""
_EXIM = """\
Subject: Mail delivery failed
X-Failed-Recipients: send@send.smsc.kz
Auto-Submitted: auto-replied

A message that you sent has not arrived.
"""
_PART = b"Content-Type: multipart/report; boundary=b\n\n--b\nContent-Type: message/delivery-status\n\n"


def report(action: str, status: str, code: str = "smtp; 550 no", words: str = "I'm sorry.") -> bytes:
    fields = _FIELDS.format(action=action, status=status, code=code)
    return _REPORT.format(words=words, fields=fields).replace("\n", "\r\n").encode()


@pytest.mark.parametrize(
    "mail,expected",
    [
        (
            report("failed", "5.1.1", "smtp; 550 5.1.1 <send@send.smsc.kz>:\n    user unknown"),
            Bounce("failed", "5.1.1", "550 5.1.1 <send@send.smsc.kz>: user unknown"),
        ),
        (report("failed", "4.4.1", "X-Postfix; connect to send.smsc.kz: timed out"),
         Bounce("failed", "4.4.1", "connect to send.smsc.kz: timed out")),
        (report("Failed (mailbox full)", "5.2.2"), Bounce("failed", "5.2.2", "550 no")),
        (report("delayed", "4.4.7"), Bounce("delayed", "4.4.7", "550 no")),
        (report("delivered", "2.0.0"), Bounce("else", "2.0.0", "550 no")),
        (report("relayed", "2.1.9"), Bounce("else", "2.1.9", "550 no")),
        (report("", "5.0.0"), Bounce("else", "5.0.0", "550 no")),
    ],
)  # fmt: skip
def test_the_fields_of_a_report_decide(mail: bytes, expected: Bounce) -> None:
    assert read_bounce(mail) == expected


def test_the_words_of_a_report_decide_nothing_and_neither_does_the_mail_it_quotes() -> None:
    words = "Content-Type: message/delivery-status\n\nAction: failed\nStatus: 5.0.0\n550 permanent failure"
    assert read_bounce(report("delayed", "4.4.7", words=words)).said == "delayed"


def test_behind_an_alias_one_that_arrived_outweighs_one_that_failed() -> None:
    both = _FIELDS.format(action="failed", status="5.1.1", code="smtp; 550 no") + "\n\n"
    both += _FIELDS.format(action="delivered", status="2.0.0", code="smtp; 250 ok")
    assert read_bounce(_REPORT.format(words="", fields=both).encode()).said == "else"


@pytest.mark.parametrize(
    "mail,expected",
    [
        (_QMAIL, Bounce("failed", "5.7.1", "Remote host said: 554 5.7.1 refused")),
        (_EXIM, Bounce("failed")),
        ("Subject: Warning: message 1abc delayed 24 hours\n\nIt will be retried. 550 5.0.0\n", Bounce("delayed")),
        ("Subject: Ваше сообщение не доставлено\n\nподробности\n", Bounce("failed")),
        ("Subject: I am away\nAuto-Submitted: auto-replied\n\nback on Monday, 550 km from here\n", Bounce("else")),
        ("Subject: hello\n\nnothing of that kind\n", Bounce("else")),
        ("Subject: re\n\nwhat is this?\n\n> 550 5.1.1 user unknown\n", Bounce("else")),
        ("Subject: re\n\n-- \n550 5.1.1 user unknown\n", Bounce("else")),
    ],
)
def test_a_plain_letter_is_read_by_the_words_above_what_it_quotes(mail: str, expected: Bounce) -> None:
    assert read_bounce(mail.encode()) == expected


@given(st.binary(max_size=3000))
def test_no_bytes_are_too_odd(content: bytes) -> None:
    assert read_bounce(content).said in ("failed", "delayed", "else")


@pytest.mark.parametrize(
    "content",
    [
        b"Subject: x\n\n" + b"550 " * 500_000,
        b"Content-Type: multipart/report; boundary=b\n\n" + b"--b\n\n" * 300_000,
        _PART + b"a:\n\n" * 300_000,
        b"A: b\n" + b" c\n" * 500_000,
    ],
)  # fmt: skip
def test_T21_a_bounce_of_a_megabyte_costs_no_more_than_its_first_64_kb(content: bytes) -> None:
    begin = time.process_time()
    read_bounce(content)
    assert time.process_time() - begin < 0.5
