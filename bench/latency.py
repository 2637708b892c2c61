"""From the final dot of a mail to the request at the provider, at an idle bridge.

Beside it, in turns: a plain aiohttp POST of the same size over a connection that is open, to the same stand-in,
measured to the same point: the arrival of the request. Twenty mails a second, so that each meets an idle bridge.
"""

from __future__ import annotations

import asyncio
import json
import statistics
import tempfile
import time
import urllib.request
from pathlib import Path

import aiohttp

from bench.figures import Figure
from bench.load import connected, send
from bench.processes import server
from bench.setting import PEOPLE, address, phone, plain_mail
from bench.world import bridge

TARGET = 15.0
_PAUSE = 0.05


def measure(rounds: int, count: int) -> list[Figure]:
    """*rounds* times *count* mails and as many plain requests, one at a time."""
    pairs = []
    with (
        tempfile.TemporaryDirectory() as name,
        server("bench.standin") as (provider, _pid),
        bridge(Path(name), provider) as world,
    ):
        asyncio.run(_mails(world.place.smtp, provider, "warm", 20))
        for number in range(1, rounds + 1):
            mail = asyncio.run(_mails(world.place.smtp, provider, f"r{number}", count))
            post = asyncio.run(_posts(provider, count))
            pairs.append((mail, post))
            print(f"latency {number}: mail {mail:.2f} ms, plain POST {post:.3f} ms (p50)")
    beside = "aiohttp POST, same process to same stand-in"
    ratio = tuple(mail / post for mail, post in pairs)
    return [
        Figure("latency", "mail in → provider request, p50, idle", ratio, "×", beside, TARGET),
        Figure("latency", "the same in time", tuple(mail for mail, _post in pairs), "ms", beside),
    ]


async def _mails(smtp: int, provider: int, mark: str, count: int) -> float:
    """p50 in milliseconds."""
    await _arrivals(provider)
    reader, writer = await connected(smtp)
    said = []
    for number in range(count):
        said.append(await send(reader, writer, address(number % PEOPLE), plain_mail(mark, number)))
        await asyncio.sleep(_PAUSE)
    writer.close()
    return _p50(said, await _arrivals(provider, count))


async def _posts(provider: int, count: int) -> float:
    await _arrivals(provider)
    url = f"http://127.0.0.1:{provider}/sys/send.php"
    said = []
    async with aiohttp.ClientSession() as session:
        for number in range(-5, count):
            form = {
                "login": "demo", "psw": "secret", "phones": phone(1), "mes": f"10 HIGH db01: Disk space {number}",
                "charset": "utf-8", "fmt": "3", "cost": "3", "translit": "0", "valid": "06:00", "id": str(number + 9),
            }  # fmt: skip
            said.append(time.perf_counter())
            async with session.post(url, data=form) as answer:
                await answer.read()
            await asyncio.sleep(_PAUSE)
    return _p50(said[5:], (await _arrivals(provider, count + 5))[5:])  # the first ones open the connection


def _p50(said: list[float], arrived: list[float]) -> float:
    if len(said) != len(arrived):
        raise RuntimeError(f"{len(said)} were handed in, {len(arrived)} arrived")
    return statistics.median(there - here for here, there in zip(said, arrived, strict=True)) * 1000


async def _arrivals(provider: int, count: int = 0) -> list[float]:
    """What arrived since the last look; waits up to five seconds for *count*."""
    found: list[float] = []
    for _ in range(50):
        found += await asyncio.to_thread(_taken, provider)
        if len(found) >= count:
            break
        await asyncio.sleep(0.1)
    return found


def _taken(provider: int) -> list[float]:
    with urllib.request.urlopen(f"http://127.0.0.1:{provider}/arrivals", timeout=5) as answer:
        return [float(moment) for moment in json.load(answer)]
