"""The gates of a rule, before those of a person: threshold, digest, group (FORMAT §9); then everybody is told."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from bridge.book import RuleBook
from bridge.config.models.rules import Threshold
from bridge.config.spans import written_duration
from bridge.dispatch import absence, notices
from bridge.dispatch.draft import Draft
from bridge.dispatch.holding import digest_bundle, group_bundle, hold, next_of, value_of
from bridge.dispatch.telling import Ask, is_told, not_told, targets_of, tell_by_all
from bridge.memory import Needs
from bridge.model import Event
from bridge.oncall.people import Target
from bridge.routing.rules import Action


def announce(draft: Draft, ask: Ask, targets: Sequence[Target]) -> set[str]:
    """Tell *targets* of *ask*, or keep it for later; the phones that are told, now or then."""
    if not targets:
        return set()
    if not with_others(draft, ask):
        for target in targets:
            tell_by_all(draft, ask, target)
        missed(draft, [(ask, targets)])
    return {target.phone for target in targets}


def with_others(draft: Draft, ask: Ask) -> bool:
    """Whether it waits to be said together with others of its rule: nothing alone, neither a trouble nor its end."""
    return _in_digest(draft, ask) or _in_group(draft, ask)


def missed(draft: Draft, meant: Sequence[tuple[Ask, Sequence[Target]]]) -> None:
    """Say it loudly where all that were meant have said STOP."""
    gone = [
        absence.Missed(
            ask.held, ask.action, draft.incident(ask.incident.id) if ask.incident else None, tuple(targets)
        )
        for ask, targets in meant
        if absence.all_stopped(draft, targets)
    ]  # fmt: skip
    absence.nobody_left(draft, gone)


def again(draft: Draft, ask: Ask) -> None:
    """What hid it, or silenced it, is over: those who were not told are told, through all gates behind."""
    announce(draft, ask, [target for target in meant(draft, ask) if not is_told(draft, ask, target.phone)])


def meant(draft: Draft, ask: Ask) -> Sequence[Target]:
    """Whom the rule means now that it is said; a hole in a rota is said too, and the operator hears of it."""
    found = targets_of(draft, ask)
    notices.otherwise(draft, found, ask.incident)
    for reason in found.reasons:
        heard = any(entry.kind == "person.not_told" and entry.data.get("reason") == reason for entry in draft.journal)
        not_told(draft, ask, None, reason)
        if not heard:  # of another one in the same bundle
            notices.hole(draft, ask.held.mail_id, ask.held.subject, reason)
    if found.nobody:
        not_told(draft, ask, None, "to nobody")
    return found.people


def _in_digest(draft: Draft, ask: Ask) -> bool:
    digest = ask.action.digest
    if digest is None:
        return False
    bundle = digest_bundle(ask.held.rule)
    zone = draft.book.named_zone(digest.zone)
    timer = draft.timer(bundle)
    due = timer.due_at if timer else next_of(digest, draft.now, zone)
    hold(draft, ask.held, bundle, due, "digest")
    not_told(draft, ask, None, f"in the digest at {due.astimezone(zone):%H:%M}")
    return True


def _in_group(draft: Draft, ask: Ask) -> bool:
    group, held = ask.action.group, ask.held
    if group is None:
        return False
    bundle = group_bundle(held.rule, group, held.event, held.sender, held.recipients)
    timer = draft.timer(bundle)
    due = timer.due_at if timer else draft.now + group.wait
    if timer is None and ask.action.message_class == "critical" and ask.kind != "recovery":
        draft.put_timer(bundle, due, "group")  # the first goes at once, the rest is collected
        return False
    hold(draft, held, bundle, due, "group")
    not_told(draft, ask, None, f"collecting until {due.astimezone(draft.book.zone('')):%H:%M:%S}")
    return True


def passed_threshold(draft: Draft, ask: Ask, key: str) -> Ask | str:
    """``2 of 3 in 5m`` while too few came; else what is said, which counts all that the threshold did.

    Counts this event; *key* is its incident's.
    """
    threshold, held = ask.action.threshold, ask.held
    if threshold is None:
        return ask
    name = threshold_tally(threshold, held.rule, key, held.event, held.sender, held.recipients)
    most, span = threshold.count.count, threshold.count.window
    draft.count(name, span)
    seen = draft.counted(name, span)
    if seen < most:
        return f"{seen} of {most} in {written_duration(span)}"
    return replace(ask, held=replace(held, count=seen)) if seen == most else ask  # later ones count themselves


def threshold_tally(
    threshold: Threshold, rule: str, key: str, event: Event, sender: str, recipients: Sequence[str]
) -> str:
    """Under which name the events of a threshold are counted."""
    values = (key if field == "key" else value_of(field, event, sender, recipients) for field in threshold.by)
    return f"threshold/{rule}/{event.source}/{'/'.join(values)}"


def needs_of(book: RuleBook, rule: str, action: Action, event: Event, sender: str, recipients: Sequence[str]) -> Needs:
    """The timers and counts that the gates of a rule ask for (not those of its threshold)."""
    timers: set[str] = set()
    if action.digest is not None:
        timers.add(digest_bundle(rule))
    if action.group is not None:
        timers.add(group_bundle(rule, action.group, event, sender, recipients))
    return Needs(timers=frozenset(timers))
