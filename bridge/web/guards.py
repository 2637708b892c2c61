"""What stands before every request: a cap on bodies, the headers of safety, and who may open the console.

Pure ASGI, because it must see requests that no route answers. Sources: console.md §11, threats T28.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from collections.abc import Mapping
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from bridge.web.ports import LOOPBACK

LARGEST_BODY = 64 * 1024  # bytes: forms and callbacks are far smaller (T24)
CSP = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; form-action 'self'; "
    "frame-src 'self'; frame-ancestors 'none'; base-uri 'none'; require-trusted-types-for 'script'; "
    "trusted-types bridge"
)
HEADERS: Mapping[str, str] = {
    "Content-Security-Policy": CSP,
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=()",
    "Cache-Control": "no-store",
}


class TooLarge(Exception):
    """The body goes on beyond the cap."""


class SafeHeaders:
    """Puts the headers of console.md §11 on every answer; what an answer says itself stays."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in HEADERS.items():
                    headers.setdefault(name, value)
            await send(message)

        await self._app(scope, receive, with_headers)


class CappedBody:
    """413 for a body over the cap, whether it says its length or not."""

    def __init__(self, app: ASGIApp, most: int = LARGEST_BODY) -> None:
        self._app = app
        self._most = most

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        said = Headers(scope=scope).get("content-length", "0")
        if not said.isdecimal() or int(said) > self._most:
            await _too_large(scope, receive, send)
            return
        seen = 0
        begun = False

        async def counted() -> Message:
            nonlocal seen
            message = await receive()
            seen += len(message.get("body", b""))
            if seen > self._most:
                raise TooLarge
            return message

        async def watched(message: Message) -> None:
            nonlocal begun
            begun = True
            await send(message)

        try:
            await self._app(scope, counted, watched)
        except TooLarge:
            if begun:
                raise
            await _too_large(scope, receive, send)


async def _too_large(scope: Scope, receive: Receive, send: Send) -> None:
    answer = PlainTextResponse("The body is too large.\n", 413, {"Connection": "close"})
    await answer(scope, receive, send)


def known_host(request: Request, hosts: frozenset[str]) -> bool:
    """Whether the page was asked for under a name of ours: a name of somebody else's that points here is an attack.

    (DNS rebinding: a script of that name's page could read everything a console on loopback shows.)
    """
    host = request.headers.get("host", "").lower()
    name = host if host.endswith("]") else host.rpartition(":")[0] or host
    return name in LOOPBACK or name in hosts or host in hosts


def same_origin(request: Request) -> bool:
    """Whether an act was begun on a page of ours: what the browser says of it, where it says anything.

    Our pages send no referrer, and so their forms come with ``Origin: null``: then Sec-Fetch-Site alone decides.
    """
    site, origin = request.headers.get("sec-fetch-site"), request.headers.get("origin")
    if site is not None and site != "same-origin":
        return False
    if origin is None or (origin == "null" and site == "same-origin"):
        return True
    return urlsplit(origin).netloc.lower() == request.headers.get("host", "").lower()


def cookie_name(request: Request) -> str:
    """Over TLS a name that no other host and no plain page may set; on plain loopback browsers refuse that prefix."""
    return "__Host-bridge" if request.url.scheme == "https" else "bridge"


def session_of(request: Request) -> str:
    """The random cookie of this browser, "" when it has none yet."""
    found = request.cookies.get(cookie_name(request), "")
    return found if len(found) == 43 and found.isascii() else ""


def new_session() -> str:
    """256 random bits."""
    return secrets.token_urlsafe(32)


def token_for(session: str) -> str:
    """The token of this browser's forms. Bound to its cookie, so every node behind a balancer knows it."""
    return hmac.new(session.encode(), b"smsbridge form", hashlib.sha256).hexdigest()[:40]


def token_fits(session: str, token: str) -> bool:
    """Whether a form came from a page that this browser was given."""
    return bool(session) and hmac.compare_digest(token_for(session).encode(), token.encode("utf-8", "replace"))


def give_cookie(request: Request, response: Response, name: str, value: str, *, max_age: int | None = None) -> None:
    """Set a cookie that no script reads and no other site sends."""
    secure = request.url.scheme == "https"
    response.set_cookie(name, value, max_age=max_age, path="/", secure=secure, httponly=True, samesite="strict")
