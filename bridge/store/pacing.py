"""What a claim counts before it takes more: what has begun, what others have under way, who was given the same."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import BigInteger, bindparam, cast, func, select
from sqlalchemy.sql import ClauseElement

from bridge.model import Message
from bridge.store import schema
from bridge.store.attempts import LEASE
from bridge.store.engine import Keys, Tx
from bridge.store.rows import text_hash
from bridge.store.statements import Statement, each_of, from_us, to_us

_m = schema.messages.c
_s = schema.submissions.c
SAME_TEXT_PAUSE = timedelta(seconds=61)
"""One identical request a minute is what an account allows at the families that have this rule."""

_TWINS_AMONG = 50


def _twins(dialect: str) -> ClauseElement:
    """Submissions of the newest messages that have phone and text of one that is *wanted*: [place, phone, hash]."""
    wanted = each_of("wanted", dialect)
    place, phone, text_hash = (wanted.c.value.op("->>")(number) for number in range(3))
    other = schema.messages.alias("other")
    newest = (
        select(other.c.id)  # phone, hash and id stand in the index messages_phone: no row is read but a twin's
        .where(other.c.phone == phone, other.c.text_hash == cast(text_hash, BigInteger))
        .order_by(other.c.id.desc())
        .limit(bindparam("most"))
        .correlate(wanted)
    )
    return (
        select(cast(place, BigInteger), _m.id, _m.text, _m.originator, _m.way, _s.account, _s.started_at)
        .select_from(wanted.join(schema.messages, _m.id.in_(newest)))
        .join(schema.submissions, _s.message_id == _m.id)
        .where(_s.started_at > bindparam("since"), _s.state != "NOT_SENT")
    )


_TWINS = Statement(_twins)
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


def twins(tx: Tx, messages: Sequence[Message], now: datetime) -> list[dict[str, datetime]]:
    """For each of *messages* the accounts that were given the very same text for its phone less than
    ``SAME_TEXT_PAUSE`` ago, and when last, by whichever node.

    Only the newest with that text are looked at: nobody gets more within a minute.
    """
    wanted = Keys([place, one.phone, text_hash(one.text)] for place, one in enumerate(messages))
    values = {"wanted": wanted, "since": to_us(now - SAME_TEXT_PAUSE), "most": _TWINS_AMONG}
    found: list[dict[str, datetime]] = [{} for _ in messages]
    for place, other, text, originator, way, account, at in tx.rows(_TWINS, values):
        one, last = messages[place], found[place]
        if other != one.id and (text, originator, way) == (one.text, one.originator, one.way):
            last[account] = max(from_us(at), last.get(account, from_us(at)))
    return found
