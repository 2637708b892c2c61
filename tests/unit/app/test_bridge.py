"""One bridge in this process: up in order, down in order, and what a reload may not do."""

from __future__ import annotations

import asyncio
import smtplib
import socket
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from bridge.app.bridge import Bridge, Surroundings, store_path
from bridge.app.taken import CannotListen
from bridge.book import RuleBook
from bridge.book.loading import load_book
from bridge.errors import ConfigError
from bridge.model import Envelope, Recipient
from bridge.store import mails
from bridge.store.engine import Store

pytestmark = pytest.mark.anyio

CONFIG = """
listen:
  - {{door: smtp, address: "127.0.0.1:{smtp}", trust: 127.0.0.0/8}}
  - {{door: http, address: "127.0.0.1:{http}"}}
domains: bridge.test
node: n1
operator: {{mail: operator@bridge.test}}
region: KZ
timezone: Asia/Almaty
currency: KZT
store: sqlite:///x/bridge.db
people: {{aigul: {{phone: "+77010000001"}}}}
providers:
  smsc: {{type: smsc-http, base_url: "http://127.0.0.1:9", login: x, password: {{env: {secret}}}, insecure: true}}
budgets: {{total: {{money: 1000 KZT/day}}}}
"""
RULES = "rules: [{{rule: one, when: {{recipient: {to}@bridge.test}}, to: aigul}}]"
Load = Callable[..., RuleBook]


@pytest.fixture
def load(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Load:
    monkeypatch.setenv("BRIDGE_TEST_SECRET", "x")

    def load(to: str = "one", *, smtp: int = 0, http: int = 0, secret: str = "BRIDGE_TEST_SECRET") -> RuleBook:
        (tmp_path / "config.yaml").write_text(CONFIG.format(secret=secret, smtp=smtp, http=http))
        (tmp_path / "rules").mkdir(exist_ok=True)
        (tmp_path / "rules" / "10.yaml").write_text(RULES.format(to=to))
        return load_book(tmp_path / "config.yaml").require()

    return load


@pytest.fixture
async def bridge(load: Load, tmp_path: Path) -> AsyncIterator[Bridge]:
    made = Bridge(load(), Surroundings(tmp_path / "bridge.db"))
    await made.start()
    yield made
    await made.stop()


def _deliver(port: int, to: str) -> None:
    with smtplib.SMTP("127.0.0.1", port, timeout=5) as session:
        session.sendmail("mon@host.test", [f"{to}@bridge.test"], b"Subject: down\r\n\r\nx\r\n")


async def deliver(bridge: Bridge, to: str = "one") -> None:
    await asyncio.to_thread(_deliver, bridge.doors[0].port, to)


async def planned(bridge: Bridge, count: int) -> None:
    for _ in range(300):
        rows = await bridge.store.read(lambda tx: tx.raw("SELECT count(*) FROM mails WHERE state = 'PLANNED'"))
        if rows == [(count,)]:
            return
        await asyncio.sleep(0.01)
    raise AssertionError("not planned")


async def test_is_ready_when_every_part_is_up_and_says_which_is_not(bridge: Bridge) -> None:
    assert (await bridge.health()).ready
    bridge._tasks["sender"].cancel()
    await asyncio.wait({bridge._tasks["sender"]})  # a claim that is under way ends first
    health = await bridge.health()
    assert not health.ready
    assert [part.name for part in health.parts if part.reason] == ["sender"]


async def test_a_reload_changes_who_is_wanted_and_keeps_the_doors(bridge: Bridge, load: Load) -> None:
    port = bridge.doors[0].port
    await deliver(bridge)
    bridge.reload(load("two"))
    await deliver(bridge, "two")
    with pytest.raises(smtplib.SMTPRecipientsRefused):
        await deliver(bridge, "one")
    assert bridge.doors[0].port == port
    await planned(bridge, 2)


async def test_F14_a_reload_whose_secret_is_missing_changes_nothing(bridge: Bridge, load: Load) -> None:
    gateways, book = bridge.gateways, bridge.book
    with pytest.raises(ConfigError):
        bridge.reload(load("two", secret="NOT_THERE_AT_ALL"))
    assert bridge.gateways is gateways
    assert bridge.book is book
    await deliver(bridge, "one")


@pytest.mark.parametrize("door", ["smtp", "http"])
async def test_a_door_that_cannot_be_opened_closes_everything_again(load: Load, tmp_path: Path, door: str) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        made = Bridge(load(**{door: port}), Surroundings(tmp_path / "bridge.db"))
        with pytest.raises(CannotListen, match=f"127.0.0.1:{port} is taken by another program"):
            await made.start()
    assert all(task.done() for task in made._tasks.values())
    again = Bridge(load(), Surroundings(tmp_path / "bridge.db"))
    await again.start()
    await again.stop()


async def test_F01_what_an_earlier_boot_held_is_picked_up_at_once(load: Load, tmp_path: Path) -> None:
    store = Store(tmp_path / "bridge.db")
    await store.open()
    envelope = Envelope(
        b"Subject: left over\r\n\r\nx", datetime.now(UTC), "m@host.test", (Recipient("one@bridge.test"),),
        peer="127.0.0.1",
    )  # fmt: skip
    await store.write(lambda tx: mails.keep(tx, envelope, "n1/an earlier boot"))
    store.close()
    made = Bridge(load(), Surroundings(tmp_path / "bridge.db"))
    await made.start()
    await planned(made, 1)
    await made.stop()


async def test_F19_a_stop_decides_what_was_taken_and_can_be_asked_for_twice(load: Load, tmp_path: Path) -> None:
    made = Bridge(load(), Surroundings(tmp_path / "bridge.db"))
    await made.start()
    await asyncio.gather(*(deliver(made) for _ in range(5)))
    await made.stop()
    await made.stop()
    store = Store(tmp_path / "bridge.db")
    await store.open()
    assert await store.read(lambda tx: tx.raw("SELECT state, count(*) FROM mails GROUP BY 1")) == [("PLANNED", 5)]
    store.close()


async def test_the_store_lies_where_the_configuration_says(load: Load, tmp_path: Path) -> None:
    book = load()
    assert store_path(book, tmp_path) == Path("/x/bridge.db")
