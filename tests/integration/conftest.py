"""A real mail door on loopback, and a client that says exactly the bytes it is told to."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

import pytest

from bridge.config.models.doors import Listener
from bridge.ingress import replies
from bridge.ingress.limits import BytesInFlight, Caps, SharedLimits, Tries
from bridge.ingress.ports import Facts, Room
from bridge.ingress.smtp import SmtpDoor
from bridge.model import Envelope
from bridge.store.users import Logins

NOW = datetime(2026, 11, 21, 3, 12, tzinfo=UTC)


class HouseRules:
    """Takes everything at ``sms.example.kz`` but ``secret@``; the login ``zabbix`` may only be itself."""

    hostname = "sms.example.kz"

    def sender_refusal(self, facts: Facts) -> str | None:
        if facts.login == "zabbix" and facts.mail_from != "zabbix@example.kz":
            return replies.may_not_send_as(facts.login, facts.mail_from)
        return None

    def recipient_refusal(self, facts: Facts, address: str) -> str | None:
        if address.endswith("@sms.example.kz") and not address.startswith("secret@"):
            return None
        return replies.no_rule(address)


class Tally:
    """A meter that remembers."""

    def __init__(self) -> None:
        self.now_open = 0
        self.mails = 0
        self.refusals: list[tuple[str, str]] = []

    def opened(self) -> None:
        self.now_open += 1

    def closed(self) -> None:
        self.now_open -= 1

    def kept(self, size: int, seconds: float) -> None:
        self.mails += 1

    def refused(self, stage: str, reply: str, peer: str) -> None:
        self.refusals.append((stage, reply))


class Client:
    """A peer that writes raw bytes and reads whole replies."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer

    async def send(self, data: bytes) -> None:
        self.writer.write(data)
        await self.writer.drain()

    async def reply(self) -> str:
        """One reply, its lines joined by LF; "" when the door hung up."""
        lines = []
        while line := await asyncio.wait_for(self.reader.readline(), 10):
            lines.append(line.decode("ascii").removesuffix("\r\n"))
            if line[3:4] != b"-":
                break
        return "\n".join(lines)

    async def say(self, command: str) -> str:
        await self.send(command.encode() + b"\r\n")
        return await self.reply()

    async def say_all(self, *commands: str) -> list[str]:
        return [await self.say(command) for command in commands]

    async def mail(self, content: bytes, recipient: str = "oncall@sms.example.kz") -> str:
        """A whole mail with this content (its lines end and dots are stuffed as given); the last reply."""
        opening = await self.say_all("MAIL FROM:<ups@example.kz>", f"RCPT TO:<{recipient}>", "DATA")
        assert opening[-1].startswith("354"), opening
        await self.send(content + b"\r\n.\r\n")
        return await self.reply()

    async def start_tls(self, context: ssl.SSLContext) -> None:
        await self.writer.start_tls(context, server_hostname="localhost")

    async def closed(self) -> bool:
        """Whether the door hangs up (within the time a test may take)."""
        try:
            return await asyncio.wait_for(self.reader.read(), 10) is not None
        except ConnectionError:
            return True

    def close(self) -> None:
        self.writer.transport.abort()


@dataclass
class House:
    """One door with what it kept and counted."""

    listener: Listener
    limits: SharedLimits
    logins: Logins
    tally: Tally = field(default_factory=Tally)
    mails: list[Envelope] = field(default_factory=list)
    delays: list[float] = field(default_factory=list)
    keep: Callable[[Envelope], Awaitable[int]] | None = None
    room: Room = lambda size: True
    clients: list[Client] = field(default_factory=list)
    door: SmtpDoor = field(init=False)

    async def open(self) -> House:
        self.door = SmtpDoor(
            self.listener,
            policy=HouseRules(),
            keep=self._keep,
            logins=self.logins,
            limits=self.limits,
            clock=lambda: NOW,
            meter=self.tally,
            room=lambda size: self.room(size),
            pause=self._pause,
        )
        await self.door.start()
        return self

    async def connect(
        self, *, tls: ssl.SSLContext | None = None, source: str | None = None, greet: bool = True
    ) -> Client:
        """A connection, after the greeting and EHLO; *source* is an address of loopback to come from."""
        reader, writer = await asyncio.open_connection(
            "127.0.0.1",
            self.door.port,
            ssl=tls,
            server_hostname="localhost" if tls else None,
            local_addr=(source, 0) if source else None,
            limit=1 << 22,
        )
        client = Client(reader, writer)
        self.clients.append(client)
        if greet:
            assert (await client.reply()).startswith("220 ")
            assert (await client.say("EHLO ups.example.kz")).startswith("250-")
        return client

    async def secure(self, context: ssl.SSLContext) -> Client:
        """A connection after STARTTLS and a second EHLO."""
        client = await self.connect()
        assert (await client.say("STARTTLS")).startswith("220 ")
        await client.start_tls(context)
        assert "AUTH" in await client.say("EHLO ups.example.kz")
        return client

    async def _keep(self, envelope: Envelope) -> int:
        if self.keep is not None:
            return await self.keep(envelope)
        self.mails.append(envelope)
        return 90416 + len(self.mails)

    async def _pause(self, seconds: float) -> None:
        self.delays.append(seconds)


@pytest.fixture
def now() -> datetime:
    """The moment at which every mail of a test comes in."""
    return NOW


OpenHouse = Callable[..., Awaitable[House]]


@pytest.fixture
async def smtp_house() -> AsyncIterator[OpenHouse]:
    """``await smtp_house(caps={…}, in_flight={…}, tries={…}, limits=…, logins=…, **listener keys)``."""
    houses: list[House] = []

    async def build(
        caps: dict[str, Any] | None = None,
        in_flight: dict[str, int] | None = None,
        tries: dict[str, int] | None = None,
        limits: SharedLimits | None = None,
        logins: Logins | None = None,
        **listener: Any,
    ) -> House:
        keys = {"door": "smtp", "address": "127.0.0.1:0", "trust": ["127.0.0.0/8"]} | listener
        shared = limits or SharedLimits(
            replace(Caps(), **(caps or {})), BytesInFlight(**(in_flight or {})), Tries(**(tries or {}))
        )
        house = House(Listener.model_validate(keys), shared, logins or Logins())
        houses.append(await house.open())
        return house

    yield build
    for house in houses:
        for client in house.clients:
            client.close()
        await house.door.stop(0.1)
        house.logins.close()
