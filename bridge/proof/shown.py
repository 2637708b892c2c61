"""What happened, as items of ``expect``: the same words that a test is written in, ready to paste."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from email.parser import BytesParser
from email.policy import default
from typing import cast
from zoneinfo import ZoneInfo

from bridge.config.spans import written_duration
from bridge.model import Event, Incident, Spent
from bridge.proof.world import Effect, Posted, Sent
from bridge.words.figures import money

Item = Mapping[str, object]
_NEVER_PLAIN = re.compile(r"""[\x00-\x1f"'{}\[\],\\]|:(?:\s|$)|\s\#|^[\s&*!|>%@`#?:=~-]|\s$|^null$|^\+[0-9]+$|^$""")


def item_of(effect: Effect, began: datetime, zone: ZoneInfo) -> dict[str, object]:
    """Everything a test may say of an effect, the key that names it first. *began*: when the step began."""
    found = _sent(effect) if isinstance(effect, Sent) else _posted(effect)
    found["at"] = clock_of(effect.at, zone)
    found["after"] = written_duration(effect.at - began)
    return {key: value for key, value in found.items() if value not in (None, "")}


def _sent(sent: Sent) -> dict[str, object]:
    message = sent.message
    return {
        sent.kind: message.person or message.phone,
        "text": message.text,
        "segments": message.segments,
        "encoding": message.encoding,
        "price": None if message.price is None else money(message.price, message.currency),
        "via": sent.via,
        "sender": sent.sender,
        "class": message.message_class,
        "rule": message.rule,
        "valid": written_duration(message.valid_until - message.created_at),
        "language": message.language,
        "code": sent.code,
        "incident": message.incident_id or None,
    }


def _posted(posted: Posted) -> dict[str, object]:
    return {
        "mail": posted.address,
        "subject": posted.mail.subject,
        "text": mail_text(posted),
        "thread": posted.in_thread,
        "report": report_of(posted),
        "rule": posted.rule,
    }


def mail_text(posted: Posted) -> str:
    """The body of a mail of ours, without the line end behind it."""
    mail = BytesParser(policy=default).parsebytes(posted.mail.content)
    return "\n".join(str(mail.get_content()).splitlines())


def report_of(posted: Posted) -> str:
    """Which report a mail is: ``failed``, ``delivered`` …; "" when it is none."""
    reports = ("delivered", "delayed", "failed", "relayed", "expired")
    return posted.mail.kind if posted.mail.kind in reports else ""


def brief(effect: Effect, began: datetime, zone: ZoneInfo, keys: Sequence[str] = ()) -> dict[str, object]:
    """An effect with the keys that a test wrote (*keys*); with none, with those that a test would begin with."""
    whole = item_of(effect, began, zone)
    said = "text" if isinstance(effect, Sent) else "subject"
    wanted = {_SAID.get(key, key) for key in keys} if keys else {said, "rule"}
    if "words" in wanted:
        wanted.add(said)
        if isinstance(effect, Posted):
            whole["contains"] = next((line for line in mail_text(effect).splitlines() if line.strip()), "")
            wanted.add("contains")
    return {key: value for key, value in whole.items() if key == effect.kind or key in wanted}


_SAID = {"contains": "words", "matches": "words"}


def event_item(event: Event) -> dict[str, object]:
    """An event as ``event:`` shows it."""
    names = ("producer", "host", "service", "severity", "state", "title", "key")
    return {"event": {name: getattr(event, name) for name in names if getattr(event, name)}}


def incident_item(incident: Incident) -> dict[str, object]:
    """An incident as a test looks at it."""
    found = {
        "incident": incident.key,
        "state": incident.state,
        "count": incident.count,
        "acked_by": incident.acked_by,
        "severity": incident.severity,
    }
    return {key: value for key, value in found.items() if value != ""}


def spent(budget: str, seen: Spent, currency: str) -> str:
    """What a budget has seen: money, and how many messages."""
    count = f"{seen.messages} message{'' if seen.messages == 1 else 's'}"
    return f"{budget}: {money(seen.money, currency).strip()}, {count}"


def clock_of(moment: datetime, zone: ZoneInfo) -> str:
    """``2026-11-21 02:15`` in *zone*, with seconds where there are any."""
    local = moment.astimezone(zone)
    return f"{local:%Y-%m-%d %H:%M:%S}" if local.second else f"{local:%Y-%m-%d %H:%M}"


def flow(item: Item) -> str:
    """``{sms: asel, text: "ups1: Power Failure"}``"""
    return "{" + ", ".join(f"{key}: {scalar(value)}" for key, value in item.items()) + "}"


def scalar(value: object) -> str:
    """*value* as YAML 1.2 that fits into a flow map."""
    if isinstance(value, Mapping):
        return flow(cast(Item, value))
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, Sequence) and not isinstance(value, str):
        return "[" + ", ".join(scalar(each) for each in value) + "]"
    if not isinstance(value, str):
        return str(value)
    return json.dumps(value, ensure_ascii=False) if _NEVER_PLAIN.search(value) else str(value)
