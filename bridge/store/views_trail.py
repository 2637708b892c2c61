"""Everything that is known of one mail or one incident, for its trail.

A mail leads to the incidents it opened or repeated, an incident to its mails, and both to the messages,
attempts, receipts, replies and mails that came of them. Each list is cut at a limit; the trail says so.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import bindparam, or_, select

from bridge.model import Envelope, Fate, Incident, JournalEntry, MailState, Visit
from bridge.store import rows, schema
from bridge.store.attempts import Attempt
from bridge.store.engine import Keys, Tx
from bridge.store.fates import look
from bridge.store.statements import Statement, columns_of, from_us, one_of
from bridge.store.views import KeptReply, Sent, messages, replies

MOST = 300  # rows of one kind in one trail
_mails, _bodies, _events, _j = schema.mails.c, schema.mail_bodies.c, schema.events.c, schema.journal.c
_m, _o, _r = schema.messages.c, schema.outgoing_mails.c, schema.receipts.c

_MAILS = Statement(
    select(
        _mails.id, _mails.received_at, _mails.state, _mails.source, _mails.subject, _mails.message_id, _mails.fates,
        _mails.size, _mails.attempts, _mails.mail_from, _mails.recipients, _bodies.envelope,
    )
    .outerjoin(schema.mail_bodies, _bodies.mail_id == _mails.id)
    .where(one_of(_mails.id, "ids"))
    .order_by(_mails.id)
)  # fmt: skip
_EVENTS = Statement(select(schema.events).where(one_of(_events.mail_id, "ids")).order_by(_events.mail_id, _events.n))
_INCIDENTS_OF = Statement(
    select(_j.incident_id).where(one_of(_j.mail_id, "ids"), _j.mail_id != 0, _j.incident_id != 0).distinct()
)
_MAILS_OF_JOURNAL = Statement(
    select(_j.mail_id).where(one_of(_j.incident_id, "ids"), _j.incident_id != 0, _j.mail_id != 0).distinct()
)
_MAILS_OF_EVENTS = Statement(
    select(_events.mail_id).where(one_of(_events.incident_id, "ids"), _events.incident_id != 0).distinct()
)
_JOURNAL = Statement(
    select(schema.journal)
    .where(
        or_(
            one_of(_j.mail_id, "mails") & (_j.mail_id != 0),
            one_of(_j.incident_id, "incidents") & (_j.incident_id != 0),
        )
    )
    .order_by(_j.seq)
    .limit(bindparam("most"))
)
_MESSAGES = Statement(
    select(schema.messages)
    .where(
        or_(
            one_of(_m.mail_id, "mails") & (_m.mail_id != 0),
            one_of(_m.incident_id, "incidents") & (_m.incident_id != 0),
        )
    )
    .order_by(_m.id)
    .limit(bindparam("most"))
)
_RECEIPTS = Statement(
    select(_r.message_id, _r.provider, _r.state, _r.code, _r.error, _r.at, _r.received_at)
    .where(one_of(_r.message_id, "ids"), _r.message_id != 0)
    .order_by(_r.received_at)
    .limit(bindparam("most"))
)
_REPLIES = Statement(
    select(schema.replies)
    .where(one_of(schema.replies.c.incident_id, "incidents"), schema.replies.c.incident_id != 0)
    .order_by(schema.replies.c.id)
    .limit(bindparam("most"))
)
_OUT = Statement(
    select(_o.id, _o.kind, _o.to, _o.subject, _o.created_at, _o.state, _o.reason, _o.due_at, _o.attempts, _o.content,
           _o.incident_id, _o.mail_id)
    .where(
        or_(
            one_of(_o.mail_id, "mails") & (_o.mail_id != 0),
            one_of(_o.incident_id, "incidents") & (_o.incident_id != 0),
        )
    )
    .order_by(_o.id)
    .limit(bindparam("most"))
)  # fmt: skip
_INCIDENTS = Statement(select(schema.incidents).where(one_of(schema.incidents.c.id, "ids")))
_HOME_OF_MESSAGE = Statement(select(_m.incident_id, _m.mail_id).where(_m.id == bindparam("message")))


@dataclass(frozen=True, slots=True)
class KeptMail:
    """A mail as it lies in the store; *envelope* is None once the body is gone."""

    id: int
    received_at: datetime
    state: MailState
    source: str
    subject: str
    message_id: str
    fates: tuple[Fate, ...]
    size: int  # bytes
    mail_from: str
    recipients: tuple[str, ...]
    envelope: Envelope | None


@dataclass(frozen=True, slots=True)
class KeptEvent:
    """One event of a mail, and the rules that were asked."""

    mail_id: int
    n: int
    incident_id: int
    event: dict[str, Any]  # producer host service severity state key title detail labels
    trace: tuple[Visit, ...]


@dataclass(frozen=True, slots=True)
class KeptReceipt:
    """What the network said of a message."""

    message_id: int
    provider: str
    state: str
    code: str
    error: str
    at: datetime | None
    received_at: datetime


@dataclass(frozen=True, slots=True)
class KeptOut:
    """A mail that went, or is to go, out. *content* is the whole of it."""

    id: int
    kind: str
    to: tuple[str, ...]
    subject: str
    created_at: datetime
    state: str  # READY SENT FAILED
    reason: str
    due_at: datetime
    attempts: int
    content: bytes
    incident_id: int
    mail_id: int


@dataclass(frozen=True, slots=True)
class TrailRows:
    """All rows of one trail."""

    mails: tuple[KeptMail, ...]
    events: tuple[KeptEvent, ...]
    incidents: tuple[Incident, ...]
    journal: tuple[JournalEntry, ...]  # in the store's order
    messages: tuple[Sent, ...]
    attempts: tuple[Attempt, ...]
    receipts: tuple[KeptReceipt, ...]
    replies: tuple[KeptReply, ...]
    out: tuple[KeptOut, ...]
    cut: bool  # some list was longer than is shown


def of_mail(tx: Tx, number: int) -> TrailRows | None:
    """The trail of a mail and of all incidents it is about; None: no such mail."""
    if not tx.rows(_MAILS, {"ids": Keys([number])}):
        return None
    found = {row[0] for row in tx.rows(_INCIDENTS_OF, {"ids": Keys([number])})}
    found |= {event.incident_id for event in _kept_events(tx, [number])} - {0}
    return _gather(tx, [number], sorted(found))


def of_incident(tx: Tx, number: int) -> TrailRows | None:
    """The trail of an incident and of all its mails; None: no such incident."""
    if not tx.rows(_INCIDENTS, {"ids": Keys([number])}):
        return None
    mails = {row[0] for row in tx.rows(_MAILS_OF_JOURNAL, {"ids": Keys([number])})}
    mails |= {row[0] for row in tx.rows(_MAILS_OF_EVENTS, {"ids": Keys([number])})}
    return _gather(tx, sorted(mails)[-MOST:], [number])


def home_of_message(tx: Tx, number: int) -> tuple[int, int] | None:
    """(incident, mail) that a message belongs to, 0 where there is none; None: no such message."""
    row = tx.one(_HOME_OF_MESSAGE, {"message": number})
    return None if row is None else (row[0], row[1])


def _gather(tx: Tx, mails: Sequence[int], incidents: Sequence[int]) -> TrailRows:
    both = {"mails": Keys(mails), "incidents": Keys(incidents), "most": MOST}
    sent = tuple(messages(tx, _MESSAGES, **both))
    ids = [one.message.id for one in sent]
    journal = tuple(_entry(row) for row in tx.rows(_JOURNAL, both))
    kept_replies = tuple(replies(tx, _REPLIES, incidents=Keys(incidents), most=MOST))
    out = tuple(_out(row) for row in tx.rows(_OUT, both))
    receipts = tuple(_receipt(row) for row in tx.rows(_RECEIPTS, {"ids": Keys(ids), "most": MOST}))
    return TrailRows(
        mails=tuple(_mail(row) for row in tx.rows(_MAILS, {"ids": Keys(mails)})),
        events=tuple(_kept_events(tx, mails)),
        incidents=tuple(_incident(row) for row in tx.rows(_INCIDENTS, {"ids": Keys(incidents)})),
        journal=journal,
        messages=sent,
        attempts=tuple(attempt for watched in look(tx, ids) for attempt in watched.attempts),
        receipts=receipts,
        replies=kept_replies,
        out=out,
        cut=any(len(rows_) >= MOST for rows_ in (sent, journal, kept_replies, out, receipts)),
    )


def _kept_events(tx: Tx, mails: Sequence[int]) -> list[KeptEvent]:
    names = columns_of(schema.events)
    found = (dict(zip(names, row, strict=True)) for row in tx.rows(_EVENTS, {"ids": Keys(mails)}))
    return [
        KeptEvent(
            row["mail_id"], row["n"], row["incident_id"], json.loads(row["event"]),
            tuple(Visit(*visit) for visit in json.loads(row["trace"])),
        )
        for row in found
    ]  # fmt: skip


def _mail(row: tuple[Any, ...]) -> KeptMail:
    return KeptMail(
        id=row[0],
        received_at=from_us(row[1]),
        state=row[2],
        source=row[3],
        subject=row[4],
        message_id=row[5],
        fates=rows.fates(row[6]),
        size=row[7],
        mail_from=row[9],
        recipients=tuple(json.loads(row[10])),
        envelope=None if row[11] is None else rows.envelope(row[11], b"", row[1]),
    )


def _entry(row: tuple[Any, ...]) -> JournalEntry:
    values = dict(zip(columns_of(schema.journal), row, strict=True))
    return JournalEntry(
        from_us(values["at"]), values["kind"], values["mail_id"], values["incident_id"], values["message_id"],
        json.loads(values["data"]),
    )  # fmt: skip


def _receipt(row: tuple[Any, ...]) -> KeptReceipt:
    at = None if row[5] is None else from_us(row[5])
    return KeptReceipt(row[0], row[1], row[2], row[3], row[4], at, from_us(row[6]))


def _out(row: tuple[Any, ...]) -> KeptOut:
    return KeptOut(
        row[0], row[1], tuple(json.loads(row[2])), row[3], from_us(row[4]), row[5], row[6], from_us(row[7]), row[8],
        row[9], row[10], row[11],
    )  # fmt: skip


def _incident(row: tuple[Any, ...]) -> Incident:
    return rows.incident(dict(zip(columns_of(schema.incidents), row, strict=True)))
