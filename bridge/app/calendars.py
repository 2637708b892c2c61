"""iCalendars behind URLs: fetched when a book is taken and every hour, and handed to the book in force.

No door waits for them. What was fetched last is kept beside the store, so a start without a network knows who is on
call; what cannot be fetched or read never replaces a good copy, and a person hears of it once.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from urllib.parse import urlsplit

import structlog

from bridge.book import RuleBook
from bridge.book.calendars import copy_of, recall
from bridge.config.models import Config
from bridge.errors import DeliveryError
from bridge.observe import Metrics
from bridge.oncall.ical import MOST_BYTES
from bridge.providers.http import HttpClient

log = structlog.get_logger("calendars")

_EVERY = 3600.0  # seconds
_AGAIN = (60.0, 300.0, 900.0)  # after the first, second … failure in a row; then as ever
_WITHIN = 30.0  # for one fetch, whatever the other side does
_SERIOUS = 2  # failures in a row of which a person hears, if there is a copy; without one the first is serious
_OK = 200


@dataclass(slots=True)
class _Course:
    """How it goes with one URL."""

    due: float = 0.0  # by the loop's clock
    failures: int = 0  # in a row
    told: bool = False  # a person heard of them
    digest: bytes = b""  # of the content that was taken last


class Calendars:
    """Fetches until it is stopped. *trouble* hears, once, of a calendar that is not to be had: (its names, why)."""

    def __init__(
        self,
        folder: Path,
        book: Callable[[], RuleBook],
        http: HttpClient,
        *,
        now: Callable[[], datetime],
        metrics: Metrics,
        trouble: Callable[[str, str], None],
    ) -> None:
        """*folder* is that of the store."""
        self._folder = folder
        self._book = book
        self._http = http
        self._now = now
        self._metrics = metrics
        self._trouble = trouble
        self._courses: dict[str, _Course] = {}
        self._woken = asyncio.Event()

    def taken(self, book: RuleBook, before: RuleBook | None = None) -> None:
        """*book* is going to be in force: what is known holds in it, and everything is fetched soon."""
        feeds = book.people.rotas.feeds
        if before is not None:
            feeds.follow(before.people.rotas.feeds)
        recall(feeds, self._folder)
        old = self._courses
        self._courses = {url: _Course(told=url in old and old[url].told) for url in feeds.urls}
        self._woken.set()

    async def run(self) -> None:
        """Work until cancelled."""
        loop = asyncio.get_running_loop()
        while True:
            self._woken.clear()
            courses = self._courses
            due = [url for url, course in courses.items() if course.due <= loop.time()]
            await asyncio.gather(*(self._follow(url, courses[url]) for url in due))
            soonest = min((course.due for course in courses.values()), default=loop.time() + _EVERY)
            await _wait(self._woken, soonest - loop.time())

    async def _follow(self, url: str, course: _Course) -> None:
        names = ", ".join(names_of(self._book().config).get(url, ()))
        if not names:
            return  # another book was taken this very moment
        try:
            content = await self._fetched(url)
            await self._take(url, content, course)
        except ValueError as error:
            self._failed(url, names, course, str(error))
            return
        if course.failures:
            log.info("calendar is fetched again", calendar=names)
        course.failures, course.told = 0, False
        course.due = asyncio.get_running_loop().time() + _EVERY
        self._metrics.calendar_fetches.labels(names, "fetched").inc()
        self._metrics.calendar_fetched.labels(names).set(self._now().timestamp())

    async def _fetched(self, url: str) -> bytes:
        """Raises ValueError with what is wrong. Redirects are not followed: the address is the operator's word."""
        try:
            answer = await self._http.ask("GET", url, None, {}, within=_WITHIN, most=MOST_BYTES)
        except DeliveryError as error:
            raise ValueError(error.reason) from error
        if answer.status != _OK:
            raise ValueError(f"{urlsplit(url).hostname} answers {answer.status}")
        return answer.body

    async def _take(self, url: str, content: bytes, course: _Course) -> None:
        """Reading a megabyte takes a while: it is done beside the loop, and only when something changed."""
        digest = hashlib.sha256(content).digest()
        if digest == course.digest:
            return
        await asyncio.to_thread(self._book().people.rotas.feeds.take, url, content)
        course.digest = digest
        try:
            await asyncio.to_thread(_keep, copy_of(self._folder, url), content)
        except OSError as error:
            log.warning("calendar is not kept", host=urlsplit(url).hostname, why=error.strerror)

    def _failed(self, url: str, names: str, course: _Course, why: str) -> None:
        wait = _AGAIN[course.failures] if course.failures < len(_AGAIN) else _EVERY
        course.failures += 1
        course.due = asyncio.get_running_loop().time() + wait
        self._metrics.calendar_fetches.labels(names, "failed").inc()
        copy = url not in self._book().people.rotas.feeds.missing()
        log.warning("no calendar", calendar=names, why=why, failures=course.failures, copy_holds=copy)
        if not course.told and (not copy or course.failures >= _SERIOUS):
            course.told = True
            self._trouble(names, why if copy else f"{why}. There is no copy: nobody is on call by it, no day is in it")


def names_of(config: Config) -> Mapping[str, tuple[str, ...]]:
    """URL → what it is called in the configuration: ``rotas.duty``. The URL itself may be a secret."""
    found: dict[str, list[str]] = {}
    for name, url in _named(config):
        found.setdefault(url, []).append(name)
    return {url: tuple(names) for url, names in found.items()}


def _named(config: Config) -> Iterator[tuple[str, str]]:
    for kind, entries in (("rotas", config.rotas), ("calendars", config.calendars)):
        for name, entry in entries.items():
            if entry.ical is not None and entry.ical.url is not None:
                yield f"{kind}.{name}", entry.ical.url


def _keep(file: Path, content: bytes) -> None:
    """Whole or not at all: a copy that was cut off by a full disk must not take the place of a good one."""
    file.parent.mkdir(mode=0o700, exist_ok=True)
    fresh = file.with_suffix(".new")
    fresh.write_bytes(content)
    fresh.replace(file)


async def _wait(event: asyncio.Event, seconds: float) -> None:
    try:
        async with asyncio.timeout(max(seconds, 0.0)):
            await event.wait()
    except TimeoutError:
        return
