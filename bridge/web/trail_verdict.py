"""The verdict of a trail: a few sentences from a fixed grammar, made from the same rows that stand below it.

Came, told (what is unknown first), answered, ended, money.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from bridge.model import Incident
from bridge.store.views import Sent
from bridge.store.views_trail import TrailRows
from bridge.web import reasons
from bridge.web.seen import Seen
from bridge.web.trail import lasted

SENT = ("ACCEPTED", "ACCEPTED_NO_ID", "HANDED_OVER", "DELIVERED", "UNDELIVERED", "UNKNOWN")
_LOST = ("UNDELIVERED", "REJECTED", "EXPIRED")


@dataclass(frozen=True, slots=True)
class Verdict:
    """*end* is the edge's colour: ``ok bad unknown`` or ``hold`` while it goes on."""

    sentences: tuple[str, ...]
    end: str


def verdict(v: Seen, rows: TrailRows, incident: Incident | None) -> Verdict:
    """What happened, in short."""
    alerts = [sent for sent in rows.messages if sent.message.rule != "(answer)"]
    parts = (_came(v, rows), _told(v, rows, alerts), _answered(v, rows), _ended(v, incident), _money(v, rows))
    return Verdict(tuple(filter(None, parts)), _end(alerts, incident))


def _came(v: Seen, rows: TrailRows) -> str:
    if not rows.mails:
        return ""
    mail = rows.mails[0]
    return v.say("verdict.came", sender=mail.mail_from or v.say("step.null"), at=v.seconds(mail.received_at))


def _told(v: Seen, rows: TrailRows, alerts: list[Sent]) -> str:
    unknown = [sent for sent in alerts if _is_unknown(sent)]
    if unknown:
        return v.say("verdict.unknown", who=_names(v, unknown))
    lost = [sent for sent in alerts if sent.message.state in _LOST]
    first = next((sent for sent in alerts if sent.message.state == "DELIVERED" and sent.ended_at), None)
    if first is not None and first.ended_at is not None and rows.mails:
        who = v.who(first.message.person, first.message.phone)
        said = v.say("verdict.reached", who=who, span=lasted(v, first.ended_at - rows.mails[0].received_at))
        return f"{said} {v.say('verdict.lost', who=_names(v, lost))}" if lost else said
    if lost:
        return v.say("verdict.lost", who=_names(v, lost))
    if alerts:
        waits = all(sent.message.state in ("READY", "INFLIGHT", "HELD") for sent in alerts)
        if all(sent.message.state == "CANCELLED" for sent in alerts):
            return v.say("verdict.cancelled")
        return v.say("verdict.waiting" if waits else "verdict.taken", who=_names(v, alerts))
    return _nobody(v, rows)


def _is_unknown(sent: Sent) -> bool:
    """Without a proof of its fate: still asked for, or held because no proof came in time."""
    return sent.message.state == "UNKNOWN" or sent.message.reason.startswith("unknown: ")


def _nobody(v: Seen, rows: TrailRows) -> str:
    if rows.mails and all(mail.state == "RECEIVED" for mail in rows.mails):
        return v.say("verdict.unread")
    fates = [fate for mail in rows.mails for fate in mail.fates if fate.what == "nothing"]
    why = dict.fromkeys(reasons.sentence(v, fate.reason, fate.rule) for fate in fates)
    return " ".join((v.say("verdict.nobody"), *list(why)[:2]))


def _names(v: Seen, sent: list[Sent]) -> str:
    return ", ".join(dict.fromkeys(v.who(one.message.person, one.message.phone) for one in sent))


def _answered(v: Seen, rows: TrailRows) -> str:
    reply = next((r for r in rows.replies if r.kind == "sms"), None)
    if reply is None:
        return ""
    who = v.who(v.book.person_of(reply.phone), reply.phone)
    first = next((s.message.created_at for s in rows.messages if s.message.phone == reply.phone), None)
    if first is None or first > reply.received_at:
        return v.say("verdict.answered", who=who, text=reply.text[:60])
    span = lasted(v, reply.received_at - first)
    return v.say("verdict.answered.after", who=who, text=reply.text[:60], span=span)


def _ended(v: Seen, incident: Incident | None) -> str:
    match incident:
        case None:
            return ""
        case Incident(state="open"):
            return v.say("verdict.open")
        case Incident(state="acked"):
            return v.say("verdict.acked", who=v.acked_by(incident))
    at = incident.resolved_at or incident.last_at
    return v.say("verdict.closed" if incident.state == "closed" else "verdict.over", at=v.seconds(at))


def _money(v: Seen, rows: TrailRows) -> str:
    sent = [one for one in rows.messages if one.message.state in SENT]
    if not sent:
        return ""
    prices = [one.price for one in sent if one.price is not None]
    total = v.money(sum(prices, Decimal(0)), sent[0].message.currency) if len(prices) == len(sent) else ""
    return v.say("verdict.money", n=len(sent), money=total or v.say("price.unknown"))


def _end(alerts: list[Sent], incident: Incident | None) -> str:
    states = {sent.message.state for sent in alerts}
    if any(map(_is_unknown, alerts)):
        return "unknown"
    if incident is not None and incident.state in ("resolved", "closed"):
        return "ok"
    if alerts and states <= set(_LOST):
        return "bad"
    if incident is not None and incident.state == "open":
        return "bad" if not states & {"DELIVERED"} else "warn"
    return "ok" if "DELIVERED" in states else "hold"
