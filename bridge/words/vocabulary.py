"""Which word is which command, however it was typed.

Knows the closed list of words (``commands.yaml``), the look-alikes of two alphabets, the other keyboard layout and
how far a typo may go. Says nothing about the order of words.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache, cached_property
from importlib.resources import files
from typing import Final, Literal, cast, get_args

import yaml

from bridge.errors import ConfigError

Verb = Literal[
    "ok", "un", "esc", "close", "list", "status", "who", "take", "swap", "mute", "unmute", "note", "help", "stop",
    "start", "run",
]  # fmt: skip
VERBS: Final[tuple[Verb, ...]] = get_args(Verb)

# Words that mean two things, or one and lie a slip from another: never taken for either.
_ASK_BACK: Mapping[str, tuple[Verb, ...]] = {
    "done": ("ok", "close"), "noted": ("ok", "note"), "готово": ("ok", "close"), "сделано": ("ok", "close"),
    "nope": ("esc", "note"), "stat": ("status", "start"),
}  # fmt: skip
# Words that people write anyway and that lie a slip from a command: no typos.
_EVERYDAY = frozenset("text test line fine make last lost step shop hell rest past".split())

_SHORTEST_TYPO = 4  # letters: below, one slip makes another word
_LATIN = "aeopcxykmthbisj"
_CYRILLIC = "аеорсхукмтнвіѕј"  # the same shapes, letter by letter
_to_latin = str.maketrans(_CYRILLIC + "һү", _LATIN + "hy")
_to_cyrillic = str.maketrans(_LATIN, _CYRILLIC)
_QWERTY = "qwertyuiop[]asdfghjkl;'zxcvbnm,.`"
_YCUKEN = "йцукенгшщзхъфывапролджэячсмитьбюё"
_other_layout = str.maketrans(_QWERTY + _YCUKEN, _YCUKEN + _QWERTY)

_latin_only = re.compile(r"[a-z+?]+").fullmatch
_cyrillic_only = re.compile(r"[а-яёіғқңөұүһәѕј+?]+").fullmatch
_two_alphabets = re.compile(r"(?=.*[a-z])(?=.*[\u0400-\u04ff])").match
_repeated_end = re.compile(r"(.)\1+$").sub


@dataclass(frozen=True, slots=True)
class Found:
    """What a word is. *sure*: it is that one verb; else the verbs lie near, and nothing may be done by it."""

    verbs: tuple[Verb, ...] = ()
    sure: bool = False
    typo: bool = False  # one slip was forgiven

    @property
    def ask_back(self) -> bool:
        """Whether to ask which is meant; a word between other commands is simply not understood."""
        return not self.sure and "ok" in self.verbs


@dataclass(frozen=True)
class Vocabulary:
    """The words that are commands; *forms* is word -> verb, folded."""

    forms: Mapping[str, Verb]

    @cached_property
    def slips(self) -> Mapping[str, Verb]:
        """The same words typed in the other keyboard layout, where that gives no word of another command."""
        made: dict[str, Verb] = {}
        for form, verb in self.forms.items():
            slip = form.translate(_other_layout)
            if len(form) > 1 and (_latin_only(form) or _cyrillic_only(form)) and slip not in self.forms:
                made[slip] = verb
        return made

    def exact(self, word: str) -> Verb | None:
        """The verb of *word* as it stands, folded, or typed in the other layout."""
        for variant in _variants(fold(word)):
            verb = self.forms.get(variant) or self.slips.get(variant)
            if verb:
                return verb
        return None

    def find(self, word: str) -> Found:
        """The verb of *word*, one typo forgiven; several where it lies between having it and not having it."""
        verb = self.exact(word)
        if verb:
            return Found((verb,), sure=True)
        folded = fold(word)
        if folded in _ASK_BACK:
            return Found(_ASK_BACK[folded])
        if _two_alphabets(folded):  # no fold fits: to guess an alphabet is to guess a command
            near = {self.forms[form] for form in self.forms if one_slip(_as_cyrillic(folded), _as_cyrillic(form))}
            return Found(_sorted(near))
        return self._typo(folded)

    def _typo(self, word: str) -> Found:
        if len(word) < _SHORTEST_TYPO or word in _EVERYDAY:
            return Found()
        near = {self.forms[form] for form in self.forms if len(form) >= _SHORTEST_TYPO and one_slip(word, form)}
        if near & {"ok", "esc"}:  # here short words count too: an ack is never guessed from a refusal
            near |= {verb for form, verb in self.forms.items() if verb in ("ok", "esc") and one_slip(word, form)}
        return Found(_sorted(near), sure=len(near) == 1, typo=True)


def _sorted(verbs: Iterable[Verb]) -> tuple[Verb, ...]:
    return tuple(sorted(verbs, key=VERBS.index))


def fold(word: str) -> str:
    """*word* without what makes no difference: width and case, full stops and apostrophes inside."""
    return re.sub(r"['’`.](?=.)", "", unicodedata.normalize("NFKC", word).casefold())


def _variants(word: str) -> Iterator[str]:
    """*word*, in the one alphabet it may have been meant in, without repeated letters at its end."""
    zero = "o" + word[1:] if word[:1] == "0" else word  # "0k"
    for same in dict.fromkeys((word, zero, _repeated_end(r"\1", word), _repeated_end(r"\1", zero))):
        yield same
        if _two_alphabets(same):
            yield from filter(_latin_only, (same.translate(_to_latin),))
            yield from filter(_cyrillic_only, (same.translate(_to_cyrillic),))


def _as_cyrillic(word: str) -> str:
    return word.translate(_to_cyrillic)


def one_slip(a: str, b: str) -> bool:
    """Whether *a* becomes *b* by one letter missing, extra, wrong or swapped with its neighbour (or none)."""
    if abs(len(a) - len(b)) > 1:
        return False
    start = next((i for i, (x, y) in enumerate(zip(a, b, strict=False)) if x != y), min(len(a), len(b)))
    left, right = a[start:], b[start:]
    swapped = left[:2] == right[:2][::-1] and left[2:] == right[2:]
    return swapped or left[1:] == right[1:] or left[1:] == right or left == right[1:]


@cache
def _built_in() -> Mapping[str, Verb]:
    text = files("bridge.words").joinpath("commands.yaml").read_text(encoding="utf-8")
    table = cast(Mapping[Verb, Mapping[str, list[str]]], yaml.safe_load(text))
    return {fold(form): verb for verb, columns in table.items() for forms in columns.values() for form in forms}


@cache
def built_in() -> Vocabulary:
    """The words of the three languages."""
    return Vocabulary(_built_in())


def with_more(more: Mapping[Verb, Iterable[str]]) -> Vocabulary:
    """The built-in words and *more* of them (``commands.words``).

    ConfigError for a word that two verbs would have; the caller adds the place.
    """
    forms = dict(_built_in())
    problems = []
    for verb, added in more.items():
        for word in added:
            other = forms.setdefault(fold(word), verb)
            if other != verb:
                problems.append(f'"{word}" is a word of {other} already; a word has one meaning')
    if problems:
        raise ConfigError(tuple(problems))
    return Vocabulary(forms)
