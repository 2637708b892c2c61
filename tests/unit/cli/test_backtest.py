from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.unit.cli.conftest import House


@pytest.fixture
def others(house: House) -> Path:
    folder = house.folder / "others"
    folder.mkdir()
    (folder / "10.yaml").write_text(
        "rules: [{rule: paper, when: {subject: paper}, drop: who cares}, {rule: all, to: boris}]\n"
    )
    return folder


def test_says_what_would_be_else_and_who_would_hear_of_nothing(house: House, others: Path) -> None:
    house.alert("disk full, call +7 701 123 45 67")
    house.alert("paper low")
    found = house.call("backtest", str(others))
    lines = found.out.splitlines()
    assert found.code == 0, found.err
    assert [line.split() for line in lines[1:3]] == [
        ["asel", "2", "36.00", "KZT", "0", "nothing"],
        ["boris", "0", "nothing", "1", "18.00", "KZT"],
    ]
    assert lines[-3:] == [
        "2 mails of 7d: 2 SMS with today's rules (36.00 KZT), 1 with these (18.00 KZT).",
        "2 mails would do something else: fate 1, people 2, price 1, text 1.",
        "1 alert would no longer reach anybody.",
    ]
    assert "M-2" in found.out
    assert "  then   dropped (who cares)" in lines
    assert "123 45 67" not in found.out
    assert "+7 701 ••• 45 67" in found.out


def test_json_is_one_object(house: House, others: Path) -> None:
    house.alert("paper low")
    found = json.loads(house.call("backtest", str(others), "--json", "--since", "1h").out)
    assert (found["mails"], found["changed"], found["lost"], found["not_kept"]) == (1, 1, 1, 0)
    assert found["people"] == {
        "asel": {
            "before": {"messages": 1, "segments": 1, "price": {"KZT": "18.00"}},
            "after": {"messages": 0, "segments": 0, "price": {}},
        }
    }
    (change,) = found["changes"]
    assert (change["mail"], change["differs"]) == ("M-1", ["people", "text", "price", "fate"])
    assert change["after"]["reasons"] == ["dropped (who cares)"]


def test_the_same_rules_do_the_same(house: House) -> None:
    house.alert("disk full")
    found = house.call("backtest", str(house.folder / "rules"))
    assert found.out.splitlines()[-1] == "Every mail does the same."


def test_no_more_than_is_asked_for_is_shown(house: House, others: Path) -> None:
    house.alert("disk one")
    house.alert("disk two")
    found = house.call("backtest", str(others), "--limit", "1")
    assert found.out.count(" UTC ") == 1
    assert "… and 1 more. Say --limit." in found.out


def test_a_store_without_mails_says_so(house: House, others: Path) -> None:
    found = house.call("backtest", str(others))
    assert (found.code, found.out) == (0, "No mails of the last 7d are kept.\n")


def test_rules_that_are_wrong_are_shown_with_their_place(house: House, others: Path) -> None:
    (others / "10.yaml").write_text("rules: [{rule: all, to: stranger}]\n")
    found = house.call("backtest", str(others))
    assert found.code == 78
    assert f"{others}/10.yaml:1:" in found.err
    assert "stranger" in found.err


@pytest.mark.parametrize("words, sentence", [(["none"], "no folder none here"), (["x", "--since", "7"], "--since")])
def test_a_wrong_call_is_named(house: House, others: Path, words: list[str], sentence: str) -> None:
    folder = str(others) if words[0] == "x" else words[0]
    found = house.call("backtest", folder, *words[1:])
    assert found.code == 2
    assert sentence in found.err


def test_without_a_store_there_is_nothing_to_decide(house: House, others: Path) -> None:
    house.db.unlink()
    assert house.call("backtest", str(others)).code == 78
