"""What smsgate's answers mean, whichever way they are written. Pure; nothing in an answer is believed unread.

``smsgate_json``, ``smsgate_xml`` and ``smsgate_get`` turn bytes into ``Given`` and ``State``; this file decides what
they say about our request. Results are found by our number, never by their place, and ids come as numbers or text.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal

from bridge.errors import OutcomeUnknown, PermanentFailure, TemporaryFailure
from bridge.providers import smsgate_codes
from bridge.providers.base import Accepted, Request, StatusAnswer, storable
from bridge.providers.smsgate_cascade import WAYS, order

_ID = re.compile(r"[1-9][0-9]{0,18}")
_AMOUNT = re.compile(r"[0-9]{1,9}(?:\.[0-9]{1,6})?")


@dataclass(frozen=True, slots=True)
class Given:
    """One result of a send: an id, or an error. A refusal of the whole request has neither number nor phone."""

    id: str = ""
    client_id: str = ""
    phone: str = ""
    error: str = ""
    parts: str = ""  # of the first way
    way_ids: tuple[str, ...] = ()  # ids that its ways have by themselves, as far as they have begun


@dataclass(frozen=True, slots=True)
class State:
    """What is said about one message: the state of the whole, of each way, and what each way cost."""

    word: str
    ways: Mapping[str, str] = field(default_factory=dict)
    prices: Mapping[str, str] = field(default_factory=dict)


def taken(results: Iterable[Given], request: Request) -> Accepted:
    """What became of *request*, of which *results* tell. Raises the error it ended with."""
    one = _ours(tuple(results), request)
    if one.error:
        return _refused(one, request)
    if _ID.fullmatch(one.id):
        others = (id for id in one.way_ids if _ID.fullmatch(id))
        return Accepted(" ".join(dict.fromkeys((one.id, *others))), segments=_parts(one, request))
    if request.repeat or request.heard:
        return Accepted("")  # it has our number already, and does not say under which of its own
    raise OutcomeUnknown("the answer names no message")


def _ours(results: tuple[Given, ...], request: Request) -> Given:
    phone = request.canonical.get("phone", "")
    named = [one for one in results if one.client_id == request.client_id]
    found = named or [one for one in results if not one.client_id]
    if len(found) != 1 or found[0].phone not in ("", phone):
        raise OutcomeUnknown("the answer is about another message" if results else "the answer names no message")
    return found[0]


def _refused(one: Given, request: Request) -> Accepted:
    if _ID.fullmatch(one.id) and not smsgate_codes.is_kept(one.error):
        raise OutcomeUnknown("the answer is an id and an error", code=smsgate_codes.shortened(one.error))
    if not smsgate_codes.is_duplicate(one.error):
        raise smsgate_codes.refused(one.error, repeat=request.repeat)
    if request.repeat or request.heard:
        return Accepted("")
    raise PermanentFailure(
        "a message of somebody else has our number: give every installation its own ids",
        code=smsgate_codes.shortened(one.error),
        status="5.5.4",
    )


def _parts(one: Given, request: Request) -> int | None:
    """Parts are counted for the first way; only those of an SMS are segments."""
    ways = order(request.canonical)
    return int(one.parts) if ways[:1] == ["sms"] and re.fullmatch(r"[1-9][0-9]{0,2}", one.parts) else None


def status(state: State) -> StatusAnswer:
    """What a state says about a message. Raises TemporaryFailure for a text that is no state."""
    ours = smsgate_codes.state(state.word)
    if ours is None:
        if smsgate_codes.says_not_found(state.word):
            return StatusAnswer(None, code=smsgate_codes.shortened(state.word))
        raise smsgate_codes.question_refused(state.word or "no state")
    used = {way: word for way, word in state.ways.items() if word not in ("", "send")}
    return StatusAnswer(
        state=ours,
        code=state.word,
        error=" ".join(f"{way}:{smsgate_codes.shortened(word)}" for way, word in used.items()),
        cost=_cost(state),
        read=not {state.word, *used.values()}.isdisjoint(smsgate_codes.READ),
    )  # time_change_state names no time zone, so when it happened is not known


def unsubscribed(answer: StatusAnswer) -> tuple[str, ...]:
    """The ways by which the person wants nothing more; only Viber says so."""
    return ("viber",) if answer.code == "unsubscribe" or "viber:unsubscribe" in answer.error.split() else ()


def _cost(state: State) -> Decimal | None:
    """What was taken, once no way can take more."""
    amounts = [Decimal(price) for price in state.prices.values() if _AMOUNT.fullmatch(price)]
    return sum(amounts, Decimal(0)) if amounts and state.word in smsgate_codes.FINAL else None


def way_ids(values: Mapping[str, str]) -> tuple[str, ...]:
    """The ids of single ways from the names the provider uses; 0 is "not by this one"."""
    return tuple(values[f"id_{way}"] for way in WAYS if values.get(f"id_{way}", "0") != "0")


def state_of(values: Mapping[str, str], word: str) -> State:
    """From the names the provider uses: ``state_viber``, ``price_sms`` …"""
    ways = {way: values[f"state_{way}"] for way in WAYS if values.get(f"state_{way}")}
    prices = {way: values[f"price_{way}"] for way in WAYS if values.get(f"price_{way}")}
    return State(word, ways, prices)


def text(value: object) -> str:
    """Text and numbers as text; everything else is nothing."""
    if isinstance(value, bool) or not isinstance(value, str | int):
        return ""
    return storable(value).strip() if isinstance(value, str) else str(value)


def unreadable(*, paid: bool) -> OutcomeUnknown | TemporaryFailure:
    """The answer to a paid request, or to a question, cannot be read."""
    sentence = "the answer cannot be read"
    return OutcomeUnknown(sentence) if paid else TemporaryFailure(sentence)
