"""A text that is too long, made to fit: which words of it give way, and in which order.

From the piece that gives way first to the one that does so last, each: addresses, decimals and long units, turns of
speech, common words, then its tail. No more is changed than it takes. What is kept is cut only when a text of nothing
else would not fit, and the code last of all.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

from bridge.sms.cutting import cut
from bridge.sms.edits import Edit, edited
from bridge.sms.links import addresses
from bridge.sms.pieces import CODE, DETAIL, HOST, KEEP, Piece
from bridge.sms.quantities import coarse, measured
from bridge.sms.segment import segment
from bridge.sms.tables import Table
from bridge.sms.wording import phrases, words

_STEPS: tuple[Callable[[str, Table], Iterator[Edit]], ...] = (addresses, measured, coarse, phrases, words)
_MOST_IN_A_PART = 160  # characters: more of a field cannot fit, so it need not be tried
_HOPELESS = 8  # of a field so many times as long as the room, no rewording can save the end
_SHORTEST_DETAIL = 20  # characters: less of it only takes room
# Levels are spread, so that between two of them there is room for the parts of a field.
_SPREAD = 3
_TAIL_OF_FIELD, _STATE_OF_FIELD = 1, -1

Spell = Callable[[Sequence[str]], Sequence[str]]
Finish = Callable[[str], str]


@dataclass(frozen=True, slots=True)
class Room:
    """What a text must fit into. *spell* writes pieces in the letters they are sent in, *finish* makes it ready."""

    parts: int
    spell: Spell
    finish: Finish

    def holds(self, text: str) -> bool:
        """Whether *text*, ready to send, fits."""
        return len(segment(text).segments) <= self.parts

    def made(self, pieces: Sequence[Piece]) -> str:
        """The text of *pieces*, ready to send."""
        return self.finish("".join(self.spell([piece.text for piece in pieces])))

    def spelled(self, pieces: Sequence[Piece]) -> list[Piece]:
        """*pieces* in the letters they are sent in."""
        texts = self.spell([piece.text for piece in pieces])
        return [piece._replace(text=text) for piece, text in zip(pieces, texts, strict=True)]

    def widest(self, made: Callable[[int], str], most: int) -> int:
        """The greatest n of 0..*most* for which the text (ready to send) made with it fits; -1 when none does."""
        most = min(most, self.parts * _MOST_IN_A_PART)
        return bisect_left(range(most + 1), True, key=lambda n: not self.holds(made(n))) - 1


def shrunk(pieces: Sequence[Piece], room: Room, table: Table) -> str:
    """The text of *pieces*, which is too long, as it fits into *room*."""
    most = room.parts * _MOST_IN_A_PART * _HOPELESS
    pieces = [
        piece if piece.gives_way < 0 else Piece(cut(piece.text, most), piece.gives_way * _SPREAD) for piece in pieces
    ]
    for level in sorted({piece.gives_way for piece in pieces if piece.gives_way >= 0}, reverse=True):
        text, pieces = _reworded(pieces, level, room, table)
        if room.holds(text):
            return text
        if level:
            text = _cut_field(pieces, level, room, table)
            if room.holds(text):
                return text
            pieces = [piece for piece in pieces if piece.gives_way != level]
    return _cut_tail(room.spelled(pieces), room)


def _reworded(pieces: Sequence[Piece], level: int, room: Room, table: Table) -> tuple[str, Sequence[Piece]]:
    """The pieces of *level* said in fewer characters, step after step until the text fits or no step is left."""
    text = room.made(pieces)
    for step in _STEPS:
        found = [
            (n, edit)
            for n, piece in enumerate(pieces)
            if piece.gives_way == level
            for edit in step(piece.text, table)
            if edit.saved > 0
        ]
        if not found:
            continue
        done = _with_edits(pieces, found)
        text = room.made(done)
        if room.holds(text):
            return _fewest(pieces, found, room)
        pieces = done
    return text, pieces


def _fewest(pieces: Sequence[Piece], found: Sequence[tuple[int, Edit]], room: Room) -> tuple[str, Sequence[Piece]]:
    """As few of the edits as make the text fit, which all of them do: those that save most."""
    best = sorted(found, key=lambda one: -one[1].saved)
    enough = bisect_left(range(len(best)), True, key=lambda n: room.holds(room.made(_with_edits(pieces, best[:n]))))
    done = _with_edits(pieces, best[:enough])
    return room.made(done), done


def _with_edits(pieces: Sequence[Piece], found: Sequence[tuple[int, Edit]]) -> list[Piece]:
    of_piece: dict[int, list[Edit]] = {}
    for n, edit in found:
        of_piece.setdefault(n, []).append(edit)
    return [
        piece._replace(text=edited(piece.text, of_piece[n])) if n in of_piece else piece
        for n, piece in enumerate(pieces)
    ]


def _cut_field(pieces: Sequence[Piece], level: int, room: Room, table: Table) -> str:
    """The text with the pieces of *level* cut as little as it takes, or gone; the states they name stay longest."""
    split = room.spelled([part for piece in pieces for part in _split(piece, level, table)])
    text = ""
    for part in (level + _TAIL_OF_FIELD, level, level + _STATE_OF_FIELD):
        if any(piece.gives_way == part for piece in split):
            text, split = _narrowed(split, part, room)
            if room.holds(text):
                break
    return text


def _split(piece: Piece, level: int, table: Table) -> Iterator[Piece]:
    """A piece of *level* before its state, the state itself, and what follows; whole where it names none."""
    found = table.state.search(piece.text) if piece.gives_way == level else None
    if not found:
        yield piece
        return
    start = found.start() - piece.text[: found.start()].endswith(" ")
    yield Piece(piece.text[:start], level)
    yield Piece(piece.text[start : found.end()], level + _STATE_OF_FIELD)
    yield Piece(piece.text[found.end() :], level + _TAIL_OF_FIELD)


def _narrowed(pieces: list[Piece], level: int, room: Room) -> tuple[str, list[Piece]]:
    """The text with the pieces of *level* cut to one length, the greatest that fits; gone where none does."""

    def cut_to(most: int) -> list[Piece]:
        return [
            piece._replace(text=_shown(piece.text, most, level)) if piece.gives_way == level else piece
            for piece in pieces
        ]

    def made(most: int) -> str:
        return room.finish("".join(piece.text for piece in cut_to(most)))

    longest = max(len(piece.text) for piece in pieces if piece.gives_way == level)
    most = max(room.widest(made, longest), 0)
    return made(most), cut_to(most)


def _shown(text: str, most: int, level: int) -> str:
    """*text* in *most* characters; half a state (``not ..``) is none, and of a detail a few letters only take room."""
    if len(text) <= most:
        return text
    whole = (level - _STATE_OF_FIELD) % _SPREAD == 0
    return "" if whole or (level >= DETAIL * _SPREAD and most < _SHORTEST_DETAIL) else cut(text, most)


def _cut_tail(pieces: Sequence[Piece], room: Room) -> str:
    """The text (of pieces already spelled) cut at its end, around what is kept for as long as that can be.

    Where even what is kept does not fit, first what is only kept is dropped, then the host is cut, then the code.
    """
    pieces = list(_merged(_said_once(pieces)))
    most = sum(len(piece.text) for piece in pieces)
    for keep in (KEEP, HOST, CODE, CODE - 1):
        text = _around(pieces, keep, most, room)
        if text is not None:
            return text
    return ""


def _around(pieces: Sequence[Piece], keep: int, most: int, room: Room) -> str | None:
    """What is at *keep* and below, and as much as fits of what is one level above; None if even the former does not."""

    def made(most: int) -> str:
        return room.finish("".join(_texts(pieces, keep, most)))

    fitting = room.widest(made, most)
    return made(fitting) if fitting >= 0 else None


def _merged(pieces: Iterable[Piece]) -> Iterator[Piece]:
    """Neighbours that give way with the tail as one."""
    tail = ""
    for piece in pieces:
        if piece.gives_way >= 0:
            tail += piece.text
            continue
        yield from (Piece(tail),) if tail else ()
        yield piece
        tail = ""
    if tail:
        yield Piece(tail)


def _texts(pieces: Iterable[Piece], keep: int, most: int) -> Iterator[str]:
    """The texts of *pieces*: all at *keep* and below, of the level above *most* characters; nothing above that.

    Where something between two texts is gone, a blank parts them. What is kept is never cut inside, but for host and
    code: half a phone number is none.
    """
    last, gap = " ", False
    for piece in pieces:
        text, loose = piece.text, piece.gives_way > keep
        if piece.gives_way == keep + 1:
            left = most - len(text)
            text = text if left >= 0 else "" if keep + 1 == KEEP else cut(text, most)
            most = max(left, 0)
        elif loose:
            text = ""
        gap = gap or text != piece.text
        if text:
            if gap and not last.isspace() and (text[0].isalnum() or text[0] == "+"):
                yield " "
            gap, last = gap and loose, text[-1]
            yield text


def _said_once(pieces: Iterable[Piece]) -> Iterator[Piece]:
    """What is kept and stands there a second time (``12 … Reply 12 ok``) gives way with the tail."""
    seen: set[tuple[str, int]] = set()
    for piece in pieces:
        kept = piece.gives_way < 0
        yield Piece(piece.text) if kept and (piece.text, piece.gives_way) in seen else piece
        if kept:
            seen.add((piece.text, piece.gives_way))
