"""Budgets: which of them a message belongs to, and whether it still fits into all of them (FORMAT §3).

Arithmetic only: windows, limits, the reserve of class critical, prices in the one currency that budgets are compared
in. What follows when a message does not fit is decided in ``limits``. A budget of a person, a rule or a prefix is one
counter for each of them; here each such counter is a *purse*.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from decimal import ROUND_UP, Decimal
from typing import Literal
from zoneinfo import ZoneInfo

from bridge.book import RuleBook
from bridge.book.book import longest_prefix
from bridge.config.derived import main_currency, provider_currency
from bridge.config.models import Budget, Config
from bridge.config.spans import Period
from bridge.dispatch.draft import Draft
from bridge.model import Message, Spend, Spent
from bridge.oncall.clock import moment_of
from bridge.words.figures import money

Unit = Literal["money", "messages", "segments"]
Seen = Callable[[str, datetime], Spent]  # budget, since -> what it has seen
Charge = Callable[[str, str, int, Decimal | None], Decimal | None]

PRICES_SINCE = datetime(1970, 1, 1, tzinfo=UTC)  # the moment under which learnt prices are kept among the spends
_OPERATOR_DIGITS = 4  # of a number that tell the network, and so the price: +7701
_SMALLEST = Decimal("0.0001")  # amounts are kept with four decimals (FORMAT §2), never rounded down
_INSTANT = timedelta(microseconds=1)
_LONGEST_PERIOD = timedelta(days=32)
_SHORTEST_GAP = timedelta(milliseconds=1)
_SHORTEST_WAIT, _LONGEST_WAIT = timedelta(seconds=1), timedelta(minutes=1)  # between two questions for room


@dataclass(frozen=True, slots=True)
class Limit:
    """*most* (in the configured currency, or a count) in a sliding *window* or a calendar *period*; one is set."""

    unit: Unit
    most: Decimal
    window: timedelta | None = None
    period: Period | None = None

    def since(self, now: datetime, zone: ZoneInfo) -> datetime:
        """The first moment that counts at *now*. What is exactly a window old is outside (FORMAT §14)."""
        if self.window is not None:
            return now - self.window + _INSTANT
        return _begin_of(self._first_day(now.astimezone(zone).date()), zone)

    def ends(self, now: datetime, zone: ZoneInfo) -> datetime | None:
        """When the calendar period of *now* is over; None for a sliding window, which never ends."""
        if self.window is not None:
            return None
        length = timedelta(days={"day": 1, "week": 7}.get(self.period or "", 31))
        return _begin_of(self._first_day(self._first_day(now.astimezone(zone).date()) + length), zone)

    def _first_day(self, today: date) -> date:
        if self.period == "month":
            return today.replace(day=1)
        return today - timedelta(days=today.weekday()) if self.period == "week" else today

    def amount(self, cost: Cost) -> Decimal:
        """What a message of *cost* takes of this limit."""
        return {"money": cost.money, "messages": Decimal(1), "segments": Decimal(cost.segments)}[self.unit]

    def used(self, spent: Spent) -> tuple[Decimal, Decimal]:
        """What *spent* took of this limit: everybody, and everybody but class critical."""
        match self.unit:
            case "money":
                return spent.money, spent.normal_money
            case "messages":
                return Decimal(spent.messages), Decimal(spent.normal_messages)
            case "segments":
                return Decimal(spent.segments), Decimal(spent.normal_segments)


@dataclass(frozen=True, slots=True)
class Purse:
    """One counter of one budget."""

    name: str  # under which spends are kept: "total", "each_person aigul", "each_prefix +7702"
    called: str  # in reasons (FORMAT §14): "each_person", "each_prefix +7702"
    limits: tuple[Limit, ...]
    reserve: int = 0  # per cent of each limit that only class critical may use
    over: Literal["hold", "digest", "drop"] = "digest"

    def most_for(self, limit: Limit, *, critical: bool) -> Decimal:
        """What class critical, or all the others together, may use of *limit*."""
        return limit.most if critical else limit.most - limit.most * self.reserve / 100


@dataclass(frozen=True, slots=True)
class Cost:
    """What a message is expected to take. *money* is in the configured currency; 0 where *known* is false."""

    segments: int
    money: Decimal
    known: bool = True


@dataclass(frozen=True, slots=True)
class Misfit:
    """A purse that does not hold a message, by which of its limits, and when there may be room (None: never)."""

    purse: Purse
    limits: tuple[Limit, ...]
    room_at: datetime | None


# --- which budgets -------------------------------------------------------------------------------


def purses(book: RuleBook, rule: str, source: str, phone: str, own: Sequence[str]) -> Iterator[Purse]:
    """The counters that a message of *rule* about something of *source* to *phone* belongs to, nearest first.

    *own* are the budgets that the rule names. ``total`` comes last, so that a person's limit is called by its name.
    """
    budgets, config = book.config.budgets, book.config
    folded = {name.casefold(): name for name in budgets.own}
    for name in own:
        if name.casefold() in folded:
            named = folded[name.casefold()]
            yield _purse(config, budgets.own[named], named, named)
    person = book.person_of(phone)
    counters = (
        ("each_rule", budgets.each_rule, rule),
        ("each_source", budgets.each_source, source),
        ("each_person", budgets.each_person, person),
        ("each_number", budgets.each_number, "" if person else phone),
    )
    for kind, budget, whose in counters:
        if budget is not None and whose:
            yield _purse(config, budget, f"{kind} {whose}", kind)
    yield from general_purses(book, phone)


def general_purses(book: RuleBook, phone: str) -> Iterator[Purse]:
    """The counters that every message to *phone* belongs to, whoever it is from: its prefix and the total."""
    budgets, config = book.config.budgets, book.config
    prefix = longest_prefix(budgets.each_prefix, phone)
    if prefix:
        name = f"each_prefix {prefix}"
        yield _purse(config, budgets.each_prefix[prefix], name, name)
    yield from total_purse(book)


def total_purse(book: RuleBook) -> Iterator[Purse]:
    """The counter of everything, if there is one."""
    if book.config.budgets.total is not None:
        yield _purse(book.config, book.config.budgets.total, "total", "total")


def named_purses(config: Config) -> Iterator[Purse]:
    """The counters that the configuration names one by one; of each person, phone, source and rule there are many."""
    budgets = config.budgets
    if budgets.total is not None:
        yield _purse(config, budgets.total, "total", "total")
    for prefix, budget in budgets.each_prefix.items():
        name = f"each_prefix {prefix}"
        yield _purse(config, budget, name, name)
    for name, budget in budgets.own.items():
        yield _purse(config, budget, name, name)


def _purse(config: Config, budget: Budget, name: str, called: str) -> Purse:
    return Purse(name, called, tuple(limits_of(config, budget)), budget.reserve_for_critical, budget.over)


def limits_of(config: Config, budget: Budget) -> Iterator[Limit]:
    """All limits of a budget, money in the configured currency."""
    for rate in budget.money:
        most = in_main(config, rate.money.amount, rate.money.currency)
        yield Limit("money", rate.money.amount if most is None else most, rate.window, rate.period)
    for count in budget.messages:
        yield Limit("messages", Decimal(count.count), count.window, count.period)
    for count in budget.segments:
        yield Limit("segments", Decimal(count.count), count.window, count.period)


def written(limit: Limit, currency: str) -> str:
    """A limit as the configuration writes it: ``5000.00 KZT/day``, ``10 messages/15m``."""
    return f"{amount_of(limit.unit, limit.most, currency)}/{window_of(limit)}"


def window_of(limit: Limit) -> str:
    """``day``, ``15m``."""
    return limit.period or _span(limit.window or timedelta(0))


def amount_of(unit: Unit, amount: Decimal, currency: str) -> str:
    """``4000.00 KZT``, ``10 messages``."""
    return money(amount, currency).strip() if unit == "money" else f"{amount:.0f} {unit}"


def _span(window: timedelta) -> str:
    seconds = int(window.total_seconds())
    fitting = ((length, unit) for length, unit in ((3600, "h"), (60, "m"), (1, "s")) if seconds % length == 0)
    length, unit = next(fitting)
    return f"{seconds // length}{unit}"


def joined(found: Iterable[Purse]) -> tuple[Purse, ...]:
    """Each purse once: several things said in one SMS take from each of their budgets one message."""
    return tuple({purse.name: purse for purse in found}.values())


def longest_window(config: Config) -> timedelta:
    """How far back any budget looks: what is older may be forgotten."""
    budgets = config.budgets
    general = (budgets.total, budgets.each_person, budgets.each_number, budgets.each_source, budgets.each_rule)
    everyone = (*filter(None, general), *budgets.each_prefix.values(), *budgets.own.values())
    windows = (limit.window for budget in everyone for limit in limits_of(config, budget) if limit.window)
    return max((*windows, _LONGEST_PERIOD))


# --- prices --------------------------------------------------------------------------------------


def in_main(config: Config, amount: Decimal, currency: str) -> Decimal | None:
    """*amount* in the currency that budgets are compared in; None where ``exchange`` does not say."""
    main = main_currency(config)
    if not main or not currency or currency == main:
        return amount
    rate = config.exchange.get(currency)
    return None if rate is None else (amount * rate.amount).quantize(_SMALLEST, ROUND_UP)


def price_name(provider: str, phone: str) -> str:
    """Under which name the last known price of a segment to numbers like *phone* is kept among the spends."""
    return f"price/{provider}/{phone[: _OPERATOR_DIGITS + 1]}"


def cost_of(book: RuleBook, seen: Seen, chain: Sequence[str], phone: str, segments: int) -> Cost:
    """What a message may cost: the dearest of the providers that may carry it, so that failover stays in the budget.

    A provider without a price of its own in the configuration counts with what it took last.
    """
    prices = [_price(book, seen, provider, phone, segments) for provider in chain]
    known = [price for price in prices if price is not None]
    return Cost(segments, max(known, default=Decimal(0)), bool(known))


def _price(book: RuleBook, seen: Seen, provider: str, phone: str, segments: int) -> Decimal | None:
    price, currency = book.price((provider,), phone, segments)
    if price is not None:
        return in_main(book.config, price, currency)
    learnt = seen(price_name(provider, phone), PRICES_SINCE)
    return (learnt.money / learnt.segments * segments).quantize(_SMALLEST, ROUND_UP) if learnt.segments else None


def unpriced(book: RuleBook, chain: Sequence[str], phone: str) -> Iterator[tuple[str, datetime]]:
    """The learnt prices that :func:`cost_of` will ask for."""
    for provider in chain:
        if book.price((provider,), phone, 1)[0] is None:
            yield price_name(provider, phone), PRICES_SINCE


def charge_by(book: RuleBook) -> Charge:
    """(provider, phone, segments, the provider's own figure) → what was taken, in the configured currency.

    Without a figure it is the provider's price in the configuration; None where nobody knows.
    """

    def charge(provider: str, phone: str, segments: int, cost: Decimal | None) -> Decimal | None:
        if provider not in book.config.providers:
            return cost
        if cost is not None:
            return in_main(book.config, cost, provider_currency(book.config, provider) or "")
        price, currency = book.price((provider,), phone, segments)
        return None if price is None else in_main(book.config, price, currency)

    return charge


# --- does it fit? --------------------------------------------------------------------------------


def misfit(purse: Purse, cost: Cost, seen: Seen, now: datetime, zone: ZoneInfo, *, critical: bool) -> Misfit | None:
    """Why a message of *cost* does not fit into *purse* at *now*; None: it fits.

    Others than class critical may together use what is not reserved, and never more than is left.
    """
    over: list[Limit] = []
    rooms: list[datetime | None] = []
    for limit in purse.limits:
        spent = seen(purse.name, limit.since(now, zone))
        if not _fits(purse, limit, cost, spent, critical=critical):
            over.append(limit)
            rooms.append(_room_at(purse, limit, cost, spent, now, zone, critical=critical))
    if not over:
        return None
    known = [room for room in rooms if room is not None]
    return Misfit(purse, tuple(over), max(known) if len(known) == len(rooms) else None)


def _fits(purse: Purse, limit: Limit, cost: Cost, spent: Spent, *, critical: bool) -> bool:
    amount, (everybody, normal) = limit.amount(cost), limit.used(spent)
    if limit.unit == "money" and not cost.known and everybody >= limit.most:
        return False  # what may cost anything does not fit where nothing is left
    if everybody + amount > limit.most:
        return False
    return critical or normal + amount <= purse.most_for(limit, critical=False)


def _room_at(
    purse: Purse, limit: Limit, cost: Cost, spent: Spent, now: datetime, zone: ZoneInfo, *, critical: bool
) -> datetime | None:
    """When to ask again: as a calendar period ends, or as the oldest expense leaves a sliding window.

    None where the message is bigger than all that its class may use.
    """
    if limit.amount(cost) > purse.most_for(limit, critical=critical) or not limit.most:
        return None
    if limit.window is None:
        return limit.ends(now, zone)
    soonest = now + min(max(limit.window / 60, _SHORTEST_WAIT), _LONGEST_WAIT)
    if spent.oldest is None or spent.oldest + limit.window < now + _SHORTEST_GAP:
        return soonest  # the amounts differ, or it leaves this very moment: no use to ask at once
    return max(spent.oldest + limit.window, now + _SHORTEST_WAIT)


def first_misfit(draft: Draft, cost: Cost, found: Sequence[Purse], *, critical: bool) -> Misfit | None:
    """The first of the purses that does not hold a message of *cost* now; None: it fits into all of them."""
    zone = draft.book.zone("")
    misfits = (misfit(purse, cost, draft.spent, draft.now, zone, critical=critical) for purse in found)
    return next((each for each in misfits if each is not None), None)


def reserve(draft: Draft, message: Message, found: Sequence[Purse]) -> None:
    """Take what *message* may cost from all of the purses, before it exists."""
    cost, critical = cost_of_message(draft, message), message.message_class == "critical"
    draft.spends.extend(
        Spend(purse.name, draft.now, message.id, cost.segments, cost.money, critical) for purse in found
    )


def cost_of_message(draft: Draft, message: Message) -> Cost:
    """What *message* may cost."""
    return cost_of(draft.book, draft.spent, message.providers, message.phone, message.segments)


def looks(found: Iterable[Purse], now: datetime, zone: ZoneInfo) -> Iterator[tuple[str, datetime]]:
    """What will be asked of the purses: (budget, since)."""
    for purse in found:
        for limit in purse.limits:
            yield purse.name, limit.since(now, zone)


def _begin_of(day: date, zone: ZoneInfo) -> datetime:
    return moment_of(datetime.combine(day, time.min), zone)
