"""``docs/how-to/new-gateway.md``, followed word by word: what is described there sends, asks, and is called back."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Generic, TypeVar

import pytest

from bridge.book import RuleBook
from bridge.book.loading import load_book
from bridge.cli.main import run
from bridge.delivery.accounts import Accounts
from bridge.delivery.gateways import Gateways
from bridge.errors import AccountPaused, DeliveryError, OutcomeUnknown, PermanentFailure
from bridge.model import Message
from bridge.providers.base import Request
from bridge.providers.build import gateways
from bridge.providers.http import HttpClient
from bridge.store.engine import Store
from bridge.web.callbacks import Callbacks, handlers
from tests.integration.local_gateway import KEY, LocalGateway, local_gateway

PAGE = Path(__file__).parents[2] / "docs/how-to/new-gateway.md"
FRAME = """
listen: [{{door: smtp, address: "127.0.0.1:9", trust: 127.0.0.0/8}}, {{door: http, address: "127.0.0.1:10"}}]
domains: sms.example.kz
operator: {{mail: it@example.kz}}
outgoing_mail: {{relay: "smtp://127.0.0.1:9", from: sms@example.kz, tls: "off"}}
http: {{public_url: "https://sms.example.kz"}}
region: KZ
timezone: Asia/Almaty
store: "sqlite://{folder}/bridge.db"
people: {{aigul: {{phone: "+77010000001"}}}}
budgets: {{total: {{money: 2000 KZT/day}}}}
"""
Provider = TypeVar("Provider")
PHONE, PATH, WORD = "+77010000001", "a-long-random-path-of-ours", "canary-w0rd"


def described(port: int) -> str:
    """The pieces of the page, put together as they stand there, at the address of the pretend provider."""
    page = PAGE.read_text(encoding="utf-8").partition("## A gateway that takes GET alone")[0]
    blocks = re.findall(r"```yaml\n(.*?)```", page, re.S)
    whole = "".join(blocks).replace("https://api.local.example", f"http://127.0.0.1:{port}")
    return whole.replace("{credential: local}", "{env: LOCAL}").replace("{credential: local-", "{env: LOCAL_")


@dataclass
class House(Generic[Provider]):
    """A configuration with a provider behind it, and the command line in front."""

    folder: Path
    provider: Provider

    @property
    def config(self) -> Path:
        return self.folder / "config.yaml"

    @property
    def book(self) -> RuleBook:
        return load_book(self.config).require()

    def call(self, verb: str, *words: str) -> int:
        try:
            return run([verb, "-c", str(self.config), *words]) or 0
        except SystemExit as ended:
            return int(ended.code or 0)


@pytest.fixture
def house(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[House[LocalGateway]]:
    for name, value in (("LOCAL", KEY), ("LOCAL_path", PATH), ("LOCAL_key", WORD)):
        monkeypatch.setenv(name, value)
    (tmp_path / "rules").mkdir()
    (tmp_path / "rules" / "10.yaml").write_text("rules: [{rule: all, to: aigul}]\n")
    with local_gateway() as provider:
        (tmp_path / "config.yaml").write_text(FRAME.format(folder=tmp_path) + described(provider.port))
        kept_store(tmp_path)
        yield House(tmp_path, provider)


def kept_store(folder: Path) -> None:
    """An empty store, as ``run`` makes one."""

    async def make() -> None:
        store = Store(folder / "bridge.db")
        await store.open()
        store.close()

    asyncio.run(make())


def test_check_finds_nothing_to_say(house: House[LocalGateway]) -> None:
    loaded = load_book(house.config)
    assert loaded.errors == ()
    assert [one for one in loaded.warnings if "local" in one and "not built yet" not in one] == []


def test_send_prints_the_life_of_a_message_until_its_receipt(
    house: House[LocalGateway], capsys: pytest.CaptureFixture[str]
) -> None:
    words = ("--via", "local", "--direct", "--wait", "--within", "10", PHONE, "hello & more")
    assert house.call("send", *words) == 0
    said = capsys.readouterr().out
    assert "taken by local, waiting for the receipt" in said
    assert re.search(r"delivered after [0-9.]+ s, 4\.50 KZT", said)
    ((ref, sent),) = house.provider.taken.items()
    assert sent == {"to": "77010000001", "from": "ACME", "text": "hello & more", "ref": ref}
    assert KEY not in said + "".join(path for _, path in house.provider.requests)


@pytest.mark.parametrize(
    "code,exit_code,word", [("E10", 1, "REJECTED"), ("E21", 75, "CANCELLED"), ("E30", 75, "CANCELLED")]
)
def test_send_says_what_the_codes_mean(
    house: House[LocalGateway], capsys: pytest.CaptureFixture[str], code: str, exit_code: int, word: str
) -> None:
    house.provider.mood = code
    assert house.call("send", "--via", "local", "--direct", "--json", PHONE, "hello") == exit_code
    assert json.loads(capsys.readouterr().out)["state"] == word
    assert house.provider.taken == {}


def test_doctor_asks_for_the_balance(house: House[LocalGateway], capsys: pytest.CaptureFixture[str]) -> None:
    house.call("doctor")
    assert re.search(r"local\W+login fits, balance 95\.50 KZT", capsys.readouterr().out)


def message() -> Message:
    now = datetime.now(UTC)
    return Message(
        id=1, phone=PHONE, person="", text="12 CRIT db01", encoding="GSM-7", segments=1, price=None, currency="KZT",
        rule="all", message_class="critical", channel="sms", providers=("local",), originator="", answerable=False,
        created_at=now, due_at=now, valid_until=now, language="en",
    )  # fmt: skip


@pytest.mark.anyio
@pytest.mark.parametrize("mood", ["cut", "html"])
async def test_F07_a_lost_answer_is_repeated_by_its_id_and_paid_once(house: House[LocalGateway], mood: str) -> None:
    async with HttpClient() as http:
        door = gateways(house.book.config.providers, http)["local"]
        request = Request(door.canonical(message(), datetime.now(UTC)), "1234")
        house.provider.mood = mood
        with pytest.raises(OutcomeUnknown):
            await door.submit(request)
        assert door.doubt == "repeat"
        again = await door.submit(Request(request.canonical, "1234", repeat=True, heard=True, attempt=2))
        assert again.provider_id == ""
    assert list(house.provider.taken) == ["1234"]


@pytest.mark.anyio
@pytest.mark.parametrize("code,kind", [("E10", PermanentFailure), ("E21", AccountPaused), ("E99", DeliveryError)])
async def test_an_error_keeps_the_code_of_the_gateway(
    house: House[LocalGateway], code: str, kind: type[DeliveryError]
) -> None:
    house.provider.mood = code
    async with HttpClient() as http:
        door = gateways(house.book.config.providers, http)["local"]
        with pytest.raises(kind) as caught:
            await door.submit(Request(door.canonical(message(), datetime.now(UTC)), "1234"))
    assert caught.value.code == code
    assert KEY not in repr(caught.value)


@pytest.mark.anyio
async def test_what_phones_write_is_fetched_once(house: House[LocalGateway]) -> None:
    house.provider.inbox = [{"id": 5, "from": "77010000001", "body": "12 ок"}]
    store = Store(house.folder / "bridge.db")
    await store.open()
    try:
        async with HttpClient() as http:
            doors = Gateways(gateways(house.book.config.providers, http), lambda: datetime.now(UTC))
            accounts = Accounts(
                store, lambda: doors, dict, now=lambda: datetime.now(UTC), arrived=lambda: None
            )  # fmt: skip
            assert [await accounts.fetch(doors["local"]) for _ in range(2)] == [1, 0]
        assert ("GET", "/v1/inbox?after=5") in house.provider.requests
        found = await store.read(lambda tx: tx.raw("SELECT phone, text FROM replies"))
        assert found == [(PHONE, "12 ок")]
    finally:
        store.close()


@pytest.mark.anyio
async def test_T24_a_post_with_the_secret_moves_the_message_and_one_without_changes_nothing(
    house: House[LocalGateway],
) -> None:
    store = Store(house.folder / "bridge.db")
    await store.open()
    try:
        posts = await _after_sending(house, store)
        ref = next(iter(house.provider.taken))
        states: list[Any] = []
        for form in (
            {"key": "guessed", "ref": ref, "state": "failed"},
            {"key": WORD, "ref": "999", "state": "failed"},
            {"key": WORD, "ref": ref, "state": "queued"},
            {"key": WORD, "ref": ref, "state": "failed"},
            {"key": WORD, "ref": ref, "state": "failed"},
        ):
            answer = await posts(PATH, json.dumps(form).encode(), "application/json", {})
            (row,) = await store.read(lambda tx: tx.raw("SELECT state FROM messages"))
            states.append((answer.status, row[0]))
        assert states == [
            (403, "ACCEPTED"), (200, "ACCEPTED"), (400, "ACCEPTED"), (200, "UNDELIVERED"), (200, "UNDELIVERED"),
        ]  # fmt: skip
        assert (await posts("another-path", b"{}", "", {})).status == 404
    finally:
        store.close()


async def _after_sending(house: House[LocalGateway], store: Store) -> Callbacks:
    """One message was taken; what posts come to from now on."""
    house.provider.states = {}
    assert await asyncio.to_thread(house.call, "send", "--via", "local", "--direct", PHONE, "hello") == 0
    async with HttpClient() as http:
        accounts = {name: one.account for name, one in gateways(house.book.config.providers, http).items()}
    found = handlers(house.book.config, accounts)
    return Callbacks(store, lambda: house.book, found, lambda: datetime.now(UTC), lambda: None)
