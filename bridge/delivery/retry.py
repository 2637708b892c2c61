"""How an attempt ended and what becomes of its message: the one place that answers "may it be tried again?".

Pure. An acceptance or an error of ``bridge.errors`` goes in, an ``Outcome`` for the outbox comes out.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Literal

from bridge.delivery.unknown import FIRST_QUESTION, unresolved
from bridge.errors import DeliveryError, NotSent, OutcomeUnknown, PermanentFailure, TemporaryFailure
from bridge.providers.base import Accepted
from bridge.store.attempts import Attempt, Claimed, Outcome

_BACKOFF = (2, 5, 15, 30, 60)
"""Seconds after the first, second … round through the chain of providers; the last one from then on."""

FIRST_RECEIPT = timedelta(seconds=30)
"""When to ask for the first time what became of a message that was taken, if no callback has told it."""


def backoff(attempts: int, doors: int) -> timedelta:
    """How long to wait after *attempts* failed ones: nothing while one of *doors* was not tried in this round."""
    rounds, begun = divmod(attempts, max(doors, 1))
    if begun:
        return timedelta(0)
    return timedelta(seconds=_BACKOFF[min(rounds, len(_BACKOFF)) - 1])


def outcome(
    claimed: Claimed, earlier: Sequence[Attempt], ended: Accepted | DeliveryError, chain: Sequence[str], now: datetime
) -> Outcome:
    """What to write about *claimed*.

    *earlier*: the message's attempts before this one, oldest first. *chain*: those of its providers that are
    there. Where an earlier attempt at this account has no proven outcome, only acceptance or a refusal of the
    content ends the doubt; through everything else the message stays UNKNOWN and is asked for.
    """
    if isinstance(ended, Accepted):
        return _accepted(claimed, ended, now)
    refused = {attempt.provider for attempt in earlier if attempt.state == "REFUSED"}
    left = [name for name in chain if name not in refused]
    if claimed.message.state == "HANDED_OVER":
        return _still_handed_over(claimed, ended, now)
    if isinstance(ended, PermanentFailure):
        return _refused(claimed, ended, [name for name in left if name != claimed.attempt.provider], now)
    if isinstance(ended, OutcomeUnknown) or unresolved(earlier, claimed.attempt.account):
        return _unknown(claimed, ended, now)
    return _again(claimed, [a for a in earlier if a.provider in left], ended, len(left), now)


def _accepted(claimed: Claimed, ended: Accepted, now: datetime) -> Outcome:
    return Outcome(
        message_id=claimed.message.id,
        attempt=claimed.attempt.number,
        submission="ACCEPTED",
        message="HANDED_OVER" if ended.handed_over else "ACCEPTED" if ended.provider_id else "ACCEPTED_NO_ID",
        provider_id=ended.provider_id,
        cost=None if ended.cost is None else str(ended.cost),
        due_at=now + FIRST_RECEIPT,
    )


def _refused(claimed: Claimed, ended: PermanentFailure, others: Sequence[str], now: datetime) -> Outcome:
    """Refused here for good; another provider of the chain may still reach the number."""
    return Outcome(
        message_id=claimed.message.id,
        attempt=claimed.attempt.number,
        submission="REFUSED",
        message="READY" if others else "REJECTED",
        reason=ended.reason,
        code=ended.code,
        due_at=now,
        final=not others,
        status=ended.status,
    )


def _still_handed_over(claimed: Claimed, ended: DeliveryError, now: datetime) -> Outcome:
    """A resend failed; what a relay took before may still arrive, so nobody else is given the message."""
    submission: Literal["REFUSED", "UNKNOWN", "NOT_SENT"] = "NOT_SENT"
    if isinstance(ended, PermanentFailure | OutcomeUnknown):
        submission = "REFUSED" if isinstance(ended, PermanentFailure) else "UNKNOWN"
    return Outcome(
        message_id=claimed.message.id,
        attempt=claimed.attempt.number,
        submission=submission,
        message="HANDED_OVER",
        reason=ended.reason,
        code=ended.code,
        due_at=now + FIRST_RECEIPT,
    )


def _unknown(claimed: Claimed, ended: DeliveryError, now: datetime) -> Outcome:
    return Outcome(
        message_id=claimed.message.id,
        attempt=claimed.attempt.number,
        submission="UNKNOWN" if isinstance(ended, OutcomeUnknown) else "NOT_SENT",
        message="UNKNOWN",
        reason=ended.reason,
        code=ended.code,
        due_at=now + FIRST_QUESTION,
    )


def _again(claimed: Claimed, earlier: Sequence[Attempt], ended: DeliveryError, doors: int, now: datetime) -> Outcome:
    """Not taken: once more, at once where another door was not tried, but never after the message's validity."""
    wait = backoff(len(earlier) + 1, doors)
    if doors <= 1 and isinstance(ended, NotSent | TemporaryFailure):
        wait = max(wait, timedelta(seconds=ended.retry_after))
    return Outcome(
        message_id=claimed.message.id,
        attempt=claimed.attempt.number,
        submission="NOT_SENT",
        message="READY",
        reason=ended.reason,
        code=ended.code,
        due_at=min(now + wait, claimed.message.valid_until),
    )
