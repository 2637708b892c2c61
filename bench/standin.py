"""The least that can be called a provider: it notes when a request came and answers that all is well.

``python -m bench.standin`` prints its port and serves until its standard input is closed. ``GET /arrivals`` gives
the moments (``perf_counter``, one clock for all processes of the machine) and forgets them. What a real provider
takes for itself would only hide what is measured.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from urllib.parse import parse_qs

_ARRIVALS: list[float] = []


class Standin(asyncio.Protocol):
    """One connection; a request is a POST with a Content-Length, or the one GET."""

    def __init__(self) -> None:
        self._buffer = b""
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        now = time.perf_counter()
        self._buffer += data
        while self._one(now):
            continue

    def _one(self, now: float) -> bool:
        head, found, rest = self._buffer.partition(b"\r\n\r\n")
        if not found or self._transport is None:
            return False
        length = next(
            (int(line[15:]) for line in head.split(b"\r\n") if line.lower().startswith(b"content-length:")), 0
        )
        if len(rest) < length:
            return False
        self._buffer = rest[length:]
        answer = json.dumps(_answered(head, rest[:length], now)).encode()
        self._transport.write(
            b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n" % len(answer) + answer
        )
        return True


def _answered(head: bytes, body: bytes, now: float) -> object:
    if head.startswith(b"GET"):
        arrivals = list(_ARRIVALS)
        _ARRIVALS.clear()
        return arrivals
    if b"send.php" not in head:
        return {"balance": "1000.00", "currency": "KZT"}
    _ARRIVALS.append(now)
    id = parse_qs(body.decode()).get("id", ["1"])[0]
    return {"id": id, "cnt": 1, "cost": "18.00", "balance": "1000.00"}


async def serve() -> None:
    """Listen on a free port of loopback until standard input closes."""
    loop = asyncio.get_running_loop()
    server = await loop.create_server(Standin, "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await loop.run_in_executor(None, sys.stdin.read)
    server.close()


if __name__ == "__main__":
    asyncio.run(serve())
