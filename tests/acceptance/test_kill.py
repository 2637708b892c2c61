"""kill -9 at any moment: what was answered 250 has its SMS on the phone, once (threats F01, promises 1 and 2).

A client hands in numbered mails without a pause and, like every mail server, hands in again what was not answered.
The bridge is killed and started again and again. The pretend provider is told to take doubles: if a number is on a
phone twice, then because the bridge sent it twice.
"""

from __future__ import annotations

import random
import re
import smtplib
import threading
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.acceptance.process import WIDE, Nursery, Office, nursery, office, until

PHONES = {"both": ("77010000001", "77010000002"), "plain": ("77010000001",)}
_NUMBER = re.compile(r"alert (\d+)!")


class Client(threading.Thread):
    """Hands in mails, each until it is answered 250; *answered* are their numbers."""

    def __init__(self, port: int, name: str, first: int, *, pause: float, stubborn: bool = True) -> None:
        super().__init__(daemon=True)
        self.port = port
        self.recipient = name
        self.number = first
        self.pause = pause
        self.stubborn = stubborn
        self.answered: list[int] = []
        self.ending = threading.Event()
        self.failures = 0

    def run(self) -> None:
        session: smtplib.SMTP | None = None
        while not self.ending.is_set():
            try:
                session = session or smtplib.SMTP("127.0.0.1", self.port, timeout=5)
                session.sendmail("mon@host.test", [f"{self.recipient}@bridge.test"], self._mail())
            except (smtplib.SMTPException, OSError):
                self.failures += 1
                session = None
                self.number += 0 if self.stubborn else 1
                time.sleep(0.02)
            else:
                self.answered.append(self.number)
                self.number += 1
                time.sleep(self.pause)
        if session is not None:
            session.close()

    def _mail(self) -> bytes:
        number = self.number
        head = f"From: mon@host.test\r\nSubject: alert {number}! on host{number}\r\nMessage-ID: <{number}@host.test>\r\n"
        return f"{head}Date: Sat, 21 Nov 2026 08:12:00 +0500\r\n\r\nsomething broke\r\n".encode()


def torment(place: Office, kills: int, *, variant: str = "", pause: float = 0.01, seed: int = 1) -> list[Client]:
    """Kill the bridge *kills* times under load, then let it finish."""
    chance = random.Random(seed)
    clients = [Client(place.smtp, name, n * 1_000_000, pause=pause) for n, name in enumerate(PHONES, 1)]
    for client in clients:
        client.start()
    for _ in range(kills):
        program = place.run(ready=False, variant=variant)
        time.sleep(chance.uniform(0.02, 0.9))
        program.kill()
    last = place.run()
    for client in clients:
        client.ending.set()
        client.join()
    until(lambda: settled(place), "an end of all work", 60)
    assert last.running()
    return clients


def settled(place: Office) -> bool:
    """Nothing waits any more, neither a mail nor a message."""
    ((mails,),) = place.rows("SELECT count(*) FROM mails WHERE state = 'RECEIVED'")
    ((messages,),) = place.rows(
        "SELECT count(*) FROM messages WHERE state IN ('READY', 'INFLIGHT', 'UNKNOWN', 'HELD')"
    )
    return not mails and not messages


def counted(place: Office) -> Counter[tuple[str, int]]:
    """(phone, number) → how many SMS with it the phone got."""
    found: Counter[tuple[str, int]] = Counter()
    for message in place.messages():
        number = _NUMBER.search(message["text"])
        assert number, message["text"]
        found[message["phone"], int(number[1])] += 1
    return found


def verdict(clients: list[Client], found: Counter[tuple[str, int]]) -> tuple[list[object], list[object]]:
    """(lost, doubled)."""
    wanted = [(phone, n) for client in clients for n in client.answered for phone in PHONES[client.recipient]]
    return [one for one in wanted if not found[one]], [one for one, count in found.items() if count > 1]


@pytest.fixture(scope="module")
def programs(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Nursery]:
    with nursery(tmp_path_factory.mktemp("programs")) as made:
        yield made


@pytest.fixture
def place(programs: Nursery, tmp_path: Path) -> Iterator[Office]:
    made = office(programs, tmp_path / "office")
    made.simulate("switches", {"limits": WIDE})
    made.simulate("accounts", {"demo": {"balance": "100000000.00"}})
    yield made
    for program in programs.programs:
        program.kill()


@pytest.mark.timeout(150)
def test_F01_fifty_kills_lose_nothing_and_double_nothing(place: Office) -> None:
    clients = torment(place, 50)
    lost, doubled = verdict(clients, counted(place))
    answered = sum(len(client.answered) for client in clients)
    assert not lost
    assert not doubled
    assert answered > 200, "hardly any mail came in between the kills"
    assert place.rows("SELECT count(*) FROM mails WHERE state = 'QUARANTINED'") == [(0,)]


@pytest.mark.proof
@pytest.mark.timeout(1500)
@pytest.mark.parametrize("seed", range(2, 6))
def test_F01_two_hundred_kills_lose_nothing_and_double_nothing(place: Office, seed: int) -> None:
    lost, doubled = verdict(clients := torment(place, 200, seed=seed), counted(place))
    assert (lost, doubled) == ([], []), len(clients)


def test_F01_the_harness_notices_a_bridge_that_answers_before_it_commits(place: Office) -> None:
    clients = torment(place, 5, variant="early")
    lost, _ = verdict(clients, counted(place))
    assert lost


def test_F01_the_harness_notices_a_bridge_that_sends_twice(place: Office) -> None:
    clients = torment(place, 0, variant="twice")
    program = place.run(ready=False, variant="twice")
    program.kill()
    _, doubled = verdict(clients, counted(place))
    assert not doubled  # the last bridge of torment is sound
