"""What is done about a lost answer where the identical request is the only question."""

from __future__ import annotations

import dataclasses
from datetime import UTC, datetime, timedelta
from typing import Any, Literal

import pytest

from bridge.delivery.repeated import next_step
from bridge.delivery.unknown import Ask, GiveUp, Resend
from bridge.model import MessageClass
from bridge.store.attempts import Attempt

T0 = datetime(2026, 11, 21, 3, 12, tzinfo=UTC)
Doubt = Literal["repeat", "once"]


def at(seconds: float) -> datetime:
    return T0 + timedelta(seconds=seconds)


def attempt(number: int = 1, start: float = 0, end: float | None = None, **changes: Any) -> Attempt:
    made = Attempt(
        message_id=7, number=number, provider="gate", account="smsgate:acme", client_id="1234", request={},
        revision="r1", state="UNKNOWN", provider_id="", code="", error="", evidence=(), started_at=at(start),
        finished_at=at(start if end is None else end),
    )  # fmt: skip
    return dataclasses.replace(made, **changes)


def steps(doubt: Doubt, message_class: MessageClass = "critical") -> list[float]:
    """When the identical request goes out again, if no answer ever comes."""
    attempts, sent = [attempt(end=1)], list[float]()
    now = 1.0
    while True:
        match next_step(attempts, message_class, "r1", doubt, at(now)):
            case Resend():
                sent.append(now)
                attempts.append(attempt(len(attempts) + 1, now, now))
            case Ask(when):
                assert when > at(now), "time passes"
                now = (when - T0).total_seconds()
            case GiveUp(how):
                assert how == ("copy" if message_class == "critical" else "hold")
                assert now == (120 if message_class == "critical" else 900)
                return sent


def test_with_a_number_it_is_asked_soon_and_then_once_a_minute() -> None:
    assert steps("repeat") == [3, 64]
    assert steps("repeat", "normal") == [3 + 61 * n for n in range(15)]


def test_without_a_number_it_is_repeated_once_while_the_minute_rule_guards_it() -> None:
    assert steps("once") == [3]
    assert steps("once", "bulk") == [3]


def test_without_a_number_nothing_is_repeated_once_the_minute_may_be_over() -> None:
    late = [attempt(end=44)]
    assert next_step(late, "critical", "r1", "once", at(46)) == Ask(at(120))
    assert next_step(late, "critical", "r1", "repeat", at(61)) == Resend("never asked again")


@pytest.mark.parametrize("late", [45, 60, 119])
def test_F13_a_repeat_that_could_not_go_in_time_does_not_go_at_all(late: float) -> None:
    """It was due after three seconds, but nothing was free, or nobody was there."""
    assert next_step([attempt(end=1)], "critical", "r1", "once", at(44.9)) == Resend("never asked again")
    assert next_step([attempt(end=1)], "critical", "r1", "once", at(late)) == Ask(at(120))


def test_a_repeat_that_never_left_counts_as_one() -> None:
    attempts = [attempt(end=1), attempt(2, 3, 3, state="NOT_SENT")]
    assert next_step(attempts, "critical", "r1", "once", at(5)) == Ask(at(120))
    assert next_step(attempts, "critical", "r1", "repeat", at(5)) == Ask(at(64))


def test_an_attempt_before_the_doubt_began_is_no_repeat() -> None:
    attempts = [attempt(end=0, state="NOT_SENT"), attempt(2, 2, 3)]
    assert isinstance(next_step(attempts, "critical", "r1", "once", at(5)), Resend)


def test_with_other_settings_nothing_is_repeated() -> None:
    assert next_step([attempt()], "critical", "r2", "repeat", at(5)) == Ask(at(120))
    assert next_step([attempt()], "critical", "", "once", at(5)) == Ask(at(120))


@pytest.mark.parametrize(("message_class", "how", "deadline"), [("critical", "copy", 120), ("normal", "hold", 900)])
def test_without_proof_it_ends_at_the_deadline(message_class: MessageClass, how: str, deadline: float) -> None:
    assert isinstance(next_step([attempt()], message_class, "r2", "repeat", at(deadline - 1)), Ask)
    assert next_step([attempt()], message_class, "r1", "repeat", at(deadline)) == GiveUp(how, "never asked again")  # type: ignore[arg-type]


def test_attempts_at_other_accounts_are_another_story() -> None:
    attempts = [attempt(account="smsc:acme", state="UNKNOWN"), attempt(2, 200, 201)]
    assert isinstance(next_step(attempts, "critical", "r1", "repeat", at(204)), Resend)


KEPT: dict[str, Any] = {"code": "Недостаточно средств. SMS будет отправлена", "error": "the provider keeps it"}


def test_F24_what_is_kept_until_it_is_paid_is_asked_for_by_its_number_and_never_repeated_without_one() -> None:
    assert isinstance(next_step([attempt(end=1, **KEPT)], "normal", "r1", "repeat", at(4)), Resend)
    assert next_step([attempt(end=1, **KEPT)], "normal", "r1", "once", at(4)) == Ask(at(900))


def test_F24_who_is_told_of_it_reads_that_the_provider_keeps_it() -> None:
    step = next_step([attempt(end=1, **KEPT)], "normal", "r1", "repeat", at(900))
    assert step == GiveUp("hold", "the provider keeps it; never asked again")
