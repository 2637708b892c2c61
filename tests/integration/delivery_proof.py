"""What must hold of a life of deliveries once it has calmed down: paid = on phones = what our states say."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from bridge.simulator.simulator import Simulator
from bridge.simulator.smpp.server import KIND as OVER_A_LINK
from bridge.smpp import receipts, texts
from bridge.smpp.bodies import ShortMessage
from tests.integration.delivery_lives import BALANCE, DOORS, PRICE, WITHOUT_AN_ANSWER

MESSAGES = "SELECT id, phone, state, class, cost, copy FROM messages ORDER BY id"
ATTEMPTS = "SELECT message_id, provider, client_id, state, provider_id FROM submissions ORDER BY message_id, attempt"
RECEIPTS = "SELECT provider, client_id FROM receipts"
GIVEN_UP = "SELECT message_id FROM journal WHERE kind = 'attempt.given_up'"
_TAKEN = ("ACCEPTED", "ACCEPTED_NO_ID", "DELIVERED", "UNDELIVERED")


@dataclass(frozen=True, slots=True)
class Attempt:
    message: int
    door: str
    client_id: str
    state: str
    provider_ids: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Row:
    """One message of ours with its attempts."""

    number: int
    phone: str  # digits
    state: str
    urgency: str
    cost: str | None
    copy: bool
    attempts: tuple[Attempt, ...]

    def at(self, door: str) -> tuple[Attempt, ...]:
        return tuple(one for one in self.attempts if one.door == door)

    @property
    def sure(self) -> int:
        """How often a provider said that it has it; a relay says that of itself."""
        return sum(one.state == "ACCEPTED" and one.door not in WITHOUT_AN_ANSWER for one in self.attempts)

    @property
    def in_doubt(self) -> bool:
        by_mail = any(one.state == "ACCEPTED" and one.door in WITHOUT_AN_ANSWER for one in self.attempts)
        return by_mail or any(one.state == "UNKNOWN" for one in self.attempts)


def rows(messages: Sequence[Any], attempts: Sequence[Any]) -> list[Row]:
    """From the store's rows."""
    made = [Attempt(number, door, id, state, tuple(ids.split())) for number, door, id, state, ids in attempts]
    return [
        Row(number, phone.removeprefix("+"), state, urgency, cost, bool(copy),
            tuple(one for one in made if one.message == number))
        for number, phone, state, urgency, cost, copy in messages
    ]  # fmt: skip


def check(simulators: Mapping[str, Simulator], ours: Sequence[Row], given_up: Sequence[int]) -> None:
    """All of it. *given_up*: messages whose fate nobody could tell, one for each time."""
    _check_money(simulators)
    phones = _phones(simulators)
    by_phone: dict[str, list[Row]] = {}
    for row in ours:
        by_phone.setdefault(row.phone, []).append(row)
    for (door, phone), ids in phones.items():
        known = {one.client_id for row in by_phone.get(phone, ()) for one in row.at(door)}
        assert known, ("an SMS of which the store knows nothing", door, phone)
        assert not DOORS[door].ours or set(ids) <= known, ("an id that we never gave", door, phone, ids)
    for alert in by_phone.values():
        _check_alert(alert, phones)
    copies = Counter(row.phone for row in ours if row.copy)
    assert sum(copies.values()) <= len(given_up), "a second copy without a first whose fate nobody knew"


def _check_money(simulators: Mapping[str, Simulator]) -> None:
    for name, simulator in simulators.items():
        held = simulator.messages()
        (account,) = simulator.air.accounts.values()
        paid = BALANCE - account.balance
        assert paid == sum((one.cost for one in held), Decimal(0)) == PRICE * len(held), name


def _phones(simulators: Mapping[str, Simulator]) -> dict[tuple[str, str], list[str]]:
    """The ids of all SMS by door and phone: ours, or where the provider has no place for them its own."""
    found: dict[tuple[str, str], list[str]] = {}
    for name, simulator in simulators.items():
        for one in simulator.messages():
            cascade = simulator.smsgate.cascades.of_message(one) if one.gateway == "smsgate" else None
            found.setdefault((name, one.phone), []).append(
                cascade.client_id if cascade and DOORS[name].ours else one.id
            )
    return found


def check_receipts(simulators: Mapping[str, Simulator], kept: Sequence[Any]) -> None:
    """What was acknowledged over a link is in the store. *kept*: (door, the provider's id) of all receipts there."""
    for name, simulator in simulators.items():
        for one in simulator.air.posted:
            if one.post.kind == OVER_A_LINK and one.status == 200:
                message = ShortMessage.read(one.post.body)
                said = receipts.read(message, texts.decode(message.payload, message.coding))
                assert said, one
                assert (name, said.id) in kept, ("acknowledged, and not kept", name, said)


def _check_alert(alert: Sequence[Row], phones: Mapping[tuple[str, str], list[str]]) -> None:
    """One text for one phone, with the second copies that were made of it."""
    copies = sum(row.copy for row in alert)
    arrived = sum(len(ids) for (_door, phone), ids in phones.items() if phone == alert[0].phone)
    assert arrived <= 1 + copies, ("twice", arrived, alert)
    assert all(row.urgency == "critical" for row in alert) or not copies, ("a copy of what is not critical", alert)
    for row in alert:
        _check_row(row, *_arrived(row, alert, phones))


def _arrived(row: Row, alert: Sequence[Row], phones: Mapping[tuple[str, str], list[str]]) -> tuple[int, int]:
    """How many SMS are surely, and how many may be, those of *row*: SMPP shows no id of ours."""
    least = most = 0
    for door in {one.door for one in row.attempts}:
        there = phones.get((door, row.phone), [])
        others = [one for other in alert if other is not row for one in other.at(door)]
        if DOORS[door].ours:
            mine = theirs = sum(id in {one.client_id for one in row.at(door)} for id in there)
        else:
            mine = sum(id in {known for one in row.at(door) for known in one.provider_ids} for id in there)
            theirs = len(there) - sum(id in {known for one in others for known in one.provider_ids} for id in there)
            mine = mine if others else theirs
        least, most = least + mine, most + theirs
    return least, most


def _check_row(row: Row, least: int, most: int) -> None:
    """No message goes twice, and what its state says is so."""
    assert least <= 1, ("one message twice", row)
    assert row.sure <= 1, ("accepted twice", row)
    assert most >= row.sure, ("accepted, and nowhere", row)
    assert all(one.state != "INFLIGHT" for one in row.attempts), row
    assert row.state not in ("READY", "INFLIGHT"), row
    assert row.cost is None or Decimal(row.cost) == PRICE, row
    if row.state in _TAKEN:
        assert most >= 1, ("taken, and nowhere", row)
    elif not row.in_doubt and row.state != "EXPIRED":
        assert least == 0, ("refused, and on the phone", row)
