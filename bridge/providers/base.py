"""What every gateway promises, whatever protocol stands behind it.

A message becomes a *canonical request* (names and values without login, password and client id) that is
stored before the first byte leaves. ``submit`` turns exactly that, with today's credentials, into one
request on the wire; a repeat of the same ``Request`` is the same request byte for byte. How it ended is a
return value (taken) or one of the ``DeliveryError`` classes; there is no third way.
"""

from __future__ import annotations

import hashlib
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Literal, Protocol, runtime_checkable

from bridge.errors import DeliveryError, TemporaryFailure
from bridge.model import Message, MessageState, Receipt


@dataclass(frozen=True, slots=True)
class Request:
    """One hand-over as it is stored: what goes on the wire, without credentials."""

    canonical: Mapping[str, str]
    client_id: str
    repeat: bool = False  # an earlier attempt of this message at this account has no proven outcome
    heard: bool = False  # an earlier attempt of it reached this account, whatever came of it
    attempt: int = 1  # counts the hand-overs of this message; never part of what the provider reads


@dataclass(frozen=True, slots=True)
class Accepted:
    """The provider has it. Accepted is not delivered."""

    provider_id: str  # "" where the provider gives none
    segments: int | None = None  # parts it charges, None = it did not say
    cost: Decimal | None = None  # of all parts, in the account's currency
    balance: Decimal | None = None  # what is left afterwards
    handed_over: bool = False  # somebody on the way to the provider has it: a mail relay's 250


@dataclass(frozen=True, slots=True)
class StatusAnswer:
    """What a status question brought. *state* None: the provider does not know such a message."""

    state: MessageState | None
    code: str = ""  # provider's status code, raw
    error: str = ""  # provider's error code, raw; "" or "0" is none
    at: datetime | None = None  # when it came into this state
    sent_at: datetime | None = None  # when the provider took it
    cost: Decimal | None = None
    phone: str = ""  # digits as the provider writes them, "" = it did not say
    text: str = ""
    sender: str = ""
    read: bool = False
    network: str = ""  # whose number it is: "Kcell, Казахстан", "" = it did not say


@dataclass(frozen=True, slots=True)
class Question:
    """Which message is asked for."""

    phone: str  # E.164 with its plus
    client_id: str
    provider_id: str = ""  # the provider's own, as it was given at the hand-over; some know messages by nothing else


@dataclass(frozen=True, slots=True)
class Balance:
    """Money of an account; *credit* may be spent below zero."""

    amount: Decimal
    currency: str = ""  # ISO 4217 or the provider's own word, "" = it did not say
    credit: Decimal = Decimal(0)


@dataclass(frozen=True, slots=True)
class Price:
    """What a request would cost; nothing was sent."""

    cost: Decimal
    segments: int | None


@dataclass(frozen=True, slots=True)
class Network:
    """Whose number it is, in the provider's words; "" for what it did not say."""

    operator: str
    region: str
    country: str
    code: str  # MCC and MNC, "40101"


@dataclass(frozen=True, slots=True)
class Inbound:
    """An SMS, or a call, to a number of ours, from a poll with our credentials."""

    id: str
    phone: str  # E.164 with its plus where it is a number, else as it came
    to: str  # digits, "" unknown
    text: str
    received: datetime | None
    sent: datetime | None
    call: bool = False  # nobody wrote it: the phone rang


@dataclass(frozen=True, slots=True)
class Report:
    """A receipt that came over a link: of one message, or of one part of it (``provider_id`` names that)."""

    provider_id: str
    phone: str  # E.164 with its plus where it is a number
    answer: StatusAnswer


@dataclass(frozen=True, slots=True)
class Piece:
    """One part of an inbound SMS that came over a link in several; *decoded* makes letters of all octets together."""

    phone: str
    to: str  # digits, "" unknown
    reference: int
    total: int
    number: int  # from 1
    coding: int
    octets: bytes


Arrival = Report | Piece | Inbound
Keep = Callable[["LinkedGateway", Arrival], Awaitable[None]]
"""Commits what arrived; StoreUnavailable when it could not. Only then is the provider told that we have it."""


Doubt = Literal["ask", "history", "repeat", "once", "late", "hold"]
"""What a lost answer is met with. ``ask``: the provider knows our id. ``history``: it does not, but lists what it has
sent (``FindsSent``). ``repeat``: it takes a message of one id once, so the identical request proves what became of the
first. ``once``: no id; one repeat while its minute rule guards it.
``late``: it knows our id, but a relay may keep the request for minutes. ``hold``: nobody can be asked, nothing goes
again.
"""


class NoWayToAsk(TemporaryFailure):
    """This door only sends, and no other door of its account answers for it. Nothing to be told to anybody."""


@dataclass(frozen=True, slots=True)
class CallNumber:
    """Where a phone should ring to confirm, for a quarter of an hour; *pool* are all numbers that may be given out."""

    number: str  # digits
    pool: tuple[str, ...]


@runtime_checkable
class CallsToConfirm(Protocol):
    """A gateway that gives out numbers to ring, if its settings say so."""

    @property
    def confirms_by_call(self) -> bool:
        """``confirm_by_call``: each question may cost."""

    async def ask_for_call(self, phone: str) -> CallNumber:
        """A number for *phone* (E.164 with its plus) to ring. May cost. Errors as ``status``."""


@runtime_checkable
class KnowsNetworks(Protocol):
    """A gateway that can say whose number it is."""

    async def operator(self, phone: str) -> Network:
        """The network of *phone* (E.164 with its plus). Sends nothing. Errors as ``status``."""


@runtime_checkable
class ReturnsMail(Protocol):
    """A gateway whose requests are mails: one that nobody could deliver comes back to an address of its attempt."""

    @property
    def account(self) -> str:
        """As ``Gateway``."""

    def attempt_at(self, address: str) -> tuple[str, int] | None:
        """(client id, number of the attempt) whose error mails go to *address*; None: no address of this door."""

    def returned(self, content: bytes) -> DeliveryError | None:
        """What an error mail means for its attempt: as if the relay had said it to ``submit``. None: nothing yet."""


@runtime_checkable
class FindsSent(Protocol):
    """A gateway that finds a message among all that its account has sent, where its provider has no id of ours."""

    async def find(self, request: Request, since: datetime) -> StatusAnswer:
        """The message that *request* handed over at *since* or later, by phone, text and time. Errors as ``status``."""


class Gateway(Protocol):
    """One door of a provider. All methods that touch the network end within ``LONGEST`` seconds."""

    @property
    def name(self) -> str:
        """Key of the configuration."""

    @property
    def account(self) -> str:
        """``family:login``. Doors with the same one share balance, limits and pause."""

    @property
    def revision(self) -> str:
        """Changes with every setting that decides what a request means; not with the password."""

    @property
    def ids(self) -> tuple[int, int]:
        """First and last client id of this account."""

    @property
    def parallel(self) -> int:
        """How many requests of this account may be open at once, over all nodes."""

    @property
    def doubt(self) -> Doubt:
        """How to learn what became of a request whose answer was lost."""

    def canonical(self, message: Message, now: datetime) -> Mapping[str, str]:
        """The request for *message* at *now*. Never raises: what cannot be sent is refused by ``submit``."""

    async def submit(self, request: Request) -> Accepted:
        """Hand over once. Raises NotSent, TemporaryFailure, PermanentFailure, AccountPaused, OutcomeUnknown."""

    async def status(self, question: Question) -> StatusAnswer:
        """Raises TemporaryFailure (NotSent included in what may be asked again) or AccountPaused."""

    async def statuses(self, questions: Sequence[Question]) -> Mapping[Question, StatusAnswer]:
        """The same for many; what the answer left out is missing."""

    def is_ours(self, request: Request, answer: StatusAnswer, since: datetime) -> bool:
        """Whether a found message is the one that *request* handed over at *since* or later."""

    def receipt(self, message_id: int, answer: StatusAnswer) -> Receipt:
        """What a status answer (one that knows the message) says, its codes put into words."""

    async def balance(self) -> Balance:
        """Errors as ``status``."""

    async def price(self, request: Request) -> Price:
        """What *request* would cost; errors as ``submit``, but never OutcomeUnknown."""

    async def inbound(self, after: int, hours: int) -> tuple[Inbound, ...]:
        """Inbound with an id above *after*; with *after* 0 those of the last *hours*. Errors as ``status``."""


@runtime_checkable
class LinkedGateway(Gateway, Protocol):
    """A gateway that lives on a connection of its own: it has its own places, and receipts and SMS come to it."""

    async def open(self, keep: Keep) -> None:
        """Bring the link up, without waiting for it; what arrives goes to *keep*. ``submit`` works without, too."""

    async def close(self) -> None:
        """Say goodbye; requests on the wire get their answers first, as far as they come within seconds."""

    def takes_over(self, earlier: Gateway) -> bool:
        """Whether the link of *earlier* is this one's from now on: it is, where nothing that makes a link differs."""

    def decoded(self, octets: bytes, coding: int) -> str:
        """The letters of a whole inbound SMS, whatever they are."""


@dataclass(frozen=True, slots=True)
class LinkState:
    """How many links are *up* of those that are *wanted*; *why* the last one is not. *refused*: it is the login."""

    up: int
    wanted: int
    why: str
    refused: bool


@runtime_checkable
class ShowsLink(Protocol):
    """A gateway that says how its link is."""

    @property
    def link(self) -> LinkState:
        """As it is now."""


@runtime_checkable
class AnswersLate(Protocol):
    """A gateway that remembers answers that came after it had given up on them."""

    def answered_late(self, client_id: str) -> bool:
        """Whether one says that the message was taken: a repeat then brings that answer, and sends nothing."""


LONGEST = 25.0
"""Seconds that one call may take: a lease of the outbox is more than three times as long (threats F13)."""


def storable(text: str) -> str:
    """*text* without what no store takes: NUL, and half an emoji at the border of a part."""
    return text.replace("\x00", "").encode("utf-8", "replace").decode("utf-8")


def inbound_key(id: str, phone: str, to: str, text: str, when: str) -> str:
    """One key for one inbound SMS, however often and by whichever way it comes (threats T25).

    Where the provider gave no id, what was written, by whom, to whom and *when* (as written) has to do.
    """
    if id:
        return f"in:{id}"
    over = "\x00".join((phone.lstrip("+"), to.lstrip("+"), text, when))
    return f"in:{hashlib.sha256(over.encode('utf-8', 'replace')).hexdigest()[:32]}"
