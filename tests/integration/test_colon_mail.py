"""An old program hands its colon line to a real bridge: what is sent, and where its password is not (threats T29)."""

from __future__ import annotations

import asyncio
import smtplib
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bridge.app.bridge import Bridge, Surroundings
from bridge.book.loading import load_book

pytestmark = pytest.mark.anyio

PASSWORD = "canary-of-2009"
CONFIG = """
listen: [{door: smtp, address: "127.0.0.1:0", trust: 127.0.0.0/8}]
domains: send.smsc.kz
node: n1
operator: {mail: operator@bridge.test}
outgoing_mail: {relay: "smtp://127.0.0.1:9", from: sms@bridge.test, tls: off}
sources: {erp: {network: 127.0.0.1, smsc: {login: trade, password: {env: OLD_PASSWORD}}}}
region: KZ
currency: KZT
store: sqlite:///x/bridge.db
people: {aigul: {phone: "+77010000001"}}
providers: {smsc: {type: smsc-http, base_url: "http://127.0.0.1:9", login: x, password: {env: NEW}, insecure: true}}
budgets: {total: {money: 1000 KZT/day}}
"""
RULES = """
rules:
  - {rule: old, when: {door: smsc-mail}, to: recipient, numbers: {prefixes: ["+77"]}, track: false, text: "{{ text }}"}
"""


@pytest.fixture
async def bridge(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Bridge]:
    monkeypatch.setenv("OLD_PASSWORD", PASSWORD)
    monkeypatch.setenv("NEW", "new-secret")
    (tmp_path / "config.yaml").write_text(CONFIG)
    (tmp_path / "rules").mkdir()
    (tmp_path / "rules" / "10.yaml").write_text(RULES)
    made = Bridge(load_book(tmp_path / "config.yaml").require(), Surroundings(tmp_path / "bridge.db"))
    await made.start()
    yield made
    await made.stop()


def _hand_in(port: int, line: str) -> None:
    with smtplib.SMTP("127.0.0.1", port, timeout=5) as session:
        content = f"From: erp@trade.test\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n{line}\r\n".encode()
        session.sendmail("erp@trade.test", ["send@send.smsc.kz"], content)


async def _planned(bridge: Bridge, count: int) -> None:
    for _ in range(500):
        if await _rows(bridge, "SELECT count(*) FROM mails WHERE state = 'PLANNED'") == [(count,)]:
            return
        await asyncio.sleep(0.01)
    raise AssertionError("not planned in 5 s")


async def _rows(bridge: Bridge, query: str) -> list[tuple[object, ...]]:
    return await bridge.store.read(lambda tx: [tuple(row) for row in tx.raw(query)])


async def test_a_line_becomes_a_message_for_each_phone(bridge: Bridge) -> None:
    line = f"trade:{PASSWORD}:0:0:0,0,:77010000031,77010000032:Заказ 1542: готов"
    await asyncio.to_thread(_hand_in, bridge.doors[0].port, line)
    await _planned(bridge, 1)
    found = await _rows(bridge, "SELECT phone, text FROM messages ORDER BY phone")
    assert found == [("+77010000031", "Заказ 1542: готов"), ("+77010000032", "Заказ 1542: готов")]


async def test_T03_a_wrong_password_sends_nothing_and_the_operator_hears_of_it(bridge: Bridge) -> None:
    await asyncio.to_thread(_hand_in, bridge.doors[0].port, "trade:wrong-one:0:0:0,0,:77010000031:x")
    await _planned(bridge, 1)
    assert await _rows(bridge, "SELECT phone FROM messages") == []
    (mail,) = await _rows(bridge, "SELECT content FROM outgoing_mails")
    assert b"wrong login or password" in bytes(str(mail[0]), "utf-8")


async def test_T04_many_numbers_abroad_cost_nothing_and_are_one_mail_to_the_operator(bridge: Bridge) -> None:
    abroad = ",".join(f"9989012345{n}" for n in range(10, 40))
    for _ in range(3):
        await asyncio.to_thread(_hand_in, bridge.doors[0].port, f"trade:{PASSWORD}:0:0:0,0,:{abroad}:x")
    await _planned(bridge, 3)
    assert await _rows(bridge, "SELECT phone FROM messages") == []
    (mail,) = await _rows(bridge, "SELECT content FROM outgoing_mails")
    assert "+998901234510" in str(mail[0])
    assert "+998901234539" in str(mail[0])


async def test_T29_a_kill_soon_after_leaves_no_password_in_the_log_of_the_store(bridge: Bridge, tmp_path: Path) -> None:
    await asyncio.to_thread(_hand_in, bridge.doors[0].port, f"trade:{PASSWORD}:0:0:0,0,:77010000031:x")
    await _planned(bridge, 1)
    for _ in range(500):
        kept = b"".join(path.read_bytes() for path in tmp_path.glob("bridge.db*"))
        if PASSWORD.encode() not in kept:
            break
        await asyncio.sleep(0.01)
    assert b"77010000031" in kept
    assert PASSWORD.encode() not in kept


@pytest.mark.parametrize("size", [20, 20_000, 80_000])
async def test_T29_after_planning_no_password_is_on_the_disk(
    bridge: Bridge, tmp_path: Path, capfd: pytest.CaptureFixture[str], size: int
) -> None:
    words = "word " * (size // 5)
    for password in (PASSWORD, "mistyped-canary"):
        line = f"trade:{password}:0:0:0,0,:77010000031:{words}"
        await asyncio.to_thread(_hand_in, bridge.doors[0].port, line)
    await _planned(bridge, 2)
    await bridge.stop()
    kept = b"".join(path.read_bytes() for path in tmp_path.glob("bridge.db*"))
    said = "".join(capfd.readouterr())
    assert b"77010000031" in kept
    for canary in (PASSWORD, "mistyped-canary"):
        assert canary.encode() not in kept
        assert canary not in said
