"""The live stream: hints that something changed, never what (console.md §10).

``id`` is the journal's sequence, so a browser that comes back says what it saw last and hears of what it
missed; when that is too much or too old it is told to fetch everything anew.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import suppress
from datetime import timedelta

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response, StreamingResponse

from bridge.errors import StoreUnavailable
from bridge.store import views
from bridge.web.hub import ALL, Hub, Subscription
from bridge.web.ports import Ports

MOST_STREAMS = 200
_BEAT_S = 15.0  # a comment line, so that neither end believes the other is gone
_LOOK_S = 3.0  # how often the journal is looked at without a hint: another node may have written
_PAUSE_S = 0.1  # hints of one moment go out as one
_MOST_MISSED = 1000
_OLDEST = timedelta(minutes=10)
_HEADERS = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}


class Live:
    """All streams of this process."""

    def __init__(self, ports: Ports) -> None:
        self._ports = ports
        self._streams = 0

    async def __call__(self, request: Request) -> Response:
        if self._streams >= MOST_STREAMS:
            return PlainTextResponse("Too many streams: poll instead.\n", 503, {"Retry-After": "15"})
        last = request.headers.get("last-event-id", "") or request.query_params.get("since", "")
        seq = int(last) if last.isascii() and last.isdecimal() and len(last) < 19 else None
        scope = frozenset(filter(None, request.query_params.get("scope", ALL).split(",")))
        return StreamingResponse(self._stream(scope, seq), media_type="text/event-stream", headers=_HEADERS)

    async def _stream(self, scope: frozenset[str], seq: int | None) -> AsyncIterator[bytes]:
        self._streams += 1
        try:
            with self._ports.changes.subscribe() as changes:
                async with _Phones(self._ports, self._ports.changes):
                    yield b"retry: 3000\n: hello\n\n"
                    async for event in self._events(changes, scope, seq):
                        yield event
        finally:
            self._streams -= 1

    async def _events(self, changes: Subscription, scope: frozenset[str], seq: int | None) -> AsyncIterator[bytes]:
        loop = asyncio.get_running_loop()
        spoke = loop.time()
        hinted: frozenset[str] | None = frozenset()
        while not changes.closed:
            missed = await self._since(seq)
            if missed is not None:
                names, seq, everything = missed
                what = names | (hinted or frozenset())
                if everything or ALL in what:
                    yield _event("all", seq, (ALL,))
                    spoke = loop.time()
                elif wanted := _wanted(what, scope):
                    yield _event("changed", seq, wanted)
                    spoke = loop.time()
            if loop.time() - spoke >= _BEAT_S:
                yield b": still here\n\n"
                spoke = loop.time()
            hinted = await changes.next(_LOOK_S)
            if hinted is not None:
                await asyncio.sleep(_PAUSE_S)
                hinted |= await changes.next(0) or frozenset()
        yield _event("bye", seq or 0, ())

    async def _since(self, seq: int | None) -> tuple[frozenset[str], int, bool] | None:
        """Names of what the journal holds after *seq*, its newest number, and whether that is too much to name.

        None while the store is away: the stream stays, hints wait for the next look.
        """
        try:
            if seq is None:
                return frozenset(), await self._ports.store.read(views.last_seq), False
            after = seq
            found = await self._ports.store.read(lambda tx: views.changes_since(tx, after, _MOST_MISSED + 1))
        except StoreUnavailable:
            return None
        if not found:
            return frozenset(), seq, False
        names = frozenset(name for change in found for name in change.names) | {"now", "incidents"}
        too_old = self._ports.now() - found[0].at > _OLDEST
        if len(found) > _MOST_MISSED or too_old:
            return names, await self._ports.store.read(views.last_seq), True
        return names, found[-1].seq, False


class _Phones:
    """While open, what happens on pretend phones is told to *hub* as ``phones``."""

    def __init__(self, ports: Ports, hub: Hub) -> None:
        self._world = ports.simulator
        self._hub = hub
        self._task: asyncio.Task[None] | None = None

    async def __aenter__(self) -> None:
        if self._world is not None:
            self._task = asyncio.create_task(self._listen(), name="phones of a live page")

    async def __aexit__(self, *error: object) -> None:
        if self._task is not None:
            self._task.cancel()
            with suppress(asyncio.CancelledError):
                await self._task

    async def _listen(self) -> None:
        if self._world is None:
            return
        with self._world.subscribe() as changes:
            async for _change in changes:
                self._hub.publish("phones")


def _wanted(what: frozenset[str], scope: frozenset[str]) -> tuple[str, ...]:
    return tuple(sorted(what if ALL in scope else what & scope))


def _event(name: str, seq: int, what: tuple[str, ...]) -> bytes:
    data = json.dumps({"what": list(what), "seq": seq}, separators=(",", ":"))
    return f"id: {seq}\nevent: {name}\ndata: {data}\n\n".encode()
