"""The loop between the door and the outbox: read what came in, decide it in batches, wake who sends.

A mail that the door of this node has just kept is handed over in memory; what a crash, a full hand-over or
another node left behind is claimed from the store. Timers and inbound SMS go the same way. Nothing is decided
here: ``read`` and ``decide`` are the pure functions that ``explain`` and ``test`` call too.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from datetime import datetime
from time import perf_counter

import structlog

from bridge.book import RuleBook
from bridge.dispatch.decide import decide, needs
from bridge.errors import StoreUnavailable
from bridge.intake import old_programs
from bridge.intake.passwords import NONE, Passwords
from bridge.intake.read import read, unreadable
from bridge.intake.worker import IN_PLACE, ReaderKilled, Worker
from bridge.model import Due, Email, Envelope, Happening, Reading, Started, StoredMail
from bridge.store import inbound, mails, plans, timers
from bridge.store.engine import Store, Tx

log = structlog.get_logger("planner")

BATCH = 64  # happenings decided in one transaction
_IN_HAND = 5_000  # mails that wait in memory; more are left to the store
_POLL = 1.0  # seconds between looks at the store: the wake-up is the rule, the poll is the truth
_CRASHES = 3  # readings that may fail before a mail is set aside (threats F26)
_SUSPECT = 2  # from this attempt on a mail is parsed where it can do no harm
_ENDS = 12  # a process that ended so often with the same mail begun did not end by chance


class Planner:
    """Reads and decides until it is stopped."""

    def __init__(
        self,
        store: Store,
        book: Callable[[], RuleBook],
        *,
        owner: str,
        own: str,
        now: Callable[[], datetime],
        decided: Callable[[Sequence[plans.Decided]], None],
        timed: Callable[[str, float], None] = lambda _stage, _seconds: None,
        passwords: Callable[[], Passwords] = lambda: NONE,
    ) -> None:
        """*own* is our loop mark; *decided* hears of every batch after its commit, *timed* of how long each stage took.

        *passwords* are those of old programs, of the same book.
        """
        self._store = store
        self._book = book
        self._owner = owner
        self._own = own
        self._now = now
        self._decided = decided
        self._timed = timed
        self._passwords = passwords
        self._masked: dict[int, bytes] = {}  # colon mails that are being decided, as they will be kept
        self._unmasked_in_log = False  # the log of the store still holds such a mail as it came
        self._in_hand: deque[StoredMail] = deque()
        self._woken = asyncio.Event()
        self._look = True
        self._fresh = False  # a book was taken, and nothing was decided on it yet
        self._worker = Worker()
        self.last_round = 0.0  # loop time of the last finished round: progress for the watchdog

    def offer(self, number: int, envelope: Envelope) -> None:
        """A mail that was just kept by this node."""
        if len(self._in_hand) < _IN_HAND:
            self._in_hand.append(StoredMail(number, envelope))
        self._woken.set()

    def started(self) -> None:
        """A rule book was taken: what it waits for is waited for from now on."""
        self._fresh = True
        self._woken.set()

    def wake(self) -> None:
        """Something new stands in the store (an inbound SMS, a retried mail)."""
        self._look = True
        self._woken.set()

    @property
    def in_hand(self) -> int:
        """Mails that wait in memory."""
        return len(self._in_hand)

    async def run(self) -> None:
        """Work until cancelled. A store that is away is waited for; nothing is dropped meanwhile."""
        loop = asyncio.get_running_loop()
        next_look = loop.time()
        while True:
            if loop.time() >= next_look:
                self._look, next_look = True, loop.time() + _POLL
            try:
                busy = await self._round()
            except StoreUnavailable as error:
                log.warning("store away", error=str(error))
                await asyncio.sleep(_POLL)
                continue
            self.last_round = loop.time()
            if not busy:
                if self._unmasked_in_log:
                    self._unmasked_in_log = not await self._store.empty_log()
                self._woken.clear()
                if not self._in_hand and not self._look and not self._fresh:
                    await _wait(self._woken, max(0.0, next_look - loop.time()))

    async def drain(self) -> None:
        """Decide what is in hand, once: called at a stop, after the doors are closed."""
        while self._in_hand:
            await self._round()

    def close(self) -> None:
        """End the reader process."""
        self._worker.close()

    async def _round(self) -> bool:
        """One batch; True when there may be more at once."""
        fresh = self._fresh
        batch = [self._in_hand.popleft() for _ in range(min(BATCH, len(self._in_hand)))]
        try:
            happenings: list[Happening] = [Started()] if self._fresh and self._book().standing.watches else []
            self._fresh = False
            if self._look:
                self._look = False
                claimed = await self._store.write(lambda tx: mails.claim(tx, self._owner, self._now(), BATCH))
                batch += claimed
                self._look = bool(claimed)  # there may be more: some come one at a time
                happenings += await self._store.read(self._waiting)
            for mail in batch:
                reading = await self._read(mail)
                if reading is not None:
                    happenings.append(reading)
            if happenings:
                await self._decide(happenings)
        except (StoreUnavailable, asyncio.CancelledError):
            self._fresh = fresh
            self._in_hand.extendleft(reversed([mail for mail in batch if mail.id not in self._ids_in_hand()]))
            raise
        if len(happenings) >= BATCH:
            self._look = True
        return bool(happenings)

    def _ids_in_hand(self) -> set[int]:
        return {mail.id for mail in self._in_hand}

    def _waiting(self, tx: Tx) -> list[Happening]:
        due: list[Happening] = [Due(timer) for timer in timers.due(tx, self._now(), BATCH)]
        return [*inbound.waiting(tx, BATCH), *due]

    async def _read(self, mail: StoredMail) -> Reading | None:
        """The reading of one mail; None when it has to wait for another try."""
        book, passwords = self._book(), self._passwords()
        if mail.attempts > _ENDS:
            return unreadable(mail, book, f"the program ended {_ENDS} times while it was read")
        try:
            email = await self._parsed_elsewhere(mail, book)
            begin = perf_counter()
            reading = read(mail, book, own=self._own, email=email, passwords=passwords)
            masked = old_programs.kept(mail.envelope, book, passwords, email)
            if masked is not None:
                self._masked[mail.id] = masked
            self._timed("read", perf_counter() - begin)
            return reading
        except ReaderKilled as killed:
            log.error("mail cannot be read", mail=mail.id, why=str(killed))
            return unreadable(mail, book, str(killed))
        except Exception:
            log.exception("reading failed", mail=mail.id, attempt=mail.attempts)
            if mail.attempts >= _CRASHES:
                return unreadable(mail, book, f"it stopped the reader {_CRASHES} times")
            return None

    async def _parsed_elsewhere(self, mail: StoredMail, book: RuleBook) -> Email | None:
        """The mail parsed by the worker, if it is big or suspect; None: it is parsed in place.

        A mail that was begun and not finished may have ended the process, or the process was ended by something
        else: only the worker can tell, so the count alone condemns nobody.
        """
        if len(mail.envelope.content) <= IN_PLACE and mail.attempts < _SUSPECT:
            await asyncio.sleep(0)  # let the doors answer between two mails
            return None
        from bridge.routing.facts import facts_of

        entry = book.sources.of(facts_of(mail.envelope)).entry
        return await self._worker.parse(mail.envelope, entry.default_charset if entry else None)

    async def _decide(self, happenings: Sequence[Happening]) -> None:
        try:
            decided = await self._commit(happenings)
        except StoreUnavailable:
            raise
        except Exception:
            log.exception("batch failed, deciding one by one", happenings=len(happenings))
            decided = []
            for happening in happenings:
                decided += await self._alone(happening)
        for one in decided:
            if one.error is not None:
                log.error("deciding failed", happening=type(one.happening).__name__, exc_info=one.error)
        self._decided(decided)

    async def _alone(self, happening: Happening) -> list[plans.Decided]:
        try:
            return await self._commit([happening])
        except StoreUnavailable:
            raise
        except Exception:
            log.exception("deciding failed", happening=type(happening).__name__)
            return []

    async def _commit(self, happenings: Sequence[Happening]) -> list[plans.Decided]:
        book, now = self._book(), self._now()

        def operation(tx: Tx) -> list[plans.Decided]:
            begin = perf_counter()
            decided = plans.plan(
                tx, happenings, lambda h, o: needs(h, book, now, o), lambda h, m: decide(h, book, m, now), now
            )
            for one in decided:
                if isinstance(one.happening, Reading) and one.error is None and one.happening.mail_id in self._masked:
                    mails.rewrite(tx, one.happening.mail_id, self._masked[one.happening.mail_id])
            self._timed("plan", perf_counter() - begin)
            return decided

        done = await self._store.write(operation)
        self._unmasked_in_log |= bool(self._masked)
        for happening in happenings:  # also those that somebody else has decided
            if isinstance(happening, Reading):
                self._masked.pop(happening.mail_id, None)
        return done


async def _wait(event: asyncio.Event, seconds: float) -> None:
    try:
        async with asyncio.timeout(seconds):
            await event.wait()
    except TimeoutError:
        return
