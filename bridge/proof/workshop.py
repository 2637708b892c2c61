"""A rule book with one thing changed in it: only what the change touches is compiled anew."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from bridge.book import RuleBook
from bridge.book.book import RuleTexts
from bridge.book.loading import LoadedBook
from bridge.book.standing import compile_standing
from bridge.config.models.conditions import Condition
from bridge.config.models.rules import Rule, RuleFile
from bridge.render.texts import Text, compile_text, compile_value, load_template
from bridge.routing.addresses import Addresses
from bridge.routing.rulebook import Rules, compile_rules
from bridge.routing.rules import Action, CompiledRule, RuleList, Value

_TEXTS = ("text", "recovery_text", "group_text")
Top = tuple[str, Rule]  # a rule at the top, and its file


@dataclass(frozen=True, slots=True)
class Splice:
    """*count* top rules from number *at* on become *rules*."""

    at: int
    count: int
    rules: tuple[Top, ...]


class Workshop:
    """Makes changed books of one book."""

    def __init__(self, loaded: LoadedBook) -> None:
        self._book = loaded.require()
        self._loaded = loaded.loaded
        self._files = loaded.loaded.rule_files
        self._templates = loaded.loaded.rules_folder / "templates"
        self._conditions = [(file, _of_conditions(each.conditions)) for file, each in self._files]
        self._texts: dict[tuple[tuple[str, str], ...], Text] = {}
        self.tops: tuple[Top, ...] = tuple((file, rule) for file, each in self._files for rule in each.rules)

    def spliced(self, splice: Splice) -> RuleBook | None:
        """The book with other rules at one place; None where they do the same. Raises ConfigError."""
        old = self._book.rules.top.rules[splice.at : splice.at + splice.count]
        new = tuple(self._compiled(splice, old))
        if len(new) == len(old) and self._is_same(RuleList(old), RuleList(new), splice):
            return None
        tops = self._book.rules.top.rules
        return self._with((*tops[: splice.at], *new, *tops[splice.at + splice.count :]))

    def with_file(self, file: str, content: RuleFile) -> RuleBook:
        """The book with one file changed beside its rules: named conditions, and what stands. Raises ConfigError."""
        files = tuple((name, content if name == file else each) for name, each in self._files)
        rules = self._compile(files)
        book = self._with(rules.top.rules)
        standing = compile_standing(replace(self._loaded, rule_files=files), rules, book.windows)
        return replace(book, standing=standing)

    def _compiled(self, splice: Splice, old: Sequence[CompiledRule]) -> Iterator[CompiledRule]:
        """The new rules, numbered into the place of the old ones (they are never more)."""
        if not splice.rules:
            return
        number = old[0].number
        rank = old[0].rank - sum(1 for _ in old[0].children.everyone())
        files = [(file, RuleFile.model_construct({"rules"}, rules=(rule,))) for file, rule in splice.rules]
        for rule in self._compile([*self._conditions, *files]).top.rules:
            yield _moved(rule, number, rank)

    def _compile(self, files: Sequence[tuple[str, RuleFile]]) -> Rules:
        windows = self._book.rules.conditions.windows
        return compile_rules(files, self._book.config, compile_value=compile_value, windows=windows)

    def _with(self, tops: tuple[CompiledRule, ...]) -> RuleBook:
        top = unindexed(tops)
        rules = replace(self._book.rules, top=top, by_name={rule.name: rule for rule in top.everyone()})
        texts = dict(self._book.texts)
        keys = dict(self._book.keys)
        for rule in top.everyone():
            self._put_texts(rule, texts, keys)
        addresses = Addresses(rules, self._book.config, self._book.sources)
        return replace(self._book, rules=rules, texts=texts, keys=keys, addresses=addresses)

    def _put_texts(self, rule: CompiledRule, texts: dict[str, RuleTexts], keys: dict[str, Value]) -> None:
        before = self._book.rules.by_name.get(rule.name)
        if before is rule:
            return
        action, known = rule.action, before.action if before else None
        if known is None or _sources(rule) != _sources(before):
            whole = load_template(self._templates, action.template) if action.template else None
            alert, recovery, group = (self._text(each) or whole for each in _own(rule))
            texts[rule.name] = RuleTexts(alert, recovery, group)
        if known is None or known.key != action.key:
            keys.pop(rule.name, None)
            if action.key:
                keys[rule.name] = compile_value(action.key, "key")

    def _is_same(self, old: RuleList, new: RuleList, splice: Splice) -> bool:
        """Whether rules do the same: no condition, ``set`` or order was changed, and every key does what it did."""
        before, after = list(old.everyone()), list(new.everyone())
        if [rule.name for rule in before] != [rule.name for rule in after]:
            return False
        written = self.tops[splice.at : splice.at + splice.count]
        if [_asked(rule) for _file, rule in written] != [_asked(rule) for _file, rule in splice.rules]:
            return False
        return [self._effect(rule) for rule in before] == [self._effect(rule) for rule in after]

    def _effect(self, rule: CompiledRule) -> tuple[Action, bool]:
        """What a rule does, without what cannot be seen: texts in a language that it never sends, a sender in whose
        place the number stands to which answers come."""
        action = rule.action
        for name in _TEXTS:
            read = (getattr(action, name) or {}).get(action.language)
            action = action if read is None else _with_text(action, name, read)
        return (replace(action, sender="") if self._shows_number(action) else action), rule.continues

    def _shows_number(self, action: Action) -> bool:
        chains = (action.send_via or self._book.config.send_via or {}).values()
        names = {name for chain in chains for name in chain} or self._book.config.providers.keys()
        providers = [self._book.config.providers[name] for name in names]
        coded = all("code" in text for text in (action.text or {}).values()) and not action.template
        return action.track and coded and all(one.number and one.number_as_sender for one in providers)

    def _text(self, source: Mapping[str, str] | None) -> Text | None:
        if not source:
            return None
        known = tuple(source.items())
        if known not in self._texts:
            self._texts[known] = compile_text(source, "text")
        return self._texts[known]


def unindexed(rules: tuple[CompiledRule, ...]) -> RuleList:
    """A list of rules that is asked one by one: the index of a big book costs more than a few tests do."""
    made = RuleList()
    object.__setattr__(made, "rules", rules)
    return made


def _of_conditions(conditions: Mapping[str, Condition]) -> RuleFile:
    return RuleFile.model_construct({"conditions"}, conditions=conditions)


def _moved(rule: CompiledRule, number: int, rank: int) -> CompiledRule:
    children = tuple(_moved(child, number, rank) for child in rule.children.rules)
    return replace(rule, number=rule.number + number, rank=rule.rank + rank, children=RuleList(children))


def _own(rule: CompiledRule) -> tuple[Mapping[str, str] | None, ...]:
    action = rule.action
    return action.text, action.recovery_text, action.group_text


def _sources(rule: CompiledRule | None) -> tuple[object, ...]:
    return () if rule is None else (*_own(rule), rule.action.template)


def _with_text(action: Action, name: str, source: str) -> Action:
    changes: dict[str, Any] = {name: {"": source}}
    return replace(action, **changes)


def _asked(rule: Rule) -> tuple[object, ...]:
    """What of a rule and those below it is no key that has a value in the compiled rule."""
    return rule.when, rule.set_, tuple(_asked(child) for child in rule.rules)
