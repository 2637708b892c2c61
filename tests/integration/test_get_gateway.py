"""``docs/how-to/new-gateway.md``, "A gateway that takes GET alone", word by word; the password stands in its URLs."""

from __future__ import annotations

import json
import logging
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from bridge.book.loading import load_book
from bridge.errors import DeliveryError, OutcomeUnknown
from bridge.providers.base import Request
from bridge.providers.build import gateways
from bridge.providers.http import HttpClient
from tests.integration.local_gateway import KEY, OldGateway, old_gateway
from tests.integration.test_new_gateway import FRAME, PAGE, PHONE, House, kept_store, message

TEXT = "жарық жоқ: 5 & more=1 #x"


def described(port: int) -> str:
    """The description as it stands on the page, at the address of the pretend provider."""
    section = PAGE.read_text(encoding="utf-8").partition("## A gateway that takes GET alone")[2].partition("\n## ")[0]
    block = "".join(re.findall(r"```yaml\n(.*?)```", section, re.S))
    return block.replace("https://old.local.example", f"http://127.0.0.1:{port}").replace(
        "{credential: old}", "{env: OLD}"
    )


@pytest.fixture
def house(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[House[OldGateway]]:
    monkeypatch.setenv("OLD", KEY)
    (tmp_path / "rules").mkdir()
    (tmp_path / "rules" / "10.yaml").write_text("rules: [{rule: all, to: aigul}]\n")
    with old_gateway() as provider:
        (tmp_path / "config.yaml").write_text(FRAME.format(folder=tmp_path) + described(provider.port))
        kept_store(tmp_path)
        yield House(tmp_path, provider)


def test_check_says_each_time_that_a_secret_stands_in_a_url_and_nothing_else(house: House[OldGateway]) -> None:
    loaded = load_book(house.config)
    assert loaded.errors == ()
    (said,) = [one for one in loaded.warnings if "providers.old" in one]
    assert "a secret in a URL is written into logs on the way" in said


def test_T29_send_prints_the_life_of_a_message_and_the_secret_in_its_url_is_nowhere(
    house: House[OldGateway], capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    words = ("--via", "old", "--direct", "--wait", "--within", "10", PHONE, TEXT)
    with caplog.at_level(logging.DEBUG):
        assert house.call("send", *words) == 0
    printed = "".join(capfd.readouterr())
    assert "taken by old, waiting for the receipt" in printed
    assert re.search(r"delivered after [0-9.]+ s", printed)
    assert house.provider.taken == [{"to": PHONE.lstrip("+"), "from": "ACME", "text": TEXT}]
    assert {method for method, _ in house.provider.requests} == {"GET"}
    assert all(KEY in path for _, path in house.provider.requests), "this is where it must stand"
    stored = b"".join(path.read_bytes() for path in house.folder.glob("bridge.db*"))
    assert KEY not in printed + caplog.text
    assert KEY.encode() not in stored


@pytest.mark.parametrize(
    ("code", "exit_code", "word"),
    [("1", 75, "CANCELLED"), ("2", 75, "CANCELLED"), ("3", 1, "REJECTED"), ("9", 75, "CANCELLED")],
)
def test_send_says_what_the_codes_mean(
    house: House[OldGateway], capsys: pytest.CaptureFixture[str], code: str, exit_code: int, word: str
) -> None:
    house.provider.mood = code
    assert house.call("send", "--via", "old", "--direct", "--json", PHONE, "hello") == exit_code
    assert json.loads(capsys.readouterr().out)["state"] == word
    assert house.provider.taken == []


def test_doctor_reads_the_balance_out_of_xml(house: House[OldGateway], capsys: pytest.CaptureFixture[str]) -> None:
    house.call("doctor")
    said = capsys.readouterr().out
    assert re.search(r"old\W+login fits, balance 95\.50 KZT", said)
    assert KEY not in said


@pytest.mark.anyio
@pytest.mark.parametrize("mood", ["cut", "html", "moved"])
async def test_T29_T36_a_lost_answer_or_a_redirect_is_unknown_asked_once_and_names_no_url(
    house: House[OldGateway], mood: str
) -> None:
    house.provider.mood, house.provider.moved = mood, mood == "moved"
    async with HttpClient() as http:
        door = gateways(load_book(house.config).require().config.providers, http)["old"]
        with pytest.raises(OutcomeUnknown) as caught:
            await door.submit(Request(door.canonical(message(), datetime.now(UTC)), "1234"))
    assert door.doubt == "hold"
    assert len(house.provider.requests) == 1, "HTTP libraries like to repeat a GET; this one costs money"
    assert not any(KEY in repr(one) for one in _chain(caught.value))


def test_T29_nobody_at_home_names_no_url_either(
    house: House[OldGateway], capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    written = house.config.read_text().replace(str(house.provider.port), "1")
    house.config.write_text(written)
    with caplog.at_level(logging.DEBUG):
        assert house.call("send", "--via", "old", "--direct", PHONE, "hello") == 75
    assert KEY not in "".join(capfd.readouterr()) + caplog.text


def _chain(error: DeliveryError) -> Iterator[BaseException]:
    """*error* with all that stands behind it in a traceback."""
    one: BaseException | None = error
    while one is not None:
        yield one
        one = one.__cause__ or one.__context__
