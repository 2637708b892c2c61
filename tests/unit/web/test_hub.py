"""In-process hints."""

from __future__ import annotations

import asyncio

import pytest

from bridge.web.hub import ALL, Hub

pytestmark = pytest.mark.anyio


async def test_a_listener_hears_each_name_once_from_when_it_began_to_listen() -> None:
    hub = Hub()
    hub.publish("before")
    with hub.subscribe() as listener:
        hub.publish("now", "mail:1")
        hub.publish("now")
        assert await listener.next(1) == {"now", "mail:1"}
        assert await listener.next(0.01) is None


async def test_a_hint_without_names_wakes_too() -> None:
    hub = Hub()
    with hub.subscribe() as listener:
        hub.publish()
        assert await listener.next(1) == frozenset()


async def test_who_does_not_read_is_told_to_look_at_everything() -> None:
    hub = Hub()
    with hub.subscribe() as slow:
        for number in range(5000):
            hub.publish(f"mail:{number}")
        assert ALL in (await slow.next(1) or ())
        hub.publish("now")
        assert await slow.next(1) == {"now"}


async def test_a_listener_that_left_is_forgotten() -> None:
    hub = Hub()
    with hub.subscribe(), hub.subscribe():
        assert len(hub) == 2
    assert len(hub) == 0


async def test_closing_wakes_everybody_for_good() -> None:
    hub = Hub()
    with hub.subscribe() as listener:
        waiting = asyncio.create_task(listener.next(60))
        await asyncio.sleep(0)
        hub.close()
        assert await asyncio.wait_for(waiting, 1) == frozenset()
        assert listener.closed
        assert await listener.next(60) == frozenset(), "a closed listener never waits"
    with hub.subscribe() as late:
        assert late.closed
