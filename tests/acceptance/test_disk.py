"""A full disk: refused before DATA, nothing half stored, sending goes on, well again by itself (threats F03)."""

from __future__ import annotations

import os
import smtplib
import sqlite3
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from bridge.errors import StoreUnavailable
from bridge.model import Envelope, Recipient
from bridge.simulator.simulator import utc_now
from bridge.store import mails
from bridge.store.engine import Store
from tests.acceptance.process import Nursery, Office, nursery, office, until

needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root may mount a small disk")


@pytest.fixture(scope="module")
def programs(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Nursery]:
    with nursery(tmp_path_factory.mktemp("programs")) as made:
        yield made


@pytest.fixture
def disk(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Path]:
    """A disk of its own, as many MB as the test asks for."""
    place = tmp_path / "disk"
    place.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={request.param}m,mode=0700", "smsbridge-test", str(place)],
                   check=True)  # fmt: skip
    try:
        yield place
    finally:
        subprocess.run(["umount", "-l", str(place)], check=True)


@pytest.fixture
def place(programs: Nursery, disk: Path) -> Iterator[Office]:
    yield office(programs, disk)
    for program in programs.programs:
        program.kill()


def send(place: Office, subject: str, size: int = 10) -> int:
    """The code that ends the mail."""
    with smtplib.SMTP("127.0.0.1", place.smtp, timeout=10) as session:
        session.ehlo()
        for code, _ in (session.mail("mon@host.test"), session.rcpt("plain@bridge.test")):
            if code != 250:
                return code
        try:
            body = ("x" * 70 + "\r\n") * (size // 72 + 1)
            return session.data(f"Subject: {subject}\r\n\r\n{body}".encode())[0]
        except smtplib.SMTPDataError as refused:
            assert subject
            return refused.smtp_code


def texts(place: Office) -> set[str]:
    return {message["text"] for message in place.messages()}


@needs_root
@pytest.mark.parametrize("disk", [90], indirect=True)
def test_F03_near_the_end_of_the_disk_mail_is_refused_before_it_is_sent_and_sms_go_on(place: Office) -> None:
    place.simulate("faults", {"smsc": {"all": {"delay": 1.0}}})
    program = place.run()
    assert send(place, "before") == 250
    filler = place.folder / "filler"
    filler.write_bytes(bytes(30_000_000))
    assert send(place, "refused") == 452
    place.simulate("faults", {})
    until(lambda: place.rows("SELECT state FROM messages") == [("ACCEPTED",)], "the SMS")
    assert program.running()
    filler.unlink()
    assert send(place, "after") == 250
    until(lambda: texts(place) == {"before", "after"}, "the SMS")


@needs_root
@pytest.mark.parametrize("disk", [5], indirect=True)
def test_F03_when_a_write_finds_no_room_nothing_is_half_stored_and_it_recovers_alone(place: Office) -> None:
    filler = place.folder / "filler"
    filler.write_bytes(bytes(1_500_000))
    program = place.run(variant="no floor")
    answered: list[str] = []
    for n in range(60):
        code = send(place, f"mail {n}", 60_000)
        if code == 250:
            answered.append(f"mail {n}")
        else:
            assert 400 <= code < 500
            break
    else:
        pytest.fail("the disk never filled up")
    assert program.running()
    filler.unlink()
    until(lambda: send(place, "after") == 250, "a mail that is taken again", 20)
    until(lambda: texts(place) >= {*answered, "after"}, "all SMS", 30)
    subjects = [row[0] for row in place.rows("SELECT subject FROM mails ORDER BY id")]
    assert subjects[: len(answered)] == answered
    assert set(subjects[len(answered) :]) == {"after"}
    assert place.rows("SELECT count(*) FROM mails LEFT JOIN mail_bodies ON id = mail_id WHERE mail_id IS NULL") == [
        (0,)
    ]
    assert place.rows("PRAGMA integrity_check") == [("ok",)]


@pytest.mark.anyio
async def test_F03_a_store_without_room_says_so_and_takes_the_same_mail_later(tmp_path: Path) -> None:
    store = Store(tmp_path / "bridge.db")
    await store.open()
    ((pages,),) = await store.write(lambda tx: tx.raw("PRAGMA page_count"))
    await store.write(lambda tx: tx.raw(f"PRAGMA max_page_count = {pages + 30}"))
    envelope = Envelope(bytes(20_000), utc_now(), "m@host.test", (Recipient("a@bridge.test"),))
    kept = 0
    with pytest.raises(StoreUnavailable, match="full"):  # noqa: PT012 - how many fit is the question
        while True:
            await store.write(lambda tx: mails.keep(tx, envelope, "n1/a"))
            kept += 1
    with sqlite3.connect(store.path) as other:
        assert other.execute("SELECT count(*) FROM mails").fetchone() == (kept,)
        assert other.execute("SELECT count(*) FROM mail_bodies").fetchone() == (kept,)
    await store.write(lambda tx: mails.keep(tx, envelope, "n1/a"))  # opened anew, and with room again
    store.close()
    assert kept > 0
