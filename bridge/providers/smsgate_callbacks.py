"""smsgate's posts to our handler: states as XML, Viber answers as JSON. Pure.

Nothing in them is signed, so the secret path is all that speaks for them, and they are believed little (threats T24):
a state counts only where it says that a message arrived, because one that says it did not may mean one way of several;
whoever is asked for the rest is the provider, with our credentials. An answer counts from a phone we wrote to.
Sources: the provider's page of notifications, and that of the older SMS API.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from bridge.model import MessageState
from bridge.providers import smsgate_codes
from bridge.providers.base import inbound_key, storable
from bridge.providers.smsc_answers import e164
from bridge.providers.smsc_callbacks import MOST_BYTES, Malformed
from bridge.providers.smsgate_xml import parse

_MOST_STATES = 500
_MOST_TEXT = 4000  # characters
_ID = re.compile(r"[1-9][0-9]{0,18}")
_PHONE = re.compile(r"[1-9][0-9]{6,14}")
_HEAD = '<?xml version="1.0" encoding="utf-8" ?>'


@dataclass(frozen=True, slots=True)
class WayState:
    """One state; *id* is that of a message, or of one of its ways: which is not said."""

    id: str
    word: str

    @property
    def state(self) -> MessageState:
        """DELIVERED, or ACCEPTED for everything that proves less."""
        return "DELIVERED" if smsgate_codes.state(self.word) == "DELIVERED" else "ACCEPTED"

    @property
    def event_key(self) -> str:
        return f"sg:{self.id}:{self.word}"


@dataclass(frozen=True, slots=True)
class States:
    """All states of one post."""

    states: tuple[WayState, ...]

    def answer(self) -> str:
        """What must be answered: an id that is missing there is posted again, five times."""
        ids = "".join(f"<id_sms>{one.id}</id_sms>" for one in self.states)
        return f"{_HEAD}<response>{ids}</response>"


@dataclass(frozen=True, slots=True)
class ViberReply:
    """What somebody wrote back in Viber. *provider_id* should be the provider's id of the message that is answered."""

    provider_id: str
    phone: str  # E.164 with its plus
    text: str
    event_key: str
    to: str = ""  # it went to the name of a sender, not to a number of ours


SmsgatePost = States | ViberReply


@dataclass(frozen=True, slots=True)
class SmsgateReader:
    """Reads posts of smsgate, which are always UTF-8."""

    def read(self, body: bytes) -> SmsgatePost:
        """One post. Raises Malformed."""
        if len(body) > MOST_BYTES:
            raise Malformed("longer than 64 kB")
        start = body.lstrip(b"\xef\xbb\xbf \t\r\n")[:1]
        if start not in (b"<", b"{"):
            raise Malformed("neither XML nor JSON")
        return _states(body) if start == b"<" else _viber(body)


def _states(body: bytes) -> States:
    try:
        found = parse(body, "request").findall("state")
    except ValueError as error:
        raise Malformed("no XML of states") from error
    states = tuple(WayState(one.get("id_sms", "").strip(), (one.text or "").strip()) for one in found)
    if not 0 < len(states) <= _MOST_STATES or not all(_ID.fullmatch(one.id) for one in states):
        raise Malformed("no states")
    if any(smsgate_codes.state(one.word) is None for one in states):
        raise Malformed("a word that is no state")
    return States(states)


def _viber(body: bytes) -> ViberReply:
    """The phone is a number there and the id a text; both are taken either way."""
    try:
        document = json.loads(body.decode("utf-8-sig"), object_pairs_hook=_each_once)
    except (ValueError, RecursionError) as error:
        raise Malformed("no JSON") from error
    response = _inner(document, "recipient_response")
    content, recipient = _inner(response, "content"), _inner(response, "recipient")
    id, phone = _plain(document.get("message_id")), _plain(recipient.get("phone")).removeprefix("+")
    text, sender, when = content.get("text"), _plain(response.get("from")), _plain(document.get("timestamp"))
    if document.get("channel") != "viber" or content.get("type") != "text" or not isinstance(text, str):
        raise Malformed("no text from Viber")
    if not _ID.fullmatch(id) or not _PHONE.fullmatch(phone) or len(text) > _MOST_TEXT:
        raise Malformed("an id, a phone or a text that is none")
    key = inbound_key("", phone, sender, f"{id}\x00{text}", when)
    return ViberReply(id, e164(phone), storable(text), f"viber:{key}")


def _inner(document: dict[str, Any], name: str) -> dict[str, Any]:
    found = document.get(name)
    if not isinstance(found, dict):
        raise Malformed(f"no {name}")
    return found


def _each_once(pairs: Sequence[tuple[str, Any]]) -> dict[str, Any]:
    if len(dict(pairs)) != len(pairs):
        raise ValueError("a name stands there twice")
    return dict(pairs)


def _plain(value: object) -> str:
    return str(value) if isinstance(value, str | int) and not isinstance(value, bool) else ""
