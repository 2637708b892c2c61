"""The index of marks leaves none out, and asks in the order of the packs."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from bridge.mail.parse import parse
from bridge.model import Envelope
from bridge.producers.loading import load_packs
from bridge.producers.pack import TEXT
from bridge.producers.unwrap import unwrapped

MAILS = sorted((Path(__file__).parents[2] / "producers").rglob("*.eml"))[::7]
PACKS = load_packs()


def test_there_are_mails_to_try() -> None:
    assert len(MAILS) > 50


@pytest.mark.parametrize("path", MAILS, ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_what_trying_every_mark_finds_is_found_in_the_same_order(path: Path) -> None:
    email = parse(Envelope(path.read_bytes(), datetime(2026, 11, 21, tzinfo=UTC), "a@example.org", ()))
    bare = unwrapped(email)
    haystack = "\n".join([*bare.subjects, bare.text[:TEXT]]).casefold()
    every = [
        (pack, mark) for pack in PACKS.packs for mark in pack.marks if mark.found(email, bare, haystack) is not None
    ]
    asked = list(PACKS.marks_for(email.headers, haystack))
    assert [each for each in asked if each[1].found(email, bare, haystack) is not None] == every
    assert len(asked) < 30  # of more than sixty
