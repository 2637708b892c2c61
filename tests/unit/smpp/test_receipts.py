from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.smpp import receipts
from bridge.smpp.bodies import Address, ShortMessage

HLR = json.loads((Path(__file__).parents[2] / "vectors" / "hlr_receipts.json").read_text())["cases"]
TEXT = "id:855469 sub:001 dlvrd:001 submit date:2611211200 done date:261121120130 stat:DELIVRD err:000 text:disk full"
TLVS = (
    (0x001E, b"855469\0"), (0x0427, b"\x02"), (0x0423, b"\x03\x00\x06"), (0x2000, b"1.2500"), (0x2001, b"\0\1"),
    (0x2003, b"40101\0"), (0xFFFF, b"?"),
)  # fmt: skip


def message(tlvs: Any = ()) -> ShortMessage:
    return ShortMessage(Address("77010000001", 1, 1), Address("ACME", 5, 1), esm_class=4, tlvs=tlvs)


def test_a_text_says_id_state_error_and_date() -> None:
    assert receipts.read(message(), TEXT) == receipts.Receipt(
        "855469",
        "DELIVRD",
        "",
        datetime(2026, 11, 21, 12, 1, 30),  # noqa: DTZ001 - its zone is not known
    )


def test_tlvs_say_it_without_a_text_and_add_what_it_cost() -> None:
    assert receipts.read(message(TLVS), "") == receipts.Receipt("855469", "DELIVRD", "6", None, "1.2500")


def test_tlvs_are_believed_before_words() -> None:
    said = receipts.read(message(((0x001E, b"7\0"), (0x0427, b"\x05"))), TEXT)
    assert said is not None
    assert (said.id, said.stat) == ("7", "UNDELIV")


@pytest.mark.parametrize("text", ["", "hello", "text:id:5 stat:DELIVRD", "x text:id:5"])
def test_what_names_no_message_is_no_receipt(text: str) -> None:
    assert receipts.read(message(), text) is None


def test_the_quoted_text_of_a_message_says_nothing_about_it() -> None:
    said = receipts.read(message(), TEXT + " stat:UNDELIV err:001 id:999")
    assert said is not None
    assert (said.id, said.stat, said.error) == ("855469", "DELIVRD", "")


@pytest.mark.parametrize(("text", "error"), [("err:000", ""), ("err:006", "6"), ("err:255", "255"), ("err:0C", "0C")])
def test_an_error_is_a_number_without_zeros_in_front(text: str, error: str) -> None:
    said = receipts.read(message(), f"id:1 stat:UNDELIV {text} text:")
    assert said is not None
    assert said.error == error


@pytest.mark.parametrize("state", range(12))
def test_every_state_has_a_word(state: int) -> None:
    said = receipts.read(message(((0x001E, b"7\0"), (0x0427, bytes((state,))))), "")
    assert said is not None
    assert said.stat == receipts.STATES.get(state, f"STATE{state}")


@pytest.mark.parametrize("case", HLR, ids=[one["name"] for one in HLR])
def test_hlr_answers_are_read_as_the_vectors_say(case: dict[str, Any]) -> None:
    said = receipts.read(message(), case["text"])
    assert said is not None
    found = receipts.hlr(case["text"])
    assert said.hlr == found
    if "parsed" in case:
        assert found == case["parsed"]
        assert (said.id, said.stat) == (case["parsed"]["id"], case["parsed"]["stat"])
    for name, octets in case.get("parsed_bytes_hex", {}).items():
        assert found[name].encode("cp1251") == bytes.fromhex(octets)


@pytest.mark.parametrize("text", ["", "26112112", "261399120000", "x611211200"])
def test_what_is_no_date_is_none(text: str) -> None:
    assert receipts.moment(text) is None


def test_a_date_may_lack_seconds_or_carry_a_zone() -> None:
    at = datetime(2026, 11, 21, 12, 0)  # noqa: DTZ001 - its zone is not known
    assert receipts.moment("2611211200") == receipts.moment("261121120000012+") == at


@given(st.text(max_size=200), st.lists(st.tuples(st.sampled_from([0x1E, 0x427, 0x423, 0x2000]), st.binary(max_size=9))))
def test_T37_any_receipt_is_read_or_none(text: str, tlvs: list[tuple[int, bytes]]) -> None:
    said = receipts.read(message(tuple(tlvs)), text)
    assert said is None or 0 < len(said.id) <= 65
