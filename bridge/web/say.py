"""The sentences of the pages: those of the words room, and those that only pages need (``sentences/*.yaml``).

A sentence is looked for here first. A language that lacks one says it in English.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import cast

import yaml

from bridge.words.catalogue import LANGUAGES, Words, words
from bridge.words.figures import plural_en, plural_kk, plural_ru
from bridge.words.patterns import Pattern, read_pattern

_PLURALS: Mapping[str, Callable[[int], int]] = {"en": plural_en, "ru": plural_ru, "kk": plural_kk}


@dataclass(frozen=True, slots=True)
class Say:
    """One language's voice: ``say("now.more", n=3)``; KeyError for an id that nobody has."""

    words: Words
    own: Mapping[str, Pattern]

    def __call__(self, id: str, /, **values: object) -> str:
        pattern = self.own.get(id) or self.words.sections["console"][id]
        return pattern.fill(values)

    def has(self, id: str) -> bool:
        """Whether there is such a sentence of the pages."""
        return id in self.own

    def reason(self, id: str, /, **values: object) -> str:
        """A sentence of reason (wording §6.4)."""
        return self.words.sections["reasons"][id].fill(values)

    @property
    def language(self) -> str:
        return self.words.language


@cache
def say_in(language: str) -> Say:
    """The voice of *language*, English for one we do not speak."""
    spoken = words(language)
    own = {
        id: read_pattern(text, _PLURALS[source])
        for source in dict.fromkeys(("en", spoken.language))
        for id, text in read_sentences(source).items()
    }
    return Say(spoken, own)


@cache
def read_sentences(language: str) -> Mapping[str, str]:
    """The file of *language* as it stands."""
    text = files("bridge.web").joinpath(f"sentences/{language}.yaml").read_text(encoding="utf-8")
    return cast(Mapping[str, str], yaml.safe_load(text))


def best_language(wanted: str, accepted: str, fallback: str) -> str:
    """Which language to speak: what was chosen, else the browser's first that we speak, else *fallback*."""
    if wanted in LANGUAGES:
        return wanted
    for part in accepted.split(","):
        name = part.partition(";")[0].strip().lower().partition("-")[0]
        if name in LANGUAGES:
            return name
    return fallback if fallback in LANGUAGES else "en"
