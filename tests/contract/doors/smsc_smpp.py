"""``type: smsc-smpp``, which asks an ``smsc-http`` door of the same account for money, prices and what was sent."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from bridge.config.models.providers import Provider
from bridge.config.secrets import SecretText
from bridge.errors import PermanentFailure
from bridge.providers.http import HttpClient
from bridge.providers.smsc_http import SmscHttp
from bridge.providers.smsc_smpp import SmscSmpp
from bridge.providers.smsc_smpp_links import Wanted
from bridge.simulator.serve import running
from bridge.simulator.settings import Switches
from bridge.simulator.simulator import Simulator
from bridge.smpp.link import Peer
from tests.contract.expected import ARRIVES, REFUSED, REJECTED, WAITS, each, over_http
from tests.contract.kit import CLOCK, NUMBER, PASSWORD, WIDE, Door, Seen, World, account

_LOGIN = {"login": "acme", "password": {"env": "SMSC"}, "number": f"+{NUMBER}"}


@asynccontextmanager
async def _open() -> AsyncIterator[World]:
    simulator = Simulator(accounts=(account(),), switches=Switches(limits=WIDE), now=CLOCK)
    async with running(simulator) as port, HttpClient(connect=1.0) as http:
        smpp_port = await simulator.listen_for_smpp("127.0.0.1", 0)
        by_smpp = {"type": "smsc-smpp", "hosts": f"127.0.0.1:{smpp_port}", "tls": "off", **_LOGIN}
        by_http = {"type": "smsc-http", "base_url": f"http://127.0.0.1:{port}", **_LOGIN}
        settings, secret = Provider.model_validate(by_smpp), SecretText(PASSWORD)
        pace = Wanted(
            (Peer("127.0.0.1", smpp_port, None),), 1, 10, 1000.0, pauses=(0.02,)
        )  # nobody waits for a link here
        gateway = SmscSmpp("smpp", settings, secret, wanted=pace, answer_within=0.5)
        gateway.ask_at(SmscHttp("smsc", Provider.model_validate(by_http), secret, http))
        yield World(DOOR, simulator, gateway)
        await gateway.close()


DOOR = Door(
    name="smsc-smpp",
    open=_open,
    family="smsc-smpp",
    channels=("sms", "call", "viber"),
    refusals={
        **dict.fromkeys((1, 2, 3, 4, 5, 6, 9), (PermanentFailure, "0x0045")),
        **dict.fromkeys((7, 8), (PermanentFailure, "0x000b")),
    },
    lost=({"silent": True}, {"drop": "after"}, {"half": True}, {"answer": "garbage"}, {"answer": "html"}),
    traits=frozenset({"price", "balance", "validity"}),
    one_link=True,
    forever=each(("throttle=1", "command_status=0x14", "command_status=0x58"), WAITS),
    expects={
        **over_http(expired=Seen("ACCEPTED", 1, "EXPIRED", 1)),  # a status of HTTP is none of SMPP's
        **each(REFUSED, REJECTED),
        **each(("refuse=2", "refuse=3", "refuse=4", "refuse=9"), REJECTED),  # ESME_RSUBMITFAIL does not say why
        **each(("throttle=1", "command_status=0x14", "command_status=0x58"), ARRIVES),  # the same PDU, soon after
        **each(("command_status=0x8", "command_status=0xd", "command_status=0x4ff"), WAITS),
        **each(("command_status=0xb", "command_status=0x45"), REJECTED),
        "answer=empty": Seen("ACCEPTED_NO_ID", 1, "DELIVERED", 1),
        **each(("take refuse=3", "take refuse=9"), Seen("REJECTED", 1, "REJECTED", 1)),
    },
)
