"""Error mails about messages that left by mail: they end an attempt as a refusal in the session would have.

Believed only at the address of an attempt that is *handed over*: a relay took it and nobody has said more since. The
door that takes them knows who may come at all. They are read and forgotten: a bounce may quote the line with the
password (threats T29). None of them is ever answered (threats T09, T10).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Literal

import structlog

from bridge.delivery.gateways import Gateways
from bridge.delivery.retry import outcome
from bridge.errors import DeliveryError, PermanentFailure
from bridge.model import Failed, JournalEntry
from bridge.providers.base import ReturnsMail
from bridge.store import fates, journal, outbox, returned
from bridge.store.attempts import Attempt, Claimed, Outcome, Watched
from bridge.store.engine import Store, Tx

log = structlog.get_logger("bounces")

Known = Literal["here", "soon", "nowhere"]
_MAY_BE_THERE = ("ACCEPTED", "UNKNOWN", "INFLIGHT")  # of an attempt whose mail may still arrive


@dataclass(frozen=True, slots=True)
class _Address:
    """What one address of ours stands for."""

    provider: str
    gateway: ReturnsMail
    client_id: str
    attempt: int


class Bounces:
    """What the mail door asks. *decide* decides failures inside a transaction; *moved* hears of each after its commit.

    *moved* is told the gateway, ``failed`` or ``else``, and the message.
    """

    def __init__(
        self,
        store: Store,
        gateways: Callable[[], Gateways],
        *,
        now: Callable[[], datetime],
        decide: Callable[[Tx, Sequence[Failed]], None],
        moved: Callable[[str, str, int], None] = lambda _provider, _kind, _message: None,
    ) -> None:
        self._store = store
        self._gateways = gateways
        self._now = now
        self._decide = decide
        self._moved = moved

    def has(self, address: str) -> bool:
        """Whether *address* has the form of one that error mails of ours go to."""
        return bool(self._meant(address))

    async def known(self, address: str) -> Known:
        """``here``: its attempt is handed over; ``soon``: it is on the wire, and may be in a moment.

        Raises StoreUnavailable.
        """
        states = await self._store.read(lambda tx: [self._find(tx, one) for one in self._meant(address)])
        found = [state for state in states if state is not None]
        if any(message == "HANDED_OVER" and attempt == "ACCEPTED" for _id, message, attempt in found):
            return "here"
        return "soon" if any(attempt == "INFLIGHT" for _id, _message, attempt in found) else "nowhere"

    async def take(self, address: str, content: bytes) -> None:
        """Do what an error mail to *address* says. Raises StoreUnavailable: nothing was done, it may come again."""
        meant = self._meant(address)
        told = await self._store.write(lambda tx: [self._taken(tx, one, content) for one in meant])
        for one, message_id in zip(meant, told, strict=True):
            if message_id:
                kind = "failed" if one.gateway.returned(content) else "else"
                log.warning("error mail", gateway=one.provider, message=message_id, says=kind)
                self._moved(one.provider, kind, message_id)

    def _meant(self, address: str) -> list[_Address]:
        """Usually one: only doors of different accounts with one ``mail_from`` share addresses."""
        found: list[_Address] = []
        for name, door in self._gateways().doors.items():
            gateway = door.gateway
            named = gateway.attempt_at(address) if isinstance(gateway, ReturnsMail) else None
            if named is not None and isinstance(gateway, ReturnsMail):
                found.append(_Address(name, gateway, *named))
        return found

    @staticmethod
    def _find(tx: Tx, one: _Address) -> tuple[int, str, str] | None:
        return returned.find(tx, one.provider, one.gateway.account, one.client_id, one.attempt)

    def _taken(self, tx: Tx, one: _Address, content: bytes) -> int:
        """The message it was about, 0 where there is none any more."""
        found = self._find(tx, one)
        if found is None or found[1:] != ("HANDED_OVER", "ACCEPTED"):
            return 0
        watched = fates.look(tx, [found[0]])[0]
        attempt = next(each for each in watched.attempts if each.number == one.attempt)
        said, now = one.gateway.returned(content), self._now()
        journal.add(tx, [_entry(watched, attempt, said, now)])
        if said is not None:
            self._settle(tx, _settled(watched, attempt, said, list(self._gateways().doors), now), now)
        return found[0]

    def _settle(self, tx: Tx, settled: Outcome, now: datetime) -> None:
        if settled.message != "HANDED_OVER":
            fates.reconsider(tx, settled.message_id)
        outbox.settle(tx, [settled], now)
        if settled.final:
            self._decide(tx, [Failed(settled.message_id, settled.reason, settled.status)])


def _settled(
    watched: Watched, attempt: Attempt, said: DeliveryError, doors: Sequence[str], now: datetime
) -> Outcome:  # fmt: skip
    """How the attempt ended after all. While another mail of this message may arrive, nobody else is given it."""
    others = [one for one in watched.attempts if one.number != attempt.number]
    if attempt != watched.attempts[-1] or any(one.state in _MAY_BE_THERE for one in others):
        submission: Literal["REFUSED", "NOT_SENT"] = "REFUSED" if isinstance(said, PermanentFailure) else "NOT_SENT"
        return Outcome(watched.message.id, attempt.number, submission, "HANDED_OVER", said.reason, code=said.code)
    claimed = Claimed(replace(watched.message, state="INFLIGHT"), attempt, now, tuple(others))
    chain = [name for name in watched.message.providers if name in doors]
    return outcome(claimed, others, said, chain, now)


def _entry(watched: Watched, attempt: Attempt, said: DeliveryError | None, now: datetime) -> JournalEntry:
    message = watched.message
    facts = {
        "attempt": attempt.number,
        "provider": attempt.provider,
        "client_id": attempt.client_id,
        "failed": said is not None,
        "reason": said.reason if said is not None else "",
    }
    return JournalEntry(now, "attempt.returned", message.mail_id, message.incident_id, message.id, facts)
