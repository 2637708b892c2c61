"""Deciding in a transaction: load what is needed, let the pure functions decide, write what follows.

Many happenings are decided in one transaction, and what they change is written table by table: that is
what keeps a mail at a few statements (``docs/explanation/decisions.md``). In SQLite the one writer is the
lock; two processes meet at ``BEGIN IMMEDIATE``, so deciding at once equals a serial order.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import bindparam, select, update

from bridge.memory import Known, Memory, Needs
from bridge.model import Call, Conversation, Due, Happening, Plan, Reading, Receipt, Reply
from bridge.store import given, recall, rows, schema, spends
from bridge.store.engine import Keys, Tx
from bridge.store.statements import Statement, insert, one_of, to_us, upsert

_PUT_INCIDENT = upsert(schema.incidents, ("id",))
_ADD_NOTIFICATION = insert(schema.notifications)
_ADD_MESSAGE = insert(schema.messages)
_PUT_CONVERSATION = upsert(schema.conversations, ("phone", "code"))
_ADD_TIMER = insert(schema.timers, without=("id",))
_PUT_HELD = upsert(schema.held, ("bundle", "member"))
_DROP_HELD = Statement(
    schema.held.delete().where(
        schema.held.c.bundle == bindparam("in_bundle"), schema.held.c.member == bindparam("the_member")
    )
)
_ADD_TALLY = insert(schema.tallies, without=("id",))
_ADD_SPEND = insert(schema.spends)
_PUT_SILENCE = upsert(schema.silences, ("id",))
_ADD_OVERRIDE = insert(schema.overrides, without=("id",))
_PUT_STOP = upsert(schema.stops, ("phone",))
_ADD_UNSUBSCRIBED = insert(schema.unsubscribed, or_ignore=True)
_DROP_STOP = Statement(schema.stops.delete().where(schema.stops.c.phone == bindparam("the_phone")))
_DROP_TIMER_NAMED = Statement(
    schema.timers.delete().where(schema.timers.c.name != "", schema.timers.c.name == bindparam("the_name"))
)
_DROP_TIMER = Statement(schema.timers.delete().where(schema.timers.c.id == bindparam("timer")))
_ADD_MAIL = insert(schema.outgoing_mails)
_ADD_JOURNAL = insert(schema.journal, without=("seq",))
_PUT_NOTICE = upsert(schema.notices, ("cause",))
_PUT_COUNTER = upsert(schema.counters, ("name",))
_ADD_EVENT = insert(schema.events)
_MAIL_PLANNED = Statement(
    update(schema.mails)
    .where(schema.mails.c.id == bindparam("mail"), schema.mails.c.state == "RECEIVED")
    .values(
        state=bindparam("new_state"),
        source=bindparam("new_source"),
        subject=bindparam("new_subject"),
        message_id=bindparam("new_message_id"),
        digest=bindparam("new_digest"),
        fates=bindparam("new_fates"),
    )
)
_CANCEL = Statement(
    update(schema.messages)
    .where(schema.messages.c.id == bindparam("message"), schema.messages.c.state.in_(("READY", "HELD")))
    .values(state="CANCELLED", reason=bindparam("why"), ended_at=bindparam("now"))
)
_MOVE = Statement(
    update(schema.messages)
    .where(schema.messages.c.id == bindparam("message"))
    .values(state=bindparam("new_state"), reason=bindparam("why"), ended_at=bindparam("now"))
)
_REPLY_READ = Statement(
    update(schema.replies)
    .where(schema.replies.c.id == bindparam("reply"))
    .values(state="DONE", read_as=bindparam("as_what"), incident_id=bindparam("incident"))
)
_UNDECIDED = Statement(
    select(schema.mails.c.id).where(one_of(schema.mails.c.id, "ids"), schema.mails.c.state == "RECEIVED")
)
_REPLIES_LEFT = Statement(
    select(schema.replies.c.id).where(one_of(schema.replies.c.id, "ids"), schema.replies.c.state == "RECEIVED")
)
_TIMERS_LEFT = Statement(select(schema.timers.c.id).where(one_of(schema.timers.c.id, "ids")))

NeedsOf = Callable[[Happening, Known], Needs]
Decide = Callable[[Happening, Memory], Plan]


@dataclass(frozen=True, slots=True)
class Decided:
    """A happening with what followed from it; *error* stands where ``decide`` itself failed."""

    happening: Happening
    plan: Plan
    error: Exception | None = None


@dataclass(slots=True)
class _Writes:
    """What all plans of one transaction change, gathered by table."""

    incidents: dict[int, rows.Values] = field(default_factory=dict)
    notifications: list[rows.Values] = field(default_factory=list)
    messages: list[rows.Values] = field(default_factory=list)
    conversations: dict[tuple[str, str], Conversation] = field(default_factory=dict)
    timers: list[rows.Values] = field(default_factory=list)
    timers_done: list[rows.Values] = field(default_factory=list)
    named: dict[str, rows.Values | None] = field(default_factory=dict)
    held: dict[tuple[str, str], rows.Values | None] = field(default_factory=dict)
    tallies: list[rows.Values] = field(default_factory=list)
    spends: list[rows.Values] = field(default_factory=list)
    silences: dict[int, rows.Values] = field(default_factory=dict)
    overrides: list[rows.Values] = field(default_factory=list)
    stops: dict[str, rows.Values | None] = field(default_factory=dict)
    unsubscribed: list[rows.Values] = field(default_factory=list)
    mails: list[rows.Values] = field(default_factory=list)
    journal: list[rows.Values] = field(default_factory=list)
    notices: dict[str, rows.Values] = field(default_factory=dict)
    events: list[rows.Values] = field(default_factory=list)
    planned: list[rows.Values] = field(default_factory=list)
    cancel: list[rows.Values] = field(default_factory=list)
    states: list[rows.Values] = field(default_factory=list)
    replies: list[rows.Values] = field(default_factory=list)


def plan(tx: Tx, happenings: Sequence[Happening], needs: NeedsOf, decide: Decide, now: datetime) -> list[Decided]:
    """Decide *happenings* one after the other and write everything at once.

    A happening that is no longer open (its mail was planned, its timer fired, its reply read by somebody
    else) is passed over: that is what makes a second look at the same row harmless.
    """
    still_open = [_as_it_stands(tx, happening) for happening in _still_open(tx, happenings)]
    due = [each.timer.name for each in still_open if isinstance(each, Due) and each.timer.name]
    known = recall.known(tx, due, now)
    memory = recall.load(tx, Needs.of(needs(each, known) for each in still_open), now, known)
    before = dict(memory.counters)
    writes = _Writes()
    decided = [_one(happening, decide, memory, writes, now) for happening in still_open]
    _write(tx, writes)
    tx.many(_PUT_COUNTER, [{"name": n, "next": v} for n, v in memory.counters.items() if before.get(n) != v])
    return decided


def _one(happening: Happening, decide: Decide, memory: Memory, writes: _Writes, now: datetime) -> Decided:
    try:
        decision = decide(happening, memory)
    except Exception as error:  # noqa: BLE001 - this one stays as it is and is counted; the others go on (threats F26)
        return Decided(happening, Plan(), error)
    if isinstance(happening, Reading):
        memory.apply(decision, happening)
    else:
        memory.apply(decision)
    _gather(writes, happening, decision, now)
    return Decided(happening, decision)


def _still_open(tx: Tx, happenings: Sequence[Happening]) -> list[Happening]:
    mails = [h.mail_id for h in happenings if isinstance(h, Reading)]
    replies = [h.id for h in happenings if isinstance(h, Reply | Call)]
    timers = [h.timer.id for h in happenings if isinstance(h, Due)]
    open_mails = {row[0] for row in tx.rows(_UNDECIDED, {"ids": Keys(mails)})} if mails else set()
    open_replies = {row[0] for row in tx.rows(_REPLIES_LEFT, {"ids": Keys(replies)})} if replies else set()
    open_timers = {row[0] for row in tx.rows(_TIMERS_LEFT, {"ids": Keys(timers)})} if timers else set()

    def is_open(happening: Happening) -> bool:
        match happening:
            case Reading():
                return _taken(open_mails, happening.mail_id)
            case Reply() | Call():
                return _taken(open_replies, happening.id)
            case Due():
                return _taken(open_timers, happening.timer.id)
        return True

    return [happening for happening in happenings if is_open(happening)]


def _as_it_stands(tx: Tx, happening: Happening) -> Happening:
    return given.as_it_stands(tx, happening) if isinstance(happening, Receipt) else happening


def _taken(still_open: set[int], number: int) -> bool:
    """Whether *number* is among those; then no longer: a batch may hold one mail twice, from the hand and the store."""
    found = number in still_open
    still_open.discard(number)
    return found


def _gather(writes: _Writes, happening: Happening, decision: Plan, now: datetime) -> None:
    writes.incidents.update({i.id: rows.incident_row(i) for i in decision.incidents})
    writes.notifications.extend(map(rows.notification_row, decision.notifications))
    writes.messages.extend(map(rows.message_row, decision.messages))
    writes.conversations.update({(c.phone, c.code): c for c in decision.conversations})
    _gather_waiting(writes, decision)
    writes.mails.extend(map(rows.outgoing_row, decision.mails))
    writes.journal.extend(map(rows.journal_row, decision.journal))
    writes.notices.update({n.cause: rows.notice_row(n) for n in decision.notices})
    writes.cancel.extend({"message": m, "why": why, "now": to_us(now)} for m, why in decision.cancel)
    writes.states.extend(
        {"message": m, "new_state": state, "why": why, "now": to_us(now)} for m, state, why in decision.states
    )
    match happening:
        case Reading():
            _gather_reading(writes, happening, decision)
        case Due():
            writes.timers_done.append({"timer": happening.timer.id})
        case Reply() | Call():
            incident = next((i.id for i in decision.incidents), 0) or next(
                (entry.incident_id for entry in decision.journal if entry.incident_id), 0
            )
            writes.replies.append({"reply": happening.id, "as_what": decision.read_as, "incident": incident})


def _gather_waiting(writes: _Writes, decision: Plan) -> None:
    """What has a name is gathered by it: the last word of the transaction holds."""
    writes.named.update(dict.fromkeys(decision.timers_gone))
    for timer in decision.timers:
        if timer.name:
            writes.named[timer.name] = rows.timer_row(timer)
        else:
            writes.timers.append(rows.timer_row(timer))
    writes.held.update({(held.bundle, held.member): rows.held_row(held) for held in decision.held})
    writes.held.update(dict.fromkeys(decision.released))
    writes.tallies.extend(map(rows.tally_row, decision.tallies))
    writes.spends.extend(map(rows.spend_row, decision.spends))
    writes.silences.update({silence.id: rows.silence_row(silence) for silence in decision.silences})
    writes.overrides.extend(map(rows.override_row, decision.overrides))
    writes.stops.update({stop.phone: None if stop.over else rows.stop_row(stop) for stop in decision.stops})
    writes.unsubscribed.extend(map(rows.unsubscribed_row, decision.unsubscribed))


def _gather_reading(writes: _Writes, reading: Reading, decision: Plan) -> None:
    writes.planned.append(
        {
            "mail": reading.mail_id,
            "new_state": decision.mail_state,
            "new_source": reading.source,
            "new_subject": reading.subject[:500],
            "new_message_id": reading.thread.message_id,
            "new_digest": reading.digest,
            "new_fates": rows.fates_json(decision.fates),
        }
    )
    told = {fate.event: fate.message_id for fate in decision.fates if fate.message_id}
    incidents = {message.id: message.incident_id for message in decision.messages}
    for n, routed in enumerate(reading.events):
        event = routed.event
        writes.events.append(
            {
                "mail_id": reading.mail_id,
                "n": n,
                "incident_id": incidents.get(told.get(n, 0), 0),
                "event": rows.dumps(
                    {
                        "producer": event.producer,
                        "host": event.host,
                        "service": event.service,
                        "severity": event.severity,
                        "state": event.state,
                        "key": event.key,
                        "title": event.title,
                        "detail": event.detail[:2000],
                        "labels": dict(event.labels),
                    }
                ),
                "trace": rows.dumps([[v.rule, v.matched, v.failed, v.note] for v in routed.trace]),
            }
        )


def _write(tx: Tx, writes: _Writes) -> None:
    tx.many(_PUT_INCIDENT, list(writes.incidents.values()))
    tx.many(_ADD_MESSAGE, writes.messages)
    tx.many(_ADD_NOTIFICATION, writes.notifications)
    tx.many(_PUT_CONVERSATION, list(map(rows.conversation_row, writes.conversations.values())))
    tx.many(_DROP_TIMER, writes.timers_done)
    tx.many(_DROP_TIMER_NAMED, [{"the_name": name} for name in writes.named])
    tx.many(_ADD_TIMER, [*writes.timers, *filter(None, writes.named.values())])
    tx.many(_DROP_HELD, [{"in_bundle": b, "the_member": m} for (b, m), row in writes.held.items() if row is None])
    tx.many(_PUT_HELD, list(filter(None, writes.held.values())))
    tx.many(_ADD_TALLY, writes.tallies)
    tx.many(_ADD_SPEND, writes.spends)
    tx.many(_PUT_SILENCE, list(writes.silences.values()))
    tx.many(_ADD_OVERRIDE, writes.overrides)
    tx.many(_DROP_STOP, [{"the_phone": phone} for phone, row in writes.stops.items() if row is None])
    tx.many(_PUT_STOP, list(filter(None, writes.stops.values())))
    tx.many(_ADD_UNSUBSCRIBED, writes.unsubscribed)
    tx.many(_ADD_MAIL, writes.mails)
    tx.many(_PUT_NOTICE, list(writes.notices.values()))
    tx.many(_CANCEL, writes.cancel)
    tx.many(_MOVE, writes.states)
    spends.give_back(tx, [row["message"] for row in writes.cancel])
    tx.many(_ADD_EVENT, writes.events)
    tx.many(_MAIL_PLANNED, writes.planned)
    tx.many(_REPLY_READ, writes.replies)
    tx.many(_ADD_JOURNAL, writes.journal)
