"""What every gateway promises, proven for each that is built against the simulator over real sockets.

The simulator is another reading of the same manuals: where it and a gateway disagree, one of them is wrong.
"""

from __future__ import annotations

import asyncio
import dataclasses
import logging
from collections.abc import AsyncIterator, Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from bridge.config.models.providers import Provider
from bridge.config.secrets import SecretText
from bridge.delivery.unknown import Believe, Resend, heard, next_step
from bridge.errors import (
    AccountPaused,
    DeliveryError,
    NotSent,
    OutcomeUnknown,
    PermanentFailure,
    TemporaryFailure,
)
from bridge.model import Message
from bridge.providers.base import Gateway, Question, Request
from bridge.providers.http import HttpClient
from bridge.providers.smsc_callbacks import Forged, InboundSms, Reader, Status
from bridge.providers.smsc_http import SmscHttp
from bridge.simulator.records import Message as Arrived
from bridge.simulator.serve import running
from bridge.simulator.settings import Account, Handler, Limits, Switches
from bridge.simulator.simulator import Simulator
from bridge.store.outbox import Attempt

pytestmark = pytest.mark.anyio

PASSWORD = "canary-Passw0rd&=+"
PHONE = "+77010000001"
NUMBER = "77055550000"
WIDE = Limits(status_a_minute=1000, status_lists_a_minute=1000, balance_a_minute=1000, answers_a_minute=1000)


@dataclasses.dataclass
class World:
    """One gateway and the provider behind it."""

    simulator: Simulator
    gateway: Gateway

    @property
    def arrived(self) -> tuple[Arrived, ...]:
        return self.simulator.messages()

    def fault(self, **fault: Any) -> None:
        self.simulator.set_faults({"smsc": {"all": fault}})

    def account(self, **changes: Any) -> None:
        accounts = self.simulator.air.accounts
        accounts["acme"] = accounts["acme"].model_copy(update=changes)


@pytest.fixture(params=["smsc-http"])
async def world(request: pytest.FixtureRequest) -> AsyncIterator[World]:
    """Every gateway that is built, fresh; a new one joins by a line here."""
    account = Account(
        login="acme", password=PASSWORD, number=NUMBER, balance=Decimal("1000.00"), prices={"default": Decimal(18)}
    )
    simulator = Simulator(accounts=(account,), switches=Switches(limits=WIDE))
    async with running(simulator) as port, HttpClient(connect=1.0) as http:
        settings = Provider.model_validate(
            {
                "type": request.param,
                "base_url": f"http://127.0.0.1:{port}",
                "login": "acme",
                "password": {"env": "SMSC"},
                "number": f"+{NUMBER}",
            }
        )
        yield World(simulator, SmscHttp("smsc", settings, SecretText(PASSWORD), http))


def message(**changes: Any) -> Message:
    now = datetime.now(UTC)
    made = Message(
        id=1, phone=PHONE, person="", text="12 CRIT db01: disk full", encoding="GSM-7", segments=1, price=None,
        currency="KZT", rule="night", message_class="critical", channel="sms", providers=("smsc",), originator="",
        answerable=True, created_at=now, due_at=now, valid_until=now + timedelta(minutes=30), language="en",
    )  # fmt: skip
    return dataclasses.replace(made, **changes)


def request_of(gateway: Gateway, client_id: str = "1234", *, repeat: bool = False, **changes: Any) -> Request:
    return Request(gateway.canonical(message(**changes), datetime.now(UTC)), client_id, repeat)


async def until(condition: Any, within: float = 5) -> None:
    async with asyncio.timeout(within):
        while not condition():
            await asyncio.sleep(0.02)


# Taken


async def test_an_accepted_message_is_on_the_phone_with_its_text_its_sender_and_its_price(world: World) -> None:
    accepted = await world.gateway.submit(request_of(world.gateway))
    assert (accepted.provider_id, accepted.segments) == ("1234", 1)
    assert (accepted.cost, accepted.balance) == (Decimal(18), Decimal(982))
    (arrived,) = world.arrived
    assert (arrived.text, arrived.hidden) == ("12 CRIT db01: disk full", "")
    assert (arrived.phone, arrived.sender, arrived.id) == (PHONE.lstrip("+"), NUMBER, "1234")


@pytest.mark.parametrize(
    "text",
    [
        "Сервер базы данных не отвечает",
        "Қазақстан ә ғ қ ң ө ұ ү һ і",
        "диск 100% & inode=0 + swap; «ок»?",
        "€ [x] {y} \\ ~ | ^",
        "fire 🔥 👨‍👩‍👧",
        "two\nlines",
    ],
)
async def test_every_letter_arrives(world: World, text: str) -> None:
    encoding: Any = "GSM-7" if text.isascii() or text.startswith("€") else "UCS-2"
    await world.gateway.submit(request_of(world.gateway, text=text, encoding=encoding))
    assert [one.text for one in world.arrived] == [text]


@pytest.mark.parametrize("channel", ["sms", "flash", "call", "viber"])
async def test_a_channel_is_the_rule_s_and_nobody_else_s(world: World, channel: Any) -> None:
    await world.gateway.submit(request_of(world.gateway, channel=channel))
    await world.gateway.submit(request_of(world.gateway, "1235", text="__CALL__: pay now"))
    assert [one.channel for one in world.arrived] == [channel, "sms"]
    assert world.arrived[1].text.endswith("CALL__: pay now")


@pytest.mark.parametrize("tail", ["\n~~~\nhidden", "\r\n ~~~ \r\nhidden", "\n\uff5e\uff5e\uff5e\nhidden", "\n~~~"])
async def test_T13_nothing_of_a_text_is_hidden(world: World, tail: str) -> None:
    await world.gateway.submit(request_of(world.gateway, text=f"alert{tail}", encoding="UCS-2"))
    (arrived,) = world.arrived
    assert arrived.hidden == ""
    assert ("hidden" in arrived.text) is ("hidden" in tail)


@pytest.mark.parametrize("text", ["x&cost=1", "x&phones=77010000009", "ok\n77010000009:other", "a&list=77010000009:b"])
async def test_T15_one_message_reaches_one_phone(world: World, text: str) -> None:
    await world.gateway.submit(request_of(world.gateway, text=text))
    assert [(one.phone, one.text) for one in world.arrived] == [(PHONE.lstrip("+"), text)]


async def test_T15_a_number_of_vietnam_stays_one(world: World) -> None:
    """Without its plus the provider would take the leading 8 for Russia's."""
    await world.gateway.submit(request_of(world.gateway, phone="+84912345678"))
    assert [one.phone for one in world.arrived] == ["84912345678"]
    assert (await world.gateway.status(Question("+84912345678", "1234"))).state is not None


async def test_no_more_parts_are_paid_than_were_reserved(world: World) -> None:
    accepted = await world.gateway.submit(request_of(world.gateway, text="x" * 400, segments=2))
    assert (accepted.segments, accepted.cost) == (2, Decimal(36))


async def test_what_is_too_late_for_the_network_expires_there(world: World) -> None:
    await world.gateway.submit(request_of(world.gateway, valid_until=datetime.now(UTC) + timedelta(minutes=5)))
    (arrived,) = world.arrived
    assert timedelta(minutes=3) < arrived.valid_until - arrived.received_at <= timedelta(minutes=5)


# Not taken


@pytest.mark.parametrize(
    ("refuse", "kind"),
    [
        (1, PermanentFailure),
        (2, AccountPaused),
        (3, AccountPaused),
        (4, AccountPaused),
        (5, PermanentFailure),
        (6, PermanentFailure),
        (7, PermanentFailure),
        (8, PermanentFailure),
        (9, NotSent),
    ],
)
async def test_a_refusal_is_an_error_with_its_number_and_nothing_arrives(
    world: World, refuse: int, kind: type[DeliveryError]
) -> None:
    world.fault(refuse=refuse)
    with pytest.raises(kind) as caught:
        await world.gateway.submit(request_of(world.gateway))
    assert type(caught.value) is kind
    assert caught.value.code == str(refuse)
    assert world.arrived == ()


async def test_F24_an_empty_account_is_no_fault_of_the_message(world: World) -> None:
    world.account(balance=Decimal(1))
    with pytest.raises(AccountPaused) as caught:
        await world.gateway.submit(request_of(world.gateway))
    assert caught.value.cause == "money"


@pytest.mark.parametrize("phone", ["G1", "77010000001,77010000002", "a@b.kz", "", "+7701000000１"])
async def test_T15_what_is_no_number_costs_no_request(world: World, phone: str) -> None:
    with pytest.raises(PermanentFailure):
        await world.gateway.submit(request_of(world.gateway, phone=phone))
    assert list(world.simulator.air.exchanges) == []


async def test_an_identical_request_within_a_minute_is_refused_and_costs_nothing(world: World) -> None:
    first = request_of(world.gateway)
    await world.gateway.submit(first)
    with pytest.raises(NotSent):
        await world.gateway.submit(first)
    with pytest.raises(OutcomeUnknown):
        await world.gateway.submit(dataclasses.replace(first, repeat=True))
    assert len(world.arrived) == 1


# Unknown


TAKEN_WITHOUT_AN_ANSWER: list[Mapping[str, Any]] = [
    {"drop": "after"},
    {"half": True},
    {"answer": "garbage"},
    {"answer": "html", "http_status": 502},
    {"answer": "empty"},
]


@pytest.mark.parametrize("fault", [*TAKEN_WITHOUT_AN_ANSWER, {"drop": "before"}], ids=str)
async def test_F07_without_a_whole_answer_the_outcome_is_unknown_and_a_paid_request_is_seen_once(
    world: World, fault: dict[str, Any]
) -> None:
    await world.gateway.submit(request_of(world.gateway, "1", text="warm the connection"))
    world.fault(**fault)
    with pytest.raises(OutcomeUnknown):
        await world.gateway.submit(request_of(world.gateway))
    await asyncio.sleep(0.1)
    assert [one.door for one in world.simulator.air.exchanges] == ["send", "send"]
    assert len(world.arrived) == (1 if fault == {"drop": "before"} else 2)


def attempt_of(request: Request, number: int, state: str = "UNKNOWN", code: str = "") -> Attempt:
    now = datetime.now(UTC)
    return Attempt(
        1, number, "smsc", "smsc:acme", request.client_id, request.canonical, "r1", state, "", code, "", (), now, now
    )


async def resolved(world: World, request: Request) -> tuple[list[Attempt], Believe | None]:
    """Ask and resend as ``delivery.unknown`` says, without the waits in between."""
    attempts = [attempt_of(request, 1)]
    for _ in range(10):
        now = datetime.now(UTC)
        answer = await world.gateway.status(Question(PHONE, request.client_id))
        ours = answer.state is None or world.gateway.is_ours(request, answer, attempts[0].started_at)
        last = attempts[-1]
        evidence = (*last.evidence, heard(answer, datetime.now(UTC), ours=ours))
        attempts[-1] = dataclasses.replace(last, evidence=evidence)
        step = next_step(attempts, "critical", "r1", now)
        if isinstance(step, Believe):
            return attempts, step
        if isinstance(step, Resend):
            await world.gateway.submit(dataclasses.replace(request, repeat=True))
            return [*attempts, attempt_of(request, 2, "ACCEPTED")], None
    raise AssertionError("not resolved")


@pytest.mark.parametrize("fault", TAKEN_WITHOUT_AN_ANSWER, ids=str)
async def test_a_taken_message_is_found_by_its_id_and_sent_once(world: World, fault: dict[str, Any]) -> None:
    world.fault(**fault, times=1)
    request = request_of(world.gateway)
    with pytest.raises(OutcomeUnknown):
        await world.gateway.submit(request)
    attempts, belief = await resolved(world, request)
    assert belief is not None
    assert len(attempts) == 1
    assert len(world.arrived) == 1


async def test_a_lost_request_is_not_found_and_sent_again_with_the_same_id(world: World) -> None:
    world.fault(drop="before", times=1)
    request = request_of(world.gateway)
    with pytest.raises(OutcomeUnknown):
        await world.gateway.submit(request)
    attempts, belief = await resolved(world, request)
    assert belief is None
    assert len(attempts) == 2
    assert [one.id for one in world.arrived] == ["1234"]


async def test_somebody_else_s_message_under_our_id_is_not_ours(world: World) -> None:
    await world.gateway.submit(request_of(world.gateway, text="99 another alert altogether"))
    answer = await world.gateway.status(Question(PHONE, "1234"))
    assert not world.gateway.is_ours(request_of(world.gateway), answer, datetime.now(UTC))


# Questions


@pytest.mark.parametrize(
    ("fate", "state"), [("delivered", "DELIVERED"), ("read", "DELIVERED"), ("undelivered", "UNDELIVERED")]
)
async def test_a_question_brings_what_became_of_it(world: World, fate: str, state: str) -> None:
    world.fault(fate=fate)
    await world.gateway.submit(request_of(world.gateway))
    answer = await world.gateway.status(Question(PHONE, "1234"))
    async with asyncio.timeout(5):
        while answer.state != state:
            await asyncio.sleep(0.05)
            answer = await world.gateway.status(Question(PHONE, "1234"))
    assert (answer.phone, answer.text, answer.cost) == (PHONE.lstrip("+"), "12 CRIT db01: disk full", Decimal(18))
    assert answer.at is not None
    assert abs(answer.at - datetime.now(UTC)) < timedelta(minutes=1)


async def test_what_was_never_sent_is_not_found(world: World) -> None:
    assert (await world.gateway.status(Question(PHONE, "999"))).state is None


async def test_many_are_asked_for_at_once(world: World) -> None:
    questions = [Question(PHONE, "1"), Question("+77010000002", "2"), Question(PHONE, "3")]
    for question in questions[:2]:
        await world.gateway.submit(request_of(world.gateway, question.client_id, phone=question.phone))
    answers = await world.gateway.statuses(questions)
    assert [answers[question].state is None for question in questions] == [False, False, True]


async def test_the_balance_falls_by_the_price(world: World) -> None:
    price = await world.gateway.price(request_of(world.gateway))
    before = await world.gateway.balance()
    assert world.arrived == ()
    await world.gateway.submit(request_of(world.gateway))
    after = await world.gateway.balance()
    assert (price.cost, price.segments) == (Decimal(18), 1)
    assert (before.amount - after.amount, after.currency) == (price.cost, "KZT")


async def test_answers_of_people_come_once_and_in_order(world: World) -> None:
    await world.gateway.submit(request_of(world.gateway))
    await until(lambda: world.arrived)
    world.simulator.reply(PHONE, "12 ок")
    world.simulator.call(PHONE)
    first = await world.gateway.inbound(0, 24)
    assert [(one.phone, one.to, one.call) for one in first] == [(PHONE, NUMBER, False), (PHONE, NUMBER, True)]
    assert first[0].text == "12 ок"
    assert await world.gateway.inbound(max(int(one.id) for one in first), 24) == ()


@pytest.mark.parametrize("fault", [{"drop": "after"}, {"answer": "garbage"}, {"refuse": 9}], ids=str)
async def test_a_question_that_fails_may_be_asked_again(world: World, fault: dict[str, Any]) -> None:
    world.fault(**fault, on=("status", "balance", "get"))
    for ask in (
        world.gateway.status(Question(PHONE, "1")),
        world.gateway.statuses([Question(PHONE, "1"), Question(PHONE, "2")]),
        world.gateway.balance(),
        world.gateway.inbound(0, 24),
    ):
        with pytest.raises(TemporaryFailure):
            await ask


# Posts of the provider


@pytest.mark.parametrize("checksum", ["sha1", "md5"])
@pytest.mark.parametrize("charset", ["utf-8", "windows-1251"])
@pytest.mark.parametrize("form", ["", "fmt=2&", "fmt=3&"])
async def test_the_provider_s_posts_are_read_and_nobody_else_s(
    world: World, checksum: Any, charset: str, form: str
) -> None:
    bodies: list[bytes] = []

    async def take(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        length = int(head.lower().split(b"content-length:")[1].split(b"\r\n")[0])
        bodies.append(await reader.readexactly(length))
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nOK")
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(take, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    url = f"http://127.0.0.1:{port}/callbacks/smsc/x?{form}charset={charset}&{checksum}=s3cr3t_KEY-1"
    world.simulator.air.handlers = (Handler(url=url),)
    async with server:
        await world.gateway.submit(request_of(world.gateway))
        await until(lambda: world.arrived)
        world.simulator.reply(PHONE, "12 ок: принял")
        reader = Reader(SecretText("s3cr3t_KEY-1"), checksum, "utf-8" if charset == "utf-8" else "cp1251")
        await until(lambda: any(b"mes" in body for body in bodies) and len(bodies) >= 3)
    posts = [reader.read(body) for body in bodies]
    statuses = [post for post in posts if isinstance(post, Status)]
    assert {(post.client_id, post.phone) for post in statuses} == {("1234", PHONE)}
    assert "DELIVERED" in {post.state for post in statuses}
    assert [post.text for post in posts if isinstance(post, InboundSms)] == ["12 ок: принял"]
    with pytest.raises(Forged):
        Reader(SecretText("another"), checksum, reader.charset).read(bodies[0])


# Secrets


async def test_T29_no_secret_is_logged_or_said(world: World, caplog: pytest.LogCaptureFixture) -> None:
    said: list[str] = []
    with caplog.at_level(logging.DEBUG):
        for fault in ({}, {"refuse": 2}, {"drop": "after"}, {"answer": "html"}, {"half": True}):
            world.fault(**fault)
            try:
                await world.gateway.submit(request_of(world.gateway, str(len(said) + 1), text=f"n {len(said)}"))
            except DeliveryError as error:
                said.append(f"{error!r} {error} {error.__cause__!r} {error.__context__!r}")
    said.append(repr(world.gateway))
    assert len(said) == 5
    assert all("Passw0rd" not in text for text in [*said, caplog.text])
