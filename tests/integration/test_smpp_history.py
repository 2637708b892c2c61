"""A lost answer of the SMPP link is looked for in the account's list of sent messages, over HTTP (threats §2)."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from bridge.config.models.providers import Provider
from bridge.config.secrets import SecretText
from bridge.errors import OutcomeUnknown
from bridge.providers.base import FindsSent, NoWayToAsk
from bridge.providers.http import HttpClient
from bridge.providers.smsc_http import SmscHttp
from bridge.simulator.serve import running
from tests.integration.smpp_world import PASSWORD, World, request_of, smpp_world

pytestmark = pytest.mark.anyio


@asynccontextmanager
async def asked_over_http() -> AsyncIterator[World]:
    async with smpp_world(answer_within=0.3) as world, running(world.simulator) as port, HttpClient() as http:
        by_http = {
            "type": "smsc-http", "base_url": f"http://127.0.0.1:{port}", "login": "acme", "password": {"env": "SMSC"},
        }  # fmt: skip
        world.gateway.ask_at(SmscHttp("smsc", Provider.model_validate(by_http), SecretText(PASSWORD), http))
        yield world


async def lost(world: World, *, taken: bool, **changes: Any) -> datetime:
    """A request whose answer never came; when it was made."""
    begun = datetime.now(UTC)
    world.fault(drop="after" if taken else "before", times=1)
    with pytest.raises(OutcomeUnknown):
        await world.gateway.submit(request_of(world.gateway, **changes))
    return begun


async def test_what_arrived_without_an_answer_is_found_by_phone_text_and_time() -> None:
    async with asked_over_http() as world:
        begun = await lost(world, taken=True)
        assert isinstance(world.gateway, FindsSent)
        assert world.gateway.doubt == "history"
        found = await world.gateway.find(request_of(world.gateway), begun)
        assert found.state in ("ACCEPTED", "DELIVERED")


async def test_a_long_text_is_found_whole() -> None:
    async with asked_over_http() as world:
        text = "диск " + "полон " * 20
        begun = datetime.now(UTC)
        await world.gateway.submit(request_of(world.gateway, text=text, segments=2))
        assert (await world.gateway.find(request_of(world.gateway, text=text, segments=2), begun)).state is not None


async def test_what_never_came_is_not_found() -> None:
    async with asked_over_http() as world:
        begun = await lost(world, taken=False)
        assert (await world.gateway.find(request_of(world.gateway), begun)).state is None


@pytest.mark.parametrize(
    ("later", "changes"),
    [(31, {}), (0, {"phone": "+77010000002"}), (0, {"text": "12 CRIT db01: disk"}), (0, {"text": "…"})],
    ids=["the same text a minute before", "another phone", "the beginning of it", "no letters"],
)
async def test_another_message_is_no_evidence(later: float, changes: dict[str, Any]) -> None:
    async with asked_over_http() as world:
        begun = await lost(world, taken=True)
        asked = request_of(world.gateway, **changes)
        assert (await world.gateway.find(asked, begun + timedelta(seconds=later))).state is None


async def test_without_a_door_over_http_there_is_nobody_to_ask() -> None:
    async with smpp_world() as world:
        with pytest.raises(NoWayToAsk):
            await world.gateway.find(request_of(world.gateway), datetime.now(UTC))
