"""What providers gave us to remember: their ids of messages, and who wants nothing more by some way."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from sqlalchemy import bindparam, func, select

from bridge.model import JournalEntry, Receipt, Unsubscribed
from bridge.store import journal, schema
from bridge.store.engine import Tx
from bridge.store.statements import Statement, from_us, to_us

_m, _s = schema.messages.c, schema.submissions.c
_MOST = 200  # hand-overs to one phone in a day
_UNDER_WAY = Statement(
    select(_s.client_id, _m.phone)
    .join(schema.messages, _m.id == _s.message_id)
    .where(
        # letter by letter the condition of the index messages_watched: few messages are under way
        _m.state.in_(("INFLIGHT", "UNKNOWN", "ACCEPTED", "ACCEPTED_NO_ID", "HANDED_OVER")),
        _s.account == bindparam("account"),
        (_s.provider_id == bindparam("provider_id"))
        | (" " + _s.provider_id + " ").like(bindparam("among"), escape="\\"),
    )
    .distinct()
    .limit(2)
)
_ANSWERED = Statement(
    select(_m.id, _s.provider_id)
    .join(schema.submissions, _m.id == _s.message_id)
    .where(
        _m.phone == bindparam("phone"),
        _s.account == bindparam("account"),
        _s.provider_id != "",
        _s.started_at >= bindparam("since"),
    )
    .order_by(_m.id.desc())
    .limit(_MOST)
)
_UNDER_WAY_BY_OURS = Statement(
    select(_s.client_id, _m.phone)
    .join(schema.messages, _m.id == _s.message_id)
    .where(
        _m.state.in_(("INFLIGHT", "UNKNOWN", "ACCEPTED", "ACCEPTED_NO_ID", "HANDED_OVER")),
        _s.account == bindparam("account"),
        _s.client_id == bindparam("client_id"),
    )
    .limit(1)
)
_WRITTEN_TO = Statement(
    select(_s.message_id)
    .join(schema.messages, _m.id == _s.message_id)
    .where(
        _m.phone == bindparam("phone"),
        _s.account == bindparam("account"),
        _s.state == "ACCEPTED",
        _s.started_at >= bindparam("since"),
    )
    .limit(1)
)

_u = schema.unsubscribed.c
_UNSUBSCRIBED = Statement(select(_u.account, _u.way).where(_u.phone == bindparam("phone")).order_by(_u.account, _u.way))
_EVERYBODY = Statement(select(_u.account, _u.way, _u.phone, _u.since).order_by(_u.since, _u.phone, _u.account, _u.way))
_SUBSCRIBE = Statement(
    schema.unsubscribed.delete().where(
        _u.phone == bindparam("the_phone"), _u.account == bindparam("the_account"), _u.way == bindparam("the_way")
    )
)
_ANYBODY = Statement(select(_u.phone).limit(1))

_TAKEN_BACK = "phone.subscribed"  # the kind of the step that says so
_BEGUN = Statement(
    select(_m.phone, _m.incident_id, func.max(_s.started_at))
    .join(schema.messages, _m.id == _s.message_id)
    .where(_s.message_id == bindparam("message"), _s.account == bindparam("account"))
    .group_by(_m.phone, _m.incident_id)
)
_j = schema.journal.c
_STEP_BEFORE = Statement(  # the first of its incident, which has an index; times have none
    select(func.min(_j.seq)).where(
        _j.incident_id != 0, _j.incident_id == bindparam("incident"), _j.at <= bindparam("begun")
    )
)
_BACK_SINCE = Statement(
    select(_j.data).where(_j.seq > bindparam("step"), _j.kind == _TAKEN_BACK, _j.at >= bindparam("begun"))
)


def under_way(tx: Tx, account: str, provider_id: str) -> tuple[str, str] | None:
    """Our id and the phone of the message that *account*'s provider calls *provider_id*, if its end is not known.

    A provider may have several ids for one message, one for each way. An id that fits two messages fits none.
    """
    among = "".join(f"\\{letter}" if letter in "\\%_" else letter for letter in provider_id)
    values = {"account": account, "provider_id": provider_id, "among": f"% {among} %"}
    found = list(tx.rows(_UNDER_WAY, values))
    return (found[0][0], found[0][1]) if len(found) == 1 else None


def answered(tx: Tx, account: str, provider_id: str, phone: str, since: datetime) -> int:
    """The message handed over to *phone* since then that the provider calls *provider_id*; 0 = none."""
    rows = tx.rows(_ANSWERED, {"phone": phone, "account": account, "since": to_us(since)})
    return next((int(number) for number, ids in rows if provider_id in ids.split()), 0)


def unsubscribed(tx: Tx, phone: str) -> tuple[tuple[str, str], ...]:
    """(account, way) by which *phone* wants nothing any more."""
    return tuple((row[0], row[1]) for row in tx.rows(_UNSUBSCRIBED, {"phone": phone}))


def is_anybody_unsubscribed(tx: Tx) -> bool:
    """Whether anybody is: mostly nobody, so nobody has to be looked up."""
    return tx.one(_ANYBODY) is not None


def all_unsubscribed(tx: Tx) -> list[Unsubscribed]:
    """Everybody who wants nothing more by some way, oldest first."""
    return [Unsubscribed(account, way, phone, from_us(since)) for account, way, phone, since in tx.rows(_EVERYBODY)]


def subscribe_again(tx: Tx, chosen: Sequence[Unsubscribed], by: str, now: datetime) -> list[Unsubscribed]:
    """Take *chosen* back, for *by* (a name); those that were still there. Each leaves a step in the journal."""
    found = [
        one
        for one in chosen
        if tx.run(_SUBSCRIBE, {"the_phone": one.phone, "the_account": one.account, "the_way": one.way})
    ]
    journal.add(tx, [JournalEntry(now, _TAKEN_BACK, data=_step(one, by)) for one in found])
    return found


def as_it_stands(tx: Tx, receipt: Receipt) -> Receipt:
    """*receipt* without what an operator took back after its hand-over began.

    A message may end days later, and says then of the person what he had asked before he subscribed again.
    """
    left = [(account, way) for account, way in receipt.unsubscribed if not _back(tx, receipt.message_id, account, way)]
    return replace(receipt, unsubscribed=tuple(left)) if receipt.unsubscribed else receipt


def _back(tx: Tx, message_id: int, account: str, way: str) -> bool:
    """Whether *way* was taken back since the last hand-over of that message to *account* began."""
    row = tx.one(_BEGUN, {"message": message_id, "account": account})
    if row is None:
        return False
    phone, incident, begun = row
    before = tx.one(_STEP_BEFORE, {"incident": incident, "begun": begun})
    step = before[0] if before is not None and before[0] is not None else 0
    wanted = {"phone": phone, "way": way, "account": account}
    return any(
        wanted.items() <= json.loads(data).items() for (data,) in tx.rows(_BACK_SINCE, {"step": step, "begun": begun})
    )


def _step(one: Unsubscribed, by: str) -> dict[str, object]:
    return {"phone": one.phone, "way": one.way, "account": one.account, "since": one.since.isoformat(), "by": by}


def under_way_by_ours(tx: Tx, account: str, client_id: str) -> tuple[str, str] | None:
    """The same for a message by the id that we gave it there."""
    row = tx.one(_UNDER_WAY_BY_OURS, {"account": account, "client_id": client_id})
    return None if row is None else (row[0], row[1])


def wrote_to(tx: Tx, account: str, phone: str, since: datetime) -> bool:
    """Whether *account* took a message for *phone* since then."""
    return tx.one(_WRITTEN_TO, {"account": account, "phone": phone, "since": to_us(since)}) is not None
