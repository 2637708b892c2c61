"""Units of time as the operator writes them (FORMAT §2).

Each ``parse_…`` takes the text as written and gives a value, or raises ValueError with a sentence that says what
would be right.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Literal

from bridge.config.scalar import shown
from bridge.config.zones import parse_zone

DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
DAY_MINUTES = 24 * 60
_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400, "w": 7 * 86400, "y": 365 * 86400}
_LONGEST = timedelta(days=200 * 365)
_DURATION = re.compile(r"(?:[0-9]{1,9}[smhdwy])+")
_ITEM = re.compile(r"([0-9]+)([smhdwy])")
_CLOCK = re.compile(r"([0-9]{2}):([0-9]{2})")
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_MOMENT = re.compile(r"([0-9]{4}-[0-9]{2}-[0-9]{2})[ T]([0-9]{2}:[0-9]{2}(?::[0-9]{2})?)(?: +(\S+))?")

Period = Literal["day", "week", "month"]
_PERIODS: dict[str, Period] = {"day": "day", "week": "week", "month": "month"}


@dataclass(frozen=True, slots=True)
class Rate:
    """*count* in a sliding *window*, or in a calendar *period* of the configured zone; exactly one is set."""

    count: int
    window: timedelta | None = None
    period: Period | None = None


@dataclass(frozen=True, slots=True)
class CountIn:
    """*count* things in a sliding *window*: ``3 in 5m``."""

    count: int
    window: timedelta


@dataclass(frozen=True, slots=True)
class Hours:
    """Minutes of the wall clock; the start is inside, the end not. ``end_minute`` ≤ start runs over midnight."""

    start_minute: int  # 0..1439
    end_minute: int  # 0..1440


@dataclass(frozen=True, slots=True)
class DateSpan:
    """Days from *first* to *last*, both inside."""

    first: date
    last: date


@dataclass(frozen=True, slots=True)
class Moment:
    """A wall clock reading, and the zone it was written with (None: the configured ``timezone``)."""

    local: datetime  # naive on purpose: only the zone makes it a moment
    zone: str | None = None


@dataclass(frozen=True, slots=True)
class Handover:
    """When a turn begins: a day of the week (Mon = 0; None = every day) and a minute of the day."""

    day: int | None
    minute: int


def parse_duration(text: str) -> timedelta:
    """``1h30m`` → 1.5 hours. ``m`` is minutes, ``y`` is 365 days."""
    if re.fullmatch(r"[0-9.]+", text):
        raise ValueError(f"{shown(text)} of what? write {text}m")
    if not _DURATION.fullmatch(text):
        raise ValueError(f"a length of time, like 30s, 10m or 1h30m; found {shown(text)}")
    seconds = sum(int(number) * _SECONDS[unit] for number, unit in _ITEM.findall(text))
    if seconds > _LONGEST.total_seconds():
        raise ValueError(f"{shown(text)} is longer than 200 years")
    return timedelta(seconds=seconds)


def parse_turn(text: str) -> timedelta:
    """A duration in hours, days or weeks: the length of a turn on call."""
    turn = parse_duration(text)
    if not turn or not re.fullmatch(r"(?:[0-9]+[hdw])+", text):
        raise ValueError(f"hours, days or weeks, like 12h or 1w; found {shown(text)}")
    return turn


def parse_repeat(text: str) -> timedelta | Literal["never", "always"]:
    """A duration, ``never`` or ``always``."""
    if text == "never":
        return "never"
    return "always" if text == "always" else parse_duration(text)


def _window(text: str) -> tuple[timedelta | None, Period | None]:
    if text in _PERIODS:
        return None, _PERIODS[text]
    window = parse_duration("1" + text if text[:1].isalpha() else text)
    if not window:
        raise ValueError(f"a span longer than nothing; found {shown(text)}")
    return window, None


def split_rate(text: str, like: str) -> tuple[str, timedelta | None, Period | None]:
    """What stands before the slash, and the window or period behind it."""
    amount, slash, span = (part.strip() for part in text.partition("/"))
    if not slash or not amount or not re.fullmatch(r"day|week|month|[smhdw]|(?:[0-9]{1,9}[smhdw])+", span):
        raise ValueError(f"{like}; found {shown(text)}")
    return amount, *_window(span)


def parse_rate(text: str) -> Rate:
    """``10/15m`` slides over 15 minutes; ``200/day`` is a calendar day."""
    like = "a count and a span, like 10/15m"
    amount, window, period = split_rate(text, like)
    if not re.fullmatch(r"[0-9]{1,9}", amount):
        raise ValueError(f"{like}; found {shown(text)}")
    return Rate(int(amount), window, period)


def parse_count_in(text: str) -> CountIn:
    """``3 in 5m``."""
    found = re.fullmatch(r"([0-9]{1,9}) +in +(\S+)", text)
    if not found:
        raise ValueError(f"a count in a time, like 3 in 5m; found {shown(text)}")
    return CountIn(int(found[1]), parse_duration(found[2]))


def clock_minute(text: str) -> int:
    """``07:30`` → 450; ``24:00`` → 1440. Raises ValueError."""
    found = _CLOCK.fullmatch(text)
    minute = int(found[1]) * 60 + int(found[2]) if found and int(found[2]) < 60 else DAY_MINUTES + 1
    if minute > DAY_MINUTES:
        raise ValueError(f"a time of day, like 07:30; found {shown(text)}")
    return minute


def parse_time(text: str) -> time:
    """``07:30``; ``24:00`` is only an end, so it is refused here."""
    minute = clock_minute(text)
    if minute == DAY_MINUTES:
        raise ValueError("24:00 is only an end of hours; write 00:00")
    return time(minute // 60, minute % 60)


def parse_test_time(text: str) -> time:
    """``07:30`` or ``07:30:15``, as rule tests may write it."""
    try:
        return time.fromisoformat(text)
    except ValueError:
        raise ValueError(f"a time of day, like 07:30; found {shown(text)}") from None


def parse_hours(text: str) -> Hours:
    """``20:00-08:00``; spaces around the dash are forgiven."""
    begin, _, end = (part.strip() for part in text.partition("-"))
    try:
        hours = Hours(clock_minute(begin), clock_minute(end))
    except ValueError:
        raise ValueError(f'{shown(text)} is not a span; write "{_better_hours(begin, end)}"') from None
    if hours.start_minute == DAY_MINUTES:
        raise ValueError("24:00 is only an end; begin at 00:00")
    return hours


def _better_hours(begin: str, end: str) -> str:
    """A span that the writer may have meant: ``20-8`` → ``20:00-08:00``."""
    found = [re.fullmatch(r"([0-9]{1,2})(?:[:.]?([0-9]{2}))?", part) for part in (begin, end)]
    clocks = [f"{int(clock[1]):02}:{clock[2] or '00'}" for clock in found if clock and int(clock[1]) <= 24]
    return "-".join(clocks) if len(clocks) == 2 else "20:00-08:00"


def parse_days(texts: tuple[str, ...]) -> frozenset[int]:
    """``("Mon-Fri", "Sun")`` → {0, 1, 2, 3, 4, 6}; a range may run over the end of the week."""
    days: set[int] = set()
    for text in texts:
        first, dash, last = (part.strip() for part in text.partition("-"))
        begin = _day(first, text)
        end = _day(last, text) if dash else begin
        days.update((begin + step) % 7 for step in range((end - begin) % 7 + 1))
    return frozenset(days)


def _day(name: str, text: str) -> int:
    if name.capitalize() not in DAYS:
        raise ValueError(f"days of the week, like Mon-Fri or [Sat, Sun]; found {shown(text)}")
    return DAYS.index(name.capitalize())


def parse_date(text: str) -> date:
    """``2026-03-21``."""
    try:
        if not _DATE.fullmatch(text):
            raise ValueError
        return date.fromisoformat(text)
    except ValueError:
        raise ValueError(f"a date, like 2026-03-21; found {shown(text)}") from None


def parse_dates(text: str) -> DateSpan:
    """``2026-03-21..2026-03-23`` or one date."""
    begin, dots, end = text.partition("..")
    span = DateSpan(parse_date(begin.strip()), parse_date((end if dots else begin).strip()))
    if span.last < span.first:
        raise ValueError(f"{shown(text)} ends before it begins")
    return span


def parse_moment(text: str) -> Moment:
    """``2026-11-21 02:15 Asia/Almaty``; seconds and zone may be left out."""
    found = _MOMENT.fullmatch(text)
    try:
        if not found:
            raise ValueError
        local = datetime.fromisoformat(f"{found[1]} {found[2]}")
    except ValueError:
        raise ValueError(f"a date and a time, like 2026-11-21 02:15; found {shown(text)}") from None
    return Moment(local, parse_zone(found[3]) if found[3] else None)


def parse_handover(text: str) -> Handover:
    """``Mon 09:00``, or ``09:00`` for every day."""
    day, _, clock = text.rpartition(" ")
    try:
        if day and day.strip().capitalize() not in DAYS:
            raise ValueError
        return Handover(DAYS.index(day.strip().capitalize()) if day else None, _before_midnight(clock))
    except ValueError:
        raise ValueError(f"a day and a time, like Mon 09:00, or a time; found {shown(text)}") from None


def _before_midnight(clock: str) -> int:
    minute = clock_minute(clock)
    if minute == DAY_MINUTES:
        raise ValueError
    return minute


_SIZES = (("d", 86400), ("h", 3600), ("m", 60), ("s", 1))


def written_duration(span: timedelta) -> str:
    """A duration as a configuration has it: ``1h30m``, ``0s``. One below zero has a minus, which none can have."""
    seconds = int(span.total_seconds())
    sign, seconds = ("-", -seconds) if seconds < 0 else ("", seconds)
    parts = []
    for unit, size in _SIZES:
        count, seconds = divmod(seconds, size)
        if count:
            parts.append(f"{count}{unit}")
    return sign + ("".join(parts) or "0s")
