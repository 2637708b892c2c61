"""What every gateway promises, proven for each that is built against the simulator over real sockets.

The simulator is another reading of the same manuals: where it and a gateway disagree, one of them is wrong.
The doors are in ``doors/``; a new one joins by a file there.
"""

from __future__ import annotations

import asyncio
import dataclasses
import logging
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from bridge.config.secrets import SecretText
from bridge.delivery import repeated
from bridge.delivery.unknown import Believe, GiveUp, Resend, heard, next_step
from bridge.errors import AccountPaused, DeliveryError, NotSent, OutcomeUnknown, PermanentFailure, TemporaryFailure
from bridge.providers.base import Question, Request
from bridge.providers.smsc_callbacks import Forged, InboundSms, Reader, Status
from bridge.simulator.settings import Handler
from bridge.store.attempts import Attempt
from tests.contract.kit import NUMBER, PHONE, TAKEN_WITHOUT_AN_ANSWER, World, question_of, request_of, until

pytestmark = pytest.mark.anyio


# Taken


async def test_an_accepted_message_is_on_the_phone_with_its_text_and_its_sender(world: World) -> None:
    accepted = await world.gateway.submit(request_of(world.gateway))
    assert accepted.provider_id or accepted.handed_over
    await until(lambda: world.arrived)
    (arrived,) = world.arrived
    assert (arrived.text, arrived.hidden) == ("12 CRIT db01: disk full", "")
    assert (arrived.phone, arrived.sender) == (PHONE.lstrip("+"), NUMBER)


async def test_smsc_says_at_once_what_it_took(smsc_http: World) -> None:
    accepted = await smsc_http.gateway.submit(request_of(smsc_http.gateway))
    assert (accepted.provider_id, accepted.segments) == ("1234", 1)
    assert (accepted.cost, accepted.balance) == (Decimal(18), Decimal(982))
    assert [one.id for one in smsc_http.arrived] == ["1234"]


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
    await until(lambda: world.arrived)
    assert [one.text for one in world.arrived] == [text]


@pytest.mark.parametrize("channel", ["sms", "flash", "call", "viber"])
async def test_a_channel_is_the_rule_s_and_nobody_else_s(world: World, channel: Any) -> None:
    if channel in world.door.channels:
        await world.gateway.submit(request_of(world.gateway, channel=channel))
        expected = [channel, "sms"]
    else:
        with pytest.raises(PermanentFailure):
            await world.gateway.submit(request_of(world.gateway, channel=channel))
        expected = ["sms"]
    await world.gateway.submit(request_of(world.gateway, "1235", text="__CALL__: pay now"))
    await until(lambda: len(world.arrived) == len(expected))
    assert [one.channel for one in world.arrived] == expected
    assert world.arrived[-1].text.endswith("CALL__: pay now")


@pytest.mark.parametrize("tail", ["\n~~~\nhidden", "\r\n ~~~ \r\nhidden", "\n\uff5e\uff5e\uff5e\nhidden", "\n~~~"])
async def test_T13_nothing_of_a_text_is_hidden(world: World, tail: str) -> None:
    await world.gateway.submit(request_of(world.gateway, text=f"alert{tail}", encoding="UCS-2"))
    await until(lambda: world.arrived)
    (arrived,) = world.arrived
    assert arrived.hidden == ""
    assert ("hidden" in arrived.text) is ("hidden" in tail)


@pytest.mark.parametrize("text", ["x&cost=1", "x&phones=77010000009", "ok\n77010000009:other", "a&list=77010000009:b"])
async def test_T15_one_message_reaches_one_phone(world: World, text: str) -> None:
    await world.gateway.submit(request_of(world.gateway, text=text))
    await until(lambda: world.arrived)
    assert [(one.phone, one.text) for one in world.arrived] == [(PHONE.lstrip("+"), text)]


async def test_T15_a_number_of_vietnam_stays_one(world: World) -> None:
    """Without its plus the provider would take the leading 8 for Russia's."""
    accepted = await world.gateway.submit(request_of(world.gateway, phone="+84912345678"))
    await until(lambda: world.arrived)
    assert [one.phone for one in world.arrived] == ["84912345678"]
    if "status" in world.door.traits:
        assert (await world.gateway.status(question_of(accepted, phone="+84912345678"))).state is not None


async def test_no_more_parts_are_paid_than_were_reserved(smsc_http: World) -> None:
    world = smsc_http
    accepted = await world.gateway.submit(request_of(world.gateway, text="x" * 400, segments=2))
    assert (accepted.segments, accepted.cost) == (2, Decimal(36))


async def test_what_is_too_late_for_the_network_expires_there(smsc_http: World) -> None:
    world = smsc_http
    await world.gateway.submit(request_of(world.gateway, valid_until=datetime.now(UTC) + timedelta(minutes=5)))
    (arrived,) = world.arrived
    assert timedelta(minutes=3) < arrived.valid_until - arrived.received_at <= timedelta(minutes=5)


# Not taken


@pytest.mark.parametrize("refuse", range(1, 10))
async def test_a_refusal_is_an_error_with_its_code_and_nothing_arrives(world: World, refuse: int) -> None:
    if refuse not in world.door.refusals:
        pytest.skip(f"{world.door.name} has no refusal {refuse}")
    kind, code = world.door.refusals[refuse]
    world.fault(refuse=refuse)
    with pytest.raises(kind) as caught:
        await world.gateway.submit(request_of(world.gateway))
    assert type(caught.value) is kind
    assert caught.value.code == code
    assert world.arrived == ()


async def test_F24_an_empty_account_is_no_fault_of_the_message(world: World) -> None:
    if 3 not in world.door.refusals:
        pytest.skip(f"{world.door.name} is told nothing in the session")
    world.account(balance=Decimal(1))
    with pytest.raises(AccountPaused) as caught:
        await world.gateway.submit(request_of(world.gateway))
    assert caught.value.cause == "money"


@pytest.mark.parametrize("phone", ["G1", "77010000001,77010000002", "a@b.kz", "", "+7701000000１"])
async def test_T15_what_is_no_number_costs_no_request(world: World, phone: str) -> None:
    with pytest.raises(PermanentFailure):
        await world.gateway.submit(request_of(world.gateway, phone=phone))
    assert list(world.simulator.air.exchanges) == []


async def test_an_identical_request_within_a_minute_is_refused_and_costs_nothing(smsc_http: World) -> None:
    world = smsc_http
    first = request_of(world.gateway)
    await world.gateway.submit(first)
    with pytest.raises(NotSent):
        await world.gateway.submit(first)
    with pytest.raises(OutcomeUnknown):
        await world.gateway.submit(dataclasses.replace(first, repeat=True))
    assert len(world.arrived) == 1


# Unknown


FAULTS = 6  # no door has more


def fault_of(world: World, place: int) -> tuple[dict[str, Any], bool]:
    """The fault at *place*, and whether the message travels on all the same."""
    faults = [(dict(fault), True) for fault in world.door.lost] + [(dict(fault), False) for fault in world.door.never]
    if place >= len(faults):
        pytest.skip(f"{world.door.name} has no fault {place}")
    return faults[place]


@pytest.mark.parametrize("place", range(FAULTS))
async def test_F07_without_a_whole_answer_the_outcome_is_unknown_and_a_paid_request_is_seen_once(
    world: World, place: int
) -> None:
    fault, taken = fault_of(world, place)
    await world.gateway.submit(request_of(world.gateway, "1", text="warm the connection"))
    world.fault(**fault)
    with pytest.raises(OutcomeUnknown):
        await world.gateway.submit(request_of(world.gateway))
    await asyncio.sleep(0.1)
    assert len(world.arrived) == (2 if taken else 1)


@pytest.mark.parametrize("place", range(FAULTS))
async def test_F07_a_request_whose_answer_was_lost_is_made_once(http_world: World, place: int) -> None:
    """aiohttp repeats some requests by itself when the server closed the connection."""
    fault, _ = fault_of(http_world, place)
    await http_world.gateway.submit(request_of(http_world.gateway, "1", text="warm the connection"))
    http_world.fault(**fault)
    with pytest.raises(OutcomeUnknown):
        await http_world.gateway.submit(request_of(http_world.gateway))
    await asyncio.sleep(0.1)
    assert len(http_world.simulator.air.exchanges) == 2


def attempt_of(request: Request, number: int, state: str = "UNKNOWN", code: str = "") -> Attempt:
    now = datetime.now(UTC)
    return Attempt(
        1, number, "smsc", "smsc:acme", request.client_id, request.canonical, "r1", state, "", code, "", (), now, now
    )


async def resolved(world: World, request: Request) -> tuple[list[Attempt], Believe | GiveUp | None]:
    """Ask and resend as ``delivery.unknown`` and ``delivery.repeated`` say, without the waits in between."""
    attempts = [attempt_of(request, 1)]
    for _ in range(10):
        step = await _step(world, request, attempts)
        if isinstance(step, Believe | GiveUp):
            return attempts, step
        if isinstance(step, Resend):
            try:
                await world.gateway.submit(dataclasses.replace(request, repeat=True, heard=True))
            except OutcomeUnknown:
                attempts.append(attempt_of(request, 2))
            else:
                return [*attempts, attempt_of(request, 2, "ACCEPTED")], None
    raise AssertionError("not resolved")


async def _step(world: World, request: Request, attempts: list[Attempt]) -> object:
    now, doubt = datetime.now(UTC), world.gateway.doubt
    if doubt in ("repeat", "once"):
        late = now + timedelta(seconds=3 if len(attempts) == 1 else 121)
        return repeated.next_step(attempts, "critical", "r1", doubt, late)
    answer = await world.gateway.status(Question(PHONE, request.client_id))
    ours = answer.state is None or world.gateway.is_ours(request, answer, attempts[0].started_at)
    evidence = (*attempts[-1].evidence, heard(answer, datetime.now(UTC), ours=ours))
    attempts[-1] = dataclasses.replace(attempts[-1], evidence=evidence)
    return next_step(attempts, "critical", "r1", now)


@pytest.mark.parametrize("fault", TAKEN_WITHOUT_AN_ANSWER, ids=str)
async def test_a_taken_message_is_found_out_and_sent_once(http_world: World, fault: dict[str, Any]) -> None:
    http_world.fault(**fault, times=1)
    request = request_of(http_world.gateway)
    with pytest.raises(OutcomeUnknown):
        await http_world.gateway.submit(request)
    attempts, end = await resolved(http_world, request)
    assert len(http_world.arrived) == 1
    match http_world.gateway.doubt:
        case "ask":
            assert (len(attempts), type(end)) == (1, Believe)
        case "repeat":
            assert (attempts[-1].state, end) == ("ACCEPTED", None)
        case _:
            assert isinstance(end, GiveUp)


async def test_a_lost_request_is_sent_again_with_the_same_id(http_world: World) -> None:
    http_world.fault(drop="before", times=1)
    request = request_of(http_world.gateway)
    with pytest.raises(OutcomeUnknown):
        await http_world.gateway.submit(request)
    attempts, end = await resolved(http_world, request)
    assert (len(attempts), end) == (2, None)
    assert len(http_world.arrived) == 1


async def test_somebody_else_s_message_under_our_id_is_not_ours(smsc_http: World) -> None:
    world = smsc_http
    await world.gateway.submit(request_of(world.gateway, text="99 another alert altogether"))
    answer = await world.gateway.status(Question(PHONE, "1234"))
    assert not world.gateway.is_ours(request_of(world.gateway), answer, datetime.now(UTC))


# Questions


@pytest.mark.parametrize(
    ("fate", "state"), [("delivered", "DELIVERED"), ("read", "DELIVERED"), ("undelivered", "UNDELIVERED")]
)
async def test_a_question_brings_what_became_of_it(asked_world: World, fate: str, state: str) -> None:
    asked_world.fault(fate=fate)
    question = question_of(await asked_world.gateway.submit(request_of(asked_world.gateway)))
    answer = await asked_world.gateway.status(question)
    async with asyncio.timeout(5):
        while answer.state != state:
            await asyncio.sleep(0.05)
            answer = await asked_world.gateway.status(question)
    receipt = asked_world.gateway.receipt(7, answer)
    assert (receipt.message_id, receipt.state, receipt.provider) == (7, state, asked_world.gateway.name)
    assert state == "DELIVERED" or receipt.reason


async def test_smsc_says_when_and_to_whom_and_what_it_cost(smsc_http: World) -> None:
    await smsc_http.gateway.submit(request_of(smsc_http.gateway))
    answer = await smsc_http.gateway.status(Question(PHONE, "1234"))
    assert (answer.phone, answer.text, answer.cost) == (PHONE.lstrip("+"), "12 CRIT db01: disk full", Decimal(18))
    assert answer.at is not None
    assert abs(answer.at - datetime.now(UTC)) < timedelta(minutes=1)


async def test_what_was_never_sent_is_not_found(asked_world: World) -> None:
    assert (await asked_world.gateway.status(Question(PHONE, "999", "999"))).state is None


async def test_many_are_asked_for_at_once(asked_world: World) -> None:
    world, questions = asked_world, []
    for client_id, phone in (("1", PHONE), ("2", "+77010000002")):
        accepted = await world.gateway.submit(request_of(world.gateway, client_id, phone=phone))
        questions.append(question_of(accepted, client_id, phone))
    questions.append(Question(PHONE, "3", "3"))
    answers = await world.gateway.statuses(questions)
    assert [answers[question].state is None for question in questions] == [False, False, True]


async def test_the_balance_falls_by_what_is_taken(balance_world: World) -> None:
    before = await balance_world.gateway.balance()
    await balance_world.gateway.submit(request_of(balance_world.gateway))
    await until(lambda: balance_world.arrived)
    after = await balance_world.gateway.balance()
    assert (before.amount - after.amount, after.currency) == (Decimal(18), "KZT")


async def test_the_balance_falls_by_the_price(price_world: World) -> None:
    world = price_world
    price = await world.gateway.price(request_of(world.gateway))
    before = await world.gateway.balance()
    assert world.arrived == ()
    await world.gateway.submit(request_of(world.gateway))
    after = await world.gateway.balance()
    assert (price.cost, price.segments) == (Decimal(18), 1)
    assert (before.amount - after.amount, after.currency) == (price.cost, "KZT")


async def test_answers_of_people_come_with_their_text_and_an_id_of_their_own(inbound_world: World) -> None:
    world = inbound_world
    await world.gateway.submit(request_of(world.gateway))
    await until(lambda: world.arrived)
    world.simulator.reply(PHONE, "12 ок")
    world.simulator.reply(PHONE, "13\nне ок & <b>")
    first = await world.gateway.inbound(0, 24)
    assert [(one.phone, one.to, one.call, one.text) for one in first] == [
        (PHONE, NUMBER, False, "12 ок"),
        (PHONE, NUMBER, False, "13\nне ок & <b>"),
    ]
    assert len({one.id for one in first}) == 2
    again = await world.gateway.inbound(max(int(one.id) for one in first), 24)
    assert set(again) <= set(first), "the same id, so that it is kept once"


async def test_smsc_brings_calls_too_and_nothing_twice(smsc_http: World) -> None:
    world = smsc_http
    await world.gateway.submit(request_of(world.gateway))
    world.simulator.reply(PHONE, "12 ок")
    world.simulator.call(PHONE)
    first = await world.gateway.inbound(0, 24)
    assert [(one.phone, one.to, one.call) for one in first] == [(PHONE, NUMBER, False), (PHONE, NUMBER, True)]
    assert await world.gateway.inbound(max(int(one.id) for one in first), 24) == ()


@pytest.mark.parametrize("fault", [{"drop": "after"}, {"answer": "garbage"}, {"refuse": 9}], ids=str)
async def test_a_question_that_fails_may_be_asked_again(http_world: World, fault: dict[str, Any]) -> None:
    world = http_world
    world.fault(**fault, on=("status", "balance", "get"))
    for ask in (
        world.gateway.status(Question(PHONE, "1", "1")),
        world.gateway.statuses([Question(PHONE, "1", "1"), Question(PHONE, "2", "2")]),
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
    smsc_http: World, checksum: Any, charset: str, form: str
) -> None:
    world = smsc_http
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
    assert len(said) >= 4
    assert all("Passw0rd" not in text for text in [*said, caplog.text])
