"""What the provider posts by itself: states as XML, whose ids the answer must repeat, and Viber answers as JSON
(smsgate-cascade.md §9). Nothing is signed."""

from __future__ import annotations

import json
from datetime import UTC
from xml.sax.saxutils import escape, quoteattr

from bridge.simulator.records import Answer, Post
from bridge.simulator.settings import Handler

_HEAD = '<?xml version="1.0" encoding="utf-8"?>'


def state(handler: Handler, id: str, word: str, time: str, phone: str) -> Post:
    """One state; an answer without its id counts as not received."""
    inner = f"<state id_sms={quoteattr(id)} time={quoteattr(time)}>{escape(word)}</state>"
    body = f"{_HEAD}<request>{inner}</request>".encode()
    return Post(handler.url, "text/xml; charset=utf-8", body, phone, "status", wants=f"<id_sms>{id}</id_sms>")


def viber(handler: Handler, id: str, answer: Answer) -> Post:
    """What somebody wrote back in Viber; the phone is a number, the time is GMT."""
    document = {
        "message_id": id,
        "channel": "viber",
        "timestamp": answer.received_at.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S"),
        "recipient_response": {
            "recipient": {"phone": int(answer.phone)},
            "from": answer.to,
            "content": {"type": "text", "text": answer.text},
        },
    }
    body = json.dumps(document, ensure_ascii=False).encode()
    return Post(handler.url, "application/json; charset=utf-8", body, answer.phone, "inbound")
