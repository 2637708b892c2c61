"""Who wants to hear of changes, and telling them (the phones page listens here)."""

from __future__ import annotations

import asyncio
from types import TracebackType
from typing import Self

from bridge.simulator.records import Change

_ROOM = 1000
"""Changes kept for a listener who does not read; then the oldest go, the listener reads the lists anew."""


class Subscription:
    """An endless async iterator of changes; use it as a context manager so that it ends."""

    def __init__(self, hub: Changes) -> None:
        self._hub = hub
        self._queue: asyncio.Queue[Change] = asyncio.Queue(_ROOM)

    def put(self, change: Change) -> None:
        if self._queue.full():
            self._queue.get_nowait()
        self._queue.put_nowait(change)

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> Change:
        return await self._queue.get()

    def close(self) -> None:
        self._hub.forget(self)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()


class Changes:
    """All subscriptions of one simulator."""

    def __init__(self) -> None:
        self._listeners: set[Subscription] = set()

    def subscribe(self) -> Subscription:
        listener = Subscription(self)
        self._listeners.add(listener)
        return listener

    def forget(self, listener: Subscription) -> None:
        self._listeners.discard(listener)

    def publish(self, change: Change) -> None:
        for listener in self._listeners:
            listener.put(change)
