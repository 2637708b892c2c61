"""The product's delivery in one process with its providers, without sockets and in told time.

Sender, watcher, links, gateways, callbacks and store are the product's own; SMPP and SMTP run down to their octets. A
kill leaves what a kill leaves: the file, and what the provider took.
"""

from __future__ import annotations

import asyncio
import atexit
import contextvars
import os
import shutil
import ssl
import tempfile
from collections.abc import Coroutine, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import urlencode, urlsplit

from bridge.book import RuleBook
from bridge.book.loading import load_book
from bridge.delivery.gateways import Gateways
from bridge.delivery.links import Links
from bridge.delivery.relays import mail_ways
from bridge.delivery.sender import Sender
from bridge.delivery.watcher import Watcher
from bridge.dispatch.decide import bound
from bridge.errors import NotSent, OutcomeUnknown
from bridge.model import Happening
from bridge.providers.build import gateways as open_gateways
from bridge.providers.http import Answer
from bridge.simulator.doors import spoil
from bridge.simulator.faults import Fault
from bridge.simulator.records import Post
from bridge.simulator.settings import Account, Handler, Limits, SmppSwitches, SmsgateSwitches, Switches
from bridge.simulator.simulator import Simulator
from bridge.simulator.smsc.request import Raw as SmscRaw
from bridge.simulator.smsgate.asked import Raw as SmsgateRaw
from bridge.store import fates, plans
from bridge.store.engine import Store, Tx
from bridge.web.callbacks import Callbacks, handlers
from tests.integration.told_time import NODE, ToldLoop, ToldStore

T = TypeVar("T")
START = datetime(2026, 11, 21, 3, 12, tzinfo=UTC)
PRICE, BALANCE = Decimal(18), Decimal(1_000_000)


@dataclass(frozen=True, slots=True)
class Door:
    """One way to a provider of its own. *paid* names its hand-overs, *asked* its questions: (gateway, door) of faults.

    *minute*: the provider refuses a double within a minute, and the product leans on that. *ours*: the provider shows
    our id.
    """

    paid: tuple[str, str]
    asked: tuple[tuple[str, str], ...]
    minute: bool = False
    ours: bool = True


_STATUS = (("smsc", "status"),)
_LIST = (("smsc", "get"), ("smsc-smpp", "status"))
DOORS: Mapping[str, Door] = {
    "http": Door(("smsc", "send"), _STATUS),
    "gate": Door(("smsgate", "send"), (("smsgate", "status"),)),
    "get": Door(("smsgate", "send"), (("smsgate", "status"),), minute=True, ours=False),
    "plain": Door(("smsc", "send"), _STATUS),
    "smpp": Door(("smsc-smpp", "send"), _LIST, minute=True, ours=False),
    "mail": Door(("smsc", "mail"), _STATUS),
    "lone-smpp": Door(("smsc-smpp", "send"), (("smsc-smpp", "status"),), minute=True, ours=False),
    "lone-mail": Door(("smsc", "mail"), (), minute=True),
}
NAMES = tuple(DOORS)
WITHOUT_AN_ANSWER = ("mail", "lone-mail")
"""A relay's 250 is all that a hand-over brings there."""

_LOGIN = "login: acme, password: {env: MACHINE}"
_CALLED = "callbacks: {path: {env: MACHINE_PATH}, secret: {env: MACHINE}}"
CONFIG = f"""
listen:
  - {{door: smtp, address: "127.0.0.1:2525", trust: 127.0.0.0/8}}
  - {{door: http, address: "127.0.0.1:8025"}}
domains: bridge.test
operator: {{mail: operator@bridge.test}}
outgoing_mail: {{relay: "smtp://127.0.0.1:1", from: sms@bridge.test, tls: "off"}}
region: KZ
currency: KZT
people: {{aigul: {{phone: "+77010000001"}}}}
providers:
  http: {{type: smsc-http, base_url: "https://http", {_LOGIN}, {_CALLED}}}
  gate: {{type: smsgate-json, base_url: "https://gate", sender: ACME, {_LOGIN}}}
  get: {{type: smsgate-get, base_url: "https://get", sender: ACME, login: got, password: {{env: MACHINE}}}}
  plain:
    type: plain-http
    base_url: https://plain/sys/send.php
    login: acme
    password: {{env: MACHINE}}
    request: {{login: "{{login}}", psw: "{{password}}", phones: "{{phone}}", mes: "{{text}}", id: "{{id}}",
              charset: utf-8, fmt: "3"}}
    success: '"id": ?"?(?P<id>[0-9]+)"?.*"cnt"'
    failure: '"error": ?"(?P<code>[^"]*)"'
    plain:
      answers: [{{place: /error_code, is: ["1", "5", "6", "7", "8"], means: refused}},
                {{place: /error_code, is: ["2"], means: password}}, {{place: /error_code, is: ["3"], means: money}}]
  smpp: {{type: smsc-smpp, hosts: ["smpp:3700"], tls: "off", insecure: true, status: list, login: linked,
         password: {{env: MACHINE}}}}
  list: {{type: smsc-http, base_url: "https://smpp", login: linked, password: {{env: MACHINE}}}}
  mail: {{type: smsc-smtp, relay: "smtp://mail:25", to: send@send.smsc.test, tls: "off", insecure: true,
         mail_from: bounce@bridge.test, status: asked, login: post, password: {{env: MACHINE}}}}
  asked: {{type: smsc-http, base_url: "https://mail", login: post, password: {{env: MACHINE}}}}
  lone-smpp: {{type: smsc-smpp, hosts: ["lone-smpp:3700"], tls: "off", insecure: true, login: lone,
              password: {{env: MACHINE}}}}
  lone-mail: {{type: smsc-smtp, relay: "smtp://lone-mail:25", to: send@send.smsc.test, tls: "off", insecure: true,
              mail_from: bounce@bridge.test, on_unknown: resend, login: blind, password: {{env: MACHINE}}}}
"""
_LOGINS = {"get": "got", "smpp": "linked", "mail": "post", "lone-smpp": "lone", "lone-mail": "blind"}
SECRETS = {"MACHINE": "canaryPW", "MACHINE_PATH": "a-path-of-the-pretend-machine"}


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


@cache
def _trust() -> ssl.SSLContext:
    """Never used, and slow to make."""
    return ssl.create_default_context()


class Clock:
    """The loop's time as a date."""

    def __init__(self, loop: ToldLoop) -> None:
        self._loop = loop

    def __call__(self) -> datetime:
        return START + timedelta(seconds=self._loop.time())


class Wire:
    """What an ``HttpClient`` is to gateways. *kill*: a node dies ``before`` or ``after`` its next paid request."""

    def __init__(self, simulators: Mapping[str, Simulator], loop: ToldLoop) -> None:
        self._simulators = simulators
        self._loop = loop
        self.kill = ("", "")  # node, when

    async def post(self, url: str, form: Mapping[str, str], *, within: float, most: int = 0) -> Answer:
        return await self.ask("POST", url, urlencode(form).encode(), {}, within=within)

    async def ask(
        self, method: str, url: str, body: bytes | None, headers: Mapping[str, str], *, within: float, most: int = 0
    ) -> Answer:
        await asyncio.sleep(0)
        parts = urlsplit(url)
        host, paid = parts.hostname or "", _is_paid(parts.path, parts.query, body or b"")
        if host in self._loop.unreachable:
            raise NotSent("no connection")
        if paid and self.kill == (NODE.get(), "before"):
            await asyncio.Event().wait()
        fault, answer = self._played(self._simulators[host], method, parts.path, parts.query, body or b"")
        await asyncio.sleep(0)
        if paid and self.kill == (NODE.get(), "after"):
            await asyncio.Event().wait()
        if fault.silent:
            await asyncio.sleep(within)
        if fault.silent or fault.half or fault.drop in ("before", "after"):
            raise OutcomeUnknown("the connection broke")
        return answer

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


def _is_paid(path: str, query: str, body: bytes) -> bool:
    """Whether the request hands a message over; some pages also answer questions."""
    match path.rpartition("/")[2]:
        case "send.php":
            return b"cost=1" not in body
        case "sendmessagejson.php":
            return b'"message"' in body
        case page:
            return page == "sendmessage.php" and "id_message=" not in query


class Bridge:
    """One life of the product's delivery over a store file; what comes after a kill is another one."""

    def __init__(self, path: Path, wire: Wire, book: RuleBook, loop: ToldLoop, node: str, boot: int) -> None:
        self.owner = f"{node}/{boot}"
        self.context = contextvars.copy_context()
        self.context.run(NODE.set, self.owner)
        self.store = ToldStore(path)
        self._node = node
        self._book = book
        self._loop = loop
        self._clock = clock = Clock(loop)
        doors = open_gateways(
            book.config.providers, wire, mail_ways(None, "bridge.test", trust=_trust())  # type: ignore[arg-type]
        )  # fmt: skip
        self.gateways = Gateways(doors, clock)
        self.sender = Sender(self.store, lambda: self.gateways, owner=self.owner, now=clock, decide_failed=self._decide)
        self._watcher = Watcher(
            self.store, lambda: self.gateways, owner=self.owner, now=clock, decide=self._decide,
            submit=self.sender.submit,
        )  # fmt: skip
        self._links = Links(
            self.store, lambda: self.gateways, now=clock, decide=self._decide, arrived=lambda: None
        )  # fmt: skip
        accounts = {name: gateway.account for name, gateway in doors.items()}
        self.callbacks = Callbacks(
            self.store, lambda: book, handlers(book.config, accounts), clock, lambda: None
        )  # fmt: skip
        self._writing: asyncio.Task[None] | None = None

    async def run(self, work: Coroutine[Any, Any, T]) -> T:
        """*work* as a part of this node."""
        return await self._loop.create_task(work, context=self.context)

    async def open(self) -> None:
        await self.store.open()
        await self.store.write(lambda tx: fates.orphans(tx, self._node, self.owner, self._clock()))
        await self._links.follow()
        self._writing = asyncio.get_running_loop().create_task(self.sender._flush_loop())

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
        await self._links.look_again()

    def write_nothing(self) -> None:
        """Outcomes stay in memory from now on."""
        assert self._writing is not None
        self._writing.cancel()

    async def die(self) -> None:
        """Nothing more is written, whatever was in memory."""
        self.store.close()
        await self._loop.kill(self.owner)


class Posts:
    """What providers post to us, until somebody brings it; *deliver* in which order, and how often."""

    def __init__(self) -> None:
        self._waiting: list[Post] = []

    def put(self, post: Post) -> None:
        self._waiting.append(post)

    async def come(self, bridge: Bridge, order: str) -> None:
        """*order*: ``sent``, ``reversed``, ``twice`` or ``lost``."""
        posts, self._waiting = self._waiting, []
        if order == "lost":
            return
        for post in reversed(posts) if order == "reversed" else posts * (2 if order == "twice" else 1):
            path = urlsplit(post.url).path.rpartition("/")[2]
            answer = await bridge.callbacks(path, post.body, post.content_type, {})
            assert answer.status == 200, (post, answer)


@dataclass(frozen=True, slots=True)
class World:
    """All providers, the wire to them, and their posts."""

    simulators: Mapping[str, Simulator]
    wire: Wire
    posts: Posts


async def world(loop: ToldLoop, repeated: Any, reports: Any) -> World:
    """Pretend providers. *repeated*: what smsgate says to a number that it has already. *reports*: form of receipts."""
    posts, clock = Posts(), Clock(loop)
    simulators = {name: _provider(name, door, clock, repeated, reports) for name, door in DOORS.items()}
    for name, simulator in simulators.items():
        simulator.courier.put = posts.put  # type: ignore[method-assign]
        loop.create_task(simulator.air.timers.run(), name=f"network of {name}")
        if DOORS[name].paid[0] == "smsc-smpp":
            await simulator.listen_for_smpp(name, 3700)
        elif DOORS[name].paid[1] == "mail":
            await simulator.listen_for_mail(name, 25)
    url = f"https://bridge.test/callbacks/smsc/{SECRETS['MACHINE_PATH']}?charset=utf-8&sha1={SECRETS['MACHINE']}"
    simulators["http"].air.handlers = (Handler(url=url),)
    return World(simulators, Wire(simulators, loop), posts)


def _provider(name: str, door: Door, clock: Clock, repeated: Any, reports: Any) -> Simulator:
    limits = Limits(
        identical_seconds=60 if door.minute else 0, prices_a_minute=10**6, status_a_minute=10**6,
        status_lists_a_minute=10**6, balance_a_minute=10**6, answers_a_minute=10**6, flood_messages=10**6,
        bad_requests_a_minute=10**6,
    )  # fmt: skip
    account = Account(
        login=_LOGINS.get(name, "acme"), password=SECRETS["MACHINE"], balance=BALANCE, prices={"default": PRICE}
    )
    switches = Switches(
        limits=limits, smsgate=SmsgateSwitches(repeated=repeated),
        smpp=SmppSwitches(receipts=reports),
    )  # fmt: skip
    return Simulator(accounts=(account,), switches=switches, now=clock)
