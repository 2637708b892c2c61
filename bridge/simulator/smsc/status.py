"""status.php and the history of get.php: every field of ``all`` 0–2 in every ``fmt`` (smsc-http.md §8)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from bridge.simulator.air import Air
from bridge.simulator.records import Message, money
from bridge.simulator.settings import Account
from bridge.simulator.smsc import numbers
from bridge.simulator.smsc.callbacks import local
from bridge.simulator.smsc.limits import Guard
from bridge.simulator.smsc.replies import Refused, dumps, number, xml
from bridge.simulator.smsc.request import Raw

NAMES: dict[int, str] = {
    -3: "Сообщение не найдено",
    -2: "Остановлено",
    -1: "Ожидает отправки",
    0: "Передано оператору",
    1: "Доставлено",
    2: "Прочитано",
    3: "Просрочено",
    4: "Нажата ссылка",
    20: "Невозможно доставить",
    22: "Неверный номер",
    23: "Запрещено",
    24: "Недостаточно средств",
    25: "Недоступный номер",
}
_NOBODY: dict[str, object] = {
    "status": -3,
    "last_date": local(datetime.fromtimestamp(0, UTC)),
    "last_timestamp": 0,
    "err": 0,
    "flag": 0,
}
_BRIEF = ("status", "last_timestamp", "err")


def status(air: Air, guard: Guard, account: Account, raw: Raw, now: datetime) -> str:
    """The text of the answer; a comma in ``id`` (not in first place) asks for the list form."""
    asked = raw.asked
    ids, phones = asked.get("id"), asked.get("phone")
    if not ids or not phones or not asked.charset:
        raise Refused(1)
    as_list = "," in ids[1:]
    _limit(air, guard, account, (ids, phones), as_list, now)
    wanted = list(zip(_split(ids), _split(phones), strict=False))
    if not wanted:
        raise Refused(1)
    if asked.flag("del"):
        return _delete(air, account, wanted, asked.fmt)
    level = int(asked.get("all")) if asked.get("all") in ("1", "2") else 0
    found = [(id, phone, _filed(air, _find(air, account, id, phone), now)) for id, phone in wanted]
    if as_list:
        return _list(air, found, level, asked.fmt)
    return _one(air, found[0][2], level, asked.fmt)


def _limit(air: Air, guard: Guard, account: Account, key: tuple[str, str], as_list: bool, now: datetime) -> None:
    limits = air.switches.limits
    if as_list:
        guard.at_most(limits.status_lists_a_minute, ("status list", account.login), now)
    else:
        guard.at_most(limits.status_a_minute, ("status", account.login, key), now)


def _split(values: str) -> list[str]:
    return [value.strip() for value in values.split(",") if value.strip()]


def _find(air: Air, account: Account, id: str, phone: str) -> Message | None:
    digits = phone if "@" in phone else numbers.phone_number(phone, "sms", air.switches)
    return air.find(account.login, id, digits)


def _filed(air: Air, message: Message | None, now: datetime) -> Message | None:
    """What status.php knows by now: a message may not be filed at once (inferred)."""
    since = timedelta(seconds=air.switches.filed_after)
    return message if message is not None and now - message.received_at >= since else None


def _delete(air: Air, account: Account, wanted: list[tuple[str, str]], fmt: int) -> str:
    """``del=1``: error 5 when there is nothing to delete."""
    found = [_find(air, account, id, phone) for id, phone in wanted]
    if not any(found):
        raise Refused(5, text="deletion failed")
    for message in found:
        if message is not None:
            air.forget(message)
    return {2: "<result>OK</result>", 3: dumps({"result": "OK"})}.get(fmt, "OK")


def _list(air: Air, found: list[tuple[str, str, Message | None]], level: int, fmt: int) -> str:
    if fmt == 3:
        return dumps([{"id": number(id)} | {"phone": phone} | fields(air, one, level) for id, phone, one in found])
    if fmt == 2:
        inner = "\n".join(xml("sms", {"id": id, "phone": phone} | fields(air, one, level)) for id, phone, one in found)
        return f"<result>\n{inner}\n</result>"
    if fmt == 0:
        return "\n".join(f"{_one(air, one, level, 0)}, id = {id}" for id, _, one in found)
    ends = [f"{id},{phone}" if level == 0 else id for id, phone, _ in found]
    return "\n".join(f"{_one(air, one, level, 1)},{end}" for (_, _, one), end in zip(found, ends, strict=True))


def _one(air: Air, message: Message | None, level: int, fmt: int) -> str:
    known = fields(air, message, level)
    if fmt == 3:
        return dumps({"id": number(message.id)} | known if message is not None and level == 2 else known)
    if fmt == 2:
        order = ("status", "last_date", "last_timestamp", "flag", "err")
        return xml("sms", {name: known[name] for name in order} | known)
    return _as_text(known) if fmt == 0 else ",".join(str(value) for value in _as_numbers(air, known, level))


def fields(air: Air, message: Message | None, level: int) -> dict[str, object]:
    """By the names of fmt 3; HLR adds what it found. A message nobody knows is status -3."""
    if message is None:
        return dict(_NOBODY)
    hours = air.hours(message.login)
    known: dict[str, object] = {
        "status": message.status,
        "last_date": local(message.changed_at, hours),
        "last_timestamp": int(message.changed_at.timestamp()),
        "err": message.err,
        "flag": 40 if message.channel == "mail" else 0,
    }
    if message.channel == "hlr":
        known |= air.switches.hlr
    if level == 0:
        return known
    known |= {
        "send_date": local(message.send_at, hours),
        "send_timestamp": int(message.send_at.timestamp()),
        "phone": message.phone,
        "cost": money(message.cost),
        "sender_id": message.sender,
        "status_name": NAMES[message.status],
        "message": message.text,
        "comment": message.comment or message.hidden,
        "type": message.kind,
    }
    return known | (_place(message) if level == 2 else {})


def _place(message: Message) -> dict[str, object]:
    network = numbers.network(message.phone)
    return {
        "country": network.country,
        "operator": network.operator,
        "region": network.region,
        "mccmnc": network.mccmnc,
        "sms_cnt": len(message.parts),
    }


def _as_text(known: dict[str, object]) -> str:
    """fmt 0: ``Status = 1, check_time = …``; do not parse it."""
    line = f"Status = {known['status']}, check_time = {known['last_date']}, err = {known['err']}"
    more = ("send_date", "phone", "cost", "sender_id", "status_name", "message", "comment", "type")
    return line + "".join(f", {name} = {known[name]}" for name in more if name in known)


def _as_numbers(air: Air, known: dict[str, object], level: int) -> list[object]:
    """fmt 1 in its order; at all=2 country, operator and region stand somewhere before the sender."""
    values = [known[name] for name in _BRIEF] + [known[name] for name in air.switches.hlr if name in known]
    if level == 0 or "phone" not in known:
        return values
    place = [known[name] for name in ("country", "operator", "region")] if level == 2 else []
    where = air.switches.status_place
    values += (place if where == "after err" else []) + [known["send_timestamp"], known["phone"]]
    values += (place if where == "after phone" else []) + [known["cost"]]
    values += place if where == "after cost" else []
    values += [known[name] for name in ("sender_id", "status_name", "message")]
    return values + ([known["comment"], known["type"]] if air.switches.status_tail and level == 1 else [])
