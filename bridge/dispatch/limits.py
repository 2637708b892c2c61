"""The last two gates before an SMS: the storm of one person, and what may be spent (FORMAT §9, §14).

Nothing is lost silently here: what does not pass waits for a digest, or for room, or is dropped as its budget says;
the person hears "limited until" once, the operator gets one mail for a budget and its period.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from bridge.book import RuleBook
from bridge.config.derived import main_currency
from bridge.dispatch import budgets, notices
from bridge.dispatch.budgets import Cost, Limit, Misfit, Purse
from bridge.dispatch.compose import put
from bridge.dispatch.draft import Draft
from bridge.dispatch.holding import hold
from bridge.memory import Needs
from bridge.model import Message, Timer
from bridge.oncall.people import Target
from bridge.render.frames import FrameValue, frame_pieces
from bridge.routing.rules import Action
from bridge.sms.fit import fit
from bridge.words.catalogue import words
from bridge.words.figures import masked

if TYPE_CHECKING:
    from bridge.dispatch.telling import Ask

STORM = "(storm)"  # the rule of a text that no rule wrote
_PARTS = 2
_HOUR = timedelta(hours=1)
_INSTANT = timedelta(microseconds=1)


def storm_name(phone: str) -> str:
    """The timer, the bundle and the tally of the storm of *phone*."""
    return f"storm/{phone}"


def budget_bundle(purse: str, phone: str) -> str:
    """What waits for room in *purse*, for *phone*."""
    return f"budget/{purse}/{phone}"


def needs_of(book: RuleBook, action: Action, rule: str, source: str, phones: Iterable[str], now: datetime) -> Needs:
    """What the gates will ask for when *phones* are told something of *rule* about *source*."""
    timers: set[str] = set()
    tallies: set[str] = set()
    causes: set[str] = set()
    spends: set[tuple[str, datetime]] = set()
    for phone in phones:
        found = tuple(budgets.purses(book, rule, source, phone, action.budget))
        timers |= {storm_name(phone), *(budget_bundle(purse.name, phone) for purse in found)}
        tallies |= {storm_name(phone), _limited_name(phone)}
        causes.update(cause for purse in found for cause in causes_of(purse.name))
        spends.update(budgets.looks(found, now, book.zone("")))
        spends.update(budgets.unpriced(book, book.chain(action, phone), phone))
    return Needs(
        timers=frozenset(timers), tallies=frozenset(tallies), causes=frozenset(causes), spends=frozenset(spends)
    )


# --- storm ---------------------------------------------------------------------------------------


def stormy(draft: Draft, asks: Sequence[Ask], target: Target) -> bool:
    """Whether *target* is in a storm, or this message begins one; then *asks* wait for its digest, and it is said."""
    storm = draft.book.config.storm
    if storm.critical == "send" and any(ask.action.message_class == "critical" for ask in asks):
        return False
    name = storm_name(target.phone)
    timer = draft.timer(name)
    if timer is None and draft.counted(name, storm.over.window) < storm.over.count:
        return False
    timer = timer or _begun(draft, asks, target)
    reason = f"storm and digest at {timer.due_at.astimezone(draft.book.zone(target.person)):%H:%M}"
    for ask in asks:
        hold(draft, ask.held, name, None, "storm", target)
        _not_told(draft, ask, target, reason)
    return True


def _begun(draft: Draft, asks: Sequence[Ask], target: Target) -> Timer:
    """A storm begins: its digest is set, and the person hears of it at once."""
    storm, name = draft.book.config.storm, storm_name(target.phone)
    due = draft.now + storm.digest
    data = {"phone": target.phone, "person": target.person}
    draft.put_timer(name, due, "storm", data=data)
    draft.log("storm.began", person=target.person or target.phone, until=due.isoformat())
    _say_limited(draft, asks, target, due, storm.over.count, storm.over.window, urgent_come=storm.critical == "send")
    return Timer(0, due, "storm", 0, data, name)


def _count(draft: Draft, phone: str) -> None:
    """One message more to *phone*. More than a storm needs are not counted: ten thousand would be read each time."""
    over, name = draft.book.config.storm.over, storm_name(phone)
    if draft.counted(name, over.window) < over.count:
        draft.count(name, over.window)


# --- budgets -------------------------------------------------------------------------------------


def afford(draft: Draft, message: Message, asks: Sequence[Ask], target: Target) -> bool:
    """Whether *message*, which says *asks* and is not yet in the draft, fits into all of its budgets."""
    cost = budgets.cost_of_message(draft, message)
    return _fits(draft, cost, asks, target, critical=message.message_class == "critical")


def _fits(draft: Draft, cost: Cost, asks: Sequence[Ask], target: Target, *, critical: bool) -> bool:
    """If not, it is said, and *asks* wait or are dropped as the budget that is too small wants it."""
    over = budgets.first_misfit(draft, cost, _purses(draft, asks, target.phone), critical=critical)
    if over is None:
        return True
    for ask in asks:
        _not_told(draft, ask, target, f"over budget {over.purse.called}")
    if any(ask.held.bundle != budget_bundle(over.purse.name, target.phone) for ask in asks):  # else it was told before
        tell_operator(draft, over, critical=critical)
        if pace := _pace(over):
            _over_pace(draft, over, pace, asks, target, critical=critical)
    _keep(draft, over, asks, target)
    return False


def book(draft: Draft, message: Message, asks: Sequence[Ask], target: Target) -> None:
    """Reserve what *message* takes, now that it has its id."""
    budgets.reserve(draft, message, _purses(draft, asks, target.phone))
    _count(draft, target.phone)


def _purses(draft: Draft, asks: Sequence[Ask], phone: str) -> tuple[Purse, ...]:
    kinds = dict.fromkeys((ask.held.rule, ask.held.event.source, ask.action.budget) for ask in asks)
    return budgets.joined(
        purse for rule, source, own in kinds for purse in budgets.purses(draft.book, rule, source, phone, own)
    )


def _keep(draft: Draft, over: Misfit, asks: Sequence[Ask], target: Target) -> None:
    """Let *asks* wait for room; what must not wait, or never fits, is gone, and both were told."""
    if over.purse.over == "drop" or over.room_at is None:
        return
    name, due = budget_bundle(over.purse.name, target.phone), over.room_at
    for ask in asks:
        hold(draft, ask.held, name, None, "budget", target)
        if over.purse.over == "hold":
            due = min(due, ask.held.since + ask.action.validity)
    timer = draft.timer(name)
    if timer is None or timer.due_at > due:
        purse = over.purse
        data = {
            "phone": target.phone, "person": target.person, "budget": purse.name, "called": purse.called,
            "over": purse.over,
        }  # fmt: skip
        draft.put_timer(name, due, "budget", data=data)


def _not_told(draft: Draft, ask: Ask, target: Target, reason: str) -> None:
    person = target.person or target.phone
    draft.fate(ask.n, "nothing", rule=ask.held.rule, person=person, reason=reason)
    draft.log("person.not_told", incident_id=ask.held.incident_id, person=person, reason=reason, rule=ask.held.rule)


# --- who hears of it -----------------------------------------------------------------------------


def causes_of(purse: str) -> tuple[str, ...]:
    """Under which causes the operator hears of *purse*: it is used up, for class critical too, what waited is late."""
    return f"budget/{purse}", f"budget/{purse}/critical", f"budget/{purse}/late"


def tell_operator(draft: Draft, over: Misfit, *, critical: bool) -> None:
    """One mail for this budget and its period; class critical, which no reserve carries, has one of its own."""
    purse, limit, zone = over.purse, over.limits[0], draft.book.zone("")
    said = words(draft.book.config.operator.language or draft.book.config.language)
    currency = main_currency(draft.book.config) or ""
    spent = draft.spent(purse.name, limit.since(draft.now, zone))
    used, normal = limit.used(spent)
    kept = f"{purse.reserve} %" if purse.reserve and not critical else ""
    then = "critical" if critical else "drop" if over.room_at is None else purse.over
    id = "budget.critical" if critical else "budget"
    subject = said.say("operator", f"{id}.subject", name=shown_name(purse.name))
    body = said.say(
        "operator", "budget", name=shown_name(purse.name), used=budgets.amount_of(limit.unit, used, currency),
        limit=budgets.written(limit, currency), at=said.clock(draft.now, zone), kept=kept,
        normal=budgets.amount_of(limit.unit, normal, currency), then=said.say("operator", f"budget.{then}"),
    )  # fmt: skip
    cause = causes_of(purse.name)[1 if critical else 0]
    notices.tell(draft, cause, subject, body, quiet_for=_quiet_for(limit, draft))


def _quiet_for(limit: Limit, draft: Draft) -> timedelta:
    if limit.window is not None:
        return max(limit.window, _HOUR)
    return draft.now - limit.since(draft.now, draft.book.zone("")) + _INSTANT


def tell_late(draft: Draft, purse: str, count: int) -> None:
    """The operator hears of messages that waited for room until they were no longer valid."""
    said = words(draft.book.config.operator.language or draft.book.config.language)
    subject = said.say("operator", "budget.late.subject", name=shown_name(purse), n=count)
    body = said.say("operator", "budget.late", name=shown_name(purse), n=count)
    notices.tell(draft, causes_of(purse)[2], subject, body)


def shown_name(purse: str) -> str:
    """The name of a purse as mails and tables show it: phones are masked."""
    kind, _, whose = purse.partition(" ")
    return f"{kind} {masked(whose)}" if kind == "each_number" and whose else purse


def _pace(over: Misfit) -> Limit | None:
    """The limit of messages to one person that is reached."""
    if over.purse.called != "each_person":
        return None
    return next((limit for limit in over.limits if limit.unit == "messages"), None)


def _limited_name(phone: str) -> str:
    return f"limited/{phone}"


def _over_pace(draft: Draft, over: Misfit, pace: Limit, asks: Sequence[Ask], target: Target, *, critical: bool) -> None:
    """Tell the person, once in the window or period, that what comes waits."""
    now, zone, name = draft.now, draft.book.zone(""), _limited_name(target.phone)
    ends = pace.ends(now, zone)
    length = pace.window or (ends or now) - pace.since(now, zone)
    if over.room_at is None or draft.counted(name, pace.window or now - pace.since(now, zone) + _INSTANT):
        return
    draft.count(name, pace.window or (ends or now) - now)
    spent = draft.spent(over.purse.name, pace.since(now, zone))
    urgent_come = not critical and pace.used(spent)[0] < pace.most
    _say_limited(draft, asks, target, over.room_at, int(pace.most), length, urgent_come=urgent_come)


def _say_limited(
    draft: Draft, asks: Sequence[Ask], target: Target, until: datetime, n: int, span: timedelta, *, urgent_come: bool
) -> None:
    """The SMS "limited until": from an allowance of its own, so only what limits everybody limits it too."""
    found = tuple(budgets.general_purses(draft.book, target.phone))
    message = _limited(draft, asks, target, until, n, span, urgent_come=urgent_come)
    over = budgets.first_misfit(draft, budgets.cost_of_message(draft, message), found, critical=False)
    if over is not None:
        reason = f"over budget {over.purse.called}"
        draft.log("person.not_told", person=target.person or target.phone, reason=reason, rule=STORM)
        return
    budgets.reserve(draft, put(draft, message), found)


def _limited(
    draft: Draft, asks: Sequence[Ask], target: Target, until: datetime, n: int, span: timedelta, *, urgent_come: bool
) -> Message:
    rulebook, action = draft.book, asks[0].action
    language = action.language or rulebook.language(target.person)
    zone = rulebook.zone(target.person)
    values: dict[str, FrameValue] = {
        "at": lambda said: said.clock(until, zone),
        "n": n,
        "span": lambda said: said.span(span),
        "held": len(asks),
    }
    alphabet = rulebook.alphabet(target.person, action.alphabet)
    frame = "limited" if urgent_come else "limited.all"
    fitted = fit(frame_pieces(frame, language, values, alphabet=alphabet), _PARTS, alphabet, language)
    chain = rulebook.chain(action, target.phone)
    price, currency = rulebook.price(chain, target.phone, fitted.segments)
    return Message(
        id=0, phone=target.phone, person=target.person, text=fitted.text, encoding=fitted.encoding,
        segments=fitted.segments, price=price, currency=currency, rule=STORM, message_class="normal", channel="sms",
        providers=chain, originator=action.sender, answerable=rulebook.answerable(chain), created_at=draft.now,
        due_at=draft.now, valid_until=draft.now + rulebook.answer_validity, language=language,
        mail_id=asks[0].held.mail_id,
    )  # fmt: skip
