"""People, teams, rotas and the ladder of an escalation."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated

from pydantic import Discriminator, Field, Tag

from bridge.config.models.base import HIDDEN, Model, listed
from bridge.config.models.windows import Ical, Quiet
from bridge.config.models.words import AckWay, AlphabetWord, ChannelWord, ClassWord, Verbs
from bridge.config.spans import Handover
from bridge.config.units import (
    Count,
    Date,
    Days,
    Duration,
    HandoverText,
    HoursText,
    Language,
    MailAddress,
    Many,
    Name,
    Phone,
    SecretRef,
    SomeText,
    Texts,
    TurnLength,
    WhoText,
    Zone,
)


class OneTimeCode(Model):
    """Where a person's one-time codes come from; exactly one is given."""

    totp: SecretRef | None = None
    list: SecretRef | None = None


class Person(Model):
    """Somebody with a phone. *name* is the key as written when none is given."""

    name: SomeText = ""
    phone: Phone
    email: MailAddress | None = None
    language: Language | None = None
    timezone: Zone | None = None
    alphabet: AlphabetWord | None = None
    commands: Verbs = ("ack", "esc", "status", "who", "note")
    one_time_code: OneTimeCode | None = None
    quiet: Quiet | None = None
    ack_by: Many[AckWay] = ("sms", "mail")


class Team(Model):
    """People and teams under one name."""

    members: Many[Name]
    email: MailAddress | None = None


class Rota(Model):
    """Who is on call: people in turn, or an iCalendar."""

    members: Many[Name] = ()
    starts: Date | None = None
    every: TurnLength = timedelta(weeks=1)
    handover: HandoverText = Handover(None, 0)
    hours: Many[HoursText] = ()
    days: Days | None = None
    calendar: Many[Name] = ()
    otherwise: Many[WhoText] = ()
    ical: Ical | None = None
    timezone: Zone | None = None


class Step(Model):
    """One rung of an escalation; *after* counts from the incident's first message."""

    after: Duration
    to: Many[WhoText]
    channel: Many[ChannelWord] = ("sms",)
    text: Texts | None = None
    class_: ClassWord | None = Field(default=None, alias="class")
    again: Count = 0


Escalation = Annotated[
    Annotated[Name, Tag(HIDDEN + "text")] | Annotated[Many[Step], Tag(HIDDEN + "list")], Discriminator(listed)
]  # a named ladder, or one written in place
