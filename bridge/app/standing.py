"""What has to be done again and again: figures that are looked up for the metrics, and forgetting what is over."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import datetime

from sqlalchemy import func, select

from bridge.book import RuleBook
from bridge.delivery.gateways import Gateways
from bridge.dispatch import budgets
from bridge.errors import StoreUnavailable
from bridge.model import Spent
from bridge.observe import Metrics
from bridge.store import mails, outbox, pruning, schema, spends
from bridge.store.engine import Store, Tx
from bridge.store.statements import Statement, from_us

_EVERY = 5.0
_MONEY_EVERY = 30.0
_PRUNE_EVERY = 600.0
_READY = Statement(select(func.min(schema.messages.c.created_at)).where(schema.messages.c.state == "READY"))
_POST = Statement(
    select(func.count(), func.min(schema.outgoing_mails.c.created_at)).where(schema.outgoing_mails.c.state == "READY")
)
_INCIDENTS = Statement(
    select(schema.incidents.c.state, func.count())
    .where(schema.incidents.c.state.in_(("open", "acked")))
    .group_by(schema.incidents.c.state)
)
_STOPS = Statement(select(func.count()).select_from(schema.stops))
_WHY_HELD = ("storm", "budget", "digest", "group", "quiet", "silence", "hidden")  # how the names of bundles begin
_HELD = Statement(select(*(func.count().filter(schema.held.c.bundle.like(f"{why}/%")) for why in _WHY_HELD)))


class Standing:
    """Keeps the gauges of the metrics true, and the tables of what is counted small."""

    def __init__(
        self,
        store: Store,
        metrics: Metrics,
        now: Callable[[], datetime],
        gateways: Callable[[], Gateways],
        book: Callable[[], RuleBook],
    ) -> None:
        self._store = store
        self._metrics = metrics
        self._now = now
        self._gateways = gateways
        self._book = book
        self._next_money = 0.0  # by the loop's clock
        self._next_prune = 0.0

    async def run(self) -> None:
        """Work until cancelled."""
        while True:
            try:
                await self._store.read(self._look)
                await self._money()
            except StoreUnavailable:
                self._metrics.store_unavailable.labels("read").inc()
            self._show_accounts()
            await self._prune()
            await asyncio.sleep(_EVERY)

    async def _money(self) -> None:
        """Sums over a month take longer than the other figures, so they are made more rarely."""
        loop = asyncio.get_running_loop()
        if loop.time() >= self._next_money:
            self._next_money = loop.time() + _MONEY_EVERY
            await self._store.read(self._look_at_money)

    async def _prune(self) -> None:
        """Every ten minutes; where more is over than goes at once, again with the next look."""
        loop = asyncio.get_running_loop()
        if loop.time() < self._next_prune:
            return
        now, longest = self._now(), budgets.longest_window(self._book().config)
        try:
            gone = await self._store.write(lambda tx: pruning.prune(tx, now, longest))
        except StoreUnavailable:
            self._metrics.store_unavailable.labels("write").inc()
            return
        self._next_prune = loop.time() + (_PRUNE_EVERY if max(gone.values()) < pruning.MOST else 0.0)

    def _look(self, tx: Tx) -> None:
        metrics = self._metrics
        metrics.show_waiting(outbox.depth(tx))
        count, oldest = mails.waiting(tx)
        metrics.mails_waiting.set(count)
        self._age("mails", oldest)
        ready = tx.rows(_READY)[0][0]
        self._age("messages", None if ready is None else from_us(ready))
        waiting, since = tx.rows(_POST)[0]
        metrics.outgoing_mails_waiting.set(waiting)
        self._age("outgoing_mails", None if since is None else from_us(since))
        states: dict[str, int] = dict(tx.rows(_INCIDENTS))
        for state in ("open", "acked"):
            metrics.incidents.labels(state).set(states.get(state, 0))

    def _look_at_money(self, tx: Tx) -> None:
        book, metrics = self._book(), self._metrics
        now, zone = self._now(), book.zone("")
        for gauge in (metrics.budget_used, metrics.budget_limit):
            gauge.clear()
        for purse in budgets.named_purses(book.config):
            for limit in purse.limits:
                labels = (purse.name, limit.unit, budgets.window_of(limit))
                seen = spends.seen(tx, purse.name, limit.since(now, zone)).get(purse.name, Spent())
                metrics.budget_used.labels(*labels).set(float(limit.used(seen)[0]))
                metrics.budget_limit.labels(*labels).set(float(limit.most))
        for why, count in zip(_WHY_HELD, tx.rows(_HELD)[0], strict=True):
            metrics.held.labels(why).set(count)
        metrics.stopped_phones.set(tx.rows(_STOPS)[0][0])

    def _age(self, queue: str, since: datetime | None) -> None:
        age = 0.0 if since is None else max(0.0, (self._now() - since).total_seconds())
        self._metrics.oldest_waiting.labels(queue).set(age)

    def _show_accounts(self) -> None:
        now = self._now()
        for name, door in self._gateways().doors.items():
            self._metrics.gateway_resting.labels(name).set(int(door.is_resting(now)))
        for account in self._gateways().accounts.values():
            paused = account.paused_until is not None and now < account.paused_until
            for cause in ("money", "password", "blocked"):
                self._metrics.account_paused.labels(account.name, cause).set(int(paused and account.cause == cause))
