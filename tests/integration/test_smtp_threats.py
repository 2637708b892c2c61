"""The rows of the threat list that a mail door answers, on raw sockets."""

from __future__ import annotations

import asyncio
import ssl
import statistics
import time
from pathlib import Path
from typing import Any

import pytest
import trustme

from bridge.ingress.session import Session
from bridge.store.users import Logins, User, make_hash

pytestmark = pytest.mark.anyio

ENVELOPE = ("MAIL FROM:<ups@example.kz>", "RCPT TO:<oncall@sms.example.kz>", "DATA")
STRANGER: dict[str, Any] = {"trust": ["10.20.0.0/16"]}
PASSWORD = "correct horse"


@pytest.fixture(scope="session")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture
def certificate(authority: trustme.CA, tmp_path: Path) -> dict[str, str]:
    issued = authority.issue_cert("localhost")
    cert, key = tmp_path / "cert.pem", tmp_path / "key.pem"
    cert.write_bytes(b"".join(blob.bytes() for blob in issued.cert_chain_pems))
    issued.private_key_pem.write_to_path(key)
    return {"cert": str(cert), "key": str(key)}


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
    known.load(
        [
            User("zabbix", password_hash, frozenset({"smtp"}), now, now),
            User("viewer", password_hash, frozenset({"viewer"}), now, now),
        ]
    )
    return known


# T01 smuggling

SMUGGLED = b"MAIL FROM:<evil@example.kz>\r\nRCPT TO:<ceo@sms.example.kz>\r\nDATA\r\nSubject: evil\r\n\r\nevil"
FALSE_ENDS = [
    b"\n.\n",
    b"\n.\r\n",
    b"\r\n.\n",
    b"\r\n.\r",
    b"\r.\r",
    b"\r.\r\n",
    b"\n.\r",
    b"\r.\n",
    b"\n\n.\r\n",
    b"\r\r.\r\r",
    b"\r\n\x00.\r\n",
    b"\r\n.\x00\r\n",
    b"\r\n. \r\n",
    b"\n\r.\n\r",
]


@pytest.mark.parametrize("end", FALSE_ENDS)
async def test_T01_only_crlf_dot_crlf_ends_a_mail(smtp_house, end: bytes) -> None:
    house = await smtp_house()
    client = await house.connect()
    await client.say_all(*ENVELOPE)
    await client.send(b"Subject: one" + end + SMUGGLED + b"\r\n.\r\nQUIT\r\n")
    answers = [await client.reply(), await client.reply()]
    assert [answer[:3] for answer in answers] == ["250", "221"]
    assert len(house.mails) == 1
    assert b"evil" in house.mails[0].content


@pytest.mark.parametrize("end", FALSE_ENDS[:10] + FALSE_ENDS[13:])
async def test_T01_bare_line_ends_are_refused_outside_trust(
    smtp_house, certificate, believes, logins, end: bytes
) -> None:
    house = await smtp_house(starttls=certificate, logins=logins, **STRANGER)
    client = await house.secure(believes)
    await client.say(_plain("zabbix", PASSWORD))
    await client.say_all("MAIL FROM:<zabbix@example.kz>", *ENVELOPE[1:])
    await client.send(b"Subject: one" + end + SMUGGLED + b"\r\n.\r\n")
    assert await client.reply() == "550 5.6.0 Lines must end in CR LF, nothing was kept"
    assert await client.say("NOOP") == "250 2.0.0 Ok"
    assert house.mails == []


async def test_T01_bare_line_ends_are_repaired_inside_trust(smtp_house) -> None:
    house = await smtp_house()
    client = await house.connect()
    assert (await client.mail(b"Subject: a\n\nb\rc\r\n..d")).startswith("250")
    assert house.mails[0].content == b"Subject: a\r\n\r\nb\r\nc\r\n.d\r\n"


async def test_T01_line_ends_strict_holds_inside_trust_too(smtp_house) -> None:
    house = await smtp_house(line_ends="strict")
    client = await house.connect()
    assert (await client.mail(b"Subject: a\n\nb")).startswith("550 5.6.0")


async def test_T01_a_command_that_ends_in_a_bare_lf_is_not_obeyed(smtp_house) -> None:
    house = await smtp_house()
    client = await house.connect()
    await client.send(b"MAIL FROM:<a@example.kz>\nRCPT TO:<oncall@sms.example.kz>\r\n")
    assert await client.reply() == "500 5.5.2 Lines must end in CR LF"
    assert await client.reply() == "503 5.5.1 MAIL first"


async def test_T01_a_line_of_one_mebibyte_is_taken_and_a_longer_one_is_not(smtp_house) -> None:
    house = await smtp_house()
    client = await house.connect()
    assert (await client.mail(b"Subject: x\r\n\r\n" + b"a" * (1 << 20))).startswith("250")
    assert len(house.mails[0].content) == len(b"Subject: x\r\n\r\n\r\n") + (1 << 20)
    refusal = await client.mail(b"Subject: x\r\n\r\n" + b"a" * ((1 << 20) + 1))
    assert refusal == "550 5.6.0 A line is longer than 1048576 bytes, nothing was kept"
    assert len(house.mails) == 1


# T02 STARTTLS


async def test_T02_text_after_starttls_is_discarded_and_the_state_reset(smtp_house, certificate) -> None:
    house = await smtp_house(starttls=certificate)
    client = await house.connect()
    await client.say(ENVELOPE[0])
    await client.send(b"STARTTLS\r\nRCPT TO:<oncall@sms.example.kz>\r\nDATA\r\n")
    assert await client.reply() == "503 5.5.1 Nothing may follow STARTTLS in the same packet"
    assert await client.say("NOOP") == "250 2.0.0 Ok"
    assert await client.say(ENVELOPE[1]) == "503 5.5.1 MAIL first"
    assert await client.say(ENVELOPE[0]) == "503 5.5.1 EHLO first"


async def test_T02_nothing_said_in_plain_text_survives_the_handshake(smtp_house, certificate, believes) -> None:
    house = await smtp_house(starttls=certificate)
    client = await house.connect()
    await client.say(ENVELOPE[0])
    assert (await client.say("STARTTLS")).startswith("220")
    await client.start_tls(believes)
    assert await client.say(ENVELOPE[1]) == "503 5.5.1 MAIL first"
    assert await client.say(ENVELOPE[0]) == "503 5.5.1 EHLO first"
    assert "STARTTLS" not in await client.say("EHLO again")
    assert await client.say("STARTTLS") == "503 5.5.1 TLS is on already"


async def test_T02_plain_text_behind_the_ready_reply_never_becomes_a_command(smtp_house, certificate) -> None:
    house = await smtp_house(starttls=certificate)
    client = await house.connect()
    assert (await client.say("STARTTLS")).startswith("220")
    await client.send(b"MAIL FROM:<evil@example.kz>\r\n" * 20)
    assert await client.closed()
    assert house.mails == []


async def test_T02_bytes_before_an_implicit_handshake_are_forgotten(
    smtp_house, certificate, believes, monkeypatch
) -> None:
    connected = Session.connection_made

    def early(session: Session, transport: asyncio.BaseTransport) -> None:
        connected(session, transport)
        session._inbox.bytes += b"NOOP\r\n"  # as if a loop had read before the handshake began

    monkeypatch.setattr(Session, "connection_made", early)
    house = await smtp_house(tls=certificate)
    client = await house.connect(tls=believes)
    assert await client.say("RSET") == "250 2.0.0 Ok"
    assert house.tally.refusals == []


async def test_T02_auth_is_neither_offered_nor_taken_without_tls(smtp_house, certificate, logins) -> None:
    house = await smtp_house(starttls=certificate, logins=logins)
    client = await house.connect(greet=False)
    await client.reply()
    offered = await client.say("EHLO a")
    assert "STARTTLS" in offered
    assert "AUTH" not in offered
    assert await client.say(_plain("zabbix", PASSWORD)) == "538 5.7.11 STARTTLS first, then log in"


# T03, T05: who may hand in


def _plain(login: str, password: str) -> str:
    import base64

    return "AUTH PLAIN " + base64.b64encode(f"\0{login}\0{password}".encode()).decode()


LISTED = {"trust": ["127.0.0.0/8"]}
MATRIX = [
    # keys of the listener, login, MAIL FROM, RCPT TO, last reply
    (LISTED, "", "a@x.example", "oncall@sms.example.kz", "250 2.1.5"),
    (LISTED, "", "a@x.example", "someone@gmail.example", "550 5.1.1"),
    (LISTED, "", "a@x.example", "someone%gmail.example@sms.example.kz.evil.example", "550 5.1.1"),
    (LISTED, "", "a@x.example", "@sms.example.kz:someone@gmail.example", "550 5.1.1"),
    (LISTED, "", "a@sms.example.kz", "someone@gmail.example", "550 5.1.1"),
    (STRANGER, "", "a@x.example", "oncall@sms.example.kz", "530 5.7.0"),
    (STRANGER, "", "a@sms.example.kz", "oncall@sms.example.kz", "530 5.7.0"),
    (STRANGER, "", "", "oncall@sms.example.kz", "530 5.7.0"),
    (STRANGER, "zabbix", "zabbix@example.kz", "oncall@sms.example.kz", "250 2.1.5"),
    (STRANGER, "zabbix", "zabbix@example.kz", "someone@gmail.example", "550 5.1.1"),
    (STRANGER, "zabbix", "cfo@example.kz", "oncall@sms.example.kz", "550 5.7.1"),
    (STRANGER | {"auth": "off"}, "", "a@sms.example.kz", "oncall@sms.example.kz", "550 5.7.1"),
    (LISTED | {"auth": "required"}, "", "a@x.example", "oncall@sms.example.kz", "530 5.7.0"),
    (LISTED | {"auth": "required"}, "zabbix", "zabbix@example.kz", "oncall@sms.example.kz", "250 2.1.5"),
    (STRANGER | {"auth": "required"}, "zabbix", "zabbix@example.kz", "oncall@sms.example.kz", "550 5.7.1"),
]


@pytest.mark.parametrize("keys,login,sender,recipient,reply", MATRIX)
async def test_T03_T05_source_sender_and_recipient_must_all_fit(
    smtp_house, certificate, believes, logins, keys: dict[str, Any], login: str, sender: str, recipient: str, reply: str
) -> None:
    house = await smtp_house(starttls=certificate, logins=logins, **keys)
    client = await (house.secure(believes) if login else house.connect())
    if login:
        assert await client.say(_plain(login, PASSWORD)) == "235 2.7.0 Logged in"
    answer = await client.say(f"MAIL FROM:<{sender}>")
    if answer.startswith("250"):
        answer = await client.say(f"RCPT TO:<{recipient}>")
    assert answer.startswith(reply)
    if not reply.startswith("250"):
        assert await client.say("DATA") in ("503 5.5.1 MAIL first", "503 5.5.1 RCPT first")
    assert house.mails == []


async def test_T03_a_stranger_where_nobody_can_log_in_reads_that_his_network_is_not_listed(smtp_house) -> None:
    house = await smtp_house(**STRANGER)
    client = await house.connect()
    assert await client.say(ENVELOPE[0]) == "550 5.7.1 Your network is not listed here"
    assert await client.say("AUTH PLAIN AGEAYg==") == "503 5.5.1 This door takes no logins"


async def test_T10_T39_unknown_and_forbidden_recipients_read_the_same_inside_the_session(smtp_house) -> None:
    house = await smtp_house()
    client = await house.connect()
    await client.say(ENVELOPE[0])
    forbidden = await client.say("RCPT TO:<secret@sms.example.kz>")
    unknown = await client.say("RCPT TO:<secret@other.example.kz>")
    assert forbidden == "550 5.1.1 <secret@sms.example.kz>: no rule takes this address from you"
    assert unknown.replace("other.example.kz", "sms.example.kz") == forbidden
    assert await client.say("VRFY secret@sms.example.kz") == "252 2.0.0 Cannot verify, send the mail and see"


# T06 passwords


async def test_T06_three_tries_in_a_session_then_it_is_over(smtp_house, certificate, believes, logins) -> None:
    house = await smtp_house(starttls=certificate, logins=logins, **STRANGER)
    client = await house.secure(believes)
    for _ in range(3):
        assert await client.say(_plain("zabbix", "wrong")) == "535 5.7.8 Login or password does not fit"
    assert await client.say(_plain("zabbix", PASSWORD)) == "421 4.7.0 Too many tries, come back in 10 minutes"
    assert await client.closed()
    assert house.delays == sorted(house.delays)
    assert len(set(house.delays)) == 3


async def test_T06_of_a_thousand_tries_ten_in_a_minute_are_checked(
    smtp_house, certificate, believes, logins, monkeypatch
) -> None:
    house = await smtp_house(starttls=certificate, logins=logins, connections={"per_address": 2000}, **STRANGER)
    checked: list[str] = []

    async def verify(login: str, password: str, **kwargs: Any) -> bool:
        checked.append(password)
        return False

    monkeypatch.setattr(logins, "verify", verify)
    said = 0
    while said < 1000:
        client = await house.secure(believes)
        for _ in range(4):
            answer = await client.say(_plain(f"login{said}", f"guess {said}"))
            said += 1
            if answer.startswith("421"):
                break
        client.close()
        if len(checked) >= 10 and said > 60:
            said += 16  # every further session fares like this one
    assert len(checked) == 10


async def test_T06_a_login_is_limited_whatever_address_tries_it(smtp_house, certificate, believes, logins) -> None:
    house = await smtp_house(starttls=certificate, logins=logins, tries={"per_minute": 2}, **STRANGER)
    for address in ("127.0.0.2", "127.0.0.3"):
        client = await house.connect(source=address)
        await client.say("STARTTLS")
        await client.start_tls(believes)
        await client.say("EHLO a")
        assert (await client.say(_plain("zabbix", f"wrong {address}"))).startswith("535")
    client = await house.connect(source="127.0.0.4")
    await client.say("STARTTLS")
    await client.start_tls(believes)
    await client.say("EHLO a")
    assert (await client.say(_plain("zabbix", "wrong again"))).startswith("421")


async def test_T06_a_password_that_fitted_before_is_not_locked_out_by_strangers(
    smtp_house, certificate, believes, logins
) -> None:
    house = await smtp_house(starttls=certificate, logins=logins, tries={"per_minute": 1}, **STRANGER)
    client = await house.secure(believes)
    assert (await client.say(_plain("zabbix", PASSWORD))).startswith("235")
    attacker = await house.secure(believes)
    assert (await attacker.say(_plain("zabbix", "wrong"))).startswith("535")
    client = await house.secure(believes)
    assert (await client.say(_plain("zabbix", PASSWORD))).startswith("235")


async def test_T06_T39_unknown_logins_take_as_long_as_known_ones(logins, now) -> None:
    spent: dict[str, list[float]] = {"zabbix": [], "nobody": []}
    await logins.verify("nobody", "warm", now=now)
    for turn in range(5):
        for login, times in spent.items():
            began = time.perf_counter()
            assert not await logins.verify(login, f"wrong {turn}", now=now)
            times.append(time.perf_counter() - began)
    known, unknown = (statistics.median(times) for times in spent.values())
    assert unknown == pytest.approx(known, rel=0.6)
    assert unknown > 0.01


async def test_T06_a_login_for_the_console_only_hands_in_nothing(smtp_house, certificate, believes, logins) -> None:
    house = await smtp_house(starttls=certificate, logins=logins, **STRANGER)
    client = await house.secure(believes)
    assert await client.say(_plain("viewer", PASSWORD)) == "535 5.7.8 Login or password does not fit"


# T07 slow and many


async def test_T07_connections_of_one_address_are_capped(smtp_house) -> None:
    house = await smtp_house(connections={"total": 100, "per_address": 3}, **STRANGER)
    for _ in range(3):
        await house.connect()
    late = await house.connect(greet=False)
    assert await late.reply() == "421 4.7.0 3 connections from 127.0.0.1 are open, try again"
    assert await late.closed()
    other = await house.connect(source="127.0.0.2")
    assert await other.say("NOOP") == "250 2.0.0 Ok"


async def test_T07_a_place_is_free_again_after_its_connection_is_gone(smtp_house) -> None:
    house = await smtp_house(connections={"total": 100, "per_address": 1}, **STRANGER)
    for _ in range(3):
        client = await house.connect()
        assert await client.say("QUIT") == "221 2.0.0 Bye"
        await client.closed()
        await _until(lambda: house.tally.now_open == 0)


async def test_T07_strangers_cannot_take_the_places_of_listed_monitors(smtp_house) -> None:
    house = await smtp_house(connections={"total": 20, "per_address": 20}, trust=["127.0.0.9"])
    for _ in range(18):
        await house.connect()
    late = await house.connect(greet=False)
    assert await late.reply() == "421 4.3.2 Busy, try again"
    monitor = await house.connect(source="127.0.0.9")
    assert (await monitor.mail(b"Subject: fire\r\n")).startswith("250")


async def test_T07_a_peer_that_says_nothing_is_cut(smtp_house) -> None:
    house = await smtp_house(caps={"idle": 0.2})
    client = await house.connect(greet=False)
    await client.reply()
    assert await client.reply() == "421 4.4.2 Nothing came for 0.2 seconds, bye"
    assert await client.closed()


async def test_T07_dripped_bytes_of_a_command_do_not_keep_a_session(smtp_house) -> None:
    house = await smtp_house(caps={"idle": 0.3})
    client = await house.connect()
    began = time.monotonic()
    while house.tally.now_open and time.monotonic() < began + 5:
        client.writer.write(b"N")
        await asyncio.sleep(0.05)
    assert time.monotonic() - began < 2


async def test_T07_a_dripped_mail_is_cut_by_its_rate(smtp_house) -> None:
    house = await smtp_house(caps={"data_grace": 0.3, "data_rate": 1000.0})
    client = await house.connect()
    await client.say_all(*ENVELOPE)
    reply = asyncio.create_task(client.reply())  # what is written after the goodbye may reset the connection
    async with asyncio.timeout(10):
        while not reply.done():
            client.writer.write(b"drip\r\n")
            await asyncio.sleep(0.02)
    assert await reply == "421 4.4.2 Less than 1000 bytes a second, bye"
    assert house.mails == []


async def test_T07_a_session_without_a_mail_ends(smtp_house) -> None:
    house = await smtp_house(caps={"lifetime": 0.4})
    client = await house.connect()
    answer = ""
    async with asyncio.timeout(5):
        while not answer.startswith("421"):
            answer = await client.say("NOOP")
            await asyncio.sleep(0.02)
    assert answer == "421 4.4.2 No mail came whole in 0.4 seconds, bye"


async def test_a_monitor_may_keep_its_connection_as_long_as_mails_come(smtp_house) -> None:
    house = await smtp_house(caps={"lifetime": 0.4})
    client = await house.connect()
    for _ in range(6):
        await asyncio.sleep(0.15)
        assert (await client.mail(b"Subject: x\r\n")).startswith("250")


async def test_T07_commands_are_counted_and_a_kept_mail_begins_the_count_anew(smtp_house) -> None:
    house = await smtp_house(caps={"commands": 10})
    client = await house.connect()
    for _ in range(5):
        assert (await client.mail(b"Subject: x\r\n")).startswith("250")
    answers = [await client.say("NOOP") for _ in range(11)]
    assert answers == ["250 2.0.0 Ok"] * 10 + ["421 4.7.0 10 commands, bye"]
    assert await client.closed()


async def test_T07_a_browser_that_was_made_to_talk_to_us_is_cut_at_its_first_line(smtp_house) -> None:
    house = await smtp_house()
    client = await house.connect(greet=False)
    await client.reply()
    await client.send(b"POST / HTTP/1.1\r\nHost: x\r\n\r\nMAIL FROM:<a@b.example>\r\n")
    assert await client.reply() == "500 5.5.2 Not a command"
    assert await client.closed()


async def test_T07_recipients_beyond_a_hundred_are_put_off(smtp_house) -> None:
    house = await smtp_house()
    client = await house.connect()
    await client.say(ENVELOPE[0])
    answers = [await client.say(f"RCPT TO:<p{number}@sms.example.kz>") for number in range(101)]
    assert set(answers[:100]) == {"250 2.1.5 Recipient ok"}
    assert answers[100] == "452 4.5.3 100 recipients taken, send the rest in another mail"
    await client.say("DATA")
    await client.send(b"Subject: x\r\n.\r\n")
    assert (await client.reply()).startswith("250")
    assert len(house.mails[0].recipients) == 100


async def test_T07_a_handshake_that_never_ends_is_cut(smtp_house, certificate) -> None:
    house = await smtp_house(tls=certificate, caps={"handshake": 0.2})
    client = await house.connect(greet=False)
    assert await client.closed()
    await _until(lambda: house.tally.now_open == 0)


async def test_T07_a_peer_that_does_not_read_its_replies_is_cut(smtp_house) -> None:
    house = await smtp_house(caps={"idle": 0.3, "linger": 0.1, "commands": 10**9})
    client = await house.connect()
    client.writer.transport.pause_reading()
    flood = b"EHLO x\r\n" * 20_000
    began = time.monotonic()
    while house.tally.now_open and time.monotonic() < began + 20:
        client.writer.write(flood) if client.writer.transport.get_write_buffer_size() == 0 else None
        await asyncio.sleep(0.02)
    assert house.tally.now_open == 0


async def test_T07_real_mail_is_answered_in_a_second_while_a_thousand_drip(smtp_house) -> None:
    house = await smtp_house(connections={"total": 1200, "per_address": 1200}, trust=["127.0.0.9"])
    drippers = [await house.connect(greet=False) for _ in range(1000)]
    stop = asyncio.Event()

    async def drip() -> None:
        while not stop.is_set():
            for client in drippers:
                client.writer.write(b"E")
            await asyncio.sleep(0.2)

    task = asyncio.create_task(drip())
    monitor = await house.connect(source="127.0.0.9")
    spent = []
    for _ in range(50):
        began = time.monotonic()
        assert (await monitor.mail(b"Subject: fire\r\n")).startswith("250")
        spent.append(time.monotonic() - began)
    stop.set()
    await task
    assert max(spent) < 1


# T08 size


async def test_T08_an_announced_size_over_the_limit_is_refused_at_mail(smtp_house) -> None:
    house = await smtp_house(max_size="10MB")
    client = await house.connect()
    assert await client.say("MAIL FROM:<a@b.example> SIZE=10000001") == "552 5.3.4 Over 10000000 bytes"
    assert await client.say("MAIL FROM:<a@b.example> SIZE=10000000") == "250 2.1.0 Sender ok"


async def test_T08_a_mail_of_exactly_the_limit_is_kept_and_one_byte_more_is_not(smtp_house) -> None:
    house = await smtp_house(max_size="100kB")
    client = await house.connect()
    assert (await client.mail((b"." * 98 + b"\r\n") * 999 + b".." + b"x" * 97)).startswith("250")
    assert len(house.mails[0].content) == 99 * 999 + 1 + 97 + 2
    assert (await client.mail((b"x" * 98 + b"\r\n") * 999 + b"x" * 98)).startswith("250")
    assert len(house.mails[1].content) == 100_000
    refusal = await client.mail((b"x" * 98 + b"\r\n") * 999 + b"x" * 99)
    assert refusal == "552 5.3.4 Over 100000 bytes, nothing was kept"
    assert len(house.mails) == 2


async def test_T08_what_grows_over_the_limit_is_not_held_in_memory(smtp_house) -> None:
    house = await smtp_house(max_size="100kB")
    client = await house.connect()
    await client.say_all(*ENVELOPE)
    await client.send(b"x" * 150_000)
    await asyncio.sleep(0.1)
    session = next(iter(house.door._desk.sessions))
    assert session._content.held < 100
    await client.send(b"\r\n.\r\n")
    assert await client.reply() == "552 5.3.4 Over 100000 bytes, nothing was kept"
    assert (await client.mail(b"Subject: small\r\n")).startswith("250")


async def test_T08_over_twice_the_limit_the_connection_is_cut(smtp_house) -> None:
    house = await smtp_house(max_size="100kB")
    client = await house.connect()
    await client.say_all(*ENVELOPE)
    await client.send(b"x" * 200_100)
    assert await client.reply() == "552 5.3.4 Over 100000 bytes, nothing was kept"
    assert await client.closed()


async def test_T08_bytes_in_flight_are_capped_over_all_connections(smtp_house) -> None:
    house = await smtp_house(max_size="1MB", in_flight={"limit": 500_000, "free": 1000})
    first, second, small = [await house.connect() for _ in range(3)]
    for client in (first, second):
        await client.say_all(*ENVELOPE)
        await client.send(b"Subject: big\r\n\r\n" + b"x" * 400_000)
    await asyncio.sleep(0.1)
    assert house.limits.in_flight.used <= 500_000
    assert (await small.mail(b"Subject: fire\r\n")).startswith("250")
    assert await small.say("MAIL FROM:<a@b.example> SIZE=200000") == "452 4.3.1 No room now, try again later"
    answers = []
    for client in (first, second):
        await client.send(b"\r\n.\r\n")
        answers.append((await client.reply())[:9])
    assert sorted(answers) == ["250 2.0.0", "452 4.3.1"]
    assert house.limits.in_flight.used == 0


async def test_T08_a_connection_lost_in_a_mail_gives_its_bytes_back(smtp_house) -> None:
    house = await smtp_house(in_flight={"free": 0})
    client = await house.connect()
    await client.say_all(*ENVELOPE)
    await client.send(b"x" * 10_000)
    await _until(lambda: house.limits.in_flight.used > 9_000)
    client.close()
    await _until(lambda: house.limits.in_flight.used == 0 and house.tally.now_open == 0)
    assert house.mails == []


async def _until(holds: Any) -> None:
    async with asyncio.timeout(5):
        while not holds():
            await asyncio.sleep(0.01)
