"""Every door and every fault of the simulator: the right state, the right number of SMS, and no secret anywhere.

All faults of a door strike at once, each one phone, with the product's own sender and watcher behind the door. The slow
proof lets each of them strike alone, and never end.
"""

from __future__ import annotations

import base64
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import pytest

from tests.contract.conftest import ALL
from tests.contract.faults import catalogue
from tests.contract.kit import PASSWORD, Door, World
from tests.contract.life import lives

pytestmark = pytest.mark.anyio

BY_NAME = {door.name: door for door in ALL}
NOBODY_WAITS = {
    "bridge.providers.smsc_http.LONGEST": 3.0,
    "bridge.providers.smsgate.LONGEST": 3.0,
    "bridge.providers.plain_http.LONGEST": 3.0,
    "bridge.providers.smsc_http.SAME_REQUEST_PAUSE": 0.0,
    "bridge.providers.smsc_smpp._BUSY_PAUSES": (0.01,) * 4,
    "bridge.smpp.link._ANSWERS_OWED": 0.5,
    "bridge.smpp.link._HANGS_UP": 0.1,
    "bridge.delivery.relays._ANSWER": 2.0,
    "bridge.delivery.relays._BEGUN": 2.0,
    "bridge.delivery.relays._TAKEN": 2.0,
}


def _rich(door: Door) -> Door:
    """With money for a message for every fault."""

    @asynccontextmanager
    async def opened() -> AsyncIterator[World]:
        async with door.open() as world:
            world.account(balance=Decimal(100_000))
            yield world

    return replace(door, open=opened)


@pytest.fixture(autouse=True)
def _nobody_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    for place, value in NOBODY_WAITS.items():
        monkeypatch.setattr(place, value)


@pytest.mark.parametrize("name", BY_NAME)
def test_every_door_says_what_it_expects_of_every_fault(name: str) -> None:
    faults, expected = set(catalogue()), set(BY_NAME[name].expects)
    assert (sorted(faults - expected), sorted(expected - faults)) == ([], [])


@pytest.mark.parametrize("name", BY_NAME)
async def test_F07_T29_every_fault_ends_in_the_right_state_with_the_right_number_of_sms_and_tells_no_secret(
    name: str, tmp_path: Path, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    door = BY_NAME[name]
    with caplog.at_level(logging.DEBUG):
        seen = await lives(_rich(door), catalogue(), tmp_path)
    wrong = {fault: (was, door.expects[fault]) for fault, was in seen.items() if was != door.expects[fault]}
    assert wrong == {}
    assert sorted(fault for fault, was in seen.items() if was.sms_at_end > 1) == []
    _no_secret(tmp_path, caplog.text, *capfd.readouterr())


def _no_secret(folder: Path, *said: str) -> None:
    """In logs, on the terminal, and in every byte of the store: journal, requests, reasons, evidence."""
    kept = b"".join(path.read_bytes() for path in folder.glob("bridge.db*"))
    assert b"alert 7701" in kept, "this is where it would be"
    for secret in _spellings(PASSWORD):
        assert secret.encode() not in kept
        assert [text for text in said if secret in text] == []


def _spellings(secret: str) -> list[str]:
    """What of *secret* survives every escape, and what base64 makes of it, wherever it stands in a longer text."""
    core = secret.rstrip("&=+")
    wrapped = [base64.b64encode(bytes(before) + secret.encode())[4:20].decode() for before in range(3)]
    return [core, *wrapped]


@pytest.mark.proof
@pytest.mark.parametrize("fault", catalogue())
@pytest.mark.parametrize("name", BY_NAME)
async def test_F07_a_fault_that_never_ends_costs_no_second_sms(name: str, fault: str, tmp_path: Path) -> None:
    door: Door = BY_NAME[name]
    seen = (await lives(door, {fault: {"times": None, **catalogue()[fault]}}, tmp_path))[fault]
    expected = door.forever.get(fault, door.expects[fault])
    assert (seen.first, seen.sms) == (expected.first, expected.sms)
    assert seen.sms_at_end <= 1
    if seen.end in ("DELIVERED", "UNDELIVERED", "EXPIRED", "ACCEPTED"):
        assert seen.sms_at_end == 1
