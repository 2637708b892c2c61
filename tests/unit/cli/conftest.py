"""A small house: configuration, rules and store on disk, and ``smsbridge`` called in it as from a shell."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import click
import pytest

from bridge.book.loading import load_book
from bridge.cli.main import run
from bridge.dispatch.decide import bound
from bridge.intake.read import read
from bridge.model import Envelope, Message, Recipient, StoredMail
from bridge.simulator.serve import running
from bridge.simulator.simulator import Simulator
from bridge.store import direct, mails, plans
from bridge.store.engine import Store, Tx

HOUSE = """\
listen: [{{door: http, address: "127.0.0.1:{port}"}}]
domains: sms.example.kz
operator: {{mail: it@example.kz}}
region: KZ
timezone: Asia/Almaty
store: "sqlite://{folder}/bridge.db"
people:
  asel: {{phone: "+77010000001", name: Асель}}
  boris: {{phone: "+77010000002"}}
providers:
  smsc: {{type: smsc-http, base_url: "{url}", login: demo, password: {{env: HOUSE_PASSWORD}}, currency: KZT,
          prices: {{default: 18.00}}}}
budgets: {{total: {{money: 2000 KZT/day}}}}
"""
RULES = "rules: [{rule: all, to: asel}]\n"


@dataclass(frozen=True, slots=True)
class Called:
    """What came of one call."""

    code: int
    out: str
    err: str


@dataclass(slots=True)
class House:
    """``house.call("queue", "list")`` is ``smsbridge queue -c CONFIG list`` of this house."""

    folder: Path
    capsys: pytest.CaptureFixture[str]

    @property
    def config(self) -> Path:
        return self.folder / "config.yaml"

    @property
    def db(self) -> Path:
        return self.folder / "bridge.db"

    def write(self, *, port: int = 9, url: str = "https://smsc.kz", more: str = "") -> None:
        self.config.write_text(HOUSE.format(folder=self.folder, port=port, url=url) + more)

    def call(self, verb: str, *words: str) -> Called:
        arguments = [verb, "-c", str(self.config), *words]
        self.capsys.readouterr()
        try:
            code: Any = run(arguments)
        except SystemExit as ended:
            code = ended.code
        shown = self.capsys.readouterr()
        return Called(code or 0, click.unstyle(shown.out), click.unstyle(shown.err))

    def store(self, operation: Callable[[Tx], Any]) -> Any:
        async def work() -> Any:
            store = Store(self.db)
            await store.open()
            try:
                return await store.write(operation)
            finally:
                store.close()

        return asyncio.run(work())

    def message(self, text: str = "disk full", **other: Any) -> int:
        """A message that waits; its id."""
        now = datetime.now(UTC) - timedelta(minutes=29)
        message = Message(
            id=0, phone="+77010000001", person="asel", text=text, encoding="GSM-7", segments=1, price=None,
            currency="KZT", rule="all", message_class="normal", channel="sms", providers=("smsc",), originator="",
            answerable=False, created_at=now, due_at=now, valid_until=now + timedelta(hours=6), language="en",
        )  # fmt: skip
        return int(self.store(lambda tx: direct.add(tx, replace(message, **other), "test")).id)

    def alert(self, subject: str) -> None:
        """A mail that was kept, read and decided on: an incident and its SMS."""
        book, now = load_book(self.config).require(), datetime.now(UTC)
        content = f"Subject: {subject}\r\nFrom: zabbix@example.kz\r\n\r\nhello\r\n".encode()
        envelope = Envelope(content, now, "zabbix@example.kz", (Recipient("it@sms.example.kz"),), peer="10.0.0.9")

        def take(tx: Tx) -> None:
            number = mails.keep(tx, envelope, "test/1")
            reading = read(StoredMail(number, envelope), book, own="x")
            decided = plans.plan(tx, [reading], *bound(book, now), now)
            assert decided[0].error is None

        self.store(take)


@pytest.fixture
def house(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> House:
    made = House(tmp_path, capsys)
    made.write()
    (tmp_path / "rules").mkdir()
    (tmp_path / "rules" / "10.yaml").write_text(RULES)
    monkeypatch.setenv("HOUSE_PASSWORD", "secret")
    made.store(lambda tx: None)
    return made


@pytest.fixture
def provider() -> Iterator[tuple[Simulator, int]]:
    """A pretend provider with a loop of its own, as ``send`` has one of its own; and its port."""
    simulator, ready, loop = Simulator(), threading.Event(), asyncio.new_event_loop()
    ports: list[int] = []

    async def serve() -> None:
        async with running(simulator) as port:
            ports.append(port)
            ready.set()
            await ended.wait()

    ended = asyncio.Event()
    thread = threading.Thread(target=lambda: loop.run_until_complete(serve()))
    thread.start()
    assert ready.wait(10)
    yield simulator, ports[0]
    loop.call_soon_threadsafe(ended.set)
    thread.join(10)
    loop.close()
