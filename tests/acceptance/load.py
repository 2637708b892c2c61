"""A client that hands in numbered mails without a pause, and the count of what phones got of them."""

from __future__ import annotations

import re
import smtplib
import threading
import time
from collections import Counter

from tests.acceptance.process import Office

PHONES = {"both": ("77010000001", "77010000002"), "plain": ("77010000001",)}
_NUMBER = re.compile(r"alert (\d+)!")
_KEPT = re.compile(r"^Unreadable alert, kept as M-(\d+)$")


class Client(threading.Thread):
    """Hands in mails, each until it is answered 250; *answered* are their numbers."""

    def __init__(self, port: int, name: str, first: int, *, pause: float) -> None:
        super().__init__(daemon=True)
        self.port = port
        self.recipient = name
        self.number = first
        self.pause = pause
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
                time.sleep(0.02)
            else:
                self.answered.append(self.number)
                self.number += 1
                time.sleep(self.pause)
        if session is not None:
            session.close()

    def _mail(self) -> bytes:
        number = self.number
        head = (
            f"From: mon@host.test\r\nSubject: alert {number}! on host{number}\r\nMessage-ID: <{number}@host.test>\r\n"
        )
        return f"{head}Date: Sat, 21 Nov 2026 08:12:00 +0500\r\n\r\nsomething broke\r\n".encode()


def settled(place: Office) -> bool:
    """Nothing waits any more, neither a mail nor a message."""
    ((mails,),) = place.rows("SELECT count(*) FROM mails WHERE state = 'RECEIVED'")
    ((messages,),) = place.rows("SELECT count(*) FROM messages WHERE state IN ('READY', 'INFLIGHT', 'UNKNOWN', 'HELD')")
    return not mails and not messages


def counted(place: Office) -> Counter[tuple[str, int]]:
    """(phone, number) → how many SMS with it the phone got."""
    found: Counter[tuple[str, int]] = Counter()
    for message in place.messages():
        found[message["phone"], _number(place, message["text"])] += 1
    return found


def _number(place: Office, text: str) -> int:
    """The number of the mail that an SMS is about.

    A mail that twelve bridges began before they were killed is told as unreadable: on a machine so slow that they
    hardly started.
    """
    found = _NUMBER.search(text)
    if found is None:
        kept = _KEPT.search(text)
        assert kept, text
        ((content,),) = place.rows(f"SELECT content FROM mail_bodies WHERE mail_id = {kept[1]}")  # noqa: S608 - digits
        found = _NUMBER.search(content.decode("ascii"))
        assert found, text
    return int(found[1])


def verdict(clients: list[Client], found: Counter[tuple[str, int]]) -> tuple[list[object], list[object]]:
    """(lost, doubled)."""
    wanted = [(phone, n) for client in clients for n in client.answered for phone in PHONES[client.recipient]]
    return [one for one in wanted if not found[one]], [one for one, count in found.items() if count > 1]
