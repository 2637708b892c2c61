"""Mails that machines wrote: which must never be answered, and which must not even page anybody (T09).

Two questions, because monitors mark themselves too: Logwatch and many others send ``Auto-Submitted: auto-generated``
and ``Precedence: bulk``. Such a mail may page; it is only never answered. An answer of a machine pages nobody.
Source: RFC 3834 §5 (Auto-Submitted), RFC 3464 (reports), RFC 2919 (List-Id).
"""

from __future__ import annotations

from collections.abc import Mapping

from bridge.model import Email, Envelope

LOOP_HEADER = "X-Smsbridge-Loop"
RECEIVED = 50  # more hops than this is a circle

_BULK = frozenset({"bulk", "list", "junk", "auto_reply"})
_NEVER_ANSWERED = ("list-id", "x-autoreply", "x-autorespond", "x-auto-response-suppress")
_ANSWERS = ("x-autoreply", "x-autorespond")
_REPORTS = ("delivery-status", "disposition-notification", "feedback-report")

Headers = Mapping[str, tuple[str, ...]]


def never_answered(headers: Headers, envelope: Envelope) -> str:
    """Why the mail must not be answered, ``""`` when it may be: header and value as they were, or ``null sender``."""
    submitted = _word(headers, "auto-submitted")
    if submitted not in ("", "no"):
        return f"Auto-Submitted: {submitted}"
    if (precedence := _word(headers, "precedence")) in _BULK:
        return f"Precedence: {precedence}"
    for name in _NEVER_ANSWERED:
        if headers.get(name) and _word(headers, name) not in ("no", "none"):
            return "-".join(part.capitalize() for part in name.split("-"))
    if _kind(headers) == "multipart/report":
        return "multipart/report"
    if len(headers.get("received", ())) > RECEIVED:
        return f"more than {RECEIVED} Received"
    if headers.get(LOOP_HEADER.lower()):
        return LOOP_HEADER
    return "null sender" if envelope.mail_from in ("", "<>") else ""


def loop_mark(email: Email, envelope: Envelope, own: str) -> str:
    """Why the mail pages nobody (reason ``loop``), ``""`` when it may.

    *own* is what this installation writes into its loop header; ``""`` takes any such header for ours. A mail of
    another bridge may page: it is how one bridge reports to another.
    """
    headers = email.headers
    if (submitted := _word(headers, "auto-submitted")) == "auto-replied":
        return f"Auto-Submitted: {submitted}"
    if any(mark == own or not own for mark in headers.get(LOOP_HEADER.lower(), ())):
        return LOOP_HEADER
    if (precedence := _word(headers, "precedence")) == "auto_reply":
        return f"Precedence: {precedence}"
    for name in _ANSWERS:
        if headers.get(name) and _word(headers, name) not in ("no", "none"):
            return "-".join(part.capitalize() for part in name.split("-"))
    if _is_report(headers, envelope):
        return "delivery report"
    return f"more than {RECEIVED} Received" if len(headers.get("received", ())) > RECEIVED else ""


def _word(headers: Headers, name: str) -> str:
    """First word of the first such field, lower case: ``auto-replied; owner-email=…`` is ``auto-replied``."""
    value = next(iter(headers.get(name, ())), "")
    return value.partition(";")[0].partition("(")[0].strip().lower()


def _kind(headers: Headers) -> str:
    return _word(headers, "content-type")


def _is_report(headers: Headers, envelope: Envelope) -> bool:
    """A DSN or read receipt, or a mail of the null sender that only lacks its report type."""
    if _kind(headers) != "multipart/report":
        return False
    value = headers["content-type"][0].lower()
    return any(kind in value for kind in _REPORTS) or envelope.mail_from in ("", "<>")
