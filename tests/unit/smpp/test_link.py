"""The link against a server that does exactly what a test says."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest

from bridge.errors import NotSent, OutcomeUnknown
from bridge.smpp import pdu
from bridge.smpp.bodies import Address, Bind, ShortMessage
from bridge.smpp.link import BindRefused, Link, Peer
from bridge.smpp.pdu import Frames, Pdu

pytestmark = pytest.mark.anyio

Behave = Callable[["Server", Pdu], None]
ARRIVES = ShortMessage(Address("77010000001", 1, 1), Address("777", 1, 1), b"12 ok").encoded()


class Server:
    """Answers everything, unless *behave* says otherwise by sending something itself and returning ``True``."""

    def __init__(self, behave: Callable[[Server, Pdu], bool | None]) -> None:
        self.behave = behave
        self.got: list[Pdu] = []
        self.writer: asyncio.StreamWriter

    def send(self, *pdus: Pdu) -> None:
        self.writer.write(b"".join(one.encoded() for one in pdus))

    async def __call__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.writer, frames = writer, Frames()
        with contextlib.suppress(ConnectionResetError):
            while octets := await reader.read(4096):
                for one in frames.feed(octets):
                    self.got.append(one)
                    if not self.behave(self, one) and not one.command & pdu.RESPONSE:
                        self.send(one.answer(body=b"4711\0" if one.command == pdu.SUBMIT_SM else b""))
        writer.close()

    def of(self, command: int) -> list[Pdu]:
        return [one for one in self.got if one.command == command]


def _refuses(server: Server, one: Pdu) -> bool:
    server.send(one.answer(0x0E))
    return True


async def kept(_message: ShortMessage) -> int:
    return 0


@asynccontextmanager
async def linked(
    behave: Callable[[Server, Pdu], bool | None] = lambda _server, _pdu: None, **options: Any
) -> AsyncIterator[tuple[Link, Server]]:
    server = Server(behave)
    listener = await asyncio.start_server(server, "127.0.0.1", 0)
    peer = Peer("127.0.0.1", listener.sockets[0].getsockname()[1], None)
    take = options.pop("take", kept)
    link = await Link.opened(peer, Bind("acme", "canary"), pdu.BIND_TRANSCEIVER, take, **options)
    try:
        yield link, server
    finally:
        link.cut("end of test")
        listener.close()


async def until(condition: Callable[[], object]) -> None:
    async with asyncio.timeout(5):
        while not condition():
            await asyncio.sleep(0.005)


async def test_an_answer_is_found_by_its_number_whatever_order_they_come_in() -> None:
    held: list[Pdu] = []

    def reversed_order(server: Server, one: Pdu) -> bool:
        if one.command != pdu.SUBMIT_SM:
            return False
        held.append(one)
        if len(held) == 3:
            server.send(*(each.answer(body=each.body + b"\0") for each in reversed(held)))
        return True

    async with linked(reversed_order) as (link, _server):
        answers = [link.begin(pdu.SUBMIT_SM, body) for body in (b"a", b"b", b"c")]
        assert [(await one).body for one in answers] == [b"a\0", b"b\0", b"c\0"]


async def test_requests_leave_in_the_order_they_were_begun() -> None:
    async with linked() as (link, server):
        await asyncio.gather(*[link.begin(pdu.SUBMIT_SM, bytes((number,))) for number in range(30)])
        assert [one.body[0] for one in server.of(pdu.SUBMIT_SM)] == list(range(30))


async def test_a_refused_bind_says_so() -> None:
    with pytest.raises(BindRefused) as caught:
        async with linked(_refuses):
            raise AssertionError("bound")
    assert caught.value.command_status == 0x0E


@pytest.mark.parametrize("how", ["silent", "cut", "garbage"])
async def test_F07_a_bind_without_an_answer_is_no_link(how: str) -> None:
    def behave(server: Server, _one: Pdu) -> bool:
        if how == "cut":
            server.writer.transport.abort()
        elif how == "garbage":
            server.writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        return True

    with pytest.raises(NotSent):
        async with linked(behave, within=0.3):
            raise AssertionError("bound")


async def test_a_request_on_a_dead_link_was_not_sent() -> None:
    async with linked() as (link, server):
        server.writer.transport.abort()
        await link.down()
        with pytest.raises(NotSent):
            await link.ask(pdu.SUBMIT_SM, b"", 1)
        assert server.of(pdu.SUBMIT_SM) == []


@pytest.mark.parametrize("how", ["cut", "garbage", "another command"])
async def test_F07_a_request_that_left_and_was_not_answered_is_unknown(how: str) -> None:
    def behave(server: Server, one: Pdu) -> bool:
        if one.command != pdu.SUBMIT_SM:
            return False
        if how == "cut":
            server.writer.transport.abort()
        elif how == "garbage":
            server.writer.write(b"\0\0\0\1" * 8)
        else:
            server.send(Pdu(0x80000003, one.sequence))
        return True

    async with linked(behave) as (link, _server):
        with pytest.raises(OutcomeUnknown):
            await link.ask(pdu.SUBMIT_SM, b"", 2)


async def test_a_cut_link_tells_everybody_who_waits() -> None:
    async with linked(lambda _server, one: one.command == pdu.SUBMIT_SM) as (link, server):
        answers = [link.begin(pdu.SUBMIT_SM, b"") for _ in range(3)]
        await until(lambda: len(server.of(pdu.SUBMIT_SM)) == 3)
        server.writer.transport.abort()
        assert all(isinstance(one, OutcomeUnknown) for one in await asyncio.gather(*answers, return_exceptions=True))


async def test_a_nack_is_a_refusal_and_never_a_yes() -> None:
    def behave(server: Server, one: Pdu) -> bool:
        if one.command == pdu.SUBMIT_SM:
            server.send(Pdu(pdu.GENERIC_NACK, one.sequence, 0))
        return one.command == pdu.SUBMIT_SM

    async with linked(behave) as (link, _server):
        assert (await link.ask(pdu.SUBMIT_SM, b"", 1)).status == pdu.SYSTEM_ERROR


async def test_an_answer_to_nothing_changes_nothing() -> None:
    def behave(server: Server, one: Pdu) -> bool:
        if one.command == pdu.SUBMIT_SM:
            server.send(Pdu(0x80000004, one.sequence + 99, body=b"no\0"))
        return False

    async with linked(behave) as (link, _server):
        assert (await link.ask(pdu.SUBMIT_SM, b"", 1)).body == b"4711\0"


async def test_F10_what_arrives_is_acknowledged_after_it_was_kept() -> None:
    order: list[str] = []

    async def take(message: ShortMessage) -> int:
        await asyncio.sleep(0.1)
        order.append(f"kept {message.octets.decode()}")
        return 0

    def behave(_server: Server, one: Pdu) -> bool:
        if one.command == pdu.DELIVER_SM | pdu.RESPONSE:
            order.append(f"acknowledged {one.status}")
        return False

    async with linked(behave, take=take) as (_link, server):
        server.send(Pdu(pdu.DELIVER_SM, 900, body=ARRIVES))
        await until(lambda: len(order) == 2)
    assert order == ["kept 12 ok", "acknowledged 0"]


async def test_F10_a_link_that_breaks_while_something_is_kept_acknowledges_nothing() -> None:
    begun = asyncio.Event()

    async def take(_message: ShortMessage) -> int:
        begun.set()
        await asyncio.sleep(30)
        return 0

    async with linked(take=take) as (link, server):
        server.send(Pdu(pdu.DELIVER_SM, 900, body=ARRIVES))
        await begun.wait()
        link.cut("test")
        await asyncio.sleep(0.05)
        assert server.of(pdu.DELIVER_SM | pdu.RESPONSE) == []


async def test_T37_an_unreadable_delivery_is_refused_for_good_and_the_link_lives_on() -> None:
    """Dropping the link would bring the same PDU again at the next bind, for ever."""
    complaints: list[str] = []
    async with linked(complain=complaints.append) as (link, server):
        server.send(Pdu(pdu.DELIVER_SM, 900, body=b"\0\1\1abc"))
        await until(lambda: server.of(0x80000005))
        assert [(one.sequence, one.status) for one in server.of(0x80000005)] == [(900, 0x65)]
        assert (await link.ask(pdu.SUBMIT_SM, b"", 1)).status == 0
    assert len(complaints) == 1


async def test_F15_more_than_can_be_kept_at_once_is_left_with_the_provider() -> None:
    release = asyncio.Event()

    async def take(_message: ShortMessage) -> int:
        await release.wait()
        return 0

    async with linked(take=take) as (link, server):
        server.send(*(Pdu(pdu.DELIVER_SM, 1000 + number, body=ARRIVES) for number in range(100)))
        await until(lambda: len(server.of(0x80000005)) == 36)
        assert {one.status for one in server.of(0x80000005)} == {pdu.QUEUE_FULL}
        assert (await link.ask(pdu.SUBMIT_SM, b"", 1)).status == 0
        release.set()
        await until(lambda: len(server.of(0x80000005)) == 100)


async def test_requests_of_the_peer_are_answered() -> None:
    async with linked() as (_link, server):
        server.send(Pdu(pdu.ENQUIRE_LINK, 5), Pdu(0x00000102, 6))
        await until(lambda: len(server.got) == 3)
        assert [(one.command, one.sequence, one.status) for one in server.got[1:]] == [
            (0x80000015, 5, 0),
            (pdu.GENERIC_NACK, 6, pdu.INVALID_COMMAND),
        ]


async def test_after_the_peer_s_unbind_answers_still_count_and_nothing_new_leaves() -> None:
    async with linked(lambda _server, one: one.command == pdu.SUBMIT_SM) as (link, server):
        under_way = link.begin(pdu.SUBMIT_SM, b"")
        await until(lambda: server.of(pdu.SUBMIT_SM))
        server.send(Pdu(pdu.UNBIND, 5))
        await until(lambda: server.of(0x80000006))
        with pytest.raises(NotSent):
            link.begin(pdu.SUBMIT_SM, b"")
        server.send(server.of(pdu.SUBMIT_SM)[0].answer(body=b"4711\0"))
        assert (await under_way).body == b"4711\0"


@pytest.mark.parametrize("owes", [False, True], ids=["owes nothing", "owes an answer"])
async def test_a_peer_that_unbinds_and_stays_is_left_soon(monkeypatch: pytest.MonkeyPatch, owes: bool) -> None:
    monkeypatch.setattr("bridge.smpp.link._ANSWERS_OWED", 0.2)
    monkeypatch.setattr("bridge.smpp.link._HANGS_UP", 0.05)
    async with linked(lambda _server, one: one.command == pdu.SUBMIT_SM) as (link, server):
        under_way = link.begin(pdu.SUBMIT_SM, b"") if owes else None
        await until(lambda: len(server.of(pdu.SUBMIT_SM)) == owes)
        server.send(Pdu(pdu.UNBIND, 5), Pdu(pdu.UNBIND, 6))
        async with asyncio.timeout(2):
            await link.down()
        assert link.why == "the peer said goodbye"
        assert [one.sequence for one in server.of(pdu.UNBIND | pdu.RESPONSE)] == [5, 6]
        if under_way is not None:
            with pytest.raises(OutcomeUnknown):
                await under_way


async def test_T37_a_peer_that_asks_and_does_not_read_is_left(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bridge.smpp.link._MOST_UNREAD", 4096)
    async with linked() as (link, server):
        server.writer.transport.pause_reading()  # type: ignore[attr-defined]
        asked = Pdu(0x00000102, 7).encoded() * 4096

        async def flood() -> None:
            while link.is_up:
                server.writer.write(asked)
                await server.writer.drain()

        async with asyncio.timeout(20):
            with contextlib.suppress(ConnectionError):
                await flood()
            await link.down()
        assert link.why == "the peer does not read"


@pytest.mark.parametrize("length", [0, 15, 65537, 0x7FFFFFFF, 0xFFFFFFFF])
async def test_T37_a_pdu_of_a_length_that_cannot_be_ends_the_link_at_once(length: int) -> None:
    async with linked() as (link, server):
        server.writer.write(length.to_bytes(4) + b"\0\0\0\5" + b"\0" * 8)
        async with asyncio.timeout(2):
            await link.down()
        assert link.why == f"no SMPP: a PDU of {length} octets"


async def test_a_peer_that_is_quiet_is_asked_and_one_that_does_not_answer_is_left(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("bridge.smpp.link._ENQUIRE_ANSWER", 0.1)
    quiet = False
    async with linked(lambda _server, one: quiet and one.command == pdu.ENQUIRE_LINK, enquire_after=0.05) as (
        link,
        server,
    ):
        await until(lambda: len(server.of(pdu.ENQUIRE_LINK)) >= 3)
        assert link.is_up
        quiet = True
        async with asyncio.timeout(2):
            await link.down()
        assert "does not answer" in link.why


async def test_closing_unbinds_and_waits_for_what_is_being_kept() -> None:
    done: list[str] = []

    async def take(_message: ShortMessage) -> int:
        await asyncio.sleep(0.1)
        done.append("kept")
        return 0

    async with linked(take=take) as (link, server):
        server.send(Pdu(pdu.DELIVER_SM, 900, body=ARRIVES))
        await asyncio.sleep(0.02)
        await link.close()
        assert done == ["kept"]
        assert len(server.of(pdu.UNBIND)) == 1
        assert not link.is_up


async def test_F19_a_peer_that_answers_nothing_does_not_hold_up_the_end() -> None:
    async with linked(lambda _server, one: one.command in (pdu.SUBMIT_SM, pdu.UNBIND)) as (link, server):
        under_way = link.begin(pdu.SUBMIT_SM, b"")
        begun = asyncio.get_running_loop().time()
        await link.close(0.4)
        assert asyncio.get_running_loop().time() - begun < 0.8
        assert len(server.of(pdu.UNBIND)) == 1
        with pytest.raises(OutcomeUnknown):
            await under_way


@pytest.mark.parametrize("host", ["smpp..example", "x" * 64 + ".example", "."])
async def test_a_name_that_nobody_can_look_up_is_no_link(host: str) -> None:
    with pytest.raises(NotSent):
        await Link.opened(Peer(host, 1, None), Bind("acme", "canary"), pdu.BIND_TRANSCEIVER, kept, within=2)


async def test_T29_no_password_is_in_a_peer_a_link_or_an_error() -> None:
    with pytest.raises(BindRefused) as caught:
        async with linked(_refuses):
            raise AssertionError("bound")
    assert "canary" not in f"{caught.value!r} {caught.value} {caught.value.__context__!r}"
