"""A gateway that does what a test tells it, and messages for it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from bridge.errors import DeliveryError
from bridge.model import Message, Receipt
from bridge.providers.base import Accepted, Balance, Inbound, Price, Question, Request, StatusAnswer
from bridge.store import rows, schema
from bridge.store.engine import Store
from bridge.store.statements import insert

NOW = datetime(2026, 11, 21, 3, 12, tzinfo=UTC)
_ADD = insert(schema.messages)


@dataclass
class Puppet:
    """A ``providers.base.Gateway``: *ends* are the ends of the next hand-overs, *answers* those of questions."""

    name: str = "smsc"
    account: str = "smsc:acme"
    revision: str = "r1"
    ids: tuple[int, int] = (1, 2**31 - 1)
    parallel: int = 3
    doubt: Any = "ask"
    ends: list[Accepted | BaseException] = field(default_factory=list)
    answers: list[StatusAnswer | DeliveryError] = field(default_factory=list)
    inbox: tuple[Inbound, ...] | DeliveryError = ()
    money: Balance | DeliveryError = field(default_factory=lambda: Balance(Decimal("12.50"), "KZT", Decimal(1)))
    handed: list[Request] = field(default_factory=list)
    asked: list[Any] = field(default_factory=list)

    def canonical(self, message: Message, now: datetime) -> Mapping[str, str]:
        return {"phones": message.phone, "mes": message.text}

    async def submit(self, request: Request) -> Accepted:
        self.handed.append(request)
        end = self.ends.pop(0) if self.ends else Accepted(request.client_id, 1, Decimal("18.00"))
        if isinstance(end, BaseException):
            raise end
        return end

    async def status(self, question: Question) -> StatusAnswer:
        self.asked.append(question)
        answer = self.answers.pop(0)
        if isinstance(answer, DeliveryError):
            raise answer
        return answer

    async def statuses(self, questions: Sequence[Question]) -> Mapping[Question, StatusAnswer]:
        return {question: await self.status(question) for question in questions}

    def is_ours(self, request: Request, answer: StatusAnswer, since: datetime) -> bool:
        return True

    def receipt(self, message_id: int, answer: StatusAnswer) -> Receipt:
        assert answer.state is not None
        return Receipt(message_id, answer.state, self.name, answer.code, answer.error)

    async def balance(self) -> Balance:
        self.asked.append("balance")
        if isinstance(self.money, DeliveryError):
            raise self.money
        return self.money

    async def price(self, request: Request) -> Price:
        return Price(Decimal(18), 1)

    async def inbound(self, after: int, hours: int) -> tuple[Inbound, ...]:
        self.asked.append(("inbound", after))
        if isinstance(self.inbox, DeliveryError):
            raise self.inbox
        return tuple(one for one in self.inbox if int(one.id or 0) > after)


@dataclass
class Clock:
    now: datetime = NOW

    def __call__(self) -> datetime:
        return self.now

    def forward(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def puppet() -> type[Puppet]:
    return Puppet


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[Store]:
    opened = Store(tmp_path / "bridge.db")
    await opened.open()
    yield opened
    opened.close()


@pytest.fixture
def message() -> Callable[..., Message]:
    def make(number: int = 1, **changes: Any) -> Message:
        made = Message(
            id=number, phone="+77010000001", person="", text="x" * number, encoding="GSM-7", segments=1, price=None,
            currency="KZT", rule="night", message_class="normal", channel="sms", providers=("smsc",), originator="",
            answerable=False, created_at=NOW, due_at=NOW, valid_until=NOW + timedelta(hours=1), language="en",
        )  # fmt: skip
        return replace(made, **changes)

    return make


@pytest.fixture
def put(store: Store) -> Callable[..., Any]:
    async def put(*messages: Message) -> None:
        await store.write(lambda tx: tx.many(_ADD, [rows.message_row(one) for one in messages]))

    return put
