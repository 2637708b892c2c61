"""The end of a trouble goes the ways its problem went (FORMAT §7.7).

A problem that is still waiting is cancelled instead: nobody is woken for something that is over.
"""

from __future__ import annotations

from dataclasses import replace

from bridge.dispatch import flapping, letters
from bridge.dispatch.announcing import with_others
from bridge.dispatch.draft import Draft
from bridge.dispatch.ending import UNSENT, ended, unsent_bundles
from bridge.dispatch.telling import Ask, tell
from bridge.model import Event, Held, Incident, Reading
from bridge.oncall.people import Target
from bridge.routing.rules import Action


def recovered(draft: Draft, reading: Reading, n: int, event: Event, incident: Incident) -> None:
    """End *incident*, tell those who were told of it, cancel what did not leave."""
    told = draft.told(incident)
    unsent = {message.id: message.phone for message in draft.waiting(incident) if message.rule != "(answer)"}
    incident = draft.put(replace(incident, state="resolved", resolved_at=draft.now, last_at=draft.now))
    draft.log("incident.over", incident_id=incident.id)
    bundled = unsent_bundles(draft, incident)
    held = ended(draft, incident)
    unsent |= {message.id: message.phone for message in bundled if message.id in draft.cancelled}
    action = draft.book.action(incident.rule)
    for number, phone in unsent.items():
        draft.cancelled[number] = UNSENT
        draft.fate(n, "nothing", rule=incident.rule, person=draft.book.person_of(phone) or phone, reason=UNSENT)
    reached = {note.phone: note.person for note in told if note.step != "mail" and note.message_id not in unsent}
    mailed = tuple(dict.fromkeys(note.phone for note in told if note.step == "mail"))
    if mailed and action is not None:
        letters.over(draft, incident, reading, event, mailed)
        draft.fate(n, "mail", rule=incident.rule)
    if action is not None:
        ask = _ask(draft, reading, n, event, incident, action)
        if flapping.held_back(draft, ask, incident, change=True):
            return
    if action is None or not reached:
        if held:
            draft.fate(n, "nothing", rule=incident.rule, reason=UNSENT)
        elif not unsent and not mailed:
            draft.fate(n, "nothing", rule=incident.rule, reason="recovery of something nobody was told")
        return
    if action.on_recovery != "same people":
        draft.fate(n, "nothing", rule=incident.rule, reason="recovery tells nobody")
        if action.on_recovery == "mail only":
            letters.over(draft, incident, reading, event, letters.thread_addresses(draft, incident, action))
        return
    if with_others(draft, ask):
        return
    for phone, person in reached.items():
        tell(draft, [ask], Target(person, phone))


def _ask(draft: Draft, reading: Reading, n: int, event: Event, incident: Incident, action: Action) -> Ask:
    """The end is said of the problem's host and in its words, with the state of now.

    A rule that writes a text of its own for the end means the words of the end.
    """
    own = draft.book.text(incident.rule, "recovery") is not None and event.title
    host, title = incident.host or event.host, event.title if own else incident.title or event.title
    said = replace(event, host=host, title=title, severity=incident.severity)
    held = Held(
        "", f"i/{incident.id}", incident.id, incident.episode, incident.rule, said, reading.received_at, 1, "recovery",
        reading.mail_id, reading.subject, reading.sender, reading.text, incident.groups,
        incident.recipients,
    )  # fmt: skip
    return Ask(held, action, incident, n, "recovery")
