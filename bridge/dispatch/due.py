"""What follows from a timer whose time has come."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

from bridge.book import RuleBook
from bridge.dispatch import bundles, flapping, notices, reaching, rungs, storm, watching
from bridge.dispatch.draft import Draft
from bridge.dispatch.ending import ended
from bridge.memory import Known, Memory, Needs
from bridge.model import Due, Plan

_CLOSE_AFTER = timedelta(hours=12)  # of an incident whose rule is gone


def due_needs(due: Due, book: RuleBook, now: datetime, known: Known) -> Needs:
    """The incident of the timer, what is held under its name, the notice it is about."""
    timer, cause = due.timer, due.timer.data.get("cause")
    more = _NEEDS[timer.kind](timer, book, now, known) if timer.kind in _NEEDS else Needs()
    return more | Needs(
        incidents=frozenset({timer.incident_id} - {0}),
        causes=frozenset({cause} if isinstance(cause, str) else ()),
        timers=frozenset({timer.name} - {""}),
    )


_NEEDS = {
    **dict.fromkeys(("quiet", "digest", "group", "wake"), bundles.due_needs),
    **dict.fromkeys(("step", "unanswered"), rungs.due_needs),
    **dict.fromkeys(("storm", "budget"), storm.due_needs),
    "flap": flapping.due_needs,
    "reach": reaching.due_needs,
    "watch": watching.due_needs,
}  # kind of timer -> what it asks for besides its incident


def fallen_due(due: Due, book: RuleBook, memory: Memory, now: datetime) -> Plan:
    """``close``: an incident without events is closed without a word. ``unrouted``: the list of the day."""
    draft = Draft(book, memory, now)
    timer = due.timer
    if timer.name:
        current = draft.timer(timer.name)
        if current is None or current.due_at > now:
            return Plan()  # it was moved or taken away meanwhile
        draft.drop_timer(timer.name)
    match timer.kind:
        case "close":
            _close(draft, timer.incident_id)
        case "quiet" | "digest" | "group" | "wake":
            bundles.due(draft, timer)
        case "flap":
            flapping.calm(draft, timer)
        case "step" | "unanswered":
            rungs.fire(draft, timer)
        case "storm" | "budget":
            storm.fire(draft, timer)
        case "reach":
            reaching.fire(draft, timer)
        case "watch":
            watching.fire(draft, timer)
        case "unrouted":
            notices.unrouted_today(draft, str(timer.data.get("cause", "")))
    return draft.plan()


def _close(draft: Draft, number: int) -> None:
    incident = draft.incident(number)
    if incident is None or incident.state not in ("open", "acked"):
        return
    action = draft.book.action(incident.rule)
    close_after = action.close_after if action else _CLOSE_AFTER
    left = incident.last_at + close_after - draft.now
    if draft.held_of(incident):
        left = max(left, close_after)  # nobody closes what is still to be said
    if left > timedelta(0):
        draft.due(left, "close", number)
        return
    draft.put(replace(incident, state="closed", resolved_at=draft.now))
    ended(draft, incident)
    draft.log("incident.closed", incident_id=number)
