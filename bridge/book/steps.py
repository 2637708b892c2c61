"""The texts that steps of ladders write themselves, compiled once for all rules, watches and named ladders."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence

from bridge.book.book import RuleTexts
from bridge.config.load import Loaded
from bridge.config.models.people import Step
from bridge.config.models.rules import Rule
from bridge.config.problem import Path
from bridge.errors import ConfigError
from bridge.render.texts import compile_text


def text_name(text: Mapping[str, str]) -> str:
    """Under which name the book keeps a step's text: by what it says, so that a running ladder finds it again."""
    said = "\0".join(f"{language}\0{template}" for language, template in text.items())
    return f"step/{hashlib.sha256(said.encode()).hexdigest()[:16]}"


def compile_steps(loaded: Loaded) -> dict[str, RuleTexts]:
    """Every step's own text by its :func:`text_name`. Raises ConfigError with each that is wrong and its place."""
    texts: dict[str, RuleTexts] = {}
    errors: list[str] = []
    for file, path, text in _written(loaded):
        if text_name(text) in texts:
            continue
        try:
            place = str(loaded.places.problem(file, path, "")).rstrip(": ")
            texts[text_name(text)] = RuleTexts(alert=compile_text(text, place))
        except ConfigError as error:
            errors += error.problems
    if errors:
        raise ConfigError(tuple(errors))
    return texts


def _written(loaded: Loaded) -> Iterator[tuple[str, Path, Mapping[str, str]]]:
    """Every text of a step with its place."""
    main = loaded.places.main
    for name, steps in loaded.config.escalations.items():
        yield from _of(main, ("escalations", name), steps)
    yield from _of(main, ("defaults", "escalate"), loaded.config.defaults.escalate)
    for file, content in loaded.rule_files:
        yield from _of_rules(file, ("rules",), content.rules)
        for number, watch in enumerate(content.watch):
            yield from _of(file, ("watch", number, "escalate"), watch.escalate)


def _of_rules(file: str, path: Path, rules: Sequence[Rule]) -> Iterator[tuple[str, Path, Mapping[str, str]]]:
    for number, rule in enumerate(rules):
        yield from _of(file, (*path, number, "escalate"), rule.escalate)
        yield from _of_rules(file, (*path, number, "rules"), rule.rules)


def _of(file: str, path: Path, steps: str | Sequence[Step] | None) -> Iterator[tuple[str, Path, Mapping[str, str]]]:
    """The texts of a ladder that is written at *path*; one that is only named there has its place elsewhere."""
    for number, step in enumerate(() if steps is None or isinstance(steps, str) else steps):
        if step.text:
            yield file, (*path, number, "text"), step.text
