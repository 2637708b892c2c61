"""``python -m bench [PART …] [--quick]``: every figure beside something named, and whether its target is reached.

Parts: accept, read, route, whole, latency, start, sender, backtest, storm. Without any, all of them (about four
minutes). Exit code 1 when a target was missed.
"""

from __future__ import annotations

import argparse
import os
import platform
import sys
import time
from collections.abc import Callable

from bench import accept, backtest, latency, read, route, sender, start, storm, whole
from bench.figures import Figure, table


def _accept(rounds: int, count: int) -> list[Figure]:
    ratio = accept.main(rounds=rounds, each=count // 20)
    beside = "aiosmtpd that stores nothing"
    return [
        Figure(
            "accept", "durably kept mails a second, 20 connections", (ratio,), "×", beside, accept.TARGET, "at least"
        )
    ]


PARTS: dict[str, tuple[Callable[[int, int], list[Figure]], int, int]] = {  # part -> measure, count, count when quick
    "accept": (_accept, 2000, 800),
    "read": (read.measure, 1000, 300),
    "route": (route.measure, 2000, 500),
    "whole": (whole.measure, 3000, 800),
    "latency": (latency.measure, 100, 40),
    "start": (start.measure, 300, 100),
    "sender": (sender.measure, 1500, 500),
    "backtest": (backtest.measure, 5000, 2000),
    "storm": (storm.measure, 10_000, 1000),
}


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m bench", description="Measure smsbridge on this machine.")
    parser.add_argument("parts", nargs="*", metavar="PART", help=f"of: {', '.join(PARTS)}; all without one")
    parser.add_argument("--rounds", type=int, default=4, help="interleaved rounds of each part (4)")
    parser.add_argument("--quick", action="store_true", help="fewer mails: for a look, not for a verdict")
    given = parser.parse_args()
    unknown = [part for part in given.parts if part not in PARTS]
    if unknown:
        parser.error(f"no part {', '.join(unknown)}; there are: {', '.join(PARTS)}")
    print(f"Python {platform.python_version()}, {os.cpu_count()} CPUs, load {os.getloadavg()[0]:.1f}")
    began = time.perf_counter()
    figures: list[Figure] = []
    for name in given.parts or PARTS:
        measure, count, few = PARTS[name]
        figures += measure(given.rounds, few if given.quick else count)
    print(f"\n{table(figures)}\n\n{time.perf_counter() - began:.0f} s")
    return 0 if all(figure.reached for figure in figures) else 1


if __name__ == "__main__":
    sys.exit(main())
