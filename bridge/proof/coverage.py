"""What the tests of a book have seen of it: rules that fitted, and branches.

A branch is a matcher of a rule's own ``when`` seen to hold, and seen to fail; a rule with children whose child took
the event, and that took it itself; a rule with ``continue`` that let an event go on; each text that was sent, in
each language it is written in. The door's look at conditions counts: an address that it refuses is one that a
``recipient`` did not fit.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final

from bridge.book import RuleBook
from bridge.book.book import RuleTexts
from bridge.book.loading import LoadedBook
from bridge.config.models.rules import Rule, RuleKeys
from bridge.config.problem import Path
from bridge.proof.changes import written
from bridge.proof.runner import Outcome
from bridge.proof.workshop import unindexed
from bridge.render.texts import Text
from bridge.routing.addresses import Addresses
from bridge.routing.clauses import AllClause, AnyClause, Clause, DuringClause, FieldClause, NetworkClause, NotClause
from bridge.routing.conditions import CompiledCondition
from bridge.routing.look import Address, Look
from bridge.routing.regexes import Groups
from bridge.routing.rules import CompiledRule

_TEXTS: Final = ("text", "recovery_text", "group_text", "template")
_DEFAULTS: Final = "defaults"


@dataclass(slots=True)
class Seen:
    """What happened in a watched book: (rule, number of its matcher, whether it held); (writer, key, language)."""

    matchers: set[tuple[str, int, bool]] = field(default_factory=set)
    texts: set[tuple[str, str, str]] = field(default_factory=set)


@dataclass(frozen=True, slots=True)
class Branch:
    """One thing that may happen in a rule; *path* leads to it from the rule."""

    what: str
    path: Path
    seen: bool


@dataclass(frozen=True, slots=True)
class RuleCovered:
    """A rule (or ``defaults``), whether it fitted anything, and its branches."""

    name: str
    file: str
    line: int
    fitted: bool
    branches: tuple[tuple[int, Branch], ...]  # with their lines

    @property
    def missing(self) -> tuple[tuple[int, Branch], ...]:
        """The branches that no test has seen."""
        return tuple((line, branch) for line, branch in self.branches if not branch.seen)


@dataclass(frozen=True, slots=True)
class Coverage:
    """All rules of a book, in its order."""

    rules: tuple[RuleCovered, ...]

    @property
    def counts(self) -> tuple[int, int, int, int]:
        """Rules that fitted, rules, branches seen, branches."""
        named = [rule for rule in self.rules if rule.name != _DEFAULTS]
        branches = [branch for rule in self.rules for _line, branch in rule.branches]
        fitted, seen = sum(rule.fitted for rule in named), sum(branch.seen for branch in branches)
        return fitted, len(named), seen, len(branches)

    @property
    def percent(self) -> float:
        """Of rules and branches together; 100 for a book that has none."""
        fitted, rules, seen, branches = self.counts
        return 100.0 * (fitted + seen) / (rules + branches) if rules + branches else 100.0


# watching


def watched(loaded: LoadedBook, seen: Seen) -> RuleBook:
    """The book, decided by as before, that writes into *seen* what its conditions and texts are asked."""
    book = loaded.require()
    top = unindexed(tuple(_watched_rule(rule, seen) for rule in book.rules.top.rules))
    rules = replace(book.rules, top=top, by_name={rule.name: rule for rule in top.everyone()})
    writers = _writers(loaded)
    texts = {
        name: _watched_texts(book.texts[name], rule, writers[name], seen)
        for name, rule in rules.by_name.items()
        if name in book.texts
    }
    addresses = Addresses(rules, book.config, book.sources)
    return replace(book, rules=rules, texts={**book.texts, **texts}, addresses=addresses)


@dataclass(frozen=True, slots=True)
class _Matcher:
    """A clause that tells what became of it."""

    clause: Clause
    rule: str
    number: int
    seen: Seen

    @property
    def asks_recipient(self) -> bool:
        return self.clause.asks_recipient

    @property
    def by_envelope(self) -> bool:
        return self.clause.by_envelope

    def fits(self, look: Look, address: Address) -> Groups | None:
        found = self.clause.fits(look, address)
        self.seen.matchers.add((self.rule, self.number, found is not None))
        return found

    def told(self, look: Look, address: Address, holds: bool | None = None) -> str:
        return self.clause.told(look, address, holds)


@dataclass(frozen=True, slots=True)
class _Asked(CompiledCondition):
    """A condition whose matchers are all asked, also those behind the first that does not hold."""

    matchers: tuple[_Matcher, ...] = ()

    def split(self, look: Look, addresses: tuple[Address, ...]) -> Any:
        for matcher in self.matchers:
            for address in addresses if matcher.asks_recipient else addresses[:1]:
                matcher.fits(look, address)
        return CompiledCondition.split(self, look, addresses)


def _watched_rule(rule: CompiledRule, seen: Seen) -> CompiledRule:
    found: list[_Matcher] = []

    def watch(clause: Clause) -> Clause:
        match clause:
            case AllClause() if not clause.name:
                return AllClause("", tuple(map(watch, clause.clauses)))
            case AnyClause():
                return AnyClause(tuple(AllClause(part.name, tuple(map(watch, part.clauses))) for part in clause.parts))
            case NotClause() if not clause.part.name:
                return NotClause(AllClause("", tuple(map(watch, clause.part.clauses))))
        found.append(_Matcher(clause, rule.name, len(found), seen))
        return found[-1]

    common, own = (tuple(map(watch, clauses)) for clauses in (rule.condition.common, rule.condition.own))
    children = unindexed(tuple(_watched_rule(child, seen) for child in rule.children.rules))
    return replace(rule, condition=_Asked(common, own, tuple(found)), children=children)


class _Variants(dict[str, Any]):
    """The languages of a text; remembers those that were taken to be sent."""

    def __init__(self, variants: Mapping[str, Any], writer: str, key: str, seen: Seen) -> None:
        super().__init__(variants)
        self._taken = (writer, key, seen)

    def __getitem__(self, language: str) -> Any:
        writer, key, seen = self._taken
        seen.texts.add((writer, key, language))
        return super().__getitem__(language)


def _watched_texts(texts: RuleTexts, rule: CompiledRule, writers: Mapping[str, str], seen: Seen) -> RuleTexts:
    def watch(text: Text | None, key: str) -> Text | None:
        name = key if getattr(rule.action, key) else "template"
        return None if text is None else Text(_Variants(text.variants, writers.get(name, _DEFAULTS), name, seen))

    return RuleTexts(
        watch(texts.alert, "text"), watch(texts.recovery, "recovery_text"), watch(texts.group, "group_text")
    )


def _writers(loaded: LoadedBook) -> dict[str, dict[str, str]]:
    """For each rule and each key of texts, who wrote what holds there: the rule, one above it, or ``defaults``."""
    found: dict[str, dict[str, str]] = {}
    defaults = dict.fromkeys(_own_texts(loaded.loaded.config.defaults), _DEFAULTS)
    for _file, content in loaded.loaded.rule_files:
        for rule in content.rules:
            _inherit(rule, defaults, found)
    return found


def _inherit(rule: Rule, above: Mapping[str, str], found: dict[str, dict[str, str]]) -> None:
    found[rule.rule] = {**above, **dict.fromkeys(_own_texts(rule), rule.rule)}
    for child in rule.rules:
        _inherit(child, found[rule.rule], found)


def _own_texts(keys: RuleKeys) -> list[str]:
    return [name for name in _TEXTS if getattr(keys, name)]


# counting


def covered(loaded: LoadedBook, outcomes: Sequence[Outcome], seen: Seen) -> Coverage:
    """What *outcomes*, played over the watched book, have seen. Tests that could not be played to their end count
    as far as they came."""
    book = loaded.require()
    courses = {course for one in outcomes for course in one.courses}
    fitted = frozenset().union(*(course.fitted for course in courses))
    languages = _languages(book)
    rules = []
    for file, path, rule in _everyone(loaded):
        compiled = book.rules.by_name[rule.rule]
        below = frozenset(child.name for child in compiled.children.everyone())
        paths = [(course.fitted, course.acted) for course in courses if rule.rule in course.fitted]
        branches = [
            *_matchers(compiled, seen),
            *_ways(compiled, any(below & acted for _fitted, acted in paths), any(rule.rule in a for _f, a in paths)),
            *_sent(rule.rule, rule, languages[rule.rule], seen),
        ]
        line = loaded.loaded.place(file, path)[1].line
        placed = tuple((loaded.loaded.place(file, (*path, *each.path))[1].line, each) for each in branches)
        rules.append(RuleCovered(rule.rule, file, line, rule.rule in fitted, placed))
    return Coverage((*rules, *_of_defaults(loaded, languages, seen)))


def _everyone(loaded: LoadedBook) -> Iterator[tuple[str, Path, Rule]]:
    for file, content in loaded.loaded.rule_files:
        for number, rule in enumerate(content.rules):
            yield from _within(file, ("rules", number), rule)


def _within(file: str, path: Path, rule: Rule) -> Iterator[tuple[str, Path, Rule]]:
    yield file, path, rule
    for number, child in enumerate(rule.rules):
        yield from _within(file, (*path, "rules", number), child)


def _matchers(rule: CompiledRule, seen: Seen) -> Iterator[Branch]:
    """In the order in which :func:`_watched_rule` numbers them."""
    names = list(_named((*rule.condition.common, *rule.condition.own), ("when",)))
    for number, (path, what) in enumerate(names):
        for holds, word in ((True, "held"), (False, "failed")):
            yield Branch(f"{what} never {word}", path, (rule.name, number, holds) in seen.matchers)


def _named(clauses: Sequence[Clause], path: Path) -> Iterator[tuple[Path, str]]:
    for clause in clauses:
        match clause:
            case FieldClause():
                yield (*path, clause.field), f"{clause.field} {clause.pattern.shown}"
            case NetworkClause():
                yield (*path, "network"), f"network {' or '.join(map(str, clause.networks))}"
            case DuringClause():
                yield (*path, "during"), f"during {clause.shown}"
            case AnyClause():
                for place, part in enumerate(clause.parts):
                    yield from _named(part.clauses, (*path, "any", place))
            case NotClause():
                yield from ((where, f"not {what}") for where, what in _named([clause.part], (*path, "not")))
            case AllClause() if clause.name:
                yield (*path, "use"), clause.name
            case AllClause():
                yield from _named(clause.clauses, path)
            case _:
                yield path, "condition"


def _ways(rule: CompiledRule, child_took: bool, acted: bool) -> Iterator[Branch]:
    if rule.children:
        yield Branch("no rule in it ever took anything", ("rules",), child_took)
    if rule.acts and (rule.continues or (rule.children and not any(map(_always_takes, rule.children.rules)))):
        what = "never let anything go on" if rule.continues else "never took anything itself"
        yield Branch(what, ("continue",) if rule.continues else (), acted)


def _always_takes(rule: CompiledRule) -> bool:
    """Whether nothing that comes to the rule comes out behind it."""
    return rule.acts and not rule.continues and not rule.condition.common and not rule.condition.own


def _languages(book: RuleBook) -> dict[str, dict[str, tuple[str, ...]]]:
    """For each rule, the languages of each of its texts."""
    found: dict[str, dict[str, tuple[str, ...]]] = {}
    for name, rule in book.rules.by_name.items():
        texts = book.texts.get(name, RuleTexts())
        pairs = (("text", texts.alert), ("recovery_text", texts.recovery), ("group_text", texts.group))
        reads = {rule.action.language, *(child.action.language for child in rule.children.everyone())}
        found[name] = {key: _read(text, reads) for key, text in pairs if text is not None}
        found[name] |= {"template": found[name].get("text", ())} if rule.action.template else {}
    return found


def _read(text: Text, reads: set[str]) -> tuple[str, ...]:
    """The languages in which a text can be sent, where *reads* are those that a rule and the ones in it say."""
    return tuple(each for each in text.variants if each in reads or not reads <= text.variants.keys())


def _sent(writer: str, keys: RuleKeys, languages: Mapping[str, tuple[str, ...]], seen: Seen) -> Iterator[Branch]:
    for name in _own_texts(keys):
        for language in languages.get(name, ()):
            shown = ".".join(filter(None, (written(keys, name), language)))
            yield Branch(f"{shown} was never sent", (name,), (writer, name, language) in seen.texts)


def _of_defaults(
    loaded: LoadedBook, languages: Mapping[str, Mapping[str, tuple[str, ...]]], seen: Seen
) -> Iterator[RuleCovered]:
    """The texts that ``defaults`` write for all rules."""
    writers, defaults = _writers(loaded), loaded.loaded.config.defaults
    merged: dict[str, tuple[str, ...]] = {}
    for rule, each in writers.items():
        merged |= {key: languages[rule].get(key, ()) for key, writer in each.items() if writer == _DEFAULTS}
    branches = tuple(_sent(_DEFAULTS, defaults, merged, seen))
    if branches:
        file, place = loaded.loaded.place(loaded.loaded.places.main, (_DEFAULTS,))
        yield RuleCovered(_DEFAULTS, file, place.line, True, tuple((place.line, each) for each in branches))
