"""What stands in the store about one hand-over: its message, its attempts, and how an attempt ended (threats §2)."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal

from sqlalchemy import bindparam, select, update

from bridge.model import Message, MessageState
from bridge.store import rows, schema
from bridge.store.engine import Keys, Tx
from bridge.store.statements import Statement, columns_of, from_us, insert, one_of, to_us

_m = schema.messages.c
_s = schema.submissions.c
_MESSAGE = columns_of(schema.messages)
_SUBMISSION = columns_of(schema.submissions)
LEASE = timedelta(seconds=90)  # three times the longest a submit may take (F13)
WATCHED = ("UNKNOWN", "ACCEPTED", "ACCEPTED_NO_ID", "HANDED_OVER")
UNDER_WAY = _m.state.in_(("INFLIGHT", *WATCHED))  # letter by letter the condition of the index messages_watched
_INFLIGHT = Statement(
    update(schema.messages)
    .where(_m.id == bindparam("message"))
    .values(
        state="INFLIGHT",
        attempt=bindparam("new_attempt"),
        provider=bindparam("new_provider"),
        lease_owner=bindparam("owner"),
        lease_until=bindparam("until"),
        fence=_m.fence + 1,
    )
)
ADD_SUBMISSION = insert(schema.submissions)
_ATTEMPTS = Statement(
    select(schema.submissions).where(one_of(_s.message_id, "ids")).order_by(_s.message_id, _s.attempt)
)


@dataclass(frozen=True, slots=True)
class Prepared:
    """What a provider needs to know for one attempt, as it is written before the first byte."""

    provider: str
    account: str
    request: Mapping[str, str]  # canonical, without credentials, without the client id
    revision: str
    ids: tuple[int, int] = (1, 2**31 - 1)  # range of client ids of this account


@dataclass(frozen=True, slots=True)
class Wait:
    """No provider can take the message before *until*; a time that is not in the future: as soon as there is room."""

    until: datetime


@dataclass(frozen=True, slots=True)
class NumberFirst:
    """The message names a number to ring, which has to be asked for before it may go: it is leased *until* then."""

    until: datetime


Choose = Callable[[Message, Sequence["Attempt"], Mapping[str, datetime]], Prepared | Wait | NumberFirst]
"""From a message, its attempts, and the accounts that were given the same just now (``pacing.twins``)."""


@dataclass(frozen=True, slots=True)
class Attempt:
    """One hand-over attempt, as it is stored."""

    message_id: int
    number: int
    provider: str
    account: str
    client_id: str
    request: Mapping[str, str]
    revision: str
    state: str
    provider_id: str
    code: str
    error: str
    evidence: tuple[Mapping[str, Any], ...]
    started_at: datetime
    finished_at: datetime | None


@dataclass(frozen=True, slots=True)
class Claimed:
    """A message that is INFLIGHT in our hands until *lease_until*."""

    message: Message
    attempt: Attempt
    lease_until: datetime
    earlier: tuple[Attempt, ...] = ()


@dataclass(frozen=True, slots=True)
class Watched:
    """A message whose fate is asked for, with its attempts, oldest first."""

    message: Message
    attempts: tuple[Attempt, ...]


@dataclass(frozen=True, slots=True)
class Outcome:
    """How an attempt ended, and what becomes of its message."""

    message_id: int
    attempt: int
    submission: Literal["NOT_SENT", "ACCEPTED", "REFUSED", "UNKNOWN"]
    message: MessageState
    reason: str = ""
    provider_id: str = ""
    code: str = ""
    cost: str | None = None
    due_at: datetime | None = None  # next attempt, next question
    final: bool = False
    status: str = "5.0.0"  # RFC 3463, of a refusal


def make_inflight(tx: Tx, taken: Sequence[Claimed], owner: str) -> None:
    """The messages of *taken* are *owner*'s until their leases run out."""
    tx.many(
        _INFLIGHT,
        [
            {
                "message": c.message.id,
                "new_attempt": c.attempt.number,
                "new_provider": c.attempt.provider,
                "owner": owner,
                "until": to_us(c.lease_until),
            }
            for c in taken
        ],
    )


def new_attempt(message: int, number: int, choice: Prepared, client_id: str, now: datetime) -> Attempt:
    """The attempt *number* of *message*, as it begins *now*."""
    return Attempt(
        message, number, choice.provider, choice.account, client_id, choice.request, choice.revision,
        "INFLIGHT", "", "", "", (), now, None,
    )  # fmt: skip


def messages_of(tx: Tx, statement: Statement, **values: Any) -> list[Message]:
    """Messages by a *statement* that selects all of their columns, in its order."""
    return [rows.message(dict(zip(_MESSAGE, row, strict=True))) for row in tx.rows(statement, values)]


def attempts_of(tx: Tx, ids: Sequence[int]) -> dict[int, list[Attempt]]:
    """By message, oldest first; a message that was never tried is missing."""
    found: dict[int, list[Attempt]] = {}
    for row in tx.rows(_ATTEMPTS, {"ids": Keys(ids)}):
        values = dict(zip(_SUBMISSION, row, strict=True))
        found.setdefault(values["message_id"], []).append(_attempt(values))
    return found


def _attempt(values: Mapping[str, Any]) -> Attempt:
    finished = values["finished_at"]
    return Attempt(
        message_id=values["message_id"],
        number=values["attempt"],
        provider=values["provider"],
        account=values["account"],
        client_id=values["client_id"],
        request=json.loads(values["request"]),
        revision=values["revision"],
        state=values["state"],
        provider_id=values["provider_id"],
        code=values["code"],
        error=values["error"],
        evidence=tuple(json.loads(values["evidence"])),
        started_at=from_us(values["started_at"]),
        finished_at=None if finished is None else from_us(finished),
    )


def submission_row(attempt: Attempt) -> rows.Values:
    """The row of an attempt that begins."""
    return {
        "message_id": attempt.message_id,
        "attempt": attempt.number,
        "provider": attempt.provider,
        "account": attempt.account,
        "client_id": attempt.client_id,
        "request": rows.dumps(dict(attempt.request)),
        "revision": attempt.revision,
        "state": attempt.state,
        "provider_id": attempt.provider_id,
        "code": attempt.code,
        "error": attempt.error,
        "evidence": "[]",
        "started_at": to_us(attempt.started_at),
        "finished_at": None,
    }
