"""A book as it would be with one rule file more: what a rule that is only written yet would do."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from bridge.book.loading import LoadedBook, compiled
from bridge.config.check import check
from bridge.config.checks.whole import Whole
from bridge.config.document import read
from bridge.config.load import Loaded
from bridge.config.models.rules import RuleFile
from bridge.config.validate import validate
from bridge.errors import ConfigError


def with_rules(loaded: Loaded, name: str, text: str) -> LoadedBook:
    """The book of *loaded* with a file *name* more in its rules folder; nothing is written.

    Raises ConfigError for what *text* has wrong in its shape; all other mistakes are in the result.
    """
    document = read(text.encode(), str(loaded.rules_folder / name))
    rules, mistakes, _cut = validate(RuleFile, document.data, {})
    wrong = [*document.problems, *(document.problem(path, why, of_key=key) for path, why, key in mistakes)]
    if wrong or rules is None:
        raise ConfigError(tuple(map(str, wrong)))
    files = sorted([*loaded.rule_files, (document.file, rules)], key=lambda each: Path(each[0]).name.encode())
    places = replace(loaded.places, documents={**loaded.places.documents, document.file: document})
    whole = Whole(loaded.config, files, loaded.test_files, places, rules_folder=loaded.rules_folder)
    return compiled(replace(loaded, rule_files=tuple(files), places=places, problems=tuple(check(whole))))
