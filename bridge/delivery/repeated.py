"""What to do about a lost answer where nobody can be asked by our id (threats §2, rows "smsgate"). Pure.

``repeat``: the provider takes a message of one number once, so the identical request tells what became of the first,
as often as needed; but identical requests are refused within a minute, so after the first repeat one a minute.
``once``: there is no number. One repeat, as long as the minute rule refuses a double; then nothing more is proven.
A provider that said that it keeps the message until it is paid is given that once only: the rule may not know of it.

    +2 s             identical request again
    then             ``repeat`` only: once a minute
    deadline         as for every lost answer: critical 120 s: another provider; else 15 min: hold
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Literal

from bridge.delivery.unknown import DEADLINES, FIRST_QUESTION, YOUNG, Ask, GiveUp, Resend, Step, unresolved
from bridge.model import MessageClass
from bridge.providers.smsgate_codes import is_kept
from bridge.store.attempts import Attempt

_EVERY = timedelta(seconds=61)


def next_step(
    attempts: Sequence[Attempt], message_class: MessageClass, revision: str, doubt: Literal["repeat", "once"],
    now: datetime,
) -> Step:  # fmt: skip
    """The next step for a message in UNKNOWN. Arguments as ``unknown.next_step``; an ``Ask`` is a time to wait for.

    With another *revision* the stored request may mean something else: nothing is repeated.
    """
    account = attempts[-1].account
    made = [attempt for attempt in attempts if attempt.account == account]
    first = unresolved(made, account)[0]
    deadline = first.started_at + DEADLINES[message_class]
    if now >= deadline:
        return GiveUp("copy" if message_class == "critical" else "hold", _summary(made))
    due = _due(made, first, doubt) if made[-1].revision == revision else None
    if doubt == "once" and (now - first.started_at >= YOUNG or is_kept(first.code)):
        due = None  # no place, or no bridge, in time: the minute rule would let it through as a second SMS
    if due is None or due >= deadline:
        return Ask(deadline)
    return Resend(_summary(made)) if now >= due else Ask(due)


def _due(made: Sequence[Attempt], first: Attempt, doubt: Literal["repeat", "once"]) -> datetime | None:
    """When the next repeat may go, None when there is to be none."""
    last = made[-1]
    if len(made) > 1 and made[-2].started_at >= first.started_at:  # a repeat has been made
        return None if doubt == "once" else last.started_at + _EVERY
    due = (last.finished_at or last.started_at) + FIRST_QUESTION
    if due - first.started_at < YOUNG:
        return due
    return None if doubt == "once" else max(due, first.started_at + _EVERY)


def kept(attempts: Sequence[Attempt]) -> str:
    """What the provider said where it keeps the message until its account is paid, "" where it did not."""
    return next((attempt.error for attempt in attempts if is_kept(attempt.code)), "")


def _summary(made: Sequence[Attempt]) -> str:
    repeats = len(made) - 1
    asked = f"asked again {repeats} times" if repeats > 0 else "never asked again"
    return f"{kept(made)}; {asked}" if kept(made) else asked
