from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from conftest import House

BUDGETS = """\
budgets:
  total: {money: [2000 KZT/day, 90000 KZT/month], reserve_for_critical: 20%}
  each_person: {messages: 10/15m}
  each_number: {messages: 5/h}
  quiet: {segments: 3/week}
"""


@pytest.fixture
def rich(house: House) -> House:
    text = house.config.read_text()
    house.config.write_text(text[: text.index("budgets:")] + BUDGETS)
    return house


def test_an_unused_budget_is_shown_whole_with_the_end_of_its_period(rich: House) -> None:
    lines = rich.call("money").out.splitlines()
    assert lines[0].split()[:3] == ["BUDGET", "LIMIT", "USED"]
    assert [line.split()[0] for line in lines[1:]] == ["total", "total", "quiet"], "nobody was sent anything yet"
    assert "2000.00 KZT/day" in lines[1]
    assert lines[1].endswith("1600.00 KZT, 2000.00 KZT for critical")
    assert "0 segments" in lines[3]


def test_what_was_reserved_is_used_and_counters_have_a_line_each(rich: House) -> None:
    rich.alert("db01 disk full")
    rich.alert("db02 disk full")
    lines = rich.call("money").out.splitlines()
    (person,) = [line for line in lines if line.startswith("each_person")]
    assert person.split()[:4] == ["each_person", "asel", "10", "messages/15m"]
    assert "2 messages" in person
    assert person.endswith("8 messages")
    assert "1564.00 KZT, 1964.00 KZT for critical" in lines[1]


def test_programs_get_figures(rich: House) -> None:
    rich.alert("db01 disk full")
    found = json.loads(rich.call("money", "--json").out)
    shown = {
        "budget": "total", "limit": "2000.00 KZT/day", "currency": "KZT", "most": "2000", "used": "18",
        "left": "1982", "left_for_others": "1582",
    }  # fmt: skip
    assert found[0].items() >= shown.items()
    assert found[0]["until"].endswith("19:00:00+00:00"), "midnight in Almaty"
    assert found[2]["unit"] == "messages"


def test_no_budget_is_said(house: House) -> None:
    text = house.config.read_text()
    house.config.write_text(text[: text.index("budgets:")])
    assert house.call("money").out == "No budget is configured: nothing limits what SMS may cost.\n"
