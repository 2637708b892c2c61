"""The gateways' doors as an ASGI application: read the request, let faults play, send the answer.

Answers carry Content-Length and are never chunked: the PHP library misreads chunks (smsc-http.md §7).
"""

from __future__ import annotations

import asyncio
import re
from asyncio import Transport
from collections.abc import Coroutine
from dataclasses import replace

from starlette.requests import ClientDisconnect, Request
from starlette.types import Receive, Scope, Send

from bridge.simulator.faults import Fault
from bridge.simulator.records import Exchange
from bridge.simulator.simulator import Simulator
from bridge.simulator.smsc.gateway import NAME
from bridge.simulator.smsc.replies import Reply
from bridge.simulator.smsc.request import Raw

EXTENSION = "simulator.transport"
"""Where the server puts the connection's transport into the scope (``serve.Protocol`` does)."""

_LARGEST = 4 * 1024 * 1024
_HUGE = 32 * 1024 * 1024
_SPOILED = {
    "garbage": b"\x00\xff\xfe{]]>not an answer",
    "html": b"<html><head><title>502 Bad Gateway</title></head><body><h1>502 Bad Gateway</h1></body></html>",
    "empty": b"",
    "ok": b"OK",
}
_ID = re.compile(rb'(\A(?=[0-9]+(?:,[^-]|\Z))|"id(?:_message)?": *"?|ID - |<id>| id_message=")[1-9][0-9]*')
"""A message's id in any of the forms of a send's answer; the 0 of an error is none."""


class SmscDoor:
    """One of ``/sys/*.php`` or ``/rest/send/``."""

    def __init__(self, simulator: Simulator, door: str) -> None:
        self._simulator = simulator
        self._door = door

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            raw = await _read(Request(scope, receive), self._door)
        except ClientDisconnect:
            return
        smsc, air = self._simulator.smsc, self._simulator.air
        met = smsc.meet(raw)
        login = raw.asked.get("login") or raw.asked.get("apikey")
        with smsc.guard.connection(login, self._door, air.switches.limits) as crowded:
            unread = not met.door.takes and met.door.refuse is None
            reply = Reply(b"", "text/plain") if unread else smsc.answer(raw, met, crowded=crowded)
            reply = spoil(reply, met.door)
            self._note(raw, reply, met.door)
            await self._play(reply, met.door, scope, receive, send)

    def _note(self, raw: Raw, reply: Reply, fault: Fault) -> None:
        target, body = raw.shown()
        unanswered = fault.silent or fault.drop in ("before", "after")
        self._simulator.air.exchanges.append(
            Exchange(
                gateway=NAME,
                door=self._door,
                method=raw.method,
                target=target,
                body=body,
                peer=raw.peer,
                received_at=self._simulator.air.now(),
                answer=None if unanswered else reply.body.decode(raw.asked.charset or "cp1251", "replace"),
            )
        )

    async def _play(self, reply: Reply, fault: Fault, scope: Scope, receive: Receive, send: Send) -> None:
        transport: Transport | None = scope.get("extensions", {}).get(EXTENSION)
        if fault.delay:
            await self._closing_or(asyncio.sleep(fault.delay))
        if fault.silent:
            await self._closing_or(_gone(receive))
        if fault.silent or fault.drop in ("before", "after"):
            await _cut(transport, receive, flush=False)
            return
        await _start(send, reply, fault.http_status if fault.http_status != 200 else reply.status)
        if fault.half:
            await send({"type": "http.response.body", "body": reply.body[: len(reply.body) // 2], "more_body": True})
            await _cut(transport, receive, flush=True)
            return
        await self._body(send, reply.body, fault.drip)
        if fault.drop == "answered" and transport is not None:
            transport.close()

    async def _body(self, send: Send, body: bytes, drip: float) -> None:
        if drip:
            for start in range(len(body) - 1):
                await send({"type": "http.response.body", "body": body[start : start + 1], "more_body": True})
                await self._closing_or(asyncio.sleep(drip))
            body = body[-1:]
        await send({"type": "http.response.body", "body": body})

    async def _closing_or(self, wait: Coroutine[object, object, None]) -> None:
        """Wait, but no longer than the simulator lives: a held request must not hold the shutdown."""
        waits = {asyncio.create_task(wait), asyncio.create_task(_true(self._simulator.closing))}
        try:
            await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in waits:
                task.cancel()


async def _true(event: asyncio.Event) -> None:
    await event.wait()


async def _gone(receive: Receive) -> None:
    """Until the client has hung up."""
    while (await receive())["type"] != "http.disconnect":
        pass


async def _cut(transport: Transport | None, receive: Receive, *, flush: bool) -> None:
    """End the connection without another byte; *flush* lets out what was already written."""
    if transport is None:
        # Loud, because a cut that turns into a tidy error answer would prove the wrong thing.
        raise RuntimeError("this HTTP server cannot cut connections: run it with bridge.simulator.serve.Protocol")
    if flush:
        transport.close()
    else:
        transport.abort()
    await _gone(receive)


async def _start(send: Send, reply: Reply, status: int) -> None:
    headers = [
        (b"content-type", reply.content_type.encode("ascii")),
        (b"content-length", str(len(reply.body)).encode("ascii")),
    ]
    await send({"type": "http.response.start", "status": status, "headers": headers})


def spoil(reply: Reply, fault: Fault) -> Reply:
    """What the door sends instead of its answer."""
    if fault.answer is None:
        return reply
    if fault.answer == "huge":  # still an answer for whoever reads all of it
        return replace(reply, body=reply.body + b" " * _HUGE)
    if fault.answer == "other id":
        return replace(reply, body=_ID.sub(rb"\g<1>424242", reply.body))
    if fault.answer == "charset":
        said = reply.content_type.rpartition("charset=")[2] or "utf-8"
        return replace(reply, body=reply.body.decode(said, "replace").encode("utf-16-le"))
    return Reply(_SPOILED[fault.answer], "text/html" if fault.answer == "html" else reply.content_type)


async def _read(request: Request, door: str) -> Raw:
    body = bytearray()
    async for chunk in request.stream():
        body += chunk[: _LARGEST - len(body)]
    return Raw(
        door=door,
        method=request.method,
        path=request.scope["path"],
        query=request.scope["query_string"],
        body=bytes(body),
        content_type=request.headers.get("content-type", ""),
        peer=request.client.host if request.client else "",
        host=request.headers.get("host", ""),
    )
