"""The doors under contract: one file each in ``doors/`` that holds ``DOOR``, or ``DOORS``; found by its place alone.

The name of a test's fixture says which of them it is for; ``world`` is every one.
"""

from __future__ import annotations

import asyncio
import importlib
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest

from tests.contract.kit import TAKEN_WITHOUT_AN_ANSWER, Door, World


def _doors() -> list[Door]:
    found: list[Door] = []
    for path in sorted(Path(__file__).with_name("doors").glob("*.py")):
        module = importlib.import_module(f"tests.contract.doors.{path.stem}")
        found += getattr(module, "DOORS", None) or [module.DOOR]
    return found


ALL = _doors()


class _Hurried:
    """asyncio for uvicorn, which looks only every tenth of a second whether it is to end."""

    def __getattr__(self, name: str) -> Any:
        return getattr(asyncio, name)

    @staticmethod
    async def sleep(seconds: float) -> None:
        await asyncio.sleep(min(seconds, 0.005))


@pytest.fixture(autouse=True)
def _hurried(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("uvicorn.server.asyncio", _Hurried())


def _worlds(suits: Callable[[Door], bool]) -> Any:
    """A fixture that gives each door that *suits*, fresh."""

    @pytest.fixture(params=[pytest.param(door, id=door.name) for door in ALL if suits(door) and not door.variant])
    async def opened(request: pytest.FixtureRequest) -> AsyncIterator[World]:
        async with request.param.open() as found:
            yield found

    return opened


world = _worlds(lambda door: True)
smsc_http = _worlds(lambda door: door.name == "smsc-http")
http_world = _worlds(lambda door: door.lost == TAKEN_WITHOUT_AN_ANSWER)
asked_world = _worlds(lambda door: "status" in door.traits)
balance_world = _worlds(lambda door: "balance" in door.traits)
price_world = _worlds(lambda door: "price" in door.traits)
inbound_world = _worlds(lambda door: "inbound" in door.traits)
