"""Mail straight to a domain's mail exchangers: real servers, a real name server, and which of them gets the mail."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest
import trustme
from aiosmtpd.smtp import SMTP

from bridge.config.addresses import Relay
from bridge.config.models.service import OutgoingMail
from bridge.egress.exchangers import Exchangers
from bridge.egress.smtp import MailRelay
from bridge.errors import AccountPaused, DeliveryError, NotSent, OutcomeUnknown, PermanentFailure, TemporaryFailure
from tests.unit.egress.nameserver import Zone, name_server

pytestmark = pytest.mark.anyio

MAIL = b"Subject: \r\n\r\nacme:secret:1:0:0,0,:77010000001:disk full\r\n"
TO = ("send@send.test",)
ZONE: Zone = {
    "send.test MX": ["10 mx1.send.test.", "20 mx2.send.test."],
    "mx1.send.test A": ["127.0.0.2"],
    "mx2.send.test A": ["127.0.0.3"],
}

Script = Mapping[str, bytes | None]
"""Verb (``END`` after the dot, ``HELLO`` for the greeting) → answer; None hangs up, b"" is silence."""


@dataclass
class Host:
    """One server on loopback, and what came to it."""

    commands: list[str] = field(default_factory=list)
    mails: list[bytes] = field(default_factory=list)


async def served(host: Host, script: Script, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    polite = {"EHLO": b"250 mx.test\r\n", "DATA": b"354 go on\r\n", "QUIT": b"221 bye\r\n"}
    try:
        if (greeting := script.get("HELLO", b"220 mx.test\r\n")) is None:
            return
        writer.write(greeting)
        while line := (await reader.readline()).decode().strip():
            host.commands.append(line)
            verb = line.split(" ")[0].split(":")[0]
            said = {**polite, **script}.get(verb, b"250 OK\r\n")
            if verb == "DATA" and said == polite["DATA"]:
                writer.write(said)
                host.mails.append(await reader.readuntil(b"\r\n.\r\n"))
                said = script.get("END", b"250 taken\r\n")
            if said is None:
                return
            writer.write(said)
    except (ConnectionError, asyncio.IncompleteReadError):
        return
    finally:
        writer.close()


@dataclass
class Net:
    """Hosts 127.0.0.2, 127.0.0.3 …, one port for all, and the name server."""

    port: int
    hosts: list[Host]
    exchangers: Exchangers

    def relay(self, *, trust: ssl.SSLContext | None = None, tls: str = "off", begun_within: float = 2.0) -> MailRelay:
        settings = OutgoingMail.model_construct(relay=Relay("smtp", "", 25), from_="b@sms.example.kz", tls=tls)
        return MailRelay(
            settings, None, hostname="sms.example.kz", trust=trust, answer_within=1.0, taken_within=0.5,
            begun_within=begun_within, places=self.exchangers,
        )  # fmt: skip

    async def send(self, **keys: Any) -> None:
        assert await self.relay(**keys).send("b+1.1@sms.example.kz", TO, MAIL) == ()


@asynccontextmanager
async def net(*scripts: Script | None, zone: Zone = ZONE) -> AsyncIterator[Net]:
    """One host for each script; None: nobody listens there."""
    hosts, writers = [Host() for _ in scripts], list[asyncio.StreamWriter]()
    async with AsyncExitStack() as stack:
        port = 0
        for number, (host, script) in enumerate(zip(hosts, scripts, strict=True)):
            if script is None:
                continue

            async def serve(
                reader: asyncio.StreamReader, writer: asyncio.StreamWriter, host: Host = host, script: Script = script
            ) -> None:
                writers.append(writer)
                await served(host, script, reader, writer)

            server = await asyncio.start_server(serve, f"127.0.0.{2 + number}", port)
            stack.callback(server.close)
            port = server.sockets[0].getsockname()[1]
        names = await stack.enter_async_context(name_server(zone))
        yield Net(port, hosts, Exchangers(resolver=names.resolver, port=port or 1))
        for writer in writers:
            writer.transport.abort()
        await asyncio.sleep(0)


async def test_the_preferred_exchanger_gets_the_mail_and_the_other_hears_nothing() -> None:
    async with net({}, {}) as world:
        await world.send()
    assert (len(world.hosts[0].mails), world.hosts[1].commands) == (1, [])
    assert world.hosts[0].commands[1:3] == ["MAIL FROM:<b+1.1@sms.example.kz>", "RCPT TO:<send@send.test>"]


@pytest.mark.parametrize(
    "first",
    [
        None,
        {"HELLO": b"421 too busy\r\n"},
        {"HELLO": b"554 no mail here\r\n"},
        {"HELLO": None},
        {"HELLO": b"HTTP/1.1 400 Bad Request\r\n"},
        {"EHLO": None},
        {"MAIL": b"451 4.3.0 later\r\n"},
        {"MAIL": None},
        {"RCPT": b"450 4.2.0 greylisted\r\n"},
        {"RCPT": None},
        {"DATA": b"451 4.3.0 later\r\n"},
        {"DATA": None},
        {"HELLO": b""},
        {"RCPT": b""},
    ],
    ids=str,
)
async def test_an_exchanger_that_took_nothing_leaves_the_mail_to_the_next(first: Script | None) -> None:
    async with net(first, {}) as world:
        await world.send()
        assert (len(world.hosts[0].mails), len(world.hosts[1].mails)) == (0, 1)


@pytest.mark.parametrize(
    ("first", "kind"),
    [
        ({"END": None}, OutcomeUnknown),
        ({"END": b""}, OutcomeUnknown),
        ({"END": b"garbage\r\n"}, OutcomeUnknown),
        ({"END": b"452 4.3.1 disk full\r\n"}, TemporaryFailure),
        ({"END": b"554 5.6.0 no\r\n"}, PermanentFailure),
    ],
    ids=str,
)
async def test_T36_after_the_final_dot_nobody_else_is_given_the_mail(first: Script, kind: type[DeliveryError]) -> None:
    async with net(first, {}) as world:
        with pytest.raises(kind):
            await world.send()
        assert (len(world.hosts[0].mails), world.hosts[1].commands) == (1, [])


@pytest.mark.parametrize("verb", ["MAIL", "RCPT", "DATA"])
async def test_a_refusal_for_good_is_the_word_of_the_domain(verb: str) -> None:
    async with net({verb: b"550 5.7.1 not you\r\n"}, {}) as world:
        with pytest.raises(PermanentFailure) as caught:
            await world.send()
        assert (caught.value.status, world.hosts[1].commands) == ("5.7.1", [])


async def test_an_exchanger_that_wants_a_login_refuses_us_and_not_the_mail() -> None:
    async with net({"MAIL": b"530 5.7.0 authentication required\r\n"}) as world:
        with pytest.raises(AccountPaused):
            await world.send()


async def test_where_all_fail_the_word_of_one_tells_more_than_the_silence_of_others() -> None:
    async with net({"RCPT": b"450 4.2.0 greylisted\r\n"}, None) as world:
        with pytest.raises(TemporaryFailure) as caught:
            await world.send()
    assert caught.value.code == "450"
    assert "450 4.2.0 greylisted; no connection to mx2.send.test" in caught.value.reason


async def test_an_exchanger_without_a_word_costs_half_of_the_time_and_all_of_them_no_more_than_it() -> None:
    silent: Script = {"HELLO": b""}
    async with net(silent, {}) as world:
        begin = asyncio.get_running_loop().time()
        await world.send(begun_within=0.8)
        assert asyncio.get_running_loop().time() - begin < 0.8
    async with net(silent, silent) as world:
        begin = asyncio.get_running_loop().time()
        with pytest.raises(NotSent, match="too long"):
            await world.send(begun_within=0.8)
        assert asyncio.get_running_loop().time() - begin < 1.2


async def test_a_dead_exchanger_is_known_at_once() -> None:
    async with net(None, None) as world:
        begin = asyncio.get_running_loop().time()
        with pytest.raises(NotSent, match=r"no connection to mx1\.send\.test:1; no connection to mx2\.send\.test:1"):
            await world.send()
        assert asyncio.get_running_loop().time() - begin < 0.5


@pytest.mark.parametrize("mx", [["0 ."], "SERVFAIL"])
async def test_what_dns_says_is_about_this_way_out_and_the_mail_may_still_leave_by_another(mx: Any) -> None:
    async with net({}, zone={"send.test MX": mx, "send.test A": ["127.0.0.2"]}) as world:
        with pytest.raises(NotSent):
            await world.send()
        assert world.hosts[0].commands == []


async def test_recipients_of_two_domains_are_no_mail_for_exchangers() -> None:
    async with net({}) as world:
        with pytest.raises(PermanentFailure):
            await world.relay().send("", ("a@send.test", "b@other.test"), MAIL)


# TLS


@dataclass
class Inbox:
    """What a server with TLS took."""

    tls: list[bool] = field(default_factory=list)

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:
        self.tls.append(session.ssl is not None)
        return "250 taken"


@asynccontextmanager
async def with_certificates(*names: str) -> AsyncIterator[tuple[Net, list[Inbox], ssl.SSLContext]]:
    """One server for each name, which its certificate carries; "" has no TLS."""
    authority, loop = trustme.CA(), asyncio.get_running_loop()
    trusting = ssl.create_default_context()
    authority.configure_trust(trusting)
    inboxes, port = [Inbox() for _ in names], 0
    async with AsyncExitStack() as stack:
        for number, (name, inbox) in enumerate(zip(names, inboxes, strict=True)):
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER) if name else None
            if context is not None:
                authority.issue_cert(name).configure_cert(context)

            def session(inbox: Inbox = inbox, context: ssl.SSLContext | None = context) -> SMTP:
                return SMTP(inbox, hostname="mx.test", loop=loop, tls_context=context)

            server = await loop.create_server(session, f"127.0.0.{2 + number}", port)
            stack.callback(server.close)
            port = server.sockets[0].getsockname()[1]
        dns = await stack.enter_async_context(name_server(ZONE))
        yield Net(port, [], Exchangers(resolver=dns.resolver, port=port)), inboxes, trusting


async def test_T02_required_tls_is_that_of_the_exchanger_s_own_name() -> None:
    async with with_certificates("mx1.send.test") as (world, inboxes, trusting):
        await world.send(tls="required", trust=trusting)
    assert inboxes[0].tls == [True]


@pytest.mark.parametrize("first", ["send.test", "mx2.send.test", "127.0.0.2", ""])
async def test_T36_an_exchanger_with_another_name_or_no_tls_gets_no_mail_and_the_next_may(first: str) -> None:
    async with with_certificates(first, "mx2.send.test") as (world, inboxes, trusting):
        await world.send(tls="required", trust=trusting)
    assert [inbox.tls for inbox in inboxes] == [[], [True]]


@pytest.mark.parametrize("names", [("", ""), ("other.test", "other.test")])
async def test_T36_where_no_exchanger_has_tls_that_holds_nothing_leaves(names: tuple[str, str]) -> None:
    async with with_certificates(*names) as (world, inboxes, trusting):
        with pytest.raises(NotSent, match=r"mx1\.send\.test.*mx2\.send\.test"):
            await world.send(tls="required", trust=trusting)
    assert [inbox.tls for inbox in inboxes] == [[], []]


async def test_opportunistic_tls_is_never_less_than_the_exchanger_offers() -> None:
    async with with_certificates("other.test", "") as (world, inboxes, trusting):
        await world.send(tls="opportunistic", trust=trusting)
    assert [inbox.tls for inbox in inboxes] == [[], [False]]
