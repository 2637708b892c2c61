"""Deciding in a transaction: load what is needed, let the pure functions decide, write what follows.

Many happenings are decided in one transaction, and what they change is written table by table: that is
what keeps a mail at a few statements (``docs/explanation/decisions.md``). In SQLite the one writer is the
lock; two processes meet at ``BEGIN IMMEDIATE``, so deciding at once equals a serial order.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence, Set
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Table, bindparam, select, update

from bridge.memory import Memory, Needs
from bridge.model import Call, Conversation, Due, Happening, Notification, PlainWord, Plan, Reading, Reply, Thread
from bridge.store import rows, schema
from bridge.store.engine import Keys, Tx
from bridge.store.statements import Statement, columns_of, from_us, insert, one_of, to_us, upsert

_LIVE = ("open", "acked")
_DUPLICATE_SPAN = timedelta(hours=24)
_ANSWER_SPAN = timedelta(hours=1)
_PLAIN_SPAN = timedelta(hours=48)  # after that nobody remembers what a plain message said
COUNTERS = {"incident": 1000, "message": 1, "mail": 1}  # first ids: incidents stand above all codes

_c = schema.incidents.c
_BY_KEY = Statement(
    select(schema.incidents).where(_c.state.in_(_LIVE), one_of(_c.source, "sources"), one_of(_c.key, "keys"))
)
_BY_PRODUCER_KEY = Statement(
    select(schema.incidents).where(_c.state.in_(_LIVE), one_of(_c.source, "sources"), one_of(_c.producer_key, "keys"))
)
_BY_ID = Statement(select(schema.incidents).where(one_of(_c.id, "ids")))
_NOTIFICATIONS = Statement(select(schema.notifications).where(one_of(schema.notifications.c.incident_id, "ids")))
_CONVERSATIONS = Statement(select(schema.conversations).where(one_of(schema.conversations.c.phone, "phones")))
_MESSAGES = Statement(select(schema.messages).where(one_of(schema.messages.c.id, "ids")))
_WAITING = Statement(
    select(schema.messages).where(
        one_of(schema.messages.c.incident_id, "ids"), schema.messages.c.state.in_(("READY", "HELD"))
    )
)
_DIGESTS = Statement(
    select(schema.mails.c.digest, schema.mails.c.id)
    .where(
        schema.mails.c.digest != "",
        one_of(schema.mails.c.digest, "digests"),
        schema.mails.c.state == "PLANNED",
        schema.mails.c.received_at >= bindparam("since"),
    )
    .order_by(schema.mails.c.id.desc())
)
_NOTICES = Statement(select(schema.notices).where(one_of(schema.notices.c.cause, "causes")))
_ANSWERS = Statement(
    select(schema.messages.c.phone, schema.messages.c.created_at).where(
        one_of(schema.messages.c.phone, "phones"),
        schema.messages.c.rule == "(answer)",
        schema.messages.c.created_at >= bindparam("since"),
    )
)
_PLAIN = Statement(
    select(
        schema.messages.c.phone,
        schema.messages.c.rule,
        schema.messages.c.text,
        schema.messages.c.created_at,
        schema.mails.c.id,
        schema.mails.c.message_id,
        schema.mails.c.subject,
        schema.mails.c.mail_from,
    )
    .join(schema.mails, schema.mails.c.id == schema.messages.c.mail_id)
    .where(
        one_of(schema.messages.c.phone, "phones"),
        schema.messages.c.incident_id == 0,
        schema.messages.c.created_at >= bindparam("since"),
    )
    .order_by(schema.messages.c.id)
)
_COUNTERS = Statement(select(schema.counters.c.name, schema.counters.c.next))
_INSTANCE = Statement(select(schema.meta.c.value).where(schema.meta.c.name == "instance"))

_PUT_INCIDENT = upsert(schema.incidents, ("id",))
_ADD_NOTIFICATION = insert(schema.notifications)
_ADD_MESSAGE = insert(schema.messages)
_PUT_CONVERSATION = upsert(schema.conversations, ("phone", "code"))
_ADD_TIMER = insert(schema.timers, without=("id",))
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

NeedsOf = Callable[[Happening], Needs]
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
    conversations: dict[tuple[str, str], rows.Values] = field(default_factory=dict)
    timers: list[rows.Values] = field(default_factory=list)
    timers_done: list[rows.Values] = field(default_factory=list)
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
    still_open = _still_open(tx, happenings)
    memory = load(tx, Needs.of(map(needs, still_open)), now)
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


def load(tx: Tx, needs: Needs, now: datetime) -> Memory:
    """The memory that *needs* names, with what belongs to its incidents."""
    memory = Memory(loaded=needs)
    memory.counters = {**COUNTERS, **dict(tx.rows(_COUNTERS))}
    instance = tx.one(_INSTANCE)
    if instance:
        memory.instance = instance[0]
    needs |= _load_messages(tx, needs, memory)
    memory.loaded = needs
    _load_conversations(tx, needs.phones | needs.talkers, memory)
    about = {talk.incident_id for phone in needs.phones for talk in memory.codes(phone).values()}
    _load_incidents(tx, needs, memory, about)
    _load_told(tx, memory)
    if needs.phones:
        since = to_us(now - _ANSWER_SPAN)
        for phone, created in tx.rows(_ANSWERS, {"phones": Keys(sorted(needs.phones)), "since": since}):
            memory.answers.setdefault(phone, []).append(from_us(created))
        _load_plain(tx, needs, memory, now)
    if needs.digests:
        since = to_us(now - _DUPLICATE_SPAN)
        memory.digests = dict(tx.rows(_DIGESTS, {"digests": Keys(sorted(needs.digests)), "since": since}))
    if needs.causes:
        found = _dicts(tx, _NOTICES, schema.notices, causes=Keys(sorted(needs.causes)))
        memory.notices = {row["cause"]: rows.notice(row) for row in found}
    return memory


def _load_plain(tx: Tx, needs: Needs, memory: Memory, now: datetime) -> None:
    """The last plain message to each phone that wrote, with the mail it came from."""
    values = {"phones": Keys(sorted(needs.phones)), "since": to_us(now - _PLAIN_SPAN)}
    for phone, rule, text, created, mail, message_id, subject, sender in tx.rows(_PLAIN, values):
        memory.plain[phone] = PlainWord(rule, text, from_us(created), Thread(mail, message_id, (), subject, sender))


def _load_messages(tx: Tx, needs: Needs, memory: Memory) -> Needs:
    """The messages that are asked for; what they make needed besides."""
    if not needs.messages:
        return Needs()
    for row in _dicts(tx, _MESSAGES, schema.messages, ids=Keys(sorted(needs.messages))):
        memory.messages[row["id"]] = rows.message(row)
    # a message that fails is reported under its phone, which nobody knew before it was loaded
    phones = {message.phone for message in memory.messages.values()}
    return Needs(
        incidents=frozenset(message.incident_id for message in memory.messages.values()),
        causes=frozenset(f"undelivered/{phone}" for phone in phones),
    )


def _load_incidents(tx: Tx, needs: Needs, memory: Memory, about: set[int]) -> None:
    for statement, pairs in ((_BY_KEY, needs.keys), (_BY_PRODUCER_KEY, needs.producer_keys)):
        if pairs:
            sources, keys = sorted({s for s, _ in pairs}), sorted({k for _, k in pairs})
            _remember(memory, _dicts(tx, statement, schema.incidents, sources=Keys(sources), keys=Keys(keys)))
    ids = (needs.incidents | about) - {0, *memory.incidents}
    if ids:
        _remember(memory, _dicts(tx, _BY_ID, schema.incidents, ids=Keys(sorted(ids))))


def _load_told(tx: Tx, memory: Memory) -> None:
    """Who was told of the incidents, what waits to tell them, and what else their phones talk about."""
    if not memory.incidents:
        return
    ids = Keys(sorted(memory.incidents))
    told = [Notification(*row) for row in tx.rows(_NOTIFICATIONS, {"ids": ids})]
    for note in told:
        memory.notifications.setdefault(note.incident_id, []).append(note)
    for row in _dicts(tx, _WAITING, schema.messages, ids=ids):
        memory.messages[row["id"]] = rows.message(row)
        memory.waiting.setdefault(row["incident_id"], set()).add(row["id"])
    _load_conversations(tx, {note.phone for note in told} - memory.conversations.keys(), memory)


def _load_conversations(tx: Tx, phones: Set[str], memory: Memory) -> None:
    if not phones:
        return
    for phone, code, incident_id, expires_at, free_at in tx.rows(_CONVERSATIONS, {"phones": Keys(sorted(phones))}):
        talk = Conversation(phone, code, incident_id, from_us(expires_at), from_us(free_at))
        memory.conversations.setdefault(phone, {})[code] = talk


def _remember(memory: Memory, found: Iterable[dict[str, Any]]) -> None:
    for row in found:
        memory.remember(rows.incident(row))


def _dicts(tx: Tx, statement: Statement, table: Table, **values: Any) -> list[dict[str, Any]]:
    names = columns_of(table)
    return [dict(zip(names, row, strict=True)) for row in tx.rows(statement, values)]


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


def _taken(still_open: set[int], number: int) -> bool:
    """Whether *number* is among those; then no longer: a batch may hold one mail twice, from the hand and the store."""
    found = number in still_open
    still_open.discard(number)
    return found


def _gather(writes: _Writes, happening: Happening, decision: Plan, now: datetime) -> None:
    writes.incidents.update({i.id: rows.incident_row(i) for i in decision.incidents})
    writes.notifications.extend(map(rows.notification_row, decision.notifications))
    writes.messages.extend(map(rows.message_row, decision.messages))
    writes.conversations.update({(c.phone, c.code): rows.conversation_row(c) for c in decision.conversations})
    writes.timers.extend(map(rows.timer_row, decision.timers))
    writes.timers_done.extend({"timer": number} for number in decision.timers_done)
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
    tx.many(_PUT_CONVERSATION, list(writes.conversations.values()))
    tx.many(_DROP_TIMER, writes.timers_done)
    tx.many(_ADD_TIMER, writes.timers)
    tx.many(_ADD_MAIL, writes.mails)
    tx.many(_PUT_NOTICE, list(writes.notices.values()))
    tx.many(_CANCEL, writes.cancel)
    tx.many(_MOVE, writes.states)
    tx.many(_ADD_EVENT, writes.events)
    tx.many(_MAIL_PLANNED, writes.planned)
    tx.many(_REPLY_READ, writes.replies)
    tx.many(_ADD_JOURNAL, writes.journal)
