"""Numbers that strangers write (T03, T04, T23)."""

from __future__ import annotations

import pytest

from bridge.config.models import Numbers
from bridge.routing.numbers import Destinations, country_code, forbidden, read_number


@pytest.mark.parametrize(
    "text, region, number",
    [
        ("+77010000001", None, "+77010000001"),
        ("77010000001", None, "+77010000001"),
        ("77010000001", "KZ", "+77010000001"),
        ("87010000001", "KZ", "+77010000001"),
        ("9075550142", "US", "+19075550142"),
        ("+1-907-555-0143", "KZ", "+19075550143"),
        ("998901234567", "KZ", "+998901234567"),
        ("9075550142", None, ""),
        ("+7 701 000.00-01", None, "+77010000001"),
        ("112", "KZ", ""),
        ("", "KZ", ""),
        ("+", None, ""),
        ("++77010000001", None, ""),
        ("7701000000x", "KZ", ""),
        ("+77010000001;ext=5", None, ""),
        ("(701)0000001", "KZ", ""),
        ("٧٧٠١٠٠٠٠٠٠١", "KZ", ""),
        ("７７０１０００００１１", "KZ", ""),
        ("7" * 30, "KZ", ""),
    ],
)
def test_T23_a_number_is_ascii_digits_that_a_plan_knows(text: str, region: str | None, number: str) -> None:
    assert read_number(text, region) == number


ALL = Destinations(None, None)
KZ = Destinations(None, "KZ")


@pytest.mark.parametrize(
    "phone, prefixes, destinations, only, why",
    [
        ("+77010000001", ("+7701",), KZ, "anyone", ""),
        ("+77020000001", ("+7701",), KZ, "anyone", "outside prefixes"),
        ("+79161234567", ("+7",), KZ, "anyone", "outside destinations"),  # Russia shares +7
        ("+79161234567", ("+7",), ALL, "anyone", ""),
        ("+998901234567", ("+998",), KZ, "anyone", "outside destinations"),
        ("+77010000001", ("+7701",), Destinations(("+7702",), "KZ"), "anyone", "outside destinations"),
        ("+998901234567", ("+998",), Destinations(("+998", "+7"), "KZ"), "anyone", ""),
        ("+77010000011", ("+7",), KZ, "people", ""),
        ("+77010000012", ("+7",), KZ, "people", "not a person's"),
        ("", ("+7",), KZ, "anyone", "not a telephone number"),
        ("+77010000001", (), KZ, "anyone", "outside prefixes"),
    ],
)
def test_T04_a_number_must_be_allowed_by_the_rule_and_by_the_destinations(
    phone: str, prefixes: tuple[str, ...], destinations: Destinations, only: str, why: str
) -> None:
    numbers = Numbers(prefixes=prefixes, only=only)
    assert forbidden(phone, numbers, destinations, {"+77010000011"}) == why


def test_the_country_code_is_that_of_the_plan() -> None:
    assert [country_code(phone) for phone in ("+77010000001", "+447012345678", "+19075550142", "+000")] == [
        "+7", "+44", "+1", "+000",
    ]  # fmt: skip
