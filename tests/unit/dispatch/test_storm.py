"""One person in a storm: one "limited until", one digest at a time, until it is calm."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from bridge.book.loading import load_book
from bridge.model import Due, Message

if TYPE_CHECKING:
    from conftest import World

CONFIG = """
listen: [{{door: smtp, address: "127.0.0.1:2525", trust: 127.0.0.0/8}}]
domains: bridge.test
operator: {{mail: operator@bridge.test}}
outgoing_mail: {{relay: "smtp://127.0.0.1:2526", from: sms@bridge.test}}
region: KZ
timezone: Asia/Almaty
people:
  aigul: {{phone: "+77010000001"}}
  ivan: {{phone: "+77010000002", language: ru, timezone: Europe/Berlin, quiet: {{during: {{hours: "04:20-07:00"}}}}}}
providers:
  smsc: {{type: smsc-http, base_url: "https://smsc.kz", login: x, password: {{env: X}}, number: "+77770000000",
         currency: KZT, prices: {{default: 14.00}}}}
budgets: {{total: {{money: {money} KZT/day}}}}
storm: {{over: 3 in 5m, digest: 10m, critical: {critical}}}
"""
RULES = """
rules:
  - {rule: loud, when: {recipient: loud@bridge.test}, to: aigul, class: critical}
  - {rule: other, when: {recipient: other@bridge.test}, to: aigul, group_text: "{{ count }} of other"}
  - {rule: plain, when: {recipient: plain@bridge.test}, to: aigul, track: false, text: "{{ title }}"}
  - {rule: ivan, when: {recipient: ivan@bridge.test}, to: ivan}
  - {rule: one, to: aigul}
"""
Build = Callable[..., "World"]


@pytest.fixture
def build(tmp_path: Path, world: World) -> Build:
    def make(critical: str = "send", money: int = 10_000) -> World:
        (tmp_path / "config.yaml").write_text(CONFIG.format(critical=critical, money=money))
        (tmp_path / "rules").mkdir(exist_ok=True)
        (tmp_path / "rules" / "10.yaml").write_text(RULES)
        return type(world)(load_book(tmp_path / "config.yaml").require())

    return make


def flood(world: World, count: int, to: str = "one", *, begin: int = 0) -> list[Message]:
    """*count* different mails, one a second; what was sent at once."""
    sent: list[Message] = []
    for number in range(begin, begin + count):
        world.wait(seconds=1)
        sent += world.mail(to, f"trouble {number} on h{number % 4}", f"text {number}").messages
    return sent


def pass_time(world: World, **span: float) -> list[Message]:
    """Let time pass; what timers of storms and budgets sent."""
    until, sent = world.now + timedelta(**span), []
    while True:
        timers = [each for each in world.memory.timers.values() if each.due_at <= until]
        if not timers:
            break
        first = min(timers, key=lambda each: each.due_at)
        world.now = max(world.now, first.due_at)
        sent += world.decide(Due(first)).messages
    world.now = until
    return sent


def kinds(messages: list[Message]) -> list[str]:
    return [message.rule for message in messages]


def reasons(world: World) -> list[str]:
    return [fate.reason for fate in world.last.fates]


def test_T40_message_n_plus_one_begins_it_and_says_so_once(build: Build) -> None:
    world = build()
    sent = flood(world, 8)
    assert kinds(sent) == ["one", "one", "one", "(storm)"]
    assert sent[-1].text == "Limited until 08:10: 3 SMS in 5 min. 1 alert waits for a digest. Urgent ones still come"
    assert reasons(world) == ["storm and digest at 08:10"]


def test_T04_T40_everything_held_is_in_one_digest_with_counts(build: Build) -> None:
    world = build()
    flood(world, 30)
    (digest,) = pass_time(world, minutes=10)
    assert (digest.rule, digest.phone) == ("(storm)", "+77010000001")
    assert digest.text.startswith("27 alerts 08:00-08:10: ")
    assert not world.memory.held.get("storm/+77010000001")
    told = [note for notes in world.memory.notifications.values() for note in notes]
    assert len({note.incident_id for note in told}) == 30, "each of them was told, alone or in the digest"


def test_after_a_calm_digest_alerts_come_as_usual(build: Build) -> None:
    world = build()
    flood(world, 6)
    pass_time(world, minutes=10)
    assert kinds(flood(world, 2, begin=50)) == ["one", "one"]


def test_it_goes_on_digest_by_digest_while_more_come_than_the_window_allows(build: Build) -> None:
    world = build()
    flood(world, 6)
    pass_time(world, minutes=9)
    flood(world, 5, begin=20)  # within the last five minutes before the digest
    assert kinds(pass_time(world, minutes=1)) == ["(storm)"]
    assert flood(world, 1, begin=40) == []
    assert reasons(world) == ["storm and digest at 08:20"]
    (only,) = pass_time(world, minutes=10)
    assert only.rule == "one", "a bundle of one is said in the words of its rule"
    assert kinds(flood(world, 1, begin=60)) == ["one"]


def test_a_new_storm_says_limited_again(build: Build) -> None:
    world = build()
    flood(world, 5)
    pass_time(world, minutes=16)
    assert kinds(flood(world, 5, begin=50)) == ["one", "one", "one", "(storm)"]


def test_critical_goes_on_and_others_wait(build: Build) -> None:
    world = build()
    flood(world, 5)
    assert kinds(flood(world, 5, "loud", begin=30)) == ["loud"] * 5
    assert flood(world, 1, begin=60) == []


def test_critical_messages_count_so_that_others_do_not_bury_them(build: Build) -> None:
    world = build()
    flood(world, 3, "loud")
    assert kinds(flood(world, 1, begin=30)) == ["(storm)"]


def test_critical_waits_for_the_digest_where_the_owner_wants_it(build: Build) -> None:
    world = build("digest")
    sent = flood(world, 9, "loud")
    assert kinds(sent) == ["loud", "loud", "loud", "(storm)"]
    assert "Urgent" not in sent[-1].text
    (digest,) = pass_time(world, minutes=10)
    assert digest.message_class == "critical"


def test_what_is_over_before_the_digest_is_not_in_it(build: Build) -> None:
    world = build()
    flood(world, 3, "other")
    world.zabbix("Problem", 1)
    world.zabbix("Resolved", 1)
    assert pass_time(world, minutes=10) == []


def test_plain_messages_are_held_and_counted_too(build: Build) -> None:
    world = build()
    sent = flood(world, 9, "plain")
    assert kinds(sent) == ["plain"] * 3 + ["(storm)"]
    (digest,) = pass_time(world, minutes=10)
    assert digest.text.startswith("6 alerts ")


def test_a_rule_with_a_text_for_several_is_heard_in_its_own_words(build: Build) -> None:
    world = build()
    flood(world, 8, "other")
    (digest,) = pass_time(world, minutes=10)
    assert (digest.text, digest.rule) == ("5 of other", "(storm)")


def test_one_person_in_a_storm_does_not_silence_another(build: Build) -> None:
    world = build()
    flood(world, 8)
    (sent,) = flood(world, 1, "ivan", begin=30)
    assert sent.phone == "+77010000002"


def test_times_are_those_of_the_person(build: Build) -> None:
    world = build()
    sent = flood(world, 4, "ivan")
    assert sent[-1].text.startswith("До 04:10 ")
    assert reasons(world) == ["storm and digest at 04:10"]


def test_a_digest_that_falls_into_quiet_hours_waits_for_the_morning(build: Build) -> None:
    world = build()
    world.wait(minutes=15)
    flood(world, 6, "ivan")
    assert pass_time(world, minutes=10) == []
    (morning,) = pass_time(world, hours=3)
    assert f"{morning.created_at:%H:%M}" == "06:00"  # 07:00 in Berlin


def test_T04_limited_until_is_not_said_where_the_total_is_used_up(build: Build) -> None:
    world = build(money=42)
    assert kinds(flood(world, 5)) == ["one", "one", "one"]
    dropped: list[Any] = [entry for entry in world.last.journal if entry.kind == "person.not_told"]
    assert dropped
    spent = world.memory.spends["total"]
    assert sum(spend.money for spend in spent) == 42
