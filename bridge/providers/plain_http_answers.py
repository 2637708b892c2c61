"""What the answers of a gateway that is described in YAML mean. Pure; RE2 alone, so no answer can hang us.

Whatever is not described proves nothing: a page of some proxy, a redirect, a 5xx, an answer that fits ``success`` and
``failure`` at once. An answer is taken or refused only where the operator's words say so, or HTTP itself does (401,
414, 429: the request was not even looked at).
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, NoReturn

import re2

from bridge.config.models import PlainAnswer, PlainBalance, PlainInbound, PlainStatus, Provider
from bridge.config.placeholders import at, is_pointer
from bridge.errors import AccountPaused, NotSent, OutcomeUnknown, PermanentFailure, TemporaryFailure
from bridge.model import MessageState
from bridge.providers.base import Accepted, Balance, Inbound, Request, StatusAnswer, inbound_key, storable
from bridge.providers.http import Answer

LATER = 60.0  # seconds until a gateway that said "not now" is asked again
_MOST_RAW = 100  # characters of a code
_MOST_TEXT = 4000  # characters of an SMS that came in
_MOST_INBOUND = 1000
_AMOUNT = re.compile(r"-?[0-9]{1,12}([.,][0-9]{1,6})?")
_PHONE = re.compile(r"\+?([1-9][0-9]{2,14})")
_STATES: Mapping[str, MessageState] = {
    "accepted": "ACCEPTED",
    "delivered": "DELIVERED",
    "read": "DELIVERED",
    "undelivered": "UNDELIVERED",
    "expired": "EXPIRED",
}
_CAUSES = {
    "money": "the account is empty",
    "password": "login or password is wrong",
    "blocked": "the account is blocked",
}


class Page:
    """One answer, read in the two ways that places know."""

    def __init__(self, answer: Answer, charset: str = "utf-8") -> None:
        self.status = answer.status
        self.text = answer.body.decode("utf-8-sig" if charset == "utf-8" else charset, "replace")
        self._document: Any = None
        self._read = False

    @property
    def document(self) -> Any:
        """The JSON document, numbers as they are written; None where it is none."""
        if not self._read:
            self._read, self._document = True, _parsed(self.text)
        return self._document

    @property
    def is_well(self) -> bool:
        """Whether HTTP says that the request was understood."""
        return 200 <= self.status < 300

    def value(self, place: str | None) -> str:
        """What stands at *place*, "" for nothing."""
        if not place:
            return ""
        if is_pointer(place):
            return text_of(at(self.document, place))
        found = search(place, self.text)
        return found[1] or "" if found is not None and found.groups() else ""


def _parsed(text: str) -> Any:
    try:
        return json.loads(text, parse_int=str, parse_float=str, parse_constant=str)
    except (ValueError, RecursionError):
        return None


def text_of(value: object) -> str:
    """Text, numbers, true and false as text; everything else is nothing."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return value.strip() if isinstance(value, str) else ""


def search(pattern: str, text: str) -> Any:
    """The first place that fits (a match with str groups), or None. Patterns were checked when they were loaded."""
    return re2.search(pattern, text)


# --- a hand-over ---------------------------------------------------------------------------------


def taken(page: Page, request: Request, settings: Provider) -> Accepted:
    """What became of *request*. Raises the error it ended with."""
    for one in settings.plain.answers:
        if _fits(one, page):
            return _meant(one, page, request, settings)
    if page.status == 401:
        raise AccountPaused(_CAUSES["password"], code="401", cause="password")
    if page.status == 414:
        raise PermanentFailure("too long for a URL", code="414", status="5.3.4")
    if page.status == 429:
        raise NotSent("too many requests", code="429", retry_after=LATER)
    success = page.is_well and _found(settings.success, page)
    failure = page.status < 500 and page.status // 100 != 3 and _found(settings.failure, page)
    if success and not failure:
        return _accepted(page, settings, settings.success)
    if failure and not success:
        raise TemporaryFailure("the gateway refused it", code=_code(page, settings), retry_after=LATER)
    raise OutcomeUnknown(
        "the answer says yes and no" if success else f"an answer that is not described ({page.status})"
    )


def _found(pattern: str | None, page: Page) -> bool:
    return bool(pattern) and search(pattern or "", page.text) is not None


def _fits(one: PlainAnswer, page: Page) -> bool:
    if one.status and page.status not in one.status:
        return False
    if not one.status and (page.status >= 500 or page.status // 100 == 3):
        return False  # what a proxy says is nobody's word unless its status was named
    if one.place:
        value = page.value(one.place)
        if value not in one.is_ if one.is_ else not value:
            return False
    return not one.match or search(one.match, page.text) is not None


def _meant(one: PlainAnswer, page: Page, request: Request, settings: Provider) -> Accepted:
    code = _code(page, settings)
    match one.means:
        case "accepted":
            return _accepted(page, settings, one.match or settings.success)
        case "duplicate":
            return _duplicate(request, settings, code)
        case "temporary":
            raise NotSent("the gateway takes nothing now", code=code, retry_after=LATER)
        case "refused":
            raise PermanentFailure("the gateway refused it for good", code=code)
        case "money" | "password" | "blocked" as cause:
            raise AccountPaused(_CAUSES[cause], code=code, cause=cause)
        case _:
            raise OutcomeUnknown("the gateway itself does not know", code=code)


def _duplicate(request: Request, settings: Provider, code: str) -> Accepted:
    """It was given this before. By our id that is proof; a rule of one identical request a minute proves nothing."""
    if settings.plain.repeats == "known":
        if request.repeat or request.heard:
            return Accepted("")
        raise PermanentFailure("a message of somebody else has our id: give every installation its own ids", code=code)
    if request.repeat:
        raise OutcomeUnknown("the same request a short while ago", code=code)
    raise NotSent("the same request a short while ago", code=code, retry_after=LATER + 1)


def _accepted(page: Page, settings: Provider, pattern: str | None) -> Accepted:
    segments, plain = page.value(settings.plain.segments), settings.plain
    return Accepted(
        _named(pattern, "id", page)[:_MOST_RAW],
        segments=int(segments) if re.fullmatch(r"[1-9][0-9]{0,2}", segments) else None,
        cost=amount(page.value(plain.cost)),
    )


def _named(pattern: str | None, group: str, page: Page) -> str:
    found = search(pattern, page.text) if pattern and f"(?P<{group}>" in pattern else None
    return "" if found is None else found.group(group) or ""


def _code(page: Page, settings: Provider) -> str:
    """The gateway's own code as it came, else the HTTP status."""
    code = page.value(settings.plain.code) or _named(settings.failure, "code", page)
    return raw(code) or str(page.status)


def raw(text: str) -> str:
    """*text* on one line, of a length that can be kept."""
    plain = "".join(letter if letter.isprintable() else " " for letter in text)
    return " ".join(plain.split())[:_MOST_RAW]


def amount(text: str) -> Decimal | None:
    """Money as it is written; None for what is no amount."""
    return Decimal(text.replace(",", ".")) if _AMOUNT.fullmatch(text) else None


# --- questions -----------------------------------------------------------------------------------


def status(page: Page, asked: PlainStatus, *, proof: bool) -> StatusAnswer:
    """What became of a message. With *proof* "not found" means that the gateway never had it.

    Raises TemporaryFailure where the answer says nothing.
    """
    if asked.not_found and search(asked.not_found, page.text) is not None and page.status < 500:
        if proof:
            return StatusAnswer(None, code="not found")
        raise TemporaryFailure("not found, which proves nothing: this gateway pays for every request")
    word = raw(page.value(asked.state)) if page.is_well else ""
    if not word:
        unreadable(page)
    if word not in asked.states:
        raise TemporaryFailure(f"the state {word!r} stands nowhere under states", code=word)
    said = asked.states[word]
    return StatusAnswer(_STATES[said], code=word, cost=amount(page.value(asked.cost)), read=said == "read")


def balance(page: Page, asked: PlainBalance) -> Balance:
    """What is left. Raises TemporaryFailure."""
    left = amount(page.value(asked.amount)) if page.is_well else None
    if left is None:
        unreadable(page)
    return Balance(left, raw(page.value(asked.currency)))


def inbound(page: Page, asked: PlainInbound) -> tuple[Inbound, ...]:
    """SMS that came in; items that are none are passed over. Raises TemporaryFailure."""
    items = at(page.document, asked.list_) if page.is_well else None
    if not isinstance(items, list):
        unreadable(page)
    found = (_inbound(item, asked) for item in items[:_MOST_INBOUND])
    return tuple(one for one in found if one is not None)


def _inbound(item: object, asked: PlainInbound) -> Inbound | None:
    id, phone, text, to = (
        text_of(at(item, place)) if place else "" for place in (asked.id, asked.phone, asked.text, asked.to)
    )
    number = e164(phone)
    if not id or not number or len(text) > _MOST_TEXT:
        return None
    return Inbound(raw(id), number, to.lstrip("+"), storable(text), None, None)


def e164(phone: str) -> str:
    """With its plus; "" for what is no number."""
    found = _PHONE.fullmatch(phone)
    return f"+{found[1]}" if found else ""


def unreadable(page: Page) -> NoReturn:
    """Raises TemporaryFailure, or AccountPaused where HTTP says that the login is wrong."""
    if page.status == 401:
        raise AccountPaused(_CAUSES["password"], code="401", cause="password")
    raise TemporaryFailure("the answer cannot be read", code="" if page.is_well else str(page.status))


# --- posts ---------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class PlainState:
    """A state that the gateway posted. *signed*: it held the secret word of the two of us. *by_ours*: whose *id* is."""

    id: str
    by_ours: bool
    word: str
    state: MessageState
    signed: bool

    @property
    def event_key(self) -> str:
        return f"plain:{self.id}:{self.word}"


@dataclass(frozen=True, slots=True)
class PlainReply:
    """An SMS that the gateway posted."""

    id: str
    phone: str  # E.164 with its plus
    to: str
    text: str
    signed: bool

    @property
    def event_key(self) -> str:
        return inbound_key(self.id, self.phone, self.to, self.text, "")


PlainPost = PlainState | PlainReply


def state_of(said: str) -> MessageState:
    """``delivered`` → DELIVERED."""
    return _STATES[said]
