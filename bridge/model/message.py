"""What leaves: SMS and mails."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

from bridge.model.words import Channel, Encoding, MessageClass, MessageState, Way


@dataclass(frozen=True, slots=True)
class CallSlot:
    """A place in a text for the number that its reader may ring to acknowledge: asked for right before sending.

    Until then twelve characters stand for it.
    """

    before: str  # the text up to the number
    after: str
    without: str  # the text where no number can be had: the sentence that holds it is left out
    given_at: datetime | None = None  # when the number in the text was given; None: it has none yet


@dataclass(frozen=True, slots=True)
class WayText:
    """What one way other than SMS shows and how long it is tried. All of it is a rule's wish, nothing of it a mail's,
    but for what the rule's texts quote.
    """

    way: Way
    text: str = ""  # "" = that of the SMS
    validity: timedelta | None = None  # None = the door's
    button: tuple[str, str] = ("", "")  # its words, its URL
    image: str = ""  # URL
    template: str = ""  # VK: id of an agreed template
    values: tuple[tuple[str, str], ...] = ()  # of its variables


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
    about: tuple[int, ...] = ()  # the incidents of an SMS about several, whose incident_id is 0
    call: CallSlot | None = None  # None: it names no number to ring, or none could be had
    ways: tuple[WayText, ...] = ()
    way: int = 0  # ways of its gateway that were tried before, where each is a message of its own
    unsubscribed: tuple[tuple[str, str], ...] = ()  # (account, way) not to be used; looked up at the hand-over


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
