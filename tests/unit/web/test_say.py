"""The sentences of the pages."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import bridge.web
from bridge.web.say import best_language, read_sentences, say_in
from bridge.words.catalogue import LANGUAGES, read_catalogue

ROOM = Path(bridge.web.__file__).parent
# in templates: t('id'); in code: say("id"); ids that are put together stand here as they begin
ASKED = re.compile(r"""\bt\('([a-z0-9.]+)'[,)]|\bsay\(\s*"([a-z0-9.]+)"[,)\n]""")
TOGETHER = (
    "page.", "theme.", "severity.", "incident.", "message.", "class.", "field.", "state.", "filter.", "fault.", "done.",
    "title.", "read.", "show.", "mail.", "phones.writes.", "step.message.", "step.givenup.", "attempt.", "gateway.",
)  # fmt: skip


def holes(text: str) -> set[str]:
    return set(re.findall(r"\{([a-z_]+)[|}]", text))


def asked_for() -> set[str]:
    sources = [*ROOM.rglob("*.py"), *ROOM.rglob("*.j2")]
    found = (ASKED.findall(path.read_text(encoding="utf-8")) for path in sources)
    return {name for groups in found for pair in groups for name in pair if name}


@pytest.mark.parametrize("language", [each for each in LANGUAGES if each != "en"])
def test_every_language_has_every_sentence_with_the_same_holes(language: str) -> None:
    english, other = read_sentences("en"), read_sentences(language)
    assert set(english) == set(other)
    for id in english:
        assert holes(other[id]) <= holes(english[id]), id


def test_every_sentence_that_a_page_asks_for_is_there() -> None:
    there = set(read_sentences("en")) | set(read_catalogue("en")["console"])  # type: ignore[call-overload]
    asked = asked_for()
    assert len(asked) > 100
    assert asked - there == set()


def test_no_sentence_is_kept_that_nobody_says() -> None:
    said = "\n".join(path.read_text(encoding="utf-8") for path in [*ROOM.rglob("*.py"), *ROOM.rglob("*.j2")])
    quoted = set(re.findall(r"""["']([a-z0-9.]+)["']""", said))
    left = {id for id in read_sentences("en") if id not in quoted and not id.startswith(TOGETHER)}
    assert {id for id in left if f"word.{id.removeprefix('word.')}" not in said} == set()


def test_reasons_with_an_id_can_be_said() -> None:
    assert (
        say_in("en").reason("repeated", id=1000, n=3) == "Repeated: incident 1000 is open with this key, now 3 times."
    )
    assert say_in("ru")("now.more", n=3) == "ещё 3 открыто"


@pytest.mark.parametrize(
    "wanted, accepted, fallback, spoken",
    [
        ("ru", "en", "kk", "ru"),
        ("", "kk-KZ,ru;q=0.9", "en", "kk"),
        ("", "de,fr;q=0.9", "ru", "ru"),
        ("xx", "de", "xx", "en"),
        ("", "", "kk", "kk"),
    ],
)
def test_the_reader_chooses_then_his_browser_then_the_configuration(
    wanted: str, accepted: str, fallback: str, spoken: str
) -> None:
    assert best_language(wanted, accepted, fallback) == spoken
