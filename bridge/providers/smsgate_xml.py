"""smsgate by XML: ``/xml/message.php`` and ``/xml/state_message.php``, and what only XML can ask: balance, inbound SMS.

A document is one line: line breaks of the text are written as the two characters ``\\n``. There is no escape for a text
that holds these two itself, so its backslash becomes a slash. Pure. Sources: the provider's cascade page, XML section;
balance and inbound are those of the same provider's page of the older SMS API.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from xml.etree import ElementTree
from xml.etree.ElementTree import Element, SubElement

from bridge.errors import TemporaryFailure
from bridge.providers import smsgate_codes
from bridge.providers.base import Balance, Inbound
from bridge.providers.smsc_answers import e164
from bridge.providers.smsgate_answers import Given, State, state_of, unreadable, way_ids
from bridge.providers.smsgate_cascade import template
from bridge.providers.smsgate_wire import Ask, Login

_TYPE = "text/xml; charset=utf-8"
_HEAD = b'<?xml version="1.0" encoding="utf-8" ?>'
_DECLARATION = re.compile(r"<!(?!\[CDATA\[|--)")
_AMOUNT = re.compile(r"-?[0-9]{1,12}(?:\.[0-9]{1,6})?")
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]*")
_CURRENCIES = {"RUR": "RUB"}  # the old word for it


class Xml:
    """A ``smsgate_wire.Dialect``."""

    most_asked = 100

    def send(self, fields: Mapping[str, str], client_id: str, login: Login) -> Ask:
        request = _request(login)
        message = SubElement(request, "message")
        for name, value in fields.items():
            if name == "templateData":
                _template(SubElement(message, name), template(fields))
            elif name != "phone":
                SubElement(message, name).text = one_line(value)
        SubElement(message, "abonent", {"phone": fields["phone"], "client_id_message": client_id})
        return _ask("message", request)

    def sent(self, body: bytes) -> Iterator[Given]:
        response = _response(body, paid=True)
        for error in [*response.findall("error"), *response.findall("message/error")]:
            yield Given(error=_content(error) or "an error without a text")
        for one in response.findall("message/information"):
            id = one.get("id_message", "").strip()
            said = _content(one)
            well = said == "send" or (id and (not said or smsgate_codes.state(said) is not None))
            yield Given(
                id=id,
                client_id=one.get("client_id_message", "").strip(),
                phone=one.get("phone", "").strip().lstrip("+"),
                error="" if well else said or "an error without a text",
                parts=one.get("count_message", ""),
                way_ids=way_ids({name: value.strip() for name, value in one.attrib.items()}),
            )

    def states(self, ids: Sequence[str], login: Login) -> Ask:
        request = _request(login)
        state = SubElement(request, "state")
        for id in ids:
            SubElement(state, "id_message").text = id
        return _ask("state_message", request)

    def stated(self, body: bytes, ids: Sequence[str]) -> dict[str, State]:
        found = {one.get("id_message", ""): one for one in _asked(body).findall("state")}
        return {id: state_of(found[id].attrib, _content(found[id])) for id in ids if id in found}


def ask_balance(login: Login) -> Ask:
    """What the account holds."""
    return _ask("balance", _request(login))


def balance(body: bytes) -> Balance:
    """Raises TemporaryFailure or AccountPaused."""
    money = _asked(body).find("money")
    amount = "" if money is None else _content(money)
    if money is None or not _AMOUNT.fullmatch(amount):
        raise TemporaryFailure("the answer names no balance")
    currency = money.get("currency", "")[:10]
    return Balance(Decimal(amount), _CURRENCIES.get(currency, currency))


def ask_inbound(login: Login, since: datetime) -> Ask:
    """Inbound SMS received after *since* (in whichever time the provider keeps), all of them."""
    request = _request(login)
    SubElement(request, "time", {"start": since.strftime("%Y-%m-%d %H:%M:%S")})
    return _ask("incoming", request)


def inbound(body: bytes) -> tuple[Inbound, ...]:
    """In the order they stand; what has no id or no sender is left out. Errors as ``balance``."""
    return tuple(
        _inbound(one) for one in _asked(body).findall("sms") if one.get("id_sms", "").strip() and one.get("originator")
    )


def _inbound(one: Element) -> Inbound:
    return Inbound(
        id=one.get("id_sms", "").strip()[:40],
        phone=e164(one.get("originator", "").strip())[:40],
        to=one.get("phone", "").strip().lstrip("+")[:40],
        text=(one.text or "").replace("\\n", "\n"),
        received=_moment(one.get("date_receive", "")),
        sent=None,
    )


def _moment(text: str) -> datetime | None:
    """The zone is not said; UTC, so that it is the same at every look."""
    try:
        return datetime.strptime(text, "%Y-%m-%d %H:%M:%S").replace(tzinfo=UTC)
    except ValueError:
        return None


def one_line(text: str) -> str:
    """*text* as it may stand in a document."""
    return text.replace("\\n", "/n").replace("\n", "\\n")


def _template(element: Element, values: object) -> None:
    for name, value in values.items() if isinstance(values, dict) else ():
        if _NAME.fullmatch(str(name)):
            SubElement(element, str(name)).text = one_line(str(value))


def _request(login: Login) -> Element:
    request = Element("request")
    if not login.token:
        security = SubElement(request, "security")
        SubElement(security, "login", {"value": login.login})
        SubElement(security, "password", {"value": login.password})
    return request


def _ask(page: str, request: Element) -> Ask:
    body = _HEAD + ElementTree.tostring(request, encoding="unicode").encode("utf-8", "replace")
    return Ask("POST", f"/xml/{page}.php", body, _TYPE)


def parse(body: bytes, root: str) -> Element:
    """The document, whose outermost element is *root*. No DTD, no entities (threats T27). Raises ValueError."""
    try:
        text = body.decode("utf-8-sig")
        if _DECLARATION.search(text):
            raise ValueError("XML with a DTD")
        document = ElementTree.fromstring(text.strip())  # noqa: S314 - nothing can be declared, the caller caps it
    except (ElementTree.ParseError, RecursionError) as error:
        raise ValueError("no XML") from error
    if document.tag != root:
        raise ValueError(f"no <{root}>")
    return document


def _response(body: bytes, *, paid: bool) -> Element:
    try:
        return parse(body, "response")
    except ValueError as error:
        raise unreadable(paid=paid) from error


def _asked(body: bytes) -> Element:
    response = _response(body, paid=False)
    error = response.find("error")
    if error is not None:
        raise smsgate_codes.question_refused(_content(error))
    return response


def _content(element: Element) -> str:
    return (element.text or "").strip()
