"""Texts whose charset is wrong, unknown or not said."""

from __future__ import annotations

import pytest

from bridge.mail import charset

RUSSIAN = ("Сервер упал", "Нет места на /data", "Внимание! Сбой питания, зал 1", "Problem: Диск заполнен")


@pytest.mark.parametrize("name", ["cp1251", "koi8-r", "cp866"])
@pytest.mark.parametrize("text", RUSSIAN)
def test_guesses_short_russian_that_declares_nothing(text: str, name: str) -> None:
    assert charset.decode(text.encode(name)).text == text


def test_utf8_is_believed_before_what_was_declared() -> None:
    assert charset.decode("Нет места".encode(), "koi8-r") == ("Нет места", "utf-8", "")


def test_declared_is_believed_before_the_default_of_the_source() -> None:
    assert charset.decode("Нет".encode("koi8-r"), "koi8-r", "cp1251").text == "Нет"


def test_default_of_the_source_is_believed_before_a_guess() -> None:
    short = "ё".encode("cp866")
    decoded = charset.decode(short, "", "cp866")
    assert (decoded.text, decoded.charset) == ("ё", "cp866")
    assert "cp866" in decoded.trouble


def test_ascii_with_letters_above_it_counts_as_undeclared() -> None:
    assert charset.decode("Сервер упал".encode("cp1251"), "us-ascii", "cp1251").text == "Сервер упал"


def test_utf16_is_not_taken_for_utf8_with_nulls() -> None:
    assert charset.decode("down".encode("utf-16-le"), "utf-16le").text == "down"


def test_unknown_charset_is_told_and_the_text_still_read() -> None:
    decoded = charset.decode("Лифт стоит, зал 1".encode("cp1251"), "x-scada-7")
    assert decoded.text == "Лифт стоит, зал 1"
    assert decoded.trouble == "unknown charset x-scada-7"


@pytest.mark.parametrize(
    ("written", "python"),
    [
        ("Windows-1251", "cp1251"),
        ("win1251", "cp1251"),
        ("x-cp1251", "cp1251"),
        ("CP-866", "cp866"),
        ('"UTF-8"', "utf-8"),
        ("utf8mb4", "utf-8"),
        ("KOI8R", "koi8-r"),
        ("iso-8859-1", "cp1252"),
        ("us-ascii", "ascii"),
    ],
)
def test_knows_the_names_senders_use(written: str, python: str) -> None:
    assert charset.known(written) == python


@pytest.mark.parametrize(
    "name", ["", "hex", "zlib", "rot13", "idna", "punycode", "unicode_escape", "a\x00b", "x" * 999]
)
def test_T21_names_that_are_no_charset_of_a_text_are_none(name: str) -> None:
    assert charset.known(name) == ""


def test_T21_any_bytes_are_some_text() -> None:
    for declared in ("", "utf-8", "utf-16", "iso-2022-jp", "gb18030", "nonsense", "utf-7"):
        assert isinstance(charset.decode(bytes(range(256)) * 3, declared).text, str)
