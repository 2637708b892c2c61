"""The single demands a condition is made of. Each says whether it holds, and in words why (not)."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol
from zoneinfo import ZoneInfo

from bridge.config.names import Network
from bridge.routing.look import Address, Look, Values, network_address
from bridge.routing.patterns import CompiledPattern
from bridge.routing.regexes import NOTHING, Groups

LONGEST_SHOWN = 40  # characters of a value in a trace
BY_ENVELOPE = frozenset({"recipient", "source", "identity", "network", "door", "mail_from"})  # FORMAT §8


class Clause(Protocol):
    """One demand. *address* is the recipient it is asked for; most do not care."""

    @property
    def asks_recipient(self) -> bool:
        """Whether the answer may differ from recipient to recipient."""

    @property
    def by_envelope(self) -> bool:
        """Whether the envelope alone decides it."""

    def fits(self, look: Look, address: Address) -> Groups | None:
        """Named groups if it holds, else None."""

    def told(self, look: Look, address: Address, holds: bool | None = None) -> str:
        """In words, whether it holds: ``host web1 does not fit db*``. *holds* is the answer where it is known."""


@dataclass(frozen=True, slots=True)
class FieldClause:
    """A field must be like a pattern."""

    field: str
    pattern: CompiledPattern

    @property
    def asks_recipient(self) -> bool:
        return self.field == "recipient"

    @property
    def by_envelope(self) -> bool:
        return self.field in BY_ENVELOPE

    def fits(self, look: Look, address: Address) -> Groups | None:
        field, pattern = self.field, self.pattern
        if field == "recipient":
            return pattern.fits(address.raw, address.low)
        if pattern.exact is not None:  # the most common clause, without a further call
            return None if pattern.exact.isdisjoint(look.low[field]) else NOTHING
        if pattern.exists is not None and pattern.exists != look.has(field):
            return None
        return pattern.fits(look.raw[field], look.low[field])

    def told(self, look: Look, address: Address, holds: bool | None = None) -> str:
        values = address.raw if self.asks_recipient else look.raw[self.field]
        return _told(self.field, values, self.pattern.shown, _known(self, look, address, holds))


@dataclass(frozen=True, slots=True)
class NetworkClause:
    """The peer must be in one of the networks."""

    networks: tuple[Network, ...]
    asks_recipient: bool = False
    by_envelope: bool = True

    def fits(self, look: Look, address: Address) -> Groups | None:
        peer = network_address(look.facts.peer)
        return NOTHING if peer is not None and any(peer in network for network in self.networks) else None

    def told(self, look: Look, address: Address, holds: bool | None = None) -> str:
        shown = " or ".join(map(str, self.networks))
        return _told("network", (look.facts.peer,), shown, _known(self, look, address, holds))


@dataclass(frozen=True, slots=True)
class DuringClause:
    """The clock of arrival must be in the window."""

    inside: Callable[[datetime], bool]
    shown: str
    zone: ZoneInfo  # in which the trace shows the clock
    asks_recipient: bool = False
    by_envelope: bool = False

    def fits(self, look: Look, address: Address) -> Groups | None:
        return NOTHING if look.at is not None and self.inside(look.at) else None

    def told(self, look: Look, address: Address, holds: bool | None = None) -> str:
        at = f"{look.at.astimezone(self.zone):%a %H:%M}" if look.at else ""
        return _told("during", (at,), self.shown, _known(self, look, address, holds))


@dataclass(frozen=True, slots=True)
class AllClause:
    """Several clauses under one name: ``use: lab``, ``all[1]``. All must hold."""

    name: str
    clauses: tuple[Clause, ...]

    @property
    def asks_recipient(self) -> bool:
        return any(clause.asks_recipient for clause in self.clauses)

    @property
    def by_envelope(self) -> bool:
        return all(clause.by_envelope for clause in self.clauses)

    def fits(self, look: Look, address: Address) -> Groups | None:
        return all_fit(self.clauses, look, address)

    def told(self, look: Look, address: Address, holds: bool | None = None) -> str:
        for clause in self.clauses:
            if clause.fits(look, address) is None:
                told = clause.told(look, address, holds=False)
                return f"{self.name}: {told}" if self.name else told
        told = " and ".join(clause.told(look, address) for clause in self.clauses) or "asks nothing"
        return f"{self.name}: {told}" if self.name else told


@dataclass(frozen=True, slots=True)
class AnyClause:
    """One of several must hold; the groups are those of the first that does."""

    parts: tuple[AllClause, ...]

    @property
    def asks_recipient(self) -> bool:
        return any(part.asks_recipient for part in self.parts)

    @property
    def by_envelope(self) -> bool:
        return all(part.by_envelope for part in self.parts)

    def fits(self, look: Look, address: Address) -> Groups | None:
        found = (part.fits(look, address) for part in self.parts)
        return next((groups for groups in found if groups is not None), None)

    def told(self, look: Look, address: Address, holds: bool | None = None) -> str:
        for part in self.parts:
            if part.fits(look, address) is not None:
                return f"any: {part.told(look, address)}"
        return "any: " + ", ".join(part.told(look, address) for part in self.parts)


@dataclass(frozen=True, slots=True)
class NotClause:
    """A condition must not hold. Nothing that is not there has groups."""

    part: AllClause

    @property
    def asks_recipient(self) -> bool:
        return self.part.asks_recipient

    @property
    def by_envelope(self) -> bool:
        return self.part.by_envelope

    def fits(self, look: Look, address: Address) -> Groups | None:
        return NOTHING if self.part.fits(look, address) is None else None

    def told(self, look: Look, address: Address, holds: bool | None = None) -> str:
        return f"not: {self.part.told(look, address)}"


def all_fit(clauses: Iterable[Clause], look: Look, address: Address) -> Groups | None:
    """Named groups of all *clauses* together if all hold, else None."""
    groups = NOTHING
    for clause in clauses:
        named = clause.fits(look, address)
        if named is None:
            return None
        if named:
            groups = {**groups, **named}
    return groups


def _known(clause: Clause, look: Look, address: Address, holds: bool | None) -> bool:
    """Whether *clause* holds; asked once more only where nobody knows, because a regex may be dear."""
    return clause.fits(look, address) is not None if holds is None else holds


def _told(field: str, values: Values, shown: str, fits: bool) -> str:
    value = " or ".join(values).replace("\n", " ") or '""'
    short = value if len(value) <= LONGEST_SHOWN else value[: LONGEST_SHOWN - 1] + "…"
    return f"{field} {short} {'fits' if fits else 'does not fit'} {shown}"
