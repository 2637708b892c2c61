"""CPU of one mail from its first SMTP command to the committed outcome at the provider, and mails a second.

Bridge, pretend provider and load are processes of their own; CPU is what the kernel charges to all threads of the
bridge. Beside it, in turns: the plainest forwarder there is (``bench.forwarder``: aiosmtpd and aiohttp, nothing
stored, nothing read, no rules), with the same mails and the same provider.
"""

from __future__ import annotations

import tempfile
import time
from pathlib import Path

from bench.figures import Figure
from bench.load import hand_in
from bench.processes import cpu_seconds, server
from bench.world import World, bridge, simulator

TARGET_MS = 1.6


def measure(rounds: int, count: int) -> list[Figure]:
    """*rounds* times *count* mails through the bridge, with the forwarder in turns."""
    costs, rates, ratios = [], [], []
    with (
        tempfile.TemporaryDirectory() as name,
        simulator(Path(name)) as provider,
        server("bench.forwarder", str(provider)) as (port, pid),
    ):
        for number in range(1, rounds + 1):
            plain = _through_forwarder(port, pid, f"r{number}", count // 2)
            cost, rate = _round(Path(name) / str(number), provider, count)
            costs.append(cost)
            rates.append(rate)
            ratios.append(cost / plain)
            print(f"whole {number}: bridge {cost:.2f} ms a mail, {rate:.0f}/s; forwarder {plain:.2f} ms")
    beside = "aiosmtpd + aiohttp, nothing stored or read"
    return [
        Figure("whole", "CPU a mail, SMTP to committed outcome", tuple(costs), "ms", beside, TARGET_MS),
        Figure("whole", "the same, as a ratio", tuple(ratios), "×", beside),
        Figure("whole", "mails a second, end to end", tuple(rates), "/s"),
    ]


def _round(folder: Path, provider: int, count: int) -> tuple[float, float]:
    """A bridge with an empty store; what it did before is not counted."""
    folder.mkdir()
    with bridge(folder, provider) as world:
        _through_bridge(world, "warm", count // 8)
        return _through_bridge(world, "mail", count)


def _through_bridge(world: World, mark: str, count: int) -> tuple[float, float]:
    """CPU milliseconds a mail, mails a second."""
    before, cpu, began = world.settled(), cpu_seconds(world.pid), time.perf_counter()
    hand_in(world.place.smtp, count, mark)
    spent = world.wait_settled(before + count) - cpu
    return spent / count * 1000, count / (time.perf_counter() - began)


def _through_forwarder(port: int, pid: int, mark: str, count: int) -> float:
    """CPU milliseconds a mail; its 250 comes after the provider's answer."""
    cpu = cpu_seconds(pid)
    hand_in(port, count, mark, connections=14)
    return (cpu_seconds(pid) - cpu) / count * 1000
