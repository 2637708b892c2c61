"""People, teams, rotas, windows, calendars: who can be reached, by whom, without circles and holes."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

from bridge.config.checks.whole import Whole, each
from bridge.config.derived import allowed_destinations
from bridge.config.models import Rota, Window
from bridge.config.problem import Path, Problem
from bridge.config.spans import DAYS
from bridge.config.zones import new_name

RESERVED = frozenset({"recipient", "nobody", "thread", "sender", "on-call", "next"})
_WEEK_MINUTES = 7 * 24 * 60


def check_people(whole: Whole) -> Iterator[Problem]:
    """Phones, names, one-time codes."""
    phones: dict[str, str] = {}
    for name, person in whole.config.people.items():
        path: Path = ("people", name)
        if name in RESERVED:
            yield whole.wrong_key(path, f'"{name}" is a word of the format; choose another name')
        if person.phone in phones:
            sentence = f"{person.phone} is the phone of {phones[person.phone]} already; one phone for one person"
            yield whole.wrong((*path, "phone"), sentence)
        phones.setdefault(person.phone, name)
        yield from outside(whole, person.phone, (*path, "phone"))
        yield from old_zone(whole, person.timezone, (*path, "timezone"))
        code = person.one_time_code
        if code and (code.totp is None) == (code.list is None):
            yield whole.wrong((*path, "one_time_code"), "exactly one of totp and list")
        if person.quiet:
            yield from window_ref(whole, person.quiet.during, (*path, "quiet", "during"), person_zone=True)


def outside(whole: Whole, number: str, path: Path, *, file: str = "") -> Iterator[Problem]:
    """A phone or prefix outside ``destinations``; a prefix that only overlaps is inside."""
    allowed = allowed_destinations(whole.config)
    if not allowed or any(number.startswith(one) or one.startswith(number) for one in allowed):
        return
    why = "" if whole.config.destinations is not None else f" (region: {whole.config.region})"
    short = number if len(number) <= 6 else f"{number[:5]}…"
    listed = ", ".join(f'"{one}"' for one in (*allowed, number[:3]))
    yield whole.wrong(
        path, f"{short} is outside the allowed destinations{why}; write destinations: [{listed}]", file=file
    )


def old_zone(whole: Whole, zone: str | None, path: Path, *, file: str = "") -> Iterator[Problem]:
    """A warning for a zone that has got another name."""
    if zone and (name := new_name(zone)):
        yield whole.wrong(path, f'"{zone}" is an old name; write {name}', "warning", file=file)


def check_teams(whole: Whole) -> Iterator[Problem]:
    """Members exist; teams do not hold themselves; people and teams share one set of names."""
    for name, team in whole.config.teams.items():
        path: Path = ("teams", name)
        if name in RESERVED:
            yield whole.wrong_key(path, f'"{name}" is a word of the format; choose another name')
        if name in whole.names("people"):
            yield whole.wrong_key(path, "a person has this name; people and teams share one set of names")
        if not team.members:
            yield whole.wrong((*path, "members"), "a team of nobody; name its members")
        for at, member in each((*path, "members"), team.members):
            yield from whole.unknown_person_or_team(member, at)
    teams = {name: team.members for name, team in whole.config.teams.items()}
    for name, sentence in circles(teams):
        yield whole.wrong_key(("teams", name, "members"), sentence)


def circles(links: Mapping[str, tuple[str, ...]]) -> Iterator[tuple[str, str]]:
    """The names of *links* that lead back to themselves, with the sentence; each circle once, at its first name."""
    told: set[str] = set()
    for start in links:
        trail = _circle(start, links)
        if trail and not told.intersection(trail):
            told.update(trail)
            yield start, "a circle: " + " → ".join((*trail, start))


def _circle(start: str, links: Mapping[str, tuple[str, ...]]) -> tuple[str, ...]:
    """The way from *start* back to itself, () when there is none."""
    open_ways: list[tuple[str, ...]] = [(start,)]
    seen: set[str] = set()
    while open_ways:
        way = open_ways.pop()
        for name in links.get(way[-1], ()):
            if name == start:
                return way
            if name not in seen:
                seen.add(name)
                open_ways.append((*way, name))
    return ()


def check_rotas(whole: Whole) -> Iterator[Problem]:
    """Members, beginning, holes, and where a rota falls."""
    for name, rota in whole.config.rotas.items():
        yield from _rota(whole, name, rota)
    falls = {
        name: tuple(who.name for who in rota.otherwise if who.kind in ("on-call", "next"))
        for name, rota in whole.config.rotas.items()
    }
    for name, sentence in circles(falls):
        yield whole.wrong_key(("rotas", name, "otherwise"), sentence)


def _rota(whole: Whole, name: str, rota: Rota) -> Iterator[Problem]:
    path: Path = ("rotas", name)
    if bool(rota.members) == (rota.ical is not None):
        yield whole.wrong_key(path, "exactly one of members and ical")
    if len(rota.members) > 1 and rota.starts is None:
        yield whole.wrong_key(path, "starts is missing; without it nobody knows whose turn it is")
    for at, member in each((*path, "members"), rota.members):
        if member in whole.names("teams"):
            yield whole.wrong(at, f'"{member}" is a team; a rota has people, in turn')
        elif member not in whole.names("people"):
            yield from whole.unknown_person_or_team(member, at)
    for at, calendar in each((*path, "calendar"), rota.calendar):
        yield from whole.unknown("calendars", calendar, at, "calendar")
    for at, who in each((*path, "otherwise"), rota.otherwise):
        yield from whole.unknown_who(who, at)
    yield from old_zone(whole, rota.timezone, (*path, "timezone"))
    if rota.ical is not None and (rota.ical.file is None) == (rota.ical.url is None):
        yield whole.wrong((*path, "ical"), "exactly one of file and url")
    if not rota.otherwise and (hole := _hole(rota)):
        yield whole.wrong_key(path, f"{hole}; widen hours, or say who then: otherwise: {_instead(whole, rota)}")


def _instead(whole: Whole, rota: Rota) -> str:
    """A team that could stand in: one that holds all members."""
    wanted = set(rota.members)
    return next((name for name, team in whole.config.teams.items() if wanted <= set(team.members)), "NAME")


def _hole(rota: Rota) -> str:
    """The first stretch of the week in which nobody is on call: ``nobody from Sun 08:00 to Sun 20:00``; "" = none."""
    if rota.calendar:
        return f"nobody on days outside {', '.join(rota.calendar)}"
    staffed = [False] * _WEEK_MINUTES
    days = rota.days if rota.days is not None else frozenset(range(7))
    for day in days:
        for begin, end in [(hours.start_minute, hours.end_minute) for hours in rota.hours] or [(0, 1440)]:
            length = end - begin if end > begin else end - begin + 1440
            for minute in range(length):
                staffed[(day * 1440 + begin + minute) % _WEEK_MINUTES] = True
    if all(staffed):
        return ""
    starts = [minute for minute in range(_WEEK_MINUTES) if not staffed[minute] and staffed[minute - 1]]
    start = starts[0] if starts else 0
    length = next((step for step in range(_WEEK_MINUTES) if staffed[(start + step) % _WEEK_MINUTES]), _WEEK_MINUTES)
    return f"nobody from {_week_clock(start)} to {_week_clock((start + length) % _WEEK_MINUTES)}"


def _week_clock(minute: int) -> str:
    return f"{DAYS[minute // 1440]} {minute % 1440 // 60:02}:{minute % 60:02}"


def check_windows(whole: Whole) -> Iterator[Problem]:
    """Named windows, calendars and the circles among windows."""
    for name, window in whole.config.windows.items():
        yield from window_ref(whole, window, ("windows", name), person_zone=True)
    for name, calendar in whole.config.calendars.items():
        if calendar.ical is not None and (calendar.ical.file is None) == (calendar.ical.url is None):
            yield whole.wrong(("calendars", name, "ical"), "exactly one of file and url")
        if not calendar.dates and calendar.ical is None:
            yield whole.wrong_key(("calendars", name), "no day in it; write dates: or ical:")
    links = {name: tuple(_named(window)) for name, window in whole.config.windows.items()}
    for name, sentence in circles(links):
        yield whole.wrong_key(("windows", name), sentence)


def _named(window: Window) -> Iterator[str]:
    for one in (*window.any_, *([window.not_] if window.not_ is not None else [])):
        if isinstance(one, str):
            yield one
        else:
            yield from _named(one)


def window_ref(
    whole: Whole, window: Window | str | None, path: Path, *, file: str = "", person_zone: bool = False
) -> Iterator[Problem]:
    """Names inside a window; ``any`` and ``not`` stand alone; ``zone: person`` only for quiet hours."""
    if window is None:
        return
    if isinstance(window, str):
        yield from whole.unknown("windows", window, path, "window", file=file)
        return
    for alone, value in (("any", window.any_), ("not", window.not_)):
        if value and len(window.model_fields_set) > 1:
            yield whole.wrong((*path, alone), f"{alone} stands alone in its window", file=file)
    for key, names in (("calendar", window.calendar), ("except", window.except_)):
        for at, name in each((*path, key), names):
            yield from whole.unknown("calendars", name, at, "calendar", file=file)
    if window.zone == "person" and not person_zone:
        yield whole.wrong((*path, "zone"), "person has a meaning only in quiet hours; name a zone", file=file)
    elif window.zone:
        yield from old_zone(whole, window.zone, (*path, "zone"), file=file)
    for at, one in each((*path, "any"), window.any_):
        yield from window_ref(whole, one, at, file=file, person_zone=person_zone)
    yield from window_ref(whole, window.not_, (*path, "not"), file=file, person_zone=person_zone)


_NAMED = "sources mailboxes people teams rotas calendars windows escalations providers budgets monitors".split()


def check_case(whole: Whole) -> Iterator[Problem]:
    """Two names of one map that differ only by case are one name."""
    for file in (whole.places.main, *whole.places.included):
        for kind in _NAMED:
            names = whole.places.documents[file].data.get(kind)
            seen: dict[str, str] = {}
            for name in names if isinstance(names, dict) else ():
                first = seen.setdefault(name.casefold(), name)
                if first != name:
                    sentence = f"is called like {first}; names are matched without regard to case"
                    yield whole.wrong_key((kind, str(name)), sentence, file=file)


CHECKS: tuple[Callable[[Whole], Iterator[Problem]], ...] = (
    check_people, check_teams, check_rotas, check_windows, check_case,
)  # fmt: skip
