"""What could be taken out of the entries beside the rules (silences, inhibitions, watches), one thing at a time."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from pydantic import BaseModel

from bridge.config.models.conditions import Condition
from bridge.config.models.rules import RuleFile
from bridge.proof.changes import Change, having, of_condition, without, written

_KINDS = {
    "silences": ("silence", ("when",), ("begin", "end", "during")),
    "inhibit": ("inhibit", ("while_", "hide"), ("equal",)),
    "watch": ("watch", ("for_",), ("by",)),
}  # list -> the key that names an entry, its conditions, what else decides


def of_entries(content: RuleFile, skipped: frozenset[str] = frozenset()) -> Iterator[tuple[str, Change[RuleFile]]]:
    """The name of each entry with each change of it; the file as it would be. *skipped* are lists without effect."""
    for kind, (name, conditions, keys) in _KINDS.items():
        if kind in skipped:
            continue
        entries: tuple[BaseModel, ...] = getattr(content, kind)
        for place, entry in enumerate(entries):
            label = f"{name} {getattr(entry, name)}"
            rest = entries[:place] + entries[place + 1 :]
            yield label, Change((kind, place), "the entry taken out", having(content, **{kind: rest}))
            for change in _of_entry(entry, conditions, keys):
                new = (*entries[:place], change.new, *entries[place + 1 :])
                yield label, Change((kind, place, *change.path), change.what, having(content, **{kind: new}))


def _of_entry(entry: BaseModel, conditions: tuple[str, ...], keys: tuple[str, ...]) -> Iterator[Change[Any]]:
    for name in conditions:
        condition: Condition = getattr(entry, name)
        key = written(entry, name)
        for change in of_condition(condition):
            yield Change((key, *change.path), f"{key}.{change.what}", having(entry, **{name: change.new}))
    for name in keys:
        value = getattr(entry, name)
        if not value:
            continue
        if isinstance(value, tuple) and len(value) > 1:
            for place, one in enumerate(value):
                rest = value[:place] + value[place + 1 :]
                yield Change((name, place), f"{name} {one} taken out", having(entry, **{name: rest}))
        else:
            yield Change((name,), f"{name} taken out", without(entry, name))
