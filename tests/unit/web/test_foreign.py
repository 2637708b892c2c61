"""Printing text that strangers wrote."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markupsafe import Markup

from bridge.web.foreign import LONGEST, finalized, visible


@pytest.mark.parametrize(
    "text, shown",
    [
        ("Disk 95% full", "Disk 95% full"),
        ("касса-04: нет связи", "касса-04: нет связи"),
        ("two\nlines\tand a tab", "two\nlines\tand a tab"),
        ("dos\r\nlines", "dos\nlines"),
        ("a\x00b\x1b[31m\x7f", "a␀b␛[31m␡"),
        ("lone \r return", "lone ␍ return"),
        ("\u202egpj.exe", "⟦U+202E⟧gpj.exe"),
        ("zero\u200bwidth\ufeff", "zero⟦U+200B⟧width⟦U+FEFF⟧"),
        ("\u0085\u009b", "⟦U+0085⟧⟦U+009B⟧"),
        ("tag \U000e0041", "tag ⟦U+E0041⟧"),
        ("family \U0001f468\u200d\U0001f469", "family \U0001f468\u200d\U0001f469"),
        ("half \ud83d", "half ⟦U+D83D⟧"),
    ],
)
def test_controls_and_signs_of_direction_are_marked_symbols(text: str, shown: str) -> None:
    assert visible(text) == shown


def test_endless_text_is_cut_and_says_by_how_much() -> None:
    shown = visible("x" * (LONGEST + 500))
    assert len(shown) < LONGEST + 20
    assert shown.endswith("… (+500)")


@given(st.text(alphabet=st.characters(), max_size=200))
def test_T28_what_is_shown_holds_no_control_and_no_override(text: str) -> None:
    shown = visible(text)
    assert not [c for c in shown if unicodedata.category(c) in ("Cc", "Cs") and c not in "\n\t"]
    assert not set(shown) & set("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\u200e\u200f")
    shown.encode("utf-8")


def test_markup_of_ours_is_left_alone_and_numbers_stay_numbers() -> None:
    markup = Markup("<b>\x1b</b>")
    assert finalized(markup) is markup
    assert finalized(7) == 7
    assert finalized("\x1b") == "␛"
