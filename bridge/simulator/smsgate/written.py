"""How answers are written: plain text, JSON, XML on one line. Switches decide what the page leaves open."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from xml.sax.saxutils import escape, quoteattr

from bridge.simulator.settings import SmsgateSwitches

_HEAD = '<?xml version="1.0" encoding="utf-8" ?>'


@dataclass(frozen=True, slots=True)
class Item:
    """What became of one phone of a message: an id, or an error (with *base* where it came out of an address book)."""

    phone: str
    client_id: str = ""
    id: str = ""
    parts: int = 0
    ids: Mapping[str, str] | None = None  # by channel, "0" = not sent by it so far
    error: str = ""
    nameless: bool = False  # taken before, and the answer does not say under which id


@dataclass(frozen=True, slots=True)
class Told:
    """The state of one message; *known* False: there is no such id, and *word* says so."""

    id: str
    word: str
    known: bool = True
    changed: str = ""
    words: Mapping[str, str] | None = None
    prices: Mapping[str, Decimal] | None = None
    parts: int = 0


Results = Sequence[Sequence[Item] | str]  # one for each message: its phones, or the text of its refusal


def get_sent(results: Results, switches: SmsgateSwitches) -> str:
    """Ids with commas between; one refusal refuses all, because there is no form for a mixture."""
    items = [item for result in results for item in ((Item("", error=result),) if isinstance(result, str) else result)]
    refused = next((item.error for item in items if item.error), "")
    return get_error(refused, switches) if refused else ",".join(item.id for item in items)


def get_error(text: str, switches: SmsgateSwitches) -> str:
    return f"error: {text}" if switches.error_prefix else text


def get_told(told: Sequence[Told], switches: SmsgateSwitches) -> str:
    return told[0].word if told[0].known else get_error(told[0].word, switches)


def json_sent(results: Results, switches: SmsgateSwitches) -> str:
    return _dumps({"message": [_json_result(result, switches) for result in results]})


def _json_result(result: Sequence[Item] | str, switches: SmsgateSwitches) -> object:
    if isinstance(result, str):
        return [{"error": result}] if switches.refusal_in_list else {"error": result}
    rows = [_json_item(item, switches) for item in result]
    return rows[0] if switches.single_as_object and len(rows) == 1 else rows


def _json_item(item: Item, switches: SmsgateSwitches) -> dict[str, object]:
    named = {"client_id_message": item.client_id if switches.echo_client_id else "", "phone": item.phone}
    if item.error:
        return {**named, "error": item.error}
    number: Callable[[str], object] = int if switches.ids_as_numbers else str
    id = {} if item.nameless else {"id_message": number(item.id)}
    ids = {f"id_{way}": number(value) for way, value in _channel_ids(item, switches).items()}
    return {**id, **named, "count_message": number(str(item.parts)), **ids}


def _channel_ids(item: Item, switches: SmsgateSwitches) -> dict[str, str]:
    ids = item.ids or {}
    order = ("viber", "whatsapp", "sms", "vk") if switches.id_whatsapp else ("viber", "sms", "vk")
    return {way: ids.get(way, "0") for way in order}


def json_error(text: str, switches: SmsgateSwitches) -> str:
    return _dumps({"error": text})


def json_told(told: Sequence[Told], switches: SmsgateSwitches) -> str:
    return _dumps({"state": [{"id_message": one.id, **_json_state(one)} for one in told]})


def _json_state(told: Told) -> dict[str, str]:
    return {"time_change_state": told.changed, "state": told.word, **_details(told)}


def _details(told: Told) -> dict[str, str]:
    order = ("sms", "viber", "whatsapp", "vk")
    words, prices = told.words or {}, told.prices or {}
    states = {f"state_{way}": words.get(way, "send") if told.known else "" for way in order}
    parts = {"num_parts_sms": str(told.parts) if told.known else ""}
    costs = {f"price_{way}": str(prices.get(way, Decimal(0))) if told.known else "" for way in order}
    return {**states, **parts, **costs}


def xml_sent(results: Results, switches: SmsgateSwitches) -> str:
    return _xml("".join(f"<message>{_xml_result(result, switches)}</message>" for result in results))


def _xml_result(result: Sequence[Item] | str, switches: SmsgateSwitches) -> str:
    if isinstance(result, str):
        return f"<error>{escape(result)}</error>"
    return "".join(_xml_item(item, switches) for item in result)


def _xml_item(item: Item, switches: SmsgateSwitches) -> str:
    client = {"client_id_message": item.client_id if switches.echo_client_id else ""}
    if item.error:
        return f"<information{_attributes(client | {'phone': item.phone})}>{escape(item.error)}</information>"
    ids = {f"id_{way}": value for way, value in _channel_ids(item, switches).items()}
    id = {} if item.nameless else {"id_message": item.id}
    return f"<information{_attributes(id | client | ids | {'phone': item.phone})}>send</information>"


def xml_error(text: str, switches: SmsgateSwitches) -> str:
    return _xml(f"<error>{escape(text)}</error>")


def xml_told(told: Sequence[Told], switches: SmsgateSwitches) -> str:
    rows = [{"id_message": one.id, "time_change_state": one.changed} | _details(one) for one in told]
    return _xml(
        "".join(f"<state{_attributes(row)}>{escape(one.word)}</state>" for row, one in zip(rows, told, strict=True))
    )


def xml_balance(amount: Decimal, currency: str) -> str:
    old = {"RUB": "RUR"}.get(currency, currency)
    return _xml(f'<money currency="{escape(old)}">{amount}</money>')


def xml_inbound(rows: Sequence[tuple[Mapping[str, str], str]]) -> str:
    """Attributes and text of each SMS."""
    return _xml("".join(f"<sms{_attributes(row)}>{escape(text)}</sms>" for row, text in rows))


def xml_url(url: str) -> str:
    return _xml(f"<get_state>{escape(url)}</get_state>")


def _attributes(values: Mapping[str, str]) -> str:
    return "".join(f" {name}={quoteattr(value)}" for name, value in values.items())


def _xml(inner: str) -> str:
    return f"{_HEAD}<response>{inner}</response>"


def _dumps(value: object) -> str:
    return json.dumps(value, ensure_ascii=False)


@dataclass(frozen=True, slots=True)
class Form:
    """One way of writing."""

    content_type: str
    sent: Callable[[Results, SmsgateSwitches], str]
    told: Callable[[Sequence[Told], SmsgateSwitches], str]
    error: Callable[[str, SmsgateSwitches], str]


GET = Form("text/html; charset=utf-8", get_sent, get_told, get_error)
JSON = Form("application/json; charset=utf-8", json_sent, json_told, json_error)
XML = Form("text/xml; charset=utf-8", xml_sent, xml_told, xml_error)
