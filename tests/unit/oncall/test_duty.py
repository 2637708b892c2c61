"""Rotas and calendars out of iCalendars."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from bridge.config.names import Who
from bridge.model import Override

RoomOf = Callable[[str], Any]
AtOf = Callable[[str], datetime]
ROTAS = """
timezone: Asia/Almaty
people:
  aigul: {phone: "+77010000011", name: Айгүл Серік, email: aigul@example.kz}
  ivan: {phone: "+77010000012", name: Ivan}
  marat: {phone: "+77010000013", name: Ivan}
calendars: {feasts: {dates: 2026-11-05, ical: {url: "https://example.kz/feasts.ics"}}}
windows: {feast: {calendar: feasts}, work: {hours: "09:00-18:00", days: Mon-Fri, except: feasts}}
rotas:
  duty: {ical: {file: duty.ics}, otherwise: marat}
  bare: {ical: {file: duty.ics}}
  day: {ical: {file: duty.ics}, hours: "08:00-20:00", otherwise: marat}
"""
SHIFTS = (
    "SUMMARY:aigul; DTSTART:20261102T090000; DTEND:20261109T090000",
    "SUMMARY:Айгүл  Серік; DTSTART:20261116T090000; DTEND:20261118T090000",
    "SUMMARY:AIGUL@example.kz; DTSTART:20261118T090000; DTEND:20261123T090000",
    "SUMMARY:ivan; DTSTART:20261109T090000; DTEND:20261116T090000",
    "SUMMARY:marat; DTSTART:20261111T180000; DTEND:20261111T220000",  # a swap, written over ivan's week
    "SUMMARY:Petya; DTSTART:20261123T090000; DTEND:20261130T090000",
    "SUMMARY:ivan; DTSTART:20261201T090000; DTEND:20261208T090000",
)


@pytest.fixture
def duty(room: RoomOf, ics: Callable[..., bytes]) -> Any:
    made = room(ROTAS)
    made.rotas.feeds.feed(made.config.rotas["duty"].ical).take(ics(*SHIFTS))
    return made


@pytest.mark.parametrize(
    "when, who",
    [
        ("2026-11-02 08:59", None),
        ("2026-11-02 09:00", "aigul"),
        ("2026-11-09 08:59", "aigul"),
        ("2026-11-09 09:00", "ivan"),
        ("2026-11-11 18:00", "marat"),
        ("2026-11-11 22:00", "ivan"),
        ("2026-11-17 12:00", "aigul"),  # by name
        ("2026-11-20 12:00", "aigul"),  # by mail address
        ("2026-11-24 12:00", None),  # nobody is called Petya
        ("2026-12-05 12:00", "ivan"),
    ],
)
def test_a_shift_is_whose_name_it_bears(duty: Any, at: AtOf, when: str, who: str | None) -> None:
    assert duty.rotas.who("duty", at(f"{when} Asia/Almaty")) == who


def test_a_hole_falls_to_otherwise_else_loudly_to_the_operator(duty: Any, at: AtOf) -> None:
    hole = at("2026-11-24 12:00")
    kept = duty.people.resolve((Who("on-call", "duty"),), hole)
    assert [target.person for target in kept.targets] == ["marat"]
    assert not kept.operator
    lost = duty.people.resolve((Who("on-call", "bare"),), hole)
    assert (lost.targets, lost.operator, lost.reasons) == ((), True, ("nobody on call in bare",))


def test_nothing_was_fetched_yet_is_a_hole_and_no_day(room: RoomOf, at: AtOf) -> None:
    made = room(ROTAS)
    now = at("2026-11-06 12:00")
    assert made.rotas.who("duty", now) is None
    assert made.rotas.next("duty", now) is None
    assert made.rotas.turn("duty", now) is None
    assert made.rotas.until("duty", now) is None
    assert not made.windows.inside("feast", now)


def test_hours_narrow_an_icalendar(duty: Any, at: AtOf) -> None:
    assert duty.rotas.who("day", at("2026-11-03 12:00 Asia/Almaty")) == "aigul"
    assert duty.rotas.who("day", at("2026-11-03 21:00 Asia/Almaty")) is None
    assert duty.rotas.until("day", at("2026-11-03 12:00 Asia/Almaty")) == at("2026-11-03 20:00 Asia/Almaty")


@pytest.mark.parametrize(
    "when, person, begin, end",
    [
        ("2026-11-05 12:00", "aigul", "2026-11-02 09:00", "2026-11-09 09:00"),
        ("2026-11-10 12:00", "ivan", "2026-11-09 09:00", "2026-11-11 18:00"),
        ("2026-11-12 12:00", "ivan", "2026-11-11 22:00", "2026-11-16 09:00"),
        ("2026-11-17 12:00", "aigul", "2026-11-16 09:00", "2026-11-23 09:00"),  # two shifts of one person
    ],
)
def test_a_turn_goes_from_change_to_change(duty: Any, at: AtOf, when: str, person: str, begin: str, end: str) -> None:
    turn = duty.rotas.turn("duty", at(f"{when} Asia/Almaty"))
    assert (turn.person, turn.begin, turn.end) == (person, at(f"{begin} Asia/Almaty"), at(f"{end} Asia/Almaty"))
    assert duty.rotas.until("duty", at(f"{when} Asia/Almaty")) == at(f"{end} Asia/Almaty")


def test_the_next_one_is_whoever_has_the_next_shift(duty: Any, at: AtOf) -> None:
    def following(when: str, *taken: Override) -> str | None:
        return duty.rotas.next("duty", at(f"{when} Asia/Almaty"), taken)

    assert following("2026-11-05 12:00") == "ivan"
    assert following("2026-11-10 12:00") == "marat"
    assert following("2026-11-11 19:00") == "ivan"
    assert following("2026-11-24 12:00") == "ivan"  # in a hole: whoever begins
    assert following("2026-12-05 12:00") == "ivan"  # nobody comes after him
    swap = Override("duty", "marat", at("2026-11-09 00:00"), at("2026-11-12 00:00"))
    assert following("2026-11-05 12:00", swap) == "marat"


def test_a_calendar_joins_its_dates_and_its_whole_days(duty: Any, at: AtOf, ics: Callable[..., bytes]) -> None:
    work, feast = duty.windows.test("work"), duty.windows.test("feast")
    friday = at("2026-11-06 12:00 Asia/Almaty")
    assert feast(friday - timedelta(days=1))
    assert work(friday)
    duty.rotas.feeds.take("https://example.kz/feasts.ics", ics("SUMMARY:x; DTSTART;VALUE=DATE:20261106"))
    assert feast(friday)
    assert not work(friday)


def test_a_bad_copy_never_replaces_a_good_one(duty: Any, at: AtOf, ics: Callable[..., bytes]) -> None:
    feeds, friday = duty.rotas.feeds, at("2026-11-06 12:00 Asia/Almaty")
    assert feeds.urls == ("https://example.kz/feasts.ics",)
    feeds.take(feeds.urls[0], ics("SUMMARY:x; DTSTART;VALUE=DATE:20261106"))
    with pytest.raises(ValueError, match="is no iCalendar"):
        feeds.take(feeds.urls[0], b"<html>please log in</html>")
    assert duty.windows.inside("feast", friday)


def test_holes_and_strangers_are_known_before(duty: Any, at: AtOf) -> None:
    shifts = duty.rotas.duty("duty")
    begin = at("2026-11-03 00:00 Asia/Almaty")
    assert list(shifts.holes(begin, begin + timedelta(days=40))) == [
        (at("2026-11-23 09:00 Asia/Almaty"), at("2026-12-01 09:00 Asia/Almaty")),
        (at("2026-12-08 09:00 Asia/Almaty"), begin + timedelta(days=40)),
    ]
    assert shifts.strangers() == ("Petya",)


def test_a_name_of_two_people_is_nobodys(room: RoomOf, ics: Callable[..., bytes], at: AtOf) -> None:
    text = ROTAS.replace("ivan: {phone", "jan: {phone").replace("otherwise: marat", "otherwise: aigul")
    made = room(text)
    shift = "SUMMARY:Ivan; DTSTART:20261102T090000; DTEND:20261109T090000"
    made.rotas.feeds.feed(made.config.rotas["duty"].ical).take(ics(shift))
    assert made.rotas.who("duty", at("2026-11-03 12:00")) is None


def test_F17_every_minute_of_an_icalendar_year_has_at_most_one_on_call(room: RoomOf, ics: Callable[..., bytes]) -> None:
    made = room(ROTAS.replace("Asia/Almaty", "Europe/Berlin").replace("+7701", "+49151"))
    made.rotas.feeds.feed(made.config.rotas["duty"].ical).take(
        ics(
            "SUMMARY:aigul; DTSTART:20260101T080000; DTEND:20260101T200000; RRULE:FREQ=DAILY",
            "SUMMARY:ivan; DTSTART:20260101T200000; DTEND:20260102T080000; RRULE:FREQ=DAILY",
        )
    )
    duty, now = made.rotas.duty("duty"), datetime(2026, 3, 1, tzinfo=UTC)
    end = datetime(2026, 4, 5, tzinfo=UTC)
    assert list(duty.holes(now, end)) == []
    while now < end:
        turn = duty.turn(now)
        assert turn.begin <= now < turn.end
        assert duty.person(turn.end) != turn.person
        now = turn.end
