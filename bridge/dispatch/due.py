"""What follows from a timer whose time has come."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

from bridge.book import RuleBook
from bridge.dispatch import notices
from bridge.dispatch.draft import Draft
from bridge.memory import Memory, Needs
from bridge.model import Due, Plan

_CLOSE_AFTER = timedelta(hours=12)  # of an incident whose rule is gone


def due_needs(due: Due) -> Needs:
    """The incident of the timer, and the notice it is about."""
    cause = due.timer.data.get("cause")
    return Needs(
        incidents=frozenset({due.timer.incident_id} - {0}), causes=frozenset({cause} if isinstance(cause, str) else ())
    )


def fallen_due(due: Due, book: RuleBook, memory: Memory, now: datetime) -> Plan:
    """``close``: an incident without events is closed without a word. ``unrouted``: the list of the day."""
    draft = Draft(book, memory, now)
    match due.timer.kind:
        case "close":
            _close(draft, due.timer.incident_id)
        case "unrouted":
            notices.unrouted_today(draft, str(due.timer.data.get("cause", "")))
    return draft.plan()


def _close(draft: Draft, number: int) -> None:
    incident = draft.incident(number)
    if incident is None or incident.state not in ("open", "acked"):
        return
    action = draft.book.action(incident.rule)
    close_after = action.close_after if action else _CLOSE_AFTER
    left = incident.last_at + close_after - draft.now
    if left > timedelta(0):
        draft.due(left, "close", number)
        return
    draft.put(replace(incident, state="closed", resolved_at=draft.now))
    draft.log("incident.closed", incident_id=number)
