"""Every rule book that is shipped is tested by itself: all its rule tests hold, and no mutant of it survives.

``rules/example`` is the one an operator begins with, so nothing in it may be there that no test needs. Of the worked
cases of ``docs/examples`` those are held to their tests that are about nothing but what this version does.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from bridge.book import RuleBook
from bridge.book.loading import LoadedBook, load_book
from bridge.config.models import TestFile
from bridge.proof.coverage import Seen, covered, watched
from bridge.proof.mutate import judged, mutants
from bridge.proof.runner import Outcome, play

ROOT = Path(__file__).resolve().parents[2]
EXAMPLE = ROOT / "config.example.yaml"
WHOLE = (
    "01-five-minute-start", "06-carrier-stand-in", "07-devices", "08-imap-mailbox", "09-msp", "13-language-stress",
)  # fmt: skip


def played(loaded: LoadedBook) -> list[Outcome]:
    book = loaded.require()
    return [play(book, file, tests, n) for file, tests in loaded.loaded.test_files for n in range(len(tests.tests))]


def wrong(outcomes: list[Outcome]) -> list[str]:
    return [f"{one.name}: {one.failures or one.not_built or one.broken}" for one in outcomes if not one.held]


def test_the_example_rules_hold_every_test() -> None:
    outcomes = played(load_book(EXAMPLE, tests=True))
    assert len(outcomes) >= 4
    assert wrong(outcomes) == []


def test_the_tests_of_the_example_rules_see_every_rule_and_branch() -> None:
    loaded, seen = load_book(EXAMPLE, tests=True), Seen()
    book = watched(loaded, seen)
    outcomes = [play(book, file, each, n) for file, each in loaded.loaded.test_files for n in range(len(each.tests))]
    assert covered(loaded, outcomes, seen).percent == 100.0


def test_no_mutant_of_the_example_rules_survives() -> None:
    loaded = load_book(EXAMPLE, tests=True)
    verdict = judged(loaded, played(loaded), mutants(loaded))
    assert list(map(str, verdict.survivors)) == []
    assert verdict.tried >= 15


@pytest.mark.parametrize("case", WHOLE)
def test_a_whole_case_holds_every_test(case: str) -> None:
    assert wrong(played(load_book(ROOT / "docs" / "examples" / case / "config.yaml", tests=True))) == []


def test_only_tests_that_may_notice_a_mutant_are_played(monkeypatch: pytest.MonkeyPatch) -> None:
    loaded = load_book(ROOT / "docs" / "examples" / "13-language-stress" / "config.yaml", tests=True)
    outcomes, changes = played(loaded), mutants(loaded)
    plays = 0

    def counted(book: RuleBook, file: str, tests: TestFile, index: int) -> Outcome:
        nonlocal plays
        plays += 1
        return play(book, file, tests, index)

    monkeypatch.setattr("bridge.proof.mutate.play", counted)
    verdict = judged(loaded, outcomes, changes)
    everything = verdict.tried * sum(outcome.held for outcome in outcomes)
    assert verdict.tried > 80
    assert verdict.tried <= plays < everything / 2
