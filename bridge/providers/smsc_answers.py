"""smsc's answers (``fmt=3``): bytes in, values or errors out. Pure; nothing in an answer is believed unread.

Numbers come as numbers or as text, ids likewise; an error may come where a list was expected; a page of HTML
may come from a proxy. An answer to a paid request that is not understood whole is an unknown outcome, never
a failure (threats T37, F07).
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

from bridge.errors import DeliveryError, OutcomeUnknown, TemporaryFailure
from bridge.model import MessageState
from bridge.providers import smsc_codes
from bridge.providers.base import (
    Accepted,
    Balance,
    CallNumber,
    Inbound,
    Network,
    Price,
    Question,
    StatusAnswer,
    storable,
)

_MOSCOW = timezone(timedelta(hours=3))  # dates without a timestamp; assumed by other clients, not documented
_CODE = re.compile(r"-?[0-9]{1,9}")
_NUMBER = re.compile(r"[1-9][0-9]{6,14}")
_AMOUNT = re.compile(r"-?[0-9]{1,12}(?:\.[0-9]{1,6})?")
_CALLS = frozenset({"[CALL]", "[waitcall]"})
_MOST_NUMBERS = 100  # that one country has to ring
_LAST_SECOND = 1 << 33  # the year 2242: what is later is no timestamp


def parse_send(body: bytes, client_id: str, *, repeat: bool) -> Accepted:
    """What became of the request with *client_id*. Raises the error it ended with."""
    answer = _object(body)
    code = _error_code(answer)
    named = _text(answer.get("id"))
    if named not in ("", client_id):
        raise OutcomeUnknown(f"the answer is about another message ({named[:40]})")
    if code is not None:
        raise smsc_codes.refused(code, repeat=repeat, detail=_detail(answer))
    if not named:
        raise OutcomeUnknown("the answer names no message")
    return Accepted(
        provider_id=named,
        segments=_count(answer.get("cnt")),
        cost=_money(answer.get("cost")),
        balance=_money(answer.get("balance"), below_zero=True),
    )


def parse_operator(body: bytes) -> Network:
    """What info.php knows of a number. Raises as ``parse_status``."""
    answer = _asked(body)
    _refuse(answer)
    operator, region, country = (_text(answer.get(name))[:80] for name in ("operator", "region", "country"))
    if not (operator or country):
        raise TemporaryFailure("the answer names no operator")
    return Network(operator, region, country, (_text(answer.get("mcc")) + _text(answer.get("mnc")))[:6])


def parse_wait_call(body: bytes) -> CallNumber:
    """Where to ring. Raises as ``parse_status``; a phone that may not be asked (5, 6) is refused for good."""
    answer = _asked(body)
    _refuse(answer, smsc_codes.call_refused)
    number = _text(answer.get("phone")).lstrip("+")
    if not _NUMBER.fullmatch(number):
        raise TemporaryFailure("the answer names no number")
    listed = answer.get("all_phones")
    others = (_text(one).lstrip("+") for one in (listed if isinstance(listed, list) else [])[:_MOST_NUMBERS])
    return CallNumber(number, tuple(dict.fromkeys((number, *(one for one in others if _NUMBER.fullmatch(one))))))


def parse_price(body: bytes) -> Price:
    """What a request would cost. Nothing was sent, so an answer that is not understood may be asked for again."""
    answer = _asked(body)
    _refuse(answer, lambda code: smsc_codes.refused(code, repeat=False))
    cost = _money(answer.get("cost"))
    if cost is None:
        raise TemporaryFailure("the answer names no price")
    return Price(cost, _count(answer.get("cnt")))


def parse_status(body: bytes) -> StatusAnswer:
    """One message."""
    answer = _asked(body)
    _refuse(answer)
    return _status(answer)


def parse_statuses(body: bytes, questions: Sequence[Question]) -> dict[Question, StatusAnswer]:
    """Many, found by their ids, never by their place; what has no id, or one we did not ask for, is left out."""
    answer = _asked(body, list)
    by_id = {question.client_id: question for question in questions}
    found: dict[Question, StatusAnswer] = {}
    for one in answer:
        question = by_id.get(_text(one.get("id"))) if isinstance(one, Mapping) else None
        if question is None:
            continue
        try:
            status = _status(one)
        except TemporaryFailure:  # one that cannot be read says nothing about the others
            continue
        if status.phone in ("", question.phone.lstrip("+")):
            found[question] = status
    return found


def parse_balance(body: bytes) -> Balance:
    """Raises as ``parse_status``."""
    answer = _asked(body)
    _refuse(answer)
    amount = _money(answer.get("balance"), below_zero=True)
    if amount is None:
        raise TemporaryFailure("the answer names no balance")
    return Balance(amount, _text(answer.get("currency"))[:10], _money(answer.get("credit")) or Decimal(0))


def parse_answers(body: bytes) -> tuple[Inbound, ...]:
    """Inbound SMS and calls, in the order they came in; what has no id or no sender is left out."""
    rows = [row for row in _asked(body, list) if isinstance(row, Mapping)]
    return tuple(_inbound(row) for row in rows if _text(row.get("id")) and _text(row.get("phone")))


def parse_sent(body: bytes) -> tuple[StatusAnswer, ...]:
    """The list of sent messages; what has no status, or one that means "not found", is left out."""
    found: list[StatusAnswer] = []
    for row in _asked(body, list):
        try:
            status = _status(row) if isinstance(row, Mapping) else None
        except TemporaryFailure:
            continue
        if status is not None and status.state is not None:
            found.append(status)
    return tuple(found)


def day(moment: datetime) -> str:
    """``21.11.2026``: the day of the provider's clock."""
    return moment.astimezone(_MOSCOW).strftime("%d.%m.%Y")


def e164(digits: str) -> str:
    """``77010000001`` → ``+77010000001``; a name or a short number stays as it is."""
    plain = digits.removeprefix("+")
    return f"+{plain}" if _NUMBER.fullmatch(plain) else digits


def moment(seconds: str) -> datetime | None:
    """A timestamp as text, or None for what is none."""
    if not re.fullmatch(r"[0-9]{1,10}", seconds) or not 0 < int(seconds) < _LAST_SECOND:
        return None
    return datetime.fromtimestamp(int(seconds), UTC)


def _detail(answer: Mapping[str, Any]) -> tuple[str, str]:
    """Status and error of our one number, where ``op=1`` brought them; "" for what it did not."""
    phones = answer.get("phones")
    first = phones[0] if isinstance(phones, list) and len(phones) == 1 else None
    if not isinstance(first, Mapping):
        return "", ""
    return _text(first.get("status"))[:10], _text(first.get("error"))[:10]


def _status(answer: Mapping[str, Any]) -> StatusAnswer:
    code = _text(answer.get("status"))
    if not _CODE.fullmatch(code):
        raise TemporaryFailure("the answer names no status")
    state: MessageState | None = smsc_codes.state(code)
    return StatusAnswer(
        state=state,
        code=code,
        error=_text(answer.get("err"))[:10],
        at=moment(_text(answer.get("last_timestamp"))),
        sent_at=moment(_text(answer.get("send_timestamp"))),
        cost=_money(answer.get("cost")),
        phone=_text(answer.get("phone")).lstrip("+")[:254],
        text=_text(answer.get("message")),
        sender=_text(answer.get("sender_id"))[:40],
        read=code in smsc_codes.READ,
        network=", ".join(name for key in ("operator", "country") if (name := _text(answer.get(key))[:80])),
    )


def _inbound(row: Mapping[str, Any]) -> Inbound:
    text = _text(row.get("message"))
    return Inbound(
        id=_text(row.get("id"))[:40],
        phone=e164(_text(row.get("phone")))[:40],
        to=_text(row.get("to_phone")).lstrip("+")[:40],
        text=text,
        received=_date(_text(row.get("received"))),
        sent=_date(_text(row.get("sent"))),
        call=text in _CALLS,
    )


def _date(text: str) -> datetime | None:
    try:
        return datetime.strptime(text, "%d.%m.%Y %H:%M:%S").replace(tzinfo=_MOSCOW).astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def _json(body: bytes) -> Any:
    """What stands in *body*. Raises ValueError."""
    try:
        return json.loads(
            body.decode("utf-8-sig"), parse_int=str, parse_float=str, parse_constant=_not_a_number
        )  # numbers stay as they were written: one with too many digits is no error of ours
    except RecursionError as error:
        raise ValueError("too deep") from error


def _not_a_number(name: str) -> Any:
    raise ValueError(name)


def _object(body: bytes) -> Mapping[str, Any]:
    """The object of an answer to a paid request."""
    try:
        answer = _json(body)
    except ValueError as error:
        raise OutcomeUnknown("the answer cannot be read") from error
    if not isinstance(answer, dict):
        raise OutcomeUnknown("the answer cannot be read")
    return answer


def _asked(body: bytes, kind: type[dict[str, Any] | list[Any]] = dict) -> Any:
    """The answer to a question; an error may stand where a list was expected."""
    try:
        answer = _json(body)
    except ValueError as error:
        raise TemporaryFailure("the answer cannot be read") from error
    if kind is list and isinstance(answer, dict):
        _refuse(answer)
    if not isinstance(answer, kind):
        raise TemporaryFailure("the answer cannot be read")
    return answer


def _refuse(answer: Mapping[str, Any], error_of: Any = smsc_codes.question_refused) -> None:
    try:
        code = _error_code(answer)
    except OutcomeUnknown as error:
        raise TemporaryFailure(error.reason) from error
    if code is not None:
        refusal: DeliveryError = error_of(code)
        raise refusal


def _error_code(answer: Mapping[str, Any]) -> str | None:
    """The error code, None when there is none. An error without a number proves nothing."""
    if "error_code" not in answer and "error" not in answer:
        return None
    code = _text(answer.get("error_code"))
    if not re.fullmatch(r"[1-9][0-9]{0,8}", code):
        raise OutcomeUnknown("the answer is an error without a number")
    return code


def _text(value: object) -> str:
    """Text, and numbers as they were written; everything else is nothing."""
    return storable(value).strip() if isinstance(value, str) else ""


def _count(value: object) -> int | None:
    text = _text(value)
    return int(text) if re.fullmatch(r"[0-9]{1,6}", text) else None


def _money(value: object, *, below_zero: bool = False) -> Decimal | None:
    text = _text(value)
    if not _AMOUNT.fullmatch(text) or (text.startswith("-") and not below_zero):
        return None
    return Decimal(text)
