"""Both answers to each question that the SMPP page leaves open, and what can go wrong at doors that send nothing."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from decimal import Decimal
from typing import Any

import pytest

from bridge.simulator.settings import Account, SmppSwitches, Switches
from bridge.simulator.simulator import Simulator
from bridge.smpp import pdu
from bridge.smpp.bodies import MESSAGE_PAYLOAD, Address, Bind, ShortMessage, c_octets
from bridge.smpp.parts import Place, numbered
from bridge.smpp.pdu import Frames, Pdu

pytestmark = pytest.mark.anyio


class Link:
    """One connection: octets out, PDUs in."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader, self.writer = reader, writer
        self._frames, self._got = Frames(), list[Pdu]()

    async def ask(self, command: int, body: bytes = b"", number: int = 1) -> Pdu:
        self.writer.write(Pdu(command, number, body=body).encoded())
        return await self.next()

    async def next(self) -> Pdu:
        async with asyncio.timeout(2):
            while not self._got:
                octets = await self.reader.read(4096)
                if not octets:
                    raise ConnectionError
                self._got += self._frames.feed(octets)
        return self._got.pop(0)

    async def bind(self, system_type: str = "", login: str = "acme", password: str = "secret") -> int:
        return (await self.ask(pdu.BIND_TRANSCEIVER, Bind(login, password, system_type).encoded())).status

    async def submit(self, octets: bytes = b"disk full", to: str = "77010000001", **fields: Any) -> Pdu:
        message = ShortMessage(Address("ACME", 5, 1), Address(to, 1, 1), octets, **fields)
        return await self.ask(pdu.SUBMIT_SM, message.encoded(), 2)


@asynccontextmanager
async def linked(**smpp: Any) -> AsyncIterator[tuple[Simulator, Link]]:
    account = Account(login="acme", password="secret", groups={"7": ("7010001", "7010002")}, balance=Decimal(100))
    long = Account(login="a-login-of-16-let", password="nine char")
    async with Simulator(accounts=(account, long), switches=Switches(smpp=SmppSwitches(**smpp))) as simulator:
        port = await simulator.listen_for_smpp("127.0.0.1", 0)
        link = Link(*await asyncio.open_connection("127.0.0.1", port))
        try:
            yield simulator, link
        finally:
            link.writer.close()


def texts(simulator: Simulator) -> list[str]:
    return [one.text for one in simulator.messages()]


@pytest.mark.parametrize(
    "system_type, iso, text", [("ISO", True, "50@home"), ("ISO", False, "50¡home"), ("", True, "50¡home")]
)
async def test_coding_0_after_a_bind_as_iso(system_type: str, iso: bool, text: str) -> None:
    async with linked(iso_system_type=iso) as (simulator, link):
        await link.bind(system_type)
        await link.submit(b"50@home")
        assert texts(simulator) == [text]


@pytest.mark.parametrize("reading, text", [("gsm", "50¡home"), ("latin-1", "50@home")])
async def test_the_standards_latin_1_may_be_read_as_gsm(reading: str, text: str) -> None:
    async with linked(coding_3=reading) as (simulator, link):
        await link.bind()
        await link.submit(b"50@home", coding=3)
        assert texts(simulator) == [text]
        assert simulator.messages()[0].request["data_coding"] == 3


@pytest.mark.parametrize("strict, name, word", [(False, pdu.OK, pdu.OK), (True, 0x0F, 0x0E)])
async def test_the_lengths_of_the_standard_may_be_insisted_on(strict: bool, name: int, word: int) -> None:
    async with linked(strict_lengths=strict) as (simulator, link):
        assert await link.bind(login="a-login-of-16-let", password="nine char") == name
    async with linked(strict_lengths=strict) as (simulator, link):
        simulator.air.accounts["acme"] = Account(login="acme", password="nine char")
        assert await link.bind(password="nine char") == word


@pytest.mark.parametrize("known, found", [(True, ["onetwo"]), (False, ["one", "two"])])
async def test_parts_by_tlv_may_be_texts_of_their_own(known: bool, found: list[str]) -> None:
    async with linked(sar_and_payload=known) as (simulator, link):
        await link.bind()
        for number, octets in ((1, b"one"), (2, b"two")):
            whole = ShortMessage(Address("ACME", 5, 1), Address("77010000001", 1, 1), octets)
            await link.ask(pdu.SUBMIT_SM, numbered(whole, Place(1, 2, number), "sar").encoded())
        assert texts(simulator) == found


@pytest.mark.parametrize("known, found", [(True, ["disk full"]), (False, [""])])
async def test_message_payload_may_be_unknown(known: bool, found: list[str]) -> None:
    async with linked(sar_and_payload=known) as (simulator, link):
        await link.bind()
        await link.submit(b"", tlvs=((MESSAGE_PAYLOAD, b"disk full"),))
        assert texts(simulator) == found


@pytest.mark.parametrize("to", ["G7", "7010001,7010002"])
@pytest.mark.parametrize("groups", [True, False])
async def test_T03_a_destination_may_be_several_phones(to: str, groups: bool) -> None:
    async with linked(groups=groups) as (simulator, link):
        await link.bind()
        answer = await link.submit(to=to)
        phones = [one.phone for one in simulator.messages()]
        assert phones == (["7010001", "7010002"] if groups else [])
        assert answer.status == (pdu.OK if groups else pdu.WRONG_DESTINATION)
        assert simulator.air.accounts["acme"].balance == (64 if groups else 100)


# faults where nothing is sent


def fault(simulator: Simulator, door: str, **what: Any) -> None:
    simulator.set_faults({"smsc-smpp": {"all": {"on": [door], **what}}})


ASKED = [("bind", pdu.BIND_TRANSCEIVER), ("status", pdu.QUERY_SM), ("link", pdu.ENQUIRE_LINK)]


async def question(link: Link, door: str, command: int) -> Pdu:
    bind = Bind("acme", "secret").encoded()
    if door != "bind":
        await link.ask(pdu.BIND_TRANSCEIVER, bind)
    body = {"bind": bind, "status": c_octets("1") + b"\0\0\0"}.get(door, b"")
    return await link.ask(command, body, 5)


@pytest.mark.parametrize("door, command", ASKED)
async def test_a_door_is_silent(door: str, command: int) -> None:
    async with linked() as (simulator, link):
        fault(simulator, door, silent=True)
        with pytest.raises(TimeoutError):
            await question(link, door, command)
        assert bool(simulator.smpp.bound) == (door != "bind")


@pytest.mark.parametrize("door, command", ASKED)
@pytest.mark.parametrize("how", [{"drop": "after"}, {"drop": "before"}, {"half": True}])
async def test_a_door_cuts_the_connection(door: str, command: int, how: dict[str, Any]) -> None:
    async with linked() as (simulator, link):
        fault(simulator, door, **how)
        with pytest.raises((ConnectionError, OSError)):
            await question(link, door, command)


@pytest.mark.parametrize("door, command", ASKED)
async def test_T37_a_door_answers_what_is_no_pdu(door: str, command: int) -> None:
    async with linked() as (simulator, link):
        fault(simulator, door, answer="garbage")
        with pytest.raises((pdu.Broken, TimeoutError)):
            await question(link, door, command)


@pytest.mark.parametrize("door, command", ASKED)
async def test_a_door_refuses(door: str, command: int) -> None:
    async with linked() as (simulator, link):
        fault(simulator, door, command_status=0x58)
        assert (await question(link, door, command)).status == 0x58


@pytest.mark.parametrize("how", [{"delay": 0.2}, {"drip": 0.02}])
@pytest.mark.parametrize("door, command", ASKED)
async def test_a_door_is_slow(door: str, command: int, how: dict[str, Any]) -> None:
    async with linked() as (simulator, link):
        fault(simulator, door, **how)
        started = asyncio.get_running_loop().time()
        answer = await question(link, door, command)
        assert answer.command == command | pdu.RESPONSE
        assert asyncio.get_running_loop().time() - started >= 0.2


async def test_nothing_falls_between_the_bytes_of_a_dripping_answer() -> None:
    async with linked() as (simulator, link):
        await link.bind()
        fault(simulator, "send", drip=0.01)
        message = ShortMessage(Address("ACME", 5, 1), Address("77010000001", 1, 1), b"x").encoded()
        link.writer.write(Pdu(pdu.SUBMIT_SM, 2, body=message).encoded() + Pdu(pdu.ENQUIRE_LINK, 3).encoded())
        assert [(await link.next()).sequence, (await link.next()).sequence] == [2, 3]


async def test_T37_an_answer_names_another_id() -> None:
    async with linked() as (simulator, link):
        await link.bind()
        fault(simulator, "send", answer="other id")
        assert (await link.submit()).body == b"424242\0"
        assert simulator.messages()[0].id != "424242"


async def test_a_receipt_may_come_before_the_answer() -> None:
    async with linked() as (simulator, link):
        simulator.air.switches = simulator.air.switches.model_copy(update={"operator_delay": 0, "delivery_delay": 0})
        await link.bind()
        fault(simulator, "send", delay=0.3)
        assert (await link.submit(registered=1)).command == pdu.DELIVER_SM
        assert (await link.next()).command == pdu.SUBMIT_SM | pdu.RESPONSE


@pytest.mark.parametrize(
    "fault, taken", [({}, 1), ({"silent": True}, 1), ({"silent": True, "take": False}, 0)], ids=str
)
async def test_goodbye_comes_behind_the_answer_or_instead_of_it(fault: dict[str, Any], taken: int) -> None:
    async with linked() as (simulator, link):
        await link.bind()
        simulator.set_faults({"smsc-smpp": {"all": {"unbind": True, **fault}}})
        first = await link.submit()
        if not fault:
            assert (first.command, first.status) == (pdu.SUBMIT_SM | pdu.RESPONSE, pdu.OK)
            first = await link.next()
        assert (first.command, first.body) == (pdu.UNBIND, b"")
        assert len(simulator.messages()) == taken


async def test_after_goodbye_nothing_is_delivered_and_what_was_sent_before_its_answer_is_still_served() -> None:
    async with linked() as (simulator, link):
        await link.bind()
        simulator.smpp.unbind()
        goodbye = await link.next()
        assert (await link.submit(registered=1)).status == pdu.OK
        assert simulator.smpp.bound == 0
        link.writer.write(goodbye.answer().encoded())
        assert (await link.submit(b"one more")).status == pdu.WRONG_STATE
        with pytest.raises(TimeoutError):  # its receipt waits for another connection
            await link.next()
        assert texts(simulator) == ["disk full"]


async def test_an_idle_connection_is_told_goodbye_where_switched_and_is_cut_when_it_stays() -> None:
    async with linked(idle_seconds=0.1, idle_unbind=True) as (_simulator, link):
        await link.bind()
        assert (await link.next()).command == pdu.UNBIND
        with pytest.raises(ConnectionError):
            await link.next()
