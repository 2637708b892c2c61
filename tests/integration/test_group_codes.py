"""The code of a group over a real file: it outlives a restart, and an answer reaches all that it stands for."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.integration.reopened import Reopened
from tests.unit.dispatch.stage import build

RULES = """
rules:
  - rule: racks
    to: both
    key: "{{ title }}"
    group: {by: [source], wait: 1m, every: 5m}
    text: "{{ title }} {{ code }} ok"
    group_text: "{{ count }} down {{ code }} ok"
    escalate: [{after: 20m, to: marat}]
"""


@pytest.fixture
def bridge(tmp_path: Path) -> Iterator[Reopened]:
    bridge = Reopened(tmp_path, build(tmp_path / "office", RULES, trusting=True))
    bridge.start()
    yield bridge
    bridge.end()


def down(bridge: Reopened, *names: str) -> None:
    for name in names:
        bridge.mail(name)


def test_the_code_of_a_group_outlives_a_restart_and_takes_all_of_it(bridge: Reopened) -> None:
    down(bridge, "w1", "w2")
    bridge.wait(minutes=1)
    bridge.restart()
    down(bridge, "w3", "w4")
    bridge.wait(minutes=5)
    bridge.restart()
    bridge.reply("10 ok")
    bridge.wait(hours=2)
    assert bridge.seen[:4] == [f"{who}@{minute} 2 down 10 ok" for minute in (1, 6) for who in ("aigul", "ivan")]
    assert sorted(bridge.seen[4:]) == [
        "aigul@6 10 acked: 4x mon (w1, w2, w3, +1). Others told. Undo: 10 un",
        "ivan@6 10 4x mon (w1, w2, w3, +1): Aigul has it since 08:06",
        "mail mon@host.test@6 Re: w4",
    ]
    assert bridge.rows("SELECT DISTINCT state, acked_by FROM incidents") == [("acked", "aigul")]


def test_the_ladders_of_a_group_are_one_sms_also_over_a_restart(bridge: Reopened) -> None:
    down(bridge, "w1", "w2", "w3")
    bridge.wait(minutes=20)
    bridge.restart()
    bridge.wait(minutes=5)
    assert [each for each in bridge.seen if each.startswith("marat")] == ["marat@21 3 down 10 ok"]


def test_a_code_rests_over_a_restart_when_all_of_it_is_over(bridge: Reopened) -> None:
    down(bridge, "w1", "w2")
    bridge.wait(minutes=1)
    bridge.reply("10 close")
    bridge.restart()
    assert bridge.rows("SELECT DISTINCT phone, code, incidents, over FROM conversations ORDER BY phone") == [
        ("+77010000001", "10", "[]", "[1000,1001]"),
        ("+77010000002", "10", "[]", "[1000,1001]"),
    ]
    bridge.wait(minutes=10)
    bridge.seen.clear()
    bridge.reply("10 ok", "ivan")
    down(bridge, "w3", "w4")
    bridge.wait(minutes=1)
    assert bridge.seen == [
        "ivan@11 10 is over since 08:01. Thank you, nothing to do",
        "aigul@12 2 down 11 ok",
        "ivan@12 2 down 11 ok",
    ]
