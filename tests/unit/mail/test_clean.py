"""T11, T23: what nobody sees, or what breaks a reader, does not pass."""

from __future__ import annotations

import pytest

from bridge.mail import clean


@pytest.mark.parametrize(
    "odd",
    [
        "\u202e",
        "\u2066",
        "\u200b",
        "\u200d",
        "\ufeff",
        "\u00ad",
        "\x00",
        "\x1b",
        "\x7f",
        "\x9b",
        "\U000e0041",
        "\u061c",
    ],
)
def test_T23_removes_what_nobody_sees(odd: str) -> None:
    assert clean.line(f"db{odd}01 упал") == "db01 упал"
    assert clean.block(f"db{odd}01\nупал") == "db01\nупал"


def test_T23_lone_surrogates_become_a_letter_that_can_be_encoded() -> None:
    assert clean.line("a\ud83d b").encode() == "a\ufffd b".encode()
    assert clean.block("a\udcff\nb").encode() == "a\ufffd\nb".encode()


def test_T23_piles_of_combining_marks_are_four_high() -> None:
    assert clean.line("a" + "\u0301" * 500) == "a" + "\u0301" * 4


@pytest.mark.parametrize("end", ["\r\n", "\n", "\r", "\u2028", "\u2029", "\x85", "\x0b", "\x0c"])
def test_T11_no_line_end_stays_in_a_line(end: str) -> None:
    assert clean.line(f"x{end}Bcc: evil") == "x Bcc: evil"
    assert clean.block(f"x{end}y") == "x\ny"


def test_block_keeps_lines_and_one_empty_line() -> None:
    assert clean.block("  a  \r\n\r\n\r\n\r\n\tb\u00a0c \n") == "a\n\n b c"


def test_an_emoji_keeps_its_two_halves() -> None:
    assert clean.line("[🔴 Down] web") == "[🔴 Down] web"
