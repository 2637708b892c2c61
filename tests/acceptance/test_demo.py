"""``smsbridge demo --once``: the story that shows whether everything works, and says where it does not."""

from __future__ import annotations

import json
import re
import signal
import smtplib
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.acceptance.process import Nursery, Program, answers, ask, free_port, nursery, until


@pytest.fixture(scope="module")
def programs(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Nursery]:
    with nursery(tmp_path_factory.mktemp("programs")) as made:
        yield made


@pytest.fixture(scope="module")
def refusing(programs: Nursery) -> Program:
    """One whose provider refuses everything; it waits ten seconds for its SMS, while other tests go on."""
    return programs.start("demo", "--once", "--fault", json.dumps({"smsc": {"all": {"refuse": 8}}}))


@pytest.mark.usefixtures("refusing")
def test_once_plays_six_steps_each_with_its_time(programs: Nursery) -> None:
    program = programs.start("demo", "--once")
    assert program.wait(40) == 0, program.said()
    steps = program.out.read_text().splitlines()
    assert [line.split(".")[0] for line in steps[:6]] == list("123456")
    assert all(re.search(r"\(\d+ ms\)", line) for line in steps[:6])
    assert program.err.read_text() == ""


def test_the_demo_stays_until_it_is_stopped_and_keeps_its_files(programs: Nursery, tmp_path: Path) -> None:
    smtp, http = free_port(), free_port()
    places = ("--dir", tmp_path / "demo", "--smtp", f"127.0.0.1:{smtp}", "--http", f"127.0.0.1:{http}")
    program = programs.start("demo", *places)
    until(lambda: answers(smtp) and answers(http), "the demo", 20)
    with smtplib.SMTP("127.0.0.1", smtp, timeout=5) as session:
        session.sendmail("me@example.org", ["oncall@bridge.test"], b"Subject: db01 disk full\r\n\r\nhello\r\n")
    found = until(lambda: ask(f"http://127.0.0.1:{http}/sim/messages?phone=77010000001"), "the SMS")
    assert "db01 disk full" in found[0]["text"]
    program.send(signal.SIGTERM)
    assert program.wait(20) == 0, program.said()
    assert (tmp_path / "demo" / "config.yaml").exists()
    again = programs.start("demo", *places)
    until(lambda: answers(smtp), "the demo again", 20)
    again.send(signal.SIGINT)
    assert again.wait(20) == 0, again.said()


def test_once_says_which_step_failed_and_what_the_provider_said(refusing: Program) -> None:
    assert refusing.wait(40) == 1, refusing.said()
    assert "Step 2 of 6 did not happen" in refusing.err.read_text()
    assert "error 8" in refusing.err.read_text()
    assert "Traceback" not in refusing.err.read_text()


def test_the_doors_of_the_pretend_provider_are_where_the_configuration_says() -> None:
    """What looks at the files beside a running demo (doctor, send --direct) finds them there."""
    from bridge.app import demo
    from bridge.book.loading import load_book

    providers = load_book(demo.FILES / "config.yaml").require().config.providers
    by_mail, smpp = providers["by-mail"], providers["smpp"]
    assert by_mail.relay is not None
    assert (by_mail.relay.port, [host.port for host in smpp.hosts]) == (demo._MAIL, [demo._SMPP])


def test_two_demos_share_no_door() -> None:
    import asyncio
    import socket

    from bridge.app import demo

    async def listen(host: str, port: int) -> int:
        server = await asyncio.start_server(lambda _reader, _writer: None, host, port)
        async with server:
            return int(server.sockets[0].getsockname()[1])

    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        assert asyncio.run(demo._at(port, listen)) != port
    assert asyncio.run(demo._at(port, listen)) == port
