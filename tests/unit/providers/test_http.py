"""The HTTP client against servers that misbehave: what left, what came back, how often it was asked."""

from __future__ import annotations

import asyncio
import socket
import ssl
from typing import Any
from urllib.parse import urlencode

import pytest
import trustme
from hypothesis import example, given
from hypothesis import strategies as st

from bridge.errors import ConfigError, NotSent, OutcomeUnknown
from bridge.providers.http import MOST_BYTES, HttpClient, check_url, encoded

pytestmark = pytest.mark.anyio

FORM = {"mes": "Сервер & co = 100%\n+7", "phones": "77010000001"}
LIKE = b"HTTP/1.1 200 OK\r\n"


async def test_posts_a_form_in_utf8_and_gives_the_whole_answer(http: HttpClient, wire: Any) -> None:
    async with wire.peer(wire.answer(b'{"id": 1}')) as peer:
        answer = await http.post(f"{peer.url}/sys/send.php", FORM, within=2)
    assert (answer.status, answer.body) == (200, b'{"id": 1}')
    assert peer.form() == FORM
    assert peer.heads[0].startswith(b"POST /sys/send.php HTTP/1.1\r\n")


async def test_keeps_the_connection_between_requests(http: HttpClient, wire: Any) -> None:
    async with wire.peer(wire.answer(b"{}")) as peer:
        await http.post(peer.url, FORM, within=2)
        await http.post(peer.url, FORM, within=2)
    assert (peer.connections, len(peer.bodies)) == (1, 2)


async def test_T36_a_closing_server_sees_a_paid_request_once(http: HttpClient, wire: Any) -> None:
    async with wire.peer(wire.answer(b"{}"), wire.raw(b"")) as peer:
        await http.post(peer.url, FORM, within=2)
        with pytest.raises(OutcomeUnknown, match="the connection broke"):
            await http.post(peer.url, FORM, within=2)
        await asyncio.sleep(0.1)
    assert len(peer.bodies) == 2  # the second request once, although it went over a kept connection


@pytest.mark.parametrize(
    ("behaviour", "why"),
    [
        ("closes", "the connection broke"),
        ("resets", "the connection broke"),
        ("half a head", "the connection broke"),
        ("half a body", "the connection broke"),
        ("reset in the body", "the connection broke"),
        ("garbage", "no HTTP"),
        ("huge head", "no HTTP"),
        ("too long", "longer than 64 kB"),
        ("too long, chunked", "longer than 64 kB"),
        ("silence", "in time"),
        ("drip", "in time"),
    ],
)
async def test_F07_whatever_comes_after_the_request_left_is_unknown_and_never_repeated(
    http: HttpClient, wire: Any, behaviour: str, why: str
) -> None:
    behave = {
        "closes": wire.raw(b""),
        "resets": wire.raw(b"", reset=True),
        "half a head": wire.raw(LIKE + b"Content-Le"),
        "half a body": wire.raw(LIKE + b'Content-Length: 20\r\n\r\n{"id":'),
        "reset in the body": wire.raw(LIKE + b'Content-Length: 20\r\n\r\n{"id":', reset=True),
        "garbage": wire.raw(b"\x00\xff\xfe{]]>not an answer\r\n\r\n"),
        "huge head": wire.raw(LIKE + b"X: " + b"y" * 100_000 + b"\r\n\r\n"),
        "too long": wire.answer(b" " * (MOST_BYTES + 1)),
        "too long, chunked": wire.raw(
            LIKE + b"Transfer-Encoding: chunked\r\n\r\n" + (b"8000\r\n" + b" " * 0x8000 + b"\r\n") * 5
        ),
        "silence": wire.silence,
        "drip": wire.drip(b'{"id": 1, "cnt": 1}', 0.1),
    }[behaviour]
    async with wire.peer(behave) as peer:
        with pytest.raises(OutcomeUnknown, match=why):
            await http.post(peer.url, FORM, within=0.5)
        await asyncio.sleep(0.05)
    assert len(peer.bodies) == 1


async def test_takes_an_answer_of_exactly_64_kB(http: HttpClient, wire: Any) -> None:
    async with wire.peer(wire.answer(b" " * MOST_BYTES)) as peer:
        assert len((await http.post(peer.url, FORM, within=5)).body) == MOST_BYTES


async def test_follows_no_redirect(http: HttpClient, wire: Any) -> None:
    async with wire.peer(wire.answer(b"{}")) as other:
        head = f"HTTP/1.1 307 Temporary Redirect\r\nLocation: {other.url}/\r\nContent-Length: 0\r\n\r\n"
        async with wire.peer(wire.raw(head.encode(), cut=False)) as peer:
            assert (await http.post(peer.url, FORM, within=2)).status == 307
    assert other.bodies == []


async def test_ignores_a_proxy_from_the_environment(
    http: HttpClient, wire: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with wire.peer(wire.answer(b"{}")) as proxy, wire.peer(wire.answer(b"{}")) as peer:
        monkeypatch.setenv("http_proxy", proxy.url)
        await http.post(peer.url, FORM, within=2)
    assert (len(proxy.bodies), len(peer.bodies)) == (0, 1)


async def test_never_unpacks_an_answer(http: HttpClient, wire: Any) -> None:
    import gzip

    packed = gzip.compress(b" " * 10_000_000)
    head = LIKE + b"Content-Encoding: gzip\r\nContent-Length: %d\r\n\r\n" % len(packed)
    async with wire.peer(wire.raw(head + packed, cut=False)) as peer:
        assert (await http.post(peer.url, FORM, within=5)).body == packed


async def test_a_refused_port_is_not_sent(http: HttpClient) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        with pytest.raises(NotSent, match=r"no connection to 127\.0\.0\.1"):
            await http.post(f"http://127.0.0.1:{taken.getsockname()[1]}/", FORM, within=2)


async def test_F06_an_unknown_name_is_not_sent(http: HttpClient) -> None:
    with pytest.raises(NotSent):
        await http.post("http://no-such-host.invalid/", FORM, within=5)


async def test_F07_a_port_that_never_answers_the_connection_is_not_sent() -> None:
    with socket.socket() as full:  # a backlog of none, filled: further SYNs are dropped
        full.bind(("127.0.0.1", 0))
        full.listen(0)
        port = full.getsockname()[1]
        fillers = [socket.socket() for _ in range(3)]
        for filler in fillers:
            filler.setblocking(False)
            filler.connect_ex(("127.0.0.1", port))
        async with HttpClient(connect=0.3) as client:
            with pytest.raises(NotSent, match="in time"):
                await client.post(f"http://127.0.0.1:{port}/", FORM, within=5)
        for filler in fillers:
            filler.close()


async def test_the_deadline_of_the_whole_call_is_not_sent_while_nothing_left() -> None:
    """The caller's seconds run out inside the TLS handshake: still nothing of the request left."""
    with socket.socket() as mute:
        mute.bind(("127.0.0.1", 0))
        mute.listen(5)
        async with HttpClient(connect=30) as client:
            with pytest.raises(NotSent, match="in time"):
                await client.post(f"https://127.0.0.1:{mute.getsockname()[1]}/", FORM, within=0.3)


async def test_T36_a_certificate_that_is_not_valid_gets_no_byte_of_the_request(wire: Any) -> None:
    authority, stranger = trustme.CA(), trustme.CA()
    serving = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    stranger.issue_cert("127.0.0.1").configure_cert(serving)
    trusting = ssl.create_default_context()
    authority.configure_trust(trusting)
    async with wire.peer(wire.answer(b"{}"), ssl=serving) as peer, HttpClient(tls=trusting) as client:
        with pytest.raises(NotSent, match=r"certificate of 127\.0\.0\.1 is not valid"):
            await client.post(f"https://127.0.0.1:{peer.port}/", FORM, within=5)
    assert peer.bodies == []


async def test_T36_a_certificate_for_another_name_gets_no_byte_of_the_request(wire: Any) -> None:
    authority = trustme.CA()
    serving = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("smsc.kz").configure_cert(serving)
    trusting = ssl.create_default_context()
    authority.configure_trust(trusting)
    async with wire.peer(wire.answer(b"{}"), ssl=serving) as peer, HttpClient(tls=trusting) as client:
        with pytest.raises(NotSent, match="certificate"):
            await client.post(f"https://127.0.0.1:{peer.port}/", FORM, within=5)
    assert peer.bodies == []


async def test_a_valid_certificate_is_enough(wire: Any) -> None:
    authority = trustme.CA()
    serving = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(serving)
    trusting = ssl.create_default_context()
    authority.configure_trust(trusting)
    async with wire.peer(wire.answer(b"{}"), ssl=serving) as peer, HttpClient(tls=trusting) as client:
        await client.post(f"https://127.0.0.1:{peer.port}/", FORM, within=5)
    assert len(peer.bodies) == 1


async def test_a_closed_client_opens_again(http: HttpClient, wire: Any) -> None:
    async with wire.peer(wire.answer(b"{}")) as peer:
        await http.post(peer.url, FORM, within=2)
        await http.close()
        await http.post(peer.url, FORM, within=2)
    assert peer.connections == 2


async def test_a_call_that_is_cancelled_stays_cancelled(http: HttpClient, wire: Any) -> None:
    async with wire.peer(wire.silence) as peer:
        call = asyncio.create_task(http.post(peer.url, FORM, within=10))
        await asyncio.sleep(0.1)
        call.cancel()
        with pytest.raises(asyncio.CancelledError):
            await call


@pytest.mark.parametrize("url", ["https://smsc.kz", "http://127.0.0.1:8025", "http://[::1]:1", "http://localhost"])
def test_T36_takes_https_and_this_machine(url: str) -> None:
    assert check_url(url, "providers.smsc.base_url", insecure=False) == url


@pytest.mark.parametrize(
    "url", ["http://smsc.kz", "http://10.0.0.1", "http://127.0.0.1.evil.kz", "http://localhost.kz"]
)
def test_T36_refuses_plain_http_beyond_this_machine_unless_it_was_said(url: str) -> None:
    with pytest.raises(ConfigError, match=r"providers.smsc.base_url: .*write https, or insecure: true"):
        check_url(url, "providers.smsc.base_url", insecure=False)
    assert check_url(url, "providers.smsc.base_url", insecure=True) == url


@given(st.dictionaries(st.text(max_size=8), st.text(max_size=40), max_size=6))
@example({"mes": "a b+c&d=e;f%20ё\n\ud800", "id": "12", "phones": "77010000001", "x~y_z.-": ""})
def test_T15_the_form_is_letter_by_letter_that_of_the_standard_library(form: dict[str, str]) -> None:
    assert encoded(form) == urlencode(form, encoding="utf-8", errors="replace")
