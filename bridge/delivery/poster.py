"""Mails on their way out: one loop, retried by error kind, never a report about a report.

A lost answer after the final dot is tried again: a mail that comes twice costs nothing and its Message-ID is the
same. What cannot be delivered is given up after three days and logged; reports come from the null sender, so
nothing comes back about them (RFC 5321 §6.1).
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Protocol

import structlog

from bridge.egress.smtp import Refused
from bridge.errors import DeliveryError, PermanentFailure, StoreUnavailable
from bridge.model import OutgoingMail
from bridge.store import post
from bridge.store.engine import Store

log = structlog.get_logger("poster")

_AGAIN = tuple(timedelta(seconds=s) for s in (10, 30, 60, 300, 900, 3600))
_GIVE_UP = timedelta(days=3)
_AT_ONCE = 4  # mails under way at the relay
_POLL = 1.0


class Relay(Protocol):
    """Who takes our mails."""

    async def send(self, envelope_from: str, to: Sequence[str], content: bytes) -> Sequence[Refused]:
        """Recipients that were refused while others were taken; raises a delivery error when nobody was."""


class Poster:
    """Sends what the store holds for the relay until it is stopped. Without a relay mails wait in the store."""

    def __init__(
        self,
        store: Store,
        relay: Callable[[], Relay | None],
        *,
        owner: str,
        now: Callable[[], datetime],
        ended: Callable[[OutgoingMail, str], None] = lambda _mail, _how: None,
    ) -> None:
        """*ended* hears ``sent``, ``later`` or ``failed`` for every attempt."""
        self._store = store
        self._relay = relay
        self._owner = owner
        self._now = now
        self._ended = ended
        self._woken = asyncio.Event()

    def wake(self) -> None:
        """A mail was written."""
        self._woken.set()

    async def run(self) -> None:
        """Work until cancelled."""
        while True:
            self._woken.clear()  # before the look: who wakes us during it wrote something that it did not see
            try:
                if await self.round():
                    continue
            except StoreUnavailable as error:
                log.warning("store away", error=str(error))
            try:
                async with asyncio.timeout(_POLL):
                    await self._woken.wait()
            except TimeoutError:
                continue

    async def round(self) -> bool:
        """Send what is due; True when there may be more."""
        relay = self._relay()
        if relay is None:
            return False
        due = await self._store.write(lambda tx: post.claim(tx, self._now(), self._owner, _AT_ONCE))
        await asyncio.gather(*(self._send(relay, mail, attempt) for mail, attempt in due))
        return len(due) == _AT_ONCE

    async def _send(self, relay: Relay, mail: OutgoingMail, attempt: int) -> None:
        try:
            refused = await relay.send(mail.envelope_from, mail.to, mail.content)
        except PermanentFailure as error:
            await self._failed(mail, error.reason)
            return
        except DeliveryError as error:
            await self._later(mail, attempt, error.reason)
            return
        for one in refused:
            log.warning("mail refused for one", mail=mail.id, about=mail.kind, to=one.address, why=one.error.reason)
        left = tuple(one.address for one in refused if not isinstance(one.error, PermanentFailure))
        if left:
            await self._later(replace(mail, to=left), attempt, refused[0].error.reason, narrowed=True)
            return
        now = self._now()
        await self._store.write(lambda tx: post.sent(tx, mail.id, now))
        self._ended(mail, "sent")

    async def _later(self, mail: OutgoingMail, attempt: int, why: str, *, narrowed: bool = False) -> None:
        due = self._now() + _AGAIN[min(attempt, len(_AGAIN)) - 1]
        if due - mail.created_at > _GIVE_UP:
            await self._failed(mail, why)
            return
        if narrowed:
            await self._store.write(lambda tx: post.narrow(tx, mail.id, mail.to, why, due))
        else:
            await self._store.write(lambda tx: post.later(tx, mail.id, why, due))
        self._ended(mail, "later")
        log.warning("mail waits", mail=mail.id, about=mail.kind, attempt=attempt, why=why)

    async def _failed(self, mail: OutgoingMail, why: str) -> None:
        now = self._now()
        await self._store.write(lambda tx: post.failed(tx, mail.id, why, now))
        self._ended(mail, "failed")
        log.error("mail cannot be delivered", mail=mail.id, about=mail.kind, why=why)
