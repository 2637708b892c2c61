"""T21: any bytes are a mail, any mail is at least one event, and nobody waits for it."""

from __future__ import annotations

import random
import time
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bridge.mail.automatic import loop_mark
from bridge.mail.parse import parse
from bridge.model import Email, Envelope
from bridge.producers.identify import identify
from bridge.producers.loading import load_packs

PACKS = load_packs()
SEEDS = [path.read_bytes() for path in sorted((Path(__file__).parents[1] / "golden").glob("*/mail.eml"))]
ODD_HEADERS = (
    b"Content-Type: =?utf-8?b??=; charset*0*=; charset*1=x",
    b'Content-Type: text/plain; charset="',
    b"Content-Type: ;;=",
    b"Content-Type: text/plain; charset*=''%",
    b"Content-Disposition: attachment; filename*0*=x'y; filename*2*='",
    b"From: @",
    b"From: <>",
    b"From: :;",
    b"From: =?x?q?a?=",
    b"Subject: =?utf-16?b?//4=?=",
    b"Subject: =?idna?q?=FF?=",
    b"Content-Transfer-Encoding: \xff",
    b"Message-ID: <",
    b"References: " + b"<" * 300,
    b"Content-Type: multipart/x; boundary",
    b'Content-Type: multipart/mixed; boundary="\xd0\x9d"',
    b"Subject: =?utf-7?q?+AGE-?=",
    b"Content-Type: message/rfc822",
)


def wrap(content: bytes, mail_from: str = "a@b.kz") -> Envelope:
    return Envelope(content, datetime(2026, 1, 5, tzinfo=UTC), mail_from, ())


def usable(email: Email) -> None:
    """What every reader of an Email relies on."""
    values = [email.subject, email.from_address, email.from_name, email.text, email.date, *email.attachments]
    for value in [*values, *(each for values in email.headers.values() for each in values)]:
        value.encode()  # a lone surrogate raises here
        assert "\x00" not in value
        assert "\r" not in value
    assert "\n" not in "".join([*values[:3], *email.attachments])


def alerts(envelope: Envelope) -> None:
    email = parse(envelope)
    usable(email)
    loop_mark(email, envelope, "own")
    events = identify(email, envelope, "source", PACKS)
    assert 1 <= len(events) <= 50
    assert all(event.title.strip() for event in events)
    assert all("\n" not in event.title for event in events)


def mutated(seed: bytes, dice: random.Random) -> bytes:
    content = bytearray(seed)
    for _ in range(dice.randrange(1, 12)):
        at = dice.randrange(len(content) + 1)
        match dice.randrange(5):
            case 0:
                content[at : at + 1] = bytes([dice.randrange(256)])
            case 1:
                del content[at : at + dice.randrange(40)]
            case 2:
                content[at:at] = content[dice.randrange(len(content) + 1) :][: dice.randrange(200)]
            case 3:
                content[at:at] = dice.choice(ODD_HEADERS) + b"\r\n"
            case _:
                content[0:0] = dice.choice(ODD_HEADERS) + b"\r\n"
    return bytes(content)


@pytest.mark.parametrize("part", range(5))
def test_T21_mutated_mails_always_alert(part: int) -> None:
    dice = random.Random(part)
    for _ in range(1000):
        alerts(wrap(mutated(dice.choice(SEEDS), dice), dice.choice(["", "<>", "a@b.kz"])))


@given(content=st.binary(max_size=2000))
@settings(max_examples=300)
def test_T21_random_bytes_always_alert(content: bytes) -> None:
    alerts(wrap(content))


def nested(count: int) -> bytes:
    return b"".join(b"Content-Type: multipart/mixed; boundary=b%d\r\n\r\n--b%d\r\n" % (n, n) for n in range(count))


PLAIN = b"Subject: bomb\r\nFrom: a@b.kz\r\n"
PARTED = PLAIN + b"Content-Type: multipart/mixed; boundary=b\r\n\r\n"
BOMBS = {
    "depth": PLAIN + nested(1500),
    "forwarded": PLAIN + b"Content-Type: message/rfc822\r\n\r\n" * 1500,
    "parts": PARTED + b"--b\r\n\r\nx\r\n" * 100_000,
    "one boundary": PLAIN + b"Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n" * 3000,
    "almost boundaries": PARTED + b"--bb\r\n" * 300_000,
    "html parts": PARTED + (b"--b\r\nContent-Type: text/html\r\n\r\n" + b"<p>x" * 20_000 + b"\r\n") * 50,
    "divs": PLAIN + b"Content-Type: text/html\r\n\r\n" + b"<div>" * 200_000,
    "headers": PLAIN + b"X-A: b\r\n" * 300_000 + b"\r\nx",
    "folds": PLAIN + b"X-A: b\r\n" + b" c\r\n" * 300_000 + b"\r\nx",
    "encoded words": b"".join(b"X-%d: " % n + b"=?utf-8?q?=D0?= " * 600 + b"\r\n" for n in range(9)) + PLAIN + b"\r\nx",
    "a line of blanks": PLAIN + b"\r\n" + b" " * 2_000_000 + b"x",
    "empty lines": PLAIN + b"\r\n" * 2_000_000,
    "base64": PLAIN + b"Content-Transfer-Encoding: base64\r\n\r\n" + b"QUJD\r\n" * 600_000,
    "quoted-printable": PLAIN + b"Content-Transfer-Encoding: quoted-printable\r\n\r\n" + b"=3D=\r\n" * 600_000,
    "marks": PLAIN + b"Content-Type: text/plain; charset=utf-8\r\n\r\na" + "\u0301".encode() * 100_000,
    "undeclared": PLAIN + b"\r\n" + "Нет места\r\n".encode("cp1251") * 50_000,
    "labels": PLAIN + b"\r\n" + b"Host: x\r\nSeverity: y\r\n" * 50_000,
    "forwards in a subject": b"Subject: " + b"Fwd: " * 15_000 + b"\r\n\r\nx",
}


@pytest.mark.parametrize("name", BOMBS)
def test_T21_bombs_are_read_within_two_seconds_and_alert(name: str) -> None:
    begin = time.process_time()
    alerts(wrap(BOMBS[name]))
    assert time.process_time() - begin < 2
