"""One TCP connection that is bound: requests out, answers matched by their numbers, what arrives handed on.

The question that decides about money is the one of ``providers/http``: until a request's octets are given to the
socket nothing has left (NotSent); from then on only its answer proves anything (OutcomeUnknown). What arrives is
acknowledged with what its taker says, after he has said it: whoever commits first may be cut off at any moment.
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass
from itertools import count
from typing import Any, Self

from bridge.errors import NotSent, OutcomeUnknown
from bridge.smpp import pdu
from bridge.smpp.bodies import Bind, ShortMessage
from bridge.smpp.pdu import Broken, Frames, Malformed, Pdu

ENQUIRE_AFTER = 30.0
"""Seconds without a word from the peer after which it is asked: it drops a link that says nothing for two minutes."""

_ENQUIRE_ANSWER = 10.0  # seconds until a peer that does not answer is no longer there
_MOST_ARRIVING = 64  # short messages in the hands of their taker; the peer is to keep what comes beyond that
_REFUSED_FOR_GOOD = 0x65  # ESME_RX_P_APPN: of what nobody can read a repeat brings nothing
_LAST_SEQUENCE = 0x7FFFFFFF
_FOR_ANSWERS = 0.75  # of the time of a goodbye: for what is owed; the rest is for the peer's goodbye
_ANSWERS_OWED = 4.0  # seconds that a peer who has said goodbye gets for what it still owes: less than a message waits
_HANGS_UP = 1.0  # seconds for it to hang up first
_MOST_UNREAD = 256 * 1024  # octets of ours that a peer may leave unread while it goes on asking (threats T37)

Taker = Callable[[ShortMessage], Awaitable[int]]
"""Keeps what arrived and gives the command_status to answer with: 0 once it is safe."""


@dataclass(frozen=True, slots=True)
class Peer:
    """Where to go. *tls* None is the open wire."""

    host: str
    port: int
    tls: ssl.SSLContext | None

    def __str__(self) -> str:
        return f"{self.host}:{self.port}"


@dataclass(frozen=True, slots=True)
class Answer:
    """A response: *status* is its command_status, *body* what nobody has read yet ("" in most refusals)."""

    status: int
    body: bytes


class BindRefused(NotSent):
    """The peer is there and does not want us, as its *command_status* says."""

    def __init__(self, command_status: int) -> None:
        super().__init__(f"the login is refused ({command_status:#06x})")
        self.command_status = command_status


class Link:
    """A bound connection; made by ``opened``. *free* counts the requests that may still be under way."""

    def __init__(
        self,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        window: int,
        take: Taker,
        complain: Callable[[str], None] = lambda _why: None,
        enquire_after: float = ENQUIRE_AFTER,
    ) -> None:
        self._reader = reader
        self._writer = writer
        self.free = window
        self._take = take
        self._complain = complain
        self._enquire_after = enquire_after
        self._numbers = count(1)
        self._waiting: dict[int, tuple[int, asyncio.Future[Answer]]] = {}
        self._arriving: set[asyncio.Task[None]] = set()
        self._down = asyncio.Event()
        self._leaving = False  # one side has unbound: what is owed may still come, nothing new may go
        self._parting: asyncio.Task[None] | None = None
        self.why = ""  # it went down
        loop = asyncio.get_running_loop()
        self._heard_at = loop.time()
        self._tasks = tuple(loop.create_task(work) for work in (self._read(), self._keep_alive()))

    @classmethod
    async def opened(
        cls,
        peer: Peer,
        bind: Bind,
        command: int,
        take: Taker,
        *,
        window: int = 10,
        within: float = 10.0,
        complain: Callable[[str], None] = lambda _why: None,
        enquire_after: float = ENQUIRE_AFTER,
    ) -> Self:
        """Connect and bind. NotSent where nobody is or no answer comes, BindRefused where the answer is no."""
        try:
            async with asyncio.timeout(within):
                streams = await asyncio.open_connection(peer.host, peer.port, ssl=peer.tls)
                link = cls(*streams, window, take, complain, enquire_after)
                try:
                    answer = await link.begin(command, bind.encoded())
                except BaseException:
                    link.cut("the bind was not answered")
                    raise
        except (OSError, UnicodeError, OutcomeUnknown) as error:  # a bad certificate and a timeout are OSErrors, a
            # name that cannot be looked up may be a UnicodeError
            raise NotSent(f"no link to {peer}: {_why(error)}") from error
        if answer.status:
            link.cut("not bound")
            raise BindRefused(answer.status)
        return link

    @property
    def is_up(self) -> bool:
        """Whether a request may be begun."""
        return not self._leaving and not self._down.is_set()

    async def down(self) -> None:
        """Wait until it is over."""
        await self._down.wait()

    def begin(self, command: int, body: bytes) -> asyncio.Future[Answer]:
        """Give a request to the socket, in the order of the calls. NotSent when the link is down.

        The future brings the answer, or OutcomeUnknown when the link ends without one. Cancelling it forgets it.
        """
        if not self.is_up:
            raise NotSent(f"the link is down: {self.why or 'it is being left'}")
        return self._given(command, body)

    def _given(self, command: int, body: bytes) -> asyncio.Future[Answer]:
        number = (next(self._numbers) - 1) % _LAST_SEQUENCE + 1
        answered: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
        self._waiting[number] = (command, answered)
        answered.add_done_callback(lambda _future: self._waiting.pop(number, None))
        self._writer.write(Pdu(command, number, body=body).encoded())
        return answered

    async def ask(self, command: int, body: bytes, within: float) -> Answer:
        """One request and its answer. NotSent, or OutcomeUnknown when *within* seconds brought none."""
        answered = self.begin(command, body)
        try:
            async with asyncio.timeout(within):
                return await answered
        except TimeoutError as error:
            raise OutcomeUnknown("no answer in time") from error

    async def close(self, within: float = 4.0) -> None:
        """Begin nothing more, await answers and what is being kept, unbind, hang up: all *within* seconds (F19)."""
        self._leaving = True
        await self._settled(within * _FOR_ANSWERS)
        if not self._down.is_set():
            with suppress(OutcomeUnknown, TimeoutError):
                async with asyncio.timeout(within * (1 - _FOR_ANSWERS)):
                    await self._given(pdu.UNBIND, b"")
        self.cut("closed")
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def cut(self, why: str) -> None:
        """Hang up now: whoever waits for an answer learns that none will come."""
        if self._down.is_set():
            return
        self.why = why
        self._down.set()
        self._writer.transport.abort()
        for _command, answered in list(self._waiting.values()):
            if not answered.done():
                answered.set_exception(OutcomeUnknown(f"the link broke: {why}"))
                answered.exception()  # whoever waits is told; of one that nobody waits for nothing is to be logged
        parting = () if self._parting is None else (self._parting,)
        for task in (*self._tasks, *self._arriving, *parting):
            if task is not asyncio.current_task():
                task.cancel()

    async def _read(self) -> None:
        frames = Frames()
        why = "the peer hung up"
        try:
            while octets := await self._reader.read(65536):
                for one in frames.feed(octets):
                    self._heard_at = asyncio.get_running_loop().time()
                    self._handle(one)
        except (OSError, Broken) as error:
            why = _why(error)
        self.cut(why)

    def _handle(self, one: Pdu) -> None:
        if one.command & pdu.RESPONSE:
            self._answered(one)
        elif one.command == pdu.DELIVER_SM:
            self._arrived(one)
        else:
            self._reply(one.answer())
            if one.command == pdu.UNBIND and self._parting is None:
                self._leaving = True
                self._parting = asyncio.get_running_loop().create_task(self._part())

    async def _part(self) -> None:
        """The peer said goodbye: a link of no use is not waited on, or the next one would come late."""
        await self._settled(_ANSWERS_OWED)
        with suppress(TimeoutError):
            async with asyncio.timeout(_HANGS_UP):
                await self._down.wait()
        self.cut("the peer said goodbye")

    async def _settled(self, within: float) -> None:
        """Until every answer is here and everything that arrived is kept."""
        answers = [answered for _command, answered in self._waiting.values()]
        pending: list[asyncio.Future[Any]] = [*answers, *self._arriving]
        if pending:
            await asyncio.wait(pending, timeout=within)

    def _answered(self, one: Pdu) -> None:
        command, answered = self._waiting.get(one.sequence, (0, None))
        if answered is None or answered.done():
            return  # late, or to something that we never asked
        if one.command in (command | pdu.RESPONSE, pdu.GENERIC_NACK):
            status = one.status or (pdu.SYSTEM_ERROR if one.command == pdu.GENERIC_NACK else pdu.OK)
            answered.set_result(Answer(status, one.body))
        else:
            answered.set_exception(OutcomeUnknown("the answer is one to something else"))

    def _arrived(self, one: Pdu) -> None:
        if len(self._arriving) >= _MOST_ARRIVING:
            self._reply(one.answer(pdu.QUEUE_FULL))
            return
        task = asyncio.get_running_loop().create_task(self._keep(one), name="smpp arrival")
        self._arriving.add(task)
        task.add_done_callback(self._kept)

    def _kept(self, task: asyncio.Task[None]) -> None:
        self._arriving.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            self._complain(f"it could not be kept: {type(error).__name__}")

    async def _keep(self, one: Pdu) -> None:
        """Take, then answer. An error of ours answers as one, so that the peer keeps what we could not."""
        status = pdu.SYSTEM_ERROR
        try:
            status = await self._take(ShortMessage.read(one.body))
        except Malformed as error:
            self._complain(str(error))
            status = _REFUSED_FOR_GOOD
        finally:
            self._reply(one.answer(status, b"\0"))

    def _reply(self, answer: Pdu) -> None:
        if self._down.is_set():
            return
        self._writer.write(answer.encoded())
        if self._writer.transport.get_write_buffer_size() > _MOST_UNREAD:
            self.cut("the peer does not read")

    async def _keep_alive(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            await asyncio.sleep(max(0.01, self._heard_at + self._enquire_after - loop.time()))
            if loop.time() - self._heard_at < self._enquire_after:
                continue
            try:
                await self.ask(pdu.ENQUIRE_LINK, b"", _ENQUIRE_ANSWER)
            except (NotSent, OutcomeUnknown):
                self.cut("the peer does not answer any more")
                return


def _why(error: BaseException) -> str:
    """A sentence without anything that was sent."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"the certificate is not valid ({error.verify_message})"
    if isinstance(error, ssl.SSLError):
        return "no TLS"
    if isinstance(error, TimeoutError):
        return "no answer in time"
    if isinstance(error, Broken):
        return f"no SMPP: {error}"
    if isinstance(error, OSError):
        return error.strerror or "the connection broke"
    return str(error)
