"""Messages that leave by mail, followed to their end: right state, right number of SMS on the phone.

Sender, watcher and store are the product's; the pretend provider has an HTTP and a mail door, over real sockets, and
shares a clock with the bridge that a test pushes forward.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from bridge.book import RuleBook
from bridge.book.loading import load_book
from bridge.delivery.gateways import Gateways
from bridge.delivery.relays import mail_ways
from bridge.delivery.sender import Sender
from bridge.delivery.watcher import Watcher
from bridge.dispatch.decide import bound
from bridge.egress.exchangers import Exchangers
from bridge.intake.read import read
from bridge.model import Envelope, Happening, Recipient, StoredMail
from bridge.providers.build import gateways
from bridge.providers.http import HttpClient
from bridge.simulator.serve import running
from bridge.simulator.settings import Account, Limits, Switches
from bridge.simulator.simulator import Simulator
from bridge.store import mails, plans
from bridge.store.engine import Store, Tx
from tests.unit.egress.nameserver import Trouble, name_server

pytestmark = pytest.mark.anyio

SECRET = "pa55word-that-nobody-may-see"
CONFIG = """
listen: [{{door: smtp, address: "127.0.0.1:2525", trust: 127.0.0.0/8}}]
domains: bridge.test
operator: {{mail: operator@bridge.test}}
outgoing_mail: {{relay: "smtp://127.0.0.1:1", from: sms@bridge.test, tls: "off"}}
region: KZ
timezone: Asia/Almaty
currency: KZT
people:
  aigul: {{name: Aigul, phone: "+77010000001"}}
providers:
  http: {{type: smsc-http, base_url: "http://127.0.0.1:{http}", login: one, password: {{env: MAIL_DOOR_SECRET}}}}
  mail: {{type: smsc-smtp, relay: "smtp://127.0.0.1:{mail}", to: send@send.smsc.test, tls: "off", login: one,
         password: {{env: MAIL_DOOR_SECRET}}, mail_from: bounce@bridge.test, status: http}}
  direct: {{type: smsc-smtp, relay: mx, to: send@send.smsc.test, tls: "off", insecure: true, login: one,
           password: {{env: MAIL_DOOR_SECRET}}, mail_from: bounce@bridge.test, status: http}}
  down: {{type: smsc-http, base_url: "http://127.0.0.1:1", login: one, password: {{env: MAIL_DOOR_SECRET}}}}
budgets: {{total: {{money: 1000000 KZT/day}}}}
"""
RULES = """
rules:
  - {rule: normal, when: {recipient: normal@bridge.test}, to: aigul, text: "{{ title }}", send_via: mail}
  - {rule: critical, when: {recipient: critical@bridge.test}, to: aigul, class: critical, send_via: [mail, http]}
  - {rule: direct, when: {recipient: direct@bridge.test}, to: aigul, text: "{{ title }}", send_via: [direct, http]}
  - {rule: chain, when: {recipient: chain@bridge.test}, to: aigul, text: "{{ title }}", send_via: [down, mail]}
"""


@dataclass
class World:
    store: Store
    book: RuleBook
    simulator: Simulator
    zone: dict[str, list[str] | Trouble]
    ahead: timedelta = timedelta(0)
    sender: Sender | None = None
    watcher: Watcher | None = None

    def now(self) -> datetime:
        return datetime.now(UTC) + self.ahead

    def decide(self, tx: Tx, happenings: Sequence[Happening]) -> None:
        decided = plans.plan(tx, happenings, *bound(self.book, self.now()), self.now())
        assert [one.error for one in decided if one.error] == []

    async def mail(self, to: str) -> None:
        content = b"From: mon@host.test\r\nSubject: disk is full\r\n\r\nlook\r\n"
        envelope = Envelope(content, self.now(), "mon@host.test", (Recipient(f"{to}@bridge.test"),))

        def come_in(tx: Tx) -> None:
            number = mails.keep(tx, envelope, "test")
            self.decide(tx, [read(StoredMail(number, envelope), self.book)])

        await self.store.write(come_in)
        assert self.sender is not None
        self.sender.wake()

    def fault(self, **fault: object) -> None:
        self.simulator.set_faults({"smsc": {"all": fault}})

    async def states(self) -> list[str]:
        return [row[0] for row in await self.store.read(lambda tx: tx.raw("SELECT state FROM messages ORDER BY id"))]

    async def attempts(self) -> list[tuple[str, str]]:
        sql = "SELECT provider, state FROM submissions ORDER BY started_at, message_id, attempt"
        return [tuple(row) for row in await self.store.read(lambda tx: tx.raw(sql))]

    async def reach(self, *states: str, within: float = 8) -> None:
        assert self.watcher is not None
        deadline = asyncio.get_running_loop().time() + within
        while await self.states() != list(states):
            assert asyncio.get_running_loop().time() < deadline, (await self.states(), await self.attempts())
            await self.watcher.round()
            await asyncio.sleep(0.01)

    async def forward(self, seconds: float) -> None:
        """Let time pass, and whatever falls due in it happen."""
        assert self.watcher is not None
        assert self.sender is not None
        self.ahead += timedelta(seconds=seconds)
        for _ in range(6):
            await self.watcher.round()
            self.sender.wake()
            await asyncio.sleep(0.03)

    @property
    def on_phone(self) -> list[str]:
        return [one.text for one in self.simulator.messages()]


@pytest.fixture
async def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[World]:
    monkeypatch.setenv("MAIL_DOOR_SECRET", SECRET)
    limits = Limits(status_a_minute=10**6, status_lists_a_minute=10**6, bad_requests_a_minute=10**6)
    account = Account(login="one", password=SECRET, balance=Decimal(1000))
    made: list[World] = []
    simulator = Simulator(accounts=(account,), switches=Switches(limits=limits), now=lambda: made[0].now())
    store = Store(tmp_path / "bridge.db")
    async with AsyncExitStack() as stack:
        zone: dict[str, list[str] | Trouble] = {
            "send.smsc.test MX": ["10 dead.smsc.test.", "20 mx.smsc.test."],
            "dead.smsc.test A": ["127.0.0.9"],
            "mx.smsc.test A": ["127.0.0.1"],
        }
        made.append(World(store, None, simulator, zone))  # type: ignore[arg-type]
        names = await stack.enter_async_context(name_server(zone))
        port = await stack.enter_async_context(running(simulator))
        mail_port = await simulator.listen_for_mail("127.0.0.1", 0)
        (tmp_path / "rules").mkdir()
        (tmp_path / "rules" / "10.yaml").write_text(RULES)
        (tmp_path / "config.yaml").write_text(CONFIG.format(http=port, mail=mail_port))
        made[0].book = book = load_book(tmp_path / "config.yaml").require()
        http = await stack.enter_async_context(HttpClient(connect=0.3))
        exchangers = Exchangers(resolver=names.resolver, port=mail_port)
        ways = mail_ways(book.config.outgoing_mail, "bridge.test", exchangers=exchangers)
        doors = Gateways(gateways(book.config.providers, http, ways), made[0].now)
        await store.open()
        stack.callback(store.close)
        made[0].sender = sender = Sender(
            store, lambda: doors, owner="n1/a", now=made[0].now, decide_failed=lambda tx, x: made[0].decide(tx, x)
        )
        made[0].watcher = Watcher(
            store, lambda: doors, owner="n1/a", now=made[0].now, decide=lambda tx, x: made[0].decide(tx, x),
            submit=sender.submit,
        )  # fmt: skip
        sending = asyncio.create_task(sender.run())
        yield made[0]
        sending.cancel()
        await asyncio.gather(sending, return_exceptions=True)
        await sender.finish(2)


async def test_a_mail_is_handed_over_found_by_its_id_and_followed_until_it_is_delivered(world: World) -> None:
    await world.mail("normal")
    await world.reach("HANDED_OVER")
    await world.forward(31)
    await world.forward(31)
    await world.reach("DELIVERED")
    assert world.on_phone == ["disk is full"]
    cost = await world.store.read(lambda tx: tx.raw("SELECT cost FROM messages"))
    assert [Decimal(row[0]) for row in cost] == [Decimal("18.00")]


async def test_F07_while_http_is_down_mail_goes_on_and_its_250_stands(world: World) -> None:
    await world.mail("chain")
    await world.reach("HANDED_OVER")
    assert await world.attempts() == [("down", "NOT_SENT"), ("mail", "ACCEPTED")]
    world.fault(drop="before", on=["status"])
    for _ in range(10):
        await world.forward(60)
    assert await world.states() == ["HANDED_OVER"]
    assert world.on_phone == ["disk is full"]
    world.fault()
    await world.forward(300)
    await world.reach("DELIVERED")


async def test_what_the_provider_swallowed_goes_once_more_is_held_and_told(world: World) -> None:
    world.fault(on=["mail"], refuse=6)
    await world.mail("normal")
    await world.reach("HANDED_OVER")
    for seconds in (31, 90, 181):
        await world.forward(seconds)
    assert [provider for provider, _ in await world.attempts()] == ["mail", "mail"]
    for seconds in (31, 90, 181):
        await world.forward(seconds)
    await world.reach("HELD")
    subjects = await world.store.read(lambda tx: tx.raw("SELECT count(*) FROM outgoing_mails WHERE kind='operator'"))
    assert subjects[0][0] == 1
    assert world.on_phone == []


async def test_what_was_held_back_by_the_provider_s_moment_arrives_by_the_resend(world: World) -> None:
    world.fault(on=["mail"], refuse=6, times=1)
    await world.mail("normal")
    await world.reach("HANDED_OVER")
    for seconds in (31, 90, 181, 31, 31):
        await world.forward(seconds)
    await world.reach("DELIVERED")
    assert world.on_phone == ["disk is full"]


async def test_a_critical_one_that_the_provider_never_had_leaves_another_way_after_two_minutes(world: World) -> None:
    world.fault(on=["mail"], refuse=6)
    await world.mail("critical")
    await world.reach("HANDED_OVER")
    await world.forward(31)
    assert await world.attempts() == [("mail", "ACCEPTED")]
    await world.forward(91)
    await world.forward(1)
    assert [provider for provider, _ in await world.attempts()] == ["mail", "http"]
    assert len(world.on_phone) == 1
    for _ in range(5):
        await world.forward(120)
    assert len(world.on_phone) == 1
    assert [provider for provider, _ in await world.attempts()] == ["mail", "http"]


async def test_a_lost_answer_after_the_final_dot_is_unknown_then_found(world: World) -> None:
    world.fault(on=["mail"], drop="after", times=1)
    await world.mail("normal")
    await world.reach("UNKNOWN")
    await world.forward(31)
    await world.forward(31)
    await world.reach("DELIVERED")
    assert world.on_phone == ["disk is full"]
    assert len(await world.attempts()) == 1


# Straight to the provider's mail exchangers


async def test_the_next_exchanger_gets_the_mail_when_the_first_is_dead(world: World) -> None:
    await world.mail("direct")
    await world.reach("HANDED_OVER")
    await world.forward(31)
    await world.forward(31)
    await world.reach("DELIVERED")
    assert world.on_phone == ["disk is full"]
    assert await world.attempts() == [("direct", "ACCEPTED")]


async def test_a_silence_after_the_dot_is_asked_about_and_no_other_exchanger_is_given_the_mail(world: World) -> None:
    world.zone["send.smsc.test MX"] = ["10 mx.smsc.test.", "20 again.smsc.test."]
    world.zone["again.smsc.test A"] = ["127.0.0.1"]
    world.fault(on=["mail"], drop="after", times=1)
    await world.mail("direct")
    await world.reach("UNKNOWN")
    await world.forward(31)
    await world.forward(31)
    await world.reach("DELIVERED")
    assert len(world.on_phone) == 1
    assert await world.attempts() == [("direct", "ACCEPTED")], "what was found was taken"


@pytest.mark.parametrize("mx", [["0 ."], "SERVFAIL"])
async def test_where_dns_names_no_exchanger_the_next_provider_of_the_rule_sends(
    world: World, mx: list[str] | Trouble
) -> None:
    world.zone["send.smsc.test MX"] = mx
    await world.mail("direct")
    await world.reach("ACCEPTED")
    assert await world.attempts() == [("direct", "NOT_SENT"), ("http", "ACCEPTED")]
    assert world.on_phone == ["disk is full"]
