"""The place in a text for a number to ring: who is offered one, and the text with and without it. Pure.

The number is asked from the provider right before a message leaves and lives a quarter of an hour. What a call means
is said in ``calling``.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

from bridge.book import RuleBook
from bridge.model import CallSlot, Channel, Message, Tally
from bridge.routing.rules import Action
from bridge.sms.segment import segment

LIVES = timedelta(minutes=15)  # of a number that was given out
MOST_AN_HOUR = 20  # numbers for one phone: each may cost
KEPT = timedelta(hours=1)  # how long it is known that one was given
_STALE = timedelta(minutes=5)  # a message that goes later than this after it got its number gets another
_LEAST = 7  # digits of something that can be rung
_LAST = 9  # digits in which two spellings of one number are equal


def place_in(text: str) -> str:
    """Twelve characters that stand for a number to ring and do not occur in *text*."""
    return next(place for place in (f"+0000000{n:04}" for n in range(10_000)) if place not in text)


def is_offered(book: RuleBook, action: Action, person: str, chain: tuple[str, ...], channel: Channel) -> bool:
    """Whether *person* ("" = a phone of nobody) is asked to ring: he may, and a gateway of the chain gives numbers."""
    asked = any(book.config.providers[name].confirm_by_call for name in chain if name in book.config.providers)
    return asked and channel != "call" and "call" in book.ack_ways(person, action)


def slot_in(text: str, place: str, without: str) -> CallSlot | None:
    """The slot of a fitted *text* in which *place* stands for the number; None where it does not stand there whole."""
    before, found, after = text.rpartition(place)
    return CallSlot(before, after, without) if found else None


def wants_number(message: Message, now: datetime) -> bool:
    """Whether a number must be asked for before *message* may go."""
    given = message.call.given_at if message.call is not None else now
    return given is None or now >= given + _STALE


def with_number(message: Message, number: str, now: datetime) -> Message:
    """*message* as it is sent, with *number* (E.164, or as people dial it); without its sentence where it is dearer."""
    slot = message.call
    if slot is None or not number:
        return without_number(message)
    text = f"{slot.before}{number}{slot.after}"
    found = segment(text)
    if len(found.segments) > message.segments:
        return without_number(message)
    return replace(message, text=text, encoding=found.encoding, call=replace(slot, given_at=now))


def without_number(message: Message) -> Message:
    """*message* as it is sent where no number can be had."""
    if message.call is None:
        return message
    found = segment(message.call.without)
    segments = min(len(found.segments), message.segments)
    price = None if message.price is None else message.price / message.segments * segments
    return replace(
        message, text=message.call.without, encoding=found.encoding, segments=segments, price=price, call=None
    )


def tally_of(phone: str, number: str = "") -> str:
    """Under which name the numbers given to *phone* are counted; with *number* this one, however it is written.

    What cannot be rung (a post's field may hold anything) is no number.
    """
    digits = "".join(letter for letter in number if letter in "0123456789")
    return f"ring/{phone}/{digits[-_LAST:]}" if len(digits) >= _LEAST else f"ring/{phone}"


def given(phone: str, number: str, now: datetime) -> tuple[Tally, Tally]:
    """What is remembered of a number that was given to *phone*."""
    return Tally(tally_of(phone), now, now + KEPT), Tally(tally_of(phone, number), now, now + KEPT)
