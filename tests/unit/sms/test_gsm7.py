from __future__ import annotations

import pytest

from bridge.sms import gsm7

# Typed from 3GPP TS 23.038 §6.2.1 row by row, not taken from the library the code uses.
BASIC = (
    "@£$¥èéùìòÇ\nØø\rÅå"
    "Δ_ΦΓΛΩΠΨΣΘΞÆæßÉ"
    " !\"#¤%&'()*+,-./"
    "0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNO"
    "PQRSTUVWXYZÄÖÑÜ§"
    "¿abcdefghijklmno"
    "pqrstuvwxyzäöñüà"
)
EXTENSION = "\f^{}\\[~]|€"


def test_tables_are_those_of_the_standard() -> None:
    assert len(BASIC) == 127  # 128 places, one of them the escape
    assert gsm7.BASIC == BASIC
    assert sorted(gsm7.EXTENSION) == sorted(EXTENSION)


def test_every_character_of_the_first_planes_is_judged_by_the_table() -> None:
    inside = {chr(code) for code in range(0x11000) if gsm7.can_encode(chr(code))}
    assert inside == set(BASIC + EXTENSION)


@pytest.mark.parametrize("letter", BASIC)
def test_basic_character_takes_one_septet(letter: str) -> None:
    assert gsm7.septets(letter) == 1


@pytest.mark.parametrize("letter", EXTENSION)
def test_extension_character_takes_two_septets(letter: str) -> None:
    assert gsm7.septets(f"a{letter}b") == 4


def test_names_what_forces_ucs2_once_and_in_order() -> None:
    assert gsm7.lacking("№ 5 «a» № `") == ("№", "«", "»", "`")
    assert gsm7.lacking("£5 [ok]") == ()
