"""Messages on their way over real sockets to a provider that misbehaves: right state, right number of SMS, right money.

Bridge and pretend provider share one clock that a test may push forward, so that two minutes of doubt take no two
minutes. The provider's own rule against doubles is off unless a test wants it: whatever is on a phone twice was sent
twice by us.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from decimal import Decimal
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from bridge.simulator.records import Message as OnPhone
from bridge.simulator.serve import running
from bridge.simulator.settings import Account, Limits, Switches
from bridge.simulator.simulator import Simulator
from bridge.store import attempts, fates, health, outbox
from tests.integration import sending_world
from tests.integration.sending_world import SECRET, Clock, sending

pytestmark = pytest.mark.anyio

PHONE, OTHER = "77010000001", "77010000002"
BALANCE = 100_000
CONFIG = """
people:
  aigul: {{name: Aigul, phone: "+77010000001"}}
  ivan: {{name: Ivan, phone: "+77010000002"}}
teams: {{both: {{members: [aigul, ivan]}}}}
providers:
  first: {{type: smsc-http, base_url: "http://127.0.0.1:{first}", login: one, password: {{env: DELIVERY_SECRET}},
          insecure: true}}
  second: {{type: smsc-http, base_url: "http://127.0.0.1:{second}", login: two, password: {{env: DELIVERY_SECRET}},
           insecure: true}}
"""
RULES = """
rules:
  - {rule: normal, when: {recipient: normal@bridge.test}, to: aigul, text: "{{ title }}", send_via: first}
  - {rule: short, when: {recipient: short@bridge.test}, to: aigul, text: "{{ title }}", send_via: first, validity: 2m}
  - {rule: critical, when: {recipient: critical@bridge.test}, to: aigul, class: critical, send_via: [first, second]}
  - {rule: chain, when: {recipient: chain@bridge.test}, to: aigul, text: "{{ title }}", send_via: [first, second]}
  - {rule: both, when: {recipient: both@bridge.test}, to: both, text: "{{ title }}", send_via: first}
  - {rule: elsewhere, when: {recipient: second@bridge.test}, to: ivan, text: "{{ title }}", send_via: second}
"""


@dataclass(kw_only=True)
class World(sending_world.World):
    """The same with two pretend providers."""

    first: Simulator
    second: Simulator
    ports: tuple[int, int]

    def fault(self, simulator: Simulator | None = None, **fault: object) -> None:
        (simulator or self.first).set_faults({"smsc": {"all": fault}} if fault else {})

    async def attempts(self) -> list[tuple[str, str, str]]:
        """(provider, state, code) of every hand-over, in order."""
        sql = "SELECT provider, state, code FROM submissions ORDER BY started_at, message_id, attempt"
        return [tuple(row) for row in await self.store.read(lambda tx: tx.raw(sql))]

    async def operator_mails(self) -> list[str]:
        sql = "SELECT subject FROM outgoing_mails WHERE kind = 'operator' ORDER BY id"
        return [row[0] for row in await self.store.read(lambda tx: tx.raw(sql))]

    async def reach(self, *states: str, within: float = 8) -> None:
        """Until the messages are in *states* (one more receipt is no harm); the watcher asks meanwhile."""
        deadline = asyncio.get_running_loop().time() + within
        while not _fits(found := await self.states(), states):
            assert asyncio.get_running_loop().time() < deadline, (found, await self.attempts())
            await self.watcher.round()
            await asyncio.sleep(0.01)

    async def tried(self, within: float = 8) -> None:
        """Until the first attempt of some message has ended."""
        deadline = asyncio.get_running_loop().time() + within
        while not any(state != "INFLIGHT" for _, state, _ in await self.attempts()):
            assert asyncio.get_running_loop().time() < deadline, await self.states()
            await asyncio.sleep(0.01)

    async def rest(self, seconds: float = 0.2) -> None:
        """Let whatever would still happen happen."""
        until = asyncio.get_running_loop().time() + seconds
        while asyncio.get_running_loop().time() < until:
            await self.watcher.round()
            self.sender.wake()
            await asyncio.sleep(0.02)

    async def cost(self) -> Decimal:
        rows = await self.store.read(lambda tx: tx.raw("SELECT cost FROM messages WHERE cost IS NOT NULL"))
        return sum((Decimal(row[0]) for row in rows), Decimal(0))


def _fits(found: Sequence[str], wanted: Sequence[str]) -> bool:
    pairs = zip(found, wanted, strict=False)
    return len(found) == len(wanted) and all(f == w or (f, w) == ("DELIVERED", "ACCEPTED") for f, w in pairs)


def on(simulator: Simulator, phone: str = PHONE) -> tuple[OnPhone, ...]:
    """The SMS on a phone."""
    return simulator.messages(phone)


def _simulator(clock: Clock, login: str) -> Simulator:
    limits = Limits(
        identical_seconds=0, status_a_minute=10**6, status_lists_a_minute=10**6, balance_a_minute=10**6,
        flood_messages=10**6, bad_requests_a_minute=10**6,
    )  # fmt: skip
    account = Account(login=login, password=SECRET, balance=Decimal(BALANCE))
    return Simulator(accounts=(account,), switches=Switches(limits=limits), now=clock)


@pytest.fixture
async def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[World]:
    monkeypatch.setenv("DELIVERY_SECRET", SECRET)
    monkeypatch.setattr("bridge.providers.smsc_http.LONGEST", 0.3)  # nobody waits 25 s for a silent provider here
    clock = Clock()
    first, second = _simulator(clock, "one"), _simulator(clock, "two")
    async with AsyncExitStack() as stack:
        doors = [AsyncExitStack(), AsyncExitStack()]
        stack.push_async_callback(lambda: asyncio.gather(*(door.aclose() for door in doors)))
        ports = await doors[0].enter_async_context(running(first)), await doors[1].enter_async_context(running(second))
        config = CONFIG.format(first=ports[0], second=ports[1])
        make = partial(World, first=first, second=second, ports=ports)
        yield await stack.enter_async_context(sending(tmp_path, config, RULES, clock, make))


# taken, and what it costs


async def test_a_message_is_taken_once_and_costs_what_the_provider_said(world: World) -> None:
    await world.mail("normal")
    await world.reach("ACCEPTED")
    assert [sms.text for sms in on(world.first)] == ["disk 1 is full"]
    assert await world.attempts() == [("first", "ACCEPTED", "")]
    assert await world.cost() == Decimal("18.00") == BALANCE - world.first.air.accounts["one"].balance


async def test_the_attempt_stands_in_the_store_before_the_first_byte_leaves(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bridge.providers.smsc_http.LONGEST", 5)
    world.fault(delay=0.3)
    await world.mail("normal")
    await world.reach("INFLIGHT")
    ((state, request, client_id),) = await world.store.read(
        lambda tx: tx.raw("SELECT state, request, client_id FROM submissions")
    )
    assert (state, client_id.isdigit()) == ("INFLIGHT", True)
    assert SECRET not in request
    await world.reach("ACCEPTED")
    assert on(world.first)[0].id == client_id


async def test_a_slow_answer_is_an_answer(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bridge.providers.smsc_http.LONGEST", 5)
    world.fault(delay=0.2, drip=0.002)
    await world.mail("normal")
    await world.reach("ACCEPTED")
    assert await world.attempts() == [("first", "ACCEPTED", "")]


# refused


@pytest.mark.parametrize("code", [1, 5, 6, 7, 8])
async def test_a_refusal_ends_a_message_and_the_operator_hears_of_it(world: World, code: int) -> None:
    world.fault(refuse=code)
    await world.mail("normal")
    await world.reach("REJECTED")
    assert await world.attempts() == [("first", "REFUSED", str(code))]
    assert len(await world.operator_mails()) == 1
    assert on(world.first) == ()


@pytest.mark.parametrize("code", [1, 5, 6, 7, 8])
async def test_F07_what_one_provider_refuses_another_may_take(world: World, code: int) -> None:
    world.fault(refuse=code)
    await world.mail("chain")
    await world.reach("ACCEPTED")
    assert await world.attempts() == [("first", "REFUSED", str(code)), ("second", "ACCEPTED", "")]
    assert (len(on(world.first)), len(on(world.second))) == (0, 1)
    assert await world.operator_mails() == []


@pytest.mark.parametrize(("code", "cause"), [(2, "password"), (3, "money"), (4, "blocked")])
async def test_F24_an_account_that_cannot_send_is_paused_and_nothing_is_lost(
    world: World, code: int, cause: str
) -> None:
    world.fault(refuse=code)
    await world.mail("normal")
    await world.mail("normal")
    await world.tried()
    await world.rest(0.3)
    assert {state for _, state, _ in await world.attempts()} == {"NOT_SENT"}
    asked = len(await world.attempts())
    assert world.alarms == [(f"account.{cause}", "first")]
    assert world.gateways.accounts["smsc:one"].cause == cause
    world.clock.forward(60)
    await world.rest(0.3)
    assert len(await world.attempts()) == asked <= 2  # a paused account is not asked again and again
    world.fault()
    world.gateways.resume("smsc:one")
    world.clock.forward(3)
    world.sender.wake()
    await world.reach("ACCEPTED", "ACCEPTED")
    assert len(on(world.first)) == 2


async def test_F24_a_paused_account_lets_the_next_provider_send(world: World) -> None:
    world.fault(refuse=3)
    await world.mail("chain")
    await world.mail("chain")
    await world.reach("ACCEPTED", "ACCEPTED")
    assert len(on(world.second)) == 2


async def test_a_pause_ends_by_itself(world: World) -> None:
    world.fault(refuse=3)
    await world.mail("normal")
    await world.rest(0.2)
    world.fault()
    world.clock.forward(601)
    world.sender.wake()
    await world.reach("ACCEPTED")


async def test_a_double_on_the_first_attempt_was_not_taken_and_goes_again_after_a_minute(world: World) -> None:
    world.fault(refuse=9, times=1)
    await world.mail("normal")
    await world.tried()
    await world.rest(0.2)
    assert await world.attempts() == [("first", "NOT_SENT", "9")]
    world.clock.forward(30)
    await world.rest(0.2)
    assert len(await world.attempts()) == 1
    world.clock.forward(32)
    world.sender.wake()
    await world.reach("ACCEPTED")
    assert len(on(world.first)) == 1


async def test_throttled_messages_all_arrive_once(world: World) -> None:
    world.fault(throttle=3)
    for _ in range(6):
        await world.mail("normal")
    for _ in range(4):
        await world.rest(0.3)
        world.clock.forward(62)
    await world.reach(*["ACCEPTED"] * 6)
    assert sorted(sms.text for sms in on(world.first)) == [f"disk {n} is full" for n in range(1, 7)]


# nothing left


async def test_F07_what_never_left_goes_to_the_next_provider_at_once(world: World) -> None:
    async with AsyncExitStack() as stack:
        dead = world.gateways["first"]
        stack.callback(setattr, dead, "_urls", dead._urls)  # type: ignore[attr-defined]
        dead._urls = ("http://127.0.0.1:9",)  # type: ignore[attr-defined]
        await world.mail("chain")
        await world.reach("ACCEPTED")
    assert await world.attempts() == [("first", "NOT_SENT", ""), ("second", "ACCEPTED", "")]
    assert len(on(world.second)) == 1


async def test_F07_a_dead_provider_does_not_hold_up_messages_of_another(world: World) -> None:
    """Far more waits for the dead one than is looked at in one go."""
    dead = world.gateways["first"]
    dead._urls = ("http://127.0.0.1:9",)  # type: ignore[attr-defined]
    for _ in range(150):
        await world.mail("normal")
    await world.mail("second", "through")
    for _ in range(400):
        if on(world.second, OTHER):
            break
        await asyncio.sleep(0.01)
    assert [sms.text for sms in on(world.second, OTHER)] == ["through"]


# no answer: what happened?

LOST_ANSWERS: list[dict[str, object]] = [
    {"drop": "after"},
    {"half": True},
    {"silent": True},
    {"answer": "garbage"},
    {"answer": "html"},
    {"answer": "html", "http_status": 502},
    {"answer": "empty"},
    {"delay": 5},
]


@pytest.mark.parametrize("fault", LOST_ANSWERS, ids=str)
async def test_F07_an_answer_that_was_lost_is_found_by_asking_and_never_sent_again(
    world: World, fault: dict[str, object]
) -> None:
    world.fault(**fault)
    await world.mail("chain")
    await world.reach("UNKNOWN")
    world.fault()
    world.clock.forward(3)
    await world.reach("ACCEPTED")
    world.clock.forward(400)
    await world.rest(0.3)
    assert (len(on(world.first)), len(on(world.second))) == (1, 0)
    assert [(provider, state) for provider, state, _ in await world.attempts()] == [("first", "ACCEPTED")]


NEVER_TAKEN: list[dict[str, object]] = [
    {"drop": "before"},
    {"answer": "html", "http_status": 503, "take": False},
    {"silent": True, "take": False},
]


@pytest.mark.parametrize("fault", NEVER_TAKEN, ids=str)
async def test_what_was_not_found_is_sent_again_identically_and_once(world: World, fault: dict[str, object]) -> None:
    world.fault(**fault)
    await world.mail("normal")
    await world.reach("UNKNOWN")
    world.fault()
    world.clock.forward(3)
    await world.rest(0.1)
    await world.reach("ACCEPTED")
    world.clock.forward(400)
    await world.rest(0.3)
    assert len(on(world.first)) == 1
    sql = "SELECT client_id, request FROM submissions"
    (one, again) = await world.store.read(lambda tx: tx.raw(sql))
    assert one == again


async def test_a_silent_take_while_status_is_down_sends_nothing_twice(world: World) -> None:
    """Taken, the answer lost, and status.php away for half a minute: patience is the only right thing."""
    world.fault(on=["send", "status"], drop="after")
    await world.mail("normal")
    await world.reach("UNKNOWN")
    for _ in range(6):
        world.clock.forward(6)
        await world.rest(0.1)
    assert await world.states() == ["UNKNOWN"]
    world.fault()
    world.clock.forward(60)
    await world.reach("ACCEPTED")
    await world.rest(0.2)
    assert len(on(world.first)) == 1


async def test_a_critical_message_of_unknown_fate_goes_by_another_provider_after_two_minutes_and_says_so(
    world: World,
) -> None:
    world.fault(on=["send", "status"], drop="after")
    await world.mail("critical", "pump is dead")
    await world.reach("UNKNOWN")
    for _ in range(11):
        world.clock.forward(10)
        await world.rest(0.06)
    assert on(world.second) == ()
    world.clock.forward(12)
    await world.reach("UNKNOWN", "ACCEPTED", within=12)
    (sms,) = on(world.second)
    assert "pump is dead" in sms.text
    assert sms.text != on(world.first)[0].text  # it says that it may be a second copy
    assert await world.store.read(lambda tx: tx.raw("SELECT copy FROM messages ORDER BY id")) == [(0,), (1,)]
    world.clock.forward(600)
    await world.rest(0.2)
    assert (len(on(world.first)), len(on(world.second))) == (1, 1)


async def test_an_ordinary_message_of_unknown_fate_is_held_and_the_operator_hears_of_it(world: World) -> None:
    world.fault(on=["send", "status"], drop="before")
    await world.mail("chain")
    await world.reach("UNKNOWN")
    for _ in range(16):
        world.clock.forward(60)
        await world.rest(0.05)
    await world.reach("HELD", within=12)
    assert len(await world.operator_mails()) == 1
    world.fault()
    world.clock.forward(60)
    await world.rest(0.2)
    assert (len(on(world.first)), len(on(world.second))) == (0, 0)


async def test_a_hand_over_that_a_dead_process_left_is_asked_for_at_the_next_start(world: World) -> None:
    world.fault(silent=True)
    await world.mail("normal")
    await world.reach("INFLIGHT")
    found = await world.store.write(lambda tx: fates.orphans(tx, "n1", "n1/next boot", world.clock()))
    assert len(found) == 1
    world.fault()
    world.clock.forward(3)
    await world.reach("ACCEPTED")
    await world.rest(0.2)
    assert len(on(world.first)) == 1


async def test_F13_a_lease_that_ran_out_before_the_first_byte_sends_nothing(world: World) -> None:
    submit = world.sender.submit
    late: list[attempts.Claimed] = []
    world.sender.submit = late.append  # type: ignore[method-assign, assignment]
    await world.mail("normal")
    await world.reach("INFLIGHT")
    world.clock.forward(attempts.LEASE.total_seconds() + 1)
    world.sender.submit = submit  # type: ignore[method-assign]
    submit(late[0])
    await world.tried()
    await world.rest(0.2)
    assert on(world.first) == ()
    assert (await world.attempts())[0] == ("first", "NOT_SENT", "")
    world.clock.forward(5)
    world.sender.wake()
    await world.reach("ACCEPTED")
    assert len(on(world.first)) == 1


async def test_F13_a_hand_over_that_nobody_holds_any_more_is_found(world: World) -> None:
    world.sender.submit = lambda claimed: None  # type: ignore[method-assign]
    await world.mail("normal")
    await world.reach("INFLIGHT")
    await world.watcher.sweep()
    assert await world.states() == ["INFLIGHT"]
    world.clock.forward(attempts.LEASE.total_seconds() + 1)
    await world.watcher.sweep()
    assert await world.states() == ["UNKNOWN"]


# breaker


async def test_F07_a_gateway_that_fails_five_times_rests_and_then_one_request_tries(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bridge.providers.smsc_http.LONGEST", 5)
    world.fault(drop="before")
    for _ in range(5):
        await world.mail("normal")
    await world.reach(*["UNKNOWN"] * 5)
    assert ("gateway", "first") in world.alarms
    for _ in range(4):
        await world.mail("normal")
    await world.rest(0.2)
    assert (await world.states())[5:] == ["READY"] * 4
    world.first.air.exchanges.clear()
    world.fault(delay=0.4)
    world.clock.forward(11)
    world.sender.wake()
    await asyncio.sleep(0.25)
    assert (await world.states())[5:].count("INFLIGHT") == 1
    world.fault()
    await world.reach(*["ACCEPTED"] * 9, within=12)


# time


async def test_a_message_that_is_too_late_is_not_sent_and_the_operator_hears_of_it(world: World) -> None:
    world.fault(refuse=3)
    await world.mail("short")
    await world.rest(0.2)
    world.clock.forward(121)
    world.fault()
    world.gateways.resume("smsc:one")
    await world.sender._expire()
    assert await world.states() == ["EXPIRED"]
    assert len(await world.operator_mails()) == 1
    await world.rest(0.2)
    assert on(world.first) == ()


async def test_the_provider_hears_how_long_the_message_is_worth_sending(world: World) -> None:
    await world.mail("short")
    await world.reach("ACCEPTED")
    sent = next(one for one in world.first.air.exchanges if one.door == "send")
    assert "valid=00%3A01" in sent.body or "valid=00%3A02" in sent.body


# receipts by asking


@pytest.mark.parametrize(
    ("fate", "state"),
    [("delivered", "DELIVERED"), ("read", "DELIVERED"), ("undelivered", "UNDELIVERED"), ("unavailable", "UNDELIVERED"),
     ("wrong_number", "UNDELIVERED"), ("forbidden", "UNDELIVERED")],
)  # fmt: skip
async def test_F08_a_receipt_that_nobody_brings_is_fetched(world: World, fate: str, state: str) -> None:
    world.fault(fate=fate, receipts="lost")
    await world.mail("normal")
    await world.reach("ACCEPTED")
    world.clock.forward(31)
    await world.reach(state)
    assert len(await world.operator_mails()) == (0 if state == "DELIVERED" else 1)
    assert len(on(world.first)) == 1


async def test_an_account_in_test_mode_delivers_nothing_and_the_operator_hears_of_it_once(world: World) -> None:
    world.fault(fate="delivered", err=200, receipts="lost")
    await world.mail("normal")
    await world.mail("short")
    await world.reach("ACCEPTED", "ACCEPTED")
    world.clock.forward(31)
    await world.reach("DELIVERED", "DELIVERED")
    (mail,) = await world.operator_mails()
    assert "first is in test mode: nothing reaches a phone" in mail
    rows = await world.store.read(lambda tx: tx.raw("SELECT DISTINCT reason FROM messages"))
    assert rows == [("virtual sending: the account is in test mode",)]
    found = await world.store.read(lambda tx: health.look(tx, world.clock()))
    assert found["first"].virtual == 2


async def test_F08_accepted_stays_apart_from_delivered_when_nobody_ever_says_more(world: World) -> None:
    world.fault(fate="waiting")
    await world.mail("normal")
    await world.reach("ACCEPTED")
    for _ in range(20):
        world.clock.forward(1800)
        await world.rest(0.03)
    assert await world.states() == ["ACCEPTED"]
    asked = sum(one.door == "status" for one in world.first.air.exchanges)
    assert 3 <= asked <= 20
    assert len(on(world.first)) == 1


# many phones


async def test_F18_one_of_two_fails_and_the_other_is_untouched(world: World) -> None:
    world.first.set_faults({"smsc": {"all": {}, "phones": {OTHER: {"refuse": 8}}}})
    await world.mail("both")
    await world.reach("ACCEPTED", "REJECTED")
    world.first.set_faults({})
    world.clock.forward(600)
    await world.rest(0.3)
    assert (len(on(world.first)), len(on(world.first, OTHER))) == (1, 0)


# money over everything


async def test_T04_what_was_accepted_is_what_phones_hold_whatever_goes_wrong(world: World) -> None:
    """All faults one after the other in one world; the provider's balance is the judge."""
    for fault in [*LOST_ANSWERS[:6], *NEVER_TAKEN, {"refuse": 9, "times": 1}, {"refuse": 8}, {}]:
        world.fault(**fault)
        await world.mail("chain")
        await world.rest(0.05)
        await _settle(world, lambda: world.sender.under_way == 0)
        world.fault()
        for seconds in (3, 11, 62):
            world.clock.forward(seconds)
            await world.rest(0.15)
    texts = [sms.text for simulator in (world.first, world.second) for sms in on(simulator)]
    assert sorted(texts) == sorted(set(texts)), "a text is on a phone twice"
    states = await world.states()
    assert states.count("ACCEPTED") + states.count("DELIVERED") == len(texts) == 12
    paid = sum(BALANCE - simulator.air.accounts[login].balance
               for simulator, login in ((world.first, "one"), (world.second, "two")))  # fmt: skip
    assert paid == 18 * len(texts)


async def _settle(world: World, look: Callable[[], bool]) -> None:
    for _ in range(300):
        if look():
            return
        await asyncio.sleep(0.01)
    raise AssertionError("it did not come to rest")


# nothing secret


async def test_T29_no_log_and_no_row_holds_the_password(
    world: World, caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    caplog.set_level(logging.DEBUG)
    for fault in [*LOST_ANSWERS[:3], {"refuse": 2}]:
        world.fault(**fault)
        await world.mail("normal")
        await world.rest(0.1)
    await _settle(world, lambda: world.sender.under_way == 0)
    said = capsys.readouterr()
    assert SECRET not in caplog.text + said.out + said.err
    assert "answer" in caplog.text + said.out + said.err or world.alarms  # something was said at all
    for file in tmp_path.glob("bridge.db*"):
        assert SECRET.encode() not in file.read_bytes()


# stopping


async def test_F19_a_claim_that_is_committed_while_the_sender_stops_is_still_handed_over(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    claiming = asyncio.Event()
    claim, loop = outbox.claim, asyncio.get_running_loop()

    def slow(*arguments: Any) -> list[attempts.Claimed]:
        taken = claim(*arguments)
        if taken:
            loop.call_soon_threadsafe(claiming.set)
            import time

            time.sleep(0.2)
        return taken

    monkeypatch.setattr(outbox, "claim", slow)
    sending = next(task for task in asyncio.all_tasks() if getattr(task.get_coro(), "__name__", "") == "run"
                   and "Sender" in getattr(task.get_coro(), "__qualname__", ""))  # fmt: skip
    await world.mail("normal")
    await claiming.wait()
    sending.cancel()
    await asyncio.gather(sending, return_exceptions=True)
    assert await world.sender.finish(5) == 0
    assert await world.states() == ["ACCEPTED"]
    assert len(on(world.first)) == 1
