from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.smpp.bodies import MESSAGE_PAYLOAD, UDH, Address, ShortMessage
from bridge.smpp.parts import Place, numbered, taken_apart

PLAIN = ShortMessage(Address(), Address("77010000001"), b"text")


@pytest.mark.parametrize(
    ("form", "octets", "tlvs"),
    [
        ("udh", "0500032a0302 74657874", ()),
        ("udh16", "060804012a0302 74657874", ()),
        ("sar", "74657874", ((0x020C, b"\x01\x2a"), (0x020E, b"\3"), (0x020F, b"\2"))),
    ],
)
def test_a_part_says_its_reference_its_number_and_how_many_there_are(form: Any, octets: str, tlvs: object) -> None:
    part = numbered(PLAIN, Place(0x12A, 3, 2), form)
    assert (part.octets, part.tlvs) == (bytes.fromhex(octets), tlvs)
    assert bool(part.esm_class & UDH) is (form != "sar")


@pytest.mark.parametrize("form", ["udh", "udh16", "sar"])
def test_a_part_is_taken_apart_again(form: Any) -> None:
    assert taken_apart(numbered(PLAIN, Place(0x2A, 3, 2), form)) == (b"text", Place(0x2A, 3, 2))


def test_a_text_that_is_whole_has_no_place() -> None:
    assert taken_apart(PLAIN) == (b"text", None)


def test_a_header_is_found_among_others_and_in_a_payload() -> None:
    header = bytes.fromhex("0b 0504158 10000 00030a0201".replace(" ", ""))
    within = ShortMessage(Address(), Address(), esm_class=UDH, tlvs=((MESSAGE_PAYLOAD, header + b"text"),))
    assert taken_apart(within) == (b"text", Place(10, 2, 1))


@pytest.mark.parametrize("header", ["0500032a0000", "0500032a0204", "0500032a0101", "03000000", "0500042a0201"])
def test_a_place_that_cannot_be_is_none_and_the_text_stays(header: str) -> None:
    message = replace(PLAIN, octets=bytes.fromhex(header) + b"text", esm_class=UDH)
    assert taken_apart(message) == (b"text", None)


def test_a_header_longer_than_its_message_is_text() -> None:
    message = replace(PLAIN, octets=b"\x30abc", esm_class=UDH)
    assert taken_apart(message) == (b"\x30abc", None)


@given(st.binary(max_size=40), st.integers(0, 255))
def test_T37_any_message_is_taken_apart(octets: bytes, esm_class: int) -> None:
    text, place = taken_apart(replace(PLAIN, octets=octets, esm_class=esm_class))
    assert octets.endswith(text)
    assert place is None or 1 <= place.number <= place.total
