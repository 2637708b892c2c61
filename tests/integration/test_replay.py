"""The log of what happened, decided once more over a whole memory, gives the same plans.

What the store loaded for each decision, after any number of restarts, was all that mattered.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import fields, replace
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import HealthCheck, given, settings

from bridge.book import RuleBook
from bridge.dispatch.decide import decide
from bridge.memory import Memory
from bridge.model import Plan, Reading
from bridge.proof.lasting import lasting_memory
from bridge.store.recall import COUNTERS
from tests.integration.busy import PEOPLE, Move, busy_book, days_with_restarts, envelope_of
from tests.integration.reopened import Reopened, Round


def _happen(bridge: Reopened, move: Move) -> None:
    match move.kind:
        case "restart":
            bridge.restart()
        case "reply":
            bridge.reply(move.words[1], move.words[0])
        case "order":
            bridge.order(*move.words)
        case "receipt":
            newest = bridge.rows(f"SELECT max(id) FROM messages WHERE phone = '{PEOPLE[move.words[0]]}'")[0][0]  # noqa: S608
            if isinstance(newest, int):
                bridge.receipt(newest, move.words[1])  # type: ignore[arg-type] - the words of a move are texts
        case "wait":
            bridge.wait(minutes=move.minutes)
        case _:
            bridge.take(envelope_of(move, bridge.now))


def _replayed(book: RuleBook, rounds: Sequence[Round], instance: str) -> list[Plan]:
    """The plans of everything that happened, over a memory that nobody loaded anything into."""
    memory, plans = lasting_memory(instance, dict(COUNTERS)), list[Plan]()
    for each in rounds:
        for happening, _ in each.decided:
            plans.append(decide(happening, book, memory, each.at))
            memory.apply(plans[-1], happening if isinstance(happening, Reading) else None)
        for message in (message for plan in plans[-len(each.decided) :] for message in plan.messages):
            _left(memory, message.id)
    return plans


_KEYED = frozenset({"conversations", "timers_gone", "released"})  # rows with a key: they are written in any order


def _rows(plan: Plan) -> dict[str, object]:
    rows = {each.name: getattr(plan, each.name) for each in fields(plan) if getattr(plan, each.name)}
    return {name: sorted(found, key=repr) if name in _KEYED else found for name, found in rows.items()}


def _left(memory: Memory, number: int) -> None:
    """The gateway took it."""
    memory.messages[number] = replace(memory.messages[number], state="ACCEPTED")
    for waiting in memory.waiting.values():
        waiting.discard(number)


def _live_through(book: RuleBook, moves: Sequence[Move]) -> None:
    with TemporaryDirectory() as folder:
        bridge = Reopened(Path(folder), book)
        bridge.start()
        try:
            for move in moves:
                _happen(bridge, move)
            bridge.wait(minutes=90)
            [(instance,)] = bridge.rows("SELECT value FROM meta WHERE name = 'instance'")
        finally:
            bridge.end()
    decided = [plan for each in bridge.decided for _, plan in each.decided]
    again = _replayed(book, bridge.decided, str(instance))
    for number, (before, after) in enumerate(zip(decided, again, strict=True)):
        assert _rows(after) == _rows(before), number


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory) -> Callable[[], RuleBook]:
    """Gives the rule book; a failed example shows its arguments, and a rule book is long."""
    book = busy_book(tmp_path_factory.mktemp("busy"))
    return lambda: book


@settings(max_examples=25, suppress_health_check=[HealthCheck.too_slow])
@given(moves=days_with_restarts)
def test_F01_what_happened_is_decided_the_same_over_a_store_and_over_a_whole_memory(
    office: Callable[[], RuleBook], moves: list[Move]
) -> None:
    _live_through(office(), moves)


@pytest.mark.proof
@settings(max_examples=1000, suppress_health_check=[HealthCheck.too_slow])
@given(moves=days_with_restarts)
def test_F01_the_same_in_a_long_search(office: Callable[[], RuleBook], moves: list[Move]) -> None:
    _live_through(office(), moves)
