"""The simulator as one object: build it, start it, hand it to ``app.create``."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Callable, Iterable
from contextlib import suppress
from datetime import UTC, datetime
from types import TracebackType
from typing import Self

from bridge.simulator.air import Air
from bridge.simulator.changes import Subscription
from bridge.simulator.courier import Courier
from bridge.simulator.faults import FaultBook
from bridge.simulator.inbox import open_inbox
from bridge.simulator.records import Answer, Change, Mail, Message, Post
from bridge.simulator.settings import Account, Handler, Switches
from bridge.simulator.smpp.door import NAME as SMPP
from bridge.simulator.smpp.door import Door as SmppDoor
from bridge.simulator.smpp.server import KIND as OVER_A_LINK
from bridge.simulator.smpp.server import Smpp
from bridge.simulator.smsc import gateway
from bridge.simulator.smsc.mail import MailDoor
from bridge.simulator.smsgate.cascade import NAME as SMSGATE
from bridge.simulator.smsgate.gateway import Smsgate

DEMO = Account(login="demo", password="secret", apikey="demo-key")  # noqa: S106 - a pretend account's pretend password


def utc_now() -> datetime:
    """The clock unless a test brings its own."""
    return datetime.now(UTC)


class CannotAnswer(ValueError):
    """The phone has nothing to answer: no message, or one whose sender is a name."""


class Simulator:
    """Pretend providers and phones.

    Usable at once (``smsc.answer`` takes requests, ``air.timers.advance`` moves states); ``start``, or
    ``async with``, lets time pass by itself and carries posts to handlers.
    """

    def __init__(
        self,
        *,
        accounts: Iterable[Account] = (DEMO,),
        switches: Switches | None = None,
        handlers: Iterable[Handler] = (),
        now: Callable[[], datetime] = utc_now,
    ) -> None:
        faults = FaultBook((gateway.NAME, SMSGATE, SMPP))
        self.air = Air(accounts=accounts, switches=switches or Switches(), faults=faults, now=now)
        self.air.handlers = tuple(handlers)
        self.smsc = gateway.Smsc(self.air)
        self.smsgate = Smsgate(self.air)
        self.courier = Courier(self.air)
        self.smpp = Smpp(self.air, SmppDoor(self.air, lambda: self.smsc.guard))
        self.air.post = self._carry
        self.closing = asyncio.Event()
        self._tasks: list[asyncio.Task[None]] = []
        self._inboxes: list[asyncio.Server] = []

    async def start(self) -> None:
        loops = (self.air.timers.run(), self.courier.run())
        self._tasks = [asyncio.create_task(loop, name="simulator") for loop in loops]

    async def listen_for_mail(self, host: str, port: int, tls: ssl.SSLContext | None = None) -> int:
        """Open an SMTP inbox, in which mails to ``send@send.<domain>`` are the provider's; the port it got."""
        server = await open_inbox(self.air, host, port, MailDoor(self.air, self.smsc), tls)
        self._inboxes.append(server)
        return int(server.sockets[0].getsockname()[1])

    async def listen_for_smpp(self, host: str, port: int, tls: ssl.SSLContext | None = None) -> int:
        """Open the SMPP door; the port it got."""
        return await self.smpp.listen(host, port, tls)

    def _carry(self, post: Post) -> None:
        if post.kind == OVER_A_LINK:
            self.smpp.put(post)
        else:
            self.courier.put(post)

    async def close(self) -> None:
        """Let go of every held request, stop the loops and close the inboxes."""
        self.closing.set()
        for server in self._inboxes:
            server.close()
        await self.smpp.close()
        for task in self._tasks:
            task.cancel()
        for task in self._tasks:
            with suppress(asyncio.CancelledError):
                await task
        self._tasks = []

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None
    ) -> None:
        await self.close()

    def messages(self, phone: str = "") -> tuple[Message, ...]:
        """In order of arrival; *phone* as digits or with a plus, "" for all."""
        return self.air.messages(_digits(phone))

    def mails(self) -> tuple[Mail, ...]:
        """Newest first."""
        return tuple(reversed(self.air.mails))

    def clear_messages(self) -> None:
        """Forget messages, answers, requests and posts, and who asked what within the last minute."""
        self.air.clear()
        self.smsc.reset()
        self.smsgate.reset()
        self.smpp.reset()

    def clear_mails(self) -> None:
        self.air.mails.clear()
        self.air.changes.publish(Change("cleared"))

    def reply(self, phone: str, text: str, to: str = "") -> Answer:
        """An SMS from *phone* to *to*, by default to whoever wrote last. CannotAnswer when that is nobody.

        Without *to*, what came by Viber is answered by Viber.
        """
        digits = _digits(phone)
        if not to and (viber := self.smsgate.last_viber(digits)) is not None:
            return self.air.answer(digits, viber.sender, text, "viber")
        return self.air.answer(digits, self._addressee(digits, to), text, "sms")

    def call(self, phone: str, to: str = "") -> Answer:
        """*phone* rings *to*; a confirmation call where wait_call.php has asked for one."""
        digits = _digits(phone)
        number = self._addressee(digits, to)
        pool = self.air.switches.wait_call_numbers
        if self.smsc.wait_calls.confirms(digits, number, pool, self.air.now()):
            return self.air.answer(digits, number, "[waitcall]", "waitcall")
        return self.air.answer(digits, number, "[CALL]", "call")

    def _addressee(self, phone: str, to: str) -> str:
        number = _digits(to or self.air.last_originator(phone))
        if not number.isdecimal():
            reason = f"its last message came from a name, {number!r}" if number else "it holds no message"
            raise CannotAnswer(f'phone {phone} has nobody to answer: {reason}; say to whom with "to"')
        return number

    def set_faults(self, wanted: dict[str, object]) -> None:
        """Everything as *wanted* says, the rest healthy. pydantic.ValidationError, or KeyError for a gateway."""
        self.air.faults.replace(wanted)
        self.air.changes.publish(Change("faults", "", self.air.faults.as_json()))

    def subscribe(self) -> Subscription:
        """``with simulator.subscribe() as changes: async for change in changes: …``"""
        return self.air.changes.subscribe()


def _digits(phone: str) -> str:
    return phone.strip().removeprefix("+")
