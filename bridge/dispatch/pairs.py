"""Two monitors of one source that watch the same: what one says, the other says too (FORMAT §13 ``also seen by``).

Each numbers its troubles for itself. Which number the other one gave this trouble is kept beside the incident, so that
its repeats and its end are known as those of the same trouble, and the late end of an earlier one as none of it.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import cast

from bridge.dispatch.draft import Draft
from bridge.model import Event, Incident

_PAIR = timedelta(minutes=5)  # look-alikes of a pair come within this
_KEPT = timedelta(days=3650)  # the end of the incident takes it away


def pair_timer(number: int) -> str:
    """The timer that keeps the numbers; it has nothing to say."""
    return f"pair/{number}"


def is_twin(draft: Draft, origin: str, incident: Incident) -> bool:
    """Whether an event from *origin* (door, peer, MAIL FROM) is what somebody else has just told of *incident*."""
    return origin != incident.origin and incident.state == "open" and draft.now - incident.opened_at < _PAIR


def is_next(draft: Draft, event: Event, origin: str, incident: Incident) -> bool:
    """Whether the producer's number says that *event* is another trouble than the present episode of *incident*."""
    number = event.problem_id
    if not number or number in _numbers(draft, incident):
        return False
    return not is_twin(draft, origin, incident)


def ends(draft: Draft, event: Event, incident: Incident) -> bool:
    """Whether a recovery is about the present episode: the late end of an earlier one must not end it."""
    return not event.problem_id or not incident.problem_id or event.problem_id in _numbers(draft, incident)


def remember(draft: Draft, event: Event, incident: Incident) -> None:
    """*event* is the same trouble under a number of its own."""
    known = _numbers(draft, incident)
    if event.problem_id and event.problem_id not in known:
        data = {"episode": incident.episode, "numbers": [*known[1:], event.problem_id]}
        draft.put_timer(pair_timer(incident.id), draft.now + _KEPT, "pair", incident.id, data)


def _numbers(draft: Draft, incident: Incident) -> Sequence[str]:
    """Every number that the present episode has, that of its opening first.

    An incident brings its timers along: what memory does not have does not exist.
    """
    timer = draft.memory.timers.get(pair_timer(incident.id))
    if timer is None or timer.data["episode"] != incident.episode:
        return (incident.problem_id,)
    return (incident.problem_id, *cast(Sequence[str], timer.data["numbers"]))
