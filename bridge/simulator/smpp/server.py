"""Connections of the SMPP door: bind rules, window, throttling, idle time, deliveries that are repeated until they are
acknowledged, and the ways of misbehaving that ``faults`` has.
"""

from __future__ import annotations

import asyncio
import ssl
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime, timedelta
from itertools import count

from bridge.simulator.air import Air
from bridge.simulator.faults import HEALTHY, Fault
from bridge.simulator.records import Answer, Exchange, Message, Post, Posted
from bridge.simulator.settings import Handler
from bridge.simulator.smpp import reports
from bridge.simulator.smpp.door import NAME, Door, No
from bridge.simulator.smsc import callbacks, numbers
from bridge.smpp import bodies, pdu
from bridge.smpp.bodies import INTERFACE_VERSION, Bind, Query, ShortMessage
from bridge.smpp.pdu import Broken, Frames, Malformed, Pdu

KIND = "smpp"
"""Kind of a post that goes over a link; its URL is the login."""

_RECEIVING = frozenset({pdu.BIND_RECEIVER, pdu.BIND_TRANSCEIVER})
_SENDING = frozenset({pdu.BIND_TRANSMITTER, pdu.BIND_TRANSCEIVER})
_MOST_WAITING = 10_000  # deliveries for one login
_DELIVERED_WITHIN = 10.0  # seconds for a deliver_sm_resp
_GARBAGE = b"\x00\xff\xfe{]]>this is no PDU, nor is the rest of the line\r\n"


class Smpp:
    """The door with its connections; a reporter for messages whose receipts go elsewhere."""

    def __init__(self, air: Air, door: Door) -> None:
        self._air = air
        self.door = door
        self._servers: list[asyncio.Server] = []
        self._sessions: set[Session] = set()
        self._waiting: dict[str, deque[Post]] = {}
        air.reporters[NAME] = self
        air.links[NAME] = self

    async def listen(self, host: str, port: int, tls: ssl.SSLContext | None = None) -> int:
        """Open the door; the port it got."""
        server = await asyncio.start_server(self._connected, host, port, ssl=tls)
        self._servers.append(server)
        return int(server.sockets[0].getsockname()[1])

    async def close(self) -> None:
        """Close the door and cut every connection."""
        for server in self._servers:
            server.close()
        for session in list(self._sessions):
            session.cut()
        self._servers.clear()

    def reset(self) -> None:
        """Nothing waits to be delivered any more."""
        self._waiting.clear()
        self.door.reset()

    def cut(self) -> None:
        """Cut every connection, as a network does."""
        for session in list(self._sessions):
            session.cut()

    def unbind(self) -> None:
        """Say goodbye on every connection that is bound, as before maintenance."""
        for session in list(self._sessions):
            session.unbind()

    @property
    def bound(self) -> int:
        """How many connections are bound."""
        return sum(session.is_bound for session in self._sessions)

    def bound_as(self, login: str) -> int:
        """How many connections that login has."""
        return sum(session.is_bound and session.login == login for session in self._sessions)

    # what the air reports

    def status_posts(self, handler: Handler, message: Message) -> tuple[Post, ...]:
        """Without registered_delivery a status goes to the HTTP handler (smsc-smpp.md §2)."""
        if message.request.get("registered"):
            return ()
        fields = callbacks.status_fields(message, self._air.switches, self._air.hours(message.login))
        return (callbacks.post(handler, "status", fields, message.phone, self._air.switches),)

    def answer_posts(self, handler: Handler, answer: Answer) -> tuple[Post, ...]:
        """The HTTP door posts them."""
        return ()

    def link_status_posts(self, message: Message) -> tuple[Post, ...]:
        """Receipts that go over a link."""
        if not message.request.get("registered"):
            return ()
        made = reports.receipts(message, self.door.switches, self._air.switches.hlr)
        return tuple(self._post(message.login, one, message.phone, "receipt") for one in made)

    def link_answer_posts(self, answer: Answer) -> tuple[Post, ...]:
        """An inbound SMS, for every account whose number it was sent to."""
        if answer.kind != "sms" or self.door.switches.inbound == "off":
            return ()
        logins = [account.login for account in self._air.accounts.values() if account.number == answer.to]
        made = reports.inbound(answer, self.door.switches)
        return tuple(self._post(login, one, answer.phone, "inbound") for login in logins for one in made)

    @staticmethod
    def _post(login: str, message: ShortMessage, phone: str, what: str) -> Post:
        return Post(login, what, message.encoded(), phone, KIND)

    def put(self, post: Post) -> None:
        """Deliver, now or when a receiver binds."""
        waiting = self._waiting.setdefault(post.url, deque(maxlen=_MOST_WAITING))
        waiting.append(post)
        self.deliver(post.url)

    def deliver(self, login: str) -> None:
        """Hand what waits for *login* to its receivers."""
        waiting = self._waiting.get(login, deque())
        receivers = [one for one in self._sessions if one.is_bound and one.login == login and one.command in _RECEIVING]
        while waiting and receivers:
            receivers.sort(key=lambda session: session.delivering)
            receivers[0].deliver(waiting.popleft())

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        session = Session(self, self._air, self.door, reader, writer)
        self._sessions.add(session)
        try:
            await session.run()
        finally:
            self._sessions.discard(session)
            session.cut()


class Session:
    """One connection. *login* is "" until it is bound."""

    def __init__(
        self, smpp: Smpp, air: Air, door: Door, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        self._smpp = smpp
        self._air = air
        self._door = door
        self._reader = reader
        self._writer = writer
        self.peer = str(writer.get_extra_info("peername")[0])
        self.login = ""
        self.iso = False
        self.command = 0
        self._leaving = False  # goodbye was said: what is under way is finished, nothing is delivered any more
        self._open = 0
        self._numbers = count(1)
        self._answers: dict[int, asyncio.Future[Pdu]] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._second: deque[datetime] = deque()
        self._held: bytearray | None = None  # what waits while an answer drips

    @property
    def delivering(self) -> int:
        """Deliveries that are not acknowledged yet."""
        return len(self._answers)

    @property
    def is_bound(self) -> bool:
        """Whether it is of use to anybody."""
        return bool(self.login) and not self._leaving

    def unbind(self) -> None:
        """Say goodbye, once. The peer is to answer and to hang up; until it answered it may not know of it."""
        if self.is_bound:
            self._leaving = True
            self._send(Pdu(pdu.UNBIND, next(self._numbers)))

    def cut(self) -> None:
        """End it without a word."""
        self.login = ""
        if not self._writer.transport.is_closing():
            self._writer.transport.abort()
        for answered in self._answers.values():
            answered.cancel()

    async def run(self) -> None:
        """Read until the peer goes, is idle for too long, or speaks something else."""
        frames = Frames()
        with suppress(Broken, OSError, TimeoutError):
            while octets := await self._heard():
                for one in frames.feed(octets):
                    self._start(one)

    async def _heard(self) -> bytes:
        """What came, b"" at the end. TimeoutError for a peer that is idle, also after a goodbye said because of it."""
        try:
            async with asyncio.timeout(self._door.switches.idle_seconds):
                return await self._reader.read(65536)
        except TimeoutError:
            if not (self._door.switches.idle_unbind and self.is_bound):
                raise
        self.unbind()
        return await self._heard()

    def _start(self, one: Pdu) -> None:
        if one.command & pdu.RESPONSE and one.command != pdu.UNBIND | pdu.RESPONSE:
            answered = self._answers.get(one.sequence)
            if answered is not None and not answered.done():
                answered.set_result(one)
            return
        task = asyncio.get_running_loop().create_task(self._handle(one), name="simulator smpp")
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _handle(self, one: Pdu) -> None:
        try:
            if one.command in pdu.BINDS:
                await self._answered(one, "bind", pdu.BIND_FAILED, self._bound)
            elif one.command == pdu.SUBMIT_SM:
                await self._submitted(one)
            elif one.command == pdu.QUERY_SM:
                await self._answered(one, "status", pdu.QUERY_FAILED, self._asked)
            elif one.command == pdu.ENQUIRE_LINK:
                await self._answered(one, "link", pdu.SYSTEM_ERROR, Pdu.answer)
            elif one.command == pdu.UNBIND:
                self._send(one.answer())
                self._writer.close()
            elif one.command == pdu.UNBIND | pdu.RESPONSE:
                self.login = ""  # in its turn: what the peer sent before it came from somebody who was bound
            else:
                self._send(Pdu(pdu.GENERIC_NACK, one.sequence, pdu.INVALID_COMMAND))
        except No as refused:
            self._send(one.answer(refused.status))
        except Malformed:
            self._send(one.answer(pdu.INVALID_LENGTH))

    async def _answered(self, one: Pdu, where: str, refusal: int, answer: Callable[[Pdu], Pdu]) -> None:
        """Answer a request that sends nothing, as far as what goes wrong at *where* lets it be answered.

        What is not answered was not done either, unless the fault says ``take``: nobody is bound without knowing it.
        """
        fault = self._meet("", where)
        if fault.delay:
            await asyncio.sleep(fault.delay)
        if fault.command_status or fault.refuse:
            raise No(fault.command_status or refusal)
        if self._throttled(fault):
            raise No(pdu.THROTTLED)
        unanswered = fault.silent or fault.half or fault.answer or fault.drop in ("before", "after")
        try:
            made = one.answer() if unanswered and not fault.take else answer(one)
        except No as refused:
            made = one.answer(refused.status)
        await self._play(made, fault)

    def _bound(self, one: Pdu) -> Pdu:
        if self.login:
            raise No(pdu.ALREADY_BOUND)
        bind = Bind.read(one.body)
        account = self._door.login(bind, self.peer)
        if self._smpp.bound_as(account.login) >= self._door.switches.binds:
            raise No(pdu.BIND_FAILED)
        self.login, self.command, self.iso = account.login, one.command, bind.system_type == "ISO"
        asyncio.get_running_loop().call_soon(self._smpp.deliver, self.login)
        version = bodies.encode_tlvs(((INTERFACE_VERSION, b"\x34"),))
        return one.answer(pdu.OK, b"SMSC\0" + version)

    async def _submitted(self, one: Pdu) -> None:
        message = ShortMessage.read(one.body)
        phone = numbers.phone_number(message.destination.text, "sms", self._air.switches)
        fault = self._meet(phone, "send")
        if not self.login or self.command not in _SENDING:
            raise No(pdu.WRONG_STATE)
        if self._open >= self._door.switches.window or self._too_fast() or self._throttled(fault):
            raise No(pdu.THROTTLED)
        self._open += 1
        try:
            answer = self._answer(one, message, fault)
            self._note(message, answer, fault)
            if fault.delay:
                await asyncio.sleep(fault.delay)
        finally:
            self._open -= 1
        await self._play(answer, fault)

    def _answer(self, one: Pdu, message: ShortMessage, fault: Fault) -> Pdu:
        if not fault.takes and not (fault.refuse or fault.command_status):
            return one.answer(pdu.SYSTEM_ERROR)  # never sent: the fault cuts the connection or is silent
        try:
            id = self._door.submit(self.login, message, fault, iso=self.iso)
        except No as refused:
            return one.answer(refused.status)
        if fault.answer == "other id":
            id = "424242"
        return one.answer(pdu.OK, b"" if fault.answer == "empty" else bodies.c_octets(id))

    async def _play(self, answer: Pdu, fault: Fault) -> None:
        """Send the answer as *fault* lets it be sent."""
        if not fault.silent:
            await self._played(answer.encoded(), fault)
        if fault.unbind:
            self.unbind()

    async def _played(self, octets: bytes, fault: Fault) -> None:
        if fault.drop in ("before", "after"):
            self.cut()
        elif fault.half:
            self._writer.write(octets[: len(octets) // 2])
            self._writer.close()
        elif fault.answer not in (None, "empty", "other id"):
            self._writer.write(_GARBAGE)
        else:
            await self._dripped(octets, fault.drip)
            if fault.drop == "answered":
                self._writer.close()

    async def _dripped(self, octets: bytes, drip: float) -> None:
        """Byte by byte where it drips; what else is to be said waits until the last of them."""
        if not drip or self._held is not None:
            self._write(octets)
            return
        self._held = bytearray()
        for number in range(len(octets)):
            self._writer.write(octets[number : number + 1])
            await asyncio.sleep(drip)
        held, self._held = self._held, None
        self._write(bytes(held))

    def _asked(self, one: Pdu) -> Pdu:
        if not self.login:
            raise No(pdu.WRONG_STATE)
        return one.answer(pdu.OK, self._door.query(self.login, Query.read(one.body)).encoded())

    def _meet(self, phone: str, where: str) -> Fault:
        met = self._air.faults.meet(NAME, where, [phone] if phone else [])
        return met.of(phone) if phone else met.everyone

    def _throttled(self, fault: Fault) -> bool:
        return fault != HEALTHY and self._air.faults.throttled(NAME, fault, self._air.now())

    def _too_fast(self) -> bool:
        """More submits within a second than the account may make; none is counted that was refused."""
        most, now = self._door.switches.a_second, self._air.now()
        while self._second and now - self._second[0] >= timedelta(seconds=1):
            self._second.popleft()
        if most and len(self._second) >= most:
            return True
        self._second.append(now)
        return False

    def deliver(self, post: Post) -> None:
        """Send one deliver_sm, again and again until it is acknowledged."""
        number = next(self._numbers)
        self._answers[number] = asyncio.get_running_loop().create_future()
        task = asyncio.get_running_loop().create_task(self._delivered(number, post), name="simulator smpp delivery")
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _delivered(self, number: int, post: Post) -> None:
        status = -1
        try:
            self._send(Pdu(pdu.DELIVER_SM, number, body=post.body))
            async with asyncio.timeout(_DELIVERED_WITHIN):
                status = (await self._answers[number]).status
        except (TimeoutError, asyncio.CancelledError):
            pass
        finally:
            del self._answers[number]
        self._air.posted.append(Posted(post, 200 if status == 0 else 0, f"{status:#x}", self._air.now()))
        if status:
            due = self._air.now() + timedelta(seconds=self._door.switches.again_seconds)
            self._air.timers.at(due, lambda at: self._smpp.put(post))

    def _send(self, one: Pdu) -> None:
        self._write(one.encoded())

    def _write(self, octets: bytes) -> None:
        if self._held is not None:
            self._held += octets
        elif not self._writer.transport.is_closing():
            self._writer.write(octets)

    def _note(self, message: ShortMessage, answer: Pdu, fault: Fault) -> None:
        unanswered = fault.silent or fault.drop in ("before", "after")
        self._air.exchanges.append(
            Exchange(
                gateway=NAME,
                door="send",
                method="SMPP",
                target=f"submit_sm {message.destination.text}",
                body=message.encoded().hex(),
                peer=self.peer,
                received_at=self._air.now(),
                answer=None if unanswered else f"{answer.status:#x}",
            )
        )
