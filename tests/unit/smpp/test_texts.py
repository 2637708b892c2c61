from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.smpp import texts
from bridge.sms import gsm7

CODINGS = json.loads((Path(__file__).parents[2] / "vectors" / "smpp_coding.json").read_text())


def test_codings_are_those_of_the_vectors_and_never_the_one_that_is_a_trap() -> None:
    ours = [texts.GSM, texts.LATIN_1, texts.UCS_2]
    assert ours == [case["data_coding"] for case in CODINGS["cases"]]
    assert ours == [4 * case["coding"] for case in CODINGS["cases"]]
    assert CODINGS["trap"]["data_coding"] not in ours


@pytest.mark.parametrize(
    ("text", "coding", "octets"),
    [
        ("disk @ £ è", texts.GSM, "6469736b20002001 2004"),
        ("€{", texts.GSM, "1b651b28"),
        ("ä_Ω", texts.GSM, "7b1115"),
        ("Ж🔥", texts.UCS_2, "0416d83ddd25"),
        ("é", texts.LATIN_1, "e9"),
    ],
)
def test_letters_are_octets(text: str, coding: int, octets: str) -> None:
    assert texts.encode(text, coding) == bytes.fromhex(octets)
    assert texts.decode(bytes.fromhex(octets), coding) == text


@given(st.text(alphabet=gsm7.BASIC + gsm7.EXTENSION, max_size=80))
def test_every_text_of_the_gsm_alphabet_comes_back(text: str) -> None:
    octets = texts.encode(text, texts.GSM)
    assert (texts.decode(octets, texts.GSM), len(octets)) == (text, gsm7.septets(text))


@pytest.mark.parametrize(("text", "coding"), [("Ж", texts.GSM), ("`", texts.GSM), ("Ж", texts.LATIN_1)])
def test_a_letter_that_the_coding_does_not_have_is_refused(text: str, coding: int) -> None:
    with pytest.raises(ValueError, match=r"."):
        texts.encode(text, coding)


@given(st.binary(max_size=60), st.integers(0, 255))
def test_T37_any_octets_are_some_text(octets: bytes, coding: int) -> None:
    assert isinstance(texts.decode(octets, coding), str)


@pytest.mark.parametrize(
    ("octets", "coding", "text"),
    [
        ("e9", 0, "é"),  # Latin-1 that does not say so
        ("e9", 3, "é"),
        ("0416", 0x18, "Ж"),  # class bits beside UCS-2
        ("0416", 0x08, "Ж"),
        ("4142", 0xF0, "AB"),  # flash
        ("1b", 0, "\ufffd"),
        ("1b41", 0, "A"),
        ("041604", 8, "Ж\ufffd"),
    ],
)
def test_what_a_stranger_writes_is_read_as_far_as_it_goes(octets: str, coding: int, text: str) -> None:
    assert texts.decode(bytes.fromhex(octets), coding) == text
