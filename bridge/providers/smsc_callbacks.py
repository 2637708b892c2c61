"""smsc's posts to our handler: decoded, and believed only when they are signed. Pure.

The sum covers few fields and knows neither time nor kind, so what was signed as one kind must not be read as
another: each signed field has a pattern that leaves no doubt where it ends (threats T24). Costs and times in a
post are not signed; costs are not even read. Source: the provider's callback page and public handlers.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import re
from codecs import BOM_UTF8
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal
from urllib.parse import unquote_to_bytes
from xml.etree import ElementTree

from bridge.config.secrets import SecretText
from bridge.errors import BridgeError
from bridge.model import MessageState
from bridge.providers import smsc_codes
from bridge.providers.base import inbound_key, storable
from bridge.providers.smsc_answers import e164, moment

MOST_BYTES = 64 * 1024
_MOST_FIELDS = 100
_CALL = "[CALL]"
_WAITCALL = "[waitcall]"
_PLACE = re.compile(r"\{([a-z]+)\}")
_DECLARATION = re.compile(r"<!(?!\[CDATA\[|--)")

TEMPLATES: Mapping[str, str] = {
    "status": "{id}:{phone}:{status}:{secret}",
    "inbound": "{phone}:{mes}:{to}:{secret}",
    "waitcall": "{phone}:{ts}:{secret}",
}
"""What the sum runs over, kind by kind; the first is documented, the others were seen in public handlers."""

_PATTERNS: Mapping[str, Mapping[str, re.Pattern[str]]] = {
    "status": {
        "id": re.compile(r"[A-Za-z0-9._-]{1,40}"),
        "phone": re.compile(r"\+?[0-9]{5,15}|[^\s:@]{1,64}@[^\s:@]{1,190}"),
        "status": re.compile(r"-?[0-9]{1,2}"),
    },
    "inbound": {"phone": re.compile(r"\+?[0-9A-Za-z._& -]{2,20}"), "to": re.compile(r"\+?[0-9]{3,15}")},
    "waitcall": {"phone": re.compile(r"\+?[0-9]{5,15}"), "ts": re.compile(r"[0-9]{9,10}")},
}
"""No colon anywhere but in ``mes``, which stands between two fields that have none; ``to`` is longer than a status."""


class Forged(BridgeError):
    """The post is not signed by whoever knows the secret: 403, nothing is stored but a count."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class Malformed(BridgeError):
    """The post cannot be read without doubt: 400, nothing is stored but a count."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Status:
    """The network said something about a message. *state* None: the provider says it never had it."""

    client_id: str
    phone: str  # E.164 with its plus, or a mail address
    state: MessageState | None
    code: str
    error: str  # not signed
    at: datetime | None  # not signed
    read: bool
    event_key: str


@dataclass(frozen=True, slots=True)
class InboundSms:
    """An SMS (or with *call* a ring) to a number of ours."""

    id: str  # the provider's, not signed, "" = none
    phone: str  # E.164 with its plus where it is a number
    to: str  # digits
    text: str
    at: datetime | None  # not signed
    call: bool
    event_key: str


@dataclass(frozen=True, slots=True)
class WaitCall:
    """A confirmation call that was asked for."""

    phone: str
    to: str  # not signed
    at: datetime
    event_key: str


Post = Status | InboundSms | WaitCall


@dataclass(frozen=True, slots=True)
class Reader:
    """What one account's handler expects. Without a *secret* nothing is believed; crc32 never is.

    *charset* is the one named in the handler's URL: the sum runs over its bytes.
    """

    secret: SecretText | None
    checksum: Literal["sha1", "md5"] = "sha1"
    charset: str = "utf-8"
    templates: Mapping[str, str] = field(default_factory=lambda: TEMPLATES)

    def read(self, body: bytes) -> Post:
        """One post, whatever its form (fields, JSON, XML). Raises Forged or Malformed."""
        if len(body) > MOST_BYTES:
            raise Malformed("longer than 64 kB")
        raw = _fields(body, self.charset)
        kind = "waitcall" if "waitcall" in raw else "inbound" if "mes" in raw else "status"
        self._verify(kind, raw)
        fields = {name: storable(value.decode(self.charset, "replace")) for name, value in raw.items()}
        for name, pattern in _PATTERNS[kind].items():
            if not pattern.fullmatch(fields.get(name, "")):
                raise Malformed(f"{kind}: {name} is not what it should be")
        return _READ[kind](fields)

    def _verify(self, kind: str, raw: Mapping[str, bytes]) -> None:
        given = raw.get(self.checksum, b"").lower()
        if self.secret is None or not self.secret.reveal() or not given:
            raise Forged(f"{kind}: not signed with {self.checksum}")
        over = _expand(self.templates[kind], {**raw, "secret": self.secret.reveal().encode("ascii", "replace")})
        if over is None:
            raise Forged(f"{kind}: a signed field is missing")
        expected = hashlib.new(self.checksum, over, usedforsecurity=False).hexdigest().encode("ascii")
        if not hmac.compare_digest(given, expected):
            raise Forged(f"{kind}: the sum is wrong, it should run over {self.templates[kind]}")


def _expand(template: str, values: Mapping[str, bytes]) -> bytes | None:
    """*template* with the raw bytes of its fields, None when one is missing."""
    parts = _PLACE.split(template)
    if any(name not in values for name in parts[1::2]):
        return None
    return b"".join(values[part] if place % 2 else part.encode("ascii") for place, part in enumerate(parts))


def _status(fields: Mapping[str, str]) -> Status:
    client_id, phone, code = fields["id"], fields["phone"], fields["status"]
    return Status(
        client_id=client_id,
        phone=e164(phone),
        state=smsc_codes.state(code),
        code=code,
        error=fields.get("err", "")[:10],
        at=moment(fields.get("ts", "")),
        read=code in smsc_codes.READ,
        event_key=f"st:{client_id}:{phone.lstrip('+')}:{code}",
    )


def _inbound(fields: Mapping[str, str]) -> InboundSms:
    id, phone, to, text = fields.get("id", "")[:40], fields["phone"], fields["to"], fields["mes"]
    when = fields.get("ts") or fields.get("time") or fields.get("sent") or ""
    return InboundSms(
        id=id,
        phone=e164(phone),
        to=to.lstrip("+"),
        text=text,
        at=moment(fields.get("ts", "")),
        call=text in (_CALL, _WAITCALL),
        event_key=inbound_key(id, phone, to, text, when),
    )


def _waitcall(fields: Mapping[str, str]) -> WaitCall:
    at = moment(fields["ts"])
    if at is None:
        raise Malformed("waitcall: ts is not what it should be")
    phone = fields["phone"]
    to = fields.get("to") or fields["waitcall"]
    return WaitCall(e164(phone), to.lstrip("+")[:20], at, f"wc:{phone.lstrip('+')}:{fields['ts']}")


_READ: Mapping[str, Callable[[Mapping[str, str]], Post]] = {
    "status": _status,
    "inbound": _inbound,
    "waitcall": _waitcall,
}


def _fields(body: bytes, charset: str) -> dict[str, bytes]:
    """Names and raw values, each once. That the forms of JSON and XML are flat is not documented, only seen: a field
    that is not is as good as not there, and where it is signed the post is not believed."""
    body = body.removeprefix(BOM_UTF8)
    start = body.lstrip()[:1]
    pairs = _json(body, charset) if start == b"{" else _xml(body, charset) if start == b"<" else _form(body)
    if len({name for name, _ in pairs}) != len(pairs):
        raise Malformed("a field stands there twice")
    fields = {name: value for name, value in pairs if value is not None}
    if not fields:
        raise Malformed("no fields")
    return fields


def _form(body: bytes) -> Sequence[tuple[str, bytes | None]]:
    pieces = [piece for piece in body.strip().split(b"&", _MOST_FIELDS + 1) if piece]
    if len(pieces) > _MOST_FIELDS:
        raise Malformed("too many fields")
    pairs = (piece.replace(b"+", b" ").partition(b"=") for piece in pieces)
    return [(unquote_to_bytes(name).decode("ascii", "replace"), unquote_to_bytes(value)) for name, _, value in pairs]


def _json(body: bytes, charset: str) -> Sequence[tuple[str, bytes | None]]:
    """Numbers stay as they were written: the sum runs over that."""
    try:
        pairs = json.loads(body.decode(charset), object_pairs_hook=_Pairs, parse_int=str, parse_float=str)
        return [(str(name), value.encode(charset) if isinstance(value, str) else None) for name, value in pairs]
    except (ValueError, RecursionError) as error:
        raise Malformed("no flat JSON") from error


class _Pairs(list[tuple[str, Any]]):
    """An object as its pairs, so that a name that stands there twice is seen."""


def _xml(body: bytes, charset: str) -> Sequence[tuple[str, bytes | None]]:
    """The children of whatever root comes. No DTD, no entities (threats T27), in whichever encoding they hide."""
    try:
        text = body.decode(charset)
        if _DECLARATION.search(text):
            raise Malformed("XML with a DTD")
        root = ElementTree.fromstring(text)  # noqa: S314 - nothing can be declared, 64 kB at most
        return [(child.tag, None if len(child) else (child.text or "").encode(charset)) for child in root]
    except (ValueError, ElementTree.ParseError) as error:
        raise Malformed("no flat XML") from error
