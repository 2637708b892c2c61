"""RE2, and what to say about patterns that it cannot read.

RE2 is linear in the text: no pattern of an operator can hang the bridge (T19). It knows no lookaround and no back
references, and its ``\\b``, ``\\w`` and ``\\d`` see ASCII only.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

import re2

Groups = Mapping[str, str]
NOTHING: Groups = {}  # fits, and named nothing

_CANNOT = (
    ("(?<", "looks behind, which RE2 cannot; match what stands before too, and name the part: (?P<x>…)"),
    ("(?=", "looks ahead, which RE2 cannot; match what follows too, and name the part: (?P<x>…)"),
    ("(?!", "looks ahead, which RE2 cannot; match the rest, and say not: for what must not be there"),
    ("(?>", "has an atomic group, which RE2 neither has nor needs; write (?:…)"),
    ("(?(", "has a condition, which RE2 cannot; write two patterns under any:"),
    ("(?#", "has a comment, which RE2 cannot; put it behind # at the end of the line"),
    ("(?x", "has the flag x, which RE2 cannot; write the pattern without blanks"),
    ("(?P=", "refers back to a group, which RE2 cannot"),
)


def compile_regex(pattern: str) -> Callable[[str], Groups | None]:
    """A search for *pattern*: named groups of the first place that fits, ``NOTHING`` if it has none, None if not found.

    Raises ValueError with the sentence of the mistake.
    """
    options = re2.Options()
    options.log_errors = False  # absl would write to stderr
    options.never_capture = "(?P<" not in pattern and "(?<" not in pattern  # finding alone is much cheaper
    try:
        compiled = re2.compile(pattern, options)
    except re2.error as error:
        reason = error.args[0]
        raise ValueError(_mistake(pattern, reason.decode() if isinstance(reason, bytes) else str(reason))) from None
    names = tuple(compiled.groupindex.items())

    def search(text: str) -> Groups | None:
        found = compiled.search(text.encode())  # bytes: no offsets have to be counted back into characters
        if found is None:
            return None
        return {name: (found[number] or b"").decode() for name, number in names} if names else NOTHING

    return search


def _mistake(pattern: str, reason: str) -> str:
    quoted = f'"{pattern if len(pattern) <= 40 else pattern[:39] + "…"}"'
    for mark, sentence in _CANNOT:
        if reason.startswith("invalid perl operator") and mark in reason and mark in pattern:
            return f"{quoted} {sentence}"
    if re.match(r"invalid escape sequence: \\[1-9k]", reason):
        return f"{quoted} refers back to a group, which RE2 cannot"
    if reason == r"invalid escape sequence: \Z":
        return rf"{quoted}: \Z is \z in RE2"
    if reason.startswith(("pattern too large", "bad repetition", "invalid repetition size")):
        return f"{quoted} is too expensive for RE2 ({reason}); repeat at most 1000 times"
    return f"{quoted} is no pattern: {reason}"
