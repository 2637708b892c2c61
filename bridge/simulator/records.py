"""What the simulator remembers: messages, what came back from phones, mails, requests, posts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Literal

STATES: dict[int, str] = {
    -3: "not_found",
    -2: "stopped",
    -1: "pending",
    0: "to_operator",
    1: "delivered",
    2: "read",
    3: "expired",
    4: "link_clicked",
    20: "undeliverable",
    22: "wrong_number",
    23: "forbidden",
    24: "no_money",
    25: "unavailable_number",
}
"""The provider's status codes and our words for them (smsc-http.md §8)."""

AnswerKind = Literal["sms", "call", "waitcall", "viber"]

FAILED = frozenset({-3, 3, 20, 22, 23, 24, 25})
FINAL = FAILED | {1, 2, 4}


def stamp(moment: datetime) -> str:
    """UTC, ISO 8601 with milliseconds, as the control API prints every time."""
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def money(amount: Decimal) -> str:
    """Two decimals as the provider prints them; nothing at all is a bare ``0``."""
    return f"{amount:.2f}" if amount else "0"


@dataclass(frozen=True, slots=True)
class Message:
    """One text for one phone as the provider took it; *phone* is digits (or a mail address on ``mail``).

    *id* is what the client chose or we gave; the provider does not insist that it is unique. *text* is
    what the phone shows, *hidden* what a ``~~~`` line kept from it. *status* and *err* are the provider's
    codes, *changed_at* when it got them.
    """

    serial: int
    gateway: str
    login: str
    id: str
    channel: str
    kind: int
    phone: str
    sender: str
    text: str
    hidden: str
    parts: tuple[str, ...]
    cost: Decimal
    status: int
    err: int
    received_at: datetime
    send_at: datetime
    changed_at: datetime
    valid_until: datetime
    request: Mapping[str, object]
    comment: str = ""

    def as_json(self) -> dict[str, object]:
        return {
            "id": self.id,
            "gateway": self.gateway,
            "channel": self.channel,
            "phone": self.phone,
            "sender": self.sender,
            "text": self.text,
            "segments": len(self.parts),
            "cost": money(self.cost),
            "state": STATES[self.status],
            "received_at": stamp(self.received_at),
            "request": dict(self.request),
            "serial": self.serial,
            "status": self.status,
            "err": self.err,
            "hidden": self.hidden,
            "changed_at": stamp(self.changed_at),
        }


@dataclass(frozen=True, slots=True)
class Answer:
    """What a phone sent to one of the provider's numbers: an SMS, or a call (``[CALL]``, ``[waitcall]``).

    A ``viber`` answer goes to the name of a sender.
    """

    id: int
    phone: str
    to: str
    text: str
    kind: AnswerKind
    received_at: datetime

    def as_json(self) -> dict[str, object]:
        return {
            "id": self.id,
            "phone": self.phone,
            "to": self.to,
            "text": self.text,
            "kind": self.kind,
            "received_at": stamp(self.received_at),
        }


@dataclass(frozen=True, slots=True)
class Mail:
    """One mail that reached the inbox; *raw* is the whole of it, decoded loosely for reading."""

    id: int
    mail_from: str
    recipients: tuple[str, ...]
    subject: str
    message_id: str
    in_reply_to: str
    references: str
    text: str
    raw: str
    received_at: datetime

    def as_json(self) -> dict[str, object]:
        return {
            "id": self.id,
            "mail_from": self.mail_from,
            "recipients": list(self.recipients),
            "subject": self.subject,
            "message_id": self.message_id,
            "in_reply_to": self.in_reply_to,
            "references": self.references,
            "text": self.text,
            "raw": self.raw,
            "received_at": stamp(self.received_at),
        }


@dataclass(frozen=True, slots=True)
class Exchange:
    """One request as it came and what it was answered, secrets masked; *answer* is None if nothing was sent."""

    gateway: str
    door: str
    method: str
    target: str
    body: str
    peer: str
    received_at: datetime
    answer: str | None

    def as_json(self) -> dict[str, object]:
        return {
            "gateway": self.gateway,
            "door": self.door,
            "method": self.method,
            "target": self.target,
            "body": self.body,
            "peer": self.peer,
            "received_at": stamp(self.received_at),
            "answer": self.answer,
        }


@dataclass(frozen=True, slots=True)
class Post:
    """One post to a handler; *url* is the request target, without the handler URL's query and its secret.

    Without *wants* in the answer it counts as not received.
    """

    url: str
    content_type: str
    body: bytes
    phone: str
    kind: str
    attempt: int = 1
    wants: str = ""


@dataclass(frozen=True, slots=True)
class Posted:
    """What became of a post; *status* is the handler's HTTP status, 0 when it could not be reached."""

    post: Post
    status: int
    reason: str
    at: datetime

    def as_json(self) -> dict[str, object]:
        return {
            "kind": self.post.kind,
            "url": self.post.url,
            "body": self.post.body.decode("ascii", "replace"),
            "attempt": self.post.attempt,
            "status": self.status,
            "reason": self.reason,
            "at": stamp(self.at),
        }


@dataclass(frozen=True, slots=True)
class Change:
    """Something a page should know of: *kind* says what, *item* is its JSON form."""

    kind: Literal["message", "state", "answer", "mail", "faults", "cleared"]
    phone: str = ""
    item: Mapping[str, object] = field(default_factory=dict)
