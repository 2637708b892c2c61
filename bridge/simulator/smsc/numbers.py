"""Recipients, prices, networks and times as send.php reads them (smsc-http.md §4)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from decimal import Decimal

from bridge.simulator.settings import Account, Switches
from bridge.simulator.smsc.replies import Refused

_MOSCOW_HOURS = 3
_NOISE = re.compile(r"[\s()\-.]")
_DIGITS = re.compile(r"[0-9]{7,15}")
_MAIL = re.compile(r"[^\s@]+@[^\s@]+")
_OWN_ID = re.compile(r"[A-Za-z0-9._-]{1,40}")
_STAMPS = (
    (re.compile(r"\d{10}"), "%d%m%y%H%M"),
    (re.compile(r"\d\d\.\d\d\.\d\d \d{1,2}:\d\d"), "%d.%m.%y %H:%M"),
)


@dataclass(frozen=True, slots=True)
class Network:
    """Whose number it is, as far as the simulator cares."""

    prefix: str
    mccmnc: str
    country: str
    operator: str
    region: str


_NETWORKS = (
    Network("7701", "40101", "Казахстан", "Kcell", ""),
    Network("7702", "40101", "Казахстан", "Kcell", ""),
    Network("7705", "40102", "Казахстан", "Beeline", ""),
    Network("7747", "40177", "Казахстан", "Tele2", ""),
    Network("7999", "25002", "Россия", "МегаФон", "г.Москва и Московская область"),
    Network("79", "25001", "Россия", "МТС", ""),
    Network("380", "25501", "Украина", "Vodafone", ""),
)
_UNKNOWN = Network("", "", "", "", "")


def network(phone: str) -> Network:
    """Of the longest matching prefix; empty fields for a number nobody knows."""
    known = (one for one in _NETWORKS if phone.startswith(one.prefix))
    return max(known, key=lambda one: len(one.prefix), default=_UNKNOWN)


def recipients(phones: str, account: Account) -> tuple[str, ...]:
    """The entries of a ``phones`` list; ``G<number>`` stands for the members of that contact group."""
    entries: list[str] = []
    for entry in re.split(r"[,;]", phones):
        name = entry.strip()
        group = name[1:] if name[:1] in ("G", "g") else ""
        entries.extend(account.groups.get(group, (name,)) if group else [name] if name else [])
    return tuple(dict.fromkeys(entries))


def phone_number(entry: str, channel: str, switches: Switches) -> str:
    """Digits without plus, "" for what is no number; with a plus nothing is repaired. Mail wants an address."""
    if channel == "mail":
        return entry if _MAIL.fullmatch(entry) else ""
    digits = _NOISE.sub("", entry)
    if digits.startswith("+"):
        digits = digits[1:]
    elif switches.repair_numbers and len(digits) == 11 and digits.startswith("8"):
        digits = "7" + digits[1:]
    return digits if _DIGITS.fullmatch(digits) else ""


def pairs(list_parameter: str) -> tuple[tuple[str, str], ...]:
    """``list``: ``phones:text`` a line; ``:`` or ``;`` ends the phones, only the first one counts."""
    found = []
    for line in list_parameter.replace("\r\n", "\n").split("\n"):
        phones, mark, text = _first_mark(line)
        if mark:
            found.append((phones, text))
    return tuple(found)


def _first_mark(line: str) -> tuple[str, str, str]:
    found = re.search(r"[:;]", line)
    return (line[: found.start()], found[0], line[found.end() :]) if found else (line, "", "")


def own_id(asked: str, switches: Switches) -> str:
    """The client's id; "" when the provider is to choose. Refused 1 for one it cannot take."""
    if asked in ("", "0"):
        return ""
    if re.fullmatch(r"[0-9]{1,40}", asked):
        if not 1 <= int(asked) <= 2147483647:
            raise Refused(1)
        return str(int(asked))
    if not (switches.string_ids and _OWN_ID.fullmatch(asked)):
        raise Refused(1)
    return asked


def price(account: Account, channel: str, phone: str) -> Decimal:
    """Of one segment (one request for HLR, ping and the like)."""
    if channel in account.channel_prices:
        return account.channel_prices[channel]
    known = [prefix for prefix in account.prices if phone.startswith(prefix)]
    return account.prices[max(known, key=len)] if known else account.prices.get("default", Decimal(0))


def life_time(valid: str) -> timedelta:
    """``hh`` or ``hh:mm``, 1 minute to 24 hours; a day when it is not given. Refused 1 for anything else."""
    if not valid:
        return timedelta(hours=24)
    found = re.fullmatch(r"(\d{1,2})(?::(\d{2}))?", valid)
    life = timedelta(hours=int(found[1]), minutes=int(found[2] or 0)) if found else timedelta(0)
    if not timedelta(minutes=1) <= life <= timedelta(hours=24):
        raise Refused(1)
    return life


def send_time(time: str, tz: str, account: Account, now: datetime) -> datetime:
    """When to send; ``0``, absent or past is at once. *tz* is hours from Moscow. Refused 5 for a wrong date."""
    if time in ("", "0"):
        return now
    if found := re.fullmatch(r"0([0-9]{9,11})", time):
        return max(now, datetime.fromtimestamp(int(found[1]), tz=now.tzinfo))
    if found := re.fullmatch(r"\+([0-9]{1,5})", time):
        return now + timedelta(minutes=int(found[1]))
    try:
        zone = timezone(timedelta(hours=_MOSCOW_HOURS + (float(tz) if tz else account.hours_from_moscow)))
        local = _window(time, now.astimezone(zone)) or _stamp(time, zone)
    except (ValueError, OverflowError) as error:
        raise Refused(5) from error
    return max(now, local)


def _window(time: str, local: datetime) -> datetime | None:
    """``h1-h2``: within these hours, today or tomorrow."""
    found = re.fullmatch(r"(\d{1,2})-(\d{1,2})", time)
    if found is None:
        return None
    opens = local.replace(hour=int(found[1]), minute=0, second=0, microsecond=0)
    closes = local.replace(hour=int(found[2]) % 24, minute=0, second=0, microsecond=0)
    if closes <= opens:
        closes += timedelta(days=1)
    return local if opens <= local < closes else opens if local < opens else opens + timedelta(days=1)


def _stamp(time: str, zone: timezone) -> datetime:
    form = next((form for shape, form in _STAMPS if shape.fullmatch(time)), "")
    return datetime.strptime(time, form).replace(tzinfo=zone) if form else _wrong(time)


def _wrong(time: str) -> datetime:
    raise ValueError(time)
