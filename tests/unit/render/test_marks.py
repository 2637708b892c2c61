"""Marks inside a text, and the pieces they make."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.render.marks import LEVELS, bare, marked, pieces, through
from bridge.sms.pieces import CODE, DETAIL, Piece

KNOWN = range(CODE, DETAIL + 1)


@given(st.lists(st.tuples(st.text(min_size=1, max_size=10), st.sampled_from(KNOWN)), max_size=6))
def test_pieces_give_back_what_was_marked(stretches: list[tuple[str, int]]) -> None:
    cleaned = [(bare(text), level) for text, level in stretches if bare(text)]
    whole = "".join(marked(text, level) if level else text for text, level in cleaned)
    found = pieces(whole)
    assert "".join(piece.text for piece in found) == "".join(text for text, _ in cleaned)
    assert [p for p in found if p.gives_way] == [Piece(text, level) for text, level in cleaned if level]


def test_what_a_rule_may_write_lies_between_what_is_kept_and_the_detail() -> None:
    assert set(LEVELS) < set(KNOWN)
    for level in (CODE - 1, DETAIL + 1):
        with pytest.raises(ValueError, match="no level"):
            marked("x", level)


def test_a_later_mark_replaces_an_earlier_one() -> None:
    assert pieces(marked(marked("x", 1), 3)) == (Piece("x", 3),)


def test_nothing_marked_is_nothing() -> None:
    assert marked("", 2) == ""
    assert pieces("") == ()


def test_a_change_goes_through_marks() -> None:
    assert pieces(through(str.upper, "a" + marked("b", 2) + "c")) == (Piece("A"), Piece("B", 2), Piece("C"))


def test_broken_marks_lose_no_text() -> None:
    assert "".join(piece.text for piece in pieces("\ufdefa\ufdd1b\ufdd2c")) == "abc"
