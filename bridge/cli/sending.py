"""How ``smsbridge send`` hands a message over and tells its life: through the store of a running bridge, or itself.

Without a bridge the order of things is the same as with one: the attempt is committed before the first byte leaves,
and an answer that did not come is written down as unknown, for the next bridge to ask after.
"""

from __future__ import annotations

import asyncio
import os
import socket
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from bridge.cli.opening import answered_json, opened
from bridge.errors import DeliveryError, NotSent

if TYPE_CHECKING:
    from bridge.book import RuleBook
    from bridge.config.models import Config
    from bridge.delivery.gateways import Gateways
    from bridge.model import Failed, Message, Receipt, Spend
    from bridge.providers.base import Gateway
    from bridge.store.attempts import Claimed, Outcome
    from bridge.store.direct import Reserve
    from bridge.store.engine import Store, Tx

DELIVERED, FAILED, TRY_AGAIN = 0, 1, 75
_ENDS = {"DELIVERED": DELIVERED, "REJECTED": FAILED, "UNDELIVERED": FAILED, "EXPIRED": FAILED, "CANCELLED": FAILED}
_TAKEN = ("ACCEPTED", "ACCEPTED_NO_ID", "HANDED_OVER")
_LOOK = 0.2  # seconds between looks at the store
_ASK = (2.0, 3.0, 5.0, 10.0, 25.0, 20.0)  # seconds before questions to the provider: never six for one message a minute
_ON_THE_WIRE = 30.0


@dataclass(slots=True)
class Told:
    """Says what happens to one message: a line a step, or one JSON object at the end."""

    as_json: bool
    found: dict[str, Any] = field(default_factory=dict)

    def step(self, message: Message, state: str, sentence: str, **facts: Any) -> None:
        """*message* is in *state* now."""
        self.found = {"id": message.id, "phone": message.phone, "state": state, "segments": message.segments, **facts}
        if not self.as_json:
            click.echo(f"{message.id} to {message.phone}: {sentence}")

    def end(self) -> None:
        """Nothing more happens."""
        if self.as_json:
            answered_json(self.found)


def first_door(config: Config) -> tuple[str, int] | None:
    """An address at which a running bridge can be reached from here; HTTP before mail. None: it has no TCP door."""
    doors = sorted(config.listen, key=lambda listener: listener.door != "http")
    for listener in doors:
        if listener.address.kind == "tcp":
            return _reachable(listener.address.host), listener.address.port
    return None


def someone_listens(door: tuple[str, int], within: float = 2.0) -> bool:
    """Whether a connection to *door* comes about."""
    try:
        with socket.create_connection(door, timeout=within):
            return True
    except OSError:
        return False


async def through_the_bridge(book: RuleBook, path: Path, message: Message, by: str, told: Told, wait: float) -> int:
    """Put *message* into the store of the running bridge; with *wait* (seconds) follow it. The exit code."""
    from bridge.store import direct

    async with opened(path) as store:
        message = await store.write(lambda tx: direct.add(tx, message, by, _reserve_by(book)))
        if not wait:
            told.step(message, "READY", "kept, the bridge sends it now")
            return DELIVERED
        return await _follow(store, message, told, wait)


async def _follow(store: Store, message: Message, told: Told, wait: float) -> int:
    """Tell every change of state until the last one, or until *wait* seconds are over."""
    from bridge.store import waiting

    seen = ""
    deadline = asyncio.get_running_loop().time() + wait
    while asyncio.get_running_loop().time() < deadline:
        kept = await store.read(lambda tx: waiting.message(tx, message.id))
        if kept is None:
            return FAILED
        now = kept.message
        if now.state != seen:
            seen = now.state
            cost = now.price if kept.cost is None else kept.cost
            seconds = _seconds(message.created_at, kept.ended_at)
            told.step(now, seen, _sentence(seen, kept.provider, now.reason, seconds, cost, now.currency))
        if seen in _ENDS:
            return _code(seen, now.reason)
        await asyncio.sleep(_LOOK)
    told.step(message, seen or "READY", f"nothing more is known after {wait:.0f} s (state {seen})")
    return TRY_AGAIN


async def direct(book: RuleBook, path: Path, message: Message, by: str, told: Told, wait: float) -> int:
    """Send *message* from here, once; with *wait* (seconds) ask what became of it. The exit code.

    Raises ConfigError when a provider's secret cannot be had.
    """
    from bridge.delivery.gateways import Gateways
    from bridge.delivery.pace import rates_of
    from bridge.delivery.relays import mail_ways
    from bridge.providers.build import gateways as build
    from bridge.providers.http import HttpClient

    async with opened(path) as store, HttpClient() as http:
        mail = mail_ways(book.config.outgoing_mail, book.hostname)
        doors = build(book.config.providers, http, mail)
        gateways = Gateways(doors, _now, rates_of(book.config), book.zone(""))
        async with _links(store, book, doors, message.providers if wait else ()):
            claimed, outcome = await _handed_over(store, gateways, book, message, by)
            if outcome is None or outcome.submission == "UNKNOWN":
                why = "" if outcome is None else outcome.reason
                told.step(claimed.message, "UNKNOWN", _in_doubt(claimed.attempt.provider, why))
                return TRY_AGAIN
            if outcome.submission == "ACCEPTED":
                return await _taken(store, gateways, claimed, outcome, told, wait)
            return await _not_taken(store, claimed, outcome, told, by)


@asynccontextmanager
async def _links(
    store: Store, book: RuleBook, doors: Mapping[str, Gateway], chain: Sequence[str]
) -> AsyncIterator[None]:
    """While it lasts, receipts that come over the links of *chain* are kept and decided as a running bridge would."""
    from bridge.delivery.gateways import Gateways
    from bridge.delivery.links import Links
    from bridge.dispatch.decide import bound
    from bridge.providers.base import LinkedGateway
    from bridge.store import plans

    def decide(tx: Tx, receipts: Sequence[Receipt]) -> None:
        for one in plans.plan(tx, receipts, *bound(book, _now()), _now()) if receipts else ():
            if one.error is not None:
                raise one.error

    linked = Gateways({name: doors[name] for name in chain if isinstance(doors.get(name), LinkedGateway)}, _now)
    links = Links(store, lambda: linked, now=_now, decide=decide, arrived=lambda: None)
    running = asyncio.create_task(links.run()) if linked.doors else None
    try:
        yield
    finally:
        if running is not None:
            running.cancel()
            await asyncio.gather(running, return_exceptions=True)
        await links.close()


def _reserve_by(book: RuleBook) -> Reserve:
    """What a message takes from the budgets of *book*: whoever types it spends the same money."""
    from bridge.dispatch import alone
    from bridge.store import recall

    def reserve(tx: Tx, message: Message) -> Sequence[Spend]:
        memory = recall.load(tx, alone.needs_of(book, {message.phone}, message.created_at), message.created_at)
        return alone.reserved(book, memory, message, message.created_at)

    return reserve


async def _handed_over(
    store: Store, gateways: Gateways, book: RuleBook, message: Message, by: str
) -> tuple[Claimed, Outcome | None]:
    """One hand-over, written down before and after; no outcome when the answer did not come in time."""
    from bridge.delivery.choosing import Choosing, why_not
    from bridge.delivery.sender import Sender
    from bridge.dispatch.budgets import charge_by
    from bridge.store import direct as rows

    heard: list[Outcome] = []
    owner = f"send/{os.getpid()}"

    def ended(_claimed: Claimed, outcome: Outcome, _seconds: float) -> None:
        heard.append(outcome)

    sender = Sender(
        store, lambda: gateways, owner=owner, now=_now, decide_failed=_nobody_else_is_told, ended=ended,
        charge=lambda: charge_by(book),
    )  # fmt: skip
    reserve = _reserve_by(book)

    def claim(tx: Tx) -> Claimed:
        """As a bridge would: pace, parallel requests and the minute of the same text count over all processes."""
        return rows.add_and_claim(tx, message, by, owner, Choosing(gateways, tx, _now(), owner), reserve)

    try:
        claimed = await store.write(claim)
    except NotSent as error:
        why = await store.read(lambda tx: why_not(gateways, tx, message, _now(), owner))
        raise NotSent(f"{' and '.join(message.providers)}: {why or error.reason}") from error
    sender.submit(claimed)
    await sender.finish(_ON_THE_WIRE)
    return claimed, heard[0] if heard else None


async def _taken(
    store: Store, gateways: Gateways, claimed: Claimed, outcome: Outcome, told: Told, wait: float
) -> int:  # fmt: skip
    message, name = claimed.message, claimed.attempt.provider
    cost = message.price if outcome.cost is None else Decimal(outcome.cost)
    said = _sentence(outcome.message, name, "", None, cost, message.currency)
    told.step(message, outcome.message, said if wait else said.partition(",")[0], provider_id=outcome.provider_id)
    if not wait:
        return DELIVERED
    asking = _Asking(gateways, claimed, outcome, told, cost)
    return await asking.until_the_end(store, wait)


@dataclass(slots=True)
class _Asking:
    """Follows a message that was taken: receipts that come over a link, and questions to whoever can be asked."""

    gateways: Gateways
    claimed: Claimed
    outcome: Outcome
    told: Told
    cost: Decimal | None
    why: str = "not yet reported"  # nothing more is known
    asked: int = 0

    async def until_the_end(self, store: Store, wait: float) -> int:
        """The exit code, after *wait* seconds at the latest."""
        from bridge.store import waiting

        loop, message = asyncio.get_running_loop(), self.claimed.message
        deadline, next_question = loop.time() + wait, loop.time() + min(_ASK[0], wait / 2)
        while loop.time() < deadline:
            await asyncio.sleep(min(_LOOK, wait / 4))
            kept = await store.read(lambda tx: waiting.message(tx, message.id))
            if kept is not None and kept.message.state in _ENDS:
                return self._ended(kept.message.state, kept.message.reason)
            if loop.time() >= next_question:
                state, why = await self._question()
                if state in _ENDS:
                    return self._ended(state, why)
                if state == "nobody":
                    self.told.step(message, self.outcome.message, f"nothing more can be known from here: {self.why}")
                    return TRY_AGAIN
                next_question = loop.time() + _ASK[min(self.asked, len(_ASK) - 1)]
        self.told.step(message, self.outcome.message, f"nothing more is known after {wait:.0f} s ({self.why})")
        return TRY_AGAIN

    async def _question(self) -> tuple[str, str]:
        """The state the provider tells and why, "" where it told none, ``nobody`` where none ever will."""
        from bridge.providers.base import LinkedGateway, NoWayToAsk, Question

        attempt, message = self.claimed.attempt, self.claimed.message
        gateway = self.gateways[attempt.provider]
        self.asked += 1
        try:
            question = Question(message.phone, attempt.client_id, self.outcome.provider_id)
            answer = await gateway.status(question)
        except NoWayToAsk as error:
            self.why = error.reason
            return ("" if isinstance(gateway, LinkedGateway) else "nobody"), ""
        except DeliveryError as error:
            self.why = error.reason
            return "", ""
        self.cost = self.cost if answer.cost is None else answer.cost
        self.why = "not found there" if answer.state is None else "not yet reported"
        if answer.state == "ACCEPTED" and self.outcome.message == "HANDED_OVER":
            self.outcome = replace(self.outcome, message="ACCEPTED")
            self.told.step(message, "ACCEPTED", f"found at the provider by its id {attempt.client_id}, waiting for the "
                           "receipt …")  # fmt: skip
        return answer.state or "", gateway.receipt(message.id, answer).why

    def _ended(self, state: str, reason: str) -> int:
        message, name = self.claimed.message, self.claimed.attempt.provider
        seconds = _seconds(message.created_at, _now())
        self.told.step(message, state, _sentence(state, name, reason, seconds, self.cost, message.currency))
        return _code(state, reason)


def _code(state: str, reason: str) -> int:
    """Exit code for the end of a message. With a reason it did not reach its phone, whatever its state says."""
    return FAILED if reason else _ENDS[state]


async def _not_taken(store: Store, claimed: Claimed, outcome: Outcome, told: Told, by: str) -> int:
    """Refused for good, or for now: then it must not go hours later by a bridge that is started meanwhile."""
    from bridge.store import direct as rows

    message = claimed.message
    if outcome.message == "REJECTED":
        told.step(message, "REJECTED", f"refused by {claimed.attempt.provider}: {outcome.reason}", code=outcome.code)
        return FAILED
    await store.write(lambda tx: rows.act(tx, "cancel", [message.id], by, _now(), outcome.reason))
    told.step(message, "CANCELLED", f"not sent: {outcome.reason}. Nothing was charged")
    return TRY_AGAIN


def _sentence(
    state: str, provider: str, reason: str, seconds: float | None, cost: Decimal | None, currency: str
) -> str:
    from bridge.words.figures import money

    after = f" after {seconds:.1f} s" if seconds is not None else ""
    price = f", {money(cost, currency)}" if cost is not None else ""
    match state:
        case "READY":
            return f"waits to be sent: {reason}" if reason else "kept, waits for the bridge"
        case "INFLIGHT":
            return f"on its way to {provider}"
        case "UNKNOWN" if _is_kept(reason):
            return f"{provider}: {reason}"
        case "UNKNOWN":
            return f"{provider} gave no answer, the bridge asks what became of it"
        case "DELIVERED":
            return f"delivered{after}{price}" + (f", and no phone got it: {reason}" if reason else "")
        case "HELD":
            return f"held: {reason}"
        case "HANDED_OVER":
            return f"handed to the mail relay of {provider}, waiting to hear of it …"
        case _ if state in _TAKEN:
            return f"taken by {provider}, waiting for the receipt …"
    why = f": {reason}" if reason else ""
    return f"{state.lower()}{after}{why}"


def _in_doubt(provider: str, reason: str) -> str:
    """What became of a hand-over from here that nobody can tell yet."""
    if _is_kept(reason):
        return f"{provider}: {reason}. Do not send it again"
    return f"{provider} gave no answer; it may arrive. A bridge asks for it; do not send it again"


def _is_kept(reason: str) -> bool:
    """Whether the provider did answer, and keeps the message to send it later."""
    from bridge.providers import smsgate_codes

    return reason in (smsgate_codes.UNPAID, smsgate_codes.LATER)


def _nobody_else_is_told(_tx: Tx, _failed: Sequence[Failed]) -> None:
    """Whoever typed the message sees what became of it; no mail goes to the operator."""


def _reachable(host: str) -> str:
    return {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)


def _seconds(begin: datetime, end: datetime | None) -> float | None:
    return None if end is None else max((end - begin).total_seconds(), 0.0)


def _now() -> datetime:
    return datetime.now(UTC)
