"""What tests of on-call people are made of."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from bridge.config.document import read
from bridge.config.models import Config
from bridge.oncall.feeds import Feeds
from bridge.oncall.people import People
from bridge.oncall.rotas import Rotas
from bridge.oncall.windows import Windows

BASE = """
listen: []
operator: {mail: it@example.kz}
providers: {}
people:
  aigul: {phone: "+77010000011"}
  ivan: {phone: "+77010000012"}
  marat: {phone: "+77010000013"}
teams:
  dba: {members: [aigul, ivan]}
"""


@dataclass(frozen=True)
class OnCall:
    """The three parts of the room over one configuration."""

    config: Config
    windows: Windows
    rotas: Rotas
    people: People


def on_call(text: str, feeds: Feeds | None = None) -> OnCall:
    """The room over the base configuration with *text* added."""
    data = {}
    for part in (BASE, text):
        document = read(part.encode(), "config.yaml")
        assert not document.problems, document.problems
        data |= document.data
    config = Config.model_validate(data)
    windows = Windows(
        config.windows, config.calendars, config.timezone, feeds or Feeds.of(config.rotas, config.calendars)
    )
    rotas = Rotas(config.rotas, windows, config.timezone, config.people)
    return OnCall(config, windows, rotas, People(config.people, config.teams, rotas))


def icalendar(*events: str) -> bytes:
    """An iCalendar of events that are written as ``SUMMARY:a; DTSTART:…``, one line for each ``;``-blank."""
    lines = ["BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//example//EN"]
    for number, event in enumerate(events):
        head = [] if "UID:" in event else [f"UID:{number}@example"]
        lines += ["BEGIN:VEVENT", *head, "DTSTAMP:20260101T000000Z", *event.split("; "), "END:VEVENT"]
    return "\r\n".join([*lines, "END:VCALENDAR", ""]).encode()


def moment(text: str) -> datetime:
    """``2026-11-21 02:15 Asia/Almaty`` (first pass of a doubled hour), or UTC."""
    day, clock, *zone = text.split()
    wall = datetime.fromisoformat(f"{day} {clock}")
    return wall.replace(tzinfo=ZoneInfo(zone[0]) if zone else UTC).astimezone(UTC)


@pytest.fixture
def room() -> Callable[[str], OnCall]:
    return on_call


@pytest.fixture
def at() -> Callable[[str], datetime]:
    return moment


@pytest.fixture
def ics() -> Callable[..., bytes]:
    return icalendar
