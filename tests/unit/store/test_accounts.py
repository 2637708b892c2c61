"""What is known of provider accounts survives a start."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from bridge.store import accounts
from bridge.store.accounts import AccountRow
from bridge.store.engine import Store

pytestmark = pytest.mark.anyio

NOW = datetime(2026, 11, 21, 3, 12, tzinfo=UTC)


async def test_an_account_nobody_asked_about_is_well_and_unknown(store: Store) -> None:
    assert await store.read(lambda tx: accounts.get(tx, "smsc:acme")) == AccountRow("smsc:acme")
    assert await store.read(accounts.everyone) == []


async def test_the_last_word_stands(store: Store) -> None:
    known = AccountRow("smsc:acme", "money", "empty", NOW, NOW, "0.05", "KZT", NOW, "4711")
    await store.write(lambda tx: accounts.put(tx, known))
    better = replace(known, state="well", reason="", until=None, balance="100.00")
    await store.write(lambda tx: accounts.put(tx, better))
    await store.write(lambda tx: accounts.put(tx, AccountRow("smsc:a")))
    assert await store.read(accounts.everyone) == [AccountRow("smsc:a"), better]
