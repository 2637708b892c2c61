"""Which gateway door may be used now: account limits and pauses, one circuit breaker for each door.

An account (all doors of one family with one login) shares its limits and its pause; the breaker is each door's
own, so mail may go on while HTTP is down (FORMAT §3). Only real outcomes move it. Choosing happens inside the
claim's transaction and touches nothing but memory.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from types import MappingProxyType

from bridge.errors import AccountPaused
from bridge.model import Message
from bridge.providers.base import Gateway, LinkedGateway
from bridge.store.outbox import Attempt, Prepared, Wait

_TRIPS_AFTER = 5  # failures in a row
_REST = (timedelta(seconds=10), timedelta(seconds=30), timedelta(minutes=1), timedelta(minutes=2))
_LOOK_AGAIN = timedelta(seconds=2)  # for a message whose doors are all paused or resting
SAME_TEXT_PAUSE = timedelta(seconds=61)
"""One identical request a minute is what an account allows at the families of ``_MINUTE_RULE``."""

_MINUTE_RULE = ("smsc:", "smsgate:")

_NO_TWINS: Mapping[str, datetime] = MappingProxyType({})
_PAUSES = {"money": timedelta(minutes=10), "password": timedelta(minutes=15), "blocked": timedelta(minutes=30)}


@dataclass(slots=True)
class Places:
    """How many hand-overs may be under way at once, and how many are."""

    most: int
    taken: int = 0

    @property
    def free(self) -> int:
        """Hand-overs that could begin now."""
        return max(0, self.most - self.taken)


@dataclass(slots=True)
class Account:
    """What all doors of one login share."""

    name: str
    places: Places  # of all its doors but those that live on a link
    paused_until: datetime | None = None
    cause: str = ""  # money, password, blocked
    reason: str = ""
    noted: bool = False  # the pause stands in the store, where pages and the command line see it

    @property
    def open(self) -> int:
        """Hand-overs under way."""
        return self.places.taken


@dataclass(slots=True)
class Door:
    """One gateway and its breaker."""

    gateway: Gateway
    account: Account
    places: Places  # the account's, or where the gateway lives on a link, the link's
    open: int = 0
    failures: int = 0  # in a row
    resting_until: datetime | None = None
    rests: int = 0
    last_success: datetime | None = None
    last_failure: str = ""
    answers: list[float] = field(default_factory=list)  # seconds of the last hand-overs

    def is_resting(self, now: datetime) -> bool:
        """Whether the breaker is open."""
        return self.resting_until is not None and now < self.resting_until

    def may_try(self, now: datetime) -> bool:
        """After a rest one request alone tries whether the door is well again."""
        return not self.is_resting(now) and (self.resting_until is None or not self.open)


class Gateways:
    """All doors of the configuration. Used by the event loop and, for choosing, by the store's writer thread."""

    def __init__(self, gateways: Mapping[str, Gateway], now: Callable[[], datetime]) -> None:
        self._now = now
        self._lock = threading.Lock()
        self.accounts: dict[str, Account] = {}
        self.doors: dict[str, Door] = {}
        for name, gateway in gateways.items():
            account = self.accounts.setdefault(gateway.account, Account(gateway.account, Places(0)))
            self.doors[name] = Door(gateway, account, _places(gateway, account))

    def __getitem__(self, name: str) -> Gateway:
        return self.doors[name].gateway

    def __contains__(self, name: str) -> bool:
        return name in self.doors

    def free(self) -> int:
        """How many hand-overs could begin now."""
        with self._lock:
            places = {id(d.places): d.places for d in self.doors.values() if not self._paused(d.account)}
            return sum(each.free for each in places.values())

    def choose(
        self, message: Message, attempts: Sequence[Attempt], twins: Mapping[str, datetime] = _NO_TWINS
    ) -> Prepared | Wait:
        """The first door of the message's chain that can take it; takes a place in its account.

        A door that refused the message is not asked again; one that could not be reached comes after the others.
        *twins*: accounts that were given the same text for the same phone, and when; they refuse a double, the mail
        door among them without a word, so theirs is the next minute.
        """
        now = self._now()
        with self._lock:
            candidates = self._candidates(message, attempts)
            free = [door for door in candidates if _minute_is_over(door.account, attempts, twins, now)]
            for door in free:
                if not self._paused(door.account) and door.may_try(now) and door.places.free:
                    self._occupy(door)
                    return _prepared(door.gateway, message, now)
            well = any(not self._paused(door.account) and not door.is_resting(now) for door in free)
        if candidates and not free:
            return Wait(min(twins[door.account.name] for door in candidates) + SAME_TEXT_PAUSE)
        return Wait(now if well else now + _LOOK_AGAIN)

    def take(self, name: str) -> bool:
        """A place for a repeat or a question; False when the account is full or paused."""
        with self._lock:
            door = self.doors[name]
            if not door.places.free or self._paused(door.account):
                return False
            self._occupy(door)
            return True

    def give_back(self, name: str) -> None:
        """A hand-over ended."""
        with self._lock:
            door = self.doors[name]
            door.open = max(0, door.open - 1)
            door.places.taken = max(0, door.places.taken - 1)

    def worked(self, name: str, seconds: float) -> None:
        """The door answered as a door should (a refusal of one message is an answer too)."""
        with self._lock:
            door = self.doors[name]
            door.failures, door.rests, door.resting_until = 0, 0, None
            door.last_success, door.last_failure = self._now(), ""
            door.answers = [*door.answers[-49:], seconds]
            account = door.account
            account.paused_until, account.cause, account.reason = None, "", ""

    def failed(self, name: str, why: str) -> bool:
        """The door could not be reached or did not answer; True when the breaker opens with this one."""
        with self._lock:
            door = self.doors[name]
            door.failures += 1
            door.last_failure = why
            if door.failures < _TRIPS_AFTER or door.is_resting(self._now()):  # one rest for all that were under way
                return False
            opened = door.resting_until is None
            door.resting_until = self._now() + _REST[min(door.rests, len(_REST) - 1)]
            door.rests += 1
            return opened

    def pause(self, name: str, error: AccountPaused) -> bool:
        """The account cannot send (no money, wrong password, blocked); True when it was not paused before."""
        with self._lock:
            account = self.doors[name].account
            was = self._paused(account)
            account.paused_until = self._now() + _PAUSES.get(error.cause, _PAUSES["blocked"])
            account.cause, account.reason = error.cause, error.reason
            return not was

    def resume(self, account: str) -> bool:
        """An operator says that the account is well again."""
        with self._lock:
            found = self.accounts.get(account)
            if found is None:
                return False
            found.paused_until, found.cause, found.reason, found.noted = None, "", "", False
            return True

    def pauses(self) -> list[tuple[Account, bool]]:
        """Every account, and whether it is paused now."""
        with self._lock:
            return [(account, self._paused(account)) for account in self.accounts.values()]

    def _candidates(self, message: Message, attempts: Sequence[Attempt]) -> list[Door]:
        """Fewest attempts first, the chain's order among equals; without those that refused this content."""
        refused = {attempt.provider for attempt in attempts if attempt.state == "REFUSED"}
        tried = [attempt.provider for attempt in attempts]
        chain = [name for name in message.providers if name in self.doors and name not in refused]
        return [self.doors[name] for name in sorted(chain, key=tried.count)]

    @staticmethod
    def _occupy(door: Door) -> None:
        door.open += 1
        door.places.taken += 1

    def _paused(self, account: Account) -> bool:
        return account.paused_until is not None and self._now() < account.paused_until


def _minute_is_over(
    account: Account, attempts: Sequence[Attempt], twins: Mapping[str, datetime], now: datetime
) -> bool:
    """Whether the account would not see a double. A message's own repeats are decided elsewhere."""
    ruled = account.name in twins and account.name.startswith(_MINUTE_RULE)
    if not ruled or any(attempt.account == account.name for attempt in attempts):
        return True
    return now >= twins[account.name] + SAME_TEXT_PAUSE


def _places(gateway: Gateway, account: Account) -> Places:
    """The least that any door of an account wants holds for all; a window of unanswered PDUs is its link's own."""
    if isinstance(gateway, LinkedGateway):
        return Places(gateway.parallel)
    account.places.most = min(account.places.most or gateway.parallel, gateway.parallel)
    return account.places


def _prepared(gateway: Gateway, message: Message, now: datetime) -> Prepared:
    """What is written before the first byte leaves."""
    return Prepared(gateway.name, gateway.account, gateway.canonical(message, now), gateway.revision, gateway.ids)
