"""Frames as pieces."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from bridge.render.frames import event_pieces, frame_pieces
from bridge.render.variables import Variables
from bridge.sms.fit import Alphabet, fit
from bridge.sms.pieces import CODE, HOST, KEEP, Piece

NOW = datetime(2026, 11, 21, 2, 15, tzinfo=UTC)
ALMATY = ZoneInfo("Asia/Almaty")


def test_the_title_gives_way_and_code_severity_and_host_are_kept(variables: Variables) -> None:
    found = event_pieces(replace(variables, call_to_ack=""), language="ru", zone=ALMATY, now=NOW)
    assert found == (
        Piece("12", CODE), Piece(" "), Piece("АВАРИЯ", KEEP), Piece(" "), Piece("db01", HOST), Piece(": "),
        Piece("Нет места на /data", 1), Piece(". Ответ: "), Piece("12", CODE), Piece(" ок"),
    )  # fmt: skip


def test_the_number_to_call_and_the_end_of_trouble_are_kept(variables: Variables) -> None:
    found = event_pieces(variables, language="en", zone=ALMATY, now=NOW)
    assert Piece("+77172000000", KEEP) in found
    over = replace(variables, event=replace(variables.event, state="recovery"))
    assert Piece("OVER", KEEP) in event_pieces(over, language="en", zone=ALMATY, now=NOW)


@pytest.mark.parametrize("code, call, state, said", [
    ("12", "", "problem", "12 CRIT db01: Disk full. Reply 12 ok"),
    ("", "", "problem", "CRIT db01: Disk full"),
    ("12", "+77172000000", "problem", "12 CRIT db01: Disk full. Reply 12 ok or ring +77172000000"),
    ("", "+77172000000", "problem", "CRIT db01: Disk full. ring +77172000000"),
    ("12", "", "recovery", "12 OVER db01: Disk full, after 26 h"),
    ("", "", "recovery", "OVER db01: Disk full, after 26 h"),
])  # fmt: skip
def test_a_code_is_shown_only_where_one_is_promised(
    variables: Variables, code: str, call: str, state: str, said: str
) -> None:
    event = replace(variables.event, state=state, title="Disk full")  # type: ignore[arg-type]
    given = replace(variables, event=event, code=code, call_to_ack=call)
    assert "".join(p.text for p in event_pieces(given, language="en", zone=ALMATY, now=NOW)) == said


def test_a_recovery_of_unknown_begin_says_no_span(variables: Variables) -> None:
    given = replace(variables, event=replace(variables.event, state="recovery", title="Disk full"), since=None)
    assert (
        "".join(p.text for p in event_pieces(given, language="en", zone=ALMATY, now=NOW)) == "12 OVER db01: Disk full"
    )


@pytest.mark.parametrize("alphabet, title, severity", [
    ("keep", "Disk full", "АВАРИЯ"),
    ("translit", "Disk full", "AVARIYA"),
    ("cheaper", "Disk full", "АВАРИЯ"),
    ("cheaper", "Disk space is critically low on volume /var/lib/postgresql", "AVARIYA"),
    ("cheaper", "Место на томе /var/lib/postgresql почти закончилось", "AVARIYA"),
])  # fmt: skip
def test_latin_letters_are_taken_when_asked_or_cheaper(
    variables: Variables, alphabet: Alphabet, title: str, severity: str
) -> None:
    given = replace(variables, event=replace(variables.event, title=title), call_to_ack="")
    found = event_pieces(given, language="ru", zone=ALMATY, now=NOW, alphabet=alphabet)
    assert Piece(severity, KEEP) in found
    fitted = fit(found, 1, alphabet, "ru")
    assert (fitted.segments, fitted.shortened) == (1, False)


def test_values_may_depend_on_the_words() -> None:
    found = frame_pieces("status", "kk", {
        "code": "12", "sev": lambda said: said.severity("high"), "h": "db01", "t": "Disk", "n": 5,
        "span": lambda said: said.span(timedelta(minutes=25)), "who": "",
    }, {})  # fmt: skip
    assert "".join(piece.text for piece in found) == "12 МАҢЫЗДЫ db01 Disk: 25 мин, x5"


def test_marks_in_a_value_are_taken_out() -> None:
    assert frame_pieces("list", "en", {"list": "\ufdd1a\ufdef"}) == (Piece("Open: a"),)


def test_a_value_that_gives_way_may_be_empty() -> None:
    assert frame_pieces("acked", "en", {"code": "12", "h": "", "t": ""}) == (
        Piece("12", CODE),
        Piece(" acked: "),
        Piece(". Others told. Undo: "),
        Piece("12", CODE),
        Piece(" un"),
    )


def test_an_unknown_frame_is_no_empty_text() -> None:
    with pytest.raises(KeyError):
        frame_pieces("no such frame", "en", {})
