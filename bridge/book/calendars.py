"""The iCalendars of a configuration: files are read when the book is made, URLs are fetched by the application.

It keeps what it fetched last beside the store, and every process reads it there. What is wrong with a file, and whom
the shifts do not cover, is told here with its place; ``now`` is an argument.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from ipaddress import ip_address
from pathlib import Path as FilePath
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from bridge.config.load import Loaded
from bridge.config.models.windows import Ical
from bridge.config.problem import Path
from bridge.config.similar import did_you_mean
from bridge.oncall.feeds import Feeds
from bridge.oncall.ical import MOST_BYTES
from bridge.oncall.people import People

LOOKED_AHEAD = timedelta(days=90)
_MOST_SHOWN = 3  # holes, and titles of strangers


@dataclass(slots=True)
class ReadCalendars:
    """What came of reading: *feeds* with the content of every file that could be read."""

    feeds: Feeds
    errors: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)


def read_calendars(loaded: Loaded) -> ReadCalendars:
    """Every iCalendar that *loaded* names; those behind a URL are still empty.

    A file that cannot be understood is an error. One that is not there is a warning: on another machine it may be,
    and a rota that falls to its ``otherwise`` is better than a bridge that does not start.
    """
    config = loaded.config
    read = ReadCalendars(Feeds.of(config.rotas, config.calendars))
    for path, ical in _named(loaded):
        if ical.file is not None:
            _read_file(loaded, read, path, ical)
        elif ical.url is not None and not _is_safe(ical.url):
            sentence = f"{urlsplit(ical.url).scheme}: whoever is on the way could put himself on call; write https"
            read.errors.append(_told(loaded, (*path, "url"), sentence))
    return read


def _is_safe(url: str) -> bool:
    """Verified and encrypted, or not leaving this machine."""
    parts = urlsplit(url)
    if parts.scheme == "https":
        return True
    try:
        return ip_address(parts.hostname or "").is_loopback
    except ValueError:
        return parts.hostname == "localhost"


def copy_of(folder: FilePath, url: str) -> FilePath:
    """Where what *url* said last is kept beside the store. A URL may be a secret, so its digest is the name."""
    return folder / "calendars" / f"{hashlib.sha256(url.encode()).hexdigest()[:32]}.ics"


def recall(feeds: Feeds, folder: FilePath) -> None:
    """Give *feeds* the last good copy of every URL of which they know nothing yet. A copy that is spoilt is none."""
    for url in feeds.missing():
        try:
            feeds.take(url, copy_of(folder, url).read_bytes())
        except (OSError, ValueError):
            continue  # it is fetched soon; until then nobody is on call by it, which is said then


def _named(loaded: Loaded) -> Iterator[tuple[Path, Ical]]:
    """Every place of the configuration that names an iCalendar."""
    for kind, named in (("rotas", loaded.config.rotas), ("calendars", loaded.config.calendars)):
        for name, each in named.items():
            if each.ical is not None:
                yield (kind, name, "ical"), each.ical


def _read_file(loaded: Loaded, read: ReadCalendars, path: Path, ical: Ical) -> None:
    feed, file = read.feeds.feed(ical), loaded.folder / str(ical.file)
    if feed.agenda is not None:
        return  # another name of the same file
    try:
        with file.open("rb") as opened:
            feed.take(opened.read(MOST_BYTES + 1))
    except FileNotFoundError:
        nothing = "nobody is on call by it" if path[0] == "rotas" else "no day is in it"
        read.warnings.append(_told(loaded, (*path, "file"), f"no file {file} here; {nothing}"))
    except OSError as error:
        read.errors.append(_told(loaded, (*path, "file"), f"{file} cannot be read: {error.strerror}"))
    except ValueError as error:
        read.errors.append(_told(loaded, (*path, "file"), f"{file} {error}"))


def _told(loaded: Loaded, path: Path, sentence: str) -> str:
    return str(loaded.places.problem(loaded.places.main, path, sentence))


def uncovered(loaded: Loaded, people: People, now: datetime) -> tuple[str, ...]:
    """Warnings about rotas of iCalendars: titles that are nobody's, and holes of the next 90 days."""
    warnings: list[str] = []
    for name, rota in loaded.config.rotas.items():
        duty = people.rotas.duty(name)
        if duty is None or duty.feed.agenda is None:
            continue
        path: Path = ("rotas", name, "ical")
        if strangers := duty.strangers():
            known = frozenset(loaded.config.people)
            shown = ", ".join(f'"{each[:40]}"{did_you_mean(each, known)}' for each in strangers[:_MOST_SHOWN])
            sentence = f"{_shown(shown, len(strangers))} is nobody here; a title is a person's key, name or email"
            warnings.append(_told(loaded, path, sentence))
        holes = [each for each in duty.holes(now, now + LOOKED_AHEAD) if people.rotas.wants(name, *each)]
        if holes:
            then = "otherwise has it" if rota.otherwise else "the operator gets it; say who then: otherwise: NAME"
            listed = ", ".join(_span(*each, duty.zone) for each in holes[:_MOST_SHOWN])
            warnings.append(_told(loaded, path, f"nobody {_shown(listed, len(holes))}; {then}"))
    return tuple(warnings)


def _shown(listed: str, count: int) -> str:
    return f"{listed} and {count - _MOST_SHOWN} more" if count > _MOST_SHOWN else listed


def _span(begin: datetime, end: datetime, zone: ZoneInfo) -> str:
    """``from 2026-12-01 09:00 to 2026-12-08 09:00``."""
    return f"from {begin.astimezone(zone):%Y-%m-%d %H:%M} to {end.astimezone(zone):%Y-%m-%d %H:%M}"
