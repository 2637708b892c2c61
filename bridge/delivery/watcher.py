"""The loop that asks: what became of a message whose answer was lost, and of one nobody reported.

UNKNOWN is resolved by evidence as ``unknown`` says, before anything is sent elsewhere; ACCEPTED without a receipt
is polled beside the callbacks, because callbacks get lost (threats F08).
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from functools import partial
from typing import Protocol

import structlog

from bridge.delivery import handed, history, repeated
from bridge.delivery.gateways import PAUSED, Gateways
from bridge.delivery.unknown import YOUNG, Ask, Believe, GiveUp, Resend, heard, next_step, unresolved
from bridge.errors import AccountPaused, DeliveryError, StoreUnavailable
from bridge.model import Failed, JournalEntry, Message, MessageState, Receipt, TroubleKind
from bridge.providers.base import AnswersLate, Doubt, FindsSent, Gateway, Question, Request, StatusAnswer
from bridge.store import fates, journal, outbox, spends
from bridge.store.attempts import Claimed, Outcome, Watched
from bridge.store.engine import Store, Tx

log = structlog.get_logger("watcher")

_MOST = 50
_POLL = 0.5
_SWEEP = 15.0  # seconds between looks for hand-overs that nobody holds any more
_ASK_AGAIN = (30, 60, 120, 300, 600)  # seconds between questions for a message that was taken; the last one repeats
_NEVER = timedelta(days=3650)
_STOP_ASKING = timedelta(hours=1)  # after its validity: "accepted" is then all that will ever be known


class Submit(Protocol):
    """How the sender is given an identical repeat."""

    def __call__(self, claimed: Claimed) -> None: ...


class Watcher:
    """Asks until it is stopped. *decide* decides receipts and failures inside a transaction.

    *charge* says what a provider took, in the currency of the budgets. *alarm* hears of accounts that paused (F24),
    *doubled* of messages, by their gateway, that may arrive twice from now on (F13).
    """

    def __init__(
        self,
        store: Store,
        gateways: Callable[[], Gateways],
        *,
        owner: str,
        now: Callable[[], datetime],
        decide: Callable[[Tx, Sequence[Receipt | Failed]], None],
        submit: Submit,
        charge: Callable[[], spends.Charge | None] = lambda: None,
        moved: Callable[[Message, str], None] = lambda _message, _state: None,
        alarm: Callable[[TroubleKind, str, str], None] = lambda _kind, _name, _why: None,
        doubled: Callable[[str], None] = lambda _provider: None,
    ) -> None:
        self._store = store
        self._gateways = gateways
        self._owner = owner
        self._now = now
        self._decide = decide
        self._submit = submit
        self._charge = charge
        self._moved = moved
        self._alarm = alarm
        self._doubled = doubled

    async def run(self) -> None:
        """Work until cancelled."""
        loop = asyncio.get_running_loop()
        next_sweep = loop.time() + _SWEEP
        while True:
            try:
                if loop.time() >= next_sweep:
                    next_sweep = loop.time() + _SWEEP
                    await self.sweep()
                if await self.round():
                    continue
            except StoreUnavailable as error:
                log.warning("store away", error=str(error))
            await asyncio.sleep(_POLL)

    async def round(self) -> bool:
        """Ask about everything that is due; True when there may be more."""
        due = await self._store.write(lambda tx: fates.watch(tx, self._now(), self._owner, _MOST))
        unknown = [one for one in due if self._is_doubtful(one)]
        taken = [one for one in due if not self._is_doubtful(one)]
        await asyncio.gather(*(self._resolve(one) for one in unknown), self._poll(taken))
        return len(due) == _MOST

    async def sweep(self) -> None:
        """A hand-over whose lease ran out is nobody's: of a node that died, or one that broke off. Ask for its fate."""
        found = await self._store.write(lambda tx: fates.run_out(tx, self._now()))
        if found:
            log.warning("hand-overs without an end", messages=found)

    def _is_doubtful(self, watched: Watched) -> bool:
        """A lost answer, or a mail relay's 250, which says little, as long as there is somebody to ask."""
        late = self._doubt(watched) == "late" and self._now() < watched.message.valid_until + _STOP_ASKING
        return watched.message.state == "UNKNOWN" or (watched.message.state == "HANDED_OVER" and late)

    def _doubt(self, watched: Watched) -> Doubt:
        gateways, name = self._gateways(), watched.attempts[-1].provider if watched.attempts else ""
        return gateways[name].doubt if name in gateways else "ask"

    # a lost answer

    async def _resolve(self, watched: Watched) -> None:
        gateways, now = self._gateways(), self._now()
        name = watched.attempts[-1].provider
        if name in gateways and _answered_late(gateways[name], watched):
            await self._resend(gateways, watched, "its answer came late")
            return
        revision = gateways[name].revision if name in gateways else ""
        message = watched.message
        match self._doubt(watched):
            case "late":
                step = handed.next_step(watched.attempts, message.state, message.message_class, revision, now)
            case "history":
                step = history.next_step(watched.attempts, message.message_class, revision, now)
            case "repeat" | "once" as doubt:
                step = repeated.next_step(watched.attempts, message.message_class, revision, doubt, now)
            case _:
                step = next_step(watched.attempts, message.message_class, revision, now)
        match step:
            case Ask(at) if at > now or name not in gateways:
                await self._store.write(lambda tx: fates.look_again(tx, watched.message.id, max(at, now + _second())))
            case Ask():
                await self._ask(gateways, watched)
            case Resend(why):
                await self._resend(gateways, watched, why)
            case Believe() as belief:
                await self._believe(watched, belief)
            case GiveUp() as end:
                await self._give_up(watched, end)

    async def _ask(self, gateways: Gateways, watched: Watched) -> None:
        attempt, gateway = watched.attempts[-1], gateways[watched.attempts[-1].provider]
        ended: StatusAnswer | DeliveryError
        try:
            ended = await _fate(gateway, watched)
        except DeliveryError as error:
            self._pause_if(gateways, attempt.provider, error)
            ended = error
        ours = True
        if isinstance(ended, StatusAnswer) and ended.state is not None and gateway.doubt != "history":
            request = Request(attempt.request, attempt.client_id)
            ours = gateway.is_ours(request, ended, watched.attempts[0].started_at)
        now = self._now()
        evidence = heard(ended, now, ours=ours)
        await self._store.write(lambda tx: fates.remember(tx, attempt, evidence, now))

    def _pause_if(self, gateways: Gateways, name: str, error: DeliveryError) -> None:
        """Asking a blocked account prolongs the block. Whoever finds it out first says so (F24)."""
        if isinstance(error, AccountPaused) and gateways.pause(name, error):
            log.error("account paused", gateway=name, cause=error.cause, why=error.reason)
            self._alarm(PAUSED[error.cause], name, error.reason)

    async def _resend(self, gateways: Gateways, watched: Watched, why: str) -> None:
        name, now = watched.attempts[-1].provider, self._now()
        perhaps_double = _perhaps_double(gateways[name], watched, now)

        def again(tx: Tx) -> Claimed | None:
            if taken and gateways.room(name, gateways.pace(tx, now, self._owner)) >= 0:
                data: dict[str, object] = {"provider": name, "why": why, "perhaps_double": perhaps_double}
                journal.add(tx, [_entry(watched.message, "attempt.repeated", now, data)])
                return fates.again(tx, watched, now, self._owner)
            fates.look_again(tx, watched.message.id, now + _second())
            return None

        taken, claimed = gateways.take(name), None
        try:
            claimed = await self._store.write(again)
        finally:
            if taken and claimed is None:
                gateways.give_back(name)
        if claimed is None:
            return
        log.warning("identical request again", message=watched.message.id, gateway=name, why=why)
        if perhaps_double:
            self._doubled(name)
        self._submit(claimed)

    async def _believe(self, watched: Watched, belief: Believe) -> None:
        message, attempt, now = watched.message, watched.attempts[-1], self._now()
        gateways = self._gateways()
        listed = self._doubt(watched) == "history"  # the list has no id that a receipt will name
        reason = "found in the list of sent messages" if listed else "found by its id"
        settled = Outcome(
            message.id, attempt.number, "ACCEPTED", "ACCEPTED", reason=reason,
            provider_id="" if listed else attempt.client_id, code=belief.code, cost=belief.cost, due_at=now,
        )  # fmt: skip
        receipt = Receipt(message.id, belief.state, attempt.provider, belief.code, belief.error)
        if attempt.provider in gateways:
            found = StatusAnswer(belief.state, belief.code, belief.error)
            receipt = gateways[attempt.provider].receipt(message.id, found)

        def believe(tx: Tx) -> None:
            fates.reconsider(tx, message.id)
            outbox.settle(tx, [settled], now, self._charge())
            journal.add(tx, [_entry(message, "attempt.found", now, {"code": belief.code, "cost": belief.cost})])
            if belief.state != "ACCEPTED":
                self._decide(tx, [receipt])

        await self._store.write(believe)
        self._moved(message, "ACCEPTED")

    async def _give_up(self, watched: Watched, end: GiveUp) -> None:
        """No proof in time: critical goes another way, marked; the rest waits for a person (threats §2)."""
        message, attempt, now = watched.message, watched.attempts[-1], self._now()
        chain = self._copies_by(watched) if end.how == "copy" else ()
        # with a copy on its way the first stays UNKNOWN for good: only a receipt may still say what became of it
        state: MessageState = "UNKNOWN" if chain else "HELD"
        due = now + _NEVER if chain else now
        settled = Outcome(message.id, attempt.number, "UNKNOWN", state, reason=f"unknown: {end.why}", due_at=due)

        def give_up(tx: Tx) -> None:
            fates.reconsider(tx, message.id)
            outbox.settle(tx, [settled], now)
            journal.add(tx, [_entry(message, "attempt.given_up", now, {"how": end.how, "why": end.why})])
            why, asked = f"outcome unknown, {end.why}", _times_asked(watched)
            self._decide(tx, [Failed(message.id, why, "4.4.2", chain, attempt.provider, asked)])

        await self._store.write(give_up)
        log.error("outcome unknown", message=message.id, how=end.how, why=end.why)
        if chain:
            self._doubled(attempt.provider)
        self._moved(message, "HELD")

    def _copies_by(self, watched: Watched) -> tuple[str, ...]:
        """The chain without the door in doubt; those of its account last, which may have the first copy already.

        Where there is no other it is asked once more, but not where it is sure to send the first copy, too.
        """
        gateways, message, attempt = self._gateways(), watched.message, watched.attempts[-1]
        left = [name for name in message.providers if name != attempt.provider]
        same = {name for name in left if name in gateways and gateways[name].account == attempt.account}
        if repeated.kept(watched.attempts):
            return tuple(name for name in left if name not in same)
        return tuple(sorted(left, key=lambda name: name in same)) or message.providers

    # a receipt that nobody sent

    async def _poll(self, taken: Sequence[Watched]) -> None:
        gateways, now = self._gateways(), self._now()
        by_door: dict[str, list[Watched]] = {}
        for one in taken:
            name = one.attempts[-1].provider if one.attempts else ""
            if name in gateways and now < one.message.valid_until + _STOP_ASKING:
                by_door.setdefault(name, []).append(one)
            else:
                await self._store.write(partial(_forget, one.message.id, now))
        await asyncio.gather(*(self._poll_door(gateways, name, ones) for name, ones in by_door.items()))

    async def _poll_door(self, gateways: Gateways, name: str, ones: Sequence[Watched]) -> None:
        questions = {_question(one): one for one in ones}
        try:
            answers = await gateways[name].statuses(tuple(questions))
        except DeliveryError as error:
            self._pause_if(gateways, name, error)
            answers = {}
        now = self._now()

        known = {one.message.id: a for q, one in questions.items() if (a := answers.get(q)) and a.state is not None}

        def write(tx: Tx) -> None:
            moved = {number: answer for number, answer in known.items() if answer.state != "ACCEPTED"}
            self._decide(tx, [gateways[name].receipt(number, answer) for number, answer in moved.items()])
            for number, answer in known.items():
                if answer.cost is not None:
                    fates.set_cost(tx, number, str(answer.cost), self._charge())
            for one in ones:
                fates.look_again(tx, one.message.id, now + _pause(one, now))

        await self._store.write(write)


async def _fate(gateway: Gateway, watched: Watched) -> StatusAnswer:
    """What the provider says of the last attempt, asked for by our id, or looked for among what was sent."""
    attempt = watched.attempts[-1]
    if gateway.doubt == "history" and isinstance(gateway, FindsSent):
        first = unresolved(watched.attempts, attempt.account)[0]
        return await gateway.find(Request(attempt.request, attempt.client_id), first.started_at)
    return await gateway.status(_question(watched))


def _answered_late(gateway: Gateway, watched: Watched) -> bool:
    unknown = watched.message.state == "UNKNOWN" and watched.attempts[-1].revision == gateway.revision
    return unknown and isinstance(gateway, AnswersLate) and gateway.answered_late(watched.attempts[-1].client_id)


def _perhaps_double(gateway: Gateway, watched: Watched, now: datetime) -> bool:
    """Whether a repeat may be a second SMS: nothing refuses it any more, and no id of ours makes it the first."""
    if gateway.doubt == "repeat" or _answered_late(gateway, watched):
        return False
    if watched.message.state == "HANDED_OVER":
        return True
    doubtful = unresolved(watched.attempts, watched.attempts[-1].account)
    return bool(doubtful) and now - doubtful[0].started_at >= YOUNG


def _times_asked(watched: Watched) -> int:
    return sum(one["said"] != "nobody" for each in watched.attempts for one in each.evidence)


def _question(watched: Watched) -> Question:
    last = watched.attempts[-1]
    return Question(watched.message.phone, last.client_id, last.provider_id)


def _forget(message_id: int, now: datetime, tx: Tx) -> None:
    """Nobody will ever say more about this message: it stays as it is."""
    fates.look_again(tx, message_id, now + _NEVER)


def _pause(watched: Watched, now: datetime) -> timedelta:
    """Ask often at first, rarely later: most receipts come within seconds."""
    age = (now - watched.message.created_at).total_seconds()
    return timedelta(seconds=next((s for s in _ASK_AGAIN if age < 4 * s), _ASK_AGAIN[-1]))


def _second() -> timedelta:
    return timedelta(seconds=1)


def _entry(message: Message, kind: str, now: datetime, data: dict[str, object]) -> JournalEntry:
    return JournalEntry(now, kind, message.mail_id, message.incident_id, message.id, data)
