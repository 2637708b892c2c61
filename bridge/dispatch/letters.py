"""Mails that follow from a decision: alerts as mail, answers and news in the thread, reports.

First line = the news, then what was quoted, last line = why this mail came (wording §5). Nothing is mailed
when the configuration has no ``outgoing_mail``; ``check`` has warned of that.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Literal

from bridge.dispatch.draft import Draft
from bridge.mail.write import Letter, quoted, safe_header, write
from bridge.model import Event, Incident, OutgoingMail, Reading, Thread
from bridge.routing.rules import Action
from bridge.words.catalogue import words

Kind = Literal["alert", "over", "reply", "acked", "unacked", "escalated", "unanswered", "operator", "failed"]


def post(
    draft: Draft,
    kind: Kind,
    to: Sequence[str],
    subject: str,
    body: str,
    *,
    sender_name: str = "smsbridge",
    thread: Thread | None = None,
    incident_id: int = 0,
    from_null: bool = False,
    answers: bool = False,
) -> None:
    """Put a mail into the queue of outgoing mails."""
    outgoing = draft.book.config.outgoing_mail
    recipients = tuple(dict.fromkeys(to))
    if outgoing is None or not recipients:
        return
    number = draft.take("mail")
    message_id = f"<{kind}.{number}.{draft.memory.instance}@{outgoing.from_.rpartition('@')[2]}>"
    letter = Letter(
        to=recipients,
        subject=subject,
        body=body,
        message_id=message_id,
        sender_name=sender_name,
        sender=outgoing.from_,
        date=draft.now,
        instance=draft.memory.instance,
        in_reply_to=thread.message_id if thread else "",
        references=thread.references if thread else (),
        answers_a_person=answers,
    )
    mail = OutgoingMail(
        number, kind, "" if from_null else outgoing.from_, recipients, message_id, safe_header(subject), write(letter),
        draft.now, draft.now, incident_id, draft.mail_id,
    )  # fmt: skip
    draft.mails.append(mail)
    draft.log("mail.out", incident_id=incident_id, mail=number, about=kind, to=list(recipients))


def addresses(draft: Draft, reading: Reading, action: Action) -> tuple[str, ...]:
    """Whom ``mail_to`` means."""
    return draft.book.mail_addresses(action.mail_to, sender=reading.thread.sender)


def alert(draft: Draft, reading: Reading, event: Event, rule: str, action: Action) -> None:
    """The alert as mail (``mail_to``)."""
    language = draft.book.config.language
    w = words(language)
    head = f"{w.severity(event.severity)} {event.host}: {event.title}".strip()
    body = f"{head}\n\n{quoted((event.detail or reading.text)[:8000])}\n\nM-{reading.mail_id}, {rule}"
    post(draft, "alert", addresses(draft, reading, action), event.title or reading.subject, body, thread=reading.thread)


def over(draft: Draft, incident: Incident, reading: Reading, event: Event, to: Sequence[str]) -> None:
    """The end of a trouble, to those who got its begin as mail."""
    book = draft.book
    w = words(book.config.language)
    zone = book.zone("")
    news = w.say("mails", "over", at=w.clock(draft.now, zone), span=w.span(draft.now - incident.opened_at), monitor="")
    body = f"{news}\n\n{incident.host}: {incident.title}"
    post(draft, "over", to, f"{w.over}: {incident.title}", body, thread=incident.thread, incident_id=incident.id)


def thread_addresses(draft: Draft, incident: Incident, action: Action | None) -> tuple[str, ...]:
    """Where news about an incident go (``replies.mail``)."""
    if action is None:
        return (incident.thread.sender,) if incident.thread.sender else ()
    return draft.book.mail_addresses(action.replies.mail, sender=incident.thread.sender)


def in_thread(
    draft: Draft, incident: Incident, kind: Kind, news: Sequence[str], quote: str, who: str, *, answers: bool
) -> None:
    """News about an incident, in the thread of its alert."""
    action = draft.book.action(incident.rule)
    to = thread_addresses(draft, incident, action)
    why = words(draft.book.config.language).say("mails", "why", rule=incident.rule)
    parts = ["\n".join(news), quoted(quote) if quote else "", "--\n" + why]
    post(
        draft,
        kind,
        to,
        reply_subject(incident.thread.subject or incident.title),
        "\n\n".join(part for part in parts if part),
        sender_name=who,
        thread=incident.thread,
        incident_id=incident.id,
        answers=answers,
    )


def reply_subject(subject: str) -> str:
    """The subject of the thread, with one ``Re:``."""
    return subject if subject[:3].lower() == "re:" else f"Re: {subject}"


def clock(draft: Draft, moment: datetime, language: str) -> str:
    """Time of day for a mail that several people read: the bridge's own zone."""
    return words(language).clock(moment, draft.book.zone(""))
