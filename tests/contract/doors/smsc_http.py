"""``type: smsc-http``."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from bridge.config.models.providers import Provider
from bridge.config.secrets import SecretText
from bridge.errors import AccountPaused, NotSent, PermanentFailure
from bridge.providers.http import HttpClient
from bridge.providers.smsc_http import SmscHttp
from bridge.simulator.serve import running
from bridge.simulator.settings import Switches
from bridge.simulator.simulator import Simulator
from tests.contract.expected import FOUND, over_http
from tests.contract.kit import CLOCK, NUMBER, PASSWORD, WIDE, Door, Seen, World, account


@asynccontextmanager
async def _open() -> AsyncIterator[World]:
    simulator = Simulator(accounts=(account(),), switches=Switches(limits=WIDE), now=CLOCK)
    async with running(simulator) as port, HttpClient(connect=1.0) as http:
        settings = Provider.model_validate(
            {
                "type": "smsc-http",
                "base_url": f"http://127.0.0.1:{port}",
                "login": "acme",
                "password": {"env": "SMSC"},
                "number": f"+{NUMBER}",
            }
        )
        yield World(DOOR, simulator, SmscHttp("smsc", settings, SecretText(PASSWORD), http))


_OTHERS = {2: AccountPaused, 3: AccountPaused, 4: AccountPaused, 9: NotSent}
DOOR = Door(
    name="smsc-http",
    open=_open,
    channels=("sms", "flash", "call", "viber"),
    refusals={code: (_OTHERS.get(code, PermanentFailure), str(code)) for code in range(1, 10)},
    traits=frozenset({"price", "cost", "caps", "validity", "balance", "status", "inbound", "calls"}),
    expects={
        **over_http(expired=Seen("ACCEPTED", 1, "EXPIRED", 1)),
        "answer=other id": FOUND,  # our own id comes back in an answer
    },
)
