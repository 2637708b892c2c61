"""Units of money and size as the operator writes them (FORMAT §2). Errors are ValueErrors that say what is right."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal

from bridge.config.scalar import shown
from bridge.config.spans import Period, split_rate

_AMOUNT = re.compile(r"[0-9]{1,12}(\.[0-9]{1,4})?")
_SIZE = re.compile(r"([0-9]{1,12}) ?(B|kB|MB|GB)")
_BYTES = {"B": 1, "kB": 1000, "MB": 1000**2, "GB": 1000**3}


@dataclass(frozen=True, slots=True)
class Money:
    """An amount of at most four decimals, and its ISO 4217 code."""

    amount: Decimal
    currency: str

    def __str__(self) -> str:
        return f"{self.amount} {self.currency}"


@dataclass(frozen=True, slots=True)
class MoneyRate:
    """Money in a sliding *window*, or in a calendar *period*; exactly one is set."""

    money: Money
    window: timedelta | None = None
    period: Period | None = None


@dataclass(frozen=True, slots=True)
class NumberRange:
    """Whole numbers from *first* to *last*, both inside."""

    first: int
    last: int


def parse_amount(text: str) -> Decimal:
    """``14.00``: no currency, at most four decimals."""
    if not _AMOUNT.fullmatch(text):
        raise ValueError(f"an amount like 14.00; found {shown(text)}")
    return Decimal(text)


def parse_currency(text: str) -> str:
    """Three letters, as ISO 4217 has them."""
    if not re.fullmatch(r"[A-Z]{3}", text):
        raise ValueError(f"a currency of three letters, like KZT; found {shown(text)}")
    return text


def parse_money(text: str) -> Money:
    """``12.50 KZT``."""
    amount, _, currency = text.partition(" ")
    if not _AMOUNT.fullmatch(amount) or not re.fullmatch(r" *[A-Z]{3}", currency):
        raise ValueError(f"an amount and a currency, like 12.50 KZT; found {shown(text)}")
    return Money(Decimal(amount), currency.strip())


def parse_money_rate(text: str) -> MoneyRate:
    """``5000 KZT/day``."""
    like = "money and a span, like 5000 KZT/day"
    money, window, period = split_rate(text, like)
    try:
        return MoneyRate(parse_money(money), window, period)
    except ValueError:
        raise ValueError(f"{like}; found {shown(text)}") from None


def parse_percent(text: str) -> int:
    """``20%`` → 20."""
    found = re.fullmatch(r"([0-9]{1,3}) ?%", text)
    if not found or int(found[1]) > 100:
        raise ValueError(f"a part of hundred, like 20%; found {shown(text)}")
    return int(found[1])


def parse_size(text: str) -> int:
    """``10MB`` → 10 000 000 bytes."""
    found = _SIZE.fullmatch(text)
    if not found:
        raise ValueError(f"a size, like 10MB or 500kB; found {shown(text)}")
    return int(found[1]) * _BYTES[found[2]]


def parse_range(text: str) -> NumberRange:
    """``10-99``."""
    found = re.fullmatch(r"([0-9]{1,18}) ?- ?([0-9]{1,18})", text)
    if not found or int(found[1]) > int(found[2]):
        raise ValueError(f"two numbers, like 10-99; found {shown(text)}")
    return NumberRange(int(found[1]), int(found[2]))
