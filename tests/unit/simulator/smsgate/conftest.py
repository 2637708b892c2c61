"""The gateway ``smsgate`` with a clock of its own, asked the three ways."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from urllib.parse import urlencode

import pytest

from bridge.simulator.settings import Account, SmsgateSwitches, Switches
from bridge.simulator.simulator import Simulator
from bridge.simulator.smsgate.asked import Raw
from bridge.simulator.smsgate.gateway import PATHS

HEAD = '<?xml version="1.0" encoding="utf-8" ?>'
SECURITY = '<security><login value="demo" /><password value="secret" /></security>'


@dataclass
class Clock:
    now: datetime = datetime(2025, 11, 21, 7, 0, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now

    def forward(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)


@dataclass
class Gate:
    """The gateway under test; answers are text."""

    simulator: Simulator
    clock: Clock
    status: int = 0

    def ask(self, page: str, *, query: str = "", body: str | bytes = b"", token: str = "") -> str:
        raw_body = body.encode() if isinstance(body, str) else body
        raw = Raw(page, "POST" if body else "GET", PATHS[page], query, raw_body, token, "127.0.0.1")
        smsgate = self.simulator.smsgate
        reply, self.status = smsgate.answer(raw, smsgate.meet(raw))
        return reply.body.decode()

    def get(self, *, token: str = "", **params: str) -> str:
        login = {} if token else {"login": "demo", "password": "secret"}
        return self.ask("sendmessage", query=urlencode(login | params), token=token)

    def json(self, **document: Any) -> Any:
        whole = {"login": "demo", "password": "secret"} | document
        return json.loads(self.ask("sendmessagejson", body=json.dumps(whole)))

    def send(self, phone: str = "77010000001", client_id: str = "", **fields: str) -> Any:
        """One message by JSON; what became of its only phone."""
        message = {"send_sms": "1", "sender_sms": "TEST", "text_sms": "hello"} | fields
        answer = self.json(message=[{**message, "phones": [{"phone": phone, "client_id_message": client_id}]}])
        (result,) = answer["message"]
        return result[0] if isinstance(result, list) else result

    def state(self, id: str) -> dict[str, str]:
        return dict(self.json(state=[{"id_message": id}])["state"][0])

    def xml(self, page: str, inner: str) -> str:
        return self.ask(page, body=f"{HEAD}<request>{SECURITY}{inner}</request>")

    def switch(self, **changes: object) -> None:
        switches = self.simulator.air.switches
        self.simulator.air.switches = switches.model_copy(update={"smsgate": SmsgateSwitches.model_validate(changes)})

    def account(self, **changes: object) -> None:
        accounts = self.simulator.air.accounts
        accounts["demo"] = accounts["demo"].model_copy(update=changes)

    def fault(self, **fault: Any) -> None:
        self.simulator.set_faults({"smsgate": {"all": fault}})

    def later(self, seconds: float) -> None:
        self.clock.forward(seconds)
        self.simulator.air.timers.advance(self.clock.now)

    @property
    def channels(self) -> list[str]:
        return [message.channel for message in self.simulator.messages()]

    def posted(self) -> list[tuple[str, bytes, str]]:
        found = []
        for lane in self.simulator.courier.lanes:
            while not lane.empty():
                post = lane.get_nowait()
                found.append((post.content_type, post.body, post.wants))
        return found


@pytest.fixture
def gate() -> Gate:
    clock = Clock()
    account = Account(
        login="demo",
        password="secret",
        apikey="TOKEN",
        number="77055550000",
        balance=Decimal("100.00"),
        currency="RUB",
        prices={"default": Decimal("1.15")},
        channel_prices={"viber": Decimal("0.70")},
        black_list=("770",),
    )
    return Gate(Simulator(accounts=(account,), switches=Switches(), now=clock), clock)


CASCADE = {
    "send_viber": "1", "sender_viber": "TEST", "text_viber": "hello", "validity_period_viber": "3", "send_sms": "2",
}  # fmt: skip


@pytest.fixture
def cascade() -> dict[str, str]:
    """Viber for three minutes, then SMS."""
    return dict(CASCADE)
