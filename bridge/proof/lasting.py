"""A memory that lasts: for looks at a hundred thousand mails it forgets what nobody can ask for any more.

A running bridge keeps its rows in a store and loads what a decision needs; a world in memory keeps them all, and
would grow with every mail.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator
from dataclasses import fields
from datetime import datetime, timedelta

from bridge.memory import Memory
from bridge.model import Spend, Spent

_REMEMBERED = timedelta(days=1)  # how long what is over stays: the span in which a second copy of a mail is known
_LONGEST_WINDOW = timedelta(days=32)  # of a budget: a calendar month


class Ledger(list[Spend]):
    """What one budget has seen, in order of time, with running sums: a window is two of them apart."""

    def __init__(self) -> None:
        super().__init__()
        self._sums: list[Spent] = []
        self._times: list[datetime] = []

    def append(self, spend: Spend) -> None:
        """One more, not older than those before."""
        super().append(spend)
        self._times.append(spend.at)
        self._sums.append((self._sums[-1] if self._sums else Spent()).plus(spend))

    def since(self, moment: datetime) -> Spent:
        """The sums from *moment* on, that moment included."""
        first = bisect_left(self._times, moment)
        if first == len(self._times):
            return Spent()
        whole, before = self._sums[-1], self._sums[first - 1] if first else Spent()
        return Spent(
            whole.messages - before.messages, whole.segments - before.segments, whole.money - before.money,
            whole.normal_messages - before.normal_messages, whole.normal_segments - before.normal_segments,
            whole.normal_money - before.normal_money, self._times[first],
        )  # fmt: skip


class _Ledgers(dict[str, list[Spend]]):
    def setdefault(self, budget: str, _default: object = None) -> list[Spend]:
        if budget not in self:
            self[budget] = Ledger()
        return self[budget]


class LastingMemory(Memory):
    """A whole memory in which budgets are summed up quickly."""

    __slots__ = ()

    def spent(self, budget: str, since: datetime) -> Spent:
        """What *budget* has seen since *since* (that moment included)."""
        before = self.spent_before.get((budget, since), Spent())
        ledger = self.spends.get(budget)
        return (
            before if ledger is None else _sum(before, ledger.since(since) if isinstance(ledger, Ledger) else Spent())
        )


def lasting_memory(instance: str, counters: dict[str, int]) -> LastingMemory:
    """An empty one; nothing can be missing in it."""
    return LastingMemory(complete=True, instance=instance, counters=counters, spends=_Ledgers())


def _sum(one: Spent, other: Spent) -> Spent:
    oldest = [moment for moment in (one.oldest, other.oldest) if moment is not None]
    return Spent(
        one.messages + other.messages, one.segments + other.segments, one.money + other.money,
        one.normal_messages + other.normal_messages, one.normal_segments + other.normal_segments,
        one.normal_money + other.normal_money, min(oldest, default=None),
    )  # fmt: skip


def forget_counted(memory: Memory, now: datetime) -> None:
    """Leave out what nobody counts any more."""
    for name, tallies in list(memory.tallies.items()):
        kept = [tally for tally in tallies if tally.until > now]
        if kept:
            memory.tallies[name] = kept
        else:
            del memory.tallies[name]


def without_the_past(memory: LastingMemory, now: datetime) -> LastingMemory:
    """The same memory without incidents that are long over, and all that was only about them."""
    fresh = lasting_memory(memory.instance, memory.counters)
    for each in fields(Memory):
        if each.init and each.name not in _REBUILT and not each.name.startswith("_"):
            setattr(fresh, each.name, getattr(memory, each.name))
    over = now - _REMEMBERED
    for incident in memory.incidents.values():
        if incident.live or (incident.resolved_at or incident.last_at) > over:
            fresh.remember(incident)
    for bundle in memory.held.values():
        for held in bundle.values():
            fresh.hold(held)
    _keep_messages(memory, fresh, over)
    _keep_words(memory, fresh, now)
    forget_counted(fresh, now)
    return fresh


_REBUILT = frozenset(
    "incidents notifications messages waiting conversations held spends complete instance counters".split()
)


def _keep_messages(memory: Memory, fresh: Memory, over: datetime) -> None:
    for number, message in memory.messages.items():
        if message.incident_id in fresh.incidents or message.state == "READY" or message.created_at > over:
            fresh.messages[number] = message
    fresh.notifications = {n: told for n, told in memory.notifications.items() if n in fresh.incidents}
    fresh.waiting = {number: waiting for number, waiting in memory.waiting.items() if waiting}


def _keep_words(memory: Memory, fresh: LastingMemory, now: datetime) -> None:
    """Codes that are not free yet, expenses that still count."""
    for phone, codes in memory.conversations.items():
        kept = {code: one for code, one in codes.items() if one.free_at > now}
        if kept:
            fresh.conversations[phone] = kept
    for budget, spend in _spends(memory):
        if spend.at > now - _LONGEST_WINDOW:
            fresh.spends.setdefault(budget, []).append(spend)


def _spends(memory: Memory) -> Iterator[tuple[str, Spend]]:
    for budget, spends in memory.spends.items():
        yield from ((budget, spend) for spend in spends)
