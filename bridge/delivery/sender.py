"""The loop that hands messages over: claim, INFLIGHT, submit, outcome.

The claim commits the attempt before the first byte; the lease is looked at once more right before it (F13). A
hand-over is never cancelled half way: at a stop the answers on the wire are awaited, and what does not come in
time is found UNKNOWN at the next start. Outcomes of one moment are committed together.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime

import structlog

from bridge.delivery.choosing import Choosing
from bridge.delivery.gateways import PAUSED, Gateways
from bridge.delivery.numbers import Numbers
from bridge.delivery.places import Places, Turn
from bridge.delivery.retry import outcome
from bridge.errors import (
    AccountPaused,
    DeliveryError,
    NotSent,
    OutcomeUnknown,
    PermanentFailure,
    StoreUnavailable,
    TemporaryFailure,
)
from bridge.model import Failed, JournalEntry, TroubleKind
from bridge.providers.base import Accepted, Request
from bridge.store import journal, outbox, spends
from bridge.store.attempts import Claimed, Outcome
from bridge.store.engine import Store, Tx

log = structlog.get_logger("sender")

_MOST = 64  # messages claimed in one transaction
_POLL = 1.0
_PATIENCE = 1.0  # seconds that a claimed message waits for its place; longer, and the lease and the minute rule err
_EXPIRE_EVERY = 5.0
Ended = Callable[[Claimed, Outcome, float], None]
Decide = Callable[[Tx, Sequence[Failed]], None]


class Sender:
    """Hands over until it is stopped.

    *decide_failed* decides, inside the transaction that writes the outcome, what follows from a message that will
    never arrive. *charge* says what a provider took, in the currency of the budgets. *ended* hears of every attempt
    after its commit; *alarm* of accounts that paused and doors that rest.
    """

    def __init__(
        self,
        store: Store,
        gateways: Callable[[], Gateways],
        *,
        owner: str,
        now: Callable[[], datetime],
        decide_failed: Decide,
        charge: Callable[[], spends.Charge | None] = lambda: None,
        ended: Ended = lambda _claimed, _outcome, _seconds: None,
        alarm: Callable[[TroubleKind, str, str], None] = lambda _kind, _name, _why: None,
    ) -> None:
        self._store = store
        self._gateways = gateways
        self._owner = owner
        self._now = now
        self._decide_failed = decide_failed
        self._charge = charge
        self._ended = ended
        self._alarm = alarm
        self._woken = asyncio.Event()
        self._numbers = Numbers(store, gateways, owner=owner, now=now, ended=self._woken.set, paused=self._pause)
        self._lanes: set[asyncio.Task[None]] = set()
        self._under_way = 0
        self._idle = asyncio.Event()
        self._idle.set()
        self._stopping = False
        self._outcomes: list[tuple[Claimed, Outcome, float]] = []
        self._flush = asyncio.Event()
        self._flusher: asyncio.Task[None] | None = None
        self._heard: set[tuple[str, str]] = set()  # (provider, code) that no manual has

    def wake(self) -> None:
        """A message was written, or an account is well again."""
        self._woken.set()

    @property
    def under_way(self) -> int:
        """Hand-overs whose answer, or whose turn, is awaited."""
        return self._under_way

    async def run(self) -> None:
        """Work until cancelled; what is under way then goes on until :meth:`finish`."""
        loop = asyncio.get_running_loop()
        self._flusher = asyncio.create_task(self._flush_loop(), name="outcomes")
        next_expire = loop.time()
        while True:
            self._woken.clear()  # before the look: who wakes us during it wrote something that it did not see
            try:
                if loop.time() >= next_expire:
                    next_expire = loop.time() + _EXPIRE_EVERY
                    await self._expire()
                most = min(self._gateways().free(), _MOST)
                claimed = await self._claim()
            except StoreUnavailable as error:
                log.warning("store away", error=str(error))
                await asyncio.sleep(_POLL)
                continue
            for one in claimed:
                self.submit(one)
            if len(claimed) < most or not self._gateways().wants():  # nothing more is ready for those who have room
                await self._wait()

    def submit(self, claimed: Claimed) -> None:
        """Hand over a message that is INFLIGHT and has its place at the account, as soon as one is free on the wire."""
        places = self._gateways().places(claimed.attempt.provider, claimed.attempt.account)
        turn = _HandOver(self._start, self._late, claimed, places)
        self._under_way += 1
        self._idle.clear()
        turn.waits = places is not None and not places.enter(turn, _PATIENCE)
        if not turn.waits:
            turn.start()

    async def finish(self, seconds: float) -> int:
        """Await the answers on the wire; how many did not come in time (they stay INFLIGHT, threats F19).

        What has not begun does not begin any more.
        """
        self._stopping = True
        self._numbers.close()
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._idle.wait()
        pending = self._under_way
        for lane in self._lanes:
            lane.cancel()
        while self._outcomes:
            await self._write_outcomes()
        if self._flusher is not None:
            self._flusher.cancel()
        return pending

    async def _claim(self) -> list[Claimed]:
        gateways, now = self._gateways(), self._now()
        free = min(gateways.free(), _MOST)
        if not gateways.wants():
            return []
        made: list[Choosing] = []

        def claim(tx: Tx) -> list[Claimed]:
            made[:] = [Choosing(gateways, tx, now, self._owner)]
            return outbox.claim(tx, now, self._owner, free, made[0])

        claiming = asyncio.ensure_future(self._store.write(claim))
        try:
            claimed = await asyncio.shield(claiming)
        except asyncio.CancelledError:
            for one in await claiming:  # it is INFLIGHT, so it goes: nobody else would look at it before the next start
                self.submit(one)
            raise
        except BaseException:
            for name in made[0].taken if made else ():
                gateways.give_back(name)
            raise
        for message in made[0].asking:
            self._numbers.ask(message)
        return claimed

    async def _expire(self) -> None:
        now = self._now()

        def expire(tx: Tx) -> None:
            late = outbox.expire(tx, now)
            if late:
                self._decide_failed(tx, [Failed(number, "too late to be sent", "5.4.7") for number in late])

        await self._store.write(expire)

    def _start(self, turn: _HandOver) -> None:
        lane = asyncio.create_task(self._lane(turn), name=f"lane from message {turn.claimed.message.id}")
        self._lanes.add(lane)
        lane.add_done_callback(self._ended_lane)

    def _ended_lane(self, lane: asyncio.Task[None]) -> None:
        """A hand-over that broke off is a fault of ours: its message is asked for when the lease has run out."""
        self._lanes.discard(lane)
        if not lane.cancelled() and lane.exception() is not None:
            log.critical("hand-over broke off", task=lane.get_name(), exc_info=lane.exception())

    async def _lane(self, turn: _HandOver) -> None:
        """One place on the wire: whoever is next follows in the same step of the loop, so that it is never empty."""
        following: Turn | None = turn
        while isinstance(following, _HandOver):
            turn = following
            try:
                self._keep(turn, *await self._in_turn(turn))
            except BaseException as error:
                error.add_note(f"message {turn.claimed.message.id}")
                self._give_back(turn)
                if turn.places is not None:
                    turn.places.free()
                raise
            self._give_back(turn)
            following = turn.places.leave() if turn.places is not None else None
        if following is not None:
            following.start()

    def _late(self, turn: _HandOver) -> None:
        self._keep(turn, NotSent("no place came free for it in time"), 0.0)
        self._give_back(turn)

    def _keep(self, turn: _HandOver, ended: Accepted | DeliveryError, seconds: float) -> None:
        """What is to be written of a hand-over that took *seconds*."""
        claimed, gateways = turn.claimed, self._gateways()
        chain = [provider for provider in claimed.message.providers if provider in gateways]
        self._outcomes.append((claimed, outcome(claimed, claimed.earlier, ended, chain, self._now()), seconds))
        self._flush.set()

    def _give_back(self, turn: _HandOver) -> None:
        gateways, attempt = self._gateways(), turn.claimed.attempt
        gateways.give_back(attempt.provider, attempt.account)
        if gateways.wants(attempt.provider):
            self._woken.set()
        self._under_way -= 1
        if not self._under_way:
            self._idle.set()

    async def _in_turn(self, turn: _HandOver) -> tuple[Accepted | DeliveryError, float]:
        """How the hand-over ended and the seconds it took, now that it has its place on the wire."""
        gateways, name, clock = self._gateways(), turn.claimed.attempt.provider, asyncio.get_running_loop().time
        if turn.waits and self._stopping:
            return NotSent("the bridge stops, and its turn had not come"), 0.0
        if turn.waits and not gateways.is_well(name):
            return NotSent("the gateway rests since it was claimed"), 0.0
        begin = clock()
        ended = await self._handed_over(gateways, turn.claimed)
        seconds = clock() - begin
        if turn.places is not None:
            self._learn(gateways, name, ended, seconds)
        return ended, seconds

    async def _handed_over(self, gateways: Gateways, claimed: Claimed) -> Accepted | DeliveryError:
        attempt = claimed.attempt
        if self._now() >= claimed.lease_until:
            return NotSent("the lease ran out before the first byte")
        if attempt.provider not in gateways:
            return NotSent(f"{attempt.provider} is no longer configured")
        repeat = any(e.account == attempt.account and e.state == "UNKNOWN" for e in claimed.earlier)
        reached = any(e.account == attempt.account and (e.state == "UNKNOWN" or e.code) for e in claimed.earlier)
        request = Request(attempt.request, attempt.client_id, repeat, heard=reached, attempt=attempt.number)
        try:
            return await gateways[attempt.provider].submit(request)
        except DeliveryError as error:
            return error

    def _learn(self, gateways: Gateways, name: str, ended: Accepted | DeliveryError, seconds: float) -> None:
        """What this outcome says about the door and its account."""
        if name not in gateways:
            return
        match ended:
            case Accepted() | PermanentFailure():
                gateways.worked(name, seconds)
            case AccountPaused():
                self._pause(name, ended)
            case NotSent(code=code) if code:
                gateways.answered(name)  # "not now" is no fault of the door, and no proof that the account is well
            case NotSent() | OutcomeUnknown() | TemporaryFailure():
                self._speak_once(name, ended)
                if gateways.failed(name, ended.reason):
                    log.error("gateway rests", gateway=name, why=ended.reason)
                    self._alarm("gateway", name, ended.reason)

    def _pause(self, name: str, error: AccountPaused) -> None:
        """The account cannot be used: said once, by another path than its own (F24)."""
        if name in self._gateways() and self._gateways().pause(name, error):
            log.error("account paused", gateway=name, cause=error.cause, why=error.reason)
            self._alarm(PAUSED[error.cause], name, error.reason)

    def _speak_once(self, name: str, ended: DeliveryError) -> None:
        """A code that the provider's manual does not have is said loudly, once."""
        if isinstance(ended, TemporaryFailure) and ended.code and (name, ended.code) not in self._heard:
            self._heard.add((name, ended.code))
            log.error("unknown answer, treated as temporary", gateway=name, code=ended.code, why=ended.reason)

    async def _flush_loop(self) -> None:
        while True:
            await self._flush.wait()
            self._flush.clear()
            try:
                await self._write_outcomes()
            except StoreUnavailable as error:  # the outcomes stay in hand: an acceptance must not be forgotten
                log.warning("store away, outcomes wait", error=str(error), waiting=len(self._outcomes))
                await asyncio.sleep(_POLL)
                self._flush.set()

    async def _write_outcomes(self) -> None:
        batch, now = list(self._outcomes), self._now()
        if not batch:
            return

        def settle(tx: Tx) -> None:
            outbox.settle(tx, [result for _, result, _ in batch], now, self._charge())
            journal.add(tx, [_entry(claimed, result, now) for claimed, result, _ in batch])
            rejected = [r for _, r, _ in batch if r.final and r.message == "REJECTED"]
            failed = [Failed(r.message_id, r.reason, r.status) for r in rejected]
            if failed:
                self._decide_failed(tx, failed)

        await self._store.write(settle)
        del self._outcomes[: len(batch)]
        for claimed, result, seconds in batch:
            self._ended(claimed, result, seconds)

    async def _wait(self) -> None:
        try:
            async with asyncio.timeout(_POLL):
                await self._woken.wait()
        except TimeoutError:
            return


@dataclass(slots=True, eq=False)
class _HandOver:
    """A claimed message and the *places* it needs one of; None where they are no longer configured."""

    _start: Callable[[_HandOver], None]
    _late: Callable[[_HandOver], None]
    claimed: Claimed
    places: Places | None
    waits: bool = False  # or had to

    def start(self) -> None:
        self._start(self)

    def give_up(self) -> None:
        self._late(self)


def _entry(claimed: Claimed, result: Outcome, now: datetime) -> JournalEntry:
    message = claimed.message
    return JournalEntry(
        now,
        f"attempt.{result.submission.lower()}",
        message.mail_id,
        message.incident_id,
        message.id,
        {
            "attempt": result.attempt,
            "provider": claimed.attempt.provider,
            "client_id": claimed.attempt.client_id,
            "provider_id": result.provider_id,
            "reason": result.reason,
            "code": result.code,
            "cost": result.cost,
            "then": result.message,
        },
    )
