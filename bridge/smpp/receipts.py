"""Delivery receipts: what TLVs say, what the text of a receipt says, and the provider's HLR answers.

Nothing here knows what a state means for us; words and numbers come out as they stand there. Sources: SMPP 3.4
appendix B and §5.2.28; the provider's page on statuses and HLR.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from types import MappingProxyType
from urllib.parse import unquote_to_bytes

from bridge.smpp.bodies import MESSAGE_STATE, NETWORK_ERROR, RECEIPTED_MESSAGE_ID, ShortMessage

COST, FLAGS, PART_COUNT = 0x2000, 0x2001, 0x2002  # private TLVs of the provider
STATES: Mapping[int, str] = MappingProxyType({
    0: "SCHEDULED", 1: "ENROUTE", 2: "DELIVRD", 3: "EXPIRED", 4: "DELETED", 5: "UNDELIV", 6: "ACCEPTD", 7: "UNKNOWN",
    8: "REJECTD", 9: "SKIPPED",
})  # fmt: skip
"""message_state as the word that a receipt's text has for it."""

_MOST_TEXT = 1000
_FIELD = re.compile(r"(?:^|(?<=\s))(id|sub|dlvrd|submit date|done date|stat|err|text):(\S*)", re.IGNORECASE)
_ENCODED = ("cn", "net", "rcn", "rnet")
_HLR_FIELDS = ("id", "stat", "err", "imsi", "msc", "mcc", "mnc", *_ENCODED)
_COST = re.compile(r"[0-9]{1,6}(?:\.[0-9]{1,6})?")


@dataclass(frozen=True, slots=True)
class Receipt:
    """What one receipt says of one message (or part of one)."""

    id: str
    stat: str  # "DELIVRD" … "" = it does not say
    error: str = ""  # digits without leading zeros, "" = none
    done: datetime | None = None  # naive: in whatever zone the server lives
    cost: str = ""
    hlr: Mapping[str, str] = field(default_factory=dict)  # imsi, msc … of an HLR query


def read(message: ShortMessage, text: str) -> Receipt | None:
    """The receipt that *message* with *text* is; TLVs are believed before words. None when it names no message."""
    fields = {name.lower(): value for name, value in _FIELD.findall(text[:_MOST_TEXT].partition(" text:")[0])}
    id = _id(message.tlv(RECEIPTED_MESSAGE_ID)) or fields.get("id", "")
    if not id:
        return None
    state = message.number(MESSAGE_STATE)
    stat = STATES.get(state, f"STATE{state}") if state is not None else fields.get("stat", "").upper()
    return Receipt(
        id=id[:65],
        stat=stat[:16],
        error=_network_error(message) or _digits(fields.get("err", "")),
        done=moment(fields.get("done date", "")),
        cost=_cost(message.tlv(COST)),
        hlr=hlr(text) if " imsi:" in text else {},
    )


def hlr(text: str) -> Mapping[str, str]:
    """The fields of an HLR answer, those that are there; names decoded from their escapes."""
    tokens = (token.partition(":") for token in text[:_MOST_TEXT].split(" "))
    found = {name: value for name, colon, value in tokens if colon and name in _HLR_FIELDS}
    return {name: _unescaped(value) if name in _ENCODED else value for name, value in found.items()}


def moment(text: str) -> datetime | None:
    """``YYMMDDhhmm`` with or without seconds (and what §7.1.1 appends); None for what is no time."""
    digits = re.match(r"[0-9]{12}|[0-9]{10}", text)
    if digits is None:
        return None
    try:
        return datetime.strptime(digits[0].ljust(12, "0"), "%y%m%d%H%M%S")  # noqa: DTZ007 - its zone is not known
    except ValueError:
        return None


def _id(value: bytes | None) -> str:
    return "" if value is None else value.rstrip(b"\0").decode("latin-1").strip()


def _network_error(message: ShortMessage) -> str:
    """Of three octets the last two are the number (§5.3.2.31)."""
    value = message.tlv(NETWORK_ERROR)
    return str(int.from_bytes(value[-2:])) if value and len(value) == 3 and any(value[-2:]) else ""


def _digits(text: str) -> str:
    return (text.lstrip("0") if text.isascii() and text.isdigit() else text)[:10]


def _cost(value: bytes | None) -> str:
    text = "" if value is None else value.rstrip(b"\0").decode("latin-1")
    return text if _COST.fullmatch(text) else ""


def _unescaped(text: str) -> str:
    """The charset of the escapes is not documented: UTF-8 is recognisable, cp1251 has a letter for almost any."""
    octets = unquote_to_bytes(text.replace("+", " "))
    for charset in ("utf-8", "cp1251"):
        try:
            return octets.decode(charset)
        except UnicodeDecodeError:
            continue
    return octets.decode("latin-1")
