"""What becomes of a message after an attempt: one row for each way it can end."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from bridge.delivery.retry import backoff, outcome
from bridge.errors import (
    AccountPaused,
    DeliveryError,
    NotSent,
    OutcomeUnknown,
    PermanentFailure,
    TemporaryFailure,
)
from bridge.model import Message
from bridge.providers.base import Accepted
from bridge.store.attempts import Attempt, Claimed, Outcome

NOW = datetime(2026, 11, 21, 3, 12, tzinfo=UTC)
REFUSED = PermanentFailure("the number cannot be reached", code="8", status="5.1.2")


def message(**changes: Any) -> Message:
    values: dict[str, Any] = {
        "id": 7, "phone": "+77010000001", "person": "", "text": "x", "encoding": "GSM-7", "segments": 1,
        "price": None, "currency": "KZT", "rule": "night", "message_class": "normal", "channel": "sms",
        "providers": ("smsc", "cascade"), "originator": "", "answerable": False, "created_at": NOW, "due_at": NOW,
        "valid_until": NOW + timedelta(minutes=30), "language": "en",
    }  # fmt: skip
    return Message(**values | changes)


def attempt(number: int, provider: str = "smsc", state: str = "NOT_SENT") -> Attempt:
    return Attempt(
        7, number, provider, f"{provider}:acme", "1234", {}, "r1", state, "", "", "", (), NOW, NOW,
    )  # fmt: skip


def ended(
    how: Accepted | DeliveryError,
    *earlier: Attempt,
    provider: str = "smsc",
    chain: tuple[str, ...] = ("smsc", "cascade"),
    **changes: Any,
) -> Outcome:
    this = attempt(len(earlier) + 1, provider, "INFLIGHT")
    return outcome(Claimed(message(**changes), this, NOW), earlier, how, chain, NOW)


def wait(outcome: Outcome) -> float:
    assert outcome.due_at is not None
    return (outcome.due_at - NOW).total_seconds()


def test_taken_is_accepted_with_its_cost_and_not_final() -> None:
    done = ended(Accepted("1234", 1, Decimal("18.00")))
    assert (done.submission, done.message, done.provider_id) == ("ACCEPTED", "ACCEPTED", "1234")
    assert (done.cost, done.final, wait(done)) == ("18.00", False, 30)


def test_taken_without_an_id_is_another_state() -> None:
    assert ended(Accepted("")).message == "ACCEPTED_NO_ID"
    assert ended(Accepted("")).cost is None


def test_an_unknown_outcome_is_asked_for_in_two_seconds_and_never_failed() -> None:
    done = ended(OutcomeUnknown("the connection broke"))
    assert (done.submission, done.message, done.final, wait(done)) == ("UNKNOWN", "UNKNOWN", False, 2)


def test_a_refusal_goes_on_to_the_next_provider() -> None:
    done = ended(REFUSED)
    assert (done.submission, done.message, done.final, wait(done)) == ("REFUSED", "READY", False, 0)


def test_the_last_provider_s_refusal_is_the_end() -> None:
    done = ended(REFUSED, attempt(1, "smsc", "REFUSED"), provider="cascade")
    assert (done.submission, done.message, done.final) == ("REFUSED", "REJECTED", True)
    assert (done.reason, done.code) == ("the number cannot be reached", "8")


def test_a_provider_that_is_not_there_is_no_next_one() -> None:
    assert ended(REFUSED, chain=("smsc",)).message == "REJECTED"


@pytest.mark.parametrize(
    "error",
    [
        NotSent("refused"),
        TemporaryFailure("error 17", code="17", retry_after=61),
        AccountPaused("empty", code="3", cause="money"),
    ],
)
def test_not_taken_goes_to_the_other_provider_at_once(error: DeliveryError) -> None:
    done = ended(error)
    assert (done.submission, done.message, done.final, wait(done)) == ("NOT_SENT", "READY", False, 0)
    assert (done.reason, done.code) == (error.reason, error.code)


def test_after_a_round_through_all_providers_it_waits() -> None:
    assert wait(ended(NotSent("x"), attempt(1), provider="cascade")) == 2


@pytest.mark.parametrize(("failed", "seconds"), [(0, 2), (1, 5), (2, 15), (3, 30), (4, 60), (5, 60), (50, 60)])
def test_one_provider_is_tried_ever_more_rarely(failed: int, seconds: float) -> None:
    earlier = [attempt(number) for number in range(1, failed + 1)]
    assert wait(ended(NotSent("x"), *earlier, chain=("smsc",))) == seconds


def test_a_refusing_provider_is_not_counted_in_the_rounds() -> None:
    assert wait(ended(NotSent("x"), attempt(1, "smsc", "REFUSED"), provider="cascade")) == 2


@pytest.mark.parametrize("kind", [NotSent, TemporaryFailure])
def test_waits_as_long_as_the_provider_asks_for(kind: Any) -> None:
    assert wait(ended(kind("a double", code="9", retry_after=61), chain=("smsc",))) == 61


def test_never_waits_beyond_the_message_s_validity() -> None:
    short = NOW + timedelta(seconds=10)
    assert wait(ended(NotSent("x", retry_after=61), chain=("smsc",), valid_until=short)) == 10


@pytest.mark.parametrize(
    "error",
    [
        NotSent("refused"),
        TemporaryFailure("error 17"),
        AccountPaused("empty", code="3", cause="money"),
        OutcomeUnknown("the connection broke"),
        OutcomeUnknown("a double", code="9"),
    ],
)
def test_a_repeat_that_was_not_taken_leaves_the_first_in_doubt(error: DeliveryError) -> None:
    """The money may be gone because the first attempt spent it."""
    done = ended(error, attempt(1, "smsc", "UNKNOWN"))
    assert (done.message, done.final) == ("UNKNOWN", False)
    assert done.submission == ("UNKNOWN" if isinstance(error, OutcomeUnknown) else "NOT_SENT")
    assert done.code == error.code


def test_a_repeat_that_was_taken_ends_the_doubt() -> None:
    assert ended(Accepted("1234"), attempt(1, "smsc", "UNKNOWN")).message == "ACCEPTED"


def test_a_repeat_whose_content_was_refused_ends_the_doubt() -> None:
    assert ended(REFUSED, attempt(1, "smsc", "UNKNOWN"), chain=("smsc",)).message == "REJECTED"


def test_doubt_at_one_account_does_not_hold_up_another() -> None:
    done = ended(NotSent("x"), attempt(1, "smsc", "UNKNOWN"), provider="cascade")
    assert done.message == "READY"


def test_backoff_needs_no_provider_to_make_sense() -> None:
    assert backoff(1, 0) == timedelta(seconds=2)


def test_a_relay_s_250_is_a_hand_over_and_no_acceptance() -> None:
    found = ended(Accepted("", handed_over=True))
    assert (found.submission, found.message, found.due_at) == ("ACCEPTED", "HANDED_OVER", NOW + timedelta(seconds=30))


@pytest.mark.parametrize(
    ("how", "submission"),
    [(NotSent("away"), "NOT_SENT"), (REFUSED, "REFUSED"), (OutcomeUnknown("no answer"), "UNKNOWN")],
)
def test_what_a_relay_has_stays_handed_over_however_its_resend_ends(how: DeliveryError, submission: str) -> None:
    found = ended(how, attempt(1, state="ACCEPTED"), state="HANDED_OVER")
    assert (found.submission, found.message, found.final) == (submission, "HANDED_OVER", False)
