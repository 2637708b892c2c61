"""Outgoing mails: a queue like any other, claimed by lease, retried by error kind."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import bindparam, select, update

from bridge.model import OutgoingMail
from bridge.store import schema
from bridge.store.engine import Tx
from bridge.store.statements import Statement, columns_of, from_us, to_us

_o = schema.outgoing_mails.c
_COLUMNS = columns_of(schema.outgoing_mails)
LEASE = timedelta(seconds=180)

_CLAIM = Statement(
    update(schema.outgoing_mails)
    .where(
        _o.id.in_(
            select(_o.id)
            .where(_o.state == "READY", _o.due_at <= bindparam("now"), _o.lease_until <= bindparam("now"))
            .order_by(_o.due_at)
            .limit(bindparam("most"))
            .with_for_update(skip_locked=True)
        )
    )
    .values(
        attempts=_o.attempts + 1, lease_owner=bindparam("owner"), lease_until=bindparam("until"), fence=_o.fence + 1
    )
    .returning(*schema.outgoing_mails.c)
)
_DONE = Statement(
    update(schema.outgoing_mails)
    .where(_o.id == bindparam("mail"))
    .values(state=bindparam("new_state"), reason=bindparam("why"), due_at=bindparam("due"), lease_until=0)
)
_NARROW = Statement(
    update(schema.outgoing_mails)
    .where(_o.id == bindparam("mail"))
    .values(to=bindparam("recipients"), state="READY", reason=bindparam("why"), due_at=bindparam("due"), lease_until=0)
)
_RELEASE = Statement(
    update(schema.outgoing_mails)
    .where(_o.state == "READY", _o.lease_owner.like(bindparam("node")), _o.lease_owner != bindparam("boot"))
    .values(lease_until=0)
)


def claim(tx: Tx, now: datetime, owner: str, most: int) -> list[tuple[OutgoingMail, int]]:
    """Due mails, each with the number of this attempt."""
    taken = tx.rows(_CLAIM, {"now": to_us(now), "most": most, "owner": owner, "until": to_us(now + LEASE)})
    return [_mail(dict(zip(_COLUMNS, row, strict=True))) for row in taken]


def sent(tx: Tx, number: int, now: datetime) -> None:
    """The relay has it."""
    tx.run(_DONE, {"mail": number, "new_state": "SENT", "why": "", "due": to_us(now)})


def failed(tx: Tx, number: int, why: str, now: datetime) -> None:
    """It will never go: the relay said so, or it is too old."""
    tx.run(_DONE, {"mail": number, "new_state": "FAILED", "why": why, "due": to_us(now)})


def later(tx: Tx, number: int, why: str, due: datetime) -> None:
    """Try again at *due*."""
    tx.run(_DONE, {"mail": number, "new_state": "READY", "why": why, "due": to_us(due)})


def narrow(tx: Tx, number: int, recipients: Sequence[str], why: str, due: datetime) -> None:
    """Try again at *due*, for these recipients only: the others have it."""
    tx.run(_NARROW, {"mail": number, "recipients": json.dumps(list(recipients)), "why": why, "due": to_us(due)})


def release_old_boots(tx: Tx, node: str, boot: str) -> int:
    """At a start: what an earlier boot of this node held may go again."""
    return tx.run(_RELEASE, {"node": f"{node}/%", "boot": boot})


def _mail(values: dict[str, Any]) -> tuple[OutgoingMail, int]:
    mail = OutgoingMail(
        id=values["id"],
        kind=values["kind"],
        envelope_from=values["envelope_from"],
        to=tuple(json.loads(values["to"])),
        message_id=values["message_id"],
        subject=values["subject"],
        content=values["content"],
        created_at=from_us(values["created_at"]),
        due_at=from_us(values["due_at"]),
        incident_id=values["incident_id"],
        mail_id=values["mail_id"],
    )
    return mail, values["attempts"]
