"""A gateway over SMPP and the pretend provider behind it, on loopback."""

from __future__ import annotations

import asyncio
import dataclasses
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from bridge.config.models.providers import Provider
from bridge.config.secrets import SecretText
from bridge.model import Message
from bridge.providers.base import Arrival, LinkedGateway, Request
from bridge.providers.smsc_smpp import SmscSmpp
from bridge.providers.smsc_smpp_links import Wanted
from bridge.simulator.records import Message as Arrived
from bridge.simulator.settings import Account, SmppSwitches, Switches
from bridge.simulator.simulator import Simulator
from bridge.smpp.link import Peer

PASSWORD = "canaryPW"
PHONE = "+77010000001"
NUMBER = "77055550000"


@dataclasses.dataclass
class World:
    """One door and the provider behind it; *arrivals* is what was kept."""

    simulator: Simulator
    gateway: SmscSmpp
    port: int
    arrivals: list[Arrival] = dataclasses.field(default_factory=list)
    refuse: list[BaseException] = dataclasses.field(default_factory=list)

    @property
    def arrived(self) -> tuple[Arrived, ...]:
        return self.simulator.messages()

    def fault(self, **fault: Any) -> None:
        self.simulator.set_faults({"smsc-smpp": {"all": fault}})

    def account(self, **changes: Any) -> None:
        accounts = self.simulator.air.accounts
        accounts["acme"] = accounts["acme"].model_copy(update=changes)

    async def keep(self, _gateway: LinkedGateway, arrival: Arrival) -> None:
        if self.refuse:
            raise self.refuse.pop()
        self.arrivals.append(arrival)


def settings(port: int, **changes: Any) -> Provider:
    return Provider.model_validate(
        {
            "type": "smsc-smpp",
            "hosts": [f"127.0.0.1:{port}"],
            "tls": "off",
            "login": "acme",
            "password": {"env": "SMSC"},
            "number": f"+{NUMBER}",
            **changes,
        }
    )


def wanted(port: int, **changes: Any) -> Wanted:
    """Faster than anybody should be with a real provider."""
    known = Wanted((Peer("127.0.0.1", port, None),), 1, 10, 1000.0, pauses=(0.05,))
    return dataclasses.replace(known, **changes)


@asynccontextmanager
async def smpp_world(
    smpp: SmppSwitches | None = None, *, answer_within: float = 1.0, pace: dict[str, Any] | None = None, **changes: Any
) -> AsyncIterator[World]:
    """*changes* are those of the provider's settings, *pace* those of the links."""
    account = Account(
        login="acme", password=PASSWORD, number=NUMBER, balance=Decimal(1000), prices={"default": Decimal(18)}
    )
    switches = Switches(smpp=smpp or SmppSwitches(), operator_delay=0.01, delivery_delay=0.02)
    async with Simulator(accounts=(account,), switches=switches) as simulator:
        port = await simulator.listen_for_smpp("127.0.0.1", 0)
        gateway = SmscSmpp(
            "smpp", settings(port, **changes), SecretText(PASSWORD), wanted=wanted(port, **(pace or {})),
            answer_within=answer_within,
        )  # fmt: skip
        world = World(simulator, gateway, port)
        await gateway.open(world.keep)
        try:
            yield world
        finally:
            await gateway.close()


def message(**changes: Any) -> Message:
    now = datetime.now(UTC)
    made = Message(
        id=1, phone=PHONE, person="", text="12 CRIT db01: disk full", encoding="GSM-7", segments=1, price=None,
        currency="KZT", rule="night", message_class="critical", channel="sms", providers=("smpp",), originator="",
        answerable=True, created_at=now, due_at=now, valid_until=now + timedelta(minutes=30), language="en",
    )  # fmt: skip
    return dataclasses.replace(made, **changes)


def request_of(
    gateway: SmscSmpp, client_id: str = "1234", *, repeat: bool = False, attempt: int = 1, **changes: Any
) -> Request:
    canonical = gateway.canonical(message(**changes), datetime.now(UTC))
    return Request(canonical, client_id, repeat, attempt=attempt)


async def until(condition: Callable[[], object], within: float = 5) -> None:
    async with asyncio.timeout(within):
        while not condition():
            await asyncio.sleep(0.01)
