"""An HTTP listener: uvicorn with httptools, without its signal handlers, its log and its lifespan.

The process's signals, its log and the order in which things start belong to the application.
"""

from __future__ import annotations

import asyncio
import logging
import socket
from collections.abc import Iterator
from contextlib import contextmanager

import uvicorn
from starlette.types import ASGIApp

from bridge.errors import BridgeError

_DRAIN_S = 5  # how long running requests may take once the door closes


class CannotListen(BridgeError):
    """The address is taken, not ours, or not allowed."""


class _Server(uvicorn.Server):
    """uvicorn that never touches the process's signals."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.ready = asyncio.Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets=sockets)
        self.ready.set()

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


class HttpServer:
    """*app* at *host*:*port* (0 takes a free port); TLS when a certificate and its key are given."""

    def __init__(
        self,
        app: ASGIApp,
        host: str,
        port: int,
        *,
        certificate: str = "",
        key: str = "",
        protocol: type[asyncio.Protocol] | None = None,
    ) -> None:
        """*protocol* replaces uvicorn's own (the demo's can cut connections)."""
        self.host = host
        self.port = port
        self._server = _Server(_configured(app, certificate, key, protocol))
        self._serving: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Listen; returns when requests are taken. CannotListen when the address cannot be had."""
        listener = _bound(self.host, self.port)
        self.port = int(listener.getsockname()[1])
        self._serving = asyncio.create_task(self._server.serve(sockets=[listener]), name=f"http {self.address}")
        ready = asyncio.create_task(self._server.ready.wait())
        await asyncio.wait({ready, self._serving}, return_when=asyncio.FIRST_COMPLETED)
        if not self._server.ready.is_set():
            ready.cancel()
            await self._serving
            raise CannotListen(f"cannot serve {self.address}")

    @property
    def address(self) -> str:
        """``127.0.0.1:8025``."""
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"

    @property
    def listening(self) -> bool:
        """Whether requests are taken now."""
        return self._server.started and self._serving is not None and not self._serving.done()

    async def stop(self) -> None:
        """Close the door, let running requests end. May be called twice."""
        self._server.should_exit = True
        if self._serving is not None:
            await self._serving


def _configured(app: ASGIApp, certificate: str, key: str, protocol: type[asyncio.Protocol] | None) -> uvicorn.Config:
    return uvicorn.Config(
        app,
        http=protocol or "httptools",
        ws="none",
        lifespan="off",
        access_log=False,  # a path of a callback is a secret
        log_config=None,
        log_level=logging.WARNING,
        proxy_headers=False,
        server_header=False,
        timeout_keep_alive=75,
        timeout_graceful_shutdown=_DRAIN_S,
        limit_concurrency=1000,
        ssl_certfile=certificate or None,
        ssl_keyfile=key or None,
    )


def _bound(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)  # named, so that asyncio sets NODELAY
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((host, port))
    except OSError as error:
        listener.close()
        raise CannotListen(f"cannot listen on {host}:{port}: {error.strerror}") from error
    return listener
