"""How many mails a second are durably accepted, against bare aiosmtpd that stores nothing.

``python -m bench.accept``: the same client (one process, 20 kept-open connections, mails of 1 KiB, a command
and its answer at a time) against both, in turns; the ratio of each pair of turns is the figure. The door runs
with the real store, commits every mail and sends nothing.
"""

from __future__ import annotations

import asyncio
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from bridge.config.models.doors import Listener
from bridge.ingress.limits import SharedLimits
from bridge.ingress.ports import Facts
from bridge.ingress.smtp import SmtpDoor
from bridge.model import Envelope
from bridge.store import mails
from bridge.store.engine import Store
from bridge.store.users import Logins

TARGET = 0.7
_LINE = b"word " * 12 + b"\r\n"
_MAIL = b"From: zabbix@bench.example\r\nSubject: Problem: disk full on db1\r\n\r\n" + _LINE * 15 + b".\r\n"


class EveryoneIsWelcome:
    """A policy that refuses nobody: what rules cost is measured elsewhere."""

    hostname = "bench"

    def sender_refusal(self, facts: Facts) -> str | None:
        return None

    def recipient_refusal(self, facts: Facts, address: str) -> str | None:
        return None


async def serve_door(folder: Path) -> None:
    """The door over a real store in *folder*, on a free port of loopback, until standard input closes."""
    store = Store(folder / "bridge.db")
    await store.open()

    async def keep(envelope: Envelope) -> int:
        return await store.write(lambda tx: mails.keep(tx, envelope, "bench/1"))

    door = SmtpDoor(
        Listener.model_validate({"door": "smtp", "address": "127.0.0.1:0", "trust": ["127.0.0.1"]}),
        policy=EveryoneIsWelcome(),
        keep=keep,
        logins=Logins(),
        limits=SharedLimits(),
        clock=lambda: datetime.now(UTC),
    )
    await door.start()
    print(door.port, flush=True)
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)
    await door.stop()
    store.close()


async def _one_connection(port: int, count: int) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    await reader.readuntil(b"\r\n")
    writer.write(b"HELO bench\r\n")
    await reader.readuntil(b"\r\n")
    for _ in range(count):
        for said, answer in (
            (b"MAIL FROM:<zabbix@bench.example>\r\n", b"250"),
            (b"RCPT TO:<oncall@bench.example>\r\n", b"250"),
            (b"DATA\r\n", b"354"),
            (_MAIL, b"250"),
        ):
            writer.write(said)
            heard = await reader.readuntil(b"\r\n")
            if not heard.startswith(answer):
                raise RuntimeError(f"{said[:30]!r} was answered {heard!r}")
    writer.close()


async def measure(port: int, connections: int, each: int) -> float:
    """Mails a second over *connections* kept-open connections, *each* so many."""
    began = time.perf_counter()
    async with asyncio.TaskGroup() as group:
        for _ in range(connections):
            group.create_task(_one_connection(port, each))
    return each * connections / (time.perf_counter() - began)


@contextmanager
def running(*words: str) -> Iterator[int]:
    """A server process; its port."""
    process = subprocess.Popen(
        [sys.executable, "-m", *words],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env=os.environ | {"PYTHONPATH": "."},
    )
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        yield int(process.stdout.readline())
    finally:
        process.stdin.close()
        process.wait(20)


def main(rounds: int = 6, each: int = 100, connections: int = 20) -> float:
    """Print each round and the median ratio, which is given back."""
    ratios = []
    with (
        tempfile.TemporaryDirectory() as folder,
        running("bench.bare") as bare,
        running("bench.accept", "serve", folder) as door,
    ):
        for port in (bare, door):
            asyncio.run(measure(port, connections, each // 4))  # warm
        for number in range(1, rounds + 1):
            pair = {}
            for port in (bare, door) if number % 2 else (door, bare):
                pair[port] = asyncio.run(measure(port, connections, each))
            ratios.append(pair[door] / pair[bare])
            print(f"accept {number}: bare {pair[bare]:.0f}/s, durable {pair[door]:.0f}/s, ratio {ratios[-1]:.2f}")
    ratio = statistics.median(ratios)
    print(f"accept: durable / bare = {ratio:.2f} (at least {TARGET})")
    return ratio


if __name__ == "__main__":
    if sys.argv[1:2] == ["serve"]:
        asyncio.run(serve_door(Path(sys.argv[2])))
    else:
        sys.exit(0 if main() >= TARGET else 1)
