"""What is said of links: that they are down, to whom, and that they are up again. What comes over them: integration."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from bridge.delivery.gateways import Gateways
from bridge.delivery.links import DOWN_FOR, Links
from bridge.providers.base import LinkState
from bridge.store.engine import Store

pytestmark = pytest.mark.anyio

UP = LinkState(1, 1, "", refused=False)
DOWN = LinkState(0, 1, "the link broke: the peer hung up", refused=False)
REFUSED = LinkState(0, 1, "the login is refused (0x000e)", refused=True)


class Desk:
    """One gateway whose link a test puts up and down."""

    def __init__(self, store: Store, clock: Any, gateway: Any) -> None:
        self.clock = clock
        self.gateway = gateway
        self.gateways = Gateways({"smpp": gateway}, clock)
        self.said: list[Any] = []
        self.shown: list[tuple[str, int]] = []
        self.links = Links(
            store, lambda: self.gateways, now=clock, decide=lambda _tx, _receipts: None, arrived=lambda: None,
            shown=lambda name, state: self.shown.append((name, state.up)),
            alarm=lambda kind, name, why: self.said.append((kind, name, why)),
            mended=lambda name, down: self.said.append(("mended", name, down)),
        )  # fmt: skip

    async def look(self, state: LinkState, after: timedelta = timedelta(0)) -> None:
        self.gateway.link = state
        self.clock.forward(after.total_seconds())
        await self.links.follow()
        self.links.look_at_links()


@pytest.fixture
def desk(store: Store, clock: Any, puppet: Any) -> Desk:
    class Linked(puppet):  # type: ignore[misc]
        link = UP

        async def open(self, keep: Any) -> None: ...

        async def close(self) -> None: ...

        def takes_over(self, earlier: Any) -> bool:
            return False

        def decoded(self, octets: bytes, coding: int) -> str:
            return ""

    return Desk(store, clock, Linked("smpp"))


async def test_F24_a_link_that_stays_down_is_told_once_and_so_is_its_end(desk: Desk) -> None:
    await desk.look(UP)
    await desk.look(DOWN)
    await desk.look(DOWN, DOWN_FOR - timedelta(seconds=1))
    assert desk.said == []
    for _ in range(3):
        await desk.look(DOWN, timedelta(seconds=1))
    assert desk.said == [("gateway", "smpp", DOWN.why)]
    await desk.look(UP, timedelta(minutes=5))
    await desk.look(UP)
    assert desk.said[1:] == [("mended", "smpp", DOWN_FOR + timedelta(minutes=5, seconds=2))]


async def test_a_link_that_is_back_soon_is_nobody_s_trouble(desk: Desk) -> None:
    for _ in range(5):
        await desk.look(DOWN, timedelta(seconds=90))
        await desk.look(UP, timedelta(seconds=20))
    assert desk.said == []


async def test_F24_a_login_that_is_refused_is_told_at_once(desk: Desk) -> None:
    await desk.look(REFUSED)
    assert desk.said == [("gateway", "smpp", REFUSED.why)]


async def test_each_change_is_shown_once(desk: Desk) -> None:
    for state in (DOWN, DOWN, UP, UP, REFUSED):
        await desk.look(state)
    assert desk.shown == [("smpp", 0), ("smpp", 1), ("smpp", 0)]


async def test_a_gateway_that_is_gone_is_no_longer_looked_at(desk: Desk) -> None:
    await desk.look(DOWN)
    desk.gateways = Gateways({}, desk.clock)
    await desk.look(DOWN, 2 * DOWN_FOR)
    assert desk.said == []
