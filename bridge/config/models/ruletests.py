"""Rule tests (FORMAT §12) as they are written. Running them is another room's work."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import time, timedelta
from typing import Annotated, Literal

from pydantic import Discriminator, Field, PlainValidator, Tag, WithJsonSchema

from bridge.config.models.base import HIDDEN, Model, keyed
from bridge.config.models.words import ClassWord, SeverityWord, StateWord
from bridge.config.scalar import Scalar, shown, written
from bridge.config.spans import Moment, parse_duration, parse_moment, parse_test_time
from bridge.config.units import (
    Charset,
    Count,
    Duration,
    Flag,
    Language,
    Many,
    MomentText,
    MoneyText,
    Name,
    Plain,
    Positive,
    SomeText,
    Text,
    Title,
    WhoText,
    Word,
)

_AT_SCHEMA = WithJsonSchema({"type": "string", "description": "a moment, a time of day, or +duration"})


def _at(value: object) -> Moment | time | timedelta:
    """``+4m`` → timedelta, ``07:01`` → time, else a Moment."""
    if isinstance(value, Moment | time | timedelta):
        return value
    text = written(value)
    if text.startswith("+"):
        return parse_duration(text[1:])
    if re.fullmatch(r"[0-9]{2}:[0-9]{2}(:[0-9]{2})?", text):
        return parse_test_time(text)
    return parse_moment(text)


At = Annotated[Moment | time | timedelta, PlainValidator(_at), _AT_SCHEMA]
Headers = Mapping[SomeText, Text]


class TestMail(Model):
    """A mail that comes in, by its parts or from a file."""

    __test__ = False

    file: SomeText | None = None
    like: Title | None = None
    from_: Text | None = Field(default=None, alias="from")
    mail_from: Text | None = None
    recipient: Many[Text] | None = None
    source: Name | None = None
    login: Text | None = None
    peer: Text | None = None
    mailbox: Name | None = None
    tls: Flag | None = None  # None: true
    subject: Text | None = None
    text: Text | None = None
    html: Text | None = None
    headers: Headers | None = None
    charset: Text | None = None
    attachments: Many[Text] | None = None


MailRef = Annotated[
    Annotated[SomeText, Tag(HIDDEN + "text")] | Annotated[TestMail, Tag(HIDDEN + "map")], Discriminator(keyed)
]


class Request(Model):
    """Something comes in by HTTP."""

    method: SomeText | None = None  # None: POST, or GET with *query*
    path: SomeText
    query: Mapping[SomeText, Text] | None = None
    form: Mapping[SomeText, Text] | None = None
    json_: Plain = Field(default=None, alias="json")
    charset: Charset = "utf-8"
    token: Text | None = None
    peer: Text | None = None
    source: Name | None = None


class ReplyStep(Model):
    """An SMS comes back."""

    from_: WhoText = Field(alias="from")
    text: Text
    to: Text | None = None


class AnswerStep(Model):
    """The last outgoing mail is answered."""

    from_: Text = Field(alias="from")
    text: Text


class ReceiptStep(Model):
    """What the network says about the newest message to somebody."""

    of: WhoText
    state: Annotated[Literal["delivered", "undelivered", "expired", "read"], Word]
    part: Positive | None = None
    error: Text | None = None


class CallStep(Model):
    """A missed call."""

    from_: WhoText = Field(alias="from")


class EventLook(Model):
    """What intake understood."""

    producer: Text | None = None
    host: Text | None = None
    service: Text | None = None
    severity: SeverityWord | None = None
    state: StateWord | None = None
    title: Text | None = None
    key: Text | None = None


class Expect(Model):
    """One item of ``expect``; the key that names it (*kind*) and what is compared."""

    sms: WhoText | None = None
    call: WhoText | None = None
    mail: Text | None = None
    monitor: Name | None = None
    answer: Count | None = None
    not_: WhoText | None = Field(default=None, alias="not")
    incident: Text | None = None  # the item, or the incident that an SMS belongs to
    run: Name | None = None
    event: EventLook | None = None
    spent: Text | None = None
    output: Text | None = None
    text: Text | None = None
    contains: Text | None = None
    matches: Text | None = None
    segments: Count | None = None
    encoding: Annotated[Literal["GSM-7", "UCS-2"], Word] | None = None
    price: MoneyText | None = None
    via: Many[Name] | None = None
    sender: Text | None = None
    class_: ClassWord | None = Field(default=None, alias="class")
    rule: Text | None = None
    at: At | None = None
    after: Duration | None = None
    valid: Duration | None = None
    language: Language | None = None
    code: Text | None = None
    subject: Text | None = None
    thread: Flag | None = None
    report: Annotated[Literal["delivered", "delayed", "failed", "relayed", "expired"], Word] | None = None
    does: Annotated[Literal["ack", "silence", "unsilence", "resolve", "close", "note"], Word] | None = None
    until: At | None = None
    body: Text | None = None
    json_: Plain = Field(default=None, alias="json")
    because: Text | None = None
    state: Text | None = None
    count: Count | None = None
    acked_by: Text | None = None
    severity: SeverityWord | None = None
    argv: Many[Text] | None = None
    is_: Text | None = Field(default=None, alias="is")

    @property
    def kind(self) -> str:
        """Which item it is: ``sms``, ``mail``, ``not`` …; "" when it names none."""
        for kind, value in self._kinds():
            if value is not None:
                return kind
        return ""

    def _kinds(self) -> tuple[tuple[str, object], ...]:
        return (
            ("sms", self.sms), ("call", self.call), ("mail", self.mail), ("monitor", self.monitor),
            ("answer", self.answer), ("not", self.not_), ("run", self.run), ("event", self.event),
            ("spent", self.spent), ("output", self.output), ("incident", self.incident),
        )  # fmt: skip


@dataclass(frozen=True, slots=True)
class Nothing:
    """``nothing``, or ``nothing because REASON`` (*open_end*: it ended in ``…``)."""

    because: str = ""
    open_end: bool = False


@dataclass(frozen=True, slots=True)
class Refused:
    """``refused 550 5.1.1 for ADDRESS``: the door said no."""

    code: str
    enhanced: str = ""
    text: str = ""
    address: str = ""


_REFUSED = re.compile(r"refused ([245][0-9]{2})(?: ([245]\.[0-9]{1,3}\.[0-9]{1,3}))?(?: for (\S+)| (.+))?")


def parse_outcome(text: str) -> Nothing | Refused:
    """The phrases of ``expect``."""
    text = text.strip()
    if text == "nothing":
        return Nothing()
    if text.startswith("nothing because ") and (reason := text.removeprefix("nothing because ").strip()):
        open_end = reason.endswith(("…", "..."))
        return Nothing(reason.removesuffix("…").removesuffix("...").strip() if open_end else reason, open_end)
    found = _REFUSED.fullmatch(text)
    if found:
        return Refused(found[1], found[2] or "", found[4] or "", found[3] or "")
    raise ValueError(f"a list, nothing, nothing because REASON, or refused CODE; found {shown(text)}")


def _outcome(value: object) -> object:
    return value if isinstance(value, Nothing | Refused) else parse_outcome(written(value))


def _phrase_or_items(value: object) -> str:
    return HIDDEN + ("phrase" if isinstance(value, Scalar | str | Nothing | Refused) else "items")


Expectation = Annotated[
    Annotated[
        Nothing | Refused,
        PlainValidator(_outcome),
        WithJsonSchema({"type": "string", "description": "nothing, nothing because REASON, refused CODE"}),
        Tag(HIDDEN + "phrase"),
    ]
    | Annotated[Many[Expect], Tag(HIDDEN + "items")],
    Discriminator(_phrase_or_items),
]
ProviderMood = Annotated[Literal["accepts", "refuses", "unknown", "down", "empty"], Word]


class TestStep(Model):
    """One thing that happens, and everything it must cause."""

    __test__ = False

    at: At | None = None
    mail: MailRef | None = None
    request: Request | None = None
    reply: ReplyStep | None = None
    answer: AnswerStep | None = None
    receipt: ReceiptStep | None = None
    call: CallStep | None = None
    wait: Duration | None = None
    provider: Mapping[Name, ProviderMood] | None = None
    operator: SomeText | None = None
    times: Positive | None = None
    every: Duration | None = None
    vary: Mapping[SomeText, Many[Text]] | None = None
    expect: Expectation | None = None
    note: Text | None = None


class Given(Model):
    """Where a test begins."""

    at: MomentText | None = None  # None: 2026-01-05 12:00
    receipts: Annotated[Literal["delivered", "none"], Word] | None = None  # None: delivered
    balance: Mapping[Name, MoneyText] | None = None
    spent: Mapping[Title, Text] | None = None
    on_call: Mapping[Name, Name] | None = None
    ignore: Many[Expect] | None = None


class RuleTest(TestStep):
    """A promise in words, with its steps (or the keys of its only step)."""

    test: Title
    given: Given | None = None
    steps: tuple[TestStep, ...] = ()


class TestFile(Model):
    """One file of ``rules/tests``."""

    __test__ = False

    given: Given | None = None
    mails: Mapping[Title, TestMail] = {}
    tests: tuple[RuleTest, ...]
