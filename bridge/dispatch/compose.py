"""From an incident and a person to the words on a phone.

A rule's own text, else the frame of the words room, rendered for this person, cleaned, fitted into the
parts the rule allows, priced. What fails to render becomes ``host: title`` and the operator hears of it:
an alert must never become nothing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Literal
from zoneinfo import ZoneInfo

from bridge.book import RuleBook
from bridge.dispatch import notices
from bridge.dispatch.draft import Draft
from bridge.model import Event, Held, Incident, Message
from bridge.oncall.people import Target
from bridge.render.frames import FrameValue, frame_pieces
from bridge.render.names import host_part
from bridge.render.texts import RenderFailed, plain_pieces, render
from bridge.render.variables import Variables
from bridge.routing.rules import Action
from bridge.sms.fit import KEEP, Alphabet, Piece, fit

Kind = Literal["alert", "repeated", "worse", "alert.next", "alert.copy", "recovery", "flapping", "missing", "digest"]
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
    pieces = list(_pieces(draft, occasion, target, language, alphabet))
    if tail:
        pieces.append(Piece(f" {tail}", KEEP))
    fitted = fit(pieces, action.parts, alphabet, language)
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
    )


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


def _pieces(draft: Draft, occasion: Occasion, target: Target, language: str, alphabet: Alphabet) -> Sequence[Piece]:
    book, zone = draft.book, draft.book.zone(target.person)
    which: Literal["alert", "recovery", "group"] = "alert"
    if occasion.kind == "recovery":
        which = "recovery"
    elif occasion.kind == "digest":
        which = "group"
    text = None if occasion.kind == "flapping" else book.text(occasion.text_of or occasion.rule, which)
    if text is None:
        values = _frame_values(occasion, zone, draft.now) | {"who": _silent_ones(draft, occasion, target)}
        kind = "alert" if occasion.kind == "alert.next" and not values["who"] else occasion.kind
        return frame_pieces(kind, language, values, alphabet=alphabet)
    try:
        said = variables(occasion, book, target)
        return render(text, said, language=language, zone=zone, now=draft.now, otherwise=book.config.language)
    except RenderFailed as failure:
        notices.template_failed(draft, occasion.rule, failure)
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
    due = event.labels.get("due") if occasion.kind == "missing" else None
    return {
        "code": occasion.code,
        "sev": lambda said: said.severity(event.severity),
        "over": lambda said: said.over,
        "h": host_part(event.host),
        "t": event.title,
        "n": occasion.count or (incident.count if incident else 1),
        "at": lambda said: said.clock(datetime.fromisoformat(due) if due else since, zone),
        "span": lambda said: said.span(now - since),
        "begin": lambda said: said.clock(_since(occasion) or now, zone),
        "end": lambda said: said.clock(now, zone),
        "list": listed(occasion.members, occasion.show),
    }
