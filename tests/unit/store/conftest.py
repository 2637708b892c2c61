"""A real store file for every test of this room."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bridge.store.engine import Store


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[Store]:
    store = Store(tmp_path / "bridge.db")
    await store.open()
    yield store
    store.close()
