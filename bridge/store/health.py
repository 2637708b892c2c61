"""How well each gateway does, from real outcomes: what it took in the last hours, what arrived, and how soon."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from statistics import median
from typing import Any

from sqlalchemy import bindparam, select

from bridge.store import schema
from bridge.store.engine import Tx
from bridge.store.statements import Statement, from_us, to_us

SPAN = timedelta(hours=2)
_NEWEST = 200  # hand-overs of an account; more say nothing new
_FAIR = timedelta(minutes=3)  # a message that is younger may still arrive
_ENOUGH = 10  # messages that can be judged; fewer say nothing

_m, _s = schema.messages.c, schema.submissions.c
_NEXT_ACCOUNT = Statement(  # one step in the index; a DISTINCT would read all of it
    select(_s.account).where(_s.account > bindparam("after")).order_by(_s.account).limit(1)
)
_OUTCOMES = Statement(
    select(_s.provider, _s.state, _s.started_at, _m.state, _m.ended_at, _m.reason)
    .join(schema.messages, _m.id == _s.message_id)
    .where(_s.account == bindparam("account"), _s.started_at > bindparam("since"))
    .order_by(_s.started_at.desc())
    .limit(bindparam("most"))
)


@dataclass(frozen=True, slots=True)
class GatewayHealth:
    """Of one gateway. *judged* are messages that arrived, or had time to."""

    attempts: int  # hand-overs
    taken: int
    unknown: int  # whose answer was lost
    judged: int
    delivered: int
    lost: int  # the network said so
    seconds: float | None  # from the hand-over to the receipt, the middle one; None: nothing arrived
    virtual: int = 0  # of those delivered: the account was in test mode, and no phone got them

    @property
    def is_poor(self) -> bool:
        """Whether less than half of what it took arrives. Of one that brings no receipts at all that is not known."""
        speaks = self.delivered + self.lost > 0
        return speaks and self.judged >= _ENOUGH and 2 * self.delivered < self.judged


def look(tx: Tx, now: datetime) -> dict[str, GatewayHealth]:
    """Every gateway that was used lately, by its name."""
    values = {"since": to_us(now - SPAN), "most": _NEWEST}
    rows: dict[str, list[tuple[Any, ...]]] = {}
    for account in _accounts(tx):
        for provider, *row in tx.rows(_OUTCOMES, {"account": account, **values}):
            rows.setdefault(provider, []).append(tuple(row))
    return {provider: _health(found, now) for provider, found in rows.items()}


def _accounts(tx: Tx) -> Iterator[str]:
    """Every account that was ever used."""
    after = ""
    while (row := tx.one(_NEXT_ACCOUNT, {"after": after})) is not None:
        after = str(row[0])
        yield after


def _health(rows: Iterable[tuple[Any, ...]], now: datetime) -> GatewayHealth:
    attempts = taken = unknown = judged = lost = virtual = 0
    spans: list[float] = []
    for how, started_at, state, ended_at, reason in rows:
        attempts += 1
        unknown += how == "UNKNOWN"
        if how != "ACCEPTED":
            continue
        taken += 1
        if state == "DELIVERED" and ended_at is not None:
            spans.append((ended_at - started_at) / 1_000_000)
            virtual += reason != ""  # what arrived has no reason, unless its arrival proves nothing
        elif state in ("UNDELIVERED", "EXPIRED"):
            lost += 1
        elif now - from_us(started_at) < _FAIR:
            continue
        judged += 1
    seconds = median(spans) if spans else None
    return GatewayHealth(attempts, taken, unknown, judged, len(spans), lost, seconds, virtual)
