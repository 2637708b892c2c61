"""The iCalendars of one configuration, and what they said last.

The rule book knows who is asked; what the calendars say changes while it runs. So this is the one thing of a book
that is put in from outside: the application hands over what it fetched, and a copy that cannot be read never
replaces a good one.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from zoneinfo import ZoneInfo

from bridge.config.models.people import Rota
from bridge.config.models.windows import Calendar, Ical
from bridge.oncall.ical import Agenda, Shift, read_ical


@dataclass(slots=True)
class Feed:
    """One iCalendar, and the content that holds; None before the first good copy: no day, no shift."""

    ical: Ical
    agenda: Agenda | None = None

    @property
    def name(self) -> str:
        """The path as written, or the URL."""
        return self.ical.file or str(self.ical.url)

    def take(self, content: bytes) -> None:
        """Use *content* from now on. Raises ValueError with a sentence; then what was there stays."""
        self.agenda = read_ical(content)

    def has_day(self, day: date) -> bool:
        """Whether a whole-day event covers *day*."""
        return self.agenda is not None and self.agenda.has_day(day)

    def shifts(self, begin: datetime, end: datetime, zone: ZoneInfo) -> Iterator[Shift]:
        """Events that touch *begin* … *end*, in order."""
        return self.agenda.shifts(begin, end, zone) if self.agenda is not None else iter(())


@dataclass(frozen=True, slots=True)
class Feeds:
    """Every iCalendar that rotas and calendars name; one that several name is read once."""

    _feeds: dict[Ical, Feed] = field(default_factory=dict)

    @classmethod
    def of(cls, rotas: Mapping[str, Rota], calendars: Mapping[str, Calendar]) -> Feeds:
        """Those of a configuration, all empty yet."""
        named = [*(rota.ical for rota in rotas.values()), *(calendar.ical for calendar in calendars.values())]
        return cls({ical: Feed(ical) for ical in named if ical is not None})

    def feed(self, ical: Ical) -> Feed:
        """The feed of *ical*; an empty one for what the configuration does not name."""
        return self._feeds.setdefault(ical, Feed(ical))

    def __iter__(self) -> Iterator[Feed]:
        return iter(tuple(self._feeds.values()))

    @property
    def urls(self) -> tuple[str, ...]:
        """What the application has to fetch, and to hand to :meth:`take`."""
        return tuple(str(feed.ical.url) for feed in self if feed.ical.url is not None)

    def follow(self, before: Feeds) -> None:
        """What an earlier book knew of the same URLs holds until they are fetched again."""
        known = {feed.ical.url: feed.agenda for feed in before}
        for feed in self:
            if feed.ical.url is not None and feed.agenda is None:
                feed.agenda = known.get(feed.ical.url)

    def missing(self) -> tuple[str, ...]:
        """The URLs of which there is no copy at all."""
        return tuple(str(feed.ical.url) for feed in self if feed.ical.url is not None and feed.agenda is None)

    def take(self, url: str, content: bytes) -> None:
        """*content* was fetched from *url*. Raises ValueError with a sentence; then the last good copy stays."""
        for feed in self:
            if feed.ical.url is not None and str(feed.ical.url) == url:
                feed.take(content)
