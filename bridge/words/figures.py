"""How figures are written: numbers with their words, times, dates, spans, money, phones.

Times are shown in the zone of the reader; the caller names it. Everything else is the same for all readers of a
language.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal
from typing import Literal
from zoneinfo import ZoneInfo

Unit = Literal["s", "m", "h", "d"]

# ITU-T E.164: codes of one and of two digits; all others have three.
_ONE_DIGIT = frozenset("17")
_TWO_DIGITS = frozenset(
    "20 27 30 31 32 33 34 36 39 40 41 43 44 45 46 47 48 49 51 52 53 54 55 56 57 58 60 61 62 63 64 65 66 81 82 84 86 90 "
    "91 92 93 94 95 98".split()
)


def plural_en(number: int) -> int:
    """0 alert, 1 alerts."""
    return 0 if number == 1 else 1


def plural_ru(number: int) -> int:
    """0 тревога (1, 21), 1 тревоги (2-4, 22), 2 тревог (0, 5-20, 25)."""
    if number % 10 == 1 and number % 100 != 11:
        return 0
    return 1 if number % 10 in (2, 3, 4) and number % 100 not in (12, 13, 14) else 2


def plural_kk(_number: int) -> int:
    """A counted word has one form: 1 дабыл, 5 дабыл."""
    return 0


def clock(moment: datetime, zone: ZoneInfo) -> str:
    """``03:12`` in *zone*; *moment* is aware."""
    return moment.astimezone(zone).strftime("%H:%M")


def measure(span: timedelta) -> tuple[int, Unit]:
    """A span as people say it, rounded down: seconds, minutes below two hours, hours below two days, then days.

    A negative span (two clocks that disagree) is none at all.
    """
    seconds = max(int(span.total_seconds()), 0)
    if seconds < 60:
        return seconds, "s"
    if seconds < 120 * 60:
        return seconds // 60, "m"
    if seconds < 48 * 3600:
        return seconds // 3600, "h"
    return seconds // 86400, "d"


def money(amount: Decimal, currency: str) -> str:
    """``18.00 KZT``: two decimals, more only where the price has them (``0.0750 EUR``)."""
    exponent = amount.as_tuple().exponent
    decimals = max(2, -exponent) if isinstance(exponent, int) else 2
    return f"{amount:.{decimals}f} {currency}"


def masked(phone: str) -> str:
    """``+7 701 ••• 45 67`` for ``+77011234567``: enough to recognise one's own number, too little to ring it."""
    digits = phone.removeprefix("+")
    if len(digits) < 9:
        return "•••"
    code = 1 if digits[0] in _ONE_DIGIT else 2 if digits[:2] in _TWO_DIGITS else 3
    return f"+{digits[:code]} {digits[code : code + 3]} ••• {digits[-4:-2]} {digits[-2:]}"
