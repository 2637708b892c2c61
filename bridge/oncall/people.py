"""Phrases of ``to`` as phones: who would get a message at this very moment."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from bridge.config.models.people import Person, Team
from bridge.config.names import Who
from bridge.model import Override
from bridge.oncall.rotas import Rotas


@dataclass(frozen=True, slots=True)
class Target:
    """A phone, and the person it belongs to ("" = nobody we know)."""

    person: str
    phone: str


@dataclass(frozen=True, slots=True)
class Resolved:
    """Whom the phrases mean now, each phone once, in the order of the phrases.

    *reasons* are those of FORMAT §13 (``nobody on call in dba``). *operator* is true if some phrase reached nobody:
    then the operator must hear of it, loudly. *otherwise* are the rotas with nobody on call, and whom they name then.
    """

    targets: tuple[Target, ...]
    reasons: tuple[str, ...] = ()
    operator: bool = False
    otherwise: tuple[tuple[str, tuple[str, ...]], ...] = ()  # rota, people (keys, or phones of nobody)


class People:
    """The people, teams and rotas of one configuration."""

    def __init__(self, people: Mapping[str, Person], teams: Mapping[str, Team], rotas: Rotas) -> None:
        self._people = people
        self._teams = teams
        self.rotas = rotas
        self._owners: dict[str, str] = {person.phone: name for name, person in reversed(list(people.items()))}

    def owner(self, phone: str) -> str:
        """The person with this phone, "" for a phone of nobody; of several the first as written."""
        return self._owners.get(phone, "")

    def phone(self, person: str) -> str:
        """The phone of a person (key), "" for nobody we know."""
        return self._people[person].phone if person in self._people else ""

    def resolve(
        self,
        phrases: Sequence[Who],
        now: datetime,
        *,
        given: Sequence[str] = (),
        overrides: Sequence[Override] = (),
    ) -> Resolved:
        """Whom *phrases* mean at *now*. *given* are the phones that ``recipient`` stands for.

        A rota with a hole and without ``otherwise``, and a name that is gone since a reload, fall to the team of
        that name, then to the operator.
        """
        search = _Search(self, now, tuple(given), tuple(overrides))
        found: dict[str, Target] = {}
        for target in (each for phrase in phrases for each in search.mean(phrase)):
            found.setdefault(target.phone, target)
        otherwise = tuple(search.otherwise.items())
        return Resolved(tuple(found.values()), tuple(dict.fromkeys(search.reasons)), search.operator, otherwise)

    def members(self, team: str, above: tuple[str, ...] = ()) -> Iterator[str]:
        """The people of a team and of the teams in it."""
        for name in self._teams[team].members:
            if name in self._people:
                yield name
            elif name in self._teams and name not in above:
                yield from self.members(name, (*above, team))

    def named(self, name: str) -> tuple[Target, ...] | None:
        """A person, or everyone in a team; None for a name that nobody has."""
        if name in self._people:
            return (Target(name, self._people[name].phone),)
        if name in self._teams:
            return tuple(Target(person, self._people[person].phone) for person in self.members(name))
        return None


@dataclass(slots=True)
class _Search:
    """One resolution; collects what went wrong on the way."""

    people: People
    now: datetime
    given: tuple[str, ...]
    overrides: tuple[Override, ...]
    reasons: list[str] = field(default_factory=list)
    operator: bool = False
    otherwise: dict[str, tuple[str, ...]] = field(default_factory=dict)

    def mean(self, phrase: Who, above: tuple[str, ...] = ()) -> tuple[Target, ...]:
        match phrase.kind:
            case "nobody":
                return ()
            case "recipient":
                return tuple(self._phone(phone) for phone in self.given)
            case "phone":
                return (self._phone(phrase.name),)
            case "name":
                return self._named(phrase.name)
            case "on-call" | "next":
                return self._on_call(phrase, above)

    def _phone(self, phone: str) -> Target:
        return Target(self.people.owner(phone), phone)

    def _named(self, name: str) -> tuple[Target, ...]:
        found = self.people.named(name)
        if not found:
            self.operator = True
        return found or ()

    def _on_call(self, phrase: Who, above: tuple[str, ...]) -> tuple[Target, ...]:
        rotas, rota = self.people.rotas, phrase.name
        if rota not in rotas or rota in above:
            return self._hole(rota)
        asked = rotas.who if phrase.kind == "on-call" else rotas.next
        person = asked(rota, self.now, self.overrides)
        if person is not None and (found := self.people.named(person)):
            return found
        otherwise = rotas.rota(rota).otherwise
        if person is None and otherwise:
            reached = tuple(target for each in otherwise for target in self.mean(each, (*above, rota)))
            self.otherwise[rota] = tuple(dict.fromkeys(target.person or target.phone for target in reached))
            return reached
        return self._hole(rota)

    def _hole(self, rota: str) -> tuple[Target, ...]:
        self.reasons.append(f"nobody on call in {rota}")
        return self._named(rota)
