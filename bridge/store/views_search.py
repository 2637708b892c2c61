"""Finding what somebody remembers: a mail's number, a word, a host, the last digits of a phone, a provider's id."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import bindparam, or_, select

from bridge.model import Incident
from bridge.store import rows, schema
from bridge.store.engine import Tx
from bridge.store.statements import Statement, columns_of, from_us
from bridge.store.views import KeptReply, Sent, messages, replies

MOST = 50  # results of one kind
_mails, _m, _i, _r, _s = (
    schema.mails.c,
    schema.messages.c,
    schema.incidents.c,
    schema.replies.c,
    schema.submissions.c,
)
_number = re.compile(r"(?:[mM]-)?([0-9]{1,15})")
_digits = re.compile(r"\+?[0-9][0-9 ()•-]{2,20}")


def _like(*columns: Any) -> Any:
    return or_(*(column.like(bindparam("like"), escape="\\") for column in columns))


_FOUND_MAILS = Statement(
    select(_mails.id, _mails.received_at, _mails.mail_from, _mails.subject, _mails.state)
    .where(or_(_mails.id == bindparam("number"), _like(_mails.subject, _mails.mail_from, _mails.message_id)))
    .order_by(_mails.id.desc())
    .limit(bindparam("most"))
)
_FOUND_INCIDENTS = Statement(
    select(schema.incidents)
    .where(or_(_i.id == bindparam("number"), _like(_i.host, _i.title, _i.key)))
    .order_by(_i.last_at.desc())
    .limit(bindparam("most"))
)
_FOUND_MESSAGES = Statement(
    select(schema.messages)
    .where(
        or_(
            _m.phone.like(bindparam("phone"), escape="\\"),
            _like(_m.text, _m.provider_id),
            _m.id.in_(select(_s.message_id).where(_s.client_id == bindparam("word"))),
        )
    )
    .order_by(_m.id.desc())
    .limit(bindparam("most"))
)
_FOUND_REPLIES = Statement(
    select(schema.replies)
    .where(or_(_r.phone.like(bindparam("phone"), escape="\\"), _like(_r.text)))
    .order_by(_r.id.desc())
    .limit(bindparam("most"))
)


@dataclass(frozen=True, slots=True)
class FoundMail:
    """A mail in a list."""

    id: int
    received_at: datetime
    mail_from: str
    subject: str
    state: str


@dataclass(frozen=True, slots=True)
class Found:
    """What fits, newest first, by kind."""

    mails: tuple[FoundMail, ...]
    incidents: tuple[Incident, ...]
    messages: tuple[Sent, ...]
    replies: tuple[KeptReply, ...]

    @property
    def count(self) -> int:
        return len(self.mails) + len(self.incidents) + len(self.messages) + len(self.replies)


def find(tx: Tx, phrase: str) -> Found:
    """Everything that *phrase* may mean; a number of four digits or more is looked for at the end of phones too."""
    phrase = phrase.strip()[:200]
    number = _number.fullmatch(phrase)
    values = {
        "like": f"%{_escaped(phrase)}%",
        "number": int(number[1]) if number else 0,
        "phone": _phone_ending(phrase),
        "word": phrase,
        "most": MOST,
    }
    incidents = columns_of(schema.incidents)
    return Found(
        tuple(FoundMail(r[0], from_us(r[1]), *r[2:]) for r in tx.rows(_FOUND_MAILS, _only(values, "like number most"))),
        tuple(
            rows.incident(dict(zip(incidents, r, strict=True)))
            for r in tx.rows(_FOUND_INCIDENTS, _only(values, "like number most"))
        ),
        tuple(messages(tx, _FOUND_MESSAGES, **_only(values, "like phone word most"))),
        tuple(replies(tx, _FOUND_REPLIES, **_only(values, "like phone most"))),
    )


def _only(values: dict[str, Any], names: str) -> dict[str, Any]:
    return {name: values[name] for name in names.split()}


def _escaped(phrase: str) -> str:
    return re.sub(r"([\\%_])", r"\\\1", phrase)


def _phone_ending(phrase: str) -> str:
    """A pattern for phones that end like this; one that no phone fits for a phrase that is no number."""
    digits = re.sub(r"\D", "", phrase) if _digits.fullmatch(phrase) else ""
    return f"%{digits}" if len(digits) >= 4 else "-"
