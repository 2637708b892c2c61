"""What comes and goes: said once, then nothing until its state has held for a while (FORMAT §4 ``flap``)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import cast

from bridge.book import RuleBook
from bridge.config.models.rules import Flap
from bridge.dispatch.announcing import again, meant, missed
from bridge.dispatch.draft import Draft
from bridge.dispatch.telling import Ask, ask_of, kind_of, not_told, quiet_timers, tell
from bridge.memory import Known, Needs
from bridge.model import Event, Held, Incident, Timer
from bridge.oncall.people import Target


def name_of(event: Event, key: str) -> str:
    """Under which name its changes are counted: those of one trouble, whichever incident it is by now."""
    return f"flap/{event.source}/{event.key or key}"


def held_back(draft: Draft, ask: Ask, incident: Incident, *, change: bool) -> bool:
    """Whether *ask* is not said because it flaps; *change*: it is a new problem, or its end.

    Only a change makes it flapping; at that one it is said, once. A repeat after it was calm is a repeat.
    """
    flap = ask.action.flap
    if flap is None:
        return False
    name = name_of(ask.held.event, incident.key)
    timer = draft.timer(name)
    if change:
        _count(draft, name, flap, ask.held.event)
    if timer is None and (not change or draft.counted(name, flap.changes.window) < flap.changes.count):
        return False
    told = {**_told_before(timer), **{n.phone: n.person for n in draft.told(incident) if n.step != "mail"}}
    if timer is None:
        told |= _say(draft, ask, told)
    else:
        not_told(draft, ask, None, "flapping")
    if change:
        data = {"told": told, "rule": ask.held.rule, "recipients": list(ask.held.recipients)}
        draft.put_timer(name, draft.now + flap.calm, "flap", incident.id, data)
    return True


def _count(draft: Draft, name: str, flap: Flap, event: Event) -> None:
    """Only what follows an end is a change: the first problem is none."""
    if event.state == "recovery" or draft.counted(name, flap.changes.window):
        draft.count(name, flap.changes.window)


def _told_before(timer: Timer | None) -> dict[str, str]:
    return dict(cast("Mapping[str, str]", timer.data.get("told", {}))) if timer else {}


def _say(draft: Draft, ask: Ask, told: Mapping[str, str]) -> dict[str, str]:
    """One SMS that says so, to those who are meant and those who were told."""
    once = replace(ask, held=replace(ask.held, step=_step(draft, ask)), kind="flapping")
    people = {target.phone: target for target in meant(draft, ask)}
    for phone, person in told.items():
        people.setdefault(phone, Target(person, phone))
    for target in people.values():
        tell(draft, [once], target)
    missed(draft, [(once, tuple(people.values()))])
    return {target.phone: target.person for target in people.values()}


def _step(draft: Draft, ask: Ask) -> str:
    """The notification's step: ``flapping``, for an incident that was calm in between ``flapping:2`` …"""
    told = {note.step for note in draft.told(ask.incident) if kind_of(note.step) == "flapping"} if ask.incident else ()
    return f"flapping:{len(told) + 1}" if told else "flapping"


def due_needs(timer: Timer, book: RuleBook, now: datetime, known: Known) -> Needs:
    """The incident as it is now, and whom its rule means."""
    rule, recipients = str(timer.data["rule"]), cast("list[str]", timer.data["recipients"])
    action = book.action(rule)
    if action is None:
        return Needs()
    source = timer.name.split("/")[1]
    people = book.targets(action, recipients, now, source, overrides=known.overrides).people
    told = tuple(Target(person, phone) for phone, person in _told_before(timer).items())
    return Needs(
        talkers=frozenset(target.phone for target in (*people, *told)),
        timers=frozenset(quiet_timers(book, action, source, (*people, *told), now)),
        causes=frozenset({f"template/{rule}"}),
    )


def calm(draft: Draft, timer: Timer) -> None:
    """The state has held: it is said once."""
    incident = draft.incident(timer.incident_id)
    if incident is None:
        return
    step = "0" if incident.live else "recovery"
    event = Event(
        incident.source, incident.producer, incident.host, incident.service, incident.severity,
        "problem" if incident.live else "recovery", incident.producer_key, incident.title, incident.detail,
        incident.labels, incident.problem_id,
    )  # fmt: skip
    held = Held(
        "", f"i/{incident.id}", incident.id, incident.episode, incident.rule, event, draft.now, incident.count, step,
        incident.thread.mail_id, incident.thread.subject, incident.thread.sender, "", incident.groups,
        incident.recipients,
    )  # fmt: skip
    ask = ask_of(draft, held)
    if ask is None:
        return
    if incident.live:
        again(draft, ask)
        return
    for phone, person in _told_before(timer).items():
        tell(draft, [ask], Target(person, phone))
