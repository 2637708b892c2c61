"""Texts that are commands: obeyed, so that an injection can be seen."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from bridge.simulator.smsc.commands import obey

TEXTS = json.loads((Path(__file__).parents[3] / "vectors" / "dangerous_texts.json").read_text(encoding="utf-8"))
COMMANDS = [case["text"] for case in TEXTS["dangerous"] if "__" in case["text"]]
HIDING = [case["text"] for case in TEXTS["dangerous"] if "hidden part" in case["text"]]


@pytest.mark.parametrize("text", COMMANDS)
def test_T14_a_command_changes_the_channel(world: Any, text: str) -> None:
    world.send(mes=text)

    assert world.simulator.messages()[0].channel != "sms"


@pytest.mark.parametrize("text", HIDING)
def test_T13_a_line_of_tildes_hides_the_tail(world: Any, text: str) -> None:
    world.send(mes=text)

    message = world.simulator.messages()[0]
    assert (message.text, message.hidden) == ("alert text", "hidden part")


def test_T13_fullwidth_tildes_hide_it_too() -> None:
    assert obey("a\n～～～\nb", trim=True).hidden == "b"


@pytest.mark.parametrize("text", TEXTS["must_stay_unchanged"])
def test_harmless_look_alikes_arrive_whole(text: str) -> None:
    command = obey(text, trim=True)

    assert (command.channel, command.text, command.hidden) == ("", text, "")


def test_the_literal_reading_trims_and_folds_nothing() -> None:
    assert obey(" __CALL__: x", trim=False).channel == ""
    assert obey("__call__: x", trim=False).channel == ""
    assert obey("a\n ~~~\nb", trim=False).hidden == ""
    assert obey("__CALL__: x", trim=False).channel == "call"
    assert obey("a\n~~~\nb", trim=False).hidden == "b"


def test_a_calls_voice_is_not_spoken() -> None:
    command = obey("__CALL__: say this\nvoice:w,en", trim=True)

    assert (command.channel, command.text) == ("call", "say this")
