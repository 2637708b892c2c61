"""A producer's pack in memory: what it recognises and how it cuts events.

Patterns are RE2 (linear, T19), compiled when the pack is loaded. ``\\b \\w \\d`` know ASCII only there.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from fnmatch import translate
from itertools import islice
from typing import Generic, TypeVar

import re2

from bridge.config.checks.patterns import regex_mistake
from bridge.model import Email, Severity, State
from bridge.producers.unwrap import Bare

Level = TypeVar("Level", Severity, State)

TEXT = 4_000  # characters of the text in which patterns search: what a producer says, it says at once


class Regex:
    """A pattern, searched without case. Raises ValueError that says why RE2 cannot read it."""

    __slots__ = ("_compiled", "names")

    def __init__(self, pattern: str) -> None:
        options = re2.Options()
        options.log_errors = False
        options.case_sensitive = False
        try:
            self._compiled = re2.compile(pattern, options)
        except re2.error as error:
            sentence = regex_mistake(pattern).removesuffix("; use not:, or two conditions")  # packs have none of these
            raise ValueError(sentence) from error
        self.names: tuple[str, ...] = tuple(self._compiled.groupindex)

    def fits(self, text: str) -> bool:
        """Whether it is found in *text*."""
        return self._compiled.search(text.encode()) is not None

    def groups(self, text: str) -> Mapping[str, str] | None:
        """Named groups of the first place that fits (those that took no part are ``""``), None when none does."""
        found = self._compiled.search(text.encode())  # bytes: no offsets to be counted back into characters
        if found is None:
            return None
        return {name: (found[name] or b"").decode().strip() for name in self.names}

    def every(self, text: str, most: int) -> Iterator[Mapping[str, str]]:
        """Named groups of the first *most* places that fit."""
        for found in islice(self._compiled.finditer(text.encode()), most):
            yield {name: (found[name] or b"").decode().strip() for name in self.names}

    def spans(self, raw: bytes) -> Iterator[tuple[int, int]]:
        """Where it begins and ends to fit, in bytes: characters would be counted anew for each place."""
        for found in self._compiled.finditer(raw):
            yield found.span()


@dataclass(frozen=True, slots=True)
class Mark:
    """One way to recognise a mail; everything that is set must fit. Cheapest first."""

    headers: Mapping[str, Regex] = field(default_factory=dict)  # lower-case name
    senders: tuple[re.Pattern[str], ...] = ()  # globs on the header From; one must fit
    words: tuple[str, ...] = ()  # casefolded; one must stand in subject or text
    subject: Regex | None = None
    text: Regex | None = None

    def found(self, email: Email, bare: Bare, haystack: str) -> str | None:
        """The subject by which the mail is recognised; None when it is not.

        *haystack*: all subjects and the head of the text, casefolded.
        """
        for name, wanted in self.headers.items():
            if not any(wanted.fits(value) for value in email.headers.get(name, ())):
                return None
        if self.senders and not any(glob.match(bare.sender) for glob in self.senders):
            return None
        if self.words and not any(word in haystack for word in self.words):
            return None
        subject = bare.subjects[0]
        if self.subject is not None:
            fitting = [each for each in bare.subjects if self.subject.fits(each)]
            if not fitting:
                return None
            subject = fitting[0]
        if self.text is not None and not self.text.fits(bare.text[:TEXT]):
            return None
        return subject


@dataclass(frozen=True, slots=True)
class Cut:
    """A pattern whose named groups are values, and values that are known when it fits."""

    pattern: Regex
    given: Mapping[str, str] = field(default_factory=dict)
    every: str | None = None  # joins the values of all places that fit; None: the first place only


@dataclass(frozen=True, slots=True)
class Section:
    """A heading in the text, and what holds for all events below it."""

    heading: Regex
    given: Mapping[str, str]
    split: Regex | None  # where events begin below it, if not where they do elsewhere
    drop: bool  # nothing below it is an event


@dataclass(frozen=True, slots=True)
class Pairs:
    """Lines that name their values themselves: ``instance = db1``."""

    pattern: Regex  # with the groups name and value
    after: Regex | None  # they stand behind the first place that fits
    until: Regex | None  # and before the first such
    names: frozenset[str]  # those that templates use
    labels: bool  # all of them are labels of the event


@dataclass(frozen=True, slots=True)
class Template:
    """``{host}/{name}``: literal pieces and names in turn, a literal first."""

    pieces: tuple[str, ...]

    def filled(self, values: Mapping[str, str]) -> str:
        """The text, ``""`` unless every name has a value."""
        if any(not values.get(name) for name in self.pieces[1::2]):
            return ""
        return "".join(values[piece] if at % 2 else piece for at, piece in enumerate(self.pieces))


Choice = tuple[Template, ...]  # the first that can be filled


@dataclass(frozen=True, slots=True)
class Scale(Generic[Level]):
    """A word of the producer to one of ours."""

    of: Choice
    words: Mapping[str, Level]  # casefolded
    otherwise: Level


@dataclass(frozen=True, slots=True)
class Pack:
    """All that is known of one producer."""

    producer: str
    marks: tuple[Mark, ...]
    sections: tuple[Section, ...]
    split: Regex | None  # where an event begins in the text, or in a section of it; None: that is one event
    continued: Regex | None  # a piece of the text that fits belongs to the event before it
    subject: tuple[Cut, ...]  # the first that fits
    text: tuple[Cut, ...]  # each that fits, earlier ones win
    pairs: tuple[Pairs, ...]
    lines: Mapping[str, str]  # casefolded label of a line "Label: value" -> name
    headers: Mapping[str, str]  # header -> name
    fields: Mapping[str, Choice]  # host service title detail key problem_id
    labels: Mapping[str, Choice]
    severity: Scale[Severity]
    state: Scale[State]


def template(text: str) -> Template:
    """``{a} on {b}`` taken apart. Raises ValueError on a brace without its partner."""
    pieces = tuple(re.split(r"\{([a-z_][a-z0-9_]*)\}", text))
    if any("{" in piece or "}" in piece for piece in pieces[::2]):
        raise ValueError("a brace without its partner, or a name that is not made of a-z, 0-9 and _")
    return Template(pieces)


def glob(text: str) -> re.Pattern[str]:
    """``zabbix@*``, whole, no case."""
    return re.compile(translate(text.replace("[", "[[]")), re.I)
