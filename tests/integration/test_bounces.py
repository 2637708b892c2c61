"""Error mails about messages that left by mail: a whole bridge, its real mail door, a relay that took everything."""

from __future__ import annotations

import asyncio
import smtplib
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from bridge.app.bridge import Bridge, Surroundings
from bridge.book.loading import load_book
from bridge.errors import StoreUnavailable
from bridge.simulator.serve import running
from bridge.simulator.settings import Account, Limits, Switches
from bridge.simulator.simulator import Simulator
from bridge.store.engine import Store

pytestmark = pytest.mark.anyio

SECRET = "pa55word-that-nobody-may-see"
CONFIG = """
listen:
  - {{door: smtp, address: "127.0.0.1:0", trust: 127.0.0.1}}
  - {{door: http, address: "127.0.0.1:0"}}
domains: bridge.test
node: n1
operator: {{mail: operator@bridge.test}}
outgoing_mail: {{relay: "smtp://127.0.0.1:{mail}", from: sms@bridge.test, tls: "off"}}
region: KZ
timezone: Asia/Almaty
currency: KZT
people: {{aigul: {{name: Aigul, phone: "+77010000001"}}}}
providers:
  http: {{type: smsc-http, base_url: "http://127.0.0.1:{http}", login: one, password: {{env: BOUNCE_SECRET}}}}
  mail: {{type: smsc-smtp, relay: "smtp://127.0.0.1:{mail}", to: send@send.smsc.test, tls: "off", login: one,
         password: {{env: BOUNCE_SECRET}}, mail_from: bounce@returns.test}}
budgets: {{total: {{money: 1000000 KZT/day}}}}
"""
RULES = """
rules:
  - {rule: alone, when: {recipient: alone@bridge.test}, to: aigul, text: "{{ title }}", send_via: mail}
  - {rule: chain, when: {recipient: chain@bridge.test}, to: aigul, text: "{{ title }}", send_via: [mail, http]}
"""
REPORT = """\
From: MAILER-DAEMON@relay.test
Subject: Undelivered Mail Returned to Sender
Content-Type: multipart/report; report-type=delivery-status; boundary=b1

--b1

Your mail could not be delivered.

--b1
Content-Type: message/delivery-status

Reporting-MTA: dns; relay.test

Final-Recipient: rfc822; send@send.smsc.test
Action: {action}
Status: {status}
Diagnostic-Code: smtp; 550 {status} one:{secret}:1:0:0,0,:77010000001:disk

--b1
Content-Type: message/rfc822

Subject:

one:{secret}:1:0:0,0,:77010000001:disk is full
--b1--
"""
VACATION = "From: somebody@smsc.test\nSubject: I am away\nAuto-Submitted: auto-replied\n\nback on Monday\n"


def report(action: str = "failed", status: str = "5.7.1") -> str:
    return REPORT.format(action=action, status=status, secret=SECRET)


@dataclass
class House:
    bridge: Bridge
    simulator: Simulator

    async def rows(self, query: str) -> list[tuple[Any, ...]]:
        return [tuple(row) for row in await self.bridge.store.read(lambda tx: tx.raw(query))]

    async def state(self) -> str:
        return str((await self.rows("SELECT state FROM messages"))[0][0])

    async def attempts(self) -> list[tuple[Any, ...]]:
        return await self.rows("SELECT provider, state FROM submissions ORDER BY attempt")

    async def handed_over(self, to: str = "alone") -> str:
        """A message the relay took; the address that its error mails go to."""
        await asyncio.to_thread(self._alert, to)
        await self.reach("HANDED_OVER")
        ((id, attempt),) = await self.rows("SELECT client_id, attempt FROM submissions")
        return f"bounce+{id}.{attempt}@returns.test"

    async def reach(self, state: str, within: float = 8) -> None:
        await self.until(lambda rows: rows == [(state,)], "SELECT state FROM messages", within)

    async def until(self, holds: Callable[[list[Any]], bool], query: str, within: float = 8) -> None:
        deadline = asyncio.get_running_loop().time() + within
        while not holds(found := await self.rows(query)):
            assert asyncio.get_running_loop().time() < deadline, (found, await self.attempts())
            await asyncio.sleep(0.02)

    async def bounce(self, *to: str, content: str = "", sender: str = "", peer: str = "127.0.0.1") -> list[str]:
        """The answers to MAIL, each RCPT and the mail itself, as far as it got."""
        return await asyncio.to_thread(self._bounce, to, content or report(), sender, peer)

    def _bounce(self, to: tuple[str, ...], content: str, sender: str, peer: str) -> list[str]:
        with smtplib.SMTP(source_address=(peer, 0), timeout=5) as session:
            session.connect("127.0.0.1", self.bridge.doors[0].port)
            session.ehlo("relay.test")
            answers = [session.mail(sender), *(session.rcpt(one) for one in to)]
            if any(code == 250 for code, _said in answers[1:]):
                answers.append(session.data(content.replace("\n", "\r\n").encode()))
            return [f"{code} {said.decode()}" for code, said in answers]

    def _alert(self, to: str) -> None:
        with smtplib.SMTP("127.0.0.1", self.bridge.doors[0].port, timeout=5) as session:
            session.sendmail("mon@host.test", [f"{to}@bridge.test"], b"Subject: disk is full\r\n\r\nx\r\n")

    @property
    def on_phone(self) -> list[str]:
        return [one.text for one in self.simulator.messages()]


@pytest.fixture
async def house(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[House]:
    """The relay takes every mail, and the provider behind it sends none of them."""
    monkeypatch.setenv("BOUNCE_SECRET", SECRET)
    limits = Limits(identical_seconds=0)
    account = Account(login="one", password=SECRET, balance=Decimal(1000))
    simulator = Simulator(accounts=(account,), switches=Switches(limits=limits))
    simulator.set_faults({"smsc": {"all": {"on": ["mail"], "refuse": 6}}})
    async with AsyncExitStack() as stack:
        port = await stack.enter_async_context(running(simulator))
        mail_port = await simulator.listen_for_mail("127.0.0.1", 0)
        (tmp_path / "rules").mkdir()
        (tmp_path / "rules" / "10.yaml").write_text(RULES)
        (tmp_path / "config.yaml").write_text(CONFIG.format(http=port, mail=mail_port))
        book = load_book(tmp_path / "config.yaml").require()
        bridge = Bridge(book, Surroundings(tmp_path / "bridge.db"))
        await bridge.start()
        stack.push_async_callback(bridge.stop)
        yield House(bridge, simulator)


async def test_what_came_back_for_good_leaves_by_the_next_door_once(house: House) -> None:
    address = await house.handed_over("chain")
    assert await house.bounce(address) == ["250 2.1.0 Sender ok", "250 2.1.5 Recipient ok", "250 2.0.0 Noted"]
    await house.reach("ACCEPTED")
    assert await house.attempts() == [("mail", "REFUSED"), ("http", "ACCEPTED")]
    assert house.on_phone == ["disk is full"]
    assert (await house.bounce(address))[1].startswith("550 5.1.1 ")
    await asyncio.sleep(0.2)
    assert house.on_phone == ["disk is full"]


async def test_T10_without_another_door_it_is_rejected_and_the_operator_alone_hears_of_it(house: House) -> None:
    address = await house.handed_over()
    await house.bounce(address)
    await house.reach("REJECTED")
    await house.until(lambda rows: len(rows) == 1, 'SELECT "to" FROM outgoing_mails')
    ((to,),) = await house.rows('SELECT "to" FROM outgoing_mails')
    assert "operator@bridge.test" in to
    assert await house.rows("SELECT count(*) FROM mails") == [(1,)], "a bounce is no mail of ours to plan"


async def test_a_relay_that_tried_long_enough_is_asked_again_like_one_that_said_no_for_now(house: House) -> None:
    address = await house.handed_over("chain")
    await house.bounce(address, content=report(status="4.4.1"))
    await house.reach("ACCEPTED")
    assert await house.attempts() == [("mail", "NOT_SENT"), ("http", "ACCEPTED")]


@pytest.mark.parametrize("content", [report("delayed", "4.4.7"), report("relayed", "2.0.0"), VACATION, "\n"])
async def test_T09_a_delay_and_an_automatic_answer_move_nothing_and_are_never_answered(
    house: House, content: str
) -> None:
    address = await house.handed_over("chain")
    for _ in range(3):
        assert (await house.bounce(address, content=content))[-1] == "250 2.0.0 Noted"
    assert await house.state() == "HANDED_OVER"
    assert await house.rows("SELECT count(*) FROM outgoing_mails") == [(0,)]
    assert await house.rows("SELECT count(*) FROM journal WHERE kind = 'attempt.returned'") == [(3,)]


async def test_T40_a_bounce_comes_from_nobody_for_one_attempt_that_is_handed_over_or_not_at_all(house: House) -> None:
    address = await house.handed_over("chain")
    id = address.removeprefix("bounce+").partition(".")[0]
    unknown = (await house.bounce("nobody@returns.test"))[1].replace("nobody@returns.test", "{}")
    for wrong in (f"bounce+{id}.2@returns.test", f"bounce+{int(id) + 1}.1@returns.test", f"bounce+0{id}.1@returns.test",
                  "bounce@returns.test", f"bounce+{id}.1@bridge.test", "bounce+1.1@returns.test"):  # fmt: skip
        assert (await house.bounce(wrong))[1] == unknown.format(wrong), "as any unknown address (T39)"
    assert (await house.bounce(address, sender="mon@host.test"))[1] == unknown.format(address)
    assert (await house.bounce(address, "chain@bridge.test"))[2].startswith("452 ")
    assert (await house.bounce("chain@bridge.test", address))[2].startswith("452 ")


async def test_T03_only_whom_the_door_trusts_may_bring_one(house: House) -> None:
    address = await house.handed_over("chain")
    answers = await house.bounce(address, peer="127.0.0.2")
    assert answers[0] == "550 5.7.1 Your network is not listed here"
    assert await house.state() == "HANDED_OVER"


async def test_one_that_is_faster_than_the_relay_s_answer_comes_again(house: House) -> None:
    house.simulator.set_faults({"smsc": {"all": {"on": ["mail"], "refuse": 6, "delay": 1.0}}})
    await asyncio.to_thread(house._alert, "chain")
    await house.reach("INFLIGHT")
    ((id,),) = await house.rows("SELECT client_id FROM submissions")
    assert (await house.bounce(f"bounce+{id}.1@returns.test"))[1].startswith("450 4.2.0 ")
    await house.reach("HANDED_OVER")
    await house.bounce(f"bounce+{id}.1@returns.test")
    await house.reach("ACCEPTED")


async def test_F12_while_the_store_is_away_nothing_is_lost_or_done_twice(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    address = await house.handed_over("chain")

    async def away(self: Store, operation: object) -> None:
        raise StoreUnavailable("locked")

    with monkeypatch.context() as context:
        context.setattr(Store, "write", away)
        assert (await house.bounce(address))[-1].startswith("451 4.3.0 ")
    assert await house.state() == "HANDED_OVER"
    await house.bounce(address)
    await house.reach("ACCEPTED")
    assert len(house.on_phone) == 1


async def test_T29_what_a_bounce_quotes_is_nowhere_afterwards(house: House, tmp_path: Path) -> None:
    address = await house.handed_over("chain")
    await house.bounce(address)
    await house.reach("ACCEPTED")
    await house.bridge.stop()
    for path in tmp_path.glob("bridge.db*"):
        assert SECRET.encode() not in path.read_bytes()


async def test_the_pages_and_the_figures_tell_of_it(house: House) -> None:
    address = await house.handed_over("chain")
    await house.bounce(address)
    await house.reach("ACCEPTED")
    value = house.bridge.metrics.registry.get_sample_value
    assert value("smsbridge_bounces_total", {"provider": "mail", "kind": "failed"}) == 1
    ((data,),) = await house.rows("SELECT data FROM journal WHERE kind = 'attempt.returned'")
    assert "the mail came back: 550 5.7.1 one:***:1:0:0,0,:77010000001:disk" in data


async def test_while_a_second_mail_may_still_arrive_nobody_else_is_given_the_message(house: House) -> None:
    address = await house.handed_over("chain")
    await house.bridge.store.write(
        lambda tx: tx.raw(
            "INSERT INTO submissions (message_id, attempt, provider, account, client_id, state, started_at)"
            " SELECT message_id, 2, provider, account, client_id, 'ACCEPTED', started_at FROM submissions"
        )
    )
    await house.bridge.store.write(lambda tx: tx.raw("UPDATE messages SET attempt = 2"))
    assert (await house.bounce(address))[-1] == "250 2.0.0 Noted"
    assert await house.attempts() == [("mail", "REFUSED"), ("mail", "ACCEPTED")]
    assert await house.state() == "HANDED_OVER"
    await house.bounce(address.replace(".1@", ".2@"))
    await house.reach("ACCEPTED")
    assert house.on_phone == ["disk is full"]
