"""A memory for very many mails: the same sums and decisions, without what is long over."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from bridge.memory import Memory
from bridge.model import Plan, Spend, Tally
from bridge.proof.lasting import forget_counted, lasting_memory
from bridge.proof.runner import play
from bridge.proof.world import World
from tests.unit.proof.office import Office

NOW = datetime(2026, 1, 5, 7, 0, tzinfo=UTC)


@given(
    spends=st.lists(
        st.tuples(st.integers(0, 50), st.integers(1, 4), st.integers(0, 90), st.booleans()), max_size=30
    ).map(sorted),
    since=st.integers(-5, 55),
)
def test_the_sums_are_those_of_the_plain_memory(spends: list[tuple[int, int, int, bool]], since: int) -> None:
    rows = tuple(
        Spend("total", NOW + timedelta(minutes=at), n, segments, Decimal(money), critical)
        for n, (at, segments, money, critical) in enumerate(spends)
    )
    plain, quick = Memory(complete=True), lasting_memory("x", {})
    for row in rows:
        plain.apply(Plan(spends=(row,)))
        quick.apply(Plan(spends=(row,)))
    moment = NOW + timedelta(minutes=since)
    assert quick.spent("total", moment) == plain.spent("total", moment)
    assert quick.spent("other", moment) == plain.spent("other", moment)


def test_what_nobody_counts_any_more_is_forgotten() -> None:
    memory = lasting_memory("x", {})
    old, new = Tally("a", NOW, NOW + timedelta(minutes=5)), Tally("a", NOW, NOW + timedelta(minutes=15))
    memory.apply(Plan(tallies=(old, new, Tally("b", NOW, NOW + timedelta(minutes=5)))))
    forget_counted(memory, NOW + timedelta(minutes=5))
    assert memory.tallies == {"a": [new]}


def test_a_world_that_forgets_decides_as_one_that_does_not(office: Office) -> None:
    """Every step of every test again, with everything forgotten that may be, after each."""
    steps = """
        tests:
          - test: repeats, an answer, an end, a second trouble
            steps:
              - mail: disk
                expect: [{sms: aigul, code: "10"}, sms: ivan]
              - wait: 20m
              - mail: {like: disk, headers: {X-N: "2"}}
                expect: nothing because incident open since 12:00 and repeated after 12:30
              - reply: {from: aigul, text: 10 ok}
              - wait: 25h
              - mail: {like: disk, headers: {X-N: "3"}}
                expect: [{sms: aigul, code: "10"}, sms: ivan]
    """
    (plain,) = office.play(steps)
    ((file, tests),) = office.load().loaded.test_files
    whole = World.happened
    try:
        World.happened = lambda self: (self.forget(), whole(self))[1]  # type: ignore[method-assign, func-returns-value]
        forgetful = play(office.book(), file, tests, 0)
    finally:
        World.happened = whole  # type: ignore[method-assign]
    assert [step.differences for step in forgetful.failures] == [step.differences for step in plain.failures]
    assert len(forgetful.played) == len(plain.played) == 6


def test_memory_does_not_grow_with_what_is_over(office: Office) -> None:
    book = office.book()
    world = World(book, NOW)
    from tests.unit.proof.test_explain import envelope

    for number in range(60):
        world.advance(NOW + timedelta(hours=6 * number))
        world.mail(envelope(f"From: a@b.test\nSubject: disk {number}\nMessage-ID: <{number}@b>\n\nx\n".encode()))
        world.forget()
    memory = world.memory
    assert len(memory.incidents) <= 8
    assert len(memory.messages) <= 16
    assert len(memory.digests) <= 5
    assert sum(map(len, memory.conversations.values())) <= 24
