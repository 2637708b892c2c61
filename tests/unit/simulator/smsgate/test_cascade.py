"""From one channel to the next, and what is said about the whole."""

from __future__ import annotations

from typing import Any

import pytest


def test_what_arrives_by_the_first_channel_goes_no_further(gate: Any, cascade: dict[str, str]) -> None:
    id = gate.send(**cascade)["id_message"]
    gate.later(600)
    assert gate.channels == ["viber"]
    state = gate.state(id)
    assert (state["state"], state["state_viber"], state["state_sms"]) == ("deliver", "deliver", "send")
    assert (state["price_viber"], state["price_sms"], state["num_parts_sms"]) == ("0.70", "0", "0")


def test_the_next_channel_begins_when_the_first_has_failed(gate: Any, cascade: dict[str, str]) -> None:
    gate.fault(fates={"viber": "undelivered"})
    id = gate.send(**cascade)["id_message"]
    assert (gate.channels, gate.state(id)["state"]) == (["viber"], "send")
    gate.later(1)
    assert gate.channels == ["viber", "sms"]
    gate.later(1)
    state = gate.state(id)
    assert (state["state"], state["state_viber"], state["state_sms"]) == ("deliver", "not_deliver", "deliver")


def test_or_when_its_time_is_over(gate: Any, cascade: dict[str, str]) -> None:
    gate.fault(fates={"viber": "waiting"})
    id = gate.send(**cascade)["id_message"]
    gate.later(179)
    assert gate.channels == ["viber"]
    gate.later(2)
    assert gate.channels == ["viber", "sms"]
    gate.later(1)
    state = gate.state(id)
    assert (state["state"], state["state_viber"]) == ("deliver", "expired")


def test_the_default_validity_of_viber_is_an_hour(gate: Any, cascade: dict[str, str]) -> None:
    gate.fault(fates={"viber": "waiting"})
    gate.send(**{**cascade, "validity_period_viber": ""})
    gate.later(3599)
    assert gate.channels == ["viber"]
    gate.later(2)
    assert gate.channels == ["viber", "sms"]


@pytest.mark.parametrize(
    ("fate", "finale", "honoured", "channels"),
    [
        ("delivered", "1", True, ["viber", "sms"]),
        ("read", "1", True, ["viber"]),
        ("delivered", "0", True, ["viber"]),
        ("delivered", "1", False, ["viber"]),
    ],
)
def test_delivered_but_unread_may_count_as_failed(
    gate: Any, cascade: dict[str, str], fate: str, finale: str, honoured: bool, channels: list[str]
) -> None:
    gate.switch(finale_viber_read=honoured)
    gate.fault(fates={"viber": fate})
    gate.send(**cascade, finale_viber_read=finale)
    gate.later(600)
    assert gate.channels == channels


def test_three_channels_one_after_the_other_in_the_order_of_their_numbers(gate: Any) -> None:
    gate.fault(fate="undelivered")
    id = gate.send(
        send_sms="9", send_whatsapp="2", text_whatsapp="w", sender_whatsapp="W", send_viber="5", text_viber="v",
        sender_viber="V",
    )["id_message"]  # fmt: skip
    for _ in range(3):
        gate.later(1)
    assert gate.channels == ["whatsapp", "viber", "sms"]
    assert gate.state(id)["state"] == "not_deliver"


def test_a_person_who_unsubscribed_gets_the_next_channel(gate: Any, cascade: dict[str, str]) -> None:
    gate.switch(unsubscribed=("77010000001",))
    id = gate.send(**cascade)["id_message"]
    gate.later(1)
    gate.later(1)
    state = gate.state(id)
    assert (state["state"], state["state_viber"], state["state_sms"]) == ("deliver", "unsubscribe", "deliver")


def test_a_state_can_be_forced_on_a_phone(gate: Any) -> None:
    gate.switch(forced={"77010000001": "partly_deliver"})
    assert gate.state(gate.send()["id_message"])["state"] == "partly_deliver"


def test_read_is_a_word_of_viber_alone(gate: Any, cascade: dict[str, str]) -> None:
    gate.fault(fate="read")
    viber, sms = gate.send(**cascade)["id_message"], gate.send()["id_message"]
    gate.later(2)
    assert (gate.state(viber)["state_viber"], gate.state(viber)["state"]) == ("read", "deliver")
    assert gate.state(sms)["state_sms"] == "deliver"


def test_a_forgotten_cascade_goes_no_further(gate: Any, cascade: dict[str, str]) -> None:
    gate.fault(fates={"viber": "waiting"})
    id = gate.send(**cascade)["id_message"]
    gate.simulator.clear_messages()
    gate.later(600)
    assert gate.channels == []
    assert gate.state(id)["time_change_state"] == ""
