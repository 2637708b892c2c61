"""Who is on call, as a terminal beside a running bridge sees it."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from bridge.book.calendars import copy_of

if TYPE_CHECKING:
    from conftest import House

URL = "https://calendar.example.kz/duty.ics"


def shift(person: str) -> bytes:
    today = datetime.now(UTC)
    begin, end = (f"{today + timedelta(days=days):%Y%m%dT000000Z}" for days in (-2, 2))
    lines = [
        "BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:x", "BEGIN:VEVENT", "UID:1", "DTSTAMP:20260101T000000Z",
        f"DTSTART:{begin}", f"DTEND:{end}", f"SUMMARY:{person}", "END:VEVENT", "END:VCALENDAR", "",
    ]  # fmt: skip
    return "\r\n".join(lines).encode()


def test_who_knows_the_calendar_that_the_bridge_fetched_last_and_needs_no_network(house: House) -> None:
    house.write(more=f'rotas: {{duty: {{ical: {{url: "{URL}"}}}}}}\n')
    assert json.loads(house.call("oncall", "who", "--json").out)[0]["on_call"] == []
    copy_of(house.folder, URL).parent.mkdir()
    copy_of(house.folder, URL).write_bytes(shift("asel"))
    assert json.loads(house.call("oncall", "who", "--json").out)[0]["on_call"] == ["asel"]
