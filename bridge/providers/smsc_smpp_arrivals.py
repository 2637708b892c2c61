"""What a deliver_sm of smsc is: a receipt, an SMS to our number, or a part of one. Pure.

Receipts and inbound SMS come the same way and differ in bits; the provider's page leaves the rest open, so what is
neither surely a receipt nor readable is still kept as an SMS: a person may have written it.
"""

from __future__ import annotations

import re

from bridge.providers import smsc_smpp_codes
from bridge.providers.base import Arrival, Inbound, Piece, Report
from bridge.smpp import parts, receipts, texts
from bridge.smpp.bodies import ShortMessage

_NUMBER = re.compile(r"[1-9][0-9]{6,14}")
_LOOKS_LIKE_ONE = re.compile(r"id:\S+ .*?\bstat:[A-Z]+", re.DOTALL)


def read(message: ShortMessage) -> Arrival:
    """What arrived. A receipt without an id of a message says nothing and is kept like a text."""
    octets, place = parts.taken_apart(message)
    phone, to = _e164(message.source.text), message.destination.text.removeprefix("+")[:40]
    text = texts.decode(octets, message.coding)
    if message.is_receipt or _LOOKS_LIKE_ONE.match(text):
        said = receipts.read(message, text)
        if said is not None:
            return Report(said.id, phone, smsc_smpp_codes.answer(said, phone.removeprefix("+")))
    if place is not None:
        return Piece(phone, to, place.reference, place.total, place.number, message.coding, octets)
    return Inbound(id="", phone=phone, to=to, text=text, received=None, sent=None)


def _e164(address: str) -> str:
    """``77010000001`` → ``+77010000001``; a name or a short number stays as it is."""
    digits = address.removeprefix("+")
    return f"+{digits}" if _NUMBER.fullmatch(digits) else address[:40]
