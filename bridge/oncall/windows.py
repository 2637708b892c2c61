"""Windows of time: whether a moment is inside, and when that ends.

A moment is inside when its wall clock in the window's zone is. So a missing hour holds no moment and both passes of
a doubled hour are inside. Days and calendars look at the day on which the window began.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Protocol
from zoneinfo import ZoneInfo

from bridge.config.models.windows import Calendar, Window
from bridge.config.spans import DateSpan, Hours
from bridge.oncall.clock import DAY, change_between, moments_of
from bridge.oncall.feeds import Feed, Feeds

FURTHEST = 400  # days ahead in which an end is looked for; what does not end by then never does
_LONGEST = 33  # days back in which the begin of a stretch is looked for
_INSTANT = timedelta(microseconds=1)
PERSON = "person"
_WHOLE_DAY = (Hours(0, 24 * 60),)


class Span(Protocol):
    """A compiled window. *person* is the zone of whoever would get the message: only zone ``person`` asks for it."""

    def holds(self, now: datetime, person: ZoneInfo) -> bool:
        """Whether *now* is inside."""

    def changes(self, day: date, person: ZoneInfo) -> Iterator[datetime]:
        """Moments around *day* at which the answer may change; too many do no harm."""


@dataclass(frozen=True, slots=True)
class Days:
    """The days of some calendars: those that are written, and those of iCalendars as they say it now."""

    spans: tuple[DateSpan, ...]
    feeds: tuple[Feed, ...]

    def __contains__(self, day: date) -> bool:
        if any(span.first <= day <= span.last for span in self.spans):
            return True
        return any(feed.has_day(day) for feed in self.feeds)


_NO_DAYS = Days((), ())


@dataclass(frozen=True, slots=True)
class Hourly:
    """Hours of certain days in a zone (None: the person's)."""

    hours: tuple[Hours, ...]
    days: frozenset[int] | None
    only: Days | None  # None: on all days
    never: Days
    zone: ZoneInfo | None

    def holds(self, now: datetime, person: ZoneInfo) -> bool:
        local = now.astimezone(self.zone or person)
        minute, today = local.hour * 60 + local.minute, local.date()
        return any(self._on(day) for day in _begun(self.hours, minute, today))

    def _on(self, day: date) -> bool:
        if self.days is not None and day.weekday() not in self.days:
            return False
        return (self.only is None or day in self.only) and day not in self.never

    def changes(self, day: date, person: ZoneInfo) -> Iterator[datetime]:
        zone = self.zone or person
        midnight = datetime(day.year, day.month, day.day)  # noqa: DTZ001 - a wall clock
        for minute in {0, *(edge for hours in self.hours for edge in (hours.start_minute, hours.end_minute))}:
            yield from moments_of(midnight + timedelta(minutes=minute), zone)
        begin = midnight.replace(tzinfo=UTC) - DAY
        if (jump := change_between(begin, begin + 3 * DAY, zone)) is not None:
            yield jump


@dataclass(frozen=True, slots=True)
class Joined:
    """One of several."""

    spans: tuple[Span, ...]

    def holds(self, now: datetime, person: ZoneInfo) -> bool:
        return any(span.holds(now, person) for span in self.spans)

    def changes(self, day: date, person: ZoneInfo) -> Iterator[datetime]:
        for span in self.spans:
            yield from span.changes(day, person)


@dataclass(frozen=True, slots=True)
class Outside:
    """Everything but a window."""

    span: Span

    def holds(self, now: datetime, person: ZoneInfo) -> bool:
        return not self.span.holds(now, person)

    def changes(self, day: date, person: ZoneInfo) -> Iterator[datetime]:
        yield from self.span.changes(day, person)


def _begun(hours: tuple[Hours, ...], minute: int, today: date) -> Iterator[date]:
    """The days on which the stretches began that hold *minute* of *today*."""
    for each in hours:
        if each.end_minute > each.start_minute:
            if each.start_minute <= minute < each.end_minute:
                yield today
        elif minute >= each.start_minute:
            yield today
        elif minute < each.end_minute:
            yield today - DAY


class Windows:
    """The windows of one configuration. *feeds* hold what the iCalendars of its calendars say."""

    def __init__(
        self,
        windows: Mapping[str, Window],
        calendars: Mapping[str, Calendar],
        timezone: str,
        feeds: Feeds | None = None,
    ) -> None:
        self.feeds = feeds if feeds is not None else Feeds()
        self._windows = windows
        self._calendars = calendars
        self.zone = ZoneInfo(timezone)
        self._named: dict[str, Span] = {}

    def compile(self, window: str | Window, *, unnamed: ZoneInfo | str | None = "") -> Span:
        """A window by name, or one written in place whose zone, if it names none, is *unnamed* (None: the person's).

        Raises KeyError with a sentence for a name that nobody knows, ValueError for a window that holds itself.
        """
        return self._compile(window, self.zone if isinstance(unnamed, str) else unnamed, ())

    def quiet(self, window: str | Window) -> Span:
        """The window of ``quiet``: one written in place runs in the person's zone unless it says otherwise."""
        return self.compile(window, unnamed=None)

    def test(self, window: str | Window) -> Callable[[datetime], bool]:
        """Whether a moment is inside, for conditions: they know no person, so ``person`` is the configured zone."""
        span, zone = self.compile(window), self.zone
        return lambda now: span.holds(now, zone)

    def inside(self, window: str | Window, now: datetime) -> bool:
        """Whether *now* is inside *window*."""
        return self.compile(window).holds(now, self.zone)

    def _compile(self, window: str | Window, unnamed: ZoneInfo | None, above: tuple[str, ...]) -> Span:
        if isinstance(window, str):
            return self._by_name(window, above)
        if window.any_:
            return Joined(tuple(self._compile(each, unnamed, above) for each in window.any_))
        if window.not_ is not None:
            return Outside(self._compile(window.not_, unnamed, above))
        return Hourly(
            window.hours or _WHOLE_DAY,
            window.days,
            self.dates(window.calendar) if window.calendar else None,
            self.dates(window.except_),
            self._zone(window.zone, unnamed),
        )

    def _by_name(self, name: str, above: tuple[str, ...]) -> Span:
        if name in above:
            raise ValueError(f"{name} holds itself")
        if name not in self._windows:
            raise KeyError(f'no window is called "{name}"')
        if name not in self._named:
            self._named[name] = self._compile(self._windows[name], self.zone, (*above, name))
        return self._named[name]

    @staticmethod
    def _zone(named: str | None, unnamed: ZoneInfo | None) -> ZoneInfo | None:
        if named is None:
            return unnamed
        return None if named == PERSON else ZoneInfo(named)

    def hourly(
        self, hours: tuple[Hours, ...], days: frozenset[int] | None, calendars: tuple[str, ...], zone: ZoneInfo
    ) -> Hourly:
        """Hours, days and calendars as a rota has them."""
        return Hourly(hours or _WHOLE_DAY, days, self.dates(calendars) if calendars else None, _NO_DAYS, zone)

    def dates(self, names: tuple[str, ...]) -> Days:
        """The days of all *names* of calendars. Raises KeyError with a sentence for one that nobody knows."""
        for name in names:
            if name not in self._calendars:
                raise KeyError(f'no calendar is called "{name}"')
        calendars = [self._calendars[name] for name in names]
        return Days(
            tuple(span for each in calendars for span in each.dates),
            tuple(self.feeds.feed(each.ical) for each in calendars if each.ical is not None),
        )


def next_change(span: Span, now: datetime, person: ZoneInfo) -> datetime | None:
    """The first moment after *now* at which *span* begins (if *now* is outside) or ends; None if it never does.

    The moment itself is on the other side: an end is outside, a begin inside.
    """
    inside = span.holds(now, person)
    for moment in _candidates(span, now, person):
        if moment > now and span.holds(moment, person) != inside:
            return moment
    return None


def _candidates(span: Span, now: datetime, person: ZoneInfo) -> Iterator[datetime]:
    """Rising moments at which *span* may change: those of a day in UTC come from three days of local clocks."""
    today = now.date()
    days = [list(span.changes(today + timedelta(days=ahead), person)) for ahead in (-1, 0)]
    for ahead in range(FURTHEST):
        days = [*days[-2:], list(span.changes(today + timedelta(days=ahead + 1), person))]
        wanted = today + timedelta(days=ahead)
        yield from sorted({moment for day in days for moment in day if moment.date() == wanted})


def begun(span: Span, now: datetime, person: ZoneInfo) -> datetime | None:
    """When the window that *now* is in began; None if it is outside, or it has been for longer than a month."""
    if not span.holds(now, person):
        return None
    for ago in range(_LONGEST):
        changes = {moment for moment in span.changes(now.date() + timedelta(days=1 - ago), person) if moment <= now}
        for moment in sorted(changes, reverse=True):
            if not span.holds(moment - _INSTANT, person):
                return moment
    return None


def next_end(span: Span, now: datetime, person: ZoneInfo) -> datetime | None:
    """When the window that *now* is in is over; *now* itself if it is outside, None if it never ends."""
    return next_change(span, now, person) if span.holds(now, person) else now
