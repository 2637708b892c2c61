"""The mail door over real sockets: TLS or nothing, refusals that say nothing, and how a fate is found out."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import trustme
from aiosmtpd.smtp import SMTP

from bridge.config.models.providers import Provider
from bridge.config.models.service import OutgoingMail
from bridge.delivery.relays import mail_ways
from bridge.errors import ConfigError, NotSent, OutcomeUnknown, PermanentFailure
from bridge.model import Message
from bridge.providers.base import Gateway, Question, Request
from bridge.providers.build import gateways
from bridge.providers.http import HttpClient
from bridge.simulator.serve import running
from bridge.simulator.settings import Account
from bridge.simulator.simulator import Simulator

pytestmark = pytest.mark.anyio

SECRET = "canary-Passw0rd"
PHONE = "+77010000001"


def request_of(gateway: Gateway, client_id: str = "1234", text: str = "disk full") -> Request:
    now = datetime.now(UTC)
    message = Message(
        id=1, phone=PHONE, person="", text=text, encoding="GSM-7", segments=1, price=None, currency="KZT", rule="r",
        message_class="normal", channel="sms", providers=("mail",), originator="", answerable=False, created_at=now,
        due_at=now, valid_until=now + timedelta(minutes=30), language="en",
    )  # fmt: skip
    return Request(gateway.canonical(message, now), client_id)


def by_mail(port: int, **keys: Any) -> Provider:
    settings = {
        "type": "smsc-smtp", "relay": f"smtp://127.0.0.1:{port}", "to": "send@send.smsc.test", "login": "acme",
        "password": {"env": "SMSC"}, "mail_from": "bounce@sms.example.kz", "tls": "off",
    }  # fmt: skip
    return Provider.model_validate(settings | keys)


@pytest.fixture(autouse=True)
def secret(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SMSC", SECRET)


@dataclass
class World:
    simulator: Simulator
    mail: Gateway

    def fault(self, **fault: Any) -> None:
        self.simulator.set_faults({"smsc": {"all": {"on": ["mail"], **fault}}})


@pytest.fixture
async def world() -> AsyncIterator[World]:
    simulator = Simulator(accounts=(Account(login="acme", password=SECRET),))
    async with running(simulator) as port, HttpClient() as http:
        mail_port = await simulator.listen_for_mail("127.0.0.1", 0)
        login = {"login": "acme", "password": {"env": "SMSC"}}
        by_http = {"type": "smsc-http", "base_url": f"http://127.0.0.1:{port}", **login}
        doors = {"mail": by_mail(mail_port), "smsc": Provider.model_validate(by_http)}
        yield World(simulator, gateways(doors, http, mail_ways(None, "sms.example.kz"))["mail"])


async def test_a_door_without_status_finds_one_of_its_account_to_ask(world: World) -> None:
    await world.mail.submit(request_of(world.mail))
    assert world.mail.doubt == "late"
    assert (await world.mail.status(Question(PHONE, "1234"))).state == "ACCEPTED"


@pytest.mark.parametrize("refuse", range(1, 10))
async def test_a_refusal_of_the_provider_is_silent_and_shows_as_not_found(world: World, refuse: int) -> None:
    world.fault(refuse=refuse)
    assert (await world.mail.submit(request_of(world.mail))).handed_over
    assert (await world.mail.status(Question(PHONE, "1234"))).state is None
    assert world.simulator.messages() == ()


@pytest.mark.parametrize(("number", "kind"), [(421, NotSent), (451, NotSent), (550, PermanentFailure)])
async def test_a_refusal_of_the_relay_takes_nothing(world: World, number: int, kind: type[Exception]) -> None:
    world.fault(http_status=number, take=False)
    with pytest.raises(kind) as caught:
        await world.mail.submit(request_of(world.mail))
    assert type(caught.value) is kind
    assert world.simulator.messages() == ()


async def test_a_double_within_the_minute_is_swallowed_without_a_word(world: World) -> None:
    for client_id in ("1", "2"):
        assert (await world.mail.submit(request_of(world.mail, client_id))).handed_over
    assert [one.id for one in world.simulator.messages()] == ["1"]


async def test_a_taken_mail_whose_answer_was_lost_is_found(world: World) -> None:
    world.fault(drop="after")
    request = request_of(world.mail)
    with pytest.raises(OutcomeUnknown):
        await world.mail.submit(request)
    answer = await world.mail.status(Question(PHONE, "1234"))
    assert answer.state == "ACCEPTED"
    assert world.mail.is_ours(request, answer, datetime.now(UTC))


# The relay


@dataclass
class Seen:
    port: int = 0
    encrypted: list[bool] = field(default_factory=list)
    bodies: list[bytes] = field(default_factory=list)

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:
        self.encrypted.append(session.ssl is not None)
        self.bodies.append(envelope.content)
        return "250 2.0.0 taken"


@asynccontextmanager
async def relay(tls: ssl.SSLContext | None = None) -> AsyncIterator[Seen]:
    seen, loop = Seen(), asyncio.get_running_loop()
    server = await loop.create_server(
        lambda: SMTP(seen, hostname="relay.test", loop=loop, tls_context=tls), "127.0.0.1", 0
    )
    seen.port = server.sockets[0].getsockname()[1]
    try:
        yield seen
    finally:
        server.close()


def trust() -> tuple[ssl.SSLContext, ssl.SSLContext]:
    authority = trustme.CA()
    serving = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(serving)
    trusting = ssl.create_default_context()
    authority.configure_trust(trusting)
    return serving, trusting


def opened(port: int, trusting: ssl.SSLContext | None = None, **keys: Any) -> Gateway:
    ways = mail_ways(None, "sms.example.kz", trust=trusting)
    return gateways({"mail": by_mail(port, **keys)}, HttpClient(), ways)["mail"]


async def test_T36_the_password_travels_only_under_a_verified_certificate() -> None:
    serving, trusting = trust()
    async with relay(serving) as seen:
        gateway = opened(seen.port, trusting, tls="required")
        assert (await gateway.submit(request_of(gateway))).handed_over
        assert seen.encrypted == [True]
        stranger = opened(seen.port, tls="required")
        with pytest.raises(NotSent):
            await stranger.submit(request_of(stranger, "2"))
        assert len(seen.bodies) == 1


async def test_T02_a_relay_without_tls_gets_nothing_where_tls_is_required() -> None:
    async with relay() as seen:
        gateway = opened(seen.port, tls="required")
        with pytest.raises(NotSent):
            await gateway.submit(request_of(gateway))
        assert seen.bodies == []


async def test_T29_a_bounce_must_not_bring_the_password_back() -> None:
    commands: list[bytes] = []
    said = {b"EHLO": b"250-relay.test\r\n250 DSN\r\n", b"DATA": b"354 go\r\n", b"QUIT": b"221 bye\r\n"}

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"220 relay.test\r\n")
        while line := await reader.readline():
            commands.append(line.strip())
            writer.write(said.get(line[:4].upper(), b"250 OK\r\n"))
            if line.upper().startswith(b"DATA"):
                await reader.readuntil(b"\r\n.\r\n")
                writer.write(b"250 taken\r\n")
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server:
        gateway = opened(server.sockets[0].getsockname()[1])
        assert (await gateway.submit(request_of(gateway))).handed_over
    assert b"MAIL FROM:<bounce+1234.1@sms.example.kz> RET=HDRS" in commands


async def test_a_relay_that_is_away_has_nothing() -> None:
    async with relay() as seen:
        port = seen.port
    gateway = opened(port)
    with pytest.raises(NotSent):
        await gateway.submit(request_of(gateway))


# The configuration


@pytest.mark.parametrize(
    ("keys", "about"),
    [
        ({"relay": "smtp://relay.test:25"}, "mail.tls"),
        ({"relay": None}, "mail.relay"),
        ({"relay": "mx"}, "mail.tls"),
        ({"mail_from": None}, "mail.mail_from"),
        ({"password": None}, "mail.password"),
        ({"to": None}, "mail.to"),
    ],
)
def test_says_what_is_missing_or_unsafe(keys: dict[str, Any], about: str) -> None:
    with pytest.raises(ConfigError) as caught:
        opened(25, **keys)
    assert about in str(caught.value)


def test_without_a_way_for_mails_there_is_no_such_door() -> None:
    with pytest.raises(ConfigError):
        gateways({"mail": by_mail(25)}, HttpClient())


def test_bounces_go_where_our_other_mails_come_from_and_the_same_relay_is_logged_in_to() -> None:
    outgoing = OutgoingMail.model_validate(
        {"relay": "smtp://127.0.0.1:25", "from": "sms@example.kz", "user": "u", "password": {"env": "SMSC"}}
    )
    way = mail_ways(outgoing, "sms.example.kz")("mail", by_mail(25, mail_from=None))
    assert way.mail_from == "sms@example.kz"
    assert SECRET not in repr(way)
