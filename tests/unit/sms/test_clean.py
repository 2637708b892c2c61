from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.sms.clean import clean, strip_hidden

TRICKY = st.text(
    st.sampled_from(
        " \n\r\t\v\x85\u2028\xa0"
        "\u2800aя1#\u0301\u0306\u200b\u200d\u202e\u2066\ufe0f\ufeff👨👩🏽🔥\u20e3\U000e0041\ud800\uffff"
    ),
    max_size=60,
)


@pytest.mark.parametrize(
    "text, expected",
    [
        ("  disk   full \n\n on  db1 \n", "disk full\n\non db1"),
        ("a\tb\xa0c\u2009d\u3000e\u2800f", "a b c d e f"),
        ("one\r\ntwo\rthree\u2028four\x85five\vsix", "one\ntwo\nthree\nfour\nfive\nsix"),
        ("", ""),
        (" \n\t ", ""),
        ("Сервер «db» упал", "Сервер «db» упал"),
        ("и\u0306", "й"),
    ],
)
def test_blanks_become_one_and_newlines_stay(text: str, expected: str) -> None:
    assert clean(text) == expected


@pytest.mark.parametrize(
    "hidden",
    [
        *("\u202e", "\u202a", "\u2066", "\u2069", "\u200e", "\u061c"),  # direction
        *("\u200b", "\u200c", "\u200d", "\u2060", "\ufeff", "\xad", "\u034f", "\u3164", "\ufe0f", "\ufe00"),  # no width
        *("\x00", "\x07", "\x1b", "\x7f", "\x9b"),  # controls
        *("\ud800", "\udc00", "\ufdd0", "\uffff", "\U0001fffe", "\U000e0041", "\U000e0101"),  # no characters, tags
    ],
    ids=ascii,
)
def test_T23_what_cannot_be_seen_is_gone(hidden: str) -> None:
    assert clean(f"pay{hidden}ment") == "payment"
    assert clean(f"пла{hidden}тёж") == "платёж"


@pytest.mark.parametrize("picture", ["👨‍👩‍👧", "❤️‍🔥", "👍🏽", "1️⃣", "🏳️‍🌈", "🇰🇿", "⚠️"])
def test_T23_joiners_stay_inside_emoji(picture: str) -> None:
    assert clean(f"a {picture} b") == f"a {picture} b"


def test_T23_joiner_at_the_edge_of_emoji_is_gone() -> None:
    assert clean("👨\u200d b\u200d👩 👩\u200d") == "👨 b👩 👩"


def test_T23_flood_of_marks_is_capped() -> None:
    assert clean("a" + "\u0335" * 500 + "b") == "a" + "\u0335" * 3 + "b"
    assert clean("q" + "\u0301\u0300\u0302") == "q\u0301\u0300\u0302"


@given(TRICKY | st.text())
def test_T23_no_control_bidi_or_surrogate_is_left(text: str) -> None:
    found = clean(text)
    assert not any(unicodedata.category(c) in ("Cc", "Cs", "Zl", "Zp") for c in found if c != "\n")
    assert not any(
        unicodedata.bidirectional(c) in ("RLO", "LRO", "RLE", "LRE", "PDF", "LRI", "RLI", "FSI", "PDI") for c in found
    )
    assert "  " not in found
    assert found == found.strip()
    found.encode("utf-8")


@given(TRICKY | st.text())
def test_cleaning_again_changes_nothing(text: str) -> None:
    assert clean(clean(text)) == clean(text)


def test_piece_keeps_the_blanks_at_its_ends() -> None:
    assert strip_hidden(" on\u200b  host ") == " on host "
    assert strip_hidden(" он\u200b  хост ") == " он хост "
