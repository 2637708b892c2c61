"""Whether two conditions can hold for one and the same event: only then it matters which rule stands first.

Said to be apart is only what surely is: fields with few values are tried out, plain texts with ``*`` and ``?`` are
compared letter by letter, everything else is taken to meet.
"""

from __future__ import annotations

from functools import lru_cache

from bridge.config.models.conditions import Condition, Pattern
from bridge.model import SEVERITIES, STATES
from bridge.routing.patterns import compile_pattern

_FEW = {"severity": SEVERITIES, "state": STATES}
_WHOLE = ("source", "producer", "door", "mail_from", "from_", "recipient", "host", "service", "key")


def are_apart(one: Condition | None, other: Condition | None) -> bool:
    """Whether no event can be like both."""
    if one is None or other is None:
        return False
    return any(_few_apart(name, words, one, other) for name, words in _FEW.items()) or any(
        _texts_apart(name, one, other) for name in _WHOLE
    )


def _few_apart(name: str, words: tuple[str, ...], one: Condition, other: Condition) -> bool:
    patterns = [pattern for each in (one, other) if (pattern := getattr(each, name)) is not None]
    if len(patterns) < 2:
        return False
    compiled = [compile_pattern(pattern, name) for pattern in patterns]
    return not any(all(each.fits((word,), (word,)) is not None for each in compiled) for word in words)


def _texts_apart(name: str, one: Condition, other: Condition) -> bool:
    firsts, seconds = _texts(name, getattr(one, name)), _texts(name, getattr(other, name))
    return bool(firsts and seconds) and not any(meet(a, b) for a in firsts for b in seconds)


def _texts(name: str, pattern: Pattern | None) -> tuple[str, ...]:
    """The globs one of which must fit; none where the pattern is of another kind. A host counts without its domain."""
    if pattern is None or not pattern.globs:
        return ()
    globs = tuple(glob.casefold() for glob in pattern.globs)
    return (*globs, *(glob.partition(".")[0] + "*" for glob in globs)) if name == "host" else globs


@lru_cache(maxsize=4096)
def meet(one: str, other: str) -> bool:
    """Whether some text fits both globs."""
    reached = {(0, 0)}
    seen: set[tuple[int, int]] = set()
    while reached:
        here = reached.pop()
        if here in seen:
            continue
        seen.add(here)
        i, j = here
        if i == len(one) and j == len(other):
            return True
        reached |= _further(one, other, i, j)
    return False


def _further(one: str, other: str, i: int, j: int) -> set[tuple[int, int]]:
    """The places in both globs that one more letter, or none, can lead to."""
    a, b = one[i : i + 1], other[j : j + 1]
    found: set[tuple[int, int]] = set()
    if a == "*":
        found |= {(i + 1, j)} | ({(i, j + 1)} if b else set())
    if b == "*":
        found |= {(i, j + 1)} | ({(i + 1, j)} if a else set())
    if a and b and "*" not in (a, b) and (a == b or "?" in (a, b)):
        found.add((i + 1, j + 1))
    return found
