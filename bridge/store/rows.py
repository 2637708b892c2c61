"""Rows ↔ nouns: how each noun lies in its table. Nothing here touches a database."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import fields
from datetime import datetime, timedelta
from decimal import ROUND_UP, Decimal
from functools import lru_cache
from typing import Any, cast

from bridge.model import (
    CLASSES,
    CallSlot,
    Conversation,
    Envelope,
    Event,
    Fate,
    Held,
    Incident,
    JournalEntry,
    Marks,
    Message,
    Notice,
    Notification,
    OutgoingMail,
    Override,
    Recipient,
    Silence,
    Spend,
    Stop,
    Tally,
    Thread,
    Timer,
    Unsubscribed,
    WayText,
)
from bridge.store.statements import from_us, to_us

Values = dict[str, Any]
_NO_MARKS = Marks()
_EVENT = tuple(field.name for field in fields(Event))
_PARTS_OF_MONEY = 10_000  # amounts have four decimals at most (FORMAT §2)


_encode = json.JSONEncoder(ensure_ascii=False, check_circular=False, separators=(",", ":")).encode


def dumps(value: object) -> str:
    """Compact JSON, letters as they are."""
    if not value and isinstance(value, dict | list | tuple):  # a dozen of them for each mail
        return "{}" if isinstance(value, dict) else "[]"
    return _encode(value)


def _us(moment: datetime | None) -> int | None:
    return None if moment is None else to_us(moment)


def _moment(value: int | None) -> datetime | None:
    return None if value is None else from_us(value)


def _decimal(value: str | None) -> Decimal | None:
    return None if value is None else Decimal(value)


def envelope_json(envelope: Envelope) -> str:
    """All of the envelope but its content."""
    return dumps(
        {
            "mail_from": envelope.mail_from,
            "recipients": [[r.address, r.notify, r.orcpt] for r in envelope.recipients],
            "door": envelope.door,
            "peer": envelope.peer,
            "login": envelope.login,
            "certificate": envelope.certificate,
            "mailbox": envelope.mailbox,
            "tls": envelope.tls,
            "helo": envelope.helo,
            "ret": envelope.ret,
            "envid": envelope.envid,
        }
    )


def envelope(text: str, content: bytes, received_at: int) -> Envelope:
    """The envelope again, equal to what was kept."""
    data = json.loads(text)
    recipients = tuple(Recipient(*entry) for entry in data.pop("recipients"))
    return Envelope(content=content, received_at=from_us(received_at), recipients=recipients, **data)


def thread_json(thread: Thread) -> str:
    return dumps(
        {
            "mail_id": thread.mail_id,
            "message_id": thread.message_id,
            "references": thread.references,
            "subject": thread.subject,
            "sender": thread.sender,
        }
    )


def thread(text: str) -> Thread:
    data = json.loads(text)
    return Thread(data["mail_id"], data["message_id"], tuple(data["references"]), data["subject"], data["sender"])


def incident_row(i: Incident) -> Values:
    return {
        "id": i.id,
        "source": i.source,
        "key": i.key,
        "producer_key": i.producer_key,
        "state": i.state,
        "episode": i.episode,
        "producer": i.producer,
        "host": i.host,
        "service": i.service,
        "severity": i.severity,
        "title": i.title,
        "detail": i.detail,
        "labels": dumps(dict(i.labels)),
        "problem_id": i.problem_id,
        "count": i.count,
        "opened_at": to_us(i.opened_at),
        "last_at": to_us(i.last_at),
        "sent_at": _us(i.sent_at),
        "rule": i.rule,
        "code": i.code,
        "origin": i.origin,
        "thread": thread_json(i.thread),
        "acked_by": i.acked_by,
        "acked_at": _us(i.acked_at),
        "resolved_at": _us(i.resolved_at),
        "groups": dumps(dict(i.groups)),
        "marks": marks_json(i.marks),
        "recipients": dumps(list(i.recipients)),
        "hides": int(bool(i.marks.hides)),
    }


def marks_json(m: Marks) -> str:
    """``{}`` for the most of them, which no silence and no inhibition is about."""
    if m == _NO_MARKS:
        return "{}"
    lists = {"silences": list(m.silences), "hides": list(m.hides), "hidden": list(m.hidden)}
    return dumps({**lists, "sender": m.sender, "recipient": m.recipient})


def marks(text: str) -> Marks:
    if text == "{}":
        return _NO_MARKS
    values = json.loads(text)
    lists = {name: tuple(values[name]) for name in ("silences", "hides", "hidden")}
    return Marks(**lists, sender=values["sender"], recipient=values["recipient"])


def incident(row: Mapping[str, Any]) -> Incident:
    values = dict(row)
    del values["hides"]
    return Incident(
        **{
            **values,
            "labels": json.loads(values["labels"]),
            "groups": json.loads(values["groups"]),
            "marks": marks(values["marks"]),
            "recipients": tuple(json.loads(values["recipients"])),
            "thread": thread(values["thread"]),
            "opened_at": from_us(values["opened_at"]),
            "last_at": from_us(values["last_at"]),
            "sent_at": _moment(values["sent_at"]),
            "acked_at": _moment(values["acked_at"]),
            "resolved_at": _moment(values["resolved_at"]),
        }
    )


def notification_row(n: Notification) -> Values:
    return {
        "incident_id": n.incident_id,
        "episode": n.episode,
        "step": n.step,
        "phone": n.phone,
        "person": n.person,
        "message_id": n.message_id,
    }


def text_hash(text: str) -> int:
    """63 bits of a text: what differs here differs there."""
    digest = hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=8).digest()
    return int.from_bytes(digest, "big") >> 1


def message_row(m: Message) -> Values:
    return {
        "id": m.id,
        "phone": m.phone,
        "person": m.person,
        "text": m.text,
        "encoding": m.encoding,
        "segments": m.segments,
        "price": None if m.price is None else str(m.price),
        "currency": m.currency,
        "rule": m.rule,
        "class": m.message_class,
        "urgency": CLASSES.index(m.message_class),
        "channel": m.channel,
        "providers": dumps(list(m.providers)),
        "originator": m.originator,
        "answerable": int(m.answerable),
        "created_at": to_us(m.created_at),
        "due_at": to_us(m.due_at),
        "valid_until": to_us(m.valid_until),
        "language": m.language,
        "incident_id": m.incident_id,
        "episode": m.episode,
        "mail_id": m.mail_id,
        "state": m.state,
        "reason": m.reason,
        "copy": int(m.copy),
        "about": dumps(m.about),
        "call": call_json(m.call),
        "ways": ways_json(m.ways),
        "way": m.way,
        "text_hash": text_hash(m.text),
        "attempt": 0,
        "provider": "",
        "provider_id": "",
        "cost": None,
        "ended_at": None,
        "lease_owner": "",
        "lease_until": 0,
        "fence": 0,
    }


def message(row: Mapping[str, Any]) -> Message:
    return Message(
        id=row["id"],
        phone=row["phone"],
        person=row["person"],
        text=row["text"],
        encoding=row["encoding"],
        segments=row["segments"],
        price=_decimal(row["price"]),
        currency=row["currency"],
        rule=row["rule"],
        message_class=row["class"],
        channel=row["channel"],
        providers=tuple(json.loads(row["providers"])),
        originator=row["originator"],
        answerable=bool(row["answerable"]),
        created_at=from_us(row["created_at"]),
        due_at=from_us(row["due_at"]),
        valid_until=from_us(row["valid_until"]),
        language=row["language"],
        incident_id=row["incident_id"],
        episode=row["episode"],
        mail_id=row["mail_id"],
        state=row["state"],
        reason=row["reason"],
        copy=bool(row["copy"]),
        about=tuple(json.loads(row["about"])),
        call=_call_slot(row["call"]),
        ways=_ways(row["ways"]),
        way=row["way"],
    )


def ways_json(ways: tuple[WayText, ...]) -> str:
    """``""`` for the most of them, which show the same by every way."""
    if not ways:
        return ""
    seconds = (None if way.validity is None else way.validity.total_seconds() for way in ways)
    return dumps(
        [
            [way.way, way.text, validity, way.button, way.image, way.template, way.values]
            for way, validity in zip(ways, seconds, strict=True)
        ]
    )


def _ways(text: str) -> tuple[WayText, ...]:
    if not text:
        return ()
    return tuple(
        WayText(
            way, said, None if seconds is None else timedelta(seconds=seconds), (button[0], button[1]), image, template,
            tuple((name, value) for name, value in values),
        )
        for way, said, seconds, button, image, template, values in json.loads(text)
    )  # fmt: skip


def call_json(slot: CallSlot | None) -> str:
    """``""`` for the most of them, which name no number to ring."""
    return "" if slot is None else dumps([slot.before, slot.after, slot.without, _us(slot.given_at)])


def _call_slot(text: str) -> CallSlot | None:
    if not text:
        return None
    before, after, without, given_at = json.loads(text)
    return CallSlot(before, after, without, _moment(given_at))


def conversation_row(c: Conversation) -> Values:
    return {
        "phone": c.phone,
        "code": c.code,
        "incidents": dumps(c.incidents),
        "expires_at": to_us(c.expires_at),
        "free_at": to_us(c.free_at),
        "together": c.together,
        "over": dumps(c.over),
    }


@lru_cache(maxsize=1 << 14)
def conversation(row: tuple[Any, ...]) -> Conversation:
    """From a row of the table, columns in its order. Every mail brings all of its phones', nearly all as before."""
    phone, code, incidents, expires_at, free_at, together, over = row
    return Conversation(
        phone, code, _numbers(incidents), from_us(expires_at), from_us(free_at), together, _numbers(over)
    )


def _numbers(text: str) -> tuple[int, ...]:
    """``[1000,1001]``. Every mail brings all conversations of its phones, and ``json`` takes four times as long."""
    return tuple(map(int, text[1:-1].split(","))) if len(text) > 2 else ()


def timer_row(t: Timer) -> Values:
    return {
        "due_at": to_us(t.due_at),
        "kind": t.kind,
        "incident_id": t.incident_id,
        "data": dumps(dict(t.data)),
        "name": t.name,
    }


def timer(row: Mapping[str, Any]) -> Timer:
    return Timer(
        row["id"], from_us(row["due_at"]), row["kind"], row["incident_id"], json.loads(row["data"]), row["name"]
    )


def event_json(event: Event) -> str:
    return dumps({**{name: getattr(event, name) for name in _EVENT if name != "labels"}, "labels": dict(event.labels)})


def event(text: str) -> Event:
    return Event(**json.loads(text))


def held_row(h: Held) -> Values:
    return {
        "bundle": h.bundle,
        "member": h.member,
        "incident_id": h.incident_id,
        "episode": h.episode,
        "rule": h.rule,
        "event": event_json(h.event),
        "since": to_us(h.since),
        "count": h.count,
        "step": h.step,
        "mail_id": h.mail_id,
        "subject": h.subject,
        "sender": h.sender,
        "text": h.text,
        "groups": dumps(dict(h.groups)),
        "recipients": dumps(list(h.recipients)),
        "channel": h.channel or "",
        "message_class": h.message_class or "",
        "text_of": h.text_of,
    }


def held(row: Mapping[str, Any]) -> Held:
    values = dict(row)
    return Held(
        **{
            **values,
            "event": event(values["event"]),
            "since": from_us(values["since"]),
            "groups": json.loads(values["groups"]),
            "recipients": tuple(json.loads(values["recipients"])),
            "channel": values["channel"] or None,
            "message_class": values["message_class"] or None,
        }
    )


def tally_row(t: Tally) -> Values:
    return {"name": t.name, "at": to_us(t.at), "until": to_us(t.until)}


@lru_cache(maxsize=1 << 14)
def tally(row: tuple[str, int, int]) -> Tally:
    """From (name, at, until). Every mail brings those of the last minutes of its phones."""
    name, at, until = row
    return Tally(name, from_us(at), from_us(until))


def spend_row(s: Spend) -> Values:
    return {
        "budget": s.budget,
        "at": to_us(s.at),
        "message_id": s.message_id,
        "segments": s.segments,
        "money": money(s.money),
        "critical": int(s.critical),
    }


def money(amount: Decimal) -> int:
    """An amount as it is stored: in ten-thousandths."""
    return int((amount * _PARTS_OF_MONEY).to_integral_value(ROUND_UP))


def amount(stored: int) -> Decimal:
    """The amount again."""
    return Decimal(stored) / _PARTS_OF_MONEY


def silence_row(s: Silence) -> Values:
    return {
        "id": s.id,
        "matchers": dumps(dict(s.matchers)),
        "by": s.by,
        "begin": to_us(s.begin),
        "end": to_us(s.end),
        "note": s.note,
    }


def silence(row: Mapping[str, Any]) -> Silence:
    matchers = json.loads(row["matchers"])
    return Silence(row["id"], matchers, row["by"], from_us(row["begin"]), from_us(row["end"]), row["note"])


def override_row(o: Override) -> Values:
    return {"rota": o.rota, "person": o.person, "begin": to_us(o.begin), "end": to_us(o.end)}


def override(row: Mapping[str, Any]) -> Override:
    return Override(row["rota"], row["person"], from_us(row["begin"]), from_us(row["end"]))


def unsubscribed_row(u: Unsubscribed) -> Values:
    return {"phone": u.phone, "account": u.account, "way": u.way, "since": to_us(u.since)}


def stop_row(s: Stop) -> Values:
    return {"phone": s.phone, "person": s.person, "since": to_us(s.since)}


def stop(row: Mapping[str, Any]) -> Stop:
    return Stop(row["phone"], row["person"], from_us(row["since"]))


def outgoing_row(m: OutgoingMail) -> Values:
    return {
        "id": m.id,
        "kind": m.kind,
        "envelope_from": m.envelope_from,
        "to": dumps(list(m.to)),
        "message_id": m.message_id,
        "subject": m.subject,
        "content": m.content,
        "created_at": to_us(m.created_at),
        "due_at": to_us(m.due_at),
        "state": "READY",
        "reason": "",
        "attempts": 0,
        "incident_id": m.incident_id,
        "mail_id": m.mail_id,
        "lease_owner": "",
        "lease_until": 0,
        "fence": 0,
    }


def journal_row(entry: JournalEntry) -> Values:
    return {
        "at": to_us(entry.at),
        "kind": entry.kind,
        "mail_id": entry.mail_id,
        "incident_id": entry.incident_id,
        "message_id": entry.message_id,
        "data": dumps(dict(entry.data)),
    }


def notice_row(n: Notice) -> Values:
    return {"cause": n.cause, "told_at": to_us(n.told_at), "count": n.count, "lines": dumps(list(n.lines))}


def notice(row: Mapping[str, Any]) -> Notice:
    return Notice(row["cause"], from_us(row["told_at"]), row["count"], tuple(json.loads(row["lines"])))


def fates_json(fates: tuple[Fate, ...]) -> str:
    return dumps([[f.event, f.what, f.rule, f.person, f.reason, f.message_id] for f in fates])


def fates(text: str) -> tuple[Fate, ...]:
    return tuple(Fate(*cast(Any, entry)) for entry in json.loads(text))
