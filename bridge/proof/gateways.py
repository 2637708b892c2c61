"""The gateways of a rule test: they take everything, unless a test says otherwise (step ``provider``, ``balance``).

What ``run`` finds out by trying and asking is known here at once: an account without money, a door that is down.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Literal

from bridge.model import Message, Trouble
from bridge.proof.given import Balances

Mood = Literal["accepts", "refuses", "unknown", "down", "empty"]
_OUT: Mapping[Mood, str] = {"down": "it cannot be reached", "empty": "the account is empty"}


@dataclass(frozen=True, slots=True)
class Ended:
    """How a message's way through its chain ended. *via* "" = no gateway had it.

    ``waiting``: none of them can take it now. ``refused``: all that could be asked refused it for good.
    """

    how: Literal["accepted", "unknown", "refused", "waiting"]
    via: str = ""


@dataclass(slots=True)
class PretendGateways:
    """Moods by provider; one that is not named accepts."""

    balances: Balances = field(default_factory=Balances)
    moods: dict[str, Mood] = field(default_factory=dict)
    _told: set[str] = field(default_factory=set)  # whose trouble the operator was told of

    def turn(self, moods: Mapping[str, Mood], everyone: tuple[str, ...]) -> list[Trouble]:
        """From now on they are like this; the trouble that is found at once (the next question for the balance)."""
        self.moods |= moods
        self._told -= {name for name in moods if moods[name] not in _OUT}
        empty = [name for name, mood in moods.items() if mood == "empty"]
        return [trouble for name in empty for trouble in self._trouble(name, "account.money", everyone)]

    def take(self, message: Message, everyone: tuple[str, ...]) -> tuple[Ended, list[Trouble]]:
        """Hand *message* to the first of its chain that can take it; the trouble that was met on the way."""
        troubles: list[Trouble] = []
        refused = 0
        for name in message.providers:
            mood = self.moods.get(name, "accepts")
            if mood == "refuses":
                refused += 1
            elif mood == "down":
                troubles += self._trouble(name, "gateway", everyone)
            elif mood == "empty" or not self.balances.pays(name, message):
                troubles += self._trouble(name, "account.money", everyone)
            else:
                return Ended("unknown" if mood == "unknown" else "accepted", name), troubles
        return Ended("refused" if refused and refused == len(message.providers) else "waiting"), troubles

    def _trouble(
        self, name: str, kind: Literal["account.money", "gateway"], everyone: tuple[str, ...]
    ) -> Iterator[Trouble]:
        """Once for each time that it begins."""
        if name in self._told:
            return
        self._told.add(name)
        well = tuple(other for other in everyone if other != name and self.moods.get(other) not in _OUT)
        why = _OUT["down" if kind == "gateway" else "empty"]
        yield Trouble(kind, name, why if well else f"{why}; no other gateway can take SMS now", well)
