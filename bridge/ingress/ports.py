"""What the mail doors ask of the rest of the bridge, and what they tell it. Nothing here knows SMTP."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Literal, Protocol

from bridge.errors import StoreUnavailable
from bridge.model import Envelope
from bridge.routing.facts import Facts

__all__ = ["Clock", "Facts", "Keep", "Meter", "NoMeter", "NoReturns", "NoRoom", "Policy", "Returns", "Room"]

Keep = Callable[[Envelope], Awaitable[int]]
"""Commits the envelope and gives the id of the mail (``M-<id>``) after the commit.

Raises :class:`NoRoom` when disk or spool are full, :class:`StoreUnavailable` when store and spool are away.
"""

Clock = Callable[[], datetime]
"""Aware UTC now."""

Room = Callable[[int], bool]
"""Whether a mail of so many bytes (0 = size not announced) may be begun; asked before DATA (threats F03)."""


class NoRoom(StoreUnavailable):
    """The disk or the spool is full; nothing was kept, the sender may come again."""


class Policy(Protocol):
    """The decisions that need the rules. Refusals are whole reply lines, ``550 5.1.1 …``; None lets pass."""

    @property
    def hostname(self) -> str:
        """Name of this host in greeting and EHLO."""

    def sender_refusal(self, facts: Facts) -> str | None:
        """Why ``facts.mail_from`` may not be used by this source."""

    def recipient_refusal(self, facts: Facts, address: str) -> str | None:
        """Why this recipient is not taken from this source."""


class Returns(Protocol):
    """Error mails about mails of ours: taken from the null sender alone, read at once, never kept."""

    def has(self, address: str) -> bool:
        """Whether *address* has the form of one that they go to."""

    async def known(self, address: str) -> Literal["here", "soon", "nowhere"]:
        """Whether one is expected there; ``soon``: it may be in a moment. Raises StoreUnavailable."""

    async def take(self, address: str, content: bytes) -> None:
        """Do what it says; returns after the commit. Raises StoreUnavailable."""


class NoReturns:
    """Nothing of ours leaves by mail in a way that it could come back."""

    def has(self, address: str) -> bool:
        return False

    async def known(self, address: str) -> Literal["here", "soon", "nowhere"]:
        return "nowhere"

    async def take(self, address: str, content: bytes) -> None:
        raise StoreUnavailable(f"nobody reads what comes to {address}")


class Meter(Protocol):
    """Counters of a door."""

    def opened(self) -> None:
        """A connection was let in."""

    def closed(self) -> None:
        """A connection that had been let in is gone."""

    def kept(self, size: int, seconds: float) -> None:
        """A mail was answered ``250``; *seconds* from the final dot to the reply."""

    def refused(self, stage: str, reply: str, peer: str) -> None:
        """Something was refused: *stage* is ``connect``, ``auth``, ``mail``, ``rcpt``, ``data`` or ``line``."""


class NoMeter:
    """Counts nothing."""

    def opened(self) -> None: ...

    def closed(self) -> None: ...

    def kept(self, size: int, seconds: float) -> None: ...

    def refused(self, stage: str, reply: str, peer: str) -> None: ...
