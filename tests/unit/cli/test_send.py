from __future__ import annotations

import asyncio
import io
import json
import socket
import threading
from collections.abc import Callable, Iterator
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest

from bridge.simulator.simulator import Simulator
from bridge.store import fates, waiting
from bridge.store.engine import Store

if TYPE_CHECKING:
    from conftest import House


@pytest.fixture
def listening(house: House) -> Iterator[None]:
    """Somebody answers where the bridge's door should be."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        house.write(port=server.getsockname()[1])
        yield


def _kept(house: House, number: int) -> Any:
    return house.store(lambda tx: waiting.message(tx, number))


@pytest.mark.usefixtures("listening")
def test_a_message_goes_into_the_store_of_the_running_bridge(house: House) -> None:
    done = house.call("send", "8 701 000 00 02", "hello")
    assert (done.code, done.out) == (0, "1 to +77010000002: kept, the bridge sends it now\n")
    kept = _kept(house, 1).message
    assert (kept.state, kept.person, kept.text, str(kept.price), kept.rule) == (
        "READY", "boris", "hello", "18.00", "(send)",
    )  # fmt: skip
    assert (
        json.loads(house.call("send", "Asel", "hello", "--class", "critical", "--json").out)["phone"] == "+77010000001"
    )


@pytest.mark.parametrize(
    "words,code,sentence",
    [
        (
            ["+447911123456", "x"],
            1,
            'SMS to +44 is not allowed ({config}:4 region). Write destinations: ["+7", "+44"].',
        ),
        (["aselle", "x"], 2, "'aselle' is no telephone number and no person. Did you mean asel?"),
        (["12", "x"], 2, "'12' is no telephone number and no person. Write +77011234567."),
        (["asel", " "], 2, "the text is empty."),
        (["asel", "x", "--via", "smcs"], 2, "no provider is called 'smcs'. Did you mean smsc?"),
        (["asel", "я" * 71], 2, "This sends 1 SMS of 2 segments (UCS-2), about 36.00 KZT. Say --yes to go on."),
        (["asel", "я" * 700], 2, "the text is longer than 10 segments (UCS-2). Send less of it."),
        (["asel", "x"], 75, "no bridge answers on 127.0.0.1:9. Start it: smsbridge run -c {config}, or say --direct."),
    ],
)
def test_what_may_not_be_sent_is_refused_with_the_remedy(
    house: House, words: list[str], code: int, sentence: str
) -> None:
    done = house.call("send", *words)
    assert (done.code, done.err) == (code, f"smsbridge send: {sentence.format(config=house.config)}\n")
    assert _kept(house, 1) is None


@pytest.mark.usefixtures("listening")
def test_the_text_may_come_from_standard_input_and_be_made_cheaper(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO("Диск полон\n"))
    assert house.call("send", "asel", "-", "--alphabet", "translit").code == 0
    assert _kept(house, 1).message.text == "Disk polon"


@pytest.mark.usefixtures("listening")
def test_T04_what_an_operator_types_takes_from_the_budgets_and_ends_with_them(house: House) -> None:
    house.config.write_text(house.config.read_text().replace("2000 KZT/day", "36 KZT/day, reserve_for_critical: 50%"))
    assert house.call("send", "asel", "one").code == 0
    refused = house.call("send", "asel", "two")
    assert (refused.code, refused.err) == (
        75, "smsbridge send: over budget total (36.00 KZT/day), see smsbridge money. Try again.\n",
    )  # fmt: skip
    assert house.call("send", "asel", "three", "--class", "critical").code == 0
    rows = house.store(lambda tx: tx.raw("SELECT budget, message_id, money, critical FROM spends ORDER BY message_id"))
    assert rows == [("total", 1, 180_000, 0), ("total", 2, 180_000, 1)]


@pytest.mark.usefixtures("listening")
def test_wait_tells_every_state_until_the_last(house: House) -> None:
    def bridge() -> None:
        asyncio.run(_play(house.db, ["taken", "delivered"]))

    thread = threading.Thread(target=bridge)
    thread.start()
    done = house.call("send", "asel", "hello", "--wait", "--within", "20")
    thread.join()
    assert done.code == 0
    assert done.out.splitlines()[0] == "1 to +77010000001: kept, waits for the bridge"
    assert "1 to +77010000001: taken by smsc, waiting for the receipt …" in done.out
    assert done.out.splitlines()[-1].startswith("1 to +77010000001: delivered after ")
    assert done.out.endswith("18.00 KZT\n")


@pytest.mark.usefixtures("listening")
def test_what_is_delivered_in_test_mode_reached_nobody(house: House) -> None:
    thread = threading.Thread(target=lambda: asyncio.run(_play(house.db, ["taken", "virtual"])))
    thread.start()
    done = house.call("send", "asel", "hello", "--wait", "--within", "20")
    thread.join()
    assert done.code == 1
    assert done.out.splitlines()[-1].endswith(", and no phone got it: virtual sending")


async def _play(path: Any, steps: list[str]) -> None:
    """What a running bridge would write, slowly enough to be seen."""
    states = {
        "taken": "UPDATE messages SET state = 'ACCEPTED', provider = 'smsc'",
        "virtual": "UPDATE messages SET state = 'DELIVERED', reason = 'virtual sending', ended_at = created_at + 10",
        "delivered": "UPDATE messages SET state = 'DELIVERED', ended_at = created_at + 5900000",
    }
    store = Store(path)
    await store.open()
    while await store.read(lambda tx: waiting.message(tx, 1)) is None:
        await asyncio.sleep(0.05)
    for step in steps:
        await asyncio.sleep(0.6)
        await store.write(lambda tx, step=step: tx.raw(states[step]))  # type: ignore[misc]
    store.close()


@pytest.mark.usefixtures("listening")
def test_wait_ends_when_nothing_more_is_heard(house: House) -> None:
    done = house.call("send", "asel", "hello", "--wait", "--within", "0.5")
    assert done.code == 75
    assert done.out.splitlines()[-1] == "1 to +77010000001: nothing more is known after 0 s (state READY)"


def test_direct_sends_without_a_bridge_and_writes_everything_down(
    house: House, provider: tuple[Simulator, int]
) -> None:
    simulator, port = provider
    house.write(url=f"http://127.0.0.1:{port}")
    waits = house.message("another one, which must not go")
    done = house.call("send", "asel", "hello", "--direct", "--wait", "--within", "20")
    assert done.code == 0, done.err
    assert done.out.splitlines()[-1].startswith("2 to +77010000001: delivered after ")
    assert [(one.phone, one.text) for one in simulator.messages()] == [("77010000001", "hello")]
    assert _kept(house, waits).message.state == "READY"
    assert _kept(house, 2).message.state == "ACCEPTED"
    (attempt,) = house.store(lambda tx: fates.look(tx, [2]))[0].attempts
    assert (attempt.state, attempt.provider) == ("ACCEPTED", "smsc")


def _refused(simulator: Simulator) -> None:
    simulator.set_faults({"smsc": {"all": {"refuse": 8}}})


def _dropped(simulator: Simulator) -> None:
    simulator.set_faults({"smsc": {"all": {"drop": "after"}}})


@pytest.mark.parametrize(
    "fault,code,state,said",
    [
        (_refused, 1, "REJECTED", "refused by smsc"),
        (_dropped, 75, "UNKNOWN", "smsc gave no answer; it may arrive. A bridge asks for it; do not send it again"),
    ],
)
def test_direct_says_what_did_not_work(
    house: House, provider: tuple[Simulator, int], fault: Callable[[Simulator], None], code: int, state: str, said: str
) -> None:
    simulator, port = provider
    house.write(url=f"http://127.0.0.1:{port}")
    fault(simulator)
    done = house.call("send", "asel", "hello", "--direct")
    assert done.code == code
    assert said in done.out
    assert _kept(house, 1).message.state == state


def test_direct_says_of_a_message_that_is_kept_until_it_is_paid_that_it_was_answered(
    house: House, provider: tuple[Simulator, int]
) -> None:
    simulator, port = provider
    keys = f'type: smsgate-get, base_url: "http://127.0.0.1:{port}", login: demo, sender: ACME'
    gate = f"{{{keys}, password: {{env: HOUSE_PASSWORD}}}}"
    house.config.write_text(house.config.read_text().replace("providers:\n", f"providers:\n  gate: {gate}\n"))
    simulator.air.accounts["demo"] = simulator.air.accounts["demo"].model_copy(update={"balance": Decimal(0)})
    done = house.call("send", "asel", "hello", "--direct", "--wait", "--via", "gate")
    said = "the account is empty, and the provider sends this message once it is paid. Do not send it again"
    assert (done.code, done.out.splitlines()[-1]) == (75, f"1 to +77010000001: gate: {said}")
    assert _kept(house, 1).message.state == "UNKNOWN"


def test_direct_waits_for_no_limit_and_says_which_one_it_is(house: House, provider: tuple[Simulator, int]) -> None:
    simulator, port = provider
    house.write(url=f"http://127.0.0.1:{port}")
    assert house.call("send", "asel", "hello", "--direct").code == 0
    waits = house.message("another one, which must not go")
    done = house.call("send", "asel", "hello", "--direct")
    assert done.code == 75
    assert "smsc: the same text went to this phone less than a minute ago" in done.out + done.err
    assert len(simulator.messages()) == 1
    assert _kept(house, waits).message.state == "READY"


def test_direct_to_nobody_leaves_nothing_that_a_bridge_would_send_later(house: House) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    house.write(url=f"http://127.0.0.1:{port}")
    done = house.call("send", "asel", "hello", "--direct")
    assert done.code == 75
    assert "not sent: no connection" in done.out
    assert _kept(house, 1).message.state == "CANCELLED"


def test_T30_direct_wants_the_secret_and_names_where_it_should_be(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("HOUSE_PASSWORD")
    done = house.call("send", "asel", "hello", "--direct")
    assert done.code == 78
    assert done.err == "providers.smsc.password: the environment variable HOUSE_PASSWORD is not set\n"
    assert _kept(house, 1) is None
