"""Phones that said STOP: nobody sends to them, and who is reached by nobody else is an outage (design §8, T40).

The gate is asked wherever an SMS is made. Where all that somebody means have said STOP, the ladder goes on at once and
the operator hears of it: an alert must never become nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from bridge.dispatch import ladder, notices
from bridge.dispatch.draft import Draft
from bridge.dispatch.steps import FIRST
from bridge.model import Held, Incident
from bridge.oncall.people import Target
from bridge.routing.rules import Action
from bridge.words.catalogue import words

_HOUR = timedelta(hours=1)
_MOST_MAILS = 20  # to the operator within it, about alerts to one phone that reach nobody
_MOST_LINES = 20  # of one of these mails


def why_not(draft: Draft, phone: str) -> str:
    """``stopped by aigul`` where nobody sends to *phone*, else ""."""
    stop = draft.stops().get(phone)
    return f"stopped by {stop.person or phone}" if stop is not None else ""


def all_stopped(draft: Draft, targets: Sequence[Target]) -> bool:
    """Whether somebody is meant, and none of them can be told."""
    return bool(targets) and all(why_not(draft, target.phone) for target in targets)


@dataclass(frozen=True, slots=True)
class Missed:
    """One thing that nobody could be told of."""

    held: Held
    action: Action
    incident: Incident | None
    targets: tuple[Target, ...]  # all of them have said STOP

    @property
    def line(self) -> str:
        """As the operator reads of it."""
        number, event = str(self.held.incident_id or ""), self.held.event
        return " ".join(filter(None, (number, f"{event.host}:" if event.host else "", event.title)))


def nobody_left(draft: Draft, missed: Sequence[Missed]) -> None:
    """All whom a rule means said STOP: the operator hears of it, and ladders go on at once."""
    missed = [each for each in missed if each.held.step != "recovery"]  # the end of it is no alarm
    for each in missed:
        if each.incident is not None and each.incident.live and each.held.step == FIRST:
            _goes_on(draft, each.incident, each.action)
    if missed:
        _tell_operator(draft, missed)


def _goes_on(draft: Draft, incident: Incident, action: Action) -> None:
    """Only to its first rung: a monitor that repeats itself must not drive a ladder to its end."""
    going = ladder.running(draft, incident)
    if going is None and incident.sent_at is None:
        ladder.begin(draft, incident, action, at_once=True)
    elif going is not None and going.stands_at == FIRST and incident.state == "open":
        ladder.hurry(draft, incident)


def _tell_operator(draft: Draft, missed: Sequence[Missed]) -> None:
    """One mail an hour for one alert that reaches nobody; of a flood of them the first twenty."""
    first = missed[0]
    cause = f"stopped/{first.incident.id}" if first.incident else f"stopped/{first.targets[0].phone}"
    flood = f"stopped/{first.targets[0].phone}"
    if draft.counted(flood, _HOUR) >= _MOST_MAILS:
        draft.log("operator.not_told", incident_id=first.held.incident_id, why="many mails", about=cause)
        return
    w = words(draft.book.config.operator.language or draft.book.config.language)
    targets = dict.fromkeys(target for each in missed for target in each.targets)
    who = ", ".join(draft.book.name(target.person) if target.person else target.phone for target in targets)
    lines = [each.line for each in missed[:_MOST_LINES]]
    if len(missed) > _MOST_LINES:
        lines.append(w.say("operator", "stopped.more", n=len(missed) - _MOST_LINES))
    lines += ["", w.say("operator", "stopped")]
    if draft.counted(flood, _HOUR) == _MOST_MAILS - 1:
        lines.append(w.say("operator", "stopped.many"))
    if notices.tell(draft, cause, w.say("operator", "stopped.subject", who=who), "\n".join(lines), quiet_for=_HOUR):
        draft.count(flood, _HOUR)


def drop_unsent(draft: Draft, phone: str, why: str) -> None:
    """What is still to leave for *phone* does not leave."""
    for message in draft.unsent_to(phone):
        draft.cancelled[message.id] = why
        draft.log(
            "message.dropped", incident_id=message.incident_id, message_id=message.id,
            person=message.person or phone, reason=why, rule=message.rule,
        )  # fmt: skip
