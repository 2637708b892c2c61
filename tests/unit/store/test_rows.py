"""Nouns that lie in their tables as JSON come back equal."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from bridge.model import Message, WayText
from bridge.store import rows

NOW = datetime(2026, 11, 21, 3, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    "ways",
    [
        (),
        (WayText("viber"),),
        (
            WayText("viber", 'ж\n"', timedelta(minutes=2), ("Open", "https://wiki.example/db"), "https://i.example/1"),
            WayText("vk", template="100", values=(("Host", "db01"), ("What", ""))),
        ),
    ],
    ids=["none", "empty", "full"],
)
def test_what_other_ways_show_comes_back_as_it_was(ways: tuple[WayText, ...]) -> None:
    message = Message(
        id=1, phone="+77010000001", person="", text="x", encoding="GSM-7", segments=1, price=None, currency="KZT",
        rule="night", message_class="normal", channel="sms", providers=("gate",), originator="", answerable=False,
        created_at=NOW, due_at=NOW, valid_until=NOW, language="en", ways=ways,
    )  # fmt: skip
    assert rows.message(rows.message_row(message)) == message
