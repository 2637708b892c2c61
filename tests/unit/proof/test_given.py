"""Where a test begins: money spent before, accounts that run dry."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import pytest

from bridge.config.amounts import parse_money
from bridge.memory import Memory
from bridge.model import Spent
from bridge.proof.given import SpentBefore
from bridge.proof.mails import BadTest
from tests.unit.proof.office import CONFIG, RULES, Office, build

NOW = datetime(2026, 1, 5, 7, 0, tzinfo=UTC)


def worth(written: str) -> Decimal:
    """Of a configuration with one currency."""
    return parse_money(written).amount


def test_what_was_spent_holds_for_whatever_window_is_asked() -> None:
    memory = Memory(complete=True, spent_before=SpentBefore({"Total": "45.00 KZT", "gamma": "50"}, worth))
    assert memory.spent("total", NOW) == Spent(money=Decimal("45.00"), normal_money=Decimal("45.00"), oldest=NOW)
    assert (memory.spent("gamma", NOW).messages, memory.spent("gamma", NOW).normal_segments) == (50, 50)
    assert memory.spent("alfa", NOW) == Spent()


def test_a_counter_for_each_was_spent_by_every_one_of_them() -> None:
    memory = Memory(complete=True, spent_before=SpentBefore({"each_source": "199"}, worth))
    assert memory.spent("each_source zabbix", NOW).messages == 199
    assert memory.spent("each_source nagios", NOW).messages == 199
    assert memory.spent("each_rule x", NOW).messages == 0


def test_an_amount_that_is_none_is_a_mistake_of_the_test(office: Office) -> None:
    with pytest.raises(BadTest, match="given spent total"):
        SpentBefore({"total": "much"}, worth)
    assert "given spent total" in office.one("given: {spent: {total: much}}\nmail: note").broken


def test_a_budget_can_be_looked_at(office: Office) -> None:
    given = "given: {spent: {total: 45.00 KZT}}\nmail: {like: disk, recipient: drop@bridge.test}\n"
    assert office.one(given + "expect: [{spent: total, is: 45.00 KZT}]").held
    failed = office.one(given + "expect: [{spent: total, is: 44.00 KZT}]")
    assert failed.failures[0].differences[0].happened == "total: 45.00 KZT, 0 messages"
    assert office.one(given + "expect: [{spent: other, is: '0'}]").held


def test_money_of_another_currency_is_counted_at_its_price(tmp_path: Path) -> None:
    office = build(tmp_path, CONFIG + "exchange: {RUB: 5.60 KZT}\n", RULES)
    given = "given: {spent: {total: 10 RUB}}\nmail: {like: disk, recipient: drop@bridge.test}\n"
    assert office.one(given + "expect: [{spent: total, is: 56 KZT}]").held
    assert office.one(given + "expect: [{spent: total, is: 10.00 RUB}]").held
    assert not office.one(given + "expect: [{spent: total, is: 10.00 KZT}]").held
    wrong = office.one(given + "expect: [{spent: total, is: 1 USD}]").broken
    assert "no exchange says what USD is worth in KZT" in wrong
    assert "no exchange" in office.one("given: {spent: {total: 1 EUR}}\nmail: note").broken


def test_an_empty_account_is_told_once_and_the_next_gateway_takes_over(office: Office) -> None:
    outcome = office.one(
        """
        given: {balance: {smsc: 14.00 KZT}, receipts: none}
        steps:
          - mail: {like: note, recipient: duty@bridge.test}
            expect: [{sms: aigul, via: smsc}]
          - mail: {like: disk, recipient: duty@bridge.test}
            expect: [{mail: operator@bridge.test, contains: smsc}, {sms: aigul, via: spare}]
          - mail: {like: disk, subject: third, recipient: duty@bridge.test}
            expect: [{sms: aigul, via: spare}]
        """
    )
    assert outcome.held, outcome.failures


def test_without_any_money_nothing_leaves(office: Office) -> None:
    outcome = office.one(
        """
        given: {balance: {smsc: 1.00 KZT, spare: 1.00 KZT}}
        mail: {like: note, recipient: duty@bridge.test}
        expect: [{mail: operator@bridge.test, contains: smsc}, {mail: operator@bridge.test, contains: spare}]
        """
    )
    assert outcome.held, outcome.failures
