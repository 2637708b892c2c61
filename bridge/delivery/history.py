"""What to do about a lost answer where only the list of sent messages can be asked (threats §2, row SMPP). Pure.

There is no id of ours in it: a message is found by its phone, its text and its time. A receipt that nobody expected
settles the doubt earlier (``store.linked``), an answer that comes late too. The list may be slow, so while the provider
refuses a double of the last minute the identical PDU goes again whatever the list said, unless the message is in it.

    +2 s             ask; found: believe it
    younger than 45 s  identical PDU again, once
    +30, +90 s       ask; not found at +90: one more resend, a possible double (not where a copy goes soon anyway).
                     Where there is no list, too, but not after a repeat that was refused: it knew the first, it seems
    then             ask every 5 min
    deadline         critical 120 s: another provider, marked as a possible double; else 15 min: hold
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import cast

from bridge.delivery.unknown import (
    DEADLINES,
    FIRST_QUESTION,
    YOUNG,
    Ask,
    Believe,
    Evidence,
    GiveUp,
    Resend,
    Step,
    is_stale,
    unresolved,
)
from bridge.model import MessageClass, MessageState
from bridge.store.attempts import Attempt

_LADDER = (FIRST_QUESTION, timedelta(seconds=30), timedelta(seconds=90))  # three identical questions a minute at most
_THEN_EVERY = timedelta(minutes=5)


def next_step(attempts: Sequence[Attempt], message_class: MessageClass, revision: str, now: datetime) -> Step:
    """The next step for a message in UNKNOWN. Arguments as ``unknown.next_step``."""
    account = attempts[-1].account
    made = [attempt for attempt in attempts if attempt.account == account]
    doubtful = unresolved(made, account)
    evidence = sorted((one for attempt in made for one in attempt.evidence), key=_at)
    for one in evidence:
        if one["said"] == "found":
            return Believe(cast(MessageState, one["state"]), one["code"], one["error"], one.get("cost"))
    deadline = doubtful[0].started_at + DEADLINES[message_class]
    if now >= deadline:
        if is_stale(evidence, deadline, revision):
            return Ask(now)
        return GiveUp("copy" if message_class == "critical" else "hold", _summary(evidence))
    since = max(_end(attempt) for attempt in made)  # also of a resend that never left
    heard = [one for one in evidence if _at(one) > since]
    if made[-1].revision == revision and heard and _may_resend(made, doubtful[0], heard, message_class, now):
        return Resend(_summary(evidence))
    return Ask(min(_next_question(heard, since), deadline))


def _may_resend(
    made: Sequence[Attempt], first: Attempt, heard: Sequence[Evidence], message_class: MessageClass, now: datetime
) -> bool:
    repeats = [one.started_at - first.started_at for one in made if one.started_at > first.started_at]
    if now - first.started_at < YOUNG:
        return not repeats
    said = heard[-1]["said"]
    refused = any(one.state == "UNKNOWN" and one.code for one in made if one.started_at > first.started_at)
    no_trace = said == "not found" or (said == "nobody" and not refused)
    worn_thin = no_trace and _at(heard[-1]) >= _end(made[-1]) + _LADDER[-1]
    return worn_thin and message_class != "critical" and all(after < YOUNG for after in repeats)


def _next_question(heard: Sequence[Evidence], since: datetime) -> datetime:
    if len(heard) < len(_LADDER):
        return since + _LADDER[len(heard)]
    return _at(heard[-1]) + _THEN_EVERY


def _end(attempt: Attempt) -> datetime:
    return attempt.finished_at or attempt.started_at


def _at(evidence: Mapping[str, str]) -> datetime:
    return datetime.fromisoformat(evidence["at"])


def _summary(evidence: Sequence[Evidence]) -> str:
    """``in the list of sent messages, asked 2 times: 2 × not found``."""
    said = [one["said"] for one in evidence if one["said"] != "nobody"]
    counts = ", ".join(f"{said.count(word)} × {word}" for word in dict.fromkeys(said))
    if said:
        return f"in the list of sent messages, asked {len(said)} times: {counts}"
    return "there is nobody to ask" if evidence else "never asked"
