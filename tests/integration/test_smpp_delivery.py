"""Alerts over SMPP from the store to the phone and back: hand-over, receipts, answers of people, over one link."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from bridge.book import RuleBook
from bridge.book.loading import load_book
from bridge.config.secrets import SecretText
from bridge.delivery import history
from bridge.delivery.gateways import Gateways
from bridge.delivery.links import Links
from bridge.delivery.sender import Sender
from bridge.delivery.watcher import Watcher
from bridge.dispatch.decide import bound
from bridge.intake.read import read
from bridge.model import Envelope, Happening, Recipient, StoredMail
from bridge.providers import smsc_smpp_arrivals
from bridge.providers.smsc_smpp import SmscSmpp
from bridge.simulator.settings import Account, SmppSwitches, Switches
from bridge.simulator.simulator import Simulator
from bridge.smpp.bodies import Address, ShortMessage
from bridge.store import inbound, linked, mails, plans
from bridge.store.engine import Store, Tx
from tests.integration.smpp_world import NUMBER, PASSWORD, PHONE, settings, until, wanted

pytestmark = pytest.mark.anyio

SOON = timedelta(milliseconds=100)
CONFIG = """
listen: [{door: smtp, address: "127.0.0.1:2525", trust: 127.0.0.0/8}]
domains: bridge.test
operator: {mail: operator@bridge.test}
outgoing_mail: {relay: "smtp://127.0.0.1:1", from: sms@bridge.test, tls: "off"}
region: KZ
timezone: Asia/Almaty
currency: KZT
people:
  aigul: {name: Aigul, phone: "+77010000001"}
providers:
  smpp: {type: smsc-smpp, hosts: "127.0.0.1:2775", tls: "off", login: acme, password: {env: DELIVERY_SECRET},
         number: "+77055550000"}
"""
RULES = """
rules:
  - {rule: normal, when: {recipient: normal@bridge.test}, to: aigul, text: "{{ title }}", send_via: smpp, parts: 4}
  - {rule: critical, when: {recipient: critical@bridge.test}, to: aigul, text: "{{ title }}", send_via: smpp,
     class: critical}
"""


@dataclass
class World:
    """Store, loops and provider as in the product."""

    store: Store
    book: RuleBook
    simulator: Simulator
    gateway: SmscSmpp
    gateways: Gateways
    sender: Sender
    watcher: Watcher
    links: Links

    async def mail(self, subject: str, message_class: str = "normal") -> None:
        """An alert comes in and is decided."""
        content = f"From: mon@host.test\r\nSubject: {subject}\r\n\r\nlook\r\n".encode()
        envelope = Envelope(content, now(), "mon@host.test", (Recipient(f"{message_class}@bridge.test"),))

        def come_in(tx: Tx) -> None:
            number = mails.keep(tx, envelope, "test")
            self.decide(tx, [read(StoredMail(number, envelope), self.book)])

        await self.store.write(come_in)
        self.sender.wake()

    def decide(self, tx: Tx, happenings: Sequence[Happening]) -> None:
        decided = plans.plan(tx, happenings, *bound(self.book, now()), now())
        assert [one.error for one in decided if one.error] == []

    def fault(self, **fault: Any) -> None:
        self.simulator.set_faults({"smsc-smpp": {"all": fault}})

    async def rows(self, sql: str) -> list[tuple[Any, ...]]:
        return [tuple(row) for row in await self.store.read(lambda tx: tx.raw(sql))]

    async def reach(self, *states: str, within: float = 6) -> None:
        """Until the messages are in *states*."""
        async with asyncio.timeout(within):
            while [row[0] for row in await self.rows("SELECT state FROM messages ORDER BY id")] != list(states):
                await self.watcher.round()
                await asyncio.sleep(0.02)


def now() -> datetime:
    return datetime.now(UTC)


@pytest.fixture
async def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[World]:
    monkeypatch.setenv("DELIVERY_SECRET", PASSWORD)
    monkeypatch.setattr("bridge.delivery.history._LADDER", (SOON, 3 * SOON, 6 * SOON))
    monkeypatch.setattr("bridge.delivery.history._THEN_EVERY", 6 * SOON)
    monkeypatch.setattr("bridge.delivery.retry.FIRST_QUESTION", SOON)
    (tmp_path / "rules").mkdir()
    (tmp_path / "rules" / "10.yaml").write_text(RULES)
    (tmp_path / "config.yaml").write_text(CONFIG)
    book = load_book(tmp_path / "config.yaml").require()
    account = Account(login="acme", password=PASSWORD, number=NUMBER, balance=Decimal(1000))
    switches = Switches(smpp=SmppSwitches(again_seconds=0.05), operator_delay=0.01, delivery_delay=0.02)
    store = Store(tmp_path / "bridge.db")
    await store.open()
    async with Simulator(accounts=(account,), switches=switches) as simulator:
        port = await simulator.listen_for_smpp("127.0.0.1", 0)
        gateway = SmscSmpp(
            "smpp", settings(port), SecretText(PASSWORD), wanted=wanted(port), answer_within=0.3
        )  # fmt: skip
        gateways = Gateways({"smpp": gateway}, now)
        made: list[World] = []

        def decide(tx: Tx, happened: Sequence[Happening]) -> None:
            made[0].decide(tx, happened)

        sender = Sender(store, lambda: gateways, owner="n1/a", now=now, decide_failed=decide)
        watcher = Watcher(store, lambda: gateways, owner="n1/a", now=now, decide=decide, submit=sender.submit)
        links = Links(store, lambda: gateways, now=now, decide=decide, arrived=lambda: None)
        made.append(World(store, book, simulator, gateway, gateways, sender, watcher, links))
        tasks = [asyncio.create_task(sender.run()), asyncio.create_task(links.run())]
        await until(lambda: simulator.smpp.bound == 1)
        yield made[0]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await sender.finish(2)
        await links.close()
        assert simulator.smpp.bound == 0
    store.close()


async def test_an_alert_is_delivered_and_its_receipt_counts(world: World) -> None:
    await world.mail("disk 1 is full")
    await world.reach("DELIVERED")
    (arrived,) = world.simulator.messages()
    assert arrived.text == "disk 1 is full"
    assert await world.rows("SELECT state, provider_id FROM submissions") == [("ACCEPTED", arrived.id)]


async def test_a_long_alert_is_delivered_when_all_its_parts_are(world: World) -> None:
    await world.mail("диск " + "полон " * 20)
    await world.reach("DELIVERED")
    (arrived,) = world.simulator.messages()
    assert len(arrived.parts) == 2
    assert await world.rows("SELECT count(*) FROM receipts WHERE message_id = 1") == [(2,)]


@pytest.mark.parametrize("receipts", ["twice", "reversed"])
async def test_F09_doubles_and_disorder_change_nothing(world: World, receipts: str) -> None:
    world.simulator.air.switches = world.simulator.air.switches.model_copy(
        update={"smpp": SmppSwitches(intermediate=True, again_seconds=0.05)}
    )
    world.fault(receipts=receipts)
    await world.mail("disk 1 is full")
    await world.reach("DELIVERED")
    await asyncio.sleep(0.2)
    await world.reach("DELIVERED")
    assert len(world.simulator.messages()) == 1


async def test_what_the_network_refuses_is_not_delivered_and_says_why(world: World) -> None:
    world.fault(fate="undelivered")
    await world.mail("disk 1 is full")
    await world.reach("UNDELIVERED")
    assert await world.rows("SELECT reason FROM messages") == [("the subscriber does not exist",)]


@pytest.mark.parametrize("fault", [{"silent": True}, {"drop": "after"}, {"half": True}], ids=str)
async def test_a_lost_answer_is_resolved_by_the_receipt_and_paid_once(world: World, fault: dict[str, Any]) -> None:
    world.fault(**fault)
    before = world.simulator.air.accounts["acme"].balance
    await world.mail("disk 1 is full")
    await world.reach("DELIVERED")
    assert len(world.simulator.messages()) == 1
    assert before - world.simulator.air.accounts["acme"].balance == Decimal(18)


async def test_a_request_that_never_came_goes_once_more_and_arrives_once(world: World) -> None:
    world.fault(drop="before", times=1)
    await world.mail("disk 1 is full")
    await world.reach("DELIVERED")
    states = await world.rows("SELECT state FROM submissions ORDER BY attempt")
    assert states == [("UNKNOWN",), ("ACCEPTED",)]
    assert len(world.simulator.messages()) == 1


@pytest.mark.parametrize("message_class", ["normal", "critical"])
async def test_an_answer_that_comes_after_we_gave_up_on_it_ends_the_doubt_and_sends_nothing(
    world: World, monkeypatch: pytest.MonkeyPatch, message_class: Any
) -> None:
    monkeypatch.setitem(history.DEADLINES, message_class, timedelta(seconds=3))
    world.fault(delay=0.9, times=1, receipts="none")
    await world.mail("disk 1 is full", message_class)
    await world.reach("ACCEPTED")
    (arrived,) = world.simulator.messages()
    rows = await world.rows("SELECT state, provider_id FROM submissions ORDER BY attempt")
    assert rows == [("UNKNOWN", ""), ("UNKNOWN", ""), ("ACCEPTED", arrived.id)]
    sent = [one for one in world.simulator.air.exchanges if one.door == "send"]
    assert len(sent) == 2  # the request, and the repeat that the minute rule refused


async def test_a_link_that_breaks_in_the_middle_of_a_text_leaves_a_doubt_and_no_half_text(world: World) -> None:
    submit, broke = world.simulator.smpp.door.submit, list[int]()

    def breaks(login: str, message: Any, fault: Any, **more: Any) -> str:
        if message.octets[5] == 2 and not broke:
            broke.append(2)
            world.simulator.smpp.cut()
        return submit(login, message, fault, **more)

    world.simulator.smpp.door.submit = breaks  # type: ignore[method-assign]
    await world.mail("диск " + "полон " * 20)
    async with asyncio.timeout(8):
        while len(await world.rows("SELECT 1 FROM submissions")) < 2:
            await world.watcher.round()
            await asyncio.sleep(0.02)
    assert broke == [2]
    assert [one.text.split()[0] for one in world.simulator.messages()] == ["диск"]
    ((first,), *_others) = await world.rows("SELECT state FROM submissions ORDER BY attempt")
    assert first == "UNKNOWN"


async def test_a_receipt_that_comes_before_its_answer_is_found_again(world: World) -> None:
    world.fault(delay=0.25, receipt_delay=0.0)
    await world.mail("disk 1 is full")
    await world.reach("DELIVERED")
    assert await world.rows("SELECT count(*) FROM receipts WHERE message_id = 0") == [(0,)]


@pytest.mark.parametrize("text", ["12 ok", "принято, " * 20])
@pytest.mark.parametrize("form", ["udh", "udh16", "sar", "payload"])
async def test_an_answer_of_a_person_is_kept_once_and_whole(world: World, text: str, form: Any) -> None:
    world.simulator.air.switches = world.simulator.air.switches.model_copy(update={"smpp": SmppSwitches(inbound=form)})
    world.simulator.reply(PHONE, text, NUMBER)

    async def waiting() -> list[Any]:
        return list(await world.store.read(lambda tx: inbound.waiting(tx, 10)))

    async with asyncio.timeout(5):
        while not await waiting():
            await asyncio.sleep(0.02)
    assert [(one.phone, one.to, one.text) for one in await waiting()] == [(PHONE, NUMBER, text)]


async def test_F10_what_comes_while_the_store_is_away_comes_again(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    from bridge.errors import StoreUnavailable

    write, away = world.store.write, [True, True]

    async def locked(work: Any) -> Any:
        if away:
            away.pop()
            raise StoreUnavailable("locked")
        return await write(work)

    monkeypatch.setattr(world.links, "_store", type("Away", (), {"write": staticmethod(locked)})())
    world.simulator.reply(PHONE, "12 ok", NUMBER)
    async with asyncio.timeout(5):
        while not (replies := await world.rows("SELECT text FROM replies")):
            await asyncio.sleep(0.02)
    assert replies == [("12 ok",)]


@pytest.mark.parametrize("text", ["12 ok", "принято, " * 20], ids=["one part", "three parts"])
async def test_F10_what_was_kept_and_not_acknowledged_comes_again_and_counts_once(world: World, text: str) -> None:
    """The process dies, or the network does, between the commit and the answer."""
    cuts = [True]

    def cut() -> None:
        if cuts and cuts.pop():
            world.simulator.smpp.cut()

    world.links._arrived = cut
    world.simulator.reply(PHONE, text, NUMBER)
    posted = world.simulator.air.posted
    async with asyncio.timeout(8):
        while cuts or not posted or posted[-1].reason != "0x0":
            await asyncio.sleep(0.02)
    await asyncio.sleep(0.3)
    assert len({one.reason for one in posted}) == 2
    assert await world.rows("SELECT text FROM replies") == [(text,)]
    assert await world.rows("SELECT count(*) FROM receipts WHERE client_id LIKE 'piece/%'") == [(0,)]


async def test_T37_whatever_arrives_is_kept_or_left_and_never_an_error(world: World) -> None:
    """What raises is answered with an error of ours, and would come again for ever."""
    chance = random.Random(7)
    names = (PHONE, NUMBER, "", "Kaspi/Bank", "a%2Fb", "id:1 stat:X", "é\x01", "7/" * 30)
    for _ in range(400):
        octets = chance.choice((b"", chance.randbytes(20), b"id:855469 sub:001 stat:DELIVRD err:000 text:x", b"\0\xff"))
        header = chance.choice((b"", b"\x05\0\x03" + chance.randbytes(3), b"\x05\0\x03\x07\x02\x01", b"\xff"))
        tlvs = tuple(
            (tag, chance.randbytes(chance.randrange(4))) for tag in chance.sample((0x1E, 0x427, 0x2000, 0x20C), 2)
        )
        message = ShortMessage(
            Address(chance.choice(names)), Address(chance.choice(names)), header + octets, chance.randrange(256),
            chance.choice((0, 4, 0x40, 0x44)), tlvs=tlvs,
        )  # fmt: skip
        await world.links.keep(world.gateway, smsc_smpp_arrivals.read(message))
    await world.store.write(lambda tx: linked.late_pieces(tx, ["smsc:acme"], now() + timedelta(hours=1)))


async def test_F10_a_receipt_that_was_kept_and_not_acknowledged_counts_once(world: World) -> None:
    cuts = [True]

    def cut() -> None:
        if cuts and cuts.pop():
            world.simulator.smpp.cut()

    world.links._arrived = cut
    await world.mail("disk 1 is full")
    await world.reach("DELIVERED")
    await until(lambda: world.simulator.air.posted and world.simulator.air.posted[-1].reason == "0x0")
    assert len(world.simulator.air.posted) == 2
    assert await world.rows("SELECT count(*) FROM receipts") == [(1,)]


async def test_F13_two_nodes_with_a_link_each_send_each_text_once_and_share_the_receipts(
    world: World, tmp_path: Path
) -> None:
    port = world.simulator.smpp._servers[0].sockets[0].getsockname()[1]
    store = Store(tmp_path / "bridge.db")
    await store.open()
    gateway = SmscSmpp("smpp", settings(port), SecretText(PASSWORD), wanted=wanted(port), answer_within=0.3)
    gateways = Gateways({"smpp": gateway}, now)
    sender = Sender(store, lambda: gateways, owner="n2/b", now=now, decide_failed=world.decide)
    links = Links(store, lambda: gateways, now=now, decide=world.decide, arrived=lambda: None)
    tasks = [asyncio.create_task(sender.run()), asyncio.create_task(links.run())]
    await until(lambda: world.simulator.smpp.bound == 2)
    for number in range(20):
        await world.mail(f"disk {number} is full")
    await world.reach(*["DELIVERED"] * 20, within=20)
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    await sender.finish(2)
    await links.close()
    store.close()
    assert sorted(one.text for one in world.simulator.messages()) == sorted(f"disk {n} is full" for n in range(20))
    assert await world.rows("SELECT count(*) FROM submissions WHERE state = 'ACCEPTED'") == [(20,)]


async def test_a_gateway_that_is_exchanged_closes_its_link_and_the_new_one_opens(world: World) -> None:
    port = world.simulator.smpp._servers[0].sockets[0].getsockname()[1]
    other = SmscSmpp("smpp", settings(port), SecretText(PASSWORD), wanted=wanted(port, window=9))
    world.gateways.doors["smpp"].gateway = other
    await until(lambda: world.links._open.get("smpp") is other)
    await until(lambda: world.simulator.smpp.bound == 1)
    await world.mail("disk 1 is full")
    await world.reach("DELIVERED")


@pytest.mark.parametrize("changed", [False, True], ids=["the same settings", "a wider window"])
async def test_a_reload_reopens_a_link_only_when_its_settings_changed(world: World, changed: bool) -> None:
    port = world.simulator.smpp._servers[0].sockets[0].getsockname()[1]
    links, (link,) = world.gateway._links, world.gateway._links._up
    pace = wanted(port, window=11) if changed else wanted(port)
    after = SmscSmpp("smpp", settings(port, sender="Other"), SecretText(PASSWORD), wanted=pace, answer_within=0.3)
    world.gateways.doors["smpp"] = Gateways({"smpp": after}, now, before=world.gateways).doors["smpp"]
    await until(lambda: world.links._open.get("smpp") is after)
    await until(lambda: world.simulator.smpp.bound == 1 and link.is_up is not changed)
    assert (after._links is links) is not changed
    await world.mail("disk 1 is full")
    await world.reach("DELIVERED")
