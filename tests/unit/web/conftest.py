"""A reader of pages over a small book."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from bridge.book import RuleBook
from bridge.book.loading import load_book
from bridge.web.say import say_in
from bridge.web.seen import Seen

NOW = datetime(2026, 11, 21, 3, 0, tzinfo=UTC)  # 08:00 in Almaty
CONFIG = """
listen: [{door: smtp, address: "127.0.0.1:2525", trust: 127.0.0.0/8}]
domains: bridge.test
operator: {mail: operator@bridge.test}
outgoing_mail: {relay: "smtp://127.0.0.1:2526", from: sms@bridge.test}
region: KZ
timezone: Asia/Almaty
people:
  aigul: {name: Aigul, phone: "+77010000001"}
  ivan: {name: Ivan, phone: "+77010000002", language: ru}
providers:
  smsc: {type: smsc-http, base_url: "https://smsc.kz", login: demo, password: {env: X}, currency: KZT,
         prices: {default: 18.00}}
budgets: {total: {money: 1000 KZT/day}}
"""
RULES = "rules: [{rule: all, when: {recipient: all@bridge.test}, to: aigul, track: false}]"


@pytest.fixture(scope="session")
def book(tmp_path_factory: pytest.TempPathFactory) -> RuleBook:
    folder: Path = tmp_path_factory.mktemp("web")
    (folder / "config.yaml").write_text(CONFIG)
    (folder / "rules").mkdir()
    (folder / "rules" / "10.yaml").write_text(RULES)
    return load_book(folder / "config.yaml").require()


@pytest.fixture
def seen_in(book: RuleBook) -> Callable[[str], Seen]:
    """A reader of that language, at 08:00 in Almaty."""
    return lambda language: Seen(
        say=say_in(language), book=book, now=NOW, zone=ZoneInfo("Asia/Almaty"), theme="", here="/"
    )


@pytest.fixture
def v(seen_in: Callable[[str], Seen]) -> Seen:
    return seen_in("en")
