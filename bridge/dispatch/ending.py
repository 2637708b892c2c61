"""What an incident's end takes with it, however it comes: timers, what is held of it, what it hid."""

from __future__ import annotations

from bridge.dispatch import codes
from bridge.dispatch.draft import Draft
from bridge.dispatch.holding import given_up
from bridge.dispatch.silenced import woken
from bridge.model import Incident, Message

UNSENT = "resolved before it was sent"
_TIMERS = ("step", "unanswered", "pair")


def ended(draft: Draft, incident: Incident) -> bool:
    """Nothing of *incident* speaks any more; True when something was held of it that nobody will hear."""
    for name in _TIMERS:
        draft.drop_timer(f"{name}/{incident.id}")
    held = draft.held_of(incident)
    for each in held:
        given_up(draft, each)
    for message in unsent_bundles(draft, incident):
        if not any(one is not None and one.live for one in map(draft.incident, message.about)):
            draft.cancelled[message.id] = UNSENT
    woken(draft, incident)
    codes.ended(draft, incident)
    return bool(held)


def unsent_bundles(draft: Draft, incident: Incident) -> list[Message]:
    """SMS about several that name *incident* and did not begin their way."""
    numbers = dict.fromkeys(note.message_id for note in draft.told(incident))
    known = (draft.memory.messages.get(number) for number in numbers if number not in draft.cancelled)
    return [each for each in known if each is not None and each.about and each.state in ("READY", "HELD")]
