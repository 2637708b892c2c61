"""Asking accounts: the balance now and then, inbound SMS once each."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from structlog.testing import capture_logs

from bridge.delivery.accounts import BALANCE_EVERY, Accounts
from bridge.delivery.gateways import Gateways
from bridge.errors import AccountPaused, TemporaryFailure
from bridge.model import Call
from bridge.providers.base import Balance, Inbound, NoWayToAsk
from bridge.store import accounts, inbound
from bridge.store.accounts import AccountRow
from bridge.store.engine import Store

pytestmark = pytest.mark.anyio


class Desk:
    def __init__(self, store: Store, clock: Any, *doors: Any) -> None:
        self.store = store
        self.gateways = Gateways({door.name: door for door in doors}, clock)
        self.arrived = 0
        self.alarms: list[tuple[str, str]] = []
        self.mended: list[tuple[str, float]] = []
        self.accounts = Accounts(
            store, lambda: self.gateways, lambda: {"smsc": timedelta(seconds=5)}, now=clock, arrived=self._arrived,
            alarm=lambda kind, name, _why: self.alarms.append((kind, name)),
            mended=lambda name, paused: self.mended.append((name, paused.total_seconds())),
        )  # fmt: skip

    async def row(self) -> AccountRow:
        return await self.store.read(lambda tx: accounts.get(tx, "smsc:acme"))

    def _arrived(self) -> None:
        self.arrived += 1


def sms(number: str, text: str = "ok") -> Inbound:
    return Inbound(number, "+77010000001", "77770000000", text, None, None)


async def test_one_question_an_account_and_not_more_often_than_every_ten_minutes(
    store: Store, clock: Any, puppet: Any
) -> None:
    first, second = puppet("smsc"), puppet("mail")
    desk = Desk(store, clock, first, second)
    for _ in range(11):
        await desk.accounts.round()
        clock.forward(60)
    assert first.asked.count("balance") == 2
    assert second.asked == []
    row = await store.read(lambda tx: accounts.get(tx, "smsc:acme"))
    assert (row.balance, row.currency) == (str(Decimal("13.50")), "KZT")
    assert timedelta(minutes=10) == BALANCE_EVERY


async def test_T25_an_inbound_sms_is_kept_once_however_often_it_is_fetched(
    store: Store, clock: Any, puppet: Any
) -> None:
    gateway = puppet(inbox=(sms("7"), sms("8", "12 ok")))
    desk = Desk(store, clock, gateway)
    assert [await desk.accounts.fetch(gateway) for _ in range(2)] == [2, 0]
    assert desk.arrived == 1
    assert [one.text for one in await store.read(lambda tx: inbound.waiting(tx, 9))] == ["ok", "12 ok"]  # type: ignore[union-attr]
    assert gateway.asked[-1] == ("inbound", 8)


async def test_a_poll_and_a_callback_with_the_same_id_are_one_sms(store: Store, clock: Any, puppet: Any) -> None:
    from bridge.providers.base import inbound_key

    key = "smsc:acme/" + inbound_key("7", "+77010000001", "77770000000", "ok", "")
    await store.write(lambda tx: inbound.keep(tx, key, "sms", "smsc", "+77010000001", "77770000000", "ok", clock()))
    desk = Desk(store, clock, gateway := puppet(inbox=(sms("7"),)))
    assert await desk.accounts.fetch(gateway) == 0


async def test_T25_a_hurried_fetch_is_made_as_soon_as_the_provider_may_be_asked_again(
    store: Store, clock: Any, puppet: Any
) -> None:
    gateway = puppet()
    desk = Desk(store, clock, gateway)
    desk.accounts._polled = lambda: {"smsc": timedelta(seconds=60)}

    async def fetched_after(seconds: float) -> int:
        clock.forward(seconds)
        before = len(gateway.asked)
        await desk.accounts.round()
        return sum(one[0] == "inbound" for one in gateway.asked[before:])

    desk.accounts.hurry("smsc")  # nothing was asked yet: the first round does
    assert await fetched_after(0) == 1
    for expected in (1, 1, 0, 0):  # at once, and three times a minute
        for _ in range(50):
            desk.accounts.hurry("smsc")
        assert await fetched_after(1) == expected
    assert [await fetched_after(seconds) for seconds in (56, 1, 1)] == [0, 1, 0]
    desk.accounts.hurry("nobody")
    assert [await fetched_after(30), await fetched_after(30)] == [0, 1], "and then as often as before"


async def test_a_question_that_fails_costs_nothing_but_a_line(store: Store, clock: Any, puppet: Any) -> None:
    gateway = puppet(money=TemporaryFailure("error 9"), inbox=TemporaryFailure("error 9"))
    desk = Desk(store, clock, gateway)
    await desk.accounts.round()
    assert await store.read(accounts.everyone) == []
    assert desk.arrived == 0


async def test_F24_a_wrong_password_found_by_asking_pauses_the_account_and_is_told_once(
    store: Store, clock: Any, puppet: Any
) -> None:
    gateway = puppet(money=AccountPaused("wrong password", cause="password"))
    desk = Desk(store, clock, gateway)
    await desk.accounts.round()
    assert desk.gateways.accounts["smsc:acme"].cause == "password"
    clock.forward(BALANCE_EVERY.total_seconds())
    await desk.accounts.round()
    assert desk.alarms == [("account.password", "smsc")]


async def test_calls_and_sms_of_a_poll_are_kept_as_what_they_are(store: Store, clock: Any, puppet: Any) -> None:
    rang = replace(sms("2", ""), call=True, received=clock() - timedelta(seconds=20))
    desk = Desk(store, clock, puppet(inbox=(sms("1"), rang, replace(rang, id="3"))))
    assert await desk.accounts.fetch(desk.gateways["smsc"]) == 2
    _reply, call = await store.read(lambda tx: inbound.waiting(tx, 9))
    assert call == Call(2, "+77010000001", "77770000000", "smsc", clock() - timedelta(seconds=20))


async def test_F24_a_pause_stands_in_the_store_and_an_operator_may_end_it(
    store: Store, clock: Any, puppet: Any
) -> None:
    desk = Desk(store, clock, puppet("smsc"))
    desk.gateways.pause("smsc", AccountPaused("no money", cause="money"))
    await desk.accounts.round()
    row = await store.read(lambda tx: accounts.get(tx, "smsc:acme"))
    assert (row.state, row.reason) == ("money", "no money")
    await desk.accounts.round()
    assert not desk.gateways.free()
    await store.write(lambda tx: accounts.put(tx, replace(row, state="well")))
    await desk.accounts.round()
    assert desk.gateways.free()
    assert desk.arrived == 1


async def test_F24_a_pause_that_ran_out_is_well_again_in_the_store(store: Store, clock: Any, puppet: Any) -> None:
    desk = Desk(store, clock, puppet("smsc"))
    desk.gateways.pause("smsc", AccountPaused("no money", cause="money"))
    await desk.accounts.round()
    clock.forward(601)
    await desk.accounts.round()
    assert (await store.read(lambda tx: accounts.get(tx, "smsc:acme"))).state == "well"


async def test_the_inbox_of_an_account_is_fetched_by_one_of_its_doors(store: Store, clock: Any, puppet: Any) -> None:
    first, second = puppet("smsc"), puppet("mail")
    desk = Desk(store, clock, first, second)
    desk.accounts = Accounts(
        store, lambda: desk.gateways, lambda: dict.fromkeys(("smsc", "mail"), timedelta(seconds=5)), now=clock,
        arrived=desk._arrived,
    )  # fmt: skip
    await desk.accounts.round()
    assert first.asked.count(("inbound", 0)) == 1
    assert second.asked == []


async def test_a_door_that_only_sends_is_no_trouble(store: Store, clock: Any, puppet: Any) -> None:
    mute = puppet(inbox=NoWayToAsk("only sends"), money=NoWayToAsk("only sends"))
    desk = Desk(store, clock, mute)
    with capture_logs() as logs:
        await desk.accounts.round()
    assert {("inbound", 0), "balance"} <= set(mute.asked)
    assert logs == []


NO_MONEY = AccountPaused("no money", cause="money")


async def two_nodes(store: Store, clock: Any, puppet: Any) -> tuple[Desk, Desk]:
    desks = Desk(store, clock, puppet("smsc")), Desk(store, clock, puppet("smpp"))
    for desk in desks:
        await desk.accounts.round()
    clock.forward(1)
    return desks


async def test_F24_a_pause_that_one_node_found_holds_on_the_other_and_is_told_once(
    store: Store, clock: Any, puppet: Any
) -> None:
    one, other = await two_nodes(store, clock, puppet)
    one.gateways.pause("smsc", NO_MONEY)
    for _ in range(3):
        await one.accounts.round()
        await other.accounts.round()
        clock.forward(1)
    assert (one.gateways.free(), other.gateways.free()) == (0, 0)
    assert other.gateways.accounts["smsc:acme"].reason == "no money"
    assert (await one.row()).state == "money"
    assert other.alarms == []


async def test_F24_a_pause_ends_on_all_nodes_as_soon_as_one_can_send(store: Store, clock: Any, puppet: Any) -> None:
    one, other = await two_nodes(store, clock, puppet)
    one.gateways.pause("smsc", NO_MONEY)
    for desk in (one, other):
        await desk.accounts.round()
    clock.forward(60)
    one.gateways.worked("smsc", 0.1)
    for desk in (one, other):
        await desk.accounts.round()
    assert one.gateways.free() == other.gateways.free() == 3
    assert other.arrived == 1
    assert (await one.row()).state == "well"


async def test_F24_a_node_that_begins_or_takes_new_settings_tries_anew(store: Store, clock: Any, puppet: Any) -> None:
    before = Desk(store, clock, puppet("smsc"))
    before.gateways.pause("smsc", NO_MONEY)
    await before.accounts.round()
    clock.forward(5)
    after = Desk(store, clock, puppet("smsc"))
    for _ in range(2):
        await after.accounts.round()
        clock.forward(1)
    assert after.gateways.free()
    assert (await after.row()).state == "well"


async def test_F24_the_end_of_a_pause_is_said_when_the_account_could_send_and_not_before(
    store: Store, clock: Any, puppet: Any
) -> None:
    desk = Desk(store, clock, puppet("smsc"))
    desk.gateways.pause("smsc", NO_MONEY)
    await desk.accounts.round()
    clock.forward(601)
    await desk.accounts.round()
    assert desk.gateways.free()
    assert desk.mended == []
    desk.gateways.pause("smsc", NO_MONEY)
    await desk.accounts.round()
    clock.forward(99)
    desk.gateways.worked("smsc", 0.1)
    for _ in range(2):
        await desk.accounts.round()
    assert desk.mended == [("smsc", 700.0)]


async def test_F24_an_account_that_was_topped_up_goes_on_at_once(store: Store, clock: Any, puppet: Any) -> None:
    gateway = puppet("smsc", money=Balance(Decimal(1), "KZT"))
    desk = Desk(store, clock, gateway)
    await desk.accounts.round()
    for _ in range(2):  # a poll that finds as little as before ends nothing
        desk.gateways.pause("smsc", NO_MONEY)
        clock.forward(599)
        await desk.accounts.round()
        assert not desk.gateways.free()
        clock.forward(2)
    desk.gateways.pause("smsc", NO_MONEY)
    gateway.money = Balance(Decimal(500), "KZT")
    clock.forward(599)
    await desk.accounts.round()
    assert desk.gateways.free()
    await desk.accounts.round()
    assert desk.gateways.free()
    assert [name for name, _paused in desk.mended] == ["smsc"]


async def test_a_blocked_account_is_not_asked_for_its_balance(store: Store, clock: Any, puppet: Any) -> None:
    desk = Desk(store, clock, gateway := puppet("smsc"))
    desk.gateways.pause("smsc", AccountPaused("blocked", cause="blocked"))
    await desk.accounts.round()
    assert "balance" not in gateway.asked
    clock.forward(1801)
    await desk.accounts.round()
    assert "balance" in gateway.asked
