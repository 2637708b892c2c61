"""The gateways of rule tests: moods, money, trouble, and what becomes of a message meanwhile."""

from __future__ import annotations

import pytest

from bridge.proof.gateways import PretendGateways
from tests.unit.proof.office import Office

BOTH = ("smsc", "spare")


def test_F07_what_is_down_is_passed_by_and_the_operator_hears_it_once(office: Office) -> None:
    outcome = office.one(
        """
        steps:
          - provider: {smsc: down}
            expect: nothing
          - mail: note
            expect:
              - {sms: aigul, via: spare, price: 20.00 KZT}
              - {sms: ivan, via: spare}
              - {mail: operator@bridge.test, contains: smsc is silent}
          - mail: {like: note, subject: other}
            expect: [{sms: aigul, via: spare}, {sms: ivan, via: spare}]
        """
    )
    assert outcome.failures == ()
    assert outcome.held


def test_what_nobody_can_take_goes_as_soon_as_somebody_can(office: Office) -> None:
    outcome = office.one(
        """
        steps:
          - provider: {smsc: down, spare: down}
          - mail: note
            expect: [{mail: operator@bridge.test}, {mail: operator@bridge.test, contains: no other gateway}]
          - wait: 10m
            expect: nothing
          - provider: {spare: accepts}
            expect: [{sms: aigul, via: spare}, {sms: ivan, via: spare}]
        """
    )
    assert outcome.failures == ()


def test_what_nobody_can_take_in_time_is_too_late_and_said(office: Office) -> None:
    outcome = office.one(
        """
        steps:
          - provider: {smsc: down, spare: down}
          - mail: note
          - wait: 6h
            expect: [{mail: operator@bridge.test, contains: too late}, {mail: operator@bridge.test}]
          - provider: {smsc: accepts}
            expect: nothing
        """
    )
    assert outcome.failures == ()


def test_F24_an_empty_account_is_found_at_once(office: Office) -> None:
    outcome = office.one(
        """
        steps:
          - provider: {smsc: empty}
            expect: [{mail: operator@bridge.test, contains: no money}]
          - mail: note
            expect: [{sms: aigul, via: spare}, {sms: ivan, via: spare}]
          - provider: {smsc: accepts}
            expect: nothing
          - provider: {smsc: empty}
            expect: nothing
        """
    )
    assert outcome.failures == ()  # the last one: one mail an hour


def test_a_refusal_is_asked_for_elsewhere_and_then_over(office: Office) -> None:
    outcome = office.one(
        """
        steps:
          - provider: {smsc: refuses}
          - mail: note
            expect: [{sms: aigul, via: spare}, {sms: ivan, via: spare}]
          - provider: {spare: refuses}
          - mail: {like: note, subject: other}
            expect: [{mail: operator@bridge.test, contains: refused}, {mail: operator@bridge.test, contains: refused}]
        """
    )
    assert outcome.failures == ()


def test_a_critical_message_without_a_provable_fate_goes_once_more_after_two_minutes(office: Office) -> None:
    outcome = office.one(
        """
        steps:
          - provider: {smsc: unknown}
          - mail: {like: disk, recipient: duty@bridge.test}
            expect: [{sms: aigul, via: smsc}]
          - wait: 119s
            expect: nothing
          - wait: 1s
            expect: [{sms: aigul, via: spare}, {mail: operator@bridge.test, contains: may get it twice}]
          - wait: 20m
            expect: nothing
        """
    )
    assert outcome.failures == ()


def test_other_messages_without_a_provable_fate_are_held_and_never_sent_again(office: Office) -> None:
    outcome = office.one(
        """
        steps:
          - provider: {smsc: unknown}
          - mail: note
          - wait: 14m
            expect: nothing
          - wait: 2m
            expect: [{mail: operator@bridge.test}, {mail: operator@bridge.test}]
        """
    )
    assert outcome.failures == ()


def test_a_receipt_ends_the_doubt(office: Office) -> None:
    outcome = office.one(
        """
        steps:
          - provider: {smsc: unknown}
          - mail: {like: disk, recipient: duty@bridge.test}
          - receipt: {of: aigul, state: delivered}
            expect: nothing
          - wait: 5m
            expect: nothing
        """
    )
    assert outcome.failures == ()


@pytest.mark.parametrize("left, via", [("14.00 KZT", "smsc"), ("13.99 KZT", "spare")])
def test_an_account_pays_as_long_as_it_has_money(office: Office, left: str, via: str) -> None:
    outcome = office.one(
        f"""
        given: {{balance: {{smsc: {left}}}}}
        mail: {{like: disk, recipient: duty@bridge.test}}
        expect: [{{sms: aigul, via: {via}}}]
        """
    )
    missing = [one.expected for failed in outcome.failures for one in failed.differences if one.expected]
    assert missing == []


def test_T32_a_call_where_none_was_asked_for_is_silence(office: Office) -> None:
    outcome = office.one(
        """
        steps:
          - mail: {like: disk, recipient: duty@bridge.test}
          - call: {from: aigul}
            expect: nothing
          - call: {from: "+77019999999"}
            expect: nothing
        """
    )
    assert outcome.failures == ()


def test_moods_are_kept_until_they_are_turned() -> None:
    gateways = PretendGateways()
    assert [trouble.kind for trouble in gateways.turn({"smsc": "empty"}, BOTH)] == ["account.money"]
    assert gateways.turn({"smsc": "empty"}, BOTH) == []
    gateways.turn({"smsc": "accepts"}, BOTH)
    assert [trouble.others for trouble in gateways.turn({"smsc": "empty"}, BOTH)] == [("spare",)]
