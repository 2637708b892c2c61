"""The provider's answers, byte for byte (smsc-http.md §5, §9; vectors send_http, send_errors, balance_http)."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from xml.sax.saxutils import escape

from bridge.simulator.records import money

ERRORS: dict[int, str] = {
    1: "parameters error",
    2: "authorise error",
    3: "no money",
    4: "IP is blocked",
    5: "invalid date format",
    6: "message is denied",
    7: "invalid number",
    8: "can't to deliver",
    9: "duplicate request, wait a minute",
}
CROWDED = "too many concurrent requests"
WITH_ID = frozenset({3, 6, 7, 8})
_TYPES = ("text/plain", "text/plain", "text/xml", "application/json")


@dataclass(frozen=True, slots=True)
class Reply:
    """What goes back over the wire."""

    body: bytes
    content_type: str
    status: int = 200


class Refused(Exception):
    """The door says no with *code*; *id* goes along for 3, 6, 7 and 8."""

    def __init__(self, code: int, *, id: str = "", text: str = "") -> None:
        super().__init__(code)
        self.code = code
        self.id = id
        self.text = text or ERRORS[code]


def reply(fmt: int, text: str, charset: str = "cp1251", status: int = 200) -> Reply:
    """*text* in the charset that the client asked for; *status* is HTTP's."""
    codec = charset or "cp1251"
    return Reply(text.encode(codec, "replace"), f"{_TYPES[fmt]}; charset={codec.replace('cp', 'windows-')}", status)


def number(text: str) -> int | str:
    """Ids of digits are JSON numbers, others are strings."""
    return int(text) if text.isdecimal() else text


def dumps(value: object) -> str:
    return json.dumps(value, ensure_ascii=False)


def xml(root: str, fields: Mapping[str, object]) -> str:
    """One element a line; a list value is repeated inside its own element."""
    return "\n".join([f"<{root}>", *(_element(name, value) for name, value in fields.items()), f"</{root}>"])


def _element(name: str, value: object) -> str:
    if isinstance(value, Mapping):
        return xml(name, value)
    if isinstance(value, Sequence) and not isinstance(value, str):
        inner = [_element("phone", one) for one in value]
        return "\n".join([f"<{name}>", *inner, f"</{name}>"])
    return f"<{name}>{escape(str(value))}</{name}>"


def error(fmt: int, code: int, text: str, id: str = "") -> str:
    """The error shapes, certain for all four formats."""
    if fmt == 0:
        return f"ERROR = {code} ({text})" + (f", ID - {id}" if id else "")
    if fmt == 1:
        return f"{id or 0},-{code}"
    fields: dict[str, object] = {"error": text, "error_code": code}
    if id:
        fields["id"] = number(id)
    return xml("result", fields) if fmt == 2 else dumps(fields)


@dataclass(frozen=True, slots=True)
class Taken:
    """The numbers of a successful send or price request; *phones* only when op or err asked for them."""

    id: str
    cnt: int
    cost: Decimal
    balance: Decimal
    phones: tuple[dict[str, str], ...] = ()
    code: str = ""


def taken(fmt: int, cost_mode: int, done: Taken, *, as_text: bool = False, plain_money: bool = False) -> str:
    """Success of send.php. *cost_mode* 1 is the price only; 2 adds the cost, 3 the balance as well.

    In JSON money is text, ids and counts are numbers, unless *as_text* or *plain_money* makes all of them the same.
    A flash call's *code* has a place in XML and JSON only.
    """
    if fmt == 0:
        return _taken_text(cost_mode, done)
    if fmt == 1:
        return ",".join(str(value) for value in _taken_fields(cost_mode, done).values())
    fields = _taken_fields(cost_mode, done)
    if done.code:
        fields["code"] = done.code
    if done.phones:
        fields["phones"] = list(done.phones)
    if fmt == 2:
        return xml("result", fields)
    if plain_money:
        fields |= {name: float(str(fields[name])) for name in ("cost", "balance") if name in fields}
    return dumps({name: str(value) if as_text and name != "phones" else value for name, value in fields.items()})


def _taken_fields(cost_mode: int, done: Taken) -> dict[str, object]:
    if cost_mode == 1:
        return {"cost": money(done.cost), "cnt": done.cnt}
    fields: dict[str, object] = {"id": number(done.id), "cnt": done.cnt}
    if cost_mode >= 2:
        fields["cost"] = money(done.cost)
    if cost_mode == 3:
        fields["balance"] = money(done.balance)
    return fields


def _taken_text(cost_mode: int, done: Taken) -> str:
    if cost_mode == 1:
        return f"{money(done.cost)} ({done.cnt} SMS)"
    text = f"OK - {done.cnt} SMS, ID - {done.id}"
    if cost_mode >= 2:
        text += f", cost - {money(done.cost)}"
    if cost_mode == 3:
        text += f", balance - {money(done.balance)}"
    return text


def balance(fmt: int, amount: Decimal, *, currency: str = "", credit: Decimal = Decimal(0)) -> str:
    """balance.php; *currency* only when ``cur=1`` asked for it, *credit* only beside it and when there is one."""
    fields = {"balance": money(amount)}
    if currency and credit:
        fields["credit"] = f"{credit.normalize():f}"
    if currency:
        fields["currency"] = currency
    if fmt <= 1:
        return " ".join([fields["balance"], *([currency] if currency else [])])
    if fmt == 2:
        return "\n".join(f"<{name}>{escape(value)}</{name}>" for name, value in fields.items())
    return dumps(fields)
