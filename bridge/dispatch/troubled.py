"""What follows from trouble with a gateway or a calendar: the operator hears of it by mail, which needs neither.

Mail may be read late, so ``operator.to`` gets an SMS too: of an account that cannot send, by the gateways that go on;
of all of them being down, as soon as one is back.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from bridge.book import RuleBook
from bridge.dispatch import alone, notices
from bridge.dispatch.draft import Draft
from bridge.memory import Known, Memory, Needs
from bridge.model import Override, Plan, Trouble
from bridge.oncall.people import Target
from bridge.sms.fit import Piece
from bridge.words.catalogue import words

_ADVICE: Mapping[str, str] = {
    "account.money": "account", "account.password": "account", "account.blocked": "account",
    "calendar": "calendar",
}  # fmt: skip
_ACCOUNT = ("account.money", "account.password", "account.blocked")
_SLOW = ("calendar", "account.low")  # what nobody has to mend within the hour
_HOUR, _DAY = timedelta(hours=1), timedelta(days=1)


def trouble_needs(trouble: Trouble, book: RuleBook, now: datetime, known: Known) -> Needs:
    """What the operator was told of it, and what an SMS to him takes."""
    found = Needs(causes=frozenset({_cause(trouble)}))
    phones = [target.phone for target in _operators(book, now, known.overrides)] if _is_urgent(trouble) else []
    return found | alone.needs_of(book, phones, now) if phones else found


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
    slow = trouble.kind in _SLOW
    if notices.tell(draft, _cause(trouble), subject, news, quiet_for=_DAY if slow else _HOUR) and _is_urgent(trouble):
        for target in _operators(book, now, memory.overrides):
            _tell_by_sms(draft, trouble, target)
    return draft.plan()


def _is_urgent(trouble: Trouble) -> bool:
    """An account that cannot send, told by those that go on; or none goes on, told as soon as one is back."""
    return bool(trouble.others) if trouble.kind in _ACCOUNT else trouble.kind == "gateway" and not trouble.others


def _operators(book: RuleBook, now: datetime, overrides: Sequence[Override]) -> Sequence[Target]:
    wanted = book.config.operator.to
    return book.people.resolve(wanted, now, overrides=overrides).targets if wanted else ()


def _tell_by_sms(draft: Draft, trouble: Trouble, target: Target) -> None:
    book = draft.book
    w = words(book.language(target.person))
    at = w.clock(draft.now, book.zone(target.person))
    text = f"smsbridge: {w.say('operator', f'{trouble.kind}.subject', provider=trouble.provider, at=at)}"
    by = tuple(name for name in book.chain(None, target.phone) if name in trouble.others)
    alone.answer(
        draft, target.phone, target.person, (Piece(text),), w.language, rule="(operator)", message_class="critical",
        by=by,
    )  # fmt: skip


def _cause(trouble: Trouble) -> str:
    return f"{trouble.kind}/{trouble.provider}"
