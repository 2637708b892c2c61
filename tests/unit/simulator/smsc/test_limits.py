"""The limits of the provider, each at its edge."""

from __future__ import annotations

from typing import Any

import pytest


def test_refuses_the_same_send_within_a_minute(world: Any) -> None:
    assert world.send(id="1") == "1,1"
    world.clock.forward(59)
    assert world.send(id="1") == "0,-9"
    world.clock.forward(1)
    assert world.send(id="1") == "1,1"


def test_a_refused_repeat_does_not_prolong_the_minute(world: Any) -> None:
    world.send()
    world.clock.forward(30)
    world.send()
    world.clock.forward(30)

    assert world.send(id="5") == "5,1"


def test_a_send_that_was_refused_for_its_content_counts_as_the_first(world: Any) -> None:
    world.account(balance=0)

    assert [world.send(id="5") for _ in range(2)] == ["5,-3", "0,-9"]


def test_the_memory_of_repeats_stays_small(world: Any) -> None:
    world.account(balance=10**9)
    guard = world.simulator.smsc.guard
    for number in range(20_001):
        guard.once(number, 60, world.clock.now)
        guard.at_most(1, number, world.clock.now)
    world.clock.forward(60)
    guard.once("later", 60, world.clock.now)
    guard.at_most(1, "later", world.clock.now)

    assert len(guard._sent) == len(guard._window._times) == 1


@pytest.mark.parametrize(("identical", "answer"), [("phones+mes+sender", "0,-9"), ("everything", "2,1")])
def test_whether_another_id_makes_another_request_is_a_switch(world: Any, identical: str, answer: str) -> None:
    world.switch(identical=identical)
    world.send(id="1")

    assert world.send(id="2") == answer


@pytest.mark.parametrize(("shared", "answer"), [(True, "0,-9"), (False, "9,1")])
def test_whether_reserve_hosts_share_the_minute_is_a_switch(world: Any, shared: bool, answer: str) -> None:
    world.switch(hosts_share_memory=shared)
    form = b"login=demo&psw=secret&phones=77010000001&mes=x&fmt=1&id=9"
    world.simulator.smsc.answer(world.raw("send", form, host="smsc.test"))

    assert world.simulator.smsc.answer(world.raw("send", form, host="www2.smsc.test")).body.decode() == answer


def test_answers_five_identical_price_requests_a_minute(world: Any) -> None:
    answers = [world.send(cost="1") for _ in range(6)]

    assert answers == ["1.40,1"] * 5 + ["0,-9"]


def test_status_of_one_message_five_times_a_minute(world: Any) -> None:
    world.limit(status_a_minute=5)
    answers = [world.ask("status", phone="77010000001", id="1", fmt="1") for _ in range(6)]

    assert answers[:5] == ["-3,0,0"] * 5
    assert answers[5] == "0,-9"
    assert world.ask("status", phone="77010000001", id="2", fmt="1") == "-3,0,0"


def test_one_status_list_a_minute(world: Any) -> None:
    world.limit(status_lists_a_minute=1)
    world.ask("status", phone="1,2", id="77010000001,77010000002", fmt="1")

    assert world.ask("status", phone="1,3", id="77010000001,77010000003", fmt="1") == "0,-9"


def test_balance_ten_times_a_minute(world: Any) -> None:
    world.limit(balance_a_minute=10)

    assert [world.ask("balance", fmt="1") for _ in range(11)] == ["101.90"] * 10 + ["0,-9"]


def test_answers_three_identical_times_a_minute(world: Any) -> None:
    world.limit(answers_a_minute=3)

    answers = [world.ask("get", get_answers="1", fmt="3") for _ in range(4)]
    assert answers[:3] == ["[]"] * 3
    assert '"error_code": 9' in answers[3]


def test_F15_an_unbroken_run_to_one_phone_is_flood(world: Any) -> None:
    world.account(balance=1000)
    for number in range(51):
        world.send(mes=f"n{number}")
        world.clock.forward(29)

    states = [message.status for message in world.simulator.messages()]
    assert 23 not in states[:50]
    assert states[50] == 23


def test_a_pause_of_half_a_minute_ends_the_run(world: Any) -> None:
    world.account(balance=1000)
    for number in range(60):
        world.send(mes=f"n{number}")
        world.clock.forward(30 if number == 40 else 1)

    assert all(message.status != 23 for message in world.simulator.messages())


def test_F24_repeated_wrong_passwords_block_the_address_and_asking_prolongs_it(world: Any) -> None:
    world.limit(bad_requests_a_minute=3, block_seconds=300)
    wrong = {"login": "demo", "psw": "wrong"}

    assert [world.send(**wrong) for _ in range(4)] == ["0,-2", "0,-2", "0,-2", "0,-4"]
    world.clock.forward(299)
    assert world.send() == "0,-4"
    world.clock.forward(299)
    assert world.send() == "0,-4"
    world.clock.forward(300)
    assert world.send(id="3") == "3,1"


def test_another_address_is_not_blocked(world: Any) -> None:
    world.limit(bad_requests_a_minute=1)
    world.send(mes="")

    assert world.send(peer="127.0.0.2", id="3") == "3,1"


def test_the_fifteenth_simultaneous_request_is_one_too_many(world: Any) -> None:
    guard, limits = world.simulator.smsc.guard, world.simulator.air.switches.limits
    held = [guard.connection("demo", "send", limits) for _ in range(15)]

    assert [one.__enter__() for one in held] == [False] * 14 + [True]
    with guard.connection("other", "send", limits) as crowded:
        assert not crowded


def test_the_fifth_simultaneous_status_is_one_too_many(world: Any) -> None:
    guard, limits = world.simulator.smsc.guard, world.simulator.air.switches.limits
    held = [guard.connection("demo", "status", limits) for _ in range(5)]

    assert [one.__enter__() for one in held] == [False] * 4 + [True]


def test_too_many_at_once_says_error_nine(world: Any) -> None:
    raw = world.raw("send", b"login=demo&psw=secret&phones=77010000001&mes=x")

    assert world.simulator.smsc.answer(raw, crowded=True).body == b"ERROR = 9 (too many concurrent requests)"
    assert world.simulator.messages() == ()
