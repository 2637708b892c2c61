from __future__ import annotations

from pathlib import Path

import pytest

from tools import docs


def test_a_page_that_was_just_written_is_not_stale(tmp_path: Path) -> None:
    made = {"docs/reference/a.md": lambda: "# Ә\n"}
    assert docs.stale(tmp_path, made) == ("docs/reference/a.md",)
    docs.write(tmp_path, made)
    assert docs.stale(tmp_path, made) == ()
    assert (tmp_path / "docs/reference/a.md").read_bytes() == "# Ә\n".encode()


def test_a_page_older_than_the_program_is_named(tmp_path: Path) -> None:
    docs.write(tmp_path, {"a.md": lambda: "old", "b.md": lambda: "same"})
    assert docs.stale(tmp_path, {"a.md": lambda: "new", "b.md": lambda: "same"}) == ("a.md",)


def test_commands_page_has_every_verb_with_its_help(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "40")  # the page must not follow the terminal
    page = docs.commands_page()
    assert "* [`smsbridge text`](#smsbridge-text): Count what texts" in page
    assert "\n## smsbridge text\n\n```text\nUsage: smsbridge text [OPTIONS]\n" in page


def test_check_writes_nothing_and_fails_when_a_page_is_stale(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(docs, "ROOT", tmp_path)
    monkeypatch.setattr(docs, "PAGES", {"docs/a.md": lambda: "[x](none.md)"})
    assert docs.main(["--check"]) == 1
    assert capsys.readouterr().out == "docs/a.md is not what the program says; run make docs\n"
    assert not (tmp_path / "docs").exists()


def test_writing_pages_fails_when_a_link_is_broken(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(docs, "ROOT", tmp_path)
    monkeypatch.setattr(docs, "PAGES", {"docs/a.md": lambda: "[x](none.md)"})
    assert docs.main([]) == 1
    assert capsys.readouterr().out == "docs/a.md:1: none.md leads nowhere\n"
    monkeypatch.setattr(docs, "PAGES", {"docs/a.md": lambda: "[x](a.md)"})
    assert docs.main([]) == 0
