"""What a start costs: ``smsbridge --help``, a bridge until it is ready, and the memory it then holds.

Beside the help: a bare interpreter that runs nothing.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path

from bench.figures import Figure
from bench.load import hand_in
from bench.processes import answers, memory, server
from bench.world import bridge

HELP_S = 0.3
MEMORY_MB = 120.0
_HELP = ("-m", "bridge.cli.main", "--help")
_PAGES = ("/", "/healthz", "/metrics")


def measure(rounds: int, count: int) -> list[Figure]:
    """Help *rounds* times; *rounds* bridges, each after its console was looked at and *count* mails."""
    _seconds(*_HELP)
    helps, ratios, ready, sizes = [], [], [], []
    for number in range(1, rounds + 1):
        help, bare = _seconds(*_HELP), _seconds("-c", "pass")
        helps.append(help)
        ratios.append(help / bare)
        seconds, held = _bridge(count)
        ready.append(seconds)
        sizes.append(held)
        print(
            f"start {number}: help {help:.3f} s, bare Python {bare:.3f} s; ready after {seconds:.2f} s, {held:.0f} MB"
        )
    return [
        Figure("start", "smsbridge --help, warm", tuple(helps), "s", "python -c pass", HELP_S),
        Figure("start", "the same, as a ratio", tuple(ratios), "×", "python -c pass"),
        Figure("start", "smsbridge run until /readyz", tuple(ready), "s"),
        Figure("start", f"resident memory with console, after {count} mails", tuple(sizes), "MB", "", MEMORY_MB),
    ]


def _seconds(*words: str) -> float:
    began = time.perf_counter()
    subprocess.run([sys.executable, *words], check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - began


def _bridge(count: int) -> tuple[float, float]:
    """Seconds until it is ready; MB resident (RSS) at the end."""
    with tempfile.TemporaryDirectory() as name, server("bench.standin") as (provider, _pid):
        began = time.perf_counter()
        with bridge(Path(name), provider, pause=0) as world:
            ready = time.perf_counter() - began
            hand_in(world.place.smtp, count, "start")
            world.wait_settled(count)
            for page in _PAGES:
                url = f"http://127.0.0.1:{world.place.http}{page}"
                if not answers(url):
                    raise RuntimeError(f"{url} does not answer")
                urllib.request.urlopen(url, timeout=5).read()
            return ready, memory(world.pid)["Rss"]
