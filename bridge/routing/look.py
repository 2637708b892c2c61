"""One event of one mail as conditions look at it: every field as text, as written and case-folded.

Values are made when a condition first asks for them and kept, so a book of many rules folds a mail once. Fields
with several values (attachments, headers, ``host`` with and without its domain) hold several; a condition fits if
one of them fits. Texts are cut at 10,000 characters, lone surrogates are replaced: RE2 would raise for them.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from types import MappingProxyType

from bridge.model import Email, Event
from bridge.routing.facts import Facts

Values = tuple[str, ...]
LONGEST = 10_000  # characters of a field that conditions look at
NULL_SENDER = "<>"
_ADDRESS_LIKE = re.compile(r"[0-9.]+|[0-9a-fA-F:.]*:[0-9a-fA-F:.]*")
_NO_MAIL = Email("", "", "", "", MappingProxyType({}), "", (), "", (), 0)


@dataclass(frozen=True, slots=True)
class Address:
    """An envelope recipient as given, and as conditions take values: clean, and case-folded."""

    given: str
    raw: Values
    low: Values


def address_of(recipient: str) -> Address:
    """*recipient* as conditions see it."""
    clean = scrubbed(recipient)
    return Address(recipient, (clean,), (clean.casefold(),))


def scrubbed(text: str) -> str:
    """*text* cut, and without lone surrogates."""
    if text.isascii():
        return text[:LONGEST]
    return text[:LONGEST].encode("utf-8", "replace").decode("utf-8")


@lru_cache(maxsize=4096)
def short_host(host: str) -> str:
    """*host* without its domain; an IP address is itself."""
    return host if _ADDRESS_LIKE.fullmatch(host) else host.partition(".")[0]


class _Raw(dict[str, Values]):
    """Field → values as written, filled when asked."""

    __slots__ = ("look",)

    def __init__(self, look: Look) -> None:
        self.look = look

    def __missing__(self, field: str) -> Values:
        values = tuple(map(scrubbed, _read(self.look, field)))
        self[field] = values
        return values


class _Low(dict[str, Values]):
    """Field → values case-folded, filled when asked."""

    __slots__ = ("raw",)

    def __init__(self, raw: _Raw) -> None:
        self.raw = raw

    def __missing__(self, field: str) -> Values:
        values = tuple(map(str.casefold, self.raw[field]))
        self[field] = values
        return values


class Look:
    """What a condition may ask of an event, its mail and its envelope."""

    __slots__ = ("at", "email", "event", "facts", "low", "raw")

    def __init__(self, event: Event, email: Email, facts: Facts, at: datetime | None) -> None:
        self.event = event
        self.email = email
        self.facts = facts
        self.at = at  # clock of arrival; None while only the envelope is known
        self.raw = _Raw(self)
        self.low = _Low(self.raw)

    def changed(self, event: Event) -> Look:
        """The same mail with another event; what was read of the mail is kept."""
        other = Look(event, self.email, self.facts, self.at)
        other.raw.update((field, values) for field, values in self.raw.items() if not _of_event(field))
        other.low.update((field, values) for field, values in self.low.items() if not _of_event(field))
        return other

    def has(self, field: str) -> bool:
        """Whether the header or label is there at all, or the field holds anything."""
        kind, _, name = field.partition(".")
        if kind == "label":
            return name in self.event.labels
        if kind == "header":
            return name in self.email.headers
        return any(self.raw[field])


def look_at_envelope(source: str, facts: Facts) -> Look:
    """What can be seen before the mail itself: for conditions that the envelope decides."""
    return Look(Event(source, "", "", "", "info", "info", "", "", ""), _NO_MAIL, facts, None)


@lru_cache(maxsize=4096)
def network_address(peer: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    """*peer* as an address; one of IPv4 inside IPv6 is the IPv4 one; None for a socket file or no peer."""
    try:
        address = ipaddress.ip_address(peer)
    except ValueError:
        return None
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    return mapped or address


def _of_event(field: str) -> bool:
    return field in _EVENT or field.startswith("label.")


def _host(look: Look) -> Values:
    host = look.event.host
    short = short_host(host)
    return (host,) if short == host else (host, short)


def _identity(look: Look) -> Values:
    return tuple(proof for proof in (look.facts.login, look.facts.certificate) if proof) or ("",)


def _read(look: Look, field: str) -> Values:
    read = _EVENT.get(field) or _MAIL.get(field)
    if read is not None:
        return read(look)
    kind, _, name = field.partition(".")
    return (look.event.labels.get(name, ""),) if kind == "label" else tuple(look.email.headers.get(name, ()))


_EVENT: dict[str, Callable[[Look], Values]] = {
    "source": lambda look: (look.event.source,),
    "producer": lambda look: (look.event.producer,),
    "host": _host,
    "service": lambda look: (look.event.service,),
    "severity": lambda look: (look.event.severity,),
    "state": lambda look: (look.event.state,),
    "key": lambda look: (look.event.key,),
    "title": lambda look: (look.event.title,),
    "detail": lambda look: (look.event.detail,),
}
_MAIL: dict[str, Callable[[Look], Values]] = {
    "door": lambda look: (look.facts.door,),
    "identity": _identity,
    "from": lambda look: (look.email.from_address,),
    "mail_from": lambda look: (look.facts.mail_from or NULL_SENDER,),
    "subject": lambda look: (look.email.subject,),
    "text": lambda look: (look.email.text,),
    "attachment": lambda look: look.email.attachments,
    "size": lambda look: (str(look.email.size),),
}
