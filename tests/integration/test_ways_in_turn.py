"""smsc takes one way a request: Viber first, and an SMS when that was refused or did not arrive."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.integration.smsgate_world import World, opened

pytestmark = pytest.mark.anyio


@pytest.fixture
async def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[World]:
    async with opened(tmp_path, monkeypatch, "smsc-http", "[viber, sms]") as found:
        yield found


async def requests(world: World) -> list[bool]:
    """For each hand-over whether it asked for Viber."""
    found = await world.raw("SELECT request FROM submissions ORDER BY message_id, attempt")
    return ['"viber":"1"' in row[0] for row in found]


async def test_what_arrives_by_viber_is_no_sms(world: World) -> None:
    await world.mail()
    await world.reach(lambda states: states == ["ACCEPTED"])
    await asyncio.sleep(0.5)
    world.clock.forward(40)
    await world.reach(lambda states: states == ["DELIVERED"])
    assert [channel for channel, _ in world.on_phone] == ["viber"]
    assert await requests(world) == [True]


async def test_what_viber_does_not_deliver_goes_as_an_sms_under_an_id_of_its_own(world: World) -> None:
    world.provider.set_faults({"smsc": {"all": {"fates": {"viber": "undelivered"}}}})
    await world.mail()
    await world.reach(lambda states: states == ["ACCEPTED"])
    await asyncio.sleep(0.5)
    world.clock.forward(40)
    await world.reach(lambda states: len(states) == 2 and states[0] == "UNDELIVERED")
    world.clock.forward(62)  # the account may take the same words for the same phone as a double until then
    await world.reach(lambda states: states[1] == "ACCEPTED")
    assert set((await requests(world))[1:]) == {False}
    await asyncio.sleep(0.5)
    world.clock.forward(40)
    await world.reach(lambda states: states == ["UNDELIVERED", "DELIVERED"])
    assert await world.raw("SELECT count(DISTINCT client_id) FROM submissions") == [(2,)]
    assert await world.raw("SELECT count(*) FROM outgoing_mails") == [(0,)], "nobody hears of a failure: it arrived"
    texts = {text for _, text in world.on_phone}
    assert len(texts) == 1


async def test_what_viber_refuses_goes_as_an_sms_at_once(world: World) -> None:
    world.provider.set_faults({"smsc": {"all": {"refuse": 6, "times": 1}}})
    await world.mail()
    await world.reach(lambda states: states == ["REJECTED", "ACCEPTED"])
    assert [channel for channel, _ in world.on_phone] == ["sms"]
