"""Long alerts and the SMS a good colleague would have typed, through the real way from event to SMS.

Every text in the files beside this one was read and agreed to; what changes it is to be read again. An entry without
``text`` takes the built-in frame, as a rule without text does.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
import yaml

from bridge.model import Event
from bridge.render.frames import event_pieces
from bridge.render.texts import compile_text, render
from bridge.render.variables import Variables
from bridge.sms.fit import Fitted, fit

LANGUAGES = ("en", "ru", "kk")
NOW = datetime(2026, 11, 21, 2, 15, tzinfo=UTC)
ALMATY = ZoneInfo("Asia/Almaty")
Entry = Mapping[str, Any]


def entries(language: str) -> list[Entry]:
    file = Path(__file__).parent / f"{language}.yaml"
    found: list[Entry] = yaml.safe_load(file.read_text(encoding="utf-8"))
    return found


def params() -> Iterator[Any]:
    for language in LANGUAGES:
        for number, entry in enumerate(entries(language), start=1):
            yield pytest.param(language, entry, id=f"{language}-{number:02d}")


def made(language: str, entry: Entry, parts: int) -> Fitted:
    event = Event(
        source="s", producer="p", host=entry.get("host", ""), service="", severity=entry.get("severity", "high"),
        state=entry.get("state", "problem"), key="k", title=entry["title"], detail=entry.get("detail", ""), labels={},
    )  # fmt: skip
    known = Variables(event, code=entry.get("code", ""), call_to_ack=entry.get("call", ""))
    alphabet = entry.get("alphabet", "keep")
    if "text" in entry:
        pieces = render(compile_text(entry["text"], "here"), known, language=language, zone=ALMATY, now=NOW)
    else:
        pieces = event_pieces(known, language=language, zone=ALMATY, now=NOW, alphabet=alphabet)
    return fit(pieces, parts, alphabet, language)


@pytest.mark.parametrize("language, entry", list(params()))
def test_a_long_alert_becomes_what_a_colleague_would_type(language: str, entry: Entry) -> None:
    fitted = made(language, entry, entry.get("parts", 1))
    assert fitted.text == entry["sms"]
    assert fitted.segments <= entry.get("parts", 1)
    assert made(language, entry, 50).segments > entry.get("parts", 1), "it was not too long at all"


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_language_has_its_twenty(language: str) -> None:
    assert len(entries(language)) >= 20
