"""Calls of the provider about messages that left by mail: a whole bridge, and nobody who can be asked."""

from __future__ import annotations

import asyncio
import smtplib
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from decimal import Decimal
from pathlib import Path

import pytest

from bridge.app.bridge import Bridge, Surroundings
from bridge.book.loading import load_book
from bridge.simulator.serve import running
from bridge.simulator.settings import Account, Handler, Switches
from bridge.simulator.simulator import Simulator

pytestmark = pytest.mark.anyio

PATH, WORD, SECRET = "p4th" * 8, "s3cr3t_KEY-1", "pa55word-that-nobody-may-see"
CONFIG = """
listen:
  - {{door: smtp, address: "127.0.0.1:0", trust: 127.0.0.1}}
  - {{door: http, address: "127.0.0.1:0"}}
domains: bridge.test
node: n1
operator: {{mail: operator@bridge.test}}
region: KZ
timezone: Asia/Almaty
currency: KZT
people: {{aigul: {{name: Aigul, phone: "+77010000001"}}}}
providers:
  mail:
    type: smsc-smtp
    relay: "smtp://127.0.0.1:{mail}"
    to: send@send.smsc.test
    tls: "off"
    login: one
    password: {{env: CALLED_SECRET}}
    mail_from: bounce@bridge.test
    inbound: callback
    callbacks: {{path: {{env: CALLED_PATH}}, secret: {{env: CALLED_WORD}}}}
send_via: mail
budgets: {{total: {{money: 1000000 KZT/day}}}}
"""
RULES = 'rules: [{rule: all, when: {recipient: all@bridge.test}, to: aigul, text: "{{ title }}"}]\n'


@pytest.fixture
async def opened(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[tuple[Bridge, Simulator]]:
    for name, value in (("SECRET", SECRET), ("PATH", PATH), ("WORD", WORD)):
        monkeypatch.setenv(f"CALLED_{name}", value)
    account = Account(login="one", password=SECRET, balance=Decimal(1000))
    simulator = Simulator(accounts=(account,), switches=Switches(operator_delay=0.3, delivery_delay=0.3))
    async with AsyncExitStack() as stack:
        await stack.enter_async_context(running(simulator))
        mail = await simulator.listen_for_mail("127.0.0.1", 0)
        (tmp_path / "rules").mkdir()
        (tmp_path / "rules" / "10.yaml").write_text(RULES)
        (tmp_path / "config.yaml").write_text(CONFIG.format(mail=mail))
        bridge = Bridge(load_book(tmp_path / "config.yaml").require(), Surroundings(tmp_path / "bridge.db"))
        await bridge.start()
        stack.push_async_callback(bridge.stop)
        url = f"http://{bridge.http_addresses[0]}/callbacks/smsc/{PATH}?charset=utf-8&sha1={WORD}"
        simulator.air.handlers = (Handler(url=url),)
        yield bridge, simulator


def alert(bridge: Bridge) -> None:
    with smtplib.SMTP("127.0.0.1", bridge.doors[0].port, timeout=5) as session:
        session.sendmail("mon@host.test", ["all@bridge.test"], b"Subject: disk is full\r\n\r\nx\r\n")


async def states(bridge: Bridge) -> list[str]:
    return [row[0] for row in await bridge.store.read(lambda tx: tx.raw("SELECT state FROM messages"))]


async def becomes(bridge: Bridge, state: str) -> None:
    async with asyncio.timeout(8):
        while await states(bridge) != [state]:
            await asyncio.sleep(0.02)


async def test_a_call_of_the_provider_alone_settles_what_a_relay_was_handed(opened: tuple[Bridge, Simulator]) -> None:
    bridge, simulator = opened
    await asyncio.to_thread(alert, bridge)
    await becomes(bridge, "HANDED_OVER")
    await becomes(bridge, "DELIVERED")
    assert [one.text for one in simulator.messages()] == ["disk is full"]


async def test_a_call_settles_what_the_relay_fell_silent_about(opened: tuple[Bridge, Simulator]) -> None:
    bridge, simulator = opened
    simulator.set_faults({"smsc": {"all": {"on": ["mail"], "drop": "after", "times": 1}}})
    await asyncio.to_thread(alert, bridge)
    await becomes(bridge, "UNKNOWN")
    await becomes(bridge, "DELIVERED")
    assert [one.text for one in simulator.messages()] == ["disk is full"]
