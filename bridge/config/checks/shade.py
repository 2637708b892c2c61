"""Rules that are never asked: an earlier one takes all they want, or what they want cannot be.

A rule stands in the shade of an earlier one if its own conditions, with those of its parents, imply those of the
earlier one, which takes what fits it. What ``set`` changes on the way between the two is left out of every proof:
the later rule would see another event than the earlier one did.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from bridge.config.checks.implied import DOMAINS, Clause, clauses_of, contradict, fields_of, follows
from bridge.config.checks.whole import RuleAt, Whole
from bridge.config.models import Condition, Pattern
from bridge.config.problem import Problem

_LONGEST = 12  # letters of a mark: long enough to tell db-almaty-1 from db-almaty-2
_MOST_TEXT = 60  # letters of a glob that marks are looked for in
_MOST_OTHERS = 50  # takers without a mark that each rule is compared with: a big book stays quick to check


@dataclass(frozen=True, slots=True)
class _Taker:
    """A rule that takes whatever fits it, and what it asks."""

    at: RuleAt
    clauses: tuple[Clause, ...]
    fields: frozenset[str]


@dataclass(slots=True)
class _Node:
    """A rule with its children, in the order of the walk."""

    at: RuleAt
    children: list[_Node] = field(default_factory=list)


@dataclass(slots=True)
class _Takers:
    """Takers that may shade what follows: found by letters they ask for, or among the few others."""

    by_mark: dict[tuple[str, str], list[_Taker]] = field(default_factory=dict)
    others: list[_Taker] = field(default_factory=list)

    def add(self, taker: _Taker) -> None:
        marks = next(filter(None, map(_marks, taker.clauses)), frozenset())
        for mark in marks:
            self.by_mark.setdefault(mark, []).append(taker)
        if not marks:
            self.others.append(taker)

    def of(self, known: Sequence[Clause]) -> Iterator[_Taker]:
        """Those of which one may ask no more than *known*, earlier ones first within each kind."""
        yield from self.others[:_MOST_OTHERS]
        for mark in _letters(known):
            yield from self.by_mark.get(mark, ())

    def without(self, changed: frozenset[str]) -> _Takers:
        """Those that ask for nothing that has changed."""
        if not changed:
            return self
        kept = _Takers(others=[taker for taker in self.others if not taker.fields & changed])
        kept.by_mark = {
            mark: found
            for mark, takers in self.by_mark.items()
            if (found := [taker for taker in takers if not taker.fields & changed])
        }
        return kept

    def copy(self) -> _Takers:
        return _Takers({mark: list(takers) for mark, takers in self.by_mark.items()}, list(self.others))


def _marks(clause: Clause) -> frozenset[tuple[str, str]]:
    """Letters one of which stands in whatever is narrower than *clause*; none where that cannot be told.

    A narrower pattern lets nothing through but what one of the globs takes, so the letters of that glob stand in it.
    """
    if not isinstance(clause.value, Pattern) or clause.field in DOMAINS:
        return frozenset()
    if clause.value.regex is not None:  # only the same expression follows from one
        return frozenset({(clause.field, f"/{clause.value.regex}")})
    longest = [_longest(glob.casefold()) for glob in clause.value.globs]
    longest = longest or [word.casefold()[:_LONGEST] for word in clause.value.is_]
    return frozenset((clause.field, letters) for letters in longest) if all(longest) else frozenset()


def _longest(glob: str) -> str:
    """The longest piece of *glob* without a star or a question mark, cut to the length of a mark."""
    return max(re.split(r"[*?]", glob), key=len)[:_LONGEST]


def _letters(known: Sequence[Clause]) -> Iterator[tuple[str, str]]:
    """Every mark that a clause may have which *known* is narrower than, each once."""
    seen: set[tuple[str, str]] = set()
    for clause in known:
        for each in clause.value if clause.kind == "any" and isinstance(clause.value, tuple) else ():
            seen.update(_letters(each))
        if isinstance(clause.value, Pattern):
            seen.update((clause.field, letters) for letters in _pieces(clause.value))
    yield from sorted(seen)


def _pieces(pattern: Pattern) -> Iterator[str]:
    """What stands in the first text that *pattern* lets through: for being narrower, each of them has to fit."""
    if pattern.regex is not None:
        yield f"/{pattern.regex}"
    for part in pattern.any_[:1]:
        yield from _pieces(part)
    for text in (*pattern.globs[:1], *pattern.is_[:1]):
        folded = text.casefold()[:_MOST_TEXT]
        for start in range(len(folded)):
            yield from (folded[start:end] for end in range(start + 1, min(start + _LONGEST, len(folded)) + 1))


def check_shade(whole: Whole) -> Iterator[Problem]:
    """Rules that no event reaches; what no rule takes at the end."""
    if whole.shaky:
        return
    named = {name: one for _file, rules in whole.rule_files for name, one in rules.conditions.items()}
    course = _Course(whole, named)
    top = _tree(whole)
    course.walk(top, (), _Takers())
    yield from course.problems
    ends = any(_takes(node, named) and not clauses_of(node.at.rule.when, named) for node in top)
    if top and not ends and whole.config.unrouted.drop is None:
        sentence = "no rule takes what is left; it goes to the operator (unrouted: operator)"
        yield Problem(f"{whole.config.rules}/", 0, 0, "", sentence, "note")


def _tree(whole: Whole) -> list[_Node]:
    top: list[_Node] = []
    nodes: dict[tuple[str, tuple[str | int, ...]], _Node] = {}
    for at in whole.all_rules():
        node = nodes[at.file, at.path] = _Node(at)
        (nodes[at.file, at.path[:-2]].children if at.parents else top).append(node)
    return top


@dataclass(slots=True)
class _Course:
    whole: Whole
    named: Mapping[str, Condition]
    problems: list[Problem] = field(default_factory=list)

    def walk(self, nodes: Sequence[_Node], known: tuple[Clause, ...], takers: _Takers) -> None:
        """Look at *nodes*, which are asked where *known* holds, behind *takers*."""
        for node in nodes:
            own = clauses_of(node.at.rule.when, self.named)
            whole = (*known, *own)
            taker = next((each for each in takers.of(whole) if follows(each.clauses, whole)), None)
            if taker is not None:
                self._say(node.at, f'"{taker.at.rule.rule}" {self._where(node.at, taker.at)} takes all of it')
                continue
            if contradict(whole, own):
                self._say(node.at, "its conditions, with those of the rules around it, cannot all hold")
                continue
            sets = frozenset(node.at.rule.set_ or ())
            if node.children:
                self.walk(node.children, _unchanged(whole, sets), takers.without(sets).copy())
            changed = _kept(node)
            known, takers = _unchanged(known, changed), takers.without(changed)
            if _takes(node, self.named):
                takers.add(_Taker(node.at, own, fields_of(own)))

    def _say(self, at: RuleAt, why: str) -> None:
        sentence = f'rule "{at.rule.rule}": never asked, {why}'
        self.problems.append(replace(self.whole.wrong(at.path, sentence, "warning", file=at.file), path=""))

    def _where(self, at: RuleAt, above: RuleAt) -> str:
        line = self.whole.places.documents[above.file].place(above.path)[1].line
        return f"in line {line}" if above.file == at.file else f"in {above.file} line {line}"


def _unchanged(clauses: tuple[Clause, ...], changed: frozenset[str]) -> tuple[Clause, ...]:
    return tuple(each for each in clauses if not each.fields & changed) if changed else clauses


def _takes(node: _Node, named: Mapping[str, Condition]) -> bool:
    """Whether nothing that fits the rule is left behind it: it acts and does not go on, or one of its children takes
    everything."""
    if node.at.acts and not node.at.rule.continue_:
        return True
    return any(not clauses_of(child.at.rule.when, named) and _takes(child, named) for child in node.children)


def _kept(node: _Node) -> frozenset[str]:
    """Fields that are changed for the rules behind: by ``set`` with ``continue``, of the rule and of those in it."""
    own = frozenset(node.at.rule.set_ or ()) if node.at.rule.continue_ else frozenset()
    return own.union(*(_kept(child) for child in node.children))


CHECKS: tuple[Callable[[Whole], Iterator[Problem]], ...] = (check_shade,)
