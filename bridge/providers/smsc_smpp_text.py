"""A message as the PDUs of smsc: text with the word of its channel, alphabet, parts, sender, validity. Pure.

Foreign text is altered before it is cut into parts (``defuse``), and the word that chooses a channel is written here
alone, for the channel that the rule has (threats T13, T14). Source: the provider's SMPP page.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from datetime import datetime, timedelta

from bridge.config.models.providers import Provider
from bridge.errors import PermanentFailure
from bridge.model import Channel, Message
from bridge.providers import smsc_fields
from bridge.providers.base import Request
from bridge.smpp import parts, texts
from bridge.smpp.bodies import Address, ShortMessage
from bridge.sms.danger import defuse
from bridge.sms.segment import segment

_WORDS: Mapping[Channel, str] = {"call": "__CALL__: ", "viber": "__VIBER__: "}
_TAILS = re.compile(r"(voice|subj|bot|param)\s*:", re.IGNORECASE)


def canonical(message: Message, settings: Provider, form: parts.Form, now: datetime) -> dict[str, str]:
    """What decides about the PDUs: number, text, sender, validity, channel, form of the parts."""
    text = defuse(message.text.encode("utf-8", "replace").decode("utf-8"))
    if message.channel in _WORDS:
        text = _WORDS[message.channel] + _without_tails(text)
    return {
        "phones": smsc_fields.number(message.phone),
        "mes": text,
        "sender": smsc_fields.originator(message, settings),
        "valid": _validity(message.valid_until - now),
        "parts": form,
        "channel": message.channel,
    }


def messages(request: Request) -> list[ShortMessage]:
    """The PDUs of *request*, the same ones whenever it is repeated. PermanentFailure for what no PDU can carry."""
    canonical = request.canonical
    phone = canonical.get("phones", "")
    if not phone or phone != smsc_fields.number(phone):
        raise PermanentFailure("the recipient is no international number", status="5.1.3")
    if canonical.get("channel") == "flash":
        raise PermanentFailure("flash messages do not go over SMPP; an smsc-http door sends them", status="5.5.4")
    try:
        made = _cut(request)
        for one in made:
            one.encoded()  # what cannot be written is found before the first part leaves
    except ValueError as error:
        raise PermanentFailure(f"SMPP cannot carry it: {error}", status="5.6.0") from error
    return made


def _cut(request: Request) -> list[ShortMessage]:
    canonical = request.canonical
    cut = segment(canonical["mes"])
    coding = texts.GSM if cut.encoding == "GSM-7" else texts.UCS_2
    whole = [
        ShortMessage(
            _source(canonical.get("sender", "")),
            Address(canonical["phones"], 1, 1),  # its plus, where it has one, keeps a 8… from being "repaired" into 7…
            texts.encode(one, coding),
            coding,
            registered=1,
            validity=canonical.get("valid", ""),
        )
        for one in cut.segments
    ]
    if len(whole) == 1:
        return whole
    places = zip(whole, _places(request, len(whole)), strict=True)
    return [parts.numbered(one, place, _form(canonical)) for one, place in places]


def _places(request: Request, total: int) -> list[parts.Place]:
    """One reference for a text: kept by a repeat of a doubtful attempt, so that doubles join; a new one for an attempt
    after one that broke in the middle, so that its parts do not.
    """
    number = request.attempt - 1 if request.repeat else request.attempt
    reference = 8 * int(request.client_id or "0") + number % 8
    return [parts.Place(reference, total, place) for place in range(1, total + 1)]


def _form(canonical: Mapping[str, str]) -> parts.Form:
    match canonical.get("parts"):
        case "sar":
            return "sar"
        case "udh16":
            return "udh16"
        case _:
            return "udh"


def _source(sender: str) -> Address:
    """Letters are TON 5, numbers TON 1, short numbers whatever they are there (the provider's sample settings)."""
    if not sender:
        return Address()
    if not (sender.isascii() and sender.isdigit()):
        return Address(sender, 5, 1)
    return Address(sender, 1 if len(sender) > 6 else 0, 1)


def _without_tails(text: str) -> str:
    """Behind a word of ours, a line ``voice:`` would be an order as well (threats T14): it is pulled apart."""
    lines = text.split("\n")
    return "\n".join(_pulled_apart(line) for line in lines)


def _pulled_apart(line: str) -> str:
    plain = "".join(letter for letter in unicodedata.normalize("NFKC", line) if unicodedata.category(letter) != "Cf")
    found = _TAILS.match(plain.lstrip())
    return f"- {line.lstrip()}" if found else line


def _validity(left: timedelta) -> str:
    """A relative time of §7.1.1.2, ``000000hhmmss000R``, from one minute to 24 hours (a day: ``000001000000000R``)."""
    minutes = min(max(int(left.total_seconds() // 60), 1), 24 * 60)
    return f"0000{minutes // 1440:02}{minutes // 60 % 24:02}{minutes % 60:02}00000R"
