"""Windows, limits, the reserve, prices: the arithmetic of budgets."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from bridge.book import RuleBook
from bridge.book.loading import load_book
from bridge.config.spans import Period
from bridge.dispatch import budgets
from bridge.dispatch.budgets import Cost, Limit, Misfit, Purse
from bridge.model import Spend, Spent
from bridge.store import spends

ALMATY, BERLIN, BEIRUT = ZoneInfo("Asia/Almaty"), ZoneInfo("Europe/Berlin"), ZoneInfo("Asia/Beirut")
NOW = datetime(2026, 11, 21, 9, 0, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)
CONFIG = """
listen: [{door: smtp, address: "127.0.0.1:2525", trust: 127.0.0.0/8}]
domains: bridge.test
operator: {mail: operator@bridge.test}
region: KZ
destinations: ["+7", "+49"]
timezone: Asia/Almaty
currency: KZT
exchange: {RUB: 5.60 KZT, EUR: 600 KZT}
people:
  aigul: {phone: "+77010000001"}
  ivan: {phone: "+77020000002"}
sources: {mon: {network: 127.0.0.9}}
providers:
  first: {type: smsc-http, base_url: "https://smsc.kz", login: x, password: {env: X}, currency: KZT,
          prices: {"+7701": 14.00, "+77": 12.00}}
  second: {type: smsc-http, base_url: "https://smsc.kz", login: y, password: {env: X}, currency: RUB,
           prices: {"+77": 3.10}}
budgets:
  total: {money: [1000 KZT/day, 20 EUR/month], reserve_for_critical: 20%}
  each_person: {messages: [10/15m, 60/day]}
  each_number: {messages: 5/h, over: hold}
  each_source: {segments: 100/h}
  each_rule: {messages: 50/h}
  each_prefix: {"+77": {messages: 30/h}, "+7702": {messages: 3/h, over: drop}}
  Night: {money: 100 RUB/week, over: hold}
"""
RULES = "rules: [{rule: all, to: aigul, budget: night}]"


@pytest.fixture(scope="module")
def book(tmp_path_factory: pytest.TempPathFactory) -> RuleBook:
    folder: Path = tmp_path_factory.mktemp("money")
    (folder / "config.yaml").write_text(CONFIG)
    (folder / "rules").mkdir()
    (folder / "rules" / "10.yaml").write_text(RULES)
    return load_book(folder / "config.yaml").require()


def limit(most: int, *, window: timedelta | None = None, period: Period | None = None) -> Limit:
    return Limit("messages", Decimal(most), window, period)


def utc(*when: int) -> datetime:
    return datetime(*when, tzinfo=UTC)  # type: ignore[arg-type, misc]


def test_what_is_exactly_a_window_old_is_outside() -> None:
    since = limit(1, window=timedelta(minutes=15)).since(NOW, ALMATY)
    assert since == NOW - timedelta(minutes=15) + MICROSECOND


@pytest.mark.parametrize(
    ("period", "begin", "end"),
    [
        ("day", utc(2026, 11, 20, 19), utc(2026, 11, 21, 19)),
        ("week", utc(2026, 11, 15, 19), utc(2026, 11, 22, 19)),
        ("month", utc(2026, 10, 31, 19), utc(2026, 11, 30, 19)),
    ],
)
def test_calendar_periods_are_those_of_the_configured_zone(period: Period, begin: datetime, end: datetime) -> None:
    one = limit(1, period=period)
    assert (one.since(NOW, ALMATY), one.ends(NOW, ALMATY)) == (begin, end)


@pytest.mark.parametrize(
    ("zone", "now", "begin", "hours"),
    [
        (BERLIN, utc(2026, 3, 29, 12), utc(2026, 3, 28, 23), 23),
        (BERLIN, utc(2026, 10, 25, 12), utc(2026, 10, 24, 22), 25),
        (BEIRUT, utc(2026, 3, 29, 12), utc(2026, 3, 28, 22), 23),  # 00:00 is missing: the day begins at 01:00
        (BEIRUT, utc(2026, 10, 24, 20, 30), utc(2026, 10, 23, 21), 25),  # 23:30 comes twice, both are the 24th
        (BEIRUT, utc(2026, 10, 24, 21, 30), utc(2026, 10, 23, 21), 25),
    ],
)
def test_F17_a_day_is_as_long_as_its_clocks_make_it(zone: ZoneInfo, now: datetime, begin: datetime, hours: int) -> None:
    day = limit(1, period="day")
    ends = day.ends(now, zone)
    assert ends is not None
    assert (day.since(now, zone), ends - day.since(now, zone)) == (begin, timedelta(hours=hours))


def fits(purse: Purse, spent: Spent, *, critical: bool = False, segments: int = 1, money: str = "14") -> bool:
    return misfit(purse, spent, critical=critical, segments=segments, money=money) is None


def misfit(
    purse: Purse, spent: Spent, *, critical: bool = False, segments: int = 1, money: str = "14", known: bool = True
) -> Misfit | None:
    cost = Cost(segments, Decimal(money), known)
    return budgets.misfit(purse, cost, lambda _name, _since: spent, NOW, ALMATY, critical=critical)


def test_T04_the_last_message_that_fits_is_the_one_that_reaches_the_limit() -> None:
    purse = Purse("total", "total", (limit(10, window=timedelta(hours=1)),))
    assert fits(purse, Spent(messages=9, normal_messages=9))
    assert not fits(purse, Spent(messages=10, normal_messages=10))
    money = Purse("total", "total", (Limit("money", Decimal(100), None, "day"),))
    assert fits(money, Spent(money=Decimal(86), normal_money=Decimal(86)))
    assert not fits(money, Spent(money=Decimal("86.0001"), normal_money=Decimal("86.0001")))


def test_T40_others_leave_the_reserve_alone_and_critical_may_use_all_of_it() -> None:
    purse = Purse("total", "total", (limit(10, window=timedelta(hours=1)),), reserve=20)
    assert fits(purse, Spent(messages=7, normal_messages=7))
    assert not fits(purse, Spent(messages=8, normal_messages=8))
    assert fits(purse, Spent(messages=8, normal_messages=8), critical=True)
    assert fits(purse, Spent(messages=9, normal_messages=7)), "what critical took is not taken from the others twice"
    assert not fits(purse, Spent(messages=10, normal_messages=2)), "nobody gets more than all of it"
    assert not fits(purse, Spent(messages=10, normal_messages=0), critical=True)


def test_an_unknown_price_counts_nothing_until_nothing_is_left() -> None:
    purse = Purse("total", "total", (Limit("money", Decimal(100), None, "day"),))
    assert misfit(purse, Spent(money=Decimal("99.99")), money="0", known=False) is None
    assert misfit(purse, Spent(money=Decimal(100)), money="0", known=False) is not None


def test_room_comes_back_with_the_next_period_or_as_the_oldest_leaves_the_window() -> None:
    day = Purse("total", "total", (limit(1, period="day"),))
    found = misfit(day, Spent(messages=1, normal_messages=1, oldest=NOW))
    assert found is not None
    assert found.room_at == utc(2026, 11, 21, 19)
    window = Purse("total", "total", (limit(1, window=timedelta(hours=1)), limit(1, window=timedelta(minutes=15))))
    oldest = NOW - timedelta(minutes=10)
    found = misfit(window, Spent(messages=1, normal_messages=1, oldest=oldest))
    assert found is not None
    assert (len(found.limits), found.room_at) == (2, oldest + timedelta(hours=1))


def test_what_is_dearer_than_the_whole_budget_never_finds_room() -> None:
    purse = Purse("total", "total", (Limit("money", Decimal(10), None, "day"),))
    found = misfit(purse, Spent())
    assert found is not None
    assert found.room_at is None
    reserved = Purse("total", "total", (limit(1, period="day"),), reserve=50)
    assert getattr(misfit(reserved, Spent()), "room_at", NOW) is None
    assert misfit(reserved, Spent(), critical=True) is None


def test_a_message_belongs_to_every_budget_that_means_it(book: RuleBook) -> None:
    def names(phone: str, own: tuple[str, ...] = ()) -> list[str]:
        return [purse.name for purse in budgets.purses(book, "all", "mon", phone, own)]

    everyone = ["each_rule all", "each_source mon"]
    assert names("+77010000001") == [*everyone, "each_person aigul", "each_prefix +77", "total"]
    assert names("+77020000002", ("NIGHT",)) == [
        "night", *everyone, "each_person ivan", "each_prefix +7702", "total",
    ]  # fmt: skip
    assert names("+4915100000") == [*everyone, "each_number +4915100000", "total"]


def test_a_counter_is_called_by_its_budget_and_a_prefix_by_both(book: RuleBook) -> None:
    found = budgets.purses(book, "all", "mon", "+77020000002", ("night",))
    assert [purse.called for purse in found] == [
        "night", "each_rule", "each_source", "each_person", "each_prefix +7702", "total",
    ]  # fmt: skip


def test_limits_in_other_currencies_are_compared_in_the_configured_one(book: RuleBook) -> None:
    total = next(budgets.total_purse(book))
    assert [one.most for one in total.limits] == [Decimal(1000), Decimal(12000)]
    night = next(budgets.purses(book, "all", "mon", "+77010000001", ("night",)))
    assert [(one.most, one.period) for one in night.limits] == [(Decimal(560), "week")]


def no_prices(_name: str, _since: datetime) -> Spent:
    return Spent()


def test_a_message_counts_with_the_dearest_way_it_may_go(book: RuleBook) -> None:
    """Failover must not lead out of a budget: 3.10 RUB are 17.36 KZT."""
    cheap = budgets.cost_of(book, no_prices, ("first",), "+77010000001", 2)
    assert cheap == Cost(2, Decimal(28))
    both = budgets.cost_of(book, no_prices, ("first", "second"), "+77010000001", 2)
    assert both == Cost(2, Decimal("34.72"))


def test_an_unpriced_message_counts_with_what_its_provider_took_last(book: RuleBook) -> None:
    phone = "+4915100000"
    assert list(budgets.unpriced(book, ("first",), phone)) == [("price/first/+4915", budgets.PRICES_SINCE)]
    assert list(budgets.unpriced(book, ("first",), "+77010000001")) == []
    assert budgets.cost_of(book, no_prices, ("first",), phone, 2) == Cost(2, Decimal(0), known=False)
    learnt = Spent().plus(Spend("price/first/+4915", budgets.PRICES_SINCE, 0, 3, Decimal(100), critical=False))
    assert budgets.cost_of(book, lambda *_: learnt, ("first",), phone, 2) == Cost(2, Decimal("66.6667"))
    assert spends.price_name("first", phone) == budgets.price_name("first", phone)


def test_a_charge_is_told_in_the_configured_currency(book: RuleBook) -> None:
    charge = budgets.charge_by(book)
    assert charge("second", "+77010000001", 1, Decimal("3.00")) == Decimal("16.80")
    assert charge("second", "+77010000001", 2, None) == Decimal("34.72")
    assert charge("first", "+4915100000", 1, None) is None
    assert charge("gone", "+77010000001", 1, Decimal(5)) == Decimal(5)


def test_nobody_looks_further_back_than_the_longest_window(book: RuleBook) -> None:
    assert budgets.longest_window(book.config) == timedelta(days=32)


@pytest.mark.parametrize(
    ("one", "text"),
    [
        (Limit("money", Decimal(5000), None, "day"), "5000.00 KZT/day"),
        (limit(10, window=timedelta(minutes=15)), "10 messages/15m"),
        (Limit("segments", Decimal(400), timedelta(hours=24)), "400 segments/24h"),
        (Limit("segments", Decimal(30), timedelta(seconds=90)), "30 segments/90s"),
    ],
)
def test_a_limit_is_shown_as_it_is_written(one: Limit, text: str) -> None:
    assert budgets.written(one, "KZT") == text
