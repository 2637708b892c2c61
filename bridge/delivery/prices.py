"""Asking what a segment costs where the configuration does not say: budgets should know before the first SMS.

One number of each network that people have, once a day; the question sends nothing. The answer is kept where the price
of the last SMS is kept (``store.spends``), so whichever is newer holds.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from decimal import Decimal

import structlog

from bridge.book import RuleBook
from bridge.config.derived import provider_currency
from bridge.delivery.gateways import Gateways
from bridge.dispatch.budgets import in_main
from bridge.errors import DeliveryError, StoreUnavailable
from bridge.model import Message
from bridge.providers.base import Gateway, Request
from bridge.store import spends
from bridge.store.engine import Store

log = structlog.get_logger("prices")

_LOOK = 60.0  # seconds between looks at what is not known
_PAUSE = 1.0  # seconds between two questions: providers count them
_KNOWN = timedelta(days=1)
_AGAIN = timedelta(hours=1)  # where nobody could say
_MOST = 20  # networks of one provider


class Prices:
    """Asks until it is stopped."""

    def __init__(
        self,
        store: Store,
        gateways: Callable[[], Gateways],
        book: Callable[[], RuleBook],
        *,
        now: Callable[[], datetime],
    ) -> None:
        self._store = store
        self._gateways = gateways
        self._book = book
        self._now = now
        self._due: dict[str, datetime] = {}

    async def run(self) -> None:
        """Work until cancelled."""
        while True:
            try:
                await self.round()
            except StoreUnavailable as error:
                log.warning("store away", error=str(error))
            await asyncio.sleep(_LOOK)

    async def round(self) -> None:
        """Ask for every price that is not known and due."""
        for provider, phone in list(self._unknown()):
            name, now = spends.price_name(provider, phone), self._now()
            gateways = self._gateways()
            if self._due.get(name, now) > now or provider not in gateways:
                continue
            known = await self._ask(gateways[provider], phone)
            self._due[name] = now + (_KNOWN if known else _AGAIN)
            await asyncio.sleep(_PAUSE)

    def _unknown(self) -> Iterator[tuple[str, str]]:
        """A provider without a price of its own, and a number of each of its networks."""
        book = self._book()
        phones = [person.phone for person in book.config.people.values() if person.phone]
        for provider in self._gateways().doors:
            asked = {
                spends.price_name(provider, phone): phone
                for phone in phones
                if book.price((provider,), phone, 1)[0] is None
            }
            yield from ((provider, phone) for phone in list(asked.values())[:_MOST])

    async def _ask(self, gateway: Gateway, phone: str) -> bool:
        """Whether the price is known now."""
        config, message = self._book().config, sample(phone, gateway.name, self._now())
        try:
            found = await gateway.price(Request(gateway.canonical(message, self._now()), ""))
        except DeliveryError as error:
            log.info("no price", gateway=gateway.name, why=error.reason)
            return False
        currency = provider_currency(config, gateway.name) if gateway.name in config.providers else None
        money = in_main(config, found.cost, currency or "")
        if money is None:
            return False
        segments = found.segments or message.segments
        await self._store.write(lambda tx: spends.learn(tx, gateway.name, phone, segments, money))
        log.info("price", gateway=gateway.name, prefix=phone[:5], segment=str(money / Decimal(segments)))
        return True


def sample(phone: str, provider: str, now: datetime) -> Message:
    """One segment, to ask the price of; it is never sent."""
    return Message(
        id=0, phone=phone, person="", text="price", encoding="GSM-7", segments=1, price=None, currency="",
        rule="(price)", message_class="normal", channel="sms", providers=(provider,), originator="", answerable=False,
        created_at=now, due_at=now, valid_until=now + timedelta(hours=1), language="en",
    )  # fmt: skip
