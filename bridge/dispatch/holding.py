"""How things wait: the names of bundles, and putting something into one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

from bridge.config.models.rules import Digest, Group
from bridge.dispatch.draft import Draft
from bridge.model import Event, Held
from bridge.oncall.clock import moment_of
from bridge.oncall.people import Target

QUIET = "quiet/"
_A_DAY = timedelta(days=1)
_LONGEST_NIGHT = timedelta(days=32)  # a holiday is one too
_KEPT_TEXT = 2_000  # characters of a mail's text that are kept while something of it waits


def hold(
    draft: Draft, held: Held, bundle: str, due_at: datetime | None, kind: str, target: Target | None = None
) -> None:
    """Keep *held* in *bundle*, which is said at *due_at*; None: somebody else puts its timer.

    What is held there already of the same episode counts on; a timer that runs is not moved. Only a bundle for one
    *target* knows who is told; others ask when they are said.
    """
    before = draft.held_in(bundle, held.member)
    if before is not None and before.episode == held.episode:
        held = replace(held, count=before.count + held.count, since=before.since)
    draft.hold(replace(held, bundle=bundle, text=held.text[:_KEPT_TEXT]))
    if due_at is not None and draft.timer(bundle) is None:
        data = {"phone": target.phone, "person": target.person} if target else {}
        draft.put_timer(bundle, due_at, kind, data=data)


def quiet_bundle(phone: str, end: datetime) -> str:
    """What is said to *phone* together when its quiet hours end."""
    return f"{QUIET}{phone}/{int(end.timestamp())}"


def given_up(draft: Draft, held: Held) -> None:
    """Nobody will hear of *held*; a morning says how many of its night are over."""
    draft.release(held)
    if held.bundle.startswith(QUIET) and held.incident_id:
        end = datetime.fromtimestamp(int(held.bundle.rpartition("/")[2]), UTC)
        draft.count(held.bundle, max(end - draft.now, timedelta(0)) + _A_DAY)


def over_meanwhile(draft: Draft, bundle: str) -> int:
    """How many that waited for this morning ended before it."""
    return draft.counted(bundle, _LONGEST_NIGHT) if bundle.startswith(QUIET) else 0


def digest_bundle(rule: str) -> str:
    """All that the digest of *rule* holds."""
    return f"digest/{rule}"


def group_bundle(rule: str, group: Group, event: Event, sender: str, recipients: Sequence[str]) -> str:
    """All of one group of *rule*."""
    values = (value_of(field, event, sender, recipients) for field in group.by)
    return f"group/{rule}/{'/'.join(values)}"


def value_of(field: str, event: Event, sender: str, recipients: Sequence[str]) -> str:
    """What ``by`` and ``equal`` look at: a field of the event, ``label.X``, ``source``, ``from``, ``recipient``."""
    if field.startswith("label."):
        return event.labels.get(field[6:], "")
    if field == "from":
        return sender
    if field == "recipient":
        return recipients[0] if recipients else ""
    return str(getattr(event, field))


def next_of(digest: Digest, now: datetime, zone: ZoneInfo) -> datetime:
    """When a digest is said next: the first of its times of day after *now*."""
    today = now.astimezone(zone).date()
    moments = (
        moment_of(datetime.combine(day, time(at.hour, at.minute)), zone)
        for ahead in range(9)
        for day in (today + timedelta(days=ahead),)
        if digest.days is None or day.weekday() in digest.days
        for at in sorted(digest.at)
    )
    return next(moment for moment in moments if moment > now)
