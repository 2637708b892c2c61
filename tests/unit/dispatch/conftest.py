"""A small world for decisions: one office, three people, a memory that holds everything."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from bridge.book import RuleBook
from bridge.book.loading import load_book
from bridge.dispatch.decide import decide, needs
from bridge.intake.read import read
from bridge.memory import Memory
from bridge.model import Due, Envelope, Happening, Plan, Reading, Recipient, Reply, StoredMail

CONFIG = """
listen:
  - {door: smtp, address: "127.0.0.1:2525", trust: 127.0.0.0/8}
domains: bridge.test
operator: {mail: operator@bridge.test}
outgoing_mail: {relay: "smtp://127.0.0.1:2526", from: sms@bridge.test}
sources:
  strict: {network: 127.0.0.9, from: zabbix@mon.test}
  pair: {network: [127.0.0.11, 127.0.0.12]}
region: KZ
timezone: Asia/Almaty
people:
  aigul: {name: Aigul, phone: "+77010000001", email: aigul@bridge.test}
  ivan: {name: Ivan, phone: "+77010000002", language: ru}
  silent: {phone: "+77010000003", commands: [status]}
teams:
  both: {members: [aigul, ivan], email: both@bridge.test}
providers:
  smsc: {type: smsc-http, base_url: "https://smsc.kz", login: x, password: {env: X}, number: "+77770000000",
         currency: KZT, prices: {default: 14.00}}
budgets: {total: {money: 1000 KZT/day}}
"""
RULES = """
rules:
  - {rule: dropped, when: {recipient: drop@bridge.test}, drop: not today}
  - {rule: mailed, when: {recipient: mail@bridge.test}, mail_to: [list@bridge.test, both]}
  - {rule: parent, when: {recipient: nobody@bridge.test}, to: aigul, rules: [{rule: kept for itself, to: nobody}]}
  - {rule: plain, when: {recipient: plain@bridge.test}, to: aigul, track: false, text: "{{ title }}"}
  - {rule: broken, when: {recipient: broken@bridge.test}, to: aigul, text: "{{ text }}{{ text }}{{ text }}"}
  - {rule: always, when: {recipient: always@bridge.test}, to: aigul, repeat: always}
  - {rule: never, when: {recipient: never@bridge.test}, to: aigul, repeat: never}
  - {rule: quiet end, when: {recipient: quietend@bridge.test}, to: aigul, on_recovery: nobody}
  - {rule: number, when: {recipient: "+7*@bridge.test"}, to: recipient, numbers: {prefixes: "+7701"}, track: false,
     text: "{{ title }}"}
  - {rule: mute, when: {recipient: silent@bridge.test}, to: silent}
  - {rule: one, when: {recipient: one@bridge.test}, to: aigul}
  - {rule: team, when: {recipient: team@bridge.test}, to: both}
  - {rule: ivan too, when: {recipient: ivan@bridge.test}, to: [ivan, aigul]}
"""


@dataclass
class World:
    """Decides like the product does, over a memory that knows everything."""

    book: RuleBook
    now: datetime = datetime(2026, 11, 21, 3, 0, tzinfo=UTC)  # 08:00 in Almaty
    memory: Memory = field(
        default_factory=lambda: Memory(complete=True, counters={"incident": 1000, "message": 1, "mail": 1})
    )
    mails: int = 0
    replies: int = 0
    last: Plan = field(default_factory=Plan)

    def mail(
        self,
        to: str = "one",
        subject: str = "db01 disk full",
        text: str = "hello",
        *,
        sender: str = "root@db01.example.kz",
        peer: str = "127.0.0.1",
        headers: str = "",
    ) -> Plan:
        recipients = tuple(Recipient(f"{name}@bridge.test") for name in to.split())
        content = f"From: {sender}\r\nSubject: {subject}\r\n{headers}\r\n{text}\r\n".encode()
        self.mails += 1
        envelope = Envelope(content, self.now, sender, recipients, peer=peer)
        return self.decide(read(StoredMail(self.mails, envelope), self.book, own="me"))

    def zabbix(
        self, word: str = "Problem", number: int = 1, to: str = "one", severity: str = "High", **kw: str
    ) -> Plan:
        subject = {"Problem": "Problem: Disk", "Resolved": "Resolved in 5m 0s: Disk"}[word]
        body = f"Problem name: Disk\nHost: db01\nSeverity: {severity}\nOriginal problem ID: {number}\n"
        return self.mail(to, subject, body, **kw)

    def reply(self, text: str, phone: str = "+77010000001") -> Plan:
        self.replies += 1
        return self.decide(Reply(self.replies, phone, "+77770000000", text, "smsc"))

    def due(self, kind: str) -> Plan:
        timer = next(t for t in self.last.timers if t.kind == kind)
        return self.decide(Due(timer))

    def decide(self, happening: Happening) -> Plan:
        named = needs(happening, self.book, self.now)
        plan = decide(happening, self.book, self.memory, self.now)
        assert named == needs(happening, self.book, self.now)
        if isinstance(happening, Reading):
            self.memory.apply(plan, happening)
        else:
            self.memory.apply(plan)
        self.last = plan
        return plan

    def wait(self, **span: float) -> None:
        self.now += timedelta(**span)

    def sent(self) -> None:
        """Whatever waits has left."""
        self.memory.waiting.clear()


@pytest.fixture(scope="session")
def book(tmp_path_factory: pytest.TempPathFactory) -> RuleBook:
    folder: Path = tmp_path_factory.mktemp("office")
    (folder / "config.yaml").write_text(CONFIG)
    (folder / "rules").mkdir()
    (folder / "rules" / "10.yaml").write_text(RULES)
    return load_book(folder / "config.yaml").require()


@pytest.fixture
def world(book: RuleBook) -> World:
    return World(book)


@pytest.fixture
def make_world(book: RuleBook) -> Callable[[], World]:
    return lambda: World(book)
