"""Common words of alerts, written as a colleague types them on a phone.

Names and states stay: what stands in quotes, what a table calls a state, and words that touch a digit, a dot, a slash
or a dash of an identifier.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from bridge.sms.edits import Edit
from bridge.sms.tables import Phrase, Phrases, Table

_word = re.compile(r"(?<![\w./\\@:=#$&+~-])[^\W\d_]+(?:['’-][^\W\d_]+)*(?![\w/\\@=]|[.:+-]\w)").finditer
_quoted = re.compile(r"\"[^\"\n]{1,200}\"|«[^»\n]{1,200}»|“[^”\n]{1,200}”|`[^`\n]{1,200}`").finditer
# A number that is not the head of an address, a date or a time.
_number = re.compile(r" ?(?=[-+]?[0-9]{1,15}(?:[.,][0-9]{1,15})?(?![0-9]|[.,:/-][0-9]))").match


def phrases(text: str, table: Table) -> Iterator[Edit]:
    """Turns of speech: ``is too high`` -> ``high``, ``more than 90`` -> ``>90``, ``базы данных`` -> ``БД``."""
    return _edits(text, table.phrases, table)


def words(text: str, table: Table) -> Iterator[Edit]:
    """Single words: ``utilization`` -> ``util``, ``использование`` -> ``исп.``."""
    return _edits(text, table.words, table)


def _edits(text: str, known: Phrases, table: Table) -> Iterator[Edit]:
    if not known:
        return
    spans = [found.span() for found in _word(text)]
    said = [text[start:end].casefold() for start, end in spans]
    fixed = [found.span() for found in (*_quoted(text), *table.state.finditer(text))]
    place = 0
    while place < len(spans):
        phrase = _found(text, spans, said, place, known)
        if phrase is None:
            place += 1
            continue
        start, end = spans[place][0], spans[place + len(phrase.words) - 1][1]
        place += len(phrase.words)
        edit = _edit(text, start, end, phrase)
        if not any(_takes_away(text[first:last], edit, first, last) for first, last in fixed):
            yield edit


def _takes_away(fixed: str, edit: Edit, start: int, end: int) -> bool:
    """Whether *edit* touches a name or a state, *fixed*, and does not say it whole: ``is down`` -> ``down`` does."""
    return start < edit.end and edit.start < end and fixed.casefold() not in edit.new.casefold()


def _found(text: str, spans: list[tuple[int, int]], said: list[str], place: int, known: Phrases) -> Phrase | None:
    """The longest phrase that begins at word *place*."""
    for phrase in known.get(said[place], ()):
        last = place + len(phrase.words)
        if tuple(said[place:last]) != phrase.words:
            continue
        if any(text[spans[n][1] : spans[n + 1][0]] != " " for n in range(place, last - 1)):
            continue
        if not phrase.compares or _number(text, spans[last - 1][1]):
            return phrase
    return None


def _edit(text: str, start: int, end: int, phrase: Phrase) -> Edit:
    short = _as_written(phrase.short, text[start:end])
    if (phrase.compares and not short[-1:].isalpha()) or not short:
        end += text[end : end + 1] == " "
    if short.endswith(".") and text[end : end + 1] == ".":
        short = short[:-1]
    return Edit(start, end, short)


def _as_written(short: str, was: str) -> str:
    """*short* in capitals where the words were, or with a capital at its head."""
    if was.isupper() and len(was) > 1:
        return short.upper()
    return short[:1].upper() + short[1:] if was[:1].isupper() else short
