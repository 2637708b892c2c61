"""What providers post to us, over real sockets into a real store."""

from __future__ import annotations

import asyncio
import hashlib
import json
import random
import secrets
import sqlite3
import time
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import closing
from datetime import datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlencode
from xml.sax.saxutils import escape

import pytest

from bridge.dispatch.decide import bound
from bridge.errors import ConfigError, StoreUnavailable
from bridge.model import Receipt
from bridge.store.engine import Store
from bridge.web.callbacks import handlers
from tests.integration.web_house import (
    ACCOUNT,
    AIGUL,
    CONFIG,
    IVAN,
    NOW,
    NUMBER,
    PATH,
    SECRET,
    House,
    book_in,
    sms,
    status,
    web_house,
)

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


async def test_an_id_of_nobody_is_answered_200_parked_and_changes_no_message(house: House) -> None:
    await house.mail()
    (client_id,) = await house.hand_over()
    before = await house.raw("SELECT id, state, reason FROM messages")
    assert await house.post(status("999", AIGUL, "1")) == 200
    assert await house.post(status(client_id, "+77019999999", "1")) == 200, "the pair must be ours"
    assert await house.raw("SELECT id, state, reason FROM messages") == before
    assert await house.raw("SELECT message_id, client_id, phone, state FROM receipts ORDER BY phone") == [
        (0, "999", AIGUL, "DELIVERED"), (0, client_id, "+77019999999", "DELIVERED"),
    ]  # fmt: skip
    assert {outcome for _, outcome in house.counted} == {"known"}


async def test_a_status_that_comes_before_the_answer_of_the_request_is_not_lost(house: House) -> None:
    await house.mail()
    (client_id,) = await house.hand_over("UNKNOWN")
    assert await house.post(status(client_id, AIGUL, "1")) == 200
    assert await house.raw("SELECT state FROM messages") == [("DELIVERED",)]


async def test_a_number_with_its_plus_is_the_one_without(house: House) -> None:
    await house.mail()
    (client_id,) = await house.hand_over()
    form = status(client_id, AIGUL, "1")
    total = hashlib.sha1(f"{client_id}:{AIGUL}:1:{SECRET}".encode(), usedforsecurity=False).hexdigest()
    assert await house.post(form | {"phone": AIGUL, "sha1": total}) == 200
    assert await house.post(form) == 200
    assert await house.raw("SELECT COUNT(*) FROM receipts") == [(1,)]
    assert await house.raw("SELECT state FROM messages") == [("DELIVERED",)]


async def test_T37_an_sms_with_letters_that_no_store_takes_is_kept_without_them(house: House) -> None:
    assert await house.post(sms(AIGUL, "10\x00 ok", id="5\x00")) == 200
    assert await house.raw("SELECT text FROM replies") == [("10 ok",)]


def waitcall(phone: str, at: datetime = NOW) -> dict[str, str]:
    """A call to a number that was given out, as smsc signs it."""
    digits, stamp = phone.lstrip("+"), str(int(at.timestamp()))
    total = hashlib.sha1(f"{digits}:{stamp}:{SECRET}".encode(), usedforsecurity=False).hexdigest()
    return {"phone": digits, "waitcall": "77770000001", "ts": stamp, "sha1": total}


@pytest.mark.parametrize("count", [4_000, pytest.param(100_000, marks=pytest.mark.proof)])
async def test_T24_forged_and_changed_posts_change_nothing(house: House, count: int) -> None:
    await house.mail()
    (client_id,) = await house.hand_over()
    true = [
        status(client_id, AIGUL, "1"), status(client_id, AIGUL, "20"), sms(AIGUL, "10 ok"), sms(AIGUL, "[CALL]"),
        waitcall(AIGUL),
    ]  # fmt: skip
    before = await state(house)
    chance = random.Random(24)

    async def forge(posts: int) -> Counter[int]:
        return Counter([await house.post(written(chance, changed(chance, chance.choice(true)))) for _ in range(posts)])

    answers = sum(await asyncio.gather(*(forge(count // 8) for _ in range(8))), Counter[int]())
    assert answers.keys() == {400, 403}, answers
    assert answers[403] > 0.9 * count
    assert len(house.counted) == count
    assert {outcome for _, outcome in house.counted} == {"forged", "malformed"}
    assert await state(house) == before


def changed(chance: random.Random, form: dict[str, str]) -> dict[str, str]:
    """One post with something signed changed, left out, moved over a border, or signed with another secret."""
    form = dict(form)
    signed = [name for name in form if name in ("id", "phone", "status", "mes", "to", "sha1")]
    match chance.randrange(7):
        case 0:
            del form["sha1"]
        case 1:
            name = chance.choice(signed)
            place = chance.randrange(len(form[name]))
            old = form[name][place]
            new = chance.choice([c for c in "0123456789abcdef:" if c.lower() != old.lower()])
            form[name] = form[name][:place] + new + form[name][place + 1 :]
        case 2:
            forged = status(form.get("id", "1"), form["phone"], form.get("status", "1"), f"guess{chance.random()}")
            form |= {name: value for name, value in forged.items() if name == "sha1"}
        case 3:
            form["crc32"] = str(chance.getrandbits(32))
            del form["sha1"]
        case 4:
            form["mes" if "waitcall" in form else "waitcall"] = "12 ok"  # another kind: another sum
            form.pop("waitcall" if form.get("mes") == "12 ok" else "to", None)
        case 5:
            form["phone"] = form["phone"] + ":" + form.get("status", "1")
        case _:  # the sum fits, the fields do not: what stood before a colon now stands behind it
            fields = [form.get(name, "") for name in ("id", "phone", "status")]
            ours = {"phone": fields[0], "mes": fields[1], "to": fields[2]} if form.get("id") else {}
            form = {**ours, "sha1": form["sha1"]}
    return form


def written(chance: random.Random, form: dict[str, str]) -> bytes:
    """The post in one of the forms in which the provider may post it."""
    match chance.randrange(3):
        case 0:
            return urlencode(form).encode()
        case 1:
            return json.dumps(form).encode()
        case _:
            return f"<r>{''.join(f'<{name}>{escape(value)}</{name}>' for name, value in form.items())}</r>".encode()


async def test_T25_every_captured_call_a_hundred_times_in_any_order_counts_once(house: House) -> None:
    await house.mail()
    (client_id,) = await house.hand_over()
    captured = [
        status(client_id, AIGUL, "0"), status(client_id, AIGUL, "1"), sms(AIGUL, "10 ok", id="5"), sms(AIGUL, "hello"),
        sms(IVAN, "[CALL]", id="6"), waitcall(AIGUL),
    ] * 100  # fmt: skip
    chance = random.Random(25)
    chance.shuffle(captured)
    assert {await house.post(written(chance, form)) for form in captured} == {200}
    assert await house.raw("SELECT state FROM messages") == [("DELIVERED",)]
    assert await house.raw("SELECT kind, phone FROM replies ORDER BY kind, phone") == [
        ("call", AIGUL), ("call", IVAN), ("sms", AIGUL), ("sms", AIGUL),
    ]  # fmt: skip
    assert await house.raw("SELECT COUNT(*) FROM journal WHERE kind = 'message.delivered'") == [(1,)]
    assert await house.raw("SELECT COUNT(*) FROM receipts") == [(2,)]
    kinds = Counter(outcome for _, outcome in house.counted)
    assert kinds == {"receipt": kinds["receipt"], "inbound": 4, "known": 600 - 4 - kinds["receipt"]}
    assert kinds["receipt"] in (1, 2), "an earlier state that comes late is kept and says nothing"


async def test_T25_a_captured_call_rings_when_it_rang_and_not_when_it_is_posted_again(house: House) -> None:
    assert await house.post(waitcall(AIGUL, NOW)) == 200
    house.later(hours=5)
    await house.store.write(lambda tx: tx.raw("DELETE FROM replies"))  # as if it had been forgotten by then
    assert await house.raw("SELECT kind FROM replies") == []
    assert await house.post(waitcall(AIGUL, NOW)) == 200
    assert await house.raw("SELECT kind, received_at FROM replies") == [("call", int(NOW.timestamp() * 1_000_000))]


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


async def test_F10_a_locked_database_is_503_within_the_provider_s_patience_and_nothing_is_lost(
    house: House, tmp_path: Path
) -> None:
    await house.mail()
    (client_id,) = await house.hand_over()
    begin = time.monotonic()
    with closing(sqlite3.connect(tmp_path / "bridge.db", isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        assert await house.post(status(client_id, AIGUL, "1")) == 503
        assert time.monotonic() - begin < 15
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


@pytest.mark.parametrize(
    ("path", "why"),
    [
        ("one-letter-too-few-is", r"callbacks\.path: is easily guessed"),
        ("a-long-path/with-a-slash", r"callbacks\.path: may hold"),
        ("длинная-случайная-дорожка", r"callbacks\.path: may hold"),
        ("a long random path of ours", r"callbacks\.path: may hold"),
    ],
)
async def test_T24_a_path_that_is_guessed_or_never_arrives_is_told_at_the_start(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, path: str, why: str
) -> None:
    for name, value in (("WEB_X", "x"), ("WEB_PATH", path), ("WEB_SECRET", SECRET)):
        monkeypatch.setenv(name, value)
    with pytest.raises(ConfigError, match=why) as caught:
        handlers(book_in(tmp_path).config, {"smsc": ACCOUNT})
    assert path not in str(caught.value)


async def test_T24_a_path_of_128_bits_in_letters_of_base64_is_long_enough(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = secrets.token_urlsafe(128 // 8)
    for name, value in (("WEB_X", "x"), ("WEB_PATH", path), ("WEB_SECRET", SECRET)):
        monkeypatch.setenv(name, value)
    assert [one.path.reveal() for one in handlers(book_in(tmp_path).config, {"smsc": ACCOUNT})] == [path]


async def test_T24_without_a_secret_no_handler_of_smsc_opens(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WEB_PATH", PATH)
    config = book_in(tmp_path, CONFIG).config
    settings = config.providers["smsc"]
    assert settings.callbacks is not None
    open_door = settings.model_copy(update={"callbacks": settings.callbacks.model_copy(update={"secret": None})})
    with pytest.raises(ConfigError, match=r"callbacks\.secret: is missing"):
        handlers(config.model_copy(update={"providers": {"smsc": open_door}}), {"smsc": ACCOUNT})
    with pytest.raises(ConfigError, match="secret is missing"):
        book_in(tmp_path, CONFIG.replace(", secret: {env: WEB_SECRET}", ""))
