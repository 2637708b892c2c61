"""What follows from trouble with a gateway or a calendar: the operator hears of it by mail, which needs neither."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta

from bridge.book import RuleBook
from bridge.dispatch import notices
from bridge.dispatch.draft import Draft
from bridge.memory import Memory, Needs
from bridge.model import Plan, Trouble
from bridge.words.catalogue import words

_ADVICE: Mapping[str, str] = {
    "account.money": "account", "account.password": "account", "account.blocked": "account",
    "calendar": "calendar",
}  # fmt: skip
_SLOW = ("calendar", "account.low")  # what nobody has to mend within the hour
_HOUR, _DAY = timedelta(hours=1), timedelta(days=1)


def trouble_needs(trouble: Trouble) -> Needs:
    """What the operator was told of it."""
    return Needs(causes=frozenset({_cause(trouble)}))


def troubled(trouble: Trouble, book: RuleBook, memory: Memory, now: datetime) -> Plan:
    """One mail for one cause and hour (or day): what happened, what goes on, what a person can do (F24)."""
    draft = Draft(book, memory, now)
    w = words(book.config.operator.language or book.config.language)
    at, following = w.clock(now, book.zone("")), ", ".join(trouble.others)
    subject = w.say("operator", f"{trouble.kind}.subject", provider=trouble.provider, at=at)
    advice, news = _ADVICE.get(trouble.kind), trouble.why
    if advice is not None:
        news += f"\n\n{w.say('operator', advice, provider=trouble.provider, next=following, at=at)}"
    draft.log("gateway.trouble", about=trouble.kind, provider=trouble.provider, why=trouble.why)
    notices.tell(draft, _cause(trouble), subject, news, quiet_for=_DAY if trouble.kind in _SLOW else _HOUR)
    return draft.plan()


def _cause(trouble: Trouble) -> str:
    return f"{trouble.kind}/{trouble.provider}"
