"""Messages of no rule: they take from the budgets that mean everybody, and are left out where there is no room."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from bridge.book.loading import load_book
from bridge.model import Failed, Plan
from bridge.proof.world import World
from tests.unit.dispatch.stage import NOW, Stage, build, strict

__all__ = ["strict"]
pytestmark = pytest.mark.usefixtures("strict")

RULES = """
rules:
  - {rule: critical, when: {recipient: critical@bridge.test}, to: aigul, class: critical}
  - {rule: all, to: aigul}
"""
Open = Callable[[str], Stage]


@pytest.fixture
def stage(tmp_path: Path) -> Open:
    def opened(written: str) -> Stage:
        build(tmp_path, RULES, trusting=True)
        config = tmp_path / "config.yaml"
        before = "budgets: {total: {money: 100000 KZT/day}}"
        assert before in config.read_text()
        config.write_text(config.read_text().replace(before, f"budgets: {written}"))
        return Stage(World(load_book(config).require(), NOW, receipts=False))

    return opened


def kinds(plan: Plan) -> list[str]:
    return [entry.kind for entry in plan.journal]


def test_T04_an_answer_is_reserved_like_any_message(stage: Open) -> None:
    house = stage("{total: {messages: 3/day}, each_prefix: {'+7701': {messages: 3/day}}}")
    house.mail()
    house.reply("list")
    budgets = {name: [spend.message_id for spend in seen] for name, seen in house.world.memory.spends.items()}
    assert budgets["total"] == budgets["each_prefix +7701"] == [1, 2]


def test_T04_T09_answers_end_with_the_total_and_the_operator_hears_once(stage: Open) -> None:
    house = stage("{total: {messages: 3/day}}")
    house.mail()
    assert len(house.reply("list")) == len(house.reply("list")) == 1
    told = [house.reply("list") for _ in range(5)]
    assert told == [["mail operator@bridge.test@0 [smsbridge] budget total is used up"], [], [], [], []]
    assert len(house.world.memory.messages) == 3


def test_an_answer_for_which_there_is_no_money_still_does_what_was_asked(stage: Open) -> None:
    house = stage("{total: {messages: 1/day}}")
    house.mail()
    house.reply("ok")
    assert house.incident().state == "acked"
    assert len(house.world.memory.messages) == 1


def test_T04_a_second_copy_is_reserved_too(stage: Open) -> None:
    house = stage("{total: {messages: 2/day}}")
    house.mail(to="critical")
    plan = house.world._decide(Failed(1, "no receipt", copy_via=("smsc",)))
    assert [(spend.budget, spend.message_id, spend.critical) for spend in plan.spends] == [("total", 2, True)]
    assert kinds(plan).count("message.copy") == 1


def test_T04_a_second_copy_that_nothing_pays_for_does_not_go_and_the_operator_hears_of_it(stage: Open) -> None:
    house = stage("{total: {messages: 1/day}}")
    house.mail(to="critical")
    house.seen()
    plan = house.world._decide(Failed(1, "no receipt", copy_via=("smsc",)))
    assert (plan.messages, plan.spends) == ((), ())
    assert "message.dropped" in kinds(plan)
    assert any("budget total has nothing left for class critical" in line for line in house.seen())
