"""Doors are opened: what a listener of the configuration becomes, with the sentence for an address that is taken."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol
from urllib.parse import urlsplit

from bridge.app.taken import cannot_listen
from bridge.book import RuleBook
from bridge.config.models.doors import Listener
from bridge.errors import ConfigError
from bridge.ingress.smtp import SmtpDoor
from bridge.web.app import create
from bridge.web.ports import Ports
from bridge.web.server import CannotListen, HttpServer


class Serve(Protocol):
    """How an HTTP server is made (``HttpServer``)."""

    def __call__(self, app: Any, host: str, port: int, *, certificate: str, key: str) -> HttpServer: ...


def built(listeners: Sequence[Listener]) -> tuple[list[Listener], list[Listener]]:
    """The listeners that this version opens, HTTP first, and the others."""
    known = [each for each in listeners if each.door in ("http", "smtp") and not each.proxy_protocol]
    return sorted(known, key=lambda each: each.door), [each for each in listeners if each not in known]


async def open_smtp(door: SmtpDoor, listener: Listener) -> None:
    """Start *door*. Raises CannotListen."""
    address = listener.address
    try:
        await door.start()
    except OSError as error:
        raise cannot_listen(address.host, address.port, str(address), error) from error


async def open_http(listener: Listener, ports: Ports, routes: Sequence[Any], serve: Serve) -> HttpServer:
    """The server that answers at *listener*. Raises CannotListen, ConfigError."""
    address, tls = listener.address, listener.tls
    if address.kind != "tcp":
        raise ConfigError((f"listen: door http at {address}: HOST:PORT only in this version",))
    server = serve(
        create(ports, routes),
        address.host,
        address.port,
        certificate=str(tls.cert) if tls else "",
        key=str(tls.key) if tls else "",
    )
    try:
        await server.start()
    except CannotListen as error:
        if isinstance(error.__cause__, OSError):
            raise cannot_listen(address.host, address.port, str(address), error.__cause__) from error
        raise
    return server


def is_loopback(host: str) -> bool:
    """Whether only this very machine can come in there."""
    return host in ("localhost", "::1") or host.startswith("127.")


def public_hosts(book: RuleBook) -> frozenset[str]:
    """Names under which people reach the pages besides loopback."""
    url = book.config.http.public_url if book.config.http else None
    host = urlsplit(url).hostname if url else None
    return frozenset({host} if host else ())
