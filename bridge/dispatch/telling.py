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
from bridge.config.models.rules import VALIDITY
from bridge.dispatch import absence, codes, ladder, limits, reaching
from bridge.dispatch.asking import is_taken
from bridge.dispatch.compose import Kind, Occasion, made, put
from bridge.dispatch.draft import Draft
from bridge.dispatch.holding import QUIET, digest_bundle, group_bundle, hold, over_meanwhile, quiet_bundle
from bridge.model import CHANNELS, SEVERITIES, Conversation, Held, Incident, Message, MessageClass, Notification
from bridge.oncall.people import Target
from bridge.oncall.windows import begun, next_change
from bridge.routing.rules import Action

Written = tuple[Occasion, tuple[Conversation, ...]]

FLAPPING = "(flapping)"  # the rule of a text that no rule wrote
_STOPPED_BY_ACKS = ("repeat:", "step:")  # what is said because nobody has it


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
    kinds: dict[str, Kind] = {
        "repeat": "repeated", "worse": "worse", "recovery": "recovery", "flapping": "flapping", "step": "alert.next",
    }  # fmt: skip
    return kinds.get(word, "alert")


def ask_of(draft: Draft, held: Held, n: int = -1) -> Ask | None:
    """What was held, to be asked again; None when it is over, of an earlier episode, or its rule is gone.

    Somebody has it: who was told of it is not told again, and nobody new is called.
    """
    action = draft.book.action(held.rule)
    if action is None:
        return None
    action = _as_held(action, held)
    if not held.incident_id:
        return Ask(held, action, None, n, kind_of(held.step))
    incident = draft.incident(held.incident_id)
    if incident is None or incident.episode != held.episode or (not incident.live and held.step != "recovery"):
        return None
    if held.step.startswith(_STOPPED_BY_ACKS) and is_taken(draft, incident):
        return None
    return Ask(held, action, incident, n, kind_of(held.step), held.text_of)


def tell_by_all(draft: Draft, ask: Ask, target: Target) -> None:
    """Tell *target* by every channel of the rule: each is a telling of its own (``0/call``). What has to wait, or may
    not go, waits and is dropped in the first of them."""
    step = ask.held.step
    if tell(draft, [ask], target):
        for other in (f"{step}/{channel}" for channel in ask.action.channel[1:]):
            held = replace(ask.held, step=other)
            tell(draft, [replace(ask, held=held, action=_in_channel(ask.action, other))], target)


def _in_channel(action: Action, step: str) -> Action:
    """What is done in the channel that *step* names, if it names one."""
    channel = next((each for each in CHANNELS if step.endswith(f"/{each}")), None)
    return replace(action, channel=(channel,)) if channel else action


def _as_held(action: Action, held: Held) -> Action:
    """What is done for a step of a ladder that had to wait: its own channel and class, as if it spoke now."""
    action = in_class(_in_channel(action, held.step), held.message_class)
    return replace(action, channel=(held.channel,)) if held.channel else action


def in_class(action: Action, message_class: MessageClass | None) -> Action:
    """The same in another class (None: its own), which brings its validity, unless the rule has one of its own."""
    if message_class is None or message_class == action.message_class:
        return action
    usual = action.validity == VALIDITY[action.message_class]
    return replace(action, message_class=message_class, validity=VALIDITY[message_class] if usual else action.validity)


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
    stopped = absence.why_not(draft, target.phone)
    if stopped:
        for ask in asks:
            not_told(draft, ask, target, stopped)
        return False
    if stage <= Stage.QUIET:
        asks = [ask for ask in asks if not _with_its_group(draft, ask, target)]
        asks = [ask for ask in asks if not _quiet(draft, ask, target)]
    if not asks or (stage <= Stage.STORM and limits.stormy(draft, asks, target)):
        return False
    return _send(draft, asks, target)


# --- ladders of a group --------------------------------------------------------------------------


def _with_its_group(draft: Draft, ask: Ask, target: Target) -> bool:
    """Whether a step of a ladder waits for those of its group that fall due at the same moment: one SMS of a group.

    The group's SMS began all of their ladders. A step with a text, class or channel of its own speaks for itself.
    """
    held, group = ask.held, ask.action.group
    own = bool(ask.text_of) or ask.action != draft.book.action(held.rule)
    if group is None or held.bundle or own or not held.step.startswith("step:"):
        return False
    name = group_bundle(held.rule, group, held.event, held.sender, held.recipients)
    bundle = f"{name}/{held.step}/{target.phone}"
    hold(draft, held, bundle, None, "quiet", target)
    draft.put_timer(bundle, draft.now, "quiet", data={"phone": target.phone, "person": target.person})
    return True


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
    message, talks = _written(draft, asks, target)
    if not limits.afford(draft, message, asks, target):
        return False
    message = put(draft, message)
    limits.book(draft, message, asks, target)
    for talk in talks:
        _open(draft, talk)
    for ask in asks:
        _noted(draft, ask, target, message)
    return True


def _written(draft: Draft, asks: Sequence[Ask], target: Target) -> tuple[Message, tuple[Conversation, ...]]:
    """The SMS, and what its codes stand for as soon as it goes."""
    ends, open_ = [ask for ask in asks if ask.kind == "recovery"], [ask for ask in asks if ask.kind != "recovery"]
    occasion, talks = _morning(draft, open_, ends, target) or _usual(draft, open_, ends, target)
    first = (open_ or ends)[0]
    message = made(draft, occasion, first.action, target, mail_id=first.held.mail_id)
    if len(asks) > 1:
        about = tuple(dict.fromkeys(ask.incident.id for ask in asks if ask.incident is not None))
        message = replace(message, rule=first.held.rule, incident_id=0, episode=0, about=about)
    return (replace(message, rule=FLAPPING) if first.kind == "flapping" else message), talks


def _usual(draft: Draft, open_: Sequence[Ask], ends: Sequence[Ask], target: Target) -> Written:
    if not open_ and len(ends) > 1:
        return _ends(ends), ()
    occasion, talks = (_of_several if len(open_) > 1 else _of_one)(draft, open_ or ends, target)
    return (replace(occasion, ended=tuple(ask.held for ask in ends)) if open_ and ends else occasion), talks


def _of_one(draft: Draft, asks: Sequence[Ask], target: Target) -> Written:
    first, held = asks[0], asks[0].held
    code, talks = _code(draft, first, target)
    occasion = Occasion(
        held.rule, held.event, first.kind, first.incident, code, held.subject, held.sender, held.text, held.groups,
        first.text_of, held.count if held.count > 1 else 0,
    )  # fmt: skip
    return occasion, talks


def _of_several(draft: Draft, asks: Sequence[Ask], target: Target) -> Written:
    """A rule's words for several are about its own events; those of several rules are said in ours."""
    first, members = asks[0], tuple(ask.held for ask in asks)
    one_rule = len({held.rule for held in members}) == 1
    text_of = (first.text_of if not first.held.text_of else "") or ("" if one_rule else limits.STORM)
    code, talks = _codes(draft, asks, target, text_of or first.held.rule)
    count, worst = sum(held.count for held in members), _worst(members)
    occasion = Occasion(
        worst.rule, worst.event, "digest", None, code, text_of=text_of, count=count, members=members,
        show=_show(first),
    )  # fmt: skip
    return occasion, talks


def _ends(ends: Sequence[Ask]) -> Occasion:
    """What is over, in one SMS: a rule's words for several are about troubles."""
    members = tuple(ask.held for ask in ends)
    held = members[0]
    return Occasion(
        held.rule, held.event, "recovery.several", count=len(members), members=members, show=_show(ends[0])
    )  # fmt: skip


def _morning(draft: Draft, open_: Sequence[Ask], ends: Sequence[Ask], target: Target) -> Written | None:
    """The end of quiet hours in our words: how much came, how much of it is over. None where a rule has its own words,
    where a single thing came, and for plain messages, which are never over."""
    first = (open_ or ends)[0]
    gone = over_meanwhile(draft, first.held.bundle) + len(ends)
    tracked = all(ask.incident is not None for ask in (*open_, *ends))
    own = draft.book.text(first.held.rule, "group" if len(open_) > 1 else "alert") is not None
    if not first.held.bundle.startswith(QUIET) or not tracked or len(open_) + gone < 2 or (open_ and own):
        return None
    members = tuple(ask.held for ask in (open_ or ends))
    worst, incident = _worst(members), open_[0].incident if len(open_) == 1 else None
    event = worst.event if open_ else replace(worst.event, host="", title="")
    talks = _codes(draft, open_, target, limits.STORM)[1] if open_ else ()
    kind: Kind = "digest.morning.open" if len(open_) > 1 else "digest.morning"
    occasion = Occasion(
        worst.rule, event, kind, incident, count=len(open_) + gone, members=members, show=_show(first), over=gone,
        begun=_night(draft, first, target),
    )  # fmt: skip
    return occasion, talks


def _night(draft: Draft, ask: Ask, target: Target) -> datetime:
    """When the quiet hours began in which *ask* came."""
    book, since = draft.book, ask.held.since
    person = book.config.people.get(target.person)
    zone = _zone(book, ask.held.event.source, target.person)
    quiets = (quiet for quiet in (ask.action.quiet, person.quiet if person else None) if quiet is not None)
    begins = (begun(book.windows.quiet(quiet.during), since, zone) for quiet in quiets)
    return next((begin for begin in begins if begin is not None), since)


def _worst(members: Sequence[Held]) -> Held:
    return max(members, key=lambda held: SEVERITIES.index(held.event.severity))


def _show(ask: Ask) -> int:
    """How many hosts a list names."""
    return next((each.show for each in (ask.action.digest, ask.action.group) if each is not None), 3)


def _code(draft: Draft, ask: Ask, target: Target) -> tuple[str, tuple[Conversation, ...]]:
    """What the SMS about one incident shows."""
    if ask.incident is None:
        return "", ()
    incident = draft.incident(ask.incident.id) or ask.incident
    if ask.kind == "recovery" or not incident.live:
        return codes.code_of_ended(draft, target.phone, (incident,)), ()
    if not _promised(draft, ask, target):
        return "", ()
    talk = codes.for_one(draft, incident, target.phone, _colleagues(draft, ask))
    return (talk.code, (talk,)) if talk else ("", ())


def _codes(draft: Draft, asks: Sequence[Ask], target: Target, text_of: str) -> tuple[str, tuple[Conversation, ...]]:
    """What the SMS about several shows: one code, if its text has a place for one; else ``list`` names them."""
    tracked = [ask for ask in asks if ask.incident is not None and ask.kind != "recovery"]
    colleagues = _colleagues(draft, asks[0])
    if draft.book.shows_code(text_of, "group"):
        incidents = [ask.incident for ask in tracked if ask.incident]
        talk = codes.for_all(draft, _together(asks), incidents, target.phone, colleagues) if incidents else None
        return (talk.code, (talk,)) if talk else ("", ())
    promised = [ask.incident for ask in tracked if ask.incident and _promised(draft, ask, target)]
    return "", codes.for_each(draft, promised, target.phone, colleagues)


def _together(asks: Sequence[Ask]) -> str:
    """Whose code it is: that of a group, else of all that a rule says in one SMS."""
    rule, group = asks[0].held.rule, asks[0].action.group
    if group is None:
        return digest_bundle(rule)
    found = {group_bundle(rule, group, held.event, held.sender, held.recipients) for held in (ask.held for ask in asks)}
    return found.pop() if len(found) == 1 else digest_bundle(rule)


def _promised(draft: Draft, ask: Ask, target: Target) -> bool:
    return draft.book.promises_answers(ask.text_of or ask.held.rule, ask.action, target.phone)


def _colleagues(draft: Draft, ask: Ask) -> tuple[str, ...]:
    return tuple(target.phone for target in targets_of(draft, ask).people)


def _open(draft: Draft, talk: Conversation) -> None:
    """The SMS goes: its code stands for what it says, and incidents without a code are called by it."""
    draft.converse(talk)
    for number in talk.incidents:
        incident = draft.incident(number)
        if incident is not None and not incident.code:
            draft.put(replace(incident, code=talk.code))


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
    if incident.sent_at is None and ladder.running(draft, incident) is None and not ask.held.step.startswith("step:"):
        ladder.begin(draft, incident, draft.book.action(ask.held.rule) or ask.action)
