"""Big mails are parsed by a process that may be killed for them."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Callable

import pytest

from bridge.intake.worker import ReaderKilled, Worker
from bridge.mail.parse import parse
from bridge.model import Envelope

pytestmark = pytest.mark.anyio

MAIL = b"Subject: much\r\n\r\n" + "строка журнала\r\n".encode() * 10_000


async def test_the_worker_reads_what_we_would_read(envelope: Callable[..., Envelope]) -> None:
    worker = Worker()
    try:
        assert await worker.parse(envelope(MAIL), None) == parse(envelope(MAIL), None)
        assert worker.killed == 0
    finally:
        worker.close()


async def test_T21_a_mail_that_takes_too_long_costs_a_process_and_not_the_loop(
    envelope: Callable[..., Envelope],
) -> None:
    worker = Worker(deadline=0)
    ticks = 0

    async def tick() -> None:
        nonlocal ticks
        while True:
            ticks += 1
            await asyncio.sleep(0.01)

    ticking = asyncio.create_task(tick())
    try:
        with pytest.raises(ReaderKilled, match="3 times"):
            await worker.parse(envelope(MAIL), None)
    finally:
        ticking.cancel()
        worker.close()
    assert worker.killed == 3
    assert ticks > 5


async def test_F26_a_worker_that_died_is_replaced(envelope: Callable[..., Envelope]) -> None:
    worker = Worker()
    try:
        await worker.parse(envelope(MAIL), None)
        assert worker._process is not None
        assert worker._process.pid is not None
        os.kill(worker._process.pid, signal.SIGKILL)
        assert (await worker.parse(envelope(MAIL), None)).subject == "much"
        assert worker.killed == 1
    finally:
        worker.close()
