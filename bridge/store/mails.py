"""Mails at the door: kept before the ``250``, taken up again after a start, set aside when they cannot be read."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, bindparam, func, select, update

from bridge.model import Envelope, StoredMail
from bridge.store import rows, schema
from bridge.store.engine import Keys, Tx
from bridge.store.statements import Statement, from_us, insert, one_of, to_us

_mails, _bodies = schema.mails, schema.mail_bodies

_KEEP = Statement(
    schema.mails.insert().values(
        received_at=bindparam("received_at"),
        door=bindparam("door"),
        mail_from=bindparam("mail_from"),
        recipients=bindparam("recipients"),
        size=bindparam("size"),
        due_at=bindparam("received_at"),
        lease_owner=bindparam("lease_owner"),
        lease_until=bindparam("lease_until"),
        state="RECEIVED",
    )
)
_KEEP_BODY = insert(_bodies)


def _claim(*which: ColumnElement[bool]) -> Statement:
    due = (
        select(_mails.c.id)
        .where(
            _mails.c.state == "RECEIVED",
            _mails.c.due_at <= bindparam("now"),
            _mails.c.lease_until <= bindparam("now"),
            *which,
        )
        .order_by(_mails.c.attempts, _mails.c.due_at)
        .limit(bindparam("most"))
        .with_for_update(skip_locked=True)
    )
    return Statement(
        update(_mails)
        .where(_mails.c.id.in_(due))
        .values(
            attempts=_mails.c.attempts + 1,
            lease_owner=bindparam("owner"),
            lease_until=bindparam("until"),
            fence=_mails.c.fence + 1,
        )
        .returning(_mails.c.id, _mails.c.attempts)
    )


_CLAIM = _claim(_mails.c.attempts == 0)
_CLAIM_AGAIN = _claim(_mails.c.attempts > 0)
_LOAD = Statement(
    select(_mails.c.id, _mails.c.attempts, _mails.c.received_at, _bodies.c.envelope, _bodies.c.content)
    .join(_bodies, _bodies.c.mail_id == _mails.c.id)
    .where(one_of(_mails.c.id, "ids"))
    .order_by(_mails.c.id)
)
_RELEASE_BOOTS = Statement(
    update(_mails)
    .where(
        _mails.c.state == "RECEIVED",
        _mails.c.lease_owner.like(bindparam("node")),
        _mails.c.lease_owner != bindparam("boot"),
    )
    .values(lease_until=0)
)
_QUARANTINE = Statement(update(_mails).where(_mails.c.id == bindparam("mail")).values(state="QUARANTINED"))
_RETRY = Statement(
    update(_mails)
    .where(_mails.c.id == bindparam("mail"), _mails.c.state.in_(("QUARANTINED", "RECEIVED")))
    .values(state="RECEIVED", attempts=0, lease_until=0, due_at=bindparam("now"))
)
_REWRITE = Statement(update(_bodies).where(_bodies.c.mail_id == bindparam("mail")).values(content=bindparam("bytes")))
_WAITING = Statement(select(func.count(), func.min(_mails.c.received_at)).where(_mails.c.state == "RECEIVED"))

LEASE = timedelta(seconds=30)


def keep(tx: Tx, envelope: Envelope, owner: str) -> int:
    """Store the envelope and its bytes; the mail's id. The caller's node holds it until the lease runs out."""
    received = to_us(envelope.received_at)
    number = tx.add(
        _KEEP,
        {
            "received_at": received,
            "door": envelope.door,
            "mail_from": envelope.mail_from,
            "recipients": rows.dumps([r.address for r in envelope.recipients]),
            "size": len(envelope.content),
            "lease_owner": owner,
            "lease_until": to_us(envelope.received_at + LEASE),
        },
    )
    tx.run(_KEEP_BODY, {"mail_id": number, "envelope": rows.envelope_json(envelope), "content": envelope.content})
    return number


def claim(tx: Tx, owner: str, now: datetime, most: int) -> list[StoredMail]:
    """Mails that nobody reads: left by a crash, or by an intake that was full. Counts as an attempt.

    One that was begun before comes alone: if it is what ended the process, no other mail is blamed for it (F26).
    """
    values = {"now": to_us(now), "owner": owner, "until": to_us(now + LEASE)}
    claimed = tx.rows(_CLAIM_AGAIN, {**values, "most": 1}) or tx.rows(_CLAIM, {**values, "most": most})
    return load(tx, [row[0] for row in claimed]) if claimed else []


def load(tx: Tx, ids: list[int]) -> list[StoredMail]:
    """Mails with their bytes, oldest first; those whose body is gone are left out."""
    found = tx.rows(_LOAD, {"ids": Keys(ids)})
    return [StoredMail(row[0], rows.envelope(row[3], row[4], row[2]), row[1]) for row in found]


def release_old_boots(tx: Tx, node: str, boot: str) -> int:
    """At a start: what an earlier boot of this very node held is free again (threats §2)."""
    return tx.run(_RELEASE_BOOTS, {"node": f"{node}/%", "boot": boot})


def quarantine(tx: Tx, number: int) -> None:
    """Set a mail aside that stopped its reader three times."""
    tx.run(_QUARANTINE, {"mail": number})


def retry(tx: Tx, number: int, now: datetime) -> bool:
    """Read a mail again that was set aside."""
    return tx.run(_RETRY, {"mail": number, "now": to_us(now)}) == 1


def rewrite(tx: Tx, number: int, content: bytes) -> None:
    """Keep *content* in place of what a mail was (threats T29: a colon mail, its password masked)."""
    tx.run(_REWRITE, {"mail": number, "bytes": content})


def waiting(tx: Tx) -> tuple[int, datetime | None]:
    """How many mails wait to be read, and since when the oldest does."""
    count, oldest = tx.rows(_WAITING)[0]
    return count, None if oldest is None else from_us(oldest)
