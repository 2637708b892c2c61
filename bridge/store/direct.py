"""Messages that an operator writes and handles himself, outside of what dispatch decides.

Each act leaves a step in the journal with the name of whoever did it. A message that is on its way (INFLIGHT,
UNKNOWN) is never touched: only its provider knows what becomes of it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from sqlalchemy import bindparam, select, update

from bridge.errors import NotSent
from bridge.model import JournalEntry, Message, Spend
from bridge.store import journal, recall, rows, schema, spends
from bridge.store.attempts import Attempt, Choose, Claimed, NumberFirst, Prepared, Wait
from bridge.store.engine import Keys, Tx
from bridge.store.outbox import claim
from bridge.store.statements import Statement, insert, one_of, to_us, upsert

Reserve = Callable[[Tx, Message], Sequence[Spend]]

_m = schema.messages.c
_FIRST = -1  # urgency: before every class, so that a claim of one takes this one
_ADD = insert(schema.messages)
_RESERVE = insert(schema.spends)
_COUNTER = Statement(select(schema.counters.c.next).where(schema.counters.c.name == "message"))
_PUT_COUNTER = upsert(schema.counters, ("name",))
_WAITING = Statement(select(_m.id, _m.incident_id, _m.mail_id, _m.state).where(one_of(_m.id, "ids")))
_CANCEL = Statement(
    update(schema.messages)
    .where(one_of(_m.id, "ids"), _m.state.in_(("READY", "HELD")))
    .values(state="CANCELLED", reason=bindparam("why"), ended_at=bindparam("now"), lease_until=0)
)
_HOLD = Statement(
    update(schema.messages)
    .where(one_of(_m.id, "ids"), _m.state == "READY")
    .values(state="HELD", reason=bindparam("why"))
)
_RELEASE = Statement(
    update(schema.messages)
    .where(one_of(_m.id, "ids"), _m.state == "HELD")
    .values(state="READY", reason="", due_at=bindparam("now"))
)
_NOW = Statement(
    update(schema.messages)
    .where(one_of(_m.id, "ids"), _m.state == "READY")
    .values(due_at=bindparam("now"), lease_until=0)
)
_URGENCY = Statement(
    update(schema.messages).where(_m.id == bindparam("message")).values(urgency=bindparam("new_urgency"))
)

ACTS = {
    "cancel": (_CANCEL, ("READY", "HELD"), "message.cancelled"),
    "hold": (_HOLD, ("READY",), "message.held"),
    "release": (_RELEASE, ("HELD",), "message.released"),
    "retry": (_NOW, ("READY",), "message.hurried"),
}
"""What may be done to a message: its statement, the states it starts from, its word in the journal."""


def add(tx: Tx, message: Message, by: str, reserve: Reserve | None = None) -> Message:
    """Put a message into the queue; returned with its id. A running bridge sends it at its next look.

    *reserve* says what it takes from budgets; what it raises leaves nothing behind.
    """
    row = tx.one(_COUNTER)
    number = int(row[0]) if row else recall.COUNTERS["message"]
    tx.run(_PUT_COUNTER, {"name": "message", "next": number + 1})
    added = replace(message, id=number)
    tx.run(_ADD, rows.message_row(added))
    tx.many(_RESERVE, [rows.spend_row(each) for each in (reserve(tx, added) if reserve else ())])
    journal.add(tx, [_step(added.created_at, "message.created", added.id, 0, 0, {"rule": added.rule, "by": by})])
    return added


def add_and_claim(
    tx: Tx, message: Message, by: str, owner: str, choose: Choose, reserve: Reserve | None = None
) -> Claimed:
    """Put a message into the queue and take it at once, and no other. The caller submits it after the commit.

    Raises NotSent where *choose* has no provider for it; the operation then leaves nothing behind.
    """
    added = add(tx, message, by, reserve)
    tx.run(_URGENCY, {"message": added.id, "new_urgency": _FIRST})
    now = message.created_at

    def this_one(
        one: Message, attempts: Sequence[Attempt], twins: Mapping[str, datetime]
    ) -> Prepared | Wait | NumberFirst:
        return choose(one, attempts, twins) if one.id == added.id else Wait(now)

    claimed = claim(tx, now, owner, 1, this_one)
    tx.run(_URGENCY, {"message": added.id, "new_urgency": rows.message_row(message)["urgency"]})
    if not claimed:
        raise NotSent("no provider can take it now")
    return claimed[0]


def act(tx: Tx, verb: str, ids: Sequence[int], by: str, now: datetime, why: str = "") -> dict[int, str]:
    """Do *verb* of :data:`ACTS` to messages; those whose state does not fit stay as they are.

    Gives the state each one had before; an id that is not there is missing.
    """
    statement, fitting, kind = ACTS[verb]
    found = {row[0]: row for row in tx.rows(_WAITING, {"ids": Keys(ids)})}
    chosen = [row for row in found.values() if row[3] in fitting]
    if chosen:
        values = {"ids": Keys([row[0] for row in chosen]), "why": why, "now": to_us(now)}
        tx.run(statement, values)
        spends.give_back(tx, [row[0] for row in chosen])
        journal.add(tx, [_step(now, kind, row[0], row[1], row[2], {"by": by, "why": why}) for row in chosen])
    return {number: str(row[3]) for number, row in found.items()}


def _step(
    now: datetime, kind: str, message_id: int, incident_id: int, mail_id: int, data: dict[str, object]
) -> JournalEntry:
    return JournalEntry(now, kind, mail_id, incident_id, message_id, data)
