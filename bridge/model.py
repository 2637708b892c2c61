"""The nouns of the bridge: small, frozen, typed, without behaviour that needs anything else.

Words are those of ``docs/flow.md``: an *envelope* becomes an *email*, its *events* meet *rules* and become
*routes*; what dispatch decides is a *plan* of *incidents*, *notifications*, *messages*, *timers* and mails.
All times are aware and in UTC. A phone is E.164 with its plus sign (``+77010000001``).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Literal

Door = Literal["smtp", "lmtp", "imap", "sendmail", "http", "folder", "smsc-mail", "smsc-http"]
Severity = Literal["info", "warning", "high", "critical"]
State = Literal["problem", "recovery", "update", "info"]
MessageClass = Literal["critical", "normal", "bulk"]
Channel = Literal["sms", "call", "flash", "viber"]
Encoding = Literal["GSM-7", "UCS-2"]

SEVERITIES: tuple[Severity, ...] = ("info", "warning", "high", "critical")
STATES: tuple[State, ...] = ("problem", "recovery", "update", "info")
CLASSES: tuple[MessageClass, ...] = ("critical", "normal", "bulk")  # most urgent first

MailState = Literal["RECEIVED", "PLANNED", "DUPLICATE", "QUARANTINED"]
IncidentState = Literal["open", "acked", "resolved", "closed"]
MessageState = Literal[
    "READY", "INFLIGHT", "ACCEPTED", "ACCEPTED_NO_ID", "HANDED_OVER", "UNKNOWN", "REJECTED",
    "DELIVERED", "UNDELIVERED", "EXPIRED", "HELD", "CANCELLED",
]  # fmt: skip
SubmissionState = Literal["INFLIGHT", "NOT_SENT", "ACCEPTED", "REFUSED", "UNKNOWN"]


# --- in ------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Recipient:
    """One RCPT TO with its DSN wishes (RFC 3461 §4.1, §4.2), case kept."""

    address: str
    notify: str = ""  # as given: "SUCCESS,FAILURE", "NEVER", "" = nothing asked
    orcpt: str = ""  # "rfc822;Someone@example.kz"


@dataclass(frozen=True, slots=True)
class Envelope:
    """What a door saw, and the raw bytes. Nothing in it was interpreted."""

    content: bytes
    received_at: datetime
    mail_from: str  # "" is the null sender
    recipients: tuple[Recipient, ...]
    door: Door = "smtp"
    peer: str = ""  # address of the peer, without port
    login: str = ""  # AUTH identity
    certificate: str = ""  # subject of a verified client certificate
    mailbox: str = ""  # name of the mailbox in the configuration
    tls: bool = False
    helo: str = ""
    ret: str = ""  # RFC 3461 RET: FULL, HDRS or ""
    envid: str = ""  # RFC 3461 ENVID, as given


@dataclass(frozen=True, slots=True)
class StoredMail:
    """An envelope that is safe on disk; *id* is shown to people as ``M-<id>``."""

    id: int
    envelope: Envelope
    attempts: int = 0  # how often reading it was begun before (three crashes and it is set aside)


@dataclass(frozen=True, slots=True)
class Email:
    """A parsed mail: everything a rule may ask, decoded; no lone surrogates, no control characters."""

    from_address: str  # header From, lower case, "" when there is none
    from_name: str
    subject: str
    text: str  # visible text, HTML made text
    headers: Mapping[str, tuple[str, ...]]  # lower-case name -> decoded values in order
    message_id: str  # with angle brackets, "" when there is none
    references: tuple[str, ...]  # References, then In-Reply-To, without doubles
    date: str  # as written
    attachments: tuple[str, ...]  # file names
    size: int  # bytes of the raw mail
    automatic: str = ""  # why it must never be answered ("Auto-Submitted: auto-replied"), "" = may be
    problems: tuple[str, ...] = ()  # what was wrong with it, for the trail


@dataclass(frozen=True, slots=True)
class Event:
    """One thing that happened, as a producer reported it."""

    source: str
    producer: str
    host: str
    service: str
    severity: Severity
    state: State
    key: str  # the producer's pairing key, "" when it has none
    title: str
    detail: str
    labels: Mapping[str, str] = field(default_factory=dict)
    problem_id: str = ""  # the producer's own number of this trouble: another one is another episode


# --- read ----------------------------------------------------------------------------------------


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


# --- happenings ----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Timer:
    """Something to be decided later: a row with a due time.

    There is at most one timer of a *name*: putting it again moves it. A timer without a name stands for itself.
    """

    id: int
    due_at: datetime
    kind: str
    incident_id: int = 0
    data: Mapping[str, object] = field(default_factory=dict)
    name: str = ""  # "quiet/+77010000001", "step/1003"


@dataclass(frozen=True, slots=True)
class Due:
    """A timer whose time has come."""

    timer: Timer


@dataclass(frozen=True, slots=True)
class Receipt:
    """What the network said about a message. States only move forward."""

    message_id: int
    state: MessageState  # ACCEPTED (still under way), DELIVERED, UNDELIVERED, EXPIRED
    provider: str
    code: str = ""  # provider's status code, raw
    error: str = ""  # provider's error code, raw
    reason: str = ""  # what the codes mean, in words: "the number cannot be reached"
    status: str = "5.0.0"  # RFC 3463, for a message that did not arrive
    at: datetime | None = None  # the network's time, if it said one
    read: bool = False
    cost: Decimal | None = None  # from a poll with our credentials, never from a callback


@dataclass(frozen=True, slots=True)
class Reply:
    """An SMS that came in."""

    id: int
    phone: str
    to: str  # our number it was sent to, "" unknown
    text: str
    provider: str


@dataclass(frozen=True, slots=True)
class Call:
    """A missed call to a number of ours."""

    id: int
    phone: str
    to: str
    provider: str


@dataclass(frozen=True, slots=True)
class Failed:
    """A message ended without having reached its phone."""

    message_id: int
    reason: str
    status: str = "5.0.0"  # RFC 3463
    copy_via: tuple[str, ...] = ()  # its fate is unknown and it is critical: send it again by these, marked


@dataclass(frozen=True, slots=True)
class Trouble:
    """Something a person must know of: an account that paused, a gateway that does not answer."""

    kind: Literal["account.money", "account.password", "account.blocked", "gateway"]
    provider: str
    why: str
    others: tuple[str, ...] = ()  # gateways that go on meanwhile


@dataclass(frozen=True, slots=True)
class Order:
    """An act of an operator, as typed after ``smsbridge``."""

    by: str
    words: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Started:
    """A rule book was taken: at a start, and at each reload."""


Happening = Reading | Due | Receipt | Reply | Call | Failed | Trouble | Order | Started


# --- memory --------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Incident:
    """What people talk about: events of one source with the same key."""

    id: int
    source: str
    key: str
    producer_key: str
    state: IncidentState
    episode: int
    producer: str
    host: str
    service: str
    severity: Severity
    title: str
    detail: str
    labels: Mapping[str, str]
    problem_id: str
    count: int  # events of this episode
    opened_at: datetime
    last_at: datetime  # last event
    sent_at: datetime | None  # last SMS about it
    rule: str
    code: str  # what people type, "" when no answer is promised
    origin: str  # of the mail that opened the episode
    thread: Thread
    acked_by: str = ""  # a person's key, or a phone
    acked_at: datetime | None = None
    resolved_at: datetime | None = None
    groups: Mapping[str, str] = field(default_factory=dict)
    marks: Marks = field(default_factory=Marks)
    recipients: tuple[str, ...] = ()  # of the mail that opened the episode, as its rule took them

    @property
    def live(self) -> bool:
        """Whether it goes on: open or acknowledged."""
        return self.state in ("open", "acked")


@dataclass(frozen=True, slots=True)
class Held:
    """What waits to be said: one incident (or one plain message) in one bundle.

    A *bundle* is said together when the timer of its name falls due: ``quiet/<phone>``, ``digest/<rule>`` … It is
    the memory of what came meanwhile; a message exists only once it may go.
    """

    bundle: str
    member: str  # "i/1003" for an incident, "m/77/0" for a plain message: unique in the bundle
    incident_id: int
    episode: int
    rule: str
    event: Event
    since: datetime
    count: int = 1  # events
    step: str = "0"  # the notification's step it stands for
    mail_id: int = 0
    subject: str = ""
    sender: str = ""
    text: str = ""
    groups: Mapping[str, str] = field(default_factory=dict)
    recipients: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Tally:
    """One of the things that are counted: an event of a threshold, a change of a flapping state, an SMS of a storm."""

    name: str
    at: datetime
    until: datetime  # when nobody counts it any more


@dataclass(frozen=True, slots=True)
class Spend:
    """What one message takes from one budget, from the moment it was planned."""

    budget: str  # "total", "each_person aigul", "each_prefix +7702" …
    at: datetime
    message_id: int
    segments: int
    money: Decimal  # in the configured currency; 0 for an unknown price
    critical: bool


@dataclass(frozen=True, slots=True)
class Spent:
    """What a budget has seen since some moment."""

    messages: int = 0
    segments: int = 0
    money: Decimal = Decimal(0)
    normal_messages: int = 0  # the same without class critical, whose reserve others may not touch
    normal_segments: int = 0
    normal_money: Decimal = Decimal(0)
    oldest: datetime | None = None  # first of them

    def plus(self, spend: Spend) -> Spent:
        """The sums with one more."""
        normal = 0 if spend.critical else 1
        return Spent(
            self.messages + 1, self.segments + spend.segments, self.money + spend.money, self.normal_messages + normal,
            self.normal_segments + normal * spend.segments, self.normal_money + normal * spend.money,
            min(self.oldest, spend.at) if self.oldest else spend.at,
        )  # fmt: skip


@dataclass(frozen=True, slots=True)
class Silence:
    """A silence made while running; those of the rule book are in the book."""

    id: int
    matchers: Mapping[str, str]  # field of the event ("host", "label.job") -> pattern, all must fit; {} = everything
    by: str
    begin: datetime
    end: datetime
    note: str = ""


@dataclass(frozen=True, slots=True)
class Override:
    """A person who has a rota from *begin* (inside) to *end* (outside), whatever the rota says: take and swap."""

    rota: str
    person: str
    begin: datetime
    end: datetime


@dataclass(frozen=True, slots=True)
class Notification:
    """That phone has been, or is being, told of that step of that episode. Unique: promise 2."""

    incident_id: int
    episode: int
    step: str  # "0" the rule's own people, "recovery", "repeat:<n>" …
    phone: str
    person: str  # key, "" for a phone of nobody
    message_id: int


@dataclass(frozen=True, slots=True)
class PlainWord:
    """The last plain message (``track: false``) to a phone: what an answer without any open alert is about."""

    rule: str
    text: str
    sent_at: datetime
    thread: Thread


@dataclass(frozen=True, slots=True)
class Message:
    """One text for one phone. It exists only once it may go."""

    id: int
    phone: str
    person: str
    text: str
    encoding: Encoding
    segments: int
    price: Decimal | None  # of the whole message, None = unknown
    currency: str
    rule: str  # a rule's name, or a word in brackets: "(answer)"
    message_class: MessageClass
    channel: Channel
    providers: tuple[str, ...]  # chain, first that can take it
    originator: str  # the rule's wish, "" = the provider's own choice
    answerable: bool  # shows the provider's number, so that an answer reaches us
    created_at: datetime
    due_at: datetime
    valid_until: datetime
    language: str
    incident_id: int = 0
    episode: int = 0
    mail_id: int = 0
    state: MessageState = "READY"
    reason: str = ""  # why CANCELLED, HELD, REJECTED …
    copy: bool = False  # "maybe second copy"


@dataclass(frozen=True, slots=True)
class Conversation:
    """(phone, code) stands for what one SMS told of until it expires, or all of that is over; then the code rests.

    One incident, or those of an SMS about several. *together* names the bundle whose SMS showed the code for all of
    them: its next SMS keeps the code while any of them goes on. "" = nobody was shown it as one for several.
    """

    phone: str
    code: str
    incidents: tuple[int, ...]  # that go on, in the order they were told
    expires_at: datetime
    free_at: datetime  # from then on the code may stand for something else
    together: str = ""
    over: tuple[int, ...] = ()  # that ended, latest last: who answers late hears since when

    @property
    def about(self) -> tuple[int, ...]:
        """All that it stood for."""
        return (*self.over, *self.incidents)


@dataclass(frozen=True, slots=True)
class OutgoingMail:
    """A mail to be sent, complete: a queue like any other."""

    id: int
    kind: str  # reply, acked, failed, unrouted …
    envelope_from: str  # "" for reports
    to: tuple[str, ...]
    message_id: str
    subject: str
    content: bytes
    created_at: datetime
    due_at: datetime
    incident_id: int = 0
    mail_id: int = 0


@dataclass(frozen=True, slots=True)
class Notice:
    """What the operator was last told of one cause: at most one mail for a cause and hour (or day)."""

    cause: str
    told_at: datetime
    count: int  # how often it happened since it was told
    lines: tuple[str, ...] = ()  # what happened since, for the mail that sums up


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
    mails: tuple[OutgoingMail, ...] = ()
    journal: tuple[JournalEntry, ...] = ()
    notices: tuple[Notice, ...] = ()
    read_as: str = ""  # of a reply: "ack", "text" …
    said: tuple[str, ...] = ()  # lines that answer an order
    taken: Mapping[str, int] = field(default_factory=dict)  # counter name -> how many ids were used
