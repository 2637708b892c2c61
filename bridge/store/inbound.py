"""What came in by SMS or call: kept once, then answered like any other happening."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import bindparam, select

from bridge.model import Call, Reply
from bridge.store import schema
from bridge.store.engine import Tx
from bridge.store.statements import Statement, insert, to_us

_r = schema.replies.c
_ADD = insert(schema.replies, without=("id", "state", "read_as", "incident_id"), or_ignore=True)
_WAITING = Statement(
    select(_r.id, _r.kind, _r.phone, _r.to, _r.text, _r.provider)
    .where(_r.state == "RECEIVED")
    .order_by(_r.id)
    .limit(bindparam("most"))
)


def keep(tx: Tx, event_key: str, kind: str, provider: str, phone: str, to: str, text: str, now: datetime) -> bool:
    """Keep an inbound SMS (*kind* ``sms``) or call (``call``) once; False when it was seen before (T25)."""
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
            },
        )
        == 1
    )


def waiting(tx: Tx, most: int) -> list[Reply | Call]:
    """What nobody has answered yet, oldest first."""
    found: list[Reply | Call] = []
    for number, kind, phone, to, text, provider in tx.rows(_WAITING, {"most": most}):
        found.append(Call(number, phone, to, provider) if kind == "call" else Reply(number, phone, to, text, provider))
    return found
