"""Asking for prices: each network once a day, nothing the configuration knows, and in the currency of the budgets."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from bridge.book import RuleBook
from bridge.book.loading import load_book
from bridge.delivery.gateways import Gateways
from bridge.delivery.prices import Prices
from bridge.dispatch.budgets import PRICES_SINCE, cost_of
from bridge.errors import TemporaryFailure
from bridge.memory import Needs
from bridge.model import Spent
from bridge.providers.base import Price, Request
from bridge.store import recall
from bridge.store.engine import Store

pytestmark = pytest.mark.anyio

NOW = datetime(2026, 11, 21, 3, 12, tzinfo=UTC)
CONFIG = """
listen: [{{door: smtp, address: "127.0.0.1:0", trust: 127.0.0.0/8}}]
domains: bridge.test
operator: {{mail: operator@bridge.test}}
region: KZ
currency: KZT
exchange: {{RUB: 6 KZT}}
people:
  aigul: {{phone: "+77010000001"}}
  marat: {{phone: "+77010000002"}}
  ivan: {{phone: "+77020000003"}}
providers: {{smsc: {{type: smsc-http, base_url: "https://smsc.kz", login: x, password: {{env: X}},
                    currency: RUB{prices}}}}}
budgets: {{total: {{money: 1000 KZT/day}}}}
"""


@dataclass
class Desk:
    """One gateway that names prices: *ends* are its next answers, then 2.50 for a segment."""

    store: Store
    book: RuleBook
    clock: Any
    gateway: Any
    prices: Prices
    ends: list[Any]
    asked: list[str]

    async def known(self) -> dict[str, Spent]:
        names = [f"price/smsc/{prefix}" for prefix in ("+7701", "+7702")]
        needs = Needs(spends=frozenset((name, PRICES_SINCE) for name in names))
        memory = await self.store.read(lambda tx: recall.load(tx, needs, NOW))
        return {name: memory.spent(name, PRICES_SINCE) for name in names}


@pytest.fixture
def desk(tmp_path: Path, store: Store, clock: Any, puppet: Any, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Desk]:
    monkeypatch.setattr("bridge.delivery.prices._PAUSE", 0)

    def made(prices: str = "") -> Desk:
        (tmp_path / "config.yaml").write_text(CONFIG.format(prices=prices))
        (tmp_path / "rules").mkdir()
        (tmp_path / "rules" / "10.yaml").write_text("rules: [{rule: one, to: [aigul, ivan, marat]}]")
        book = load_book(tmp_path / "config.yaml").require()
        gateway = puppet()
        house = Desk(store, book, clock, gateway, Prices(store, lambda: gateways, lambda: book, now=clock), [], [])
        gateways = Gateways({"smsc": gateway}, clock)

        async def price(request: Request) -> Price:
            house.asked.append(request.canonical["phones"])
            end = house.ends.pop(0) if house.ends else Price(Decimal("2.50"), 1)
            if isinstance(end, Exception):
                raise end
            return end  # type: ignore[no-any-return]

        gateway.price = price
        return house

    return made


async def test_each_network_is_asked_for_once_a_day_and_nothing_is_sent(desk: Callable[..., Desk]) -> None:
    house = desk()
    await house.prices.round()
    await house.prices.round()
    assert len(house.asked) == 2
    assert {phone[:5] for phone in house.asked} == {"+7701", "+7702"}
    house.clock.forward(24 * 3600 + 1)
    await house.prices.round()
    assert len(house.asked) == 4
    assert house.gateway.handed == []


async def test_T04_a_price_that_was_asked_for_counts_before_the_first_sms(desk: Callable[..., Desk]) -> None:
    house = desk()
    house.ends = [Price(Decimal("5.00"), 2)]
    await house.prices.round()
    known = await house.known()
    costs = [
        cost_of(house.book, lambda name, _since: known[name], ("smsc",), phone, 3)
        for phone in ("+77010000009", "+77020000009")
    ]
    assert [(cost.money, cost.known) for cost in costs] == [(Decimal(45), True), (Decimal(45), True)], "2.50 RUB each"


async def test_what_the_configuration_knows_is_not_asked_for(desk: Callable[..., Desk]) -> None:
    house = desk(', prices: {"+7701": 14.00}')
    await house.prices.round()
    assert [phone[:5] for phone in house.asked] == ["+7702"]


async def test_who_does_not_say_is_asked_again_in_an_hour(desk: Callable[..., Desk]) -> None:
    house = desk()
    house.ends = [TemporaryFailure("error 9"), TemporaryFailure("error 9")]
    await house.prices.round()
    house.clock.forward(60)
    await house.prices.round()
    assert len(house.asked) == 2
    house.clock.forward(3600)
    await house.prices.round()
    assert len(house.asked) == 4
    assert [one.money for one in (await house.known()).values()] == [Decimal(15), Decimal(15)]
