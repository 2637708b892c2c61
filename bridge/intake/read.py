"""What one stored mail says and which rules want it."""

from __future__ import annotations

import hashlib
from dataclasses import replace

from bridge.book import RuleBook
from bridge.intake import old_programs
from bridge.intake.old_programs import Spoken
from bridge.intake.passwords import NONE, Passwords
from bridge.mail.automatic import loop_mark
from bridge.mail.parse import parse
from bridge.model import Email, Envelope, Event, Reading, RoutedEvent, StoredMail, Thread
from bridge.producers.identify import identify
from bridge.routing.facts import Facts, facts_of
from bridge.routing.sources import SourceRef

_SMALL_BOOK = 25  # rules that are all named in the trace; of a larger book only explain names all (0.6 ms a hundred)


def read(
    mail: StoredMail,
    book: RuleBook,
    *,
    own: str = "",
    email: Email | None = None,
    passwords: Passwords = NONE,
    trace: bool = False,
) -> Reading:
    """What *mail* says and which rules want it. Needs no memory, touches nothing.

    Never raises for what a mail contains; a mail nobody understands becomes one generic event. *own* is the loop
    mark of this installation; *email* is the mail already parsed (big ones are parsed by a worker); *passwords* are
    those of old programs; *trace* asks why each rule did not match, which an event that no rule takes gets anyway.
    """
    envelope = mail.envelope
    facts = facts_of(envelope)
    source = book.sources.of(facts)
    if email is None:
        email = parse(envelope, source.entry.default_charset if source.entry else None)
    said = old_programs.spoken(email, facts, source, book, passwords) if source.is_old_program else None
    if said is not None:
        return _spoken(mail, book, said, facts, source, own, trace=trace)
    forced = source.entry.producer if source.entry else None
    events = identify(email, envelope, source.name, book.packs, forced)
    refused = _refused(book, facts, email, envelope, own)
    routed = () if refused else tuple(_walk(book, event, email, facts, envelope, trace=trace) for event in events)
    return _reading(mail, email, source, routed or tuple(_unwalked(event) for event in events), refused)


def _spoken(
    mail: StoredMail, book: RuleBook, said: Spoken, facts: Facts, source: SourceRef, own: str, *, trace: bool
) -> Reading:
    """The reading of a colon mail: one event, walked by its own door; other recipients of it walk by theirs."""
    envelope = mail.envelope
    event = old_programs.event_of(said, envelope, source, book)
    refused = _refused(book, facts, said.email, envelope, own) or said.wrong
    if refused:
        return _reading(mail, said.email, source, (_unwalked(event),), refused)
    walked = (_walk(book, event, said.email, each, envelope, trace=trace) for each in old_programs.courses(said, facts))
    return _reading(mail, said.email, source, tuple(old_programs.with_phones(said, one) for one in walked), "")


def unreadable(mail: StoredMail, book: RuleBook, why: str) -> Reading:
    """The reading of a mail that stopped its reader: one event that says so, routed by its envelope."""
    facts = facts_of(mail.envelope)
    source = book.sources.of(facts)
    title = f"Unreadable alert, kept as M-{mail.id}"
    event = Event(source.name, "generic", facts.mail_from.rpartition("@")[2], "", "warning", "problem", "", title, why)
    email = Email(facts.mail_from, "", title, "", {}, "", (), "", (), len(mail.envelope.content), "", (why,))
    routed = (_walk(book, event, email, facts, mail.envelope, trace=True),)
    return _reading(mail, email, source, routed, "", unreadable=why)


def _walk(book: RuleBook, event: Event, email: Email, facts: Facts, envelope: Envelope, *, trace: bool) -> RoutedEvent:
    whole = trace or len(book.rules.by_name) <= _SMALL_BOOK
    at, standing = envelope.received_at, book.standing
    routed = book.rules.walk(event, email, facts, at, trace=whole)
    if routed.left and not whole:
        routed = book.rules.walk(event, email, facts, at, trace=True)
    if not standing.empty:
        routes = tuple(
            replace(route, marks=standing.marks(route.event, email, facts, at, route.recipients))
            for route in routed.routes
        )
        seen = routes[0].event if routes else event
        routed = replace(routed, routes=routes, watches=standing.waited_for(seen, email, facts, at))
    return routed


def _unwalked(event: Event) -> RoutedEvent:
    return RoutedEvent(event, (), (), ())


def _refused(book: RuleBook, facts: Facts, email: Email, envelope: Envelope, own: str) -> str:
    """Why the mail pages nobody: our own mark or an automatic answer (T09), a From its source may not use (T05)."""
    mark = loop_mark(email, envelope, own)
    if mark:
        return f"loop: {mark}"
    if email.from_address and not book.sources.may_send_as(facts, email.from_address):
        return "From not allowed"
    return ""


def _reading(
    mail: StoredMail,
    email: Email,
    source: SourceRef,
    events: tuple[RoutedEvent, ...],
    refused: str,
    *,
    unreadable: str = "",
) -> Reading:
    envelope = mail.envelope
    answer_to = "" if email.automatic and not envelope.mail_from else envelope.mail_from or ""
    return Reading(
        mail_id=mail.id,
        received_at=envelope.received_at,
        source=source.name,
        origin=f"{envelope.door}/{envelope.peer}/{envelope.mail_from}",
        recipients=tuple(recipient.address for recipient in envelope.recipients),
        thread=Thread(mail.id, email.message_id, email.references, email.subject, answer_to),
        digest=_digest(email, envelope, source.name),
        subject=email.subject,
        sender=email.from_address or envelope.mail_from,
        text=email.text,
        events=events,
        refused=refused,
        unreadable=unreadable,
        problems=email.problems,
    )


def _digest(email: Email, envelope: Envelope, source: str) -> str:
    """What makes a second copy of a mail the same mail (threats §2); "" without a Message-ID."""
    if not email.message_id:
        return ""
    head, _, body = envelope.content.partition(b"\r\n\r\n")
    recipients = sorted(recipient.address.lower() for recipient in envelope.recipients)
    parts = [source, *recipients, email.message_id, email.date, hashlib.sha256(body or head).hexdigest()]
    return hashlib.sha256("\0".join(parts).encode("utf-8", "replace")).hexdigest()
