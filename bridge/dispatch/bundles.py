"""What waited, when its time has come: said together, without what ended meanwhile.

A bundle of a rule (digest, group, the end of a silence) asks who is meant only now; one of a person (quiet hours)
knows.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from bridge.book import RuleBook
from bridge.dispatch import announcing, limits, silenced, telling
from bridge.dispatch.draft import Draft
from bridge.memory import Known, Needs
from bridge.model import Held, Timer
from bridge.oncall.people import Target


def due_needs(timer: Timer, book: RuleBook, now: datetime, known: Known) -> Needs:
    """What a bundle is about: its incidents, the phones it may be said to, where it may have to wait on."""
    held = known.held.get(timer.name, {}).values()
    needs = [_needs_of_one(each, timer, book, now, known) for each in held]
    name = frozenset({timer.name})
    own = Needs(bundles=name, timers=name, tallies=name, hiders=timer.kind == "wake")
    return Needs.of((*needs, own))


def _needs_of_one(held: Held, timer: Timer, book: RuleBook, now: datetime, known: Known) -> Needs:
    action = book.action(held.rule)
    if action is None:
        return Needs()
    source = held.event.source
    people = book.targets(action, held.recipients, now, source, overrides=known.overrides).people
    own = (Target(str(timer.data["person"]), str(timer.data["phone"])),) if "phone" in timer.data else ()
    waits = telling.quiet_timers(book, action, source, (*people, *own), now)
    rule = announcing.needs_of(book, held.rule, action, held.event, held.sender, held.recipients)
    phones = [target.phone for target in (*people, *own)]
    rule |= limits.needs_of(book, action, held.rule, source, phones, now)
    return rule | Needs(
        incidents=frozenset({held.incident_id} - {0}),
        talkers=frozenset(target.phone for target in (*people, *own)),
        timers=frozenset(waits),
        causes=frozenset({f"template/{held.rule}"}),
    )


def due(draft: Draft, timer: Timer) -> None:
    """Say what is held under the timer's name."""
    members = sorted(draft.bundle(timer.name).values(), key=lambda held: (held.since, held.member))
    for held in members:
        draft.release(held)
    asks = [ask for held in members if (ask := telling.ask_of(draft, held)) is not None]
    match timer.kind:
        case "wake":
            for ask in asks:
                if ask.incident is None or not silenced.is_silent(draft, ask, ask.incident):
                    announcing.again(draft, ask)
        case "quiet":
            _said(draft, asks, (Target(str(timer.data["person"]), str(timer.data["phone"])),))
        case _:
            _said(draft, asks, None)
            if timer.kind == "group" and asks:
                _collect_on(draft, timer, asks[0])


def _said(draft: Draft, asks: Sequence[telling.Ask], targets: Sequence[Target] | None) -> None:
    """One SMS to everybody who is meant (*targets*, or whom the rules mean now) and was not told."""
    mine: dict[str, tuple[Target, list[telling.Ask]]] = {}
    meant: list[tuple[telling.Ask, Sequence[Target]]] = []
    for ask in asks:
        found = _meant(draft, ask) if targets is None else targets
        meant.append((ask, found))
        for target in found:
            if not telling.is_told(draft, ask, target.phone):
                mine.setdefault(target.phone, (target, []))[1].append(ask)
    for target, wanted in mine.values():
        telling.tell(draft, wanted, target)
    announcing.missed(draft, meant)


def _meant(draft: Draft, ask: telling.Ask) -> Sequence[Target]:
    """The end goes to those who were told of the trouble, everything else to whom the rules mean now."""
    if ask.incident is None or ask.kind != "recovery":
        return announcing.meant(draft, ask)
    told = {note.phone: note.person for note in draft.told(ask.incident) if note.step not in ("mail", "answer")}
    return [Target(person, phone) for phone, person in told.items()]


def _collect_on(draft: Draft, timer: Timer, ask: telling.Ask) -> None:
    """At most one SMS of the group in its ``every``: what comes meanwhile is collected."""
    group = ask.action.group
    if group is not None and group.every > timedelta(0):
        draft.put_timer(timer.name, draft.now + group.every, "group")
