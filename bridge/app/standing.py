"""Figures that have to be looked up: what waits, and since when. Once every few seconds, for the metrics."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import datetime

from sqlalchemy import func, select

from bridge.delivery.gateways import Gateways
from bridge.errors import StoreUnavailable
from bridge.observe import Metrics
from bridge.store import mails, outbox, schema
from bridge.store.engine import Store, Tx
from bridge.store.statements import Statement, from_us

_EVERY = 5.0
_READY = Statement(select(func.min(schema.messages.c.created_at)).where(schema.messages.c.state == "READY"))
_POST = Statement(
    select(func.count(), func.min(schema.outgoing_mails.c.created_at)).where(schema.outgoing_mails.c.state == "READY")
)
_INCIDENTS = Statement(
    select(schema.incidents.c.state, func.count())
    .where(schema.incidents.c.state.in_(("open", "acked")))
    .group_by(schema.incidents.c.state)
)


class Standing:
    """Keeps the gauges of the metrics true."""

    def __init__(
        self, store: Store, metrics: Metrics, now: Callable[[], datetime], gateways: Callable[[], Gateways]
    ) -> None:
        self._store = store
        self._metrics = metrics
        self._now = now
        self._gateways = gateways

    async def run(self) -> None:
        """Work until cancelled."""
        while True:
            try:
                await self._store.read(self._look)
            except StoreUnavailable:
                self._metrics.store_unavailable.labels("read").inc()
            self._show_accounts()
            await asyncio.sleep(_EVERY)

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

    def _age(self, queue: str, since: datetime | None) -> None:
        age = 0.0 if since is None else max(0.0, (self._now() - since).total_seconds())
        self._metrics.oldest_waiting.labels(queue).set(age)

    def _show_accounts(self) -> None:
        now = self._now()
        for account in self._gateways().accounts.values():
            paused = account.paused_until is not None and now < account.paused_until
            for cause in ("money", "password", "blocked"):
                self._metrics.account_paused.labels(account.name, cause).set(int(paused and account.cause == cause))
