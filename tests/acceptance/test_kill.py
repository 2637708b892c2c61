"""kill -9 at any moment: what was answered 250 has its SMS on the phone, once (threats F01, promises 1 and 2).

A client hands in numbered mails without a pause and, like every mail server, hands in again what was not answered.
The bridge is killed and started again and again. The pretend provider is told to take doubles: if a number is on a
phone twice, then because the bridge sent it twice.
"""

from __future__ import annotations

import random
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.acceptance.load import PHONES, Client, counted, settled, verdict
from tests.acceptance.process import WIDE, Nursery, Office, nursery, office, until


def torment(place: Office, kills: int, *, variant: str = "", pause: float = 0.01, seed: int = 1) -> list[Client]:
    """Kill the bridge *kills* times under load, then let it finish."""
    chance = random.Random(seed)
    clients = [Client(place.smtp, name, n * 1_000_000, pause=pause) for n, name in enumerate(PHONES, 1)]
    for client in clients:
        client.start()
    for _ in range(kills):
        program = place.run(ready=bool(variant), variant=variant)  # a sound one is killed while it starts, too
        time.sleep(chance.uniform(0.05, 0.7))
        program.kill()
    last = place.run(variant=variant)
    time.sleep(0.3)
    for client in clients:
        client.ending.set()
        client.join()
    until(lambda: settled(place), "an end of all work", 60)
    assert last.running()
    return clients


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
    assert answered > 50, "hardly any mail came in between the kills"  # some hundreds where nothing else runs
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
    clients = torment(place, 1, variant="twice")
    _, doubled = verdict(clients, counted(place))
    assert doubled
