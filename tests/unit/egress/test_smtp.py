"""Mail out against a real mail server, and against one that misbehaves line by line."""

from __future__ import annotations

import asyncio
import ssl
import traceback
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest
import trustme
from aiosmtpd.smtp import SMTP, AuthResult
from hypothesis import given
from hypothesis import strategies as st

from bridge.config.models.service import OutgoingMail
from bridge.config.secrets import SecretText
from bridge.egress.smtp import MailRelay, wire_form
from bridge.errors import AccountPaused, DeliveryError, NotSent, OutcomeUnknown, PermanentFailure, TemporaryFailure

pytestmark = pytest.mark.anyio

MAIL = b"From: a@example.kz\r\nSubject: x\r\n\r\nline\r\n.hidden\r\n..\r\n.\r\nend\r\n"
TO = ("it@example.kz",)


@dataclass
class Inbox:
    """What a real server took."""

    mails: list[tuple[str, tuple[str, ...], bytes]] = field(default_factory=list)
    port: int = 0
    tls: list[bool] = field(default_factory=list)
    options: list[list[str]] = field(default_factory=list)

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:
        self.mails.append((envelope.mail_from, tuple(envelope.rcpt_tos), envelope.original_content))
        self.tls.append(session.ssl is not None)
        self.options.append(list(envelope.mail_options))
        return "250 2.0.0 taken"

    async def handle_RCPT(self, server: Any, session: Any, envelope: Any, address: str, options: list[str]) -> str:
        if address.startswith("nobody"):
            return "550 5.1.1 no such user"
        if address.startswith("later"):
            return "450 4.2.1 mailbox busy"
        if address.startswith("strict"):
            return "530 5.7.0 authentication required"
        envelope.rcpt_tos.append(address)
        return "250 OK"


@asynccontextmanager
async def inbox(**options: Any) -> AsyncIterator[Inbox]:
    """A real mail server on loopback; *implicit* is a context for TLS from the first byte."""
    implicit = options.pop("implicit", None)
    taken = Inbox()
    loop = asyncio.get_running_loop()
    server = await loop.create_server(
        lambda: SMTP(taken, hostname="relay.test", loop=loop, enable_SMTPUTF8=True, **options),
        "127.0.0.1",
        0,
        ssl=implicit,
    )
    taken.port = server.sockets[0].getsockname()[1]
    try:
        yield taken
    finally:
        server.close()


def relay(port: int, scheme: str = "smtp", *, trust: ssl.SSLContext | None = None, **keys: Any) -> MailRelay:
    values = {"relay": f"{scheme}://127.0.0.1:{port}", "from": "smsbridge@sms.example.kz", "tls": "off"} | keys
    password = SecretText("canary-Passw0rd") if "user" in values else None
    return MailRelay(
        OutgoingMail.model_validate(values),
        password,
        hostname="sms.example.kz",
        trust=trust,
        answer_within=0.5,
        taken_within=0.5,
    )


@dataclass
class Trust:
    """Both sides of TLS: *serving* has a certificate that *trusting* believes."""

    serving: ssl.SSLContext
    trusting: ssl.SSLContext


def trust(name: str = "127.0.0.1") -> Trust:
    authority = trustme.CA()
    serving = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert(name).configure_cert(serving)
    trusting = ssl.create_default_context()
    authority.configure_trust(trusting)
    return Trust(serving, trusting)


Script = Callable[[str], bytes | None]


@dataclass
class Lines:
    """What a scripted server heard."""

    port: int = 0
    commands: list[str] = field(default_factory=list)
    data: bytes = b""


@asynccontextmanager
async def scripted(answer: Script, greeting: bytes = b"220 relay.test\r\n") -> AsyncIterator[Lines]:
    """A server that answers each command (and the end of data, as ``.``) with *answer*; None hangs up."""
    heard = Lines()
    writers: list[asyncio.StreamWriter] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writers.append(writer)
        writer.write(greeting)
        try:
            while line := await reader.readline():
                command = line.decode().strip()
                heard.commands.append(command)
                said = answer(command)
                if command == "DATA" and said and said.startswith(b"354"):
                    writer.write(said)
                    heard.data = await reader.readuntil(b"\r\n.\r\n")
                    said = answer(".")
                if said is None:
                    return
                writer.write(said)
        except (ConnectionError, asyncio.IncompleteReadError):
            return
        finally:
            writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    heard.port = server.sockets[0].getsockname()[1]
    try:
        yield heard
    finally:
        server.close()
        for writer in writers:
            writer.transport.abort()
        await asyncio.sleep(0)


def friendly(**different: bytes | None) -> Script:
    """A polite server but for the verbs in *different* (``END`` is the end of data)."""
    polite = {"EHLO": b"250-relay.test\r\n250 8BITMIME\r\n", "DATA": b"354 go on\r\n", "QUIT": b"221 bye\r\n"}

    def answer(command: str) -> bytes | None:
        verb = "END" if command == "." else command.split(" ")[0].split(":")[0].upper()
        return {**polite, **different}.get(verb, b"250 OK\r\n")

    return answer


# The wire


async def test_T01_a_mail_arrives_byte_for_byte_with_its_dots() -> None:
    async with inbox() as taken:
        assert await relay(taken.port).send("smsbridge@sms.example.kz", TO, MAIL) == ()
    assert taken.mails == [("smsbridge@sms.example.kz", TO, MAIL)]


async def test_a_report_leaves_from_the_null_sender() -> None:
    async with scripted(friendly()) as heard:
        await relay(heard.port).send("", TO, MAIL)
    assert heard.commands == [
        "EHLO sms.example.kz",
        "MAIL FROM:<>",
        "RCPT TO:<it@example.kz>",
        "DATA",
        "QUIT",
    ]


async def test_T01_what_leaves_has_strict_line_ends_and_stuffed_dots() -> None:
    async with scripted(friendly()) as heard:
        await relay(heard.port).send("", TO, b"a\n.\nb\r.\r\n.\r\n\n..c\r\r\nno end")
    assert heard.data == b"a\r\n..\r\nb\r\n..\r\n..\r\n\r\n...c\r\n\r\nno end\r\n.\r\n"


@given(st.lists(st.sampled_from([b"\r", b"\n", b".", b"a", b"\r\n", b"\x00", b"\xff"]), max_size=30).map(b"".join))
def test_T01_no_content_ends_the_data_early(content: bytes) -> None:
    wire = wire_form(content)
    assert wire.endswith(b"\r\n.\r\n") or wire == b"\r\n.\r\n"
    body = wire[: -len(b".\r\n")]
    assert b"\r\n.\r\n" not in b"\r\n" + body
    lines = body.split(b"\r\n")
    assert lines.pop() == b""
    assert not any(b"\r" in line or b"\n" in line for line in lines)
    unstuffed = b"\r\n".join(line[1:] if line.startswith(b".") else line for line in lines)
    plain = content.replace(b"\r\n", b"\n").replace(b"\r", b"\n").removesuffix(b"\n").replace(b"\n", b"\r\n")
    assert unstuffed == plain


async def test_eight_bit_content_is_announced_where_the_relay_knows_it() -> None:
    async with inbox() as taken:
        await relay(taken.port).send("a@b.kz", TO, "Subject: x\r\n\r\nСервер\r\n".encode())
        await relay(taken.port).send("a@b.kz", TO, MAIL)
    assert taken.options == [["BODY=8BITMIME"], []]


async def test_an_address_outside_ascii_needs_a_relay_that_knows_them() -> None:
    async with inbox() as taken:
        await relay(taken.port).send("a@b.kz", ("почта@пример.kz",), MAIL)
        assert taken.mails[0][1] == ("почта@пример.kz",)
    async with scripted(friendly()) as heard:
        with pytest.raises(PermanentFailure, match="SMTPUTF8"):
            await relay(heard.port).send("a@b.kz", ("почта@пример.kz",), MAIL)
    assert "DATA" not in heard.commands


@pytest.mark.parametrize(
    "address",
    ["", "nobody", "a@b.kz, c@d.kz", "A <a@b.kz>", "a@b.kz>\r\nRCPT TO:<evil@x.kz", "a@b.kz\nDATA", "a\x00@b.kz"],
)
async def test_T11_an_address_is_no_place_for_commands(address: str) -> None:
    async with scripted(friendly()) as heard:
        for sender, to in ((address or "x", TO), ("a@b.kz", (address,))):
            with pytest.raises(PermanentFailure, match="none"):
                await relay(heard.port).send(sender, to, MAIL)
    assert not any("evil" in command or command == "DATA" for command in heard.commands)


# TLS and login


async def test_T02_required_tls_goes_by_starttls() -> None:
    sides = trust()
    async with inbox(tls_context=sides.serving) as taken:
        await relay(taken.port, tls="required", trust=sides.trusting).send("", TO, MAIL)
    assert taken.tls == [True]


async def test_T02_required_tls_sends_nothing_to_a_relay_that_offers_none() -> None:
    async with scripted(friendly()) as heard:
        with pytest.raises(NotSent, match="offers no TLS"):
            await relay(heard.port, tls="required").send("", TO, MAIL)
    assert heard.commands == ["EHLO sms.example.kz"]


async def test_opportunistic_tls_is_taken_and_may_be_missing() -> None:
    sides = trust()
    async with inbox(tls_context=sides.serving) as taken, inbox() as plain:
        await relay(taken.port, tls="opportunistic", trust=sides.trusting).send("", TO, MAIL)
        await relay(plain.port, tls="opportunistic", trust=sides.trusting).send("", TO, MAIL)
    assert (taken.tls, plain.tls) == ([True], [False])


async def test_smtps_is_tls_from_the_first_byte() -> None:
    sides = trust()
    async with inbox(implicit=sides.serving) as taken:
        await relay(taken.port, "smtps", tls="required", trust=sides.trusting).send("", TO, MAIL)
    assert len(taken.mails) == 1


@pytest.mark.parametrize("tls", ["required", "opportunistic"])
async def test_T36_a_certificate_that_is_not_valid_gets_no_mail(tls: str) -> None:
    sides, others = trust("relay.example.kz"), trust()
    for trusting in (sides.trusting, others.trusting):  # a wrong name; a stranger's authority
        async with inbox(tls_context=sides.serving) as taken:
            with pytest.raises(NotSent, match=r"certificate of 127\.0\.0\.1 is not valid"):
                await relay(taken.port, tls=tls, trust=trusting).send("", TO, MAIL)
        assert taken.mails == []


async def test_T36_the_same_for_smtps() -> None:
    sides = trust("relay.example.kz")
    async with inbox(implicit=sides.serving) as taken:
        with pytest.raises(NotSent, match="certificate"):
            await relay(taken.port, "smtps", tls="required", trust=sides.trusting).send("", TO, MAIL)
    assert taken.mails == []


def authenticator(server: Any, session: Any, envelope: Any, mechanism: str, data: Any) -> AuthResult:
    right = (data.login, data.password) == (b"bridge", b"canary-Passw0rd")
    return AuthResult(success=right, handled=False)


async def test_logs_in_over_tls() -> None:
    sides = trust()
    async with inbox(tls_context=sides.serving, authenticator=authenticator, auth_required=True) as taken:
        await relay(taken.port, tls="required", trust=sides.trusting, user="bridge").send("", TO, MAIL)
    assert len(taken.mails) == 1


async def test_F24_a_refused_login_is_the_account_s_trouble() -> None:
    sides = trust()
    async with inbox(tls_context=sides.serving, authenticator=authenticator, auth_required=True) as taken:
        with pytest.raises(AccountPaused) as caught:
            await relay(taken.port, tls="required", trust=sides.trusting, user="other").send("", TO, MAIL)
    assert (caught.value.cause, caught.value.code) == ("password", "535")
    assert taken.mails == []


async def test_T29_no_password_goes_to_a_relay_that_lost_its_tls() -> None:
    async with scripted(friendly(EHLO=b"250-relay.test\r\n250 AUTH PLAIN LOGIN\r\n")) as heard:
        with pytest.raises(NotSent, match="no password"):
            await relay(heard.port, tls="opportunistic", user="bridge").send("", TO, MAIL)
    assert not any(command.startswith("AUTH") for command in heard.commands)


async def test_T29_no_error_holds_the_password() -> None:
    said = []
    sides = trust()
    async with inbox(tls_context=sides.serving, authenticator=authenticator, auth_required=True) as taken:
        door = relay(taken.port, tls="required", trust=sides.trusting, user="other")
        with pytest.raises(DeliveryError) as caught:
            await door.send("", TO, MAIL)
        said.append("".join(traceback.format_exception(caught.value)) + repr(door) + repr(vars(door)))
    assert "Passw0rd" not in said[0]


# How it ends


async def test_nobody_listens_is_not_sent() -> None:
    with pytest.raises(NotSent, match=r"no connection to 127\.0\.0\.1:1"):
        await relay(1).send("", TO, MAIL)


@pytest.mark.parametrize(
    ("different", "kind", "why"),
    [
        ({"EHLO": None}, NotSent, "no connection"),
        ({"MAIL": None}, NotSent, "hung up"),
        ({"RCPT": None}, NotSent, "hung up"),
        ({"DATA": None}, NotSent, "hung up"),
        ({"END": None}, OutcomeUnknown, "did not say"),
        ({"END": b""}, OutcomeUnknown, "did not say"),
        ({"END": b"garbage\r\n"}, OutcomeUnknown, "did not say"),
        ({"END": b"200 what\r\n"}, OutcomeUnknown, "says nothing"),
        ({"MAIL": b""}, NotSent, "hung up"),
        ({"MAIL": b"451 4.3.0 later\r\n"}, TemporaryFailure, "451"),
        ({"MAIL": b"550 5.7.1 not you\r\n"}, PermanentFailure, "550 5.7.1 not you"),
        ({"MAIL": b"530 5.7.0 authentication required\r\n"}, AccountPaused, "530 5.7.0"),
        ({"RCPT": b"530 5.7.0 must issue STARTTLS first\r\n"}, AccountPaused, "STARTTLS"),
        ({"DATA": b"538 5.7.11 encryption required\r\n"}, AccountPaused, "538"),
        ({"RCPT": b"450 4.2.1 busy\r\n"}, TemporaryFailure, "450"),
        ({"RCPT": b"550 5.1.1 no such user\r\n"}, PermanentFailure, "no such user"),
        ({"DATA": b"451 4.3.0 later\r\n"}, TemporaryFailure, "451"),
        ({"DATA": b"554 5.5.1 no\r\n"}, PermanentFailure, "554"),
        ({"END": b"452 4.3.1 disk full\r\n"}, TemporaryFailure, "452"),
        ({"END": b"554 5.6.0 spam\r\n"}, PermanentFailure, "554 5.6.0 spam"),
        ({"QUIT": None}, None, ""),
        ({"QUIT": b"500 what\r\n"}, None, ""),
    ],
    ids=str,
)
async def test_each_way_to_end_has_its_meaning(
    different: dict[str, bytes | None], kind: type[DeliveryError] | None, why: str
) -> None:
    async with scripted(friendly(**different)) as heard:
        if kind is None:
            assert await relay(heard.port).send("", TO, MAIL) == ()
            return
        with pytest.raises(kind, match=why) as caught:
            await relay(heard.port).send("", TO, MAIL)
    assert type(caught.value) is kind


async def test_a_refusal_carries_the_relay_s_own_status() -> None:
    async with scripted(friendly(RCPT=b"550 5.1.1 no such user\r\n")) as heard:
        with pytest.raises(PermanentFailure) as caught:
            await relay(heard.port).send("", TO, MAIL)
    assert (caught.value.status, caught.value.code) == ("5.1.1", "550")


@pytest.mark.parametrize("greeting", [b"421 4.3.2 too busy\r\n", b"554 no\r\n", b"", b"HTTP/1.1 400 Bad Request\r\n"])
async def test_a_relay_that_does_not_greet_has_nothing(greeting: bytes) -> None:
    async with scripted(friendly(), greeting) as heard:
        with pytest.raises(NotSent):
            await relay(heard.port).send("", TO, MAIL)
    assert heard.commands == []


# Several recipients


async def test_F18_one_refused_recipient_is_named_and_the_others_have_the_mail() -> None:
    async with inbox() as taken:
        refused = await relay(taken.port).send("a@b.kz", ("nobody@b.kz", "it@b.kz", "later@b.kz"), MAIL)
    assert [(one.address, type(one.error)) for one in refused] == [
        ("nobody@b.kz", PermanentFailure),
        ("later@b.kz", TemporaryFailure),
    ]
    assert [to for _, to, _ in taken.mails] == [("it@b.kz",)]


@pytest.mark.parametrize(
    ("to", "kind"),
    [
        (("nobody@b.kz", "nobody2@b.kz"), PermanentFailure),
        (("nobody@b.kz", "later@b.kz"), TemporaryFailure),
        (("nobody@b.kz", "strict@b.kz"), AccountPaused),
    ],
)
async def test_when_nobody_is_left_the_mail_may_go_again_as_long_as_one_may(
    to: Sequence[str], kind: type[DeliveryError]
) -> None:
    async with inbox() as taken:
        with pytest.raises(kind):
            await relay(taken.port).send("a@b.kz", to, MAIL)
    assert taken.mails == []


async def test_what_the_relay_says_is_one_printable_line() -> None:
    long = b"550-5.7.1 \x1b[31mred\r\n550 5.7.1 " + b"x" * 900 + b"\r\n"
    async with scripted(friendly(MAIL=long)) as heard:
        with pytest.raises(PermanentFailure) as caught:
            await relay(heard.port).send("", TO, MAIL)
    assert caught.value.reason.isprintable()
    assert len(caught.value.reason) < 250
