"""What gives way, in which order, and what never does."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bridge.sms import shrinking
from bridge.sms.edits import Edit
from bridge.sms.fit import Alphabet, fit
from bridge.sms.pieces import CODE, DETAIL, HOST, KEEP, Piece
from bridge.sms.segment import segment
from bridge.sms.tables import Table
from bridge.sms.wording import phrases

ALPHABETS: list[Alphabet] = ["keep", "translit", "cheaper"]
LANGUAGES = ["en", "ru", "kk", "uk", "de", ""]

VOCABULARY = st.sampled_from([
    "97.4821 % ", "1073741824 bytes ", "is too high ", "utilization ", "more than 90% ", "down ", "not running ",
    "https://a.example/x?y ", "Details: https://b.example/dd ", "(see https://c.example/) ", "использование ",
    "базы данных ", "не отвечает ", "температурасы ", "жауап бермейді ", "🔥 ", "[x] ", "ge-0/0/1 ", "10.20.30.40 ",
    "“q” ", "the ", "3 minutes ", "_", "~~~", "\n", "…",
])  # fmt: skip
LONG = st.lists(VOCABULARY, max_size=30).map("".join)
SAID = st.text(st.sampled_from("abcXY019яқ"), min_size=1, max_size=12)
LOOSE = st.builds(Piece, LONG, st.integers(0, DETAIL))
KEPT = st.builds(Piece, SAID, st.sampled_from([KEEP, HOST, CODE]))
PIECES = st.lists(st.one_of(LOOSE, KEPT), max_size=8)


@settings(max_examples=300)
@given(PIECES, st.integers(1, 3), st.sampled_from(ALPHABETS), st.sampled_from(LANGUAGES))
def test_T23_T18_never_more_parts_and_never_a_dearer_encoding(
    pieces: list[Piece], parts: int, alphabet: Alphabet, language: str
) -> None:
    whole = fit(pieces, 10_000, alphabet, language)
    fitted = fit(pieces, parts, alphabet, language)
    assert fitted.segments == len(segment(fitted.text).segments) <= parts
    assert fitted.encoding == whole.encoding or fitted.encoding == "GSM-7"
    if whole.segments <= parts:
        assert fitted == whole


@settings(max_examples=300)
@given(PIECES, st.integers(1, 2), st.sampled_from(LANGUAGES))
def test_what_is_kept_is_there_whenever_it_fits(pieces: list[Piece], parts: int, language: str) -> None:
    kept = [piece.text for piece in pieces if piece.gives_way < 0]
    text = fit(pieces, parts, "keep", language).text
    if len(segment(" ".join(kept)).segments) <= parts:
        assert all(one in text for one in kept)


@given(PIECES, st.integers(1, 3), st.sampled_from(ALPHABETS), st.sampled_from(LANGUAGES))
def test_the_same_text_comes_out_every_time_and_is_not_touched_again(
    pieces: list[Piece], parts: int, alphabet: Alphabet, language: str
) -> None:
    fitted = fit(pieces, parts, alphabet, language)
    assert fit(pieces, parts, alphabet, language) == fitted
    again = fit([Piece(fitted.text)], parts, alphabet, language)
    assert (again.text, again.shortened) == (fitted.text, False)


def test_detail_gives_way_before_a_word_of_the_title() -> None:
    title = Piece("CPU utilization is too high: 97.4821 %", 9)
    fitted = fit([title, Piece(" "), Piece("and more of it " * 20, DETAIL)], 1, "keep", "en")
    assert fitted.text.startswith("CPU utilization is too high: 97.4821 % and more of it")


def test_steps_follow_in_order_and_only_as_many_as_it_takes() -> None:
    text = "Load is too high: 97.4821 % utilization, see https://a.example/x"
    lengths = [160 - len(text) + more for more in (0, 1, 25, 35, 45, 60)]
    shown = [
        fit([Piece("x" * (n - 1) + " "), Piece(text, 1)], 1, "keep", "en").text.split("x ", 1)[-1] for n in lengths
    ]
    assert shown == [
        text,
        "Load is too high: 97.4821 % utilization",
        "Load is too high: 97.4821 % utilization",
        "Load high: 97% utilization",
        "Load high: 97% util",
        "Lo..",
    ]


def test_the_state_of_a_title_stays_longer_than_its_tail_and_its_head() -> None:
    title = "Uplink " + "to a far place " * 10 + "is not running since the day before"
    fitted = fit([Piece("sw3 "), Piece(title, 1)], 1, "keep", "en")
    assert fitted.text.startswith("sw3 Uplink to a far place to")
    assert fitted.text.endswith(".. not running")
    assert fit([Piece("s" * 150), Piece(title, 1)], 1, "keep", "en").text == "s" * 150


@pytest.mark.parametrize("room", range(1, 60))
def test_code_is_given_up_last_and_host_before_it(room: int) -> None:
    pieces = [
        Piece("12", CODE), Piece(" "), Piece("CRIT", KEEP), Piece(" "), Piece("db-prod-01", HOST), Piece(": "),
        Piece("Battery low", 1), Piece(". Reply "), Piece("12", CODE), Piece(" or ring "), Piece("+77172000000", KEEP),
    ]  # fmt: skip
    filler = "x" * (160 - room)
    text = fit([Piece(filler, CODE), *pieces], 1, "keep", "en").text.removeprefix(filler)
    assert len(text) <= room
    if room >= 4:
        assert "12" in text
    if room >= 15:
        assert "12 db-prod-01" in text or "12 CRIT db-prod-01" in text
    if room >= 34:
        assert text.lstrip().startswith("12 CRIT db-prod-01")
        assert text.endswith("+77172000000")
    assert "+" not in text or "+77172000000" in text


def test_host_is_cut_only_for_the_code() -> None:
    pieces = [Piece("12", CODE), Piece(" CRIT "), Piece("h" * 300, HOST), Piece(": "), Piece("Disk full", 1)]
    assert fit(pieces, 1, "keep", "en").text == "12 " + "h" * 155 + ".."


def test_signs_go_where_they_alone_cost_half_the_room() -> None:
    pieces = [Piece("db01", HOST), Piece(" 🔥 "), Piece("Disk space → low " * 8, 1)]
    fitted = fit(pieces, 1, "keep", "en")
    assert (fitted.encoding, fitted.alphabet_used) == ("GSM-7", "keep")
    assert fitted.text == "db01 " + ("Disk space -> low " * 8).strip()
    assert "🔥" in fit(pieces[:2], 1, "keep").text
    assert "🔥" in fit([Piece("🔥", KEEP), *pieces], 1, "keep", "en").text


def test_common_words_are_shortened_before_they_are_spelled_in_latin() -> None:
    title = "Использование памяти на сервере базы данных превышает 95.1234 %, " * 6
    text = fit([Piece("db01", HOST), Piece(" "), Piece(title, 1)], 1, "translit", "ru").text
    assert text.startswith("db01 Isp. pamyati na serv. BD >95%")


@pytest.mark.parametrize("title", [
    "more than 90% is too high https://a.example/x " * 20_000, "9" * 900_000, "the " * 200_000, "a-" * 400_000,
])  # fmt: skip
def test_T19_no_more_of_a_field_is_reworded_than_could_ever_be_saved(
    monkeypatch: pytest.MonkeyPatch, title: str
) -> None:
    seen: list[int] = []

    def looking(text: str, _table: Table) -> Iterator[Edit]:
        seen.append(len(text))
        yield from phrases(text, _table)

    monkeypatch.setattr(shrinking, "_STEPS", (looking,))
    assert fit([Piece(title, 1)], 1, "keep", "en").segments == 1
    assert 0 < max(seen) <= 160 * 8
    assert len(seen) <= 2
