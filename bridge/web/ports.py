"""What the application hands in: everything this room needs from the rest of the bridge.

The pretend phones are described by what the pages ask of them, so that no page can start a simulator: it is the
application that decides whether there is one.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any, Literal, Protocol

from prometheus_client import CollectorRegistry

from bridge.book import RuleBook
from bridge.model import Order
from bridge.store.engine import Store
from bridge.web.hub import Hub

Serve = Literal["api", "callbacks", "console", "webhooks", "smsc", "metrics"]
EVERYTHING: frozenset[str] = frozenset({"api", "callbacks", "console", "webhooks", "metrics"})
LOOPBACK: frozenset[str] = frozenset({"localhost", "127.0.0.1", "[::1]"})
DemoMail = Literal["problem", "recovery", "storm"]


# --- the pretend world, as the phones page sees it ---


class PretendMessage(Protocol):
    """An SMS on a pretend phone; *phone* is digits."""

    @property
    def id(self) -> str: ...
    @property
    def phone(self) -> str: ...
    @property
    def sender(self) -> str: ...
    @property
    def text(self) -> str: ...
    @property
    def parts(self) -> tuple[str, ...]: ...
    @property
    def cost(self) -> Decimal: ...
    @property
    def status(self) -> int: ...
    @property
    def received_at(self) -> datetime: ...


class PretendAnswer(Protocol):
    """An SMS or a call that came from a pretend phone."""

    @property
    def phone(self) -> str: ...
    @property
    def text(self) -> str: ...
    @property
    def kind(self) -> str: ...
    @property
    def received_at(self) -> datetime: ...


class PretendMail(Protocol):
    """A mail that reached the pretend world's inbox."""

    @property
    def id(self) -> int: ...
    @property
    def recipients(self) -> tuple[str, ...]: ...
    @property
    def subject(self) -> str: ...
    @property
    def text(self) -> str: ...
    @property
    def received_at(self) -> datetime: ...


class PretendFaults(Protocol):
    """What is made to go wrong."""

    def as_json(self) -> dict[str, object]: ...


class PretendAir(Protocol):
    """The network behind the pretend provider."""

    @property
    def answers(self) -> Sequence[PretendAnswer]: ...
    @property
    def faults(self) -> PretendFaults: ...


class PretendWorld(Protocol):
    """A provider nobody pays with phones nobody holds (``bridge.simulator.simulator.Simulator``)."""

    @property
    def air(self) -> PretendAir: ...
    def messages(self, phone: str = "") -> Sequence[PretendMessage]: ...
    def mails(self) -> Sequence[PretendMail]: ...
    def reply(self, phone: str, text: str, to: str = "") -> object: ...
    def call(self, phone: str, to: str = "") -> object: ...
    def set_faults(self, wanted: dict[str, object]) -> None: ...
    def subscribe(self) -> AbstractContextManager[AsyncIterator[Any]]: ...


# --- what the application says of itself ---


@dataclass(frozen=True, slots=True)
class Part:
    """One part of a running bridge, and why it is not ready (*reason* "" = it is)."""

    name: str
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Health:
    """Ready when every part is."""

    parts: tuple[Part, ...]

    @property
    def ready(self) -> bool:
        return not any(part.reason for part in self.parts)


@dataclass(frozen=True, slots=True)
class CallbackAnswer:
    """What a provider is told: 200 after the commit, 403 not signed, 404 no such path, 503 the store is away."""

    status: int
    body: str


@dataclass(frozen=True, slots=True)
class DemoInfo:
    """The demo's mail door and its buttons. *smtp* is ``127.0.0.1:2525``, *address* whom its mails reach."""

    smtp: str
    address: str
    send: Callable[[DemoMail], Awaitable[None]]


Callback = Callable[[str, bytes, str, Mapping[str, str]], Awaitable[CallbackAnswer]]
"""Secret part of the path, raw body, content type, parameters of the query."""


@dataclass(frozen=True, slots=True)
class Ports:
    """Everything the web room needs. *hosts* are names under which the console may be opened besides loopback."""

    store: Store
    book: Callable[[], RuleBook]
    now: Callable[[], datetime]
    callback: Callback
    changes: Hub
    health: Callable[[], Awaitable[Health]]
    registry: CollectorRegistry
    act: Callable[[Order], Awaitable[None]]
    serve: frozenset[str] = EVERYTHING
    simulator: PretendWorld | None = None
    demo: DemoInfo | None = None
    console_open: bool = False  # the listener is on loopback: the console needs no sign-in
    hosts: frozenset[str] = field(default_factory=frozenset)
    silent: Callable[[], Mapping[str, str]] = dict  # gateways that cannot be used now, and why
