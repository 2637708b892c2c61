"""Frames as pieces: what a rule sends when it has no text of its own, and what the bridge itself says by SMS."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from typing import Final
from zoneinfo import ZoneInfo

from bridge.render.marks import bare
from bridge.render.names import host_part
from bridge.render.variables import Variables
from bridge.sms.fit import Alphabet
from bridge.sms.pieces import CODE, HOST, KEEP, Piece
from bridge.sms.segment import segment
from bridge.sms.translit import translit
from bridge.words.catalogue import Words, words

# A value that depends on the words is a function of them: a severity, a span.
FrameValue = str | int | Callable[[Words], str]
_TITLE_GIVES_WAY: Final[Mapping[str, int]] = {"t": 1}
_KEPT: Final[Mapping[str, int]] = {"code": CODE, "h": HOST, "sev": KEEP, "over": KEEP, "phone": KEEP}


def frame_pieces(
    id: str,
    language: str,
    values: Mapping[str, FrameValue],
    shrinkable: Mapping[str, int] = _TITLE_GIVES_WAY,
    *,
    alphabet: Alphabet = "keep",
) -> tuple[Piece, ...]:
    """The frame *id* for a reader of *language*; KeyError for an id that no language has.

    *shrinkable* says which values give way and at which level; code, severity, host and the number to call are kept.
    ``translit`` takes the form in Latin letters where one was written by hand, ``cheaper`` takes it where that saves a
    segment.
    """
    own = _pieces(words(language), id, values, shrinkable)
    if alphabet == "keep":
        return own
    latin = _pieces(words(language, latin=True), id, values, shrinkable)
    if alphabet == "translit":
        return latin
    return latin if _segments(translit(_joined(latin), language)) < _segments(_joined(own)) else own


def event_pieces(
    variables: Variables, *, language: str, zone: ZoneInfo, now: datetime, alphabet: Alphabet = "keep"
) -> tuple[Piece, ...]:
    """What is sent of an event by a rule without text: ``alert``, ``alert.call`` or ``recovery``.

    The code, and how to answer, stand in it only where ``code`` is promised. *zone* is that of the reader.
    """
    event = variables.event
    since = variables.since
    values: dict[str, FrameValue] = {
        "code": variables.code,
        "sev": lambda said: said.severity(event.severity),
        "over": lambda said: said.over,
        "h": host_part(event.host),
        "t": event.title,
        "phone": variables.call_to_ack,
        "span": (lambda said: said.span(now - since)) if since else "",
        "at": (lambda said: said.clock(since, zone)) if since else "",
    }
    return frame_pieces(_frame_of(variables), language, values, alphabet=alphabet)


def _frame_of(variables: Variables) -> str:
    if variables.event.state == "recovery":
        return "recovery"
    return "alert.call" if variables.call_to_ack else "alert"


def _pieces(said: Words, id: str, values: Mapping[str, FrameValue], shrinkable: Mapping[str, int]) -> tuple[Piece, ...]:
    pattern = said.pattern(id)
    wanted = {name: _value(value, said) for name, value in values.items() if name in pattern.names}
    return tuple(_merged(pattern.filled(wanted), shrinkable))


def _value(value: FrameValue, said: Words) -> str | int:
    if callable(value):
        return value(said)
    return bare(value) if isinstance(value, str) else value


def _merged(filled: Iterator[tuple[str, str]], shrinkable: Mapping[str, int]) -> Iterator[Piece]:
    """Neighbours that neither give way nor are kept as one piece."""
    fixed = ""
    for text, name in filled:
        level = (shrinkable.get(name) or _KEPT.get(name, 0)) if name else 0
        if not level:
            fixed += text
            continue
        if fixed:
            yield Piece(fixed)
        if text:
            yield Piece(text, level)
        fixed = ""
    if fixed:
        yield Piece(fixed)


def _joined(pieces: tuple[Piece, ...]) -> str:
    return "".join(piece.text for piece in pieces)


def _segments(text: str) -> int:
    return len(segment(text).segments)
