"""What follows from trouble with a gateway: the operator hears of it by mail, which does not need that gateway."""

from __future__ import annotations

from datetime import datetime

from bridge.book import RuleBook
from bridge.dispatch import notices
from bridge.dispatch.draft import Draft
from bridge.memory import Memory, Needs
from bridge.model import Plan, Trouble
from bridge.words.catalogue import words


def trouble_needs(trouble: Trouble) -> Needs:
    """What the operator was told of it."""
    return Needs(causes=frozenset({_cause(trouble)}))


def troubled(trouble: Trouble, book: RuleBook, memory: Memory, now: datetime) -> Plan:
    """One mail for one cause and hour: what happened, what goes on by itself, what a person can do (F24)."""
    draft = Draft(book, memory, now)
    w = words(book.config.operator.language or book.config.language)
    at, following = w.clock(now, book.zone("")), ", ".join(trouble.others)
    subject = w.say("operator", f"{trouble.kind}.subject", provider=trouble.provider, at=at)
    if trouble.kind == "gateway":
        news = trouble.why
    else:
        advice = w.say("operator", "account", provider=trouble.provider, next=following, at=at)
        news = f"{trouble.why}\n\n{advice}"
    draft.log("gateway.trouble", about=trouble.kind, provider=trouble.provider, why=trouble.why)
    notices.tell(draft, _cause(trouble), subject, news)
    return draft.plan()


def _cause(trouble: Trouble) -> str:
    return f"{trouble.kind}/{trouble.provider}"
