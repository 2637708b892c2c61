"""What one peer may use up: connections, bytes in memory, tries at a password (threats T06, T07, T08).

Times are seconds of the loop's monotonic clock, given by the caller.
"""

from __future__ import annotations

from collections import Counter, OrderedDict, deque
from dataclasses import dataclass, field
from ipaddress import IPv6Address, ip_address, ip_network

_MINUTE = 60.0
_DAY = 86400.0
_LONGEST_DELAY = 8.0


@dataclass(frozen=True, slots=True)
class Caps:
    """Bounds of one session; seconds and bytes."""

    idle: float = 300.0  # RFC 5321 §4.5.3.2.7: at least 5 minutes
    lifetime: float = 1800.0  # since the connection or its last kept mail
    handshake: float = 15.0  # for TLS
    linger: float = 5.0  # for a peer that does not read our last words
    data_grace: float = 60.0  # before the rate of a DATA is looked at
    data_rate: float = 100.0  # bytes a second
    commands: int = 1000  # since the connection or its last kept mail
    strange: int = 10  # lines that are no command
    recipients: int = 100  # RFC 5321 §4.5.3.1.8
    command_length: int = 4096
    auth_length: int = 12288  # RFC 4954 §4
    line_length: int = 1 << 20
    tries: int = 3  # at a password, in one session


@dataclass(slots=True)
class BytesInFlight:
    """Memory that unfinished mails may take, over all connections of all doors.

    The first *free* bytes of each mail are not counted: a small alert is not refused because others send big
    mails; the number of connections bounds their sum.
    """

    limit: int = 64 << 20
    free: int = 64 << 10
    used: int = 0

    def grow(self, held: int, size: int) -> int | None:
        """What a mail of *size* bytes counts, instead of *held*; None when there is no room for it."""
        want = max(0, size - self.free)
        if self.used + want - held > self.limit:
            return None
        self.used += want - held
        return want

    def give_back(self, held: int) -> None:
        self.used -= held


class Connections:
    """Open connections of one door.

    *reserve* of the *total* are kept for peers inside ``trust``: a flood from outside cannot lock the
    monitors out. Peers inside ``trust`` have no cap of their own.
    """

    def __init__(self, total: int, per_address: int) -> None:
        self.total = total
        self.per_address = per_address
        self.reserve = total // 10
        self.open = 0
        self._by_network: Counter[str] = Counter()

    def enter(self, peer: str, *, trusted: bool) -> str | None:
        """``total`` or ``address`` when there is no place; else the place is taken and None given."""
        if self.open >= (self.total if trusted else self.total - self.reserve):
            return "total"
        if not trusted:
            network = network_of(peer)
            if self._by_network[network] >= self.per_address:
                return "address"
            self._by_network[network] += 1
        self.open += 1
        return None

    def leave(self, peer: str, *, trusted: bool) -> None:
        self.open -= 1
        if not trusted:
            network = network_of(peer)
            self._by_network[network] -= 1
            if not self._by_network[network]:
                del self._by_network[network]


class Tries:
    """Failed tries at a password, by address and by login: 10 in a minute and 50 in a day each."""

    def __init__(self, per_minute: int = 10, per_day: int = 50, keys: int = 20_000) -> None:
        self.per_minute = per_minute
        self.per_day = per_day
        self._keys = keys
        self._failed: OrderedDict[str, deque[float]] = OrderedDict()

    def begin(self, keys: tuple[str, ...], now: float) -> bool:
        """Count a try before its outcome is known; False when one of *keys* has none left now."""
        left = all(self._has_left(key, now) for key in keys)
        if left:
            for key in keys:
                self._times(key, now).append(now)
        return left

    def forget(self, keys: tuple[str, ...], began: float) -> None:
        """The try that *began* then did not fail."""
        for key in keys:
            times = self._failed.get(key)
            if times and began in times:
                times.remove(began)

    def delay(self, keys: tuple[str, ...], now: float) -> float:
        """Seconds to wait before a failed try is answered: longer with each one of the last minute."""
        most = max((self._in_last_minute(key, now) for key in keys), default=0)
        return min(_LONGEST_DELAY, 0.25 * 2.0**most)

    def _has_left(self, key: str, now: float) -> bool:
        return len(self._times(key, now)) < self.per_day and self._in_last_minute(key, now) < self.per_minute

    def _in_last_minute(self, key: str, now: float) -> int:
        return sum(1 for moment in self._times(key, now) if moment > now - _MINUTE)

    def _times(self, key: str, now: float) -> deque[float]:
        times = self._failed.get(key)
        if times is None:
            times = self._failed[key] = deque()
            if len(self._failed) > self._keys:
                self._failed.popitem(last=False)
        self._failed.move_to_end(key)
        while times and times[0] <= now - _DAY:
            times.popleft()
        return times


@dataclass(slots=True)
class SharedLimits:
    """What all doors of the process share."""

    caps: Caps = field(default_factory=Caps)
    in_flight: BytesInFlight = field(default_factory=BytesInFlight)
    tries: Tries = field(default_factory=Tries)


def network_of(peer: str) -> str:
    """What counts as one address: an IPv4 address, or the /64 of an IPv6 one (whoever has one has all of it)."""
    try:
        address = ip_address(peer)
    except ValueError:
        return peer
    if isinstance(address, IPv6Address):
        return str(ip_network((int(address) >> 64 << 64, 64)).network_address) + "/64"
    return peer
