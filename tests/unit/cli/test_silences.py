"""Silences and rotas as an operator types them, over a real store."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from conftest import House

ROTAS = "rotas: {duty: {members: [asel, boris], starts: 2026-01-05}}\n"


def test_a_silence_is_made_listed_and_ended(house: House) -> None:
    assert house.call("silences", "list").out == "Nothing is silenced.\n"
    made = house.call("silences", "add", "host=db*", "severity=high", "2h", "change", "4711")
    assert made.code == 0
    assert re.fullmatch(r"silence 1 until \S+ \S+ by \S+: host=db\* severity=high \(change 4711\)\n", made.out)
    assert house.call("silences", "list").out == made.out
    assert house.call("silences", "end", "1").out == "silence 1 is over\n"
    assert house.call("silences", "list").out == "Nothing is silenced.\n"


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("add", "2h"), "say what and for how long: host=sw* 2h"),
        (("add", "host=db*"), "say what and for how long: host=sw* 2h"),
        (("add", "hst=db*", "2h"), 'found "hst"'),
        (("end", "7"), "no silence 7 holds now"),
    ],
)
def test_what_cannot_be_is_said_and_ends_with_1(house: House, words: tuple[str, ...], sentence: str) -> None:
    called = house.call("silences", *words)
    assert (called.code, called.out) == (1, "")
    assert called.err.startswith(f"smsbridge silences {words[0]}: ")
    assert sentence in called.err


def test_the_last_one_who_takes_a_rota_has_it(house: House) -> None:
    house.write(more=ROTAS)
    for person in ("boris", "asel"):
        taken = house.call("oncall", "take", "duty", person, "4h")
        assert (taken.code, taken.err) == (0, "")
        [seen] = json.loads(house.call("oncall", "who", "--json", "duty").out)
        assert seen["on_call"] == [person]


def test_nobody_takes_a_rota_that_is_none(house: House) -> None:
    house.write(more=ROTAS)
    called = house.call("oncall", "take", "dutty", "boris", "4h")
    assert called.code == 1
    assert "no rota is called dutty" in called.err
