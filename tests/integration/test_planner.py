"""From the store's mails to its messages: what nobody can read, what breaks a batch, and two who decide at once."""

from __future__ import annotations

import asyncio
import sqlite3
import threading
from collections import Counter
from collections.abc import AsyncIterator, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import structlog
from hypothesis import given, settings
from hypothesis import strategies as st

from bridge.app import planner as planner_room
from bridge.app.planner import Planner
from bridge.book import RuleBook
from bridge.book.loading import load_book
from bridge.dispatch.decide import bound, decide
from bridge.errors import StoreUnavailable
from bridge.intake.read import read
from bridge.intake.worker import ReaderKilled, Worker
from bridge.mail.parse import parse as real_parse
from bridge.model import Email, Envelope, Happening, Plan, Reading, Recipient, StoredMail
from bridge.store import inbound, mails, plans
from bridge.store.engine import Store, Tx

CONFIG = """
listen: [{door: smtp, address: "127.0.0.1:2525", trust: 127.0.0.0/8}]
domains: bridge.test
operator: {mail: operator@bridge.test}
outgoing_mail: {relay: "smtp://127.0.0.1:2526", from: sms@bridge.test, tls: "off"}
region: KZ
timezone: Asia/Almaty
currency: KZT
people:
  aigul: {name: Aigul, phone: "+77010000001"}
  ivan: {name: Ivan, phone: "+77010000002"}
teams: {both: {members: [aigul, ivan]}}
providers:
  smsc: {type: smsc-http, base_url: "https://smsc.kz", login: x, password: {env: X}, number: "+77770000000"}
budgets: {total: {money: 1000 KZT/day}}
"""
RULES = """
rules:
  - {rule: both, when: {recipient: both@bridge.test}, to: both}
  - {rule: one, when: {recipient: one@bridge.test}, to: aigul}
"""
NOW = datetime(2026, 11, 21, 3, 0, tzinfo=UTC)


@pytest.fixture(scope="module")
def book(tmp_path_factory: pytest.TempPathFactory) -> RuleBook:
    folder: Path = tmp_path_factory.mktemp("office")
    (folder / "config.yaml").write_text(CONFIG)
    (folder / "rules").mkdir()
    (folder / "rules" / "10.yaml").write_text(RULES)
    return load_book(folder / "config.yaml").require()


def envelope(subject: str = "disk full", to: str = "both", *, body: str = "x", message_id: str = "") -> Envelope:
    extra = f"Message-ID: <{message_id}>\r\n" if message_id else ""
    content = f"From: mon@host.test\r\nSubject: {subject}\r\n{extra}\r\n{body}\r\n".encode()
    recipients = (Recipient(f"{to}@bridge.test"),)
    return Envelope(content, NOW, "mon@host.test", recipients, peer="127.0.0.1")


@dataclass
class Desk:
    """A planner over a real store, with a clock that stands until it is told to move."""

    store: Store
    book: RuleBook
    now: datetime = NOW
    decided: list[plans.Decided] = field(default_factory=list)
    planner: Planner = field(init=False)

    def __post_init__(self) -> None:
        self.planner = Planner(
            self.store, lambda: self.book, owner="n1/a", own="me", now=lambda: self.now, decided=self.decided.extend
        )

    async def keep(self, mail: Envelope, *, offer: bool = True) -> int:
        number = await self.store.write(lambda tx: mails.keep(tx, mail, "n1/a"))
        if offer:
            self.planner.offer(number, mail)
        return number

    async def round(self, seconds: float = 0) -> None:
        self.now += timedelta(seconds=seconds)
        self.planner.wake()
        await self.planner._round()

    async def rows(self, sql: str) -> list[tuple[Any, ...]]:
        return await self.store.read(lambda tx: tx.raw(sql))

    async def states(self) -> list[str]:
        return [row[0] for row in await self.rows("SELECT state FROM mails ORDER BY id")]


@pytest.fixture(autouse=True)
def said() -> Iterator[list[Any]]:
    """What was logged; the default of the library draws every exception as a picture and takes a second for it."""
    with structlog.testing.capture_logs() as lines:
        yield lines


@pytest.fixture
async def desk(tmp_path: Path, book: RuleBook) -> AsyncIterator[Desk]:
    store = Store(tmp_path / "bridge.db")
    await store.open()
    made = Desk(store, book)
    yield made
    made.planner.close()
    store.close()


@pytest.mark.anyio
async def test_a_mail_in_hand_is_decided_and_everybody_is_told_once(desk: Desk) -> None:
    await desk.keep(envelope())
    await desk.round()
    assert await desk.states() == ["PLANNED"]
    assert await desk.rows("SELECT phone FROM messages ORDER BY phone") == [("+77010000001",), ("+77010000002",)]


@pytest.mark.anyio
async def test_F01_a_mail_that_nobody_has_in_hand_is_found_in_the_store(desk: Desk) -> None:
    await desk.keep(envelope(), offer=False)
    await desk.round()
    assert await desk.states() == ["RECEIVED"]  # the node that took it may still hold it
    await desk.round(mails.LEASE.total_seconds() + 1)
    assert await desk.states() == ["PLANNED"]


@pytest.mark.anyio
async def test_F26_a_mail_that_stops_its_reader_is_set_aside_and_alerts_while_others_go_on(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    real, tries = planner_room.read, Counter[int]()

    def poisoned(mail: StoredMail, *arguments: Any, **named: Any) -> Reading:
        tries[mail.id] += 1
        if b"poison" in mail.envelope.content:
            raise RecursionError("deep")
        return real(mail, *arguments, **named)

    monkeypatch.setattr(planner_room, "read", poisoned)
    poison = await desk.keep(envelope("poison", "one"))
    await desk.keep(envelope("harmless", "one"))
    await desk.round()
    assert await desk.states() == ["RECEIVED", "PLANNED"]
    for _ in range(6):
        await desk.round(mails.LEASE.total_seconds() + 1)
        await desk.keep(envelope(f"another {tries[poison]}", "one"))
    await desk.round()
    assert (await desk.states())[0] == "QUARANTINED"
    assert set((await desk.states())[1:]) == {"PLANNED"}
    assert tries[poison] <= 4
    texts = [row[0] for row in await desk.rows("SELECT text FROM messages ORDER BY id")]
    assert sum("nreadable" in text and f"M-{poison}" in text for text in texts) == 1
    assert await desk.rows("SELECT count(*) FROM outgoing_mails WHERE kind = 'operator'") == [(1,)]


@pytest.mark.anyio
async def test_F26_a_poison_that_ends_the_process_takes_no_other_mail_with_it(desk: Desk) -> None:
    """Mails that were being read when a process died are read again one at a time."""
    for n in range(5):
        await desk.keep(envelope(f"mail {n}", "one"), offer=False)
    start = desk.now + mails.LEASE
    first = await desk.store.write(lambda tx: mails.claim(tx, "n1/a", start, 64))  # … and the process dies
    assert len(first) == 5
    for boot in range(1, 4):
        at = start + boot * mails.LEASE
        again = await desk.store.write(lambda tx, at=at, boot=boot: mails.claim(tx, f"n1/{boot}", at, 64))
        assert len(again) == 1, "the one that kills would be counted against all of them"


@pytest.mark.anyio
async def test_F26_a_mail_that_was_begun_in_vain_is_read_where_it_can_do_no_harm(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Four kills in a row with one mail begun prove nothing against it; a worker that dies of it does."""
    elsewhere: list[int] = []

    async def parse(_worker: Worker, given: Envelope, _charset: str | None) -> Email:
        elsewhere.append(given.content.count(b"poison"))
        if b"poison" in given.content:
            raise ReaderKilled("it died")
        return real_parse(given, None)

    monkeypatch.setattr(Worker, "parse", parse)
    harmless = await desk.keep(envelope("harmless", "one"), offer=False)
    poison = await desk.keep(envelope("poison", "one"), offer=False)
    for boot in range(1, 6):
        at = desk.now + boot * 2 * mails.LEASE
        for _ in range(2):
            await desk.store.write(lambda tx, at=at, boot=boot: mails.claim(tx, f"n1/{boot}", at, 64))
    for _ in range(2):
        await desk.round(12 * mails.LEASE.total_seconds())
    states = dict(await desk.rows("SELECT id, state FROM mails"))
    assert states == {harmless: "PLANNED", poison: "QUARANTINED"}
    assert elsewhere == [0, 1]


@pytest.mark.anyio
async def test_F19_a_round_that_is_cut_off_loses_nothing_from_hand(desk: Desk) -> None:
    for n in range(3):
        await desk.keep(envelope(f"mail {n}", "one"))
    cut = asyncio.create_task(desk.planner.run())
    await asyncio.sleep(0)
    cut.cancel()
    with pytest.raises(asyncio.CancelledError):
        await cut
    await desk.planner.drain()
    assert await desk.states() == ["PLANNED"] * 3


@pytest.mark.anyio
async def test_F26_an_error_while_deciding_leaves_the_others_of_the_batch_planned(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    def poisoned(happening: Happening, *arguments: Any) -> Plan:
        if isinstance(happening, Reading) and happening.subject == "poison":
            raise ZeroDivisionError
        return decide(happening, *arguments)

    monkeypatch.setattr(planner_room, "decide", poisoned)
    for subject in ("one", "poison", "two"):
        await desk.keep(envelope(subject, "one"))
    await desk.round()
    assert await desk.states() == ["PLANNED", "RECEIVED", "PLANNED"]
    assert [type(one.error).__name__ for one in desk.decided] == ["NoneType", "ZeroDivisionError", "NoneType"]


@pytest.mark.anyio
async def test_F26_a_plan_the_store_refuses_leaves_the_others_of_the_batch_planned(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    def poisoned(happening: Happening, *arguments: Any) -> Plan:
        from dataclasses import replace

        plan = decide(happening, *arguments)
        if isinstance(happening, Reading) and happening.subject == "poison":
            return replace(plan, notifications=plan.notifications * 2)  # against the unique index
        return plan

    monkeypatch.setattr(planner_room, "decide", poisoned)
    for subject in ("one", "poison", "two"):
        await desk.keep(envelope(subject, "one"))
    await desk.round()
    assert await desk.states() == ["PLANNED", "RECEIVED", "PLANNED"]
    assert await desk.rows("SELECT count(*) FROM messages") == [(2,)]


@pytest.mark.anyio
async def test_F12_while_the_store_is_away_mails_stay_in_hand(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    await desk.keep(envelope())
    broken = True

    def away(tx: Tx, *arguments: Any) -> list[plans.Decided]:
        if broken:
            raise sqlite3.OperationalError("disk I/O error")
        return original(tx, *arguments)

    original = plans.plan
    monkeypatch.setattr(plans, "plan", away)
    with pytest.raises(StoreUnavailable):
        await desk.round()
    assert desk.planner.in_hand == 1
    broken = False
    await desk.round()
    assert await desk.states() == ["PLANNED"]


@pytest.mark.anyio
async def test_a_big_mail_is_read_in_the_worker(desk: Desk) -> None:
    await desk.keep(envelope("much to say", "one", body="line of a log\r\n" * 20_000))
    await desk.round()
    assert await desk.states() == ["PLANNED"]
    assert "much to say" in (await desk.rows("SELECT text FROM messages"))[0][0]


@pytest.mark.anyio
async def test_T21_a_bomb_of_parts_alerts_all_the_same(desk: Desk) -> None:
    part = b"--b\r\nContent-Type: text/plain\r\n\r\nx\r\n"
    head = b"From: mon@host.test\r\nSubject: many parts\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n"
    bomb = Envelope(head + part * 30_000 + b"--b--\r\n", NOW, "mon@host.test", (Recipient("one@bridge.test"),))
    await desk.keep(bomb)
    await desk.round()
    assert (await desk.states())[0] in ("PLANNED", "QUARANTINED")
    assert len(await desk.rows("SELECT 1 FROM messages")) == 1


@pytest.mark.anyio
async def test_an_answer_by_sms_is_decided_once(desk: Desk) -> None:
    await desk.keep(envelope(to="one"))
    await desk.round()
    for _ in range(2):
        await desk.store.write(
            lambda tx: inbound.keep(tx, "in:1", "sms", "smsc", "+77010000001", "+77770000000", "ok", desk.now)
        )
        await desk.round()
    assert await desk.rows("SELECT state, acked_by FROM incidents") == [("acked", "aigul")]
    assert await desk.rows("SELECT state, read_as FROM replies") == [("DONE", "ack")]


# --- two stores on one file ----------------------------------------------------------------------


class Node(threading.Thread):
    """A second process as far as SQLite can tell: an own store object with own connections and an own loop."""

    def __init__(self, path: Path, book: RuleBook, name: str, batches: Sequence[Sequence[Reading]], go: Any) -> None:
        super().__init__()
        self.path = path
        self.book = book
        self.label = name
        self.batches = batches
        self.go = go
        self.errors: list[BaseException] = []

    def run(self) -> None:
        try:
            asyncio.run(self._work())
        except BaseException as error:  # noqa: BLE001 - told to the test
            self.errors.append(error)
            self.go.abort()

    async def _work(self) -> None:
        store = Store(self.path)
        await store.open()
        try:
            self.go.wait(10)
            for batch in self.batches:
                decided = await store.write(lambda tx, batch=batch: self._decide(tx, batch))
                self.errors += [one.error for one in decided if one.error]
        finally:
            store.close()

    def _decide(self, tx: Tx, batch: Sequence[Reading]) -> list[plans.Decided]:
        book = self.book
        return plans.plan(tx, batch, *bound(book, NOW), NOW)


SUBJECTS = st.lists(st.tuples(st.sampled_from("abc"), st.sampled_from(("both", "one"))), min_size=1, max_size=8)
ORDERS = st.randoms(use_true_random=False)


async def _kept(path: Path, book: RuleBook, wanted: Sequence[tuple[str, str]]) -> list[Reading]:
    store = Store(path)
    await store.open()
    readings = []
    for subject, to in wanted:
        mail = envelope(subject, to)
        number = await store.write(lambda tx, mail=mail: mails.keep(tx, mail, "n1/a"))
        readings.append(read(StoredMail(number, mail), book))
    store.close()
    return readings


def _dealt(readings: Sequence[Reading], chance: Any) -> list[list[Reading]]:
    """All of them in an order and in batches of this node's own."""
    mixed, batches = list(readings), []
    chance.shuffle(mixed)
    while mixed:
        count = chance.randint(1, 3)
        batches.append(mixed[:count])
        del mixed[:count]
    return batches


@settings(max_examples=30)
@given(wanted=SUBJECTS, chance=ORDERS)
def test_F13_two_stores_that_decide_the_same_mails_at_once_equal_a_serial_order(
    book: RuleBook, tmp_path_factory: pytest.TempPathFactory, wanted: list[tuple[str, str]], chance: Any
) -> None:
    path = tmp_path_factory.mktemp("two") / "bridge.db"
    readings = asyncio.run(_kept(path, book, wanted))
    go = threading.Barrier(2)
    nodes = [Node(path, book, name, _dealt(readings, chance), go) for name in "ab"]
    for node in nodes:
        node.start()
    for node in nodes:
        node.join(30)
    assert [node.errors for node in nodes] == [[], []]
    with sqlite3.connect(path) as store:
        _serial(store, wanted)


def _serial(store: sqlite3.Connection, wanted: Sequence[tuple[str, str]]) -> None:
    """What any order of the mails, one after the other, would have left behind."""
    phones = {"both": {"+77010000001", "+77010000002"}, "one": {"+77010000001"}}
    mails_of = Counter(subject for subject, _ in wanted)
    told = {subject: set().union(*(phones[to] for s, to in wanted if s == subject)) for subject in mails_of}
    counts = dict(store.execute("SELECT title, count FROM incidents").fetchall())
    assert store.execute("SELECT count(*) FROM incidents").fetchone()[0] == len(mails_of)
    assert counts == dict(mails_of)
    rows = store.execute(
        "SELECT i.title, n.phone FROM notifications n JOIN incidents i ON i.id = n.incident_id WHERE n.step = '0'"
    ).fetchall()
    assert sorted(rows) == sorted((subject, phone) for subject, known in told.items() for phone in known)
    assert store.execute("SELECT count(*) FROM messages").fetchone()[0] == len(rows)
    assert {row[0] for row in store.execute("SELECT state FROM mails")} == {"PLANNED"}
    fates = store.execute("SELECT fates FROM mails").fetchall()
    assert all(fate != "[]" for (fate,) in fates)
