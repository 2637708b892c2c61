"""The values a text may name, and how they print.

FORMAT §10 is the list. Every value is plain: text, a number, a moment, or a map of texts with a fixed set of names.
There is nothing behind a value that a template could reach.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final
from zoneinfo import ZoneInfo

from bridge.model import Event
from bridge.render.marks import bare
from bridge.render.names import host_part
from bridge.words.catalogue import Words

MOST_EVENTS: Final = 200  # a loop never sees more (T18)
MOST_CHARACTERS: Final = 10_000  # of one value, and of a rendered text (T18, T19)


@dataclass(frozen=True, slots=True)
class Variables:
    """What is known when a text is rendered. *host* is whole here; a text prints it without its domain.

    *person* is the name of who gets the text, *since* the begin of the trouble, *list* the hosts of a bundle as they
    are shown, *events* its members. ``code`` and ``call_to_ack`` are "" where no such answer is promised.
    """

    event: Event
    person: str = ""
    rule: str = ""
    code: str = ""
    call_to_ack: str = ""
    count: int = 1
    since: datetime | None = None
    list: str = ""
    events: tuple[Event, ...] = ()
    subject: str = ""
    sender: str = ""  # header From: {{ from }}
    text: str = ""
    groups: Mapping[str, str] = field(default_factory=dict)  # named regex groups: {{ m.x }}


@dataclass(frozen=True, slots=True)
class Reader:
    """For whom a text is made: zone and language settle how moments and spans print."""

    words: Words
    zone: ZoneInfo
    now: datetime


class Fields:
    """A map whose values a template may read by name; an absent name is empty text, or *strict*: not there at all."""

    __slots__ = ("_read", "_values", "strict")

    def __init__(self, values: Mapping[str, object], *, strict: bool = False) -> None:
        self._values = values
        self._read: dict[str, object] = {}  # a loop may ask for one value thousands of times
        self.strict = strict

    def read(self, name: str) -> object | None:
        """The value called *name*, clean; "" or (strict) None when there is none."""
        if name not in self._read:
            value = self._values.get(name, None if self.strict else "")
            self._read[name] = value_of(value) if isinstance(value, str) else value
        return self._read[name]

    def __str__(self) -> str:
        return ""

    def __bool__(self) -> bool:
        return bool(self._values)


@dataclass(frozen=True, slots=True)
class Moment:
    """A time as a text prints it: ``03:12`` on the reader's wall clock."""

    at: datetime
    reader: Reader

    def __str__(self) -> str:
        return self.reader.words.clock(self.at, self.reader.zone)

    def ago(self) -> str:
        """``26h ago``."""
        return self.reader.words.ago(self.reader.now - self.at)


def value_of(text: str) -> str:
    """A text that came from outside, as a value: no marks of ours, not longer than a text may be."""
    return bare(text[:MOST_CHARACTERS])


_OF_EVENT: Final = ("source", "producer", "service", "severity", "state", "key", "title", "detail")
_Value = Callable[[Variables, Reader], object]


def _event_field(name: str) -> _Value:
    return lambda v, _: value_of(getattr(v.event, name))


def carrier_text(subject: str, text: str) -> str:
    """Subject and body as carrier gateways joined them: ``(subject) body``."""
    return " ".join(filter(None, (f"({subject})" if subject else "", text)))


def _carrier_text(v: Variables, _: Reader) -> str:
    return value_of(carrier_text(v.subject, v.text))


def _since(v: Variables, reader: Reader) -> Moment:
    return Moment(v.since or reader.now, reader)


VALUES: Final[Mapping[str, _Value]] = {
    **{name: _event_field(name) for name in _OF_EVENT},
    "host": lambda v, _: host_part(value_of(v.event.host)),
    "fqdn": lambda v, _: value_of(v.event.host),
    "labels": lambda v, _: Fields(v.event.labels),
    "m": lambda v, _: Fields(v.groups),
    "count": lambda v, _: v.count,
    "since": _since,
    "age": lambda v, reader: reader.words.span(reader.now - (v.since or reader.now)),
    "now": lambda _, reader: Moment(reader.now, reader),
    "person": lambda v, _: value_of(v.person),
    "rule": lambda v, _: value_of(v.rule),
    "code": lambda v, _: value_of(v.code),
    "list": lambda v, _: value_of(v.list),
    "events": lambda v, _: [event_fields(event) for event in v.events[:MOST_EVENTS]],
    "call_to_ack": lambda v, _: value_of(v.call_to_ack),
    "subject": lambda v, _: value_of(v.subject),
    "from": lambda v, _: value_of(v.sender),
    "text": lambda v, _: value_of(v.text),
    "carrier_text": _carrier_text,
}
LISTS: Final = frozenset({"events"})  # what a loop may run over
MAPS: Final = frozenset({"labels", "m"})  # whose names are not known before
EVENT_FIELDS: Final = frozenset({*_OF_EVENT, "host", "fqdn", "labels"})  # of one of ``events``

# What ``set`` and ``key`` of a rule may name: there is no incident yet, and no reader.
ROUTING_NAMES: Final = frozenset({*_OF_EVENT, "host", "fqdn", "labels", "m", "subject", "from", "text", "carrier_text"})


def event_fields(event: Event) -> Fields:
    """One of ``events``: ``event.host``, ``event.title``, ``event.labels`` …"""
    values: dict[str, object] = {name: getattr(event, name) for name in _OF_EVENT}
    return Fields(
        values | {"host": host_part(value_of(event.host)), "fqdn": event.host, "labels": Fields(event.labels)},
        strict=True,
    )
