"""How many hand-overs an account may have on the wire at once, and whose turn is next.

A message is claimed, and so INFLIGHT in the store, before it has its place on the wire: while one commit writes the
next claims, the places that come free are taken by those already written. What was claimed and never began is found
after a crash as any attempt whose outcome is unknown: it is asked for, and the provider knows of none.
"""

from __future__ import annotations

import asyncio
from collections import deque
from dataclasses import dataclass, field
from typing import Protocol


class Turn(Protocol):
    """Somebody who stands in the queue."""

    def start(self) -> None:
        """The place is theirs until they ``leave``."""

    def give_up(self) -> None:
        """It took too long: they stand in the queue no more."""


@dataclass(slots=True)
class Places:
    """*most* on the wire and *ahead* more that may be claimed meanwhile; *taken* counts both.

    ``enter`` and ``leave`` belong to the event loop; the rest to whoever holds the lock of ``Gateways``.
    """

    most: int
    taken: int = 0
    ahead: int = 0
    _busy: int = 0
    _queue: deque[tuple[float, Turn]] = field(default_factory=deque)  # until when by the loop's clock, who
    _late: asyncio.TimerHandle | None = None

    def enter(self, turn: Turn, patience: float) -> bool:
        """Whether there is a place now; else *turn* stands in the queue, for at most *patience* seconds."""
        if self._busy < self.most:
            self._busy += 1
            return True
        until = asyncio.get_running_loop().time() + patience
        self._queue.append((until, turn))
        self._watch(until)
        return False

    def leave(self) -> Turn | None:
        """The place is free: whoever has waited longest has it now, and wants to be started."""
        if self._queue and self._busy <= self.most:
            return self._queue.popleft()[1]
        self._busy -= 1
        return None

    async def place(self, patience: float) -> None:
        """Wait for a place. TimeoutError after *patience* seconds."""
        waiting = _Waiting(asyncio.get_running_loop().create_future())
        if self.enter(waiting, patience):
            return
        try:
            await waiting.turn
        except asyncio.CancelledError:
            self._queue = deque(entry for entry in self._queue if entry[1] is not waiting)
            if waiting.started:
                self.free()  # the place came in the very moment in which we left
            raise

    def free(self) -> None:
        """Leave, and start whoever is next."""
        following = self.leave()
        if following is not None:
            following.start()

    def _watch(self, until: float) -> None:
        """One timer for the whole queue, which rings when the first of it is late."""
        if self._late is not None:
            if self._late.when() <= until:
                return
            self._late.cancel()
        self._late = asyncio.get_running_loop().call_at(until, self._give_up_late)

    def _give_up_late(self) -> None:
        self._late, now = None, asyncio.get_running_loop().time()
        late = [turn for until, turn in self._queue if until <= now]
        self._queue = deque(entry for entry in self._queue if entry[0] > now)
        if self._queue:
            self._watch(min(until for until, _ in self._queue))
        for turn in late:
            turn.give_up()


@dataclass(slots=True, eq=False)
class _Waiting:
    """A turn that somebody awaits."""

    turn: asyncio.Future[None]
    started: bool = False

    def start(self) -> None:
        self.started = True
        if not self.turn.done():
            self.turn.set_result(None)

    def give_up(self) -> None:
        if not self.turn.done():
            self.turn.set_exception(TimeoutError())
