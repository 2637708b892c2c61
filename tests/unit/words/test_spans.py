"""Spans and moments as people type them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from bridge.words.spans import read_until

NOW = datetime(2026, 11, 20, 21, 15, tzinfo=UTC)  # Saturday 02:15 in Almaty
ALMATY = ZoneInfo("Asia/Almaty")


@pytest.mark.parametrize("text, what, span", [
    ("sw3 2h", "sw3", timedelta(hours=2)),
    ("2h sw3", "sw3", timedelta(hours=2)),
    ("4 h", "", timedelta(hours=4)),
    ("sw* 1h30m", "sw*", timedelta(minutes=90)),
    ("sw3 1ч 30м", "sw3", timedelta(minutes=90)),
    ("30мин", "", timedelta(minutes=30)),
    ("1д", "", timedelta(days=1)),
    ("2сағ 30мин", "", timedelta(minutes=150)),
    ("1күн", "", timedelta(days=1)),
    ("kassa-04 45 min", "kassa-04", timedelta(minutes=45)),
    ("2с", "", timedelta(seconds=2)),
])  # fmt: skip
def test_reads_spans_in_three_languages(text: str, what: str, span: timedelta) -> None:
    found = read_until(text, "ru", now=NOW, zone=ALMATY)
    assert (found.what, found.at) == (what, NOW + span)


def test_a_letter_means_hours_to_a_reader_of_kazakh() -> None:
    assert read_until("2с", "kk", now=NOW, zone=ALMATY).at == NOW + timedelta(hours=2)


@pytest.mark.parametrize("text, what, local", [
    ("until 08:00", "", "2026-11-21 08:00"),
    ("sw3 до 8:00", "sw3", "2026-11-21 08:00"),
    ("до 8", "", "2026-11-21 08:00"),
    ("sw3 8:00 дейін", "sw3", "2026-11-21 08:00"),
    ("until 02:15", "", "2026-11-22 02:15"),
    ("until mon 08:00", "", "2026-11-23 08:00"),
    ("до пн", "", "2026-11-23 00:00"),
    ("until sat 02:00", "", "2026-11-28 02:00"),
    ("дс 09:00 дейін", "", "2026-11-23 09:00"),
])  # fmt: skip
def test_a_time_is_the_next_such_on_the_wall_clock_of_the_person(text: str, what: str, local: str) -> None:
    found = read_until(text, "ru", now=NOW, zone=ALMATY)
    assert found.at is not None
    assert (found.what, found.at.astimezone(ALMATY).strftime("%Y-%m-%d %H:%M")) == (what, local)
    assert found.at.tzinfo is UTC


@pytest.mark.parametrize("text", ["sw3", "0h", "9999d", "until", "db-2h-x", "sw3 2hours"])
def test_what_is_no_span_is_none(text: str) -> None:
    assert read_until(text, "en", now=NOW, zone=ALMATY).at is None


def test_a_clock_that_goes_back_gives_the_next_pass() -> None:
    kyiv = ZoneInfo("Europe/Kyiv")
    now = datetime(2026, 10, 25, 0, 30, tzinfo=UTC)  # 03:30, first pass
    assert read_until("until 03:15", "en", now=now, zone=kyiv).at == datetime(2026, 10, 26, 1, 15, tzinfo=UTC)
