"""Giving an order beside a running bridge: decided as everything else is, in one transaction of the store."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from bridge.cli.opening import living_book, user_name, writing

if TYPE_CHECKING:
    from bridge.book import RuleBook
    from bridge.model import Plan
    from bridge.store.engine import Tx


def give(tx: Tx, book: RuleBook, words: tuple[str, ...], by: str, now: datetime) -> Plan:
    """Decide and write what *by* ordered; raises what the decision itself failed with."""
    from bridge.dispatch.decide import bound
    from bridge.model import Order
    from bridge.store import plans

    decided = plans.plan(tx, [Order(by, words)], *bound(book, now), now)
    if decided[0].error is not None:
        raise decided[0].error
    return decided[0].plan


def ordered(config: Path, *words: str) -> Plan:
    """Give the order of whoever sits at this terminal to the store of the configuration at *config*."""
    book, now = living_book(config), datetime.now(UTC)
    return writing(book.config, lambda tx: give(tx, book, words, user_name(), now))
