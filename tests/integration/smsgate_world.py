"""One smsgate, or another kind of gateway with its login, behind the product's sender; its posts come to our door."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from decimal import Decimal
from functools import partial
from pathlib import Path

import pytest
from starlette.applications import Starlette
from starlette.routing import Route

from bridge.config.secrets import SecretText
from bridge.providers.smsgate_callbacks import SmsgateReader
from bridge.simulator.serve import running, served
from bridge.simulator.settings import Account, SmsgateSwitches, Switches
from bridge.simulator.simulator import Simulator
from bridge.web.callbacks import CallbackDoor, Callbacks
from bridge.web.callbacks import Handler as WayIn
from tests.integration import sending_world
from tests.integration.sending_world import SECRET, Clock, sending

PHONE, PATH = "77010000001", "a-long-random-path-of-ours"
CONFIG = """
people:
  aigul: {{name: Aigul, phone: "+77010000001"}}
providers:
  gate: {{type: {kind}, base_url: "http://127.0.0.1:{port}", login: one, password: {{env: GATE_SECRET}},
         sender: ACME, viber_sender: ACME, channels: {channels}, viber_validity: 1m, insecure: true}}
"""
OTHER = """
  other: {{type: smsc-http, base_url: "http://127.0.0.1:{port}", login: two, password: {{env: GATE_SECRET}},
          insecure: true}}
"""
RULES = """
rules:
  - {rule: normal, when: {recipient: normal@bridge.test}, to: aigul, text: "{{ title }}"}
  - {rule: critical, when: {recipient: critical@bridge.test}, to: aigul, class: critical, text: "{{ title }}"}
"""


@dataclass(kw_only=True)
class World(sending_world.World):
    """The same with one pretend provider, whose posts come to *url*; *counted* is what came of each of them."""

    provider: Simulator
    counted: list[tuple[str, str]] = field(default_factory=list)
    url: str = ""

    def fault(self, **fault: object) -> None:
        self.provider.set_faults({"smsgate": {"all": fault}} if fault else {})

    def account(self, **changes: object) -> None:
        accounts = self.provider.air.accounts
        accounts["one"] = accounts["one"].model_copy(update=changes)

    def switch(self, **changes: object) -> None:
        smsgate = SmsgateSwitches.model_validate({"minute": 0.3, **changes})
        self.provider.air.switches = self.provider.air.switches.model_copy(update={"smsgate": smsgate})

    async def attempts(self) -> list[str]:
        return [row[0] for row in await self.raw("SELECT state FROM submissions ORDER BY message_id, attempt")]

    async def reach(self, fits: Callable[[list[str]], bool], within: float = 8) -> list[str]:
        """Until the states of the messages fit; the watcher asks meanwhile."""
        deadline = asyncio.get_running_loop().time() + within
        while not fits(found := await self.states()):
            assert asyncio.get_running_loop().time() < deadline, (found, await self.attempts())
            await self.watcher.round()
            self.sender.wake()
            await asyncio.sleep(0.02)
        return found

    @property
    def on_phone(self) -> list[tuple[str, str]]:
        return [(message.channel, message.text) for message in self.provider.messages(PHONE)]


@asynccontextmanager
async def opened(
    folder: Path, monkeypatch: pytest.MonkeyPatch, kind: str, channels: str = "[sms]", *, other: Simulator | None = None
) -> AsyncIterator[World]:
    """A world whose gateway is of *kind*. With *other*, an account ``two`` at another provider is next in the chain."""
    monkeypatch.setenv("GATE_SECRET", SECRET)
    monkeypatch.setattr("bridge.providers.smsgate.LONGEST", 0.8)  # nobody waits 25 s for a silent provider here
    clock = Clock()
    account = Account(login="one", password=SECRET, balance=Decimal(1000))
    provider = Simulator(accounts=(account,), switches=Switches(smsgate=SmsgateSwitches(minute=0.3)), now=clock)
    async with AsyncExitStack() as stack:
        text = CONFIG.format(kind=kind, port=await stack.enter_async_context(running(provider)), channels=channels)
        if not kind.startswith("smsgate"):
            text = text.replace("viber_sender: ACME, ", "")
        if other is not None:
            text += OTHER.format(port=await stack.enter_async_context(running(other))).lstrip("\n")
        make = partial(World, provider=provider)
        world = await stack.enter_async_context(sending(folder, text, RULES, clock, make))
        way_in = WayIn("gate", "smsgate:one", SecretText(PATH), SmsgateReader())
        callbacks = Callbacks(
            world.store, lambda: world.book, [way_in], clock, lambda: None,
            lambda name, outcome: world.counted.append((name, outcome)),
        )  # fmt: skip
        door = Route("/callbacks/smsgate/{path}", CallbackDoor(callbacks).__call__, methods=["POST", "GET"])
        our_port = await stack.enter_async_context(served(Starlette(routes=[door])))
        world.url = f"http://127.0.0.1:{our_port}/callbacks/smsgate/{PATH}"
        yield world
