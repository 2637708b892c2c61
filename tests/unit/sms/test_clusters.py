from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.sms.clusters import border, clusters, is_plain

FAMILY = "👨‍👩‍👧"
KAZAKHSTAN = "🇰🇿"


@pytest.mark.parametrize(
    "whole",
    [
        FAMILY,
        KAZAKHSTAN,
        "👍🏽",
        "❤️",
        "1️⃣",
        "e\u0301",
        "и\u0306",
        "\r\n",
        "\u1112\u1161\u11ab",
        "🏴\U000e0067\U000e007f",
    ],
)
def test_what_looks_like_one_character_is_one_cluster(whole: str) -> None:
    assert list(clusters(f"a{whole}b")) == ["a", whole, "b"]


def test_flags_pair_up_from_the_left() -> None:
    assert list(clusters("🇰🇿🇷🇺🇺")) == ["🇰🇿", "🇷🇺", "🇺"]
    assert list(clusters("x🇰🇿y🇷🇺")) == ["x", "🇰🇿", "y", "🇷🇺"]


def test_plain_text_is_its_letters() -> None:
    text = "Сервер «db-01» упал № 5 – 100₸ → қазір"
    assert is_plain(text)
    assert list(clusters(text)) == list(text)


def test_empty_text_has_no_clusters() -> None:
    assert list(clusters("")) == []


@given(st.text(st.sampled_from("aя🇰🇿👨\u200d\u0301\u0306\ufe0f🏽1\r\n\u1161") | st.characters()))
def test_clusters_join_back_to_the_text(text: str) -> None:
    parts = list(clusters(text))
    assert "".join(parts) == text
    assert "" not in parts


def test_border_steps_back_to_the_start_of_a_cluster() -> None:
    text = f"ab{FAMILY}cd"
    assert [border(text, place) for place in range(len(text) + 2)] == [0, 1, 2, 2, 2, 2, 2, 7, 8, 9, 9]
    assert border("plain", 3) == 3
