"""A server on loopback that answers, or misbehaves, exactly as a test says, and counts what reached it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs

import pytest

from bridge.config.models.providers import Provider
from bridge.config.secrets import SecretText
from bridge.providers.http import HttpClient
from bridge.providers.smsc_http import SmscHttp

Behave = Callable[["Peer", asyncio.StreamWriter], Awaitable[None]]


@dataclass
class Peer:
    """What one server saw."""

    port: int = 0
    bodies: list[bytes] = field(default_factory=list)
    heads: list[bytes] = field(default_factory=list)
    connections: int = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def form(self, place: int = -1) -> dict[str, str]:
        """The parameters of one request; each stands there once."""
        fields = parse_qs(self.bodies[place].decode(), keep_blank_values=True, strict_parsing=True)
        assert all(len(values) == 1 for values in fields.values())
        return {name: values[0] for name, values in fields.items()}


def answer(body: bytes, status: str = "200 OK") -> Behave:
    """Answer every request with *body*."""

    async def behave(peer: Peer, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 %s\r\nContent-Length: %d\r\n\r\n" % (status.encode(), len(body)) + body)
        await writer.drain()

    return behave


def raw(data: bytes, *, cut: bool = True, reset: bool = False) -> Behave:
    """Write *data* as it is, then hang up (*reset*: with RST)."""

    async def behave(peer: Peer, writer: asyncio.StreamWriter) -> None:
        writer.write(data)
        if data:
            await writer.drain()
        if reset:
            writer.transport.abort()
        elif cut:
            writer.close()

    return behave


def drip(body: bytes, gap: float) -> Behave:
    """One byte at a time."""

    async def behave(peer: Peer, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(body))
        for place in range(len(body)):
            writer.write(body[place : place + 1])
            await writer.drain()
            await asyncio.sleep(gap)

    return behave


async def silence(peer: Peer, writer: asyncio.StreamWriter) -> None:
    """Never answer; ends when the client goes."""
    while not writer.is_closing():
        await asyncio.sleep(0.01)


@asynccontextmanager
async def peer(*script: Behave, ssl: Any = None) -> AsyncIterator[Peer]:
    """A server whose n-th request meets the n-th of *script*; the last one stays."""
    seen = Peer()
    open_writers: set[asyncio.StreamWriter] = set()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        seen.connections += 1
        open_writers.add(writer)
        try:
            while not writer.is_closing():
                head = await reader.readuntil(b"\r\n\r\n")
                length = int(head.lower().split(b"content-length:")[1].split(b"\r\n")[0])
                body = await reader.readexactly(length)
                seen.heads.append(head)
                seen.bodies.append(body)
                await script[min(len(seen.bodies), len(script)) - 1](seen, writer)
        except (asyncio.IncompleteReadError, ConnectionError):
            return
        finally:
            writer.close()
            open_writers.discard(writer)

    server = await asyncio.start_server(serve, "127.0.0.1", 0, ssl=ssl)
    seen.port = server.sockets[0].getsockname()[1]
    try:
        yield seen
    finally:
        server.close()
        for writer in list(open_writers):
            writer.transport.abort()
        await asyncio.sleep(0)


@pytest.fixture
async def http() -> AsyncIterator[HttpClient]:
    async with HttpClient(connect=1.0) as client:
        yield client


@pytest.fixture
def door(http: HttpClient) -> Callable[..., SmscHttp]:
    """``door(url, **keys)``: a gateway with these keys of the configuration."""

    def make(url: str, **keys: Any) -> SmscHttp:
        login = {} if "apikey" in keys else {"login": "acme", "password": {"env": "SMSC"}}
        settings = Provider.model_validate({"type": "smsc-http", "base_url": url, **login, **keys})
        return SmscHttp("smsc", settings, SecretText("canary-Passw0rd&=+"), http)

    return make


@dataclass(frozen=True)
class Wire:
    """The ways a server behaves, for tests: ``async with wire.peer(wire.answer(b"{}")) as peer: …``"""

    answer = staticmethod(answer)
    raw = staticmethod(raw)
    drip = staticmethod(drip)
    silence = staticmethod(silence)
    peer = staticmethod(peer)


@pytest.fixture
def wire() -> Wire:
    return Wire()
