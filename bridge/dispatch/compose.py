"""From an incident and a person to the words on a phone.

A rule's own text, else the frame of the words room, rendered for this person, cleaned, fitted into the
parts the rule allows, priced. What fails to render becomes ``host: title`` and the operator hears of it:
an alert must never become nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Literal
from zoneinfo import ZoneInfo

from bridge.book import RuleBook
from bridge.dispatch import notices, ringing, ways
from bridge.dispatch.draft import Draft
from bridge.model import CallSlot, Event, Held, Incident, Message, WayText
from bridge.oncall.people import Target
from bridge.render.frames import FrameValue, frame_pieces
from bridge.render.names import host_part
from bridge.render.texts import RenderFailed, plain_pieces, render
from bridge.render.variables import Variables
from bridge.routing.rules import Action
from bridge.sms.fit import KEEP, Alphabet, Fitted, Piece, fit
from bridge.words.catalogue import words

Kind = Literal[
    "alert", "repeated", "worse", "alert.next", "alert.copy", "recovery", "recovery.several", "flapping", "missing",
    "digest", "digest.morning", "digest.morning.open",
]  # fmt: skip
_IN_OUR_WORDS = ("recovery.several", "flapping", "digest.morning", "digest.morning.open")  # a rule writes none of these
_ALERTS = ("alert", "repeated", "worse", "alert.next", "alert.copy", "missing")
_NO_NUMBER = ("recovery", *_IN_OUR_WORDS)  # what names no number to ring
_BUNDLE_SHOWS = 3  # hosts that a list names where no rule says how many


@dataclass(frozen=True, slots=True)
class Occasion:
    """What there is to say: the event, what is known of its incident, and the mail's own words."""

    rule: str
    event: Event
    kind: Kind
    incident: Incident | None = None
    code: str = ""
    subject: str = ""
    sender: str = ""
    text: str = ""
    groups: Mapping[str, str] | None = None
    text_of: str = ""  # whose text is used, "" = the rule's
    count: int = 0  # events; 0 = those of the incident
    members: tuple[Held, ...] = ()  # of a bundle of several
    show: int = _BUNDLE_SHOWS
    ended: tuple[Held, ...] = ()  # what is over besides, and was told before
    over: int = 0  # how many of a night ended before its morning
    begun: datetime | None = None  # of the night, None = the first of *members*


def say(draft: Draft, occasion: Occasion, action: Action, target: Target, *, mail_id: int) -> Message:
    """The message that tells *target*; it is added to the draft."""
    return put(draft, made(draft, occasion, action, target, mail_id=mail_id))


def put(draft: Draft, message: Message) -> Message:
    """Add a message to the draft; it gets its id."""
    message = replace(message, id=draft.take("message"))
    draft.messages.append(message)
    _log(draft, message, "message.created")
    return message


def made(draft: Draft, occasion: Occasion, action: Action, target: Target, *, mail_id: int) -> Message:
    """The message that would tell *target*: written, fitted and priced, without an id and not yet in the draft."""
    book = draft.book
    language = action.language or book.language(target.person)
    promised = bool(occasion.code)
    chain = book.chain(action, target.phone)
    tail = book.number_tail(chain) if promised else ""
    alphabet = book.alphabet(target.person, action.alphabet)

    def written(number: str) -> Fitted:
        pieces = list(_pieces(draft, occasion, target, language, alphabet, number))
        if tail:
            pieces.append(Piece(f" {tail}", KEEP))
        if occasion.ended:
            over = words(language, latin=alphabet == "translit").over
            pieces.append(Piece(f". {over}: {listed(occasion.ended, occasion.show)}", 1))
        return fit(pieces, action.parts, alphabet, language)

    rings = _may_ring(draft, occasion, action, target, chain)
    fitted, slot = _with_slot(written) if rings else (written(""), None)
    price, currency = book.price(chain, target.phone, fitted.segments)
    return Message(
        id=0,
        phone=target.phone,
        person=target.person,
        text=fitted.text,
        encoding=fitted.encoding,
        segments=fitted.segments,
        price=price,
        currency=currency,
        rule=occasion.rule,
        message_class=action.message_class,
        channel=action.channel[0],
        providers=chain,
        originator=action.sender or "",
        answerable=promised and book.answerable(chain),
        created_at=draft.now,
        due_at=draft.now,
        valid_until=draft.now + action.validity,
        language=language,
        incident_id=occasion.incident.id if occasion.incident else 0,
        episode=occasion.incident.episode if occasion.incident else 0,
        mail_id=mail_id,
        call=slot,
        ways=_ways(draft, occasion, action, target, language),
    )


def _ways(draft: Draft, occasion: Occasion, action: Action, target: Target, language: str) -> tuple[WayText, ...]:
    """What the ways besides SMS show; where that cannot be rendered, they show the SMS's text."""
    if not (action.viber or action.whatsapp or action.vk):
        return ()
    if occasion.kind not in _ALERTS:
        return ways.timed(action)
    book, zone = draft.book, draft.book.zone(target.person)
    reader = ways.Reader(variables(occasion, book, target), language, zone, draft.now)
    try:
        return ways.ways_of(book, occasion.rule, action, reader, own_text=bool(occasion.text_of))
    except RenderFailed as failure:
        notices.template_failed(draft, occasion.rule, failure, occasion.incident)
        return ways.timed(action)


def _may_ring(draft: Draft, occasion: Occasion, action: Action, target: Target, chain: tuple[str, ...]) -> bool:
    """Whether the text names a number to ring: it has a place for it, and this person may answer so."""
    which = _which(occasion.kind)
    own = occasion.text_of or occasion.rule
    if occasion.kind in _NO_NUMBER or not (occasion.incident or occasion.members):
        return False
    if draft.book.text(own, which) is None:
        if not occasion.kind.startswith("alert"):
            return False
    elif not draft.book.shows_number_to_ring(own, which):
        return False
    return ringing.is_offered(draft.book, action, target.person, chain, action.channel[0])


def _with_slot(written: Callable[[str], Fitted]) -> tuple[Fitted, CallSlot | None]:
    """The text with its place for a number; without a place where there is no room for one."""
    without = written("")
    place = ringing.place_in(without.text)
    fitted = written(place)
    slot = ringing.slot_in(fitted.text, place, without.text)
    return (fitted, slot) if slot else (without, None)


def _log(draft: Draft, message: Message, kind: str) -> None:
    draft.log(
        kind,
        incident_id=message.incident_id,
        message_id=message.id,
        person=message.person or message.phone,
        rule=message.rule,
        segments=message.segments,
        encoding=message.encoding,
    )


def _which(kind: Kind) -> Literal["alert", "recovery", "group"]:
    """Which of a rule's texts says this."""
    if kind == "recovery":
        return "recovery"
    return "group" if kind == "digest" else "alert"


def _pieces(
    draft: Draft, occasion: Occasion, target: Target, language: str, alphabet: Alphabet, number: str
) -> Sequence[Piece]:
    """*number* is the one to ring, "" = none."""
    book, zone = draft.book, draft.book.zone(target.person)
    which = _which(occasion.kind)
    text = None if occasion.kind in _IN_OUR_WORDS else book.text(occasion.text_of or occasion.rule, which)
    if text is None:
        values = _frame_values(occasion, zone, draft.now) | {"who": _silent_ones(draft, occasion, target)}
        kind: str = "alert" if occasion.kind == "alert.next" and not values["who"] else occasion.kind
        if number and kind == "alert":
            kind, values = "alert.call", values | {"phone": number}
        return frame_pieces(kind, language, values, alphabet=alphabet)
    try:
        said = replace(variables(occasion, book, target), call_to_ack=number)
        return render(text, said, language=language, zone=zone, now=draft.now, otherwise=book.config.language)
    except RenderFailed as failure:
        notices.template_failed(draft, occasion.rule, failure, occasion.incident)
        return plain_pieces(occasion.event)


def _silent_ones(draft: Draft, occasion: Occasion, target: Target) -> str:
    """Who was told last and did not answer: the others of the step before."""
    if occasion.kind != "alert.next" or occasion.incident is None:
        return ""
    told = [note for note in draft.memory.told(occasion.incident) if note.step != "mail"]
    last = max(told, key=lambda note: note.message_id).step.partition("/")[0] if told else ""
    silent = (note for note in told if note.step.partition("/")[0] == last and note.phone != target.phone)
    return ", ".join(dict.fromkeys(draft.book.name(note.person) or note.phone for note in silent))


def variables(occasion: Occasion, book: RuleBook, target: Target) -> Variables:
    """What a template may see."""
    incident = occasion.incident
    return Variables(
        event=occasion.event,
        person=book.name(target.person) if target.person else target.phone,
        rule=occasion.rule,
        code=occasion.code,
        count=occasion.count or (incident.count if incident else 1),
        since=_since(occasion),
        list=listed(occasion.members, occasion.show),
        events=tuple(held.event for held in occasion.members),
        subject=occasion.subject,
        sender=occasion.sender,
        text=occasion.text,
        groups=occasion.groups or {},
    )


def _since(occasion: Occasion) -> datetime | None:
    if occasion.begun is not None:
        return occasion.begun
    if occasion.members:
        return min(held.since for held in occasion.members)
    return occasion.incident.opened_at if occasion.incident else None


def listed(members: Sequence[Held], show: int) -> str:
    """The hosts of a bundle, most events first: ``db01 x12, sw3 x9, +4``."""
    counts: dict[str, int] = {}
    for held in members:
        host = host_part(held.event.host) or held.event.title
        counts[host] = counts.get(host, 0) + held.count
    ordered = sorted(counts.items(), key=lambda entry: -entry[1])
    words_ = [host if n == 1 else f"{host} x{n}" for host, n in ordered[:show]]
    return ", ".join([*words_, f"+{len(ordered) - show}"] if len(ordered) > show else words_)


def _frame_values(occasion: Occasion, zone: ZoneInfo, now: datetime) -> dict[str, FrameValue]:
    event, incident = occasion.event, occasion.incident
    since = incident.opened_at if incident else now
    until = incident.resolved_at if incident and occasion.kind == "recovery" and incident.resolved_at else now
    due = event.labels.get("due") if occasion.kind == "missing" else None
    return {
        "code": occasion.code,
        "sev": lambda said: said.severity(event.severity),
        "over": lambda said: said.over,
        "h": host_part(event.host),
        "t": event.title,
        "gone": occasion.over or "",
        "n": occasion.count or (incident.count if incident else 1),
        "at": lambda said: said.clock(datetime.fromisoformat(due) if due else since, zone),
        "span": lambda said: said.span(until - since),
        "begin": lambda said: said.clock(_since(occasion) or now, zone),
        "end": lambda said: said.clock(now, zone),
        "list": listed(occasion.members, occasion.show),
    }
