"""Rules that are never asked: an earlier one takes all they want, or what they want cannot be.

A rule stands in the shade of an earlier one if its own conditions, with those of its parents, imply those of the
earlier one, which takes what fits it. What ``set`` changes on the way between the two is left out of every proof:
the later rule would see another event than the earlier one did.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from bridge.config.checks.implied import Clause, clauses_of, contradict, fields_of, follows
from bridge.config.checks.whole import RuleAt, Whole
from bridge.config.models import Condition
from bridge.config.problem import Problem

_NOT_WHOLE = ("severity", "state", "door", "subject", "title", "text", "detail", "header.")  # no use as a mark
_MOST_OTHERS = 200  # takers without a plain word that each rule is compared with: a big book stays quick to check


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
    """Takers that may shade what follows: found by a plain word they ask for, or among the few others."""

    by_word: dict[tuple[str, str], list[_Taker]] = field(default_factory=dict)
    others: list[_Taker] = field(default_factory=list)

    def add(self, taker: _Taker) -> None:
        mark = next(_marks(taker.clauses, every=True), None)
        if mark is None:
            self.others.append(taker)
        else:
            for word in mark[1]:
                self.by_word.setdefault((mark[0], word), []).append(taker)

    def of(self, known: Sequence[Clause]) -> Iterator[_Taker]:
        """Those of which one may ask no more than *known*, earlier ones first within each kind."""
        yield from self.others[:_MOST_OTHERS]
        for name, words in _marks(known, every=False):
            for word in words:
                yield from self.by_word.get((name, word), ())

    def without(self, changed: frozenset[str]) -> _Takers:
        """Those that ask for nothing that has changed."""
        if not changed:
            return self
        kept = _Takers(others=[taker for taker in self.others if not taker.fields & changed])
        kept.by_word = {
            mark: found
            for mark, takers in self.by_word.items()
            if (found := [taker for taker in takers if not taker.fields & changed])
        }
        return kept

    def copy(self) -> _Takers:
        return _Takers({mark: list(takers) for mark, takers in self.by_word.items()}, list(self.others))


def _marks(clauses: Sequence[Clause], *, every: bool) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Fields that must be one of a few plain words. A narrower rule names, in that field, words out of these: for a
    taker *every* word is a place to be found at; whoever is looked for names at least one of them."""
    for clause in clauses:
        globs = getattr(clause.value, "globs", ()) if clause.kind == "field" else ()
        if globs and not clause.field.startswith(_NOT_WHOLE) and not any(set(glob) & set("*?") for glob in globs):
            words = tuple(glob.casefold() for glob in globs)
            yield clause.field, words if every else words[:1]


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
