"""The walk of one event through the rules, recipient by recipient (FORMAT §7).

What is true for one recipient never depends on the others: recipients go together only while everything is the
same for them. So a relay that splits or joins a mail's recipients changes nothing about who is paged.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from bridge.errors import BridgeError
from bridge.model import SEVERITIES, STATES, Email, Event, Route, RoutedEvent, Visit
from bridge.routing.facts import Facts
from bridge.routing.look import Address, Look, address_of
from bridge.routing.regexes import NOTHING, Groups
from bridge.routing.rules import CompiledRule, RuleList

NOBODY = ""  # the made-up recipient of doors that have none
Changes = Mapping[str, str]
_ALLOWED: Mapping[str, tuple[str, ...]] = {"severity": SEVERITIES, "state": STATES}


@dataclass(frozen=True, slots=True)
class Party:
    """Recipients for whom everything is the same so far.

    *kept* and *kept_groups* are what rules with ``continue`` changed since the surrounding rule was entered: that
    outlives the rule, while its own ``set`` does not.
    """

    addresses: tuple[Address, ...]
    look: Look
    groups: Groups
    kept: Changes
    kept_groups: Groups

    def only(self, addresses: tuple[Address, ...]) -> Party:
        """The same for fewer recipients."""
        return Party(addresses, self.look, self.groups, self.kept, self.kept_groups)


def walk(
    rules: RuleList, event: Event, email: Email, facts: Facts, received_at: datetime, *, trace: bool = False
) -> RoutedEvent:
    """Who takes *event*. With *trace* every rule that is asked is named, with why it did not fit."""
    addresses = tuple(map(address_of, dict.fromkeys(facts.recipients))) or (address_of(NOBODY),)
    course = _Course(addresses, trace)
    left = course.through(rules, Party(addresses, Look(event, email, facts, received_at), NOTHING, NOTHING, NOTHING))
    given = course.in_order(address for party in left for address in party.addresses)
    return RoutedEvent(event, course.routes(), given, course.trace())


@dataclass(slots=True)
class _Asked:
    """What is known about one rule after the walk."""

    rule: CompiledRule
    matched: bool = False
    failed: str = ""
    notes: tuple[str, ...] = ()


class _Course:
    """One walk: what it has found so far."""

    def __init__(self, addresses: tuple[Address, ...], trace: bool) -> None:
        self._places = {id(address): place for place, address in enumerate(addresses)}
        self._trace = trace
        self._asked: dict[int, _Asked] = {}
        self._acts: list[tuple[CompiledRule, Party]] = []

    def through(self, rules: RuleList, party: Party, start: int = 0) -> list[Party]:
        """Ask the rules from number *start* on; the parties that none of them took."""
        for number in rules.asked(party.look, party.addresses, start, everything=self._trace):
            left = self._ask(rules.rules[number], party)
            if len(left) == 1 and left[0].look is party.look and left[0].groups is party.groups:
                party = left[0]
                continue
            return [rest for each in left for rest in self.through(rules, each, number + 1)]
        return [party]

    def _ask(self, rule: CompiledRule, party: Party) -> list[Party]:
        """What is left of *party* behind *rule*."""
        parts = rule.condition.split(party.look, party.addresses)
        if not parts:
            if self._trace:
                self._missed(rule, party)
            return [party]
        left: list[Party] = []
        for groups, addresses in parts:
            left += self._enter(rule, party, groups, addresses)
        return self._joined(party, parts, left)

    def _enter(self, rule: CompiledRule, party: Party, named: Groups, addresses: tuple[Address, ...]) -> list[Party]:
        groups = {**party.groups, **named} if named else party.groups
        changes, notes = _changes(rule, party.look, groups)
        inner = Party(addresses, _changed(party.look, changes), groups, NOTHING, NOTHING)
        left = self.through(rule.children, inner) if rule.children else [inner]
        if rule.acts:
            self._acts += [(rule, each) for each in left]
        self._fitted(rule, (*notes, _note(rule, left)))
        if rule.acts and not rule.continues:
            return []
        return [_leave(rule, party, inner, each, changes) for each in left]

    def _joined(
        self, party: Party, parts: Sequence[tuple[Groups, tuple[Address, ...]]], left: list[Party]
    ) -> list[Party]:
        """*left* and those who did not fit; all for whom nothing changed stay one party."""
        fitting = {id(address) for _groups, addresses in parts for address in addresses}
        changed = [each for each in left if each.look is not party.look or each.groups is not party.groups]
        gone = fitting - {id(address) for each in left if each not in changed for address in each.addresses}
        rest = tuple(address for address in party.addresses if id(address) not in gone)
        return [*changed, party.only(rest)] if rest else changed

    def _missed(self, rule: CompiledRule, party: Party) -> None:
        asked = self._asked.setdefault(rule.number, _Asked(rule))
        asked.failed = asked.failed or rule.condition.failed(party.look, party.addresses[0])

    def _fitted(self, rule: CompiledRule, notes: tuple[str, ...]) -> None:
        asked = self._asked.setdefault(rule.number, _Asked(rule))
        asked.matched = True
        asked.notes += tuple(note for note in notes if note not in asked.notes)

    def trace(self) -> tuple[Visit, ...]:
        """What was asked, in the order of the book."""
        return tuple(
            Visit(asked.rule.name, asked.matched, "" if asked.matched else asked.failed, ", ".join(asked.notes))
            for _number, asked in sorted(self._asked.items())
        )

    def routes(self) -> tuple[Route, ...]:
        """Who acted, children before parents, one route for all recipients for whom the event is the same."""
        merged: list[tuple[CompiledRule, Event, Groups, list[Address]]] = []
        for rule, party in sorted(self._acts, key=lambda act: act[0].rank):
            last = merged[-1] if merged else None
            if last and last[0] is rule and last[1] == party.look.event and last[2] == party.groups:
                last[3].extend(party.addresses)
            else:
                merged.append((rule, party.look.event, party.groups, list(party.addresses)))
        return tuple(Route(rule.name, event, self.in_order(who), groups) for rule, event, groups, who in merged)

    def in_order(self, addresses: Iterable[Address]) -> tuple[str, ...]:
        """Recipients as given, in the order of the envelope."""
        ordered = sorted(addresses, key=lambda address: self._places[id(address)])
        return tuple(address.given for address in ordered)


def _leave(rule: CompiledRule, party: Party, inner: Party, left: Party, changes: Changes) -> Party:
    """What stays behind *rule*: its own changes only with ``continue``, those of continuing children always."""
    changes = {**changes, **left.kept} if rule.continues else left.kept
    groups = {**inner.groups, **left.kept_groups} if rule.continues else left.kept_groups
    if not changes and (not groups or groups == party.groups):
        return party.only(left.addresses)
    return Party(
        left.addresses,
        _changed(party.look, changes),
        {**party.groups, **groups},
        {**party.kept, **changes},
        {**party.kept_groups, **groups},
    )


def _note(rule: CompiledRule, left: Sequence[Party]) -> str:
    who = " ".join(address.given for party in left for address in party.addresses)
    if not left:
        return "child took it"
    if not rule.acts:
        return "continue" if rule.continues else "does nothing itself"
    return " ".join(filter(None, ("continue for" if rule.continues else "took", who or "it")))


def _changes(rule: CompiledRule, look: Look, groups: Groups) -> tuple[Changes, list[str]]:
    """What ``set`` makes of the event's fields; a value that cannot be is left out, with a note."""
    if not rule.sets:
        return NOTHING, []
    variables = _variables(look, groups)
    changes: dict[str, str] = {}
    notes: list[str] = []
    for field, value in rule.sets:
        try:
            text = value(variables).strip()
        except BridgeError as error:
            notes.append(f"set {field} failed: {error}")
            continue
        words = _ALLOWED.get(field)
        if words is not None:
            text = text.casefold()
        if words is not None and text not in words:
            notes.append(f'set {field}: "{text[:40]}" is no {field}')
        else:
            changes[field] = text
    return changes, notes


def _variables(look: Look, groups: Groups) -> Mapping[str, object]:
    event = look.event
    return {
        **{name: getattr(event, name) for name in ("source", "producer", "host", "service", "severity", "state")},
        **{name: getattr(event, name) for name in ("key", "title", "detail", "labels")},
        "fqdn": event.host,
        "subject": look.email.subject,
        "from": look.email.from_address,
        "text": look.email.text,
        "carrier_text": _carrier_text(look.email),
        "m": groups,
    }


def _carrier_text(email: Email) -> str:
    """Subject and body as carrier gateways joined them (FORMAT §10)."""
    return " ".join(filter(None, (f"({email.subject})" if email.subject else "", email.text)))


def _changed(look: Look, changes: Changes) -> Look:
    if not changes:
        return look
    labels = {name[6:]: text for name, text in changes.items() if name.startswith("label.")}
    fields = {name: text for name, text in changes.items() if not name.startswith("label.")}
    event = replace(look.event, labels={**look.event.labels, **labels}, **fields)  # type: ignore[arg-type]
    return look if event == look.event else look.changed(event)
