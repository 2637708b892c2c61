"""Mail that must come (FORMAT §11 Watch): its arrival moves a timer, its absence is an incident.

The timer is ``watch/<name>/<values of by>``; the incident has the source ``watch`` and the name of
its timer as key. What ``every`` waits for is one absence, however long it lasts, and so is what ``learn`` does; each
moment of a ``cron`` entry is a mail of its own, told again as ``repeat`` says. A watch whose incident an operator ended
waits on. The timer of one that has not learned yet only remembers the pauses between its mails.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any, cast

from bridge.book import RuleBook
from bridge.book.standing import Watched
from bridge.book.watches import rule_of
from bridge.dispatch import limits
from bridge.dispatch.announcing import missed
from bridge.dispatch.cadence import PAUSES, learned, must_come, must_come_first
from bridge.dispatch.draft import Draft
from bridge.dispatch.ending import ended
from bridge.dispatch.holding import value_of
from bridge.dispatch.recovery import recovered
from bridge.dispatch.rungs import held_of
from bridge.dispatch.telling import Ask, not_told, quiet_timers, tell
from bridge.memory import Known, Memory, Needs
from bridge.model import Event, Incident, MessageClass, Plan, Reading, RoutedEvent, Severity, Thread, Timer
from bridge.routing.rules import Action

SOURCE = "watch"
_SEVERITIES: Mapping[MessageClass, Severity] = {"critical": "critical", "normal": "warning", "bulk": "info"}
_FORGET = timedelta(days=400)  # since the last mail: what has not learned by then begins anew
_NOWHERE = Thread(0, "", (), "", "")


def timer_of(watch: str, values: Sequence[str] = ()) -> str:
    """The timer of a watch: its name is also the key of the incident."""
    return "/".join((rule_of(watch), *values))


# --- mails that come -----------------------------------------------------------------------------


def needs_of(reading: Reading, book: RuleBook, now: datetime, known: Known) -> Needs:
    """The timers of the watches that a mail satisfies, their open incidents, the people who were told."""
    needs: list[Needs] = []
    for routed in reading.events:
        for watch, values in _satisfied(routed, book, reading):
            key = timer_of(watch.name, values)
            needs.append(Needs(timers=frozenset({key}), keys=frozenset({(SOURCE, key)})))
            needs.append(_needs_of_people(book, watch.name, now, known))
    return Needs.of(needs)


def arrived(draft: Draft, reading: Reading, n: int, routed: RoutedEvent) -> None:
    """Event *n* of a mail is what some watches waited for: they wait for the next one, and what was missing is over."""
    for watch, values in _satisfied(routed, draft.book, reading):
        key = timer_of(watch.name, values)
        incident = draft.open_incident(SOURCE, key)
        if incident is not None:
            recovered(draft, reading, n, replace(_event(watch, values, incident.severity), state="recovery"), incident)
        if watch.written.learn:
            _learn(draft, watch, values)
        else:
            late = incident is not None and watch.written.cron is not None  # it was missed, and is none of the next
            due = must_come_first(watch, draft.now) if late else must_come(watch, draft.now)
            assert due is not None  # noqa: S101 - what does not learn has a cadence
            draft.put_timer(key, due + watch.written.grace, "watch", data=_data(watch, values, draft.now, due))
        draft.log("watch.arrived", watch=watch.name, values=list(values))


def _learn(draft: Draft, watch: Watched, values: tuple[str, ...]) -> None:
    """One more pause is known; once there are enough of them, the next mail is waited for."""
    key, now = timer_of(watch.name, values), draft.now
    timer = draft.timer(key)
    pauses: tuple[float, ...] = ()
    if timer is not None and timer.data.get("cadence") == _cadence(watch):
        data = cast(Mapping[str, Any], timer.data)
        pause = (now - datetime.fromisoformat(data["last"])).total_seconds()
        pauses = (*data["pauses"], pause)[-PAUSES:]
    due = must_come(watch, now, pauses)
    fires = now + _FORGET if due is None else due + watch.written.grace
    draft.put_timer(key, fires, "watch", data=_data(watch, values, now, due or fires, pauses))


def _satisfied(routed: RoutedEvent, book: RuleBook, reading: Reading) -> Iterator[tuple[Watched, tuple[str, ...]]]:
    """The watches that waited for this event, with the values that tell their mails apart."""
    for name in routed.watches:
        watch = book.standing.watches.get(name)
        if watch is not None:
            fields = watch.written.by
            yield watch, tuple(value_of(field, routed.event, reading.sender, reading.recipients) for field in fields)


# --- mails that do not ---------------------------------------------------------------------------


def start_needs(book: RuleBook) -> Needs:
    """The timers of the watches that can be waited for before their first mail."""
    names = (timer_of(watch.name) for watch in book.standing.watches.values() if not watch.written.by)
    return Needs(timers=frozenset(names))


def start(book: RuleBook, memory: Memory, now: datetime) -> Plan:
    """A rule book was loaded: its watches wait from now on. Those that wait already go on, and get their grace once
    more where the time ran out while nobody could bring a mail; one that was written anew begins anew."""
    draft = Draft(book, memory, now)
    for watch in book.standing.watches.values():
        if watch.written.by:
            continue
        key, grace, due = timer_of(watch.name), watch.written.grace, must_come_first(watch, now)
        timer = draft.timer(key)
        if timer is not None and timer.data.get("cadence") == _cadence(watch):
            if timer.due_at < now:
                draft.put_timer(key, now + grace, "watch", data=timer.data)
        elif due is not None:
            draft.put_timer(key, due + grace, "watch", data=_data(watch, (), now, due))
    return draft.plan()


def due_needs(timer: Timer, book: RuleBook, now: datetime, known: Known) -> Needs:
    """The incident of the mail that is missing, and the people who are told."""
    watch = str(timer.data["watch"])
    return Needs(keys=frozenset({(SOURCE, timer.name)})) | _needs_of_people(book, watch, now, known)


def fire(draft: Draft, timer: Timer) -> None:
    """The time in which a mail had to come is over."""
    data = cast(Mapping[str, Any], timer.data)
    incident = draft.open_incident(SOURCE, timer.name)
    watch = draft.book.standing.watches.get(data["watch"])
    action = draft.book.action(rule_of(data["watch"]))
    if watch is None or action is None or len(data["values"]) != len(watch.written.by):
        if incident is not None:  # the watch is gone, or another one
            draft.put(replace(incident, state="closed", resolved_at=draft.now))
            ended(draft, incident)
        return
    last, values, pauses = datetime.fromisoformat(data["last"]), tuple(data["values"]), tuple(data.get("pauses", ()))
    if watch.written.learn and (learned(pauses) is None or data["cadence"] != _cadence(watch)):
        return  # nothing is known, or nothing that was learned for what is written now
    due = must_come(watch, last, pauses)
    if data["cadence"] != _cadence(watch) and due is not None and due + watch.written.grace > draft.now:
        draft.put_timer(timer.name, due + watch.written.grace, "watch", data=_data(watch, values, last, due))
        return
    _missing(draft, watch, action, values, incident, last, datetime.fromisoformat(data["due"]))
    _wait_on(draft, watch, values, last, datetime.fromisoformat(data["due"]), pauses)


def _wait_on(
    draft: Draft, watch: Watched, values: tuple[str, ...], last: datetime, due: datetime, pauses: tuple[float, ...]
) -> None:
    """The next one is waited for, counted from the one that is missing."""
    grace = watch.written.grace
    elapsed = watch.written.every or learned(pauses)
    if elapsed is not None:
        following = max(due, draft.now - grace) + elapsed
    else:
        first = must_come_first(watch, max(due + timedelta(seconds=1), draft.now - grace + timedelta(seconds=1)))
        assert first is not None  # noqa: S101 - only what has a cadence has a timer
        following = first
    data = _data(watch, values, last, following, pauses)
    draft.put_timer(timer_of(watch.name, values), following + grace, "watch", data=data)


def _missing(
    draft: Draft, watch: Watched, action: Action, values: tuple[str, ...], incident: Incident | None, last: datetime,
    due: datetime,
) -> None:  # fmt: skip
    """Nobody has seen the mail of *due*: an incident, or one that goes on."""
    known = incident
    incident = known or _opened(draft, watch, action, values, last, due)
    draft.log("watch.missing", incident_id=incident.id, watch=watch.name, values=list(values), due=due.isoformat())
    if known is None:
        _tell(draft, action, incident, "0")
    elif watch.written.cron is not None:
        labels = {**incident.labels, "due": due.isoformat()}
        incident = draft.put(replace(incident, count=incident.count + 1, last_at=draft.now, labels=labels))
        if _may_repeat(draft, action, incident):
            _tell(draft, action, incident, f"repeat:{incident.count}")


def _opened(
    draft: Draft, watch: Watched, action: Action, values: tuple[str, ...], last: datetime, due: datetime
) -> Incident:
    event = _event(watch, values, _SEVERITIES[action.message_class], due)
    key = timer_of(watch.name, values)
    incident = Incident(
        id=draft.take("incident"), source=SOURCE, key=key, producer_key=key, state="open", episode=1,
        producer=SOURCE, host=event.host, service=event.service, severity=event.severity, title=event.title, detail="",
        labels=event.labels, problem_id="", count=1, opened_at=last, last_at=draft.now, sent_at=None,
        rule=rule_of(watch.name), code="", origin=SOURCE, thread=_NOWHERE,
    )  # fmt: skip
    draft.log("incident.opened", incident_id=incident.id, key=key)
    return draft.put(incident)


def _may_repeat(draft: Draft, action: Action, incident: Incident) -> bool:
    """Whether people may be told again of an incident that goes on (FORMAT §4 ``repeat``, ``ack_lasts``)."""
    if incident.acked_at is not None and draft.now - incident.acked_at < action.ack_lasts:
        return False
    since = incident.sent_at or incident.opened_at
    return action.repeat == "always" or (isinstance(action.repeat, timedelta) and draft.now - since >= action.repeat)


def _tell(draft: Draft, action: Action, incident: Incident, step: str) -> None:
    held = held_of(draft, incident, step)
    ask = Ask(held, action, incident, kind="missing")
    found = draft.book.targets(action, (), draft.now, SOURCE, overrides=draft.held_rotas())
    for reason in found.reasons:
        not_told(draft, ask, None, reason)
    for target in found.people:
        tell(draft, [ask], target)
    missed(draft, [(ask, found.people)])


def _event(watch: Watched, values: Sequence[str], severity: Severity, due: datetime | None = None) -> Event:
    """The absence as an event: what tells it apart stands where a mail would have had it."""
    given = dict(zip(watch.written.by, values, strict=True))
    labels = {field[6:]: value for field, value in given.items() if field.startswith("label.")}
    if due is not None:
        labels["due"] = due.isoformat()
    return Event(
        source=SOURCE, producer=SOURCE, host=given.get("host", ""), service=given.get("service", ""),
        severity=severity, state="problem", key=timer_of(watch.name, values), title=watch.name, detail="",
        labels=labels,
    )  # fmt: skip


def _needs_of_people(book: RuleBook, watch: str, now: datetime, known: Known) -> Needs:
    """Those who are told of a watch now."""
    action = book.action(rule_of(watch))
    if action is None:
        return Needs()
    people = book.targets(action, (), now, SOURCE, overrides=known.overrides).people
    phones = frozenset(target.phone for target in people)
    return limits.needs_of(book, action, rule_of(watch), SOURCE, phones, now) | Needs(
        talkers=phones,
        causes=frozenset({f"template/{rule_of(watch)}"}),
        timers=frozenset(quiet_timers(book, action, SOURCE, people, now)),
    )


def _data(
    watch: Watched, values: Sequence[str], last: datetime, due: datetime, pauses: Sequence[float] = ()
) -> dict[str, object]:
    """*last*: when the last mail came, or the watch began; *due*: when the next must be there, without grace."""
    moments = {"last": last.astimezone(UTC).isoformat(), "due": due.astimezone(UTC).isoformat()}
    more = {"pauses": list(pauses)} if watch.written.learn else {}
    return {"watch": watch.name, "values": list(values), "cadence": _cadence(watch), **moments, **more}


def _cadence(watch: Watched) -> str:
    """What the operator wrote about time: another text begins another waiting."""
    written = watch.written
    seconds = written.every.total_seconds() if written.every is not None else 0
    return f"{written.cron or ''}|{seconds:g}|{written.grace.total_seconds():g}|{watch.zone.key}"
