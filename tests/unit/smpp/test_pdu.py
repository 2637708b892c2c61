from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.smpp import pdu
from bridge.smpp.pdu import Broken, Frames, Pdu

ENQUIRE = bytes.fromhex("00000010 00000015 00000000 00000007")  # §4.11.1
NACK = bytes.fromhex("00000010 80000000 00000003 00000007")


def test_a_header_is_four_numbers_of_four_octets() -> None:
    assert Pdu(pdu.ENQUIRE_LINK, 7).encoded() == ENQUIRE
    assert Pdu(pdu.GENERIC_NACK, 7, pdu.INVALID_COMMAND).encoded() == NACK


@pytest.mark.parametrize(
    ("request_", "answer"),
    [
        (Pdu(pdu.ENQUIRE_LINK, 7), Pdu(0x80000015, 7)),
        (Pdu(pdu.DELIVER_SM, 7, body=b"x"), Pdu(0x80000005, 7)),
        (Pdu(0x00000102, 7), Pdu(pdu.GENERIC_NACK, 7, pdu.INVALID_COMMAND)),
        (Pdu(0x80000015, 7), Pdu(pdu.GENERIC_NACK, 7, pdu.INVALID_COMMAND)),
    ],
)
def test_an_answer_has_the_number_of_its_request_and_what_has_none_is_refused(request_: Pdu, answer: Pdu) -> None:
    assert request_.answer() == answer


@given(st.lists(st.binary(max_size=40), max_size=5), st.integers(1, 17))
def test_pdus_come_out_as_they_went_in_however_the_stream_is_cut(bodies: list[bytes], step: int) -> None:
    sent = [Pdu(pdu.SUBMIT_SM, number, body=body) for number, body in enumerate(bodies, 1)]
    stream = b"".join(one.encoded() for one in sent)
    frames = Frames()
    assert [one for at in range(0, len(stream), step) for one in frames.feed(stream[at : at + step])] == sent


@pytest.mark.parametrize("length", [0, 15, 65537, 0x7FFFFFFF])
def test_T37_a_length_that_cannot_be_breaks_the_stream_before_anything_is_waited_for(length: int) -> None:
    with pytest.raises(Broken):
        Frames().feed(length.to_bytes(4) + ENQUIRE[4:])


@given(st.binary(max_size=200))
def test_T37_any_octets_are_pdus_or_broken(octets: bytes) -> None:
    try:
        found = Frames().feed(octets)
    except Broken:
        return
    assert sum(16 + len(one.body) for one in found) <= len(octets)


def test_T29_a_repr_shows_no_body() -> None:
    assert "canary" not in repr(Pdu(pdu.BIND_TRANSCEIVER, 1, body=b"acme\0canary\0"))
