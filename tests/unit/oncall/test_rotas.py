"""Rotas: whose turn it is, through a year of changing clocks."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from bridge.errors import ConfigError
from bridge.oncall.rotas import Override

RoomOf = Callable[[str], Any]
AtOf = Callable[[str], datetime]
ROTAS = """
timezone: Europe/Berlin
people:
  anna: {phone: "+4915100000011"}
  ben: {phone: "+4915100000012"}
  cleo: {phone: "+4915100000013"}
calendars: {holidays: {dates: 2026-12-25..2026-12-26}}
rotas:
  week: {members: [anna, ben, cleo], starts: 2026-11-02, handover: Mon 09:00}
  berlin: {members: [anna, cleo], starts: 2026-03-01, every: 1w, handover: Sun 02:30}
  doubled: {members: [anna, cleo], starts: 2026-10-18, every: 1w, handover: Sun 02:30}
  shift: {members: [anna, ben], starts: 2026-11-01, every: 12h, handover: "08:00"}
  daily: {members: [anna, ben, cleo], starts: 2026-11-20, every: 1d, handover: "08:00"}
  hourly: {members: [anna, ben], starts: 2026-03-01, every: 1h}
  howe: {members: [anna, ben], starts: 2026-01-01, every: 1d, handover: "02:00", timezone: Australia/Lord_Howe}
  almaty: {members: [anna, ben], starts: 2024-01-01, every: 1d, timezone: Asia/Almaty}
  kyiv: {members: [anna, ben], starts: 2026-01-01, every: 1d, handover: "03:30", timezone: Europe/Kyiv}
  sun: {members: [ben], hours: "08:00-16:00", timezone: Australia/Lord_Howe, otherwise: on-call berlin}
  night: {members: [anna, ben], starts: 2026-01-05, handover: Mon 09:00, hours: "20:00-08:00", otherwise: cleo}
  holidays: {members: [anna, ben], starts: 2026-12-25, every: 1d, calendar: holidays, otherwise: cleo}
  weekend: {members: [cleo], days: [Sat, Sun], otherwise: anna}
  twice: {members: [anna, anna, ben], starts: 2026-11-02, every: 1d}
  midweek: {members: [anna, ben], starts: 2026-11-04, every: 1w, handover: Mon 09:00}
"""


@pytest.mark.parametrize(
    "rota, when, who",
    [
        ("week", "2026-11-02 09:00 Europe/Berlin", "anna"),
        ("week", "2026-11-09 08:59 Europe/Berlin", "anna"),
        ("week", "2026-11-09 09:00 Europe/Berlin", "ben"),
        ("week", "2026-11-23 09:00 Europe/Berlin", "anna"),
        ("week", "2026-11-02 08:59 Europe/Berlin", "cleo"),  # turns go on before the start
        ("midweek", "2026-11-09 09:00 Europe/Berlin", "anna"),  # first handover on or after the start
        ("midweek", "2026-11-09 08:59 Europe/Berlin", "ben"),
        ("shift", "2026-11-24 10:00 Europe/Berlin", "anna"),
        ("shift", "2026-11-24 20:00 Europe/Berlin", "ben"),
        ("shift", "2026-11-24 07:59 Europe/Berlin", "ben"),
        ("daily", "2026-11-20 23:00 Europe/Berlin", "anna"),
        ("daily", "2026-11-21 08:00 Europe/Berlin", "ben"),
        ("sun", "2026-11-20 08:00 Australia/Lord_Howe", "ben"),
        ("sun", "2026-11-20 16:00 Australia/Lord_Howe", None),
        ("night", "2026-01-12 07:59 Europe/Berlin", "anna"),
        ("night", "2026-01-12 08:00 Europe/Berlin", None),
        ("night", "2026-01-12 20:00 Europe/Berlin", "ben"),
        ("holidays", "2026-12-25 00:00 Europe/Berlin", "anna"),
        ("holidays", "2026-12-26 23:59 Europe/Berlin", "ben"),
        ("holidays", "2026-12-27 00:00 Europe/Berlin", None),
        ("weekend", "2026-11-21 00:00 Europe/Berlin", "cleo"),
        ("weekend", "2026-11-20 23:59 Europe/Berlin", None),
    ],
)
def test_who_is_on_call(room: RoomOf, at: AtOf, rota: str, when: str, who: str | None) -> None:
    assert room(ROTAS).rotas.who(rota, at(when)) == who


@pytest.mark.parametrize(
    "rota, when, who",
    [
        ("berlin", "2026-03-29 00:59", "cleo"),  # 01:59; the handover at 02:30 does not exist
        ("berlin", "2026-03-29 01:00", "anna"),  # 03:00
        ("doubled", "2026-10-25 00:29", "anna"),  # 02:29 summer time
        ("doubled", "2026-10-25 00:30", "cleo"),  # 02:30, first pass
        ("doubled", "2026-10-25 01:15", "cleo"),  # 02:15 again
        ("doubled", "2026-10-25 01:45", "cleo"),
        ("hourly", "2026-03-29 00:30", "ben"),  # 01:30
        ("hourly", "2026-03-29 01:30", "ben"),  # 03:30; anna's hour does not exist
        ("hourly", "2026-10-25 00:30", "anna"),  # 02:30
        ("hourly", "2026-10-25 01:30", "anna"),  # 02:30 again: her hour lasts two
        ("howe", "2026-10-03 15:29", "ben"),  # Sunday 01:59 +10:30
        ("howe", "2026-10-03 15:30", "anna"),  # 02:30 +11: 02:00 does not exist
        ("howe", "2026-04-04 14:59", "ben"),  # Sunday 01:59 +11
        ("howe", "2026-04-04 15:29", "ben"),  # 01:59 +10:30: clocks went back before 02:00 was reached
        ("howe", "2026-04-04 15:30", "anna"),  # 02:00 +10:30
        ("almaty", "2024-02-29 17:59", "ben"),
        ("almaty", "2024-02-29 18:30", "ben"),  # 23:30 for the second time
        ("almaty", "2024-02-29 19:00", "anna"),  # 00:00 +05
        ("kyiv", "2026-03-29 00:59", "anna"),  # 02:59; 03:30 does not exist
        ("kyiv", "2026-03-29 01:00", "ben"),  # 04:00
        ("kyiv", "2026-10-25 00:29", "anna"),
        ("kyiv", "2026-10-25 00:30", "ben"),  # 03:30, first pass
        ("kyiv", "2026-10-25 01:10", "ben"),  # 03:10 again
    ],
)
def test_F17_a_handover_while_clocks_change(room: RoomOf, at: AtOf, rota: str, when: str, who: str) -> None:
    assert room(ROTAS).rotas.who(rota, at(when)) == who


@pytest.mark.parametrize("rota", ["berlin", "shift", "howe", "kyiv", "week"])
def test_F17_every_moment_of_a_year_belongs_to_exactly_one_turn(room: RoomOf, rota: str) -> None:
    rotas = room(ROTAS).rotas
    now, end = datetime(2026, 1, 1, tzinfo=UTC), datetime(2027, 1, 1, tzinfo=UTC)
    while now < end:
        turn = rotas.turn(rota, now)
        assert turn.begin <= now < turn.end
        for moment in (turn.begin, turn.end - timedelta(seconds=1), turn.begin + (turn.end - turn.begin) / 3):
            assert rotas.turn(rota, moment) == turn
        after = rotas.turn(rota, turn.end)
        assert after.begin == turn.end
        assert after.person != turn.person
        now = turn.end


@pytest.mark.parametrize(
    "rota, when, who",
    [
        ("week", "2026-11-03 12:00", "ben"),
        ("week", "2026-11-17 12:00", "anna"),
        ("sun", "2026-11-20 00:00", "ben"),  # one person: himself
        ("sun", "2026-11-20 12:00", "ben"),  # out of hours: whoever begins
        ("night", "2026-01-12 08:00 Europe/Berlin", "ben"),
        ("night", "2026-01-12 07:00 Europe/Berlin", "ben"),
        ("twice", "2026-11-02 12:00", "ben"),  # the one after the next, who is the same
        ("weekend", "2026-11-20 12:00", "cleo"),
    ],
)
def test_who_takes_the_next_turn(room: RoomOf, at: AtOf, rota: str, when: str, who: str) -> None:
    assert room(ROTAS).rotas.next(rota, at(when)) == who


def test_an_override_beats_the_rota_while_it_lasts(room: RoomOf, at: AtOf) -> None:
    rotas, now = room(ROTAS).rotas, at("2026-11-03 12:00")
    taken = (
        Override("week", "ben", at("2026-11-03 00:00"), at("2026-11-03 13:00")),
        Override("week", "cleo", at("2026-11-03 12:00"), at("2026-11-03 12:30")),
        Override("shift", "anna", at("2026-11-01 12:00"), at("2026-11-30 12:30")),
    )
    assert rotas.who("week", now, taken) == "cleo"
    assert rotas.who("week", at("2026-11-03 12:30"), taken) == "ben"
    assert rotas.who("week", at("2026-11-03 13:00"), taken) == "anna"
    assert rotas.next("week", now, taken) == "anna"  # whose turn it is, and who has it again behind cleo
    assert rotas.who("sun", at("2026-11-20 12:00"), (Override("sun", "anna", now, at("2026-12-01 00:00")),)) == "anna"


def test_next_looks_past_a_turn_that_was_swapped_to_the_one_on_call(room: RoomOf, at: AtOf) -> None:
    swapped = (Override("week", "anna", at("2026-11-09 08:00"), at("2026-11-16 08:00")),)
    assert room(ROTAS).rotas.next("week", at("2026-11-03 12:00"), swapped) == "cleo"


@pytest.mark.parametrize(
    "rota, when, until",
    [
        ("week", "2026-11-03 12:00", "2026-11-09 09:00 Europe/Berlin"),
        ("night", "2026-01-12 22:00 Europe/Berlin", "2026-01-13 08:00 Europe/Berlin"),
        ("night", "2026-01-12 12:00 Europe/Berlin", "2026-01-12 20:00 Europe/Berlin"),
        ("weekend", "2026-11-21 12:00", "2026-11-23 00:00 Europe/Berlin"),
    ],
)
def test_until_when(room: RoomOf, at: AtOf, rota: str, when: str, until: str) -> None:
    assert room(ROTAS).rotas.until(rota, at(when)) == at(until)


def test_a_calendar_that_nobody_knows_is_a_mistake_of_the_configuration(room: RoomOf) -> None:
    with pytest.raises(ConfigError, match=r'rotas.r.calendar: no calendar is called "nix"'):
        room("rotas: {r: {members: aigul, calendar: nix, otherwise: ivan}}")


def test_until_when_with_an_override(room: RoomOf, at: AtOf) -> None:
    rotas = room(ROTAS).rotas
    taken = (Override("week", "cleo", at("2026-11-03 12:00"), at("2026-11-03 14:00")),)
    assert rotas.until("week", at("2026-11-03 11:00"), taken) == at("2026-11-03 12:00")
    assert rotas.until("week", at("2026-11-03 12:00"), taken) == at("2026-11-03 14:00")
    assert room("rotas: {solo: {members: aigul}}").rotas.until("solo", at("2026-11-03 12:00")) is None
