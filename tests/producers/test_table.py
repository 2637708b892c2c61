"""The generated reference page."""

from __future__ import annotations

from tools.producers_table import PAGE, main, page


def test_the_page_of_producers_is_that_of_the_packs() -> None:
    assert PAGE.read_text("utf-8") == page(), "run python -m tools.producers_table"
    assert main(["--check"]) == 0
