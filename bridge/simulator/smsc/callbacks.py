"""Posts to the client's handler: what stands in them, and how they are signed (smsc-callbacks.md).

The handler's URL says everything: ``charset``, ``fmt``, one of ``md5``/``sha1``/``crc32`` with the secret,
and parameters of its own that come back as fields; what stands between ``!`` and ``?`` comes back by GET.
"""

from __future__ import annotations

import hashlib
import json
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from typing import Literal
from urllib.parse import parse_qsl, urlencode
from xml.sax.saxutils import escape

from bridge.simulator.records import Answer, Message, Post, money
from bridge.simulator.settings import MASK, Handler, Switches

Kind = Literal["status", "inbound", "waitcall"]
MOSCOW = timezone(timedelta(hours=3))
_SUMS = ("md5", "sha1", "crc32")
_CODECS = {"windows-1251": "cp1251", "koi8-r": "koi8-r", "utf-8": "utf-8"}
_STATUS_TEMPLATE = "{id}:{phone}:{status}:{secret}"


@dataclass(frozen=True, slots=True)
class Target:
    """A handler URL taken apart; *sum_name* is "" when nothing is to be signed."""

    url: str
    codec: str
    fmt: int
    sum_name: str
    secret: str
    echoed: tuple[tuple[str, str], ...]


def target(url: str, *, echo: bool = True, echo_charset: bool = False) -> Target:
    """Read a handler URL as the provider does; koi8-r is not used for XML and JSON."""
    address, _, query = url.partition("?")
    address, bang, by_get = address.partition("!")
    given = parse_qsl(query, keep_blank_values=True)
    options = dict(given)
    fmt = int(options.get("fmt", "0")) if options.get("fmt") in ("2", "3") else 0
    codec = _CODECS.get(options.get("charset", ""), "cp1251")
    signed = next((name for name in _SUMS if options.get(name)), "")
    reserved = {*_SUMS, *(() if echo_charset else ("charset", "fmt"))}
    return Target(
        url=f"{address}?{by_get}" if bang else address,
        codec="utf-8" if fmt and codec == "koi8-r" else codec,
        fmt=fmt,
        sum_name=signed,
        secret=options.get(signed, ""),
        echoed=tuple((name, value) for name, value in given if name not in reserved) if echo else (),
    )


def check_bytes(kind: Kind, fields: Mapping[str, str], to: Target, switches: Switches) -> bytes:
    """What the sum runs over: the field values in the handler's charset (inferred), with the secret at the end."""
    templates = {
        "status": _STATUS_TEMPLATE,
        "inbound": switches.inbound_template,
        "waitcall": switches.waitcall_template,
    }
    return templates[kind].format(**fields, secret=to.secret).encode(to.codec, "replace")


def checksum(name: str, over: bytes, crc32_form: str = "unsigned") -> str:
    """md5 and sha1 in lower-case hex; of crc32 nobody knows the form."""
    if name != "crc32":
        return hashlib.new(name, over, usedforsecurity=False).hexdigest()
    value = zlib.crc32(over)
    if crc32_form == "hex":
        return f"{value:08x}"
    return str(value - (1 << 32) if crc32_form == "signed" and value >= 1 << 31 else value)


def encode(kind: Kind, fields: Mapping[str, str], to: Target, switches: Switches) -> tuple[str, bytes]:
    """Content type and body of one post, signed when the handler asks for it."""
    whole = dict(fields) | dict(to.echoed) | switches.extra_fields
    if to.sum_name and (switches.sum_in_documents or not to.fmt):
        over = check_bytes(kind, fields, to, switches)
        whole[to.sum_name] = checksum(to.sum_name, over, switches.crc32_form)
    if to.fmt == 3:
        return "application/json", json.dumps(whole, ensure_ascii=False).encode(to.codec, "replace")
    if to.fmt == 2:
        inner = "".join(f"<{name}>{escape(value)}</{name}>" for name, value in whole.items())
        return "text/xml", f"<result>{inner}</result>".encode(to.codec, "xmlcharrefreplace")
    return "application/x-www-form-urlencoded", urlencode(whole, encoding=to.codec, errors="replace").encode("ascii")


def post(handler: Handler, kind: Kind, fields: Mapping[str, str], phone: str, switches: Switches) -> Post:
    """The finished post for *handler*."""
    to = target(handler.url, echo=switches.echo_parameters, echo_charset=switches.echo_charset)
    content_type, body = encode(kind, fields, to, switches)
    return Post(to.url, content_type, body, phone, kind)


def status_fields(message: Message, switches: Switches, hours: float = 0) -> dict[str, str]:
    """Names as public handlers have seen them; HLR adds what it found, a mail its flag (type 8 and bit 5).

    *hours* from Moscow is the clock of its date.
    """
    fields = {"id": message.id, "phone": message.phone, "status": str(message.status)}
    if not switches.omit_err:
        fields["err"] = str(message.err)
    if message.channel == "hlr":
        fields |= switches.hlr
    if message.channel == "mail":
        fields["flag"] = "40"
    fields |= {"time": local(message.changed_at, hours), "ts": str(int(message.changed_at.timestamp()))}
    return fields | {"cnt": str(len(message.parts)), "cost": money(message.cost), "type": str(message.kind)}


def answer_fields(answer: Answer, switches: Switches) -> tuple[Kind, dict[str, str]]:
    """An SMS or call to our number as an inbound post, a confirmation call as a waitcall one."""
    if answer.kind == "waitcall":
        fields = {"phone": answer.phone, "waitcall": answer.to, "ts": str(int(answer.received_at.timestamp()))}
        return "waitcall", fields | ({"mes": answer.text, "to": answer.to} if switches.waitcall_with_mes else {})
    fields = {"phone": answer.phone, "mes": answer.text, "to": answer.to}
    return "inbound", fields | ({"id": str(answer.id)} if switches.inbound_id else {})


def local(moment: datetime, hours: float = 0) -> str:
    """``DD.MM.YYYY hh:mm:ss``, *hours* from Moscow (inferred)."""
    return (moment.astimezone(MOSCOW) + timedelta(hours=hours)).strftime("%d.%m.%Y %H:%M:%S")


def masked_url(url: str) -> str:
    """The handler's URL for people to read: the secret of its sum is gone."""
    address, mark, query = url.partition("?")
    pairs = (pair.partition("=") for pair in query.split("&"))
    shown = (f"{name}={MASK}" if name in _SUMS else name + equals + value for name, equals, value in pairs)
    return address + mark + "&".join(shown)
