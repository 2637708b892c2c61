"""The links of one SMPP door: kept up, spread over, paced.

A link that cannot be had is tried again with growing pauses, at the next host; a login that is refused is left alone
for a quarter of an hour. Whoever wants to send takes a place on a link that is up, or learns that there is none.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import structlog

from bridge.errors import NotSent
from bridge.providers.base import LinkState
from bridge.providers.smsc_smpp_codes import LOGIN_REFUSED
from bridge.smpp import pdu
from bridge.smpp.bodies import Bind, ShortMessage
from bridge.smpp.link import ENQUIRE_AFTER, BindRefused, Link, Peer, Taker

log = structlog.get_logger("smpp")

_PAUSES = (1.0, 2.0, 5.0, 10.0, 30.0, 60.0)  # seconds before the next try, after failures in a row
_AFTER_REFUSAL = 900.0
_LIVED = 30.0  # seconds after which a link counts as having worked
_GONE_STATUS = 0x64  # of what arrives when nobody keeps it: the peer holds it for later
_FINEST = 0.001  # seconds: a loop sleeps no shorter, so what is faster goes in bursts of so much
OWN_PACE = "rate"  # code of a refusal by our own pace


@dataclass(frozen=True, slots=True)
class Wanted:
    """What the links are to be. *rate*: PDUs a second over all of them. *window*: unanswered ones on each."""

    peers: Sequence[Peer]
    connections: int
    window: int
    rate: float
    pauses: Sequence[float] = _PAUSES
    enquire_after: float = ENQUIRE_AFTER


class Links:
    """Opens itself with the first ``taken``, or with ``open``; *login* is called for each bind: it holds a password."""

    def __init__(self, name: str, wanted: Wanted, login: Callable[[], Bind]) -> None:
        self._name = name
        self._wanted = wanted
        self._login = login
        self._take: Taker = _nobody_there
        self._command = pdu.BIND_TRANSMITTER  # without somebody who keeps what arrives, nothing is to arrive
        self._up: list[Link] = []
        self._changed = asyncio.Event()
        self._tasks: list[asyncio.Task[None]] = []
        self._closing: set[asyncio.Task[None]] = set()
        self._failure = "no link yet"
        self._refused = False
        self._was_up = False
        self._closed = False
        self._next_at = 0.0

    @property
    def used(self) -> bool:
        """Whether somebody has opened it, or closed it."""
        return bool(self._tasks) or self._closed

    @property
    def state(self) -> LinkState:
        """As it is now."""
        up = sum(link.is_up for link in self._up)
        return LinkState(up, self._wanted.connections, "" if up else self._failure, self._refused and not up)

    def open(self, take: Taker | None = None) -> None:
        """Bring the links up; with *take*, also for what arrives, to whoever said so last."""
        if take is not None:
            self._take = take
            if self._command != pdu.BIND_TRANSCEIVER:
                self._command = pdu.BIND_TRANSCEIVER
                self._rebind()
        if not self._tasks and not self._closed:
            start = asyncio.get_running_loop().create_task
            self._tasks = [start(self._keep_up(number)) for number in range(self._wanted.connections)]

    async def _taken_by_the_last(self, message: ShortMessage) -> int:
        return await self._take(message)

    def _rebind(self) -> None:
        """Links that were bound for sending alone come back as ones that also bring receipts."""
        for link in self._up:
            closing = asyncio.get_running_loop().create_task(link.close())
            self._closing.add(closing)
            closing.add_done_callback(self._closing.discard)

    async def close(self, within: float = 4.0) -> None:
        """Unbind and stay down, whoever still wants to send."""
        self._closed, self._failure = True, "the door is closed"
        self._changed.set()
        tasks, self._tasks = self._tasks, []
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await asyncio.gather(*(link.close(within) for link in self._up))
        self._up.clear()

    async def taken(self, within: float, on: Link | None = None) -> Link:
        """A link with a place in its window, taken, in its turn; *on* that very one. ``free`` it afterwards.

        NotSent when none comes up or gets free within that many seconds, or when its turn would come later.
        """
        self.open()
        loop = asyncio.get_running_loop()
        until = loop.time() + within
        try:
            async with asyncio.timeout_at(until):
                link = await self._with_room(on)
        except TimeoutError:
            why = f"no answer came for {self._wanted.window} requests" if self._up else self._failure
            raise NotSent(why) from None
        try:
            await self._turn(until)
        except BaseException:
            self.free(link)
            raise
        if not link.is_up:
            self.free(link)
            raise NotSent("the link broke before its turn")
        return link

    def free(self, link: Link) -> None:
        """A place is free again."""
        link.free += 1
        self._changed.set()

    async def _with_room(self, on: Link | None) -> Link:
        while True:
            links = [link for link in self._up if link.is_up and link.free > 0 and on in (None, link)]
            if links:
                link = max(links, key=lambda each: each.free)
                link.free -= 1
                return link
            if on is not None and not on.is_up:
                raise NotSent("the link broke between two parts")
            if self._closed or (self._refused and not self._up):
                raise NotSent(self._failure)
            self._changed.clear()
            await self._changed.wait()

    async def _turn(self, until: float) -> None:
        now = asyncio.get_running_loop().time()
        turn = max(self._next_at, now)
        if turn > until:  # our own pace, so no fault of the door
            raise NotSent("its rate is used up", code=OWN_PACE, retry_after=turn - now)
        self._next_at = turn + 1 / self._wanted.rate
        if turn - now >= _FINEST:
            await asyncio.sleep(turn - now)

    async def _keep_up(self, number: int) -> None:
        """One connection for as long as the door is open; the first tries go to the first host."""
        failures, peers = 0, self._wanted.peers
        while True:
            peer = peers[(number + failures) % len(peers)] if failures else peers[0]
            begin = asyncio.get_running_loop().time()
            try:
                await self._one(peer)
                lived = asyncio.get_running_loop().time() - begin >= _LIVED
                failures = 0 if lived else failures + 1
                pause = self._pause(failures)
            except BindRefused as error:
                self._fail(error, refused=self._is_final(error.command_status))
                failures += 1
                pause = _AFTER_REFUSAL if self._refused else self._pause(failures)
                log.error("login refused", gateway=self._name, peer=str(peer), why=error.reason, again_in=pause)
            except NotSent as error:
                self._fail(error, refused=False)
                failures += 1
                pause = self._pause(failures)
                log.warning("no link", gateway=self._name, peer=str(peer), why=error.reason, again_in=pause)
            await asyncio.sleep(pause)

    def _is_final(self, status: int) -> bool:
        """Whether trying on would only get the address blocked.

        A login that has worked is well: "bind failed" then means that the provider counts too many links, mostly one
        that broke and that it has not missed yet.
        """
        return status in LOGIN_REFUSED and not (status == pdu.BIND_FAILED and self._was_up)

    def _pause(self, failures: int) -> float:
        return self._wanted.pauses[min(max(failures, 1), len(self._wanted.pauses)) - 1]

    def _fail(self, error: NotSent, *, refused: bool) -> None:
        self._failure, self._refused = error.reason, refused
        self._changed.set()

    async def _one(self, peer: Peer) -> None:
        """Up, until it goes down."""
        link = await Link.opened(
            peer,
            self._login(),
            self._command,
            self._taken_by_the_last,
            window=self._wanted.window,
            complain=lambda why: log.error("unreadable PDU refused", gateway=self._name, peer=str(peer), why=why),
            enquire_after=self._wanted.enquire_after,
        )
        log.info("link up", gateway=self._name, peer=str(peer))
        self._refused, self._was_up = False, True
        self._up.append(link)
        self._changed.set()
        await link.down()  # cancelled by ``close``, which then unbinds what is in the list
        self._up.remove(link)
        self._failure = f"the link to {peer} broke: {link.why}"
        self._changed.set()
        log.warning("link down", gateway=self._name, peer=str(peer), why=link.why)


async def _nobody_there(_message: object) -> int:
    return _GONE_STATUS
