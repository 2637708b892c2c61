"""Mails that we send: plain text, in the thread, marked as automatic, safe against their own content.

Foreign text stands in the body; what must stand in a header (a subject) is stripped of controls and line
separators, and the finished mail is parsed again: its header names must be the expected ones (threats T11).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from email.message import EmailMessage
from email.parser import BytesHeaderParser
from email.policy import SMTP
from email.utils import format_datetime, formataddr

LOOP_HEADER = "X-Smsbridge-Loop"
_CONTROLS = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\u200b-\u200f\u202a-\u202e\u2066-\u2069\ufeff\ud800-\udfff]+")
_POLICY = SMTP.clone(cte_type="8bit", max_line_length=78)
_LONGEST_SUBJECT = 200


class UnsafeMail(ValueError):
    """The finished mail does not have the headers it should have: it must not be sent."""


@dataclass(frozen=True, slots=True)
class Letter:
    """What a mail of ours says, before it is bytes."""

    to: tuple[str, ...]
    subject: str
    body: str
    message_id: str  # with angle brackets
    sender_name: str
    sender: str  # address
    date: datetime
    instance: str  # our loop mark
    in_reply_to: str = ""
    references: tuple[str, ...] = ()
    answers_a_person: bool = False  # Auto-Submitted: auto-replied instead of auto-generated


def safe_header(text: str, longest: int = _LONGEST_SUBJECT) -> str:
    """Foreign text that may stand in a header: one line, no controls, no encoded words of its own."""
    flat = _CONTROLS.sub(" ", text).replace("=?", "= ?")
    return " ".join(flat.split())[:longest]


def write(letter: Letter) -> bytes:
    """The mail as it goes over the wire. Raises :class:`UnsafeMail` if its headers are not what they should be."""
    mail = EmailMessage(policy=_POLICY)
    mail["From"] = formataddr((safe_header(letter.sender_name, 60), letter.sender))
    mail["To"] = ", ".join(letter.to)
    mail["Subject"] = safe_header(letter.subject)
    mail["Date"] = format_datetime(letter.date)
    mail["Message-ID"] = letter.message_id
    if letter.in_reply_to:
        mail["In-Reply-To"] = letter.in_reply_to
    thread = _references(letter)
    if thread:
        mail["References"] = thread
    mail["Auto-Submitted"] = "auto-replied" if letter.answers_a_person else "auto-generated"
    mail["Precedence"] = "bulk"
    mail[LOOP_HEADER] = letter.instance
    expected = {name.lower() for name, _value in mail.items()}
    mail.set_content(_body(letter.body), charset="utf-8")
    expected |= {"mime-version", "content-type", "content-transfer-encoding"}
    content = mail.as_bytes(policy=_POLICY)
    found = [name.lower() for name, _value in BytesHeaderParser().parsebytes(content).items()]
    if sorted(found) != sorted(expected):
        raise UnsafeMail(f"headers {sorted(set(found) ^ expected)} are not expected")
    return content


def _references(letter: Letter) -> str:
    """The thread, newest last, at most 20 ids that look like ids (RFC 5322 §3.6.4)."""
    known = (*letter.references, letter.in_reply_to)
    ids: Sequence[str] = [each for each in known if re.fullmatch(r"<[\x21-\x7e]{1,250}>", each)]
    return " ".join(dict.fromkeys(ids[-20:]))


def _body(text: str) -> str:
    """Clean lines; a line of foreign text never looks like an mbox separator."""
    lines = [re.sub("[\x00-\x08\x0b-\x1f\x7f\ud800-\udfff]", " ", line) for line in text.splitlines()]
    return "\n".join(lines) + "\n"


def quoted(text: str) -> str:
    """Foreign text as a quotation."""
    return "\n".join(f"> {line}" for line in text.splitlines() or [""])
