"""One small office and the mails it gets."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from bridge.book import RuleBook
from bridge.book.loading import load_book
from bridge.model import Envelope, Recipient

CONFIG = """
listen: [{door: smtp, address: "127.0.0.1:2525", trust: 127.0.0.0/8}]
domains: bridge.test
operator: {mail: operator@bridge.test}
sources: {strict: {network: 127.0.0.9, from: zabbix@mon.test}}
region: KZ
timezone: Asia/Almaty
currency: KZT
people: {aigul: {name: Aigul, phone: "+77010000001"}}
providers: {smsc: {type: smsc-http, base_url: "https://smsc.kz", login: x, password: {env: X}}}
budgets: {total: {money: 1000 KZT/day}}
"""
RULES = """
rules:
  - {rule: databases, when: {recipient: oncall@bridge.test, subject: "*db*"}, to: aigul}
  - {rule: all, when: {recipient: "all@bridge.test"}, to: aigul}
"""


@pytest.fixture(scope="session")
def book(tmp_path_factory: pytest.TempPathFactory) -> RuleBook:
    folder: Path = tmp_path_factory.mktemp("office")
    (folder / "config.yaml").write_text(CONFIG)
    (folder / "rules").mkdir()
    (folder / "rules" / "10.yaml").write_text(RULES)
    return load_book(folder / "config.yaml").require()


@pytest.fixture
def envelope() -> Callable[..., Envelope]:
    def make(content: bytes, *to: str, peer: str = "127.0.0.1", sender: str = "mon@host.test") -> Envelope:
        recipients = tuple(Recipient(f"{name}@bridge.test") for name in to or ("oncall",))
        return Envelope(content, datetime(2026, 11, 21, 3, 12, tzinfo=UTC), sender, recipients, peer=peer)

    return make
