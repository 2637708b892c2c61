"""Regexes that are legal and mean something else than they seem to."""

from __future__ import annotations

import pytest

from bridge.config.checks.patterns import doubts


@pytest.mark.parametrize(
    "regex, warning",
    [
        (r"\bупал\b", r"\b sees only Latin letters; write \pL"),
        (r"\bупал\w", r"\b and \w see only Latin letters; write \pL"),
        (r"диск \d+", r"\d sees only the digits 0-9; write \pN for others"),
        (r"\bdown\b", ""),
        (r"упал \\bx", ""),
    ],
)
def test_latin_only_classes_beside_cyrillic_are_warned_of(regex: str, warning: str) -> None:
    assert doubts(regex) == warning
