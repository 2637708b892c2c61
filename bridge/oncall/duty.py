"""A rota that stands in an iCalendar: whose name is on the shift of a moment.

A shift counts when its title is a person's key, name or mail address; other titles are nobody's. Where shifts
overlap, the one that began last holds: that is how people write an exception over a rule.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from bridge.config.models.people import Person
from bridge.oncall.feeds import Feed
from bridge.oncall.ical import Shift

FURTHEST = timedelta(days=120)  # how far the next shift is looked for
_SECOND = timedelta(seconds=1)
_STRETCH = timedelta(days=28)  # of shifts that are looked at together


@dataclass(frozen=True, slots=True)
class Turn:
    """One stretch of one person; *end* is the next one's begin."""

    person: str
    begin: datetime
    end: datetime


@dataclass(frozen=True, slots=True)
class Duty:
    """One rota's shifts; *people* are keys by folded key, name and mail address."""

    feed: Feed
    people: Mapping[str, str]
    zone: ZoneInfo

    def person(self, now: datetime) -> str | None:
        """Who is on duty at *now*; None where no shift is, or none of a person we know."""
        return self._of(tuple(self.feed.shifts(now, now + _SECOND, self.zone)), now)

    def turn(self, now: datetime) -> Turn | None:
        """The stretch that *now* belongs to, of a person; where it is still on after ``FURTHEST``, it ends there."""
        person = self.person(now)
        if person is None:
            return None
        begin = self._while(person, reversed(self._edges(now - FURTHEST, now)), now - FURTHEST)
        end = next((edge for edge in self._edges_after(now) if self.person(edge) != person), now + FURTHEST)
        return Turn(person, begin, end)

    def turns(self, now: datetime) -> Iterator[Turn]:
        """The turn of *now* and those that begin after it, holes left out, as far as ``FURTHEST``."""
        turn = self.turn(now)
        if turn is not None:
            yield turn
        behind = turn.end if turn is not None else now
        for edge in self._edges_after(now):
            if edge >= behind and (turn := self.turn(edge)) is not None:
                yield turn
                behind = turn.end

    def holes(self, begin: datetime, end: datetime) -> Iterator[tuple[datetime, datetime]]:
        """Stretches between *begin* and *end* in which nobody is on duty."""
        hole: datetime | None = None
        for edge in (begin, *self._edges(begin, end), end):
            person = self.person(edge)
            if person is None and hole is None:
                hole = edge
            elif (person is not None or edge == end) and hole is not None:
                if hole < edge:
                    yield hole, edge
                hole = None

    def strangers(self) -> tuple[str, ...]:
        """Titles that are nobody's."""
        agenda = self.feed.agenda
        return tuple(each for each in (agenda.summaries if agenda else ()) if each.casefold() not in self.people)

    def change_after(self, now: datetime) -> datetime | None:
        """The first moment after *now* at which somebody else (or nobody) is on duty; None if none is near."""
        person = self.person(now)
        return next((edge for edge in self._edges_after(now) if self.person(edge) != person), None)

    def _of(self, shifts: Sequence[Shift], now: datetime) -> str | None:
        holding = [each for each in shifts if each.begin <= now < each.end and each.summary.casefold() in self.people]
        last = max(holding, key=lambda each: (each.begin, each.summary), default=None)
        return None if last is None else self.people[last.summary.casefold()]

    def _while(self, person: str, edges: Iterator[datetime], otherwise: datetime) -> datetime:
        """The last of the falling *edges* from which on it is *person* all the time."""
        begin = otherwise
        for edge in edges:
            if self.person(edge) != person:
                return begin
            begin = edge
        return begin

    def _edges(self, begin: datetime, end: datetime) -> list[datetime]:
        """Begins and ends of shifts after *begin*, up to *end*."""
        shifts = self.feed.shifts(begin, end + _SECOND, self.zone)
        edges = {edge for shift in shifts for edge in (shift.begin, shift.end)}
        return sorted(edge for edge in edges if begin < edge <= end)

    def _edges_after(self, now: datetime) -> Iterator[datetime]:
        begin = now
        while begin < now + FURTHEST:
            yield from self._edges(begin, begin + _STRETCH)
            begin += _STRETCH


def names_of(people: Mapping[str, Person]) -> dict[str, str]:
    """Everything that means a person in a title, folded. A key beats names; a name of two people means neither."""
    found: dict[str, set[str]] = {}
    for key, person in people.items():
        for name in filter(None, (person.name, person.email)):
            found.setdefault(" ".join(name.split()).casefold(), set()).add(key)
    named = {name: next(iter(keys)) for name, keys in found.items() if len(keys) == 1}
    return named | {key.casefold(): key for key in people}
