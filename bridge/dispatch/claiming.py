"""Taking an incident, giving it back, passing it on, closing it: by SMS or by an operator, with who hears of it.

The ladder follows: it stands still while somebody has it, and goes on when nobody has it any more.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from bridge.dispatch import ladder, letters
from bridge.dispatch.asking import host, open_on, say_to
from bridge.dispatch.draft import Draft
from bridge.dispatch.ending import ended
from bridge.dispatch.steps import Ladder
from bridge.model import Incident
from bridge.words.catalogue import words


def take(draft: Draft, incident: Incident, by: str) -> Incident:
    """*by* has it now; the ladder stands still."""
    ladder.pause(draft, incident)
    return draft.put(replace(incident, state="acked", acked_by=by, acked_at=incident.acked_at or draft.now))


def give_back(draft: Draft, incident: Incident) -> tuple[Incident, Ladder | None]:
    """Nobody has it any more; with what is left of its ladder."""
    return draft.put(nobodys(incident)), ladder.resume(draft, incident)


def nobodys(incident: Incident) -> Incident:
    """The incident as it is when nobody has it."""
    return replace(incident, state="open", acked_by="", acked_at=None)


def end(draft: Draft, incident: Incident) -> Incident:
    """Over by somebody's word: what waits is cancelled."""
    for message in draft.waiting(incident):
        if message.rule != "(answer)":
            draft.cancelled[message.id] = "resolved before it was sent"
    incident = draft.put(replace(incident, state="resolved", resolved_at=draft.now))
    ended(draft, incident)
    return incident


def told_of(draft: Draft, incident: Incident, *, without: str = "") -> dict[str, str]:
    """Phone → person of those who were told of the episode, but *without* (a phone); nobody in class bulk."""
    action = draft.book.action(incident.rule)
    if action is not None and action.message_class == "bulk":
        return {}
    return {n.phone: n.person for n in draft.told(incident) if n.step != "mail" and n.phone != without}


def tell_colleagues(draft: Draft, incident: Incident, who: str, colleagues: Mapping[str, str]) -> None:
    """The others who were told get one line (FORMAT §14): *who* (a name) has it."""
    for phone, person in colleagues.items():
        said = words(draft.book.language(person))
        at = said.clock(draft.now, draft.book.zone(person))
        code = next((one.code for one in open_on(draft, phone) if one.incident.id == incident.id), "")
        shown = {"code": code, "h": host(incident), "t": incident.title, "who": who, "at": at}
        say_to(draft, phone, person, "acked.other", incident, **shown)


def mail_news(
    draft: Draft, incident: Incident, kind: letters.Kind, id: str, who: str, quote: str = "", **values: object
) -> None:
    """What *who* (a name) did by SMS, in the thread: sentence *id* of the mails."""
    news = _news(draft, id, who, **values)
    letters.in_thread(draft, incident, kind, news, quote, f"{who} (SMS)", answers=True)


def mail_ack_by(draft: Draft, incident: Incident, who: str) -> None:
    """An operator has it: the thread hears of it as of an ack by SMS."""
    if mails_acks(draft, incident):
        letters.in_thread(draft, incident, "acked", _news(draft, "acked.by", who), "", who, answers=False)


def _news(draft: Draft, id: str, who: str, **values: object) -> list[str]:
    language = draft.book.config.language
    at = letters.clock(draft, draft.now, language)
    return [words(language).say("mails", id, who=who, at=at, **values)]


def mails_acks(draft: Draft, incident: Incident) -> bool:
    """Whether an ack is news for the thread (``replies.news``)."""
    action = draft.book.action(incident.rule)
    return action is None or "ack" in action.replies.news
