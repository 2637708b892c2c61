"""The steps of the worked cases that are about gateways hold: missed calls, failover, SMPP, cascade, mail door."""

from __future__ import annotations

from pathlib import Path

import pytest

from bridge.book.loading import load_book
from bridge.proof.runner import play

EXAMPLES = Path(__file__).resolve().parents[2] / "docs" / "examples"
HOLD = {
    "10-hospital": (
        "Kazakh text, one part",
        "a missed call from the registered phone acknowledges",
        "a call from another phone is silence",
        "everything down is said by another path",
        "the refrigerator's number becomes the key",
    ),
    "11-bank": (
        "an alert leaves by SMPP",
        "the link is cut, in doubt the critical one goes by another way after two minutes",
    ),
}
WHOLE = ("04-erp-colon-mail", "12-two-nodes")


@pytest.mark.parametrize("case, name", [(case, name) for case, names in HOLD.items() for name in names])
def test_a_step_about_gateways_holds(case: str, name: str) -> None:
    loaded = load_book(EXAMPLES / case / "config.yaml", tests=True)
    found = [
        (file, tests, n)
        for file, tests in loaded.loaded.test_files
        for n, t in enumerate(tests.tests)
        if t.test == name
    ]
    ((file, tests, index),) = found
    outcome = play(loaded.require(), file, tests, index)
    assert (outcome.failures, outcome.not_built, outcome.broken) == ((), "", "")


@pytest.mark.parametrize("case", WHOLE)
def test_a_case_whose_parts_are_all_there_holds_to_its_last_step(case: str) -> None:
    loaded = load_book(EXAMPLES / case / "config.yaml", tests=True)
    book = loaded.require()
    played = [play(book, file, tests, n) for file, tests in loaded.loaded.test_files for n in range(len(tests.tests))]
    assert played
    assert [outcome for outcome in played if outcome.failures or outcome.not_built or outcome.broken] == []
