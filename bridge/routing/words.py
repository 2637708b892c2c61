"""Many words and regexes against one text at once: which of them may be in it.

RE2's filter knows for each regex the words it cannot do without and looks for all words of all of them in one pass,
whatever their number; one without such words always "may be". It compares words without case, so it is never too
narrow. To be sure that it has worked at all (its automaton gives up silently when memory runs out) each
filter looks for one word more, which we put behind the text: if that is not found, everything may be.
"""

from __future__ import annotations

from collections.abc import Sequence

import re2

LEAST_WORD = 3  # letters; RE2 ignores shorter words
_SHARD = 1000  # patterns in one automaton; halved where they do not fit into its memory
_PROOF = "\x00\x02proof-of-work\x03"


class WordFilter:
    """Patterns, each with a number."""

    __slots__ = ("_shards",)

    def __init__(self, patterns: Sequence[tuple[str, int]]) -> None:
        """*patterns* are RE2's syntax; they are known to compile."""
        self._shards: list[tuple[re2.Filter | None, tuple[int, ...]]] = []
        for start in range(0, len(patterns), _SHARD):
            self._add(patterns[start : start + _SHARD])

    def hits(self, text: str) -> list[Sequence[int]]:
        """Numbers of the patterns that may be found in *text*."""
        content = (text + _PROOF).encode()
        return [self._asked(scan, numbers, content) for scan, numbers in self._shards]

    @staticmethod
    def _asked(scan: re2.Filter | None, numbers: tuple[int, ...], content: bytes) -> Sequence[int]:
        found = scan.Match(content, True) if scan is not None else None
        if not found or found[-1] != len(numbers):
            return numbers
        return [numbers[place] for place in found[:-1]]

    def _add(self, patterns: Sequence[tuple[str, int]]) -> None:
        scan = _compiled([pattern for pattern, _number in patterns])
        if scan is None and len(patterns) > 1:
            middle = len(patterns) // 2
            self._add(patterns[:middle])
            self._add(patterns[middle:])
        else:
            self._shards.append((scan, tuple(number for _pattern, number in patterns)))


def literally(word: str) -> str:
    """A pattern for *word* itself."""
    return str(re2.escape(word))


def _compiled(patterns: Sequence[str]) -> re2.Filter | None:
    """A filter for *patterns* and the proof behind them; None if they are too many or too big for one."""
    scan, options = re2.Filter(), re2.Options()
    options.log_errors = False
    try:
        for pattern in (*patterns, literally(_PROOF)):
            scan.Add(pattern, options)
        scan.Compile()
    except re2.error:
        return None
    return scan
