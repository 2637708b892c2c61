from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.providers import smsc_smpp_arrivals
from bridge.providers.base import Inbound, Piece, Report
from bridge.smpp import parts, texts
from bridge.smpp.bodies import Address, ShortMessage

RECEIPT = "id:855469 sub:001 dlvrd:001 submit date:2611211200 done date:2611211201 stat:DELIVRD err:000 text:hi"


def arrives(text: str, coding: int = 0, **changes: Any) -> ShortMessage:
    octets = texts.encode(text, coding)
    return ShortMessage(Address("77010000001", 1, 1), Address("77055550000", 1, 1), octets, coding, **changes)


def test_a_receipt_is_a_report_on_the_message_it_names() -> None:
    read = smsc_smpp_arrivals.read(arrives(RECEIPT, esm_class=4))
    assert isinstance(read, Report)
    assert (read.provider_id, read.phone, read.answer.state) == ("855469", "+77010000001", "DELIVERED")


def test_a_receipt_without_its_bits_is_one_all_the_same() -> None:
    assert isinstance(smsc_smpp_arrivals.read(arrives(RECEIPT)), Report)


@pytest.mark.parametrize("text", ["12 ok", "id: 5", "my id:5 stat:late", "принято"])
def test_what_a_person_writes_is_an_sms(text: str) -> None:
    coding = texts.GSM if text.isascii() else texts.UCS_2
    read = smsc_smpp_arrivals.read(arrives(text, coding))
    assert read == Inbound("", "+77010000001", "77055550000", text, None, None)


def test_a_receipt_that_names_no_message_is_kept_as_a_text() -> None:
    assert isinstance(smsc_smpp_arrivals.read(arrives("something odd", esm_class=4)), Inbound)


@pytest.mark.parametrize("form", ["udh", "udh16", "sar"])
def test_a_part_is_a_piece(form: Any) -> None:
    read = smsc_smpp_arrivals.read(parts.numbered(arrives("half"), parts.Place(9, 2, 1), form))
    assert read == Piece("+77010000001", "77055550000", 9, 2, 1, 0, b"half")


@pytest.mark.parametrize(("source", "phone"), [("+77010000001", "+77010000001"), ("7575", "7575"), ("BANK", "BANK")])
def test_a_name_or_a_short_number_stays_what_it_is(source: str, phone: str) -> None:
    read = smsc_smpp_arrivals.read(ShortMessage(Address(source), Address("777"), b"hi"))
    assert read.phone == phone


@given(st.binary(max_size=80), st.integers(0, 255), st.integers(0, 255), st.text("a7+ж"[:3], max_size=40))
def test_T37_whatever_arrives_is_something(octets: bytes, coding: int, esm_class: int, source: str) -> None:
    message = ShortMessage(Address(source), Address("777"), octets, coding, esm_class)
    assert isinstance(smsc_smpp_arrivals.read(message), Report | Piece | Inbound)
