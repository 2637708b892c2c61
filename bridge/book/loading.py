"""From the operator's files to a rule book: everything compiled, every mistake of every room with its place.

A book with errors is no book: ``run`` does not start with it and a reload never takes it.
"""

from __future__ import annotations

import hashlib
import platform
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TypeVar, cast

from bridge.book.book import RuleBook, RuleTexts
from bridge.book.calendars import read_calendars, uncovered
from bridge.book.fitting import too_long
from bridge.book.standing import compile_standing
from bridge.book.steps import compile_steps
from bridge.book.watches import compile_watches
from bridge.config.checks.rules import NO_CODE
from bridge.config.load import Loaded, load
from bridge.config.models.rules import Rule
from bridge.config.problem import Place
from bridge.errors import ConfigError
from bridge.oncall.feeds import Feeds
from bridge.oncall.people import People
from bridge.oncall.rotas import Rotas
from bridge.oncall.windows import Windows
from bridge.producers.loading import load_packs
from bridge.render.texts import Text, compile_text, compile_value, load_template
from bridge.routing.addresses import Addresses
from bridge.routing.rulebook import CompileValue, Rules, compile_rules
from bridge.routing.rules import CompiledRule, Value
from bridge.routing.sources import Sources
from bridge.words.vocabulary import Verb, Vocabulary, with_more

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class LoadedBook:
    """What came of loading: a book, or the reasons why there is none."""

    loaded: Loaded
    book: RuleBook | None
    errors: tuple[str, ...]  # all sentences, ``FILE:LINE:COLUMN PATH: what is wrong``
    warnings: tuple[str, ...] = ()

    def placed(self, error: ConfigError) -> ConfigError:
        """*error*, found only when it was used (a secret that is not there), with its place in the file."""
        return ConfigError(tuple(self._placed(problem) for problem in error.problems))

    def _placed(self, problem: str) -> str:
        path, colon, _sentence = problem.partition(":")
        if not colon or " " in path or "/" in path:
            return problem
        file, place = self.loaded.place(self.loaded.places.main, tuple(path.split(".")))
        return f"{file}:{place.line}:{place.column} {problem}" if place.line else problem

    def ahead(self, now: datetime) -> tuple[str, ...]:
        """Warnings about the time to come, as it looks at *now*: shifts of iCalendars that leave nobody on call."""
        return () if self.book is None else uncovered(self.loaded, self.book.people, now)

    def require(self) -> RuleBook:
        """The book; raises ConfigError with every error when there is none."""
        if self.book is None:
            raise ConfigError(self.errors)
        return self.book


def load_book(path: Path, *, tests: bool = False, rules: Path | None = None) -> LoadedBook:
    """Read the configuration at *path* with its rules, and compile them. Never raises for what files contain.

    *rules* is a folder that stands in the place of the one the configuration names.
    """
    return compiled(load(path, tests=tests, rules=rules))


def compiled(loaded: Loaded) -> LoadedBook:
    """What was read as a book."""
    errors = [str(problem) for problem in loaded.errors]
    warnings = [str(problem) for problem in loaded.problems if problem.level != "error"]
    calendars = read_calendars(loaded)
    errors += calendars.errors
    warnings += calendars.warnings
    book: RuleBook | None = None
    try:
        book, more = _compile(loaded, calendars.feeds)
        warnings += more
    except ConfigError as error:
        errors += _not_said_yet(error.problems, errors)
    return LoadedBook(loaded, None if errors else book, tuple(errors), tuple(warnings))


def _not_said_yet(found: Sequence[str], said: Sequence[str]) -> list[str]:
    """Problems of compiling on lines that reading has not complained about: one mistake is told once."""
    lines = {_line_of(problem) for problem in said}
    return [problem for problem in found if _line_of(problem) not in lines]


def _line_of(problem: str) -> str:
    """``rules/10-db.yaml:7`` of a sentence that begins with its place, else the whole."""
    file, line, *_rest = [*problem.split(":", 2), ""]
    return f"{file}:{line}" if line.isdigit() else problem


class _Parts:
    """Parts of a book, each made by itself, so that what is wrong in one does not hide what is wrong in the next."""

    def __init__(self) -> None:
        self.problems: list[str] = []

    def made(self, make: Callable[[], T]) -> T | None:
        """What *make* gives; None, with its problems kept, where it raises ConfigError."""
        try:
            return make()
        except ConfigError as error:
            self.problems += error.problems
            return None


def _compile(loaded: Loaded, feeds: Feeds) -> tuple[RuleBook, tuple[str, ...]]:
    """The book and its warnings. Raises ConfigError with what is wrong in all of its parts."""
    config, parts = loaded.config, _Parts()
    windows = Windows(config.windows, config.calendars, config.timezone, feeds)
    rules = parts.made(lambda: _rules(loaded, windows, compile_value))
    texts = parts.made(lambda: _texts(rules or _rules(loaded, windows, _any_value), loaded))
    steps = parts.made(lambda: compile_steps(loaded))
    watches = parts.made(lambda: compile_watches(loaded))
    vocabulary = parts.made(lambda: _vocabulary(loaded))
    packs = parts.made(lambda: load_packs(folder=_own_packs(loaded)))
    standing = rules and parts.made(lambda: compile_standing(loaded, rules, windows))
    if not (rules and texts and watches and vocabulary and packs and standing) or steps is None:
        raise ConfigError(tuple(dict.fromkeys(parts.problems)))
    sources = Sources(config.sources)
    book = RuleBook(
        config=config,
        rules=rules,
        sources=sources,
        addresses=Addresses(rules, config, sources),
        people=People(config.people, config.teams, Rotas(config.rotas, windows, config.timezone, config.people)),
        packs=packs,
        texts={**texts[0], **steps, **watches.texts},
        watch_actions=watches.actions,
        keys=texts[1],
        digest=_digest(loaded),
        vocabulary=vocabulary,
        windows=windows,
        standing=standing,
        hostname=config.node or platform.node(),
    )
    return book, (*_never_fitting(rules, loaded), *_without_code(book, rules, loaded))


def _rules(loaded: Loaded, windows: Windows, compile_value: CompileValue) -> Rules:
    return compile_rules(
        loaded.rule_files, loaded.config, compile_value=compile_value, windows=windows.test, places=loaded.places
    )


def _any_value(_source: str, _place: str) -> Value:
    """In place of the values of ``set``, when one of them is wrong: the texts of the rules can be looked at anyway."""
    return lambda _fields: ""


def _vocabulary(loaded: Loaded) -> Vocabulary:
    """The words people may type: the built-in ones and those of ``commands.words``."""
    more = {
        cast("Verb", "ok" if verb == "ack" else verb): words for verb, words in loaded.config.commands.words.items()
    }
    try:
        return with_more(more)
    except ConfigError as error:
        file, place = loaded.place(loaded.places.main, ("commands", "words"))
        where = f"{file}:{place.line}:{place.column} commands.words"
        raise ConfigError(tuple(f"{where}: {problem}" for problem in error.problems)) from error


def _own_packs(loaded: Loaded) -> Path | None:
    folder = loaded.rules_folder / "producers"
    return folder if folder.is_dir() else None


def _never_fitting(rules: Rules, loaded: Loaded) -> Iterator[str]:
    """Warnings about texts whose fixed words alone are too long; a text that is inherited is told once."""
    wishes = {person.alphabet for person in loaded.config.people.values() if person.alphabet}
    compiler = _TextCompiler(loaded)
    told: set[tuple[object, ...]] = set()
    for rule in rules.by_name.values():
        action = rule.action
        for key in ("text", "recovery_text", "group_text"):
            texts: Mapping[str, str] | None = getattr(action, key)
            asked = (tuple((texts or {}).items()), action.parts, action.alphabet)
            if not texts or asked in told:
                continue
            told.add(asked)
            for language, sentence in too_long(
                texts, action.parts, (action.alphabet, *sorted(wishes)), loaded.config.language
            ):
                yield f"{compiler.where(rule, key)}{f'.{language}' if language else ''}: {sentence}"


def _without_code(book: RuleBook, rules: Rules, loaded: Loaded) -> Iterator[str]:
    """Warnings about template files of rules that can be answered and show no code: as for ``text``, each once."""
    compiler, told = _TextCompiler(loaded), set[str]()
    for rule in rules.by_name.values():
        action = rule.action
        if not (action.template and action.to and action.track) or action.message_class == "bulk":
            continue
        names = action.send_via or {"": tuple(loaded.config.providers)}
        providers = [book.provider(name) for chain in names.values() for name in chain]
        answerable = any(one is not None and (one.number or one.confirm_by_call) for one in providers)
        if answerable and not book.shows_code(rule.name, "alert"):
            where = compiler.where(rule, "template")
            if where not in told:
                told.add(where)
                yield f"{where}: {NO_CODE}"


def _texts(rules: Rules, loaded: Loaded) -> tuple[dict[str, RuleTexts], dict[str, Value]]:
    """Every rule's own texts and key, compiled; the same source is compiled once for all who inherit it."""
    compiler = _TextCompiler(loaded)
    texts: dict[str, RuleTexts] = {}
    keys: dict[str, Value] = {}
    for rule in rules.by_name.values():
        found = compiler.texts(rule)
        if found is not None:
            texts[rule.name] = found
        value = compiler.key(rule)
        if value is not None:
            keys[rule.name] = value
    if compiler.errors:
        raise ConfigError(tuple(dict.fromkeys(compiler.errors)))
    return texts, keys


class _TextCompiler:
    def __init__(self, loaded: Loaded) -> None:
        self.errors: list[str] = []
        self._loaded = loaded
        self._templates = loaded.rules_folder / "templates"
        self._texts: dict[tuple[tuple[str, str], ...], Text | None] = {}
        self._named: dict[str, Text | None] = {}
        self._keys: dict[str, Value | None] = {}

    def texts(self, rule: CompiledRule) -> RuleTexts | None:
        action = rule.action
        whole = self._template(rule, action.template) if action.template else None
        alert = self._text(rule, "text", action.text) or whole
        recovery = self._text(rule, "recovery_text", action.recovery_text) or whole
        group = self._text(rule, "group_text", action.group_text) or whole
        ways = self._ways(rule)
        if alert is recovery is group is None and not ways:
            return None
        return RuleTexts(alert, recovery, group, ways)

    def _ways(self, rule: CompiledRule) -> dict[str, Text]:
        action = rule.action
        sources: dict[str, tuple[str, Mapping[str, str] | None]] = {
            "viber": ("viber.text", action.viber.text if action.viber else None),
            "whatsapp": ("whatsapp.text", action.whatsapp.text if action.whatsapp else None),
        }
        for name, source in (action.vk.values if action.vk else {}).items():
            sources[f"vk.{name}"] = (f"vk.values.{name}", {"": source})
        found = {name: self._text(rule, key, source) for name, (key, source) in sources.items()}
        return {name: text for name, text in found.items() if text is not None}

    def key(self, rule: CompiledRule) -> Value | None:
        source = rule.action.key
        if not source:
            return None
        if source not in self._keys:
            self._keys[source] = None
            try:
                self._keys[source] = compile_value(source, self.where(rule, "key"))
            except ConfigError as error:
                self.errors += error.problems
        return self._keys[source]

    def _text(self, rule: CompiledRule, key: str, source: Mapping[str, str] | None) -> Text | None:
        if not source:
            return None
        known = tuple(source.items())
        if known not in self._texts:
            self._texts[known] = None
            try:
                self._texts[known] = compile_text(source, self.where(rule, key))
            except ConfigError as error:
                self.errors += error.problems
        return self._texts[known]

    def _template(self, rule: CompiledRule, name: str) -> Text | None:
        if name not in self._named:
            self._named[name] = None
            try:
                self._named[name] = load_template(self._templates, name, self.where(rule, "template"))
            except ConfigError as error:
                self.errors += error.problems
        return self._named[name]

    def where(self, rule: CompiledRule, key: str) -> str:
        """Where the rule, or the nearest one above it that writes the key, has it; else the rule's own line."""
        place = _find(self._loaded, rule, key) or Place(rule.line, 1)
        return f"{rule.file}:{place.line}:{place.column} {key}"


def _find(loaded: Loaded, rule: CompiledRule, key: str) -> Place | None:
    for file, content in loaded.rule_files:
        if file != rule.file:
            continue
        first, *rest = key.split(".", 2)
        path = _path_to(content.rules, rule.name, ("rules",), first)
        if path is not None:
            return loaded.place(file, (*path, *rest))[1]
    return None


def _path_to(rules: Sequence[Rule], name: str, above: tuple[str | int, ...], key: str) -> tuple[str | int, ...] | None:
    for number, rule in enumerate(rules):
        here = (*above, number)
        if rule.rule == name:
            return (*here, key) if key in rule.model_fields_set else None
        deeper = _path_to(rule.rules, name, (*here, "rules"), key)
        if deeper is not None:
            return deeper
        if any(child.rule == name for child in rule.rules) and key in rule.model_fields_set:
            return (*here, key)
    return None


def _digest(loaded: Loaded) -> str:
    """A name for exactly these rules, templates, producers of the operator and this configuration: stored with what
    was decided by them."""
    parts = [repr(loaded.config), *(f"{file}\0{content!r}" for file, content in loaded.rule_files)]
    found = hashlib.sha256("\0".join(parts).encode())
    for pattern in ("templates/*.j2", "producers/*.yaml"):
        for path in sorted(loaded.rules_folder.glob(pattern)):
            found.update(f"\0{path.name}\0".encode() + _bytes_of(path))
    return found.hexdigest()[:12]


def _bytes_of(path: Path) -> bytes:
    """What stands in a file; nothing when it cannot be read: where it is used, that was said."""
    try:
        return path.read_bytes()
    except OSError:
        return b""
