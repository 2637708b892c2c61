"""iCalendars (RFC 5545): the whole days and the shifts that stand in a file or behind a URL.

The only place that knows the format. Nothing is expanded but the months around the moment that is asked for, and
those are kept; what would be dear to expand is refused when it is read. The two libraries are imported with the
first calendar that is read: most configurations have none.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Any, Protocol
from zoneinfo import ZoneInfo

from bridge.oncall.clock import moment_of

MOST_BYTES = 1_000_000
MOST_EVENTS = 5_000
MOST_STEPS = 200_000  # repetitions of all events together until _COUNTED_UNTIL: a month is expanded in < 1 s
_COUNTED_UNTIL = date(2050, 1, 1)
_STEP = {"DAILY": 1, "WEEKLY": 7, "MONTHLY": 28, "YEARLY": 365}  # days
_MOST_KEPT = 36  # months of days, and of shifts
_RARE = frozenset({"BYSETPOS", "BYWEEKNO", "BYYEARDAY"})  # only with months and years: else a search may never end
_KNOWN = frozenset("FREQ INTERVAL COUNT UNTIL WKST BYDAY BYMONTH BYMONTHDAY BYHOUR BYMINUTE BYSECOND".split()) | _RARE
_DAYS_IN = (31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)
_EDGE = timedelta(days=2)  # floating times and whole days are no further from UTC than this
_BUCKET = 28  # days of shifts that are expanded together


class _Query(Protocol):
    """What ``recurring_ical_events.of`` gives: repetitions are made when they are asked for."""

    def between(self, start: Any, stop: Any) -> list[Any]:
        """Events that touch the stretch, each with its own DTSTART and DTEND."""


@dataclass(frozen=True, slots=True)
class Shift:
    """One timed or whole-day event in a zone; *end* is outside. Both are in UTC."""

    summary: str
    begin: datetime
    end: datetime


@dataclass(frozen=True, slots=True)
class Agenda:
    """What one iCalendar says."""

    _query: _Query
    summaries: tuple[str, ...]  # of all its events, each once, in the order of the file
    _days: dict[tuple[int, int], frozenset[date]] = field(default_factory=dict)
    _shifts: dict[tuple[str, int], tuple[Shift, ...]] = field(default_factory=dict)

    def has_day(self, day: date) -> bool:
        """Whether a whole-day event covers *day*. Events with a clock make no day."""
        month = (day.year, day.month)
        return day in _kept(self._days, month, lambda: frozenset(self._days_of(*month)))

    def shifts(self, begin: datetime, end: datetime, zone: ZoneInfo) -> Iterator[Shift]:
        """Events that touch *begin* … *end*, in order. Times without a zone, and whole days, are those of *zone*."""
        seen: set[Shift] = set()
        for bucket in range(begin.toordinal() // _BUCKET, end.toordinal() // _BUCKET + 1):
            key = (zone.key, bucket)
            for shift in _kept(self._shifts, key, lambda: self._shifts_of(key[1], zone)):  # noqa: B023 - called at once
                if shift.end > begin and shift.begin < end and shift not in seen:
                    seen.add(shift)
                    yield shift

    def _days_of(self, year: int, month: int) -> Iterator[date]:
        first = date(year, month, 1)
        behind = date(year + month // 12, month % 12 + 1, 1)
        for event in self._query.between(first, behind):
            start, end = event.start, event.end
            if isinstance(start, datetime) or _is_cancelled(event):
                continue
            day = max(start, first)
            while day < min(max(end, start + timedelta(days=1)), behind):
                yield day
                day += timedelta(days=1)

    def _shifts_of(self, bucket: int, zone: ZoneInfo) -> tuple[Shift, ...]:
        first = datetime.fromordinal(bucket * _BUCKET).replace(tzinfo=UTC)
        found = self._query.between(first - _EDGE, first + timedelta(days=_BUCKET) + _EDGE)
        live = (each for each in found if not _is_cancelled(each))
        shifts = (Shift(_summary(each), _moment(each.start, zone), _moment(each.end, zone)) for each in live)
        return tuple(sorted((each for each in shifts if each.end > each.begin), key=lambda each: each.begin))


def _kept(store: dict[Any, Any], key: Any, made: Callable[[], Any]) -> Any:
    """*store[key]*, made when it is not there; the store never grows for ever."""
    if key not in store:
        if len(store) >= _MOST_KEPT:
            store.clear()
        store[key] = made()
    return store[key]


def _moment(when: date, zone: ZoneInfo) -> datetime:
    if not isinstance(when, datetime):
        when = datetime(when.year, when.month, when.day)  # noqa: DTZ001 - a wall clock
    return moment_of(when, zone).astimezone(UTC) if when.tzinfo is None else when.astimezone(UTC)


def _summary(event: Any) -> str:
    return " ".join(str(event.get("SUMMARY", "")).split())


def read_ical(content: bytes) -> Agenda:
    """*content* of an iCalendar. Raises ValueError with the sentence of what is wrong; then nothing of it is used."""
    if len(content) > MOST_BYTES:
        raise ValueError(f"has more than {MOST_BYTES // 1_000_000} MB; no calendar of shifts or days is so big")
    import icalendar
    import recurring_ical_events  # type: ignore[import-untyped]

    try:
        calendar = icalendar.Calendar.from_ical(content)
        events = [event for event in calendar.walk("VEVENT") if not _is_cancelled(event)]
        if len(events) > MOST_EVENTS:
            raise ValueError(f"more than {MOST_EVENTS} events")
        if sum(map(_steps, events)) > MOST_STEPS:
            raise ValueError(f"its events repeat more than {MOST_STEPS} times; give them an end (UNTIL)")
        query = recurring_ical_events.of(calendar)
        query.between(*_latest(events))  # whatever is wrong in a repetition is found now and not at night
    except ValueError as error:
        raise ValueError(f"is no iCalendar that can be used: {_short(error)}") from error
    except (KeyError, TypeError, AttributeError, IndexError, ArithmeticError, RecursionError) as error:
        raise ValueError(f"is no iCalendar that can be used: {type(error).__name__} {_short(error)}") from error
    return Agenda(query, tuple(dict.fromkeys(map(_summary, events))))


def _is_cancelled(event: Any) -> bool:
    return str(event.get("STATUS", "")).upper() == "CANCELLED"


def _latest(events: Sequence[Any]) -> tuple[date, date]:
    """The day on which the last event begins, and the one behind it."""
    starts = [_day(event.start) for event in events]
    last = max(starts, default=date(2000, 1, 1))
    return last, last + timedelta(days=1)


def _day(when: date) -> date:
    return when.date() if isinstance(when, datetime) else when


def _steps(event: Any) -> int:
    """How often *event* comes, as far as that is counted. Raises ValueError for what may not be repeated."""
    rules = event.get("RRULE", [])
    rules = rules if isinstance(rules, list) else [rules]
    length = max(1, (_day(event.end) - _day(event.start)).days)
    return 1 + sum(_steps_of(rule, _day(event.start), length) for rule in rules)


def _steps_of(rule: Any, start: date, length: int) -> int:
    """*length* in days: events that overlap themselves are dearer."""
    every = str(_only(rule, "FREQ")).upper()
    if every not in _STEP:
        raise ValueError(f"an event repeats by FREQ={every}; write DAILY, WEEKLY, MONTHLY or YEARLY")
    interval = int(_only(rule, "INTERVAL", 1))
    if interval < 1:
        raise ValueError(f"an event repeats every {interval}")
    if odd := sorted(set(map(str.upper, rule)) - (_KNOWN if _STEP[every] >= _STEP["MONTHLY"] else _KNOWN - _RARE)):
        raise ValueError(f"{', '.join(odd)} in a repetition of FREQ={every}")
    _only(rule, "BYHOUR", 0), _only(rule, "BYMINUTE", 0), _only(rule, "BYSECOND", 0)
    _possible(rule)
    until = min(_day(_only(rule, "UNTIL", _COUNTED_UNTIL)), _COUNTED_UNTIL)
    days = max(0, (until - start).days)
    times = days * len(rule.get("BYDAY", "1")) // (_STEP[every] * interval)
    times = min(times, int(_only(rule, "COUNT", times)))
    return times * (1 + length // (_STEP[every] * interval))


def _only(rule: Any, key: str, otherwise: Any = None) -> Any:
    """The one value of *key* in a repetition."""
    values = rule.get(key, [otherwise])
    if len(values) != 1:
        raise ValueError(f"a repetition with {len(values)} times {key}")
    return values[0]


def _possible(rule: Any) -> None:
    """That some month has the day: the search for a 30th of February would not end."""
    months, days = rule.get("BYMONTH", range(1, 13)), rule.get("BYMONTHDAY", [1])
    longest = max((_DAYS_IN[int(month) - 1] for month in months if 1 <= int(month) <= 12), default=0)
    if not any(1 <= abs(int(day)) <= longest for day in days):
        raise ValueError("a repetition on a day that no month has")


def _short(error: Exception) -> str:
    return " ".join(str(error).split())[:120]
