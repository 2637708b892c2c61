"""The tables of shorter words: that each entry is one, and none does harm."""

from __future__ import annotations

import re
from importlib.resources import files
from itertools import chain

import pytest
import yaml

from bridge.sms import gsm7
from bridge.sms.edits import edited
from bridge.sms.tables import Phrase, table
from bridge.sms.wording import phrases, words

LANGUAGES = ("en", "ru", "kk", "uk")
KEYS = {"reads", "pointers", "see", "not", "states", "spans", "units", "compare", "phrases", "words"}


def source(language: str) -> dict[str, object]:
    text = files("bridge").joinpath(f"words/shorter/{language}.yaml").read_text("utf-8")
    found: dict[str, object] = yaml.safe_load(text)
    return found


def entries(language: str) -> list[Phrase]:
    known = table(language)
    return [phrase for same in chain(known.phrases.values(), known.words.values()) for phrase in same]


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_table_holds_texts_under_known_keys(language: str) -> None:
    found = source(language)
    assert set(found) <= KEYS
    for value in found.values():
        if isinstance(value, list):
            assert all(isinstance(word, str) and word == word.casefold() for word in value), value
        else:
            assert isinstance(value, dict)
            assert all(isinstance(word, str) and isinstance(short, str) for word, short in value.items())


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_key_is_written_twice(language: str) -> None:
    text = files("bridge").joinpath(f"words/shorter/{language}.yaml").read_text("utf-8")
    for block in re.split(r"(?m)^(?=\S)", text):
        keys = re.findall(r"(?m)^  ([^\n]+?): ", block)
        assert sorted(keys) == sorted(set(keys))


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_entry_is_shorter_or_protects_what_it_says(language: str) -> None:
    for phrase in entries(language):
        long = " ".join(phrase.words)
        assert len(phrase.short) < len(long) or phrase.short == long, phrase


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_entry_brings_letters_that_make_a_text_dear(language: str) -> None:
    for phrase in entries(language):
        if gsm7.can_encode(" ".join(phrase.words)):
            assert gsm7.can_encode(phrase.short), phrase
    for unit, short in table(language).units.items():
        assert gsm7.can_encode(short) or not gsm7.can_encode(unit)


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_entry_takes_a_state_away(language: str) -> None:
    known = table(language)
    for state in source(language)["states"]:  # type: ignore[attr-defined]
        for step in (phrases, words):
            text = f"it {state} now"
            assert state in edited(text, [edit for edit in step(text, known) if edit.saved > 0])
        found = known.state.search(f"x {state} y")
        assert found, state


@pytest.mark.parametrize("language", LANGUAGES)
def test_what_turns_a_state_round_stays_with_it(language: str) -> None:
    negation = {"en": "not full", "ru": "не переполнен", "kk": "толды емес", "uk": "не працює"}[language]
    found = table(language).state.search(f"it is {negation} now")
    assert found
    assert found[0] == negation


@pytest.mark.parametrize("language", ["de", "", "zz", "../en", "en/../ru"])
def test_a_language_without_a_table_has_an_empty_one(language: str) -> None:
    found = table(language)
    assert not found.phrases
    assert not found.words
    assert not found.state.search("down")
    assert not found.pointer.search("see ")


def test_a_region_reads_the_table_of_its_language() -> None:
    assert table("kk-KZ") is table("kk")
    assert table("ru_RU") is table("ru")
