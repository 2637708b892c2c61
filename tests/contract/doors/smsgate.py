"""smsgate by JSON, XML and GET, each with login and password; JSON with a token too."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from functools import partial
from typing import Any

from bridge.config.models.providers import Provider
from bridge.config.secrets import SecretText
from bridge.errors import AccountPaused, NotSent, PermanentFailure
from bridge.providers.http import HttpClient
from bridge.providers.smsgate import Smsgate
from bridge.providers.smsgate_codes import KeptUnpaid
from bridge.simulator.serve import running
from bridge.simulator.settings import SmsgateSwitches, Switches
from bridge.simulator.simulator import Simulator
from bridge.simulator.smsgate import texts
from tests.contract.expected import ARRIVES, FOUND, HELD, HELD_BEFORE, SENT_AGAIN, over_http
from tests.contract.kit import CLOCK, NUMBER, PASSWORD, WIDE, Door, Seen, World, account


@asynccontextmanager
async def _open(name: str) -> AsyncIterator[World]:
    kind, _, way = name.partition(" ")
    known = account().model_copy(update={"apikey": PASSWORD} if way else {})
    simulator = Simulator(
        accounts=(known,), switches=Switches(limits=WIDE, smsgate=SmsgateSwitches(minute=0.5)), now=CLOCK
    )
    login: dict[str, Any] = {"token": {"env": "GATE"}} if way else {"login": "acme", "password": {"env": "GATE"}}
    async with running(simulator) as port, HttpClient(connect=1.0) as http:
        settings = Provider.model_validate(
            {
                "type": kind,
                "base_url": f"http://127.0.0.1:{port}",
                "number": f"+{NUMBER}",
                "viber_sender": "ACME",
                **login,
            }
        )
        yield World(_BY_NAME[name], simulator, Smsgate("gate", settings, SecretText(PASSWORD), http))


_REFUSALS = {
    **{n: (PermanentFailure, texts.WHOLE.get(n) or texts.ITEM[n]) for n in (1, 5, 6, 7, 8)},
    2: (AccountPaused, texts.PASSWORD),
    3: (KeptUnpaid, texts.NO_MONEY[:100]),
    4: (AccountPaused, texts.BLOCKED),
    9: (NotSent, texts.IDENTICAL),
}


def _door(name: str) -> Door:
    opened: Callable[[], AbstractAsyncContextManager[World]] = partial(_open, name)
    by_get = name == "smsgate-get"
    return Door(
        name=name,
        open=opened,
        family="smsgate",
        channels=("sms", "viber"),
        refusals=_REFUSALS,
        traits=frozenset({"balance", "status", "inbound"}),
        # refused for want of money: who says so keeps the message, as far as we know, and sends it once it is paid
        expects={
            **over_http(lost=HELD if by_get else FOUND),
            "refuse=3": HELD_BEFORE if by_get else SENT_AGAIN,
            "take refuse=3": Seen("UNKNOWN", 0, "HELD", 1) if by_get else SENT_AGAIN,
            **({"answer=charset": ARRIVES} if name == "smsgate-xml" else {}),  # XML says its own charset
        },
        variant=name == "smsgate-json by token",
    )


_BY_NAME = {name: _door(name) for name in ("smsgate-json", "smsgate-json by token", "smsgate-xml", "smsgate-get")}
DOORS = tuple(_BY_NAME.values())
