"""What to do about a message that went by mail (threats §2, row "smsc SMTP"). Pure.

A relay's 250 proves that somebody has the mail, a lost answer after the final dot not even that; either way the relay
may keep it for minutes, so a question means little at first, and "not found" only after it was heard late.

    +30 s, +2, +5 min  ask over HTTP; found and it is ours: believe it
    critical           not found at +2 min or later: another provider, marked as a possible double
    else               not found three times: one resend under the same id, asked for in the same way; then tell people
                       (no resend after 15 min, where the relay was away for so long)
    no answer          a 250 stands, and asking goes on every 5 min; without a 250 the deadline of a lost answer holds
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import cast

from bridge.delivery.unknown import DEADLINES, Ask, Believe, Evidence, GiveUp, Resend, Step, is_stale
from bridge.model import MessageClass, MessageState
from bridge.store.attempts import Attempt

_LADDER = tuple(timedelta(seconds=seconds) for seconds in (30, 120, 300))
_THEN_EVERY = timedelta(minutes=5)
_ENOUGH = len(_LADDER)  # how often "not found" must have been heard before it is sent once more
_MAY_BE_THERE = ("ACCEPTED", "UNKNOWN", "INFLIGHT")  # of a submission; by mail ACCEPTED is the relay's 250


def next_step(
    attempts: Sequence[Attempt], state: MessageState, message_class: MessageClass, revision: str, now: datetime
) -> Step:
    """The next step for a message in *state* HANDED_OVER or UNKNOWN. *attempts*: all of it, oldest first.

    *revision* is that of the gateway's settings today: with others than those of the attempt nothing is sent again.
    """
    sent = [one for one in attempts if one.account == attempts[-1].account and one.state in _MAY_BE_THERE]
    evidence = sorted((one for attempt in attempts for one in attempt.evidence), key=_at)
    for one in evidence:
        if one["said"] == "found":
            return Believe(cast(MessageState, one["state"]), one["code"], one["error"], one.get("cost"))
    since = (sent or attempts)[-1].finished_at or (sent or attempts)[-1].started_at
    heard = [one for one in evidence if _at(one) > since]
    late = _late(heard, since)
    deadline = attempts[0].started_at + DEADLINES[message_class]
    if message_class == "critical" and late:
        return GiveUp("copy", _summary(evidence))
    if late >= _ENOUGH:
        may_resend = len(sent) < 2 and attempts[-1].revision == revision and now < deadline
        return Resend(_summary(evidence)) if may_resend else GiveUp("hold", _summary(evidence))
    if state == "UNKNOWN" and now >= deadline:
        if is_stale(evidence, deadline, revision):
            return Ask(now)
        return GiveUp("copy" if message_class == "critical" else "hold", _summary(evidence))
    due = _next_question(heard, since)
    return Ask(min(due, deadline) if state == "UNKNOWN" else due)


def _late(heard: Sequence[Evidence], since: datetime) -> int:
    """How often "not found" was heard, if the newest word is that and it came late enough to mean something."""
    if not heard or heard[-1]["said"] != "not found" or _at(heard[-1]) < since + _LADDER[1]:
        return 0
    return sum(one["said"] == "not found" for one in heard)


def _next_question(heard: Sequence[Evidence], since: datetime) -> datetime:
    if len(heard) < len(_LADDER):
        return since + _LADDER[len(heard)]
    return _at(heard[-1]) + _THEN_EVERY


def _at(evidence: Mapping[str, str]) -> datetime:
    return datetime.fromisoformat(evidence["at"])


def _summary(evidence: Sequence[Evidence]) -> str:
    """``by mail, asked 3 times: 3 × not found``."""
    said = [one["said"] for one in evidence]
    counts = ", ".join(f"{said.count(word)} × {word}" for word in dict.fromkeys(said))
    return f"by mail, asked {len(said)} times: {counts}" if said else "by mail, never asked"
