"""Recognising and cutting: the engine, on packs of its own and on the shipped ones."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from bridge.mail.parse import parse
from bridge.model import Envelope, Event
from bridge.producers.identify import EVENTS, identify
from bridge.producers.loading import Packs, load_packs

Wrap = Callable[..., Envelope]
Read = Callable[..., tuple[Event, ...]]

BLOCKS = """
producer: blocks
recognise: [{header: {X-Mailer: '^blocks'}, from: 'mon@*'}, {text: '(?m)^-- BLOCK'}]
events:
  split: '(?m)^-- BLOCK'
  lines: {host: Host, level: [Level, Stufe]}
  headers: {site: X-Site}
  text: {match: 'load (?P<load>[0-9]+)', set: {high: yes}}
  fields: {host: '{host}', title: ['load {load}', '{level}'], key: '{host}'}
  labels: {site: '{site}', high: '{high}'}
  severity: {of: '{level}', map: {bad: critical}, otherwise: info}
  state: {of: '{level}', map: {fine: recovery}}
"""


@pytest.fixture(scope="module")
def shipped() -> Packs:
    return load_packs()


@pytest.fixture
def blocks(tmp_path: Path) -> Packs:
    (tmp_path / "blocks.yaml").write_text(BLOCKS)
    return load_packs(shipped=False, folder=tmp_path)


@pytest.fixture
def read(wrap: Wrap, shipped: Packs) -> Read:
    """``read(subject, text, …)``: the events of a mail."""

    def events(
        subject: str,
        text: str = "",
        *,
        sender: str = "z@shop.example",
        more: str = "",
        packs: Packs = shipped,
        forced: str | None = None,
    ) -> tuple[Event, ...]:
        kind = "Content-Type: text/plain; charset=utf-8\r\n"
        envelope = wrap(f"From: {sender}\r\nSubject: {subject}\r\n{kind}{more}\r\n{text}".encode())
        return identify(parse(envelope), envelope, "src", packs, forced)

    return events


def test_a_mail_may_hold_many_events(read: Read, blocks: Packs) -> None:
    text = "intro\n-- BLOCK\nHost: a\nLevel: bad\nload 12\n-- BLOCK\nHost: b\nStufe: fine\n"
    first, second = read("x", text, more="X-Site: Almaty\r\n", packs=blocks)
    assert (first.host, first.title, first.severity, first.state, first.key) == (
        "a",
        "load 12",
        "critical",
        "problem",
        "a",
    )
    assert first.labels == {"site": "Almaty", "high": "yes"}
    assert (second.host, second.title, second.severity, second.state) == ("b", "fine", "info", "recovery")
    assert second.labels == {"site": "Almaty"}
    assert first.detail == "-- BLOCK\nHost: a\nLevel: bad\nload 12"


def test_more_than_fifty_events_are_said_and_not_lost(read: Read, blocks: Packs) -> None:
    text = "".join(f"-- BLOCK\nHost: h{n}\nLevel: bad\n" for n in range(80))
    events = read("x", text, packs=blocks)
    assert len(events) == EVENTS
    assert (events[-1].title, events[-1].severity) == ("and 31 more events in this mail", "critical")


def test_all_keys_of_a_mark_must_fit_and_one_mark_must(read: Read, blocks: Packs) -> None:
    def producer(**given: str) -> str:
        return read("x", packs=blocks, **given)[0].producer

    assert producer(more="X-Mailer: blocks 1\r\n", sender="mon@a.kz") == "blocks"
    assert producer(more="X-Mailer: blocks 1\r\n", sender="man@a.kz") == "generic"
    assert producer(more="X-Mailer: other\r\n", sender="mon@a.kz") == "generic"
    assert producer(text="-- BLOCK") == "blocks"


def test_forced_skips_recognition(read: Read) -> None:
    assert read("anything", "Host: h1", forced="zabbix")[0].host == "h1"
    assert read("Problem: x", "Severity: High", forced="generic")[0].severity == "info"
    assert read("x", forced="unheard")[0].producer == "unheard"


def test_T19_labels_are_looked_for_in_the_first_lines_only(read: Read, blocks: Packs) -> None:
    assert read("x", "-- BLOCK\n" + "filler\n" * 500 + "Host: late", packs=blocks)[0].host == ""


def test_the_first_label_counts_because_quotes_come_later(read: Read) -> None:
    text = "Host: real\nSeverity: High\n\n> Host: quoted\n> Severity: Disaster\n"
    (event,) = read("Problem: x", text)
    assert (event.host, event.severity) == ("real", "high")


@pytest.mark.parametrize(
    ("word", "severity"),
    [
        ("Not classified", "info"),
        ("Information", "info"),
        ("Warning", "warning"),
        ("Average", "warning"),
        ("High", "high"),
        ("Disaster", "critical"),
        ("disaster (5)", "critical"),
        ("Высокая", "high"),
        ("Odd", "warning"),
    ],
)
def test_zabbix_severities(read: Read, word: str, severity: str) -> None:
    assert read("Problem: x", f"Host: h\nSeverity: {word}\n")[0].severity == severity


@pytest.mark.parametrize(
    ("subject", "text", "state", "title"),
    [
        ("Problem: Нет места на /data", "Host: h\nSeverity: High", "problem", "Нет места на /data"),
        ("Resolved in 25m 0s: Disk: full", "Host: h\nSeverity: High", "recovery", "Disk: full"),
        ("Resolved: Disk full", "Host: h\nSeverity: High", "recovery", "Disk full"),
        ("Updated problem in 10m 0s: Disk full", "Ivan acknowledged problem", "update", "Disk full"),
        ("Updated problem: Disk full", "", "update", "Disk full"),
        ("Проблема: Диск", "Хост: h\nВажность: Высокая", "problem", "Диск"),
        ("Решено за 5m: Диск", "Хост: h\nВажность: Высокая", "recovery", "Диск"),
        ("db1 red", "Problem name: Disk\nHost: h\nOriginal problem ID: 5", "problem", "Disk"),
        ("db1 ok", "Problem has been resolved at 2:40\nProblem name: Disk\nOriginal problem ID: 5", "recovery", "Disk"),
        ("", "Resolved in 5m: Disk full\nHost: h\n2026.11.21 02:40", "recovery", "Disk full"),
        ("OK: Disk", "Trigger: Disk\nTrigger status: OK\nTrigger severity: High", "recovery", "Disk"),
        ("Problem: Server down", "Problem name: Server slow\nHost: h\nSeverity: Warning", "problem", "Server slow"),
    ],
)
def test_zabbix_states_and_titles(read: Read, subject: str, text: str, state: str, title: str) -> None:
    (event,) = read(subject, text)
    assert (event.producer, event.state, event.title) == ("zabbix", state, title)


def test_zabbix_pairs_by_host_and_name_and_tells_episodes_by_the_number(read: Read) -> None:
    first = read("Problem: x", "Host: h\nSeverity: High\nOriginal problem ID: 1")[0]
    second = read("Problem: x", "Host: h\nSeverity: High\nOriginal problem ID: 2")[0]
    end = read("Resolved in 5m: x", "Host: h\nSeverity: High\nOriginal problem ID: 2")[0]
    assert first.key == second.key == end.key == "h/x"
    assert (first.problem_id, second.problem_id, end.problem_id) == ("1", "2", "2")


@pytest.mark.parametrize("subject", ["Problem: the printer is on fire", "Resolved: your ticket", "Problem solved"])
def test_people_are_not_taken_for_zabbix(read: Read, subject: str) -> None:
    assert read(subject, "Hello, please look. Regards")[0].producer == "generic"


@pytest.mark.parametrize(
    ("subject", "text", "expected"),
    [
        (
            "[PROBLEM] checkout on shop1 is CRITICAL!",
            "Info: slow\nService: checkout\nHost: shop1",
            ("icinga2", "shop1", "checkout", "critical", "problem", "slow", "shop1/checkout"),
        ),
        (
            "[PROBLEM] cart on shop2 is WARNING!",
            "Service: cart\nHost: shop2",
            ("icinga2", "shop2", "cart", "warning", "problem", "cart WARNING", "shop2/cart"),
        ),
        (
            "[RECOVERY] Host web1 is UP!",
            "Info: PING OK\nHost: web1",
            ("icinga2", "web1", "", "info", "recovery", "PING OK", "web1"),
        ),
        (
            "[CUSTOM] generator on lh1 is OK!",
            "Info: oil changed\nService: generator2\nHost: lh1",
            ("icinga2", "lh1", "generator2", "info", "info", "oil changed", "lh1/generator2"),
        ),
        (
            "** PROBLEM Host Alert: web1 is DOWN **",
            "Host: web1\nInfo: no ping\nState: DOWN",
            ("nagios", "web1", "", "critical", "problem", "no ping", "web1"),
        ),
        (
            "** ACKNOWLEDGEMENT Service Alert: web1/HTTP is CRITICAL **",
            "Additional Info:\n\nrefused",
            ("nagios", "web1", "HTTP", "critical", "update", "refused", "web1/HTTP"),
        ),
    ],
)
def test_icinga_and_nagios(read: Read, subject: str, text: str, expected: tuple[str, ...]) -> None:
    (event,) = read(subject, text)
    found = (event.producer, event.host, event.service, event.severity, event.state, event.title, event.key)
    assert found == expected
