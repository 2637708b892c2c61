"""What a mail says and which rules want it: all that is known without memory."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from bridge.model.mail import Event


@dataclass(frozen=True, slots=True)
class Visit:
    """One rule that was asked for one event, and why it did not take it."""

    rule: str
    matched: bool
    failed: str = ""  # first condition that did not hold: "host web1 does not fit db*"
    note: str = ""  # "took oncall@…", "child took it", "continue"


@dataclass(frozen=True, slots=True)
class Marks:
    """Which entries of the rule book's ``silences`` and ``inhibit`` an event is like; windows are asked later."""

    silences: tuple[str, ...] = ()
    hides: tuple[str, ...] = ()  # inhibit entries whose ``while`` it is like: while it is open, others are hidden
    hidden: tuple[str, ...] = ()  # inhibit entries whose ``hide`` it is like
    sender: str = ""  # header From, for ``equal`` and ``by``
    recipient: str = ""


@dataclass(frozen=True, slots=True)
class Route:
    """A rule that took one event for some of its recipients."""

    rule: str  # name, unique in the book
    event: Event  # after every ``set`` on the way
    recipients: tuple[str, ...]
    groups: Mapping[str, str] = field(default_factory=dict)  # named regex groups: {{ m.x }}
    marks: Marks = field(default_factory=Marks)


@dataclass(frozen=True, slots=True)
class RoutedEvent:
    """One event with everything the rules made of it."""

    event: Event
    routes: tuple[Route, ...]
    left: tuple[str, ...]  # recipients that no rule took: they meet ``unrouted``
    trace: tuple[Visit, ...]
    watches: tuple[str, ...] = ()  # watches that waited for a mail like this


@dataclass(frozen=True, slots=True)
class Thread:
    """Where answers go: enough of a mail to write into its thread."""

    mail_id: int
    message_id: str
    references: tuple[str, ...]
    subject: str
    sender: str  # whom an answer reaches, "" = nobody (null sender, automatic)


@dataclass(frozen=True, slots=True)
class Reading:
    """A mail's events with their routes: all that can be known without memory."""

    mail_id: int
    received_at: datetime
    source: str
    origin: str  # door, peer and MAIL FROM: tells two monitors of a pair apart
    recipients: tuple[str, ...]
    thread: Thread
    digest: str  # (source, recipients, Message-ID, Date, body hash), "" without a Message-ID: no dedup
    subject: str
    sender: str
    text: str  # visible text of the mail (templates may want it)
    events: tuple[RoutedEvent, ...]
    refused: str = ""  # "From not allowed", "loop": the mail pages nobody
    unreadable: str = ""  # why it could not be parsed; its one event is a generic one
    problems: tuple[str, ...] = ()
