"""What an operator does to a running bridge, and what must not happen then."""

from __future__ import annotations

import re
import shutil
import signal
import smtplib
import socket
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.acceptance.load import PHONES, Client, counted, settled, verdict
from tests.acceptance.process import WIDE, Nursery, Office, answers, ask, free_port, nursery, office, until


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


def load(*ports: int, pause: float = 0.01) -> list[Client]:
    clients = [
        Client(port, name, (10 * n + m) * 1_000_000, pause=pause)
        for m, port in enumerate(ports)
        for n, name in enumerate(PHONES, 1)
    ]
    for client in clients:
        client.start()
    return clients


def end(clients: list[Client]) -> None:
    for client in clients:
        client.ending.set()
    for client in clients:
        client.join()


def send(port: int, subject: str, to: str = "plain") -> None:
    with smtplib.SMTP("127.0.0.1", port, timeout=5) as session:
        session.sendmail("mon@host.test", [f"{to}@bridge.test"], f"Subject: {subject}\r\n\r\nx\r\n".encode())


def texts(place: Office) -> list[str]:
    return [message["text"] for message in place.messages()]


def test_F19_a_stop_under_load_ends_in_time_and_loses_nothing(place: Office) -> None:
    place.simulate("faults", {"smsc": {"all": {"delay": 0.5}}})
    program = place.run()
    clients = load(place.smtp)
    time.sleep(1.5)
    began = time.monotonic()
    program.send(signal.SIGTERM)
    assert program.wait(20) == 0, program.said()
    assert time.monotonic() - began < 20
    assert place.rows("SELECT count(*) FROM messages WHERE state = 'INFLIGHT'") == [(0,)]  # every answer was awaited
    place.simulate("faults", {})
    place.run()
    end(clients)
    until(lambda: settled(place), "an end of all work", 30)
    assert verdict(clients, counted(place)) == ([], [])
    assert sum(len(client.answered) for client in clients) > 20


def test_F19_a_mail_that_is_coming_in_is_taken_to_its_end(place: Office) -> None:
    program = place.run()
    with socket.create_connection(("127.0.0.1", place.smtp), timeout=5) as sock, sock.makefile("rb") as lines:
        assert lines.readline().startswith(b"220")
        for said, code in ((b"HELO x", b"250"), (b"MAIL FROM:<a@b.test>", b"250"),
                           (b"RCPT TO:<plain@bridge.test>", b"250"), (b"DATA", b"354")):  # fmt: skip
            sock.sendall(said + b"\r\n")
            assert lines.readline().startswith(code)
        sock.sendall(b"Subject: half way\r\n\r\n")
        program.send(signal.SIGTERM)
        time.sleep(0.5)
        sock.sendall(b"the rest\r\n.\r\n")
        assert lines.readline().startswith(b"250")
    assert program.wait(20) == 0
    place.run()
    until(lambda: texts(place) == ["half way"], "the SMS")


def test_F14_a_broken_file_never_replaces_running_rules(place: Office) -> None:
    program, rules = place.run(), place.folder / "rules" / "10.yaml"
    good = rules.read_text()
    for broken in ("rules: [{rule: x, to: nobody-we-know}]", "rules: [", "rules:\n  - {rule: a, tu: aigul}", "\x00"):
        rules.write_text(broken)
        seen = program.err.read_text().count("the running configuration stays")
        program.send(signal.SIGHUP)
        until(lambda: program.err.read_text().count("the running configuration stays") > seen, "a refusal")  # noqa: B023
    assert re.search(r"10\.yaml:1:\d+", program.err.read_text())
    send(place.smtp, "by the old rules")
    until(lambda: "by the old rules" in texts(place), "an SMS")
    rules.write_text(good.replace("plain@bridge.test", "fresh@bridge.test"))
    program.send(signal.SIGHUP)
    until(lambda: "reloaded" in program.err.read_text(), "the reload")
    send(place.smtp, "by the new rules", "fresh")
    until(lambda: "by the new rules" in texts(place), "an SMS")
    with pytest.raises(smtplib.SMTPRecipientsRefused):
        send(place.smtp, "nobody takes it", "plain")


def test_a_wrong_configuration_never_starts_and_says_where(place: Office) -> None:
    place.config.write_text(place.config.read_text().replace("+77010000002", "8701"))
    program = place.run(ready=False)
    assert program.wait() == 78
    said = program.err.read_text()
    assert re.search(r"config\.yaml:\d+:\d+ .*ivan.*phone", said)
    assert "Traceback" not in said
    assert not answers(place.smtp)


@pytest.mark.parametrize("door", ["smtp", "http"])
def test_a_taken_port_is_said_with_the_program_that_has_it(place: Office, door: str) -> None:
    port = getattr(place, door)
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", port))
        taken.listen()
        program = place.run(ready=False)
        assert program.wait() == 1
    said = program.err.read_text()
    assert f"127.0.0.1:{port} is taken by another program (" in said
    assert "Choose another port, or stop it." in said
    assert "Traceback" not in said
    place.run()  # nothing is left half open


def test_F20_a_store_of_another_version_is_left_alone(place: Office) -> None:
    import sqlite3

    place.run().kill()
    with sqlite3.connect(place.store) as store:
        store.execute("UPDATE meta SET value = '99.0' WHERE name = 'schema'")
    program = place.run(ready=False)
    assert program.wait() == 78
    assert "99.0" in program.err.read_text()
    assert "Traceback" not in program.err.read_text()


def test_F13_two_bridges_on_one_store_send_nothing_twice(place: Office, tmp_path: Path) -> None:
    """Even two of one name, started by mistake: the second begins while the first has mails in hand."""
    other = Office(place.nursery, tmp_path / "other", free_port(), free_port(), place.gateway, place.simulator)
    shutil.copytree(place.folder, other.folder)
    text = place.config.read_text().replace(str(place.smtp), str(other.smtp)).replace(str(place.http), str(other.http))
    other.config.write_text(text)
    assert f"sqlite:///{place.store}" in text
    place.simulate("faults", {"smsc": {"all": {"delay": 0.2}}})
    place.run()
    clients = load(place.smtp, other.smtp)
    time.sleep(0.5)
    other.run()
    time.sleep(1.5)
    for port in (place.smtp, other.smtp):  # one mail, brought to both
        with smtplib.SMTP("127.0.0.1", port, timeout=5) as session:
            head = b"Subject: alert 5! twice\r\nMessage-ID: <5@host.test>\r\nDate: Sat, 21 Nov 2026 08:12:00 +0500\r\n"
            session.sendmail("mon@host.test", ["both@bridge.test"], head + b"\r\nx\r\n")
    end(clients)
    until(lambda: settled(place), "an end of all work", 40)
    found = counted(place)
    assert verdict(clients, found) == ([], [])
    assert (found[PHONES["both"][0], 5], found[PHONES["both"][1], 5]) == (1, 1)
    assert all(client.answered for client in clients)


def test_ready_says_ready_only_while_every_part_works(place: Office) -> None:
    place.run()
    assert ask(f"http://127.0.0.1:{place.http}/readyz")
