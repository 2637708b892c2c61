"""The two pure functions of this room: what a happening will touch, and what follows from it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime

from bridge.book import RuleBook
from bridge.dispatch import alone, calling, watching
from bridge.dispatch.alerted import alerted, needs_of
from bridge.dispatch.answered import answer_needs, answered
from bridge.dispatch.due import due_needs, fallen_due
from bridge.dispatch.ordered import order_needs, ordered
from bridge.dispatch.reported import ended, ended_needs, reported, reported_needs
from bridge.dispatch.troubled import trouble_needs, troubled
from bridge.memory import Known, Memory, Needs
from bridge.model import Call, Due, Failed, Happening, Order, Plan, Reading, Receipt, Reply, Started, Trouble
from bridge.oncall.absent import stand_ins

_NOTHING_KNOWN = Known()


def bound(
    book: RuleBook, now: datetime
) -> tuple[Callable[[Happening, Known], Needs], Callable[[Happening, Memory], Plan]]:
    """:func:`needs` and :func:`decide` by this book and at this moment, as the store calls them."""
    return (lambda happening, known: needs(happening, book, now, known)), (
        lambda happening, memory: decide(happening, book, memory, now)
    )


def needs(happening: Happening, book: RuleBook, now: datetime, known: Known = _NOTHING_KNOWN) -> Needs:
    """The rows that :func:`decide` may ask for; the caller locks and loads them.

    Who is meant depends on who took over a rota, on whose phone is off and on what is held: *known* is loaded before.
    """
    if known.stops:
        standing_in = stand_ins(book.people, known.overrides, known.stops.keys(), now)
        known = replace(known, overrides=(*known.overrides, *standing_in))
    match happening:
        case Reading():
            return needs_of(happening, book, now, known)
        case Due():
            return due_needs(happening, book, now, known)
        case Receipt():
            return reported_needs(happening, book, now)
        case Failed():
            return ended_needs(happening, book, now)
        case Reply():
            return answer_needs(happening) | alone.needs_of(book, {happening.phone}, now)
        case Call():
            heard = answer_needs(happening) | calling.called_needs(happening)
            return heard | alone.needs_of(book, {happening.phone}, now)
        case Trouble():
            return trouble_needs(happening, book, now, known)
        case Started():
            return watching.start_needs(book)
        case Order():
            return order_needs(happening)


def decide(happening: Happening, book: RuleBook, memory: Memory, now: datetime) -> Plan:
    """Everything that follows from one thing that happened: notes, messages, timers, mails.

    Pure: same arguments, same plan. *memory* holds what ``needs(happening, book, now)`` named; asking for more
    raises NotLoaded. The caller locks, loads, decides and writes in one transaction.
    """
    match happening:
        case Reading():
            return alerted(happening, book, memory, now)
        case Due():
            return fallen_due(happening, book, memory, now)
        case Receipt():
            return reported(happening, book, memory, now)
        case Failed():
            return ended(happening, book, memory, now)
        case Reply():
            return answered(happening, book, memory, now)
        case Call():
            return calling.called(happening, book, memory, now)
        case Trouble():
            return troubled(happening, book, memory, now)
        case Started():
            return watching.start(book, memory, now)
        case Order():
            return ordered(happening, book, memory, now)
