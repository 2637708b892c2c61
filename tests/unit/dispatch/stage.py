"""An office with ladders, rotas and watches, played through in order of time.

Decides like the product does, over a memory that knows everything, but answers only what ``needs`` named: what was
forgotten there fails here as it would over the store.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

import bridge.proof.world as room
from bridge.book import RuleBook
from bridge.book.loading import load_book
from bridge.dispatch.decide import decide, needs
from bridge.memory import Known, Memory, Needs
from bridge.model import (
    Envelope,
    Failed,
    Happening,
    Incident,
    Message,
    MessageState,
    Notice,
    Plan,
    Receipt,
    Recipient,
    Spent,
    Tally,
    Timer,
)
from bridge.proof.world import Posted, Sent, World

NOW = datetime(2026, 11, 21, 3, 0, tzinfo=UTC)  # a Saturday, 08:00 in Almaty
CONFIG = """
listen:
  - {door: smtp, address: "127.0.0.1:2525", trust: 127.0.0.0/8}
domains: bridge.test
operator: {mail: operator@bridge.test}
outgoing_mail: {relay: "smtp://127.0.0.1:2526", from: sms@bridge.test}
region: KZ
timezone: Asia/Almaty
people:
  aigul: {name: Aigul, phone: "+77010000001", email: aigul@bridge.test, commands: all}
  ivan: {name: Ivan, phone: "+77010000002", commands: all}
  marat: {name: Marat, phone: "+77010000003"}
teams:
  both: {members: [aigul, ivan], email: both@bridge.test}
rotas:
  duty: {members: [aigul, ivan], starts: 2026-11-16, handover: Mon 09:00}
providers:
  smsc: {type: smsc-http, base_url: "https://smsc.kz", login: x, password: {env: X}, number: "+77770000000",
         currency: KZT, prices: {default: 14.00}}
budgets: {total: {money: 100000 KZT/day}}
storm: {over: 1000 in 5m}
"""
PEOPLE = {"aigul": "+77010000001", "ivan": "+77010000002", "marat": "+77010000003"}


def build(folder: Path, rules: str, more: str = "", *, trusting: bool = False) -> RuleBook:
    """The book of the office with *rules*; *trusting*: commands need no one-time code."""
    trust = "commands: {one_time_code: [], trust_caller_id: true, answers: 100/10m}\n" if trusting else ""
    (folder / "rules").mkdir(parents=True, exist_ok=True)
    (folder / "config.yaml").write_text(CONFIG + trust + more)
    (folder / "rules" / "10.yaml").write_text(rules)
    return load_book(folder / "config.yaml").require()


@dataclass
class Stage:
    """One play: what came to the phones and mailboxes since the last look is what a step gives back."""

    world: World
    begun: datetime = NOW
    reasons: list[str] = field(default_factory=list)  # why nothing was sent, since the last look

    @property
    def now(self) -> datetime:
        return self.world.now

    def mail(self, subject: str = "db01 disk full", to: str = "one", text: str = "hello") -> list[str]:
        content = f"From: mon@host.test\r\nSubject: {subject}\r\n\r\n{text}\r\n".encode()
        envelope = Envelope(content, self.now, "mon@host.test", (Recipient(f"{to}@bridge.test"),), peer="127.0.0.1")
        self.world.mail(envelope)
        return self.seen()

    def problem(self, number: int = 1, to: str = "one", severity: str = "High") -> list[str]:
        body = f"Problem name: Disk\nHost: db01\nSeverity: {severity}\nOriginal problem ID: {number}\n"
        return self.mail("Problem: Disk", to, body)

    def recovery(self, number: int = 1, to: str = "one") -> list[str]:
        body = f"Problem name: Disk\nHost: db01\nSeverity: High\nOriginal problem ID: {number}\n"
        return self.mail("Resolved in 5m 0s: Disk", to, body)

    def reply(self, text: str, who: str = "aigul") -> list[str]:
        self.world.reply(PEOPLE.get(who, who), text)
        return self.seen()

    def order(self, *words: str, by: str = "operator") -> Plan:
        return self.world.order(by, words)

    def receipt(self, who: str, state: MessageState) -> list[str]:
        self.world.receipt(self.newest(who), state)
        return self.seen()

    def newest(self, who: str) -> Message:
        message = self.world.newest_message(PEOPLE[who])
        assert message is not None
        return message

    def wait(self, **span: float) -> list[str]:
        self.world.advance(self.now + timedelta(**span))
        return self.seen()

    def seen(self) -> list[str]:
        """``ivan@10 db01 disk full`` (minutes since the begin), ``call ivan@20 …``, ``mail both@bridge.test@4 …``."""
        happened = self.world.happened()
        self.reasons = [fate.reason for fate in happened.fates if fate.reason]
        return [self._told(effect) for effect in happened.effects]

    def _told(self, effect: Sent | Posted) -> str:
        minutes = f"{(effect.at - self.begun) / timedelta(minutes=1):g}"
        if isinstance(effect, Posted):
            return f"mail {effect.address}@{minutes} {effect.mail.subject}"
        voice = "call " if effect.kind == "call" else ""
        return f"{voice}{effect.message.person or effect.message.phone}@{minutes} {effect.message.text}"

    def bodies(self) -> list[str]:
        """The mails since the last look, whole."""
        effects = self.world.happened().effects
        return [effect.mail.content.decode() for effect in effects if isinstance(effect, Posted)]

    def incident(self, number: int = 1000) -> Incident:
        return self.world.memory.incidents[number]

    def steps(self, number: int = 1000) -> list[tuple[str, str]]:
        """Who was told of which step."""
        return [(note.step, note.person) for note in self.world.memory.notifications.get(number, ())]


def phones(seen: Sequence[str]) -> list[str]:
    """Only who was told when, of what :meth:`Stage.seen` gives: ``ivan@10``; mails left out."""
    return [" ".join(each.split(" ")[: 2 if each.startswith("call ") else 1]) for each in seen if each[:5] != "mail "]


@pytest.fixture
def strict(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every decision of the world knows only what its needs named."""
    monkeypatch.setattr(room, "decide", _strictly)


def _strictly(happening: Happening, book: RuleBook, memory: Memory, now: datetime) -> Plan:
    named = needs(happening, book, now, Known(memory.overrides, memory.held, memory.stops))
    assert named == needs(happening, book, now, Known(memory.overrides, memory.held, memory.stops))
    memory.complete, memory.loaded, memory.fetch = False, named | _brought(happening, memory), _NothingElse()
    try:
        return decide(happening, book, memory, now)
    finally:
        memory.complete = True


class _NothingElse:
    """Reading on finds what the memory of the world has anyway: nothing more."""

    def timer(self, name: str) -> Timer | None:
        return None

    def tallies(self, name: str) -> Sequence[Tally]:
        return ()

    def spent(self, budget: str, since: datetime) -> Spent:
        return Spent()

    def notice(self, cause: str) -> Notice | None:
        return None


def _brought(happening: Happening, memory: Memory) -> Needs:
    """What the store loads along with a message."""
    if not isinstance(happening, Receipt | Failed):
        return Needs()
    message = memory.messages.get(happening.message_id)
    return Needs(causes=frozenset({f"undelivered/{message.phone}"})) if message else Needs()
