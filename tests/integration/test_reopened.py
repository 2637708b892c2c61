"""Everything that waits survives a restart: the program is stopped and started in the middle, and nobody can tell."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import cache
from pathlib import Path

import pytest

from bridge.book import RuleBook
from bridge.book.loading import load_book
from tests.integration.reopened import Reopened
from tests.unit.dispatch.stage import phones

CONFIG = """
listen:
  - {door: smtp, address: "127.0.0.1:2525", trust: 127.0.0.0/8}
domains: bridge.test
operator: {mail: operator@bridge.test}
outgoing_mail: {relay: "smtp://127.0.0.1:2526", from: sms@bridge.test}
region: KZ
timezone: Asia/Almaty
people:
  aigul: {name: Aigul, phone: "+77010000001", commands: all}
  ivan: {name: Ivan, phone: "+77010000002", commands: all}
  marat: {name: Marat, phone: "+77010000003", quiet: {during: {hours: 07:00-08:30}}}
teams: {both: {members: [aigul, ivan], email: both@bridge.test}}
rotas: {duty: {members: [aigul, ivan], starts: 2026-11-16, handover: Mon 09:00}}
providers:
  smsc: {type: smsc-http, base_url: "https://smsc.kz", login: x, password: {env: X}, number: "+77770000000",
         currency: KZT, prices: {default: 14.00}}
budgets: {total: {money: 100000 KZT/day}, few: {messages: 1/30m, over: hold}, fewer: {messages: 1/30m}}
storm: {over: 3 in 5m, digest: 10m}
commands: {one_time_code: [], trust_caller_id: true, answers: 100/10m, quarantine: 1h, codes: 10-12}
"""
RULES = """
rules:
  - {rule: dropped, when: {recipient: drop@bridge.test}, drop: not today}
  - rule: ladder
    when: {recipient: ladder@bridge.test}
    to: aigul
    ack_lasts: 1h
    replies: {news: [ack, escalation, unanswered]}
    receipts: {not_reached_after: 3m}
    escalate: [{after: 5m, to: ivan}, {after: 10m, to: both, channel: [sms, call], again: 1}]
  - {rule: duty, when: {recipient: duty@bridge.test}, to: on-call duty, repeat: 10m}
  - {rule: group, when: {recipient: group@bridge.test}, to: aigul, group: {by: [source], wait: 2m, every: 10m}}
  - {rule: digest, when: {recipient: digest@bridge.test}, to: aigul, digest: {at: ["08:20", "08:40"]}}
  - {rule: quiet, when: {recipient: quiet@bridge.test}, to: ivan, quiet: {during: {hours: 07:00-08:15}}}
  - {rule: person, when: {recipient: person@bridge.test}, to: marat}
  - {rule: flap, when: {recipient: flap@bridge.test}, to: aigul, flap: {changes: 3 in 30m, calm: 10m}}
  - {rule: threshold, when: {recipient: threshold@bridge.test}, to: aigul, threshold: 3 in 10m}
  - {rule: closing, when: {recipient: closing@bridge.test}, to: aigul, close_after: 20m, repeat: never}
  - {rule: held by a budget, when: {recipient: few@bridge.test}, to: aigul, budget: few}
  - {rule: digested by a budget, when: {recipient: fewer@bridge.test}, to: aigul, budget: fewer}
  - {rule: one, when: {recipient: one@bridge.test}, to: aigul, repeat: 10m}
inhibit:
  - {inhibit: site, while: {host: gw*}, hide: {host: db*}}
silences:
  - {silence: planned, when: {host: sw*}, during: {hours: 08:00-08:20}, by: aigul}
"""
WATCHES = """
watch:
  - {watch: backup, for: {recipient: drop@bridge.test, subject: backup}, every: 20m, grace: 2m, to: aigul,
     escalate: [{after: 10m, to: ivan}]}
  - {watch: report, for: {recipient: drop@bridge.test, subject: report}, cron: "10 8 * * *", grace: 5m, to: ivan}
  - {watch: each, for: {recipient: drop@bridge.test, subject: each}, every: 10m, grace: 2m, by: [host], to: aigul}
"""

Step = Callable[[Reopened], None]


def mail(subject: str, to: str = "one", text: str = "hello") -> Step:
    return lambda bridge: bridge.mail(subject, to, text)


def problem(host: str = "db01", to: str = "one", number: int = 1, severity: str = "High") -> Step:
    body = f"Problem name: Disk\nHost: {host}\nSeverity: {severity}\nOriginal problem ID: {number}\n"
    return mail("Problem: Disk", to, body)


def over(host: str = "db01", to: str = "one", number: int = 1) -> Step:
    body = f"Problem name: Disk\nHost: {host}\nSeverity: High\nOriginal problem ID: {number}\n"
    return mail("Resolved in 5m 0s: Disk", to, body)


def reply(text: str, who: str = "aigul") -> Step:
    return lambda bridge: bridge.reply(text, who)


def order(*words: str) -> Step:
    return lambda bridge: bridge.order(*words)


def wait(minutes: float) -> Step:
    return lambda bridge: bridge.wait(minutes=minutes)


# what waits -> what happens (it is stopped before each), who is told when
CASES: dict[str, tuple[Sequence[Step], Sequence[str]]] = {
    "a group's window": (
        [problem("db01", "group"), wait(1), problem("db02", "group"), wait(2), problem("db03", "group"), wait(11)],
        ["aigul@2", "aigul@12"],
    ),
    "a digest": (
        [problem("db01", "digest"), wait(5), problem("db02", "digest"), wait(1), over("db01", "digest"), wait(20)],
        ["aigul@20"],
    ),
    "a rule's quiet hours": ([problem("db01", "quiet"), wait(5), problem("db02", "quiet"), wait(20)], ["ivan@15"]),
    "a person's quiet hours": ([problem("db01", "person"), wait(5), wait(30)], ["marat@30"]),
    "a ladder": (
        [problem("db01", "ladder"), wait(4), wait(4), wait(4), wait(13), wait(31)],
        ["aigul@0", "ivan@5", "aigul@10", "ivan@10", "call aigul@10", "call ivan@10", "ivan@15", "aigul@20",
         "ivan@20", "call aigul@20", "call ivan@20"],
    ),
    "a ladder that stands still": (
        [problem("db01", "ladder"), wait(3), reply("ok"), wait(20), reply("10 un"), wait(1), wait(6)],
        ["aigul@0", "aigul@3", "aigul@23", "ivan@25", "aigul@30", "ivan@30", "call aigul@30", "call ivan@30"],
    ),
    "an ack that lasts an hour": (
        [problem("db01", "ladder"), wait(1), reply("ok"), wait(58), wait(3), problem("db01", "ladder"), wait(20)],
        ["aigul@0", "aigul@1", "aigul@62"],
    ),
    "a repeat": (
        [problem("db01", "duty"), wait(5), problem("db01", "duty"), wait(5), problem("db01", "duty"), wait(5)],
        ["aigul@0", "aigul@10"],
    ),
    "what comes and goes": (
        [
            problem("db01", "flap", 1), wait(1), over("db01", "flap", 1), wait(1), problem("db01", "flap", 2), wait(1),
            over("db01", "flap", 2), wait(1), problem("db01", "flap", 3), wait(9), wait(9),
        ],
        ["aigul@0", "aigul@1", "aigul@2", "aigul@3", "aigul@14"],
    ),
    "a threshold": (
        [problem("db01", "threshold"), wait(4), problem("db01", "threshold"), wait(4), problem("db01", "threshold")],
        ["aigul@8"],
    ),
    "a storm": (
        [*(problem(f"db0{n}") for n in range(1, 7)), wait(4), problem("db07"), wait(9), problem("db08"), wait(12)],
        ["aigul@0", "aigul@0", "aigul@0", "aigul@0", "aigul@10", "aigul@13"],
    ),
    "a budget that is used up": (
        [problem("db01", "few"), problem("db02", "few"), wait(10), problem("db03", "few"), wait(25), wait(40)],
        ["aigul@0", "aigul@30", "aigul@60"],
    ),
    "what a budget makes a digest": (
        [problem("db01", "fewer"), problem("db02", "fewer"), wait(10), problem("db03", "fewer"), wait(25)],
        ["aigul@0", "aigul@30"],
    ),
    "a heartbeat": (
        [mail("backup ok", "drop"), wait(15), mail("backup ok", "drop"), wait(21), wait(5), wait(10),
         mail("backup ok", "drop"), wait(5)],
        ["ivan@15", "aigul@37", "ivan@47", "aigul@51", "ivan@51"],
    ),
    "a mail of every morning": (
        [wait(14), wait(2), mail("report is here", "drop"), wait(1)], ["ivan@15", "ivan@16"],
    ),
    "a watch of each host": (
        [mail("each is well", "drop"), wait(11), wait(2), mail("each is well", "drop"), wait(1)],
        ["aigul@12", "aigul@13"],
    ),
    "an incident nobody closes": (
        [problem("db01", "closing"), wait(15), problem("db01", "closing"), wait(19), wait(2),
         problem("db01", "closing")],
        ["aigul@0", "aigul@36"],
    ),
    "a silence of the rule book": ([problem("sw01"), wait(10), wait(15)], ["aigul@20"]),
    "a silence made while running": (
        [order("silences", "add", "host=db*", "10m"), problem("db01"), wait(5), problem("db02"), wait(6)],
        ["aigul@10", "aigul@10"],
    ),
    "what another incident hides": (
        [problem("gw1"), wait(1), problem("db01"), wait(5), over("gw1"), wait(1)],
        ["aigul@0", "aigul@6", "aigul@6"],
    ),
    "a rota that was taken over": (
        [order("oncall", "take", "duty", "ivan", "10m"), wait(5), problem("db01", "duty"), wait(6),
         problem("db02", "duty")],
        ["ivan@5", "aigul@11"],
    ),
    "a question whether to swap": (
        [reply("swap ivan"), wait(60), reply("swap ok", "ivan"), wait(1), problem("db01", "duty")],
        ["ivan@0", "aigul@0", "aigul@60", "ivan@60", "ivan@61"],
    ),
    "a code that rests": (
        [problem("db01"), wait(1), over("db01"), wait(5), problem("db02"), wait(60), problem("db03")],
        ["aigul@0", "aigul@1", "aigul@6", "aigul@66"],
    ),
}  # fmt: skip
WATCHED = frozenset({"a heartbeat", "a mail of every morning", "a watch of each host"})


@pytest.fixture(scope="module")
def books(tmp_path_factory: pytest.TempPathFactory) -> Callable[[bool], RuleBook]:
    """The rule book, with watches or without."""

    @cache
    def load(watched: bool) -> RuleBook:
        folder = tmp_path_factory.mktemp("office")
        (folder / "rules").mkdir()
        (folder / "config.yaml").write_text(CONFIG)
        (folder / "rules" / "10.yaml").write_text(RULES + (WATCHES if watched else ""))
        return load_book(folder / "config.yaml").require()

    return load


@pytest.fixture
def bridges(tmp_path: Path) -> Iterator[Callable[[RuleBook], Reopened]]:
    """Starts a bridge with a rule book, in a folder of its own."""
    made: list[Reopened] = []

    def start(book: RuleBook) -> Reopened:
        folder = tmp_path / str(len(made))
        folder.mkdir()
        made.append(Reopened(folder, book))
        made[-1].start()
        return made[-1]

    yield start
    for each in made:
        each.end()


@pytest.mark.parametrize("waiting", CASES)
def test_F01_what_waits_is_the_same_after_a_restart(
    waiting: str, books: Callable[[bool], RuleBook], bridges: Callable[[RuleBook], Reopened]
) -> None:
    steps, expected = CASES[waiting]
    book = books(waiting in WATCHED)
    steady, shaken = bridges(book), bridges(book)
    for step in steps:
        step(steady)
        shaken.restart()
        step(shaken)
    assert shaken.seen == steady.seen
    assert phones(steady.seen) == expected, steady.seen
