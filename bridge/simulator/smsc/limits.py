"""How often, how many at once, and who is shut out (smsc-http.md §6)."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Hashable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta

from bridge.simulator.settings import Limits, Switches
from bridge.simulator.smsc.replies import Refused
from bridge.simulator.smsc.request import Asked, Raw

_MINUTE = timedelta(minutes=1)
_KEYS_KEPT = 20_000


class Window:
    """Counts what happened within the last minute, by key."""

    def __init__(self) -> None:
        self._times: dict[Hashable, deque[datetime]] = {}

    def hit(self, key: Hashable, now: datetime) -> int:
        """How many, this one included, fell into the minute that ends at *now*."""
        times = self._times.setdefault(key, deque())
        self._drop_old(times, now)
        times.append(now)
        if len(self._times) > _KEYS_KEPT:
            self._times = {kept: seen for kept, seen in self._times.items() if now - seen[-1] < _MINUTE}
        return len(times)

    @staticmethod
    def _drop_old(times: deque[datetime], now: datetime) -> None:
        while times and now - times[0] >= _MINUTE:
            times.popleft()


class Guard:
    """The memory behind the limits of one gateway. *switches* are handed in at each question: they may change."""

    def __init__(self) -> None:
        self._window = Window()
        self._open: Counter[tuple[str, str]] = Counter()
        self._sent: dict[Hashable, datetime] = {}
        self._blocked: dict[str, datetime] = {}
        self._runs: dict[str, tuple[datetime, int]] = {}

    @contextmanager
    def connection(self, login: str, door: str, limits: Limits) -> Iterator[bool]:
        """Occupies one of the login's simultaneous requests; gives whether that is one too many."""
        key = (login, "status" if door == "status" else "")
        most = limits.status_connections if door == "status" else limits.connections
        self._open[key] += 1
        try:
            yield self._open[key] >= most
        finally:
            self._open[key] -= 1

    def admit(self, peer: str, limits: Limits, now: datetime) -> None:
        """Refused 4 while *peer* is shut out; asking again prolongs it."""
        if now < self._blocked.get(peer, now):
            self._blocked[peer] = now + timedelta(seconds=limits.block_seconds)
            raise Refused(4)

    def blame(self, peer: str, limits: Limits, now: datetime) -> None:
        """*peer* asked something wrong again; too often within a minute shuts it out."""
        if self._window.hit(("bad", peer), now) >= limits.bad_requests_a_minute:
            self._blocked[peer] = now + timedelta(seconds=limits.block_seconds)

    def at_most(self, most: int, key: Hashable, now: datetime) -> None:
        """Refused 9 from the request after *most* a minute on."""
        if self._window.hit(key, now) > most:
            raise Refused(9)

    def once(self, key: Hashable, seconds: float, now: datetime) -> None:
        """Refused 9 when the same send was asked less than *seconds* ago; a refused one prolongs nothing."""
        before = self._sent.get(key)
        if before is not None and now - before < timedelta(seconds=seconds):
            raise Refused(9)
        self._sent[key] = now
        if len(self._sent) > _KEYS_KEPT:
            self._sent = {kept: at for kept, at in self._sent.items() if now - at < timedelta(seconds=seconds)}

    def floods(self, phone: str, limits: Limits, now: datetime) -> bool:
        """Whether this message to *phone* belongs to an unbroken run of more than ``flood_messages``."""
        last, run = self._runs.get(phone, (now, 0))
        run = run + 1 if now - last < timedelta(seconds=limits.flood_gap_seconds) else 1
        self._runs[phone] = (now, run)
        return run > limits.flood_messages


def identity(asked: Asked, raw: Raw, switches: Switches) -> Hashable:
    """What makes two sends the same: undefined in the manual, hence a switch (threats.md §5)."""
    if switches.identical == "everything":
        what: Hashable = tuple(sorted(asked.values.items()))
    else:
        what = tuple(asked.get(name) for name in ("login", "apikey", "phones", "mes", "list", "sender"))
    return what if switches.hosts_share_memory else (raw.host, what)
