"""``receipts.not_reached_after``: no "delivered" by then is not reached, and the next rung of the ladder comes at once.

A timer for each message, ``reach/<message>``. What was not handed over to a provider yet is looked at again: the
span counts from the hand-over, and a message whose fate is unknown follows its own deadline first. Of several people
told at one step one that is reached is enough. A step moves its ladder on at most once: what the ladder has done
meanwhile is seen by where it stands.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

from bridge.book import RuleBook
from bridge.dispatch import ladder
from bridge.dispatch.draft import Draft
from bridge.dispatch.steps import FIRST
from bridge.memory import Known, Needs
from bridge.model import Incident, Message, Notification, Timer
from bridge.routing.rules import Action

_LOOK_AGAIN = timedelta(seconds=15)
_NOT_YET = frozenset({"READY", "HELD", "INFLIGHT", "UNKNOWN"})
_UNDER_WAY = frozenset({"ACCEPTED", "ACCEPTED_NO_ID", "HANDED_OVER"})
_LOST = frozenset({"REJECTED", "UNDELIVERED", "EXPIRED"})


def reach_timer(message_id: int) -> str:
    """The timer that asks whether a message has reached its phone."""
    return f"reach/{message_id}"


def begin(draft: Draft, incident: Incident, action: Action, step: str, message: Message) -> None:
    """A message that tells *step* of *incident* is planned: it has to be proven delivered in time."""
    span = action.receipts.not_reached_after
    if span is None or not action.escalate or not (step == FIRST or step.startswith("step:")):
        return
    _wait(draft, incident.id, message.id, step, span, draft.now + span, late=False)


def due_needs(timer: Timer, book: RuleBook, now: datetime, known: Known) -> Needs:
    """The message; it brings its incident, and that its ladder."""
    return Needs(messages=frozenset({_message_of(timer)}), incidents=frozenset({timer.incident_id}))


def fire(draft: Draft, timer: Timer) -> None:
    """The time in which the message had to be delivered is over."""
    message, incident = draft.memory.message(_message_of(timer)), draft.incident(timer.incident_id)
    if message is None or incident is None or not incident.live:
        return
    step, span = str(timer.data["step"]), timedelta(seconds=float(str(timer.data["span"])))
    if message.state in _NOT_YET:
        if message.valid_until > draft.now:
            _wait(draft, incident.id, message.id, step, span, draft.now + min(span, _LOOK_AGAIN), late=True)
        else:
            _not_reached(draft, incident, message)
    elif message.state in _UNDER_WAY and timer.data.get("late"):
        _wait(draft, incident.id, message.id, step, span, draft.now + span, late=False)
    elif message.state in _UNDER_WAY | _LOST:
        _not_reached(draft, incident, message)


def reached(draft: Draft, message: Message) -> None:
    """A message was delivered: nobody else of its step has to be."""
    incident = draft.incident(message.incident_id)
    if incident is not None:
        for note in _same_step(draft, incident, message):
            draft.drop_timer(reach_timer(note.message_id))


def missed(draft: Draft, message: Message) -> None:
    """A message will not reach its phone. What nobody waits for any more (somebody else of its step was reached) is no
    matter."""
    incident = draft.incident(message.incident_id)
    mine = _note_of(draft, incident, message) if incident is not None else None
    waited_for = mine is not None and reach_timer(mine.message_id) in draft.memory.timers
    if waited_for and incident is not None and message.episode == incident.episode:
        _not_reached(draft, incident, message)


def _not_reached(draft: Draft, incident: Incident, message: Message) -> None:
    """The next rung comes at once, unless somebody else of the step may still be reached, or the ladder has gone on."""
    step = list(_same_step(draft, incident, message))
    mine = _note_of(draft, incident, message)
    action = draft.book.action(incident.rule)
    if mine is None or incident.state != "open" or action is None or action.receipts.not_reached_after is None:
        return
    draft.drop_timer(reach_timer(mine.message_id))
    others = (note.message_id for note in step if note.message_id != mine.message_id)
    if any(reach_timer(number) in draft.memory.timers for number in others):
        return
    going = ladder.running(draft, incident)
    if going is None or going.paused is not None or going.stands_at != _bare(mine.step):
        return
    draft.log("person.not_reached", incident_id=incident.id, message_id=message.id, person=mine.person)
    ladder.hurry(draft, incident)


def _wait(draft: Draft, number: int, message_id: int, step: str, span: timedelta, at: datetime, *, late: bool) -> None:
    data = {"step": step, "span": span.total_seconds(), "late": late}
    draft.put_timer(reach_timer(message_id), at, "reach", number, data)


def _same_step(draft: Draft, incident: Incident, message: Message) -> Iterator[Notification]:
    """Everybody who was told of the step that *message* told of, its own phone among them."""
    mine = _note_of(draft, incident, message)
    return (note for note in draft.told(incident) if mine is not None and _bare(note.step) == _bare(mine.step))


def _note_of(draft: Draft, incident: Incident, message: Message) -> Notification | None:
    """What *message* told; a second copy stands for its first, whose fate nobody knows, and what
    goes by the next way for what went by the one before."""
    told = [note for note in draft.told(incident) if note.phone == message.phone]
    own = next((note for note in told if note.message_id == message.id), None)
    if own is not None or not (message.copy or message.way):
        return own
    return max((note for note in told if note.message_id < message.id), key=lambda n: n.message_id, default=None)


def _bare(step: str) -> str:
    """A step without its channel: ``step:3/call`` is told at the same moment as ``step:3``."""
    return step.partition("/")[0]


def _message_of(timer: Timer) -> int:
    return int(timer.name.partition("/")[2])
