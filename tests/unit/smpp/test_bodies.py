from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.smpp import bodies
from bridge.smpp.bodies import Address, Bind, Query, QueryAnswer, ShortMessage
from bridge.smpp.pdu import Malformed

BIND = bytes.fromhex("61636d6500 70617373776f726400 00 34 00 00 00")
SUBMIT = bytes.fromhex(
    "00"  # service_type
    "0501 41434d4500"  # source: letters
    "0101 373730313030303030303100"
    "40 00 00"  # esm_class: with a header, protocol, priority
    "00"  # schedule
    "3030303030303030333030303030305200"  # validity: half an hour
    "01 00 08 00"  # registered, replace, UCS-2, no canned message
    "08 0500032a0201 0416"
    "0204 0002 0007"  # user_message_reference
)


def test_a_bind_is_login_password_type_and_version() -> None:
    bind = Bind("acme", "password")
    assert bind.encoded() == BIND
    assert Bind.read(BIND) == bind


def test_T29_a_bind_shows_no_password() -> None:
    assert "password" not in repr(Bind("acme", "password"))


@pytest.mark.parametrize("password", ["пароль", "x" * 64, "a\0b"])
def test_what_a_bind_cannot_carry_is_refused(password: str) -> None:
    with pytest.raises(ValueError, match=r".") as caught:
        Bind("acme", password).encoded()
    assert not isinstance(caught.value, Malformed)


def message() -> ShortMessage:
    return ShortMessage(
        Address("ACME", 5, 1), Address("77010000001", 1, 1), bytes.fromhex("0500032a02010416"), 8, 0x40, 1,
        "000000003000000R", tlvs=((0x0204, b"\0\7"),),
    )  # fmt: skip


def test_a_short_message_is_built_as_the_specification_says() -> None:
    assert message().encoded() == SUBMIT


def test_a_short_message_is_read_as_it_was_built() -> None:
    read = ShortMessage.read(SUBMIT)
    assert read == message()
    assert (read.number(0x0204), read.tlv(0x0205)) == (7, None)


def test_an_address_longer_than_allowed_is_read_all_the_same() -> None:
    """A library that refuses it drops the link, and the provider brings the receipt again for ever."""
    body = SUBMIT.replace(b"ACME\0", b"A" * 40 + b"\0")
    assert ShortMessage.read(body).source.text == "A" * 40


@pytest.mark.parametrize("broken", ["0427 0002 02", "0427 ffff 02", "04"])
def test_a_tlv_that_is_cut_off_takes_nothing_else_with_it(broken: str) -> None:
    read = ShortMessage.read(SUBMIT + bytes.fromhex(broken))
    assert read == message()


def test_a_tlv_of_an_unexpected_length_is_kept_as_it_came() -> None:
    read = ShortMessage.read(SUBMIT + bytes.fromhex("0427 0002 0002"))
    assert (read.number(bodies.MESSAGE_STATE), read.tlv(bodies.MESSAGE_STATE)) == (2, b"\0\2")


@pytest.mark.parametrize("length", range(53))
def test_T37_a_body_that_ends_too_early_is_malformed(length: int) -> None:
    with pytest.raises(Malformed):
        ShortMessage.read(SUBMIT[:length])


@given(st.binary(max_size=120))
def test_T37_any_body_is_read_or_malformed(body: bytes) -> None:
    for read in (ShortMessage.read, Bind.read, Query.read, QueryAnswer.read, bodies.message_id):
        try:
            read(body)
        except Malformed:
            continue


@pytest.mark.parametrize(
    "change", [{"octets": b"x" * 255}, {"validity": "x" * 17}, {"source": Address("ж")}, {"source": Address("x" * 21)}]
)
def test_what_no_pdu_can_carry_is_refused(change: dict[str, object]) -> None:
    with pytest.raises(ValueError, match=r"."):
        ShortMessage(**({"source": Address(), "destination": Address("77010000001")} | change)).encoded()  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("esm_class", "tlvs", "is_one"),
    [(0, (), False), (0x04, (), True), (0x44, (), True), (0x20, (), True), (0x40, (), False),
     (0, ((0x001E, b"1\0"),), True)],
)  # fmt: skip
def test_a_receipt_is_known_by_its_class_or_by_the_message_it_names(
    esm_class: int, tlvs: bodies.Tlvs, is_one: bool
) -> None:
    made = ShortMessage(Address(), Address(), esm_class=esm_class, tlvs=tlvs)
    assert made.is_receipt is is_one


def test_the_payload_stands_in_for_an_empty_text() -> None:
    made = ShortMessage(Address(), Address(), tlvs=((bodies.MESSAGE_PAYLOAD, b"long"),))
    assert (made.payload, ShortMessage(Address(), Address(), b"short", tlvs=made.tlvs).payload) == (b"long", b"short")


def test_questions_and_their_answers_are_read_as_they_were_built() -> None:
    question = Query("855469", Address("ACME", 5, 1))
    answer = QueryAnswer("855469", "261121120100012+", 2, 0)
    assert (Query.read(question.encoded()), QueryAnswer.read(answer.encoded())) == (question, answer)
    assert answer.encoded().hex() == "38353534363900" + b"261121120100012+".hex() + "00" + "0200"


@pytest.mark.parametrize(("body", "id"), [(b"", ""), (b"\0", ""), (b"855469\0", "855469")])
def test_an_answer_names_its_message_or_leaves_it_out(body: bytes, id: str) -> None:
    assert bodies.message_id(body) == id
