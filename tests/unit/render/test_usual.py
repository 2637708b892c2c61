"""What is kept, and what gives way first, in a text that says nothing about it."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from bridge.render.texts import compile_text, render
from bridge.render.variables import Variables
from bridge.sms.pieces import CODE, DETAIL, HOST, KEEP, Piece

NOW = datetime(2026, 11, 21, 2, 15, tzinfo=UTC)
ALMATY = ZoneInfo("Asia/Almaty")
CALL = Piece("+77172000000", KEEP)


@pytest.mark.parametrize("source, piece", [
    ("{{ host }}", Piece("db01", HOST)),
    ("{{ fqdn }}", Piece("db01.shop.example", HOST)),
    ("{{ state }}", Piece("problem", KEEP)),
    ("{{ severity | upper }}", Piece("CRITICAL", KEEP)),
    ("{{ code }}", Piece("12", CODE)),
    ("{{ call_to_ack }}", CALL),
    ("{{ detail }}", Piece("97 % used", DETAIL)),
    ("{{ title }}", Piece("Нет места на /data")),
    ("{{ title | keep }}", Piece("Нет места на /data", KEEP)),
    ("{{ host | shrink(3) }}", Piece("db01", 3)),
    ("{{ host | shrink | upper }}", Piece("DB01", 1)),
    ("{{ detail | keep }}", Piece("97 % used", KEEP)),
    ("{{ detail | shrink(2) | keep }}", Piece("97 % used", KEEP)),
    ("{{ labels.absent | default(host) }}", Piece("db01", HOST)),
    ("{{ labels.rack | default(host) }}", Piece("r7")),
    ("{{ host if count > 1 else title }}", Piece("db01", HOST)),
    ("{{ title if count < 1 else host }}", Piece("db01", HOST)),
    ("{{ labels.absent or host }}", Piece("db01", HOST)),
    ("{% set where = host | upper %}{{ where }}", Piece("DB01", HOST)),
    ("{% set host = title %}{{ host }}", Piece("Нет места на /data")),
    ("{% for e in events %}{{ e.host if loop.first }}{% endfor %}", Piece("db01")),
])  # fmt: skip
def test_a_name_is_kept_or_gives_way_as_it_usually_is(variables: Variables, source: str, piece: Piece) -> None:
    assert render(compile_text(source, "here"), variables, language="en", zone=ALMATY, now=NOW) == (piece,)


def test_values_joined_in_the_text_are_kept_each_for_itself(variables: Variables) -> None:
    found = render(compile_text("{{ host ~ ': ' ~ title }}", "here"), variables, language="en", zone=ALMATY, now=NOW)
    assert found == (Piece("db01", HOST), Piece(": Нет места на /data"))


@pytest.mark.parametrize("source", [
    '{% if state == "problem" and severity in ["critical"] and host == "db01" and code %}yes{% endif %}',
    '{% set was = state %}{{ "yes" if was == "problem" }}',
    '{{ "yes" if detail == "97 % used" }}',
])  # fmt: skip
def test_what_a_text_asks_of_a_value_is_the_value(variables: Variables, source: str) -> None:
    text = compile_text(source, "here")
    assert render(text, variables, language="en", zone=ALMATY, now=NOW) == (Piece("yes"),)
