"""The worked cases of ``docs/examples``: each is a configuration that loads, the first holds every test."""

from __future__ import annotations

from pathlib import Path

import pytest

from bridge.book.loading import load_book
from bridge.proof.runner import play
from tests.acceptance.command import smsbridge

EXAMPLES = Path(__file__).resolve().parents[2] / "docs" / "examples"
CASES = sorted(folder for folder in EXAMPLES.iterdir() if folder.is_dir())


def test_all_thirteen_cases_are_there() -> None:
    assert [case.name[:2] for case in CASES] == [f"{number:02}" for number in range(1, 14)]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_a_worked_case_loads_without_an_error(case: Path) -> None:
    loaded = load_book(case / "config.yaml", tests=True)
    assert loaded.errors == ()
    assert loaded.loaded.test_files


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_every_rule_test_can_be_played(case: Path) -> None:
    """What is not built is named; nothing raises, and no test is wrong in itself."""
    loaded = load_book(case / "config.yaml", tests=True)
    for file, tests in loaded.loaded.test_files:
        for index in range(len(tests.tests)):
            outcome = play(loaded.require(), file, tests, index)
            assert not outcome.broken or outcome.failures, outcome.name


def test_the_five_minute_start_holds_every_test() -> None:
    done = smsbridge("test", "-c", str(CASES[0] / "config.yaml"), "--coverage")
    assert done.stdout.splitlines()[-2:] == ["1 of 1 rules, 1 of 1 branches: 100 %.", "3 tests, 3 held."]
    assert done.returncode == 0
