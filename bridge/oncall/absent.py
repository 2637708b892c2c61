"""Whose phone is off: somebody on call who said STOP is an outage, so the next of the rota stands in (design §8)."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta

from bridge.model import Override
from bridge.oncall.people import People
from bridge.oncall.rotas import overriding

_A_DAY = timedelta(days=1)


def stand_ins(
    people: People, overrides: Sequence[Override], phones: Collection[str], now: datetime
) -> tuple[Override, ...]:
    """Who has a rota at *now* in place of a person with one of *phones*, as overrides that end with the turn.

    They go behind *overrides*, over which they hold. A rota in which nobody else can be reached has none.
    """
    if not phones:
        return ()
    found = (_stand_in(people, rota, overrides, phones, now) for rota in people.rotas)
    return tuple(each for each in found if each is not None)


def _stand_in(
    people: People, rota: str, overrides: Sequence[Override], phones: Collection[str], now: datetime
) -> Override | None:
    rotas = people.rotas
    person = rotas.who(rota, now, overrides)
    if person is None or people.phone(person) not in phones:
        return None
    following = (overriding(rota, turn.begin, overrides) or turn.person for turn in rotas.turns(rota, now))
    other = next((each for each in following if people.phone(each) not in (*phones, "")), None)
    if other is None:
        return None
    return Override(rota, other, now, rotas.until(rota, now, overrides) or now + _A_DAY)
