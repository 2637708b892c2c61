"""What follows from a happening."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

from bridge.model.happening import Timer
from bridge.model.incident import (
    Conversation,
    Held,
    Incident,
    Notification,
    Override,
    Silence,
    Stop,
    Tally,
    Unsubscribed,
)
from bridge.model.message import Message, Notice, OutgoingMail
from bridge.model.money import Spend
from bridge.model.words import MailState, MessageState


@dataclass(frozen=True, slots=True)
class Fate:
    """What became of one event, in the vocabulary of FORMAT §13 (or ``sms``, ``mail``)."""

    event: int  # index in the mail
    what: Literal["sms", "mail", "nothing"]
    rule: str = ""
    person: str = ""  # person or phone it is about, "" = the whole event
    reason: str = ""
    message_id: int = 0


@dataclass(frozen=True, slots=True)
class JournalEntry:
    """One step of a life, as the trail shows it. Never changed: a correction is a new entry."""

    at: datetime
    kind: str  # mail.received, mail.planned, message.created, message.accepted, reply.read …
    mail_id: int = 0
    incident_id: int = 0
    message_id: int = 0
    data: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Plan:
    """Everything that follows from one thing that happened. Rows are whole: the store writes what stands here."""

    fates: tuple[Fate, ...] = ()
    mail_state: MailState = "PLANNED"
    incidents: tuple[Incident, ...] = ()
    notifications: tuple[Notification, ...] = ()
    messages: tuple[Message, ...] = ()
    cancel: tuple[tuple[int, str], ...] = ()  # message id, why
    states: tuple[tuple[int, MessageState, str], ...] = ()  # message id, new state, reason
    conversations: tuple[Conversation, ...] = ()
    timers: tuple[Timer, ...] = ()
    timers_gone: tuple[str, ...] = ()  # names
    held: tuple[Held, ...] = ()
    released: tuple[tuple[str, str], ...] = ()  # bundle, member
    tallies: tuple[Tally, ...] = ()
    spends: tuple[Spend, ...] = ()
    silences: tuple[Silence, ...] = ()  # made, or ended sooner
    overrides: tuple[Override, ...] = ()
    stops: tuple[Stop, ...] = ()
    unsubscribed: tuple[Unsubscribed, ...] = ()
    mails: tuple[OutgoingMail, ...] = ()
    journal: tuple[JournalEntry, ...] = ()
    notices: tuple[Notice, ...] = ()
    read_as: str = ""  # of a reply: "ack", "text" …
    said: tuple[str, ...] = ()  # lines that answer an order
    taken: Mapping[str, int] = field(default_factory=dict)  # counter name -> how many ids were used
