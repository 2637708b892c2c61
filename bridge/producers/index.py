"""Which marks a mail can fit at all: found by its headers and its words in one pass, not by trying every pack."""

from __future__ import annotations

from collections.abc import Container, Iterator, Sequence
from operator import itemgetter

import re2

from bridge.producers.pack import Mark, Pack

_Ranked = tuple[int, Pack, Mark]
_rank = itemgetter(0)


class MarkIndex:
    """Marks of many packs by what is cheapest to see: the name of a header, else a word, else nothing."""

    def __init__(self, packs: Sequence[Pack]) -> None:
        self._by_header: dict[str, list[_Ranked]] = {}
        self._by_word: list[list[_Ranked]] = []  # in the order of the words
        self._others: list[_Ranked] = []
        by_word: dict[str, list[_Ranked]] = {}
        for rank, (pack, mark) in enumerate((each, mark) for each in packs for mark in each.marks):
            for place in self._places(mark, by_word):
                place.append((rank, pack, mark))
        self._words = re2.Set.SearchSet()
        for word, ranked in by_word.items():
            self._words.Add(re2.escape(word))
            self._by_word.append(ranked)
        if by_word:
            self._words.Compile()

    def of(self, headers: Container[str], haystack: str) -> Iterator[tuple[Pack, Mark]]:
        """Each mark that a mail with *headers* (lower-case names) and *haystack* (casefolded) can fit, by rank."""
        found = {each[0]: each for each in self._others}
        for name, ranked in self._by_header.items():
            if name in headers:
                found.update((each[0], each) for each in ranked)
        for place in (self._words.Match(haystack) if self._by_word else None) or ():
            found.update((each[0], each) for each in self._by_word[place])
        for _, pack, mark in sorted(found.values(), key=_rank):
            yield pack, mark

    def _places(self, mark: Mark, by_word: dict[str, list[_Ranked]]) -> Sequence[list[_Ranked]]:
        if mark.headers:
            return [self._by_header.setdefault(next(iter(mark.headers)), [])]
        if mark.words:
            return [by_word.setdefault(word, []) for word in dict.fromkeys(mark.words)]
        return [self._others]
