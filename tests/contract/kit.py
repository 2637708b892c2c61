"""What the contract suite needs to know of a door, and what it does with one.

A door joins by a file in ``doors/`` that holds ``DOOR``; ``conftest`` finds it. The tests say by the name of their
fixture which doors they are for: ``world`` is every one.
"""

from __future__ import annotations

import asyncio
import dataclasses
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractAsyncContextManager, contextmanager
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from bridge.errors import DeliveryError
from bridge.model import Message
from bridge.providers.base import Accepted, Gateway, Question, Request
from bridge.simulator.records import Message as Arrived
from bridge.simulator.settings import Account, Limits
from bridge.simulator.simulator import Simulator

PASSWORD = "canary-Passw0rd&=+"
PHONE = "+77010000001"
NUMBER = "77055550000"


class Clock:
    """That of every door's simulator and of whoever sends: the real one, until a test stops it."""

    def __init__(self) -> None:
        self._stopped: datetime | None = None

    def __call__(self) -> datetime:
        return self._stopped or datetime.now(UTC)

    def forward(self, seconds: float) -> None:
        """A stopped clock goes on by *seconds*."""
        self._stopped = self() + timedelta(seconds=seconds)

    @contextmanager
    def stopped(self) -> Iterator[None]:
        self._stopped = self()
        try:
            yield
        finally:
            self._stopped = None


CLOCK = Clock()
WIDE = Limits(status_a_minute=1000, status_lists_a_minute=1000, balance_a_minute=1000, answers_a_minute=1000)
TAKEN_WITHOUT_AN_ANSWER: tuple[Mapping[str, Any], ...] = (
    {"drop": "after"},
    {"half": True},
    {"answer": "garbage"},
    {"answer": "html", "http_status": 502},
    {"answer": "empty"},
)
"""Faults of HTTP doors: the message travels on, the answer does not."""


def account() -> Account:
    """The one account of a simulator under contract."""
    return Account(
        login="acme", password=PASSWORD, number=NUMBER, balance=Decimal("1000.00"), prices={"default": Decimal(18)}
    )


@dataclasses.dataclass(frozen=True)
class Seen:
    """What became of one message: its state after the first hand-over and the SMS on its phone; both at the end."""

    first: str
    sms: int
    end: str
    sms_at_end: int


@dataclasses.dataclass(frozen=True)
class Door:
    """One kind of door. *open* gives it with a simulator behind it, both fresh.

    *channels*: those of a rule that it can send by. *refusals*: what the fault ``refuse: n`` becomes, and the raw code
    that the error keeps. *lost*: faults that take the message without an answer. *never*: faults that lose the request
    on its way, without an answer. *traits*: what not every door can do.

    Traits: ``price`` (tells what a message would cost), ``cost`` (tells what it cost with the acceptance), ``caps``
    (pays for no more parts than were reserved), ``validity`` (tells the network how long), ``balance``, ``status``
    (can be asked), ``inbound``, ``calls``.
    """

    name: str
    open: Callable[[], AbstractAsyncContextManager[World]]
    family: str = "smsc"  # name of its gateway in the simulator
    channels: tuple[str, ...] = ("sms",)
    refusals: Mapping[int, tuple[type[DeliveryError], str]] = dataclasses.field(default_factory=dict)
    lost: tuple[Mapping[str, Any], ...] = TAKEN_WITHOUT_AN_ANSWER
    never: tuple[Mapping[str, Any], ...] = ({"drop": "before"},)
    traits: frozenset[str] = frozenset()
    expects: Mapping[str, Seen] = dataclasses.field(default_factory=dict)  # by the names of ``faults.catalogue``
    forever: Mapping[str, Seen] = dataclasses.field(default_factory=dict)  # where a fault that never ends differs
    variant: bool = False  # of another door: only its outcomes are looked at
    send_door: str = "send"  # the simulator's name of the door that hand-overs meet
    one_link: bool = False  # what breaks it for one message breaks it for all under way


@dataclasses.dataclass
class World:
    """One gateway and the provider behind it."""

    door: Door
    simulator: Simulator
    gateway: Gateway

    @property
    def arrived(self) -> tuple[Arrived, ...]:
        return self.simulator.messages()

    def fault(self, **fault: Any) -> None:
        self.simulator.set_faults({self.door.family: {"all": fault}})

    def account(self, **changes: Any) -> None:
        accounts = self.simulator.air.accounts
        accounts["acme"] = accounts["acme"].model_copy(update=changes)


def message(**changes: Any) -> Message:
    now = datetime.now(UTC)
    made = Message(
        id=1, phone=PHONE, person="", text="12 CRIT db01: disk full", encoding="GSM-7", segments=1, price=None,
        currency="KZT", rule="night", message_class="critical", channel="sms", providers=("smsc",), originator="",
        answerable=True, created_at=now, due_at=now, valid_until=now + timedelta(minutes=30), language="en",
    )  # fmt: skip
    return dataclasses.replace(made, **changes)


def request_of(gateway: Gateway, client_id: str = "1234", *, repeat: bool = False, **changes: Any) -> Request:
    return Request(gateway.canonical(message(**changes), datetime.now(UTC)), client_id, repeat, heard=repeat)


def question_of(accepted: Accepted, client_id: str = "1234", phone: str = PHONE) -> Question:
    return Question(phone, client_id, accepted.provider_id)


async def until(condition: Callable[[], object], within: float = 5) -> None:
    async with asyncio.timeout(within):
        while not condition():
            await asyncio.sleep(0.02)
