"""send.php: who may, what exactly is sent to whom, what it costs, and the answer (smsc-http.md §4, §5)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from zlib import crc32

from bridge.simulator.air import Air
from bridge.simulator.faults import Fault, Met
from bridge.simulator.records import Message
from bridge.simulator.settings import Account
from bridge.simulator.smsc import numbers
from bridge.simulator.smsc.commands import EVERYWHERE, NOWHERE, OVER_HTTP, obey
from bridge.simulator.smsc.limits import Guard, identity
from bridge.simulator.smsc.replies import Refused, Taken, taken
from bridge.simulator.smsc.request import Asked, Raw
from bridge.simulator.smsc.translit import latin
from bridge.sms.segment import segment

_FLAGS: dict[str, tuple[str, int]] = {
    "flash": ("flash", 1),
    "bin": ("binary", 2),
    "push": ("push", 3),
    "hlr": ("hlr", 4),
    "ping": ("ping", 5),
    "mms": ("mms", 6),
    "call": ("call", 7),
    "mail": ("mail", 8),
    "viber": ("viber", 10),
    "soc": ("soc", 12),
    "tg": ("telegram", 13),
    "bot": ("bot", 13),
    "whatsapp": ("whatsapp", 14),
}
"""Parameter → channel and message type; 13 and 14 are not in the provider's list and inferred."""

_EMPTY_ALLOWED = ("hlr", "ping")
_HEX = re.compile(r"(?:[0-9A-Fa-f]{2})+")
_BAD_NUMBER = (22, 249)
_FLOOD = (23, 0)
_REFUSED_AS = {6: (23, 252), 7: _BAD_NUMBER, 8: (25, 248)}


@dataclass(frozen=True, slots=True)
class Draft:
    """One recipient's share of a request, priced; *refused* is the error code that meets this number, 0 if none."""

    entry: str
    phone: str
    channel: str
    kind: int
    text: str
    hidden: str
    parts: tuple[str, ...]
    cost: Decimal
    fault: Fault
    refused: int

    def detail(self) -> dict[str, str]:
        """The line about this number that ``op=1`` asks for."""
        if not self.refused:
            mccmnc = numbers.network(self.phone).mccmnc
            return {"phone": self.phone, "mccmnc": mccmnc, "cost": f"{self.cost:.2f}", "status": "", "error": ""}
        status, err = _REFUSED_AS.get(self.refused, _BAD_NUMBER)
        return {"phone": self.entry, "mccmnc": "", "cost": "0", "status": str(status), "error": str(err)}


def send(air: Air, guard: Guard, account: Account, raw: Raw, met: Met, now: datetime) -> str:
    """The text of the answer. Refused for every error; what was taken by then stays taken."""
    asked = raw.asked
    mode = _cost_mode(asked)
    _check(asked, air.switches.limits.characters)
    life = numbers.life_time(asked.get("valid"))
    at = numbers.send_time(asked.get("time"), asked.get("tz"), account, now)
    id = numbers.own_id(asked.get("id"), air.switches)
    entries = _entries(asked, account, nl_escapes=air.switches.nl_escapes)
    drafts = tuple(_draft(air, account, raw, met, entry, mes) for entry, mes in entries)
    if not (drafts and all(draft.fault.refuse for draft in drafts)):
        # A pretended refusal leaves no trace, so that the same request may be tried when all is well again.
        _limit(air, guard, asked, raw, mode, now)
    if mode == 1:
        return _price(asked, drafts, air)
    return _send(air, guard, account, _Order(raw, asked, mode, id or _new_id(air), at, at + life, now), drafts)


@dataclass(frozen=True, slots=True)
class _Order:
    raw: Raw
    asked: Asked
    mode: int
    id: str
    at: datetime
    until: datetime
    now: datetime


def _new_id(air: Air) -> str:
    return str(next(air.serials))


def _cost_mode(asked: Asked) -> int:
    mode = asked.get("cost") or "0"
    if mode not in ("0", "1", "2", "3"):
        raise Refused(1)
    return int(mode)


def _check(asked: Asked, most_characters: int) -> None:
    """Refused 1 for what cannot be read at all."""
    empty_text = any(asked.flag(flag) for flag in _EMPTY_ALLOWED)
    whole = asked.get("list") or (asked.get("phones") and (asked.get("mes") or empty_text))
    maxsms = asked.get("maxsms")
    if not whole or not asked.charset or (maxsms and not re.fullmatch(r"[0-9]{1,4}", maxsms)):
        raise Refused(1)
    if len(asked.get("mes")) > most_characters:
        raise Refused(1)


def _limit(air: Air, guard: Guard, asked: Asked, raw: Raw, mode: int, now: datetime) -> None:
    limits = air.switches.limits
    key = identity(asked, raw, air.switches)
    if mode == 1:
        guard.at_most(limits.prices_a_minute, ("price", key), now)
    elif raw.door != "mail" or air.switches.mail_duplicates:
        guard.once(key, limits.identical_seconds, now)


def _entries(asked: Asked, account: Account, *, nl_escapes: bool) -> list[tuple[str, str]]:
    """Each recipient as it was written, with its text; ``nl=1`` makes lines of ``\\n`` in a list (inferred)."""
    pairs = numbers.pairs(asked.get("list")) or ((asked.get("phones"), asked.get("mes")),)
    if asked.get("list") and asked.flag("nl") and nl_escapes:
        pairs = tuple((phones, mes.replace("\\n", "\n")) for phones, mes in pairs)
    return [(entry, mes) for phones, mes in pairs for entry in numbers.recipients(phones, account)]


def _draft(air: Air, account: Account, raw: Raw, met: Met, entry: str, mes: str) -> Draft:
    asked = raw.asked
    channel, kind = next((_FLAGS[flag] for flag in _FLAGS if asked.flag(flag)), ("sms", 0))
    # The number is judged by the channel that was asked for: a text that turns itself into a mail is taken too.
    phone = numbers.phone_number(entry, channel, air.switches)
    text, hidden = mes, ""
    if channel != "binary":
        command = obey(mes, trim=air.switches.trim_before_commands, known=_prefixes(air, raw))
        text, hidden = command.text, command.hidden
        channel, kind = (command.channel, command.kind) if command.channel else (channel, kind)
    if _is_flash_call(asked):
        text = _code(entry)
    if asked.get("translit") in ("1", "2"):
        text = latin(text)
    text, parts = _parts(text, channel, asked.get("maxsms"))
    fault = met.of(phone)
    refused = fault.refuse or _refused_number(account, phone)
    cost = numbers.price(account, channel, phone) * len(parts)
    return Draft(entry, phone, channel, kind, text, hidden, parts, cost, fault, refused)


def _prefixes(air: Air, raw: Raw) -> frozenset[str]:
    """What the door's page names, or all that any page names."""
    if air.switches.commands == "all":
        return EVERYWHERE
    return NOWHERE if raw.door == "mail" else OVER_HTTP


def _is_flash_call(asked: Asked) -> bool:
    """``mes=code`` of a call: the last digits of who calls are the code, and nothing is spoken."""
    return asked.flag("call") and asked.get("mes") == "code"


def _code(entry: str) -> str:
    """Four digits, always the same for one number, so that a test can know them."""
    return f"{crc32(entry.encode()) % 10_000:04}"


def _refused_number(account: Account, phone: str) -> int:
    return 7 if not phone else 8 if phone.startswith(account.unreachable) else 0


def _parts(text: str, channel: str, maxsms: str) -> tuple[str, tuple[str, ...]]:
    """What is left of *text* within *maxsms* parts, and the parts; HLR and ping show nothing."""
    if channel in _EMPTY_ALLOWED:
        return "", ("",)
    if channel == "binary":
        return text, _binary_parts(text)
    parts = segment(text).segments
    if maxsms and int(maxsms) and len(parts) > int(maxsms):
        parts = parts[: int(maxsms)]
        return "".join(parts), parts
    return text, parts


def _binary_parts(text: str) -> tuple[str, ...]:
    """140 octets in one part, 134 in each of several; *text* is hex, or raw octets counted as letters."""
    octets = len(text) // 2 if _HEX.fullmatch(text) else len(text)
    room = 140 if octets <= 140 else 134
    return ("",) * max(1, -(-octets // room))


def _price(asked: Asked, drafts: tuple[Draft, ...], air: Air) -> str:
    good = tuple(draft for draft in drafts if not draft.refused)
    if not good:
        raise Refused(drafts[0].refused if drafts else 7)
    return _said(air, asked, 1, Taken("", _count(good), _cost(good), Decimal(0), _details(asked, drafts)))


def _said(air: Air, asked: Asked, mode: int, done: Taken) -> str:
    switches = air.switches
    return taken(
        asked.fmt, mode, done, as_text=switches.json_numbers_as_text, plain_money=switches.json_money_as_numbers
    )


def _send(air: Air, guard: Guard, account: Account, order: _Order, drafts: tuple[Draft, ...]) -> str:
    good = tuple(draft for draft in drafts if not draft.refused)
    travels = good + tuple(draft for draft in drafts if draft.fault.refuse and draft.fault.takes and draft.phone)
    if good:
        _allowed(account, order, good)
    for draft in travels:
        air.take(_message(air, guard, account, order, draft))
    balance = air.charge(account.login, _cost(travels))
    if not good:
        raise Refused(drafts[0].refused if drafts else 7, id=order.id)
    code = good[0].text if _is_flash_call(order.asked) else ""
    done = Taken(order.id, _count(good), _cost(good), balance, _details(order.asked, drafts), code)
    return _said(air, order.asked, order.mode, done)


def _allowed(account: Account, order: _Order, good: tuple[Draft, ...]) -> None:
    """Refused 6 for a forbidden sender or word, 3 for too little money."""
    sender = order.asked.get("sender")
    if account.senders and sender not in ("", ".", account.number, *account.senders):
        raise Refused(6, id=order.id)
    texts = "\n".join(draft.text for draft in good).lower()
    if any(re.search(rf"\b{re.escape(word.lower())}\b", texts) for word in account.forbidden_words):
        raise Refused(6, id=order.id)
    if _cost(good) > account.balance + account.credit:
        raise Refused(3, id=order.id)


def _message(air: Air, guard: Guard, account: Account, order: _Order, draft: Draft) -> Message:
    floods = guard.floods(draft.phone, air.switches.limits, order.now)
    status, err = _FLOOD if floods else (-1, 0)
    sender = order.asked.get("sender")
    return Message(
        serial=next(air.serials),
        gateway="smsc",
        login=account.login,
        id=order.id,
        channel=draft.channel,
        kind=draft.kind,
        phone=draft.phone,
        sender="HLR" if draft.channel == "hlr" else account.number if sender in ("", ".") else sender,
        text=draft.text,
        hidden=draft.hidden,
        parts=draft.parts,
        cost=draft.cost,
        status=status,
        err=err,
        received_at=order.now,
        send_at=order.at,
        changed_at=order.now,
        valid_until=order.until,
        request=_request(order),
    )


def _request(order: _Order) -> Mapping[str, object]:
    return {"method": order.raw.method, "path": order.raw.path, "params": order.asked.masked(), "peer": order.raw.peer}


def _count(drafts: tuple[Draft, ...]) -> int:
    return sum(len(draft.parts) for draft in drafts)


def _cost(drafts: tuple[Draft, ...]) -> Decimal:
    return sum((draft.cost for draft in drafts), Decimal(0))


def _details(asked: Asked, drafts: tuple[Draft, ...]) -> tuple[dict[str, str], ...]:
    """``op=1`` names every number, ``err=1`` only the bad ones."""
    if asked.flag("op"):
        return tuple(draft.detail() for draft in drafts)
    return tuple(draft.detail() for draft in drafts if draft.refused) if asked.flag("err") else ()
