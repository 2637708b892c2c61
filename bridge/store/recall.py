"""Loading what a decision may know: the rows that ``needs`` named, made a :class:`Memory`.

Everything is asked for in sorted order, and in one transaction with what is written afterwards.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence, Set
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Table, and_, bindparam, case, func, not_, select

from bridge.memory import Fetch, Known, Memory, Needs
from bridge.model import Held, Notice, Notification, PlainWord, Spent, Stop, Tally, Thread, Timer
from bridge.store import rows, schema
from bridge.store.engine import Keys, Tx
from bridge.store.statements import Statement, columns_of, from_us, one_of, to_us

_LIVE = ("open", "acked")
_DUPLICATE_SPAN = timedelta(hours=24)
_PLAIN_SPAN = timedelta(hours=48)  # after that nobody remembers what a plain message said
COUNTERS = {"incident": 1000, "message": 1, "mail": 1, "silence": 1}  # first ids: incidents stand above all codes

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
_BUNDLES = Statement(
    select(schema.messages).where(
        one_of(schema.messages.c.id, "ids"),
        schema.messages.c.about != "[]",
        schema.messages.c.state.in_(("READY", "HELD")),
    )
)
_UNSENT_TO = Statement(
    select(schema.messages).where(
        one_of(schema.messages.c.phone, "phones"), schema.messages.c.state.in_(("READY", "HELD"))
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
        schema.messages.c.about == "[]",
        not_(schema.messages.c.rule.startswith("(")),
        schema.messages.c.created_at >= bindparam("since"),
    )
    .order_by(schema.messages.c.id)
)
_COUNTERS = Statement(select(schema.counters.c.name, schema.counters.c.next))
_INSTANCE = Statement(select(schema.meta.c.value).where(schema.meta.c.name == "instance"))
_HIDING = Statement(select(schema.incidents).where(_c.hides == 1, _c.state.in_(_LIVE)).order_by(_c.id))
_HELD_OF = Statement(
    select(schema.held).where(schema.held.c.incident_id != 0, one_of(schema.held.c.incident_id, "ids"))
)
_HELD_IN = Statement(select(schema.held).where(one_of(schema.held.c.bundle, "bundles")))
_TIMERS_OF = Statement(
    select(schema.timers).where(schema.timers.c.name != "", one_of(schema.timers.c.incident_id, "ids"))
)
_TIMERS_NAMED = Statement(
    select(schema.timers).where(schema.timers.c.name != "", one_of(schema.timers.c.name, "names"))
)
_TALLIES = Statement(
    select(schema.tallies.c.name, schema.tallies.c.at, schema.tallies.c.until).where(
        one_of(schema.tallies.c.name, "names"), schema.tallies.c.until > bindparam("now")
    )
)
_sp = schema.spends.c


def _sum_where(column: Any, *where: Any) -> Any:
    return func.coalesce(func.sum(case((and_(*where), column), else_=0)), 0)


_SPENT = Statement(
    select(
        func.count(), func.coalesce(func.sum(_sp.segments), 0), func.coalesce(func.sum(_sp.money), 0),
        _sum_where(1, _sp.critical == 0), _sum_where(_sp.segments, _sp.critical == 0),
        _sum_where(_sp.money, _sp.critical == 0), func.min(_sp.at),
    ).where(_sp.budget == bindparam("budget"), _sp.at >= bindparam("since"))
)  # fmt: skip
_SILENCES = Statement(
    select(schema.silences).where(schema.silences.c.end > bindparam("now")).order_by(schema.silences.c.id)
)
_OVERRIDES = Statement(
    select(schema.overrides).where(schema.overrides.c.end > bindparam("now")).order_by(schema.overrides.c.id)
)
_STOPS = Statement(select(schema.stops).order_by(schema.stops.c.phone))


def known(tx: Tx, bundles: Sequence[str], now: datetime) -> Known:
    """Who took over which rota, now or later, which phones said STOP, and what is held in *bundles*."""
    overrides = [rows.override(row) for row in _dicts(tx, _OVERRIDES, schema.overrides, now=to_us(now))]
    held: dict[str, dict[str, Held]] = {}
    if bundles:
        for row in _dicts(tx, _HELD_IN, schema.held, bundles=Keys(sorted(bundles))):
            held.setdefault(row["bundle"], {})[row["member"]] = rows.held(row)
    return Known(overrides, held, stops(tx))


def stops(tx: Tx) -> dict[str, Stop]:
    """The phones that said STOP."""
    return {row["phone"]: rows.stop(row) for row in _dicts(tx, _STOPS, schema.stops)}


def load(tx: Tx, needs: Needs, now: datetime, before: Known | None = None) -> Memory:
    """The memory that *needs* names, with what belongs to its incidents; *before* is what was loaded to name it."""
    memory = Memory(loaded=needs, fetch=reading_on(tx, now))
    before = before or known(tx, sorted(needs.bundles), now)
    memory.overrides = list(before.overrides)
    memory.stops = dict(before.stops)
    memory.silences = {row["id"]: rows.silence(row) for row in _dicts(tx, _SILENCES, schema.silences, now=to_us(now))}
    memory.counters = {**COUNTERS, **dict(tx.rows(_COUNTERS))}
    instance = tx.one(_INSTANCE)
    if instance:
        memory.instance = instance[0]
    needs |= _load_messages(tx, needs, memory)
    memory.loaded = needs
    _load_conversations(tx, needs.phones | needs.talkers, memory)
    about = {number for phone in needs.phones for talk in memory.codes(phone).values() for number in talk.about}
    about |= _take_bundles(needs, memory, before)
    _load_incidents(tx, needs, memory, about)
    _load_told(tx, memory)
    _load_counts(tx, needs, memory, now)
    if needs.phones:
        _load_plain(tx, needs, memory, now)
        for row in _dicts(tx, _UNSENT_TO, schema.messages, phones=Keys(sorted(needs.phones))):
            memory.messages.setdefault(row["id"], rows.message(row))
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
    if needs.hiders:
        _remember(memory, _dicts(tx, _HIDING, schema.incidents))
    ids = (needs.incidents | about) - {0, *memory.incidents}
    if ids:
        _remember(memory, _dicts(tx, _BY_ID, schema.incidents, ids=Keys(sorted(ids))))


def _take_bundles(needs: Needs, memory: Memory, before: Known) -> set[int]:
    """What is held in the bundles that are asked for; the incidents it is about."""
    held = [each for bundle in needs.bundles for each in before.held.get(bundle, {}).values()]
    for each in held:
        memory.hold(each)
    return {each.incident_id for each in held}


def _load_counts(tx: Tx, needs: Needs, memory: Memory, now: datetime) -> None:
    """What was counted and spent, and the timers that are asked for by name."""
    if needs.timers:
        for row in _dicts(tx, _TIMERS_NAMED, schema.timers, names=Keys(sorted(needs.timers))):
            memory.timers[row["name"]] = rows.timer(row)
    if needs.tallies:
        for counted in tx.rows(_TALLIES, {"names": Keys(sorted(needs.tallies)), "now": to_us(now)}):
            memory.tallies.setdefault(counted[0], []).append(rows.tally(counted))
    for budget, since in sorted(needs.spends):
        memory.spent_before[budget, since] = _spent(tx, budget, since)


def _spent(tx: Tx, budget: str, since: datetime) -> Spent:
    found = tx.rows(_SPENT, {"budget": budget, "since": to_us(since)})[0]
    return Spent(
        found[0], found[1], rows.amount(found[2]), found[3], found[4], rows.amount(found[5]),
        None if found[6] is None else from_us(found[6]),
    )  # fmt: skip


def reading_on(tx: Tx, now: datetime) -> Fetch:
    """What a memory asks when a decision needs more than was named before."""
    return _Fetch(tx, now)


@dataclass(frozen=True, slots=True)
class _Fetch:
    """Reading on in the transaction that decides."""

    tx: Tx
    now: datetime

    def timer(self, name: str) -> Timer | None:
        found = _dicts(self.tx, _TIMERS_NAMED, schema.timers, names=Keys([name]))
        return rows.timer(found[0]) if found else None

    def tallies(self, name: str) -> Sequence[Tally]:
        found = self.tx.rows(_TALLIES, {"names": Keys([name]), "now": to_us(self.now)})
        return [rows.tally(row) for row in found]

    def spent(self, budget: str, since: datetime) -> Spent:
        return _spent(self.tx, budget, since)

    def notice(self, cause: str) -> Notice | None:
        found = _dicts(self.tx, _NOTICES, schema.notices, causes=Keys([cause]))
        return rows.notice(found[0]) if found else None


def _load_told(tx: Tx, memory: Memory) -> None:
    """Who was told of the incidents, what waits to tell them, and what else their phones talk about."""
    about = _load_told_of(tx, memory, frozenset(memory.incidents))
    if about:  # the others of an SMS that did not leave: whether it still has anything to say
        _remember(memory, _dicts(tx, _BY_ID, schema.incidents, ids=Keys(sorted(about))))
        _load_told_of(tx, memory, about)


def _load_told_of(tx: Tx, memory: Memory, numbers: Set[int]) -> Set[int]:
    """The incidents that are not loaded and stand in an unsent SMS together with one of *numbers*."""
    if not numbers:
        return frozenset()
    ids = Keys(sorted(numbers))
    told = [Notification(*row) for row in tx.rows(_NOTIFICATIONS, {"ids": ids})]
    for note in told:
        memory.notifications.setdefault(note.incident_id, []).append(note)
    for row in _dicts(tx, _WAITING, schema.messages, ids=ids):
        memory.messages[row["id"]] = rows.message(row)
        memory.waiting.setdefault(row["incident_id"], set()).add(row["id"])
    _load_conversations(tx, {note.phone for note in told} - memory.conversations.keys(), memory)
    for row in _dicts(tx, _HELD_OF, schema.held, ids=ids):
        memory.hold(rows.held(row))
    for row in _dicts(tx, _TIMERS_OF, schema.timers, ids=ids):
        memory.timers[row["name"]] = rows.timer(row)
    sent = {note.message_id for note in told} - {0, *memory.messages}
    found = _dicts(tx, _BUNDLES, schema.messages, ids=Keys(sorted(sent))) if sent else []
    bundles = {row["id"]: rows.message(row) for row in found}
    memory.messages.update(bundles)
    return {number for message in bundles.values() for number in message.about} - memory.incidents.keys()


def _load_conversations(tx: Tx, phones: Set[str], memory: Memory) -> None:
    if not phones:
        return
    for row in tx.rows(_CONVERSATIONS, {"phones": Keys(sorted(phones))}):  # the most rows of all that a mail brings
        memory.conversations.setdefault(row[0], {})[row[1]] = rows.conversation(row)


def _remember(memory: Memory, found: Iterable[dict[str, Any]]) -> None:
    for row in found:
        memory.remember(rows.incident(row))


def _dicts(tx: Tx, statement: Statement, table: Table, **values: Any) -> list[dict[str, Any]]:
    names = columns_of(table)
    return [dict(zip(names, row, strict=True)) for row in tx.rows(statement, values)]
