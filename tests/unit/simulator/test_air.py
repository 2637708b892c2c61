"""What phones, accounts and listeners see."""

from __future__ import annotations

from typing import Any

import pytest

from bridge.simulator.simulator import CannotAnswer

pytestmark = pytest.mark.anyio


def test_lists_messages_in_order_of_arrival_and_by_phone(world: Any) -> None:
    world.send(phones="77010000002", mes="a")
    world.send(phones="77010000001", mes="b")

    assert [message.text for message in world.simulator.messages()] == ["a", "b"]
    assert [message.text for message in world.simulator.messages("+77010000001")] == ["b"]


def test_a_message_as_json_has_the_promised_keys(world: Any) -> None:
    world.send(id="9", sender="ACME", mes="ж" * 71)

    item = world.simulator.messages()[0].as_json()
    promised = "id gateway channel phone sender text segments cost state received_at request".split()
    assert [name for name in item if name in promised] == promised
    assert (item["id"], item["segments"], item["cost"], item["state"]) == ("9", 2, "2.80", "pending")
    assert item["received_at"] == "2025-11-21T07:00:00.000Z"


def test_an_answer_goes_to_whoever_wrote_last(world: Any) -> None:
    world.send(mes="a")

    assert world.simulator.reply("77010000001", "ok").to == "77770000000"


def test_a_name_cannot_be_answered_and_an_empty_phone_answers_nobody(world: Any) -> None:
    with pytest.raises(CannotAnswer, match="holds no message"):
        world.simulator.reply("77010000001", "ok")
    world.send(sender="ACME")
    with pytest.raises(CannotAnswer, match="'ACME'"):
        world.simulator.reply("77010000001", "ok")


def test_clearing_forgets_messages_and_the_minute(world: Any) -> None:
    world.send(id="1")
    world.simulator.clear_messages()

    assert world.simulator.messages() == ()
    assert world.send(id="1") == "1,1"


def test_a_failure_gives_the_money_back_where_it_is_not_charged(world: Any) -> None:
    world.switch(charge_failures=False)
    world.simulator.set_faults({"smsc": {"all": {"fate": "undelivered"}}})
    world.send()
    world.clock.forward(60)

    assert world.simulator.messages()[0].as_json()["cost"] == "0"
    assert world.ask("balance", fmt="1") == "101.90"


async def test_listeners_hear_of_everything_in_order(world: Any) -> None:
    with world.simulator.subscribe() as changes:
        world.send()
        world.clock.forward(60)
        world.simulator.messages()
        world.simulator.reply("77010000001", "ok")
        world.simulator.set_faults({})
        world.simulator.clear_messages()
        kinds = [(await anext(changes)).kind for _ in range(6)]

    assert kinds == ["message", "state", "state", "answer", "faults", "cleared"]


async def test_a_listener_who_does_not_read_loses_the_oldest_and_holds_nobody_up(world: Any) -> None:
    with world.simulator.subscribe() as changes:
        for number in range(1500):
            world.simulator.reply("77010000001", str(number), "77770000000")

        assert (await anext(changes)).item["text"] == "500"


def test_forgets_the_oldest_messages_when_there_are_too_many(world: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bridge.simulator.air.KEPT_MESSAGES", 2)
    for number in (1, 2, 3):
        world.send(id=str(number), mes=str(number))
    world.clock.forward(60)

    assert [(message.id, message.status) for message in world.simulator.messages()] == [("2", 1), ("3", 1)]
    assert world.ask("status", phone="77010000001", id="1", fmt="1") == "-3,0,0"


def test_a_closed_listener_hears_nothing(world: Any) -> None:
    with world.simulator.subscribe() as changes:
        pass
    world.send()

    assert changes._queue.empty()
