"""CPU of routing one event through books of 10 to 10,000 rules, the one that takes it last; and of evil patterns.

The mix of a book: 70 % ask for a host or sender (half exactly, half by a glob), 25 % for words in the subject or the
text, 5 % by a free regular expression. Beside it: the standard library's ``re``, one search after the other over the
subject, as a loop over rules would do it.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime

from bench.figures import Figure
from bridge.config.models import Config, RuleFile
from bridge.model import Email, Event
from bridge.routing.facts import Facts
from bridge.routing.rulebook import Rules, compile_rules

SIZES = (10, 100, 1_000, 10_000)
TARGET_US = 50.0  # of 10,000 rules
TARGET_RATIO = 8.0  # 10,000 rules against 10
TARGET_EVIL_MS = 50.0  # twenty patterns, 9 kB of text
_CONFIG = {
    "listen": [], "operator": {"mail": "it@example.kz"}, "people": {"asel": {"phone": "+77010000001"}},
    "providers": {"p": {"type": "smsc-http", "login": "a", "password": {"env": "P"}}},
}  # fmt: skip
_EVIL = (
    "(a+)+$", "(a|a)*$", "(a|aa)+$", "(.*a){20}", "(x+x+)+y", "^(([a-z])+.)+[A-Z]([a-z])+$", "(a*)*b", "(a?){50}a{50}",
    "([a-zA-Z]+)*$", "(.*)*x", "(a+a+a+)+b", "(?:a|b|ab)*c$", "(\\w+\\s?)*$", "^(a+)*$", "(.+)+!", "(a{1,30}){1,30}b",
    "((a*)*)*z", "(ab?)*abc$", "(\\d+)+\\D$", "(?i)(a|A)*Z",
)  # fmt: skip
_AT = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)


def measure(rounds: int, count: int) -> list[Figure]:
    """*rounds* times *count* events through each book, the sizes in turns."""
    books = {size: _book(size) for size in SIZES}
    event, email, facts = _alert()
    for size, book in books.items():
        assert [route.rule for route in book.walk(event, email, facts, _AT).routes] == [f"r{size - 1}"]
    costs: dict[int, list[float]] = {size: [] for size in SIZES}
    loops = [re.compile(re.escape(f"word{number}x")) for number in range(1_000)]
    beside, evil = [], []
    for number in range(1, rounds + 1):
        for size, book in books.items():
            costs[size].append(_routed(book, count))
        beside.append(_micros(lambda: _searched(loops, email.subject + email.text), 20))
        evil.append(_evil())
        shown = ", ".join(f"{size}: {costs[size][-1]:.1f}" for size in SIZES)
        print(f"route {number}: {shown} µs; re loop of 1,000 {beside[-1]:.0f} µs; evil {evil[-1]:.1f} ms")
    ratios = tuple(big / small for big, small in zip(costs[SIZES[-1]], costs[SIZES[0]], strict=True))
    loop = f"re loop of 1,000 patterns {sorted(beside)[len(beside) // 2]:.0f} µs"
    largest = SIZES[-1]
    return [
        *(Figure("route", f"CPU an event, {size:,} rules", tuple(costs[size]), "µs", loop) for size in SIZES[:-1]),
        Figure("route", f"CPU an event, {largest:,} rules", tuple(costs[largest]), "µs", loop, TARGET_US),
        Figure("route", f"{largest:,} rules against {SIZES[0]}", ratios, "×", f"{SIZES[0]} rules", TARGET_RATIO),
        Figure("route", "20 evil patterns, 9 kB of text", tuple(evil), "ms", "", TARGET_EVIL_MS),
    ]


def _book(size: int) -> Rules:
    rules = [{"rule": f"r{number}", "when": _asks(number), "to": "asel"} for number in range(size - 1)]
    rules.append({"rule": f"r{size - 1}", "when": {"host": "db-last"}, "to": "asel"})
    file = RuleFile.model_validate({"rules": rules})
    return compile_rules(
        [("rules/bench.yaml", file)],
        Config.model_validate(_CONFIG),
        compile_value=lambda text, _place: lambda _fields: text,
        windows=lambda _window: lambda _now: True,
    )


def _asks(number: int) -> dict[str, object]:
    """What rule *number* asks; twenty in a row are the mix."""
    match number % 20:
        case 0 | 1 | 2 | 3:
            return {"host": f"host{number}"}
        case 4 | 5 | 6:
            return {"from": f"robot{number}@example.kz"}
        case 7 | 8 | 9 | 10:
            return {"host": f"shop{number}-*"}
        case 11 | 12 | 13:
            return {"from": f"*@mon{number}.example.kz", "severity": ["high", "critical"]}
        case 14 | 15 | 16:
            return {"subject": f"word{number}x"}
        case 17 | 18:
            return {"text": f"disk {number} of *array{number}"}
        case _:
            return {"subject": {"regex": f"(?i)unit[- ]?{number} (failed|is down)"}}


def _alert() -> tuple[Event, Email, Facts]:
    subject = "[PROBLEM] Disk space is low on /var of db-last"
    text = "Problem started at 08:14:02\nHost: db-last\nSeverity: High\n" + "The volume is close to its limit. " * 20
    event = Event("mon", "zabbix", "db-last", "", "high", "problem", "1000", "Disk space is low", text)
    email = Email("zabbix@mon.bench.test", "Zabbix", subject, text, {}, "<1@mon>", (), "", (), 2_000)
    return event, email, Facts("smtp", "10.0.0.5", recipients=("oncall@bench.test",))


def _routed(book: Rules, count: int) -> float:
    """Microseconds of one walk; every mail is another one, so nothing of the last is known."""
    event, email, facts = _alert()
    mails = [(replace(event, key=str(n)), replace(email, subject=f"{email.subject} {n}")) for n in range(count)]
    began = time.thread_time()
    for one, mail in mails:
        book.walk(one, mail, facts, _AT)
    return (time.thread_time() - began) / count * 1e6


def _micros(work: Callable[[], object], times: int) -> float:
    began = time.thread_time()
    for _ in range(times):
        work()
    return (time.thread_time() - began) / times * 1e6


def _searched(loops: list[re.Pattern[str]], text: str) -> int:
    return sum(pattern.search(text) is not None for pattern in loops)


def _evil() -> float:
    """Milliseconds of twenty patterns that hang other engines, in one book, over 9 kB."""
    deed = {"to": "asel", "continue": True}  # so that every pattern is searched
    rules = [{"rule": f"e{n}", "when": {"text": {"regex": evil}}, **deed} for n, evil in enumerate(_EVIL)]
    file = RuleFile.model_validate({"rules": rules})
    book = compile_rules(
        [("rules/evil.yaml", file)],
        Config.model_validate(_CONFIG),
        compile_value=lambda text, _place: lambda _fields: text,
        windows=lambda _window: lambda _now: True,
    )
    event, email, facts = _alert()
    mail = replace(email, text="a" * 4_500 + " aB" * 1_500 + "\x01")
    began = time.thread_time()
    book.walk(event, mail, facts, _AT, trace=True)
    return (time.thread_time() - began) * 1e3
