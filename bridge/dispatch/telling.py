"""From "these people are to be told of this" to an SMS, or to the reason why not now (FORMAT §9).

The gates that belong to one person stand here in their order: quiet hours, storm, budgets. What is held waits in a
bundle; when that falls due it comes back here, at the gate behind.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import IntEnum
from zoneinfo import ZoneInfo

from bridge.book import RuleBook
from bridge.book.book import Targets
from bridge.dispatch import ladder, limits, reaching
from bridge.dispatch.codes import code_for
from bridge.dispatch.compose import Kind, Occasion, made, put
from bridge.dispatch.draft import Draft
from bridge.dispatch.holding import hold, quiet_bundle
from bridge.model import SEVERITIES, Held, Incident, Message, Notification
from bridge.oncall.people import Target
from bridge.oncall.windows import next_change
from bridge.routing.rules import Action

_CODES_OF_A_BUNDLE = 10  # incidents of one SMS that get a code each; ``list`` shows them


class Stage(IntEnum):
    """The gates, in order; asking begins at one of them."""

    QUIET = 0
    STORM = 1
    BUDGET = 2


@dataclass(frozen=True, slots=True)
class Ask:
    """One thing that somebody is to be told of."""

    held: Held  # event, rule, step: as it is kept while it waits
    action: Action
    incident: Incident | None
    n: int = -1  # the mail's event, for its fate; -1 when a timer speaks
    kind: Kind = "alert"
    text_of: str = ""  # whose text is used, "" = the rule's


def kind_of(step: str) -> Kind:
    """How a step is said."""
    word = step.partition(":")[0]
    kinds: dict[str, Kind] = {"repeat": "repeated", "worse": "worse", "recovery": "recovery", "flapping": "flapping"}
    return kinds.get(word, "alert")


def ask_of(draft: Draft, held: Held, n: int = -1) -> Ask | None:
    """What was held, to be asked again; None when it is over, of an earlier episode, or its rule is gone."""
    action = draft.book.action(held.rule)
    if action is None:
        return None
    if not held.incident_id:
        return Ask(held, action, None, n, kind_of(held.step))
    incident = draft.incident(held.incident_id)
    if incident is None or incident.episode != held.episode or (not incident.live and held.step != "recovery"):
        return None
    return Ask(held, action, incident, n, kind_of(held.step))


def is_told(draft: Draft, ask: Ask, phone: str) -> bool:
    """Whether *phone* was told of this very step (promise 2)."""
    if ask.incident is None:
        return False
    return any(note.phone == phone and note.step == ask.held.step for note in draft.told(ask.incident))


def not_told(draft: Draft, ask: Ask, target: Target | None, reason: str) -> None:
    """Say why somebody (None: anybody) does not hear of it now."""
    person = (target.person or target.phone) if target else ""
    draft.fate(ask.n, "nothing", rule=ask.held.rule, person=person, reason=reason)
    draft.log("person.not_told", incident_id=ask.held.incident_id, person=person, reason=reason, rule=ask.held.rule)


def tell(draft: Draft, asks: Sequence[Ask], target: Target, stage: Stage = Stage.QUIET) -> bool:
    """Tell *target* of all *asks* in one SMS; False when it is held, dropped or over a budget (which is said)."""
    if stage <= Stage.QUIET:
        asks = [ask for ask in asks if not _quiet(draft, ask, target)]
    if not asks or (stage <= Stage.STORM and limits.stormy(draft, asks, target)):
        return False
    return _send(draft, asks, target)


# --- quiet hours ---------------------------------------------------------------------------------


def _quiet(draft: Draft, ask: Ask, target: Target) -> bool:
    """Whether *ask* has to wait for the end of the rule's or the person's quiet hours, or is dropped by them."""
    if ask.action.message_class == "critical" or ask.held.step.startswith("worse"):
        return False
    if _worse_than_held(draft, ask, target):
        return False
    person = draft.book.config.people.get(target.person)
    zone = _zone(draft.book, ask.held.event.source, target.person)
    for quiet in (ask.action.quiet, person.quiet if person else None):
        if quiet is None:
            continue
        span = draft.book.windows.quiet(quiet.during)
        if not span.holds(draft.now, zone):
            continue
        end = next_change(span, draft.now, zone)
        until = f"{end.astimezone(zone):%H:%M}" if end else "24:00"
        not_told(draft, ask, target, f"quiet hours until {until}")
        if quiet.then == "recheck" and end is not None:
            hold(draft, ask.held, quiet_bundle(target.phone, end), end, "quiet", target)
        return True
    return False


def _worse_than_held(draft: Draft, ask: Ask, target: Target) -> bool:
    """Worse than what waits for the same person's morning: then it is sent at once, and waits no more."""
    if ask.incident is None:
        return False
    mine = [h for h in draft.held_of(ask.incident) if h.bundle.startswith(f"quiet/{target.phone}/")]
    rank = SEVERITIES.index(ask.held.event.severity)
    if not mine or any(SEVERITIES.index(held.event.severity) >= rank for held in mine):
        return False
    for held in mine:
        draft.release(held)
    return True


def _zone(book: RuleBook, source: str, person: str) -> ZoneInfo:
    """The clock of quiet hours: the person's, for a phone of nobody the source's, else the configured one."""
    if person:
        return book.zone(person)
    zones = (entry.timezone for entry in book.config.sources.get(source, ()))
    return next((ZoneInfo(zone) for zone in zones if zone), book.zone(""))


def quiet_ends(book: RuleBook, action: Action, source: str, target: Target, now: datetime) -> Iterator[datetime]:
    """When the quiet hours that hold for *target* now are over: the rule's, then the person's own."""
    person = book.config.people.get(target.person)
    zone = _zone(book, source, target.person)
    for quiet in (action.quiet, person.quiet if person else None):
        span = book.windows.quiet(quiet.during) if quiet is not None else None
        if span is not None and span.holds(now, zone) and (end := next_change(span, now, zone)) is not None:
            yield end


def quiet_timers(book: RuleBook, action: Action, source: str, targets: Iterable[Target], now: datetime) -> set[str]:
    """The bundles in which *targets* may have to wait."""
    ends = ((target, end) for target in targets for end in quiet_ends(book, action, source, target, now))
    return {quiet_bundle(target.phone, end) for target, end in ends}


# --- the SMS -------------------------------------------------------------------------------------


def _send(draft: Draft, asks: Sequence[Ask], target: Target) -> bool:
    if limits.full(draft, asks, target):
        return False
    message = _written(draft, asks, target)
    if not limits.afford(draft, message, asks, target):
        return False
    message = put(draft, message)
    limits.book(draft, message, asks, target)
    for ask in asks:
        _noted(draft, ask, target, message)
    return True


def _written(draft: Draft, asks: Sequence[Ask], target: Target) -> Message:
    first = asks[0]
    if len(asks) == 1:
        held = first.held
        occasion = Occasion(
            held.rule, held.event, first.kind, first.incident, _code(draft, first, target), held.subject, held.sender,
            held.text, held.groups, first.text_of, held.count if held.count > 1 else 0,
        )  # fmt: skip
        return made(draft, occasion, first.action, target, mail_id=held.mail_id)
    codes = [_code(draft, ask, target) for ask in asks[:_CODES_OF_A_BUNDLE]]
    members = tuple(ask.held for ask in asks)
    count = sum(held.count for held in members)
    show = next((each.show for each in (first.action.digest, first.action.group) if each is not None), 3)
    worst = max(members, key=lambda held: SEVERITIES.index(held.event.severity))
    occasion = Occasion(
        worst.rule, worst.event, "digest", None, codes[0], text_of=first.text_of, count=count, members=members,
        show=show,
    )  # fmt: skip
    message = made(draft, occasion, first.action, target, mail_id=first.held.mail_id)
    return replace(message, rule=first.held.rule)


def _code(draft: Draft, ask: Ask, target: Target) -> str:
    if ask.incident is None or ask.kind == "recovery":
        live = draft.codes(target.phone).values()
        return next((c.code for c in live if ask.incident and c.incident_id == ask.incident.id), "")
    if not draft.book.promises_answers(ask.text_of or ask.held.rule, ask.action, target.phone):
        return ""
    incident = draft.incident(ask.incident.id) or ask.incident
    code = code_for(draft, incident, target.phone, tuple(each.phone for each in targets_of(draft, ask).people))
    if code and not incident.code:
        draft.put(replace(incident, code=code))
    return code


def targets_of(draft: Draft, ask: Ask) -> Targets:
    """Whom the rule means now."""
    held = ask.held
    return draft.book.targets(ask.action, held.recipients, draft.now, held.event.source, overrides=draft.held_rotas())


def _noted(draft: Draft, ask: Ask, target: Target, message: Message) -> None:
    person = target.person or target.phone
    draft.fate(ask.n, "sms", rule=ask.held.rule, person=person, message_id=message.id)
    incident = draft.incident(ask.incident.id) if ask.incident else None
    if incident is None:
        return
    draft.notifications.append(
        Notification(incident.id, incident.episode, ask.held.step, target.phone, target.person, message.id)
    )
    if ask.kind == "recovery":
        return
    draft.put(replace(incident, sent_at=draft.now))
    reaching.begin(draft, incident, ask.action, ask.held.step, message)
    if incident.sent_at is None:
        ladder.begin(draft, incident, draft.book.action(ask.held.rule) or ask.action)
