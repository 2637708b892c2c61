"""F17: every kind of window, rota and calendar while clocks change, against a walk minute by minute.

The walk knows nothing of the product: it looks at a wall clock once a minute, as somebody with a watch would.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from bridge.oncall.windows import next_change

RoomOf = Callable[[str], Any]
MINUTE = timedelta(minutes=1)
CHANGES = {  # zone and the day (in UTC) around which its clocks change
    "Asia/Almaty": ["2024-02-29"],  # an hour back for good
    "Asia/Qostanay": ["2024-02-29"],
    "Europe/Berlin": ["2026-03-29", "2026-10-25"],
    "Europe/Kyiv": ["2026-03-29", "2026-10-25"],
    "America/New_York": ["2026-03-08", "2026-11-01"],
    "Australia/Lord_Howe": ["2026-04-04", "2026-10-03"],  # half an hour
    "Pacific/Apia": ["2011-12-30"],  # a day that never was
    "Pacific/Kiritimati": ["1994-12-31"],
    "Africa/Casablanca": ["2026-02-15", "2026-03-22"],  # back for Ramadan
    "America/Havana": ["2026-03-08", "2026-11-01"],  # at midnight, and at one
    "Asia/Beirut": ["2026-03-28", "2026-10-24"],  # the first hour of a day is missing
    "Africa/Cairo": ["2026-04-23", "2026-10-29"],
    "America/Santiago": ["2026-04-05", "2026-09-06"],
    "Antarctica/Troll": ["2026-03-29", "2026-10-25"],  # two hours
    "Asia/Pyongyang": ["2015-08-14", "2018-05-04"],  # half an hour, at midnight
    "America/Caracas": ["2016-05-01"],
    "Europe/Moscow": ["2014-10-25"],
    "Asia/Kathmandu": ["2026-01-01"],  # a quarter of an hour off, no change
    "Atlantic/Azores": ["2026-03-29"],
}
WINDOWS = {  # hours, days
    "night": ("22:00-06:00", "Mon-Sun"),
    "weekend night": ("20:00-08:00", "Fri-Sat"),
    "missing": ("02:10-02:50", "Mon-Sun"),
    "midnight": ("00:00-00:30", "Mon-Sun"),
    "late": ("23:30-24:00", "Mon-Sun"),
    "round": ("01:30-01:30", "Sun"),  # a whole day that begins at half past one
    "office": ("09:00-18:00", "Mon-Fri"),
}
CASES = [(zone, day, name) for zone, days in CHANGES.items() for day in days for name in WINDOWS]


def test_F17_there_are_two_hundred_cases() -> None:
    assert len(CASES) >= 200


def minutes(day: str, around: timedelta = timedelta(hours=16)) -> Iterator[datetime]:
    noon = datetime.fromisoformat(day).replace(hour=12, tzinfo=UTC)
    now, end = noon - around, noon + around
    while now < end:
        yield now
        now += MINUTE


def clock(text: str) -> timedelta:
    hour, minute = text.split(":")
    return timedelta(hours=int(hour), minutes=int(minute))


def weekdays(text: str) -> set[int]:
    names = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"]
    first, _, last = text.partition("-")
    return set(range(names.index(first), names.index(last or first) + 1))


def watched(wall: datetime, hours: str, days: str) -> bool:
    """Whether somebody who reads *wall* from a watch would say that the window is on: wind the watch back by the
    window's begin; the day it shows then is the day on which the window began."""
    start, end = (clock(each) for each in hours.split("-"))
    length = end - start if end > start else end - start + timedelta(days=1)
    began = wall - start
    into = began - datetime.combine(began.date(), datetime.min.time())
    return into < length and began.weekday() in weekdays(days)


@pytest.mark.parametrize("zone, day, name", CASES)
def test_F17_a_window_is_what_the_wall_clock_says(room: RoomOf, zone: str, day: str, name: str) -> None:
    hours, days = WINDOWS[name]
    made = room(f"""
        timezone: {zone}
        windows:
          w: {{hours: "{hours}", days: {days}}}
          outside: {{not: w}}
    """)
    here, inside, outside = ZoneInfo(zone), made.windows.test("w"), made.windows.test("outside")
    seen = []
    for now in minutes(day):
        wall = now.astimezone(here).replace(tzinfo=None)
        assert inside(now) == watched(wall, hours, days), wall
        assert outside(now) != inside(now)
        seen.append((now, inside(now)))
    span = made.windows.compile("w")
    for (before, was), (now, is_) in pairwise(seen):
        if was != is_:
            assert next_change(span, before - 5 * MINUTE, here) <= now
            assert next_change(span, before, here) == now


@pytest.mark.parametrize("zone, day", [(zone, day) for zone, days in CHANGES.items() for day in days])
@pytest.mark.parametrize("handover, every", [("02:30", "1d"), ("00:00", "1d"), ("23:45", "12h"), ("00:15", "1h")])
def test_F17_a_handover_is_when_the_clock_first_reaches_it(
    room: RoomOf, zone: str, day: str, handover: str, every: str
) -> None:
    starts = date.fromisoformat(day) - timedelta(days=5)
    made = room(f"""
        timezone: {zone}
        rotas:
          r: {{members: [aigul, ivan, marat], starts: {starts}, handover: "{handover}", every: {every}}}
    """)
    first = datetime.combine(starts, datetime.min.time()) + clock(handover)
    turn = timedelta(days=1) if every == "1d" else timedelta(hours=int(every[:-1]))
    latest = datetime.min  # noqa: DTZ901 - a wall clock; what it has shown at most so far
    for now in minutes(day, timedelta(hours=40)):
        latest = max(latest, now.astimezone(ZoneInfo(zone)).replace(tzinfo=None))
        if now < datetime.fromisoformat(day).replace(hour=6, tzinfo=UTC) - timedelta(hours=30):
            continue  # the clock must have been watched for a while
        number = (latest - first) // turn
        assert made.rotas.who("r", now) == ["aigul", "ivan", "marat"][number % 3], latest


@pytest.mark.parametrize("zone, day", [(zone, day) for zone, days in CHANGES.items() for day in days])
def test_F17_a_day_of_a_calendar_is_the_day_on_the_wall(
    room: RoomOf, ics: Callable[..., bytes], zone: str, day: str
) -> None:
    """The same days, written and out of an iCalendar, alone and as the begin of a night."""
    written = date.fromisoformat(day)
    made = room(f"""
        timezone: {zone}
        calendars:
          plain: {{dates: {written}}}
          ical: {{ical: {{file: x.ics}}}}
        windows:
          day: {{calendar: plain}}
          night: {{hours: "21:00-05:00", calendar: ical}}
          other: {{except: [plain]}}
    """)
    made.windows.feeds.feed(made.config.calendars["ical"].ical).take(
        ics(f"SUMMARY:x; DTSTART;VALUE=DATE:{written:%Y%m%d}")
    )
    on_day, night, other = (made.windows.test(name) for name in ("day", "night", "other"))
    for now in minutes(day):
        wall = now.astimezone(ZoneInfo(zone)).replace(tzinfo=None)
        assert on_day(now) == (wall.date() == written)
        assert other(now) != on_day(now)
        began = wall - timedelta(hours=21)
        into = began - datetime.combine(began.date(), datetime.min.time())
        assert night(now) == (began.date() == written and into < timedelta(hours=8))


@pytest.mark.parametrize("zone", ["Asia/Almaty", "Europe/Berlin", "Australia/Lord_Howe", "Pacific/Apia"])
def test_F17_zone_person_is_the_clock_of_whoever_would_get_it(room: RoomOf, zone: str) -> None:
    made = room('timezone: UTC\nwindows: {rest: {hours: "22:00-07:00", zone: person}}')
    span, day = made.windows.quiet("rest"), CHANGES[zone][0]
    for now in minutes(day):
        wall = now.astimezone(ZoneInfo(zone)).replace(tzinfo=None)
        assert span.holds(now, ZoneInfo(zone)) == watched(wall, "22:00-07:00", "Mon-Sun")
