"""The gateway's pages as an ASGI application; faults play as at the other gateway's doors."""

from __future__ import annotations

from starlette.requests import ClientDisconnect, Request
from starlette.types import Receive, Scope, Send

from bridge.simulator.doors import SmscDoor, spoil
from bridge.simulator.faults import Fault
from bridge.simulator.records import Exchange
from bridge.simulator.smsc.replies import Reply
from bridge.simulator.smsgate.asked import Raw
from bridge.simulator.smsgate.cascade import NAME

_LARGEST = 4 * 1024 * 1024


class SmsgateDoor(SmscDoor):
    """One of ``/sendmessage.php``, ``/sendmessagejson.php`` and ``/xml/*.php``."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            raw = await _read(Request(scope, receive), self._door)
        except ClientDisconnect:
            return
        smsgate = self._simulator.smsgate
        met = smsgate.meet(raw)
        fault = met.door
        unread = not fault.takes and fault.refuse is None
        reply, status = (Reply(b"", "text/plain"), 200) if unread else smsgate.answer(raw, met)
        if fault.http_status == 200:
            fault = fault.model_copy(update={"http_status": status})
        reply = spoil(reply, fault)
        self._keep(raw, reply, fault)
        await self._play(reply, fault, scope, receive, send)

    def _keep(self, raw: Raw, reply: Reply, fault: Fault) -> None:
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
                answer=None if unanswered else reply.body.decode("utf-8", "replace"),
            )
        )


async def _read(request: Request, page: str) -> Raw:
    body = bytearray()
    async for chunk in request.stream():
        body += chunk[: _LARGEST - len(body)]
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    return Raw(
        page=page,
        method=request.method,
        path=request.scope["path"],
        query=request.scope["query_string"].decode("ascii", "replace"),
        body=bytes(body),
        token=token.strip() if scheme.lower() == "bearer" else "",
        peer=request.client.host if request.client else "",
    )
