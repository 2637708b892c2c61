"""Numbers with their units, written with the digits that matter.

What a number says stays: decimals are cut off, never rounded (99.97 % is not 100 %), so the whole part never changes.
Numbers without a unit may be versions, dates, addresses or phones and stay, unless they have three decimals or more.
Two numbers that differ still differ afterwards: ``97.4% > 97.1%`` stays.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final, NamedTuple

from bridge.sms.edits import Edit
from bridge.sms.tables import Table

_quantity = re.compile(
    r"(?<![\w.,:/\\@#№$€£₸₽₴+-])(?P<whole>-?[0-9]{1,15})(?:(?P<point>[.,])(?P<decimals>[0-9]{1,18}))?"
    r"(?P<blank> ?)(?P<unit>%|°? ?[^\W\d_]{1,15}(?:/[^\W\d_]{1,7})?)?(?![\w°%@\\]|[.,:/+-]\w)"
).finditer
_number = re.compile(r"[0-9]+(?:[.,][0-9]+)?").finditer
# A number after one of these names a version, whatever follows it.
_version = re.compile(
    r"(?:^|[^\w])(?:№|v|ver|vers|version|release|build|firmware|fw|rev|revision|kernel|версия|версии|прошивка|релиз|сборка"
    r"|нұсқа|нұсқасы|версія)[.:=]? ?$",
    re.IGNORECASE,
).search
_MOST_BEFORE: Final = 12  # characters in which such a word stands

_MEASURED: Final = frozenset(
    "% c °c f °f v mv kv a ma w kw mw va kva hz khz mhz ghz rpm s sec secs ms us ns m min mins h hr hrs d day days "
    "minutes hours seconds b kb mb gb tb pb kib mib gib tib byte bytes bit bits kbit mbit gbit kbps mbps gbps bps "
    "kb/s mb/s gb/s b/s kbit/s mbit/s gbit/s mib/s kib/s req/s pa kpa hpa bar psi mm cm km dbm db "
    "с °с в кв а ма вт квт гц мгц ггц мс сек мин ч д б кб мб гб тб киб миб гиб кб/с мб/с гб/с кбит/с мбит/с гбит/с "
    "па кпа бар мм см сағ тәу байт бит секунд секунды минут минуты часа часов градусов градуса хв г".split()
)
_PREPOSITIONS: Final = frozenset("свaа")
# Powers of a thousand by how they are written; letters that differ in case differ in meaning (Mb is bits).
_POWERS: Final = {
    **dict.fromkeys(("B", "byte", "bytes", "Byte", "Bytes"), 0), **dict.fromkeys(("KB", "kB", "KiB"), 1),
    **dict.fromkeys(("MB", "MiB"), 2), **dict.fromkeys(("GB", "GiB"), 3),
    **dict.fromkeys(("Б", "байт", "байта", "байтов", "Байт"), 0), **dict.fromkeys(("КБ", "КиБ", "Кб"), 1),
    **dict.fromkeys(("МБ", "МиБ"), 2), **dict.fromkeys(("ГБ", "ГиБ"), 3),
}  # fmt: skip
_LATIN: Final = ("B", "KB", "MB", "GB", "TB", "PB")
_CYRILLIC: Final = ("Б", "КБ", "МБ", "ГБ", "ТБ", "ПБ")
_SECONDS: Final = (1, 60, 3600, 86400)  # in a second, a minute, an hour, a day
_LONG: Final = 5  # digits from which a size is written with two of them


class _Number(NamedTuple):
    """A number by its digits, without sign and idle zeros."""

    whole: str
    decimals: str


def measured(text: str, table: Table) -> Iterator[Edit]:
    """Quantities with two digits that matter and a short unit.

    ``97.4821 %`` -> ``97%``, ``0.02134 s`` -> ``0.021 s``, ``1073741824 bytes`` -> ``1 GB``, ``3 minutes`` -> ``3m``.
    """
    return _quantities(text, table, of_fraction=2)


def coarse(text: str, table: Table) -> Iterator[Edit]:
    """As ``measured``, and of a fraction one digit that matters: ``0.021 s`` -> ``0.02 s``."""
    return _quantities(text, table, of_fraction=1)


def _quantities(text: str, table: Table, *, of_fraction: int) -> Iterator[Edit]:
    numbers = {_value(found[0]) for found in _number(text)}
    for found in _quantity(text):
        if not _version(text[max(0, found.start() - _MOST_BEFORE) : found.start()]):
            yield Edit(*found.span(), _rewritten(found, table, of_fraction, numbers))


def _rewritten(found: re.Match[str], table: Table, of_fraction: int, numbers: set[_Number]) -> str:
    """The quantity as short as it may be; as it is where nothing is known of its unit."""
    unit = found["unit"] or ""
    base, slash, rate = unit.partition("/")
    if not found["decimals"]:
        larger = _size(found["whole"], base) or _span(found, table)
        if larger:
            return f"{larger}{slash}{rate}"
    short = table.units.get(base.casefold())
    known = short is not None or _is_measure(found)
    number = _cut(found, unit if known else "", of_fraction, numbers)
    if short is not None:
        return f"{number}{short}{slash}{rate}"
    return f"{number}{'' if unit == '%' else found['blank']}{unit}"


def _cut(found: re.Match[str], unit: str, of_fraction: int, numbers: set[_Number]) -> str:
    """The number of *found* without the decimals that do not matter, or as it is."""
    decimals = found["decimals"]
    if not decimals:
        return found["whole"]
    number = f"{found['whole']}{found['point']}{decimals}"
    of_something = found["unit"] and not found["blank"]  # "12.48213x" is a name
    if _may_be_thousands(found, unit):
        return number
    if not unit and (len(decimals) < 3 or found["point"] == "," or of_something):
        return number
    cut = _significant(found["whole"], decimals, of_fraction, nearly_all=unit == "%")
    short = f"{found['whole']}{found['point']}{cut}" if cut else found["whole"]
    return number if _like_another(_value(short), _value(number), numbers) else short


def _is_measure(found: re.Match[str]) -> bool:
    """Whether the word after the number is a unit; ``22.04 с ошибкой``, ``21.11 в 03:12`` go on with a preposition."""
    unit = found["unit"] or ""
    return unit.casefold() in _MEASURED and not (found["blank"] and unit in _PREPOSITIONS)


def _like_another(short: _Number, own: _Number, numbers: set[_Number]) -> bool:
    """Whether *short* could be read as another number of the text, as that might be written."""
    return any(
        other != own and other.whole == short.whole and other.decimals.startswith(short.decimals) for other in numbers
    )


def _may_be_thousands(found: re.Match[str], unit: str) -> bool:
    """Whether ``1,234`` or ``1.234`` may be more than a thousand, as half of the world writes it."""
    many = len(found["decimals"]) == 3 and found["whole"].lstrip("-").lstrip("0") != "" and len(found["whole"]) <= 4
    return many and (unit != "%" or found["point"] == ",")


def _significant(whole: str, decimals: str, of_fraction: int, *, nearly_all: bool = False) -> str:
    """The decimals worth showing: none from 10 on, one from 1 on, *of_fraction* digits that matter below."""
    digits = whole.lstrip("-0")
    if nearly_all and digits == "99":
        return decimals[:2].rstrip("0")  # 99.95 % is not 99 % where nines are counted
    if digits:
        return (decimals[:1] if len(digits) == 1 else "").rstrip("0")
    zeros = len(decimals) - len(decimals.lstrip("0"))
    return decimals[: zeros + of_fraction].rstrip("0")


def _value(number: str) -> _Number:
    """A number as it compares: ``97.40`` and ``97,4`` are one."""
    whole, _, decimals = number.replace(",", ".").lstrip("-").partition(".")
    return _Number(whole.lstrip("0"), decimals.rstrip("0"))


def _size(whole: str, unit: str) -> str:
    """Bytes in a unit that people read: in steps of 1024 where it divides by that, else of 1000; "" if not shorter."""
    power = _POWERS.get(unit)
    if power is None or whole.startswith("-"):
        return ""
    value = rest = int(whole)
    step = 1024 if "i" in unit or value % 1024 == 0 else 1000
    divisor = 1
    while rest >= step and power < len(_LATIN) - 1:
        rest, divisor, power = rest // step, divisor * step, power + 1
    if divisor == 1 or (value % divisor and len(whole) < _LONG):
        return ""
    tenth = value * 10 // divisor % 10
    number = f"{rest}.{tenth}" if rest < 10 and tenth else str(rest)
    names = _LATIN if unit.isascii() else _CYRILLIC
    return f"{number} {names[power]}"


def _span(found: re.Match[str], table: Table) -> str:
    """A span in the greatest unit that holds it exactly: ``300 seconds`` -> ``5m``; "" if there is none.

    Of the short forms only ``300s`` is sure to be a time: ``120m`` may be metres, ``300 с`` goes on as ``с 03:12``.
    """
    unit = found["unit"] or ""
    short = table.units.get(unit.casefold()) or ("" if found["blank"] else unit)
    names = table.spans.get(short, ())
    if short not in names[: 3 if short != unit else 1] or found["whole"].startswith("-"):
        return ""
    seconds = int(found["whole"]) * _SECONDS[names.index(short)]
    for name, length in reversed(list(zip(names, _SECONDS, strict=True))[names.index(short) + 1 :]):
        if seconds >= length * (2 if name == names[3] else 1) and seconds % length == 0:  # "24h" says more than "1d"
            return f"{seconds // length}{name}"
    return ""
