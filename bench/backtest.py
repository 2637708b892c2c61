"""``smsbridge backtest`` over a store: mails read and decided by two processes, each by 100 rules of its own.

Beside it, in turns: the same mails only read, once, by this process alone. 100,000 mails in five minutes on two cores
are 3 ms a mail.
"""

from __future__ import annotations

import asyncio
import resource
import shutil
import tempfile
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

from bench.figures import Figure
from bench.setting import PEOPLE, Place, address, plain_mail, write
from bridge.book.loading import load_book
from bridge.intake.read import read
from bridge.model import Envelope, Recipient
from bridge.proof.backtest import Task, backtest, decided_beside
from bridge.proof.remembered import instance_of, mails_since
from bridge.store import mails
from bridge.store.engine import Store, Tx

TARGET_MS = 3.0
_SPAN = timedelta(days=7)
_BATCH = 500


def measure(rounds: int, count: int) -> list[Figure]:
    """*rounds* times *count* mails of a week, with reading alone in turns."""
    with tempfile.TemporaryDirectory() as name:
        place = Place(Path(name), 1, 2, 3)
        write(place)
        others = Path(name) / "others"
        shutil.copytree(place.folder / "rules", others)
        (others / "00-dropped.yaml").write_text("rules: [{rule: quiet, when: {recipient: p001@*}, drop: a test}]\n")
        begin = datetime.now(UTC) - _SPAN
        asyncio.run(_fill(place, begin, count))
        costs, ratios = [], []
        for number in range(1, rounds + 1):
            alone = _reading(place, begin) / count * 1000
            cost = _backtest(place, others, begin, count) / count * 1000
            costs.append(cost)
            ratios.append(cost / alone)
            print(f"backtest {number}: {cost:.2f} ms a mail, reading alone {alone:.2f} ms, {_memory()} MB")
    beside = "the same mails only read, once, in one process"
    return [
        Figure("backtest", f"a stored mail decided twice, {PEOPLE} rules", tuple(costs), "ms", beside, TARGET_MS),
        Figure("backtest", "the same, as a ratio", tuple(ratios), "×", beside),
    ]


async def _fill(place: Place, begin: datetime, count: int) -> None:
    """A store with *count* alerts of a week, each about a host of its own."""
    store = Store(place.store)
    await store.open()
    try:
        for first in range(0, count, _BATCH):
            numbers = range(first, min(first + _BATCH, count))
            envelopes = [_envelope(number, begin + _SPAN * number / count) for number in numbers]

            def keep(tx: Tx, envelopes: list[Envelope] = envelopes) -> None:
                for envelope in envelopes:
                    mails.keep(tx, envelope, "bench/1")

            await store.write(keep)
    finally:
        store.close()


def _envelope(number: int, at: datetime) -> Envelope:
    to = (Recipient(address(number % PEOPLE)),)
    return Envelope(plain_mail("backtest", number), at, "zabbix@mon1.bench.test", to, peer="127.0.0.1")


def _reading(place: Place, begin: datetime) -> float:
    """Seconds to read everything once."""
    book = load_book(place.config).require()
    began = time.perf_counter()
    for chunk in mails_since(place.store, begin, datetime.now(UTC), _BATCH):
        for mail in chunk:
            read(mail, book)
    return time.perf_counter() - began


def _backtest(place: Place, others: Path, begin: datetime, count: int) -> float:
    """Seconds of the whole, from the first look at the store."""
    now = datetime.now(UTC)
    own = instance_of(place.store, now)
    before, after = (Task(place.store, begin, now, place.config, rules, own) for rules in (None, others))
    began = time.perf_counter()
    with decided_beside(before) as today, decided_beside(after) as new:
        outcome = backtest(today, new)
    taken = time.perf_counter() - began
    assert (outcome.mails, outcome.changed) == (count, count // PEOPLE), "not what was to be decided"
    return taken


def _memory() -> int:
    """The most that one of the deciding processes has taken, in MB."""
    return resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss // 1024
