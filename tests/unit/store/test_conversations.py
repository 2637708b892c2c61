"""What a phone talks about: kept whole, loaded with its incidents for who wrote, without them for who is told."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from bridge.memory import Memory, Needs
from bridge.model import Conversation, Incident, Thread
from bridge.store import recall, rows, schema, views
from bridge.store.engine import Store, Tx
from bridge.store.statements import insert

pytestmark = pytest.mark.anyio
NOW = datetime(2026, 11, 21, 3, 12, tzinfo=UTC)
PHONE = "+77010000001"
INCIDENT = Incident(
    id=1000, source="mon", key="w0", producer_key="", state="open", episode=1, producer="generic", host="w0",
    service="", severity="high", title="down", detail="", labels={}, problem_id="", count=1, opened_at=NOW,
    last_at=NOW, sent_at=None, rule="racks", code="11", origin="o", thread=Thread(1, "<a@b>", (), "down", ""),
)  # fmt: skip
_ADD_INCIDENT = insert(schema.incidents)
_ADD_CONVERSATION = insert(schema.conversations)


async def keep(store: Store, talks: list[Conversation], states: dict[int, str]) -> None:
    def write(tx: Tx) -> None:
        found = [replace(INCIDENT, id=n, key=f"w{n}", state=state) for n, state in states.items()]  # type: ignore[arg-type]
        tx.many(_ADD_INCIDENT, [rows.incident_row(incident) for incident in found])
        tx.many(_ADD_CONVERSATION, [rows.conversation_row(talk) for talk in talks])

    await store.write(write)


async def load(store: Store, needs: Needs) -> Memory:
    return await store.read(lambda tx: recall.load(tx, needs, NOW))


def talk(code: str, *incidents: int, over: tuple[int, ...] = (), hours: int = 1) -> Conversation:
    expires = NOW + timedelta(hours=hours)
    return Conversation(PHONE, code, incidents, expires, expires + timedelta(hours=24), "group/racks/r7", over)


async def test_an_answer_knows_all_that_its_codes_stand_for_and_stood_for(store: Store) -> None:
    talks = [talk("11", 1000, 1001, over=(1002,)), talk("12", 1003)]
    await keep(store, talks, {1000: "open", 1001: "acked", 1002: "resolved", 1003: "open", 1004: "open"})
    memory = await load(store, Needs(phones=frozenset({PHONE})))
    assert memory.codes(PHONE) == {"11": talks[0], "12": talks[1]}
    assert sorted(memory.incidents) == [1000, 1001, 1002, 1003]


async def test_who_is_told_of_something_needs_his_codes_only(store: Store) -> None:
    await keep(store, [talk("11", 1000, 1001)], {1000: "open", 1001: "open"})
    memory = await load(store, Needs(talkers=frozenset({PHONE})))
    assert memory.codes(PHONE)["11"].incidents == (1000, 1001)
    assert not memory.incidents


async def test_pages_show_the_codes_that_may_be_answered_now(store: Store) -> None:
    talks = [talk("11", 1000, 1001, 1002), talk("12", 1003), talk("13", 1004), talk("14", 1005, hours=0)]
    states = {1000: "open", 1001: "acked", 1002: "resolved", 1003: "acked", 1004: "closed", 1005: "open"}
    await keep(store, talks, states)
    found = await store.read(lambda tx: views.open_codes(tx, [PHONE], NOW))
    assert found == [
        views.OpenCode(PHONE, "11", (1000, 1001), acked=False),
        views.OpenCode(PHONE, "12", (1003,), acked=True),
    ]
    assert await store.read(lambda tx: views.open_codes(tx, ["+77010000009"], NOW)) == []
