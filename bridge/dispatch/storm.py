"""What a storm or a budget held back, when its time has come: a digest, or one SMS after the other.

It was asked about quiet hours before it was held; but nights begin, so that is asked again.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import datetime

from bridge.book import RuleBook
from bridge.dispatch import limits, telling
from bridge.dispatch.draft import Draft
from bridge.dispatch.telling import Ask, Stage
from bridge.memory import Known, Needs
from bridge.model import CLASSES, Held, Timer
from bridge.oncall.people import Target


def due_needs(timer: Timer, book: RuleBook, now: datetime, known: Known) -> Needs:
    """What is held under the timer's name, and what telling it will ask for."""
    held = known.held.get(timer.name, {}).values()
    target = _target(timer)
    kinds = {(each.rule, each.event.source, each.recipients) for each in held}
    asked = [_needs_of_kind(book, target, rule, source, to, now, known) for rule, source, to in sorted(kinds)]
    return Needs.of(
        (
            *asked,
            Needs(
                incidents=frozenset(each.incident_id for each in held) - {0},
                talkers=frozenset({target.phone}),
                bundles=frozenset({timer.name}),
                timers=frozenset({timer.name}),
                tallies=frozenset({limits.storm_name(target.phone)}),
            ),
        )
    )


def _needs_of_kind(
    book: RuleBook, target: Target, rule: str, source: str, recipients: Sequence[str], now: datetime, known: Known
) -> Needs:
    action = book.action(rule)
    if action is None:
        return Needs()
    people = book.targets(action, recipients, now, source, overrides=known.overrides).people
    return limits.needs_of(book, action, rule, source, {target.phone}, now) | Needs(
        talkers=frozenset(each.phone for each in people),
        timers=frozenset(telling.quiet_timers(book, action, source, (target,), now)),
        causes=frozenset({f"template/{rule}"}),
    )


def fire(draft: Draft, timer: Timer) -> None:
    """Say what is held under the timer's name; what still does not pass waits on."""
    held = sorted(draft.bundle(timer.name).values(), key=lambda each: (each.since, each.member))
    if timer.kind == "storm":
        _said_of_storm(draft, timer, held)
    elif timer.data.get("over") == "hold":
        _one_by_one(draft, timer, held)
    else:
        _together(draft, _target(timer), _taken(draft, held, _target(timer)))


def _target(timer: Timer) -> Target:
    return Target(str(timer.data["person"]), str(timer.data["phone"]))


def _taken(draft: Draft, held: Iterable[Held], target: Target) -> list[Ask]:
    """What still has to be said, the most urgent class first; it is no longer held."""
    asks: list[Ask] = []
    for each in held:
        draft.release(each)
        ask = telling.ask_of(draft, each)
        if ask is not None and not telling.is_told(draft, ask, target.phone):
            asks.append(ask)
    return sorted(asks, key=_urgency)


def _urgency(ask: Ask) -> int:
    return CLASSES.index(ask.action.message_class)


def _together(draft: Draft, target: Target, asks: Sequence[Ask]) -> None:
    """One SMS for all of them, but for those that have to wait for the morning now."""
    now: list[Ask] = []
    morning: list[Ask] = []
    for ask in asks:
        (morning if _waits_for_morning(draft, ask, target) else now).append(ask)
    if now:
        telling.tell(draft, _worded(now), target, Stage.BUDGET)
    if morning:
        telling.tell(draft, morning, target)


def _worded(asks: Sequence[Ask]) -> Sequence[Ask]:
    """Several in one SMS are said in our own words, unless one rule took them all and wrote a text for several."""
    if len(asks) == 1 or (len({ask.held.rule for ask in asks}) == 1 and asks[0].action.group_text is not None):
        return asks
    return [replace(ask, text_of=limits.STORM) for ask in asks]


def _waits_for_morning(draft: Draft, ask: Ask, target: Target) -> bool:
    if ask.action.message_class == "critical" or ask.held.step.startswith("worse"):
        return False
    ends: Iterator[datetime] = telling.quiet_ends(draft.book, ask.action, ask.held.event.source, target, draft.now)
    return next(ends, None) is not None


# --- storm ---------------------------------------------------------------------------------------


def _said_of_storm(draft: Draft, timer: Timer, held: Sequence[Held]) -> None:
    """The digest of a storm. It goes on while more come in its window than its owner says."""
    over, target = draft.book.config.storm.over, _target(timer)
    lately = sum(1 for each in held if each.since > draft.now - over.window)
    if draft.counted(timer.name, over.window) + lately > over.count:
        draft.put_timer(timer.name, draft.now + draft.book.config.storm.digest, "storm", data=timer.data)
    else:
        draft.log("storm.over", person=target.person or target.phone)
    made = len(draft.messages)
    asks = _taken(draft, held, target)
    _together(draft, target, asks)
    if len(asks) > 1:  # no rule wrote a text about all of them
        draft.messages[made:] = [replace(message, rule=limits.STORM) for message in draft.messages[made:]]


# --- budgets -------------------------------------------------------------------------------------


def _one_by_one(draft: Draft, timer: Timer, held: Sequence[Held]) -> None:
    """What waits for room, class critical first, then the oldest, until one does not fit.

    What is no longer valid ends here.
    """
    target, late = _target(timer), 0
    valid: list[Ask] = []
    for each in held:
        ask = telling.ask_of(draft, each)
        if ask is None:
            draft.release(each)
        elif draft.now >= each.since + ask.action.validity:
            draft.release(each)
            telling.not_told(draft, ask, target, f"over budget {timer.data['called']}")
            late += 1
        else:
            valid.append(ask)
    if late:
        limits.tell_late(draft, str(timer.data["budget"]), late)
    waiting = deque(sorted(valid, key=_urgency))
    while waiting and draft.timer(timer.name) is None:
        ask = waiting.popleft()
        draft.release(ask.held)
        if not telling.is_told(draft, ask, target.phone):
            _together(draft, target, [ask])
    again = draft.timer(timer.name)
    if waiting and again is not None:
        soonest = min(ask.held.since + ask.action.validity for ask in waiting)
        draft.put_timer(timer.name, min(again.due_at, soonest), again.kind, data=again.data)
