"""A running bridge with its pretend provider, each in a process of its own."""

from __future__ import annotations

import json
import sqlite3
import time
import urllib.request
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

from bench.processes import answers, cpu_seconds, free_port, program, wait_for
from bench.setting import Place, write

_NEVER = 86400  # seconds: what the pretend network would do later is not measured here


@dataclass(frozen=True, slots=True)
class World:
    """What a part measures."""

    place: Place
    pid: int  # of the bridge

    def settled(self) -> int:
        """Messages whose outcome is committed."""
        query = "SELECT count(*) FROM submissions WHERE state <> 'INFLIGHT'"
        with closing(sqlite3.connect(f"file:{self.place.store}?mode=ro", uri=True)) as store:
            return int(store.execute(query).fetchone()[0])

    def wait_settled(self, count: int) -> float:
        """Until *count* messages are settled; the CPU seconds of the bridge at that moment."""
        wait_for(f"{count} messages settled", lambda: self.settled() >= count, 300.0, every=0.1)
        return cpu_seconds(self.pid)


@contextmanager
def simulator(folder: Path, *, smpp: int = 0) -> Iterator[int]:
    """The pretend provider without limits, with an account that never runs dry; its port. *smpp*: a port for that."""
    port = free_port()
    more = ["--smpp", f"127.0.0.1:{smpp}"] if smpp else []
    log = folder / "simulator.log"
    with program("bridge.cli.main", "simulator", "--http", f"127.0.0.1:{port}", *more, log=log):
        base = f"http://127.0.0.1:{port}/sim"
        wait_for("the simulator answers", lambda: answers(f"{base}/switches"))
        limits = {"identical_seconds": 0, "connections": 1000, "flood_messages": 1_000_000, "balance_a_minute": 1000}
        put(f"{base}/switches", {"limits": limits, "operator_delay": _NEVER, "delivery_delay": _NEVER})
        put(f"{base}/accounts", {"demo": {"balance": "1000000000"}})
        yield port


@contextmanager
def bridge(folder: Path, provider: int, *, pause: float = 0.5) -> Iterator[World]:
    """A bridge that hands over to *provider*, *pause* seconds after it said that it is ready."""
    place = Place(folder / "bridge", free_port(), free_port(), provider)
    write(place)
    with program("bridge.cli.main", "run", "-c", str(place.config), log=folder / "bridge.log") as process:
        wait_for("the bridge is ready", lambda: answers(f"http://127.0.0.1:{place.http}/readyz"))
        time.sleep(pause)  # its first questions are asked by then: the balance, what waits
        yield World(place, process.pid)


def put(url: str, body: object) -> None:
    """Tell the pretend provider something."""
    request = urllib.request.Request(url, json.dumps(body).encode(), method="PUT")  # noqa: S310 - of loopback
    with urllib.request.urlopen(request, timeout=10) as response:  # noqa: S310
        response.read()
