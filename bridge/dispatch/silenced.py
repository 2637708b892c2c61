"""Silences and inhibition: an event that nobody is to hear of now, and until when (FORMAT §11).

The incident is opened all the same, and kept; what is still open when the silence ends, or when the last one that
hid it is over, is told then.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime
from fnmatch import translate

from bridge.dispatch.draft import Draft
from bridge.dispatch.holding import hold, value_of
from bridge.dispatch.telling import Ask, not_told
from bridge.model import Event, Incident, Marks
from bridge.render.names import host_part

SILENT = ("silence/", "hidden/")  # bundles of what is silenced or hidden


def is_silent(draft: Draft, ask: Ask, incident: Incident) -> bool:
    """Whether a silence, or another open incident, keeps *ask* from everybody; it is held, and the reason said."""
    return _silenced(draft, ask, incident) or _hidden(draft, ask, incident)


def _silenced(draft: Draft, ask: Ask, incident: Incident) -> bool:
    ends: dict[str, datetime] = {}
    for name in incident.marks.silences:
        planned = draft.book.standing.silences.get(name)
        until = planned.until(draft.now) if planned else None
        if until is not None:
            ends[name] = until
    for silence in draft.active_silences():
        if fits(silence.matchers, ask.held.event, ask.held.sender, ask.held.recipients):
            ends[str(silence.id)] = silence.end
    if not ends:
        return False
    name, until = max(ends.items(), key=lambda entry: entry[1])
    not_told(draft, ask, None, f"silenced by {name} until {until.astimezone(draft.book.zone('')):%H:%M}")
    hold(draft, ask.held, f"silence/{name}/{int(until.timestamp())}", None, "wake")
    draft.wake(f"silence/{name}/{int(until.timestamp())}", until)
    return True


def fits(matchers: Mapping[str, str], event: Event, sender: str, recipients: tuple[str, ...]) -> bool:
    """Whether every matcher of a silence made while running fits: ``*`` and ``?``, no case, the whole value.

    As in a rule, a pattern for ``host`` may fit it with its domain or without.
    """
    for field, pattern in matchers.items():
        fitting = re.compile(translate(pattern.replace("[", "[[]")), re.IGNORECASE)
        value = value_of(field, event, sender, recipients)
        if not fitting.fullmatch(value) and not (field == "host" and fitting.fullmatch(host_part(value))):
            return False
    return True


def _hidden(draft: Draft, ask: Ask, incident: Incident) -> bool:
    for name in incident.marks.hidden:
        inhibition = draft.book.standing.inhibitions.get(name)
        if inhibition is None:
            continue
        for other in draft.hiders():
            if other.id == incident.id or name not in other.marks.hides:
                continue
            if all(_value(field, incident) == _value(field, other) for field in inhibition.equal):
                not_told(draft, ask, None, f"hidden by {name} ({other.key})")
                hold(draft, ask.held, hidden_bundle(other.id), None, "wake")
                return True
    return False


def hidden_bundle(hider: int) -> str:
    """What waits for the end of the incident *hider*."""
    return f"hidden/{hider}"


def _value(field: str, incident: Incident) -> str:
    event = Event(
        incident.source, incident.producer, incident.host, incident.service, incident.severity, "problem",
        incident.key, incident.title, incident.detail, incident.labels,
    )  # fmt: skip
    return value_of(field, event, incident.marks.sender, (incident.marks.recipient,)).casefold()


def marked(draft: Draft, incident: Incident, marks: Marks) -> None:
    """*incident* is like other entries now: what it may hide no more is asked again."""
    if set(incident.marks.hides) - set(marks.hides):
        woken(draft, incident)


def woken(draft: Draft, incident: Incident) -> None:
    """*incident* is over: what it hid is asked again."""
    if incident.marks.hides:
        draft.wake(hidden_bundle(incident.id), draft.now)
