"""An event loop that is told the time, and connections without sockets between those who live in it.

Whatever sleeps, sleeps no longer than it takes everybody else to finish: when nothing is left to do, the loop goes on
to the next moment at which something is. Connections are pairs of transports, so the code on both ends is the real
one, down to its protocols. A *node* is one life of a process: its tasks and connections end together, as with kill -9.
"""

from __future__ import annotations

import asyncio
import contextvars
import selectors
from collections.abc import Callable
from contextvars import ContextVar
from pathlib import Path
from typing import Any, TypeVar
from weakref import WeakSet

from bridge.errors import StoreUnavailable
from bridge.store.engine import Store, Tx, _Call, _setup, _Thread

T = TypeVar("T")
NODE: ContextVar[str] = ContextVar("node", default="")
"""Whose code runs: "" for everybody who cannot be killed."""

_LONGEST = 10 * 86_400.0  # seconds of a life
_COMMIT = 6  # rounds of the loop that a commit takes


class Stuck(AssertionError):
    """Somebody waits for what will never happen."""


class _Selector(selectors.DefaultSelector):
    """Asks the loop what to do whenever it would have to wait."""

    loop: ToldLoop

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        if timeout is None or timeout > 0:
            self.loop.idle(timeout)
        return []


class ToldLoop(asyncio.SelectorEventLoop):
    """``time()`` begins at 0 and moves only in ``idle``. No threads, no sockets."""

    def __init__(self) -> None:
        self._told = 0.0
        self.unreachable: set[str] = set()  # hosts
        self._quiet: list[asyncio.Future[None]] = []
        self._listening: dict[tuple[str, int], Listening] = {}
        self._tasks: dict[str, WeakSet[asyncio.Task[Any]]] = {}
        self._ends: dict[End, None] = {}  # in the order in which they were made
        self._dead: set[str] = set()
        selector = _Selector()
        selector.loop = self
        super().__init__(selector)
        self.set_task_factory(self._task)

    def time(self) -> float:
        return self._told

    def _task(self, loop: Any, work: Any, context: contextvars.Context | None = None) -> asyncio.Task[Any]:
        task: asyncio.Task[Any] = asyncio.Task(work, loop=loop, context=context)
        node = NODE.get() if context is None else context.get(NODE, "")
        if node:
            self._tasks.setdefault(node, WeakSet()).add(task)
        return task

    # time

    def idle(self, timeout: float | None) -> None:
        """Nobody can go on: those who wait for quiet may, else the next moment has come."""
        if self._quiet:
            for one in self._quiet:
                one.set_result(None)
            self._quiet.clear()
        elif timeout is None or self._told > _LONGEST:
            raise Stuck("what somebody waits for will never happen")
        else:
            self._told += timeout

    async def quiet(self) -> None:
        """Until nothing is left to do at this moment."""
        waits = self.create_future()
        self._quiet.append(waits)
        await waits

    async def steps(self, count: int) -> None:
        """Until everybody has gone on *count* times."""
        for _ in range(count):
            await asyncio.sleep(0)

    # connections

    async def create_server(  # type: ignore[override]
        self, factory: Any, host: Any = None, port: Any = None, **_options: Any
    ) -> Any:
        self._listening[host, port] = server = Listening(factory, port)
        return server

    async def create_connection(  # type: ignore[override]
        self, factory: Any, host: Any = None, port: Any = None, **options: Any
    ) -> Any:
        await asyncio.sleep(0)
        server = self._listening.get((host, port))
        assert not options.get("ssl"), "there is no TLS in memory"
        if server is None or not server.open or host in self.unreachable or NODE.get() in self._dead:
            raise ConnectionRefusedError(111, "Connection refused")
        protocol = factory()
        ours = End(self, protocol, host, contextvars.copy_context())
        theirs = End(self, server.factory(), host, server.context)
        ours.other, theirs.other = theirs, ours
        self._ends |= {ours: None, theirs: None}
        protocol.connection_made(ours)
        self.call_soon(theirs.protocol.connection_made, theirs, context=theirs.context)
        return ours, protocol

    def cut(self, host: str) -> None:
        """The network to *host* is gone, with all that was under way in it."""
        self.unreachable.add(host)
        for end in [one for one in self._ends if one.host == host]:
            end.break_off()

    def forget(self, end: End) -> None:
        self._ends.pop(end, None)

    # kill -9

    async def kill(self, node: str) -> None:
        """Nothing of *node* runs any more; its sockets are closed."""
        self._dead.add(node)
        for end in [one for one in self._ends if one.context.get(NODE, "") == node]:
            end.vanish()
        for _ in range(10):
            tasks = [task for task in self._tasks.get(node, ()) if not task.done()]
            if not tasks:
                return
            for task in tasks:
                task.cancel()
            await asyncio.wait(tasks)
        raise Stuck(f"{node} cannot be killed: {tasks}")


class Listening:
    """What ``create_server`` gives: enough of an ``asyncio.Server``."""

    def __init__(self, factory: Callable[[], Any], port: int) -> None:
        self.factory = factory
        self.context = contextvars.copy_context()
        self.open = True
        self.sockets = (self,)
        self._port = port

    def getsockname(self) -> tuple[str, int]:
        return "127.0.0.1", self._port

    def close(self) -> None:
        self.open = False


class End(asyncio.Transport):
    """One end of a connection; what is written arrives in the next round of the loop."""

    other: End

    def __init__(self, loop: ToldLoop, protocol: Any, host: str, context: contextvars.Context) -> None:
        super().__init__({"peername": ("127.0.0.1", 1), "sockname": ("127.0.0.1", 2)})
        self.protocol = protocol
        self.host = host
        self.context = context
        self._loop = loop
        self._closing = False
        self._over = False
        self._paused: list[bytes] | None = None

    def write(self, data: Any) -> None:
        if data and not self._closing:
            self._loop.call_soon(self.other._arrived, bytes(data), context=self.other.context)

    def _arrived(self, data: bytes) -> None:
        if self._over or self._closing:
            return
        if self._paused is not None:
            self._paused.append(data)
        else:
            self.protocol.data_received(data)

    def close(self) -> None:
        if not self._closing:
            self._closing = True
            self._loop.call_soon(self._lost, None, context=self.context)
            self._loop.call_soon(self.other._hung_up, context=self.other.context)

    def abort(self) -> None:
        self.close()

    def break_off(self) -> None:
        """The connection is gone for both ends; what was written and has not arrived never will."""
        self._closing = True
        self._loop.call_soon(self._lost, ConnectionResetError(104, "reset"), context=self.context)

    def vanish(self) -> None:
        """Its process is no more; what it wrote still arrives."""
        self._closing = self._over = True
        self._loop.forget(self)
        self._loop.call_soon(self.other._hung_up, context=self.other.context)

    def _hung_up(self) -> None:
        if not self._over and not self._closing and not self.protocol.eof_received():
            self.close()

    def _lost(self, error: Exception | None) -> None:
        if not self._over:
            self._over = True
            self._loop.forget(self)
            self.protocol.connection_lost(error)

    def is_closing(self) -> bool:
        return self._closing

    def pause_reading(self) -> None:
        self._paused = []

    def resume_reading(self) -> None:
        waiting, self._paused = self._paused or [], None
        for data in waiting:
            self._loop.call_soon(self._arrived, data, context=self.context)

    def can_write_eof(self) -> bool:
        return False

    def get_write_buffer_size(self) -> int:
        return 0

    def set_write_buffer_limits(self, high: int | None = None, low: int | None = None) -> None:
        return None

    def get_protocol(self) -> Any:
        return self.protocol

    def set_protocol(self, protocol: Any) -> None:
        self.protocol = protocol


class _Here(_Thread):
    """The store's thread without a thread: its transactions, made by whoever asks for them."""

    def start(self) -> None:
        return None

    def put(self, call: _Call) -> None:
        if self._closing:
            raise StoreUnavailable("the store is closed")
        self._commit([call])
        call.settle()

    def stop(self) -> None:
        self._closing = True
        self._reopen()


class ToldStore(Store):
    """The product's store. A commit takes a few rounds of the loop: who is killed before it is over wrote nothing."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self._writer = _Here("writer", path, writes=True, setup=self._setup_writer)
        self._reader = _Here("reader", path, writes=False, setup=_setup)

    async def write(self, operation: Callable[[Tx], T]) -> T:
        return await asyncio.shield(asyncio.ensure_future(self._slowly(operation)))

    async def _slowly(self, operation: Callable[[Tx], T]) -> T:
        for _ in range(_COMMIT):
            await asyncio.sleep(0)
        return await super().write(operation)
