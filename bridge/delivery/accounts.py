"""Asking accounts: the balance now and then, inbound SMS where the provider has no way to call us.

One question an account, by the first of its doors. What a poll brings goes the way of a callback: kept once
under a key of its own, then decided by the planner.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal

import structlog

from bridge.delivery.gateways import PAUSED, Account, Gateways
from bridge.errors import AccountPaused, DeliveryError, StoreUnavailable
from bridge.model import TroubleKind
from bridge.providers.base import Balance, Gateway, Inbound, NoWayToAsk, inbound_key
from bridge.store import accounts, health, inbound, linked
from bridge.store.accounts import AccountRow
from bridge.store.engine import Store, Tx
from bridge.store.health import GatewayHealth

log = structlog.get_logger("accounts")

HEALTH_EVERY = timedelta(seconds=30)
BALANCE_EVERY = timedelta(minutes=10)
FETCHES, FETCHES_SPAN = 3, timedelta(seconds=61)  # smsc: at most three identical questions a minute
_FIRST_HOURS = 24  # how far back the first fetch of inbound SMS looks


class Accounts:
    """Asks until it is stopped. *polled* names the doors whose inbound SMS are fetched, and how often."""

    def __init__(
        self,
        store: Store,
        gateways: Callable[[], Gateways],
        polled: Callable[[], dict[str, timedelta]],
        *,
        now: Callable[[], datetime],
        arrived: Callable[[], None],
        known: Callable[[str, Balance], None] = lambda _account, _balance: None,
        alarm: Callable[[TroubleKind, str, str], None] = lambda _kind, _name, _why: None,
        healthy: Callable[[Mapping[str, GatewayHealth]], None] = lambda _found: None,
        mended: Callable[[str, timedelta], None] = lambda _name, _paused: None,
    ) -> None:
        """*alarm* hears of an account that cannot send (F24), *mended* that it can again, by a door's name, and how
        long it could not; *healthy* now and then of how the doors do.
        """
        self._store = store
        self._gateways = gateways
        self._polled = polled
        self._now = now
        self._arrived = arrived
        self._known = known
        self._alarm = alarm
        self._healthy = healthy
        self._mended = mended
        self._begun: dict[str, tuple[Account, datetime]] = {}  # since when each is known to this node as it is
        self._cannot: dict[str, datetime] = {}  # accounts whose pause was noted, and since when
        self._due: dict[str, datetime] = {}
        self._fetched: dict[str, deque[datetime]] = {}  # when the inbound SMS of which door were fetched lately

    async def run(self) -> None:
        """Work until cancelled."""
        while True:
            try:
                await self.round()
            except StoreUnavailable as error:
                log.warning("store away", error=str(error))
            await asyncio.sleep(1.0)

    async def round(self) -> None:
        """Ask whatever is due now; keep store and memory of one mind about pauses, and know how the doors do."""
        for account, paused in self._gateways().pauses():
            await self._note_pause(account, paused=paused)
        if self._is_due("health", HEALTH_EVERY):
            found = await self._store.read(lambda tx: health.look(tx, self._now()))
            self._gateways().health = found
            self._healthy(found)
        for gateway in self._first_doors():
            if self._is_due(f"balance {gateway.account}", BALANCE_EVERY):
                await self._balance(gateway)
        for name, every in self._one_of_each_account().items():
            if self._is_due(f"inbound {name}", every):
                self._fetched.setdefault(name, deque(maxlen=FETCHES)).append(self._now())
                await self.fetch(self._gateways()[name])

    async def _note_pause(self, account: Account, *, paused: bool) -> None:
        """Write a pause down, and its end; take over those of other nodes, and let an operator end them.

        What was written before this node began, or took new settings, is over: it tries anew.
        """
        if self._begun.get(account.name, (None,))[0] is not account:
            self._begun[account.name] = account, self._now()
        row = await self._store.read(lambda tx: accounts.get(tx, account.name))
        if paused and account.noted and row.state == "well":
            self._gateways().resume(account.name)
            log.warning("account released", account=account.name)  # by an operator, or by a node that could send
            self._arrived()
        elif paused and not account.noted:
            until, since = account.paused_until, self._now()
            now = replace(row, state=account.cause, reason=account.reason, since=since, until=until)
            await self._store.write(lambda tx: accounts.put(tx, now))
            account.noted = True
            self._cannot.setdefault(account.name, since)
        elif not paused and row.state != "well":
            await self._end_or_adopt(account, row)
        self._tell_of_end(account)

    async def _end_or_adopt(self, account: Account, row: AccountRow) -> None:
        now, (_account, begun) = self._now(), self._begun[account.name]
        since, until = row.since or begun, row.until or now
        if not account.noted and since > begun and until > now:
            door = next(name for name, each in self._gateways().doors.items() if each.account is account)
            self._gateways().pause(door, AccountPaused(row.reason, cause=row.state))
            account.noted = True
            log.warning("account paused by another node", account=account.name, why=row.reason)
            return
        well = replace(row, state="well", reason="", since=now, until=None)
        await self._store.write(lambda tx: accounts.put(tx, well))
        account.noted = False

    def _tell_of_end(self, account: Account) -> None:
        """A pause that ran out proves nothing; that the account could send, or was released, does (F24)."""
        since = self._cannot.get(account.name)
        if since is None or account.cause:
            return
        del self._cannot[account.name]
        door = next((name for name, each in self._gateways().doors.items() if each.account is account), account.name)
        log.info("account well again", account=account.name)
        self._mended(door, self._now() - since)

    async def _balance(self, gateway: Gateway) -> None:
        now, account = self._now(), self._gateways().accounts[gateway.account]
        if account.cause == "blocked" and now < (account.paused_until or now):
            return  # each question prolongs the block
        try:
            found = await gateway.balance()
        except NoWayToAsk:
            return
        except DeliveryError as error:
            if isinstance(error, AccountPaused) and self._gateways().pause(gateway.name, error):
                self._alarm(PAUSED[error.cause], gateway.name, error.reason)
            log.warning("no balance", gateway=gateway.name, why=error.reason)
            return

        def write(tx: Tx) -> bool:
            known, balance = accounts.get(tx, gateway.account), found.amount + found.credit
            more = account.cause == "money" and known.balance is not None and balance > Decimal(known.balance)
            if more:  # somebody has topped it up
                known = replace(known, state="well", reason="", since=now, until=None)
            accounts.put(tx, replace(known, balance=str(balance), currency=found.currency, asked_at=now))
            return more

        if await self._store.write(write):
            self._gateways().resume(gateway.account)
            self._arrived()
        self._known(gateway.account, found)

    async def fetch(self, gateway: Gateway) -> int:
        """Fetch inbound SMS newer than the newest we know; how many were new."""
        last = (await self._store.read(lambda tx: accounts.get(tx, gateway.account))).last_inbound_id
        after = int(last) if last.isdigit() else 0
        try:
            found = await gateway.inbound(after, _FIRST_HOURS)
        except NoWayToAsk:
            return 0
        except DeliveryError as error:
            log.warning("no inbound SMS", gateway=gateway.name, why=error.reason)
            return 0
        if not found:
            return 0
        new = await self._store.write(lambda tx: self._keep(tx, gateway, found))
        if new:
            self._arrived()
        return new

    def hurry(self, name: str) -> None:
        """Somebody says that there are inbound SMS: fetch them as soon as the provider may be asked again."""
        if lately := self._fetched.get(name):
            due = f"inbound {name}"
            soonest = lately[0] + FETCHES_SPAN if len(lately) == FETCHES else self._now()
            self._due[due] = min(self._due[due], max(soonest, self._now()))

    def _keep(self, tx: Tx, gateway: Gateway, found: Iterable[Inbound]) -> int:
        now, new, newest = self._now(), 0, 0
        for one in found:
            when = one.received.isoformat() if one.received else ""
            key = f"{gateway.account}/{inbound_key(one.id, one.phone, one.to, one.text, when)}"
            if one.call:
                rang_at = min(one.received or one.sent or now, now)
                new += inbound.ring(tx, key, gateway.name, one.phone, one.to, rang_at)
            elif not linked.came_over_a_link(
                tx, gateway.account, one.phone, one.to, one.text, one.received or one.sent or now
            ):
                new += inbound.keep(tx, key, "sms", gateway.name, one.phone, one.to, one.text, now)
            newest = max(newest, int(one.id) if one.id.isdigit() else 0)
        if newest:
            accounts.put(tx, replace(accounts.get(tx, gateway.account), last_inbound_id=str(newest)))
        return new

    def _one_of_each_account(self) -> dict[str, timedelta]:
        """Doors to poll: the inbox is the account's, and a provider refuses who asks too often for the same."""
        gateways, accounts = self._gateways(), set[str]()
        chosen: dict[str, timedelta] = {}
        for name, every in self._polled().items():
            if name in gateways and gateways[name].account not in accounts:
                accounts.add(gateways[name].account)
                chosen[name] = every
        return chosen

    def _first_doors(self) -> list[Gateway]:
        first: dict[str, Gateway] = {}
        for door in self._gateways().doors.values():
            first.setdefault(door.gateway.account, door.gateway)
        return list(first.values())

    def _is_due(self, what: str, every: timedelta) -> bool:
        now = self._now()
        if self._due.get(what, now) > now:
            return False
        self._due[what] = now + every
        return True
