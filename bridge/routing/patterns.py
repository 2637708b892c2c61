"""Compiled patterns: what a field must be like (FORMAT §5).

A pattern looks at all values of a field. Its positive keys must fit one of them together, its ``not`` none of
them: ``attachment: {not: "*.exe"}`` means that no attachment is one.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import Decimal

from bridge.config.amounts import parse_size
from bridge.config.models.conditions import Pattern
from bridge.config.problem import Path
from bridge.model import SEVERITIES, STATES
from bridge.routing.globs import Glob, compile_glob, exactly
from bridge.routing.look import Values
from bridge.routing.regexes import NOTHING, Groups, compile_regex

ANYWHERE = frozenset({"subject", "title", "text", "detail"})  # and header.X: these need to hold it somewhere
WORDS: dict[str, tuple[str, ...]] = {"severity": SEVERITIES, "state": STATES}

Check = Callable[[str, str], Groups | None]  # a value as written and folded -> named groups, or None
Measure = Callable[[str], Decimal | None]

_NUMBER = re.compile(r"\s*([+-]?[0-9]{1,20}(?:[.,][0-9]{1,20})?)\s*%?\s*")  # ASCII digits only (T23)


@dataclass(frozen=True, slots=True)
class CompiledPattern:
    """A pattern ready to be compared.

    *exact* holds the folded texts of a pattern that is nothing but those. *demands* and *search* serve the index:
    of the globs at least one must fit (none: that is not known), the regex must be found.
    """

    shown: str
    exact: frozenset[str] | None
    checks: tuple[Check, ...]
    nots: tuple[CompiledPattern, ...]
    exists: bool | None
    demands: tuple[Glob, ...]
    search: str | None

    def fits(self, raw: Values, low: Values) -> Groups | None:
        """Named groups if the values fit, else None. ``exists`` is not asked here."""
        if self.exact is not None:
            return None if self.exact.isdisjoint(low) else NOTHING
        found = self._one_of(raw, low) if self.checks else NOTHING
        if found is None or any(banned.fits(raw, low) is not None for banned in self.nots):
            return None
        return found

    def _one_of(self, raw: Values, low: Values) -> Groups | None:
        for written, folded in zip(raw, low, strict=True):
            found = self._all_of(written, folded)
            if found is not None:
                return found
        return None

    def _all_of(self, written: str, folded: str) -> Groups | None:
        groups = NOTHING
        for check in self.checks:
            named = check(written, folded)
            if named is None:
                return None
            if named:
                groups = {**groups, **named}
        return groups


class WrongPattern(ValueError):
    """What is wrong in a pattern, and below which of its keys."""

    def __init__(self, path: Path, sentence: str) -> None:
        super().__init__(sentence)
        self.path = path


def compile_pattern(pattern: Pattern, field: str, path: Path = ()) -> CompiledPattern:
    """*pattern* for *field*. Raises WrongPattern; *path* leads to the pattern."""
    globs = tuple(compile_glob(glob, anywhere=is_anywhere(field)) for glob in pattern.globs)
    nots = (compile_pattern(pattern.not_, field, (*path, "not")),) if pattern.not_ else ()
    anys = tuple(compile_pattern(each, field, (*path, "any", place)) for place, each in enumerate(pattern.any_))
    checks = [*_texts(globs, pattern.is_), *_bounds(pattern, field, path)]
    if pattern.regex is not None:
        checks.append(_regex(pattern.regex, path))
    if anys:
        checks.append(_first_of(anys))
    plain = bool(globs) and len(checks) == 1 and not nots and pattern.exists is None
    whole = [glob.exact for glob in globs if glob.exact is not None]
    return CompiledPattern(
        _shown(pattern),
        frozenset(whole) if plain and len(whole) == len(globs) else None,
        tuple(checks),
        nots,
        pattern.exists,
        globs or tuple(exactly(text) for text in pattern.is_) or _demanded_by_all(anys),
        pattern.regex,
    )


def _demanded_by_all(patterns: tuple[CompiledPattern, ...]) -> tuple[Glob, ...]:
    """What one of *patterns* fitting means: one of all their demands; nothing if one of them demands nothing."""
    if not all(each.demands for each in patterns):
        return ()
    return tuple(glob for each in patterns for glob in each.demands)


def is_anywhere(field: str) -> bool:
    """Whether *field* needs to hold a plain text only somewhere."""
    return field in ANYWHERE or field.startswith("header.")


def wrong_words(pattern: Pattern, field: str) -> list[str]:
    """Plain words of *pattern* that *field* can never hold: ``severity: fatal``."""
    words = WORDS.get(field)
    if words is None:
        return []
    plain = [word for word in pattern.globs if not set(word) & set("*?") and word.casefold() not in words]
    inner = [*pattern.any_, *([pattern.not_] if pattern.not_ else [])]
    exact = [word for word in pattern.is_ if word not in words]
    return plain + exact + [word for each in inner for word in wrong_words(each, field)]


def _texts(globs: Sequence[Glob], allowed: tuple[str, ...]) -> list[Check]:
    checks: list[Check] = []
    if len(globs) == 1:
        fits = globs[0].fits
        checks.append(lambda _written, folded: NOTHING if fits(folded) else None)
    elif globs:
        tests = tuple(glob.fits for glob in globs)
        checks.append(lambda _written, folded: NOTHING if any(test(folded) for test in tests) else None)
    if allowed:
        words = frozenset(allowed)
        checks.append(lambda written, _folded: NOTHING if written in words else None)
    return checks


def _regex(pattern: str, path: Path) -> Check:
    try:
        search = compile_regex(pattern)
    except ValueError as error:
        raise WrongPattern((*path, "regex"), str(error)) from None
    return lambda written, _folded: search(written)


def _first_of(patterns: tuple[CompiledPattern, ...]) -> Check:
    def check(written: str, folded: str) -> Groups | None:
        found = (each.fits((written,), (folded,)) for each in patterns)
        return next((groups for groups in found if groups is not None), None)

    return check


def _bounds(pattern: Pattern, field: str, path: Path) -> list[Check]:
    measure, read = _scale(field)
    checks: list[Check] = []
    for key, text in (("above", pattern.above), ("below", pattern.below)):
        if text is None:
            continue
        try:
            checks.append(_bound(measure, read(text), above=key == "above"))
        except ValueError as error:
            raise WrongPattern((*path, key), str(error)) from None
    return checks


def _bound(measure: Measure, limit: Decimal, *, above: bool) -> Check:
    def check(written: str, _folded: str) -> Groups | None:
        value = measure(written)
        return NOTHING if value is not None and (value > limit if above else value < limit) else None

    return check


def _scale(field: str) -> tuple[Measure, Callable[[str], Decimal]]:
    """How values of *field* are measured, and how the limit in the pattern is read."""
    if field == "severity":
        return _severity, _severity_limit
    if field == "size":
        return _number, lambda text: Decimal(parse_size(text))
    return _number, _number_limit


def _severity(text: str) -> Decimal | None:
    folded = text.casefold()
    return Decimal(SEVERITIES.index(folded)) if folded in SEVERITIES else None


def _severity_limit(text: str) -> Decimal:
    rank = _severity(text)
    if rank is None:
        raise ValueError(f'"{text}" is no severity; write {" < ".join(SEVERITIES)}')
    return rank


def _number(text: str) -> Decimal | None:
    found = _NUMBER.fullmatch(text)
    return Decimal(found[1].replace(",", ".")) if found else None


def _number_limit(text: str) -> Decimal:
    number = _number(text)
    if number is None:
        raise ValueError(f'"{text[:40]}" is no number, like 90 or 0.5')
    return number


def _shown(pattern: Pattern) -> str:
    """The pattern as the trace names it: ``db* or pg*``, ``above warning and not high``."""
    parts = []
    if pattern.globs:
        parts.append(" or ".join(pattern.globs))
    if pattern.is_:
        parts.append("exactly " + " or ".join(pattern.is_))
    if pattern.regex is not None:
        parts.append(f"/{pattern.regex}/")
    if pattern.any_:
        parts.append(" or ".join(_shown(each) for each in pattern.any_))
    parts += [f"{word} {text}" for word, text in (("above", pattern.above), ("below", pattern.below)) if text]
    if pattern.not_:
        parts.append(f"not {_shown(pattern.not_)}")
    if pattern.exists is not None:
        parts.append("exists" if pattern.exists else "exists not")
    return " and ".join(parts)
