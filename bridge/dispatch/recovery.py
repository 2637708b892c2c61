"""The end of a trouble goes the ways its problem went (FORMAT §7.7).

A problem that is still waiting is cancelled instead: nobody is woken for something that is over.
"""

from __future__ import annotations

from dataclasses import replace

from bridge.dispatch import letters
from bridge.dispatch.compose import Occasion, say
from bridge.dispatch.draft import Draft
from bridge.model import Event, Incident, Notification, Reading
from bridge.oncall.people import Target


def recovered(draft: Draft, reading: Reading, n: int, event: Event, incident: Incident) -> None:
    """End *incident*, tell those who were told of it, cancel what did not leave."""
    told = draft.told(incident)
    unsent = {message.phone: message.id for message in draft.waiting(incident) if message.rule != "(answer)"}
    incident = draft.put(replace(incident, state="resolved", resolved_at=draft.now, last_at=draft.now))
    draft.log("incident.over", incident_id=incident.id)
    action = draft.book.action(incident.rule)
    for phone, number in unsent.items():
        draft.cancelled[number] = "resolved before it was sent"
        person = draft.book.person_of(phone) or phone
        draft.fate(n, "nothing", rule=incident.rule, person=person, reason="resolved before it was sent")
    reached = {note.phone: note.person for note in told if note.step != "mail" and note.phone not in unsent}
    mailed = tuple(dict.fromkeys(note.phone for note in told if note.step == "mail"))
    if mailed and action is not None:
        letters.over(draft, incident, reading, event, mailed)
        draft.fate(n, "mail", rule=incident.rule)
    if action is None or not reached:
        if not unsent and not mailed:
            draft.fate(n, "nothing", rule=incident.rule, reason="recovery of something nobody was told")
        return
    if action.on_recovery != "same people":
        draft.fate(n, "nothing", rule=incident.rule, reason="recovery tells nobody")
        if action.on_recovery == "mail only":
            letters.over(draft, incident, reading, event, letters.thread_addresses(draft, incident, action))
        return
    # the end is said in the words of the problem: its host and title, with the state of now
    host, title = incident.host or event.host, incident.title or event.title
    ended = replace(event, host=host, title=title, severity=incident.severity)
    for phone, person in reached.items():
        occasion = Occasion(
            incident.rule, ended, "recovery", incident, _code(draft, incident, phone), reading.subject, reading.sender,
            reading.text, incident.groups,
        )  # fmt: skip
        message = say(draft, occasion, action, Target(person, phone), mail_id=reading.mail_id)
        draft.notifications.append(Notification(incident.id, incident.episode, "recovery", phone, person, message.id))
        draft.fate(n, "sms", rule=incident.rule, person=person or phone, message_id=message.id)


def _code(draft: Draft, incident: Incident, phone: str) -> str:
    return next((c.code for c in draft.codes(phone).values() if c.incident_id == incident.id), "")
