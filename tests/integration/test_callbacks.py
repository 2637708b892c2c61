"""What providers post to us, over real sockets into a real store."""

from __future__ import annotations

import random
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from bridge.dispatch.decide import bound
from bridge.errors import StoreUnavailable
from bridge.model import Receipt
from bridge.store.engine import Store
from tests.integration.web_house import AIGUL, NUMBER, PATH, House, sms, status, web_house

pytestmark = pytest.mark.anyio


@pytest.fixture
async def house(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[House]:
    async with web_house(tmp_path, monkeypatch) as house:
        yield house


async def state(house: House) -> list[tuple[Any, ...]]:
    """Everything that a callback could change."""
    tables = {
        "messages": "id, state, reason, cost, due_at",
        "receipts": "event_key, message_id, state",
        "replies": "event_key, phone, text",
        "journal": "kind, message_id",
        "incidents": "id, state, acked_by",
        "outgoing_mails": "id",
    }
    queries = [f"SELECT {columns} FROM {table}" for table, columns in tables.items()]  # noqa: S608 - names of ours
    return [row for query in queries for row in await house.raw(query)]


async def test_a_signed_status_moves_the_message_and_is_answered_ok_after_the_commit(house: House) -> None:
    await house.mail()
    (client_id,) = await house.hand_over()
    assert await house.post(status(client_id, AIGUL, "1")) == 200
    assert house.said == "OK"
    assert await house.raw("SELECT state FROM messages") == [("DELIVERED",)]
    assert house.counted == [("smsc", "receipt")]


async def test_an_inbound_sms_is_kept_once_and_waits_to_be_read(house: House) -> None:
    await house.mail()
    assert await house.post(sms(AIGUL, "10 ок")) == 200
    assert await house.raw('SELECT phone, "to", text, state FROM replies') == [
        (AIGUL, NUMBER.lstrip("+"), "10 ок", "RECEIVED")
    ]


async def test_a_call_is_kept_as_a_call(house: House) -> None:
    assert await house.post(sms(AIGUL, "[CALL]")) == 200
    assert await house.raw("SELECT kind, text FROM replies") == [("call", "")]


async def test_an_id_of_nobody_is_answered_200_and_changes_no_message(house: House) -> None:
    await house.mail()
    (client_id,) = await house.hand_over()
    assert await house.post(status("999", AIGUL, "1")) == 200
    assert await house.post(status(client_id, "+77019999999", "1")) == 200, "the pair must be ours"
    assert await house.raw("SELECT state FROM messages") == [("ACCEPTED",)]


async def test_T24_forged_and_changed_posts_change_nothing(house: House) -> None:
    await house.mail()
    (client_id,) = await house.hand_over()
    true = [status(client_id, AIGUL, "1"), sms(AIGUL, "10 ok"), status(client_id, AIGUL, "20")]
    before = await state(house)
    rng = random.Random(24)
    answers = {await house.post(changed(rng, rng.choice(true))) for _ in range(5000)}
    assert answers == {403}, answers
    assert len(house.counted) == 5000
    assert await state(house) == before
    assert {outcome for _, outcome in house.counted} <= {"forged", "malformed"}


def changed(rng: random.Random, form: dict[str, str]) -> dict[str, str]:
    """One post with something signed changed, left out, moved over a border, or signed with another secret."""
    form = dict(form)
    signed = [name for name in form if name in ("id", "phone", "status", "mes", "to", "sha1")]
    match rng.randrange(6):
        case 0:
            del form["sha1"]
        case 1:
            name = rng.choice(signed)
            place = rng.randrange(len(form[name]))
            old = form[name][place]
            new = rng.choice([c for c in "0123456789abcdef:" if c.lower() != old.lower()])
            form[name] = form[name][:place] + new + form[name][place + 1 :]
        case 2:
            forged = status(form.get("id", "1"), form["phone"], form.get("status", "1"), f"guess{rng.random()}")
            form |= {name: value for name, value in forged.items() if name == "sha1"}
        case 3:
            form["crc32"] = str(rng.getrandbits(32))
            del form["sha1"]
        case 4:
            form["waitcall" if "mes" in form else "mes"] = "12 ok"
        case _:
            form["phone"] = form["phone"] + ":" + form.get("status", "1")
    return form


async def test_T25_every_captured_call_a_hundred_times_in_any_order_counts_once(house: House) -> None:
    await house.mail()
    (client_id,) = await house.hand_over()
    captured = [
        status(client_id, AIGUL, "0"), status(client_id, AIGUL, "1"), sms(AIGUL, "10 ok", id="5"), sms(AIGUL, "hello"),
    ] * 100  # fmt: skip
    random.Random(25).shuffle(captured)
    assert {await house.post(form) for form in captured} == {200}
    assert await house.raw("SELECT state FROM messages") == [("DELIVERED",)]
    assert await house.raw("SELECT COUNT(*) FROM replies") == [(2,)]
    assert await house.raw("SELECT COUNT(*) FROM journal WHERE kind = 'message.delivered'") == [(1,)]
    assert await house.raw("SELECT COUNT(*) FROM receipts") == [(2,)]


async def test_T25_a_late_earlier_status_does_not_overwrite_a_later_one(house: House) -> None:
    await house.mail()
    (client_id,) = await house.hand_over()
    for code in ("1", "0", "20", "3"):
        assert await house.post(status(client_id, AIGUL, code)) == 200
    assert await house.raw("SELECT state FROM messages") == [("DELIVERED",)]


async def test_T24_the_cost_in_a_post_is_never_believed(house: House) -> None:
    await house.mail()
    (client_id,) = await house.hand_over()
    assert await house.post(status(client_id, AIGUL, "1") | {"cost": "9999.00"}) == 200
    assert await house.raw("SELECT cost FROM messages") == [(None,)]


async def test_T24_a_wrong_path_is_nothing_and_only_posts_are_taken(house: House) -> None:
    assert await house.post(sms(AIGUL, "10 ok"), PATH[:-1]) == 404
    assert await house.post(sms(AIGUL, "10 ok"), PATH + "x") == 404
    assert (await house.get(f"/callbacks/smsc/{PATH}"))[0] == 405
    async with house.session.put(f"{house.url}/callbacks/smsc/{PATH}") as answer:
        assert answer.status == 405
    assert await house.raw("SELECT COUNT(*) FROM replies") == [(0,)]


async def test_T24_a_field_that_stands_there_twice_is_refused(house: House) -> None:
    form = sms(AIGUL, "10 ok")
    body = "&".join(f"{name}={value}" for name, value in form.items()).replace("10 ok", "10+ok") + "&mes=12+ok"
    assert await house.post(body.encode()) == 400
    assert await house.raw("SELECT COUNT(*) FROM replies") == [(0,)]


async def test_T37_a_body_over_64_kb_is_refused_said_or_unsaid(house: House) -> None:
    assert await house.post(b"mes=" + b"x" * 70_000) == 413

    async def drip() -> AsyncIterator[bytes]:
        for _ in range(20):
            yield b"x" * 8192

    async with house.session.post(f"{house.url}/callbacks/smsc/{PATH}", data=drip()) as answer:
        assert answer.status == 413
    assert house.counted == []


async def test_F10_while_the_store_is_away_the_provider_hears_503_and_may_post_again(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    await house.mail()
    (client_id,) = await house.hand_over()

    async def away(self: Store, operation: object) -> None:
        raise StoreUnavailable("locked")

    with monkeypatch.context() as context:
        context.setattr(Store, "write", away)
        assert await house.post(status(client_id, AIGUL, "1")) == 503
        assert await house.post(sms(AIGUL, "10 ok")) == 503
    assert await house.raw("SELECT state FROM messages") == [("ACCEPTED",)]
    assert await house.post(status(client_id, AIGUL, "1")) == 200
    assert await house.raw("SELECT state FROM messages") == [("DELIVERED",)]


async def test_F10_a_status_that_could_not_be_decided_is_not_kept_either(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    await house.mail()
    (client_id,) = await house.hand_over()

    def broken(happening: Receipt, *rest: object) -> None:
        raise RuntimeError("a mistake of ours")

    with monkeypatch.context() as context:
        context.setattr("bridge.web.callbacks.bound", lambda book, now: (bound(book, now)[0], broken))
        assert await house.post(status(client_id, AIGUL, "1")) == 500
    assert await house.raw("SELECT COUNT(*) FROM receipts") == [(0,)]
    assert await house.post(status(client_id, AIGUL, "1")) == 200
    assert await house.raw("SELECT state FROM messages") == [("DELIVERED",)]
