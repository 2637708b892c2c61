"""Sentences with holes."""

from __future__ import annotations

import pytest

from bridge.words.figures import plural_en, plural_ru
from bridge.words.patterns import read_pattern


def test_an_optional_stretch_vanishes_with_any_of_its_values() -> None:
    pattern = read_pattern("[[{code} ]]{t}[[. Reply {code} to {who}]]", plural_en)
    assert pattern.fill({"code": "12", "t": "x", "who": "me"}) == "12 x. Reply 12 to me"
    assert pattern.fill({"code": "12", "t": "x"}) == "12 x"
    assert pattern.fill({"code": None, "t": "x", "who": ""}) == "x"


def test_zero_is_a_value() -> None:
    assert read_pattern("[[{n} left]]", plural_en).fill({"n": 0}) == "0 left"


def test_filled_tells_which_text_came_from_which_value() -> None:
    pattern = read_pattern("{h}: {t}!", plural_en)
    assert list(pattern.filled({"h": "db", "t": "full"})) == [("db", "h"), (": ", ""), ("full", "t"), ("!", "")]


def test_braces_that_are_no_hole_stay() -> None:
    assert read_pattern("replies: {mail: nobody} {} {N}", plural_en).fill({}) == "replies: {mail: nobody} {} {N}"


@pytest.mark.parametrize("source", ["[[a", "a]]", "[[a [[b]] c]]"])
def test_refuses_unpaired_marks(source: str) -> None:
    with pytest.raises(ValueError, match="do not pair"):
        read_pattern(source, plural_ru)
