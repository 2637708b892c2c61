from __future__ import annotations

import json
from pathlib import Path

import pytest
import smsutil
from hypothesis import given
from hypothesis import strategies as st

from bridge.sms.clusters import clusters
from bridge.sms.segment import Segmentation, left, length, segment, utf16_units

VECTORS = Path(__file__).parents[2] / "vectors"
FAMILY = "👨‍👩‍👧"  # 8 UTF-16 units, one picture

GSM_EXTRA = "^{}\\[~]|€"
GSM = st.text(st.sampled_from("abc XYZ09@£$éÄñΔ_\n" + GSM_EXTRA), max_size=700)
UCS = st.text(st.sampled_from("яҚә№ a1€😀🔥𝄞"), min_size=1, max_size=300)
ANY = st.text(st.sampled_from("aя€[😀🇰🇿👨\u200d\u0301\ufe0f🏽\n"), max_size=400) | st.text(
    st.characters(exclude_categories=["Cs"]), max_size=200
)


def lengths(text: str) -> list[int]:
    found = segment(text)
    return [length(part, found.encoding) for part in found.segments]


@pytest.mark.parametrize(
    "text, expected",
    [
        ("", [0]),
        ("a" * 160, [160]),
        ("a" * 161, [153, 8]),
        ("a" * 306, [153, 153]),
        ("a" * 307, [153, 153, 1]),
        ("€" * 80, [160]),
        ("€" * 81, [152, 10]),
        ("a" * 152 + "€" + "a" * 9, [152, 11]),
        ("я" * 70, [70]),
        ("я" * 71, [67, 4]),
        ("я" * 134, [67, 67]),
        ("я" * 135, [67, 67, 1]),
        ("я" * 66 + "😀" + "я" * 9, [66, 11]),
        ("😀" * 35, [70]),
        ("😀" * 36, [66, 6]),
    ],
)
def test_boundaries(text: str, expected: list[int]) -> None:
    assert lengths(text) == expected
    assert "".join(segment(text).segments) == text


def test_one_letter_outside_gsm_makes_the_whole_text_ucs2() -> None:
    assert segment("a" * 100) == Segmentation("GSM-7", ("a" * 100,))
    assert segment("№" + "a" * 99) == Segmentation("UCS-2", ("№" + "a" * 66, "a" * 33))


def test_agrees_with_the_parts_of_the_manual() -> None:
    cases = json.loads((VECTORS / "smpp_segments.json").read_text(encoding="utf-8"))["cases"]
    assert len(cases) > 5
    for case in cases:
        found = segment(case["text"])
        assert len(found.segments) == case["parts"] == len(case["pdus"]), case["name"]
        octets = [pdu["sm_length"] - (6 if case["parts"] > 1 else 0) for pdu in case["pdus"]]
        unit = 1 if found.encoding == "GSM-7" else 2
        assert [length(part, found.encoding) * unit for part in found.segments] == octets, case["name"]


def independent_count(text: str) -> tuple[str, int]:
    """Segments counted another way: bytes of Python's own UTF-16, and a walk over positions."""
    basic = set(
        "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡ÄÖÑÜ§¿äöñüà"
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
    )
    extra = set(GSM_EXTRA + "\f")
    gsm = set(text) <= basic | extra
    widths = [2 if c in extra else 1 for c in text] if gsm else [len(c.encode("utf-16-be")) // 2 for c in text]
    whole, part = (160, 153) if gsm else (70, 67)
    if sum(widths) <= whole:
        return ("GSM-7" if gsm else "UCS-2"), 1
    position = 0
    for width in widths:
        room = part - position % part
        position += width if width <= room else room + width
    return ("GSM-7" if gsm else "UCS-2"), -(-position // part)


@given(GSM | UCS | ANY)
def test_never_costs_more_than_counting_letters_does(text: str) -> None:
    found = segment(text)
    assert (found.encoding, len(found.segments)) == independent_count(text)


@given(GSM | UCS | ANY)
def test_segments_join_back_and_each_fits(text: str) -> None:
    found = segment(text)
    rooms = {"GSM-7": (160, 153), "UCS-2": (70, 67)}[found.encoding]
    assert "".join(found.segments) == text
    assert all(length(part, found.encoding) <= rooms[len(found.segments) > 1] for part in found.segments)
    assert 0 <= left(found) <= rooms[0]


@given((GSM | UCS).filter(bool))  # smsutil calls nothing UCS-2
def test_agrees_with_smsutil_where_every_letter_stands_alone(text: str) -> None:
    oracle = smsutil.split(text)
    assert segment(text).segments == tuple(part.content for part in oracle.parts)
    assert (segment(text).encoding == "GSM-7") == (oracle.encoding == "gsm0338")


def test_picture_of_several_code_points_stays_whole_where_it_costs_nothing() -> None:
    text = "я" * 63 + FAMILY + "я" * 10
    assert segment(text).segments == ("я" * 63, FAMILY + "я" * 10)


def test_flag_and_letter_with_mark_stay_whole() -> None:
    assert segment("я" * 65 + "🇰🇿" + "я" * 5).segments == ("я" * 65, "🇰🇿" + "я" * 5)
    assert segment("я" * 66 + "q\u0301" + "я" * 5).segments == ("я" * 66, "q\u0301" + "я" * 5)


def test_picture_is_split_before_it_costs_a_segment() -> None:
    text = "я" * 62 + FAMILY + "я" * (67 * 2 - 62 - 8)
    found = segment(text).segments
    assert [utf16_units(part) for part in found] == [67, 67]
    assert FAMILY in list(clusters(text))
    assert not any(FAMILY in part for part in found)


def test_cluster_longer_than_a_part_is_split_at_code_points() -> None:
    text = "a" + "\u0301" * 200
    assert [len(part) for part in segment(text).segments] == [67, 67, 67]


def test_left_is_the_room_before_the_next_charge() -> None:
    assert [left(segment("a" * n)) for n in (0, 9, 160, 161, 306)] == [160, 151, 0, 145, 0]
    assert [left(segment("я" * n)) for n in (1, 70, 71)] == [69, 0, 63]
