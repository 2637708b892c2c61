"""smsgate from the store to the phone and back: lost answers, queued messages, pushes, Viber answers.

One store with the product's sender and watcher, a provider on real sockets, and a clock that a test may push forward.
"""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import partial
from operator import eq
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from sqlalchemy import bindparam, update
from starlette.applications import Starlette
from starlette.routing import Route

from bridge.book import RuleBook
from bridge.book.loading import load_book
from bridge.config.secrets import SecretText
from bridge.delivery.gateways import Gateways
from bridge.delivery.sender import Sender
from bridge.delivery.watcher import Watcher
from bridge.dispatch.decide import bound
from bridge.intake.read import read
from bridge.model import Envelope, Happening, Recipient, StoredMail
from bridge.providers.build import gateways as open_gateways
from bridge.providers.http import HttpClient
from bridge.providers.smsgate_callbacks import SmsgateReader
from bridge.simulator.serve import running, served
from bridge.simulator.settings import Account, Handler, SmsgateSwitches, Switches
from bridge.simulator.simulator import Simulator
from bridge.store import mails, plans
from bridge.store.engine import Store, Tx
from bridge.store.schema import submissions
from bridge.store.statements import Statement
from bridge.web.callbacks import CallbackDoor, Callbacks, handlers
from bridge.web.callbacks import Handler as WayIn

pytestmark = pytest.mark.anyio

PHONE, PATH = "77010000001", "a-long-random-path"
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
  gate: {{type: {kind}, base_url: "http://127.0.0.1:{port}", login: one, password: {{env: GATE_SECRET}},
         sender: ACME, viber_sender: ACME, channels: {channels}, viber_validity: 1m, insecure: true}}
budgets: {{total: {{money: 1000000 KZT/day}}}}
"""
RULES = """
rules:
  - {rule: normal, when: {recipient: normal@bridge.test}, to: aigul, text: "{{ title }}"}
  - {rule: critical, when: {recipient: critical@bridge.test}, to: aigul, class: critical, text: "{{ title }}"}
"""


class Clock:
    """The real one and what was added."""

    def __init__(self) -> None:
        self.ahead = timedelta(0)

    def __call__(self) -> datetime:
        return datetime.now(UTC) + self.ahead

    def forward(self, seconds: float) -> None:
        self.ahead += timedelta(seconds=seconds)


@dataclass
class World:
    """Store, sender and watcher as the product has them, and one pretend provider."""

    store: Store
    book: RuleBook
    clock: Clock
    provider: Simulator
    gateways: Gateways
    sender: Sender
    watcher: Watcher
    alarms: list[tuple[str, str]] = field(default_factory=list)
    counted: list[tuple[str, str]] = field(default_factory=list)
    url: str = ""
    numbers: Any = field(default_factory=lambda: itertools.count(1))

    async def mail(self, to: str = "normal") -> None:
        subject = f"disk {next(self.numbers)} is full"
        content = f"From: mon@host.test\r\nSubject: {subject}\r\n\r\nlook\r\n".encode()
        envelope = Envelope(content, self.clock(), "mon@host.test", (Recipient(f"{to}@bridge.test"),))

        def come_in(tx: Tx) -> None:
            number = mails.keep(tx, envelope, "test")
            self.decide(tx, [read(StoredMail(number, envelope), self.book)])

        await self.store.write(come_in)
        self.sender.wake()

    def decide(self, tx: Tx, happenings: Sequence[Happening]) -> None:
        book, now = self.book, self.clock()
        decided = plans.plan(tx, happenings, *bound(book, now), now)
        assert [one.error for one in decided if one.error] == []

    def fault(self, **fault: object) -> None:
        self.provider.set_faults({"smsgate": {"all": fault}} if fault else {})

    def account(self, **changes: object) -> None:
        accounts = self.provider.air.accounts
        accounts["one"] = accounts["one"].model_copy(update=changes)

    def switch(self, **changes: object) -> None:
        smsgate = SmsgateSwitches.model_validate({"minute": 0.3, **changes})
        self.provider.air.switches = self.provider.air.switches.model_copy(update={"smsgate": smsgate})

    async def raw(self, sql: str) -> list[tuple[Any, ...]]:
        return [tuple(row) for row in await self.store.read(lambda tx: tx.raw(sql))]

    async def states(self) -> list[str]:
        return [row[0] for row in await self.raw("SELECT state FROM messages ORDER BY id")]

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
    folder: Path, monkeypatch: pytest.MonkeyPatch, kind: str, channels: str = "[sms]"
) -> AsyncIterator[World]:
    monkeypatch.setenv("GATE_SECRET", SECRET)
    monkeypatch.setattr("bridge.providers.smsgate.LONGEST", 0.8)  # nobody waits 25 s for a silent provider here
    clock, store = Clock(), Store(folder / "bridge.db")
    account = Account(login="one", password=SECRET, balance=Decimal(1000))
    provider = Simulator(accounts=(account,), switches=Switches(smsgate=SmsgateSwitches(minute=0.3)), now=clock)
    async with AsyncExitStack() as stack:
        port = await stack.enter_async_context(running(provider))
        (folder / "rules").mkdir()
        (folder / "rules" / "10.yaml").write_text(RULES)
        text = CONFIG.format(kind=kind, port=port, channels=channels)
        if not kind.startswith("smsgate"):
            text = text.replace("viber_sender: ACME, ", "")
        (folder / "config.yaml").write_text(text)
        book = load_book(folder / "config.yaml").require()
        http = await stack.enter_async_context(HttpClient())
        gateways = Gateways(open_gateways(book.config.providers, http), clock)
        await store.open()
        stack.callback(store.close)
        made: list[World] = []
        sender = Sender(
            store, lambda: gateways, owner="n1/a", now=clock,
            decide_failed=lambda tx, failed: made[0].decide(tx, failed),
            alarm=lambda what, name, _why: made[0].alarms.append((what, name)),
        )  # fmt: skip
        watcher = Watcher(
            store, lambda: gateways, owner="n1/a", now=clock,
            decide=lambda tx, happened: made[0].decide(tx, happened), submit=sender.submit,
        )  # fmt: skip
        world = World(store, book, clock, provider, gateways, sender, watcher)
        made.append(world)
        way_in = WayIn("gate", "smsgate:one", SecretText(PATH), SmsgateReader())
        callbacks = Callbacks(
            store, lambda: book, [way_in], clock, lambda: None,
            lambda name, outcome: world.counted.append((name, outcome)),
        )  # fmt: skip
        door = Route("/callbacks/smsgate/{path}", CallbackDoor(callbacks).__call__, methods=["POST", "GET"])
        our_port = await stack.enter_async_context(served(Starlette(routes=[door])))
        world.url = f"http://127.0.0.1:{our_port}/callbacks/smsgate/{PATH}"
        sending = asyncio.create_task(sender.run())
        yield world
        sending.cancel()
        await asyncio.gather(sending, return_exceptions=True)
        await sender.finish(2)


@pytest.fixture(params=["smsgate-json", "smsgate-xml"])
async def world(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[World]:
    async with opened(tmp_path, monkeypatch, request.param) as found:
        yield found


@pytest.fixture
async def cascade(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[World]:
    async with opened(tmp_path, monkeypatch, "smsgate-json", "[viber, sms]") as found:
        yield found


@pytest.fixture
async def by_get(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[World]:
    async with opened(tmp_path, monkeypatch, "smsgate-get") as found:
        yield found


def taken(states: list[str]) -> bool:
    return states in (["ACCEPTED"], ["ACCEPTED_NO_ID"], ["DELIVERED"])


# out


async def test_a_cascade_ends_with_the_sms_and_its_price(cascade: World) -> None:
    cascade.fault(fates={"viber": "undelivered"})
    await cascade.mail()
    await cascade.reach(taken)
    await asyncio.sleep(1)
    cascade.clock.forward(40)
    await cascade.reach(lambda states: states == ["DELIVERED"])
    assert [channel for channel, _ in cascade.on_phone] == ["viber", "sms"]
    assert await cascade.raw("SELECT cost FROM messages") == [("18.00",)]
    assert await cascade.raw("SELECT error FROM receipts") in ([], [("viber:not_deliver sms:deliver",)])


@pytest.mark.parametrize("repeated", ["same id", "error", "no id"])
@pytest.mark.parametrize(
    "fault", [{"drop": "after"}, {"answer": "html"}, {"half": True}, {"drop": "before"}, {"silent": True}], ids=str
)
async def test_F07_a_lost_answer_is_found_out_by_the_same_number_and_sent_once(
    world: World, fault: dict[str, Any], repeated: str
) -> None:
    world.switch(repeated=repeated)
    world.fault(**fault, times=1)
    await world.mail()
    await world.reach(lambda states: states == ["UNKNOWN"])
    world.clock.forward(3)
    await world.reach(taken)
    assert await world.attempts() == ["UNKNOWN", "ACCEPTED"]
    assert len(world.on_phone) == 1
    ids = await world.raw("SELECT DISTINCT client_id FROM submissions")
    assert len(ids) == 1


async def test_a_repeat_within_the_minute_that_is_refused_as_one_is_made_again_after_it(world: World) -> None:
    world.switch(identical_post=True)
    world.fault(drop="after", times=1)
    await world.mail()
    await world.reach(lambda states: states == ["UNKNOWN"])
    world.clock.forward(3)
    while len(await world.attempts()) < 2 or "INFLIGHT" in await world.attempts():
        await world.watcher.round()
        await asyncio.sleep(0.02)
    assert await world.attempts() == ["UNKNOWN", "UNKNOWN"]
    world.clock.forward(62)
    await world.reach(taken)
    assert len(world.on_phone) == 1


async def test_by_get_a_lost_answer_is_repeated_once_and_then_held(by_get: World) -> None:
    by_get.fault(drop="after", times=1)
    await by_get.mail()
    await by_get.reach(lambda states: states == ["UNKNOWN"])
    by_get.clock.forward(3)
    while len(await by_get.attempts()) < 2 or "INFLIGHT" in await by_get.attempts():
        await by_get.watcher.round()
        await asyncio.sleep(0.02)
    by_get.clock.forward(300)
    await by_get.watcher.round()
    assert (await by_get.states(), len(by_get.on_phone)) == (["UNKNOWN"], 1)
    by_get.clock.forward(700)
    await by_get.reach(lambda states: states != ["UNKNOWN"])
    assert (await by_get.attempts(), len(by_get.on_phone)) == (["UNKNOWN", "UNKNOWN"], 1)


async def test_by_get_a_lost_request_arrives_by_its_repeat(by_get: World) -> None:
    by_get.fault(drop="before", times=1)
    await by_get.mail()
    await by_get.reach(lambda states: states == ["UNKNOWN"])
    by_get.clock.forward(3)
    await by_get.reach(taken)
    assert len(by_get.on_phone) == 1


async def test_F24_what_the_provider_sends_once_it_is_paid_is_one_message(world: World) -> None:
    """The refusal says that the message waits there; when the account is well, our number is known there."""
    world.switch(repeated="error")
    world.account(balance=Decimal(0))
    await world.mail()
    while not world.alarms:
        await asyncio.sleep(0.02)
    assert world.alarms == [("account.money", "gate")]
    assert world.on_phone == []
    world.account(balance=Decimal(100))
    world.gateways.resume("smsgate:one")
    world.clock.forward(5)
    await world.reach(taken)
    await asyncio.sleep(0.1)
    assert len(world.on_phone) == 1


async def test_F24_a_wrong_password_pauses_the_account(world: World) -> None:
    world.account(password="another")
    await world.mail()
    while not world.alarms or await world.states() != ["READY"]:  # the balance question may hear of it first
        await asyncio.sleep(0.02)
    assert world.alarms == [("account.password", "gate")]
    assert world.on_phone == []


# back


async def post(world: World, body: str | bytes, path: str = "") -> tuple[int, str]:
    async with aiohttp.ClientSession() as session, session.post(path or world.url, data=body) as answer:
        return answer.status, await answer.text()


async def provider_id(world: World) -> str:
    """That of the whole; those of its ways stand behind it."""
    ((ids,),) = await world.raw("SELECT provider_id FROM submissions")
    return str(ids).partition(" ")[0]


def pushed(id: str, word: str) -> str:
    return f'<request><state id_sms="{id}" time="2026-01-01 12:57:46">{word}</state></request>'


async def test_a_state_that_is_pushed_moves_the_message_and_is_answered_with_its_id(world: World) -> None:
    world.switch(pushed_id="id_message")
    world.provider.air.handlers = (Handler(url=world.url, gateway="smsgate"),)
    await world.mail()
    deadline = asyncio.get_running_loop().time() + 8
    while await world.states() != ["DELIVERED"] or not world.provider.air.posted:  # its answer comes after our commit
        assert asyncio.get_running_loop().time() < deadline
        await asyncio.sleep(0.05)
    assert world.counted == [("gate", "receipt")]
    (told,) = world.provider.air.posted
    assert (told.status, told.post.wants in told.reason) == (200, True)


@pytest.mark.parametrize("id_of", ["id_message", "id_sms"])
async def test_a_push_is_matched_by_the_id_of_the_whole_and_by_that_of_a_way(cascade: World, id_of: str) -> None:
    cascade.switch(pushed_id=id_of, minute=60)
    cascade.provider.air.handlers = (Handler(url=cascade.url, gateway="smsgate"),)
    await cascade.mail()
    deadline = asyncio.get_running_loop().time() + 8
    while await cascade.states() != ["DELIVERED"]:
        assert asyncio.get_running_loop().time() < deadline
        await asyncio.sleep(0.05)
    assert cascade.counted == [("gate", "receipt")]


async def test_an_id_that_fits_two_messages_moves_neither(cascade: World) -> None:
    cascade.fault(fate="waiting")
    for n in (1, 2):
        await cascade.mail()
        await cascade.reach(partial(eq, ["ACCEPTED"] * n))
    ids = [row[0] for row in await cascade.raw("SELECT provider_id FROM submissions ORDER BY message_id")]
    also_the_first = update(submissions).where(submissions.c.message_id == 2).values(provider_id=bindparam("ids"))
    both = {"ids": f"{ids[1]} {ids[0].split()[0]}"}
    await cascade.store.write(lambda tx: tx.run(Statement(also_the_first), both))
    await post(cascade, pushed(ids[0].split()[0], "deliver"))
    assert await cascade.states() == ["ACCEPTED", "ACCEPTED"]
    await post(cascade, pushed(ids[1].split()[0], "deliver"))
    assert await cascade.states() == ["ACCEPTED", "DELIVERED"]


async def test_who_unsubscribes_is_told_to_the_operator_and_gets_no_viber_even_after_a_restart(cascade: World) -> None:
    cascade.switch(unsubscribed=(PHONE,))
    await cascade.mail()
    await cascade.reach(taken)
    await asyncio.sleep(1)
    cascade.clock.forward(40)
    await cascade.reach(lambda states: states == ["DELIVERED"])
    assert await cascade.raw("SELECT phone, account, way FROM unsubscribed") == [(f"+{PHONE}", "smsgate:one", "viber")]
    ((subject, _),) = await cascade.raw("SELECT subject, kind FROM outgoing_mails")
    assert subject == "[smsbridge] Aigul unsubscribed from Viber"
    assert await cascade.raw("SELECT count(*) FROM journal WHERE kind = 'phone.unsubscribed'") == [(1,)]
    cascade.switch(unsubscribed=())
    async with HttpClient() as fresh:
        doors = Gateways(open_gateways(cascade.book.config.providers, fresh), cascade.clock)
        cascade.gateways.doors.update(doors.doors)  # as after a restart: nothing but the store remembers
        await cascade.mail()
        await cascade.reach(lambda states: len(states) == 2 and states[1] in ("ACCEPTED", "DELIVERED"))
        assert [channel for channel, _ in cascade.on_phone][-1] == "sms"
    requests = [row[0] for row in await cascade.raw("SELECT request FROM submissions ORDER BY message_id")]
    assert ["send_viber" in request for request in requests] == [True, False]


async def test_T24_a_state_that_is_no_arrival_or_nobody_s_changes_nothing(world: World) -> None:
    world.fault(fate="waiting")
    await world.mail()
    await world.reach(taken)
    id = await provider_id(world)
    for said in (pushed(id, "not_deliver"), pushed(id, "expired"), pushed("999", "deliver"), pushed(id, "unsubscribe")):
        status, answer = await post(world, said)
        assert (status, "<id_sms>" in answer) == (200, True), "or it comes again, five times"
    assert await world.states() == ["ACCEPTED"]
    assert await world.raw("SELECT * FROM receipts") == []
    assert await post(world, "id=1&status=1") == (400, "cannot be read")
    assert (await post(world, pushed(id, "deliver"), world.url + "x"))[0] == 404
    assert await world.states() == ["ACCEPTED"]


async def test_F10_while_the_store_is_away_a_post_is_answered_503(world: World) -> None:
    await world.mail()
    await world.reach(taken)
    id = await provider_id(world)
    world.store.close()
    assert await post(world, pushed(id, "deliver")) == (503, "try again")


async def test_a_viber_answer_is_kept_once_and_only_from_a_phone_we_wrote_to(cascade: World) -> None:
    cascade.provider.air.handlers = (Handler(url=cascade.url, gateway="smsgate", statuses=False),)
    await cascade.mail()
    await cascade.reach(taken)
    cascade.provider.reply(PHONE, "10 ок")
    deadline = asyncio.get_running_loop().time() + 8
    while not await cascade.raw("SELECT id FROM replies"):
        assert asyncio.get_running_loop().time() < deadline
        await asyncio.sleep(0.05)
    body = cascade.provider.air.posted[0].post.body
    assert await post(cascade, body) == (200, "OK")
    assert await post(cascade, body.replace(PHONE.encode(), b"77019999999")) == (200, "OK")
    assert await cascade.raw("SELECT kind, phone, text FROM replies") == [("sms", f"+{PHONE}", "10 ок")]
    assert [outcome for _, outcome in cascade.counted] == ["inbound", "known", "known"]
    assert await cascade.raw("SELECT answers, proven FROM replies") == [(1, 0)], "which message; and nobody signed it"


async def test_T24_a_viber_answer_to_an_id_that_is_none_of_ours_names_no_message(cascade: World) -> None:
    cascade.switch(answered_id="own")
    cascade.provider.air.handlers = (Handler(url=cascade.url, gateway="smsgate", statuses=False),)
    await cascade.mail()
    await cascade.reach(taken)
    cascade.provider.reply(PHONE, "10 ок")
    deadline = asyncio.get_running_loop().time() + 8
    while not await cascade.raw("SELECT id FROM replies"):
        assert asyncio.get_running_loop().time() < deadline
        await asyncio.sleep(0.05)
    assert await cascade.raw("SELECT answers, proven FROM replies") == [(0, 0)]


async def test_the_handlers_of_the_configuration_know_whose_posts_they_read(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GATE_PATH", PATH)
    provider = world.book.config.providers["gate"]
    with_path = type(provider).model_validate(
        {"type": provider.type, "base_url": "https://gate.example", "callbacks": {"path": {"env": "GATE_PATH"}}}
    )
    config = world.book.config.model_copy(update={"providers": {"gate": with_path}})
    (way_in,) = handlers(config, {"gate": "smsgate:one"})
    assert isinstance(way_in.reader, SmsgateReader)
