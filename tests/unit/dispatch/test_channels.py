"""``channel`` of a rule: everybody is told by each, and by the gateways that can speak it."""

from __future__ import annotations

from pathlib import Path

import pytest

from bridge.book.loading import load_book
from bridge.dispatch.draft import Draft
from bridge.dispatch.rungs import event_of
from bridge.dispatch.telling import ask_of
from bridge.model import Held
from bridge.proof.world import World
from tests.unit.dispatch.stage import CONFIG, NOW, Stage, strict  # noqa: F401 - a fixture

pytestmark = pytest.mark.usefixtures("strict")
RULES = """
rules:
  - {rule: both ways, when: {recipient: one@bridge.test}, to: aigul, channel: [sms, call], text: "{{ title }}"}
  - {rule: plain, when: {recipient: plain@bridge.test}, to: aigul, channel: [sms, call], track: false,
     text: "{{ title }}"}
  - {rule: voice, when: {recipient: voice@bridge.test}, to: aigul, channel: call, text: "{{ title }}"}
  - {rule: viber, when: {recipient: viber@bridge.test}, to: aigul, channel: viber, text: "{{ title }}"}
"""
OTHERS = """
  gate: {type: smsgate-json, base_url: "https://gate.example", token: {env: X}, currency: KZT}
"""


@pytest.fixture
def stage(tmp_path: Path) -> Stage:
    (tmp_path / "rules").mkdir()
    first = "providers:" + OTHERS.rstrip()
    (tmp_path / "config.yaml").write_text(CONFIG.replace("providers:", first))
    (tmp_path / "rules" / "10.yaml").write_text(RULES)
    return Stage(World(load_book(tmp_path / "config.yaml").require(), NOW))


@pytest.mark.parametrize("to", ["one", "plain"])
def test_each_channel_of_a_rule_is_used(stage: Stage, to: str) -> None:
    assert stage.mail("disk full", to) == ["aigul@0 disk full", "call aigul@0 disk full"]


def test_each_channel_is_a_telling_of_its_own(stage: Stage) -> None:
    stage.mail("disk full")
    assert stage.steps() == [("0", "aigul"), ("0/call", "aigul")]
    assert stage.mail("disk full") == []  # the dedup knows both
    stage.wait(minutes=31)
    assert stage.mail("disk full")[0].startswith("aigul@31")


def test_a_message_goes_only_by_gateways_that_can_speak_its_channel(stage: Stage) -> None:
    stage.mail("disk full", "voice")
    assert stage.newest("aigul").providers == ("smsc",)
    stage.mail("fan stopped", "viber")
    assert stage.newest("aigul").providers == ("gate", "smsc")
    stage.mail("power", "plain")
    sms, _call = (m for m in stage.world.memory.messages.values() if m.text == "power")
    assert sms.providers == ("gate", "smsc")


def test_what_waited_is_said_in_its_own_channel(stage: Stage) -> None:
    stage.mail("disk full")
    world = stage.world
    held = Held("quiet/x", "i/1000", 1000, 1, "both ways", event_of(stage.incident()), NOW, step="0/call")
    ask = ask_of(Draft(world.book, world.memory, world.now), held)
    assert ask is not None
    assert ask.action.channel == ("call",)
