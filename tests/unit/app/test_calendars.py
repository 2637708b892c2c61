"""iCalendars over a real HTTP server: fetched, kept, and never exchanged for something worse."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from bridge.app.bridge import Bridge, Surroundings
from bridge.app.calendars import Calendars
from bridge.book import RuleBook
from bridge.book.calendars import copy_of, recall
from bridge.book.loading import load_book
from bridge.errors import ConfigError
from bridge.observe import Metrics
from bridge.oncall.ical import MOST_BYTES
from bridge.providers.http import HttpClient

pytestmark = pytest.mark.anyio

NOW = datetime(2026, 11, 21, 3, 0, tzinfo=UTC)
CONFIG = """
listen: [{{door: smtp, address: "127.0.0.1:0", trust: 127.0.0.0/8}}]
domains: bridge.test
operator: {{mail: operator@bridge.test}}
outgoing_mail: {{relay: "smtp://127.0.0.1:1", from: sms@bridge.test, tls: "off"}}
region: KZ
timezone: Asia/Almaty
currency: KZT
people:
  aigul: {{phone: "+77010000001"}}
  ivan: {{phone: "+77010000002"}}
rotas: {{duty: {{ical: {{url: "{url}"}}}}}}
providers: {{smsc: {{type: smsc-http, base_url: "http://127.0.0.1:9", login: x, password: {{env: CALENDAR_SECRET}},
            insecure: true}}}}
budgets: {{total: {{money: 1000 KZT/day}}}}
"""


def ics(person: str) -> bytes:
    lines = [
        "BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:x", "BEGIN:VEVENT", "UID:1", "DTSTAMP:20260101T000000Z",
        "DTSTART:20260101T000000Z", "DTEND:20270101T000000Z", f"SUMMARY:{person}", "END:VEVENT", "END:VCALENDAR", "",
    ]  # fmt: skip
    return "\r\n".join(lines).encode()


@dataclass
class Source:
    """A calendar server that says what a test wants; *delay* in seconds."""

    body: bytes = field(default_factory=lambda: ics("aigul"))
    status: int = 200
    delay: float = 0.0
    asked: int = 0
    url: str = ""
    over: asyncio.Event = field(default_factory=asyncio.Event)

    async def answer(self, _request: web.Request) -> web.Response:
        self.asked += 1
        if self.delay:
            with suppress(TimeoutError):
                await asyncio.wait_for(self.over.wait(), self.delay)
        headers = {"Location": "/other"} if self.status == 302 else {}
        return web.Response(body=self.body, status=self.status, headers=headers)


@pytest.fixture
async def source() -> AsyncIterator[Source]:
    made, application = Source(), web.Application()
    application.router.add_get("/secret-word/duty.ics", made.answer)
    runner = web.AppRunner(application, shutdown_timeout=0)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    host, port = runner.addresses[0][:2]
    made.url = f"http://{host}:{port}/secret-word/duty.ics"
    yield made
    made.over.set()
    await runner.cleanup()


@pytest.fixture
def book(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], RuleBook]:
    monkeypatch.setenv("CALENDAR_SECRET", "x")

    def load(url: str) -> RuleBook:
        (tmp_path / "config.yaml").write_text(CONFIG.format(url=url))
        (tmp_path / "rules").mkdir(exist_ok=True)
        (tmp_path / "rules" / "10.yaml").write_text("rules: [{rule: one, to: on-call duty}]")
        return load_book(tmp_path / "config.yaml").require()

    return load


@dataclass
class House:
    """What fetches, over one book."""

    calendars: Calendars
    book: RuleBook
    metrics: Metrics
    told: list[tuple[str, str]]

    def on_call(self) -> str | None:
        return self.book.people.rotas.who("duty", NOW, ())

    def count(self, outcome: str) -> float:
        labels = {"calendar": "rotas.duty", "outcome": outcome}
        return self.metrics.registry.get_sample_value("smsbridge_calendar_fetches_total", labels) or 0.0

    async def fetched(self, times: int, outcome: str = "fetched") -> None:
        await eventually(lambda: self.count(outcome) >= times)


async def eventually(look: Callable[[], bool]) -> None:
    for _ in range(1000):
        if look():
            return
        await asyncio.sleep(0.01)
    raise AssertionError("it did not happen")


Open = Callable[[RuleBook], Any]


@pytest.fixture
def fetching(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Open:
    monkeypatch.setattr("bridge.app.calendars._AGAIN", (0.01, 0.01, 0.01))
    monkeypatch.setattr("bridge.app.calendars._EVERY", 0.05)

    @asynccontextmanager
    async def opened(book: RuleBook) -> AsyncIterator[House]:
        metrics, told, made = Metrics(), list[tuple[str, str]](), list[House]()
        async with HttpClient() as http:
            calendars = Calendars(
                tmp_path, lambda: made[0].book, http, now=lambda: NOW, metrics=metrics,
                trouble=lambda names, why: told.append((names, why)),
            )  # fmt: skip
            made.append(House(calendars, book, metrics, told))
            calendars.taken(book)
            task = asyncio.create_task(calendars.run())
            yield made[0]
            assert not task.done()
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    return opened


async def test_what_a_url_says_is_who_is_on_call_and_is_asked_for_again_and_again(
    source: Source, book: Callable[[str], RuleBook], fetching: Open
) -> None:
    async with fetching(book(source.url)) as house:
        assert house.on_call() is None, "nobody before it was fetched"
        await house.fetched(1)
        assert house.on_call() == "aigul"
        source.body = ics("ivan")
        await eventually(lambda: house.on_call() == "ivan")
        assert house.metrics.registry.get_sample_value(
            "smsbridge_calendar_fetched_timestamp_seconds", {"calendar": "rotas.duty"}
        ) == pytest.approx(NOW.timestamp())
        assert house.told == []


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"status": 404}, "127.0.0.1 answers 404"),
        ({"status": 302}, "127.0.0.1 answers 302"),
        ({"body": b"<html>please log in</html>"}, "is no iCalendar that can be used"),
        ({"body": b"x" * (MOST_BYTES + 1)}, "longer than"),
        ({"delay": 30.0}, "no answer in time"),
    ],
)
async def test_F14_what_is_worse_never_takes_the_place_of_a_good_copy_and_is_told_once(
    source: Source, book: Callable[[str], RuleBook], fetching: Open, monkeypatch: pytest.MonkeyPatch, tmp_path: Path,
    change: dict[str, Any], why: str,
) -> None:  # fmt: skip
    monkeypatch.setattr("bridge.app.calendars._WITHIN", 0.3)
    async with fetching(book(source.url)) as house:
        await house.fetched(1)
        for name, value in change.items():
            setattr(source, name, value)
        await house.fetched(4, "failed")
        assert house.on_call() == "aigul"
        assert copy_of(tmp_path, source.url).read_bytes() == ics("aigul")
        assert [names for names, _ in house.told] == ["rotas.duty"], "once, however often it fails"
        assert why in house.told[0][1]
        assert "secret-word" not in house.told[0][1]


async def test_a_calendar_that_was_never_had_is_told_at_the_first_failure(
    source: Source, book: Callable[[str], RuleBook], fetching: Open
) -> None:
    source.status = 500
    async with fetching(book(source.url)) as house:
        await eventually(lambda: bool(house.told))
        assert "There is no copy: nobody is on call by it" in house.told[0][1]
        source.status = 200
        await house.fetched(1)
        assert house.on_call() == "aigul"


async def test_the_last_copy_holds_after_a_restart_and_a_reload_without_a_network(
    source: Source, book: Callable[[str], RuleBook], fetching: Open, tmp_path: Path
) -> None:
    async with fetching(book(source.url)) as house:
        await house.fetched(1)
        source.status = 503
        copy_of(tmp_path, source.url).unlink()
        fresh = book(source.url)
        house.calendars.taken(fresh, house.book)
        house.book = fresh
        assert house.on_call() == "aigul", "what the book before it knew holds"
        source.status = 200
        await eventually(lambda: copy_of(tmp_path, source.url).exists())
        source.status = 503
    async with fetching(book(source.url)) as house:
        assert house.on_call() == "aigul"
        await house.fetched(1, "failed")
        assert house.on_call() == "aigul"


def test_a_spoilt_copy_is_none(book: Callable[[str], RuleBook], tmp_path: Path) -> None:
    url = "https://calendar.example.kz/duty.ics"
    made = book(url)
    copy_of(tmp_path, url).parent.mkdir()
    copy_of(tmp_path, url).write_bytes(b"\x00garbage")
    recall(made.people.rotas.feeds, tmp_path)
    assert made.people.rotas.feeds.missing() == (url,)


@pytest.mark.parametrize("url", ["http://calendar.example.kz/duty.ics", "http://10.0.0.5/duty.ics"])
def test_T36_a_calendar_that_anybody_could_write_is_refused(book: Callable[[str], RuleBook], url: str) -> None:
    with pytest.raises(ConfigError, match=r"rotas\.duty\.ical\.url: http: whoever is on the way .* write https"):
        book(url)


async def _started(made: Bridge) -> float:
    begin = time.perf_counter()
    await made.start()
    return time.perf_counter() - begin


async def test_F19_a_calendar_that_does_not_answer_keeps_no_door_closed_and_no_stop_waiting(
    source: Source, book: Callable[[str], RuleBook], tmp_path: Path
) -> None:
    source.delay = 60.0
    made = Bridge(book(source.url), Surroundings(tmp_path / "bridge.db"))
    assert await _started(made) < 5.0
    await eventually(lambda: source.asked == 1)
    assert made.doors[0].port
    begin = time.perf_counter()
    await made.stop()
    assert time.perf_counter() - begin < 5.0


async def test_the_operator_gets_one_mail_about_a_calendar_that_is_not_to_be_had(
    source: Source, book: Callable[[str], RuleBook], tmp_path: Path
) -> None:
    source.status = 410
    made = Bridge(book(source.url), Surroundings(tmp_path / "bridge.db"))

    async def subjects() -> list[str]:
        return [row[0] for row in await made.store.read(lambda tx: tx.raw("SELECT subject FROM outgoing_mails"))]

    await made.start()
    for _ in range(300):
        if await subjects():
            break
        await asyncio.sleep(0.01)
    made.reload(book(source.url))
    await eventually(lambda: source.asked == 2)
    await asyncio.sleep(0.1)
    assert await subjects() == ["[smsbridge] the calendar of rotas.duty cannot be fetched"]
    await made.stop()
