"""How long, as people type it in a command: ``2h``, ``1ч 30м``, ``2сағ``, ``until 08:00``, ``до пн 8:00``."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, Literal
from zoneinfo import ZoneInfo

_Unit = Literal["seconds", "minutes", "hours", "days"]
_UNITS: dict[str, _Unit] = {
    "s": "seconds", "sec": "seconds", "сек": "seconds", "с": "seconds", "m": "minutes", "min": "minutes",
    "м": "minutes", "мин": "minutes", "h": "hours", "ч": "hours", "сағ": "hours", "саг": "hours", "сагат": "hours",
    "sag": "hours", "d": "days", "д": "days", "дн": "days", "күн": "days", "кун": "days", "kun": "days",
}  # fmt: skip
_DAYS: Final = (
    ("mon", "пн", "дс"), ("tue", "вт", "сс"), ("wed", "ср"), ("thu", "чт", "бс"), ("fri", "пт", "жм"), ("sat", "сб"),
    ("sun", "вс", "жс"),
)  # fmt: skip
# "сб" is Saturday in Russian and in Kazakh, "ср" Wednesday in both, so the tables need no language.
_DAY_OF = {word: number for number, words in enumerate(_DAYS) for word in words}
_DAY = "|".join(_DAY_OF)
_TIME = r"(?P<hour>[01]?[0-9]|2[0-3])(?::(?P<minute>[0-5][0-9]))?"

_spans = re.compile(
    rf"(?<!\S)(?:[0-9]{{1,4}}\s?(?:{'|'.join(sorted(_UNITS, key=len, reverse=True))})(?=[\s\d.,!]|$)\s*)+",
    re.IGNORECASE,
)
_span = re.compile(r"([0-9]+)\s?([^\W\d_]+)")
_until = re.compile(
    rf"(?<!\w)(?:(?:until|till|до|do)\s+(?:(?P<day>{_DAY})\b\s*)?(?:{_TIME})?|(?:(?P<kday>{_DAY})\s+)?"
    rf"{_TIME.replace('hour', 'khour').replace('minute', 'kminute')}\s+(?:дейін|дейин|deiin))(?!\w)",
    re.IGNORECASE,
)
_LONGEST = timedelta(days=366)


@dataclass(frozen=True, slots=True)
class Until:
    """The rest of a command, parted: *what* it is about, and the moment (UTC) it ends; None when none was said."""

    what: str
    at: datetime | None


def read_until(text: str, language: str, *, now: datetime, zone: ZoneInfo) -> Until:
    """Part ``sw3 2h`` into ``sw3`` and the moment two hours from *now*; times are wall clock in *zone*.

    A time without a day is the next such. ``2с`` is two hours for a reader of Kazakh and two seconds else. A span
    of nothing, or of more than a year, is none: the command is then answered with help.
    """
    found = _until.search(text)
    if found and any(found.groupdict().values()):
        return Until(_without(text, found), _next(found, now, zone))
    spans = _spans.search(text)
    if not spans:
        return Until(text.strip(), None)
    total = sum((_length(part, language) for part in _span.finditer(spans[0])), timedelta())
    return Until(_without(text, spans), now + total if timedelta() < total <= _LONGEST else None)


def _without(text: str, found: re.Match[str]) -> str:
    return " ".join((text[: found.start()] + " " + text[found.end() :]).split())


def _length(part: re.Match[str], language: str) -> timedelta:
    unit = part[2].casefold()
    name: _Unit = "hours" if unit == "с" and language == "kk" else _UNITS[unit]
    return timedelta(**{name: int(part[1])})


def _next(found: re.Match[str], now: datetime, zone: ZoneInfo) -> datetime | None:
    """The first such wall clock after *now*, in UTC (``now.tzinfo``)."""
    day = found["day"] or found["kday"]
    hour, minute = found["hour"] or found["khour"], found["minute"] or found["kminute"]
    local = now.astimezone(zone)
    at = local.replace(hour=int(hour or 0), minute=int(minute or 0), second=0, microsecond=0, fold=0)
    if day:
        at += timedelta(days=(_DAY_OF[day.casefold()] - local.weekday()) % 7)
    while at.astimezone(now.tzinfo) <= now:
        at += timedelta(days=7 if day else 1)
    return at.astimezone(now.tzinfo)
