"""What pages read of the store."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from bridge.model import JournalEntry
from bridge.store import inbound, rows, schema, views, views_search, views_trail
from bridge.store.engine import Store, Tx
from bridge.store.statements import insert

pytestmark = pytest.mark.anyio
AT = datetime(2026, 11, 21, 3, 0, tzinfo=UTC)
_JOURNAL = insert(schema.journal, without=("seq",))


async def journal(store: Store, *entries: JournalEntry) -> None:
    def write(tx: Tx) -> None:
        tx.many(_JOURNAL, [rows.journal_row(entry) for entry in entries])

    await store.write(write)


async def test_an_empty_store_has_nothing_to_show(store: Store) -> None:
    assert await store.read(views.last_seq) == 0
    assert await store.read(views.count_open) == (0, 0)
    assert await store.read(views.last_mail_at) is None
    assert await store.read(views.accounts) == []
    assert await store.read(lambda tx: views.last_messages(tx, 10)) == []
    queue = await store.read(views.queue)
    assert queue == views.Queue({}, views.Waiting(), views.Waiting(), views.Waiting())
    assert await store.read(lambda tx: views_trail.of_mail(tx, 1)) is None
    assert await store.read(lambda tx: views_trail.of_incident(tx, 1000)) is None
    assert await store.read(lambda tx: views_trail.home_of_message(tx, 1)) is None
    assert (await store.read(lambda tx: views_search.find(tx, "db01"))).count == 0


async def test_changes_are_named_by_what_they_are_about(store: Store) -> None:
    await journal(
        store,
        JournalEntry(AT, "mail.read", mail_id=5),
        JournalEntry(AT + timedelta(seconds=1), "message.created", 5, 1000, 7),
        JournalEntry(AT, "call.received"),
    )
    found = await store.read(lambda tx: views.changes_since(tx, 0, 10))
    assert [(change.seq, change.names) for change in found] == [
        (1, ("mail:5",)),
        (2, ("mail:5", "incident:1000", "message:7")),
        (3, ()),
    ]
    assert [change.seq for change in await store.read(lambda tx: views.changes_since(tx, 1, 1))] == [2]
    assert await store.read(views.last_seq) == 3


@pytest.mark.parametrize(
    "phrase, fits",
    [
        ("100%", True), ("%", True), ("disk_full", True), ("disk full", False), ("\\", True), ("4567", True),
        ("+7 701 123 45 67", True), ("999", False), ("9999", False), ("' OR 1=1 --", False), ("", True),
    ],
)  # fmt: skip
async def test_a_phrase_is_found_letter_by_letter(store: Store, phrase: str, fits: bool) -> None:
    text = "100% disk_full \\"
    await store.write(lambda tx: inbound.keep(tx, "k", "sms", "smsc", "+77011234567", "", text, AT))
    found = await store.read(lambda tx: views_search.find(tx, phrase))
    assert bool(found.replies) is fits
