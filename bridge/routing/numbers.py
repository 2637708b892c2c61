"""Phone numbers that senders name, in an address or in a record: what they are, and whether they may be used.

A number costs money and is written by a stranger, so only ASCII digits count (T23), the numbering plan must know
it, and both the rule's ``numbers`` and ``destinations`` must allow it (T03, T04).
"""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

import phonenumbers

from bridge.config.models.rules import Numbers

Why = Literal["", "not a telephone number", "outside prefixes", "outside destinations", "not a person's"]
_FILLERS = str.maketrans("", "", '.- "')  # a quoted local part may hold blanks
_DIGITS = re.compile(r"\+?[0-9]{3,20}")


@lru_cache(maxsize=4096)
def read_number(text: str, region: str | None) -> str:
    """*text* in E.164 (``+77010000001``), "" if it is no number. *region* reads national numbers.

    ``.``, ``-`` and blanks are left out. Digits without ``+`` are first read as dialled in *region*, then as if the
    plus had been forgotten.
    """
    bare = text.translate(_FILLERS)
    if not _DIGITS.fullmatch(bare):
        return ""
    tries = [(bare, None)] if bare.startswith("+") else [(bare, region), ("+" + bare, None)]
    return next(filter(None, (_valid(digits, country) for digits, country in tries)), "")


def country_code(phone: str) -> str:
    """``+7`` of ``+77010000001``; *phone* itself where no plan knows it."""
    try:
        return f"+{phonenumbers.parse(phone, None).country_code}"
    except phonenumbers.NumberParseException:
        return phone


@dataclass(frozen=True, slots=True)
class Destinations:
    """Where messages may go at all: prefixes, or the numbers of a region; neither = anywhere."""

    prefixes: tuple[str, ...] | None
    region: str | None

    def allow(self, phone: str) -> bool:
        """Whether *phone* is inside."""
        if self.prefixes is not None:
            return phone.startswith(self.prefixes)
        return self.region is None or _region(phone) == self.region


def forbidden(phone: str, numbers: Numbers, destinations: Destinations, people: Collection[str]) -> Why:
    """Why a rule with *numbers* may not use *phone* (E.164), "" if it may. *people* are the phones of our people."""
    if not phone:
        return "not a telephone number"
    if not destinations.allow(phone):
        return "outside destinations"
    if not phone.startswith(numbers.prefixes):
        return "outside prefixes"
    return "not a person's" if numbers.only == "people" and phone not in people else ""


@lru_cache(maxsize=4096)
def _region(phone: str) -> str | None:
    try:
        region = phonenumbers.region_code_for_number(phonenumbers.parse(phone, None))
    except phonenumbers.NumberParseException:
        return None
    return str(region) if region else None


def _valid(digits: str, region: str | None) -> str:
    try:
        number = phonenumbers.parse(digits, region)
    except phonenumbers.NumberParseException:
        return ""
    if not phonenumbers.is_valid_number(number):
        return ""
    return str(phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164))
