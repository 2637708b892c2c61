"""Confirmation by a call, whole: a number is asked for, the SMS shows it, the phone rings it, the alert is acked."""

from __future__ import annotations

import asyncio
import smtplib
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from bridge.app.bridge import Bridge, Surroundings
from bridge.book.loading import load_book
from bridge.simulator.serve import running
from bridge.simulator.settings import Account, Handler, Switches
from bridge.simulator.simulator import Simulator

pytestmark = pytest.mark.anyio

PHONE, COLLEAGUE = "77010000001", "77010000002"
PATH, SECRET, SIGNED = "a-long-random-path-of-ours", "pa55word-that-nobody-may-see", "what-signs-the-posts"
CONFIG = """
listen:
  - {{door: smtp, address: "127.0.0.1:0", trust: 127.0.0.0/8}}
  - {{door: http, address: "127.0.0.1:0"}}
http: {{public_url: https://sms.bridge.test}}
domains: bridge.test
operator: {{mail: operator@bridge.test}}
outgoing_mail: {{relay: "smtp://127.0.0.1:1", from: sms@bridge.test, tls: "off"}}
region: KZ
timezone: Asia/Almaty
currency: KZT
people:
  aigul: {{name: Aigul, phone: "+77010000001", ack_by: [sms, call]}}
  ivan: {{name: Ivan, phone: "+77010000002"}}
providers:
  smsc: {{type: smsc-http, base_url: "http://127.0.0.1:{port}", login: one, password: {{env: CALL_SECRET}},
         prices: {{default: 10.00}}, confirm_by_call: true, number: "+77055550000", insecure: true,
         inbound: {inbound}, poll: 1s,
         callbacks: {{path: {{env: CALL_PATH}}, secret: {{env: CALL_SIGNED}}}}}}
budgets: {{total: {{money: 1000000 KZT/day}}}}
"""
RULES = """
rules:
  - {rule: one, when: {recipient: one@bridge.test}, to: [aigul, ivan], class: critical,
     text: "{{ title }}. {{ code }} ok or ring {{ call_to_ack }}"}
"""


@dataclass
class House:
    bridge: Bridge
    simulator: Simulator

    async def alert(self, subject: str = "disk is full") -> None:
        await asyncio.to_thread(self._alert, subject)

    def _alert(self, subject: str) -> None:
        with smtplib.SMTP("127.0.0.1", self.bridge.doors[0].port, timeout=5) as session:
            session.sendmail("mon@host.test", ["one@bridge.test"], f"Subject: {subject}\r\n\r\nx\r\n".encode())

    async def rows(self, query: str) -> list[tuple[Any, ...]]:
        return [tuple(row) for row in await self.bridge.store.read(lambda tx: tx.raw(query))]

    async def until(self, holds: Callable[[], Any], within: float = 10) -> None:
        deadline = asyncio.get_running_loop().time() + within
        while not holds():
            assert asyncio.get_running_loop().time() < deadline, await self.rows("SELECT text, state FROM messages")
            await asyncio.sleep(0.02)

    async def acked(self) -> str:
        return str((await self.rows("SELECT acked_by FROM incidents"))[0][0])

    def on(self, phone: str) -> list[str]:
        return [message.text for message in self.simulator.messages(phone)]


@asynccontextmanager
async def opened(
    folder: Path, monkeypatch: pytest.MonkeyPatch, inbound: str = "callback", **changes: Any
) -> AsyncIterator[House]:
    for name, value in (("SECRET", SECRET), ("PATH", PATH), ("SIGNED", SIGNED)):
        monkeypatch.setenv(f"CALL_{name}", value)
    account = Account(login="one", password=SECRET, balance=Decimal(1000))
    simulator = Simulator(accounts=(account,), switches=Switches(**changes))
    async with AsyncExitStack() as stack:
        port = await stack.enter_async_context(running(simulator))
        (folder / "rules").mkdir()
        (folder / "rules" / "10.yaml").write_text(RULES)
        (folder / "config.yaml").write_text(CONFIG.format(port=port, inbound=inbound))
        bridge = Bridge(load_book(folder / "config.yaml").require(), Surroundings(folder / "bridge.db"))
        await bridge.start()
        stack.push_async_callback(bridge.stop)
        if inbound == "callback":
            url = f"http://{bridge.http_addresses[0]}/callbacks/smsc/{PATH}?sha1={SIGNED}&charset=utf-8"
            simulator.air.handlers = (Handler(url=url),)
        yield House(bridge, simulator)


@pytest.mark.parametrize("inbound", ["callback", "poll"])
async def test_a_missed_call_acknowledges(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, inbound: str) -> None:
    async with opened(tmp_path, monkeypatch, inbound) as house:
        await house.alert()
        await house.until(lambda: house.on(PHONE) and house.on(COLLEAGUE))
        assert house.on(PHONE) == ["disk is full. 10 ok or ring +77770000001"]
        assert house.on(COLLEAGUE) == ["disk is full. 10"]
        assert house.simulator.call(PHONE, "77770000001").kind == "waitcall"
        await house.until(lambda: len(house.on(PHONE)) == 2 and len(house.on(COLLEAGUE)) == 2)
        assert house.on(PHONE)[1].startswith("10 acked: ")
        assert "Aigul has it" in house.on(COLLEAGUE)[1]
        assert await house.acked() == "aigul"


async def test_T25_a_call_that_is_posted_and_polled_is_one_call(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with opened(tmp_path, monkeypatch) as house:
        await house.alert()
        await house.until(lambda: house.on(PHONE))
        house.simulator.call(PHONE, "77770000001")
        await house.until(lambda: len(house.on(PHONE)) == 2)
        assert house.bridge._accounts is not None
        assert await house.bridge._accounts.fetch(house.bridge.gateways["smsc"]) == 0
        assert await house.rows("SELECT kind, read_as FROM replies") == [("call", "ack")]


async def test_T32_a_call_from_another_phone_is_silence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with opened(tmp_path, monkeypatch) as house:
        await house.alert()
        await house.until(lambda: house.on(PHONE) and house.on(COLLEAGUE))
        house.simulator.call(COLLEAGUE, "77770000001")
        for _ in range(500):
            if await house.rows("SELECT 1 FROM replies WHERE state <> 'RECEIVED'"):
                break
            await asyncio.sleep(0.02)
        assert await house.rows("SELECT kind, read_as FROM replies") == [("call", "call")]
        assert len(house.on(COLLEAGUE)) == 1
        assert await house.acked() == ""


async def test_F07_an_alert_does_not_wait_for_a_number_that_nobody_gives(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with opened(tmp_path, monkeypatch) as house:
        house.simulator.set_faults({"smsc": {"all": {"on": ["wait_call"], "refuse": 1}}})
        await house.alert()
        await house.until(lambda: house.on(PHONE))
        assert house.on(PHONE) == ["disk is full. 10"]
        assert await house.rows("SELECT count(*) FROM journal WHERE kind = 'call.not_offered'") == [(1,)]
