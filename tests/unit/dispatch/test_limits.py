"""Over a budget: what waits, what is dropped, who hears of it; and that money is a hard stop."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bridge.book import RuleBook
from bridge.book.loading import load_book
from bridge.dispatch import budgets
from bridge.dispatch.budgets import Limit, Purse
from bridge.model import Due, Message, Plan, Spend

if TYPE_CHECKING:
    from conftest import World

CONFIG = """
listen: [{{door: smtp, address: "127.0.0.1:2525", trust: 127.0.0.0/8}}]
domains: bridge.test
operator: {{mail: operator@bridge.test}}
outgoing_mail: {{relay: "smtp://127.0.0.1:2526", from: sms@bridge.test}}
region: KZ
timezone: Asia/Almaty
people:
  aigul: {{phone: "+77010000001"}}
  ivan: {{phone: "+77020000002"}}
providers:
  smsc: {{type: smsc-http, base_url: "https://smsc.kz", login: x, password: {{env: X}}, number: "+77770000000",
         currency: KZT, prices: {{default: 14.00}}}}
storm: {{over: 500 in 5m}}
budgets: {budgets}
"""
RULES = """
rules:
  - {rule: loud, when: {recipient: loud@bridge.test}, to: aigul, class: critical}
  - {rule: brief, when: {recipient: brief@bridge.test}, to: aigul, validity: 30m, track: false, text: "{{ title }}"}
  - {rule: ivan, when: {recipient: ivan@bridge.test}, to: ivan}
  - {rule: both, when: {recipient: both@bridge.test}, to: [aigul, ivan]}
  - {rule: number, when: {recipient: "+7*@bridge.test"}, to: recipient, numbers: {prefixes: "+7"}, track: false,
     text: "{{ title }}"}
  - {rule: small, when: {recipient: small@bridge.test}, to: aigul, budget: SMALL}
  - {rule: one, to: aigul}
"""
Build = Callable[[str], "World"]


def book_with(folder: Path, written: str) -> RuleBook:
    folder.mkdir(exist_ok=True)
    (folder / "config.yaml").write_text(CONFIG.format(budgets=written))
    (folder / "rules").mkdir(exist_ok=True)
    (folder / "rules" / "10.yaml").write_text(
        RULES if "small" in written else "\n".join(line for line in RULES.splitlines() if "SMALL" not in line)
    )
    return load_book(folder / "config.yaml").require()


@pytest.fixture
def build(tmp_path: Path, world: World) -> Build:
    return lambda written: type(world)(book_with(tmp_path / "house", written))


def fire_until(world: World, until: datetime) -> list[Message]:
    """Let time pass; what timers sent."""
    sent: list[Message] = []
    while True:
        waiting = [each for each in world.memory.timers.values() if each.due_at <= until]
        if not waiting:
            world.now = until
            return sent
        first = min(waiting, key=lambda each: (each.due_at, each.name))
        world.now = max(world.now, first.due_at)
        sent += world.decide(Due(first)).messages


def pass_time(world: World, **span: float) -> list[Message]:
    return fire_until(world, world.now + timedelta(**span))


def mails(world: World, count: int, to: str = "one", *, begin: int = 0) -> list[Plan]:
    """*count* different mails, a second apart."""
    plans = []
    for number in range(begin, begin + count):
        plans.append(world.mail(to, f"trouble {number} on h{number}", f"text {number}"))
        world.wait(seconds=1)
    return plans


def sent(plans: list[Plan]) -> list[str]:
    return [message.rule for plan in plans for message in plan.messages]


def subjects(plans: list[Plan]) -> list[str]:
    return [mail.subject for plan in plans for mail in plan.mails]


def reasons(plan: Plan) -> list[str]:
    return [fate.reason for fate in plan.fates]


def test_T04_over_the_total_waits_for_a_digest_and_the_operator_hears_once(build: Build) -> None:
    world = build("{total: {messages: 2/day}}")
    plans = mails(world, 5)
    assert sent(plans) == ["one", "one"]
    assert [reasons(plan) for plan in plans[2:]] == [["over budget total"]] * 3
    assert subjects(plans) == ["[smsbridge] budget total is used up"]
    body = next(mail for plan in plans for mail in plan.mails).content.decode()
    assert "2 messages of 2 messages/day by 08:00" in body
    (digest,) = pass_time(world, hours=16)
    assert f"{digest.created_at:%d %H:%M}" == "21 19:00", "midnight in Almaty"
    assert digest.text.startswith("3 alerts 08:00-00:00")


def test_the_operator_is_told_again_in_the_next_period(build: Build) -> None:
    world = build("{total: {messages: 2/day, over: drop}}")
    assert len(subjects(mails(world, 5))) == 1
    pass_time(world, hours=20)
    assert len(subjects(mails(world, 5, begin=10))) == 1


def test_what_is_dropped_is_said_and_does_not_come_back(build: Build) -> None:
    world = build("{total: {messages: 2/h, over: drop}}")
    plans = mails(world, 4)
    assert reasons(plans[-1]) == ["over budget total"]
    assert pass_time(world, hours=5) == []
    assert not any(world.memory.held.values())


def test_what_is_held_goes_one_by_one_as_room_comes_back(build: Build) -> None:
    world = build("{total: {messages: 2/h, over: hold}}")
    mails(world, 5)
    first = pass_time(world, hours=1)
    assert [f"{message.created_at:%H:%M:%S}" for message in first] == ["04:00:00", "04:00:01"]
    (last,) = pass_time(world, hours=1)
    assert "trouble 4" in last.text


def test_T40_of_what_is_held_the_critical_ones_go_first(build: Build) -> None:
    world = build("{total: {messages: 1/h, over: hold}}")
    mails(world, 3)
    mails(world, 1, "loud", begin=10)
    assert [message.rule for message in pass_time(world, hours=2)] == ["loud", "one"]


def test_nothing_is_held_longer_than_it_is_valid(build: Build) -> None:
    world = build("{total: {messages: 1/day, over: hold}}")
    mails(world, 3, "brief")
    assert pass_time(world, hours=40) == []
    assert not any(world.memory.held.values())
    notice = world.memory.notices["budget/total/late"]
    assert notice.count == 1, "two ended a second apart, one mail"


def test_what_was_held_and_ended_meanwhile_is_not_sent(build: Build) -> None:
    world = build("{total: {messages: 1/h, over: hold}}")
    mails(world, 1)
    world.zabbix("Problem", 1)
    world.zabbix("Resolved", 1)
    assert pass_time(world, hours=3) == []


def test_over_the_pace_of_a_person_the_person_hears_once_and_the_operator_too(build: Build) -> None:
    world = build("{each_person: {messages: 3/15m}}")
    plans = mails(world, 9)
    assert sent(plans) == ["one", "one", "one", "(storm)"]
    assert plans[3].messages[0].text == "Limited until 08:15: 3 SMS in 15 min. 1 alert waits for a digest"
    assert subjects(plans) == ["[smsbridge] budget each_person aigul is used up"]
    assert reasons(plans[-1]) == ["over budget each_person"]
    (digest,) = pass_time(world, minutes=15)
    assert digest.text.startswith("6 alerts ")
    assert sent(mails(world, 1, "ivan", begin=50)) == ["ivan"], "another person has a pace of his own"


def test_limited_until_is_said_once_in_its_window(build: Build) -> None:
    world = build("{each_person: {messages: 3/15m}}")
    for number in range(60):
        mails(world, 1, begin=number)
        pass_time(world, minutes=1)
    texts = [m.text for m in world.memory.messages.values() if m.text.startswith("Limited")]
    assert len(texts) == 4, "an hour has four windows of fifteen minutes"


def test_critical_may_use_the_reserve_and_its_end_is_told_by_its_budget(build: Build) -> None:
    world = build("{total: {messages: 10/day, reserve_for_critical: 40%}}")
    assert len(sent(mails(world, 8))) == 6
    plans = mails(world, 6, "loud", begin=20)
    assert sent(plans) == ["loud"] * 4
    assert subjects(plans) == ["[smsbridge] budget total has nothing left for class critical"]
    assert reasons(plans[-1]) == ["over budget total"]


def test_urgent_ones_still_come_is_said_only_where_the_reserve_carries_them(build: Build) -> None:
    world = build("{each_person: {messages: 5/15m, reserve_for_critical: 40%}}")
    plans = mails(world, 4)
    assert plans[-1].messages[0].text.endswith("Urgent ones still come")


def test_all_budgets_of_a_message_are_reserved_together(build: Build) -> None:
    world = build('{total: {messages: 9/h}, each_rule: {messages: 9/h}, each_prefix: {"+7701": {messages: 9/h}}}')
    (plan,) = mails(world, 1, "both")
    assert sorted((spend.message_id, spend.budget) for spend in plan.spends) == [
        (1, "each_prefix +7701"), (1, "each_rule both"), (1, "total"), (2, "each_rule both"), (2, "total"),
    ]  # fmt: skip
    assert {spend.money for spend in plan.spends} == {Decimal(14)}


def test_an_own_budget_limits_only_its_rules(build: Build) -> None:
    world = build("{small: {messages: 1/h}}")
    plans = mails(world, 2, "small")
    assert reasons(plans[-1]) == ["over budget small"]
    assert sent(mails(world, 2, begin=10)) == ["one", "one"]


def test_a_number_of_nobody_has_a_counter_and_its_mail_masks_it(build: Build) -> None:
    world = build("{each_number: {messages: 1/h, over: hold}}")
    plans = mails(world, 2, "+77019998877")
    assert reasons(plans[-1]) == ["over budget each_number"]
    assert subjects(plans) == ["[smsbridge] budget each_number +7 701 ••• 88 77 is used up"]
    assert len(pass_time(world, hours=1)) == 1


def test_a_message_dearer_than_its_budget_is_not_kept_for_ever(build: Build) -> None:
    world = build("{total: {money: 10 KZT/day, over: hold}}")
    plans = mails(world, 1)
    assert reasons(plans[0]) == ["over budget total"]
    assert not any(world.memory.held.values())
    assert len(subjects(plans)) == 1


def test_no_code_is_used_up_by_what_is_not_sent(build: Build) -> None:
    world = build("{total: {messages: 1/day}}")
    mails(world, 30)
    assert list(world.memory.codes("+77010000001")) == ["10"]


# --- money is a hard stop ------------------------------------------------------------------------

WRITTEN = """
  total: {money: [300 KZT/day, 90 KZT/10m], reserve_for_critical: 30%, over: hold}
  each_person: {messages: [3/15m, 9/day]}
  each_number: {messages: 2/h, over: drop}
  each_rule: {segments: 6/h}
  each_prefix: {"+7702": {messages: 2/h, over: drop}}
  small: {messages: [2/h, 5/week], over: hold}
"""
STEP = st.one_of(
    st.tuples(st.just("mail"), st.sampled_from(["one", "loud", "ivan", "both", "small", "brief", "+77023334455"])),
    st.tuples(st.just("wait"), st.sampled_from([1, 30, 60, 240, 900, 3600, 9 * 3600])),
    st.tuples(st.just("cheaper"), st.integers(0, 14)),
    st.tuples(st.just("back"), st.just(0)),
)


@pytest.fixture(scope="module")
def strict(tmp_path_factory: pytest.TempPathFactory) -> RuleBook:
    return book_with(tmp_path_factory.mktemp("strict") / "house", WRITTEN)


@pytest.mark.no_cover
@settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=st.lists(STEP, min_size=5, max_size=60))
def test_T04_no_budget_is_exceeded_in_any_window_and_nothing_is_without_a_fate(
    strict: RuleBook, make_world: Callable[[], World], steps: list[tuple[str, int | str]]
) -> None:
    world = type(make_world())(strict)
    for number, (what, how) in enumerate(steps):
        _step(world, number, what, how)
        _every_window_holds(world)
        _whatever_is_held_has_a_timer(world)
    fire_until(world, world.now + timedelta(days=8))
    _every_window_holds(world)
    assert not any(world.memory.held.values()), "everything was told, dropped or said to be too late"


def _step(world: World, number: int, what: str, how: int | str) -> None:
    match what:
        case "mail":
            plan = world.mail(str(how), f"trouble {number} on h{number}", f"text {number}")
            assert plan.fates, "no event is without a fate"
            assert all(fate.what == "sms" or fate.reason for fate in plan.fates)
        case "wait":
            pass_time(world, seconds=int(how))
        case "cheaper" | "back":
            _settle(world, None if what == "back" else Decimal(int(how)))


def _settle(world: World, cost: Decimal | None) -> None:
    """The newest message costs less than was reserved, or (None) nothing at all: it was refused."""
    newest = max(world.memory.messages, default=0)
    for budget, spends in world.memory.spends.items():
        kept = (spend for spend in spends if cost is not None or spend.message_id != newest)
        world.memory.spends[budget] = [_cheaper(spend, newest, cost) for spend in kept]


def _cheaper(spend: Spend, newest: int, cost: Decimal | None) -> Spend:
    return spend if cost is None or spend.message_id != newest else replace(spend, money=min(spend.money, cost))


def _every_window_holds(world: World) -> None:
    for purse in _purses(world):
        spends = world.memory.spends.get(purse.name, [])
        for limit in purse.limits:
            for window in _windows(world, limit, spends):
                _holds(purse, limit, window)


def _purses(world: World) -> Iterator[Purse]:
    for phone in ("+77010000001", "+77020000002", "+77023334455"):
        for rule in ("one", "loud", "ivan", "both", "small", "brief", "number"):
            yield from budgets.purses(world.book, rule, "", phone, ("small",))


def _windows(world: World, limit: Limit, spends: list[Spend]) -> Iterator[list[Spend]]:
    """Every window that ends with an expense."""
    zone = world.book.zone("")
    for last in spends:
        since = limit.since(last.at, zone)
        yield [spend for spend in spends if since <= spend.at <= last.at]


def _holds(purse: Purse, limit: Limit, window: list[Spend]) -> None:
    def total(spends: list[Spend]) -> Decimal:
        return sum((_of(limit, spend) for spend in spends), Decimal(0))

    assert total(window) <= limit.most, purse
    normal = [spend for spend in window if not spend.critical]
    assert total(normal) <= purse.most_for(limit, critical=False), purse


def _of(limit: Limit, spend: Spend) -> Decimal:
    return limit.amount(budgets.Cost(spend.segments, spend.money))


def _whatever_is_held_has_a_timer(world: World) -> None:
    for bundle, held in world.memory.held.items():
        assert not held or bundle in world.memory.timers, bundle
