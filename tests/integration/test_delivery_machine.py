"""Random faults, kills and failovers: what is paid is what phones hold is what we believe, and nothing goes twice.

The providers' rules against doubles are off where nothing may lean on them: whatever is on a phone twice was sent twice
by us. Over SMPP, and by mail where nobody can be asked, the law leans on the minute rule, so there it is on.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import shutil
import tempfile
from collections.abc import Coroutine, Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any, TypeVar, cast
from unittest import mock

import pytest
import structlog
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule, run_state_machine_as_test

from bridge.model import Message
from bridge.store import direct
from tests.integration import delivery_proof
from tests.integration.delivery_lives import DOORS, NAMES, SECRETS, Bridge, Clock, places, world
from tests.integration.told_time import ToldLoop

T = TypeVar("T")
CHAINS = (
    *((name,) for name in NAMES), NAMES, NAMES[::-1], ("gate", "http"), ("plain", "gate"), ("smpp", "http"),
    ("http", "smpp"), ("mail", "smpp"), ("lone-smpp", "mail"), ("gate", "lone-smpp"), ("get", "http"),
    ("smpp", "lone-mail", "plain"),
)  # fmt: skip
_IN_DOUBT: tuple[Mapping[str, Any], ...] = (
    {"drop": "before"}, {"drop": "after"}, {"silent": True}, {"silent": True, "take": False}, {"half": True},
    {"answer": "garbage"}, {"answer": "empty"}, {"answer": "html", "http_status": 502},
)  # fmt: skip
FAULTS = (*({"refuse": code} for code in range(1, 10)), *_IN_DOUBT, *_IN_DOUBT, *_IN_DOUBT)
OWN_FAULTS: Mapping[str, tuple[Mapping[str, Any], ...]] = {
    "smsc-smpp": tuple({"command_status": code} for code in (0x08, 0x0B, 0x0D, 0x14, 0x45, 0x58, 0x4FF)),
    "smsgate": ({"refuse": 3, "take": True},),  # kept until there is money
    "mail": ({"http_status": 451}, {"http_status": 554}),
}
FATES = ("delivered", "undelivered", "expired", "waiting")
RECEIPTS = ("normal", "none", "lost", "twice", "reversed")
SETTLING = (1, 2, 5, 10, 31, 61, 61, 121, 301, 301, 601, 901)
WHERE = ("paid", "asked", "both")
TROUBLE = st.sampled_from(NAMES).flatmap(lambda name: st.tuples(st.just(name), st.sampled_from(_faults(name))))


def _faults(name: str) -> tuple[Mapping[str, Any], ...]:
    gateway, door = DOORS[name].paid
    return (*FAULTS, *OWN_FAULTS.get(door, ()), *OWN_FAULTS.get(gateway, ()))


class Machine(RuleBasedStateMachine):
    """Alerts, misbehaving providers, time, and kills, in any order, on one node or two."""

    @initialize(
        repeated=st.sampled_from(["same id", "error", "no id"]), reports=st.sampled_from(["both", "tlvs", "text"]),
        nodes=st.sampled_from([1, 2]),
    )  # fmt: skip
    def begin(self, repeated: str, reports: str, nodes: int) -> None:
        folder, self.book = places()
        self.folder = Path(tempfile.mkdtemp(dir=folder))
        shutil.copy(folder / "empty.db", self.folder / "bridge.db")
        self.count = 0
        self.boots = [0] * nodes
        self.stack = contextlib.ExitStack()
        self.stack.enter_context(mock.patch.dict(os.environ, SECRETS))
        self.stack.enter_context(_quiet())
        self.runner = self.stack.enter_context(asyncio.Runner(loop_factory=ToldLoop))
        self.loop = cast("ToldLoop", self.runner.get_loop())
        self.clock = Clock(self.loop)
        self.world = self._run(world(self.loop, repeated, reports))
        self.bridges = [self._booted(node) for node in range(nodes)]

    def _booted(self, node: int) -> Bridge:
        self.boots[node] += 1
        path = self.folder / "bridge.db"
        bridge = Bridge(path, self.world.wire, self.book, self.loop, f"n{node + 1}", self.boots[node])
        self._go(bridge.run(bridge.open()))
        return bridge

    def _run(self, work: Coroutine[Any, Any, T]) -> T:
        return self.runner.run(work)

    def _go(self, work: Coroutine[Any, Any, object]) -> None:
        """*work*, and whatever follows of it without time passing."""

        async def go() -> None:
            await work
            await self.loop.quiet()

        self._run(go())

    def _of(self, node: int) -> Bridge:
        return self.bridges[node % len(self.bridges)]

    @rule(urgent=st.booleans(), chain=st.sampled_from(CHAINS))
    def alert(self, urgent: bool, chain: tuple[str, ...]) -> None:
        self.count += 1
        now = self.clock()
        message = Message(
            id=0, phone=f"+7701{self.count:07}", person="", text=f"alert {self.count}", encoding="GSM-7", segments=1,
            price=None, currency="KZT", rule="(send)", message_class="critical" if urgent else "normal", channel="sms",
            providers=chain, originator="", answerable=False, created_at=now, due_at=now,
            valid_until=now + timedelta(minutes=20), language="en",
        )  # fmt: skip
        self._go(self.bridges[0].store.write(lambda tx: direct.add(tx, message, "test")))

    @rule(trouble=TROUBLE, where=st.sampled_from(WHERE), times=st.sampled_from([1, 2, None]))
    def misbehave(self, trouble: tuple[str, Mapping[str, Any]], where: str, times: int | None) -> None:
        name, fault = trouble
        self._set(name, where, {"times": times, **fault})

    @rule(
        trouble=TROUBLE, urgent=st.booleans(), others=st.sampled_from(CHAINS), where=st.sampled_from(WHERE[::2]),
        times=st.sampled_from([1, 2]), node=st.sampled_from([0, 1]), rounds=st.sampled_from([0, 0, 3, 6]),
        alone=st.booleans(),
    )  # fmt: skip
    def alert_into_trouble(
        self, trouble: tuple[str, Mapping[str, Any]], urgent: bool, others: tuple[str, ...], where: str, times: int,
        node: int, rounds: int, alone: bool,
    ) -> None:  # fmt: skip
        """What chance alone brings together too rarely."""
        name, fault = trouble
        self._set(name, where, {"times": times, **fault})
        self.alert(urgent, (name, *(other for other in others if other != name and not alone)))
        self.send(node)
        self.life_goes_on(rounds)

    @rule(name=st.sampled_from(NAMES), times=st.sampled_from([2, 3]), node=st.sampled_from([0, 1]))
    def alert_that_never_arrives(self, name: str, times: int, node: int) -> None:
        """Its second copy goes the same way: which of them is a receipt about?"""
        self._set(name, "paid", {"times": times, "silent": True, "take": False})
        self.alert(True, (name,))
        self.send(node)
        self.life_goes_on(6)

    @rule(name=st.sampled_from(NAMES), fate=st.sampled_from(FATES), receipts=st.sampled_from(RECEIPTS))
    def what_the_network_does(self, name: str, fate: str, receipts: str) -> None:
        self._set(name, "paid", {"fate": fate, "receipts": receipts})

    def _set(self, name: str, where: str, fault: Mapping[str, Any]) -> None:
        door = DOORS[name]
        concerned = ((door.paid,) if where != "asked" else ()) + (door.asked if where != "paid" else ())
        on: dict[str, list[str]] = {}
        for gateway, page in concerned:
            on.setdefault(gateway, []).append(page)
        self.world.simulators[name].set_faults({gateway: {"all": {"on": on[gateway], **fault}} for gateway in on})

    @rule(
        name=st.sampled_from(["smpp", "lone-smpp"]),
        fault=st.sampled_from([
            {"on": ("bind",), "command_status": 0x0E}, {"on": ("bind",), "command_status": 0x08},
            {"on": ("link",), "silent": True},
        ]),
    )  # fmt: skip
    def trouble_with_the_link(self, name: str, fault: Mapping[str, Any]) -> None:
        """It breaks, and comes back or does not."""
        simulator = self.world.simulators[name]
        simulator.set_faults({"smsc-smpp": {"all": fault}})
        simulator.smpp.cut()
        self._go(asyncio.sleep(0))

    @rule(name=st.sampled_from(NAMES), paid=st.booleans())
    def money(self, name: str, paid: bool) -> None:
        accounts = self.world.simulators[name].air.accounts
        for login, account in accounts.items():
            accounts[login] = account.model_copy(update={"credit": 0 if paid else -(10**9)})

    @rule(name=st.sampled_from(NAMES))
    def cut(self, name: str) -> None:
        self.loop.cut(name)
        self._go(asyncio.sleep(0))

    @rule()
    def heal(self) -> None:
        self.loop.unreachable.clear()
        for name, simulator in self.world.simulators.items():
            simulator.set_faults({})
            self.money(name, True)

    @rule(node=st.sampled_from([0, 1]))
    def send(self, node: int) -> None:
        bridge = self._of(node)
        self._go(bridge.run(bridge.send()))

    @rule(node=st.sampled_from([0, 1]))
    def look(self, node: int) -> None:
        bridge = self._of(node)
        self._go(bridge.run(bridge.look()))

    @rule(node=st.sampled_from([0, 1]), order=st.sampled_from(["sent", "reversed", "twice", "lost"]))
    def posts_come(self, node: int, order: str) -> None:
        bridge = self._of(node)
        self._go(bridge.run(self.world.posts.come(bridge, order)))

    @rule(number=st.integers(1, 8))
    def problem_is_over(self, number: int) -> None:
        """What has not left is cancelled."""
        now = self.clock()
        self._go(self.bridges[0].store.write(lambda tx: direct.act(tx, "cancel", [number], "test", now)))

    @rule(seconds=st.sampled_from([1, 3, 10, 31, 62, 125, 400, 901]))
    def time_passes(self, seconds: int) -> None:
        self._go(asyncio.sleep(seconds))

    @rule(rounds=st.integers(2, 6))
    def life_goes_on(self, rounds: int) -> None:
        """Nodes send and ask while time passes, whatever is broken."""
        for seconds in (2, 10, 31, 62, 125, 301)[:rounds]:
            self.time_passes(seconds)
            self._everybody_works()

    def _everybody_works(self) -> None:
        for node in range(len(self.bridges)):
            self.send(node)
            self.look(node)
            self.look(node)

    @rule(
        node=st.sampled_from([0, 1]), when=st.sampled_from(["before", "after", "unwritten"]), asking=st.booleans()
    )  # fmt: skip
    def kill(self, node: int, when: str, asking: bool) -> None:
        """With a request on the wire, or with the answer in hand and nothing written."""
        bridge = self._of(node)
        self.world.wire.kill = (bridge.owner, when)
        if when == "unwritten":
            bridge.write_nothing()
        self._go(bridge.run(bridge.look() if asking else bridge.send()))
        self._end(node)

    @rule(
        node=st.sampled_from([0, 1]), after=st.sampled_from([0.0, 0.35, 0.35]), steps=st.integers(0, 24),
        asking=st.booleans(), urgent=st.booleans(), chain=st.sampled_from(CHAINS),
    )  # fmt: skip
    def kill_anywhere(
        self, node: int, after: float, steps: int, asking: bool, urgent: bool, chain: tuple[str, ...]
    ) -> None:
        """Between any two things that happen; *after* so many seconds the network has something to say."""
        bridge = self._of(node)
        self.alert(urgent, chain)

        async def going() -> None:
            self.loop.create_task(bridge.look() if asking else bridge.send(), context=bridge.context)
            await asyncio.sleep(after)
            await self.loop.steps(steps)

        self._run(going())
        self._end(node)

    def _end(self, node: int) -> None:
        node %= len(self.bridges)
        self._run(self.bridges[node].die())
        self.world.wire.kill = ("", "")
        self.bridges[node] = self._booted(node)

    def teardown(self) -> None:
        if not hasattr(self, "bridges"):
            return
        try:
            self.heal()
            for seconds in SETTLING:
                self.time_passes(seconds)
                for bridge in self.bridges:
                    for account in bridge.gateways.accounts:
                        bridge.gateways.resume(account)
                self._everybody_works()
            self._check()
        finally:
            for bridge in self.bridges:
                self._run(bridge.die())
            self.stack.close()
            shutil.rmtree(self.folder)

    def _check(self) -> None:
        assert all(bridge.sender.under_way == 0 for bridge in self.bridges)
        ours = delivery_proof.rows(self._rows(delivery_proof.MESSAGES), self._rows(delivery_proof.ATTEMPTS))
        given_up = [row[0] for row in self._rows(delivery_proof.GIVEN_UP)]
        delivery_proof.check_receipts(self.world.simulators, self._rows(delivery_proof.RECEIPTS))
        delivery_proof.check(self.world.simulators, ours, given_up)

    def _rows(self, sql: str) -> list[Any]:
        return self._run(self.bridges[0].store.read(lambda tx: tx.raw(sql)))


@contextlib.contextmanager
def _quiet() -> Any:
    """Ten thousand stories of failure need no log."""
    kept, level = structlog.get_config(), logging.root.manager.disable
    nothing = structlog.make_filtering_bound_logger(logging.CRITICAL)
    structlog.configure(processors=[], wrapper_class=nothing, logger_factory=structlog.ReturnLoggerFactory())
    logging.disable(logging.CRITICAL)
    try:
        yield
    finally:
        structlog.configure(**kept)
        logging.disable(level)


_HARD: dict[str, Any] = {"deadline": None, "stateful_step_count": 30, "suppress_health_check": list(HealthCheck)}


@pytest.mark.no_cover
@pytest.mark.timeout(120)
def test_F01_F07_F13_what_is_paid_is_on_phones_and_is_accepted() -> None:
    run_state_machine_as_test(Machine, settings=settings(max_examples=100, derandomize=True, **_HARD))


@pytest.mark.proof
def test_F01_F07_F13_ten_thousand_lives_pay_for_nothing_twice() -> None:
    run_state_machine_as_test(Machine, settings=settings(max_examples=10_000, print_blob=True, **_HARD))
