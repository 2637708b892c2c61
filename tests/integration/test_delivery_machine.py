"""Random faults, kills and failovers: what is paid is what phones hold is what we believe, and nothing goes twice.

The providers' rules against doubles are off: whatever is on a phone twice was sent twice by us.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import shutil
import tempfile
from collections import Counter
from collections.abc import Coroutine, Mapping, Sequence
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any, TypeVar
from unittest import mock

import pytest
import structlog
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule, run_state_machine_as_test

from bridge.model import Message
from bridge.store import direct
from tests.integration.delivery_lives import BALANCE, NAMES, PRICE, Bridge, Clock, Wire, places, provider

T = TypeVar("T")
CHAINS = (("first",), ("second",), ("third",), NAMES, ("second", "first"), ("third", "second"))
FAULTS: tuple[Mapping[str, Any], ...] = (
    *({"refuse": code} for code in range(1, 10)),
    {"drop": "before"}, {"drop": "after"}, {"silent": True}, {"silent": True, "take": False}, {"half": True},
    {"answer": "garbage"}, {"answer": "empty"}, {"answer": "html", "http_status": 502},
)  # fmt: skip
FATES = ("delivered", "undelivered", "expired", "waiting")
SETTLING = (1, 2, 5, 10, 31, 61, 61, 121, 301, 301, 601, 601, 901, 1801, 1801)
TAKEN = ("ACCEPTED", "ACCEPTED_NO_ID", "DELIVERED", "UNDELIVERED")


class Machine(RuleBasedStateMachine):
    """Alerts, misbehaving providers, time, and kills, in any order."""

    @initialize(repeated=st.sampled_from(["same id", "error", "no id"]))
    def begin(self, repeated: Any) -> None:
        folder, self.book = places()
        self.folder = Path(tempfile.mkdtemp(dir=folder))
        shutil.copy(folder / "empty.db", self.folder / "bridge.db")
        self.clock, self.boot, self.count = Clock(), 1, 0
        self.stack = contextlib.ExitStack()
        self.stack.enter_context(mock.patch.dict(os.environ, {"MACHINE": "canary-Passw0rd"}))
        self.stack.enter_context(mock.patch("bridge.providers.smsc_http.SAME_REQUEST_PAUSE", 0.0))
        self.stack.enter_context(_quiet())
        self.simulators = {name: provider(self.clock, repeated) for name in NAMES}
        self.wire = Wire(self.simulators)
        self.runner = self.stack.enter_context(asyncio.Runner())
        self.bridge = self._booted()

    def _booted(self) -> Bridge:
        bridge = Bridge(self.folder / "bridge.db", self.wire, self.book, self.clock, self.boot)
        self._run(bridge.open())
        return bridge

    def _run(self, work: Coroutine[Any, Any, T]) -> T:
        return self.runner.run(work)

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
        self._run(self.bridge.store.write(lambda tx: direct.add(tx, message, "test")))

    @rule(
        name=st.sampled_from(NAMES),
        fault=st.sampled_from(FAULTS),
        on=st.sampled_from([("send",), ("status",), ("send", "status")]),
        times=st.sampled_from([1, 2, None]),
    )
    def misbehave(self, name: str, fault: Mapping[str, Any], on: tuple[str, ...], times: int | None) -> None:
        self._set(name, {"on": on, "times": times, **fault})

    @rule(
        urgent=st.booleans(), chain=st.sampled_from(CHAINS), fault=st.sampled_from(FAULTS),
        on=st.sampled_from([("send",), ("send", "status")]), times=st.sampled_from([1, 2]),
    )  # fmt: skip
    def alert_into_trouble(
        self, urgent: bool, chain: tuple[str, ...], fault: Mapping[str, Any], on: tuple[str, ...], times: int
    ) -> None:
        """What chance alone brings together too rarely."""
        self._set(chain[0], {"on": on, "times": times, **fault})
        self.alert(urgent, chain)
        self.send()

    @rule(name=st.sampled_from(NAMES), fate=st.sampled_from(FATES))
    def what_the_network_does(self, name: str, fate: str) -> None:
        self._set(name, {"fate": fate})

    def _set(self, name: str, fault: Mapping[str, Any]) -> None:
        family = "smsgate" if name == "second" else "smsc"
        self.simulators[name].set_faults({family: {"all": fault}})

    @rule(name=st.sampled_from(NAMES))
    def cut(self, name: str) -> None:
        self.wire.cut.add(name)

    @rule()
    def heal(self) -> None:
        self.wire.cut.clear()
        for simulator in self.simulators.values():
            simulator.set_faults({})

    @rule()
    def send(self) -> None:
        self._go(self.bridge.send())

    @rule()
    def look(self) -> None:
        self._go(self.bridge.look())

    def _go(self, work: Coroutine[Any, Any, None]) -> None:
        async def go() -> None:
            await work
            await self.bridge.settle(self.wire)
            await self.bridge.write()

        self._run(go())

    @rule(seconds=st.sampled_from([1, 3, 10, 31, 62, 125, 400, 901]))
    def time_passes(self, seconds: int) -> None:
        self.clock.now += timedelta(seconds=seconds)
        for simulator in self.simulators.values():
            simulator.messages()

    @rule(when=st.sampled_from(["before", "after", "unwritten"]), asking=st.booleans())
    def kill(self, when: str, asking: bool) -> None:
        """With a request on the wire, or with the answer in hand and nothing written."""

        async def dying() -> None:
            self.wire.kill = when
            await (self.bridge.look() if asking else self.bridge.send())
            await self.bridge.settle(self.wire)
            await self.bridge.die()

        self._run(dying())
        self.wire.kill = ""
        self.boot += 1
        self.bridge = self._booted()

    def teardown(self) -> None:
        if not hasattr(self, "bridge"):
            return
        try:
            self.heal()
            for seconds in SETTLING:
                self.time_passes(seconds)
                for account in self.bridge.gateways.accounts:
                    self.bridge.gateways.resume(account)
                self.send()
                self.look()
                self.look()
            self._check()
        finally:
            self._run(self.bridge.die())
            self.stack.close()
            shutil.rmtree(self.folder)

    # what must hold

    def _check(self) -> None:
        found = {name: simulator.messages() for name, simulator in self.simulators.items()}
        for name, held in found.items():
            paid = BALANCE - self.simulators[name].air.accounts["acme"].balance
            assert paid == sum((one.cost for one in held), Decimal(0)) == PRICE * len(held), name
        sms = self._sms()
        rows = self._rows("SELECT id, text, state, class, cost, copy FROM messages ORDER BY id")
        attempts = self._rows("SELECT message_id, provider, client_id, state FROM submissions")
        given = {(provider, client_id) for _, provider, client_id, _ in attempts}
        assert set(sms) <= given, "an SMS of which the store knows nothing"
        by_alert: Counter[str] = Counter()
        copies: Counter[str] = Counter()
        for number, text, state, urgency, cost, copy in rows:
            mine = [one for one in attempts if one[0] == number]
            arrived = sum(sms[key] for key in {(provider, client_id) for _, provider, client_id, _ in mine})
            self._check_one(arrived, state, [one[3] for one in mine], (number, state, mine))
            assert cost is None or Decimal(cost) == PRICE
            by_alert[text] += arrived
            copies[text] += copy
            assert urgency == "critical" or not copy
        assert all(by_alert[text] <= 1 + copies[text] for text in by_alert), (by_alert, copies)
        given_up = Counter(
            row[0] for row in self._rows("SELECT message_id FROM journal WHERE kind = 'attempt.given_up'")
        )
        assert sum(copies.values()) <= sum(given_up.values()), "a second copy without a first whose fate nobody knew"

    @staticmethod
    def _check_one(arrived: int, state: str, attempts: Sequence[str], shown: object) -> None:
        """No message goes twice, and what its state says is so."""
        assert arrived <= 1, shown
        assert attempts.count("ACCEPTED") <= 1, shown
        assert arrived >= attempts.count("ACCEPTED"), shown
        assert "INFLIGHT" not in attempts, shown
        if state in TAKEN:
            assert arrived == 1, shown
        elif "UNKNOWN" not in attempts and state != "EXPIRED":
            assert arrived == 0, shown
        assert state not in ("READY", "INFLIGHT"), shown

    def _sms(self) -> Counter[tuple[str, str]]:
        """SMS on phones by provider and our id."""
        found: Counter[tuple[str, str]] = Counter()
        for name in ("first", "third"):
            found.update((name, one.id) for one in self.simulators[name].messages())
        cascades = self.simulators["second"].smsgate.cascades.by_id.values()
        found.update(("second", one.client_id) for one in cascades if one.begun)
        return found

    def _rows(self, sql: str) -> list[Any]:
        return self._run(self.bridge.store.read(lambda tx: tx.raw(sql)))


@contextlib.contextmanager
def _quiet() -> Any:
    """Ten thousand stories of failure need no log."""
    kept, level = structlog.get_config(), logging.root.manager.disable
    structlog.configure(logger_factory=structlog.ReturnLoggerFactory())
    logging.disable(logging.CRITICAL)
    try:
        yield
    finally:
        structlog.configure(**kept)
        logging.disable(level)


_HARD = {"deadline": None, "stateful_step_count": 30, "suppress_health_check": list(HealthCheck)}


@pytest.mark.timeout(120)
def test_F01_F07_F13_what_is_paid_is_on_phones_and_is_accepted() -> None:
    run_state_machine_as_test(Machine, settings=settings(max_examples=120, derandomize=True, **_HARD))


@pytest.mark.proof
def test_F01_F07_F13_ten_thousand_lives_pay_for_nothing_twice() -> None:
    run_state_machine_as_test(Machine, settings=settings(max_examples=10_000, print_blob=True, **_HARD))
