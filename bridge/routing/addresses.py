"""The door's addresses: which recipients some rule could take, decided by the envelope alone (FORMAT §8).

The answer depends on who asks. An address that exists for somebody else is refused with the same words as one that
does not exist, so nobody learns what other customers have (T39).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

from bridge.config.models.root import Config
from bridge.config.models.rules import Numbers
from bridge.routing.clauses import AllClause, Clause, FieldClause
from bridge.routing.conditions import envelope_clauses
from bridge.routing.facts import Facts
from bridge.routing.index import Index
from bridge.routing.look import Address, Look, address_of, look_at_envelope
from bridge.routing.numbers import Destinations, country_code, forbidden, read_number
from bridge.routing.rulebook import Rules
from bridge.routing.rules import CompiledRule, RuleList
from bridge.routing.sources import COLON_MAIL, SourceRef, Sources, shown

ALWAYS_OPEN = ("postmaster", "abuse")
_LIKE_A_NUMBER = frozenset("+0123456789")


@dataclass(frozen=True, slots=True)
class Opening:
    """A rule that acts, and what the envelope must be like on its path. *numbers*: it takes only phone numbers."""

    rule: str
    clauses: tuple[Clause, ...]
    numbers: Numbers | None

    def fits(self, look: Look, address: Address) -> bool:
        """Whether the rule could take *address* as far as its conditions go."""
        return all(clause.fits(look, address) is not None for clause in self.clauses)


class Addresses:
    """What the door accepts."""

    def __init__(
        self, rules: Rules, config: Config, sources: Sources, *, is_ours: Callable[[str], bool] = lambda _address: False
    ) -> None:
        """*is_ours* tells a signed address of a mail answer."""
        self._openings = tuple(_openings(rules.top, ()))
        self._index = Index([opening.clauses for opening in self._openings])
        self._domains = config.domains
        self._sources = sources
        self._is_ours = is_ours
        self._region = config.region
        self._destinations = Destinations(config.destinations, config.region)
        self._people = frozenset(person.phone for person in config.people.values())

    def refusal(self, facts: Facts, address: str) -> str | None:
        """The whole SMTP reply line that refuses *address* to whoever asks, None if it is accepted."""
        local, _at, domain = address.rpartition("@")
        if not local and domain.casefold() in ALWAYS_OPEN:  # RFC 5321 §4.5.1: without a domain too
            return None
        if domain.casefold() not in self._domains or not local:
            return _unknown(address)
        if local.casefold() in ALWAYS_OPEN or self._is_ours(address):
            return None
        source = self._sources.of(facts)
        look = look_at_envelope(source.name, replace(facts, door=self._sources.door_of(facts, address)))
        return self._by_rules(self._open(look, address_of(address)), source, address)

    def _open(self, look: Look, address: Address) -> list[Opening]:
        """The rules that could take *address*; the index leaves out those that surely do not."""
        asked = (self._openings[number] for number in self._index.candidates(look, (address,)))
        return [opening for opening in asked if opening.fits(look, address)]

    def listing(self, source: str | None = None) -> tuple[tuple[str, str], ...]:
        """Address patterns with the rule that opens each, in the order of the book; for one source, or for all."""
        look = look_at_envelope(source or "", Facts("smtp"))
        old_program = self._sources.has_old_program(source)
        return tuple(
            (pattern, opening.rule)
            for opening in self._openings
            if source is None or _for_source(opening, look)
            for pattern in self._patterns(opening, old_program)
        )

    def _by_rules(self, openings: list[Opening], source: SourceRef, address: str) -> str | None:
        """None if one of *openings*, whose conditions fit, takes *address*; else the most telling refusal."""
        local = address.rpartition("@")[0]
        refusals = []
        for opening in openings:
            if opening.numbers is None or (local.casefold() == COLON_MAIL and source.is_old_program):
                return None
            refusal = self._number_refusal(opening.numbers, source, address)
            if refusal is None:
                return None
            refusals.append(refusal)
        return refusals[0] if refusals else _unknown(address)

    def _number_refusal(self, numbers: Numbers, source: SourceRef, address: str) -> str | None:
        local = address.rpartition("@")[0]
        region = numbers.region or (source.entry.region if source.entry else None) or self._region
        phone = read_number(local, region)
        match forbidden(phone, numbers, self._destinations, self._people):
            case "":
                return None
            case "not a telephone number" if local[:1] in _LIKE_A_NUMBER:
                return f"550 5.1.1 <{shown(address)}>: not a telephone number, write +77011234567"
            case "outside prefixes" | "outside destinations":
                return f"550 5.1.1 <{shown(address)}>: SMS to {country_code(phone)} is not allowed here"
            case _:
                return _unknown(address)

    def _patterns(self, opening: Opening, old_program: bool) -> Iterator[str]:
        written = [shown for clause in opening.clauses for shown in _recipients(clause)]
        if written:
            yield " and ".join(dict.fromkeys(written))
        elif opening.numbers is None:
            yield from (f"*@{domain}" for domain in self._domains)
        else:
            yield from (f"NUMBER@{domain}" for domain in self._domains)
            yield from (f"{COLON_MAIL}@{domain}" for domain in self._domains if old_program)


def _openings(rules: RuleList, above: tuple[Clause, ...]) -> Iterator[Opening]:
    for rule in rules.rules:
        clauses = (*above, *envelope_clauses((*rule.condition.common, *rule.condition.own)))
        if rule.acts:
            yield Opening(rule.name, clauses, _numbers(rule))
        yield from _openings(rule.children, clauses)


_NONE = Numbers(prefixes=())


def _numbers(rule: CompiledRule) -> Numbers | None:
    """What a rule with ``to: recipient`` allows; without ``numbers`` that is nothing. None for other rules."""
    if not any(who.kind == "recipient" for who in rule.action.to):
        return None
    return rule.action.numbers or _NONE


def _for_source(opening: Opening, look: Look) -> bool:
    """Whether the rule asks nothing of the source, or asks for this one; what else it asks is left open."""
    nobody = address_of("")
    asked = (each for clause in opening.clauses for each in _flat(clause))
    return all(each.fits(look, nobody) is not None for each in asked if each.field == "source")


def _flat(clause: Clause) -> Iterator[FieldClause]:
    if isinstance(clause, FieldClause):
        yield clause
    elif isinstance(clause, AllClause):
        for each in clause.clauses:
            yield from _flat(each)


def _recipients(clause: Clause) -> Iterator[str]:
    return (each.pattern.shown for each in _flat(clause) if each.field == "recipient")


def _unknown(address: str) -> str:
    return f"550 5.1.1 <{shown(address)}>: no rule takes this address from you"
