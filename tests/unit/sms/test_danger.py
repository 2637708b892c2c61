from __future__ import annotations

import json
import re
import unicodedata
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.sms.clean import clean
from bridge.sms.danger import defuse

VECTORS = json.loads((Path(__file__).parents[2] / "vectors" / "dangerous_texts.json").read_text(encoding="utf-8"))
WORDS = [word.strip("_") for word in VECTORS["commands"]]
HIDING = [
    "",
    " ",
    "\n",
    "\r\n",
    "\t",
    "\ufeff",
    "\u200b",
    "\u2060",
    "\xa0",
    "\u3000",
    "\x00",
    "\u2800",
    " \u200b\n\ufeff ",
]
# What belongs to the encoder of one transport (list=, [text], tails after a command), not to every text.
OF_ONE_TRANSPORT = ("SMTP only", "SMTP list mode", "HTTP list=", "only after")
TILDES = ["~", "\uff5e", "\u223c", "\u301c", "\u02dc"]


def gateway_reads(text: str) -> str:
    """A gateway that trims, folds and drops what cannot be seen, as greedily as one can imagine."""
    shown = "".join("~" if c in TILDES else c for c in text)
    shown = unicodedata.normalize("NFKC", shown)
    shown = "".join(
        c
        for c in shown
        if unicodedata.category(c) not in ("Cf", "Mn", "Me", "Cn", "Co") and (c.isprintable() or c.isspace())
    )
    lines = [line.replace("\u2800", " ").strip() for line in re.split(r"[\n\r\v\f\x1c-\x1e\x85\u2028\u2029]", shown)]
    if "~~~" in lines:
        return "comment"
    return "command" if shown.replace("\u2800", " ").lstrip().startswith("__") else "text"


@pytest.mark.parametrize("case", VECTORS["dangerous"], ids=lambda case: ascii(case["text"]))
def test_T13_T14_vectors_never_pass_unchanged(case: dict[str, str]) -> None:
    if case["why"].startswith(OF_ONE_TRANSPORT):
        assert defuse(case["text"]) == case["text"]
    else:
        assert gateway_reads(case["text"]) != "text"
        assert gateway_reads(defuse(case["text"])) == "text"


@pytest.mark.parametrize("text", VECTORS["must_stay_unchanged"])
def test_T13_T14_harmless_texts_stay_unchanged(text: str) -> None:
    if text.startswith("__"):  # T14 says "never two underscores": commands of tomorrow are not in the list
        assert defuse(text) == text[1:]
    else:
        assert defuse(text) == text


@pytest.mark.parametrize("word", WORDS)
@pytest.mark.parametrize("hiding", HIDING, ids=ascii)
@pytest.mark.parametrize("low_line", ["_", "\uff3f", "_\u200b", "_\u0489", "\ufe4f"], ids=ascii)
def test_T14_no_spelling_of_a_command_starts_a_text(word: str, hiding: str, low_line: str) -> None:
    for spelled in (word, word.lower(), word.capitalize()):
        text = f"{hiding}{low_line * 2}{spelled}__: pay now"
        assert gateway_reads(text) == "command"
        for sent in (defuse(text), defuse(clean(text)), clean(defuse(text))):
            assert gateway_reads(sent) == "text"
            assert spelled in sent
            assert "pay now" in sent


@pytest.mark.parametrize("tilde", TILDES, ids=ascii)
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r", "\u2028", "\x85", "\v"], ids=ascii)
@pytest.mark.parametrize("around", ["", " ", "\t", "\xa0", "\u200b", "\ufeff", "\u3000\u2800"], ids=ascii)
def test_T13_no_line_hides_the_rest(tilde: str, end: str, around: str) -> None:
    for text in (
        f"alert{end}{around}{tilde * 3}{around}{end}hidden",
        f"{around}{tilde * 3}{end}x",
        f"x{end}{tilde * 3}",
    ):
        assert gateway_reads(text) == "comment"
        for sent in (defuse(text), defuse(clean(text)), clean(defuse(text))):
            assert gateway_reads(sent) == "text"
            assert "~ ~ ~" in sent


def test_T13_alert_stays_readable_line_by_line() -> None:
    assert defuse("disk full\n~~~\non db1\r\n ~~~ \r\nend") == "disk full\n~ ~ ~\non db1\r\n~ ~ ~\r\nend"


@pytest.mark.parametrize(
    "text", ["a ~~~ b", "~~", "~~~~", "~ ~ ~", "_", "a __CALL__", "_a_", "snake_case__x", "", "~~~x\ny~~~"]
)
def test_T13_T14_what_is_no_command_is_not_touched(text: str) -> None:
    assert defuse(text) == text


@given(st.text(st.sampled_from("_~\uff5e\uff3f \n\r\u200b\ufeff\u0301aCALL:\u2028\x85\u02dc"), max_size=30) | st.text())
def test_T13_T14_any_text_is_safe_afterwards_and_stays_so(text: str) -> None:
    sent = defuse(text)
    assert defuse(sent) == sent
    assert gateway_reads(sent) == "text"
    assert gateway_reads(clean(sent)) == "text"
    assert len(sent) <= len(text) + 2 * (1 + text.count("\n") + len(text) // 4)


def test_T14_every_character_that_folds_to_a_low_line_or_tilde_is_known() -> None:
    folding = {chr(code) for code in range(0x110000) if unicodedata.normalize("NFKC", chr(code)) in ("_", "~")}
    assert len(folding) > 5
    for sign in folding:
        assert defuse(f"{sign * 2}CALL__: x") == (
            "_CALL__: x" if "~" not in unicodedata.normalize("NFKC", sign) else f"{sign * 2}CALL__: x"
        )
        assert "~~~" not in unicodedata.normalize("NFKC", defuse(f"a\n{sign * 3}\nb"))
