"""Taking an incident, giving it back, passing it on, closing it: by SMS or by an operator, with who hears of it.

The ladder follows: it stands still while somebody has it, and goes on when nobody has it any more.
"""

from __future__ import annotations

from collections.abc import Sequence, Set
from dataclasses import dataclass, replace
from datetime import timedelta

from bridge.dispatch import codes, ladder, letters
from bridge.dispatch.asking import is_taken, say_to
from bridge.dispatch.draft import Draft
from bridge.dispatch.ending import ended
from bridge.dispatch.steps import Ladder
from bridge.model import Incident, Notification
from bridge.words.catalogue import words

_MAILED = 20  # incidents that one mail names
_ANSWER = "answer"  # the notification's step of who answered: of an ack by another he needs no news
_MOST_NEWS, _NEWS_IN = 3, timedelta(hours=1)  # to colleagues about one incident: who takes and gives back pays nobody's


def take(draft: Draft, incident: Incident, by: str) -> Incident:
    """*by* has it now; the ladder stands still. Who has it already does not have it for longer by saying so again."""
    ladder.pause(draft, incident)
    again = incident.acked_by == by and is_taken(draft, incident)
    return draft.put(replace(incident, state="acked", acked_by=by, acked_at=incident.acked_at if again else draft.now))


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


def has_answered(draft: Draft, incident: Incident, phone: str, person: str) -> None:
    """*phone* said that it does not have the present episode."""
    if all((note.step, note.phone) != (_ANSWER, phone) for note in draft.told(incident)):
        draft.notifications.append(Notification(incident.id, incident.episode, _ANSWER, phone, person, 0))


def silent_ones(draft: Draft, incidents: Sequence[Incident], *, without: str = "") -> list[Told]:
    """Who was told of which of *incidents* and has not answered."""
    answered = {
        (incident.id, note.phone)
        for incident in incidents
        for note in draft.told(incident)
        if note.step == _ANSWER
    }  # fmt: skip
    return each_told(draft, incidents, without=without, answered=answered)


def tell_colleagues(draft: Draft, incidents: Sequence[Incident], who: str, *, without: str = "") -> None:
    """The others who were told and have not answered get one line (FORMAT §14): *who* (a name) has it.

    Whoever takes and gives back all the time is heard of a few times only (T09).
    """
    name = f"acked/{incidents[0].id}"
    if draft.counted(name, _NEWS_IN) >= _MOST_NEWS:
        draft.log("colleagues.not_told", incident_id=incidents[0].id, why="many acks")
        return
    draft.count(name, _NEWS_IN)
    for told in silent_ones(draft, incidents, without=without):
        at = words(draft.book.language(told.person)).clock(draft.now, draft.book.zone(told.person))
        say_to(draft, told.phone, told.person, "acked.other", told.incidents, code=told.code, who=who, at=at)


@dataclass(frozen=True, slots=True)
class Told:
    """What one phone was told of, and the code under which it knows all of that."""

    phone: str
    person: str
    code: str
    incidents: tuple[Incident, ...]


def each_told(
    draft: Draft, incidents: Sequence[Incident], *, without: str = "", answered: Set[tuple[int, str]] = frozenset()
) -> list[Told]:
    """Who was told of which of *incidents*: one for each phone if it has a code for them all, else for each code.

    Left out are pairs of *answered* (incident, phone).
    """
    mine: dict[tuple[str, str], list[Incident]] = {}
    for incident in incidents:
        for told in told_of(draft, incident, without=without).items():
            if (incident.id, told[0]) not in answered:
                mine.setdefault(told, []).append(incident)
    return [one for (phone, person), known in mine.items() for one in _by_code(draft, phone, person, known)]


def _by_code(draft: Draft, phone: str, person: str, known: Sequence[Incident]) -> list[Told]:
    code = codes.code_of(draft, phone, known)
    if code:
        return [Told(phone, person, code, tuple(known))]
    named: dict[str, list[Incident]] = {}
    for incident in known:
        named.setdefault(codes.code_of(draft, phone, (incident,)), []).append(incident)
    return [Told(phone, person, code, tuple(several)) for code, several in named.items()]


def mail_news(
    draft: Draft, incidents: Sequence[Incident], kind: letters.Kind, id: str, who: str, quote: str = "",
    *, spared: str = "", **values: object,
) -> None:  # fmt: skip
    """What *who* (a name) did by SMS, in the thread: sentence *id* of the mails; *spared* are not told any more."""
    news = _news(draft, id, who, **values)
    if spared:
        news.append(words(draft.book.config.language).say("mails", "acked.rest", who=spared))
    mail_all(draft, incidents, kind, news, quote, f"{who} (SMS)", answers=True)


def mail_all(
    draft: Draft, incidents: Sequence[Incident], kind: letters.Kind, news: Sequence[str], quote: str, sender: str,
    *, answers: bool,
) -> None:  # fmt: skip
    """One mail for all that the same people read of: in the thread that came last, with what it is about."""
    read_by: dict[tuple[str, ...], list[Incident]] = {}
    for incident in incidents:
        addresses = letters.thread_addresses(draft, incident, draft.book.action(incident.rule))
        read_by.setdefault(addresses, []).append(incident)
    for several in read_by.values():
        last = max(several, key=lambda incident: incident.thread.mail_id)
        letters.in_thread(draft, last, kind, [*news, *_named(several)], quote, sender, answers=answers)


def _named(incidents: Sequence[Incident]) -> list[str]:
    """Lines that name several; none for one, whose thread says what it is about."""
    if len(incidents) == 1:
        return []
    more = len(incidents) - _MAILED
    return ["", *(f"{i.host}: {i.title}" for i in incidents[:_MAILED]), *([f"+{more}"] if more > 0 else [])]


def mail_ack_by(draft: Draft, incident: Incident, who: str) -> None:
    """An operator has it: the thread hears of it as of an ack by SMS."""
    if mails_acks(draft, incident):
        mail_all(draft, (incident,), "acked", _news(draft, "acked.by", who), "", who, answers=False)


def _news(draft: Draft, id: str, who: str, **values: object) -> list[str]:
    language = draft.book.config.language
    at = letters.clock(draft, draft.now, language)
    return [words(language).say("mails", id, who=who, at=at, **values)]


def mails_acks(draft: Draft, incident: Incident) -> bool:
    """Whether an ack is news for the thread (``replies.news``)."""
    action = draft.book.action(incident.rule)
    return action is None or "ack" in action.replies.news
