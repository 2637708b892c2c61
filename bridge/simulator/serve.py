"""An HTTP server for the simulator that can also misbehave as a network does: cut a connection in the middle.

Never takes the process's signals, never logs a URL (a GET carries the password).
"""

from __future__ import annotations

import asyncio
import logging
import socket
import ssl
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager

import uvicorn
from starlette.types import ASGIApp
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from bridge.errors import BridgeError
from bridge.simulator.app import create
from bridge.simulator.doors import EXTENSION
from bridge.simulator.simulator import Simulator


class CannotListen(BridgeError):
    """The address is taken, not ours, or not allowed."""


class Protocol(HttpToolsProtocol):
    """Hands its transport to the application, so that a fault can cut the connection."""

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self.scope["extensions"] = {EXTENSION: self.transport}  # type: ignore[dict-item]


class Server(uvicorn.Server):
    """uvicorn without its signal handlers: whoever runs the loop decides when it ends."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.ready = asyncio.Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets=sockets)
        self.ready.set()

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


def configured(app: ASGIApp, tls: ssl.SSLContext | None = None) -> uvicorn.Config:
    """How the simulator's application must be served; in the clear without *tls*."""
    return uvicorn.Config(
        app,
        http=Protocol,
        ws="none",
        lifespan="off",
        access_log=False,
        log_config=None,
        log_level=logging.WARNING,
        proxy_headers=False,
        server_header=False,
        timeout_keep_alive=75,
        timeout_graceful_shutdown=2,
        ssl_context_factory=None if tls is None else lambda _config, _default: tls,
    )


@asynccontextmanager
async def served(
    app: ASGIApp, host: str = "127.0.0.1", port: int = 0, tls: ssl.SSLContext | None = None
) -> AsyncIterator[int]:
    """Serve *app* inside the block; gives the port. CannotListen when the address cannot be had."""
    listener = _bound(host, port)
    server = Server(configured(app, tls))
    serving = asyncio.create_task(server.serve(sockets=[listener]), name="simulator http")
    try:
        await server.ready.wait()
        yield int(listener.getsockname()[1])
    finally:
        server.should_exit = True
        await serving


@asynccontextmanager
async def running(simulator: Simulator, host: str = "127.0.0.1", port: int = 0) -> AsyncIterator[int]:
    """*simulator* started and served at *host*:*port* inside the block; gives the port."""
    async with served(create(simulator), host, port) as got:
        await simulator.start()
        try:
            yield got
        finally:
            await simulator.close()


def _bound(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # Named TCP, because asyncio switches Nagle's wait off only then: without it every answer is 40 ms late.
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((host, port))
    except OSError as error:
        listener.close()
        raise CannotListen(f"cannot listen on {host}:{port}: {error.strerror}") from error
    return listener
