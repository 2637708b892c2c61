"""iCalendars: what they say, and what is refused before it can cost anything."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from bridge.oncall.ical import MOST_BYTES, MOST_EVENTS, read_ical

Ics = Callable[..., bytes]
ALMATY, BERLIN = ZoneInfo("Asia/Almaty"), ZoneInfo("Europe/Berlin")


def stretches(content: bytes, begin: date, days: int, zone: ZoneInfo = ALMATY) -> list[tuple[str, str, str]]:
    start = datetime(begin.year, begin.month, begin.day, tzinfo=UTC)
    return [
        (shift.summary, f"{shift.begin:%d %H:%M}", f"{shift.end:%d %H:%M}")
        for shift in read_ical(content).shifts(start, start + timedelta(days=days), zone)
    ]


@pytest.mark.parametrize(
    "event, inside, outside",
    [
        ("DTSTART;VALUE=DATE:20261216", ["2026-12-16"], ["2026-12-15", "2026-12-17", "2027-12-16"]),
        ("DTSTART;VALUE=DATE:20261216; DTEND;VALUE=DATE:20261218", ["2026-12-16", "2026-12-17"], ["2026-12-18"]),
        ("DTSTART;VALUE=DATE:20261230; DTEND;VALUE=DATE:20270103", ["2026-12-31", "2027-01-02"], ["2027-01-03"]),
        ("DTSTART;VALUE=DATE:20200508; RRULE:FREQ=YEARLY", ["2026-05-08", "2031-05-08"], ["2019-05-08", "2026-05-09"]),
        (
            "DTSTART;VALUE=DATE:20261102; RRULE:FREQ=WEEKLY;BYDAY=MO,FR; EXDATE;VALUE=DATE:20261113",
            ["2026-11-06", "2026-11-09", "2026-11-16"],
            ["2026-11-13", "2026-11-10"],
        ),
        ("DTSTART;VALUE=DATE:20261102; RRULE:FREQ=MONTHLY;BYDAY=-1FR", ["2026-11-27"], ["2026-11-20"]),
        ("DTSTART;VALUE=DATE:20261102; DURATION:P2D", ["2026-11-02", "2026-11-03"], ["2026-11-04"]),
        ("DTSTART:20261102T080000", [], ["2026-11-02"]),  # a clock: no whole day
        ("DTSTART;VALUE=DATE:20261216; STATUS:CANCELLED", [], ["2026-12-16"]),
    ],
)
def test_whole_days(ics: Ics, event: str, inside: list[str], outside: list[str]) -> None:
    agenda = read_ical(ics(f"SUMMARY:feast; {event}"))
    assert [day for day in [*inside, *outside] if agenda.has_day(date.fromisoformat(day))] == inside


def test_shifts_stand_in_the_zone_they_name_else_in_that_of_the_rota(ics: Ics) -> None:
    content = ics(
        "SUMMARY:floating; DTSTART:20261102T080000; DTEND:20261102T200000",
        "SUMMARY:utc; DTSTART:20261102T080000Z; DTEND:20261102T090000Z",
        "SUMMARY:named; DTSTART;TZID=Europe/Berlin:20261102T080000; DTEND;TZID=Europe/Berlin:20261102T090000",
        "SUMMARY:windows; DTSTART;TZID=W. Europe Standard Time:20261102T090000; DURATION:PT1H",
        "SUMMARY:day; DTSTART;VALUE=DATE:20261103",
    )
    assert sorted(stretches(content, date(2026, 11, 1), 4)) == [
        ("day", "02 19:00", "03 19:00"),
        ("floating", "02 03:00", "02 15:00"),
        ("named", "02 07:00", "02 08:00"),
        ("utc", "02 08:00", "02 09:00"),
        ("windows", "02 08:00", "02 09:00"),
    ]


def test_F17_a_shift_of_a_night_in_which_clocks_change_keeps_its_wall_clock(ics: Ics) -> None:
    content = ics(
        "SUMMARY:night; DTSTART:20261020T220000; DTEND:20261021T060000; RRULE:FREQ=DAILY;UNTIL=20261101T000000"
    )
    assert stretches(content, date(2026, 10, 24), 2, BERLIN)[1:] == [
        ("night", "24 20:00", "25 05:00"),  # nine hours
        ("night", "25 21:00", "26 05:00"),
    ]


def test_one_moved_and_one_cancelled_of_a_series(ics: Ics) -> None:
    content = ics(
        "UID:s; SUMMARY:ivan; DTSTART:20261102T080000Z; DTEND:20261102T200000Z; RRULE:FREQ=DAILY;COUNT=4",
        "UID:s; RECURRENCE-ID:20261103T080000Z; SUMMARY:aigul; DTSTART:20261103T100000Z; DTEND:20261103T200000Z",
        "UID:s; RECURRENCE-ID:20261104T080000Z; SUMMARY:ivan; DTSTART:20261104T080000Z; "
        "DTEND:20261104T200000Z; STATUS:CANCELLED",
    )
    assert stretches(content, date(2026, 11, 1), 9) == [
        ("ivan", "02 08:00", "02 20:00"),
        ("aigul", "03 10:00", "03 20:00"),
        ("ivan", "05 08:00", "05 20:00"),
    ]


def test_a_shift_over_several_months_is_told_once(ics: Ics) -> None:
    content = ics("SUMMARY:ivan; DTSTART;VALUE=DATE:20260101; DTEND;VALUE=DATE:20270101")
    assert len(stretches(content, date(2026, 3, 1), 200)) == 1


@pytest.mark.parametrize(
    "event, sentence",
    [
        ("SUMMARY:x", "no iCalendar that can be used"),
        ("DTSTART:2026", "DTSTART"),
        ("DTSTART:20260101T000000Z; RRULE:FREQ=SECONDLY", "FREQ=SECONDLY; write DAILY, WEEKLY, MONTHLY or YEARLY"),
        ("DTSTART:20260101T000000Z; RRULE:FREQ=HOURLY", "FREQ=HOURLY"),
        ("DTSTART:20260101T000000Z; RRULE:FREQ=DAILY;INTERVAL=0", "every 0"),
        ("DTSTART:20260101T000000Z; RRULE:FREQ=DAILY;BYHOUR=1,2,3", "3 times BYHOUR"),
        ("DTSTART:20260101T000000Z; RRULE:FREQ=DAILY;BYMONTH=2;BYMONTHDAY=30", "a day that no month has"),
        ("DTSTART:20260101T000000Z; RRULE:FREQ=DAILY;BYSETPOS=2", "BYSETPOS"),
        ("DTSTART:20260101T000000Z; RRULE:FREQ=SOMETIMES", "no iCalendar"),
        ("DTSTART:20260101T000000Z; DURATION:P9000D; RRULE:FREQ=DAILY", "repeat more than"),
        ("DTSTART:15000101T000000Z; RRULE:FREQ=DAILY", "repeat more than"),
    ],
)
def test_T20_what_cannot_be_used_is_refused_at_once_with_a_sentence(ics: Ics, event: str, sentence: str) -> None:
    began = time.perf_counter()
    with pytest.raises(ValueError, match=sentence):
        read_ical(ics(f"SUMMARY:x; {event}"))
    assert time.perf_counter() - began < 2


@pytest.mark.parametrize(
    "content", [b"", b"hello", b"BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\n", b"\xff\xfe\x00", b"%PDF-1.7"]
)
def test_T20_what_is_no_icalendar_is_refused(content: bytes) -> None:
    with pytest.raises(ValueError, match="is no iCalendar that can be used"):
        read_ical(content)


def test_T21_size_and_number_of_events_are_bounded(ics: Ics) -> None:
    with pytest.raises(ValueError, match="more than 1 MB"):
        read_ical(b" " * (MOST_BYTES + 1))
    events = ["SUMMARY:x; DTSTART:20260101"] * (MOST_EVENTS + 1)
    with pytest.raises(ValueError, match="more than 5000 events"):
        read_ical(ics(*events))


def test_a_calendar_of_many_shifts_is_asked_quickly(ics: Ics) -> None:
    first = date(2024, 1, 1)
    days = [first + timedelta(days=number) for number in range(2000)]
    agenda = read_ical(ics(*(f"SUMMARY:p{day.day % 3}; DTSTART;VALUE=DATE:{day:%Y%m%d}" for day in days)))
    now = datetime(2026, 11, 21, tzinfo=UTC)
    list(agenda.shifts(now, now + timedelta(seconds=1), ALMATY))
    began = time.perf_counter()
    for hour in range(200):
        at = now + timedelta(hours=hour)
        assert list(agenda.shifts(at, at + timedelta(seconds=1), ALMATY))
    assert time.perf_counter() - began < 1
