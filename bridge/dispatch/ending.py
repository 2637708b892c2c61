"""What an incident's end takes with it, however it comes: timers, what is held of it, what it hid."""

from __future__ import annotations

from bridge.dispatch import codes
from bridge.dispatch.draft import Draft
from bridge.dispatch.silenced import woken
from bridge.model import Incident

_TIMERS = ("step", "unanswered", "pair")


def ended(draft: Draft, incident: Incident) -> bool:
    """Nothing of *incident* speaks any more; True when something was held of it that nobody will hear."""
    for name in _TIMERS:
        draft.drop_timer(f"{name}/{incident.id}")
    held = draft.held_of(incident)
    for each in held:
        draft.release(each)
    woken(draft, incident)
    codes.ended(draft, incident)
    return bool(held)
