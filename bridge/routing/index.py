"""Which rules of a long list are worth asking.

Exact values, beginnings and ends are looked up in dicts, words in texts by one automaton for all rules (RE2's
filter, which also knows what words a regex cannot do without). An index never decides: it only leaves out rules of
which one clause surely does not hold. The others are asked with the same conditions as ever, so a walk with and
without it makes the same routes.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import chain
from typing import Literal

from bridge.routing.clauses import AllClause, AnyClause, Clause, FieldClause
from bridge.routing.globs import Glob
from bridge.routing.look import Address, Look, Values
from bridge.routing.words import LEAST_WORD, WordFilter, literally

WORTH = 8  # rules; a shorter list is asked faster than looked up
_WORTH_SCANNING = 3  # rules with words in one field

Kind = Literal["whole", "begin", "end", "word", "regex"]
_DEAR: dict[Kind, int] = {"whole": 0, "begin": 1, "end": 1, "word": 3, "regex": 8}
Mark = tuple[str, Kind, str]  # field, what of its value, which text


@dataclass(slots=True)
class _Field:
    """The marks of one field: what its whole value, its beginning or its end must be → numbers of rules."""

    whole: dict[str, list[int]] = field(default_factory=dict)
    begin: dict[str, list[int]] = field(default_factory=dict)
    end: dict[str, list[int]] = field(default_factory=dict)
    begins: tuple[int, ...] = ()  # lengths that occur
    ends: tuple[int, ...] = ()

    def add(self, kind: Kind, text: str, number: int) -> None:
        table: dict[str, list[int]] = getattr(self, kind)
        table.setdefault(text, []).append(number)

    def close(self) -> None:
        self.begins = tuple(sorted({len(text) for text in self.begin}))
        self.ends = tuple(sorted({len(text) for text in self.end}))

    def hits(self, values: Values) -> Iterator[Sequence[int]]:
        """Lists of rules whose mark one of *values* bears."""
        for value in values:
            if value in self.whole:
                yield self.whole[value]
            for length in self.begins:
                if value[:length] in self.begin:
                    yield self.begin[value[:length]]
            for length in self.ends:
                if value[-length:] in self.end:
                    yield self.end[value[-length:]]


class Index:
    """Of one list of rules, by the clauses that must hold for each, in order."""

    __slots__ = ("_always", "_fields", "_filters")

    def __init__(self, rules: Sequence[Sequence[Clause]]) -> None:
        self._always: list[int] = []
        self._fields: dict[str, _Field] = {}
        words: dict[tuple[str, Kind], list[tuple[str, int]]] = {}
        for number, marks in enumerate(_chosen(rules)):
            if not marks:
                self._always.append(number)
            for name, kind, text in dict.fromkeys(marks):
                if kind in ("word", "regex"):
                    words.setdefault((name, kind), []).append((text, number))
                else:
                    self._fields.setdefault(name, _Field()).add(kind, text, number)
        for each in self._fields.values():
            each.close()
        self._filters = self._scanning(words)

    def _scanning(self, words: dict[tuple[str, Kind], list[tuple[str, int]]]) -> list[tuple[str, bool, WordFilter]]:
        """The filters, by field and whether it is scanned as written; too few rules are always asked instead."""
        filters: list[tuple[str, bool, WordFilter]] = []
        for (name, kind), marks in words.items():
            if len(marks) < _WORTH_SCANNING:
                self._always = sorted({*self._always, *(number for _text, number in marks)})
            else:
                filters.append((name, kind == "regex", WordFilter(marks)))
        return filters

    def candidates(self, look: Look, addresses: tuple[Address, ...]) -> Sequence[int]:
        """Numbers of rules that may fit, rising."""
        found: list[Sequence[int]] = []
        for name, marks in self._fields.items():
            if name == "recipient":
                found += [numbers for address in addresses for numbers in marks.hits(address.low)]
            else:
                found += marks.hits(look.low[name])
        for name, as_written, scan in self._filters:
            for value in (look.raw if as_written else look.low)[name]:
                found += scan.hits(value)
        if not found:
            return self._always
        return sorted(set(chain(self._always, *found)))


def _chosen(rules: Sequence[Sequence[Clause]]) -> Iterator[tuple[Mark, ...]]:
    """For each condition the marks it is filed under: those that fewest others share, cheap before dear."""
    choices = [tuple(_choices(clauses)) for clauses in rules]
    crowd = Counter(chain.from_iterable(chain.from_iterable(choices)))
    for options in choices:
        yield min(options, key=lambda marks: sum(crowd[mark] + _DEAR[mark[1]] for mark in marks), default=())


def _choices(clauses: Iterable[Clause]) -> Iterator[tuple[Mark, ...]]:
    """Ways to file a rule: sets of marks of which every fitting event bears one."""
    for clause in clauses:
        if isinstance(clause, FieldClause):
            yield from _of_field(clause)
        elif isinstance(clause, AllClause):
            yield from _choices(clause.clauses)
        elif isinstance(clause, AnyClause):
            parts = [next(_choices(part.clauses), ()) for part in clause.parts]
            if all(parts):
                yield tuple(chain.from_iterable(parts))


def _of_field(clause: FieldClause) -> Iterator[tuple[Mark, ...]]:
    marks = tuple(_mark(clause.field, glob) for glob in clause.pattern.demands)
    if marks and all(mark is not None for mark in marks):
        yield tuple(mark for mark in marks if mark is not None)
    if clause.pattern.search is not None and clause.field != "recipient":
        yield ((clause.field, "regex", clause.pattern.search),)


def _mark(name: str, glob: Glob) -> Mark | None:
    if glob.exact is not None:
        return name, "whole", glob.exact
    if glob.prefix:
        return name, "begin", glob.prefix
    if glob.suffix:
        return name, "end", glob.suffix
    wordy = len(glob.literal) >= LEAST_WORD and name != "recipient"
    return (name, "word", literally(glob.literal)) if wordy else None
