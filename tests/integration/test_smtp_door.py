"""The SMTP door on real sockets: what it says, what it takes, how it goes down."""

from __future__ import annotations

import asyncio
import base64
import smtplib
import socket
import ssl
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pytest
import trustme

from bridge.config.models.doors import Listener
from bridge.errors import ConfigError, StoreUnavailable
from bridge.ingress.limits import SharedLimits
from bridge.ingress.ports import NoRoom
from bridge.ingress.smtp import SmtpDoor
from bridge.model import Envelope, Recipient
from bridge.store.users import Logins, User, make_hash

pytestmark = pytest.mark.anyio

ENVELOPE = ("MAIL FROM:<ups@example.kz>", "RCPT TO:<oncall@sms.example.kz>", "DATA")
PASSWORD = "correct horse"


@pytest.fixture(scope="session")
def authority() -> trustme.CA:
    return trustme.CA()


def _write(issued: trustme.LeafCert, folder: Path, name: str) -> dict[str, str]:
    cert, key = folder / f"{name}.pem", folder / f"{name}.key"
    cert.write_bytes(b"".join(blob.bytes() for blob in issued.cert_chain_pems))
    issued.private_key_pem.write_to_path(key)
    return {"cert": str(cert), "key": str(key)}


@pytest.fixture
def certificate(authority: trustme.CA, tmp_path: Path) -> dict[str, str]:
    return _write(authority.issue_cert("localhost"), tmp_path, "server")


@pytest.fixture
def believes(authority: trustme.CA) -> ssl.SSLContext:
    context = ssl.create_default_context()
    authority.configure_trust(context)
    return context


@pytest.fixture(scope="session")
def password_hash() -> str:
    return make_hash(PASSWORD)


@pytest.fixture
def logins(password_hash: str, now: Any) -> Logins:
    known = Logins()
    known.load([User("zabbix", password_hash, frozenset({"smtp"}), now, now)])
    return known


# What it says


async def test_says_the_words_of_the_catalogue_in_a_whole_session(smtp_house) -> None:
    house = await smtp_house()
    client = await house.connect(greet=False)
    assert await client.reply() == "220 sms.example.kz ESMTP smsbridge"
    assert (await client.say("EHLO ups1")).splitlines() == [
        "250-sms.example.kz",
        "250-SIZE 10000000",
        "250-8BITMIME",
        "250-SMTPUTF8",
        "250-PIPELINING",
        "250-DSN",
        "250 ENHANCEDSTATUSCODES",
    ]
    assert await client.say("MAIL FROM:<ups@example.kz>") == "250 2.1.0 Sender ok"
    assert await client.say("RCPT TO:<oncall@sms.example.kz>") == "250 2.1.5 Recipient ok"
    assert (await client.say("DATA")).startswith("354 ")
    await client.send(b"Subject: fire\r\n\r\nnow\r\n.\r\n")
    assert await client.reply() == "250 2.0.0 Kept as M-90417"
    assert await client.say("NOOP") == "250 2.0.0 Ok"
    assert await client.say("RSET") == "250 2.0.0 Ok"
    assert await client.say("VRFY x") == "252 2.0.0 Cannot verify, send the mail and see"
    assert (await client.say("HELP")).startswith("214 2.0.0 ")
    assert await client.say("QUIT") == "221 2.0.0 Bye"
    assert await client.closed()


WRONG = [
    # said before, said, answered
    ([], "MAIL FROM:<nonsense@@x>", "553 5.1.7 Sender address is not an address"),
    ([], "MAIL FROM:<a@b.example", "553 5.1.7 Sender address is not an address"),
    ([], "MAIL FROM:", "553 5.1.7 Sender address is not an address"),
    ([], "MAIL a@b.example", "501 5.5.4 Write MAIL FROM:<address>"),
    ([], "MAIL", "501 5.5.4 Write MAIL FROM:<address>"),
    ([], "MAIL FROM:<a@b.example> SIZE=big", "501 5.5.4 Size is a number"),
    ([], "MAIL FROM:<a@b.example> FUTURERELEASE=5", "555 5.5.4 Parameter FUTURERELEASE is not supported"),
    ([], "MAIL FROM:<a@b.example> BODY=BINARYMIME", "501 5.5.4 BODY is 7BIT or 8BITMIME"),
    ([], "MAIL FROM:<иван@пример.kz>", "553 5.6.7 This address needs SMTPUTF8"),
    ([], "RCPT TO:<a@sms.example.kz>", "503 5.5.1 MAIL first"),
    ([], "DATA", "503 5.5.1 MAIL first"),
    ([], "FROB", "500 5.5.2 Not a command"),
    ([], "EXPN all", "500 5.5.2 Not a command"),
    ([], "", "500 5.5.2 Not a command"),
    ([], "BDAT 10 LAST", "500 5.5.2 Not a command"),
    ([], "STARTTLS", "454 4.7.0 TLS is not available now"),
    ([], "X" * 5000, "500 5.5.2 A command is longer than 4096 bytes"),
    (["MAIL FROM:<a@b.example>"], "DATA", "503 5.5.1 RCPT first"),
    (["MAIL FROM:<a@b.example>"], "MAIL FROM:<a@b.example>", "503 5.5.1 One mail at a time, RSET drops this one"),
    (["MAIL FROM:<a@b.example>"], "RCPT TO:<>", "553 5.1.3 Recipient address is not an address"),
    (["MAIL FROM:<a@b.example>"], "RCPT <a@b.example>", "501 5.5.4 Write RCPT TO:<address>"),
    (["MAIL FROM:<a@b.example>"], "RCPT TO:<ж@sms.example.kz>", "553 5.6.7 This address needs SMTPUTF8"),
    (
        ["MAIL FROM:<a@b.example>"],
        "RCPT TO:<x@other.example>",
        "550 5.1.1 <x@other.example>: no rule takes this address from you",
    ),
    (
        ["MAIL FROM:<a@b.example>"],
        "RCPT TO:<a@sms.example.kz> NOTIFY=SOMETIMES",
        "501 5.5.4 NOTIFY is NEVER, or a list of SUCCESS, FAILURE, DELAY",
    ),
    (
        ["MAIL FROM:<a@b.example>", "RCPT TO:<a@sms.example.kz>"],
        "DATA now",
        "501 5.5.4 Nothing may follow this command",
    ),
]


@pytest.mark.parametrize("before,said,answer", WRONG)
async def test_says_what_is_wrong_and_goes_on(smtp_house, before: list[str], said: str, answer: str) -> None:
    house = await smtp_house()
    client = await house.connect()
    await client.say_all(*before)
    assert await client.say(said) == answer
    assert await client.say("NOOP") == "250 2.0.0 Ok"


async def test_wants_a_greeting_before_mail(smtp_house) -> None:
    house = await smtp_house()
    client = await house.connect(greet=False)
    await client.reply()
    assert await client.say("MAIL FROM:<a@b.example>") == "503 5.5.1 EHLO first"
    assert await client.say("HELO ups1") == "250 sms.example.kz"
    assert await client.say("MAIL FROM:<a@b.example>") == "250 2.1.0 Sender ok"


async def test_every_refusal_is_short_ascii_whatever_the_peer_said(smtp_house) -> None:
    house = await smtp_house()
    client = await house.connect()
    await client.say("MAIL FROM:<ж@b.example> SMTPUTF8")
    answer = await client.say(f"RCPT TO:<{'ж' * 60}{'y' * 150}@b.example>")
    assert answer.startswith("550 5.1.1 <??")
    assert answer.endswith("..>: no rule takes this address from you")
    assert len(answer) < 200


# What it takes


async def test_takes_a_whole_session_in_one_packet_and_answers_in_few_writes(smtp_house) -> None:
    house = await smtp_house()
    client = await house.connect(greet=False)
    await client.reply()
    commands = ["EHLO ups1"]
    for number in range(3):
        commands += [ENVELOPE[0], f"RCPT TO:<p{number}@sms.example.kz>", "RCPT TO:<x@y.example>", "DATA"]
        commands += ["Subject: fire", "", f"{number}", "."]
    await client.send("\r\n".join([*commands, "QUIT", ""]).encode())
    answers = [await client.reply() for _ in range(1 + 3 * 5 + 1)]
    assert [answer[:3] for answer in answers] == ["250", *["250", "250", "550", "354", "250"] * 3, "221"]
    assert [mail.recipients[0].address[:2] for mail in house.mails] == ["p0", "p1", "p2"]
    assert [mail.content for mail in house.mails] == [b"Subject: fire\r\n\r\n%d\r\n" % n for n in range(3)]


async def test_replies_to_a_burst_leave_in_one_write(smtp_house, monkeypatch) -> None:
    house = await smtp_house()
    client = await house.connect()
    writes: list[bytes] = []
    transport = next(iter(house.door._desk.sessions)).transport
    monkeypatch.setattr(transport, "write", writes.append)
    await client.send(b"NOOP\r\n" * 5 + b"MAIL FROM:<a@b.example>\r\nNOOP\r\nNOO")
    async with asyncio.timeout(5):
        while not writes:
            await asyncio.sleep(0.01)
    assert writes == [b"250 2.0.0 Ok\r\n" * 5 + b"250 2.1.0 Sender ok\r\n250 2.0.0 Ok\r\n"]


async def test_obeys_what_came_before_the_peer_closed_its_side(smtp_house) -> None:
    house = await smtp_house()

    async def keep(envelope: Envelope) -> int:
        await asyncio.sleep(0.1)
        house.mails.append(envelope)
        return 7

    house.keep = keep
    client = await house.connect(greet=False)
    await client.send("\r\n".join(["HELO nc", *ENVELOPE, "Subject: by hand", ".", ""]).encode())
    client.writer.write_eof()
    answers = (await asyncio.wait_for(client.reader.read(), 5)).decode().splitlines()
    assert [answer[:3] for answer in answers] == ["220", "250", "250", "250", "354", "250"]
    assert len(house.mails) == 1


async def test_a_mail_without_its_final_dot_is_not_kept(smtp_house) -> None:
    house = await smtp_house()
    client = await house.connect()
    await client.say_all(*ENVELOPE)
    await client.send(b"Subject: half\r\n\r\n")
    client.writer.write_eof()
    assert await client.closed()
    assert house.mails == []


async def test_a_mail_may_come_byte_by_byte(smtp_house) -> None:
    house = await smtp_house()
    client = await house.connect()
    await client.say_all(*ENVELOPE)
    for byte in b"Subject: x\r\n\r\n..\r\n...\r\n.a\r\n\r\n.\r\n":
        await client.send(bytes([byte]))
        await asyncio.sleep(0)
    assert (await client.reply()).startswith("250")
    assert house.mails[0].content == b"Subject: x\r\n\r\n.\r\n..\r\na\r\n\r\n"


async def test_an_empty_mail_is_a_mail(smtp_house) -> None:
    house = await smtp_house()
    client = await house.connect()
    await client.say_all(*ENVELOPE)
    await client.send(b".\r\n")
    assert (await client.reply()).startswith("250")
    assert house.mails[0].content == b""


async def test_envelope_holds_what_the_door_saw_with_its_case(smtp_house, now) -> None:
    house = await smtp_house()
    client = await house.connect()
    await client.say_all(
        "MAIL FROM:<Ups@Example.kz> RET=hdrs ENVID=QqAa1+3D SIZE=100 BODY=8BITMIME AUTH=<>",
        "RCPT TO:<OnCall@sms.example.kz> NOTIFY=Success,FAILURE ORCPT=rfc822;Someone+2Bx@Example.kz",
        "RCPT TO:<oncall@sms.example.kz>",
        "RCPT TO:<oncall@sms.example.kz> NOTIFY=NEVER",
        "DATA",
    )
    await client.send(b"Subject: x\r\n.\r\n")
    await client.reply()
    assert house.mails == [
        Envelope(
            content=b"Subject: x\r\n",
            received_at=now,
            mail_from="Ups@Example.kz",
            recipients=(
                Recipient("OnCall@sms.example.kz", "Success,FAILURE", "rfc822;Someone+2Bx@Example.kz"),
                Recipient("oncall@sms.example.kz"),
            ),
            peer="127.0.0.1",
            helo="ups.example.kz",
            ret="HDRS",
            envid="QqAa1+3D",
        )
    ]


@pytest.mark.parametrize(
    "said,address",
    [
        ("<>", ""),
        (" <ups@x.example>", "ups@x.example"),
        ("ups@x.example", "ups@x.example"),
        ("<root>", "root"),
        ('<"two words"@x.example>', '"two words"@x.example'),
        ("<@relay.example:ups@x.example>", "ups@x.example"),
        ("<ups@[10.0.0.1]>", "ups@[10.0.0.1]"),
        ("<иван@пример.kz> SMTPUTF8", "иван@пример.kz"),
    ],
)
async def test_senders_of_odd_devices_are_understood(smtp_house, said: str, address: str) -> None:
    house = await smtp_house()
    client = await house.connect()
    assert await client.say(f"MAIL FROM:{said}") == "250 2.1.0 Sender ok"
    await client.say_all(*ENVELOPE[1:])
    await client.send(b".\r\n")
    await client.reply()
    assert house.mails[0].mail_from == address


async def test_refuses_the_sender_that_a_login_may_not_use(smtp_house, certificate, believes, logins) -> None:
    house = await smtp_house(starttls=certificate, logins=logins)
    client = await house.secure(believes)
    await client.say(_plain())
    assert await client.say("MAIL FROM:<cfo@example.kz>") == "550 5.7.1 Login zabbix may not send as cfo@example.kz"


# Login and TLS


def _plain(password: str = PASSWORD, acting_for: str = "") -> str:
    return "AUTH PLAIN " + _b64(f"{acting_for}\0zabbix\0{password}")


def _b64(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


async def test_both_mechanisms_take_the_right_password(smtp_house, certificate, believes, logins) -> None:
    house = await smtp_house(starttls=certificate, logins=logins, trust=["10.0.0.0/8"])
    said = [
        [_plain()],
        ["auth plain", _b64("\0zabbix\0" + PASSWORD)],
        [_plain(acting_for="zabbix")],
        ["AUTH LOGIN", _b64("zabbix"), _b64(PASSWORD)],
        [f"AUTH LOGIN {_b64('zabbix')}", _b64(PASSWORD)],
    ]
    for lines in said:
        client = await house.secure(believes)
        answers = await client.say_all(*lines)
        assert answers[-1] == "235 2.7.0 Logged in", lines
        assert await client.say(lines[0]) == "503 5.5.1 Already logged in"
        assert await client.say("MAIL FROM:<zabbix@example.kz>") == "250 2.1.0 Sender ok"
        await client.say_all(*ENVELOPE[1:])
        await client.send(b".\r\n")
        await client.reply()
        assert (house.mails[-1].login, house.mails[-1].tls) == ("zabbix", True)


@pytest.mark.parametrize(
    "lines,answer",
    [
        (["AUTH CRAM-MD5"], "504 5.5.4 Use PLAIN or LOGIN"),
        (["AUTH"], "504 5.5.4 Use PLAIN or LOGIN"),
        (["AUTH PLAIN ###"], "501 5.5.2 Not base64"),
        (["AUTH PLAIN ="], "501 5.5.2 Not base64"),
        (["AUTH PLAIN", "*"], "501 5.7.0 Login called off"),
        (["AUTH LOGIN", "*"], "501 5.7.0 Login called off"),
        (["AUTH LOGIN", "enFi", "*"], "501 5.7.0 Login called off"),
        ([_plain(acting_for="admin")], "535 5.7.8 Login or password does not fit"),
        ([_plain("")], "535 5.7.8 Login or password does not fit"),
        ([_plain("x" * 6000)], "500 5.5.2 A command is longer than 4096 bytes"),
    ],
)
async def test_odd_logins_are_answered_and_the_session_goes_on(
    smtp_house, certificate, believes, logins, lines: list[str], answer: str
) -> None:
    house = await smtp_house(starttls=certificate, logins=logins)
    client = await house.secure(believes)
    assert (await client.say_all(*lines))[-1] == answer
    assert await client.say("NOOP") == "250 2.0.0 Ok"


async def test_says_so_while_logins_were_not_read_yet(smtp_house, certificate, believes) -> None:
    house = await smtp_house(starttls=certificate)
    client = await house.secure(believes)
    answer = await client.say(_plain())
    assert answer == "454 4.7.0 Logins cannot be checked now, try again"


async def test_tls_from_the_first_byte(smtp_house, certificate, believes, logins) -> None:
    house = await smtp_house(tls=certificate, logins=logins, auth="required")
    for _ in range(10):
        client = await house.connect(tls=believes)
        offered = await client.say("EHLO a")
        assert "AUTH PLAIN LOGIN" in offered
        assert "STARTTLS" not in offered
        assert await client.say(ENVELOPE[0]) == "530 5.7.0 Log in first, or ask the operator to list your network"


async def test_a_full_tls_door_hangs_up_without_a_word_in_plain_text(smtp_house, certificate, believes) -> None:
    house = await smtp_house(tls=certificate, connections={"total": 1, "per_address": 1})
    await house.connect(tls=believes)
    late = await house.connect(greet=False)
    assert await late.reader.read() == b""
    assert house.tally.refusals == [("connect", "421 4.3.2 Busy, try again")]


async def test_plain_text_at_a_tls_door_ends_the_connection(smtp_house, certificate) -> None:
    house = await smtp_house(tls=certificate)
    client = await house.connect(greet=False)
    await client.send(b"EHLO a\r\n")
    assert await client.closed()


async def test_a_required_login_wants_tls_first(smtp_house, certificate) -> None:
    house = await smtp_house(starttls=certificate, auth="required")
    client = await house.connect()
    assert await client.say(ENVELOPE[0]) == "530 5.7.0 STARTTLS first"


async def test_a_client_certificate_of_our_authority_is_an_identity(
    smtp_house, authority, certificate, tmp_path
) -> None:
    ca = tmp_path / "ca.pem"
    authority.cert_pem.write_to_path(ca)
    house = await smtp_house(tls=certificate, client_ca=str(ca), auth="required", trust=[])
    issued = authority.issue_cert("printer.example.kz", common_name="printer-1", organization_name="Bank, Ltd")
    stranger = trustme.CA().issue_cert("printer.example.kz", common_name="printer-1")
    context = ssl.create_default_context()
    authority.configure_trust(context)
    issued.configure_cert(context)
    client = await house.connect(tls=context)
    assert (await client.mail(b"Subject: paper\r\n")).startswith("250")
    assert house.mails[0].certificate.startswith("CN=printer-1,")
    assert "O=Bank\\, Ltd" in house.mails[0].certificate
    forged = ssl.create_default_context()
    authority.configure_trust(forged)
    stranger.configure_cert(forged)
    with pytest.raises((ConnectionError, ssl.SSLError, AssertionError)):
        await house.connect(tls=forged)


async def test_new_certificate_files_are_used_after_a_reload(smtp_house, certificate, tmp_path) -> None:
    house = await smtp_house(tls=certificate)
    other = trustme.CA()
    _write(other.issue_cert("localhost"), tmp_path, "server")
    context = ssl.create_default_context()
    other.configure_trust(context)
    with pytest.raises(ssl.SSLError):
        await house.connect(tls=context)
    house.door.reload_certificates()
    assert await (await house.connect(tls=context)).say("NOOP") == "250 2.0.0 Ok"
    (tmp_path / "server.pem").write_text("broken")
    with pytest.raises(ConfigError, match="are no certificate with its key"):
        house.door.reload_certificates()
    assert await (await house.connect(tls=context)).say("NOOP") == "250 2.0.0 Ok"


# Clients people have


async def test_smtplib_sends_with_starttls_and_login(smtp_house, certificate, believes, logins) -> None:
    house = await smtp_house(starttls=certificate, logins=logins, auth="required")

    def send() -> dict[str, Any]:
        message = EmailMessage()
        message["From"], message["To"], message["Subject"] = "zabbix@example.kz", "oncall@sms.example.kz", "Диск"
        message.set_content("Место кончается\n.\n")
        with smtplib.SMTP("localhost", house.door.port, timeout=5) as client:
            client.starttls(context=believes)
            client.login("zabbix", PASSWORD)
            return client.send_message(message)

    assert await asyncio.to_thread(send) == {}
    assert house.mails[0].login == "zabbix"


async def test_smtplib_hears_which_recipients_were_refused(smtp_house) -> None:
    house = await smtp_house()

    def send() -> dict[str, Any]:
        with smtplib.SMTP("localhost", house.door.port, timeout=5) as client:
            return client.sendmail("ж@x.example", ["a@sms.example.kz", "x@y.example"], "x", mail_options=["SMTPUTF8"])

    refused = await asyncio.to_thread(send)
    assert refused == {"x@y.example": (550, b"5.1.1 <x@y.example>: no rule takes this address from you")}


# Several doors, several kinds of address


async def test_doors_keep_their_own_trust_and_share_the_limits(smtp_house) -> None:
    shared = SharedLimits()
    inner = await smtp_house(limits=shared)
    outer = await smtp_house(limits=shared, trust=["10.0.0.0/8"])
    assert inner.door.port != outer.door.port
    assert (await (await inner.connect()).say(ENVELOPE[0])).startswith("250")
    assert (await (await outer.connect()).say(ENVELOPE[0])).startswith("550 5.7.1")
    shared.in_flight.used = shared.in_flight.limit + 1
    assert await (await inner.connect()).say(ENVELOPE[0]) == "452 4.3.1 No room now, try again later"


def _door(listener: dict[str, Any], sockets: list[socket.socket] | None = None) -> SmtpDoor:
    class Nobody:
        hostname = "sms.example.kz"

        def sender_refusal(self, facts: Any) -> None:
            return None

        def recipient_refusal(self, facts: Any, address: str) -> None:
            return None

    async def keep(envelope: Envelope) -> int:
        return 1

    return SmtpDoor(
        Listener.model_validate({"door": "smtp"} | listener),
        policy=Nobody(),
        keep=keep,
        logins=Logins(),
        limits=SharedLimits(),
        clock=lambda: pytest.fail("no mail was sent"),
        sockets=sockets or [],
    )


async def test_listens_on_a_socket_that_was_handed_in(anyio_backend) -> None:
    handed = socket.create_server(("127.0.0.1", 0))
    door = _door({"address": "socket:smtp"}, [handed])
    await door.start()
    assert door.address == f"127.0.0.1:{handed.getsockname()[1]}"
    await door.stop()


async def test_a_named_socket_that_nobody_handed_in_is_an_error(anyio_backend) -> None:
    with pytest.raises(ConfigError, match="no socket was handed in for socket:smtp"):
        await _door({"address": "socket:smtp"}).start()


async def test_a_peer_on_a_unix_socket_counts_as_loopback(tmp_path) -> None:
    door = _door({"address": f"unix:{tmp_path}/smtp", "trust": ["127.0.0.1"]})
    await door.start()
    assert door.address == f"unix:{tmp_path}/smtp"
    reader, writer = await asyncio.open_unix_connection(f"{tmp_path}/smtp")
    writer.write(b"HELO a\r\nMAIL FROM:<a@b.example>\r\n")
    said = [await reader.readline() for _ in range(3)]
    assert said[2] == b"250 2.1.0 Sender ok\r\n"
    writer.close()
    await door.stop()


async def test_listens_on_ipv6(anyio_backend) -> None:
    door = _door({"address": "[::1]:0"})
    await door.start()
    assert door.address == f"[::1]:{door.port}"
    await door.stop()


# Trouble of ours


@pytest.mark.parametrize(
    "error,answer",
    [
        (NoRoom("disk full"), "452 4.3.1 No room now, try again later"),
        (StoreUnavailable("locked"), "451 4.3.0 Cannot keep mail now, try again later"),
    ],
)
async def test_F03_F12_no_250_when_nothing_was_kept(smtp_house, error: Exception, answer: str) -> None:
    house = await smtp_house()

    async def keep(envelope: Envelope) -> int:
        raise error

    house.keep = keep
    client = await house.connect()
    assert await client.mail(b"Subject: x\r\n") == answer
    house.keep = None
    assert (await client.mail(b"Subject: x\r\n")).startswith("250")


async def test_F03_no_room_is_said_before_data_and_mail_comes_again_when_there_is(smtp_house) -> None:
    house = await smtp_house()
    asked: list[int] = []

    def full(size: int) -> bool:
        asked.append(size)
        return False

    house.room = full
    client = await house.connect()
    assert await client.say("MAIL FROM:<a@b.example> SIZE=4000") == "452 4.3.1 No room now, try again later"
    assert asked == [4000]
    house.room = lambda size: True
    await client.say_all(*ENVELOPE[:2])
    house.room = full
    assert await client.say("DATA") == "452 4.3.1 No room now, try again later"
    house.room = lambda size: True
    await client.say("RSET")
    assert (await client.mail(b"Subject: x\r\n")).startswith("250")


async def test_a_fault_of_ours_ends_the_session_loudly_and_keeps_the_door_open(smtp_house) -> None:
    house = await smtp_house()
    loud: list[str] = []
    asyncio.get_running_loop().set_exception_handler(lambda loop, context: loud.append(repr(context["exception"])))

    async def keep(envelope: Envelope) -> int:
        raise ZeroDivisionError

    house.keep = keep
    client = await house.connect()
    assert await client.mail(b"Subject: x\r\n") == "421 4.3.0 Cannot go on, try again later"
    assert loud == ["ZeroDivisionError()"]
    assert await client.closed()
    house.keep = None
    assert (await (await house.connect()).mail(b"Subject: x\r\n")).startswith("250")


async def test_250_waits_for_the_commit(smtp_house) -> None:
    house = await smtp_house()
    committed = asyncio.Event()

    async def keep(envelope: Envelope) -> int:
        await committed.wait()
        return 7

    house.keep = keep
    client = await house.connect()
    await client.say_all(*ENVELOPE)
    await client.send(b"Subject: x\r\n.\r\n")
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(client.reader.read(1), 0.2)
    committed.set()
    assert await client.reply() == "250 2.0.0 Kept as M-7"


# Going down


async def test_F19_an_idle_session_hears_it_at_once_and_a_mail_in_data_is_finished(smtp_house) -> None:
    house = await smtp_house()
    idle, sender = await house.connect(), await house.connect()
    await sender.say_all(*ENVELOPE)
    await sender.send(b"Subject: last\r\n")
    stopping = asyncio.create_task(house.door.stop(5.0))
    assert await idle.reply() == "421 4.3.2 Going down, try again in a minute"
    assert await idle.closed()
    with pytest.raises(ConnectionError):
        await house.connect()
    await sender.send(b"\r\nwords\r\n.\r\n")
    assert await sender.reply() == "250 2.0.0 Kept as M-90417"
    assert await sender.reply() == "421 4.3.2 Going down, try again in a minute"
    await asyncio.wait_for(stopping, 5)
    assert len(house.mails) == 1


async def test_F19_a_mail_that_does_not_end_in_time_is_cut(smtp_house) -> None:
    house = await smtp_house()
    client = await house.connect()
    await client.say_all(*ENVELOPE)
    await asyncio.wait_for(house.door.stop(0.2), 3)
    assert await client.reply() == "421 4.3.2 Going down, try again in a minute"
    assert house.mails == []
    assert house.tally.now_open == 0


async def test_F19_a_commit_under_way_is_still_answered(smtp_house) -> None:
    house = await smtp_house()

    async def keep(envelope: Envelope) -> int:
        await asyncio.sleep(0.5)
        return 8

    house.keep = keep
    client = await house.connect()
    await client.say_all(*ENVELOPE)
    await client.send(b"Subject: x\r\n.\r\n")
    await asyncio.sleep(0.1)
    await house.door.stop(0.1)
    assert await client.reply() == "250 2.0.0 Kept as M-8"
    assert (await client.reply()).startswith("421 4.3.2")


async def test_a_peer_that_leaves_while_its_mail_is_committed_loses_nothing(smtp_house) -> None:
    house = await smtp_house()
    began, done = asyncio.Event(), asyncio.Event()

    async def keep(envelope: Envelope) -> int:
        began.set()
        await asyncio.sleep(0.1)
        done.set()
        return 9

    house.keep = keep
    client = await house.connect()
    await client.say_all(*ENVELOPE)
    await client.send(b"Subject: x\r\n.\r\n")
    await began.wait()
    client.close()
    await asyncio.wait_for(done.wait(), 2)
    async with asyncio.timeout(2):
        while house.tally.now_open:
            await asyncio.sleep(0.01)
