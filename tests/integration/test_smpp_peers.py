"""Somebody else's SMPP: npm's ``smpp`` as client of the simulator, and as server of our door.

Installed once, from the lock beside the scripts, into a folder of the virtual environment.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import shutil
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from bridge.config.secrets import SecretText
from bridge.providers.base import Arrival, Inbound, LinkedGateway, Report
from bridge.providers.smsc_smpp import SmscSmpp
from bridge.smpp import texts
from tests.integration.smpp_world import NUMBER, PASSWORD, PHONE, request_of, settings, smpp_world, until, wanted

pytestmark = pytest.mark.anyio

HERE = Path(__file__).with_name("smpp_peers")


@pytest.fixture(scope="module")
def peers() -> Path:
    """A folder with the scripts and what they need; made anew when any of them changes."""
    files = sorted(path for path in HERE.iterdir() if path.suffix in (".js", ".json"))
    digest = hashlib.sha256(b"".join(path.read_bytes() for path in files)).hexdigest()[:16]
    folder = Path(sys.prefix) / f"smpp-peers-{digest}"
    if not folder.exists():
        made = folder.with_suffix(".new")
        shutil.rmtree(made, ignore_errors=True)
        made.mkdir()
        for path in files:
            shutil.copy(path, made)
        command = ["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"]
        subprocess.run(command, cwd=made, check=True, timeout=50, stdin=subprocess.DEVNULL)
        made.rename(folder)
    return folder


class Peer:
    """A script: what it said so far, and a way to tell it something."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process
        self.said: list[dict[str, Any]] = []
        self._reading = asyncio.create_task(self._read())

    async def _read(self) -> None:
        assert self._process.stdout is not None
        while line := await self._process.stdout.readline():
            self.said.append(json.loads(line))

    def tell(self, what: object) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(what).encode() + b"\n")

    def all(self, what: str) -> list[dict[str, Any]]:
        return [one for one in self.said if one["what"] == what]

    async def heard(self, what: str, count: int = 1) -> list[dict[str, Any]]:
        await until(lambda: len(self.all(what)) >= count, 10)
        return self.all(what)


@asynccontextmanager
async def running(folder: Path, script: str, *arguments: str) -> AsyncIterator[Peer]:
    pipe = asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec(
        "node", script, *arguments, cwd=folder, stdin=pipe, stdout=pipe
    )  # fmt: skip
    peer = Peer(process)
    try:
        yield peer
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()
        await peer._reading


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
