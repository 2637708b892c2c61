"""``type: smsc-smtp``, which asks its questions at an ``smsc-http`` door of the same account."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from bridge.config.models.providers import Provider
from bridge.delivery.relays import mail_ways
from bridge.providers.build import gateways
from bridge.providers.http import HttpClient
from bridge.simulator.serve import running
from bridge.simulator.settings import Switches
from bridge.simulator.simulator import Simulator
from tests.contract.expected import (
    COMMAND_STATUS,
    EXPIRED,
    FOUND,
    HARMLESS,
    LIAR,
    LOST,
    NEVER,
    NOT_NOW,
    REFUSED,
    REJECTED,
    SENT_AGAIN,
    UNDELIVERED,
    UNREPORTED,
    WAITS,
    each,
)
from tests.contract.kit import CLOCK, NUMBER, PASSWORD, WIDE, Door, Seen, World, account

_LOGIN = {"login": "acme", "password": {"env": "SMSC"}, "number": f"+{NUMBER}"}


class MailWorld(World):
    """Faults of a hand-over are those of the mail door."""

    def fault(self, **fault: Any) -> None:
        super().fault(**{"on": ("mail",), **fault})


@asynccontextmanager
async def _open() -> AsyncIterator[World]:
    simulator = Simulator(accounts=(account(),), switches=Switches(limits=WIDE), now=CLOCK)
    logging.getLogger("mail.log").setLevel(logging.WARNING)  # the other side's: it writes down what it reads
    async with running(simulator) as port, HttpClient(connect=1.0) as http:
        mail_port = await simulator.listen_for_mail("127.0.0.1", 0)
        mail = {"relay": f"smtp://127.0.0.1:{mail_port}", "to": "send@send.smsc.test", "tls": "off"}
        by_mail = {"type": "smsc-smtp", "mail_from": "bounce@sms.example.kz", "status": "smsc", **mail, **_LOGIN}
        by_http = {"type": "smsc-http", "base_url": f"http://127.0.0.1:{port}", **_LOGIN}
        providers = {"mail": Provider.model_validate(by_mail), "smsc": Provider.model_validate(by_http)}
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("SMSC", PASSWORD)
            opened = gateways(providers, http, mail_ways(None, "sms.example.kz"))
        yield MailWorld(DOOR, simulator, opened["mail"])


DOOR = Door(
    name="smsc-smtp",
    open=_open,
    channels=("sms", "flash", "call", "viber"),
    lost=({"drop": "after"}, {"half": True}, {"answer": "garbage"}, {"answer": "html"}, {"answer": "empty"}),
    traits=frozenset({"price", "balance", "status", "inbound", "calls"}),
    send_door="mail",
    expects={
        **each(HARMLESS, Seen("HANDED_OVER", 1, "DELIVERED", 1)),
        **each(("http_status=302", *LIAR), Seen("HANDED_OVER", 1, "DELIVERED", 1)),
        **each((*UNREPORTED, *EXPIRED), Seen("HANDED_OVER", 1, "ACCEPTED", 1)),
        **each(UNDELIVERED, Seen("HANDED_OVER", 1, "UNDELIVERED", 1)),
        **each((*REFUSED, *NOT_NOW, *COMMAND_STATUS), Seen("HANDED_OVER", 0, "DELIVERED", 1)),  # refused without a word
        **each(("fate=link",), Seen("HANDED_OVER", 1, "DELIVERED", 1)),
        **each(("fate=no_money",), Seen("HANDED_OVER", 1, "UNDELIVERED", 1)),
        **each(("fate=stopped",), Seen("HANDED_OVER", 1, "ACCEPTED", 1)),
        **each((*LOST, "answer=ok", "answer=huge", "answer=charset", "answer=other id"), FOUND),
        **each((*NEVER, "answer=html http_status=502"), SENT_AGAIN),
        **each(("http_status=404", "http_status=451"), WAITS),
        **each(("http_status=500", "http_status=503"), REJECTED),
    },
)
