"""What is done about a message that went by mail: the row of the threat list, and the watcher that follows it."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from bridge.delivery.gateways import Gateways
from bridge.delivery.handed import next_step
from bridge.delivery.unknown import Ask, Believe, GiveUp, Resend, Step, heard
from bridge.delivery.watcher import Watcher
from bridge.errors import TemporaryFailure
from bridge.model import MessageClass, MessageState
from bridge.providers.base import StatusAnswer
from bridge.store import fates, outbox
from bridge.store.attempts import Attempt, Outcome
from bridge.store.engine import Store

T0 = datetime(2026, 11, 21, 3, 12, tzinfo=UTC)
NOT_FOUND = StatusAnswer(None, "-3")
FOUND = StatusAnswer("DELIVERED", "1", "0")
DOWN = TemporaryFailure("no answer in time")


def at(seconds: float) -> datetime:
    return T0 + timedelta(seconds=seconds)


def attempt(number: int = 1, start: float = 0, *said: tuple[float, Any], **changes: Any) -> Attempt:
    evidence = tuple(heard(answer, at(seconds)) for seconds, answer in said)
    made = Attempt(
        7, number, "mail", "smsc:acme", "1234", {"phones": "77010000001", "mes": "x"}, "r1", "ACCEPTED", "", "", "",
        evidence, at(start), at(start),
    )  # fmt: skip
    return dataclasses.replace(made, **changes)


def step(
    attempts: Sequence[Attempt], now: float, message_class: MessageClass = "normal", *,
    state: MessageState = "HANDED_OVER", revision: str = "r1",
) -> Step:  # fmt: skip
    return next_step(attempts, state, message_class, revision, at(now))


def test_it_is_asked_for_at_30_seconds_2_and_5_minutes() -> None:
    assert step([attempt()], 0) == Ask(at(30))
    assert step([attempt(1, 0, (30, NOT_FOUND))], 31) == Ask(at(120))
    assert step([attempt(1, 0, (30, NOT_FOUND), (120, NOT_FOUND))], 121) == Ask(at(300))


def test_what_is_found_is_believed() -> None:
    assert step([attempt(1, 0, (30, FOUND))], 31) == Believe("DELIVERED", "1", "0")


def test_not_found_three_times_is_sent_once_more_and_then_said() -> None:
    first = attempt(1, 0, (30, NOT_FOUND), (120, NOT_FOUND), (300, NOT_FOUND))
    assert isinstance(step([first], 301), Resend)
    again = attempt(2, 301, (331, NOT_FOUND), (421, NOT_FOUND), (601, NOT_FOUND))
    assert step([first, attempt(2, 301)], 302) == Ask(at(331))
    assert step([first, again], 602) == GiveUp("hold", "by mail, asked 6 times: 6 × not found")


def test_with_other_settings_nothing_is_sent_again() -> None:
    first = attempt(1, 0, (30, NOT_FOUND), (120, NOT_FOUND), (300, NOT_FOUND))
    assert isinstance(step([first], 301, revision="r2"), GiveUp)


def test_a_critical_one_not_found_after_two_minutes_leaves_another_way() -> None:
    assert step([attempt(1, 0, (30, NOT_FOUND))], 31, "critical") == Ask(at(120))
    found = step([attempt(1, 0, (30, NOT_FOUND), (120, NOT_FOUND))], 121, "critical")
    assert isinstance(found, GiveUp)
    assert found.how == "copy"


@pytest.mark.parametrize("message_class", ["critical", "normal"])
def test_a_250_stands_while_nobody_can_be_asked(message_class: MessageClass) -> None:
    silent = [attempt(1, 0, (30, DOWN), (120, DOWN), (300, DOWN))]
    assert step(silent, 301, message_class) == Ask(at(600))


def test_an_early_not_found_proves_nothing() -> None:
    assert step([attempt(1, 0, (30, NOT_FOUND), (120, DOWN), (300, DOWN))], 301) == Ask(at(600))


@pytest.mark.parametrize(("message_class", "seconds", "how"), [("critical", 120, "copy"), ("normal", 900, "hold")])
def test_without_a_250_the_deadline_of_a_lost_answer_holds(
    message_class: MessageClass, seconds: float, how: str
) -> None:
    lost = [attempt(1, 0, (30, DOWN), (100, DOWN), state="UNKNOWN")]
    assert step(lost, seconds - 1, message_class, state="UNKNOWN") == Ask(at(min(300, seconds)))
    if message_class == "normal":  # nobody was heard for minutes: one more question, whoever was down
        assert step(lost, seconds, message_class, state="UNKNOWN") == Ask(at(seconds))
        lost = [attempt(1, 0, (30, DOWN), (100, DOWN), (seconds, DOWN), state="UNKNOWN")]
    found = step(lost, seconds, message_class, state="UNKNOWN")
    assert isinstance(found, GiveUp)
    assert found.how == how


def test_a_resend_that_never_left_is_no_second_one() -> None:
    first = attempt(1, 0, (30, NOT_FOUND), (120, NOT_FOUND), (300, NOT_FOUND))
    assert isinstance(step([first, attempt(2, 301, state="NOT_SENT")], 302), Resend)
    assert isinstance(step([first, attempt(2, 301, state="NOT_SENT")], 900), GiveUp)


# The loop


class Desk:
    def __init__(self, store: Store, gateways: Gateways, clock: Any) -> None:
        self.store, self.gateways, self.clock = store, gateways, clock
        self.happened: list[Any] = []
        self.again: list[Any] = []
        self.watcher = Watcher(
            store, lambda: gateways, owner="n1/a", now=clock,
            decide=lambda _tx, happened: self.happened.extend(happened),
            submit=lambda claimed: self.again.append(claimed),
        )  # fmt: skip

    async def handed_over(self) -> None:
        now = self.clock()
        await self.store.write(lambda tx: outbox.claim(tx, now, "n1/a", 9, self.gateways.choose))
        outcome = Outcome(1, 1, "ACCEPTED", "HANDED_OVER", due_at=now + timedelta(seconds=30))
        await self.store.write(lambda tx: outbox.settle(tx, [outcome], now))
        self.gateways.give_back("smsc")

    async def go(self, seconds: int) -> None:
        for _ in range(seconds // 10):
            self.clock.forward(10)
            await self.watcher.round()
            await self.watcher.round()

    async def state(self) -> str:
        (found,) = await self.store.read(lambda tx: fates.look(tx, [1]))
        return found.message.state


@pytest.fixture
async def desk(store: Store, clock: Any, puppet: Any, message: Any, put: Any) -> Desk:
    await put(message())
    made = Desk(store, Gateways({"smsc": puppet(doubt="late")}, clock), clock)
    await made.handed_over()
    return made


def answers_of(desk: Desk) -> Any:
    return desk.gateways.doors["smsc"].gateway


@pytest.mark.anyio
async def test_a_message_found_later_is_accepted_then_polled_like_any_other(desk: Desk) -> None:
    answers_of(desk).answers = [NOT_FOUND, StatusAnswer("ACCEPTED", "0"), *[FOUND] * 99]
    await desk.go(120)
    assert await desk.state() == "ACCEPTED"
    await desk.go(600)
    assert {(one.state, one.message_id) for one in desk.happened} == {("DELIVERED", 1)}


@pytest.mark.anyio
async def test_a_message_never_found_goes_once_more_and_is_then_held_and_told_once(desk: Desk) -> None:
    answers_of(desk).answers = [NOT_FOUND] * 99
    await desk.go(310)
    (resent,) = desk.again
    assert (resent.attempt.number, resent.attempt.client_id) == (2, resent.earlier[0].client_id)
    outcome = Outcome(1, 2, "ACCEPTED", "HANDED_OVER", due_at=desk.clock() + timedelta(seconds=30))
    await desk.store.write(lambda tx: outbox.settle(tx, [outcome], desk.clock()))
    await desk.go(900)
    assert await desk.state() == "HELD"
    assert [one.message_id for one in desk.happened] == [1]
    assert len(desk.again) == 1


@pytest.mark.anyio
async def test_what_only_callbacks_can_tell_stays_handed_over(store: Store, clock: Any, puppet: Any, message: Any,
                                                              put: Any) -> None:  # fmt: skip
    await put(message())
    desk = Desk(store, Gateways({"smsc": puppet(doubt="hold")}, clock), clock)
    answers_of(desk).answers = [DOWN] * 999
    await desk.handed_over()
    await desk.go(3600)
    assert await desk.state() == "HANDED_OVER"
    assert (desk.happened, desk.again) == ([], [])
