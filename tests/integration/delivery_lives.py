"""The product's delivery in one process with its providers: a wire without sockets, and a clock that is told the time.

Sender, watcher, gateways and store are the product's own. A kill leaves what a kill leaves: the file, and what the
provider took.
"""

from __future__ import annotations

import asyncio
import atexit
import os
import shutil
import tempfile
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import urlencode, urlsplit

from bridge.book import RuleBook
from bridge.book.loading import load_book
from bridge.delivery.gateways import Gateways
from bridge.delivery.sender import Sender
from bridge.delivery.watcher import Watcher
from bridge.dispatch.decide import bound
from bridge.errors import NotSent, OutcomeUnknown
from bridge.model import Happening
from bridge.providers.build import gateways as open_gateways
from bridge.providers.http import Answer
from bridge.simulator.doors import spoil
from bridge.simulator.faults import Fault
from bridge.simulator.settings import Account, Limits, SmsgateSwitches, Switches
from bridge.simulator.simulator import Simulator
from bridge.simulator.smsc.request import Raw as SmscRaw
from bridge.simulator.smsgate.asked import Raw as SmsgateRaw
from bridge.store import outbox, plans
from bridge.store.engine import Store, Tx

START = datetime(2026, 11, 21, 3, 12, tzinfo=UTC)
PRICE, BALANCE = Decimal(18), Decimal(1_000_000)
NAMES = ("first", "second", "third")
CONFIG = """
listen: [{door: smtp, address: "127.0.0.1:2525", trust: 127.0.0.0/8}]
domains: bridge.test
operator: {mail: operator@bridge.test}
outgoing_mail: {relay: "smtp://127.0.0.1:1", from: sms@bridge.test, tls: "off"}
region: KZ
currency: KZT
people: {aigul: {phone: "+77010000001"}}
providers:
  first: {type: smsc-http, base_url: "https://first", login: acme, password: {env: MACHINE}}
  second: {type: smsgate-json, base_url: "https://second", login: acme, password: {env: MACHINE}}
  third:
    type: plain-http
    base_url: https://third/sys/send.php
    login: acme
    password: {env: MACHINE}
    request: {login: "{login}", psw: "{password}", phones: "{phone}", mes: "{text}", id: "{id}",
              charset: utf-8, fmt: "3"}
    success: '"id": ?"?(?P<id>[0-9]+)"?.*"cnt"'
    failure: '"error": ?"(?P<code>[^"]*)"'
    plain:
      answers: [{place: /error_code, is: ["1", "5", "6", "7", "8"], means: refused},
                {place: /error_code, is: ["2"], means: password}, {place: /error_code, is: ["3"], means: money}]
"""


@cache
def places() -> tuple[Path, RuleBook]:
    """A folder for store files (in memory where there is one), with an empty store to copy, and the rule book."""
    shared = Path("/dev/shm")
    folder = Path(tempfile.mkdtemp(prefix="machine-", dir=shared if os.access(shared, os.W_OK) else None))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    (folder / "rules").mkdir()
    (folder / "config.yaml").write_text(CONFIG)
    asyncio.run(_made(folder / "empty.db"))
    return folder, load_book(folder / "config.yaml").require()


async def _made(path: Path) -> None:
    store = Store(path)
    await store.open()
    store.close()


class Clock:
    now = START

    def __call__(self) -> datetime:
        return self.now


class Wire:
    """What an ``HttpClient`` is to gateways. *kill*: the bridge dies ``before`` or ``after`` the next paid request."""

    def __init__(self, simulators: Mapping[str, Simulator]) -> None:
        self._simulators = simulators
        self.cut: set[str] = set()
        self.kill = ""
        self.hanging = 0

    async def post(self, url: str, form: Mapping[str, str], *, within: float, most: int = 0) -> Answer:
        return await self.ask("POST", url, urlencode(form).encode(), {}, within=within)

    async def ask(
        self, method: str, url: str, body: bytes | None, headers: Mapping[str, str], *, within: float, most: int = 0
    ) -> Answer:
        await asyncio.sleep(0)
        parts = urlsplit(url)
        host, paid = parts.hostname or "", parts.path.endswith(("send.php", "sendmessagejson.php"))
        if host in self.cut:
            raise NotSent("no connection")
        if paid and self.kill == "before":
            await self._hang()
        fault, answer = self._played(self._simulators[host], method, parts.path, parts.query, body or b"")
        if paid and self.kill == "after":
            await self._hang()
        if fault.silent or fault.half or fault.drop in ("before", "after"):
            raise OutcomeUnknown("the connection broke")
        return answer

    async def _hang(self) -> None:
        """For ever: whoever waits here is killed."""
        self.hanging += 1
        try:
            await asyncio.Event().wait()
        finally:
            self.hanging -= 1

    @staticmethod
    def _played(simulator: Simulator, method: str, path: str, query: str, body: bytes) -> tuple[Fault, Answer]:
        """What the provider does with one request, and how its door misbehaves."""
        page = path.rpartition("/")[2].removesuffix(".php")
        gateway: Any = simulator.smsc if path.startswith("/sys/") else simulator.smsgate
        raw: Any = SmsgateRaw(page, method, path, query, body, "", "")
        if gateway is simulator.smsc:
            raw = SmscRaw(page, method, path, query.encode(), body, "application/x-www-form-urlencoded", "", "")
        met = gateway.meet(raw)
        fault = met.door
        if not fault.takes and fault.refuse is None:
            return fault, Answer(200, b"")
        answered = gateway.answer(raw, met)
        reply, status = answered if isinstance(answered, tuple) else (answered, 200)
        status = status if fault.http_status == 200 else fault.http_status
        return fault, Answer(status, spoil(reply, fault).body)


class Bridge:
    """One life of the product's delivery over a store file; what comes after a kill is another one."""

    def __init__(self, path: Path, wire: Wire, book: RuleBook, clock: Clock, boot: int) -> None:
        self.store = Store(path)
        self.owner = f"n1/{boot}"
        self._book = book
        self._clock = clock
        doors = open_gateways(book.config.providers, wire)  # type: ignore[arg-type]
        self.gateways = Gateways(doors, clock)
        self.sender = Sender(self.store, lambda: self.gateways, owner=self.owner, now=clock, decide_failed=self._decide)
        self._watcher = Watcher(
            self.store, lambda: self.gateways, owner=self.owner, now=clock, decide=self._decide,
            submit=self.sender.submit,
        )  # fmt: skip

    async def open(self) -> None:
        await self.store.open()
        await self.store.write(lambda tx: outbox.orphans(tx, "n1", self.owner, self._clock()))

    def _decide(self, tx: Tx, happenings: Sequence[Happening]) -> None:
        decided = plans.plan(tx, happenings, *bound(self._book, self._clock()), self._clock())
        assert [one.error for one in decided if one.error] == []

    async def send(self) -> None:
        """Whatever may go leaves."""
        await self.sender._expire()
        for claimed in await self.sender._claim():
            self.sender.submit(claimed)

    async def look(self) -> None:
        """Whatever is due is asked for."""
        await self._watcher.sweep()
        while await self._watcher.round():
            pass

    async def settle(self, wire: Wire) -> None:
        """Every answer that comes at all has come; the outcomes are still in memory."""
        while self.sender.under_way > wire.hanging:
            await asyncio.sleep(0)

    async def write(self) -> None:
        while self.sender._outcomes:
            await self.sender._write_outcomes()

    async def die(self) -> None:
        """Nothing more is written, whatever was in memory."""
        under_way = list(self.sender._under_way)
        for task in under_way:
            task.cancel()
        await asyncio.gather(*under_way, return_exceptions=True)
        self.store.close()


def provider(clock: Clock, repeated: Any) -> Simulator:
    """One pretend provider. *repeated*: what smsgate says to a number that it has already."""
    limits = Limits(
        identical_seconds=0, prices_a_minute=10**6, status_a_minute=10**6, status_lists_a_minute=10**6,
        balance_a_minute=10**6, answers_a_minute=10**6, flood_messages=10**6, bad_requests_a_minute=10**6,
    )  # fmt: skip
    account = Account(login="acme", password="canary-Passw0rd", balance=BALANCE, prices={"default": PRICE})
    smsgate = SmsgateSwitches(identical_get=False, repeated=repeated)
    return Simulator(accounts=(account,), switches=Switches(limits=limits, smsgate=smsgate), now=clock)
