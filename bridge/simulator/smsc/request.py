"""What a client asked: parameters out of a query, a form, a multipart body or a JSON object.

Percent escapes are bytes of the charset the request itself names (smsc-http.md §3), windows-1251 if it
names none, so parameters stay bytes until all of them are read.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from email.message import Message as Part
from email.parser import BytesParser
from functools import cached_property
from urllib.parse import unquote_to_bytes

from bridge.simulator.settings import MASK

CHARSETS = {"windows-1251": "cp1251", "cp1251": "cp1251", "utf-8": "utf-8", "koi8-r": "koi8-r"}
_SECRETS = ("psw", "apikey")
_IN_FORM = re.compile(r"(?i)((?:^|[?&;])(?:psw|apikey)=)[^&\s]*")


@dataclass(frozen=True)
class Raw:
    """One HTTP request as the door got it; *peer* is the client's address, *query* without the ``?``."""

    door: str
    method: str
    path: str
    query: bytes
    body: bytes
    content_type: str
    peer: str
    host: str

    @cached_property
    def asked(self) -> Asked:
        """The parameters of this request, read once."""
        return read(self)

    def shown(self) -> tuple[str, str]:
        """Target and body for people to read, secrets masked."""
        target = f"{self.path}?{self.query.decode('latin-1')}" if self.query else self.path
        return self._masked(target), self._masked(self.body.decode("utf-8", "replace"))

    def _masked(self, text: str) -> str:
        text = _IN_FORM.sub(r"\1" + MASK, text)
        if text and not self.content_type.startswith("application/x-www-form-urlencoded"):
            for name in _SECRETS:
                secret = self.asked.get(name)
                text = text.replace(secret, MASK) if secret else text
        return text


@dataclass(frozen=True)
class Asked:
    """Decoded parameters; *charset* is a Python codec, "" when the request names an unknown one."""

    values: dict[str, str]
    charset: str
    is_json: bool

    def get(self, name: str) -> str:
        """The value, "" when it is absent (the provider makes no difference, smsc-http.md §4)."""
        return self.values.get(name, "")

    def flag(self, name: str) -> bool:
        return self.get(name) not in ("", "0")

    @property
    def fmt(self) -> int:
        """0 text, 1 numbers, 2 XML, 3 JSON; a JSON request that does not say gets JSON (inferred)."""
        asked = self.get("fmt") or ("3" if self.is_json else "0")
        return int(asked) if asked in ("0", "1", "2", "3") else 0

    def masked(self) -> dict[str, str]:
        """All parameters with their secrets gone, for the control API."""
        return {name: MASK if name in _SECRETS else value for name, value in self.values.items()}


def read(raw: Raw) -> Asked:
    """Never raises: what cannot be read is missing, and the door then says error 1."""
    fields = _pairs(raw.query)
    is_json = False
    if raw.content_type.startswith("multipart/form-data"):
        fields |= _multipart(raw.content_type, raw.body)
    elif raw.body.lstrip()[:1] == b"{" and not raw.content_type.startswith("application/x-www-form-urlencoded"):
        fields |= _json(raw.body)
        is_json = True
    else:
        fields |= _pairs(raw.body)
    named = fields.get("charset", b"").decode("ascii", "replace").lower()
    charset = "utf-8" if is_json and not named else CHARSETS.get(named or "windows-1251", "")
    codec = "utf-8" if is_json else charset or "cp1251"
    return Asked({name: value.decode(codec, "replace") for name, value in fields.items()}, charset, is_json)


def _pairs(form: bytes) -> dict[str, bytes]:
    """A query or form body; an empty pair (``&&``) is skipped, the last of a repeated name wins as in PHP."""
    pairs = (pair.partition(b"=") for pair in form.split(b"&") if pair)
    return {_plain(name).decode("latin-1"): _plain(value) for name, _, value in pairs}


def _plain(escaped: bytes) -> bytes:
    return unquote_to_bytes(escaped.replace(b"+", b" "))


def _json(body: bytes) -> dict[str, bytes]:
    try:
        parsed = json.loads(body)
    except ValueError:
        return {}
    if not isinstance(parsed, dict):
        return {}
    return {
        str(name): ("" if value is None else str(value)).encode("utf-8", "replace") for name, value in parsed.items()
    }


def _multipart(content_type: str, body: bytes) -> dict[str, bytes]:
    """Fields of a multipart form; files are kept under their names. A leading NUL is the PHP library's guard."""
    head = b"Content-Type: " + content_type.encode("latin-1", "replace") + b"\r\n\r\n"
    whole = BytesParser().parsebytes(head + body)
    parts = whole.get_payload() if whole.is_multipart() else []
    return {
        str(part.get_param("name", header="content-disposition")): _content(part)
        for part in parts
        if isinstance(part, Part)
    }


def _content(part: Part) -> bytes:
    payload = part.get_payload(decode=True)
    return payload.removeprefix(b"\0") if isinstance(payload, bytes) else b""
