"""Phrases of ``to`` (FORMAT §6)."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

import pytest

from bridge.config.names import Who, parse_who
from bridge.oncall.people import Target
from bridge.oncall.rotas import Override

RoomOf = Callable[[str], Any]
AtOf = Callable[[str], datetime]
PEOPLE = """
teams:
  dba: {members: [aigul, ivan]}
  all: {members: [dba, marat, aigul]}
  loop: {members: [loop, ivan]}
calendars: {none: {dates: 2020-01-01}}
rotas:
  dba: {members: [aigul, ivan], starts: 2026-11-02, handover: Mon 09:00}
  solo: {members: marat}
  hole: {members: marat, calendar: none}
  net: {members: marat, calendar: none, otherwise: [on-call dba, "+77019999999"]}
  left: {members: marat, calendar: none, otherwise: on-call right}
  right: {members: marat, calendar: none, otherwise: on-call left}
"""
NOW = "2026-11-03 12:00"
PHONES = {"aigul": "+77010000011", "ivan": "+77010000012", "marat": "+77010000013"}


def names(found: Any) -> list[str]:
    return [target.person or target.phone for target in found.targets]


@pytest.mark.parametrize(
    "phrases, expected",
    [
        (["aigul"], ["aigul"]),
        (["Aigul"], ["aigul"]),
        (["dba"], ["aigul", "ivan"]),
        (["all"], ["aigul", "ivan", "marat"]),
        (["loop"], ["ivan"]),
        (["on-call dba"], ["aigul"]),
        (["next dba"], ["ivan"]),
        (["on-call dba", "next dba"], ["aigul", "ivan"]),
        (["on-call solo", "next solo"], ["marat"]),
        (["ivan", "dba", "ivan"], ["ivan", "aigul"]),
        (["+77010000013"], ["marat"]),
        (["+77019999999"], ["+77019999999"]),
        (["marat", "+77010000013"], ["marat"]),
        (["recipient"], ["+77018888888", "ivan"]),
        (["nobody"], []),
        (["nobody", "ivan"], ["ivan"]),
        (["on-call net"], ["aigul", "+77019999999"]),
        (["next net"], ["aigul", "+77019999999"]),
    ],
)
def test_a_phrase_means_people(room: RoomOf, at: AtOf, phrases: list[str], expected: list[str]) -> None:
    given = ("+77018888888", PHONES["ivan"])
    found = room(PEOPLE).people.resolve([parse_who(text) for text in phrases], at(NOW), given=given)
    assert names(found) == expected
    assert (found.reasons, found.operator) == ((), False)
    assert all(target.phone == PHONES.get(target.person, target.phone) for target in found.targets)


def test_an_override_is_who_is_on_call(room: RoomOf, at: AtOf) -> None:
    taken = (Override("dba", "marat", at("2026-11-03 00:00"), at("2026-11-04 00:00")),)
    found = room(PEOPLE).people.resolve([parse_who("on-call dba")], at(NOW), overrides=taken)
    assert found.targets == (Target("marat", PHONES["marat"]),)


def test_a_hole_goes_to_the_operator_loudly(room: RoomOf, at: AtOf) -> None:
    found = room(PEOPLE).people.resolve([parse_who("on-call hole"), parse_who("ivan")], at(NOW))
    assert names(found) == ["ivan"]
    assert found.reasons == ("nobody on call in hole",)
    assert found.operator


def test_a_hole_falls_to_the_team_of_that_name_first(room: RoomOf, at: AtOf) -> None:
    made = room(PEOPLE.replace("  hole:", "  loop:"))
    found = made.people.resolve([parse_who("on-call loop")], at(NOW))
    assert names(found) == ["ivan"]
    assert (found.reasons, found.operator) == (("nobody on call in loop",), False)


def test_rotas_that_fall_to_each_other_end_at_the_operator(room: RoomOf, at: AtOf) -> None:
    found = room(PEOPLE).people.resolve([parse_who("on-call left")], at(NOW))
    assert (found.targets, found.operator) == ((), True)


@pytest.mark.parametrize("phrase", [Who("name", "gone"), Who("on-call", "gone"), Who("next", "gone")])
def test_a_name_that_is_gone_since_a_reload_goes_to_the_operator(room: RoomOf, at: AtOf, phrase: Who) -> None:
    found = room(PEOPLE).people.resolve([phrase], at(NOW))
    assert (found.targets, found.operator) == ((), True)


def test_an_override_by_somebody_who_is_gone_is_a_hole(room: RoomOf, at: AtOf) -> None:
    taken = (Override("dba", "gone", at("2026-11-03 00:00"), at("2026-11-04 00:00")),)
    found = room(PEOPLE).people.resolve([parse_who("on-call dba")], at(NOW), overrides=taken)
    assert names(found) == ["aigul", "ivan"]
    assert found.reasons == ("nobody on call in dba",)


def test_two_people_with_one_phone_get_one_message(room: RoomOf, at: AtOf) -> None:
    made = room('people: {a: {phone: "+77010000099"}, b: {phone: "+77010000099"}}\nteams: {}')
    assert made.people.owner("+77010000099") == "a"
    assert names(made.people.resolve([parse_who("b"), parse_who("a")], at(NOW))) == ["b"]


def test_a_phone_of_nobody_has_no_owner(room: RoomOf) -> None:
    assert room(PEOPLE).people.owner("+77019999999") == ""
