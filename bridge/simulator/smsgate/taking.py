"""Whether a message is taken, and as which channels (smsgate-cascade.md §2, §8). Raises ``Refused`` with a sentence."""

from __future__ import annotations

import re
from datetime import timedelta

from bridge.simulator.settings import Account, Switches
from bridge.simulator.smsgate import texts
from bridge.simulator.smsgate.asked import Abonent, Order
from bridge.simulator.smsgate.cascade import CHANNELS, Way
from bridge.simulator.smsgate.texts import Refused
from bridge.sms.segment import segment

_MOST_TEXT = 1000
_MOST_BUTTON = 19
_MACRO = re.compile(r"#(number|name)#")
_DEFAULT_VALIDITY = 60  # minutes


def ways(order: Order, account: Account, switches: Switches) -> tuple[Way, ...]:
    """The channels of *order*, first tried first."""
    places = {channel: order.get(f"send_{channel}") or "0" for channel in CHANNELS}
    if not all(re.fullmatch("[0-9]", place) for place in places.values()):
        raise Refused(texts.ORDER)
    used = sorted((channel for channel in CHANNELS if places[channel] != "0"), key=lambda channel: places[channel])
    if not used:
        raise Refused(texts.NO_SENDER)  # what the page's own third example is answered is not said
    if len({places[channel] for channel in used}) < len(used):
        raise Refused(texts.ORDER)
    _extras(order)
    return tuple(_way(order, channel, account, switches) for channel in used)


def _extras(order: Order) -> None:
    button, url = order.get("button_text"), order.get("button_url")
    if len(button) > _MOST_BUTTON:
        raise Refused(texts.LONG_BUTTON)
    if bool(button) != bool(url) or (order.get("image_url") and not button):
        raise Refused(texts.NO_LINK)


def _way(order: Order, channel: str, account: Account, switches: Switches) -> Way:
    text, sender = order.get(f"text_{channel}"), order.get(f"sender_{channel}")
    if channel == "vk":
        text, sender = order.get("templateData") if order.get("templateId") else "", "VK"
    if not text:
        raise Refused(texts.NO_TEXT)
    if channel != "sms" and len(text) > _MOST_TEXT:
        raise Refused(texts.LONG_TEXT)
    _check_sender(sender, account)
    if switches.smsgate.macros:
        text = _MACRO.sub("", text)
    parts = segment(text).segments if channel == "sms" else (text,)
    if channel == "sms":
        return Way(channel, sender, text, parts)
    validity = order.get(f"validity_period_{channel}") or str(_DEFAULT_VALIDITY)
    if not re.fullmatch("[1-9][0-9]{0,5}", validity):
        raise Refused(texts.ORDER)
    life = timedelta(seconds=int(validity) * switches.smsgate.minute)
    return Way(channel, sender, text, parts, life, order.get("finale_viber_read") == "1" and channel == "viber")


def _check_sender(sender: str, account: Account) -> None:
    if not sender:
        raise Refused(texts.NO_SENDER)
    if len(sender) > (15 if sender.isdecimal() else 11):
        raise Refused(texts.LONG_SENDER)
    if account.senders and sender not in (account.number, *account.senders):
        raise Refused(texts.UNKNOWN_SENDER)


def check_phone(abonent: Abonent, account: Account) -> None:
    """What is said about one number."""
    if abonent.phone in account.black_list:
        raise Refused(texts.STOP_LIST)
    if not re.fullmatch("[0-9]+", abonent.phone):
        raise Refused(texts.NO_PHONE)
    if not 7 <= len(abonent.phone) <= 15:
        raise Refused(texts.LONG_NUMBER)
    if account.unreachable and abonent.phone.startswith(account.unreachable):
        raise Refused(texts.CLOSED)
    if abonent.client_id and not re.fullmatch("[0-9]{1,18}", abonent.client_id):
        raise Refused(texts.CLIENT_ID)


def check_words(taken: tuple[Way, ...], account: Account) -> None:
    """Words that a moderator forbids."""
    whole = "\n".join(way.text for way in taken).lower()
    if any(re.search(rf"\b{re.escape(word.lower())}\b", whole) for word in account.forbidden_words):
        raise Refused(texts.MODERATOR)
