from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.errors import DeliveryError, NotSent, OutcomeUnknown, PermanentFailure, TemporaryFailure
from bridge.providers import smsc_smpp_codes
from bridge.smpp.receipts import Receipt


@pytest.mark.parametrize(
    ("status", "first", "repeat"),
    [
        (0x58, NotSent, NotSent),
        (0x14, NotSent, NotSent),
        (0x04, NotSent, NotSent),
        (0x0A, PermanentFailure, PermanentFailure),
        (0x0B, PermanentFailure, PermanentFailure),
        (0x45, PermanentFailure, OutcomeUnknown),
        (0x08, TemporaryFailure, OutcomeUnknown),
        (0x400, TemporaryFailure, OutcomeUnknown),
    ],
)
def test_a_refusal_of_a_repeat_proves_nothing_but_of_addresses_and_pace(
    status: int, first: type[DeliveryError], repeat: type[DeliveryError]
) -> None:
    assert type(smsc_smpp_codes.refused(status, repeat=False)) is first
    assert type(smsc_smpp_codes.refused(status, repeat=True)) is repeat


@given(st.integers(1, 0xFFFFFFFF), st.booleans())
def test_T37_every_status_is_an_error_of_ours(status: int, repeat: bool) -> None:
    assert isinstance(smsc_smpp_codes.refused(status, repeat=repeat), DeliveryError)


def test_a_status_that_nobody_has_explained_keeps_its_number_and_may_be_tried_again() -> None:
    error = smsc_smpp_codes.refused(0x4FF, repeat=False)
    assert (type(error), error.code) == (TemporaryFailure, "0x04ff")


@pytest.mark.parametrize(
    ("stat", "state", "code"),
    [
        ("DELIVRD", "DELIVERED", "1"),
        ("EXPIRED", "EXPIRED", "3"),
        ("UNDELIV", "UNDELIVERED", "20"),
        ("DELETED", "UNDELIVERED", "20"),
        ("REJECTD", "UNDELIVERED", "23"),
        ("ACCEPTD", "ACCEPTED", "0"),
        ("ENROUTE", "ACCEPTED", "0"),
        ("UNKNOWN", "ACCEPTED", "UNKNOWN"),
        ("STATE42", "ACCEPTED", "STATE42"),
        ("", "ACCEPTED", "0"),
    ],
)
def test_a_word_of_a_receipt_is_a_state_of_ours(stat: str, state: str, code: str) -> None:
    answer = smsc_smpp_codes.answer(Receipt("1", stat), "77010000001")
    assert (answer.state, answer.code) == (state, code)


def test_a_date_of_a_receipt_is_moscow_s_and_its_cost_a_number() -> None:
    done = datetime(2026, 11, 21, 12, 0)  # noqa: DTZ001 - as the receipt writes it
    answer = smsc_smpp_codes.answer(Receipt("1", "DELIVRD", "6", done, "1.2500"), "77010000001")
    assert (answer.at, answer.cost, answer.error) == (datetime(2026, 11, 21, 9, 0, tzinfo=UTC), Decimal("1.25"), "6")
