"""What could be taken out of a rule, or changed in it, one thing at a time: the mutants of ``test --mutate``.

Here rules are what was written. Each change has a name in the words of the file and the place of what is changed.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Generic, TypeVar

from pydantic import BaseModel

from bridge.config.models.conditions import Condition, Pattern
from bridge.config.models.rules import Rule, RuleKeys
from bridge.config.problem import Path

M = TypeVar("M", bound=BaseModel)
T = TypeVar("T")
_OTHER_CLASS = {"critical": "normal", "normal": "critical", "bulk": "normal"}
_TEXTS = ("text", "recovery_text", "group_text")
_WORD = re.compile(r"\{\{.*?\}\}", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Change(Generic[T]):
    """*new* in the place of what was written; *path* leads (from there) to what differs, *what* says how."""

    path: Path
    what: str
    new: T


def written(model: BaseModel, name: str) -> str:
    """The key of an attribute: ``class_`` is written ``class``."""
    return str(type(model).model_fields[name].alias or name)


def having(model: M, **values: object) -> M:
    """*model* with other values; they count as written."""
    kept = {name: getattr(model, name) for name in model.model_fields_set}
    merged = {**kept, **values}
    return type(model).model_construct(set(merged), **merged)


def without(model: M, name: str) -> M:
    """*model* as if the key had never been written."""
    kept = {each: getattr(model, each) for each in model.model_fields_set if each != name}
    return type(model).model_construct(set(kept), **kept)


# conditions


def of_condition(condition: Condition) -> Iterator[Change[Condition]]:
    """Every demand of *condition* taken out, and turned into its opposite; every part of it taken out."""
    for name in _written(condition):
        value = getattr(condition, name)
        key = written(condition, name)
        if isinstance(value, Pattern):
            yield from _of_demand(condition, name, key, value)
        elif isinstance(value, Mapping):
            yield from _of_named(condition, name, key, value)
        elif isinstance(value, Condition):
            yield Change((key,), f"{key} taken out", without(condition, name))
            yield Change((key,), f"{key} holds instead", _also(without(condition, name), value))
            yield from (
                Change((key, *each.path), f"{key}: {each.what}", having(condition, **{name: each.new}))
                for each in of_condition(value)
            )
        elif isinstance(value, tuple):
            yield from _of_list(condition, name, key, value)
        else:
            yield Change((key,), f"{key} taken out", without(condition, name))
            yield Change((key,), f"{key} turned round", _turned(condition, name))


def _written(model: BaseModel) -> list[str]:
    """The attributes that hold anything, in the order of the models."""
    return [name for name in type(model).model_fields if name in model.model_fields_set and getattr(model, name)]


def _also(condition: Condition, *more: Condition) -> Condition:
    return having(condition, all_=(*condition.all_, *more))


def _turned(condition: Condition, name: str) -> Condition:
    """The demand *name* must not hold, the others as before."""
    alone = Condition.model_construct({name}, **{name: getattr(condition, name)})
    return _also(without(condition, name), Condition.model_construct({"not_"}, not_=alone))


def _of_demand(condition: Condition, name: str, key: str, pattern: Pattern) -> Iterator[Change[Condition]]:
    yield Change((key,), f"{key} taken out", without(condition, name))
    yield Change((key,), f"{key} turned round", _turned(condition, name))
    for each in _of_pattern(pattern):
        yield Change((key, *each.path), f"{key} {each.what}", having(condition, **{name: each.new}))


def _of_named(
    condition: Condition, name: str, key: str, patterns: Mapping[str, Pattern]
) -> Iterator[Change[Condition]]:
    """``label.X`` and ``header.X``."""
    for word, pattern in patterns.items():
        rest = {other: value for other, value in patterns.items() if other != word}
        taken = having(condition, **{name: rest})
        alone = having(Condition(), **{name: {word: pattern}})
        shown = f"{key}{word}"
        yield Change((shown,), f"{shown} taken out", taken)
        yield Change((shown,), f"{shown} turned round", _also(taken, Condition.model_construct({"not_"}, not_=alone)))
        for each in _of_pattern(pattern):
            new = having(condition, **{name: {**patterns, word: each.new}})
            yield Change((shown, *each.path), f"{shown} {each.what}", new)


def _of_list(condition: Condition, name: str, key: str, values: tuple[object, ...]) -> Iterator[Change[Condition]]:
    """``use``, ``network``, ``any`` and ``all``: each part taken out, the whole turned round."""
    if len(values) == 1 or name == "any_":
        yield Change((key,), f"{key} taken out", without(condition, name))
    yield Change((key,), f"{key} turned round", _turned(condition, name))
    for place, value in enumerate(values):
        shown = f"{key}[{place}]" if isinstance(value, Condition) else f"{key} {value}"
        if len(values) > 1:
            rest = values[:place] + values[place + 1 :]
            yield Change((key, place), f"{shown} taken out", having(condition, **{name: rest}))
        if isinstance(value, Condition) and (len(values) == 1 or len(_written(value)) > 1 or name == "any_"):
            for each in of_condition(value):
                new = having(condition, **{name: (*values[:place], each.new, *values[place + 1 :])})
                yield Change((key, place, *each.path), f"{shown}.{each.what}", new)


def _of_pattern(pattern: Pattern) -> Iterator[Change[Pattern]]:
    """Parts of a pattern; a pattern of one part has none that could go alone."""
    keys = _written_pattern(pattern)
    for name in keys:
        value, key = getattr(pattern, name), () if name == "globs" else (written(pattern, name),)
        if len(keys) > 1:
            yield Change(key, f"{_said(name, value)} taken out", without(pattern, name))
        if isinstance(value, tuple) and len(value) > 1:
            for place, one in enumerate(value):
                rest = value[:place] + value[place + 1 :]
                yield Change((*key, place), f"{_said(name, one)} taken out", having(pattern, **{name: rest}))
        elif isinstance(value, Pattern):
            for each in _of_pattern(value):
                yield Change((*key, *each.path), f"not {each.what}", having(pattern, **{name: each.new}))


def _written_pattern(pattern: Pattern) -> list[str]:
    return [name for name in Pattern.model_fields if getattr(pattern, name) not in (None, ())]


def _said(name: str, value: object) -> str:
    """A part of a pattern as it is written, cut."""
    said = ", ".join(value.globs) if isinstance(value, Pattern) else value
    shown = " ".join(filter(None, ("" if name == "globs" else name.rstrip("_"), said if isinstance(said, str) else "")))
    return shown if len(shown) <= 40 else shown[:39] + "…"


# rules


def of_rule(rule: Rule, skipped: frozenset[str] = frozenset()) -> Iterator[Change[Rule]]:
    """Every change of the rule itself, its children aside. *skipped* are keys that have no effect yet."""
    if rule.when is not None:
        for each in of_condition(rule.when):
            yield Change(("when", *each.path), each.what, having(rule, when=each.new))
    for field in rule.set_ or {}:
        rest = {name: text for name, text in (rule.set_ or {}).items() if name != field}
        yield Change(("set", field), f"set {field} taken out", having(rule, set_=rest))
    if rule.continue_:
        yield Change(("continue",), "continue taken out", without(rule, "continue_"))
    if rule.drop:
        yield Change(("drop",), "drop taken out", without(rule, "drop"))
    yield from _of_people(rule)
    if rule.class_ is not None:
        other = _OTHER_CLASS[rule.class_]
        yield Change(("class",), f"class {other} instead of {rule.class_}", having(rule, class_=other))
    yield from _of_texts(rule, skipped)
    yield from _of_keys(rule, skipped)


def _of_people(rule: Rule) -> Iterator[Change[Rule]]:
    for name in ("to", "mail_to"):
        whole = getattr(rule, name) or ()
        for place, who in enumerate(whole):
            rest = whole[:place] + whole[place + 1 :]
            new = having(rule, **{name: rest}) if rest else without(rule, name)
            shown = getattr(who, "name", "") if name == "mail_to" else who
            yield Change((name, place), f"{name} {shown} taken out", new)


def _of_texts(rule: Rule, skipped: frozenset[str]) -> Iterator[Change[Rule]]:
    """Each variable of each text, and each language of several."""
    for name in _TEXTS:
        texts: Mapping[str, str] = getattr(rule, name) or {}
        if name in skipped:
            continue
        for language, source in texts.items():
            place = (name, language) if language else (name,)
            if len(set(texts.values())) > 1:  # else the same words are read in another language
                rest = {other: text for other, text in texts.items() if other != language}
                yield Change(place, f"{name}.{language} taken out", having(rule, **{name: rest}))
            for found in _WORD.finditer(source):
                text = source[: found.start()] + source[found.end() :]
                new = having(rule, **{name: {**texts, language: text}})
                yield Change(place, f"{'.'.join(map(str, place))} {found[0]} taken out", new)


def _of_keys(rule: Rule, skipped: frozenset[str]) -> Iterator[Change[Rule]]:
    """Each further key that was written, as if it had not been; each step of a ladder."""
    for name in RuleKeys.model_fields:
        if name not in rule.model_fields_set or name == "mail_to" or written(rule, name) in skipped:
            continue
        yield Change((written(rule, name),), f"{written(rule, name)} taken out", without(rule, name))
    steps = rule.escalate
    if isinstance(steps, tuple) and len(steps) > 1 and "escalate" not in skipped:
        for place, step in enumerate(steps):
            rest = steps[:place] + steps[place + 1 :]
            who = ", ".join(map(str, step.to))
            yield Change(("escalate", place), f"escalate step to {who} taken out", having(rule, escalate=rest))
