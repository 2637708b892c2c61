"""``test --mutate``: every rule changed in every way that should matter, and whether a test notices.

A change that no test notices is a survivor: what it took out could go, and nobody would know before the night it
is needed. For each change only tests are played whose mails came to the changed rule.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from bridge.book import RuleBook
from bridge.book.loading import LoadedBook
from bridge.config.models import TestFile
from bridge.config.models.rules import Rule, RuleFile
from bridge.config.notyet import NOT_YET
from bridge.config.problem import Path
from bridge.errors import ConfigError
from bridge.proof.apart import are_apart
from bridge.proof.changes import having, of_condition, of_rule
from bridge.proof.entries import of_entries
from bridge.proof.runner import Outcome, play
from bridge.proof.workshop import Splice, Top, Workshop

_PATHS = [each.path.split(".") for each in NOT_YET]
_NO_EFFECT = frozenset(path[-1] for path in _PATHS if len(path) == 2 and path[0] == "rule")  # keys of rules
_NOT_READ = frozenset(path[0] for path in _PATHS if len(path) == 1)  # whole lists of entries


@dataclass(frozen=True, slots=True)
class Mutant:
    """A book that differs from the one that is tested in *what*; *rules* are those whose tests may notice."""

    file: str
    line: int
    rule: str  # its name, or that of a named condition
    what: str
    rules: frozenset[str]  # empty: all tests
    make: Callable[[], RuleBook | None]

    def __str__(self) -> str:
        return f"{self.file}:{self.line} {self.rule}: {self.what}"


@dataclass(frozen=True, slots=True)
class Verdict:
    """How many changes were tried, and those that no test noticed."""

    tried: int
    survivors: tuple[Mutant, ...]


def mutants(loaded: LoadedBook) -> list[Mutant]:
    """Every change, in the order of the files."""
    workshop = Workshop(loaded)
    return [*_of_rules(loaded, workshop), *_of_conditions(loaded, workshop), *_of_entries(loaded, workshop)]


def judged(
    loaded: LoadedBook, outcomes: Sequence[Outcome], changes: Sequence[Mutant], tick: Callable[[], None] = lambda: None
) -> Verdict:
    """Play the tests of *outcomes* that held over each of *changes*. *tick* is called after each."""
    files = dict(loaded.loaded.test_files)
    held = sorted((one for one in outcomes if one.held), key=lambda one: len(one.played))
    tried, survivors = 0, []
    for mutant in changes:
        noticed = _noticed(mutant, held, files)
        tried += noticed is not None
        if noticed is False:
            survivors.append(mutant)
        tick()
    return Verdict(tried, tuple(survivors))


def _noticed(mutant: Mutant, held: Sequence[Outcome], files: dict[str, TestFile]) -> bool | None:
    """Whether a test no longer holds; None where there is nothing to notice: it is the same book, or none."""
    try:
        book = mutant.make()
    except ConfigError:
        return None
    if book is None:
        return None
    return any(not play(book, one.file, files[one.file], one.index).held for one in _concerned(mutant, held))


def _concerned(mutant: Mutant, held: Sequence[Outcome]) -> Iterator[Outcome]:
    """The tests that may notice: those in which the rule fitted, was asked, or the door refused something."""
    asked = [one for one in held if not mutant.rules or mutant.rules & one.asked]
    yield from (one for one in asked if mutant.rules & one.rules)
    yield from (one for one in asked if not mutant.rules & one.rules)
    yield from (one for one in held if one.refused and one not in asked)


# rules


@dataclass(frozen=True, slots=True)
class _Spot:
    """A rule where it stands: *path* in its file, *put* makes the splice that has others in its place."""

    file: str
    path: Path
    rule: Rule
    after: Rule | None  # the one behind it
    put: Callable[[tuple[Rule, ...], int], Splice]  # rules for it (and, with 2, for the one behind it)


def _of_rules(loaded: LoadedBook, workshop: Workshop) -> Iterator[Mutant]:
    for spot in _spots(loaded, workshop.tops):
        for path, what, splice, names in _changes(spot):
            line = loaded.loaded.place(spot.file, (*spot.path, *path))[1].line

            def make(splice: Splice = splice) -> RuleBook | None:
                return workshop.spliced(splice)

            yield Mutant(spot.file, line, spot.rule.rule, what, names, make)


def _changes(spot: _Spot) -> Iterator[tuple[Path, str, Splice, frozenset[str]]]:
    rule, alone = spot.rule, frozenset({spot.rule.rule})
    yield ("rule",), "the rule taken out", spot.put((), 1), alone
    for change in of_rule(rule, _NO_EFFECT):
        yield change.path, change.what, spot.put((change.new,), 1), alone
    after = spot.after
    if after is not None and _order_matters(rule, after):
        what = f"after “{after.rule}” instead of before it"
        yield ("rule",), what, spot.put((after, rule), 2), alone | {after.rule}


def _order_matters(one: Rule, other: Rule) -> bool:
    """Whether an event may come to both, and the first changes anything for the second."""
    only_adds = one.continue_ and other.continue_ and not one.set_ and not other.set_
    return not only_adds and not are_apart(one.when, other.when)


def _spots(loaded: LoadedBook, tops: Sequence[Top]) -> Iterator[_Spot]:
    """All rules, parents first."""
    numbers: dict[str, int] = {}
    for at, (file, rule) in enumerate(tops):
        number = numbers[file] = numbers.get(file, -1) + 1
        after = tops[at + 1] if at + 1 < len(tops) else None
        yield from _below(_top(at, file, number, rule, after))


def _top(at: int, file: str, number: int, rule: Rule, after: Top | None) -> _Spot:
    def put(rules: tuple[Rule, ...], count: int) -> Splice:
        files = (after[0], file) if count == 2 and after is not None else (file,)
        return Splice(at, count, tuple(zip(files, rules, strict=False)))

    return _Spot(file, ("rules", number), rule, after[1] if after else None, put)


def _below(spot: _Spot) -> Iterator[_Spot]:
    """*spot* and the rules in it."""
    yield spot
    children = spot.rule.rules
    for place, child in enumerate(children):

        def put(rules: tuple[Rule, ...], count: int, place: int = place) -> Splice:
            new = (*children[:place], *rules, *children[place + count :])
            return spot.put((having(spot.rule, rules=new),), 1)

        after = children[place + 1] if place + 1 < len(children) else None
        yield from _below(_Spot(spot.file, (*spot.path, "rules", place), child, after, put))


# what stands beside the rules


def _of_conditions(loaded: LoadedBook, workshop: Workshop) -> Iterator[Mutant]:
    for file, content in loaded.loaded.rule_files:
        for name, condition in content.conditions.items():
            for change in of_condition(condition):
                line = loaded.loaded.place(file, ("conditions", name, *change.path))[1].line
                new = having(content, conditions={**content.conditions, name: change.new})
                yield _of_file(workshop, file, line, f"condition {name}", change.what, new)


def _of_entries(loaded: LoadedBook, workshop: Workshop) -> Iterator[Mutant]:
    for file, content in loaded.loaded.rule_files:
        for label, change in of_entries(content, _NOT_READ):
            line = loaded.loaded.place(file, change.path)[1].line
            yield _of_file(workshop, file, line, label, change.what, change.new)


def _of_file(workshop: Workshop, file: str, line: int, label: str, what: str, new: RuleFile) -> Mutant:
    """A change that any test may notice."""
    return Mutant(file, line, label, what, frozenset(), lambda: workshop.with_file(file, new))
