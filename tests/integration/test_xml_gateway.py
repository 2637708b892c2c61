"""``docs/how-to/new-gateway.md``, "A gateway that takes XML", word by word."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from bridge.book.loading import load_book
from bridge.errors import OutcomeUnknown
from bridge.providers.base import Request
from bridge.providers.build import gateways
from bridge.providers.http import HttpClient
from tests.integration.local_gateway import KEY, XmlGateway, xml_gateway
from tests.integration.test_new_gateway import FRAME, PAGE, PHONE, House, kept_store, message

TEXT = 'жарық жоқ </message><message to="7701"> & ]]> <!-- "x" \'y\''


def described(port: int) -> str:
    """The description as it stands on the page, at the address of the pretend provider."""
    section = PAGE.read_text(encoding="utf-8").partition("## A gateway that takes XML")[2].partition("\n## ")[0]
    block = "".join(re.findall(r"```yaml\n(.*?)```", section, re.S))
    return block.replace("https://xml.local.example", f"http://127.0.0.1:{port}").replace(
        "{credential: package}", "{env: PACKAGE}"
    )


@pytest.fixture
def house(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[House[XmlGateway]]:
    monkeypatch.setenv("PACKAGE", KEY)
    (tmp_path / "rules").mkdir()
    (tmp_path / "rules" / "10.yaml").write_text("rules: [{rule: all, to: aigul}]\n")
    with xml_gateway() as provider:
        (tmp_path / "config.yaml").write_text(FRAME.format(folder=tmp_path) + described(provider.port))
        kept_store(tmp_path)
        yield House(tmp_path, provider)


def test_check_finds_nothing_to_say(house: House[XmlGateway]) -> None:
    loaded = load_book(house.config)
    assert loaded.errors == ()
    assert [one for one in loaded.warnings if "providers.package" in one] == []


def test_T16_a_text_full_of_xml_arrives_as_it_is_written(
    house: House[XmlGateway], capsys: pytest.CaptureFixture[str]
) -> None:
    words = ("--via", "package", "--direct", "--wait", "--within", "10", "--yes", PHONE, TEXT)
    assert house.call("send", *words) == 0
    said = capsys.readouterr().out
    assert "taken by package, waiting for the receipt" in said
    assert re.search(r"delivered after [0-9.]+ s, 4\.50 KZT", said)
    ((number, sent),) = house.provider.taken.items()
    assert sent == {"id": number, "to": PHONE.lstrip("+"), "from": "ACME", "text": TEXT}
    kind, body = house.provider.requests[0]
    assert kind == "application/xml; charset=windows-1251"
    assert body.startswith(b"<?xml version='1.0' encoding='windows-1251'?>")
    assert "жары".encode("cp1251") + b"&#1179;" in body
    assert KEY not in said


@pytest.mark.parametrize(
    ("code", "exit_code", "word"), [("1", 75, "CANCELLED"), ("2", 75, "CANCELLED"), ("3", 1, "REJECTED")]
)
def test_send_says_what_the_codes_mean(
    house: House[XmlGateway], capsys: pytest.CaptureFixture[str], code: str, exit_code: int, word: str
) -> None:
    house.provider.mood = code
    assert house.call("send", "--via", "package", "--direct", "--json", PHONE, "hello") == exit_code
    assert json.loads(capsys.readouterr().out)["state"] == word
    assert house.provider.taken == {}


@pytest.mark.anyio
async def test_F07_a_lost_answer_is_repeated_by_its_id_and_paid_once(house: House[XmlGateway]) -> None:
    house.provider.mood = "cut"
    async with HttpClient() as http:
        door = gateways(load_book(house.config).require().config.providers, http)["package"]
        given = door.canonical(replace(message(), providers=("package",)), datetime.now(UTC))
        with pytest.raises(OutcomeUnknown):
            await door.submit(Request(given, "1234"))
        await door.submit(Request(given, "1234", repeat=True))
    assert door.doubt == "repeat"
    assert len(house.provider.taken) == 1
