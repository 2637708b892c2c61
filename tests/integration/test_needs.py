"""``needs`` names all that ``decide`` asks for: the worked cases, with a memory that refuses what was not named."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

import pytest

from bridge.book import RuleBook
from bridge.book.loading import load_book
from bridge.dispatch import decide as room
from bridge.memory import Known, Memory, Needs
from bridge.model import Due, Happening, Incident, Notice, Plan, Spent, Tally, Timer
from bridge.proof import world as proof
from bridge.proof.runner import play

CASES = sorted((Path(__file__).parents[2] / "docs" / "examples").iterdir())


def strict(happening: Happening, book: RuleBook, memory: Memory, now: datetime) -> Plan:
    """``decide`` over the same rows, of which only those may be asked for that ``needs`` names."""
    held = {happening.timer.name: memory.held.get(happening.timer.name, {})} if isinstance(happening, Due) else {}
    needs = room.needs(happening, book, now, Known(memory.overrides, held))
    phones = {memory.messages[number].phone for number in needs.messages if number in memory.messages}
    memory.loaded = needs | Needs(causes=frozenset(f"undelivered/{phone}" for phone in phones))  # as the store does
    whole = {name: getattr(memory, name) for name in ("incidents", "notifications", "conversations")}
    memory.complete, memory.fetch = False, _Rest(memory)
    _leave_out(memory, needs)
    try:
        return room.decide(happening, book, memory, now)
    finally:
        memory.complete = True
        for name, rows in whole.items():
            setattr(memory, name, rows)


def _leave_out(memory: Memory, needs: Needs) -> None:
    """What a store would not have loaded: nobody asks for these by a key, so nothing would raise."""
    numbers = set(needs.incidents)
    numbers |= {memory.messages[number].incident_id for number in needs.messages if number in memory.messages}
    numbers |= {number for phone in needs.phones for talk in memory.codes(phone).values() for number in talk.about}
    numbers |= {held.incident_id for bundle in needs.bundles for held in memory.held.get(bundle, {}).values()}
    memory.incidents = {
        number: one for number, one in memory.incidents.items() if number in numbers or _asked(one, needs)
    }
    memory.notifications = {n: told for n, told in memory.notifications.items() if n in memory.incidents}
    told = {note.phone for notes in memory.notifications.values() for note in notes}
    phones = needs.phones | needs.talkers | told
    memory.conversations = {phone: codes for phone, codes in memory.conversations.items() if phone in phones}


def _asked(incident: Incident, needs: Needs) -> bool:
    if not incident.live:
        return False
    keys = (
        (incident.source, incident.key) in needs.keys,
        (incident.source, incident.producer_key) in needs.producer_keys,
    )
    return any(keys) or (needs.hiders and bool(incident.marks.hides))


class _Rest:
    """What a store reads on: counts of phones that only an incident names. Nothing else may be."""

    def __init__(self, memory: Memory) -> None:
        self._memory = memory

    def timer(self, name: str) -> Timer | None:
        assert name.startswith(("storm/", "budget/", "quiet/")), name
        return self._memory.timers.get(name)

    def tallies(self, name: str) -> Sequence[Tally]:
        assert name.startswith(("storm/", "limited/", "acked/")), name
        return ()  # they are there

    def spent(self, budget: str, since: datetime) -> Spent:
        return Spent()

    def notice(self, cause: str) -> Notice | None:
        return self._memory.notices.get(cause)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_nothing_is_decided_on_what_was_not_loaded(case: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(proof, "decide", strict)
    loaded = load_book(case / "config.yaml", tests=True)
    book = loaded.require()
    played = 0
    for file, tests in loaded.loaded.test_files:
        for index in range(len(tests.tests)):
            play(book, file, tests, index)  # NotLoaded is a mistake of ours and goes through
            played += 1
    assert played
