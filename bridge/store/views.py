"""What pages show of the running bridge: small reads, each with a limit, never a lock.

Rows come back as nouns where there is one, else as the small classes here. Nothing here changes anything.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import bindparam, case, func, select

from bridge.model import Incident, Message, Notification
from bridge.store import rows, schema
from bridge.store.engine import Keys, Tx
from bridge.store.statements import Statement, columns_of, from_us, one_of, to_us

_i, _m, _j = schema.incidents.c, schema.messages.c, schema.journal.c
_INCIDENT = columns_of(schema.incidents)
_MESSAGE = columns_of(schema.messages)
_LIVE = ("open", "acked")
_END_OF_TIME = 2**62  # microseconds
_severity = case((_i.severity == "critical", 0), (_i.severity == "high", 1), (_i.severity == "warning", 2), else_=3)

_LAST_SEQ = Statement(select(func.coalesce(func.max(_j.seq), 0)))
_SINCE = Statement(
    select(_j.seq, _j.at, _j.mail_id, _j.incident_id, _j.message_id)
    .where(_j.seq > bindparam("since"))
    .order_by(_j.seq)
    .limit(bindparam("most"))
)
_OPEN = Statement(
    select(schema.incidents)
    .where(_i.state.in_(_LIVE))
    .order_by(case((_i.state == "open", 0), else_=1), _severity, _i.opened_at)
    .limit(bindparam("most"))
)
_COUNT_OPEN = Statement(select(_i.state, func.count()).where(_i.state.in_(_LIVE)).group_by(_i.state))
_LATEST = Statement(
    select(schema.incidents)
    .where(_i.last_at < bindparam("before"))
    .order_by(_i.last_at.desc())
    .limit(bindparam("most"))
)
_LATEST_IN = Statement(
    select(schema.incidents)
    .where(_i.last_at < bindparam("before"), one_of(_i.state, "states"))
    .order_by(_i.last_at.desc())
    .limit(bindparam("most"))
)
_BY_ID = Statement(select(schema.incidents).where(_i.id == bindparam("incident")))
_TOLD = Statement(
    select(schema.notifications)
    .where(one_of(schema.notifications.c.incident_id, "ids"))
    .order_by(schema.notifications.c.message_id)
)
_MESSAGES = Statement(select(schema.messages).order_by(_m.id.desc()).limit(bindparam("most")))
_MESSAGES_BY_ID = Statement(select(schema.messages).where(one_of(_m.id, "ids")))
_ACCOUNTS = Statement(select(schema.accounts).order_by(schema.accounts.c.account))
_QUEUE = Statement(
    select(_m["class"], _m.state, func.count(), func.min(_m.created_at))
    .where(_m.state.in_(("READY", "INFLIGHT", "UNKNOWN", "HELD")))
    .group_by(_m["class"], _m.state)
)
_MAILS = Statement(
    select(schema.mails.c.state, func.count(), func.min(schema.mails.c.received_at))
    .where(schema.mails.c.state.in_(("RECEIVED", "QUARANTINED")))
    .group_by(schema.mails.c.state)
)
_OUTGOING = Statement(
    select(func.count(), func.min(schema.outgoing_mails.c.created_at)).where(schema.outgoing_mails.c.state == "READY")
)
_LAST_MAIL = Statement(select(func.max(schema.mails.c.received_at)))
_CODES = Statement(
    select(schema.conversations.c.phone, schema.conversations.c.code, schema.conversations.c.incidents)
    .where(one_of(schema.conversations.c.phone, "phones"), schema.conversations.c.expires_at > bindparam("now"))
    .order_by(schema.conversations.c.code)
)
_STATES = Statement(select(_i.id, _i.state).where(one_of(_i.id, "ids"), _i.state.in_(_LIVE)))
_REPLIES = Statement(
    select(schema.replies).where(one_of(schema.replies.c.phone, "phones")).order_by(schema.replies.c.id.desc()).limit(
        bindparam("most")
    )
)  # fmt: skip
_REPLY = columns_of(schema.replies)


@dataclass(frozen=True, slots=True)
class Change:
    """One entry of the journal, as a hint for pages."""

    seq: int
    at: datetime
    names: tuple[str, ...]  # mail:5, incident:1000, message:7


@dataclass(frozen=True, slots=True)
class Sent:
    """A message with what became of it."""

    message: Message
    provider: str
    provider_id: str
    cost: Decimal | None  # as the provider said it; None = only the expected price is known
    attempts: int
    ended_at: datetime | None

    @property
    def price(self) -> Decimal | None:
        """What it cost, as far as that is known."""
        return self.message.price if self.cost is None else self.cost


@dataclass(frozen=True, slots=True)
class KeptReply:
    """An SMS or call that came in, and how it was read ("" = not yet)."""

    id: int
    kind: str
    provider: str
    phone: str
    to: str
    text: str
    received_at: datetime
    read_as: str
    incident_id: int


@dataclass(frozen=True, slots=True)
class Account:
    """One account at a provider, as it was seen last."""

    account: str
    state: str  # well, money, password, blocked
    reason: str
    since: datetime | None
    until: datetime | None
    balance: Decimal | None
    currency: str
    asked_at: datetime | None


@dataclass(frozen=True, slots=True)
class Waiting:
    """How many, and since when the oldest waits."""

    count: int = 0
    oldest: datetime | None = None


@dataclass(frozen=True, slots=True)
class Queue:
    """What has not ended: messages by (class, state), mails to be read, set aside and to be sent."""

    messages: dict[tuple[str, str], Waiting]
    unread: Waiting
    quarantined: Waiting
    outgoing: Waiting


@dataclass(frozen=True, slots=True)
class OpenCode:
    """A code that somebody may answer now."""

    phone: str
    code: str
    incidents: tuple[int, ...]  # that it stands for and that go on, at least one
    acked: bool  # every one of them


def last_seq(tx: Tx) -> int:
    """The number of the newest entry of the journal, 0 in an empty store."""
    return int(tx.rows(_LAST_SEQ)[0][0])


def changes_since(tx: Tx, seq: int, most: int) -> list[Change]:
    """Entries of the journal after *seq*, oldest first."""
    return [
        Change(row[0], from_us(row[1]), _names(row[2], row[3], row[4]))
        for row in tx.rows(_SINCE, {"since": seq, "most": most})
    ]


def _names(mail: int, incident: int, message: int) -> tuple[str, ...]:
    numbered = (("mail", mail), ("incident", incident), ("message", message))
    return tuple(f"{name}:{number}" for name, number in numbered if number)


def open_incidents(tx: Tx, most: int) -> list[Incident]:
    """Open ones first, by severity and age, then those somebody has."""
    return _incidents(tx, _OPEN, most=most)


def count_open(tx: Tx) -> tuple[int, int]:
    """(open or acknowledged, of these nobody has)."""
    counts: dict[str, int] = {row[0]: row[1] for row in tx.rows(_COUNT_OPEN)}
    return sum(counts.values()), counts.get("open", 0)


def latest_incidents(tx: Tx, most: int, states: Sequence[str] = (), before: datetime | None = None) -> list[Incident]:
    """Newest event first; of these *states* or of all, and only those whose last event was *before* that."""
    values = {"most": most, "before": _END_OF_TIME if before is None else to_us(before)}
    if states:
        return _incidents(tx, _LATEST_IN, **values, states=Keys(states))
    return _incidents(tx, _LATEST, **values)


def incident(tx: Tx, number: int) -> Incident | None:
    """One incident."""
    return next(iter(_incidents(tx, _BY_ID, incident=number)), None)


def told(tx: Tx, incidents: Sequence[int]) -> dict[int, list[Notification]]:
    """Who was told of which incident, in order."""
    found: dict[int, list[Notification]] = {}
    names = columns_of(schema.notifications)
    for row in tx.rows(_TOLD, {"ids": Keys(incidents)}):
        note = Notification(**dict(zip(names, row, strict=True)))
        found.setdefault(note.incident_id, []).append(note)
    return found


def last_messages(tx: Tx, most: int) -> list[Sent]:
    """Newest first."""
    return messages(tx, _MESSAGES, most=most)


def messages_by_id(tx: Tx, ids: Sequence[int]) -> dict[int, Sent]:
    """Messages with these numbers."""
    return {sent.message.id: sent for sent in messages(tx, _MESSAGES_BY_ID, ids=Keys(ids))}


def messages(tx: Tx, statement: Statement, **values: Any) -> list[Sent]:
    """What a query of whole rows of messages gives."""
    return [_sent(dict(zip(_MESSAGE, row, strict=True))) for row in tx.rows(statement, values)]


def accounts(tx: Tx) -> list[Account]:
    """All accounts that were ever asked or paused."""
    names = columns_of(schema.accounts)
    return [_account(dict(zip(names, row, strict=True))) for row in tx.rows(_ACCOUNTS)]


def queue(tx: Tx) -> Queue:
    """Everything that has not ended."""
    waiting = {(row[0], row[1]): Waiting(row[2], from_us(row[3])) for row in tx.rows(_QUEUE)}
    mails = {row[0]: Waiting(row[1], from_us(row[2])) for row in tx.rows(_MAILS)}
    count, oldest = tx.rows(_OUTGOING)[0]
    outgoing = Waiting(count, None if oldest is None else from_us(oldest))
    return Queue(waiting, mails.get("RECEIVED", Waiting()), mails.get("QUARANTINED", Waiting()), outgoing)


def last_mail_at(tx: Tx) -> datetime | None:
    """When the newest mail came; None: never one."""
    value = tx.rows(_LAST_MAIL)[0][0]
    return None if value is None else from_us(value)


def open_codes(tx: Tx, phones: Sequence[str], now: datetime) -> list[OpenCode]:
    """Codes that these phones (with plus) may answer now."""
    kept = tx.rows(_CODES, {"phones": Keys(phones), "now": to_us(now)})
    found = [(phone, code, json.loads(incidents)) for phone, code, incidents in kept]
    ids = {number for _phone, _code, numbers in found for number in numbers}
    live: dict[int, str] = dict(tx.rows(_STATES, {"ids": Keys(sorted(ids))})) if ids else {}
    talks = ((phone, code, tuple(n for n in numbers if n in live)) for phone, code, numbers in found)
    return [
        OpenCode(phone, code, numbers, acked=all(live[number] == "acked" for number in numbers))
        for phone, code, numbers in talks
        if numbers
    ]


def replies_of(tx: Tx, phones: Sequence[str], most: int) -> list[KeptReply]:
    """What these phones (with plus) sent, newest first."""
    return replies(tx, _REPLIES, phones=Keys(phones), most=most)


def replies(tx: Tx, statement: Statement, **values: Any) -> list[KeptReply]:
    """What a query of whole rows of replies gives."""
    found = (dict(zip(_REPLY, row, strict=True)) for row in tx.rows(statement, values))
    return [
        KeptReply(
            r["id"], r["kind"], r["provider"], r["phone"], r["to"], r["text"], from_us(r["received_at"]),
            r["read_as"], r["incident_id"],
        )
        for r in found
    ]  # fmt: skip


def _incidents(tx: Tx, statement: Statement, **values: Any) -> list[Incident]:
    return [rows.incident(dict(zip(_INCIDENT, row, strict=True))) for row in tx.rows(statement, values)]


def _sent(row: dict[str, Any]) -> Sent:
    cost, ended = row["cost"], row["ended_at"]
    return Sent(
        rows.message(row),
        row["provider"],
        row["provider_id"],
        None if cost is None else Decimal(cost),
        row["attempt"],
        None if ended is None else from_us(ended),
    )


def _account(row: dict[str, Any]) -> Account:
    def moment(name: str) -> datetime | None:
        return from_us(row[name]) if row[name] else None

    balance = row["balance"]
    return Account(
        row["account"], row["state"], row["reason"], moment("since"), moment("until"),
        None if balance is None else Decimal(balance), row["currency"], moment("asked_at"),
    )  # fmt: skip
