"""``smsbridge simulator`` as whoever starts it meets it: its options, doors, and every call of its page."""

from __future__ import annotations

import asyncio
import json
import re
import signal
import ssl
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp
import aiosmtplib
import pytest
import trustme
from click.testing import CliRunner
from pydantic import BaseModel

from bridge.cli.simulator import command
from bridge.simulator.faults import Fault
from bridge.simulator.settings import Limits, SmppSwitches, SmsgateSwitches, Switches

pytestmark = pytest.mark.anyio

PAGE = Path(__file__).parents[2] / "docs" / "reference" / "simulator.md"


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (["--smpp", "0.0.0.0:2775"], "--allow-remote"),
        (["--http", "0.0.0.0:8026"], "--allow-remote"),
        (["--smtp", "mail.example:25"], "--allow-remote"),
        (["--http", "8026"], "not HOST:PORT"),
    ],
)
async def test_the_verb_refuses_wrong_options(options: list[str], sentence: str) -> None:
    result = CliRunner().invoke(command, options)

    assert result.exit_code == 2
    assert sentence in result.output


@asynccontextmanager
async def verb(*options: str) -> AsyncIterator[tuple[asyncio.subprocess.Process, dict[str, str]]]:
    """``smsbridge simulator`` as a process; gives the addresses that it prints, by scheme."""
    code = "from bridge.cli.simulator import command; command()"
    process = await asyncio.create_subprocess_exec(sys.executable, "-c", code, *options, stdout=asyncio.subprocess.PIPE)
    assert process.stdout is not None
    found: dict[str, str] = {}
    try:
        async with asyncio.timeout(20):
            while len(found) < sum(option.startswith("--") and option not in ("--cert", "--key") for option in options):
                address = (await process.stdout.readline()).decode().split()[1]
                found[address.partition(":")[0]] = address.partition("/sys/")[0]
        yield process, found
    finally:
        if process.returncode is None:
            process.send_signal(signal.SIGTERM)
        await process.wait()


async def test_the_verb_serves_until_sigterm_and_exits_zero() -> None:
    async with verb("--http", "127.0.0.1:0", "--smtp", "127.0.0.1:0") as (process, found):
        async with aiohttp.ClientSession() as http, http.get(f"{found['http']}/sim/messages") as answer:
            assert await answer.json() == []
        assert found["smtp"].startswith("smtp://127.0.0.1:")
        process.send_signal(signal.SIGTERM)
        assert await process.wait() == 0


async def test_the_verb_opens_every_door_over_tls_too(tmp_path: Path) -> None:
    authority = trustme.CA()
    certificate = authority.issue_cert("127.0.0.1")
    certificate.private_key_and_cert_chain_pem.write_to_path(tmp_path / "both.pem")
    trusting = ssl.create_default_context()
    authority.configure_trust(trusting)
    doors = [f"--{name}" for name in ("http", "https", "smtp", "smpp", "smpps")]
    options = [part for door in doors for part in (door, "127.0.0.1:0")]
    async with verb(*options, "--cert", str(tmp_path / "both.pem")) as (_process, found):
        ports = {scheme: int(address.rpartition(":")[2]) for scheme, address in found.items()}
        assert set(ports) == {"http", "https", "smtp", "smpp", "smpps"}
        for scheme, tls in (("smpp", None), ("smpps", trusting)):
            reader, writer = await asyncio.open_connection("127.0.0.1", ports[scheme], ssl=tls)
            writer.write(bytes.fromhex("00000010000000150000000000000001"))  # enquire_link
            assert await reader.readexactly(16) == bytes.fromhex("00000010800000150000000000000001")
            writer.close()
        mail = b"Content-Type: text/plain\r\n\r\ndemo:secret:7:0:0,0,:77010000001:x"
        to = ["send@send.smsc.kz"]
        await aiosmtplib.send(
            mail, sender="a@b.c", recipients=to, hostname="127.0.0.1", port=ports["smtp"], start_tls=True,
            tls_context=trusting,
        )  # fmt: skip
        url = f"{found['https']}/sys/balance.php?login=demo&psw=secret"
        async with aiohttp.ClientSession() as http, http.get(url, ssl=trusting) as answer:
            assert await answer.text() == "982.00"


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (["--https", "127.0.0.1:0"], "--https, --smpps and --key want a --cert"),
        (["--smpps", "127.0.0.1:0"], "--https, --smpps and --key want a --cert"),
        (["--cert", __file__], "no certificate with its key"),
        (["--cert", "/nowhere.pem"], "does not exist"),
    ],
)
async def test_the_verb_refuses_tls_without_a_certificate(options: list[str], sentence: str) -> None:
    result = CliRunner().invoke(command, options)

    assert result.exit_code == 2
    assert sentence in result.output


CALLS = [
    line
    for block in re.findall(r"```sh\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    for line in block.splitlines()
]


async def test_every_call_of_the_reference_page_works() -> None:
    said = []
    async with verb("--http", "127.0.0.1:0", "--smtp", "127.0.0.1:0", "--smpp", "127.0.0.1:0") as (_process, found):
        for call in CALLS:
            here = call.replace("http://127.0.0.1:8026", found["http"]).replace("smtp://127.0.0.1:2526", found["smtp"])
            curl = here.replace("curl ", "curl -sS --fail-with-body --max-time 10 ")
            process = await asyncio.create_subprocess_shell(curl, stdout=asyncio.subprocess.PIPE)
            said.append((await process.communicate())[0].decode())
            assert process.returncode == 0, f"{call}: {said[-1]}"

    assert len(CALLS) == 19
    sent, status, more, messages, _, answers, cascade, state, state_xml, _, requests, *_ = said
    assert json.loads(sent) == {"id": 7, "cnt": 1, "cost": "18.00", "balance": "982.00"}
    assert json.loads(status)["message"] == "hello"
    assert json.loads(more)["cnt"] == 1
    assert [one["text"] for one in json.loads(messages)] == ["hello", "ещё"]
    assert [one["message"] for one in json.loads(answers)] == ["ok"]
    assert cascade == "1000123"
    assert json.loads(state)["state"][0]["id_message"] == "1000123"
    assert 'id_message="1000123"' in state_xml
    assert [one["door"] for one in json.loads(requests)][-1] == "mail"


@pytest.mark.parametrize("model", [Switches, SmppSwitches, SmsgateSwitches, Limits, Fault])
def test_every_switch_and_fault_stands_on_the_page(model: type[BaseModel]) -> None:
    page = PAGE.read_text(encoding="utf-8")

    assert [name for name in model.model_fields if f"`{name}`" not in page] == []
