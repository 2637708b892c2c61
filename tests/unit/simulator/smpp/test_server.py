"""Connections of the SMPP door: who may say what, how fast, how long."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from bridge.simulator.settings import Account, SmppSwitches, Switches
from bridge.simulator.simulator import Simulator
from bridge.smpp import pdu
from bridge.smpp.bodies import Address, Bind, ShortMessage
from bridge.smpp.pdu import Frames, Pdu

pytestmark = pytest.mark.anyio

BIND = Bind("acme", "secret").encoded()


class Client:
    """Raw octets out, PDUs in."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader, self.writer = reader, writer
        self._frames, self._got = Frames(), list[Pdu]()

    async def ask(self, command: int, body: bytes = b"", number: int = 1) -> Pdu:
        self.writer.write(Pdu(command, number, body=body).encoded())
        return await self.next()

    async def next(self, within: float = 2) -> Pdu:
        async with asyncio.timeout(within):
            while not self._got:
                octets = await self._reader.read(4096)
                if not octets:
                    raise ConnectionError
                self._got += self._frames.feed(octets)
        return self._got.pop(0)


def submit(text: str = "disk full") -> bytes:
    to = Address("77010000001", 1, 1)
    return ShortMessage(Address("ACME", 5, 1), to, text.encode(), registered=1).encoded()


@asynccontextmanager
async def connected(smpp: SmppSwitches | None = None) -> AsyncIterator[tuple[Simulator, Any]]:
    account = Account(login="acme", password="secret", number="777")
    async with Simulator(accounts=(account,), switches=Switches(smpp=smpp or SmppSwitches())) as simulator:
        port = await simulator.listen_for_smpp("127.0.0.1", 0)

        async def connect() -> Client:
            return Client(*await asyncio.open_connection("127.0.0.1", port))

        yield simulator, connect


@pytest.mark.parametrize("command", [pdu.SUBMIT_SM, pdu.QUERY_SM])
async def test_nothing_is_taken_before_a_bind(command: int) -> None:
    async with connected() as (simulator, connect):
        client = await connect()
        assert (await client.ask(command, submit())).status == pdu.WRONG_STATE
        assert simulator.messages() == ()


async def test_a_receiver_may_not_send() -> None:
    async with connected() as (_simulator, connect):
        client = await connect()
        await client.ask(pdu.BIND_RECEIVER, BIND)
        assert (await client.ask(pdu.SUBMIT_SM, submit())).status == pdu.WRONG_STATE


async def test_a_connection_is_bound_once_and_a_login_not_too_often() -> None:
    async with connected(SmppSwitches(binds=1)) as (_simulator, connect):
        client, other = await connect(), await connect()
        assert (await client.ask(pdu.BIND_TRANSCEIVER, BIND)).status == 0
        assert (await client.ask(pdu.BIND_TRANSCEIVER, BIND)).status == pdu.ALREADY_BOUND
        assert (await other.ask(pdu.BIND_TRANSCEIVER, BIND)).status == pdu.BIND_FAILED


async def test_what_is_not_built_is_refused_by_its_number() -> None:
    async with connected() as (_simulator, connect):
        client = await connect()
        answer = await client.ask(pdu.SUBMIT_MULTI, b"", 77)
        assert (answer.command, answer.sequence, answer.status) == (pdu.GENERIC_NACK, 77, pdu.INVALID_COMMAND)


async def test_a_malformed_submit_is_refused_and_the_link_lives() -> None:
    async with connected() as (_simulator, connect):
        client = await connect()
        await client.ask(pdu.BIND_TRANSCEIVER, BIND)
        assert (await client.ask(pdu.SUBMIT_SM, b"\0\1")).status == pdu.INVALID_LENGTH
        assert (await client.ask(pdu.ENQUIRE_LINK)).status == 0


async def test_an_idle_connection_is_closed() -> None:
    async with connected(SmppSwitches(idle_seconds=0.1)) as (_simulator, connect):
        client = await connect()
        with pytest.raises(ConnectionError):
            await client.next()


async def test_more_submits_in_a_second_than_allowed_are_throttled() -> None:
    async with connected(SmppSwitches(a_second=3)) as (simulator, connect):
        client = await connect()
        await client.ask(pdu.BIND_TRANSCEIVER, BIND)
        answers = [await client.ask(pdu.SUBMIT_SM, submit(f"n {number}"), number) for number in range(1, 6)]
        assert [one.status for one in answers if one.command == 0x80000004].count(pdu.THROTTLED) == 2
        assert len(simulator.messages()) == 3


async def test_more_open_submits_than_the_window_are_throttled() -> None:
    async with connected(SmppSwitches(window=2)) as (simulator, connect):
        simulator.set_faults({"smsc-smpp": {"all": {"delay": 0.2, "receipts": "none"}}})
        client = await connect()
        await client.ask(pdu.BIND_TRANSCEIVER, BIND)
        for number in (1, 2, 3):
            client.writer.write(Pdu(pdu.SUBMIT_SM, number, body=submit(f"n {number}")).encoded())
        answers = [await client.next() for _ in range(3)]
        assert [(one.sequence, one.status) for one in answers] == [(3, pdu.THROTTLED), (1, 0), (2, 0)]


async def test_a_receipt_waits_for_somebody_who_takes_it_and_comes_until_it_is_acknowledged() -> None:
    async with connected(SmppSwitches(again_seconds=0.05)) as (_simulator, connect):
        sender = await connect()
        await sender.ask(pdu.BIND_TRANSMITTER, BIND)
        await sender.ask(pdu.SUBMIT_SM, submit())
        await asyncio.sleep(0.5)
        receiver = await connect()
        await receiver.ask(pdu.BIND_RECEIVER, BIND)
        first = await receiver.next()
        receiver.writer.write(first.answer(pdu.APPLICATION_BUSY, b"\0").encoded())
        again = await receiver.next()
        assert (first.command, first.body) == (pdu.DELIVER_SM, again.body)
        receiver.writer.write(again.answer(0, b"\0").encoded())
        with pytest.raises(TimeoutError):
            await receiver.next(0.3)


async def test_unbind_is_answered_and_ends_the_connection() -> None:
    async with connected() as (simulator, connect):
        client = await connect()
        await client.ask(pdu.BIND_TRANSCEIVER, BIND)
        assert (await client.ask(pdu.UNBIND)).command == 0x80000006
        with pytest.raises(ConnectionError):
            await client.next()
        async with asyncio.timeout(2):
            while simulator.smpp.bound:
                await asyncio.sleep(0.01)
