"""Who wants to hear that something changed, and telling them: in this process only.

A change is a hint, never data (``now``, ``incident:1000``, ``mail:5``, ``phones``): whoever hears it looks again.
So a listener that does not read loses nothing but the names: it is then told ``all``.
"""

from __future__ import annotations

import asyncio
from types import TracebackType
from typing import Self

ALL = "all"
_ROOM = 500  # names that one listener may have waiting; a storm names thousands


class Subscription:
    """What changed since it was last asked; use it as a context manager so that it ends."""

    def __init__(self, hub: Hub) -> None:
        self._hub = hub
        self._waiting: set[str] = set()
        self._wake = asyncio.Event()
        self.closed = False

    def put(self, what: tuple[str, ...]) -> None:
        """Add names; too many become ``all``."""
        self._waiting.update(what)
        if len(self._waiting) > _ROOM:
            self._waiting = {ALL}
        self._wake.set()

    def close(self) -> None:
        """Wake the listener for good."""
        self.closed = True
        self._wake.set()

    async def next(self, within: float) -> frozenset[str] | None:
        """What changed, at once or within *within* seconds; None when nothing did."""
        try:
            async with asyncio.timeout(within):
                await self._wake.wait()
        except TimeoutError:
            return None
        if not self.closed:
            self._wake.clear()
        taken, self._waiting = frozenset(self._waiting), set()
        return taken

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._hub.forget(self)


class Hub:
    """All listeners of one process."""

    def __init__(self) -> None:
        self._listeners: set[Subscription] = set()
        self._closed = False

    def publish(self, *what: str) -> None:
        """Say what changed. Without names: something did, the journal knows what."""
        for listener in self._listeners:
            listener.put(what)

    def subscribe(self) -> Subscription:
        """A new listener; it hears what is published from now on."""
        listener = Subscription(self)
        self._listeners.add(listener)
        if self._closed:
            listener.close()
        return listener

    def forget(self, listener: Subscription) -> None:
        """Stop telling *listener*."""
        self._listeners.discard(listener)

    def close(self) -> None:
        """The process ends: every stream may go."""
        self._closed = True
        for listener in self._listeners:
            listener.close()

    def __len__(self) -> int:
        return len(self._listeners)
