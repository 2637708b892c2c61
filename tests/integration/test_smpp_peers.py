"""Somebody else's SMPP: npm's ``smpp`` as client of the simulator and server of our door, PyPI's ``smpp34`` as server.

``other_clients.peer`` says where it is installed.
"""

from __future__ import annotations

import socket
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path

import pytest

from bridge.config.secrets import SecretText
from bridge.providers.base import Arrival, Inbound, LinkedGateway, Report
from bridge.providers.smsc_smpp import SmscSmpp
from bridge.smpp import texts
from tests.integration.other_clients import peer
from tests.integration.other_clients.peer import Peer
from tests.integration.smpp_world import NUMBER, PASSWORD, PHONE, request_of, settings, smpp_world, wanted

pytestmark = pytest.mark.anyio

HERE = Path(__file__).with_name("smpp_peers")


@pytest.fixture(scope="module")
def peers() -> Path:
    return peer.npm_folder(HERE)


def running(folder: Path, script: str, *arguments: str) -> AbstractAsyncContextManager[Peer]:
    return peer.running("node", script, *arguments, cwd=folder)


# The simulator serves a client that somebody else wrote


async def test_a_foreign_client_sends_asks_and_hears_back(peers: Path) -> None:
    async with smpp_world() as world:
        await world.gateway.close()
        async with running(peers, "client.js", str(world.port), "acme", PASSWORD) as client:
            assert await client.heard("bound") == [{"what": "bound", "status": 0}]
            submit = {"destination_addr": "77010000001", "source_addr": NUMBER, "registered_delivery": 1}
            client.tell({"submit": {**submit, "short_message": "disk full", "data_coding": 0}})
            (answered,) = await client.heard("answered")
            assert answered["status"] == 0
            (receipt,) = await client.heard("deliver")
            assert (receipt["esm_class"], receipt["id"], receipt["state"]) == (4, answered["id"], 2)
            assert f"id:{answered['id']} " in receipt["text"]
            client.tell({"what": "query", "id": answered["id"]})
            assert await client.heard("queried") == [{"what": "queried", "status": 0, "state": 2}]
            world.simulator.reply(PHONE, "12 ок", NUMBER)
            assert (await client.heard("deliver", 2))[1]["text"] == "12 ок"
            await client.heard("alive")
            client.tell({"what": "unbind"})
            await client.heard("unbound")
        assert [one.text for one in world.arrived] == ["disk full"]


async def test_parts_of_a_foreign_client_become_one_text(peers: Path) -> None:
    async with smpp_world() as world, running(peers, "client.js", str(world.port), "acme", PASSWORD) as client:
        await client.heard("bound")
        for number, text in ((2, " — конец"), (1, "Начало")):
            submit = {"destination_addr": "77010000001", "source_addr": "ACME", "source_addr_ton": 5, "esm_class": 64}
            part = {"short_message": text, "data_coding": 8, "udh": f"0500032a02{number:02}"}
            client.tell({"submit": {**submit, **part}})
        await client.heard("answered", 2)
        assert [(one.text, one.sender, len(one.parts)) for one in world.arrived] == [("Начало — конец", "ACME", 2)]


async def test_a_foreign_client_with_a_wrong_password_is_refused(peers: Path) -> None:
    async with smpp_world() as world, running(peers, "client.js", str(world.port), "acme", "wrong") as client:
        assert await client.heard("bound") == [{"what": "bound", "status": 0x0E}]


# Our door works with a server that somebody else wrote


@asynccontextmanager
async def at_server(folder: Path) -> AsyncIterator[tuple[Peer, SmscSmpp, list[Arrival]]]:
    async with running(folder, "server.js") as server:
        port = (await server.heard("listening"))[0]["port"]
        gateway = SmscSmpp("smpp", settings(port), SecretText(PASSWORD), wanted=wanted(port, enquire_after=0.2))
        kept: list[Arrival] = []

        async def keep(_gateway: LinkedGateway, arrival: Arrival) -> None:
            kept.append(arrival)

        await gateway.open(keep)
        try:
            yield server, gateway, kept
        finally:
            await gateway.close()


async def test_a_foreign_server_takes_our_texts_and_its_receipts_are_read(peers: Path) -> None:
    async with at_server(peers) as (server, gateway, kept):
        accepted = await gateway.submit(request_of(gateway, text="disk full at 50 €"))
        (submitted,) = await server.heard("submitted")
        assert (submitted["text"], submitted["to"], submitted["from"]) == ("disk full at 50 €", "77010000001", NUMBER)
        assert (submitted["coding"], submitted["registered"], submitted["udh"]) == (0, 1, "")
        assert await server.heard("acknowledged") == [{"what": "acknowledged", "status": 0}]
        (report,) = kept
        assert isinstance(report, Report)
        assert (report.provider_id, report.answer.state) == (accepted.provider_id, "DELIVERED")
        assert server.all("bound") == [{"what": "bound", "good": True, "version": 0x34}]


async def test_a_foreign_server_sees_parts_with_one_reference(peers: Path) -> None:
    async with at_server(peers) as (server, gateway, _kept):
        accepted = await gateway.submit(request_of(gateway, text="ж" * 150))
        submitted = await server.heard("submitted", 3)
        assert accepted.provider_id.split() == [one["id"] for one in submitted]
        assert "".join(one["text"] for one in submitted) == "ж" * 150
        headers = [bytes.fromhex(one["udh"]) for one in submitted]
        assert {header[-3] for header in headers} == {headers[0][-3]}
        assert [tuple(header[-2:]) for header in headers] == [(3, 1), (3, 2), (3, 3)]


async def test_a_busy_foreign_server_gets_it_again(peers: Path) -> None:
    async with at_server(peers) as (server, gateway, _kept):
        await gateway.submit(request_of(gateway, text="busy"))
        assert [one["text"] for one in await server.heard("submitted")] == ["busy"]


async def test_an_sms_from_a_foreign_server_is_read(peers: Path) -> None:
    async with at_server(peers) as (server, _gateway, kept):
        await server.heard("bound")
        server.tell({"source_addr": "77010000001", "destination_addr": NUMBER, "short_message": "12 ок"})
        await server.heard("acknowledged")
        assert [(one.phone, one.to, one.text) for one in kept if isinstance(one, Inbound)] == [(PHONE, NUMBER, "12 ок")]
        payload = texts.encode("13 ok", texts.GSM).decode("ascii")
        server.tell({"source_addr": "77010000001", "destination_addr": NUMBER, "message_payload": payload})
        await server.heard("acknowledged", 2)
        assert [one.text for one in kept if isinstance(one, Inbound)] == ["12 ок", "13 ok"]


async def test_we_say_goodbye_to_a_foreign_server(peers: Path) -> None:
    async with at_server(peers) as (server, gateway, _kept):
        await server.heard("bound")
        await gateway.close()
        await server.heard("unbound")


async def test_another_foreign_server_takes_our_texts_and_is_heard() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    kept: list[Arrival] = []

    async def keep(_gateway: LinkedGateway, arrival: Arrival) -> None:
        kept.append(arrival)

    script = str(peer.HERE / "smpp34_server.py")
    async with peer.running(peer.python(), script, str(port)) as server:
        await server.heard("listening")
        gateway = SmscSmpp("smpp", settings(port), SecretText(PASSWORD), wanted=wanted(port, enquire_after=0.2))
        await gateway.open(keep)
        accepted = await gateway.submit(request_of(gateway, text="disk full"))
        (submitted,) = await server.heard("submitted")
        assert [one["status"] for one in await server.heard("acknowledged", 2)] == [0, 0]
        await gateway.close()
        await server.heard("unbound")
    assert bytes.fromhex(submitted["octets"]) == b"disk full"
    assert [one.provider_id for one in kept if isinstance(one, Report)] == [accepted.provider_id] == [submitted["id"]]
    assert [(one.phone, one.text) for one in kept if isinstance(one, Inbound)] == [(PHONE, "12 ок")]
