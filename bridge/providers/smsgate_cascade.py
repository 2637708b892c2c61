"""One message as smsgate takes it: the ways it is tried in, with a text and a sender for each.

The *canonical* form has the names of the provider's parameters (``send_viber``, ``text_sms`` …), all values as text,
the same for JSON, XML and GET. Pure. Source: the provider's cascade page.
"""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta

from bridge.config.models.providers import Provider
from bridge.errors import PermanentFailure
from bridge.model import Message, WayText
from bridge.sms.danger import defuse

WAYS = ("viber", "whatsapp", "vk", "sms")
MOST_TEXT = 1000  # characters of a Viber or WhatsApp text
MOST_BUTTON = 19  # characters on a button
_LARGEST_ID = 2**31 - 1
_CRITICAL_VIBER = timedelta(minutes=3)  # the SMS of a critical message waits no longer for Viber
_PHONE = re.compile(r"[1-9][0-9]{6,14}")
_MACRO = re.compile(r"#([A-Za-z_][A-Za-z0-9_]{0,39})#")
_CONTROL = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\ufffe\uffff]")
_PARAMETERS = frozenset(
    {
        "phone", "client_id_message", "name_delivery", "time_send", "validity_period_viber",
        "validity_period_whatsapp", "finale_viber_read", "button_text", "button_url", "image_url",
        "image_url_whatsapp", "templateId", "templateData",
        *(f"send_{way}" for way in WAYS),
        *(f"{what}_{way}" for what in ("sender", "text") for way in ("viber", "whatsapp", "sms")),
    }
)  # fmt: skip
"""``button_text_whatsapp`` and ``button_url_whatsapp`` are "temporarily unavailable": not sent."""


def canonical(
    message: Message, settings: Provider, now: datetime, *, unsubscribed: Collection[str] = ()
) -> dict[str, str]:
    """The parameters for *message* at *now*; the person wants nothing by the ways in *unsubscribed*.

    Never raises: what cannot be sent (a call, a Viber text that is too long and has no SMS behind it) has no
    ``send_…``, and ``check`` refuses it.
    """
    fields = {"phone": message.phone.removeprefix("+")}
    wishes: dict[str, WayText] = {wish.way: wish for wish in message.ways}
    for place, way in enumerate(_ways(message, settings, wishes, unsubscribed), 1):
        fields[f"send_{way}"] = str(place)
        if way == "vk":
            fields |= _vk(wishes["vk"])
            continue
        fields[f"text_{way}"] = _text(way, message, wishes)
        if sender := _sender(way, message, settings):
            fields[f"sender_{way}"] = sender
        if way != "sms":
            fields[f"validity_period_{way}"] = _minutes(message, wishes.get(way), settings, now)
    if "send_viber" in fields:
        fields["finale_viber_read"] = "0"  # 1 pays for an SMS although the message was delivered
        fields |= _button(wishes.get("viber"))
    if "send_whatsapp" in fields and "whatsapp" in wishes and wishes["whatsapp"].image:
        fields["image_url_whatsapp"] = wishes["whatsapp"].image
    return fields


def _text(way: str, message: Message, wishes: Mapping[str, WayText]) -> str:
    return plain((way in wishes and wishes[way].text) or message.text)


def _button(wish: WayText | None) -> dict[str, str]:
    """Button and picture exactly as the rule has them."""
    if wish is None or not all(wish.button):
        return {}
    shown = {"button_text": wish.button[0], "button_url": wish.button[1]}
    return {**shown, "image_url": wish.image} if wish.image else shown


def _vk(wish: WayText) -> dict[str, str]:
    values = {name: plain(value) for name, value in wish.values}
    return {"templateId": wish.template, "templateData": json.dumps(values, ensure_ascii=False)}


def plain(text: str) -> str:
    """*text* without anything that a gateway would read as more than text.

    ``#name#`` is a variable where an address book is used; we use none, and still it is written ``'name'``.
    """
    clean = _CONTROL.sub(" ", text.replace("\r\n", "\n").replace("\r", "\n").encode("utf-8", "replace").decode())
    return defuse(_MACRO.sub(r"'\1'", clean))


def _ways(
    message: Message, settings: Provider, wishes: Mapping[str, WayText], unsubscribed: Collection[str]
) -> list[str]:
    wanted: Sequence[str] = settings.channels if message.channel == "sms" else [message.channel]
    possible = (way for way in wanted if way in WAYS and way not in unsubscribed)
    return [way for way in possible if _can_show(way, message, wishes)]


def _can_show(way: str, message: Message, wishes: Mapping[str, WayText]) -> bool:
    """VK shows a template or nothing, and Viber and WhatsApp nothing that is too long."""
    if way == "vk":
        return "vk" in wishes and bool(wishes["vk"].template)
    return way == "sms" or len(_text(way, message, wishes)) <= MOST_TEXT


def _sender(way: str, message: Message, settings: Provider) -> str:
    """For SMS our number where an answer is expected, else the rule's wish, else the longest prefix, else the door's
    own. Viber and WhatsApp have names of their own."""
    if way == "viber":
        return settings.viber_sender or settings.sender or ""
    if way == "whatsapp":
        return settings.whatsapp_sender or settings.sender or ""
    if message.answerable and settings.number and settings.number_as_sender:
        return settings.number.removeprefix("+")
    if message.originator:
        return message.originator.removeprefix("+")
    prefixes = [prefix for prefix in settings.senders if message.phone.startswith(prefix)]
    return settings.senders[max(prefixes, key=len)] if prefixes else settings.sender or ""


def _minutes(message: Message, wish: WayText | None, settings: Provider, now: datetime) -> str:
    """How long the way is tried before the next one: whole minutes, at least one. A rule's own word holds."""
    longest = settings.viber_validity
    if message.message_class == "critical":
        longest = min(longest, _CRITICAL_VIBER)
    if wish is not None and wish.validity is not None:
        longest = wish.validity
    return str(max(1, int(min(longest, message.valid_until - now).total_seconds() // 60)))


def order(fields: Mapping[str, str]) -> list[str]:
    """The ways of a canonical form, first tried first. ``0`` is "not this way"."""
    numbered = {way: fields[f"send_{way}"] for way in WAYS if fields.get(f"send_{way}", "0") != "0"}
    return sorted(numbered, key=lambda way: numbered[way])


def check(fields: Mapping[str, str]) -> None:
    """Raises PermanentFailure for what must not be sent, or would not be understood (threats T15, T16)."""
    if not _PHONE.fullmatch(fields.get("phone", "")):
        raise PermanentFailure("the recipient is no international number", status="5.1.3")
    if unknown := sorted(set(fields) - _PARAMETERS):
        raise PermanentFailure(f"{unknown[0]} is no parameter of this gateway", status="5.5.4")
    ways = order(fields)
    if not ways:
        raise PermanentFailure("this gateway has no way to send it", status="5.3.3")
    numbers = [fields[f"send_{way}"] for way in ways]
    if len(set(numbers)) < len(numbers) or not all(re.fullmatch(r"[1-9]", number) for number in numbers):
        raise PermanentFailure("the order of the ways is not clear", status="5.5.4")
    if any(not fields.get(f"text_{way}") for way in ways if way != "vk"):
        raise PermanentFailure("there is no text", status="5.5.4")
    if "vk" in ways and not (fields.get("templateId") and fields.get("templateData")):
        raise PermanentFailure("VK takes agreed templates only", status="5.5.4")
    check_parts(fields)


def check_parts(fields: Mapping[str, str]) -> None:
    """The rules of single parameters. Raises PermanentFailure."""
    for name, most in (("text_viber", MOST_TEXT), ("text_whatsapp", MOST_TEXT), ("button_text", MOST_BUTTON)):
        if len(fields.get(name, "")) > most:
            raise PermanentFailure(f"{name} has more than {most} characters", status="5.3.4")
    button = bool(fields.get("button_text")), bool(fields.get("button_url"))
    if button[0] != button[1] or (fields.get("image_url") and not all(button)):
        raise PermanentFailure("a button has a text and a URL, and an image needs a button", status="5.5.4")
    if fields.get("finale_viber_read", "0") not in ("0", "1"):
        raise PermanentFailure("finale_viber_read is 0 or 1", status="5.5.4")
    if "client_id_message" in fields and not _is_client_id(fields["client_id_message"]):
        raise PermanentFailure("our number for a message has up to ten digits", status="5.5.4")
    if "templateData" in fields and not isinstance(template(fields), dict):
        raise PermanentFailure("templateData is no JSON object", status="5.5.4")


def template(fields: Mapping[str, str]) -> object:
    """``templateData`` as what it holds; None when it cannot be read."""
    try:
        return json.loads(fields["templateData"])
    except (ValueError, RecursionError):
        return None


def _is_client_id(text: str) -> bool:
    return re.fullmatch(r"[1-9][0-9]{0,9}", text) is not None and int(text) <= _LARGEST_ID
