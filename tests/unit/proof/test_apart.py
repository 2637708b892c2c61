"""Whether two conditions can meet: never said of those that can."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.config.models.conditions import Condition
from bridge.proof.apart import are_apart, meet

GLOB = st.text("ab*?", max_size=5)


def fits(glob: str, text: str) -> bool:
    pattern = "".join({"*": ".*", "?": "."}.get(letter, re.escape(letter)) for letter in glob)
    return re.fullmatch(pattern, text) is not None


@given(one=GLOB, other=GLOB, text=st.text("ab", max_size=6))
def test_globs_that_fit_one_text_are_never_said_to_be_apart(one: str, other: str, text: str) -> None:
    if fits(one, text) and fits(other, text):
        assert meet(one, other)


@given(one=GLOB, other=GLOB)
def test_globs_meet_in_a_short_text_if_they_meet_at_all(one: str, other: str) -> None:
    def texts(length: int) -> list[str]:
        return [""] if not length else [text + letter for text in texts(length - 1) for letter in "ab"]

    found = any(fits(one, text) and fits(other, text) for length in range(11) for text in texts(length)[:600])
    if found:
        assert meet(one, other)
    if not meet(one, other):
        assert not found


@pytest.mark.parametrize(
    "one, other, apart",
    [
        ({"host": "db*"}, {"host": "web*"}, True),
        ({"host": ["db*", "pg*"]}, {"host": "*1"}, False),
        ({"host": "db01"}, {"host": "db01.example.kz"}, False),
        ({"host": "db01"}, {"host": "db02.example.kz"}, True),
        ({"severity": {"above": "warning"}}, {"severity": ["info", "warning"]}, True),
        ({"severity": {"above": "info"}}, {"severity": "high"}, False),
        ({"state": "problem"}, {"state": {"not": "problem"}}, True),
        ({"subject": "disk"}, {"subject": "paper"}, False),
        ({"service": {"regex": "^a"}}, {"service": "b"}, False),
        ({"recipient": "a@x.kz"}, {"recipient": "b@x.kz"}, True),
        ({"host": "db*"}, {"service": "x"}, False),
    ],
)
def test_only_what_surely_cannot_meet_is_apart(one: dict[str, object], other: dict[str, object], apart: bool) -> None:
    first, second = Condition.model_validate(one), Condition.model_validate(other)
    assert are_apart(first, second) is apart
    assert are_apart(second, first) is apart


def test_a_rule_without_conditions_meets_every_other() -> None:
    assert not are_apart(None, Condition.model_validate({"host": "db*"}))
