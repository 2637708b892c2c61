"""What is done about a lost answer where only the list of sent messages can be asked."""

from __future__ import annotations

import dataclasses
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from bridge.delivery.history import next_step
from bridge.delivery.unknown import Ask, Believe, GiveUp, Resend
from bridge.model import MessageClass
from bridge.store.attempts import Attempt

T0 = datetime(2026, 11, 21, 3, 12, tzinfo=UTC)


def at(seconds: float) -> datetime:
    return T0 + timedelta(seconds=seconds)


def heard(seconds: float, said: str = "not found", **more: str) -> dict[str, str]:
    return {"at": at(seconds).isoformat(), "said": said, "state": "", "code": "", "error": "", **more}


def attempt(number: int = 1, start: float = 0, end: float = 12, **changes: Any) -> Attempt:
    made = Attempt(
        message_id=7, number=number, provider="smpp", account="smsc:acme", client_id="1234", request={},
        revision="r1", state="UNKNOWN", provider_id="", code="", error="", evidence=(), started_at=at(start),
        finished_at=at(end),
    )  # fmt: skip
    return dataclasses.replace(made, **changes)


def played(said: str, message_class: MessageClass, code: str = "") -> tuple[list[float], list[float], str]:
    """When it asks, when it sends again, and how it ends, if the list says *said* each time.

    *code*: with what each repeat is refused, "" = it has no answer either.
    """
    attempts, asked, sent, now = [attempt()], list[float](), list[float](), 12.0
    while True:
        match next_step(attempts, message_class, "r1", at(now)):
            case Ask(when) if when > at(now):
                now = (when - T0).total_seconds()
            case Ask():
                asked.append(now)
                last = attempts[-1]
                attempts[-1] = dataclasses.replace(last, evidence=(*last.evidence, heard(now, said)))
            case Resend():
                sent.append(now)
                attempts.append(attempt(len(attempts) + 1, now, now + 12, code=code))
                now += 12
            case GiveUp(how):
                return asked, sent, f"{how} at {now:.0f}"
            case step:
                raise AssertionError(step)


def test_the_list_is_asked_before_anything_is_repeated_or_copied() -> None:
    asked, sent, end = played("not found", "critical")
    assert (asked[0], sent, end) == (14, [14], "copy at 120")
    assert max(asked) > 90


def test_after_ninety_seconds_without_a_trace_it_goes_once_more() -> None:
    asked, sent, end = played("not found", "normal")
    assert (sent, end) == ([14, 116], "hold at 900")
    assert all(sum(0 <= later - one < 60 for later in asked) <= 3 for one in asked)


def test_a_list_that_cannot_be_had_allows_only_the_repeat_that_the_minute_rule_guards() -> None:
    _asked, sent, end = played("nothing", "normal")
    assert (sent, end) == ([14], "hold at 900")


@pytest.mark.parametrize(
    ("message_class", "code", "sent", "end"),
    [
        ("normal", "", [14, 116], "hold at 900"),
        ("normal", "0x0045", [14], "hold at 900"),  # it looks as if the first had been taken
        ("critical", "", [14], "copy at 120"),
    ],
)
def test_without_anybody_to_ask_it_goes_once_more_after_ninety_seconds(
    message_class: MessageClass, code: str, sent: list[float], end: str
) -> None:
    asked, really, how = played("nobody", message_class, code)
    assert (really, how) == (sent, end)
    assert min(asked) == 14


def test_a_refused_repeat_weighs_less_than_a_list_without_the_message() -> None:
    assert played("not found", "normal", "0x0045")[1] == [14, 116]


@pytest.mark.parametrize(
    ("said", "why"),
    [
        (("nobody", "nobody"), "there is nobody to ask"),
        (("nobody", "not found"), "in the list of sent messages, asked 1 times: 1 × not found"),
    ],
)
def test_the_reason_says_who_was_asked(said: tuple[str, ...], why: str) -> None:
    evidence = tuple(heard(890 + number, word) for number, word in enumerate(said))
    assert next_step([attempt(evidence=evidence)], "normal", "r1", at(900)) == GiveUp("hold", why)


def test_after_a_long_stop_the_list_is_asked_before_anybody_gives_up() -> None:
    assert next_step([attempt(evidence=(heard(14, "not found"),))], "critical", "r1", at(900)) == Ask(at(900))
    assert next_step([attempt()], "critical", "r1", at(900)) == Ask(at(900))
    assert next_step([attempt()], "critical", "", at(900)) == GiveUp("copy", "never asked"), "its gateway is gone"


@pytest.mark.parametrize("message_class", ["critical", "normal", "bulk"])
def test_what_is_in_the_list_is_believed_even_after_the_deadline(message_class: MessageClass) -> None:
    found = attempt(evidence=(heard(14, "found", state="DELIVERED", code="1", cost="18"),))
    for now in (15, 10_000):
        assert next_step([found], message_class, "r1", at(now)) == Believe("DELIVERED", "1", "", "18")


def test_with_other_settings_nothing_is_repeated() -> None:
    asked = attempt(evidence=(heard(14),))
    assert isinstance(next_step([asked], "normal", "r1", at(15)), Resend)
    assert next_step([asked], "normal", "r2", at(15)) == Ask(at(42))
