"""One item of ``expect`` and one thing that happened: whether they fit, key by key, and how an item is written."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

import re2

from bridge.config.amounts import Money
from bridge.config.models import Expect
from bridge.config.models.root import Config
from bridge.config.names import Who
from bridge.config.spans import Moment, written_duration
from bridge.model import Incident, Spent
from bridge.oncall.clock import moment_of
from bridge.proof import shown
from bridge.proof.mails import BadTest
from bridge.proof.world import Effect, Happened, Posted, Sent

_SECOND = timedelta(seconds=1)


@dataclass(frozen=True, slots=True)
class Look:
    """What an expectation is compared with, and whose zone its times are in."""

    happened: Happened
    began: datetime
    zone: ZoneInfo
    incidents: tuple[Incident, ...]
    people: Callable[[str], str]  # phone -> person, "" = nobody we know
    config: Config
    output: tuple[str, ...] = ()  # what an operator read
    spent: Mapping[str, Spent] = field(default_factory=dict)  # by budget


def is_like(item: Expect, effect: Effect, look: Look) -> bool:
    """Whether *effect* is what *item* describes, as far as it is written."""
    return is_about(item, effect, look) and not differing(item, effect, look)


def differing(item: Expect, effect: Effect, look: Look) -> list[str]:
    """The keys of *item* that do not hold for *effect*."""
    keys = (key for key in written_item(item) if key in _KEYS and key != item.kind)
    return [key for key in keys if not _KEYS[key](item, effect, look)]


def is_about(item: Expect, effect: Effect, look: Look) -> bool:
    """Whether both are of one kind and for the same person or address."""
    if item.kind != effect.kind:
        return False
    if isinstance(effect, Posted):
        return effect.address.casefold() == str(item.mail).casefold()
    who = item.sms if item.kind == "sms" else item.call
    return who is not None and _is_whom(who, effect.message.phone, effect.message.person, look)


def _is_whom(who: Who, phone: str, person: str, look: Look) -> bool:
    """Whether *who* of a test (a person or a phone) is the one with *phone*."""
    if who.kind == "phone":
        return who.name == phone
    return who.kind == "name" and who.name == (person or look.people(phone))


def _text(effect: Effect) -> str:
    return effect.message.text if isinstance(effect, Sent) else shown.mail_text(effect)


def _whole(effect: Effect) -> str:
    return _text(effect) if isinstance(effect, Sent) else f"{effect.mail.subject}\n{_text(effect)}"


def _via(item: Expect, effect: Effect) -> bool:
    if isinstance(effect, Posted) or item.via is None:
        return False
    return item.via in ((effect.via,), effect.message.providers)


def _price(item: Expect, effect: Effect) -> bool:
    if isinstance(effect, Posted) or effect.message.price is None:
        return False
    return item.price == Money(effect.message.price, effect.message.currency)


def _incident(item: Expect, effect: Effect, look: Look) -> bool:
    if isinstance(effect, Posted):
        return False
    number = effect.message.incident_id
    return any(incident.id == number for incident in incidents_like(str(item.incident), look.incidents))


def _message(check: Callable[[Expect, Sent], bool]) -> Callable[[Expect, Effect, Look], bool]:
    """A check of what only messages have."""
    return lambda item, effect, _look: isinstance(effect, Sent) and check(item, effect)


def _post(check: Callable[[Expect, Posted], bool]) -> Callable[[Expect, Effect, Look], bool]:
    """A check of what only mails have."""
    return lambda item, effect, _look: isinstance(effect, Posted) and check(item, effect)


_KEYS: dict[str, Callable[[Expect, Effect, Look], bool]] = {
    "text": lambda item, effect, _look: _text(effect) == str(item.text).rstrip("\n"),
    "contains": lambda item, effect, _look: str(item.contains) in _whole(effect),
    "matches": lambda item, effect, _look: _matches(str(item.matches), _whole(effect)),
    "segments": _message(lambda item, sent: sent.message.segments == item.segments),
    "encoding": _message(lambda item, sent: sent.message.encoding == item.encoding),
    "price": lambda item, effect, _look: _price(item, effect),
    "via": lambda item, effect, _look: _via(item, effect),
    "sender": _message(lambda item, sent: sent.sender.removeprefix("+") == str(item.sender).removeprefix("+")),
    "class": _message(lambda item, sent: sent.message.message_class == item.class_),
    "rule": lambda item, effect, _look: _rule(effect).casefold() == str(item.rule).casefold(),
    "at": lambda item, effect, look: _is_at(item.at, effect.at, look),
    "after": lambda item, effect, look: abs(effect.at - look.began - (item.after or timedelta())) < _SECOND,
    "valid": _message(lambda item, sent: sent.message.valid_until - sent.message.created_at == item.valid),
    "language": _message(lambda item, sent: sent.message.language == item.language),
    "code": _message(lambda item, sent: sent.code == item.code),
    "incident": _incident,
    "subject": _post(lambda item, posted: posted.mail.subject == item.subject),
    "thread": _post(lambda item, posted: posted.in_thread is item.thread),
    "report": _post(lambda item, posted: shown.report_of(posted) == item.report),
}


def _rule(effect: Effect) -> str:
    return effect.message.rule if isinstance(effect, Sent) else effect.rule


def _matches(pattern: str, text: str) -> bool:
    try:
        return re2.search(pattern, text) is not None
    except re2.error as error:
        raise BadTest(f'matches: "{pattern}" is no RE2 pattern') from error


def _is_at(at: Moment | time | timedelta | None, moment: datetime, look: Look) -> bool:
    """Whether *moment* is the one that a test writes: a moment, a time of day, or a span since the step began."""
    if isinstance(at, timedelta):
        return abs(moment - look.began - at) < _SECOND
    if isinstance(at, time):
        return moment.astimezone(look.zone).time().replace(microsecond=0) == at
    if at is None:
        return False
    return abs(moment - moment_of(at.local, ZoneInfo(at.zone) if at.zone else look.zone)) < _SECOND


def incidents_like(key: str, incidents: Sequence[Incident]) -> list[Incident]:
    """Incidents by key (``*`` allowed, without the source), by number or by the code people answer with."""
    pattern = re.compile(".*".join(map(re.escape, key.split("*"))), re.IGNORECASE | re.DOTALL)
    return [one for one in incidents if pattern.fullmatch(one.key) or key in (str(one.id), one.code)]


def written_item(item: Expect) -> dict[str, object]:
    """An item as it is written, the key that names it first."""
    raw = {_ALIAS.get(name, name): getattr(item, name) for name in Expect.model_fields if name in item.model_fields_set}
    kind = item.kind
    return {kind: _plain(raw.pop(kind)), **{key: _plain(value) for key, value in raw.items()}} if kind else {}


_ALIAS = {name: field.alias for name, field in Expect.model_fields.items() if field.alias}


def _plain(value: object) -> object:
    match value:
        case Who():
            return value.name or value.kind
        case Money():
            return str(value)
        case Moment():
            return f"{value.local:%Y-%m-%d %H:%M}" + (f" {value.zone}" if value.zone else "")
        case timedelta():
            return written_duration(value)
        case time():
            return f"{value:%H:%M:%S}" if value.second else f"{value:%H:%M}"
        case tuple():
            return value[0] if len(value) == 1 else list(value)
    dump = getattr(value, "model_dump", None)
    return dump(exclude_unset=True, by_alias=True) if dump is not None else value
