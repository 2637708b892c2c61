"""Gateways that live on a connection: their links are opened and closed here, and what comes over them is kept.

One path for receipts and inbound SMS: commit first, then the gateway acknowledges. What cannot be kept now (the store
is away) is not acknowledged, and the provider brings it again (threats F10). A link that stays down is told of,
whether anything is to be sent or not: answers of people do not come either.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import structlog

from bridge.delivery.gateways import Gateways
from bridge.errors import StoreUnavailable
from bridge.model import Receipt, TroubleKind
from bridge.providers.base import (
    Arrival,
    Inbound,
    LinkedGateway,
    LinkState,
    Piece,
    Report,
    ShowsLink,
    StatusAnswer,
    inbound_key,
)
from bridge.store import linked
from bridge.store.engine import Store, Tx
from bridge.store.linked import Part, Pieces

log = structlog.get_logger("links")

_LOOK = 0.5  # seconds between looks for gateways that came or went, and for parked receipts
_LONG = timedelta(seconds=30)  # between looks when nothing was parked lately
_LATELY, _PARKED_FOR = (
    timedelta(minutes=1),
    timedelta(hours=1),
)  # how far such a look goes back: a quick one, a slow one
_MISSING = "[…]"  # stands where a piece of an inbound SMS never came
DOWN_FOR = timedelta(minutes=2)
"""How long a link may be down before people hear of it: a provider that restarts is back by then."""


@dataclass(slots=True)
class _Seen:
    """What was seen of the link of one gateway."""

    state: LinkState
    down_since: datetime | None = None
    told: bool = False


class Links:
    """Runs until it is stopped. *decide* decides receipts inside a transaction; *arrived* says that something came.

    *shown* hears how each link is, whenever that changes; *alarm* of one that stays down (threats F24, by another
    path), *mended* when it is up again: its name and how long it was down.
    """

    def __init__(
        self,
        store: Store,
        gateways: Callable[[], Gateways],
        *,
        now: Callable[[], datetime],
        decide: Callable[[Tx, Sequence[Receipt]], None],
        arrived: Callable[[], None],
        shown: Callable[[str, LinkState], None] = lambda _name, _state: None,
        alarm: Callable[[TroubleKind, str, str], None] = lambda _kind, _name, _why: None,
        mended: Callable[[str, timedelta], None] = lambda _name, _down: None,
    ) -> None:
        self._store = store
        self._gateways = gateways
        self._now = now
        self._decide = decide
        self._arrived = arrived
        self._shown = shown
        self._alarm = alarm
        self._mended = mended
        self._seen: dict[str, _Seen] = {}
        self._open: dict[str, LinkedGateway] = {}
        self._closing: set[asyncio.Task[None]] = set()
        self._parked_at: datetime | None = None  # the newest receipt that fitted no message
        self._next_look = now()

    async def run(self) -> None:
        """Work until cancelled; the links stay up until ``close``."""
        while True:
            await self.follow()
            self.look_at_links()
            try:
                await self.look_again()
            except StoreUnavailable as error:
                log.warning("store away", error=str(error))
            await asyncio.sleep(_LOOK)

    async def follow(self) -> None:
        """Open what is new since the last look, close what is gone; a link that serves the new door, too, stays up."""
        wanted = {
            name: door.gateway
            for name, door in self._gateways().doors.items()
            if isinstance(door.gateway, LinkedGateway)
        }
        for name, gateway in list(self._open.items()):
            if (after := wanted.get(name)) is gateway:
                continue
            del self._open[name]
            if after is None or not after.takes_over(gateway):
                closing = asyncio.create_task(gateway.close(), name=f"close {name}")
                self._closing.add(closing)
                closing.add_done_callback(self._closing.discard)
        for name, gateway in wanted.items():
            if name not in self._open:
                self._open[name] = gateway
                await gateway.open(self.keep)

    def look_at_links(self) -> None:
        """Show what changed; tell once of what stays down, and of its end."""
        for name in [name for name in self._seen if name not in self._open]:
            del self._seen[name]
        for name, gateway in self._open.items():
            if isinstance(gateway, ShowsLink):
                self._look_at(name, gateway.link)

    def _look_at(self, name: str, state: LinkState) -> None:
        seen, now = self._seen.get(name), self._now()
        if seen is None or seen.state != state:
            self._shown(name, state)
        seen = self._seen.setdefault(name, _Seen(state))
        seen.state = state
        if state.up:
            if seen.told and seen.down_since is not None:
                log.info("link mended", gateway=name, down=str(now - seen.down_since))
                self._mended(name, now - seen.down_since)
            seen.told, seen.down_since = False, None
            return
        seen.down_since = seen.down_since or now
        if not seen.told and (state.refused or now - seen.down_since >= DOWN_FOR):
            seen.told = True
            log.error("link stays down", gateway=name, why=state.why)
            self._alarm("gateway", name, state.why)

    async def close(self) -> None:
        """Say goodbye on every link."""
        await asyncio.gather(*(gateway.close() for gateway in self._open.values()), *self._closing)
        self._open.clear()

    async def keep(self, gateway: LinkedGateway, arrival: Arrival) -> None:
        """Commit what came, with what follows of it. Raises StoreUnavailable."""
        new = await self._store.write(lambda tx: self._kept(tx, gateway, arrival))
        if new:
            self._arrived()

    async def look_again(self) -> None:
        """Receipts that came before the answer to their request, and inbound SMS whose other pieces never came."""
        now = self._now()
        recent = self._parked_at is not None and now - self._parked_at < _LONG
        if not self._open or (not recent and now < self._next_look):
            return
        slow = now >= self._next_look
        if slow:
            self._next_look = now + _LONG
        if await self._store.write(lambda tx: self._looked_again(tx, _PARKED_FOR if slow else _LATELY)):
            self._arrived()

    def _kept(self, tx: Tx, gateway: LinkedGateway, arrival: Arrival) -> bool:
        now = self._now()
        match arrival:
            case Report():
                return self._reported(tx, gateway, arrival, now)
            case Inbound():
                key = inbound_key(arrival.id, arrival.phone, arrival.to, arrival.text, "")
                return linked.sms(
                    tx, gateway.account, gateway.name, arrival.phone, arrival.to, arrival.text, key, now
                )  # fmt: skip
            case Piece():
                part = Part(arrival.number, arrival.coding, arrival.octets)
                place = (arrival.reference, arrival.total)
                whole = linked.piece(tx, gateway.account, gateway.name, arrival.phone, arrival.to, place, part, now)
                return whole is not None and self._joined(tx, gateway, whole, now)

    def _reported(self, tx: Tx, gateway: LinkedGateway, arrival: Report, now: datetime) -> bool:
        said = gateway.receipt(0, arrival.answer)
        receipt = linked.report(tx, said, gateway.account, arrival.provider_id, arrival.phone, now)
        if receipt is None:
            self._parked_at = now
            return False
        self._decide(tx, [receipt])
        return True

    def _joined(self, tx: Tx, gateway: LinkedGateway, pieces: Pieces, now: datetime) -> bool:
        """Pieces as the one SMS they are; octets are put together before they become letters."""
        text = _text(gateway, pieces)
        linked.joined(tx, pieces)
        key = inbound_key("", pieces.phone, pieces.to, text, "")
        return linked.sms(tx, pieces.account, pieces.provider, pieces.phone, pieces.to, text, key, now)

    def _looked_again(self, tx: Tx, parked_for: timedelta) -> bool:
        now = self._now()
        accounts = sorted({gateway.account for gateway in self._open.values()})
        told = linked.adopt(tx, accounts, parked_for, now)
        self._decide(tx, [self._explained(receipt) for receipt in told])
        by_account = {gateway.account: gateway for gateway in self._open.values()}
        late = linked.late_pieces(tx, accounts, now)
        read = [self._joined(tx, by_account[pieces.account], pieces, now) for pieces in late]
        return any(read) or bool(told)

    def _explained(self, receipt: Receipt) -> Receipt:
        """What was parked is numbers; its words are made when it is told."""
        gateway = self._open.get(receipt.provider)
        if gateway is None:
            return receipt
        from_answer = gateway.receipt(receipt.message_id, _answer(receipt))
        return replace(from_answer, state=receipt.state)


def _answer(receipt: Receipt) -> StatusAnswer:
    return StatusAnswer(receipt.state, receipt.code, receipt.error, receipt.at)


def _text(gateway: LinkedGateway, pieces: Pieces) -> str:
    """Neighbours of one coding are read together: a letter may lie across their border."""
    by_number = {part.number: part for part in pieces.parts}
    runs: list[tuple[int, bytes]] = []
    for number in range(1, pieces.total + 1):
        part = by_number.get(number)
        if part is None:
            runs.append((-1, b""))
        elif runs and runs[-1][0] == part.coding:
            runs[-1] = (part.coding, runs[-1][1] + part.octets)
        else:
            runs.append((part.coding, part.octets))
    return "".join(_MISSING if coding < 0 else gateway.decoded(octets, coding) for coding, octets in runs)
