from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.sms.edits import edited
from bridge.sms.quantities import coarse, measured
from bridge.sms.tables import table


def shorter(text: str, language: str = "en") -> str:
    return edited(text, [edit for edit in measured(text, table(language)) if edit.saved > 0])


@pytest.mark.parametrize("text, expected", [
    ("CPU 97.4821 %", "CPU 97%"),
    ("used 45,12 % of it", "used 45% of it"),
    ("took 9.748 ms", "took 9.748 ms"),  # 9748 in half of the world
    ("took 9.7481 ms", "took 9.7 ms"),
    ("took 0.0213 s", "took 0.021 s"),
    ("1.0000 %", "1%"),
    ("-12.75 C outside", "-12 C outside"),
    ("load 12.48213 on it", "load 12 on it"),
    ("load 12.48", "load 12.48"),
    ("1073741824 bytes free", "1 GB free"),
    ("1500000000 bytes", "1.5 GB"),
    ("1073741824 байт", "1 ГБ"),
    ("rate 10485760 B/s", "rate 10 MB/s"),
    ("67108864 KB", "64 GB"),
    ("2048 MB", "2 GB"),
    ("1500 MB", "1500 MB"),
    ("3 minutes ago", "3m ago"),
    ("1 hour 30 minutes", "1h 30m"),
    ("for 300 seconds", "for 5m"),
    ("7200s", "2h"),
    ("90 seconds", "90s"),
    ("24 hours", "24h"),
    ("5 gigabytes", "5 GB"),
    ("20 percent", "20%"),
])  # fmt: skip
def test_two_digits_that_matter_and_a_short_unit(text: str, expected: str) -> None:
    assert shorter(text) == expected


@pytest.mark.parametrize("language, text, expected", [
    ("ru", "3 минуты", "3мин"),
    ("ru", "300 секунд", "5мин"),
    ("ru", "47.25 процентов", "47%"),
    ("kk", "2 сағат 10 минут", "2сағ 10мин"),
    ("uk", "3 хвилини", "3хв"),
    ("ru", "3 minutes", "3m"),
    ("de", "3 Minuten, 97,4821 %", "3 Minuten, 97%"),
    ("", "3 minutes, 97.4821 %", "3 minutes, 97%"),
])  # fmt: skip
def test_long_units_are_those_of_the_readers(language: str, text: str, expected: str) -> None:
    assert shorter(text, language) == expected


@pytest.mark.parametrize("text", [
    "10.20.30.40", "10.20.30.40:8080", "fe80::1.2345", "nginx 1.25", "Ubuntu 22.04 с ошибкой", "21.11 в 03:12",
    "version 2.4567", "v2.4567 ms",
    "firmware: 15.1234", "PostgreSQL 14.5", "kernel 5.15.0-91", "21.11.2026", "2026-11-21", "03:12:45.1234",
    "+7 701 123 45 67", "87011234567", "8 (701) 123-45-67", "ge-0/0/1", "Gi1/0/24.1234", "eth0.1234", "sw3.1234",
    "1,234 MB", "1.234 s", "12,345 ms", "$12.5012", "№ 12.5012", "#12.5012", "/var/log/1.2345", "500m", "120m",
    "300 с 03:12", "port 8080", "id 1073741824", "12.50 USD", "1.5 GB", "x12.48213", "12.48213x", "3 disks",
])  # fmt: skip
def test_what_is_no_quantity_or_may_be_something_else_stays(text: str) -> None:
    assert shorter(text, "ru") == text


@pytest.mark.parametrize("text", ["97.4821% > 97%", "97.41% > 97.12%", "limit 97%, now 97.4821%", "0.0213 s, 0.0217 s"])
def test_numbers_that_differ_still_differ(text: str) -> None:
    found = re.findall(r"[0-9.]+", shorter(text))
    assert len(set(found)) == len(found) == 2


def test_what_is_nearly_all_is_not_all() -> None:
    assert shorter("up 99.97421 %") == "up 99.97%"
    assert shorter("up 99.5 %") == "up 99.5%"


def test_a_fraction_gives_way_to_one_digit_last() -> None:
    text = shorter("0.02134 s")
    assert text == "0.021 s"
    assert edited(text, list(coarse(text, table("en")))) == "0.02 s"


@given(st.decimals(min_value=0, max_value=10**9, places=5), st.sampled_from(["%", " %", " ms", "s", " kV", ""]))
def test_the_whole_part_of_a_number_never_changes(number: object, unit: str) -> None:
    text = f"now {number}{unit} here"
    for language in ("en", "de"):
        short = shorter(text, language)
        found = re.search(r"now ([0-9]+)", short)
        assert found
        assert found[1] == str(number).partition(".")[0]


@given(st.text(st.sampled_from("0123456789., %:/-+sGBm°x\n"), max_size=80))
def test_T18_any_heap_of_digits_is_read(text: str) -> None:
    assert len(shorter(text)) <= len(text)
