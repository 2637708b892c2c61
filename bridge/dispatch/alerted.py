"""What follows from a mail: every event ends in a visible fate.

An event meets the routes that intake found. Each route drops it, mails it, or pages people; paging goes
through the incident, which knows who has been told. A recovery goes the ways its problem went.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from bridge.book import RuleBook
from bridge.dispatch import announcing, flapping, letters, limits, notices, pairs, watching
from bridge.dispatch.announcing import announce, passed_threshold, threshold_tally
from bridge.dispatch.draft import Draft
from bridge.dispatch.ending import ended
from bridge.dispatch.recovery import recovered
from bridge.dispatch.silenced import SILENT, is_silent, marked
from bridge.dispatch.telling import Ask, kind_of, not_told, quiet_timers, tell_by_all
from bridge.memory import Known, Memory, Needs
from bridge.model import SEVERITIES, Event, Held, Incident, Notification, Plan, Reading, Route, RoutedEvent
from bridge.oncall.people import Target
from bridge.routing.rules import Action


@dataclass(frozen=True, slots=True)
class _Case:
    """One route of one event, with everything its decisions look at."""

    reading: Reading
    n: int
    route: Route
    action: Action
    paged: set[str]  # phones that have a message for this event already

    @property
    def event(self) -> Event:
        return self.route.event


def needs_of(reading: Reading, book: RuleBook, now: datetime, known: Known) -> Needs:
    """The rows that a reading will touch."""
    keys: set[tuple[str, str]] = set()
    producer_keys: set[tuple[str, str]] = set()
    causes = {f"{cause}/{reading.source}" for cause in ("unrouted", "from", "number")}
    phones: set[str] = set()
    more: list[Needs] = []
    for routed in reading.events:
        if routed.event.key:
            producer_keys.add((reading.source, routed.event.key))
            if book.flapping:
                name = frozenset({flapping.name_of(routed.event, "")})
                more.append(Needs(tallies=name, timers=name))
        for route in routed.routes:
            causes.add(f"template/{route.rule}")
            action = book.action(route.rule)
            if action is not None and action.to:
                key = incident_key(book, reading, route)
                keys.add((reading.source, key))
                found = book.targets(action, route.recipients, now, reading.source, overrides=known.overrides).people
                phones.update(target.phone for target in found)
                more.extend(_gates(reading, route, action, key, book, found, now))
    more.append(watching.needs_of(reading, book, now, known))
    own = Needs(
        keys=frozenset(keys),
        producer_keys=frozenset(producer_keys),
        talkers=frozenset(phones),
        digests=frozenset({reading.digest} - {""}),
        causes=frozenset(causes),
    )
    return Needs.of([own, *more])


def _gates(
    reading: Reading, route: Route, action: Action, key: str, book: RuleBook, people: Sequence[Target], now: datetime
) -> Iterator[Needs]:
    """What the gates of *route* ask for."""
    event, sender = route.event, reading.sender
    tallies: set[str] = set()
    timers = set(quiet_timers(book, action, event.source, people, now))
    if action.threshold is not None:
        tallies.add(threshold_tally(action.threshold, route.rule, key, event, sender, route.recipients))
    if book.flapping:
        tallies.add(flapping.name_of(event, key))
        timers.add(flapping.name_of(event, key))
    yield announcing.needs_of(book, route.rule, action, event, sender, route.recipients)
    yield limits.needs_of(book, action, route.rule, event.source, [target.phone for target in people], now)
    hiders = bool(route.marks.hidden or route.marks.hides)
    yield Needs(tallies=frozenset(tallies), timers=frozenset(timers), hiders=hiders)


def incident_key(book: RuleBook, reading: Reading, route: Route) -> str:
    """The rule's key, else the producer's, else the exact text (FORMAT §4 ``key``)."""
    event = route.event
    key = book.key(route.rule, event, route.groups, reading) or event.key
    if key:
        return key
    exact = hashlib.sha256(event.detail.encode("utf-8", "replace")).hexdigest()[:12]
    return f"{event.host}: {event.title} #{exact}"


def alerted(reading: Reading, book: RuleBook, memory: Memory, now: datetime) -> Plan:
    """Everything that follows from one mail."""
    draft = Draft(book, memory, now, mail_id=reading.mail_id)
    draft.log("mail.read", source=reading.source, events=len(reading.events), problems=list(reading.problems))
    first = memory.first_with(reading.digest)
    if first is not None and first != reading.mail_id:
        draft.mail_state = "DUPLICATE"
        _all(draft, reading, f"same mail as M-{first}")
    elif reading.refused:
        _all(draft, reading, "loop" if reading.refused.startswith("loop") else f"refused ({reading.refused})")
        if not reading.refused.startswith("loop"):
            notices.from_not_allowed(draft, reading)
    else:
        if reading.unreadable:
            draft.mail_state = "QUARANTINED"
            notices.quarantined(draft, reading)
        for n, routed in enumerate(reading.events):
            watching.arrived(draft, reading, n, routed)
            _event(draft, reading, n, routed)
    return draft.plan()


def _all(draft: Draft, reading: Reading, reason: str) -> None:
    for n in range(len(reading.events)):
        draft.fate(n, "nothing", reason=reason)
    draft.log("mail.stopped", reason=reason)


def _event(draft: Draft, reading: Reading, n: int, routed: RoutedEvent) -> None:
    event = routed.event
    if event.state == "recovery" and event.key:
        over = [i for i in draft.open_by_producer_key(reading.source, event.key) if pairs.ends(draft, event, i)]
        for incident in over:
            recovered(draft, reading, n, event, incident)
        if over:
            return
    paged: set[str] = set()
    for route in routed.routes:
        action = draft.book.action(route.rule)
        if action is None:  # the book changed between reading and deciding: nobody is left in the dark
            notices.unrouted(draft, reading, n, routed)
        else:
            _act(draft, _Case(reading, n, route, action, paged))
    if routed.left:
        notices.unrouted(draft, reading, n, routed)


def _act(draft: Draft, case: _Case) -> None:
    action = case.action
    draft.log("rule.took", rule=case.route.rule, n=case.n)
    if action.drop:
        draft.fate(case.n, "nothing", rule=case.route.rule, reason=f"dropped ({action.drop})")
        draft.log("rule.dropped", rule=case.route.rule, reason=action.drop)
        return
    if action.mail_to:
        letters.alert(draft, case.reading, case.event, case.route.rule, action)
        draft.fate(case.n, "mail", rule=case.route.rule)
    if not action.to:
        if action.mail_to:
            draft.fate(case.n, "nothing", rule=case.route.rule, reason="mail only")
        return
    if action.track:
        _tracked(draft, case)
    else:
        _untracked(draft, case)


def _untracked(draft: Draft, case: _Case) -> None:
    """``track: false``: a plain message, no incident, no dedup, no code."""
    ask, targets = _ask(case, None, "0"), _targets(draft, case)
    for target in targets:
        case.paged.add(target.phone)
        tell_by_all(draft, ask, target)
    announcing.missed(draft, [(ask, targets)])


def _ask(case: _Case, incident: Incident | None, step: str) -> Ask:
    reading, route = case.reading, case.route
    held = Held(
        "", f"i/{incident.id}" if incident else f"m/{reading.mail_id}/{case.n}/{route.rule}",
        incident.id if incident else 0, incident.episode if incident else 0, route.rule, route.event,
        reading.received_at, 1, step, reading.mail_id, reading.subject, reading.sender, reading.text,
        route.groups, route.recipients,
    )  # fmt: skip
    return Ask(held, case.action, incident, case.n, kind_of(step))


def _targets(draft: Draft, case: _Case) -> list[Target]:
    """Whom the rule means now, without those who have a message for this event; holes are told."""
    found = draft.book.targets(
        case.action, case.route.recipients, draft.now, case.reading.source, overrides=draft.held_rotas()
    )
    notices.otherwise(draft, found)
    for reason in found.reasons:
        draft.fate(case.n, "nothing", rule=case.route.rule, reason=reason)
        if not reason.startswith(notices.NUMBER):
            notices.hole(draft, case.reading.mail_id, case.reading.subject, reason)
    if found.refused:
        notices.numbers_not_allowed(draft, case.reading, found.refused)
    if found.nobody:
        draft.fate(case.n, "nothing", rule=case.route.rule, reason="to nobody")
    return [target for target in found.people if target.phone not in case.paged]


def _tracked(draft: Draft, case: _Case) -> None:
    key = incident_key(draft.book, case.reading, case.route)
    incident = draft.open_incident(case.reading.source, key)
    if case.event.state == "recovery":
        if incident is None or not pairs.ends(draft, case.event, incident):
            draft.fate(case.n, "nothing", rule=case.route.rule, reason="recovery of something nobody was told")
        else:
            recovered(draft, case.reading, case.n, case.event, incident)
        return
    forgotten = incident is not None and draft.now - incident.last_at >= case.action.close_after
    if incident is not None and forgotten and not draft.held_of(incident):
        draft.put(replace(incident, state="closed", resolved_at=draft.now))
        ended(draft, incident)
        incident = None
    if incident is None:
        _first(draft, case, _opened(draft, case, key))
    elif pairs.is_next(draft, case.event, case.reading.origin, incident):
        _first(draft, case, _next_episode(draft, case, incident))
    else:
        _goes_on(draft, case, incident)


def _opened(draft: Draft, case: _Case, key: str) -> Incident:
    reading, event = case.reading, case.event
    incident = Incident(
        id=draft.take("incident"), source=reading.source, key=key, producer_key=event.key, state="open", episode=1,
        producer=event.producer, host=event.host, service=event.service, severity=event.severity, title=event.title,
        detail=event.detail[:4000], labels=event.labels, problem_id=event.problem_id, count=1, opened_at=draft.now,
        last_at=draft.now, sent_at=None, rule=case.route.rule, code="", origin=reading.origin, thread=reading.thread,
        groups=case.route.groups, marks=case.route.marks, recipients=case.route.recipients,
    )  # fmt: skip
    draft.due(case.action.close_after, "close", incident.id)
    draft.log("incident.opened", incident_id=incident.id, key=key)
    return draft.put(incident)


def _next_episode(draft: Draft, case: _Case, incident: Incident) -> Incident:
    event, reading = case.event, case.reading
    marked(draft, incident, case.route.marks)
    draft.log("incident.episode", incident_id=incident.id, problem_id=event.problem_id)
    return draft.put(
        replace(
            incident, state="open", episode=incident.episode + 1, severity=event.severity, title=event.title,
            detail=event.detail[:4000], labels=event.labels, problem_id=event.problem_id, count=1, opened_at=draft.now,
            last_at=draft.now, sent_at=None, origin=reading.origin, thread=reading.thread, acked_by="", acked_at=None,
            rule=case.route.rule, groups=case.route.groups, marks=case.route.marks,
            recipients=case.route.recipients,
        )
    )  # fmt: skip


def _first(draft: Draft, case: _Case, incident: Incident) -> None:
    """The first SMS of an episode goes to everybody the rule means."""
    _remember_mailed(draft, case, incident)
    ask = _ask(case, incident, "0")
    if is_silent(draft, ask, incident) or flapping.held_back(draft, ask, incident, change=True):
        return
    _announce(draft, case, incident, _targets(draft, case), "0")


def _announce(draft: Draft, case: _Case, incident: Incident, targets: list[Target], step: str) -> None:
    """Tell *targets*; each of them once for this step of this episode."""
    ask = _ask(case, incident, step)
    untold = incident.sent_at is None and case.event.state != "recovery"
    passed = passed_threshold(draft, ask, incident.key) if untold else ask
    if isinstance(passed, str):
        not_told(draft, ask, None, passed)
    else:
        case.paged.update(announce(draft, passed, targets))


def _remember_mailed(draft: Draft, case: _Case, incident: Incident) -> None:
    """Who got the alert as mail gets its end as mail."""
    for address in letters.addresses(draft, case.reading, case.action):
        draft.notifications.append(Notification(incident.id, incident.episode, "mail", address, "", 0))


def _goes_on(draft: Draft, case: _Case, incident: Incident) -> None:
    """The same trouble again: silence for those who know, never for those who do not."""
    told = {note.phone for note in draft.told(incident)}
    targets = _targets(draft, case)
    new = [target for target in targets if target.phone not in told]
    old = [target for target in targets if target.phone in told]
    twin = pairs.is_twin(draft, case.reading.origin, incident)
    worse = SEVERITIES.index(case.event.severity) > SEVERITIES.index(incident.severity)
    marks = case.route.marks if worse else incident.marks
    marked(draft, incident, marks)
    incident = draft.put(
        replace(
            incident,
            count=incident.count + (0 if twin else 1),
            last_at=draft.now,
            severity=case.event.severity if worse else incident.severity,
            marks=marks,
        )
    )
    if twin:
        pairs.remember(draft, case.event, incident)
    draft.log("incident.again", incident_id=incident.id, count=incident.count, twin=twin)
    if is_silent(draft, _ask(case, incident, _silent_step(draft, case, incident, worse=worse)), incident):
        return
    if flapping.held_back(draft, _ask(case, incident, "0"), incident, change=False):
        return
    if new:
        _announce(draft, case, incident, new, "0")
    if not old:
        return
    if worse:
        _announce(draft, case, incident, old, f"worse:{case.event.severity}")
    elif twin:
        _not_again(draft, case, old, f"also seen by {case.reading.source}")
    else:
        _repeat(draft, case, incident, old)


def _silent_step(draft: Draft, case: _Case, incident: Incident, *, worse: bool) -> str:
    """What is to be said when a silence is over: that it got worse meanwhile is said to those too who know of it."""
    if worse:
        return f"worse:{case.event.severity}"
    steps = (held.step for held in draft.held_of(incident) if held.bundle.startswith(SILENT))
    return next((step for step in steps if step.startswith("worse:")), "0")


def _repeat(draft: Draft, case: _Case, incident: Incident, told: list[Target]) -> None:
    action = case.action
    if incident.state == "acked" and incident.acked_at and draft.now - incident.acked_at < action.ack_lasts:
        _not_again(draft, case, told, f"acknowledged by {incident.acked_by}")
        return
    since = incident.sent_at or incident.opened_at
    if action.repeat == "always" or (isinstance(action.repeat, timedelta) and draft.now - since >= action.repeat):
        _announce(draft, case, incident, told, f"repeat:{incident.count}")
        return
    for target in told:
        zone = draft.book.zone(target.person)
        opened = incident.opened_at.astimezone(zone)
        reason = f"incident open since {opened:%H:%M}"
        if isinstance(action.repeat, timedelta):
            reason += f" and repeated after {(since + action.repeat).astimezone(zone):%H:%M}"
        _not_again(draft, case, [target], reason)


def _not_again(draft: Draft, case: _Case, targets: list[Target], reason: str) -> None:
    for target in targets:
        person = target.person or target.phone
        draft.fate(case.n, "nothing", rule=case.route.rule, person=person, reason=reason)
        draft.log("person.not_told", person=person, reason=reason, rule=case.route.rule)
