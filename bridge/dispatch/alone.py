"""Messages that no rule wrote: answers to commands, news for colleagues, second copies.

They cost money like any other, so they take from the budgets that mean everybody. They never wait for room: half an
hour later an answer would confuse.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime

from bridge.book import RuleBook
from bridge.config.derived import main_currency
from bridge.dispatch import absence, budgets, limits
from bridge.dispatch.budgets import Purse
from bridge.dispatch.compose import put
from bridge.dispatch.draft import Draft
from bridge.errors import PermanentFailure, TemporaryFailure
from bridge.memory import Memory, Needs
from bridge.model import Message, MessageClass, Spend
from bridge.sms.fit import Piece, fit

_PARTS = 2


def needs_of(book: RuleBook, phones: Iterable[str], now: datetime) -> Needs:
    """What :func:`say` will ask for when *phones* are told something; what else there is to ask is read on."""
    purses, prices = list(budgets.total_purse(book)), set[tuple[str, datetime]]()
    for phone in phones:
        purses += budgets.general_purses(book, phone)
        prices.update(budgets.unpriced(book, book.chain(None, phone), phone))
    causes = (cause for purse in purses for cause in limits.causes_of(purse.name))
    return Needs(spends=frozenset(budgets.looks(purses, now, book.zone(""))) | prices, causes=frozenset(causes))


def say(draft: Draft, message: Message) -> Message | None:
    """Add *message* to the draft; it gets its id and is reserved. None: it does not fit.

    Then the trail says so, and the operator hears of it once for this budget and its window.
    """
    stopped = absence.why_not(draft, message.phone)
    if stopped:
        _log_dropped(draft, message, stopped)
        return None
    found, critical = _purses(draft, message.phone), message.message_class == "critical"
    over = budgets.first_misfit(draft, budgets.cost_of_message(draft, message), found, critical=critical)
    if over is None:
        said = put(draft, message)
        budgets.reserve(draft, said, found)
        return said
    _log_dropped(draft, message, f"over budget {over.purse.called}")
    limits.tell_operator(draft, over, critical=critical)
    return None


def _log_dropped(draft: Draft, message: Message, reason: str) -> None:
    draft.log(
        "message.dropped", incident_id=message.incident_id, person=message.person or message.phone, reason=reason,
        rule=message.rule,
    )  # fmt: skip


def reserved(book: RuleBook, memory: Memory, message: Message, now: datetime) -> tuple[Spend, ...]:
    """What *message*, which an operator wrote, takes from budgets.

    Raises TemporaryFailure where there is no room, PermanentFailure for a phone that said STOP.
    """
    draft = Draft(book, memory, now)
    stopped = absence.why_not(draft, message.phone)
    if stopped:
        raise PermanentFailure(f"{stopped}: SMS to this phone are off until it sends START")
    found, critical = _purses(draft, message.phone), message.message_class == "critical"
    over = budgets.first_misfit(draft, budgets.cost_of_message(draft, message), found, critical=critical)
    if over is not None:
        limit = budgets.written(over.limits[0], main_currency(book.config) or "")
        raise TemporaryFailure(f"over budget {over.purse.called} ({limit}), see smsbridge money")
    budgets.reserve(draft, message, found)
    return tuple(draft.spends)


def _purses(draft: Draft, phone: str) -> tuple[Purse, ...]:
    return tuple(budgets.general_purses(draft.book, phone))


def answer(
    draft: Draft, phone: str, person: str, text: Sequence[Piece], language: str, incident_id: int = 0, *,
    rule: str = "(answer)", message_class: MessageClass = "normal", by: tuple[str, ...] = (),
) -> Message | None:  # fmt: skip
    """Our own words to a phone: answers to commands, news for colleagues. None: there is no money for it.

    *by*: the gateways that may take it, () = those of the configuration.
    """
    book = draft.book
    chain = by or book.chain(None, phone)
    fitted = fit(text, _PARTS, book.alphabet(person, "keep"), language)
    price, currency = book.price(chain, phone, fitted.segments)
    message = Message(
        id=0, phone=phone, person=person, text=fitted.text, encoding=fitted.encoding, segments=fitted.segments,
        price=price, currency=currency, rule=rule, message_class=message_class, channel="sms", providers=chain,
        originator="", answerable=book.answerable(chain), created_at=draft.now, due_at=draft.now,
        valid_until=draft.now + book.answer_validity, language=language, incident_id=incident_id,
        mail_id=draft.mail_id,
    )  # fmt: skip
    return say(draft, message)
