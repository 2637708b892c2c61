"""The choices of one claim: which door takes a message now, or what it has to wait for. Called inside the claim."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from bridge.delivery.gateways import Gateways
from bridge.dispatch import ringing
from bridge.model import Message
from bridge.store import given, pacing
from bridge.store.attempts import Attempt, NumberFirst, Prepared, Wait
from bridge.store.engine import Tx

ASKING = timedelta(seconds=20)  # how long a message is kept for whoever asks for its number


class Choosing:
    """*taken* are the doors whose places are occupied, *asking* the messages that need a number first.

    *owner* is whose claim it is.
    """

    def __init__(self, gateways: Gateways, tx: Tx, now: datetime, owner: str) -> None:
        self.taken: list[str] = []
        self.asking: list[Message] = []
        self._gateways = gateways
        self._tx = tx
        self._now = now
        self._pace = gateways.pace(tx, now, owner)
        self._some_unsubscribed = given.is_anybody_unsubscribed(tx)
        # to whom what was given in this very claim
        self._given: dict[tuple[str, str, str, int], dict[str, datetime]] = {}

    def __call__(
        self, message: Message, attempts: Sequence[Attempt], twins: Mapping[str, datetime]
    ) -> Prepared | Wait | NumberFirst:
        same = self._given.setdefault((message.phone, message.text, message.originator, message.way), {})
        if self._some_unsubscribed:
            message = replace(message, unsubscribed=given.unsubscribed(self._tx, message.phone))
        choice = self._gateways.choose(message, attempts, {**twins, **same}, self._pace)
        if isinstance(choice, Wait):
            return choice
        if ringing.wants_number(message, self._now):
            self._gateways.give_back(choice.provider)
            self.asking.append(message)
            return NumberFirst(self._now + ASKING)
        self.taken.append(choice.provider)
        self._pace.begin(choice.account)
        same[choice.account] = self._now
        return choice


def why_not(gateways: Gateways, tx: Tx, message: Message, now: datetime, owner: str) -> str:
    """What keeps every door of *message* from taking it now, in words; "" where it is none of the limits."""
    doors = [gateways.doors[name] for name in message.providers if name in gateways]
    (twins,) = pacing.twins(tx, [message], now)
    if doors and all(door.account.name in twins for door in doors):
        return "the same text went to this phone less than a minute ago"
    pace = gateways.pace(tx, now, owner)
    begin = min((pace.free_at(door.account.name) for door in doors), default=now)
    if begin > now:
        return f"its rate is used up until {begin:%Y-%m-%d %H:%M:%S} UTC"
    if doors and all(gateways.room(door.gateway.name, pace) <= 0 for door in doors):
        return "as many requests are open as the account allows"
    return ""
