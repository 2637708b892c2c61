"""What became of what was handed over: questions, evidence, receipts, and hand-overs that nobody holds any more.

States only move forward: what a receipt said is never undone by a late outcome.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import bindparam, select, update

from bridge.model import Receipt
from bridge.store import rows, schema, spends
from bridge.store.attempts import (
    ADD_SUBMISSION,
    LEASE,
    UNDER_WAY,
    WATCHED,
    Attempt,
    Claimed,
    Watched,
    attempts_of,
    make_inflight,
    messages_of,
    submission_row,
)
from bridge.store.engine import Keys, Tx
from bridge.store.statements import Statement, insert, one_of, to_us

_m = schema.messages.c
_s = schema.submissions.c
_WATCH = Statement(
    update(schema.messages)
    .where(
        _m.id.in_(
            select(_m.id)
            .where(
                UNDER_WAY,
                _m.state != "INFLIGHT",
                _m.due_at <= bindparam("now"),
                _m.lease_until <= bindparam("now"),
            )
            .order_by(_m.due_at)
            .limit(bindparam("most"))
            .with_for_update(skip_locked=True)
        )
    )
    .values(lease_owner=bindparam("owner"), lease_until=bindparam("until"), fence=_m.fence + 1)
    .returning(_m.id)
)
_BY_IDS = Statement(select(schema.messages).where(one_of(_m.id, "ids")))
_EVIDENCE = Statement(
    update(schema.submissions)
    .where(_s.message_id == bindparam("message"), _s.attempt == bindparam("number"))
    .values(evidence=bindparam("new_evidence"))
)
_RECONSIDER = Statement(
    update(schema.messages).where(_m.id == bindparam("message"), _m.state == "HANDED_OVER").values(state="UNKNOWN")
)
_NEXT_LOOK = Statement(
    update(schema.messages)
    .where(_m.id == bindparam("message"), _m.state.in_(WATCHED))
    .values(due_at=bindparam("due"), lease_until=0)
)
_ORPHANS = Statement(
    update(schema.messages)
    .where(
        UNDER_WAY,
        _m.state == "INFLIGHT",
        (_m.lease_until <= bindparam("now"))
        | (_m.lease_owner.like(bindparam("node")) & (_m.lease_owner != bindparam("boot"))),
    )
    .values(state="UNKNOWN", due_at=bindparam("now"), lease_until=0)
    .returning(_m.id)
)
_ORPHAN_ATTEMPTS = Statement(
    update(schema.submissions)
    .where(one_of(_s.message_id, "ids"), _s.state == "INFLIGHT")
    .values(state="UNKNOWN", error="the bridge stopped before the answer", finished_at=bindparam("now"))
)
_RELEASE_BOOTS = Statement(
    update(schema.messages)
    .where(
        UNDER_WAY,
        _m.state != "INFLIGHT",
        _m.lease_until > 0,
        _m.lease_owner.like(bindparam("node")),
        _m.lease_owner != bindparam("boot"),
    )
    .values(lease_until=0)
)
_BY_CLIENT = Statement(
    select(_s.message_id, _m.phone)
    .join(schema.messages, _m.id == _s.message_id)
    .where(_s.account == bindparam("account"), _s.client_id == bindparam("client_id"))
    .limit(1)
)
_ADD_RECEIPT = insert(schema.receipts, or_ignore=True)
_COST = Statement(update(schema.messages).where(_m.id == bindparam("message")).values(cost=bindparam("new_cost")))


def again(tx: Tx, watched: Watched, now: datetime, owner: str) -> Claimed:
    """Repeat the last attempt letter by letter (same id, same request): INFLIGHT again."""
    last = watched.attempts[-1]
    attempt = Attempt(
        last.message_id, last.number + 1, last.provider, last.account, last.client_id, last.request, last.revision,
        "INFLIGHT", "", "", "", (), now, None,
    )  # fmt: skip
    tx.many(ADD_SUBMISSION, [submission_row(attempt)])
    claimed = Claimed(watched.message, attempt, now + LEASE, watched.attempts)
    make_inflight(tx, [claimed], owner)
    return claimed


def watch(tx: Tx, now: datetime, owner: str, most: int) -> list[Watched]:
    """Take messages whose fate should be asked for now."""
    taken = tx.rows(_WATCH, {"now": to_us(now), "most": most, "owner": owner, "until": to_us(now + LEASE)})
    return look(tx, [row[0] for row in taken])


def look(tx: Tx, ids: Sequence[int]) -> list[Watched]:
    """Messages with their attempts."""
    if not ids:
        return []
    attempts = attempts_of(tx, ids)
    found = messages_of(tx, _BY_IDS, ids=Keys(ids))
    return [Watched(message, tuple(attempts.get(message.id, ()))) for message in found]


def remember(tx: Tx, attempt: Attempt, evidence: Mapping[str, Any], next_look: datetime) -> None:
    """Add what a question brought to light, and say when to ask next."""
    whole = rows.dumps([*attempt.evidence, dict(evidence)][-50:])
    tx.run(_EVIDENCE, {"message": attempt.message_id, "number": attempt.number, "new_evidence": whole})
    look_again(tx, attempt.message_id, next_look)


def reconsider(tx: Tx, message_id: int) -> None:
    """What was only handed over is in doubt: a mail relay has it, the provider may not. Others stay as they are."""
    tx.run(_RECONSIDER, {"message": message_id})


def look_again(tx: Tx, message_id: int, due: datetime) -> None:
    """Ask for this message's fate at *due*."""
    tx.run(_NEXT_LOOK, {"message": message_id, "due": to_us(due)})


def orphans(tx: Tx, node: str, boot: str, now: datetime) -> list[int]:
    """INFLIGHT of an earlier boot of this node, or with a lease that ran out, becomes UNKNOWN.

    What an earlier boot was asking after may be asked after again at once: a lost answer has a deadline.
    """
    tx.run(_RELEASE_BOOTS, {"node": f"{node}/%", "boot": boot})
    found = [row[0] for row in tx.rows(_ORPHANS, {"now": to_us(now), "node": f"{node}/%", "boot": boot})]
    if found:
        tx.run(_ORPHAN_ATTEMPTS, {"ids": Keys(found), "now": to_us(now)})
    return found


def run_out(tx: Tx, now: datetime) -> list[int]:
    """INFLIGHT whose lease ran out becomes UNKNOWN, whoever held it (F13)."""
    return orphans(tx, "", "", now)


def receive(
    tx: Tx, receipt: Receipt, event_key: str, account: str, client_id: str, phone: str, now: datetime
) -> Receipt | None:
    """Keep a receipt once. Returns it with its message, or None: seen before, or not about a message of ours.

    The pair (id, phone) must be ours (threats T24). A receipt that comes before its message is known
    cannot exist here: ids are committed before the first byte.
    """
    row = tx.one(_BY_CLIENT, {"account": account, "client_id": client_id})
    ours = row is not None and row[1].lstrip("+") == phone.lstrip("+")
    message_id = row[0] if row is not None and ours else 0
    added = tx.run(
        _ADD_RECEIPT,
        {
            "event_key": event_key,
            "message_id": message_id,
            "provider": receipt.provider,
            "account": account,
            "client_id": client_id,
            "phone": phone,
            "state": receipt.state,
            "code": receipt.code,
            "error": receipt.error,
            "at": None if receipt.at is None else to_us(receipt.at),
            "received_at": to_us(now),
        },
    )
    if added != 1 or not message_id:
        return None
    return replace(receipt, message_id=message_id)


def set_cost(tx: Tx, message_id: int, cost: str, charge: spends.Charge | None = None) -> None:
    """The real price, as a poll with our credentials told it."""
    tx.run(_COST, {"message": message_id, "new_cost": cost})
    spends.settle(tx, [spends.Paid(message_id, Decimal(cost))], charge)
