"""A link that stays down is told by another path, shown, and its end is told too: a whole bridge (threats F24)."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.request import urlopen

import pytest

from bridge.app.bridge import Bridge, Surroundings
from bridge.book.loading import load_book
from bridge.simulator.settings import Account
from bridge.simulator.simulator import Simulator

pytestmark = pytest.mark.anyio

CONFIG = """
listen: [{{door: http, address: "127.0.0.1:0", serve: [console, metrics]}}]
domains: bridge.test
operator: {{mail: operator@bridge.test}}
outgoing_mail: {{relay: "smtp://127.0.0.1:{mail}", from: sms@bridge.test, tls: "off"}}
region: KZ
timezone: Asia/Almaty
currency: KZT
people: {{aigul: {{name: Aigul, phone: "+77010000001"}}}}
providers:
  smpp: {{type: smsc-smpp, hosts: "127.0.0.1:{smpp}", tls: "off", login: one, password: {{env: TROUBLE_SECRET}}}}
"""
RULES = 'rules: [{rule: alone, when: {recipient: a@bridge.test}, to: aigul, text: "{{ title }}", send_via: smpp}]\n'


@dataclass
class House:
    bridge: Bridge
    simulator: Simulator
    smpp: int

    async def page(self, path: str) -> str:
        return await asyncio.to_thread(lambda: urlopen(f"http://{self.bridge.http_addresses[0]}{path}").read().decode())

    async def links(self) -> list[str]:
        lines = (await self.page("/metrics")).splitlines()
        return [line for line in lines if line.startswith("smsbridge_gateway_links{")]

    async def told(self, subject: str) -> Any:
        async with asyncio.timeout(20):
            while not (found := [one for one in self.simulator.mails() if one.subject.startswith(subject)]):
                await asyncio.sleep(0.05)
        return found[0]


@pytest.fixture
async def house(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[House]:
    monkeypatch.setenv("TROUBLE_SECRET", "s3cret")
    monkeypatch.setattr("bridge.delivery.links.DOWN_FOR", timedelta(seconds=1))
    (tmp_path / "rules").mkdir()
    (tmp_path / "rules" / "10.yaml").write_text(RULES)
    async with Simulator(accounts=(Account(login="one", password="s3cret"),)) as simulator, AsyncExitStack() as stack:
        smpp, mail = await simulator.listen_for_smpp("127.0.0.1", 0), await simulator.listen_for_mail("127.0.0.1", 0)
        (tmp_path / "config.yaml").write_text(CONFIG.format(smpp=smpp, mail=mail))
        bridge = Bridge(load_book(tmp_path / "config.yaml").require(), Surroundings(tmp_path / "bridge.db"))
        await bridge.start()
        stack.push_async_callback(bridge.stop)
        yield House(bridge, simulator, smpp)


async def test_F24_a_link_that_stays_down_is_told_by_mail_and_shown_and_so_is_its_end(house: House) -> None:
    async with asyncio.timeout(20):
        while await house.links() != ['smsbridge_gateway_links{provider="smpp"} 1.0']:
            await asyncio.sleep(0.05)
    assert "silent" not in await house.page("/")
    await house.simulator.smpp.close()
    mail = await house.told("[smsbridge] smpp is silent since ")
    assert mail.recipients == ("operator@bridge.test",)
    assert "no other gateway can take SMS now" in mail.text
    assert await house.links() == ['smsbridge_gateway_links{provider="smpp"} 0.0']
    assert "silent" in await house.page("/")
    await house.simulator.listen_for_smpp("127.0.0.1", house.smpp)
    assert "its link is up again after 1 min" in (await house.told("[smsbridge] smpp answers again")).text
    assert "silent" not in await house.page("/")
