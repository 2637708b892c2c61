"""What dispatch decides on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal

from bridge.model.reading import Reading
from bridge.model.words import MessageState, TroubleKind


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
    virtual: bool = False  # the account is in test mode: "delivered" proves nothing
    unsubscribed: tuple[tuple[str, str], ...] = ()  # (account, way) by which the person wants nothing any more

    @property
    def why(self) -> str:
        """Why it did not reach the phone; "" for what did, or still may."""
        return "" if self.state == "DELIVERED" and not self.virtual else self.reason or self.error or self.code


@dataclass(frozen=True, slots=True)
class Reply:
    """An SMS that came in, or what somebody wrote back in Viber."""

    id: int
    phone: str
    to: str  # our number it was sent to, "" unknown
    text: str
    provider: str
    answers: int = 0  # message it answers, 0 = the provider did not say
    proven: bool = True  # signed, or fetched with our credentials; else anybody may have made it up (T24)


@dataclass(frozen=True, slots=True)
class Call:
    """A missed call to a number of ours."""

    id: int
    phone: str
    to: str
    provider: str
    at: datetime | None = None  # when it rang, None = just now


@dataclass(frozen=True, slots=True)
class Failed:
    """A message ended without having reached its phone."""

    message_id: int
    reason: str
    status: str = "5.0.0"  # RFC 3463
    copy_via: tuple[str, ...] = ()  # its fate is unknown and it is critical: send it again by these, marked
    provider: str = ""  # where its fate is not known, and
    asked: int = 0  # how often it was asked for it


@dataclass(frozen=True, slots=True)
class Trouble:
    """Something a person must know of: an account that paused, a gateway that does not answer, and its end (well)."""

    kind: TroubleKind
    provider: str  # or the calendar's name
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
