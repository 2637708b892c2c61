"""Whether one condition holds wherever others do: the reasoning behind "this rule is never asked".

Sound and not complete: "yes" is a proof, "no" only means that none was found. A condition is a list of clauses that
all hold; a clause follows if it stands there too, or if a clause about the same field is at least as narrow.
Severity, state and door have a handful of values, so about them everything is known.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from functools import lru_cache
from typing import get_args

import re2

from bridge.config.amounts import parse_size
from bridge.config.checks.patterns import patterns
from bridge.config.models import Condition, Pattern
from bridge.model import SEVERITIES, STATES, Door

DOMAINS: Mapping[str, tuple[str, ...]] = {"severity": SEVERITIES, "state": STATES, "door": get_args(Door)}
_ANYWHERE = frozenset({"subject", "title", "text", "detail"})
_MANY = frozenset({"host", "identity", "attachment"})  # fields of several values; header.X too
_DEEPEST = 4  # any inside any: proofs by cases beyond this are not tried
_RUN, _ONE = "\x01", "\x02"  # a star and a question mark of the narrower glob, as letters


@dataclass(frozen=True, slots=True)
class Clause:
    """One key of a condition. *field* "" is a combination (``any``, ``not``); *fields* are all it asks about."""

    field: str
    value: object  # Pattern, networks, window, tuple[Clauses, ...] of any, Clauses of not
    kind: str  # field, network, during, any, not
    fields: frozenset[str]
    shown: str  # the same text, the same clause


Clauses = tuple[Clause, ...]


def clauses_of(one: Condition | None, named: Mapping[str, Condition], depth: int = 0) -> Clauses:
    """*one* taken apart; ``use`` and ``all`` are what stands in them."""
    return () if one is None else tuple(_clauses(one, named, depth))


def _clauses(one: Condition, named: Mapping[str, Condition], depth: int) -> Iterator[Clause]:
    for field, pattern in patterns(one):
        yield Clause(field, pattern, "field", frozenset({field}), f"{field} {pattern!r}")
    if one.network:
        yield Clause("network", one.network, "network", frozenset(), f"network {one.network!r}")
    if one.during is not None:
        yield Clause("during", one.during, "during", frozenset(), f"during {one.during!r}")
    for part in one.all_:
        yield from _clauses(part, named, depth)
    for name in one.use:
        if name in named and depth < len(named):
            yield from _clauses(named[name], named, depth + 1)
        else:  # a name that nobody has, or a circle: said elsewhere
            yield Clause("", name, "unknown", frozenset(), f"use {name}")
    if one.any_:
        parts = tuple(clauses_of(part, named, depth) for part in one.any_)
        shown = "any " + " | ".join(sorted(_shown(part) for part in parts))
        yield Clause("", parts, "any", frozenset().union(*map(fields_of, parts)), shown)
    if one.not_ is not None:
        banned = clauses_of(one.not_, named, depth)
        yield Clause("", banned, "not", fields_of(banned), f"not {_shown(banned)}")


def _shown(clauses: Clauses) -> str:
    return " & ".join(sorted(each.shown for each in clauses))


def fields_of(clauses: Sequence[Clause]) -> frozenset[str]:
    """Everything that *clauses* ask about."""
    return frozenset().union(*(each.fields for each in clauses))


def follows(wanted: Sequence[Clause], known: Sequence[Clause], depth: int = 0) -> bool:
    """Whether all of *wanted* holds wherever all of *known* does."""
    if all(_follows(each, known) for each in wanted):
        return True
    for place, each in enumerate(known) if depth < _DEEPEST else ():
        if each.kind == "any" and isinstance(each.value, tuple):
            rest = [*known[:place], *known[place + 1 :]]
            return all(follows(wanted, [*rest, *part], depth + 1) for part in each.value)
    return False


def _follows(wanted: Clause, known: Sequence[Clause]) -> bool:
    if any(each.shown == wanted.shown for each in known):
        return True
    alike = [each for each in known if each.kind == wanted.kind and each.field == wanted.field]
    match wanted.kind, wanted.value:
        case "field", Pattern() as pattern:
            values = [each.value for each in alike if isinstance(each.value, Pattern)]
            return _always(wanted.field, pattern) or _field_follows(wanted.field, pattern, values)
        case "network", tuple() as networks:
            return any(_inside(each.value, networks) for each in alike)
        case "any", tuple() as parts:
            return any(follows(part, known, _DEEPEST) for part in parts)
        case "not", tuple() as part:
            return contradict([*known, *part], only=part)
    return False


def _inside(inner: object, outer: tuple[object, ...]) -> bool:
    networks = inner if isinstance(inner, tuple) else ()
    return all(
        any(one.version == other.version and one.subnet_of(other) for other in outer)  # type: ignore[attr-defined]
        for one in networks
    )


def contradict(known: Sequence[Clause], only: Sequence[Clause] = ()) -> bool:
    """Whether *known* can never hold together: a field of one value that two clauses want to be different.

    With *only*, one of the two must be among these.
    """
    fields = [each for each in known if each.kind == "field" and not _has_many(each.field)]
    for number, one in enumerate(fields):
        for other in fields[number if _has_limits(one) else number + 1 :]:  # itself: a severity above critical
            asked = not only or one in only or other in only
            if asked and other.field == one.field and _clash(one, other):
                return True
    return False


def _has_limits(one: Clause) -> bool:
    return isinstance(one.value, Pattern) and not (one.value.above is one.value.below is None)


def _clash(one: Clause, other: Clause) -> bool:
    if not isinstance(one.value, Pattern) or not isinstance(other.value, Pattern):
        return False
    return _apart(one.field, one.value, other.value)


def _apart(field: str, one: Pattern, other: Pattern) -> bool:
    if field in DOMAINS:
        return not any(fits(one, word, field) and fits(other, word, field) for word in DOMAINS[field])
    for narrow, wide in ((one, other), (other, one)):
        words = _words(field, narrow)
        if words is not None and _is_plain(wide) and not any(fits(wide, word, field) for word in words):
            return True
    return False


def _is_plain(pattern: Pattern) -> bool:
    """Whether only globs stand in it: then a value in lower case tells all."""
    inner = [*pattern.any_, *([pattern.not_] if pattern.not_ is not None else [])]
    return pattern.model_fields_set <= {"globs", "any_", "not_"} and all(map(_is_plain, inner))


def _has_many(field: str) -> bool:
    return field in _MANY or field.startswith("header.")


def _is_anywhere(field: str) -> bool:
    return field in _ANYWHERE or field.startswith("header.")


def _always(field: str, pattern: Pattern) -> bool:
    """Whether the pattern asks nothing: ``*`` of a field that is always there."""
    if field in DOMAINS:
        return all(fits(pattern, word, field) for word in DOMAINS[field])
    there = field != "attachment" and not field.startswith("header.")
    return there and pattern.model_fields_set == {"globs"} and "*" in pattern.globs


def _field_follows(field: str, wanted: Pattern, known: Sequence[Pattern]) -> bool:
    if field in DOMAINS:
        left = [word for word in DOMAINS[field] if all(fits(each, word, field) for each in known)]
        return all(fits(wanted, word, field) for word in left)
    return any(_pattern_follows(field, wanted, each) for each in known)


def _pattern_follows(field: str, wanted: Pattern, known: Pattern) -> bool:
    """Whether every value that is like *known* is like *wanted*; each key of *wanted* on its own."""
    if wanted.exists is not None and known.exists is not wanted.exists:
        return False
    if wanted.any_ and not any(_pattern_follows(field, each, known) for each in wanted.any_):
        return False
    if wanted.globs and not _narrower(field, wanted.globs, known):
        return False
    if wanted.is_ and not (known.is_ and set(known.is_) <= set(wanted.is_)):
        return False
    if wanted.regex is not None and known.regex != wanted.regex:
        return False
    if wanted.not_ is not None and not _avoids(field, wanted.not_, known):
        return False
    sides = ((wanted.above, known.above, 1), (wanted.below, known.below, -1))
    return all(limit is None or _beyond(field, own, limit, sign) for limit, own, sign in sides)


def _narrower(field: str, wide: Sequence[str], known: Pattern) -> bool:
    """Whether every text that *known* lets through fits one of the globs *wide*."""
    inside = _is_anywhere(field)
    if known.globs:
        return all(any(_contains(glob, each, inside, inside) for glob in wide) for each in known.globs)
    if known.is_:
        return all(any(_matches(glob, each, inside) for glob in wide) for each in known.is_)
    return bool(known.any_) and all(_narrower(field, wide, each) for each in known.any_)


def _avoids(field: str, banned: Pattern, known: Pattern) -> bool:
    """Whether what is like *known* is never like *banned*."""
    if known.not_ is not None and known.not_ == banned:
        return True
    words = None if _has_many(field) else _words(field, known)
    return words is not None and _is_plain(banned) and not any(fits(banned, word, field) for word in words)


def _beyond(field: str, own: str | None, limit: str, sign: int) -> bool:
    """Whether *own* is at least as strict a limit."""
    if own is None:
        return False
    try:
        measure = (lambda text: Decimal(parse_size(text))) if field == "size" else Decimal
        return measure(own) * sign >= measure(limit) * sign
    except (ValueError, InvalidOperation):
        return False


def _words(field: str, pattern: Pattern) -> tuple[str, ...] | None:
    """The only values that fit, in lower case; None when they are not so few."""
    if _is_anywhere(field):
        return None
    if pattern.globs and not any(set(glob) & set("*?") for glob in pattern.globs):
        return tuple(glob.casefold() for glob in pattern.globs)
    return tuple(text.casefold() for text in pattern.is_) or None


def fits(pattern: Pattern, word: str, field: str) -> bool:
    """Whether *word*, in lower case, is like *pattern*: one that is plain, or one of a field of ``DOMAINS``."""
    if pattern.globs and not any(_matches(glob, word, _is_anywhere(field)) for glob in pattern.globs):
        return False
    if pattern.is_ and word not in pattern.is_:
        return False
    if pattern.regex is not None and not _found(pattern.regex, word):
        return False
    if pattern.any_ and not any(fits(each, word, field) for each in pattern.any_):
        return False
    if pattern.not_ is not None and fits(pattern.not_, word, field):
        return False
    return _in_order(pattern, word, field)


def _in_order(pattern: Pattern, word: str, field: str) -> bool:
    if pattern.above is None and pattern.below is None:
        return True
    if field != "severity":
        return False  # a state is no number
    ranks: dict[str, int] = {each: place for place, each in enumerate(SEVERITIES)}
    above = pattern.above is None or ranks[word] > ranks.get(pattern.above.casefold(), -1)
    below = pattern.below is None or ranks[word] < ranks.get(pattern.below.casefold(), len(ranks))
    return above and below


def _found(regex: str, word: str) -> bool:
    options = re2.Options()
    options.log_errors = False
    try:
        return re2.compile(regex, options).search(word) is not None
    except re2.error:
        return True


@lru_cache(maxsize=4096)
def _compiled(glob: str, anywhere: bool) -> re.Pattern[str]:
    parts = [re.escape(piece).replace(r"\?", ".") for piece in glob.casefold().split("*")]
    pattern = ".*".join(parts)
    return re.compile(f".*{pattern}.*" if anywhere else pattern, re.S)


def _matches(glob: str, word: str, anywhere: bool) -> bool:
    return _compiled(glob, anywhere).fullmatch(word.casefold()) is not None


def _contains(wide: str, narrow: str, wide_anywhere: bool, narrow_anywhere: bool) -> bool:
    """Whether whatever fits the glob *narrow* fits *wide*: its stars and question marks are letters that only stars
    (and question marks) of *wide* take. Pieces of *wide* are found from the left, as a glob is matched."""
    text = narrow.casefold().replace("*", _RUN).replace("?", _ONE)
    text = f"{_RUN}{text}{_RUN}" if narrow_anywhere else text
    pieces = (f"*{wide}*" if wide_anywhere else wide).casefold().split("*")
    if len(pieces) == 1:
        return len(text) == len(pieces[0]) and _at(text, 0, pieces[0])
    first, last = pieces[0], pieces[-1]
    end = len(text) - len(last)
    if end < len(first) or not _at(text, 0, first) or not _at(text, end, last):
        return False
    place = len(first)
    for piece in pieces[1:-1]:
        found = next((at for at in range(place, end - len(piece) + 1) if _at(text, at, piece)), None)
        if found is None:
            return False
        place = found + len(piece)
    return True


def _at(text: str, place: int, piece: str) -> bool:
    """Whether *piece* (letters and question marks) takes the letters of *text* from *place* on."""
    return all(
        letter != _RUN and (letter == wanted or wanted == "?")
        for letter, wanted in zip(text[place : place + len(piece)], piece, strict=True)
    )
