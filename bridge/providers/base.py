"""What every gateway promises, whatever protocol stands behind it.

A message becomes a *canonical request* (names and values without login, password and client id) that is
stored before the first byte leaves. ``submit`` turns exactly that, with today's credentials, into one
request on the wire; a repeat of the same ``Request`` is the same request byte for byte. How it ended is a
return value (taken) or one of the ``DeliveryError`` classes; there is no third way.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Protocol

from bridge.model import Message, MessageState, Receipt


@dataclass(frozen=True, slots=True)
class Request:
    """One hand-over as it is stored: what goes on the wire, without credentials."""

    canonical: Mapping[str, str]
    client_id: str
    repeat: bool = False  # an earlier attempt of this message at this account has no proven outcome


@dataclass(frozen=True, slots=True)
class Accepted:
    """The provider has it. Accepted is not delivered."""

    provider_id: str  # "" where the provider gives none
    segments: int | None = None  # parts it charges, None = it did not say
    cost: Decimal | None = None  # of all parts, in the account's currency
    balance: Decimal | None = None  # what is left afterwards


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


@dataclass(frozen=True, slots=True)
class Question:
    """Which message is asked for."""

    phone: str  # E.164 with its plus
    client_id: str


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
class Inbound:
    """An SMS, or a call, to a number of ours, from a poll with our credentials."""

    id: str
    phone: str  # E.164 with its plus where it is a number, else as it came
    to: str  # digits, "" unknown
    text: str
    received: datetime | None
    sent: datetime | None
    call: bool = False  # nobody wrote it: the phone rang


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


LONGEST = 25.0
"""Seconds that one call may take: a lease of the outbox is more than three times as long (threats F13)."""


def inbound_key(id: str, phone: str, to: str, text: str, when: str) -> str:
    """One key for one inbound SMS, however often and by whichever way it comes (threats T25).

    Where the provider gave no id, what was written, by whom, to whom and *when* (as written) has to do.
    """
    if id:
        return f"in:{id}"
    over = "\x00".join((phone.lstrip("+"), to.lstrip("+"), text, when))
    return f"in:{hashlib.sha256(over.encode('utf-8', 'replace')).hexdigest()[:32]}"
