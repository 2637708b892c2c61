"""Things that fall due: a heap, and a loop that sleeps until the next one.

``advance`` alone moves anything, so a test with a clock of its own needs no loop and no sleep.
"""

from __future__ import annotations

import asyncio
import heapq
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime
from itertools import count

Action = Callable[[datetime], None]


class Timers:
    """Actions by due time; those due at the same moment run in the order they were set."""

    def __init__(self, now: Callable[[], datetime]) -> None:
        self._now = now
        self._heap: list[tuple[datetime, int, Action]] = []
        self._order = count()
        self._wake = asyncio.Event()

    def at(self, due: datetime, action: Action) -> None:
        heapq.heappush(self._heap, (due, next(self._order), action))
        self._wake.set()

    def clear(self) -> None:
        self._heap.clear()

    def advance(self, now: datetime) -> None:
        """Run what is due at *now*, each action with the time it was due at."""
        while self._heap and self._heap[0][0] <= now:
            due, _, action = heapq.heappop(self._heap)
            action(due)

    async def run(self) -> None:
        """Advance for ever; ends by cancellation."""
        while True:
            self._wake.clear()
            now = self._now()
            self.advance(now)
            wait = (self._heap[0][0] - now).total_seconds() if self._heap else None
            with suppress(TimeoutError):
                async with asyncio.timeout(wait):
                    await self._wake.wait()
