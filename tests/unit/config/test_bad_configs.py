"""Every mistake of ``tests/bad_configs`` produces the lines that stand beside it, and no others."""

from __future__ import annotations

from pathlib import Path

import pytest

from bridge.book.loading import load_book
from bridge.config.load import lines, load
from bridge.errors import ConfigError

CASES = sorted(path for path in (Path(__file__).parents[2] / "bad_configs").iterdir() if path.is_dir())


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_T20_a_mistake_is_told_with_its_place_and_remedy(case: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(case)
    if case.name in COMPILED:
        book = load_book(Path("config.yaml"), tests=True)
        found = [*book.errors, *book.warnings]
    else:
        found = lines(load(Path("config.yaml"), tests=True).problems)
    assert found == (case / "expect.txt").read_text(encoding="utf-8").splitlines()


COMPILED = {"101-text-that-never-fits", "103-icalendar-that-is-none"}  # what only a whole book shows
WARNINGS_ONLY = {
    "47-old-zone-name", "50-regex-on-cyrillic", "70-rule-in-the-shade", "100-rules-that-nothing-reaches",
    "101-text-that-never-fits", "102-digits-beside-cyrillic", "103-icalendar-that-is-none",
    "104-names-that-nothing-uses",
}  # fmt: skip


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_a_configuration_with_an_error_never_starts(case: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(case)
    loaded = load(Path("config.yaml"), tests=True)
    if case.name in WARNINGS_ONLY:
        assert loaded.require() is loaded
        return
    with pytest.raises(ConfigError) as caught:
        loaded.require()
    assert all("error" in problem.level for problem in loaded.errors)
    assert caught.value.problems[0] == str(loaded.errors[0])


def test_there_are_at_least_fifty_mistakes() -> None:
    assert len(CASES) >= 50


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_T29_no_line_quotes_a_secret(case: Path) -> None:
    assert "hunter2" not in (case / "expect.txt").read_text(encoding="utf-8")
