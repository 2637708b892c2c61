"""What all doors of smsc share: numbers, sender names, accounts, and whether a found message is ours. Pure."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from datetime import datetime, timedelta

from bridge.config.models.providers import Provider
from bridge.config.secrets import SecretText
from bridge.config.units import NumberRange
from bridge.model import Message, Receipt
from bridge.providers import smsc_codes
from bridge.providers.base import StatusAnswer

MOST_PARALLEL = 14
"""Open requests of one account, over all its doors: 15 of one login are refused with error 9."""

_RECIPIENT = re.compile(r"[1-9][0-9]{6,14}")
_REPAIRED = re.compile(r"8[0-9]{10}")  # as the provider takes a number dialled in Russia: 8701… becomes 7701…
_CLOCKS_APART = timedelta(seconds=30)  # identical texts of ours are a minute apart
_BEFORE_TAKING = timedelta(minutes=5)  # how much the provider's clock may be behind ours


def number(phone: str) -> str:
    """``+77010000001`` → ``77010000001``; "" for what is no E.164 number.

    Eleven digits that begin with 8 (every mobile of Vietnam) keep the plus sign, or the provider would
    "repair" them into a number of Russia.
    """
    digits = phone.removeprefix("+")
    if not _RECIPIENT.fullmatch(digits):
        return ""
    return f"+{digits}" if _REPAIRED.fullmatch(digits) else digits


def originator(message: Message, settings: Provider) -> str:
    """Our number where an answer is expected, else the rule's wish, else the longest prefix, else the door's own."""
    if message.answerable and settings.number and settings.number_as_sender:
        return settings.number.removeprefix("+")
    if message.originator:
        return message.originator.removeprefix("+")
    prefixes = [prefix for prefix in settings.senders if message.phone.startswith(prefix)]
    return settings.senders[max(prefixes, key=len)] if prefixes else settings.sender or ""


def account(settings: Provider, secret: SecretText) -> str:
    """One name for all doors of one login; a key stands for its account without being readable."""
    return f"smsc:{settings.login or fingerprint(secret.reveal())}"


def ids(settings: Provider) -> tuple[int, int]:
    """First and last client id."""
    return (settings.ids.first, settings.ids.last) if isinstance(settings.ids, NumberRange) else (1, 2**31 - 1)


def parallel(settings: Provider) -> int:
    """How many requests of the account may be open at once."""
    return min(settings.parallel or MOST_PARALLEL, MOST_PARALLEL)


def fits(canonical: Mapping[str, str], answer: StatusAnswer, since: datetime) -> bool:
    """Phone, time and text fit. smsc shows a reused id's old message; a text may come back trimmed or cut."""
    if answer.phone not in ("", canonical.get("phones", "").lstrip("+")):
        return False
    if answer.sent_at is not None and answer.sent_at < since - _BEFORE_TAKING:
        return False
    ours, theirs = _letters(canonical.get("mes", "")), _letters(answer.text)
    return not theirs or not ours or ours.startswith(theirs) or theirs.startswith(ours)


def is_it(canonical: Mapping[str, str], row: StatusAnswer, since: datetime) -> bool:
    """Whether *row* of a list of sent messages is the one handed over at *since* or later.

    Nothing but phone, time and the whole text tells; the same text may have gone to the phone a minute before.
    """
    ours = _letters(canonical.get("mes", ""))
    same = row.phone == canonical.get("phones", "").lstrip("+") and ours == _letters(row.text)
    return same and bool(ours) and row.sent_at is not None and row.sent_at >= since - _CLOCKS_APART


def receipt(provider: str, message_id: int, answer: StatusAnswer) -> Receipt:
    """What a status answer says about a message of ours, its codes put into words."""
    meant = smsc_codes.meaning(answer.code, answer.error)
    return Receipt(
        message_id, answer.state or "ACCEPTED", provider, answer.code, answer.error, meant.sentence, meant.status,
        answer.at, answer.read, answer.cost, smsc_codes.is_virtual(answer.error),
    )  # fmt: skip


def fingerprint(text: str) -> str:
    """16 hex digits that tell texts apart and give nothing away."""
    return hashlib.sha256(text.encode("utf-8")).hexdigest()[:16]


def _letters(text: str) -> str:
    return "".join(letter for letter in text.casefold() if letter.isalnum())
