"""A small office whose rule tests each test writes for itself."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from textwrap import dedent

from bridge.book import RuleBook
from bridge.book.loading import LoadedBook, load_book
from bridge.proof.runner import Outcome, play

CONFIG = """
listen:
  - {door: smtp, address: "127.0.0.1:2525", trust: 10.0.0.0/8, max_size: 20kB}
  - {door: smtp, address: "0.0.0.0:587", starttls: {cert: /c, key: /k}, auth: required}
domains: bridge.test
operator: {mail: operator@bridge.test}
outgoing_mail: {relay: "smtp://127.0.0.1:2526", from: sms@bridge.test}
sources:
  pair:
    - {network: 10.0.0.11, from: one@mon.test}
    - {network: 10.0.0.12, from: two@mon.test}
  nas: {login: nas, from: nas@mon.test}
  web: {token: {env: WEB}}
region: KZ
timezone: Asia/Almaty
people:
  aigul: {name: Aigul, phone: "+77010000001", email: aigul@bridge.test}
  ivan: {name: Ivan, phone: "+77010000002", language: ru}
teams:
  both: {members: [aigul, ivan]}
rotas:
  duty: {members: [aigul, ivan], starts: 2026-01-05}
providers:
  smsc: {type: smsc-http, base_url: "https://smsc.kz", login: x, password: {env: X}, number: "+77770000000",
         currency: KZT, prices: {default: 14.00}, sender: OFFICE}
  spare: {type: smsc-http, base_url: "https://smsc.kz", login: y, password: {env: Y}, currency: KZT,
          prices: {default: 20.00}}
budgets: {total: {money: 1000 KZT/day}}
"""
RULES = """
rules:
  - {rule: dropped, when: {recipient: drop@bridge.test}, drop: not today}
  - {rule: archive, when: {recipient: archive@bridge.test}, mail_to: [list@bridge.test, aigul]}
  - {rule: broken, when: {recipient: broken@bridge.test}, to: aigul, text: "{{ text }}{{ text }}{{ text }}"}
  - {rule: duty, when: {recipient: duty@bridge.test}, to: on-call duty, class: critical}
  - {rule: disks, when: {recipient: team@bridge.test, subject: disk}, to: both,
     text: "{{ host }} {{ title }} {{ code }}"}
  - {rule: team, when: {recipient: team@bridge.test}, to: both, text: "{{ title }}"}
"""
MAILS = """
mails:
  disk:
    peer: 10.0.0.5
    from: nas7@mon.test
    recipient: team@bridge.test
    subject: disk full
  note: {like: disk, subject: paper low}
"""


@dataclass
class Office:
    """Files of one configuration, and what comes of the tests in them."""

    folder: Path

    @property
    def config(self) -> Path:
        return self.folder / "config.yaml"

    @property
    def tests(self) -> Path:
        return self.folder / "rules" / "tests" / "all.yaml"

    def load(self) -> LoadedBook:
        loaded = load_book(self.config, tests=True)
        assert loaded.errors == ()
        return loaded

    def book(self) -> RuleBook:
        return self.load().require()

    def write(self, tests: str, *, mails: str = MAILS) -> None:
        self.tests.write_text(mails + dedent(tests))

    def play(self, tests: str, *, mails: str = MAILS) -> list[Outcome]:
        """The outcomes of all tests of a file."""
        self.write(tests, mails=mails)
        loaded = self.load()
        ((file, read),) = loaded.loaded.test_files
        return [play(loaded.require(), file, read, index) for index in range(len(read.tests))]

    def one(self, steps: str) -> Outcome:
        """The outcome of one test; *steps* are the keys that stand beside its name."""
        body = "\n".join(f"    {line}" for line in dedent(steps).strip().splitlines())
        (outcome,) = self.play(f"tests:\n  - test: it\n{body}\n")
        return outcome


def build(folder: Path, config: str, rules: str) -> Office:
    """Write the files into *folder*."""
    (folder / "rules" / "tests").mkdir(parents=True)
    (folder / "config.yaml").write_text(config)
    (folder / "rules" / "10-all.yaml").write_text(rules)
    return Office(folder)
