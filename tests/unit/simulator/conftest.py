"""A simulator with a clock of its own, and a short way to ask it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from urllib.parse import urlencode

import pytest

from bridge.simulator.settings import Account, Limits, Switches
from bridge.simulator.simulator import Simulator
from bridge.simulator.smsc.request import Raw


@dataclass
class Clock:
    """Stands still until it is told to move."""

    now: datetime = datetime(2025, 11, 21, 7, 0, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now

    def forward(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)


@dataclass
class World:
    """The simulator under test; ``ask`` is one request of the demo login, answered as text."""

    simulator: Simulator
    clock: Clock

    def ask(self, door: str, *, peer: str = "127.0.0.1", **params: str) -> str:
        with_login = params if {"login", "apikey"} & params.keys() else {"login": "demo", "psw": "secret"} | params
        codec = {"utf-8": "utf-8", "koi8-r": "koi8-r"}.get(params.get("charset", ""), "cp1251")
        raw = self.raw(door, urlencode(with_login, encoding=codec).encode(), peer=peer)
        return self.simulator.smsc.answer(raw, self.simulator.smsc.meet(raw)).body.decode(codec)

    def raw(self, door: str, form: bytes, *, peer: str = "127.0.0.1", host: str = "smsc.test") -> Raw:
        kind = "application/x-www-form-urlencoded"
        return Raw(door, "POST", f"/sys/{door}.php", b"", form, kind, peer, host)

    def send(self, **params: str) -> str:
        return self.ask("send", **{"phones": "77010000001", "mes": "test", "charset": "utf-8", "fmt": "1"} | params)

    def account(self, **changes: object) -> None:
        accounts = self.simulator.air.accounts
        accounts["demo"] = accounts["demo"].model_copy(update=changes)

    def switch(self, **changes: object) -> None:
        self.simulator.air.switches = self.simulator.air.switches.model_copy(update=changes)

    def limit(self, **changes: object) -> None:
        self.switch(limits=self.simulator.air.switches.limits.model_copy(update=changes))

    def posted(self) -> list[bytes]:
        """Bodies that wait for the courier, by lane and in order."""
        bodies = []
        for lane in self.simulator.courier.lanes:
            while not lane.empty():
                bodies.append(lane.get_nowait().body)
        return bodies


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def world(clock: Clock) -> World:
    """Prices and balance as the vectors have them; limits wide open except where a test closes them."""
    account = Account(
        login="demo",
        password="secret",
        apikey="key",
        balance=Decimal("101.90"),
        prices={"default": Decimal("1.40")},
    )
    wide = Limits(status_a_minute=1000, status_lists_a_minute=1000, balance_a_minute=1000, answers_a_minute=1000)
    return World(Simulator(accounts=(account,), switches=Switches(limits=wide), now=clock), clock)
