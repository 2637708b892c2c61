"""The questions that send nothing: balance, get, info, wait_call (smsc-http.md §9–11, smsc-wait-call.md)."""

from __future__ import annotations

import re
from datetime import datetime, timedelta

from bridge.simulator.air import Air
from bridge.simulator.records import Answer, Message
from bridge.simulator.settings import Account
from bridge.simulator.smsc import numbers, replies
from bridge.simulator.smsc.callbacks import MOSCOW, local
from bridge.simulator.smsc.limits import Guard
from bridge.simulator.smsc.replies import Refused, dumps, xml
from bridge.simulator.smsc.request import Asked, Raw
from bridge.simulator.smsc.status import fields

_MOST_ANSWERS = 10_000
_MOST_HOURS = 168
_WAIT_CALL = timedelta(minutes=15)


def balance(air: Air, guard: Guard, account: Account, raw: Raw, now: datetime) -> str:
    guard.at_most(air.switches.limits.balance_a_minute, ("balance", account.login), now)
    currency = account.currency if raw.asked.flag("cur") else ""
    return replies.balance(raw.asked.fmt, account.balance, currency=currency, credit=account.credit)


def get(air: Air, guard: Guard, account: Account, raw: Raw, now: datetime) -> str:
    """``get_answers=1`` or ``get_messages=1``; anything else of get.php is not pretended here: error 1."""
    asked = raw.asked
    if asked.flag("get_answers"):
        key = ("answers", tuple(sorted(asked.values.items())))
        guard.at_most(air.switches.limits.answers_a_minute, key, now)
        travel, hours = timedelta(seconds=air.switches.inbound_delay), air.hours(account.login)
        return _answers([_row(answer, travel, hours) for answer in _inbox(air, asked, now)], asked.fmt)
    if asked.flag("get_messages"):
        return _history(air, account, asked)
    raise Refused(1)


def _inbox(air: Air, asked: Asked, now: datetime) -> list[Answer]:
    """Filtered as the manual says; without ``after_id`` and ``hour`` the current Moscow day (inferred)."""
    after, hours = _whole(asked, "after_id"), min(_whole(asked, "hour"), _MOST_HOURS)
    day = now.astimezone(MOSCOW).replace(hour=0, minute=0, second=0, microsecond=0)
    periods = {"day": day, "24 hours": now - timedelta(hours=24), "all": now - timedelta(days=3650)}
    since = now - timedelta(hours=hours) if hours else periods[air.switches.answers_period]
    to = asked.get("to_phone")
    found = [
        answer
        for answer in air.answers
        if answer.kind != "viber" and to in ("", answer.to)
        if answer.id > after and (after or answer.received_at >= since)
    ]
    return found[: min(_whole(asked, "cnt") or _MOST_ANSWERS, _MOST_ANSWERS)]


def _whole(asked: Asked, name: str) -> int:
    value = asked.get(name) or "0"
    if not re.fullmatch(r"[0-9]{1,18}", value):
        raise Refused(1)
    return int(value)


def _answers(rows: list[dict[str, object]], fmt: int) -> str:
    if fmt == 3:
        return dumps(rows)
    if fmt == 2:
        return "\n".join(["<result>", *(xml("answer", row) for row in rows), "</result>"])
    if fmt == 1:
        return "\n".join(",".join(str(value) for value in row.values()) for row in rows)
    return "\n".join(", ".join(f"{name} = {value}" for name, value in row.items()) for row in rows)


def _row(answer: Answer, travel: timedelta, hours: float) -> dict[str, object]:
    return {
        "id": answer.id,
        "received": local(answer.received_at, hours),
        "phone": answer.phone,
        "message": answer.text,
        "to_phone": answer.to,
        "sent": local(answer.received_at - travel, hours),
    }


def _history(air: Air, account: Account, asked: Asked) -> str:
    """Newest first, fields as status all=1 or 2 (inferred); ``start`` and ``end`` are Moscow days.

    That nothing at all is error 3 is what one public library relies on.
    """
    first, last = _day(asked.get("start")), _day(asked.get("end"))
    before, phone = _whole(asked, "prev_id"), asked.get("phone").lstrip("+")
    rows = [
        {"id": replies.number(message.id)} | fields(air, message, air.switches.history_all)
        for message in reversed(air.messages(phone))
        if message.login == account.login
        and _within(message, first, last)
        and not (before and message.serial >= before)
    ]
    rows = rows[: _whole(asked, "cnt") or 100]
    if not rows and air.switches.empty_history == "error":
        raise Refused(3, text="record not found")
    if asked.fmt == 3:
        return dumps(rows)
    if asked.fmt == 2:
        return "\n".join(["<result>", *(xml("sms", row) for row in rows), "</result>"])
    return "\n".join(", ".join(f"{name} = {value}" for name, value in row.items()) for row in rows)


def _day(text: str) -> datetime | None:
    try:
        return datetime.strptime(text, "%d.%m.%Y").replace(tzinfo=MOSCOW) if text else None
    except ValueError as error:
        raise Refused(1) from error


def _within(message: Message, first: datetime | None, last: datetime | None) -> bool:
    if first and message.send_at < first:
        return False
    return not (last and message.send_at >= last + timedelta(days=1))


def info(air: Air, guard: Guard, account: Account, raw: Raw, now: datetime) -> str:
    """``get_operator=1&phone=``: whose number it is."""
    asked = raw.asked
    phone = numbers.phone_number(asked.get("phone"), "sms", air.switches)
    if not asked.flag("get_operator") or not phone:
        raise Refused(1)
    found = numbers.network(phone)
    known = {"operator": found.operator, "region": found.region}
    if not air.switches.info_brief:
        known |= {"country": found.country, "mcc": found.mccmnc[:3], "mnc": found.mccmnc[3:], "tz": "0"}
    if asked.fmt == 3:
        return dumps(known)
    return xml("result", known) if asked.fmt == 2 else ", ".join(f"{name} = {value}" for name, value in known.items())


class WaitCalls:
    """Numbers we gave out and wait to be rung on, for a quarter of an hour each."""

    def __init__(self) -> None:
        self._open: dict[str, datetime] = {}

    def ask(self, air: Air, guard: Guard, account: Account, raw: Raw, now: datetime) -> str:
        """wait_call.php: ``phone`` is who will call; the answer says where to. Error 5 is its black list here."""
        asked = raw.asked
        phone = numbers.phone_number(asked.get("phone"), "sms", air.switches)
        if not phone:
            raise Refused(1)
        guard.at_most(air.switches.limits.wait_calls_a_minute, ("wait_call", account.login, phone), now)
        if phone in account.black_list:
            raise Refused(5, text="black list")
        cost = account.channel_prices.get("wait_call", 0)
        if cost > account.balance + account.credit:
            raise Refused(3)
        air.charge(account.login, account.channel_prices.get("wait_call", account.balance * 0))
        self._open[phone] = now + _WAIT_CALL
        return _wait_call(asked.fmt, air.switches.wait_call_numbers, air.switches.wait_call_separator)

    def confirms(self, phone: str, to: str, pool: tuple[str, ...], now: datetime) -> bool:
        """Whether this call is one that was asked for; it counts once."""
        if to not in pool or now > self._open.get(phone, now - _WAIT_CALL):
            return False
        del self._open[phone]
        return True


def _wait_call(fmt: int, pool: tuple[str, ...], separator: str) -> str:
    if fmt == 0:
        return f"phone = {pool[0]}, all_phones = {separator.join(pool)}"
    if fmt == 1:
        return separator.join(pool)
    known: dict[str, object] = {"phone": pool[0], "all_phones": list(pool)}
    return xml("result", known) if fmt == 2 else dumps(known)
