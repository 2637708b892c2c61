"""Every rule book that is shipped is tested by itself, by the command an operator types: all its rule tests hold, they
see every rule and branch, and no mutant of it survives.

``rules/example`` is the one an operator begins with. Of the worked cases of ``docs/examples`` those are held to the
same whose tests are about nothing but what this version does. The producer packs of ``rules/producers`` are no rules:
``tests/producers`` asks the same of them, taken out matcher by matcher.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from bridge.book import RuleBook
from bridge.book.loading import LoadedBook, load_book
from bridge.config.models import TestFile
from bridge.proof.mutate import judged, mutants
from bridge.proof.runner import Outcome, play
from tests.acceptance.command import ROOT, smsbridge

CASES = ROOT / "docs" / "examples"
LEAST = {
    "config.example.yaml": 15,
    "01-five-minute-start": 5,
    "06-carrier-stand-in": 8,
    "07-devices": 50,
    "08-imap-mailbox": 35,
    "09-msp": 50,
    "13-language-stress": 90,
}  # fmt: skip - shipped book -> changes that must at least be tried


def book_of(name: str) -> Path:
    return ROOT / name if name.endswith(".yaml") else CASES / name / "config.yaml"


@pytest.mark.no_cover
@pytest.mark.parametrize("name", LEAST)
def test_a_shipped_book_holds_every_test_and_no_mutant_of_it_survives(name: str) -> None:
    done = smsbridge("test", "-c", str(book_of(name)), "--mutate", "--coverage", "--fail-under", "100", "--json")
    told: dict[str, Any] = json.loads(done.stdout)
    assert [one["test"] for one in told["tests"] if not one["held"]] == []
    assert told["coverage"]["missing"] == []
    assert told["mutate"]["survivors"] == []
    assert told["mutate"]["mutants"] >= LEAST[name]
    assert done.returncode == 0, done.stderr


def test_every_shipped_rule_stands_in_a_book_that_is_tested() -> None:
    """A rule file that somebody adds to the shipped ones is not forgotten here."""
    shipped = {path.resolve() for path in (ROOT / "rules").rglob("*.yaml") if "producers" not in path.parts}
    loaded = load_book(ROOT / "config.example.yaml", tests=True).loaded
    tested = {Path(name).resolve() for name, _ in (*loaded.rule_files, *loaded.test_files)}
    assert shipped <= tested


def played(loaded: LoadedBook) -> list[Outcome]:
    book = loaded.require()
    return [play(book, file, tests, n) for file, tests in loaded.loaded.test_files for n in range(len(tests.tests))]


@pytest.mark.no_cover
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
