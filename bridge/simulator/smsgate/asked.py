"""What a client asked: three ways of writing the same, read as forgivingly as the real one seems to.

Raises ``Refused`` with the sentence for a document that cannot be read; a field that is missing is "".
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from urllib.parse import parse_qsl
from xml.etree import ElementTree
from xml.etree.ElementTree import Element

from bridge.simulator.settings import MASK
from bridge.simulator.smsgate import texts
from bridge.simulator.smsgate.texts import Refused

_DTD = re.compile(rb"<!(?!\[CDATA\[|--)")
_IN_QUERY = re.compile(r"((?:^|[?&])password=)[^&]*")
_IN_JSON = re.compile(r'("password"\s*:\s*)("(?:[^"\\]|\\.)*"|[^,}\s]+)')
_IN_XML = re.compile(r'(<password\s+value=["\']?)[^"\'<>]*')


@dataclass(frozen=True)
class Raw:
    """One HTTP request; *page* is the path without ``.php`` and slashes, *token* that of ``Authorization: Bearer``."""

    page: str
    method: str
    path: str
    query: str
    body: bytes
    token: str
    peer: str

    def shown(self) -> tuple[str, str]:
        """Target and body for people to read, the password masked."""
        target = _IN_QUERY.sub(r"\1" + MASK, f"{self.path}?{self.query}" if self.query else self.path)
        body = _IN_QUERY.sub(r"\1" + MASK, self.body.decode("utf-8", "replace"))
        return target, _IN_XML.sub(r"\1" + MASK, _IN_JSON.sub(r'\1"' + MASK + '"', body))


@dataclass(frozen=True, slots=True)
class Abonent:
    """One recipient; *client_id* is the client's number for the message."""

    phone: str
    client_id: str = ""


@dataclass(frozen=True, slots=True)
class Order:
    """One message for some phones: parameters by their names."""

    fields: dict[str, str]
    abonents: tuple[Abonent, ...]

    def get(self, name: str) -> str:
        return self.fields.get(name, "")


@dataclass(frozen=True, slots=True)
class Asked:
    """A whole request: messages to send, or ids whose state is wanted, or neither (balance, inbound)."""

    login: str = ""
    password: str = field(default="", repr=False)
    orders: tuple[Order, ...] = ()
    states: tuple[str, ...] | None = None
    begin: str = ""  # of inbound SMS, as written
    end: str = ""
    url: str | None = None  # of get_state.php type=set
    identity: str = ""  # what makes two requests the same


def read_get(raw: Raw) -> Asked:
    """``/sendmessage.php``; a form in a POST is read too, as PHP's $_REQUEST would."""
    query = f"{raw.query}&{raw.body.decode('utf-8', 'replace')}" if raw.body else raw.query
    fields = dict(parse_qsl(query, keep_blank_values=True, encoding="utf-8", errors="replace"))
    login, password = fields.pop("login", ""), fields.pop("password", "")
    identity = json.dumps(fields, sort_keys=True)
    if "id_message" in fields:
        return Asked(login, password, states=(fields["id_message"],), identity=identity)
    phones = fields.pop("phone", "").split(",")
    order = Order(fields, tuple(Abonent(phone.strip()) for phone in phones))
    return Asked(login, password, (order,), identity=identity)


def read_json(raw: Raw) -> Asked:
    """``/sendmessagejson.php``."""
    if not raw.body.strip():
        raise Refused(texts.EMPTY)
    try:
        document = json.loads(raw.body)
    except (ValueError, RecursionError) as error:
        raise Refused(texts.FORMAT.format("JSON")) from error
    if not isinstance(document, dict):
        raise Refused(texts.FORMAT.format("JSON"))
    login, password = _text(document.pop("login", "")), _text(document.pop("password", ""))
    identity = json.dumps(document, sort_keys=True)
    if isinstance(states := document.get("state"), list):
        ids = tuple(_text(one.get("id_message")) for one in states if isinstance(one, dict))
        return Asked(login, password, states=ids, identity=identity)
    messages = document.get("message")
    if not isinstance(messages, list) or not messages:
        raise Refused(texts.FORMAT.format("JSON"))
    orders = tuple(_json_order(one) for one in messages if isinstance(one, dict))
    return Asked(login, password, orders, identity=identity)


def _json_order(message: dict[str, object]) -> Order:
    phones = message.get("phones")
    entries = [one for one in phones if isinstance(one, dict)] if isinstance(phones, list) else []
    abonents = tuple(Abonent(_text(one.get("phone")), _text(one.get("client_id_message"))) for one in entries)
    data = message.get("templateData")
    fields = {name: _text(value) for name, value in message.items()}
    if isinstance(data, dict):
        fields["templateData"] = json.dumps(data, ensure_ascii=False)
    return Order(fields, abonents)


def read_xml(raw: Raw) -> Asked:
    """All of ``/xml/*.php``."""
    if not raw.body.strip():
        raise Refused(texts.EMPTY)
    document = _document(raw.body)
    security = {one.tag: one.get("value", "") for one in document.findall("security/*")}
    login, password = security.get("login", ""), security.get("password", "")
    for one in document.findall("security"):
        document.remove(one)
    identity = ElementTree.tostring(document, encoding="unicode")
    state, time, url = document.find("state"), document.find("time"), document.find("get_state")
    return Asked(
        login,
        password,
        tuple(_xml_order(one) for one in document.findall("message")),
        None if state is None else tuple((one.text or "").strip() for one in state.findall("id_message")),
        "" if time is None else time.get("start", ""),
        "" if time is None else time.get("end", ""),
        (url.text or "").strip() if url is not None and url.get("type") == "set" else None,
        identity,
    )


def _document(body: bytes) -> Element:
    """Well formed, on one line, and without a DTD."""
    if _DTD.search(body) or b"\n" in body.strip() or b"\r" in body.strip():
        raise Refused(texts.FORMAT.format("XML"))
    try:
        document = ElementTree.fromstring(body)  # noqa: S314 - nothing can be declared
    except (ElementTree.ParseError, ValueError, LookupError, RecursionError) as error:
        raise Refused(texts.FORMAT.format("XML")) from error
    if document.tag != "request":
        raise Refused(texts.FORMAT.format("XML"))
    return document


def _xml_order(message: Element) -> Order:
    fields = {one.tag: (one.text or "").replace("\\n", "\n") for one in message if one.tag != "abonent"}
    if (data := message.find("templateData")) is not None:
        fields["templateData"] = json.dumps({one.tag: one.text or "" for one in data}, ensure_ascii=False)
    abonents = tuple(
        Abonent(one.get("phone", "").strip(), one.get("client_id_message", "").strip())
        for one in message.findall("abonent")
    )
    return Order(fields, abonents)


def _text(value: object) -> str:
    return str(value).strip() if isinstance(value, str | int) and not isinstance(value, bool) else ""
