"""Which door may be used now: places of the account, pauses, a breaker of its own for each door."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from bridge.delivery.gateways import Gateways
from bridge.errors import AccountPaused
from bridge.store.attempts import Attempt, Prepared, Wait
from bridge.store.health import GatewayHealth


def attempt(provider: str, state: str = "NOT_SENT") -> Attempt:
    from datetime import UTC, datetime

    at = datetime(2026, 11, 21, tzinfo=UTC)
    return Attempt(1, 1, provider, "a", "7", {}, "r1", state, "", "", "", (), at, at)


@pytest.fixture
def both(puppet: Any, clock: Any) -> Gateways:
    doors = {"one": puppet("one", "smsc:one"), "two": puppet("two", "smsc:two")}
    return Gateways(doors, clock)


def chosen(found: Prepared | Wait) -> str:
    return found.provider if isinstance(found, Prepared) else "wait"


def test_the_first_of_the_chain_that_can_take_it(both: Gateways, message: Any) -> None:
    assert chosen(both.choose(message(providers=("two", "one")), [])) == "two"
    assert chosen(both.choose(message(providers=("gone", "one")), [])) == "one"


def test_who_refused_is_not_asked_again_and_who_failed_comes_last(both: Gateways, message: Any) -> None:
    chain = message(providers=("one", "two"))
    assert chosen(both.choose(chain, [attempt("one", "REFUSED")])) == "two"
    assert chosen(both.choose(chain, [attempt("one")])) == "two"
    assert chosen(both.choose(chain, [attempt("one"), attempt("two")])) == "one"
    assert chosen(both.choose(chain, [attempt("one", "REFUSED"), attempt("two", "REFUSED")])) == "wait"


def test_never_more_at_once_than_the_account_allows_over_all_its_doors(puppet: Any, clock: Any, message: Any) -> None:
    doors = {"http": puppet("http", parallel=3), "mail": puppet("mail", parallel=2)}
    gateways = Gateways(doors, clock)
    taken = [chosen(gateways.choose(message(providers=("http", "mail")), [])) for _ in range(3)]
    assert taken == ["http", "http", "wait"]
    assert gateways.free() == 0
    assert not gateways.take("mail")
    gateways.give_back("http")
    assert gateways.take("mail")


def test_a_full_account_makes_a_message_wait_for_room_and_a_resting_one_for_a_while(
    both: Gateways, message: Any, clock: Any
) -> None:
    one = message(providers=("one",))
    for _ in range(3):
        both.choose(one, [])
    assert both.choose(one, []) == Wait(clock.now)
    both.pause("one", AccountPaused("empty", cause="money"))
    assert both.choose(one, []) == Wait(clock.now + timedelta(seconds=2))


@pytest.mark.parametrize(("cause", "minutes"), [("money", 10), ("password", 15), ("blocked", 30)])
def test_F24_a_pause_is_the_whole_account_s_and_ends(
    puppet: Any, clock: Any, message: Any, cause: str, minutes: int
) -> None:
    gateways = Gateways({"http": puppet("http"), "mail": puppet("mail")}, clock)
    assert gateways.pause("http", AccountPaused("no", cause=cause))
    assert not gateways.pause("http", AccountPaused("no", cause=cause))  # told once
    assert chosen(gateways.choose(message(providers=("http", "mail")), [])) == "wait"
    assert not gateways.take("mail")
    clock.forward(minutes * 60 - 1)
    assert gateways.free() == 0
    clock.forward(1)
    assert chosen(gateways.choose(message(providers=("http",)), [])) == "http"


def test_an_operator_can_end_a_pause(both: Gateways) -> None:
    both.pause("one", AccountPaused("no", cause="money"))
    assert both.resume("smsc:one")
    assert not both.resume("smsc:nobody")
    assert both.accounts["smsc:one"].cause == ""


def test_F07_five_failures_open_the_breaker_of_that_door_alone(puppet: Any, clock: Any, message: Any) -> None:
    gateways = Gateways({"http": puppet("http"), "mail": puppet("mail")}, clock)
    assert [gateways.failed("http", "silent") for _ in range(5)] == [False] * 4 + [True]
    assert chosen(gateways.choose(message(providers=("http", "mail")), [])) == "mail"


def test_F07_what_was_under_way_when_it_opened_does_not_prolong_the_rest(both: Gateways, clock: Any) -> None:
    for _ in range(12):
        both.failed("one", "silent")
    assert both.doors["one"].resting_until == clock.now + timedelta(seconds=10)


def test_F07_after_a_rest_one_request_tries_alone_and_its_success_closes_the_breaker(
    both: Gateways, clock: Any, message: Any
) -> None:
    one = message(providers=("one",))
    for _ in range(5):
        both.failed("one", "silent")
    clock.forward(10)
    assert [chosen(both.choose(one, [])) for _ in range(2)] == ["one", "wait"]
    both.give_back("one")
    both.worked("one", 0.1)
    assert [chosen(both.choose(one, [])) for _ in range(2)] == ["one", "one"]


def test_F07_each_failed_try_makes_the_rest_longer(both: Gateways, clock: Any, message: Any) -> None:
    for _ in range(5):
        both.failed("one", "silent")
    rests = []
    for _ in range(4):
        until = both.doors["one"].resting_until
        assert until is not None
        rests.append((until - clock.now).total_seconds())
        clock.now = until
        both.choose(message(providers=("one",)), [])
        both.give_back("one")
        both.failed("one", "silent")
    assert rests == [10, 30, 60, 120]


def test_places_are_never_given_back_twice(both: Gateways) -> None:
    both.give_back("one")
    assert both.free() == 6


def test_the_same_text_for_the_same_phone_waits_a_minute_at_its_account_or_leaves_by_another(
    both: Gateways, clock: Any, message: Any
) -> None:
    twins = {"smsc:one": clock.now - timedelta(seconds=21)}
    assert both.choose(message(providers=("one",)), [], twins) == Wait(clock.now + timedelta(seconds=40))
    assert chosen(both.choose(message(providers=("one", "two")), [], twins)) == "two"
    clock.forward(40)
    assert chosen(both.choose(message(providers=("one",)), [], twins)) == "one"


def test_the_minute_is_the_account_s_over_all_its_doors(puppet: Any, clock: Any, message: Any) -> None:
    gateways = Gateways({"http": puppet("http"), "mail": puppet("mail")}, clock)
    choice = gateways.choose(message(providers=("http", "mail")), [], {"smsc:acme": clock.now})
    assert choice == Wait(clock.now + timedelta(seconds=61))


def test_a_provider_without_such_a_rule_waits_for_nothing(puppet: Any, clock: Any, message: Any) -> None:
    gateways = Gateways({"plain": puppet("plain", "plain:acme")}, clock)
    assert chosen(gateways.choose(message(providers=("plain",)), [], {"plain:acme": clock.now})) == "plain"


def test_a_gateway_on_a_link_has_places_of_its_own_and_shares_the_pause(puppet: Any, clock: Any, message: Any) -> None:
    class Linked(puppet):  # type: ignore[misc]
        async def open(self, keep: object) -> None: ...

        async def close(self) -> None: ...

        def takes_over(self, earlier: object) -> bool:
            return False

        def decoded(self, octets: bytes, coding: int) -> str:
            return ""

    linked, asked = Linked("smpp", "smsc:one", parallel=5), puppet("http", "smsc:one", parallel=2)
    doors = Gateways({"smpp": linked, "http": asked}, clock)
    assert doors.free() == 7
    assert [chosen(doors.choose(message(providers=("smpp",)), [])) for _ in range(6)] == [*["smpp"] * 5, "wait"]
    assert [chosen(doors.choose(message(providers=("http",)), [])) for _ in range(3)] == ["http", "http", "wait"]
    doors.give_back("smpp")
    assert doors.free() == 1
    doors.pause("smpp", AccountPaused("no money", cause="money"))
    assert doors.free() == 0
    assert chosen(doors.choose(message(providers=("http",)), [])) == "wait"


def test_what_is_critical_tries_a_door_behind_the_others_while_most_does_not_arrive(
    puppet: Any, clock: Any, message: Any
) -> None:
    doors = {"one": puppet("one", "smsc:one"), "two": puppet("two", "gate:two")}
    gateways = Gateways(doors, clock)
    gateways.health = {"one": GatewayHealth(20, 20, 0, 20, 9, 11, 4.0)}
    both = ("one", "two")
    assert chosen(gateways.choose(message(message_class="critical", providers=both), [])) == "two"
    assert chosen(gateways.choose(message(message_class="normal", providers=both), [])) == "one"
    assert chosen(gateways.choose(message(message_class="critical", providers=("one",)), [])) == "one"
    gateways.health = {"one": GatewayHealth(20, 20, 0, 20, 10, 10, 4.0)}
    assert chosen(gateways.choose(message(message_class="critical", providers=both), [])) == "one"


def test_the_others_are_those_that_can_send_now(puppet: Any, clock: Any) -> None:
    doors = {name: puppet(name, f"smsc:{name}") for name in ("one", "two", "three", "four")}
    gateways = Gateways(doors, clock)
    gateways.pause("two", AccountPaused("no money", cause="money"))
    for _ in range(5):
        gateways.failed("three", "no connection")
    assert gateways.others("one") == ("four",)
    clock.forward(1800)
    assert gateways.others("one") == ("two", "three", "four")


def test_F24_a_door_that_says_not_now_is_well_and_its_account_stays_paused(both: Gateways) -> None:
    both.pause("one", AccountPaused("no money", cause="money"))
    for _ in range(4):
        both.failed("one", "silent")
    both.answered("one")
    assert both.doors["one"].failures == 0
    assert both.doors["one"].account.cause == "money"
    both.worked("one", 0.1)
    assert both.doors["one"].account.cause == ""
