"""Asking for the number that an SMS names to ring (``confirm_by_call``), right before the SMS leaves.

A number may cost and lives a quarter of an hour, so it is asked for when a door has room for the message and not
before, and a phone gets so many an hour only. An alert never waits for it: what cannot be had within seconds is left
out with its sentence. What was asked for is committed before the message can be claimed.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import datetime
from weakref import WeakValueDictionary

import structlog

from bridge.delivery.gateways import Gateways
from bridge.dispatch import ringing
from bridge.errors import AccountPaused, DeliveryError, StoreUnavailable
from bridge.model import JournalEntry, Message
from bridge.providers.base import CallsToConfirm
from bridge.store import journal, outbox, pacing
from bridge.store.engine import Store, Tx

log = structlog.get_logger("numbers")

LONGEST = 8.0  # seconds for one question, and for its turn; a message is leased for longer than both
_LOOK = 0.1  # seconds between looks for a place at the account


class Numbers:
    """Fills the slots of messages that a claim kept for it. *ended* hears of each: the message may be claimed.

    *paused* hears of an account that cannot be asked.
    """

    def __init__(
        self,
        store: Store,
        gateways: Callable[[], Gateways],
        *,
        owner: str,
        now: Callable[[], datetime],
        ended: Callable[[], None],
        paused: Callable[[str, AccountPaused], None],
    ) -> None:
        self._store = store
        self._gateways = gateways
        self._owner = owner
        self._now = now
        self._ended = ended
        self._paused = paused
        self._asking: set[asyncio.Task[None]] = set()
        self._turns: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()  # by phone

    def ask(self, message: Message) -> None:
        """Get a number for *message*, leased to us."""
        task = asyncio.create_task(self._fill(message), name=f"number for message {message.id}")
        self._asking.add(task)
        task.add_done_callback(self._done)

    def close(self) -> None:
        """Ask no more: the leases run out, and whoever claims the messages then asks again."""
        for task in self._asking:
            task.cancel()

    def _done(self, task: asyncio.Task[None]) -> None:
        self._asking.discard(task)
        if not task.cancelled() and task.exception() is not None:
            log.critical("asking for a number broke off", task=task.get_name(), exc_info=task.exception())
        self._ended()

    async def _fill(self, message: Message) -> None:
        """One phone's messages one after the other: each counts the numbers that were given before it."""
        turn = self._turns.setdefault(message.phone, asyncio.Lock())
        try:
            async with asyncio.timeout(LONGEST):
                await turn.acquire()
        except TimeoutError:
            await self._write(message, "", "no answer in time")
            return
        try:
            await self._write(message, *await self._number(message))
        finally:
            turn.release()

    async def _write(self, message: Message, number: str, why: str) -> None:
        """Commit *message* with its *number*, or without one and *why*."""
        now = self._now()
        filled = ringing.with_number(message, number, now)
        given = ringing.given(message.phone, number, now) if filled.call else ()
        kind, said = ("call.offered", number) if filled.call else ("call.not_offered", why or "it would be dearer")
        data = {"number" if filled.call else "why": said}
        entry = JournalEntry(now, kind, message.mail_id, message.incident_id, message.id, data)

        def write(tx: Tx) -> None:
            if outbox.number(tx, filled, self._owner, given):
                journal.add(tx, [entry])

        try:
            await self._store.write(write)
        except StoreUnavailable as error:  # the lease runs out, and it is asked for once more
            log.warning("store away", error=str(error), message=message.id)

    async def _number(self, message: Message) -> tuple[str, str]:
        """A number to ring ("" = none), and why there is none."""
        gateways, since = self._gateways(), self._now() - ringing.KEPT
        asked = ((name, gateways.confirming(name)) for name in message.providers if name in gateways)
        name, gateway = next(((name, found) for name, found in asked if found is not None), ("", None))
        if gateway is None:
            return "", "no gateway gives numbers now"
        tally = ringing.tally_of(message.phone)
        if await self._store.read(lambda tx: pacing.tallied(tx, tally, since)) >= ringing.MOST_AN_HOUR:
            return "", f"it was given {ringing.MOST_AN_HOUR} numbers within an hour"
        try:
            async with asyncio.timeout(LONGEST):
                return await self._asked(gateways, name, gateway, message.phone), ""
        except TimeoutError:
            why = "no answer in time"
        except DeliveryError as error:
            why = error.reason
            if isinstance(error, AccountPaused):
                self._paused(name, error)
        log.warning("no number to ring", gateway=name, message=message.id, why=why)
        return "", why

    @staticmethod
    async def _asked(gateways: Gateways, name: str, gateway: CallsToConfirm, phone: str) -> str:
        """E.164 with its plus. The question takes one of the account's places, as every request does."""
        while not gateways.take(name):  # noqa: ASYNC110 - places are given back by threads and loops, none of them ours
            await asyncio.sleep(_LOOK)
        places = gateways.doors[name].places
        try:
            await places.place(LONGEST)
            try:
                return f"+{(await gateway.ask_for_call(phone)).number}"
            finally:
                places.free()
        finally:
            gateways.give_back(name)
