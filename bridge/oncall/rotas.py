"""Rotas: whose turn it is at a moment, and who comes next.

Turns follow each other by the wall clock of the rota's zone: a handover in a missing hour is at the first minute
after it, in a doubled hour at the first pass. So each moment belongs to exactly one turn. Turns go on before
``starts`` as they do after it: nobody is left without a name because the first Monday is still to come.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

from bridge.config.models.people import Person, Rota
from bridge.errors import ConfigError
from bridge.model import Override
from bridge.oncall.clock import moment_of
from bridge.oncall.duty import Duty, Turn, names_of
from bridge.oncall.windows import Hourly, Windows, next_change

_ALWAYS_ON = datetime(1, 1, 1, tzinfo=UTC), datetime(9999, 1, 1, tzinfo=UTC)


class Rotas:
    """The rotas of one configuration. Names are in lower case, as the configuration has them."""

    def __init__(
        self, rotas: Mapping[str, Rota], windows: Windows, timezone: str, people: Mapping[str, Person] | None = None
    ) -> None:
        """*people* are those whom shifts of iCalendars may name."""
        self._rotas = rotas
        self.feeds = windows.feeds
        self._zones = {name: ZoneInfo(rota.timezone or timezone) for name, rota in rotas.items()}
        self._staffed = {name: _staffed(name, rota, self._zones[name], windows) for name, rota in rotas.items()}
        names = names_of(people or {})
        self._duties = {
            name: Duty(self.feeds.feed(rota.ical), names, self._zones[name])
            for name, rota in rotas.items()
            if rota.ical is not None
        }

    def __contains__(self, rota: str) -> bool:
        return rota in self._rotas

    def __iter__(self) -> Iterator[str]:
        return iter(self._rotas)

    def rota(self, rota: str) -> Rota:
        """The rota as written."""
        return self._rotas[rota]

    def who(self, rota: str, now: datetime, overrides: Sequence[Override] = ()) -> str | None:
        """The person on call at *now*; None where the rota is not staffed, and ``otherwise`` says who."""
        taken = overriding(rota, now, overrides)
        if taken is not None:
            return taken
        if not self._is_staffed(rota, now):
            return None
        if rota in self._duties:
            return self._duties[rota].person(now)
        turn = self.turn(rota, now)
        return turn.person if turn else None

    def next(self, rota: str, now: datetime, overrides: Sequence[Override] = ()) -> str | None:
        """Who takes the next turn: the next one who is not on call now. Out of hours, whoever begins.

        A rota of one person gives that person; None only for a rota without members.
        """
        current = self.who(rota, now, overrides)
        if rota in self._duties:
            return self._next_on_duty(rota, now, current, overrides)
        if current is None:
            staffed = self._staffed[rota]
            begin = next_change(staffed, now, self._zones[rota]) if staffed else None
            return self.who(rota, begin, overrides) if begin else None
        after = (overriding(rota, turn.begin, overrides) or turn.person for turn in self.turns(rota, now))
        return next((person for person in after if person != current), current)

    def _next_on_duty(self, rota: str, now: datetime, current: str | None, overrides: Sequence[Override]) -> str | None:
        """The person of the next shift who is not on call now; the one on call where nobody else comes."""
        begins = (turn.begin for turn in self._duties[rota].turns(now) if turn.begin > now)
        after = (self.who(rota, begin, overrides) for begin in begins)
        return next((person for person in after if person is not None and person != current), current)

    def duty(self, rota: str) -> Duty | None:
        """The shifts of a rota that stands in an iCalendar; None for one of members."""
        return self._duties.get(rota)

    def turn(self, rota: str, now: datetime) -> Turn | None:
        """The turn that *now* belongs to, overrides and hours aside; None for a rota without members, and where no
        shift is."""
        return self._duties[rota].turn(now) if rota in self._duties else next(self.turns(rota, now), None)

    def turns(self, rota: str, now: datetime) -> Iterator[Turn]:
        """The turn of *now* and those after it, once around; of an iCalendar for some months."""
        if rota in self._duties:
            yield from self._duties[rota].turns(now)
            return
        plan, zone = self._rotas[rota], self._zones[rota]
        if plan.starts is None:
            yield from (Turn(person, *_ALWAYS_ON) for person in plan.members[:1])
            return
        first = _turn_number(plan, zone, now)
        for number in range(first, first + len(plan.members) + 1 if plan.members else first):
            begin, end = _begin(plan, zone, number), _begin(plan, zone, number + 1)
            yield Turn(plan.members[number % len(plan.members)], begin, end)

    def until(self, rota: str, now: datetime, overrides: Sequence[Override] = ()) -> datetime | None:
        """When the one who is on call now (or nobody) gives way; None for never."""
        ends = [each.end for each in overrides if each.rota == rota and each.begin <= now < each.end]
        if ends:
            return min(ends)
        begins = [each.begin for each in overrides if each.rota == rota and each.begin > now]
        staffed = self._staffed[rota]
        change = next_change(staffed, now, self._zones[rota]) if staffed else None
        if rota in self._duties:
            shift = self._duties[rota].change_after(now)
            return min([*begins, *(each for each in (shift, change) if each is not None)], default=None)
        turn = self.turn(rota, now)
        if turn and turn.end != _ALWAYS_ON[1] and self._is_staffed(rota, now):
            begins.append(turn.end)
        return min([*begins, *([change] if change else [])], default=None)

    def wants(self, rota: str, begin: datetime, end: datetime) -> bool:
        """Whether the rota's hours, days and calendars want somebody at some time of *begin* … *end*."""
        if self._is_staffed(rota, begin):
            return True
        staffed = self._staffed[rota]
        change = next_change(staffed, begin, self._zones[rota]) if staffed else None
        return change is not None and change < end

    def _is_staffed(self, rota: str, now: datetime) -> bool:
        staffed = self._staffed[rota]
        return staffed is None or staffed.holds(now, self._zones[rota])


def overriding(rota: str, now: datetime, overrides: Sequence[Override]) -> str | None:
    """Who overrides the rota at *now*; of several the last one made."""
    holding = [each.person for each in overrides if each.rota == rota and each.begin <= now < each.end]
    return holding[-1] if holding else None


def _staffed(name: str, rota: Rota, zone: ZoneInfo, windows: Windows) -> Hourly | None:
    """When the rota is staffed; None for always. Raises ConfigError for a calendar that nobody knows."""
    if not rota.hours and rota.days is None and not rota.calendar:
        return None
    try:
        return windows.hourly(rota.hours, rota.days, rota.calendar, zone)
    except KeyError as error:
        raise ConfigError((f"rotas.{name}.calendar: {error.args[0]}",)) from None


def _begin(rota: Rota, zone: ZoneInfo, number: int) -> datetime:
    return moment_of(_first_handover(rota) + number * rota.every, zone)


def _turn_number(rota: Rota, zone: ZoneInfo, now: datetime) -> int:
    """The last turn that has begun. A wall clock that went back guesses too low, and none guesses too high: before the
    first moment that shows a time, every clock shows less."""
    local = now.astimezone(zone).replace(tzinfo=None)
    number = (local - _first_handover(rota)) // rota.every
    while _begin(rota, zone, number + 1) <= now:
        number += 1
    return number


def _first_handover(rota: Rota) -> datetime:
    """The wall clock at which the first member begins: the first handover on or after the day of ``starts``."""
    assert rota.starts is not None  # noqa: S101 - asked only for rotas that have it
    minute, weekday = rota.handover.minute, rota.handover.day
    later = 0 if weekday is None else (weekday - rota.starts.weekday()) % 7
    return datetime.combine(rota.starts, time(minute // 60, minute % 60)) + timedelta(days=later)
