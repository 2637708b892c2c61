"""What waits, row by row, for the command line: messages that are not settled, mails not yet read or set aside."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import bindparam, func, select

from bridge.model import Message
from bridge.store import rows, schema
from bridge.store.attempts import Attempt
from bridge.store.engine import Keys, Tx
from bridge.store.fates import look
from bridge.store.statements import Statement, columns_of, from_us, one_of

UNSETTLED = ("READY", "HELD", "INFLIGHT", "UNKNOWN")
UNDER_WAY = ("ACCEPTED", "ACCEPTED_NO_ID", "HANDED_OVER")  # a provider has it, the network has not reported yet

_m, _mails, _o = schema.messages.c, schema.mails.c, schema.outgoing_mails.c
_MESSAGE = columns_of(schema.messages)
_MESSAGES = Statement(
    select(schema.messages).where(one_of(_m.state, "states")).order_by(_m.urgency, _m.id).limit(bindparam("most"))
)
_COUNT = Statement(select(func.count()).where(one_of(_m.state, "states")))
_IDS = Statement(select(_m.id).where(one_of(_m.state, "states")).order_by(_m.id))
_ONE = Statement(select(schema.messages).where(_m.id == bindparam("message")))
_RECEIPTS = Statement(
    select(schema.receipts)
    .where(schema.receipts.c.message_id == bindparam("message"))
    .order_by(schema.receipts.c.received_at)
)
_MAILS = Statement(
    select(
        _mails.id, _mails.received_at, _mails.state, _mails.mail_from, _mails.recipients, _mails.subject,
        _mails.attempts, _mails.size,
    )
    .where(_mails.state.in_(("RECEIVED", "QUARANTINED")))
    .order_by(_mails.id)
    .limit(bindparam("most"))
)  # fmt: skip
_OUTGOING = Statement(
    select(_o.id, _o.created_at, _o.due_at, _o.kind, _o.to, _o.subject, _o.attempts, _o.reason)
    .where(_o.state == "READY")
    .order_by(_o.due_at)
    .limit(bindparam("most"))
)


@dataclass(frozen=True, slots=True)
class Kept:
    """A message as it stands, with what its rows say beside the noun."""

    message: Message
    provider: str
    provider_id: str
    cost: Decimal | None  # as the provider said it
    ended_at: datetime | None


@dataclass(frozen=True, slots=True)
class KeptReceipt:
    """What the network said."""

    state: str
    code: str
    error: str
    received_at: datetime


@dataclass(frozen=True, slots=True)
class WaitingMail:
    """A mail that is not yet read (RECEIVED), or was set aside (QUARANTINED)."""

    id: int
    received_at: datetime
    state: str
    mail_from: str
    recipients: tuple[str, ...]
    subject: str  # known only after it was read once
    attempts: int
    size: int


@dataclass(frozen=True, slots=True)
class WaitingOut:
    """A mail of ours that the relay has not taken yet."""

    id: int
    created_at: datetime
    due_at: datetime
    kind: str
    to: tuple[str, ...]
    subject: str
    attempts: int
    reason: str


def messages(tx: Tx, most: int, states: Sequence[str] = UNSETTLED) -> tuple[list[Kept], int]:
    """Messages in *states*, most urgent first, and how many there are in all."""
    found = tx.rows(_MESSAGES, {"states": Keys(states), "most": most})
    return [_kept(row) for row in found], int(tx.rows(_COUNT, {"states": Keys(states)})[0][0])


def ids(tx: Tx, states: Sequence[str]) -> list[int]:
    """The ids of all messages in *states*."""
    return [row[0] for row in tx.rows(_IDS, {"states": Keys(states)})]


def message(tx: Tx, number: int) -> Kept | None:
    """One message, whatever became of it."""
    row = tx.one(_ONE, {"message": number})
    return None if row is None else _kept(row)


def attempts(tx: Tx, number: int) -> tuple[Attempt, ...]:
    """Its hand-overs, oldest first."""
    found = look(tx, [number])
    return found[0].attempts if found else ()


def receipts(tx: Tx, number: int) -> list[KeptReceipt]:
    """What the network said of it, oldest first."""
    names = columns_of(schema.receipts)
    found = (dict(zip(names, row, strict=True)) for row in tx.rows(_RECEIPTS, {"message": number}))
    return [KeptReceipt(row["state"], row["code"], row["error"], from_us(row["received_at"])) for row in found]


def mails(tx: Tx, most: int) -> list[WaitingMail]:
    """Mails that wait to be read, oldest first."""
    return [
        WaitingMail(row[0], from_us(row[1]), row[2], row[3], tuple(json.loads(row[4])), *row[5:])
        for row in tx.rows(_MAILS, {"most": most})
    ]


def outgoing(tx: Tx, most: int) -> list[WaitingOut]:
    """Mails that wait for the relay, the next one first."""
    return [
        WaitingOut(row[0], from_us(row[1]), from_us(row[2]), row[3], tuple(json.loads(row[4])), *row[5:])
        for row in tx.rows(_OUTGOING, {"most": most})
    ]


def _kept(row: tuple[Any, ...]) -> Kept:
    values = dict(zip(_MESSAGE, row, strict=True))
    ended = values["ended_at"]
    return Kept(
        rows.message(values),
        values["provider"],
        values["provider_id"],
        None if values["cost"] is None else Decimal(values["cost"]),
        None if ended is None else from_us(ended),
    )
