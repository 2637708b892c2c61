"""One way to ask a provider over HTTP: once, verified, bounded; and what it means when it fails.

The only place, with ``http_addresses``, that knows aiohttp. The question that decides about money is whether
a byte of the request may have left: until the request's headers go into the socket it has not (NotSent), from
then on only a whole answer proves anything (OutcomeUnknown). aiohttp quietly repeats a GET on a connection that
the server closed; ``_headers_go`` stops that, or a paid request would be paid twice.
"""

from __future__ import annotations

import asyncio
import re
import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from ipaddress import IPv4Address, ip_address
from types import SimpleNamespace, TracebackType
from typing import Self
from urllib.parse import quote_plus, urlsplit

import aiohttp
from yarl import URL

from bridge.config.reachable import literal, may_be_asked
from bridge.errors import ConfigError, NotSent, OutcomeUnknown
from bridge.providers.http_addresses import Resolver, socket_to

MOST_BYTES = 64 * 1024  # of an answer (threats T37)
_CONNECT = 5.0  # seconds for name, TCP and TLS together
_KEEP_ALIVE = 4.0  # shorter than any provider's: Apache closes after 5 s, and a request on a closing line is lost
_ALWAYS = {
    "Accept-Encoding": "identity",  # nothing to unpack: 64 kB of answer stay 64 kB
    "User-Agent": "smsbridge",
}
_UNRESERVED = re.compile(r"[A-Za-z0-9_.~-]*")  # RFC 3986 §2.3
_HEADERS = {"Content-Type": "application/x-www-form-urlencoded"}


@dataclass(frozen=True, slots=True)
class Answer:
    """A whole answer, nothing in it believed yet."""

    status: int
    body: bytes


@dataclass(slots=True)
class _Progress:
    left: bool = False  # whether a byte of the request may have left this machine


class HttpClient:
    """One pool of connections for all gateways. Opens itself at the first request; ``close`` it, or use ``async with``.

    *tls* replaces the system's trust; there is no way to switch verification off. *connect* is in seconds.
    """

    def __init__(self, *, tls: ssl.SSLContext | None = None, connect: float = _CONNECT) -> None:
        self._tls = tls
        self._timeout = aiohttp.ClientTimeout(total=None, connect=connect, sock_read=None)
        self._session: aiohttp.ClientSession | None = None

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None
    ) -> None:
        await self.close()

    async def close(self) -> None:
        """Drop all connections."""
        session, self._session = self._session, None
        if session is not None:
            await session.close()

    async def post(self, url: str, form: Mapping[str, str], *, within: float, most: int = MOST_BYTES) -> Answer:
        """Ask once. *within* seconds for everything, *most* bytes of answer.

        Raises NotSent when nothing left, OutcomeUnknown when something may have.
        """
        body = encoded(form).encode("ascii")
        return await self.ask("POST", url, body, _HEADERS, within=within, most=most)

    async def ask(
        self, method: str, url: str, body: bytes | None, headers: Mapping[str, str], *, within: float,
        most: int = MOST_BYTES,
    ) -> Answer:  # fmt: skip
        """The same with any *body* and *headers*, and any method: a *url* is taken as it is escaped."""
        progress = _Progress()
        try:
            async with asyncio.timeout(within):
                return await self._ask(method, url, body, {**_ALWAYS, **headers}, progress, most)
        except (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError, aiohttp.InvalidURL) as error:
            raise NotSent(_why(error)) from error
        except (aiohttp.ClientError, OSError) as error:  # TimeoutError is an OSError
            if progress.left:
                raise OutcomeUnknown(_why(error)) from error
            raise NotSent(_why(error)) from error

    async def _ask(
        self, method: str, url: str, body: bytes | None, headers: Mapping[str, str], progress: _Progress, most: int
    ) -> Answer:
        asking = self._opened().request(
            method,
            _target(url),
            data=body,
            headers=headers,
            allow_redirects=False,
            timeout=self._timeout,
            trace_request_ctx=progress,
        )
        async with asking as response:
            content = await _read(response, most)
            return Answer(response.status, content)

    def _opened(self) -> aiohttp.ClientSession:
        if self._session is None:
            tracing = aiohttp.TraceConfig()
            tracing.on_request_headers_sent.append(_headers_go)
            self._session = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(
                    ssl=self._tls or ssl.create_default_context(),
                    keepalive_timeout=_KEEP_ALIVE,
                    resolver=Resolver(),
                    socket_factory=socket_to,
                ),
                cookie_jar=aiohttp.DummyCookieJar(),
                trust_env=False,
                auto_decompress=False,
                trace_configs=[tracing],
            )
        return self._session


def encoded(form: Mapping[str, str]) -> str:
    """``application/x-www-form-urlencoded``, UTF-8, as ``urlencode`` writes it, and sooner (threats T15)."""
    return "&".join(f"{_quoted(name)}={_quoted(value)}" for name, value in form.items())


def _quoted(text: str) -> str:
    return text if _UNRESERVED.fullmatch(text) else quote_plus(text, encoding="utf-8", errors="replace")


def _target(url: str) -> URL:
    """*url* with its query as it is: it was escaped by whoever wrote it."""
    place, mark, query = url.partition("?")
    try:
        return URL(f"{URL(place)}{mark}{query}", encoded=True)
    except ValueError as error:
        raise NotSent("the address is none") from error


async def _headers_go(
    session: aiohttp.ClientSession, context: SimpleNamespace, params: aiohttp.TraceRequestHeadersSentParams
) -> None:
    """aiohttp calls this right before the first byte goes into the socket. A second time is a repeat of its own."""
    if context.trace_request_ctx.left:
        raise OutcomeUnknown("the connection broke")
    context.trace_request_ctx.left = True


async def _read(response: aiohttp.ClientResponse, most: int) -> bytes:
    content = bytearray()
    while chunk := await response.content.read(most + 1 - len(content)):
        content += chunk
        if len(content) > most:
            raise OutcomeUnknown(f"the answer is longer than {most // 1024} kB")
    return bytes(content)


def _why(error: BaseException) -> str:
    """A sentence without URLs and without anything that was sent."""
    if isinstance(error, aiohttp.ClientConnectorCertificateError):
        return f"the certificate of {error.host} is not valid"
    if isinstance(error, aiohttp.ClientConnectorDNSError):
        return f"the name {error.host} is not found"
    if isinstance(error, aiohttp.ClientConnectorSSLError):
        return f"no TLS with {error.host}:{error.port}"
    if isinstance(error, aiohttp.ClientConnectorError):
        return f"no connection to {error.host}:{error.port}: {error.os_error.strerror or 'refused'}"
    if isinstance(error, TimeoutError):
        return "no answer in time"
    if isinstance(error, aiohttp.InvalidURL):
        return "the address is none"
    if isinstance(error, aiohttp.ServerDisconnectedError | aiohttp.ClientPayloadError | OSError):
        return "the connection broke"
    return f"the answer is no HTTP ({type(error).__name__})"


def check_url(url: str, where: str, *, insecure: bool) -> str:
    """*url*, if it may carry a password: https, or http to this machine, or ``insecure`` was said (threats T36).

    An address at which no gateway can be is none even then (T26). Raises ConfigError.
    """
    parts = urlsplit(url)
    address = literal(parts.hostname or "")
    if address is not None and not may_be_asked(address):
        raise ConfigError((f"{where}: {url} is an address where no gateway can be",))
    if isinstance(address, IPv4Address) and parts.hostname != str(address):
        raise ConfigError((f"{where}: write {parts.hostname} as {address}",))
    if parts.scheme == "https" or insecure or _is_loopback(parts.hostname or ""):
        return url
    raise ConfigError((f"{where}: {url} carries a password without TLS; write https, or insecure: true",))


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
