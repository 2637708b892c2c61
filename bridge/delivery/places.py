"""How many hand-overs an account may have on the wire at once, and whose turn is next.

A message is claimed, and so INFLIGHT in the store, before it has its place on the wire: while one commit writes the
next claims, the places that come free are taken by those already written. What was claimed and never began is found
after a crash as any attempt whose outcome is unknown: it is asked for, and the provider knows of none.
"""

from __future__ import annotations

import asyncio
from collections import deque
from dataclasses import dataclass, field


@dataclass(slots=True)
class Places:
    """*most* on the wire and *ahead* more that may be claimed meanwhile; *taken* counts both.

    ``begin`` and ``end`` belong to the event loop; the rest to whoever holds the lock of ``Gateways``.
    """

    most: int
    taken: int = 0
    ahead: int = 0
    _busy: int = 0
    _queue: deque[asyncio.Future[None]] = field(default_factory=deque)

    async def begin(self, patience: float) -> bool:
        """Take a place on the wire; whether it had to be waited for. TimeoutError after *patience* seconds."""
        if self._busy < self.most:
            self._busy += 1
            return False
        loop = asyncio.get_running_loop()
        turn: asyncio.Future[None] = loop.create_future()
        self._queue.append(turn)
        late = loop.call_later(patience, _give_up, turn)  # asyncio.timeout costs as much as the rest of this
        try:
            await turn
        except asyncio.CancelledError:
            if turn.done() and not turn.cancelled() and turn.exception() is None:
                self.end()  # the place came in the very moment in which we left
            raise
        finally:
            late.cancel()
        return True

    def end(self) -> None:
        """The place is free: whoever has waited longest takes it."""
        while self._queue and self._busy <= self.most:
            turn = self._queue.popleft()
            if not turn.done():
                turn.set_result(None)  # busy as before: the place changed hands
                return
        self._busy -= 1


def _give_up(turn: asyncio.Future[None]) -> None:
    if not turn.done():
        turn.set_exception(TimeoutError())
