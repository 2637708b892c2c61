"""Two monitors of one pair, one source: what both tell is told once, what only looks alike is told each."""

from __future__ import annotations

import random
from collections import Counter
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from bridge.book import RuleBook
from bridge.book.loading import load_book
from bridge.model import Envelope, Recipient
from bridge.proof.world import Sent, World

CONFIG = """
listen: [{door: smtp, address: "127.0.0.1:2525", trust: 127.0.0.0/8}]
domains: bridge.test
operator: {mail: operator@bridge.test}
sources: {zabbix: {network: [127.0.0.11, 127.0.0.12]}}
region: KZ
people: {aigul: {phone: "+77010000001"}}
providers:
  smsc: {type: smsc-http, base_url: "https://smsc.kz", login: x, password: {env: X}, number: "+77770000000",
         currency: KZT, prices: {default: 14.00}}
budgets: {total: {money: 1000000 KZT/day}}
commands: {codes: 1000-9999}
storm: {over: 5000 in 5m}
"""
RULES = "rules: [{rule: all, to: aigul}]\n"
NOW = datetime(2026, 11, 21, 3, 0, tzinfo=UTC)
PAIRS = 500
MONITORS = ("127.0.0.11", "127.0.0.12")


@dataclass(frozen=True)
class Alarm:
    """What one monitor mails at one moment; each counts its troubles for itself."""

    at: datetime
    peer: str
    host: str
    number: int
    name: str = "Disk"
    over: bool = False

    def envelope(self) -> Envelope:
        subject = f"Resolved in 5m 0s: {self.name}" if self.over else f"Problem: {self.name}"
        text = f"Problem name: {self.name}\nHost: {self.host}\nSeverity: High\nOriginal problem ID: {self.number}\n"
        content = f"From: mon@host.test\r\nSubject: {subject}\r\n\r\n{text}\r\n".encode()
        return Envelope(content, self.at, "mon@host.test", (Recipient("all@bridge.test"),), peer=self.peer)


@pytest.fixture(scope="module")
def book(tmp_path_factory: pytest.TempPathFactory) -> RuleBook:
    folder: Path = tmp_path_factory.mktemp("pair")
    (folder / "rules").mkdir()
    (folder / "config.yaml").write_text(CONFIG)
    (folder / "rules" / "10.yaml").write_text(RULES)
    return load_book(folder / "config.yaml").require()


def _told(book: RuleBook, alarms: list[Alarm]) -> list[str]:
    """The texts of all SMS that *alarms* cause, in whatever order they come."""
    world = World(book, NOW)
    for alarm in sorted(alarms, key=lambda each: each.at):
        world.advance(alarm.at)
        world.mail(alarm.envelope())
    world.advance(world.now + timedelta(minutes=10))
    return [effect.message.text for effect in world.happened().effects if isinstance(effect, Sent)]


def _at(dice: random.Random, begin: float) -> datetime:
    """Some seconds after *begin* (seconds since the start): mails take their time."""
    return NOW + timedelta(seconds=begin + dice.uniform(0, 45))


@pytest.mark.no_cover
@pytest.mark.parametrize("own_numbers", [True, False], ids=["each counts for itself", "both know one number"])
def test_T40_500_pairs_with_jitter_are_500_sms_and_500_ends(book: RuleBook, own_numbers: bool) -> None:
    dice = random.Random(4)
    alarms: list[Alarm] = []
    for n in range(PAIRS):
        begin = dice.uniform(0, 3600)
        for k, peer in enumerate(dice.sample(MONITORS, 2)):
            number = n + 100_000 * k * own_numbers
            alarms.append(Alarm(_at(dice, begin), peer, f"db{n}", number))
            alarms.append(Alarm(_at(dice, begin + 60), peer, f"db{n}", number, over=True))
    texts = _told(book, alarms)
    ends = sum(" OVER " in text for text in texts)
    assert (len(texts) - ends, ends) == (PAIRS, PAIRS)


@pytest.mark.no_cover
@pytest.mark.parametrize("differs", ["host", "key"])
def test_T40_500_look_alikes_are_1000_sms(book: RuleBook, differs: str) -> None:
    dice = random.Random(5)
    alarms: list[Alarm] = []
    for n in range(PAIRS):
        begin = dice.uniform(0, 3600)
        for k, peer in enumerate(MONITORS):
            host = f"db{n}{'ab'[k]}" if differs == "host" else f"db{n}"
            name = f"Disk {'CD'[k]}:" if differs == "key" else "Disk"
            alarms.append(Alarm(_at(dice, begin), peer, host, n, name))
    assert len(_told(book, alarms)) == 2 * PAIRS


def test_T40_the_other_monitor_ends_it_when_the_one_that_told_it_is_gone(book: RuleBook) -> None:
    first, second = (Alarm(NOW + timedelta(seconds=3 * k), peer, "db1", 7 + k) for k, peer in enumerate(MONITORS))
    end = Alarm(NOW + timedelta(minutes=20), MONITORS[1], "db1", second.number, over=True)
    texts = _told(book, [first, second, end])
    assert [" OVER " in text for text in texts] == [False, True]


def test_T40_a_repeat_of_the_other_monitor_is_no_new_trouble(book: RuleBook) -> None:
    first, second = (Alarm(NOW + timedelta(seconds=3 * k), peer, "db1", 7 + k) for k, peer in enumerate(MONITORS))
    again = [Alarm(NOW + timedelta(minutes=m), MONITORS[1], "db1", second.number) for m in (10, 20, 31, 40)]
    texts = _told(book, [first, second, *again])
    assert Counter("again" in text for text in texts) == {False: 1, True: 1}


def test_T40_the_late_end_of_an_earlier_trouble_ends_no_later_one(book: RuleBook) -> None:
    at = (NOW + timedelta(seconds=n) for n in range(0, 60, 10))
    one, other = MONITORS
    texts = _told(book, [
        Alarm(next(at), one, "db1", 1), Alarm(next(at), other, "db1", 91), Alarm(next(at), one, "db1", 1, over=True),
        Alarm(next(at), one, "db1", 2), Alarm(next(at), other, "db1", 91, over=True),
    ])  # fmt: skip
    assert [" OVER " in text for text in texts] == [False, True, False]
