"""What follows from an act of an operator at the console or the command line."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from bridge.book import RuleBook
from bridge.dispatch.draft import Draft
from bridge.memory import Memory, Needs
from bridge.model import Incident, Order, Plan


def order_needs(order: Order) -> Needs:
    """The incident an order names."""
    number = _number(order)
    return Needs(incidents=frozenset({number} - {0}))


def ordered(order: Order, book: RuleBook, memory: Memory, now: datetime) -> Plan:
    """``incidents ack N``, ``incidents unack N``, ``incidents resolve N``; anything else changes nothing."""
    draft = Draft(book, memory, now)
    incident = draft.incident(_number(order))
    if incident is None or incident.state not in ("open", "acked"):
        return draft.plan()
    match order.words[1]:
        case "ack":
            draft.put(replace(incident, state="acked", acked_by=order.by, acked_at=now))
        case "unack":
            draft.put(replace(incident, state="open", acked_by="", acked_at=None))
        case "resolve":
            _resolve(draft, incident)
        case _:
            return draft.plan()
    draft.log(f"incident.{order.words[1]}", incident_id=incident.id, by=order.by)
    return draft.plan()


def _resolve(draft: Draft, incident: Incident) -> None:
    """Over by an operator's word: what waits is cancelled, nobody is told (he who said it knows)."""
    for message in draft.waiting(incident):
        draft.cancelled[message.id] = "resolved before it was sent"
    draft.put(replace(incident, state="resolved", resolved_at=draft.now))


def _number(order: Order) -> int:
    words = order.words
    known = len(words) >= 3 and words[0] == "incidents" and words[2].isascii() and words[2].isdigit()
    return int(words[2]) if known else 0
