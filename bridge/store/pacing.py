"""What a claim counts before it takes more: what has begun, what others have under way, who was given the same."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import bindparam, func, select

from bridge.model import Message
from bridge.store import schema
from bridge.store.attempts import LEASE
from bridge.store.engine import Tx
from bridge.store.statements import Statement, from_us, to_us

_m = schema.messages.c
_s = schema.submissions.c
_TWINS_AMONG = 50
_TWINS = Statement(
    select(_s.account, func.max(_s.started_at))
    .join(schema.messages, _m.id == _s.message_id)
    .where(
        _m.id.in_(select(_m.id).where(_m.phone == bindparam("phone")).order_by(_m.id.desc()).limit(bindparam("most"))),
        _m.id != bindparam("message"),
        _m.text == bindparam("text"),
        _m.originator == bindparam("originator"),
        _m.way == bindparam("way"),
        _s.started_at > bindparam("since"),
        _s.state != "NOT_SENT",
    )
    .group_by(_s.account)
)
_TALLIED = Statement(
    select(func.count()).where(schema.tallies.c.name == bindparam("name"), schema.tallies.c.at > bindparam("since"))
)
_BEGUN = Statement(
    select(func.count(), func.min(_s.started_at)).where(
        _s.account == bindparam("account"), _s.started_at > bindparam("since")
    )
)
_OPEN = Statement(
    select(_s.account, _s.provider, func.count())
    .join(schema.messages, _m.id == _s.message_id)
    .where(
        # letter by letter the condition of the index submissions_open: a handful of rows
        _s.state == "INFLIGHT",
        _s.started_at > bindparam("since"),
        _m.lease_owner != bindparam("owner"),
    )
    .group_by(_s.account, _s.provider)
)


def tallied(tx: Tx, name: str, since: datetime) -> int:
    """How many were counted under *name* after *since*."""
    row = tx.one(_TALLIED, {"name": name, "since": to_us(since)})
    return int(row[0]) if row else 0


def begun(tx: Tx, account: str, since: datetime) -> tuple[int, datetime | None]:
    """How many hand-overs *account* began after *since*, over all nodes, and when the first of them."""
    row = tx.one(_BEGUN, {"account": account, "since": to_us(since)})
    return (0, None) if row is None or not row[0] else (int(row[0]), from_us(row[1]))


def open_elsewhere(tx: Tx, owner: str, now: datetime) -> dict[tuple[str, str], int]:
    """(account, provider) → hand-overs under way that are not *owner*'s: other nodes', or of a process beside it.

    One whose lease has run out is nobody's, and no request is open for it any more.
    """
    values = {"owner": owner, "since": to_us(now - LEASE)}
    return {(account, provider): int(count) for account, provider, count in tx.rows(_OPEN, values)}


def twins(tx: Tx, message: Message, since: datetime) -> dict[str, datetime]:
    """Accounts that were given the very same text for this phone after *since*, and when last, by whichever node.

    Only the newest messages of the phone are looked at: nobody gets more within a minute.
    """
    values = {
        "message": message.id,
        "phone": message.phone,
        "text": message.text,
        "originator": message.originator,
        "way": message.way,
        "since": to_us(since),
        "most": _TWINS_AMONG,
    }
    return {account: from_us(at) for account, at in tx.rows(_TWINS, values)}
