"""What to do about a message whose attempt ended without an answer (threats §2, row "smsc HTTP"). Pure.

Nothing is sent while asking may still tell. The client id makes a message findable, it does not deduplicate;
what protects against a double is the provider's rule of one identical request a minute, so an identical
request may go out early (it is then refused, or it proves that the first never came), and late only once
the provider has said again and again that it has nothing. An early double's refusal (error 9) proves nothing.

    +2 s             ask; found and it is ours: believe it
    not found, 45 s  identical request again, as long as the oldest doubtful attempt is younger than 45 s
    +10, +30, +90 s  ask; still not found at +90: one more resend, same id
    then             ask every minute
    deadline         critical 120 s: another provider, marked as a possible double; else 15 min: hold
    ... but never without a word of the provider's from the last minute before: a bridge that was down asks first
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal, Self, cast

from bridge.errors import DeliveryError
from bridge.model import MessageClass, MessageState
from bridge.providers.base import NoWayToAsk, StatusAnswer
from bridge.store.attempts import Attempt

FIRST_QUESTION = timedelta(seconds=2)
YOUNG = timedelta(seconds=45)
_LADDER = tuple(timedelta(seconds=seconds) for seconds in (2, 10, 30, 90))
_THEN_EVERY = timedelta(seconds=60)
_ENOUGH = 3  # how often "not found" must have been heard before a resend that the minute rule does not guard
_MOST_A_MINUTE = 5  # status questions for one message; one more is refused
_MINUTE = timedelta(seconds=60)
DEADLINES: Mapping[MessageClass, timedelta] = {
    "critical": timedelta(seconds=120),
    "normal": timedelta(minutes=15),
    "bulk": timedelta(minutes=15),
}

Said = Literal["found", "not found", "another", "nothing", "nobody"]
"""``nothing``: the question brought no answer. ``nobody``: there is none who could be asked."""


@dataclass(frozen=True, slots=True)
class Ask:
    """Ask the provider at *at* (which may be past: then now)."""

    at: datetime


@dataclass(frozen=True, slots=True)
class Resend:
    """Make the identical request again, now: same id, same canonical form."""

    why: str


@dataclass(frozen=True, slots=True)
class Believe:
    """The provider has it; *state* is ACCEPTED or what the network says already."""

    state: MessageState
    code: str
    error: str
    cost: str | None = None  # in the provider's currency, None = it did not say


@dataclass(frozen=True, slots=True)
class GiveUp:
    """No proof in time. *how*: ``copy`` = another provider, marked "maybe second copy"; ``hold`` = and tell people."""

    how: Literal["copy", "hold"]
    why: str


Step = Ask | Resend | Believe | GiveUp
Evidence = Mapping[str, str]


def unresolved(attempts: Sequence[Attempt], account: str) -> tuple[Attempt, ...]:
    """The attempts at *account* that may have been taken, oldest first; empty when nothing is in doubt."""
    return tuple(a for a in attempts if a.account == account and a.state in ("UNKNOWN", "INFLIGHT"))


def heard(ended: StatusAnswer | DeliveryError, now: datetime, *, ours: bool = True) -> dict[str, str]:
    """What one question brought, as evidence for ``fates.remember``. *ours*: what ``Gateway.is_ours`` said."""
    if isinstance(ended, DeliveryError):
        none = "nobody" if isinstance(ended, NoWayToAsk) else "nothing"
        return {"at": now.isoformat(), "said": none, "code": ended.code, "why": ended.reason}
    said: Said = "not found" if ended.state is None else "found" if ours else "another"
    cost = {} if ended.cost is None else {"cost": str(ended.cost)}
    return {
        "at": now.isoformat(),
        "said": said,
        "state": ended.state or "",
        "code": ended.code,
        "error": ended.error,
        **cost,
    }


def is_stale(evidence: Sequence[Evidence], deadline: datetime, revision: str) -> bool:
    """Whether a gateway that is there (*revision*) is asked once more before *deadline* means anything: nobody has
    heard of it shortly before, because no bridge ran. *evidence*: oldest first."""
    if not revision or (evidence and evidence[-1]["said"] == "nobody"):
        return False
    return not evidence or _at(evidence[-1]) < deadline - _MINUTE


def next_step(attempts: Sequence[Attempt], message_class: MessageClass, revision: str, now: datetime) -> Step:
    """The next step for a message in UNKNOWN. *attempts*: all of it, oldest first, with their evidence.

    *revision* is that of the gateway's settings today ("" = it is gone): with others than those of the
    attempt, the stored request may mean something else, and only questions are allowed.
    """
    doubt = _Doubt.of(attempts)
    for one in doubt.evidence:
        if one["said"] == "found":
            return Believe(cast(MessageState, one["state"]), one["code"], one["error"], one.get("cost"))
    deadline = doubt.first.started_at + DEADLINES[message_class]
    if now >= deadline:
        if is_stale(doubt.evidence, deadline, revision):
            return Ask(now)
        return GiveUp("copy" if message_class == "critical" else "hold", _summary(doubt.evidence))
    if doubt.last.revision == revision and doubt.may_resend(now):
        return Resend(_summary(doubt.evidence))
    return Ask(min(doubt.next_question(), deadline))


@dataclass(frozen=True, slots=True)
class _Doubt:
    """The attempts without an outcome, and all that was heard about them, oldest first."""

    doubtful: tuple[Attempt, ...]
    newest_end: datetime  # of any attempt at the account, also of a resend that never left
    evidence: tuple[Evidence, ...]

    @classmethod
    def of(cls, attempts: Sequence[Attempt]) -> Self:
        """Raises ValueError when nothing is in doubt."""
        same = [attempt for attempt in attempts if attempt.account == attempts[-1].account]
        doubtful = unresolved(same, attempts[-1].account)
        if not doubtful:
            raise ValueError("no attempt of this message is in doubt")
        heard_so_far = sorted((one for attempt in same for one in attempt.evidence), key=_at)
        return cls(doubtful, max(_end(attempt) for attempt in same), tuple(heard_so_far))

    @property
    def first(self) -> Attempt:
        return self.doubtful[0]

    @property
    def last(self) -> Attempt:
        return self.doubtful[-1]

    def heard_since_last(self) -> tuple[Evidence, ...]:
        """What was answered after the last doubtful attempt had ended."""
        return tuple(one for one in self.evidence if _at(one) > _end(self.last))

    def may_resend(self, now: datetime) -> bool:
        """Whether the newest word is "not found", and either the minute rule guards a resend or doubt has worn thin."""
        said = [one["said"] for one in self.heard_since_last()]
        if not said or said[-1] != "not found" or _at(self.evidence[-1]) <= self.newest_end:
            return False
        if any(one["said"] == "another" for one in self.evidence):
            return False
        if now - self.first.started_at < YOUNG:
            return all(attempt.code != "9" for attempt in self.doubtful)
        resent_late = any(attempt.started_at - self.first.started_at >= YOUNG for attempt in self.doubtful)
        worn_thin = _at(self.evidence[-1]) >= _end(self.last) + _LADDER[-1] and said.count("not found") >= _ENOUGH
        return worn_thin and not resent_late

    def next_question(self) -> datetime:
        """By the ladder after the end of the last attempt, then every minute; never more than five a minute."""
        asked = self.heard_since_last()
        due = _end(self.last) + _LADDER[min(len(asked), len(_LADDER) - 1)]
        if asked:
            due = max(due, _at(asked[-1]) + (FIRST_QUESTION if len(asked) < len(_LADDER) else _THEN_EVERY))
        if len(self.evidence) >= _MOST_A_MINUTE:
            due = max(due, _at(self.evidence[-_MOST_A_MINUTE]) + _MINUTE)
        return due


def _end(attempt: Attempt) -> datetime:
    return attempt.finished_at or attempt.started_at


def _at(evidence: Evidence) -> datetime:
    return datetime.fromisoformat(evidence["at"])


def _summary(evidence: Sequence[Evidence]) -> str:
    """``asked 4 times: 3 × not found, 1 × nothing``."""
    said = [one["said"] for one in evidence]
    counts = ", ".join(f"{said.count(word)} × {word}" for word in dict.fromkeys(said))
    return f"asked {len(said)} times: {counts}" if said else "never asked"
