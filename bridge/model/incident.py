"""What people talk about, what waits, and who was told."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from bridge.model.mail import Event
from bridge.model.reading import Marks, Thread
from bridge.model.words import Channel, IncidentState, MessageClass, Severity


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
    channel: Channel | None = None  # of a step of a ladder; None = the rule's
    message_class: MessageClass | None = None  # likewise
    text_of: str = ""  # whose text is used, "" = the rule's


@dataclass(frozen=True, slots=True)
class Tally:
    """One of the things that are counted: an event of a threshold, a change of a flapping state, an SMS of a storm."""

    name: str
    at: datetime
    until: datetime  # when nobody counts it any more


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
class Stop:
    """A phone that said STOP: nobody sends to it. With *over* it said START, and the row goes."""

    phone: str
    person: str  # key, "" for a phone of nobody
    since: datetime
    over: bool = False


@dataclass(frozen=True, slots=True)
class Unsubscribed:
    """A person who wants nothing more by one *way* of one *account*. Not a STOP: other ways still reach him."""

    account: str
    way: str  # viber
    phone: str
    since: datetime


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
