"""What the operator hears: at most one mail for one cause and hour (unrouted mail: one a day), never nothing.

What happens while a cause is quiet is counted, and for unrouted mail listed at the end of the day.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, time, timedelta

from bridge.book.book import Targets
from bridge.dispatch.draft import Draft
from bridge.dispatch.letters import post
from bridge.model import Failed, Incident, Message, Notice, Reading, RoutedEvent
from bridge.providers import smsgate_codes
from bridge.render.texts import RenderFailed
from bridge.words.catalogue import MAIL_SUBJECT, words
from bridge.words.figures import masked

NUMBER = "number not allowed"
_HOUR = timedelta(hours=1)
_MOST_LINES = 50
_WAYS = {"viber": "Viber", "whatsapp": "WhatsApp", "vk": "VK"}


def tell(draft: Draft, cause: str, subject: str, body: str, *, quiet_for: timedelta = _HOUR) -> bool:
    """Mail the operator, unless he was told of *cause* within *quiet_for*; True when a mail was made."""
    before = draft.notices.get(cause) or draft.memory.notice(cause)
    if before is not None and draft.now - before.told_at < quiet_for:
        draft.notices[cause] = replace(before, count=before.count + 1, lines=_longer(before.lines, subject))
        return False
    draft.notices[cause] = Notice(cause, draft.now, 0)
    post(draft, "operator", draft.book.config.operator.mail, MAIL_SUBJECT + subject, body, from_null=True)
    return True


def _longer(lines: tuple[str, ...], line: str) -> tuple[str, ...]:
    return lines if len(lines) >= _MOST_LINES else (*lines, line[:200])


def _language(draft: Draft) -> str:
    return draft.book.config.operator.language or draft.book.config.language


def unrouted(draft: Draft, reading: Reading, n: int, routed: RoutedEvent) -> None:
    """An event that no rule takes: the configuration drops it, or the operator gets it (FORMAT §3 ``unrouted``)."""
    why = draft.book.unrouted_drop
    if why is not None:
        draft.fate(n, "nothing", reason=f"dropped ({why})")
        return
    draft.fate(n, "nothing", reason="no rule takes it")
    draft.log("mail.unrouted", n=n)
    trace = "\n".join(f"  {visit.rule}: {visit.failed}" for visit in routed.trace if not visit.matched and visit.failed)
    w = words(_language(draft))
    listed, mail = f"\n{trace}\n" if trace else "-", f"M-{reading.mail_id}"
    body = w.say("operator", "unrouted", subject=reading.subject, list=listed, n=1, mail=mail)
    cause = f"unrouted/{reading.source}"
    before = draft.notices.get(cause) or draft.memory.notice(cause)
    subject = w.say("operator", "unrouted.subject", sender=reading.sender or reading.source)
    if before is not None and _same_day(draft, before.told_at):
        if not before.count:
            draft.due(_until_midnight(draft), "unrouted", data={"cause": cause})
        line = f"M-{reading.mail_id} {reading.subject}"
        draft.notices[cause] = replace(before, count=before.count + 1, lines=_longer(before.lines, line))
        return
    tell(draft, cause, subject, body, quiet_for=timedelta(0))


def unrouted_today(draft: Draft, cause: str) -> None:
    """The list at the end of the day, if more came than the one that was told."""
    notice = draft.memory.notice(cause)
    if notice is None or not notice.count:
        return
    news = words(_language(draft)).say("operator", "unrouted.subject", sender=cause.partition("/")[2])
    subject = f"{notice.count + 1}: {news}"
    draft.notices[cause] = replace(notice, count=0, lines=())
    body = "\n".join(notice.lines)
    post(draft, "operator", draft.book.config.operator.mail, MAIL_SUBJECT + subject, body, from_null=True)


def _same_day(draft: Draft, told_at: datetime) -> bool:
    zone = draft.book.zone("")
    return told_at.astimezone(zone).date() == draft.now.astimezone(zone).date()


def _until_midnight(draft: Draft) -> timedelta:
    local = draft.now.astimezone(draft.book.zone(""))
    tomorrow = datetime.combine(local.date() + timedelta(days=1), time.min, local.tzinfo)
    return max(tomorrow - local, timedelta(seconds=1))


def from_not_allowed(draft: Draft, reading: Reading) -> None:
    """A header From that its source may not use: the mail pages nobody, the operator hears of it."""
    body = f"M-{reading.mail_id}: {reading.refused}. From: {reading.sender}. Subject: {reading.subject}"
    tell(draft, f"from/{reading.source}", f"{reading.source}: {reading.refused}", body)


def quarantined(draft: Draft, reading: Reading) -> None:
    """A mail that stopped its reader is set aside; its one event still alerts."""
    w = words(_language(draft))
    mail = f"M-{reading.mail_id}"
    body = w.say("operator", "quarantine", mail=mail, who="", at="")
    subject = MAIL_SUBJECT + w.say("operator", "quarantine.subject", mail=mail)
    post(draft, "operator", draft.book.config.operator.mail, subject, f"{body}\n\n{reading.unreadable}", from_null=True)


def hole(draft: Draft, mail_id: int, subject: str, reason: str) -> None:
    """Nobody is on call where somebody should be."""
    body = f"{reason}. M-{mail_id}: {subject}"
    post(draft, "operator", draft.book.config.operator.mail, MAIL_SUBJECT + reason, body, from_null=True)


def numbers_not_allowed(draft: Draft, reading: Reading, refused: Sequence[tuple[str, str]]) -> None:
    """Numbers that a sender named and that may not be used: one mail for all of them (threats T03, T04)."""
    listed = "\n".join(f"{number}: {NUMBER} ({why})" for number, why in refused[:_MOST_LINES])
    body = f"M-{reading.mail_id}: {reading.subject}\n\n{listed}"
    tell(draft, f"number/{reading.source}", f"{reading.source}: {NUMBER} ({refused[0][1]})", body)


def otherwise(draft: Draft, found: Targets, incident: Incident | None = None) -> None:
    """The trail says where people are meant because a rota has nobody on call; once for each rota and incident."""
    number = incident.id if incident is not None else 0
    known = {(e.data.get("rota"), e.incident_id) for e in draft.journal if e.kind == "rota.otherwise"}
    for rota, people in found.otherwise:
        if (rota, number) not in known:
            draft.log("rota.otherwise", incident_id=number, rota=rota, people=list(people))


def template_failed(draft: Draft, rule: str, failure: RenderFailed, incident: Incident | None = None) -> None:
    """A text that failed to render went out as ``host: title``."""
    w = words(_language(draft))
    subject = w.say("operator", "template.subject", name=f"“{rule}”")
    body = w.say("operator", "template", problem=str(failure), n=1, at=w.clock(draft.now, draft.book.zone("")))
    tell(draft, f"template/{rule}", subject, body)
    draft.log("template.failed", incident_id=incident.id if incident is not None else 0, rule=rule, why=str(failure))


def unknown(draft: Draft, message: Message, failed: Failed) -> None:
    """Nobody knows what became of a critical message: it goes once more, by another way, and may arrive twice.

    That a provider keeps it until it is paid is an answer, and said as one.
    """
    w = words(_language(draft))
    who = draft.book.name(message.person) if message.person else masked(message.phone)
    at = w.clock(draft.now, draft.book.zone(""))
    provider = failed.provider or failed.reason
    how = "kept" if smsgate_codes.UNPAID in failed.reason else "unknown"
    news = w.say("operator", how, provider=provider, n=failed.asked, next=failed.copy_via[0], at=at, who=who)
    subject = w.say("operator", f"{how}.subject", message=message.id)
    tell(draft, f"unknown/{message.id}", subject, f"{news}\n\n> {message.text}")


def unsubscribed(draft: Draft, message: Message, account: str, way: str) -> None:
    """A person unsubscribed from one way of one account: nothing goes to him by it any more."""
    w = words(_language(draft))
    who = draft.book.name(message.person) if message.person else masked(message.phone)
    subject = w.say("operator", "unsubscribed.subject", who=who, name=_WAYS.get(way, way))
    body = w.say("operator", "unsubscribed", name=_WAYS.get(way, way), phone=masked(message.phone), provider=account)
    tell(draft, f"unsubscribed/{account}/{way}/{message.phone}", subject, body, quiet_for=timedelta(days=1))


def virtual_cause(provider: str) -> str:
    return f"virtual/{provider}"


def virtual(draft: Draft, provider: str) -> None:
    """The account behind *provider* sends nothing and says that everything arrives."""
    w = words(_language(draft))
    subject = w.say("operator", "virtual.subject", provider=provider)
    tell(
        draft,
        virtual_cause(provider),
        subject,
        w.say("operator", "virtual", provider=provider),
        quiet_for=timedelta(days=1),
    )


def not_delivered(draft: Draft, message: Message, reason: str, status: str, provider: str, error: str) -> None:
    """A message ended without having reached its phone."""
    w = words(_language(draft))
    who = draft.book.name(message.person) if message.person else masked(message.phone)
    subject = w.say("operator", "failed.subject", who=who)
    news = w.say(
        "operator", "failed", phone=masked(message.phone), reason=reason, provider=provider, error=error, status=status
    )
    body = f"{news}\n\n> {message.text}"
    tell(draft, f"undelivered/{message.phone}", subject, body, quiet_for=timedelta(minutes=5))
