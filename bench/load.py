"""The load: one process that hands mails in over connections that stay open, a command and its answer at a time.

``python -m bench.load PORT CONNECTIONS COUNT MARK`` sends COUNT mails and prints the mails a second.
"""

from __future__ import annotations

import asyncio
import subprocess
import sys
import time
from collections.abc import Iterator

from bench.setting import PEOPLE, address, plain_mail


async def send(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, to: str, mail: bytes) -> float:
    """One mail over a greeted connection; the moment (``perf_counter``) at which its last byte went."""
    said_at = 0.0
    for said, answer in (
        (b"MAIL FROM:<zabbix@mon1.bench.test>\r\n", b"250"),
        (f"RCPT TO:<{to}>\r\n".encode(), b"250"),
        (b"DATA\r\n", b"354"),
        (mail + b".\r\n", b"250"),
    ):
        said_at = time.perf_counter()
        writer.write(said)
        heard = await reader.readuntil(b"\r\n")
        if not heard.startswith(answer):
            raise RuntimeError(f"{said[:30]!r} was answered {heard!r}")
    return said_at


async def connected(port: int) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """A greeted connection."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    await reader.readuntil(b"\r\n")
    writer.write(b"HELO bench\r\n")
    await reader.readuntil(b"\r\n")
    return reader, writer


async def _one_connection(port: int, mark: str, numbers: Iterator[int]) -> None:
    reader, writer = await connected(port)
    for number in numbers:
        await send(reader, writer, address(number % PEOPLE), plain_mail(mark, number))
    writer.close()


async def _all(port: int, connections: int, count: int, mark: str) -> float:
    numbers = iter(range(count))
    began = time.perf_counter()
    await asyncio.gather(*(_one_connection(port, mark, numbers) for _ in range(connections)))
    return count / (time.perf_counter() - began)


def hand_in(port: int, count: int, mark: str, connections: int = 20) -> float:
    """Run the load in a process of its own; mails a second as it saw them. *mark* makes the hosts unique."""
    words = [sys.executable, "-m", "bench.load", str(port), str(connections), str(count), mark]
    return float(subprocess.run(words, check=True, capture_output=True, text=True).stdout)


if __name__ == "__main__":
    print(asyncio.run(_all(int(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]), sys.argv[4])))
