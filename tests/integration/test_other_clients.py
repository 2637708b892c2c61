"""The simulator serves clients that other people wrote, unchanged; what they had to be told stands beside each.

npm's ``node-smsc`` and curl over HTTPS; PyPI's ``smsc`` and ``smsc-client``, which know smsc.ru only, by a proxy;
PyPI's ``smpplib``, ``aiosmpplib`` and ``smpp34`` over SMPP (npm's ``smpp``: test_smpp_peers.py).
"""

from __future__ import annotations

import asyncio
import json
import re
import ssl
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import trustme

from bridge.simulator.app import create
from bridge.simulator.serve import running, served
from bridge.simulator.settings import Account, Limits, SmppSwitches, Switches
from bridge.simulator.simulator import Simulator
from tests.integration.other_clients import peer

pytestmark = pytest.mark.anyio

HERE = peer.HERE
NUMBER = "77770000000"
QUICK = Limits(status_lists_a_minute=100)
ACCOUNT = Account(login="demo", password="secret", apikey="APIKEY123", smpp_password="smpp-pw", number=NUMBER)
VECTORS = Path(__file__).parents[1] / "vectors"
LIBRARY = json.loads((VECTORS / "library_requests.json").read_text(encoding="utf-8"))["cases"]
CASCADE = json.loads((VECTORS / "smsgate.json").read_text(encoding="utf-8"))
MAILS = json.loads((VECTORS / "smtp_bodies.json").read_text(encoding="utf-8"))["good"]
LONG = (
    "Диск полон на сервере db-01: занято 95 %, осталось 12 ГБ. Проверьте /var/lib/postgresql и журналы. Ответьте: 12 ок"
)


@dataclass
class World:
    """The simulator with every door open; *ca* is the file of the authority that signed its certificate."""

    simulator: Simulator
    ca: Path
    https: int
    smpp: int
    smpps: int

    def texts(self) -> list[str]:
        return [one.text for one in self.simulator.messages()]


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    authority = trustme.CA()
    certificate = authority.issue_cert("smsc.ru", "smsc.kz", "*.smsc.kz", "gate.example", "localhost", "127.0.0.1")
    tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    certificate.configure_cert(tls)
    ca = tmp_path / "ca.pem"
    authority.cert_pem.write_to_path(ca)
    simulator = Simulator(
        accounts=(ACCOUNT,), switches=Switches(operator_delay=0.01, delivery_delay=0.02, limits=QUICK)
    )
    async with AsyncExitStack() as stack:
        https = await stack.enter_async_context(served(create(simulator), tls=tls))
        await stack.enter_async_context(running(simulator))
        smpp = await simulator.listen_for_smpp("127.0.0.1", 0)
        yield World(simulator, ca, https, smpp, await simulator.listen_for_smpp("127.0.0.1", 0, tls))


# HTTP


async def node_smsc(world: World) -> peer.Peer:
    """node-smsc, run to its end; it is told the address and whose certificates to believe."""
    address, trusting = f"https://localhost:{world.https}/sys/", {"NODE_EXTRA_CA_CERTS": str(world.ca)}
    script = ("node", "node_smsc.js", address, "demo", "secret")
    async with peer.running(*script, cwd=peer.npm_folder(HERE), environment=trusting) as client:
        assert await client.ended() == 0
    return client


async def test_node_smsc_sends_and_asks(world: World) -> None:
    world.simulator.reply("77010000001", "12 ок", NUMBER)
    client = await node_smsc(world)
    said = {one["what"]: one["answer"] for one in client.said}

    assert said["sent"] == {"id": said["sent"]["id"], "cnt": 1, "cost": "18.00", "balance": "982.00"}
    assert said["refused"] == {"error": "duplicate request, wait a minute", "error_code": 9}
    assert (said["one"]["status"], said["one"]["message"]) == (1, "Диск полон: 95% & +1")
    assert [one["status"] for one in said["list"]] == [1, -3]
    assert said["price"]["phones"][0]["mccmnc"] == "40101"
    assert said["balance"] == {"balance": "982.00", "currency": "KZT"}
    assert [(one["phone"], one["message"]) for one in said["answers"]] == [("77010000001", "12 ок")]
    assert said["history"] == []
    assert said["operator"]["operator"] == "Kcell"
    assert said["multipart"]["cnt"] == 1
    assert said["wrong"]["error_code"] == 2
    assert world.texts() == ["Диск полон: 95% & +1", "по частям"]


async def test_node_smsc_knows_an_empty_history_by_its_error(world: World) -> None:
    world.simulator.air.switches = world.simulator.air.switches.model_copy(update={"empty_history": "error"})
    client = await node_smsc(world)

    assert client.all("history") == [{"what": "history", "answer": []}]
    (asked,) = [one for one in world.simulator.air.exchanges if "get_messages" in one.target]
    assert json.loads(asked.answer or "")["error_code"] == 3


@asynccontextmanager
async def proxy(port: int) -> AsyncIterator[str]:
    """An HTTP proxy that leads https://smsc.ru to *port* here, and nothing else anywhere."""
    tasks: set[asyncio.Task[None]] = set()

    async def copy(source: asyncio.StreamReader, to: asyncio.StreamWriter) -> None:
        while octets := await source.read(65536):
            to.write(octets)
        to.close()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        if not head.startswith(b"CONNECT smsc.ru:443 "):
            writer.write(b"HTTP/1.1 403 Forbidden\r\n\r\n")
            writer.close()
            return
        there, onwards = await asyncio.open_connection("127.0.0.1", port)
        writer.write(b"HTTP/1.1 200 OK\r\n\r\n")
        tasks.update(asyncio.create_task(copy(*pair)) for pair in ((reader, onwards), (there, writer)))

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    try:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    finally:
        server.close()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def at_smsc_ru(world: World, which: str) -> dict[str, dict[str, Any]]:
    """What a client said that believes to talk to https://smsc.ru."""
    async with proxy(world.https) as address:
        environment = {"HTTPS_PROXY": address, "NO_PROXY": "", "REQUESTS_CA_BUNDLE": str(world.ca)}
        script = str(HERE / "http_clients.py")
        async with peer.running(peer.python(), script, which, environment=environment) as client:
            assert await client.ended() == 0
    return {one["what"]: one for one in client.said}


async def test_pypi_smsc_sends_and_asks(world: World) -> None:
    said = await at_smsc_ru(world, "smsc")

    assert (said["cost"]["count"], said["cost"]["cost"], said["cost"]["error"]) == (1, 18.0, None)
    assert (said["sent"]["count"], said["sent"]["cost"], said["sent"]["error"]) == (2, 36.0, None)
    assert said["flash"]["count"] == 1
    assert said["again"]["code"] == 9
    status = said["status"]
    assert (status["status"], status["name"]) == (1, "Доставлено")
    assert (status["id"], status["phone"], status["sender_id"]) == (said["sent"]["id"], "77010000001", "ACME")
    assert (status["mccmnc"], status["sms_cnt"], status["cost"]) == ("40101", 1, "18.00")
    assert status["last_date"].endswith("+03:00")
    assert said["balance"]["text"] == "<BalanceResponse balance=946.00 credit=0.00 currency=KZT>"
    assert said["wrong"]["code"] == 2
    text = "Ваш пароль: 123, не говорите никому; 50% & +1 #2"
    assert world.texts() == [text, text, "flash"]
    assert [one.channel for one in world.simulator.messages()] == ["sms", "sms", "flash"]


async def test_pypi_smsc_client_reads_text_answers_and_chooses_long_ids(world: World) -> None:
    said = await at_smsc_ru(world, "smsc-client")

    assert said["sent"] == {"what": "sent", "parts": "1 SMS", "id": "6f1ed002-ab5e-4f7a-9d5e-1c3a7d1f0001"}
    (message,) = world.simulator.messages()
    assert (message.text, message.id, message.sender) == ("disk full: 95%", said["sent"]["id"], "ACME")


# curl


async def curl(world: World, *arguments: str) -> str:
    """What curl prints; every name it asks for is led here, and no more is changed of the call."""
    here = ("--connect-to", f"::127.0.0.1:{world.https}", "--cacert", str(world.ca))
    process = await asyncio.create_subprocess_exec(
        "curl", "-sS", "--fail-with-body", "--max-time", "10", *here, *arguments, stdout=asyncio.subprocess.PIPE
    )
    said = (await process.communicate())[0].decode()
    assert process.returncode == 0, said
    return said


@pytest.mark.parametrize("case", LIBRARY, ids=[one["name"] for one in LIBRARY])
async def test_curl_makes_the_calls_of_the_page(world: World, case: dict[str, Any]) -> None:
    address, _, query = f"https://smsc.kz{case['target']}".partition("?")
    said = await curl(world, f"{address}?{query}")
    world.simulator.clear_messages()
    world.simulator.air.accounts["demo"] = ACCOUNT
    posted = await curl(world, address, "--data-raw", query)

    assert "-2" not in said
    assert re.sub(r"^\d+", "N", said) == re.sub(r"^\d+", "N", posted)


async def test_curl_meets_the_same_provider_at_every_host(world: World) -> None:
    call = LIBRARY[0]["target"]
    assert await curl(world, f"https://smsc.kz{call}") == "1,1,18.00,982.00"
    for host in ("www2", "www3", "www4", "www5"):
        assert await curl(world, f"https://{host}.smsc.kz{call}") == "0,-9"
    assert len(world.texts()) == 1


async def test_curl_posts_a_form_with_files_and_a_json_document(world: World) -> None:
    address, form = (
        "https://smsc.kz/sys/send.php",
        ("-F", "login=demo", "-F", "psw=secret", "-F", "fmt=1", "-F", "id=5"),
    )
    text = ("-F", "phones=77010000001", "-F", "mes=a file", "-F", "charset=utf-8", "-F", f"file0=@{world.ca}")
    assert await curl(world, address, "-H", "Expect:", *form, *text) == "5,1"
    document = json.dumps({"login": "demo", "psw": "secret", "phones": "77010000001", "mes": "диск", "id": "a-b.c"})
    kind = ("-H", "Content-Type: application/json", "-H", "Expect:")
    said = await curl(world, "https://smsc.kz/rest/send/", *kind, "-d", document)
    assert json.loads(said) == {"id": "a-b.c", "cnt": 1}
    assert world.texts() == ["a file", "диск"]


GETS = [one["url"] for one in CASCADE["get"] if "url" in one]


@pytest.mark.parametrize("url", [one for one in GETS if "login=" in one and "id_message" not in one])
async def test_curl_makes_the_calls_of_the_cascade_page(world: World, url: str) -> None:
    ids = (await curl(world, url)).split(",")

    assert all(id.isdecimal() for id in ids)
    asked = "https://gate.example/sendmessage.php?login=demo&password=secret&id_message="
    assert {await curl(world, asked + id) for id in ids} <= {"send", "deliver"}


async def test_curl_sends_json_with_the_headers_of_the_cascade_page(world: World) -> None:
    (document,) = [one["request"] for one in CASCADE["json"] if one["name"] == "send, mixed reply"]
    malformed = ("-H", "Content-Type: application/json", "-H", "charset=utf-8", "-H", "Expect:")
    said = json.loads(
        await curl(world, "https://gate.example/sendmessagejson.php", *malformed, "-d", json.dumps(document))
    )

    assert [type(one).__name__ for one in said["message"]] == ["list", "list", "dict"]
    assert world.texts() == ["hello", "second"]


async def test_curl_sends_the_php_librarys_mail(world: World, tmp_path: Path) -> None:
    port = await world.simulator.listen_for_mail("127.0.0.1", 0)
    for number, case in enumerate(one for one in MAILS if one["basis"] == "certain"):
        head = f"From: api@smsc.kz\r\nContent-Type: {case['content_type']}\r\n\r\n"
        mail = tmp_path / str(number)
        mail.write_bytes(head.encode() + bytes.fromhex(case["body_hex"]) + b"\r\n")
        envelope = ("--mail-from", "api@smsc.kz", "--mail-rcpt", "send@send.smsc.kz", "-T", str(mail))
        process = await asyncio.create_subprocess_exec("curl", "-sS", f"smtp://127.0.0.1:{port}", *envelope)
        assert await process.wait() == 0

    answers = [one.answer for one in world.simulator.air.exchanges]
    assert answers == [
        "OK - 1 SMS, ID - 1",
        "ERROR = 9 (duplicate request, wait a minute)",
        "OK - 2 SMS, ID - 2147483647",
        "OK - 1 SMS, ID - 1234",
        "OK - 2 SMS, ID - 5",
        "OK - 1 SMS, ID - 6",
    ]
    assert world.texts() == ["Ваш пароль: 123", "x", "x", "disk full", "Сбой узла", "Сбой узла", "tz"]


# SMPP


def argument(world: World, **more: Any) -> str:
    return json.dumps({"port": world.smpp, "login": "demo", "password": "smpp-pw", **more})


def python_client(name: str, argument: str) -> Any:
    return peer.running(peer.python(), str(HERE / f"{name}_client.py"), argument)


@pytest.mark.parametrize("secure", [False, True], ids=["in the clear", "TLS"])
async def test_smpplib_sends_parts_and_hears_back(world: World, secure: bool) -> None:
    how = {"port": world.smpps, "ca": str(world.ca)} if secure else {"ca": ""}
    async with python_client("smpplib", argument(world, text=LONG, deliveries=3, **how)) as client:
        receipts = await client.heard("delivered", 2)
        world.simulator.reply("77010000001", "12 ок", NUMBER)
        assert await client.ended() == 0
    ids = [one["id"] for one in client.all("sent")]

    assert sorted(one["id"] for one in receipts) == sorted(ids)
    assert {one["state"] for one in receipts} == {2}
    assert client.all("delivered")[2]["text"] == "12 ок"
    assert client.all("queried") == [{"what": "queried", "state": 2}]
    assert client.all("done") == [{"what": "done", "parts": 2}]
    assert [(one.text, len(one.parts), one.sender) for one in world.simulator.messages()] == [(LONG, 2, "ACME")]


async def test_smpplib_is_refused_with_a_wrong_password(world: World) -> None:
    wrong = argument(world, text="x", deliveries=0, ca="", password="wrong")
    async with python_client("smpplib", wrong) as client:
        assert await client.ended() == 0

    assert client.said == [{"what": "refused", "status": 0x0E}]


@pytest.mark.parametrize(
    ("esm_class", "payload"), [(0x40, False), (0, True)], ids=["header", "message_payload"]
)  # its third way, SAR, ends in an exception of its own
async def test_aiosmpplib_sends_a_long_text(world: World, esm_class: int, payload: bool) -> None:
    text = LONG + " — " + LONG
    how = {"text": text, "encoding": "ucs2", "esm_class": esm_class, "payload": payload}
    async with python_client("aiosmpplib", argument(world, **how)) as client:
        (answered,) = await client.heard("answered")
        (receipt, *_) = await client.heard("receipt")
        world.simulator.reply("77010000001", LONG, NUMBER)
        (inbound,) = await client.heard("inbound")

    assert (answered["status"], answered["log_id"]) == (0, "ours")
    assert (receipt["stat"], receipt["err"]) == ("DELIVRD", 0)
    assert inbound["text"] == LONG
    assert world.texts() == [text]


async def test_smpp34_sends_in_every_coding_and_hears_back(world: World) -> None:
    async with python_client("smpp34", argument(world)) as client:
        await client.heard("bound")
        client.tell({"octets": b"disk full".hex(), "data_coding": 0, "registered_delivery": 1})
        client.tell({"octets": "Größe".encode("latin-1").hex(), "data_coding": 4, "registered_delivery": 0})
        client.tell({"octets": "Диск".encode("utf-16-be").hex(), "data_coding": 8, "registered_delivery": 1})
        answers = await client.heard("answered", 3)
        receipts = await client.heard("delivered", 2)
        world.simulator.reply("77010000001", "12 ок", NUMBER)
        inbound = (await client.heard("delivered", 3))[2]

    assert [one["status"] for one in answers] == [0, 0, 0]
    assert sorted(one["id"] for one in receipts) == sorted((answers[0]["id"], answers[2]["id"]))
    assert {(one["state"], one["esm_class"]) for one in receipts} == {(2, 4)}
    assert bytes.fromhex(inbound["octets"]).decode("utf-16-be") == "12 ок"
    assert world.texts() == ["disk full", "Größe", "Диск"]


async def test_smpp34_sends_parts_by_tlv(world: World) -> None:
    def part(number: int, text: str) -> dict[str, Any]:
        place = [[0x020C, "002a"], [0x020E, "02"], [0x020F, f"{number:02}"]]
        return {"octets": text.encode("utf-16-be").hex(), "data_coding": 8, "tlvs": place}

    async with python_client("smpp34", argument(world)) as client:
        await client.heard("bound")
        client.tell(part(2, " — конец"))
        client.tell(part(1, "Начало"))
        answers = await client.heard("answered", 2)

    assert [one["status"] for one in answers] == [0, 0]
    assert [(one.text, len(one.parts)) for one in world.simulator.messages()] == [("Начало — конец", 2)]


async def test_smpp34_is_told_to_slow_down(world: World) -> None:
    slow = world.simulator.air.switches.model_copy(update={"smpp": SmppSwitches(a_second=1)})
    world.simulator.air.switches = slow
    async with python_client("smpp34", argument(world)) as client:
        await client.heard("bound")
        for text in ("one", "two"):
            client.tell({"octets": text.encode().hex(), "data_coding": 0})
        answers = await client.heard("answered", 2)

    assert [one["status"] for one in answers] == [0, 0x58]
    assert world.texts() == ["one"]
