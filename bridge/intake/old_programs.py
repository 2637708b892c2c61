"""A mail of an old program to ``send@``: the colon line in it says who, to whom and what (FORMAT §8).

Rules see the text as the text of the mail, the door as ``smsc-mail`` and the phones as recipients: what ``numbers``
allows is asked of each of them, as for a number in an address. The password leaves with the line: nothing behind
intake, and no page, log or trail, gets to see it (threats T12, T29).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from bridge.book import RuleBook
from bridge.intake import colon
from bridge.intake.passwords import Passwords
from bridge.mail.parse import parse
from bridge.model import Email, Envelope, Event, Route, RoutedEvent
from bridge.producers.generic import generic_event
from bridge.producers.identify import identify
from bridge.routing.facts import Facts, facts_of
from bridge.routing.numbers import read_number
from bridge.routing.sources import SourceRef, Sources

_CONTENT_FIELD = re.compile(rb"(?im)^(?:content-[a-z-]+|mime-version):[^\n]*\n(?:[ \t][^\n]*\n)*")


@dataclass(frozen=True, slots=True)
class Spoken:
    """What an old program says. *email* is its mail as everybody else may see it."""

    email: Email
    addresses: tuple[str, ...]  # the recipients that stand for the door: ``send@…``
    phones: tuple[str, ...] = ()  # E.164, or as written where that is no number
    labels: tuple[tuple[str, str], ...] = ()
    wrong: str = ""  # why nothing of it is sent, "" = nothing is wrong


def addressed(facts: Facts, sources: Sources) -> tuple[str, ...]:
    """The recipients of a mail that mean the door for colon mail; none for a source without ``smsc``."""
    return tuple(address for address in facts.recipients if sources.door_of(facts, address) == "smsc-mail")


def spoken(email: Email, facts: Facts, source: SourceRef, book: RuleBook, passwords: Passwords) -> Spoken | None:
    """What *email* says in the colon format; None where it is an ordinary mail."""
    addresses = addressed(facts, book.sources)
    if not addresses or source.entry is None or source.entry.smsc is None:
        return None
    line = colon.read_line(email.text)
    shown = _shown(email, passwords, colon.masked(email.text) if line is None else line.text)
    if line is None:
        return Spoken(shown, addresses, wrong="wrong format")
    if not passwords.right(source.entry.smsc, line.login, line.password):
        return Spoken(shown, addresses, wrong="wrong login or password")
    region = source.entry.region or book.config.region
    phones = tuple(dict.fromkeys(read_number(phone, region) or phone for phone in line.phones))
    labels = tuple((name, text) for name, text in (("id", line.id), ("sender", line.sender)) if text)
    return Spoken(shown, addresses, phones, labels, line.wrong)


def event_of(said: Spoken, envelope: Envelope, source: SourceRef, book: RuleBook) -> Event:
    """Its one event. The subject is nothing (the provider ignores it), and no producer is guessed from a text that a
    customer is to read."""
    email = replace(said.email, subject="")
    forced = source.entry.producer if source.entry else None
    if forced:
        event = identify(email, envelope, source.name, book.packs, forced)[0]
    else:
        event = generic_event(email, envelope, source.name)
    return replace(event, labels={**event.labels, **dict(said.labels)})


def courses(said: Spoken, facts: Facts) -> tuple[Facts, ...]:
    """The door for colon mail, and for other recipients of the same mail the one it came in by."""
    others = tuple(address for address in facts.recipients if address not in said.addresses)
    own = replace(facts, door="smsc-mail", recipients=said.addresses)
    return (own, replace(facts, recipients=others)) if others else (own,)


def with_phones(said: Spoken, routed: RoutedEvent) -> RoutedEvent:
    """*routed* with the phones in the place of ``send@``."""
    return replace(routed, routes=tuple(_for_phones(said, route) for route in routed.routes))


def _for_phones(said: Spoken, route: Route) -> Route:
    if not set(route.recipients) & set(said.addresses):
        return route
    domain = said.addresses[0].rpartition("@")[2]
    return replace(route, recipients=tuple(f"{phone}@{domain}" for phone in said.phones))


def kept(envelope: Envelope, book: RuleBook, passwords: Passwords, email: Email | None = None) -> bytes | None:
    """The bytes of a colon mail as they may be kept once it is planned; None for every other mail.

    The header stays but for what describes the body, which is written anew, decoded, without the password.
    """
    facts = facts_of(envelope)
    if not addressed(facts, book.sources):
        return None
    entry = book.sources.of(facts).entry
    if email is None:
        email = parse(envelope, entry.default_charset if entry else None)
    head = envelope.content.replace(b"\r\n", b"\n").partition(b"\n\n")[0] + b"\n"
    head = _CONTENT_FIELD.sub(b"", head) + b"MIME-Version: 1.0\nContent-Type: text/plain; charset=utf-8\n"
    shown = passwords.hidden(head.decode("latin-1")).encode("latin-1") + b"Content-Transfer-Encoding: 8bit\n\n"
    body = passwords.hidden(colon.masked(email.text)).encode("utf-8", "replace")
    return (shown + body + b"\n").replace(b"\n", b"\r\n")


def _shown(email: Email, passwords: Passwords, text: str) -> Email:
    hidden = passwords.hidden
    headers = {name: _each(values, passwords) for name, values in email.headers.items()}
    return replace(email, text=hidden(text), subject=hidden(email.subject), headers=headers)


def _each(values: Sequence[str], passwords: Passwords) -> tuple[str, ...]:
    return tuple(map(passwords.hidden, values))
