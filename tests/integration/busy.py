"""A busy office: every kind of waiting in one rule book, and the moves of a long day in any order."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

from hypothesis import strategies as st

from bridge.book import RuleBook
from bridge.book.loading import load_book
from bridge.model import Envelope, MessageState, Recipient

NOW = datetime(2026, 11, 21, 3, 0, tzinfo=UTC)  # a Saturday, 08:00 in Almaty
PEOPLE = {"aigul": "+77010000001", "ivan": "+77010000002", "marat": "+77010000003"}
CONFIG = """
listen:
  - {door: smtp, address: "127.0.0.1:2525", trust: 127.0.0.0/8}
domains: bridge.test
operator: {mail: operator@bridge.test}
outgoing_mail: {relay: "smtp://127.0.0.1:2526", from: sms@bridge.test}
sources: {pair: {network: [127.0.0.11, 127.0.0.12]}}
region: KZ
timezone: Asia/Almaty
people:
  aigul: {name: Aigul, phone: "+77010000001", commands: all}
  ivan: {name: Ivan, phone: "+77010000002", commands: all, language: ru}
  marat: {name: Marat, phone: "+77010000003", quiet: {during: {hours: 08:10-09:00}}}
teams: {both: {members: [aigul, ivan], email: both@bridge.test}}
rotas: {duty: {members: [aigul, ivan], starts: 2026-11-16, handover: "09:00", every: 1d}}
providers:
  smsc: {type: smsc-http, base_url: "https://smsc.kz", login: x, password: {env: X}, number: "+77770000000",
         currency: KZT, prices: {default: 14.00}}
budgets:
  total: {money: 3000 KZT/day, reserve_for_critical: 20%}
  few: {messages: 2/30m, over: hold}
  fewer: {messages: 2/1h}
  least: {messages: 1/1h, over: drop}
storm: {over: 6 in 5m, digest: 10m}
commands: {one_time_code: [], trust_caller_id: true, answers: 30/10m, quarantine: 1h, codes: 10-20}
"""
RULES = """
rules:
  - {rule: dropped, when: {recipient: drop@bridge.test}, drop: not today}
  - {rule: mailed, when: {recipient: mail@bridge.test}, mail_to: [list@bridge.test, both]}
  - {rule: parent, when: {recipient: nobody@bridge.test}, to: aigul, rules: [{rule: kept for itself, to: nobody}]}
  - {rule: plain, when: {recipient: plain@bridge.test}, to: [aigul, marat], track: false, text: "{{ title }}"}
  - {rule: broken, when: {recipient: broken@bridge.test}, to: aigul, text: "{{ m.nothing }}"}
  - rule: ladder
    when: {recipient: ladder@bridge.test}
    to: aigul
    ack_lasts: 1h
    repeat: 10m
    replies: {news: [ack, escalation, unanswered, over]}
    receipts: {not_reached_after: 3m}
    escalate: [{after: 5m, to: [ivan, marat]}, {after: 10m, to: both, channel: [sms, call], class: critical, again: 1}]
  - {rule: duty, when: {recipient: duty@bridge.test}, to: on-call duty, repeat: 10m, class: critical}
  - {rule: group, when: {recipient: group@bridge.test}, to: [aigul, ivan],
     group: {by: [severity], wait: 2m, every: 10m}}
  - {rule: urgent group, when: {recipient: urgent@bridge.test}, to: aigul, class: critical,
     group: {by: [severity], wait: 2m, every: 10m}, threshold: 2 in 5m}
  - {rule: digest, when: {recipient: digest@bridge.test}, to: [aigul, marat], digest: {at: ["08:20", "20:00"]}}
  - {rule: quiet, when: {recipient: quiet@bridge.test}, to: both, quiet: {during: {hours: 08:05-08:40}},
     escalate: [{after: 5m, to: marat}]}
  - {rule: quiet gone, when: {recipient: gone@bridge.test}, to: ivan,
     quiet: {during: {hours: 08:05-08:40}, then: drop}}
  - {rule: person, when: {recipient: person@bridge.test}, to: marat, on_recovery: mail only}
  - {rule: flap, when: {recipient: flap@bridge.test}, to: both, flap: {changes: 3 in 30m, calm: 4m}, repeat: 10m}
  - {rule: threshold, when: {recipient: threshold@bridge.test}, to: aigul, threshold: {count: 3 in 10m, by: [source]}}
  - {rule: closing, when: {recipient: closing@bridge.test}, to: aigul, close_after: 20m, repeat: never,
     on_recovery: nobody}
  - {rule: held, when: {recipient: few@bridge.test}, to: both, budget: few, repeat: always}
  - {rule: summed up, when: {recipient: fewer@bridge.test}, to: aigul, budget: fewer, repeat: 10m}
  - {rule: given up, when: {recipient: least@bridge.test}, to: aigul, budget: least, repeat: always}
  - {rule: first key, when: {recipient: keys@bridge.test}, to: aigul, key: "a {{ host }}", continue: true}
  - {rule: second key, when: {recipient: keys@bridge.test}, to: [aigul, ivan], key: "b {{ host }}"}
  - {rule: one, when: {recipient: one@bridge.test}, to: aigul, repeat: 10m}
  - {rule: other, when: {recipient: other@bridge.test}, to: both}
inhibit:
  - {inhibit: site, while: {host: db04}, hide: {host: [db01, db02]}}
  - {inhibit: rack, while: {host: db03, severity: critical}, hide: {host: [db01, db02]}, equal: [source]}
silences:
  - {silence: planned, when: {host: db02}, during: {hours: 08:30-08:50}, by: aigul}
watch:
  - {watch: backup, for: {recipient: drop@bridge.test, host: db01}, every: 40m, grace: 2m, to: aigul,
     escalate: [{after: 10m, to: ivan}]}
  - {watch: report, for: {recipient: drop@bridge.test, host: db02}, cron: "10 8,20 * * *", grace: 5m, to: ivan}
  - {watch: each, for: {recipient: drop@bridge.test}, every: 1h, by: [host], to: marat}
"""
_ADDRESSES = (
    "drop mail nobody plain broken ladder duty group urgent digest quiet gone person flap threshold closing few fewer "
    "least keys one other"
).split()

Kind = Literal["problem", "over", "plain", "reply", "order", "receipt", "wait", "restart"]


@dataclass(frozen=True, slots=True)
class Move:
    """One thing that happens: what it needs of the words that follow depends on its kind."""

    kind: Kind
    words: tuple[str, ...] = ()
    to: tuple[str, ...] = ("one",)
    peer: str = "127.0.0.1"
    minutes: float = 0


def busy_book(folder: Path) -> RuleBook:
    """The office's rule book, written into *folder*."""
    (folder / "rules").mkdir(parents=True, exist_ok=True)
    (folder / "config.yaml").write_text(CONFIG)
    (folder / "rules" / "10.yaml").write_text(RULES)
    return load_book(folder / "config.yaml").require()


def envelope_of(move: Move, at: datetime) -> Envelope:
    """The mail of a move: a Zabbix's problem or its end, or words that nobody recognises."""
    if move.kind == "plain":
        subject, text = move.words[0], "hello"
    else:
        host, severity, number = move.words
        subject = "Problem: Disk" if move.kind == "problem" else "Resolved in 5m 0s: Disk"
        text = f"Problem name: Disk\nHost: {host}\nSeverity: {severity}\nOriginal problem ID: {number}\n"
    content = f"From: mon@host.test\r\nSubject: {subject}\r\n\r\n{text}\r\n".encode()
    recipients = tuple(Recipient(f"{name}@bridge.test") for name in move.to)
    return Envelope(content, at, "mon@host.test", recipients, peer=move.peer)


_peers = st.sampled_from(("127.0.0.1", "127.0.0.11", "127.0.0.12"))
_to = st.lists(st.sampled_from(_ADDRESSES), min_size=1, max_size=3, unique=True).map(tuple)
_hosts = st.sampled_from(("db01", "db01", "db02", "db03", "db04"))
_trouble = st.tuples(_hosts, st.sampled_from(("Warning", "High", "Disaster")), st.sampled_from(("1", "2")))
_people = st.sampled_from(sorted(PEOPLE))
_said = st.sampled_from(
    "ok|10 ok|11 ok|ack all|un|10 un|esc|11 esc|list|status 10|who|mute db01 20m|mute 10 30m|unmute db01|take 1h|"
    "swap ivan|swap aigul|swap ok|swap no|note 10 looking|10 close|stop|start|help|hello there".split("|")
)
_orders = st.sampled_from(
    "incidents ack 1000|incidents ack 1001 1002|incidents unack 1000|incidents resolve 1001|incidents close 1002|"
    "incidents silence 1000 20m|incidents note 1000 hi|silences add host=db0* 15m|silences add severity=high 1h|"
    "silences end 1|silences end 2|oncall take duty ivan 30m|oncall swap duty aigul|oncall who".split("|")
)
_network: Sequence[MessageState] = ("DELIVERED", "UNDELIVERED", "EXPIRED")

_move = st.one_of(
    st.builds(Move, st.just("problem"), _trouble, _to, _peers),
    st.builds(Move, st.just("problem"), _trouble, _to),
    st.builds(Move, st.just("over"), _trouble, _to, _peers),
    st.builds(Move, st.just("plain"), st.sampled_from(("disk full", "door open")).map(lambda word: (word,)), _to),
    st.builds(Move, st.just("reply"), st.tuples(_people, _said)),
    st.builds(Move, st.just("order"), _orders.map(lambda line: tuple(line.split()))),
    st.builds(Move, st.just("receipt"), st.tuples(_people, st.sampled_from(_network))),
    st.builds(Move, st.just("wait"), minutes=st.sampled_from((0.2, 1, 3, 6, 11, 25, 61, 600))),
    st.builds(Move, st.just("wait"), minutes=st.sampled_from((1, 3, 6))),
)
days = st.lists(_move, min_size=3, max_size=30)
days_with_restarts = st.lists(st.one_of(_move, _move, st.just(Move("restart"))), min_size=3, max_size=25)
