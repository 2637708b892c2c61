"""The whole loop with clients that know nothing of us: mail in, SMS out, the answer in the thread of the alert."""

from __future__ import annotations

import smtplib
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from email.message import EmailMessage
from pathlib import Path

import pytest

from tests.acceptance.process import Nursery, Office, ask, nursery, office, until

PHONE = "77010000001"


@pytest.fixture(scope="module")
def programs(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Nursery]:
    with nursery(tmp_path_factory.mktemp("programs")) as made:
        yield made


@pytest.fixture(scope="module")
def place(programs: Nursery, tmp_path_factory: pytest.TempPathFactory) -> Office:
    made = office(programs, tmp_path_factory.mktemp("office"), talks=True)
    made.run()
    return made


def by_smtplib(port: int, mail: bytes, _folder: Path) -> None:
    with smtplib.SMTP("127.0.0.1", port, timeout=5) as session:
        session.sendmail("mon@host.test", ["talk@bridge.test"], mail)


def by_curl(port: int, mail: bytes, folder: Path) -> None:
    (folder / "mail.eml").write_bytes(mail)
    command = ["curl", "-sS", f"smtp://127.0.0.1:{port}", "--mail-from", "mon@host.test"]
    done = subprocess.run(
        [*command, "--mail-rcpt", "talk@bridge.test", "-T", str(folder / "mail.eml")],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr


def by_hand(port: int, mail: bytes, _folder: Path) -> None:
    """All in one breath, as an old device does that knows neither EHLO nor waiting."""
    body = mail.replace(b"\r\n.", b"\r\n..")
    script = b"HELO ups\r\nMAIL FROM:<ups@host.test>\r\nRCPT TO:<talk@bridge.test>\r\nDATA\r\n" + body + b"\r\n.\r\n"
    with socket.create_connection(("127.0.0.1", port), timeout=5) as sock:
        sock.sendall(script + b"QUIT\r\n")
        said = b""
        while chunk := sock.recv(4096):
            said += chunk
    codes = [line[:3] for line in said.splitlines()]
    assert codes == [b"220", b"250", b"250", b"250", b"354", b"250", b"221"]


@pytest.mark.parametrize("client", [by_smtplib, by_curl, by_hand])
def test_a_mail_of_any_client_is_on_the_phone_within_a_second(
    place: Office, tmp_path: Path, client: Callable[[int, bytes, Path], None]
) -> None:
    title = f"{client.__name__.partition('_')[2]} says disk full"
    mail = f"From: mon@host.test\r\nSubject: {title}\r\n\r\nno room\r\n".encode()
    client(place.smtp, mail, tmp_path)
    since = time.monotonic()
    until(lambda: any(title in message["text"] for message in place.messages(PHONE)), "the SMS", 5)
    assert time.monotonic() - since < 1


def test_the_answer_on_the_phone_is_a_mail_in_the_thread_of_the_alert(place: Office) -> None:
    alert = EmailMessage()
    alert["From"], alert["To"], alert["Subject"] = "mon@host.test", "talk@bridge.test", "pump 7 stands still"
    alert["Message-ID"], alert["References"] = "<alert-7@host.test>", "<earlier@host.test>"
    alert.set_content("no water")
    with smtplib.SMTP("127.0.0.1", place.smtp, timeout=5) as session:
        session.send_message(alert)

    def told() -> list[str]:
        return [message["text"] for message in place.messages(PHONE) if "pump 7" in message["text"]]

    until(told, "the SMS")
    ask(f"http://127.0.0.1:{place.gateway}/sim/phones/{PHONE}/reply", {"text": "Fahre hin, 20 мин"})

    def answered() -> list[dict[str, object]]:
        return [mail for mail in place.mails() if mail["in_reply_to"] == "<alert-7@host.test>"]

    mail = until(answered, "the mail")[0]
    assert mail["recipients"] == ["mon@host.test"]
    assert "pump 7 stands still" in str(mail["subject"])
    assert "<earlier@host.test>" in str(mail["references"])
    assert "<alert-7@host.test>" in str(mail["references"])
    assert "Fahre hin, 20 мин" in str(mail["text"])


def test_an_ok_on_the_phone_acknowledges(place: Office) -> None:
    with smtplib.SMTP("127.0.0.1", place.smtp, timeout=5) as session:
        session.sendmail("mon@host.test", ["talk@bridge.test"], b"Subject: fan 3 is hot\r\n\r\nx\r\n")

    def told() -> list[str]:
        return [message["text"] for message in place.messages(PHONE) if "fan 3" in message["text"]]

    text = until(told, "the SMS")[0]
    code = next(word for word in text.replace(":", " ").split() if word.isdigit() and len(word) == 2)
    ask(f"http://127.0.0.1:{place.gateway}/sim/phones/{PHONE}/reply", {"text": f"ok {code}"})
    sql = "SELECT acked_by FROM incidents WHERE state = 'acked' AND title = 'fan 3 is hot'"
    until(lambda: place.rows(sql) == [("aigul",)], "the acknowledgement")


def test_F08_the_receipt_comes_back_by_callback(place: Office) -> None:
    with smtplib.SMTP("127.0.0.1", place.smtp, timeout=5) as session:
        session.sendmail("mon@host.test", ["plain@bridge.test"], b"Subject: receipt please\r\n\r\nx\r\n")
    sql = "SELECT state FROM messages WHERE text = 'receipt please'"
    until(lambda: place.rows(sql) == [("DELIVERED",)], "the receipt", 5)


def test_F09_receipts_that_come_twice_or_in_the_wrong_order_change_nothing(place: Office) -> None:
    for number, receipts in enumerate(("twice", "reversed")):
        place.simulate("faults", {"smsc": {"all": {"receipts": receipts}}})
        title = f"receipts {receipts} {number}"
        with smtplib.SMTP("127.0.0.1", place.smtp, timeout=5) as session:
            session.sendmail("mon@host.test", ["plain@bridge.test"], f"Subject: {title}\r\n\r\nx\r\n".encode())
        sql = f"SELECT id, state FROM messages WHERE text = '{title}'"  # noqa: S608
        until(lambda: (place.rows(sql) or [(0, "")])[0][1] == "DELIVERED", "the receipt", 5)  # noqa: B023
        time.sleep(0.5)
        ((message, state),) = place.rows(sql)
        assert state == "DELIVERED"
        entries = place.rows("SELECT message_id FROM journal WHERE kind = 'message.delivered'")
        assert entries.count((message,)) == 1
    place.simulate("faults", {})


def test_a_mail_to_nobody_we_know_is_refused_in_the_session(place: Office) -> None:
    with smtplib.SMTP("127.0.0.1", place.smtp, timeout=5) as session:
        session.ehlo()
        session.mail("mon@host.test")
        code, said = session.rcpt("nobody@bridge.test")
    assert code == 550
    assert said.startswith(b"5.1.1")
