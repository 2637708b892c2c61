"""What came in by SMS or call: kept once, then answered like any other happening."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import bindparam, select

from bridge.model import Call, Reply
from bridge.store import schema
from bridge.store.engine import Tx
from bridge.store.statements import Statement, from_us, insert, to_us

_r = schema.replies.c
_ADD = insert(schema.replies, without=("id", "state", "read_as", "incident_id"), or_ignore=True)
_WAITING = Statement(
    select(_r.id, _r.kind, _r.phone, _r.to, _r.text, _r.provider, _r.received_at, _r.answers, _r.proven)
    .where(_r.state == "RECEIVED")
    .order_by(_r.id)
    .limit(bindparam("most"))
)
_RANG = Statement(
    select(_r.id)
    .where(
        _r.kind == "call",
        _r.phone == bindparam("phone"),
        _r.received_at >= bindparam("since"),
        _r.received_at <= bindparam("until"),
    )
    .limit(1)
)
_ONE_CALL = timedelta(seconds=90)


def ring(tx: Tx, event_key: str, provider: str, phone: str, to: str, rang_at: datetime) -> bool:
    """Keep a call once; False when it was seen before. A post and a poll of one call have nothing in common but the
    phone and the time: what rang within a minute and a half of a known call is that call."""
    values = {"phone": phone, "since": to_us(rang_at - _ONE_CALL), "until": to_us(rang_at + _ONE_CALL)}
    if tx.one(_RANG, values) is not None:
        return False
    return keep(tx, event_key, "call", provider, phone, to, "", rang_at)


def keep(
    tx: Tx, event_key: str, kind: str, provider: str, phone: str, to: str, text: str, now: datetime, *,
    answers: int = 0, proven: bool = True,
) -> bool:  # fmt: skip
    """Keep an inbound SMS (*kind* ``sms``) or call (``call``) once; False when it was seen before (T25).

    *answers* is the message it answers, if that is known; what is not *proven* anybody may have made up (T24).
    """
    return (
        tx.run(
            _ADD,
            {
                "event_key": event_key,
                "kind": kind,
                "provider": provider,
                "phone": phone,
                "to": to,
                "text": text[:2000],
                "received_at": to_us(now),
                "answers": answers,
                "proven": int(proven),
            },
        )
        == 1
    )


def waiting(tx: Tx, most: int) -> list[Reply | Call]:
    """What nobody has answered yet, oldest first."""
    found: list[Reply | Call] = []
    for number, kind, phone, to, text, provider, at, answers, proven in tx.rows(_WAITING, {"most": most}):
        if kind == "call":
            found.append(Call(number, phone, to, provider, from_us(at)))
        else:
            found.append(Reply(number, phone, to, text, provider, answers, bool(proven)))
    return found
