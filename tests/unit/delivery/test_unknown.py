"""What is done about an attempt without an answer: the table of the threat list, row by row."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.delivery.unknown import (
    Ask,
    Believe,
    GiveUp,
    Resend,
    Step,
    heard,
    next_step,
    unresolved,
)
from bridge.errors import TemporaryFailure
from bridge.model import MessageClass
from bridge.providers.base import StatusAnswer
from bridge.store.attempts import Attempt

T0 = datetime(2026, 11, 21, 3, 12, tzinfo=UTC)
NOT_FOUND = StatusAnswer(None, "-3")
FOUND = StatusAnswer("DELIVERED", "1", "0")
DOWN = TemporaryFailure("no answer in time")


def at(seconds: float) -> datetime:
    return T0 + timedelta(seconds=seconds)


def attempt(number: int = 1, start: float = 0, end: float | None = None, **changes: Any) -> Attempt:
    """An attempt without an answer, from *start* to *end* seconds after T0."""
    made = Attempt(
        message_id=7,
        number=number,
        provider="smsc",
        account="smsc:acme",
        client_id="1234",
        request={"phones": "77010000001", "mes": "x"},
        revision="r1",
        state="UNKNOWN",
        provider_id="",
        code="",
        error="the connection broke",
        evidence=(),
        started_at=at(start),
        finished_at=at(start if end is None else end),
    )
    return dataclasses.replace(made, **changes)


def knowing(known: Attempt, *said: tuple[float, StatusAnswer | TemporaryFailure]) -> Attempt:
    """*known* with the answers to questions asked that many seconds after T0."""
    return dataclasses.replace(known, evidence=tuple(heard(answer, at(when)) for when, answer in said))


def step(*attempts: Attempt, now: float, kind: MessageClass = "normal", revision: str = "r1") -> Step:
    return next_step(attempts, kind, revision, at(now))


# (1) +2 s: ask


def test_asks_two_seconds_after_the_attempt_ended() -> None:
    assert step(attempt(end=20), now=20) == Ask(at(22))


def test_asks_at_once_when_the_two_seconds_are_over() -> None:
    assert step(attempt(), now=40) == Ask(at(2))


def test_a_message_that_was_left_in_the_hands_of_a_dead_process_is_asked_for_too() -> None:
    assert step(attempt(state="INFLIGHT", finished_at=None), now=0) == Ask(at(2))


def test_what_is_found_is_believed() -> None:
    assert step(knowing(attempt(), (2, FOUND)), now=2) == Believe("DELIVERED", "1", "0")


def test_what_was_found_for_an_earlier_attempt_is_believed_too() -> None:
    first = knowing(attempt(), (2, FOUND))
    assert step(first, attempt(2, 3), now=5) == Believe("DELIVERED", "1", "0")


def test_a_message_that_is_not_ours_is_not_believed_and_nothing_is_sent_over_it() -> None:
    """A reused id shows somebody else's message: what we would send could not be told from it."""
    known = dataclasses.replace(
        attempt(), evidence=(heard(FOUND, at(2), ours=False), heard(NOT_FOUND, at(10)), heard(NOT_FOUND, at(30)))
    )
    assert isinstance(step(known, now=31), Ask)


# (2) not found and young: the identical request again


@pytest.mark.parametrize("now", [2, 10, 44.9])
def test_not_found_and_younger_than_45_s_is_sent_again(now: float) -> None:
    assert isinstance(step(knowing(attempt(), (now, NOT_FOUND)), now=now), Resend)


def test_not_found_and_45_s_old_is_asked_again() -> None:
    known = knowing(attempt(end=30), (45, NOT_FOUND))
    assert step(known, now=45) == Ask(at(47))


def test_the_age_is_that_of_the_oldest_doubtful_attempt() -> None:
    """If the first was taken, the provider's minute ends a minute after the first."""
    first = knowing(attempt(), (2, NOT_FOUND))
    second = knowing(attempt(2, 40), (46, NOT_FOUND))
    assert isinstance(step(first, second, now=46), Ask)


def test_no_answer_to_a_question_sends_nothing() -> None:
    assert step(knowing(attempt(), (2, DOWN)), now=2) == Ask(at(10))


def test_a_double_proves_nothing_and_ends_the_early_resends() -> None:
    first = knowing(attempt(), (2, NOT_FOUND))
    second = knowing(attempt(2, 3, 4, code="9"), (6, NOT_FOUND))
    assert step(first, second, now=6) == Ask(at(14))


# (3) +10, +30, +90: ask; then one resend


@pytest.mark.parametrize(("asked", "due"), [((2,), 10), ((2, 10), 30), ((2, 10, 30), 90), ((2, 10, 30, 90), 150)])
def test_asks_on_a_ladder(asked: tuple[float, ...], due: float) -> None:
    known = knowing(attempt(code="9"), *((when, DOWN) for when in asked))
    assert step(known, now=asked[-1]) == Ask(at(due))


def test_still_not_found_at_90_s_is_sent_once_more() -> None:
    known = knowing(attempt(code="9"), *((when, NOT_FOUND) for when in (2, 10, 30, 90)))
    assert isinstance(step(known, now=90), Resend)


def test_a_late_resend_needs_three_times_not_found() -> None:
    known = knowing(attempt(code="9"), (2, DOWN), (10, DOWN), (30, NOT_FOUND), (90, NOT_FOUND))
    assert step(known, now=90) == Ask(at(150))
    more = dataclasses.replace(known, evidence=(*known.evidence, heard(NOT_FOUND, at(150))))
    assert isinstance(step(more, now=150), Resend)


def test_a_late_resend_needs_its_last_word_at_90_s_or_later() -> None:
    known = knowing(attempt(code="9"), *((when, NOT_FOUND) for when in (2, 10, 30)))
    assert step(known, now=95) == Ask(at(90))


def test_there_is_one_late_resend_and_no_second() -> None:
    first = knowing(attempt(code="9"), *((when, NOT_FOUND) for when in (2, 10, 30, 90)))
    second = knowing(attempt(2, 91), *((when, NOT_FOUND) for when in (93, 101, 121, 181)))
    assert isinstance(step(first, second, now=181), Ask)


# (4) the deadline


@pytest.mark.parametrize(
    ("kind", "before", "after", "how"),
    [("critical", 119.9, 120, "copy"), ("normal", 899.9, 900, "hold"), ("bulk", 899.9, 900, "hold")],
)
def test_gives_up_at_the_deadline(kind: MessageClass, before: float, after: float, how: str) -> None:
    known = knowing(attempt(), (2, DOWN), (after - 50, DOWN))
    assert isinstance(step(known, now=before, kind=kind), Ask)
    given_up = step(known, now=after, kind=kind)
    assert isinstance(given_up, GiveUp)
    assert (given_up.how, given_up.why) == (how, "asked 2 times: 2 × nothing")


@pytest.mark.parametrize("said", [(), ((2, DOWN),), ((2, NOT_FOUND), (10, NOT_FOUND))])
@pytest.mark.parametrize("kind", ["critical", "normal"])
def test_F13_after_a_long_stop_the_provider_is_asked_before_anybody_gives_up(
    kind: MessageClass, said: tuple[tuple[float, Any], ...]
) -> None:
    known = knowing(attempt(), *said)
    assert step(known, now=5000, kind=kind) == Ask(at(5000))
    assert isinstance(step(knowing(known, (5001, NOT_FOUND)), now=5001, kind=kind), GiveUp)
    assert isinstance(step(knowing(known, (5001, FOUND)), now=5001, kind=kind), Believe)
    assert isinstance(step(known, now=5000, kind=kind, revision=""), GiveUp), "there is nobody to ask any more"


def test_is_never_asked_to_wait_beyond_the_deadline() -> None:
    known = knowing(attempt(), (2, DOWN), (10, DOWN), (30, DOWN), (90, DOWN))
    assert step(known, now=90, kind="critical") == Ask(at(120))


def test_the_deadline_counts_from_the_first_doubtful_attempt() -> None:
    again = knowing(attempt(2, 100), (110, DOWN))
    assert isinstance(step(attempt(), again, now=120, kind="critical"), GiveUp)


def test_what_was_found_in_the_last_moment_is_believed_rather_than_given_up() -> None:
    assert isinstance(step(knowing(attempt(), (119, FOUND)), now=500, kind="critical"), Believe)


# Around it


@pytest.mark.parametrize("revision", ["r2", ""])
def test_changed_settings_allow_questions_only(revision: str) -> None:
    young = knowing(attempt(), (2, NOT_FOUND))
    assert step(young, now=2, revision=revision) == Ask(at(10))
    old = knowing(attempt(), *((when, NOT_FOUND) for when in (2, 10, 30, 90)))
    assert isinstance(step(old, now=90, revision=revision), Ask)


def test_attempts_at_other_accounts_and_finished_ones_are_no_doubt() -> None:
    attempts = (
        attempt(1, account="smsgate:x"),
        attempt(2, state="NOT_SENT"),
        attempt(3),
        attempt(4, state="NOT_SENT"),
    )
    assert [a.number for a in unresolved(attempts, "smsc:acme")] == [3]


def test_a_resend_that_could_not_leave_changes_nothing() -> None:
    first = knowing(attempt(), (2, NOT_FOUND), (10, NOT_FOUND))
    assert isinstance(step(first, attempt(2, 3, state="NOT_SENT"), now=10), Resend)


def test_a_resend_that_could_not_leave_is_not_repeated_before_the_next_answer() -> None:
    first = knowing(attempt(), (2, NOT_FOUND))
    assert step(first, attempt(2, 2, 3, state="NOT_SENT"), now=4) == Ask(at(10))


def test_without_a_doubtful_attempt_there_is_nothing_to_decide() -> None:
    with pytest.raises(ValueError, match="doubt"):
        step(attempt(state="ACCEPTED"), now=1)


def test_evidence_is_plain_and_names_no_phone_and_no_text() -> None:
    found = heard(StatusAnswer("ACCEPTED", "0", "0", phone="77010000001", text="secret"), T0)
    assert found == {"at": T0.isoformat(), "said": "found", "state": "ACCEPTED", "code": "0", "error": "0"}
    assert heard(DOWN, T0)["why"] == "no answer in time"


def test_the_reason_counts_what_was_heard() -> None:
    known = knowing(attempt(), (2, NOT_FOUND), (10, NOT_FOUND), (90, DOWN))
    given_up = step(known, now=130, kind="critical")
    assert isinstance(given_up, GiveUp)
    assert given_up.why == "asked 3 times: 2 × not found, 1 × nothing"


# A provider that plays any game


@dataclasses.dataclass
class World:
    """Plays a provider to the table: sends and asks as it is told until it ends."""

    answers: Callable[[], StatusAnswer | TemporaryFailure]
    resends: Callable[[], tuple[str, str]]  # state and code of the next resend
    kind: MessageClass
    submit: float
    attempts: list[Attempt] = dataclasses.field(default_factory=lambda: [attempt()])
    asked: list[datetime] = dataclasses.field(default_factory=list)
    resent: list[datetime] = dataclasses.field(default_factory=list)
    now: datetime = T0

    def play(self) -> Step:
        for _ in range(500):
            todo = next_step(self.attempts, self.kind, "r1", self.now)
            match todo:
                case Ask(when) if when > self.now:
                    self.now = when
                case Ask():
                    self._ask()
                case Resend():
                    self._resend()
                    if self.attempts[-1].state == "ACCEPTED":
                        return todo
                case _:
                    return todo
        raise AssertionError("it never ends")

    def _ask(self) -> None:
        self.asked.append(self.now)
        last = self.attempts[-1]  # which may be a resend that never left
        evidence = (*last.evidence, heard(self.answers(), self.now))
        self.attempts[-1] = dataclasses.replace(last, evidence=evidence)

    def _resend(self) -> None:
        self.resent.append(self.now)
        state, code = self.resends()
        start = (self.now - T0).total_seconds()
        self.attempts.append(attempt(len(self.attempts) + 1, start, start + self.submit, state=state, code=code))
        self.now += timedelta(seconds=self.submit)


def cycling(values: Sequence[Any]) -> Callable[[], Any]:
    turn = iter(range(10**6))
    return lambda: values[next(turn) % len(values)]


@given(
    answers=st.lists(st.sampled_from([NOT_FOUND, DOWN]), min_size=1, max_size=5),
    resends=st.lists(st.sampled_from([("UNKNOWN", ""), ("UNKNOWN", "9"), ("NOT_SENT", "")]), min_size=1, max_size=4),
    kind=st.sampled_from(["critical", "normal", "bulk"]),
    submit=st.sampled_from([0.1, 1.0, 20.0, 25.0]),
)
def test_whatever_the_provider_says_doubt_ends_in_time_and_money_is_risked_once(
    answers: list[Any], resends: list[tuple[str, str]], kind: MessageClass, submit: float
) -> None:
    world = World(cycling(answers), cycling(resends), kind, submit)
    end = world.play()
    assert isinstance(end, GiveUp)
    assert world.now - T0 <= timedelta(seconds=120 if kind == "critical" else 900) + timedelta(seconds=submit)
    unguarded = [a for a in world.attempts if a.state == "UNKNOWN" and a.started_at - T0 >= timedelta(seconds=45)]
    assert len(unguarded) <= 1
    for when in world.asked:
        assert sum(when - timedelta(seconds=60) < other <= when for other in world.asked) <= 5
    if all(answer is DOWN for answer in answers):
        assert world.resent == []


def test_a_lost_request_is_sent_again_within_seconds() -> None:
    world = World(lambda: NOT_FOUND, lambda: ("ACCEPTED", ""), "critical", 0.1)
    assert isinstance(world.play(), Resend)
    assert world.resent == [at(2)]


def test_a_lost_answer_is_found_and_nothing_is_sent_again() -> None:
    world = World(lambda: FOUND, lambda: ("ACCEPTED", ""), "critical", 0.1)
    assert isinstance(world.play(), Believe)
    assert (world.asked, world.resent) == ([at(2)], [])


def test_a_message_that_is_filed_late_is_found_after_the_double_was_refused() -> None:
    world = World(cycling([NOT_FOUND, NOT_FOUND, FOUND]), lambda: ("UNKNOWN", "9"), "critical", 0.1)
    assert isinstance(world.play(), Believe)
    assert len(world.resent) == 1
