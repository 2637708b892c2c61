"""The colon line: letter for letter as the vectors, and refused wherever a field could slip."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.errors import PermanentFailure
from bridge.providers.smsc_colon import LONGEST_LINE, Record, can_carry, encode, readable
from bridge.sms.danger import defuse

_VECTORS = Path(__file__).parents[2] / "vectors"
BODIES = json.loads((_VECTORS / "smtp_bodies.json").read_text(encoding="utf-8"))
DANGER = json.loads((_VECTORS / "dangerous_texts.json").read_text(encoding="utf-8"))
_WELL = {"login": "demo", "psw": "secret", "id": "1234", "phones": "77010000001", "mes": "x"}


def encoded(given: dict[str, str]) -> str:
    names = {"fmt": "format"}
    record = {names.get(name, name): value for name, value in given.items() if name not in ("login", "psw")}
    return encode(given["login"], given["psw"], Record(**record))


@pytest.mark.parametrize("case", BODIES["good"], ids=lambda case: case["name"])
def test_writes_the_line_of_the_vectors(case: dict[str, Any]) -> None:
    body = encoded(case["input"])
    assert body == case["body"]
    assert body.encode(case["charset"]).hex() == case["body_hex"]


@pytest.mark.parametrize("case", BODIES["must_be_refused"], ids=lambda case: case["name"])
def test_T12_refuses_what_would_shift_a_field(case: dict[str, Any]) -> None:
    with pytest.raises(PermanentFailure) as caught:
        encoded(_WELL | case["input"])
    assert not any(value and value in caught.value.reason for value in case["input"].values())


@pytest.mark.parametrize("recipient", [one for one in DANGER["dangerous_recipients"] if "," not in one])
def test_T12_refuses_recipients_that_are_no_number(recipient: str) -> None:
    with pytest.raises(PermanentFailure):
        encoded(_WELL | {"phones": recipient})


@pytest.mark.parametrize("field", ["psw", "login", "id", "time", "tz", "sender", "test", "phones", "fmt", "translit"])
@pytest.mark.parametrize("piece", [":", "\n", "\r", "\x85", "\u2028"])
def test_T12_no_field_but_the_text_holds_a_separator(field: str, piece: str) -> None:
    with pytest.raises(PermanentFailure):
        encoded(_WELL | {field: f"1{piece}1"})


_SAFE = st.text(st.characters(exclude_characters=":", exclude_categories=["Cc", "Cs", "Zl", "Zp"]), min_size=1)


@given(login=_SAFE, psw=_SAFE, sender=st.text(max_size=12), mes=st.text())
def test_T12_what_is_written_is_read_back_or_refused(login: str, psw: str, sender: str, mes: str) -> None:
    text = readable(mes.encode("utf-8", "replace").decode("utf-8"))
    try:
        body = encode(login, psw, Record("77010000001", text, id="7", time="0", sender=sender))
    except PermanentFailure:
        return
    fields = body.split(":", 6)
    assert fields[:2] == [login, psw]
    assert fields[2:4] == ["7", "0"]
    assert fields[4].split(",") == ["0", "0", sender]
    assert fields[5:] == ["77010000001", text]


@pytest.mark.parametrize("case", DANGER["dangerous"], ids=lambda case: repr(case["text"]))
def test_T13_T14_a_dangerous_text_is_made_readable(case: dict[str, str]) -> None:
    text = readable(defuse(case["text"]))
    encoded(_WELL | {"mes": text})
    assert "[text]" not in text.lower()
    assert "[/text]" not in text.lower()
    assert all(line.strip() != "~~~" for line in text.split("\n"))
    kept = [word for word in ("hidden part", "pay now", "other text", "y") if word in case["text"]]
    assert all(word in text for word in kept)


@pytest.mark.parametrize("text", DANGER["must_stay_unchanged"])
def test_a_harmless_text_stays_as_it_is(text: str) -> None:
    assert readable(text) == text


def test_the_tags_that_cut_out_a_record_get_round_brackets() -> None:
    assert readable("x [TEXT]a:b[/ text ] y") == "x (TEXT)a:b(/ text ) y"


@given(st.lists(st.text(st.characters(exclude_categories=["Cc", "Cs"]), max_size=80), max_size=60))
def test_a_long_line_is_broken_at_a_blank_and_loses_no_letter(words: list[str]) -> None:
    line = " ".join(words)
    folded = readable(line)
    encode("demo", "secret", Record("77010000001", folded, id="7"))
    assert folded.replace("\n", " ").rstrip() == readable(line.replace("\n", " ")).replace("\n", " ").rstrip()


def test_a_word_longer_than_a_line_is_refused() -> None:
    with pytest.raises(PermanentFailure):
        encode("demo", "secret", Record("77010000001", "x" * LONGEST_LINE, id="7"))


@pytest.mark.parametrize("text", ["a\rb", "a\x00b", "a\x0bb", "a\x0cb", "a\x1cb", "a\x7fb", "a\x85b"])
def test_T12_refuses_a_text_with_a_character_that_may_end_a_line_on_the_way(text: str) -> None:
    with pytest.raises(PermanentFailure):
        encode("demo", "secret", Record("77010000001", text, id="7"))


def test_control_characters_and_line_ends_are_made_plain() -> None:
    assert readable("a\r\nb\rc\x00d\x0be\n\n") == "a\nb\nc d e"


@pytest.mark.parametrize(("secret", "carried"), [("pass word", True), ("a:b", False), ("", False), ("a\nb", False)])
def test_says_which_passwords_the_line_can_carry(secret: str, carried: bool) -> None:
    assert can_carry(secret) is carried
