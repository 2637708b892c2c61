"""Rule files (FORMAT §4, §11). Inheritance is not done here: what was written is told by ``model_fields_set``.

A key that was not written is None. ``key``, ``escalate``, ``quiet``, ``group``, ``digest``, ``flap``, ``threshold``,
``budget``, ``viber``, ``whatsapp`` and ``vk`` may be written as null: then they are None and in ``model_fields_set``.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Annotated, Any, Literal

from pydantic import Field, model_validator

from bridge.config.models.base import Model
from bridge.config.models.conditions import Condition
from bridge.config.models.people import Escalation
from bridge.config.models.ways import Viber, Vk, Whatsapp
from bridge.config.models.windows import Quiet, WindowRef
from bridge.config.models.words import AckWay, AlphabetWord, ChannelWord, ClassWord, Verb
from bridge.config.units import (
    AlertTarget,
    Chains,
    ConditionName,
    CountInText,
    Days,
    Duration,
    EventField,
    FileName,
    Flag,
    Language,
    MailTarget,
    Many,
    MomentText,
    Name,
    Nullable,
    Parts,
    Positive,
    Prefix,
    Region,
    Repeat,
    ReplyTarget,
    Sender,
    SetField,
    SomeText,
    Text,
    Texts,
    TimeOfDay,
    Title,
    WhoText,
    Word,
    Zone,
)


class Numbers(Model):
    """Which numbers senders may name."""

    prefixes: Many[Prefix]
    region: Region | None = None
    only: Annotated[Literal["anyone", "people"], Word] = "anyone"
    at_most: Positive = 10


class Threshold(Model):
    """So many problem events before the first SMS. ``3 in 5m`` alone is the count."""

    count: CountInText
    by: Many[EventField] = ("key",)

    @model_validator(mode="before")
    @classmethod
    def _alone(cls, value: Any) -> Any:
        return {"count": value} if isinstance(value, str) else value


class Flap(Model):
    """When it is called flapping, and when it is calm again."""

    changes: CountInText
    calm: Duration = timedelta(minutes=15)


class Group(Model):
    """Events that are said in one SMS."""

    by: Many[EventField]
    wait: Duration = timedelta(seconds=30)
    every: Duration = timedelta(minutes=5)
    show: Positive = 3


class Digest(Model):
    """Nothing alone, one SMS at these times."""

    at: Many[TimeOfDay]
    days: Days | None = None
    zone: Zone | None = None
    show: Positive = 3


class Replies(Model):
    """What becomes of answers."""

    mail: Many[ReplyTarget] = (MailTarget("thread"),)
    news: Many[Annotated[Literal["ack", "escalation", "unanswered", "over"], Word]] = ("ack", "unanswered")
    commands: Many[Verb] | None = None  # None: the person's
    ack: Many[Name] = ()
    ack_by: Many[AckWay] | None = None  # None: the person's


class Receipts(Model):
    """Who hears what the network said."""

    mail: Annotated[Literal["never", "failures", "all", "as asked"], Word] = "failures"
    not_reached_after: Duration | None = None


class RuleKeys(Model):
    """The keys that a child takes from its parent, and that ``defaults`` may hold."""

    mail_to: Many[AlertTarget] | None = None
    text: Texts | None = None
    recovery_text: Texts | None = None
    group_text: Texts | None = None
    template: FileName | None = None
    class_: ClassWord | None = Field(default=None, alias="class")
    validity: Duration | None = None
    parts: Parts | None = None
    alphabet: AlphabetWord | None = None
    language: Language | None = None
    channel: Many[ChannelWord] | None = None
    viber: Nullable[Viber] = None
    whatsapp: Nullable[Whatsapp] = None
    vk: Nullable[Vk] = None
    sender: Sender | None = None
    send_via: Chains | None = None
    budget: Nullable[Many[Name]] = None
    numbers: Numbers | None = None
    track: Flag | None = None
    key: Nullable[SomeText] = None
    repeat: Repeat | None = None
    ack_lasts: Duration | None = None
    close_after: Duration | None = None
    threshold: Nullable[Threshold] = None
    flap: Nullable[Flap] = None
    group: Nullable[Group] = None
    digest: Nullable[Digest] = None
    quiet: Nullable[Quiet] = None
    escalate: Nullable[Escalation] = None
    on_recovery: Annotated[Literal["same people", "nobody", "mail only"], Word] | None = None
    replies: Replies | None = None
    receipts: Receipts | None = None


BUILT_IN = RuleKeys(
    class_="normal",
    parts=2,
    alphabet="keep",
    channel=("sms",),
    track=True,
    repeat=timedelta(minutes=30),
    ack_lasts=timedelta(hours=24),
    close_after=timedelta(hours=12),
    on_recovery="same people",
    replies=Replies(),
    receipts=Receipts(),
)  # what holds where neither a rule, nor a parent, nor ``defaults`` says anything

VALIDITY = {"critical": timedelta(hours=2), "normal": timedelta(hours=6), "bulk": timedelta(hours=24)}


class Rule(RuleKeys):
    """One rule as written; children stand in ``rules``."""

    rule: Title
    when: Condition | None = None
    rules: tuple[Rule, ...] = ()
    set_: Mapping[SetField, Text] | None = Field(default=None, alias="set")
    continue_: Flag = Field(default=False, alias="continue")
    drop: SomeText | None = None
    to: Many[WhoText] | None = None


class Inhibit(Model):
    """An open incident like *while_* hides events like *hide*."""

    inhibit: Title
    while_: Condition = Field(alias="while")
    hide: Condition
    equal: Many[EventField] = ()


class Silence(Model):
    """A planned silence: one stretch, or again and again."""

    silence: Title
    when: Condition
    begin: MomentText | None = None
    end: MomentText | None = None
    during: WindowRef | None = None
    by: Name
    note: SomeText | None = None


class Watch(Model):
    """A mail that must come."""

    watch: Title
    for_: Condition = Field(alias="for")
    cron: SomeText | None = None
    every: Duration | None = None
    learn: Flag = False
    zone: Zone | None = None
    grace: Duration = timedelta(minutes=15)
    by: Many[EventField] = ()
    to: Many[WhoText]
    text: Texts | None = None
    class_: ClassWord | None = Field(default=None, alias="class")
    parts: Parts | None = None
    escalate: Escalation | None = None
    alphabet: AlphabetWord | None = None
    budget: Many[Name] = ()
    send_via: Chains | None = None


class RuleFile(Model):
    """One file of the rules folder."""

    rules: tuple[Rule, ...] = ()
    conditions: Mapping[ConditionName, Condition] = {}
    inhibit: tuple[Inhibit, ...] = ()
    silences: tuple[Silence, ...] = ()
    watch: tuple[Watch, ...] = ()


Rule.model_rebuild()
