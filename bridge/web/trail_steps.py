"""All steps of one life: the rows of a trail, each said by the room that knows it.

A decision stands in the journal, and mostly in a row of its own too, which says more: the journal's entry is then
left out.
"""

from __future__ import annotations

from bridge.model import JournalEntry
from bridge.store.views_trail import TrailRows
from bridge.web.seen import Seen
from bridge.web.trail import Step, in_order
from bridge.web.trail_decisions import QUIET, decision_step, unknown_step
from bridge.web.trail_mails import fate_steps, mail_steps, out_step
from bridge.web.trail_messages import attempt_step, message_steps, never_left, reply_step, state_step

_OF_MESSAGES = ("message.", "attempt.")


def steps_of(v: Seen, rows: TrailRows) -> list[Step]:
    """Every step of the trail, in order of time; within one moment as things follow from each other."""
    unsaid = [entry for entry in rows.journal if not _is_said(rows, entry)]
    decisions = [entry for entry in unsaid if not entry.kind.startswith(_OF_MESSAGES)]
    ends = [entry for entry in unsaid if entry.kind.startswith(_OF_MESSAGES)]
    found: list[Step] = []
    for n, mail in enumerate(rows.mails):
        found += mail_steps(v, rows, mail, first=n == 0)
    found += [reply_step(v, reply) for reply in rows.replies]
    found += [journal_step(v, entry) for entry in decisions]
    for mail in rows.mails:
        found += fate_steps(v, rows, mail)
    for sent in rows.messages:
        found += message_steps(v, rows, sent)
    found += [attempt_step(v, attempt) for attempt in rows.attempts]
    found += [journal_step(v, entry) for entry in ends]
    found += [out_step(v, out) for out in rows.out]
    return in_order(found)


def journal_step(v: Seen, entry: JournalEntry) -> Step:
    """An entry of the journal as a step; as it stands where no sentence is made for it."""
    step = decision_step(v, entry)
    if step is None and entry.kind.startswith("message."):
        step = state_step(v, entry)
    return step or unknown_step(v, entry)


def _is_said(rows: TrailRows, entry: JournalEntry) -> bool:
    """Whether a row says it better."""
    match entry.kind:
        case "person.not_told" | "mail.stopped":
            person, reason = entry.data.get("person"), entry.data.get("reason")
            fates = (fate for mail in rows.mails if mail.id == entry.mail_id for fate in mail.fates)
            return any(fate.reason == reason and person in (None, fate.person) for fate in fates)
        case "message.dropped":
            return any(sent.message.id == entry.message_id and never_left(rows, sent) for sent in rows.messages)
    return entry.kind in QUIET
