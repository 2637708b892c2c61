"""Which gateway door may be used now: account limits and pauses, one circuit breaker for each door.

An account (all doors of one family with one login) shares its limits and its pause; the breaker is each door's
own, so mail may go on while HTTP is down (FORMAT §3). Only real outcomes move it. Choosing happens inside the
claim's transaction and touches nothing but memory.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from types import MappingProxyType
from zoneinfo import ZoneInfo

from bridge.delivery.pace import Pace
from bridge.delivery.places import Places
from bridge.dispatch.budgets import Limit
from bridge.errors import AccountPaused
from bridge.model import Message, TroubleKind
from bridge.providers.base import CallsToConfirm, Gateway, LinkedGateway
from bridge.store.attempts import Attempt, Prepared, Wait
from bridge.store.engine import Tx
from bridge.store.health import GatewayHealth
from bridge.store.pacing import SAME_TEXT_PAUSE

_TRIPS_AFTER = 5  # failures in a row
_REST = (timedelta(seconds=10), timedelta(seconds=30), timedelta(minutes=1), timedelta(minutes=2))
_LOOK_AGAIN = timedelta(seconds=2)  # for a message whose doors are all paused or resting
_AHEAD = 4  # times the places of an account: enough for a claim to be worth its commit
_QUICK = 0.1  # seconds of an answer, beside which those of a claim's commit count
_ASKABLE = ("ask", "repeat")  # where what was claimed and never began costs no more than a question after a crash
_MINUTE_RULE = ("smsc:", "smsgate:")  # one identical request a minute

_NO_TWINS: Mapping[str, datetime] = MappingProxyType({})
_NO_RATES: Mapping[str, Limit] = MappingProxyType({})
_UTC = ZoneInfo("UTC")
PAUSED: Mapping[str, TroubleKind] = MappingProxyType(
    {"money": "account.money", "password": "account.password", "blocked": "account.blocked"}
)
"""What the operator is told of, by the cause of a pause."""
_PAUSES = {"money": timedelta(minutes=10), "password": timedelta(minutes=15), "blocked": timedelta(minutes=30)}


@dataclass(slots=True)
class Account:
    """What all doors of one login share."""

    name: str
    places: Places  # of all its doors but those that live on a link
    paused_until: datetime | None = None
    cause: str = ""  # money, password, blocked
    reason: str = ""
    rates: tuple[Limit, ...] = ()
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
    answers: deque[float] = field(default_factory=lambda: deque(maxlen=50))  # seconds of the last hand-overs

    def is_resting(self, now: datetime) -> bool:
        """Whether the breaker is open."""
        return self.resting_until is not None and now < self.resting_until

    def may_try(self, now: datetime) -> bool:
        """After a rest one request alone tries whether the door is well again."""
        return not self.is_resting(now) and (self.resting_until is None or not self.open)

    @property
    def ahead(self) -> int:
        """How many may be claimed before there is a place for them: while it is well and answers fast."""
        quick = bool(self.answers) and self.answers[-1] < _QUICK
        return self.places.ahead if quick and not self.failures else 0


class Gateways:
    """All doors of the configuration. Used by the event loop and, for choosing, by the store's writer thread."""

    def __init__(
        self,
        gateways: Mapping[str, Gateway],
        now: Callable[[], datetime],
        rates: Mapping[str, Limit] = _NO_RATES,
        zone: ZoneInfo = _UTC,
        before: Gateways | None = None,
    ) -> None:
        """*rates* by door, each holds for all doors of its account; calendar days among them are those of *zone*.

        With *before*, which these replace, what is under way goes on: places that are taken, links that are up.
        """
        self._now = now
        self._zone = zone
        self._lock: threading.Lock = before._lock if before else threading.Lock()
        self.health: Mapping[str, GatewayHealth] = MappingProxyType({})  # by door, from real outcomes
        self.accounts: dict[str, Account] = {}
        self.doors: dict[str, Door] = {}
        with self._lock:
            for name, gateway in gateways.items():
                account = self.accounts.get(gateway.account) or self._add_account(gateway.account, before)
                self.doors[name] = Door(gateway, account, _places(gateway, account, before))
                if name in rates:
                    account.rates = (*account.rates, rates[name])

    def _add_account(self, name: str, before: Gateways | None) -> Account:
        known = before.accounts.get(name) if before else None
        places = known.places if known else Places(0)
        places.most, places.ahead = 0, 0  # its doors say
        self.accounts[name] = account = Account(name, places)
        return account

    def __getitem__(self, name: str) -> Gateway:
        return self.doors[name].gateway

    def __contains__(self, name: str) -> bool:
        return name in self.doors

    def free(self) -> int:
        """How many hand-overs could be claimed now."""
        with self._lock:
            usable = self._usable(self.doors.values())
            return sum(max(0, places.most + ahead - places.taken) for places, ahead in usable)

    def wants(self, name: str = "") -> bool:
        """Whether a claim is worth its commit: a place is free, or half of what was claimed ahead is on its way.

        With *name*, where a place of that door came free: the rooms of others, who had nothing to send, say nothing.
        """
        doors = self.doors.values() if not name else [self.doors[name]] if name in self.doors else []
        with self._lock:
            return any(places.taken < places.most + (ahead + 1) // 2 for places, ahead in self._usable(doors))

    def confirming(self, name: str) -> CallsToConfirm | None:
        """The door, if it gives out numbers to ring and can be asked for one now."""
        door, now = self.doors[name], self._now()
        gateway = door.gateway
        if not isinstance(gateway, CallsToConfirm) or not gateway.confirms_by_call:
            return None
        with self._lock:
            return None if self._paused(door.account) or door.is_resting(now) else gateway

    def pace(self, tx: Tx, now: datetime, owner: str) -> Pace:
        """How fast the accounts may go, for one claim of *owner*."""
        return Pace({a.name: a.rates for a in self.accounts.values() if a.rates}, self._zone, tx, now, owner)

    def choose(
        self,
        message: Message,
        attempts: Sequence[Attempt],
        twins: Mapping[str, datetime] = _NO_TWINS,
        pace: Pace | None = None,
    ) -> Prepared | Wait:
        """The first door of the message's chain that can take it; takes a place in its account.

        A door that refused the message is not asked again; one that could not be reached comes after the others.
        *twins*: accounts that were given the same text for the same phone, and when; they refuse a double, the mail
        door among them without a word, so theirs is the next minute.
        """
        now = pace.now if pace else self._now()  # that of the claim: "as soon as there is room" is not later than it
        with self._lock:
            candidates = self._candidates(message, attempts)
            free = [door for door in candidates if _minute_is_over(door.account, attempts, twins, now)]
            starts = {door.account.name: pace.free_at(door.account.name) if pace else now for door in free}
            slow = [door for door in free if starts[door.account.name] > now]
            free = [door for door in free if door not in slow]
            for door in free:
                if not self._paused(door.account) and door.may_try(now) and self._room(door, pace) > 0:
                    self._occupy(door)
                    return _prepared(door.gateway, message, now)
            well = any(not self._paused(door.account) and not door.is_resting(now) for door in free)
        if slow and not free:
            return Wait(min(starts.values()))
        if candidates and not free:
            return Wait(min(twins[door.account.name] for door in candidates) + SAME_TEXT_PAUSE)
        return Wait(now if well else now + _LOOK_AGAIN)

    def room(self, name: str, pace: Pace) -> int:
        """Places of a door's account that are free over all nodes; below zero when ``take`` gave one too many."""
        with self._lock:
            return self._room(self.doors[name], pace)

    def take(self, name: str) -> bool:
        """A place for a repeat; False when the account is full here, or paused."""
        with self._lock:
            door = self.doors[name]
            if door.places.taken >= door.places.most + door.ahead or self._paused(door.account):
                return False
            self._occupy(door)
            return True

    def places(self, name: str, account: str) -> Places | None:
        """Whose turn it is where a hand-over by *name* was claimed; None when that is no longer configured."""
        door = self.doors.get(name)
        if door is not None and door.account.name == account:
            return door.places
        return self.accounts[account].places if account in self.accounts else None

    def is_well(self, name: str) -> bool:
        """Whether the account is not paused and the door not resting: it may have changed since the claim."""
        with self._lock:
            door = self.doors.get(name)
            return door is not None and not self._paused(door.account) and not door.is_resting(self._now())

    def give_back(self, name: str, account: str = "") -> None:
        """A hand-over ended; with the *account* it was made at, for a door that may have gone or moved meanwhile."""
        with self._lock:
            door = self.doors.get(name)
            if door is not None and account in ("", door.account.name):
                door.open = max(0, door.open - 1)
                door.places.taken = max(0, door.places.taken - 1)
            elif account in self.accounts:
                places = self.accounts[account].places
                places.taken = max(0, places.taken - 1)

    def worked(self, name: str, seconds: float) -> None:
        """The door answered as a door should (a refusal of one message is an answer too)."""
        with self._lock:
            door = self.doors[name]
            door.failures, door.rests, door.resting_until = 0, 0, None
            door.last_success, door.last_failure = self._now(), ""
            door.answers.append(seconds)
            account = door.account
            account.paused_until, account.cause, account.reason = None, "", ""

    def answered(self, name: str) -> None:
        """The door works, and did not take this one now."""
        with self._lock:
            door = self.doors[name]
            door.failures, door.rests, door.resting_until = 0, 0, None

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

    def others(self, name: str) -> tuple[str, ...]:
        """The doors besides *name* that messages may leave by now."""
        now = self._now()
        with self._lock:
            well = (n for n, d in self.doors.items() if not self._paused(d.account) and not d.is_resting(now))
            return tuple(other for other in well if other != name)

    def pauses(self) -> list[tuple[Account, bool]]:
        """Every account, and whether it is paused now."""
        with self._lock:
            return [(account, self._paused(account)) for account in self.accounts.values()]

    def _candidates(self, message: Message, attempts: Sequence[Attempt]) -> list[Door]:
        """Fewest attempts first, the chain's order among equals; without those that refused this content.

        What is critical tries a door behind the others while most of what that takes does not arrive.
        """
        refused = {attempt.provider for attempt in attempts if attempt.state == "REFUSED"}
        tried = [attempt.provider for attempt in attempts]
        chain = [name for name in message.providers if name in self.doors and name not in refused]
        critical = message.message_class == "critical"
        return [self.doors[n] for n in sorted(chain, key=lambda n: (tried.count(n), critical and self._is_poor(n)))]

    def _is_poor(self, name: str) -> bool:
        found = self.health.get(name)
        return found is not None and found.is_poor

    def _room(self, door: Door, pace: Pace | None) -> int:
        """See ``room``. A link is its node's own, and so are its places.

        Claimed ahead is only where no other node has anything under way: as long as we have as many as there are
        places, none of them begins, so that all of us together never have more on the wire.
        """
        places = door.places
        if pace is None or places is not door.account.places:
            return places.most - places.taken
        linked = {name for name, each in self.doors.items() if each.places is not each.account.places}
        elsewhere = pace.elsewhere(door.account.name, linked)
        return places.most - places.taken - elsewhere + (0 if elsewhere else door.ahead)

    def _usable(self, doors: Iterable[Door]) -> Iterable[tuple[Places, int]]:
        """The places of those *doors* that are not paused, and how many may be claimed ahead there."""
        found: dict[int, tuple[Places, int]] = {}
        for door in doors:
            if not self._paused(door.account):
                _, before = found.get(id(door.places), (door.places, 0))
                found[id(door.places)] = door.places, max(before, door.ahead)
        return found.values()

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


def _places(gateway: Gateway, account: Account, before: Gateways | None) -> Places:
    """The least that any door of an account wants holds for all; a window of unanswered PDUs is its link's own."""
    if isinstance(gateway, LinkedGateway):
        earlier = before.doors.get(gateway.name) if before else None
        stays = earlier is not None and gateway.takes_over(earlier.gateway)
        return earlier.places if earlier is not None and stays else Places(gateway.parallel)
    places = account.places
    first = not places.most
    places.most = gateway.parallel if first else min(places.most, gateway.parallel)
    ahead = _AHEAD * places.most if gateway.doubt in _ASKABLE else 0
    places.ahead = ahead if first else min(places.ahead, ahead)
    return places


def _prepared(gateway: Gateway, message: Message, now: datetime) -> Prepared:
    """What is written before the first byte leaves."""
    return Prepared(gateway.name, gateway.account, gateway.canonical(message, now), gateway.revision, gateway.ids)
