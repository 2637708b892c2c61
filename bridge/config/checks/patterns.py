"""Conditions and patterns: words that exist, windows and named conditions, regexes that RE2 can read."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from typing import get_args

import re2

from bridge.config.amounts import parse_size
from bridge.config.checks.people import circles, window_ref
from bridge.config.checks.whole import Whole, each
from bridge.config.models import Condition, Pattern
from bridge.config.problem import Path, Problem
from bridge.config.scalar import shown
from bridge.config.similar import did_you_mean
from bridge.model import SEVERITIES, STATES, Door

_WORDS: Mapping[str, tuple[str, ...]] = {"severity": SEVERITIES, "state": STATES, "door": get_args(Door)}
_ORDERED = frozenset({"severity", "size"})
_PATTERN_KEYS = (
    "source", "producer", "door", "identity", "from", "mail_from", "recipient", "host", "service", "severity",
    "state", "key", "subject", "title", "text", "detail", "attachment", "size",
)  # fmt: skip
_CYRILLIC = re.compile(r"[\u0400-\u052f]")
_ESCAPED = re.compile(r"\\.")


def condition(whole: Whole, one: Condition | None, path: Path, file: str) -> Iterator[Problem]:
    """Everything that is wrong in a condition and the conditions inside it."""
    if one is None:
        return
    for key, pattern in patterns(one):
        yield from _pattern(whole, key, pattern, (*path, key), file)
    for at, name in each((*path, "use"), one.use):
        yield from whole.unknown("conditions", name, at, "condition", file=file)
    yield from window_ref(whole, one.during, (*path, "during"), file=file)
    for key, some in (("any", one.any_), ("all", one.all_)):
        for at, inner in each((*path, key), some):
            yield from condition(whole, inner, at, file)
    yield from condition(whole, one.not_, (*path, "not"), file)


def patterns(one: Condition) -> Iterator[tuple[str, Pattern]]:
    """The patterns of a condition by the keys as written."""
    for key in _PATTERN_KEYS:
        pattern = getattr(one, "from_" if key == "from" else key)
        if pattern is not None:
            yield key, pattern
    yield from ((f"label.{name}", pattern) for name, pattern in one.labels.items())
    yield from ((f"header.{name}", pattern) for name, pattern in one.headers.items())


def _pattern(whole: Whole, key: str, one: Pattern, path: Path, file: str) -> Iterator[Problem]:
    if key in _WORDS:
        yield from _words(whole, key, one, path, file)
    if key == "source" and not one.regex:
        yield from _sources(whole, one, path, file)
    for side, value in (("above", one.above), ("below", one.below)):
        if value is not None and (mistake := _not_in_order(key, value)):
            yield whole.wrong((*path, side), mistake, file=file)
    if one.exists is not None and not key.startswith(("header.", "label.")):
        yield whole.wrong((*path, "exists"), "only headers and labels may be absent", file=file)
    if key == "size" and (one.globs or one.is_ or one.regex):
        yield whole.wrong(path, "above or below and a size, like {above: 1MB}", file=file)
    if one.regex is not None:
        yield from _regex(whole, one.regex, (*path, "regex"), file)
    if one.not_ is not None:
        yield from _pattern(whole, key, one.not_, (*path, "not"), file)
    for at, inner in each((*path, "any"), one.any_):
        yield from _pattern(whole, key, inner, at, file)


def _words(whole: Whole, key: str, one: Pattern, path: Path, file: str) -> Iterator[Problem]:
    """A word that this field never has: the rule would never fit."""
    for at, word in (*each(path, one.globs), *each((*path, "is"), one.is_)):
        if not re.search(r"[*?]", word) and word.lower() not in _WORDS[key]:
            words = _WORDS[key]
            sentence = f"{', '.join(words[:-1])} or {words[-1]}; found {shown(word)}{did_you_mean(word, words)}"
            yield whole.wrong(at, sentence, file=file)


def _sources(whole: Whole, one: Pattern, path: Path, file: str) -> Iterator[Problem]:
    known = whole.names("sources")
    for at, word in (*each(path, one.globs), *each((*path, "is"), one.is_)):
        if not re.search(r"[*?]", word) and word.lower() not in known:
            sentence = f"no source is called {shown(word)}{did_you_mean(word, known)} (a login or a peer may be)"
            yield whole.wrong(at, sentence, "warning", file=file)


def _not_in_order(key: str, value: str) -> str:
    if key == "severity":
        return "" if value.lower() in SEVERITIES else f"info, warning, high or critical; found {shown(value)}"
    if key == "size":
        try:
            parse_size(value)
        except ValueError as error:
            return str(error)
        return ""
    return "" if re.fullmatch(r"-?[0-9]+(\.[0-9]+)?", value) else f"a number; found {shown(value)}"


def regex_mistake(pattern: str) -> str:
    """Why RE2 cannot read *pattern*, "" when it can."""
    options = re2.Options()
    options.log_errors = False  # RE2 would write to standard error by itself
    try:
        re2.compile(pattern, options)
    except re2.error as error:
        return _why(pattern, str(error))
    return ""


def _why(pattern: str, error: str) -> str:
    if re.search(r"\(\?<[=!]", pattern):
        return f"{shown(pattern)} looks behind, which RE2 cannot; write what stands before as part of the text"
    if re.search(r"\(\?[=!]", pattern):
        return f"{shown(pattern)} looks ahead, which RE2 cannot; use not:, or two conditions"
    if re.search(r"\\[1-9]", pattern):
        return f"{shown(pattern)} refers back to a group, which RE2 cannot"
    return f"{shown(pattern)} is no regex ({_re2_words(error)})"


def _re2_words(error: str) -> str:
    """RE2's own words, without the pattern behind them: ``b'missing ): (a'`` → ``missing )``."""
    return error.removeprefix("b").strip("'\"").split(": ")[0]


def _regex(whole: Whole, pattern: str, path: Path, file: str) -> Iterator[Problem]:
    if mistake := regex_mistake(pattern):
        yield whole.wrong(path, mistake, file=file)
    elif doubt := doubts(pattern):
        yield whole.wrong(path, doubt, "warning", file=file)


def doubts(pattern: str) -> str:
    """A warning about a regex that is legal and probably means something else, "" when there is none: RE2's
    ``\\b \\w \\d`` know ASCII only."""
    if not _CYRILLIC.search(pattern):
        return ""
    escapes = set(_ESCAPED.findall(pattern))
    letters = sorted(escapes & {r"\b", r"\B", r"\w", r"\W"})
    if letters:
        see = "sees" if len(letters) == 1 else "see"
        return rf"{' and '.join(letters)} {see} only Latin letters; write \pL"
    return r"\d sees only the digits 0-9; write \pN for others" if r"\d" in escapes else ""


def check_conditions(whole: Whole) -> Iterator[Problem]:
    """Named conditions: what is in them, one name once, no circles."""
    links: dict[str, tuple[str, ...]] = {}
    first: dict[str, str] = {}
    for file, rules in whole.rule_files:
        for name, one in rules.conditions.items():
            path: Path = ("conditions", name)
            if name in first:
                yield whole.wrong_key(path, f"stands in {first[name]} too; keep one", file=file)
            first.setdefault(name, file)
            links[name] = tuple(_used(one))
            yield from condition(whole, one, path, file)
    for name, sentence in circles(links):
        yield whole.wrong_key(("conditions", name), sentence, file=first[name])


def _used(one: Condition) -> Iterator[str]:
    yield from one.use
    for inner in (*one.any_, *one.all_, *([one.not_] if one.not_ else [])):
        yield from _used(inner)


CHECKS: tuple[Callable[[Whole], Iterator[Problem]], ...] = (check_conditions,)
