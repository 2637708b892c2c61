"""Windows of time and changing clocks (FORMAT §2, §3, §14).

Berlin: 29 March 2026 02:00 → 03:00, 25 October 2026 03:00 → 02:00. Lord Howe: 5 April 2026 02:00 → 01:30,
4 October 2026 02:00 → 02:30. Almaty: 1 March 2024 00:00 → 29 February 23:00.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bridge.oncall.windows import next_change, next_end

RoomOf = Callable[[str], Any]
AtOf = Callable[[str], datetime]
WINDOWS = """
timezone: Europe/Berlin
calendars:
  holidays: {dates: [2026-10-03, 2026-12-25..2026-12-26]}
windows:
  work: {days: Mon-Fri, hours: "09:00-18:00", except: holidays}
  night: {hours: "23:00-07:00"}
  friday night: {days: Fri, hours: "20:00-08:00"}
  backup: {hours: "01:30-03:30"}
  early: {hours: "02:00-03:00"}
  holiday: {calendar: holidays}
  holiday night: {calendar: holidays, hours: "20:00-08:00"}
  not holiday night: {except: holidays, hours: "20:00-08:00"}
  island: {days: Mon-Fri, hours: "08:00-16:00", zone: Australia/Lord_Howe}
  staffed: {any: [work, island]}
  unstaffed: {not: staffed}
  lunch and night: {hours: ["12:00-13:00", "23:00-01:00"]}
  always: {hours: "00:00-24:00"}
  round: {hours: "08:00-08:00", days: Mon}
  almaty: {hours: "23:00-24:00", zone: Asia/Almaty}
  mine: {hours: "22:00-06:00", zone: person}
""".replace("friday night", "friday-night").replace("not holiday night", "no-holiday-night").replace(
    "holiday night", "holiday-night"
).replace("lunch and night", "lunch-and-night")  # fmt: skip


@pytest.mark.parametrize(
    "window, when, inside",
    [
        ("work", "2026-11-20 09:00 Europe/Berlin", True),
        ("work", "2026-11-20 08:59 Europe/Berlin", False),
        ("work", "2026-11-20 17:59 Europe/Berlin", True),
        ("work", "2026-11-20 18:00 Europe/Berlin", False),
        ("work", "2026-11-21 12:00 Europe/Berlin", False),
        ("work", "2026-12-25 12:00 Europe/Berlin", False),
        ("night", "2026-11-21 23:00 Europe/Berlin", True),
        ("night", "2026-11-21 06:59 Europe/Berlin", True),
        ("night", "2026-11-21 07:00 Europe/Berlin", False),
        ("friday-night", "2026-11-21 07:59 Europe/Berlin", True),  # a Saturday; the window began on Friday
        ("friday-night", "2026-11-21 08:00 Europe/Berlin", False),
        ("friday-night", "2026-11-21 21:00 Europe/Berlin", False),
        ("friday-night", "2026-11-20 07:00 Europe/Berlin", False),
        ("holiday", "2026-12-26 23:59 Europe/Berlin", True),
        ("holiday", "2026-12-27 00:00 Europe/Berlin", False),
        ("holiday-night", "2026-12-27 07:00 Europe/Berlin", True),  # began on the 26th
        ("holiday-night", "2026-12-25 07:00 Europe/Berlin", False),
        ("no-holiday-night", "2026-12-27 07:00 Europe/Berlin", False),
        ("no-holiday-night", "2026-12-25 07:00 Europe/Berlin", True),
        ("lunch-and-night", "2026-11-21 12:30 Europe/Berlin", True),
        ("lunch-and-night", "2026-11-21 00:30 Europe/Berlin", True),
        ("lunch-and-night", "2026-11-21 13:30 Europe/Berlin", False),
        ("always", "2026-11-21 00:00 Europe/Berlin", True),
        ("round", "2026-11-24 07:59 Europe/Berlin", True),  # Tuesday, of the day that began on Monday 08:00
        ("round", "2026-11-24 08:00 Europe/Berlin", False),
        ("staffed", "2026-11-20 23:00 Australia/Lord_Howe", True),  # 13:00 in Berlin
        ("staffed", "2026-11-20 08:00 Australia/Lord_Howe", True),
        ("unstaffed", "2026-11-20 20:00 Europe/Berlin", True),
        ("unstaffed", "2026-11-20 12:00 Europe/Berlin", False),
    ],
)
def test_a_moment_is_inside_when_its_wall_clock_is(
    room: RoomOf, at: AtOf, window: str, when: str, inside: bool
) -> None:
    assert room(WINDOWS).windows.inside(window, at(when)) is inside


@pytest.mark.parametrize(
    "window, when, inside",
    [
        # clocks go forward: 02:00-03:00 does not exist, and holds nothing
        ("backup", "2026-03-29 00:29", False),
        ("backup", "2026-03-29 00:30", True),  # 01:30 winter time
        ("backup", "2026-03-29 00:59", True),
        ("backup", "2026-03-29 01:00", True),  # 03:00 summer time
        ("backup", "2026-03-29 01:30", False),  # 03:30
        ("early", "2026-03-29 00:59", False),
        ("early", "2026-03-29 01:00", False),
        # clocks go back: both passes of 02:00-03:00 are inside
        ("early", "2026-10-25 00:00", True),
        ("early", "2026-10-25 00:59", True),
        ("early", "2026-10-25 01:00", True),
        ("early", "2026-10-25 01:59", True),
        ("early", "2026-10-25 02:00", False),
        ("backup", "2026-10-24 23:30", True),
        ("backup", "2026-10-25 02:29", True),
        ("backup", "2026-10-25 02:30", False),
        # a whole zone moves: 23:00-24:00 comes twice in Almaty
        ("almaty", "2024-02-29 17:30", True),
        ("almaty", "2024-02-29 18:30", True),
        ("almaty", "2024-02-29 19:00", False),
        # half an hour
        ("island", "2026-10-04 21:30", True),  # Monday 08:30 +11
        ("island", "2026-10-04 20:59", False),
    ],
)
def test_F17_changing_clocks(room: RoomOf, at: AtOf, window: str, when: str, inside: bool) -> None:
    assert room(WINDOWS).windows.inside(window, at(when)) is inside


@pytest.mark.parametrize(
    "window, now, end",
    [
        ("night", "2026-11-21 23:30 Europe/Berlin", "2026-11-22 07:00 Europe/Berlin"),
        ("night", "2026-11-21 12:00 Europe/Berlin", "2026-11-21 12:00 Europe/Berlin"),
        ("always", "2026-11-21 12:00", None),
        ("holiday", "2026-12-25 12:00 Europe/Berlin", "2026-12-27 00:00 Europe/Berlin"),
        ("early", "2026-10-25 00:10", "2026-10-25 02:00"),
        ("backup", "2026-03-29 00:40", "2026-03-29 01:30"),
        ("unstaffed", "2026-11-20 20:00 Europe/Berlin", "2026-11-23 08:00 Australia/Lord_Howe"),
        ("staffed", "2026-11-20 05:30 Europe/Berlin", "2026-11-20 16:00 Australia/Lord_Howe"),
        ("almaty", "2024-02-29 17:30", "2024-02-29 19:00"),
        ("friday-night", "2026-11-21 01:00 Europe/Berlin", "2026-11-21 08:00 Europe/Berlin"),
    ],
)
def test_the_end_of_a_window(room: RoomOf, at: AtOf, window: str, now: str, end: str | None) -> None:
    windows = room(WINDOWS).windows
    assert next_end(windows.compile(window), at(now), windows.zone) == (at(end) if end else None)


def test_an_end_in_the_missing_hour_is_the_first_minute_after_it(room: RoomOf, at: AtOf) -> None:
    windows = room('timezone: Europe/Berlin\nwindows: {w: {hours: "01:00-02:30"}}').windows
    assert next_end(windows.compile("w"), at("2026-03-29 00:30"), windows.zone) == at("2026-03-29 01:00")


def test_an_end_in_the_doubled_hour_begins_again_with_the_second_pass(room: RoomOf, at: AtOf) -> None:
    windows = room('timezone: Europe/Berlin\nwindows: {w: {hours: "01:00-02:30"}}').windows
    span = windows.compile("w")
    assert next_end(span, at("2026-10-25 00:00"), windows.zone) == at("2026-10-25 00:30")
    assert next_change(span, at("2026-10-25 00:30"), windows.zone) == at("2026-10-25 01:00")
    assert next_end(span, at("2026-10-25 01:10"), windows.zone) == at("2026-10-25 01:30")


def test_quiet_hours_written_in_place_are_those_of_the_person(room: RoomOf, at: AtOf) -> None:
    made = room(WINDOWS + "\n")
    window = made.config.windows["mine"].model_copy(update={"zone": None})
    night_in_almaty, almaty = at("2026-11-21 23:00 Asia/Almaty"), ZoneInfo("Asia/Almaty")
    assert made.windows.quiet(window).holds(night_in_almaty, almaty)
    assert not made.windows.quiet(window).holds(night_in_almaty, ZoneInfo("Europe/Berlin"))
    assert not made.windows.compile(window).holds(night_in_almaty, almaty)
    assert made.windows.quiet("mine").holds(night_in_almaty, almaty)


def test_a_named_window_keeps_the_configured_zone_in_quiet(room: RoomOf, at: AtOf) -> None:
    span = room(WINDOWS).windows.quiet("night")
    assert span.holds(at("2026-11-21 23:30 Europe/Berlin"), ZoneInfo("Asia/Almaty"))
    assert not span.holds(at("2026-11-21 23:30 Asia/Almaty"), ZoneInfo("Asia/Almaty"))


@pytest.mark.parametrize("text", ["windows: {a: {not: b}, b: {any: [a]}}", "windows: {a: {not: a}}"])
def test_a_window_that_holds_itself_is_refused(room: RoomOf, text: str) -> None:
    with pytest.raises(ValueError, match="a holds itself"):
        room(text).windows.compile("a")


def test_unknown_names_are_refused(room: RoomOf) -> None:
    with pytest.raises(KeyError, match='no window is called "x"'):
        room("windows: {}").windows.compile("x")
    with pytest.raises(KeyError, match='no calendar is called "c"'):
        room("windows: {a: {calendar: c}}").windows.compile("a")


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    name=st.sampled_from("work night friday-night backup early holiday-night staffed unstaffed almaty island".split()),
    minutes=st.integers(0, 365 * 24 * 60),
)
def test_nothing_changes_before_the_next_change(room: RoomOf, name: str, minutes: int) -> None:
    windows = room(WINDOWS).windows
    span, now = windows.compile(name), datetime(2026, 1, 1, tzinfo=UTC) + timedelta(minutes=minutes)
    inside = span.holds(now, windows.zone)
    change = next_change(span, now, windows.zone)
    assert change is not None
    assert span.holds(change, windows.zone) is not inside
    step = max(timedelta(minutes=1), (change - now) / 200)
    for number in range(1, 200):
        moment = now + number * step
        assert moment >= change or span.holds(moment, windows.zone) is inside
    assert span.holds(change - timedelta(seconds=1), windows.zone) is inside
