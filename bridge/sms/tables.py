"""The words of a language and how people write them shorter; the knowledge is data, ``words/shorter/*.yaml``.

A table may read others after itself: who reads Kazakh gets alerts in Russian and English too. A language without a
table has none, and only what needs no language is done to its texts.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Final, cast

import yaml

_FOLDER: Final = "words/shorter"  # beside the other words of a language, where a translator looks for them
_LOADER: Final = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # the first long alert waits for it
_NEVER: Final = re.compile(r"(?!)")


@dataclass(frozen=True, slots=True)
class Phrase:
    """One or more words of a text, casefolded, and what is written instead; "" leaves them out."""

    words: tuple[str, ...]
    short: str
    compares: bool = False  # only before a number, and right at it: ``more than 90`` is ``>90``


Phrases = Mapping[str, tuple[Phrase, ...]]  # by their first word, the longest first


@dataclass(frozen=True, slots=True)
class Table:
    """What may be written shorter for readers of one language.

    *units* maps the word after a number to what stands right behind it (``minutes`` -> ``m``). *spans* are the short
    forms of second, minute, hour and day, by each of their four. *pointer* finds, at the end of a text, words that only
    announce an address. *state* finds the words without which a title says nothing (``not responding``).
    """

    phrases: Phrases
    words: Phrases
    units: Mapping[str, str]
    spans: Mapping[str, tuple[str, ...]]
    pointer: re.Pattern[str] = _NEVER
    state: re.Pattern[str] = _NEVER


def table(language: str) -> Table:
    """The table for readers of *language* (``ru``, ``kk-KZ``); an empty one where there is none."""
    return _table(language.lower().partition("-")[0].partition("_")[0])


@cache
def _table(language: str) -> Table:
    sources = list(_sources(language))
    return Table(
        phrases=_by_first_word(_phrases(sources, "compare", "phrases")),
        words=_by_first_word(_phrases(sources, "words")),
        units={unit: short for source in reversed(sources) for unit, short in _map(source, "units").items()},
        spans={form: tuple(_list(source, "spans")) for source in sources for form in _list(source, "spans")},
        pointer=_pointer(sources),
        state=_state([source for source in sources if "states" in source]),
    )


def _sources(language: str) -> Iterator[Mapping[str, object]]:
    """The file of *language* and those it reads; what stands in an earlier one holds."""
    own = _file(language)
    if own:
        yield own
        yield from map(_file, _list(own, "reads"))


@cache
def _file(language: str) -> Mapping[str, object]:
    file = files("bridge").joinpath(f"{_FOLDER}/{language}.yaml")
    if not language.isalpha() or not file.is_file():
        return {}
    text = file.read_text(encoding="utf-8")
    return cast(Mapping[str, object], yaml.load(text, Loader=_LOADER))  # noqa: S506  (a safe loader, in C where it is)


def _list(source: Mapping[str, object], key: str) -> list[str]:
    return cast(list[str], source.get(key, []))


def _map(source: Mapping[str, object], key: str) -> Mapping[str, str]:
    return cast(Mapping[str, str], source.get(key, {}))


def _phrases(sources: Iterable[Mapping[str, object]], *keys: str) -> Iterator[Phrase]:
    for source in sources:
        for key in keys:
            for words, short in _map(source, key).items():
                yield Phrase(tuple(words.casefold().split(" ")), short, compares=key == "compare")


def _by_first_word(phrases: Iterable[Phrase]) -> Phrases:
    found: dict[str, list[Phrase]] = {}
    for phrase in phrases:
        found.setdefault(phrase.words[0], []).append(phrase)
    return {first: tuple(sorted(same, key=lambda phrase: -len(phrase.words))) for first, same in found.items()}


def _alternatives(words: Iterable[str]) -> str:
    return "|".join(re.escape(word) for word in sorted(dict.fromkeys(words), key=len, reverse=True))


def _pointer(sources: list[Mapping[str, object]]) -> re.Pattern[str]:
    """``. Details: `` and ``, see `` at the end of a text; only what may stand without a colon may."""
    if not sources:
        return _NEVER
    announcing = _alternatives(word for source in sources for key in ("pointers", "see") for word in _list(source, key))
    seeing = _alternatives(word for source in sources for word in _list(source, "see"))
    return re.compile(rf"(?:^|(?<=[\s(])|[\s,;.–—-]\s?)(?:(?:{announcing}) ?[:=]|(?:{seeing})) ?$", re.IGNORECASE)


def _state(sources: list[Mapping[str, object]]) -> re.Pattern[str]:
    """A state with the word before or after it that turns it round: ``not full``, ``толық емес``."""
    if not sources:
        return _NEVER
    states = _alternatives(word for source in sources for word in _list(source, "states"))
    turns = _alternatives(word for source in sources for word in _list(source, "not"))
    return re.compile(rf"(?<![\w./-])(?:(?:{turns}) )?(?:{states})(?: (?:{turns}))?(?![\w/-]|\.\w)", re.IGNORECASE)
