"""Escalation: when nobody has an incident, the next people are told (FORMAT §3 Step, §14).

The ladder is a timer, ``step/<incident>``, that holds its own copy of the rungs. Who is meant by a name is asked when a
rung speaks. An ack makes it stand still, taking the ack back lets it go on, the incident's end takes it away. Moving
on at once (somebody cannot, or was not reached) moves the timer: whatever moves it, one rung speaks once.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from bridge.book import Targets
from bridge.dispatch.draft import Draft
from bridge.dispatch.steps import Ladder, Rung, from_data, ladder_of
from bridge.model import Incident
from bridge.oncall.people import Target
from bridge.routing.rules import Action

_UNANSWERED_AFTER = timedelta(minutes=30)  # FORMAT §4 Replies.news


def step_timer(number: int) -> str:
    """The timer of an incident's next rung."""
    return f"step/{number}"


def unanswered_timer(number: int) -> str:
    """The timer that says that nobody has it, after the last rung."""
    return f"unanswered/{number}"


def begin(draft: Draft, incident: Incident, action: Action, *, at_once: bool = False) -> None:
    """The first SMS of an episode is made: its ladder begins. *at_once*: there was nobody to send it to."""
    if not action.escalate:
        return
    ladder = ladder_of(incident.rule, incident.source, incident.episode, action.escalate, draft.now)
    draft.drop_timer(unanswered_timer(incident.id))
    put(draft, incident, ladder, draft.now if at_once else ladder.due(0))
    draft.log("ladder.begun", incident_id=incident.id, rungs=len(ladder.rungs), rounds=ladder.rounds)


def running(draft: Draft, incident: Incident) -> Ladder | None:
    """The ladder of the incident's present episode; None when it has none, or it is over.

    An incident brings its timers along: what memory does not have does not exist.
    """
    timer = draft.memory.timers.get(step_timer(incident.id))
    ladder = from_data(timer.data) if timer is not None else None
    return ladder if ladder is not None and ladder.episode == incident.episode else None


def pause(draft: Draft, incident: Incident) -> None:
    """Somebody has it: the ladder stands still, and is forgotten when the ack has lasted as long as it may."""
    ladder = running(draft, incident)
    if ladder is None or ladder.paused is not None:
        return
    action = draft.book.action(incident.rule)
    lasts = action.ack_lasts if action else timedelta(hours=24)
    put(draft, incident, ladder.held_at(draft.now), draft.now + lasts)


def resume(draft: Draft, incident: Incident) -> Ladder | None:
    """The ack was taken back: the ladder goes on where it stood still; what is left of it, None for nothing.

    Where nothing is left, nobody has it again: that is said in its time.
    """
    ladder = running(draft, incident)
    if ladder is None:
        _nobody_again(draft, incident)
        return None
    ladder = ladder.resumed_at(draft.now)
    if ladder.next_at is not None:
        put(draft, incident, ladder, ladder.next_at)
    return ladder


def _nobody_again(draft: Draft, incident: Incident) -> None:
    """An ack is taken back when every rung has spoken; after ``ack_lasts`` no timer speaks."""
    action, since = draft.book.action(incident.rule), incident.acked_at
    if action is not None and action.escalate and since is not None and draft.now - since < action.ack_lasts:
        end(draft, incident)


def end(draft: Draft, incident: Incident) -> None:
    """Every rung has spoken: what is left to say is that nobody has it."""
    data = {"episode": incident.episode}
    at = draft.now + _UNANSWERED_AFTER
    draft.put_timer(unanswered_timer(incident.id), at, "unanswered", incident.id, data)
    draft.drop_timer(step_timer(incident.id))


def hurry(draft: Draft, incident: Incident, *, without: str = "") -> tuple[Target, ...]:
    """Let the next rung speak at once; whom it will tell. Nobody, and nothing happens, where only *without* (a phone)
    is left to be told: who cannot do it is not asked again before his time."""
    ladder = running(draft, incident)
    if ladder is None or ladder.over:
        return ()
    others = tuple(target for target in following(draft, incident, ladder) if target.phone != without)
    if others:
        put(draft, incident, ladder.resumed_at(draft.now), draft.now)
    return others


def following(draft: Draft, incident: Incident, ladder: Ladder) -> tuple[Target, ...]:
    """Whom the next rung of *ladder* would tell now."""
    return () if ladder.over else targets(draft, incident, ladder.rung).people


def put(draft: Draft, incident: Incident, ladder: Ladder, at: datetime) -> None:
    draft.put_timer(step_timer(incident.id), at, "step", incident.id, ladder.data())


def targets(draft: Draft, incident: Incident, rung: Rung) -> Targets:
    """Whom a rung means at this moment."""
    action = draft.book.action(incident.rule)
    if action is None:
        return Targets(())
    overrides = draft.held_rotas()
    return draft.book.targets(action, (), draft.now, incident.source, overrides=overrides, to=rung.to)
