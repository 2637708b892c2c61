from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.sms import gsm7
from bridge.sms.clean import clean
from bridge.sms.danger import defuse
from bridge.sms.fit import Alphabet, Fitted, Piece, cut, fit
from bridge.sms.segment import segment

ALPHABETS: list[Alphabet] = ["keep", "translit", "cheaper"]
TITLE = "Мало места на диске /var/lib/postgresql: свободно 3% из 500 ГБ, порог 5%"
ALERT = [Piece("12 АВАРИЯ "), Piece("db-prod-01", 1), Piece(": "), Piece(TITLE, 2), Piece(". Ответ: 12 ок")]

WORDS = st.text(st.sampled_from("ab яқ№…€[ \n_~.🔥🇰🇿\u0301\u200d\u200b"), max_size=250) | st.text(max_size=60)
PIECES = st.lists(st.builds(Piece, WORDS, st.integers(0, 3)), max_size=6)


def text_of(pieces: list[Piece]) -> str:
    return "".join(piece.text for piece in pieces)


@given(PIECES, st.integers(1, 4), st.sampled_from(ALPHABETS))
def test_T23_never_more_segments_than_allowed(pieces: list[Piece], parts: int, alphabet: Alphabet) -> None:
    fitted = fit(pieces, parts, alphabet)
    found = segment(fitted.text)
    assert fitted.segments == len(found.segments) <= parts
    assert fitted.encoding == found.encoding


@given(PIECES, st.integers(1, 3), st.sampled_from(ALPHABETS))
def test_T13_T14_what_comes_out_is_clean_and_harmless(pieces: list[Piece], parts: int, alphabet: Alphabet) -> None:
    text = fit(pieces, parts, alphabet).text
    assert defuse(text) == text
    assert clean(text) == text


@given(PIECES, st.sampled_from(ALPHABETS))
def test_nothing_is_cut_when_it_fits(pieces: list[Piece], alphabet: Alphabet) -> None:
    whole = fit(pieces, 10_000, alphabet)
    assert not whole.shortened
    assert fit(pieces, whole.segments, alphabet) == whole


@given(PIECES, st.integers(1, 3))
def test_translit_always_gives_gsm(pieces: list[Piece], parts: int) -> None:
    assert fit(pieces, parts, "translit").encoding == "GSM-7"


def test_text_that_fits_is_sent_as_written() -> None:
    pieces = [Piece("12 CRIT "), Piece("db01", 1), Piece(": "), Piece("Disk full", 2), Piece(". Reply 12 ok")]
    assert fit(pieces, 1, "keep") == Fitted("12 CRIT db01: Disk full. Reply 12 ok", "GSM-7", 1, False, "keep")


def test_title_gives_way_before_anything_else() -> None:
    fitted = fit(ALERT, 1, "keep")
    assert fitted.text == "12 АВАРИЯ db-prod-01: Мало места на диске... Ответ: 12 ок"
    assert fitted.shortened
    assert fit(ALERT, 2, "keep").text == text_of(ALERT)


def test_higher_level_is_used_up_before_a_lower_one_gives_way() -> None:
    fitted = fit([Piece("one " * 30, 1), Piece("two " * 30, 2), Piece("END")], 1, "keep")
    assert fitted.text.startswith("one " * 29)
    assert fitted.text.endswith("two..END")
    fitted = fit([Piece("one " * 60, 1), Piece("two " * 30, 2), Piece("END")], 1, "keep")
    assert "two" not in fitted.text
    assert fitted.text.endswith("one..END")
    assert len(fitted.text) > 150


def test_longest_field_of_a_level_gives_way_first() -> None:
    fitted = fit([Piece("short", 1), Piece(" "), Piece("long " * 50, 1)], 1, "keep")
    assert fitted.text.startswith("short long")
    assert len(fitted.text) > 150


def test_tail_goes_when_no_field_can_give_way() -> None:
    fitted = fit([Piece("12 db01: " + "word " * 100)], 1, "keep")
    assert fitted.text.startswith("12 db01: word word")
    assert fitted.text.endswith(" word..")
    assert 150 <= len(fitted.text) <= 160
    fitted = fit([Piece("a" * 150), Piece("field", 1), Piece("b" * 50)], 1, "keep")
    assert fitted.text == "a" * 150 + "b" * 8 + ".."


def test_cut_ends_with_two_dots_that_cost_nothing_extra() -> None:
    fitted = fit([Piece("Wort und " * 40)], 1, "keep")
    assert fitted.encoding == "GSM-7"
    assert fitted.text.endswith("..")
    assert "…" not in fitted.text


def test_keep_folds_typography_where_that_makes_it_gsm() -> None:
    assert fit([Piece("Disk «C:» – 95 %…")], 1, "keep") == Fitted('Disk "C:" - 95 %..', "GSM-7", 1, False, "keep")
    assert fit([Piece("Диск «C:» – 95 %…")], 1, "keep").text == "Диск «C:» – 95 %…"


def test_keep_leaves_letters_and_emoji() -> None:
    fitted = fit([Piece("[🔴 Down] диск")], 1, "keep")
    assert fitted == Fitted("[🔴 Down] диск", "UCS-2", 1, False, "keep")


def test_cheaper_writes_latin_only_when_that_saves_a_segment() -> None:
    assert fit([Piece("Сервер упал")], 2, "cheaper") == Fitted("Сервер упал", "UCS-2", 1, False, "keep")
    fitted = fit(ALERT, 2, "cheaper")
    assert (fitted.encoding, fitted.segments, fitted.alphabet_used) == ("GSM-7", 1, "translit")
    assert fitted.text.startswith("12 AVARIYA db-prod-01: Malo mesta na diske")


def test_cheaper_counts_the_whole_text_before_shortening() -> None:
    long = [Piece("Сервер базы данных не отвечает. " * 8, 1)]
    assert len(segment(text_of(long)).segments) == 4
    fitted = fit(long, 1, "cheaper")
    assert fitted.alphabet_used == "translit"
    assert fitted.shortened


def test_language_of_the_whole_text_settles_the_letters_of_a_piece() -> None:
    pieces = [Piece("Жауап: "), Piece("қате", 1)]
    assert fit(pieces, 1, "translit").text == "Jauap: qate"
    assert fit(pieces[:1], 1, "translit", "kk").text == "Jauap:"
    assert fit(pieces[:1], 1, "translit").text == "Zhauap:"


def test_emoji_of_one_piece_is_decoration_beside_the_words_of_another() -> None:
    assert fit([Piece("🔥", 1), Piece(" disk")], 1, "translit").text == "disk"
    assert fit([Piece("🔥", 1)], 1, "translit").text == ":fire:"


def test_T13_separator_left_over_by_cutting_is_altered_too() -> None:
    pieces = [Piece("a" * 144 + "\n~~~"), Piece("zzz", 1), Piece("\nhidden")]  # 161 septets
    assert fit(pieces, 1, "keep").text == "a" * 144 + "\n~ ~ ~\nhidden"


def test_T14_command_put_together_from_pieces_is_altered() -> None:
    assert fit([Piece("_\u200b"), Piece("_CALL__: pay", 1)], 1, "keep").text == "_CALL__: pay"


def test_T13_room_of_the_altered_line_is_counted() -> None:
    text = "a" * 151 + "\n~~~\nb"  # 160 septets as written, 162 as it is sent
    assert len(segment(text).segments) == 1
    assert fit([Piece(text)], 2, "keep").segments == 2
    assert fit([Piece(text)], 1, "keep").shortened


@pytest.mark.parametrize(
    "text, most, expected",
    [
        ("Disk space low", 14, "Disk space low"),
        ("Disk space low", 13, "Disk space.."),
        ("Disk space low", 12, "Disk space.."),
        ("Disk space low", 11, "Disk.."),
        ("Disk space low", 6, "Disk.."),
        ("Disk space low", 4, "Di.."),
        ("Disk space low", 3, ""),
        ("a" * 30, 10, "a" * 8 + ".."),
        ("one two, three", 11, "one two.."),
        ("line\nnext", 8, "line.."),
        ("ab👨‍👩‍👧cd", 8, "ab.."),
    ],
)
def test_cut_stops_at_a_border_of_words(text: str, most: int, expected: str) -> None:
    assert cut(text, most) == expected


@given(WORDS, st.integers(0, 100))
def test_cut_never_is_longer_than_asked(text: str, most: int) -> None:
    found = cut(text, most)
    assert len(found) <= most
    assert found == text if len(text) <= most else found == "" or found.endswith("..")


def test_no_parts_is_a_mistake_of_the_caller() -> None:
    with pytest.raises(ValueError, match="at least one part"):
        fit([Piece("x")], 0, "keep")


def test_nothing_to_say_stays_nothing() -> None:
    for alphabet in ALPHABETS:
        assert fit([], 1, alphabet) == Fitted("", "GSM-7", 1, False, "translit" if alphabet == "translit" else "keep")
        assert gsm7.can_encode(fit([Piece("  \u200b ")], 1, alphabet).text)
