"""CPU of ``read`` (parse, identify, route) for an HTML alert of 2 kB and a book of 100 rules.

Beside it, in turns: the standard library's parser (policy compat32) over the same bytes, which only takes the mail
apart.
"""

from __future__ import annotations

import email.parser
import email.policy
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from bench.figures import Figure
from bench.setting import PEOPLE, Place, html_mail, write
from bridge.book.loading import load_book
from bridge.intake.read import read
from bridge.model import Envelope, Recipient, StoredMail

TARGET_MS = 0.4


def measure(rounds: int, count: int) -> list[Figure]:
    """*rounds* times *count* mails, with the standard library in turns."""
    with tempfile.TemporaryDirectory() as name:
        place = Place(Path(name), 1, 2, 3)
        write(place)
        book = load_book(place.config).require()
    now = datetime.now(UTC)
    to = (Recipient(f"p{PEOPLE - 1:03}@bench.test"),)
    contents = [html_mail(number) for number in range(count)]
    mails = [
        StoredMail(n, Envelope(content, now, "zabbix@mon1.bench.test", to, peer="127.0.0.1"))
        for n, content in enumerate(contents)
    ]
    assert [route.rule for event in read(mails[0], book).events for route in event.routes], "no rule took the mail"
    parser = email.parser.BytesParser(policy=email.policy.compat32)

    def ours() -> None:
        for mail in mails:
            read(mail, book)

    def theirs() -> None:
        for content in contents:
            parser.parsebytes(content)

    return _compared(ours, theirs, rounds, count)


def _compared(ours: Callable[[], None], theirs: Callable[[], None], rounds: int, count: int) -> list[Figure]:
    _cpu(ours), _cpu(theirs)
    costs, ratios = [], []
    for number in range(1, rounds + 1):
        cost, plain = _cpu(ours) / count, _cpu(theirs) / count
        costs.append(cost)
        ratios.append(cost / plain)
        print(f"read {number}: {cost:.3f} ms a mail, the standard library's parse {plain:.3f} ms")
    beside = "stdlib parse, compat32, same bytes"
    return [
        Figure("read", f"CPU a mail, {PEOPLE} rules, multipart HTML of 2 kB", tuple(costs), "ms", beside, TARGET_MS),
        Figure("read", "the same, as a ratio", tuple(ratios), "×", beside),
    ]


def _cpu(work: Callable[[], None]) -> float:
    """CPU milliseconds of this thread."""
    began = time.thread_time()
    work()
    return (time.thread_time() - began) * 1000
