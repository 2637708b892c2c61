"""Storms and budgets over the real store: what leaves, waits, is settled and given back, after a restart too."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from bench.storm import BEGIN, House, play
from bridge.app.bridge import Bridge, Surroundings
from bridge.book.loading import load_book
from bridge.dispatch import budgets
from bridge.model import Envelope, Recipient
from bridge.simulator.serve import running
from bridge.simulator.settings import Account
from bridge.simulator.simulator import Simulator
from bridge.store import fates, outbox, pruning, spends
from bridge.store.attempts import Outcome, Prepared
from bridge.store.engine import Store

pytestmark = pytest.mark.anyio

COUNT = 500
NOW = BEGIN
TOTAL = "{total: {money: 100 KZT/day, messages: 50/day}}"
FOREIGN = """
listen: [{{door: smtp, address: "127.0.0.1:0", trust: 127.0.0.0/8}}]
domains: bridge.test
operator: {{mail: operator@bridge.test}}
outgoing_mail: {{relay: "smtp://127.0.0.1:1", from: sms@bridge.test, tls: "off"}}
region: KZ
timezone: Asia/Almaty
currency: KZT
exchange: {{RUB: 6 KZT}}
people: {{aigul: {{phone: "+77010000001"}}}}
providers:
  smsc: {{type: smsc-http, base_url: "http://127.0.0.1:{port}", login: one, password: {{env: MONEY_SECRET}},
         insecure: true, currency: RUB, prices: {{default: 20.00}}, warn_below: 1001 RUB}}
budgets: {{total: {{money: 300 KZT/day}}}}
"""


async def test_F15_T40_a_storm_is_twenty_sms_one_limited_until_and_one_digest_with_all_the_others(
    tmp_path: Path,
) -> None:
    left = await play(tmp_path / "house", "normal", COUNT, money=COUNT * 14)
    assert left.alerts == 20
    assert [text.split(":")[0] for text in left.limited] == ["Limited until 14", f"{COUNT - 20} alerts 14"]
    assert (left.held, left.decided, left.subjects) == (0, COUNT, ())
    assert left.at[1] - left.at[0] == timedelta(minutes=10)
    assert left.spent == 22, "every SMS was reserved, the two of the storm too"


async def test_T04_a_critical_storm_goes_on_until_its_budget_ends_and_the_operator_hears_of_that(
    tmp_path: Path,
) -> None:
    left = await play(tmp_path / "house", "critical", COUNT, money=300 * 14, wait=timedelta(0))
    assert (left.alerts, left.spent, left.held, left.decided) == (300, 300, COUNT - 300, COUNT)
    assert left.subjects == ("[smsbridge] budget total has nothing left for class critical",)


async def test_a_storm_survives_a_restart(tmp_path: Path) -> None:
    first = House(tmp_path / "house", "normal", TOTAL.replace("100 KZT", "99999 KZT"))
    await first.store.open()
    await first.storm(100)
    first.store.close()
    second = House(tmp_path / "house", "normal", TOTAL.replace("100 KZT", "99999 KZT"))
    second.now = first.now
    await second.store.open()
    await second.storm(100, begin=100)
    await second.wait(timedelta(hours=1))
    left = await second.left(0)
    second.store.close()
    assert left.alerts == 20
    assert [text.split(":")[0] for text in left.limited] == ["Limited until 14", "180 alerts 14"]


@pytest.fixture
async def houses(tmp_path: Path) -> AsyncIterator[Callable[[str], House]]:
    made: list[House] = []

    def build(written: str) -> House:
        made.append(House(tmp_path / f"house{len(made)}", "normal", written))
        return made[-1]

    yield build
    for house in made:
        house.store.close()


@pytest.mark.parametrize(
    ("over", "then", "texts"),
    [
        ("hold", timedelta(hours=1), 6),
        ("digest", timedelta(hours=1), 4),  # three, and one that says the other seven
        ("drop", timedelta(hours=1), 3),
    ],
)
async def test_T04_what_is_over_a_budget_waits_or_is_dropped_as_it_says(
    houses: Callable[[str], House], over: str, then: timedelta, texts: int
) -> None:
    house = houses(f"{{total: {{messages: 3/h, over: {over}}}, each_rule: {{messages: 100/h}}}}")
    await house.store.open()
    await house.storm(10)
    assert (await house.rows("SELECT count(*) FROM messages"))[0][0] == 3
    await house.wait(then)
    assert (await house.rows("SELECT count(*) FROM messages"))[0][0] == texts
    waiting = (await house.rows("SELECT count(*) FROM held"))[0][0]
    assert waiting == {"hold": 4, "digest": 0, "drop": 0}[over]
    assert len((await house.left(0)).subjects) == 1


async def test_over_the_pace_the_person_hears_once(houses: Callable[[str], House]) -> None:
    house = houses("{each_person: {messages: 3/15m}}")
    await house.store.open()
    await house.storm(10)
    await house.wait(timedelta(hours=1))
    left = await house.left(0)
    assert [text.partition(".")[0] for text in left.limited] == ["Limited until 14:15: 3 SMS in 15 min"]
    assert left.alerts == 4, "three, and one that says the other seven"
    assert left.subjects == ("[smsbridge] budget each_person aigul is used up",)


# what becomes of a reservation


@pytest.fixture
async def house(houses: Callable[[str], House]) -> House:
    """Three messages that were planned for 14 KZT each."""
    made = houses(TOTAL)
    await made.store.open()
    await made.storm(3)
    return made


async def claim(store: Store) -> None:
    prepared = Prepared("smsc", "smsc:x", {"mes": "x"}, "r1")
    await store.write(lambda tx: outbox.claim(tx, NOW + timedelta(minutes=2), "n1/a", 9, lambda *_: prepared))


async def settle(store: Store, *outcomes: Outcome, **named: Any) -> None:
    await store.write(lambda tx: outbox.settle(tx, outcomes, NOW, **named))


async def spent(store: Store) -> dict[int, Decimal]:
    rows = await store.read(
        lambda tx: tx.raw("SELECT message_id, money FROM spends WHERE budget = 'total' ORDER BY message_id")
    )
    return {row[0]: Decimal(row[1]) / 10_000 for row in rows}


def taken(number: int, cost: str | None) -> Outcome:
    return Outcome(number, 1, "ACCEPTED", "ACCEPTED", provider_id="9", cost=cost)


async def test_the_real_cost_takes_the_place_of_what_was_reserved(house: House) -> None:
    assert await spent(house.store) == {1: 14, 2: 14, 3: 14}
    await claim(house.store)
    await settle(house.store, taken(1, "11.50"), taken(2, "28.00"), taken(3, None))
    assert await spent(house.store) == {1: Decimal("11.5"), 2: 28, 3: 14}


async def test_a_running_bridge_settles_in_the_currency_of_the_budgets(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Reserved for 20 RUB, 120 KZT; the provider takes 18 RUB. With 300 KZT a day that makes two SMS and no third."""
    monkeypatch.setenv("MONEY_SECRET", "x")
    account = Account(login="one", password="x", currency="RUB")
    async with running(Simulator(accounts=(account,))) as port:
        (tmp_path / "rules").mkdir()
        (tmp_path / "rules" / "10.yaml").write_text('rules: [{rule: one, to: aigul, text: "{{ title }}"}]')
        (tmp_path / "config.yaml").write_text(FOREIGN.format(port=port))
        bridge = Bridge(load_book(tmp_path / "config.yaml").require(), Surroundings(tmp_path / "bridge.db"))
        await bridge.start()
        for number in range(3):
            content = f"Subject: trouble {number}\r\n\r\nx\r\n".encode()
            mail = Envelope(content, bridge.now(), "m@host.test", (Recipient("a@bridge.test"),), peer="127.0.0.1")
            await bridge.keep(mail)
            await _until(bridge.store, "SELECT count(*) FROM mails WHERE state = 'PLANNED'", number + 1)
            await _until(bridge.store, "SELECT count(*) FROM messages WHERE cost IS NULL", 0)
        assert await spent(bridge.store) == {1: 108, 2: 108}
        paid = bridge.metrics.registry.get_sample_value(
            "smsbridge_spent_total", {"provider": "smsc", "currency": "RUB"}
        )
        over = bridge.metrics.registry.get_sample_value("smsbridge_over_budget_total", {"budget": "total"})
        assert (paid, over) == (36.0, 1.0)
        low = "SELECT count(*) FROM outgoing_mails WHERE subject = '[smsbridge] smsc: the money runs out'"
        await _until(bridge.store, low, 1)
        await bridge.stop()


async def _until(store: Store, sql: str, count: int) -> None:
    for _ in range(500):
        if await store.read(lambda tx: tx.raw(sql)) == [(count,)]:
            return
        await asyncio.sleep(0.01)
    raise AssertionError(sql)


async def test_T04_two_nodes_on_one_store_never_spend_more_than_there_is(tmp_path: Path) -> None:
    """Each reads, decides and writes as fast as it can, over a connection of its own; then both start again."""
    nodes = [House(tmp_path / "house", "normal", TOTAL) for _ in range(2)]
    for begin in (0, 400):
        await asyncio.gather(*(node.store.open() for node in nodes))
        await asyncio.gather(*(_flood(node, begin + n * 100) for n, node in enumerate(nodes)))
        for node in nodes:
            node.store.close()
            node.store = Store(node.store.path)
    await nodes[0].store.open()
    assert await spent(nodes[0].store) == dict.fromkeys(range(1, 8), Decimal(14)), "98 of 100 KZT"
    assert await nodes[0].rows("SELECT count(*) FROM messages WHERE rule = 'all'") == [(7,)]
    assert (await nodes[0].left(0)).subjects == ("[smsbridge] budget total is used up",)
    nodes[0].store.close()


async def _flood(node: House, begin: int) -> None:
    """Thirty mails, one transaction each."""
    for number in range(begin, begin + 30):
        await node.storm(1, begin=number)


async def test_T04_a_refused_message_gives_back_and_one_without_a_known_fate_counts_as_spent(house: House) -> None:
    await claim(house.store)
    refused = Outcome(1, 1, "REFUSED", "REJECTED", final=True)
    doubt = Outcome(2, 1, "UNKNOWN", "UNKNOWN")
    later = Outcome(3, 1, "NOT_SENT", "READY")
    await settle(house.store, refused, doubt, later)
    assert await spent(house.store) == {2: 14, 3: 14}


async def test_what_expires_before_it_left_gives_back_and_what_may_have_left_does_not(house: House) -> None:
    await claim(house.store)
    held = Outcome(1, 1, "UNKNOWN", "HELD")  # a person has to say what becomes of it
    await settle(house.store, held, Outcome(2, 1, "NOT_SENT", "READY"), taken(3, None))
    late = await house.store.write(lambda tx: outbox.expire(tx, NOW + timedelta(days=3)))
    assert sorted(late) == [1, 2]
    assert await spent(house.store) == {1: 14, 3: 14}


async def test_what_a_provider_took_last_is_the_price_of_the_next_unpriced_message(
    houses: Callable[[str], House],
) -> None:
    made = houses(TOTAL)
    config = made.book.config
    provider = config.providers["smsc"].model_copy(update={"prices": {}})
    object.__setattr__(made.book, "config", config.model_copy(update={"providers": {"smsc": provider}}))
    await made.store.open()
    await made.storm(1)
    assert await spent(made.store) == {1: 0}
    await claim(made.store)
    await settle(made.store, taken(1, "30.00"))
    await made.storm(4, begin=1)
    assert await spent(made.store) == {1: 30, 2: 30, 3: 30}, "the fourth would cost more than is left"
    await made.store.write(lambda tx: pruning.prune(tx, NOW + timedelta(days=400)))
    name = budgets.price_name("smsc", "+77010000001")
    assert await made.rows("SELECT budget, money FROM spends") == [(name, 300_000)]


async def test_a_poll_that_tells_the_cost_settles_it(house: House) -> None:
    await claim(house.store)
    await house.store.write(lambda tx: fates.set_cost(tx, 2, "13.10"))
    assert (await spent(house.store))[2] == Decimal("13.1")


async def test_counters_are_summed_by_name(house: House) -> None:
    found = await house.store.read(lambda tx: spends.seen(tx, "total", NOW - timedelta(days=1)))
    assert {name: (one.messages, one.money) for name, one in found.items()} == {"total": (3, 42)}
