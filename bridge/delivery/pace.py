"""How many hand-overs an account may begin in a span (``providers.*.rate``) and have under way, over all nodes.

Counted from the attempts in the store, inside the claim that writes the next one: a row that is there was begun. The
claims of all nodes come one after the other, so what each of them counts is exact.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

from bridge.config.models.root import Config
from bridge.dispatch.budgets import Limit
from bridge.store import pacing
from bridge.store.engine import Tx


def rates_of(config: Config) -> dict[str, Limit]:
    """What each provider allows; those without ``rate`` are missing."""
    rates = {name: provider.rate for name, provider in config.providers.items() if provider.rate is not None}
    return {name: Limit("messages", Decimal(r.count), r.window, r.period) for name, r in rates.items()}


class Pace:
    """What accounts may still begin in one claim of *owner*. *limits*: account → those of all its doors."""

    def __init__(
        self, limits: Mapping[str, tuple[Limit, ...]], zone: ZoneInfo, tx: Tx, now: datetime, owner: str
    ) -> None:
        self._limits = limits
        self._zone = zone
        self._tx = tx
        self.now = now
        self._owner = owner
        self._elsewhere: Mapping[tuple[str, str], int] | None = None
        self._begun: dict[str, int] = {}  # in this very claim
        self._seen: dict[tuple[str, int], tuple[int, datetime | None]] = {}

    def free_at(self, account: str) -> datetime:
        """From when on *account* may begin another one; a moment that is not in the future: now."""
        limits = self._limits.get(account, ())
        return max((self._free_at(account, n, limit) for n, limit in enumerate(limits)), default=self.now)

    def begin(self, account: str) -> None:
        """One more begins."""
        self._begun[account] = self._begun.get(account, 0) + 1

    def elsewhere(self, account: str, apart: Collection[str]) -> int:
        """Hand-overs of *account* that others have under way, without those by the doors *apart*."""
        if self._elsewhere is None:
            self._elsewhere = pacing.open_elsewhere(self._tx, self._owner, self.now)
        return sum(n for (name, door), n in self._elsewhere.items() if name == account and door not in apart)

    def _free_at(self, account: str, n: int, limit: Limit) -> datetime:
        if (account, n) not in self._seen:
            self._seen[account, n] = pacing.begun(self._tx, account, limit.since(self.now, self._zone))
        count, first = self._seen[account, n]
        if count + self._begun.get(account, 0) < limit.most:
            return self.now
        ends = limit.ends(self.now, self._zone)
        return ends or (first or self.now) + (limit.window or self.now - self.now)
