"""The web room over a real store, a real rule book and real sockets; what happens is decided as in the product."""

from __future__ import annotations

import hashlib
import re
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import aiohttp
from prometheus_client import CollectorRegistry, Counter

from bridge.book import RuleBook
from bridge.book.loading import load_book
from bridge.dispatch.decide import bound
from bridge.intake.read import read
from bridge.model import Envelope, Happening, Order, Recipient, Reply, StoredMail
from bridge.simulator.simulator import Simulator
from bridge.store import inbound, mails, outbox, plans
from bridge.store.attempts import Outcome, Prepared
from bridge.store.engine import Store
from bridge.web.app import create
from bridge.web.callbacks import Callbacks, handlers
from bridge.web.hub import Hub
from bridge.web.ports import CallbackAnswer, DemoInfo, DemoMail, Health, Part, Ports
from bridge.web.server import HttpServer

NOW = datetime(2026, 11, 21, 3, 0, tzinfo=UTC)  # 08:00 in Almaty
AIGUL, IVAN, NUMBER = "+77010000001", "+77010000002", "+77770000000"
PATH, SECRET = "a-long-random-path-of-ours", "callback-secret"
ACCOUNT = "smsc:demo"
CONFIG = """
listen:
  - {door: smtp, address: "127.0.0.1:2525", trust: 127.0.0.0/8}
  - {door: http, address: "127.0.0.1:8025"}
domains: bridge.test
operator: {mail: operator@bridge.test}
outgoing_mail: {relay: "smtp://127.0.0.1:2526", from: sms@bridge.test}
region: KZ
timezone: Asia/Almaty
people:
  aigul: {name: Aigul, phone: "+77010000001", email: aigul@bridge.test}
  ivan: {name: Ivan, phone: "+77010000002", language: ru}
teams: {both: {members: [aigul, ivan], email: both@bridge.test}}
rotas: {night: {members: [aigul, ivan], starts: 2026-01-05, every: 1w}}
providers:
  smsc: {type: smsc-http, base_url: "https://smsc.kz", login: demo, password: {env: WEB_X}, number: "+77770000000",
         currency: KZT, prices: {default: 18.00}, inbound: callback,
         callbacks: {path: {env: WEB_PATH}, secret: {env: WEB_SECRET}}}
budgets: {total: {money: 100000 KZT/day}}
"""
RULES = """
rules:
  - {rule: switches, when: {recipient: oncall@bridge.test, host: "sw*"}, to: ivan}
  - {rule: dropped, when: {recipient: drop@bridge.test}, drop: not today}
  - {rule: everybody, when: {recipient: team@bridge.test}, to: both}
  - {rule: the one on call, when: {recipient: oncall@bridge.test}, to: aigul}
"""


@dataclass
class House:
    """One running web room. ``mail`` and ``reply`` are decided at once; ``deliver`` plays the gateway."""

    store: Store
    book: RuleBook
    simulator: Simulator
    server: HttpServer
    session: aiohttp.ClientSession
    changes: Hub
    counted: list[tuple[str, str]]
    demo_mails: list[str]
    parts: list[Part]
    now: datetime = NOW
    orders: list[Order] = field(default_factory=list)
    failing: list[Exception] = field(default_factory=list)

    @property
    def url(self) -> str:
        return f"http://{self.server.address}"

    def clock(self) -> datetime:
        return self.now

    def later(self, **span: float) -> None:
        self.now += timedelta(**span)

    async def decide(self, happening: Happening) -> None:
        book, now = self.book, self.now

        def both(tx: Any) -> list[plans.Decided]:
            return plans.plan(tx, [happening], *bound(book, now), now)

        for decided in await self.store.write(both):
            if decided.error:
                raise decided.error

    async def mail(
        self,
        to: str = "oncall",
        subject: str = "db01 disk full",
        text: str = "hello",
        *,
        sender: str = "root@db01.example.kz",
    ) -> int:
        """A mail, kept and planned; its number."""
        content = f"From: {sender}\r\nSubject: {subject}\r\n\r\n{text}\r\n".encode()
        recipients = tuple(Recipient(f"{name}@bridge.test") for name in to.split())
        envelope = Envelope(content, self.now, sender, recipients, peer="127.0.0.1")
        number = await self.store.write(lambda tx: mails.keep(tx, envelope, "test/1"))
        await self.decide(read(StoredMail(number, envelope), self.book, own="me"))
        self.changes.publish("now", f"mail:{number}")
        return number

    async def zabbix(self, host: str = "db01", *, over: bool = False, to: str = "oncall", title: str = "Disk") -> int:
        """A mail as Zabbix writes it."""
        subject = f"Resolved in 5m 0s: {title}" if over else f"Problem: {title}"
        body = f"Problem name: {title}\r\nHost: {host}\r\nSeverity: High\r\nOriginal problem ID: 7\r\n"
        return await self.mail(to, subject, body, sender="zabbix@mon1.bridge.test")

    async def hand_over(self, state: str = "ACCEPTED", error: str = "") -> list[str]:
        """The gateway takes (or does not take) all that waits; the client ids it was given."""
        prepared = Prepared("smsc", ACCOUNT, {"mes": "…"}, "r1")
        now = self.now
        taken = await self.store.write(lambda tx: outbox.claim(tx, now, "test/1", 100, lambda m, a, t: prepared))
        message = {"REFUSED": "REJECTED"}.get(state, state)
        outcomes = [Outcome(c.message.id, c.attempt.number, state, message, error) for c in taken]  # type: ignore[arg-type]
        await self.store.write(lambda tx: outbox.settle(tx, outcomes, now))
        return [claimed.attempt.client_id for claimed in taken]

    async def reply(self, text: str, phone: str = AIGUL) -> None:
        """An SMS that came in, decided."""
        now, key = self.now, f"test:{self.now.timestamp()}:{text}"
        await self.store.write(lambda tx: inbound.keep(tx, key, "sms", "smsc", phone, NUMBER, text, now))
        for waiting in await self.store.read(lambda tx: inbound.waiting(tx, 100)):
            assert isinstance(waiting, Reply)
            await self.decide(waiting)

    async def deliver(self) -> None:
        """All that waits is taken and delivered, a second later."""
        for client_id in await self.hand_over():
            self.later(seconds=1)
            phone = await self.phone_of(client_id)
            assert await self.post(status(client_id, phone, "1")) == 200

    async def phone_of(self, client_id: str) -> str:
        rows = await self.raw("SELECT client_id, phone FROM messages JOIN submissions ON id = message_id")
        return str(dict(rows)[client_id])

    async def act(self, order: Order) -> None:
        self.orders.append(order)
        await self.decide(order)

    async def health(self) -> Health:
        return Health(tuple(self.parts))

    async def send_demo(self, kind: DemoMail) -> None:
        self.demo_mails.append(kind)

    # over the wire

    async def get(self, path: str, **headers: str) -> tuple[int, str]:
        async with self.session.get(self.url + path, headers=headers, allow_redirects=False) as answer:
            return answer.status, await answer.text()

    async def post(self, form: Mapping[str, str] | bytes, path: str = PATH) -> int:
        """What a provider posts to us."""
        body = form if isinstance(form, bytes) else urlencode(form).encode()
        kind = {"Content-Type": "application/x-www-form-urlencoded"}
        async with self.session.post(f"{self.url}/callbacks/smsc/{path}", data=body, headers=kind) as answer:
            self.said = await answer.text()
            return answer.status

    async def act_on(self, path: str, **fields: str) -> tuple[int, str]:
        """Fill in a form as a browser does: first the page for its token, then the post; status and Location."""
        _, page = await self.get("/phones" if path.startswith("/phones") else "/")
        fields = {"csrf": token(page)} | fields
        headers = {"Sec-Fetch-Site": "same-origin", "Origin": self.url}
        async with self.session.post(self.url + path, data=fields, headers=headers, allow_redirects=False) as answer:
            self.said = await answer.text()
            return answer.status, answer.headers.get("Location", "")

    async def raw(self, sql: str) -> list[tuple[Any, ...]]:
        return await self.store.read(lambda tx: tx.raw(sql))


def token(page: str) -> str:
    found = re.search(r'name="csrf" value="([0-9a-f]{40})"', page)
    return found[1] if found else ""


def status(client_id: str, phone: str, code: str, secret: str = SECRET) -> dict[str, str]:
    """A status as smsc signs it."""
    digits = phone.lstrip("+")
    total = hashlib.sha1(f"{client_id}:{digits}:{code}:{secret}".encode(), usedforsecurity=False).hexdigest()
    return {"id": client_id, "phone": digits, "status": code, "err": "0", "ts": "1795230000", "sha1": total}


def sms(phone: str, text: str, to: str = NUMBER, id: str = "", secret: str = SECRET) -> dict[str, str]:
    """An inbound SMS as smsc signs it."""
    digits, number = phone.lstrip("+"), to.lstrip("+")
    total = hashlib.sha1(f"{digits}:{text}:{number}:{secret}".encode(), usedforsecurity=False).hexdigest()
    return {"phone": digits, "mes": text, "to": number, "sha1": total} | ({"id": id} if id else {})


def book_in(folder: Path, config: str = CONFIG, rules: str = RULES) -> RuleBook:
    (folder / "config.yaml").write_text(config)
    (folder / "rules").mkdir(exist_ok=True)
    (folder / "rules" / "10.yaml").write_text(rules)
    return load_book(folder / "config.yaml").require()


@asynccontextmanager
async def web_house(folder: Path, monkeypatch: Any, **changes: Any) -> AsyncIterator[House]:
    """A house for the time of the block; *changes* replace ports (``console_open=False``)."""
    for name, value in (("WEB_X", "x"), ("WEB_PATH", PATH), ("WEB_SECRET", SECRET)):
        monkeypatch.setenv(name, value)
    book = book_in(folder)
    store = Store(folder / "bridge.db")
    await store.open()
    simulator = Simulator()
    async with simulator, aiohttp.ClientSession(cookie_jar=aiohttp.CookieJar(unsafe=True)) as session:
        unbuilt: Any = None
        house = House(store, book, simulator, unbuilt, session, Hub(), [], [], [Part("store")])
        registry = CollectorRegistry()
        Counter("smsbridge_mails", "Mails taken.", registry=registry).inc()
        callbacks = Callbacks(
            store, lambda: house.book, handlers(book.config, {"smsc": ACCOUNT}), house.clock,
            lambda: None, lambda provider, outcome: house.counted.append((provider, outcome)),
        )  # fmt: skip

        async def take(path: str, body: bytes, kind: str, query: Mapping[str, str]) -> CallbackAnswer:
            if house.failing:
                raise house.failing[0]
            return await callbacks(path, body, kind, query)

        ports = Ports(
            store=store, book=lambda: house.book, now=house.clock, callback=take, changes=house.changes,
            health=house.health, registry=registry, act=house.act, simulator=simulator, console_open=True,
            demo=DemoInfo("127.0.0.1:2525", "oncall@bridge.test", house.send_demo),
        )  # fmt: skip
        house.server = HttpServer(create(replace(ports, **changes)), "127.0.0.1", 0)
        await house.server.start()
        try:
            yield house
        finally:
            house.changes.close()
            await house.server.stop()
            store.close()
