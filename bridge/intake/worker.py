"""One process beside ours that parses big mails and may be killed for it.

Mails up to 64 kB are read in place with caps; a bigger one could still cost seconds (a megabyte of parts, threats
T21). The worker only parses: it knows no rules and no secrets, and a mail that takes longer than its time costs
one process, not the loop.
"""

from __future__ import annotations

import asyncio
import multiprocessing
import signal
from multiprocessing.connection import Connection

from bridge.mail.parse import parse
from bridge.model import Email, Envelope

IN_PLACE = 64_000  # bytes of a mail that is read without the worker
_DEADLINE = 2.0  # seconds
_TRIES = 3


class ReaderKilled(Exception):
    """The worker did not come back in time, or died, three times with this mail."""


class Worker:
    """Parses with :func:`bridge.mail.parse.parse` elsewhere. Started at the first big mail, one mail at a time."""

    def __init__(self, deadline: float = _DEADLINE) -> None:
        self._deadline = deadline
        self._context = multiprocessing.get_context("spawn")
        self._process: multiprocessing.process.BaseProcess | None = None
        self._pipe: Connection | None = None
        self._turn = asyncio.Lock()
        self.killed = 0

    async def parse(self, envelope: Envelope, default_charset: str | None) -> Email:
        """The parsed mail; raises :class:`ReaderKilled` when three tries did not end in time."""
        async with self._turn:
            for _ in range(_TRIES):
                email = await asyncio.to_thread(self._try, envelope, default_charset)
                if email is not None:
                    return email
        raise ReaderKilled(f"no end of reading within {self._deadline:g} s, {_TRIES} times")

    def close(self) -> None:
        """End the process."""
        self._end()

    def _try(self, envelope: Envelope, default_charset: str | None) -> Email | None:
        pipe = self._pipe or self._start()
        try:
            pipe.send((envelope, default_charset))
            if pipe.poll(self._deadline):
                answer = pipe.recv()
                if isinstance(answer, Email):
                    return answer
        except (EOFError, OSError):
            pass  # it died with this mail: that is what the tries count
        self.killed += 1
        self._end()
        return None

    def _start(self) -> Connection:
        ours, theirs = self._context.Pipe()
        self._process = self._context.Process(target=_serve, args=(theirs,), daemon=True, name="smsbridge-reader")
        self._process.start()
        theirs.close()
        self._pipe = ours
        if not ours.poll(30):  # the first word says that the modules are loaded: that time is not the mail's
            raise OSError("the reader did not start")
        ours.recv()
        return ours

    def _end(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.join()
        if self._pipe is not None:
            self._pipe.close()
        self._process, self._pipe = None, None


def _serve(pipe: Connection) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the parent's business
    pipe.send("ready")
    while True:
        try:
            envelope, default_charset = pipe.recv()
        except EOFError:
            return
        pipe.send(parse(envelope, default_charset))
