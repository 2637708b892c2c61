"""wait_call.php and info.php: where a phone should ring, and whose number it is."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from bridge.errors import AccountPaused, DeliveryError, PermanentFailure, TemporaryFailure
from bridge.providers.base import CallNumber, Network
from bridge.providers.smsc_answers import parse_operator, parse_wait_call
from bridge.providers.smsc_callbacks import WaitCall
from bridge.providers.smsc_http import SmscHttp

pytestmark = pytest.mark.anyio

WAIT_CALL = json.loads((Path(__file__).parents[2] / "vectors" / "wait_call.json").read_text(encoding="utf-8"))
JSON = [case for case in WAIT_CALL["cases"] if "fmt=3" in case["name"]]
Make = Callable[..., SmscHttp]


@pytest.mark.parametrize("case", [one for one in JSON if "phone" in one["parsed"]], ids=lambda one: one["name"])
async def test_reads_the_number_to_ring_and_the_pool(case: dict[str, Any]) -> None:
    found = parse_wait_call(case["reply"].encode())
    assert found == CallNumber(case["parsed"]["phone"], tuple(case["parsed"]["all_phones"]))


KINDS: dict[str, type[DeliveryError]] = {
    **dict.fromkeys("24", AccountPaused),
    **dict.fromkeys("156", PermanentFailure),
}


@pytest.mark.parametrize("code", [*WAIT_CALL["errors"], "77"])
async def test_a_refusal_means_what_it_means_here_and_not_what_send_says(code: str) -> None:
    with pytest.raises(DeliveryError) as caught:
        parse_wait_call(json.dumps({"error": "x", "error_code": int(code)}).encode())
    assert type(caught.value) is KINDS.get(code, TemporaryFailure)
    assert caught.value.code == code


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<html>",
        b"[]",
        b"{}",
        b'{"phone": "call me"}',
        b'{"phone": ""}',
        b'{"phone": 7}',
        b"\xff\xfe",
        b"[" * 9999,
    ],
)
async def test_T37_an_answer_without_a_number_gives_none(body: bytes) -> None:
    with pytest.raises(TemporaryFailure):
        parse_wait_call(body)


async def test_a_hostile_pool_is_cut() -> None:
    body = json.dumps({"phone": 77770000001, "all_phones": [None, {}, "x", *range(77770000000, 77770000300)]})
    found = parse_wait_call(body.encode())
    assert found.number == "77770000001"
    assert len(found.pool) <= 101
    assert parse_wait_call(b'{"phone": "77770000001", "all_phones": "no list"}').pool == ("77770000001",)


async def test_asks_by_post_for_the_phone_that_will_ring(door: Make, wire: Any) -> None:
    async with wire.peer(wire.answer(b'{"phone": "77770000001", "all_phones": ["77770000001"]}')) as peer:
        assert (await door(peer.url).ask_for_call("+77010000001")).number == "77770000001"
        assert peer.heads[0].startswith(b"POST /sys/wait_call.php HTTP/1.1")
        assert peer.form()["phone"] == "77010000001"


async def test_T15_what_is_no_number_is_not_asked_for(door: Make, wire: Any) -> None:
    async with wire.peer(wire.answer(b"{}")) as peer:
        with pytest.raises(PermanentFailure):
            await door(peer.url).ask_for_call("G1")
        assert peer.heads == []


async def test_tells_whose_number_it_is(door: Make, wire: Any) -> None:
    body = '{"country": "Казахстан", "operator": "Kcell", "region": "", "mcc": "401", "mnc": "01"}'
    async with wire.peer(wire.answer(body.encode())) as peer:
        assert await door(peer.url).operator("+77010000001") == Network("Kcell", "", "Казахстан", "40101")
        assert (peer.form()["get_operator"], peer.form()["phone"]) == ("1", "77010000001")
    with pytest.raises(TemporaryFailure):
        parse_operator(b"{}")


async def test_a_call_that_was_asked_for_is_no_inbound_sms() -> None:
    """The post of one call, with the words of its record beside it, is the confirmation and not an SMS."""
    import hashlib

    from bridge.config.secrets import SecretText
    from bridge.providers.smsc_callbacks import Reader

    over = hashlib.sha1(b"77010000001:1795231920:s3cr3t", usedforsecurity=False).hexdigest()
    body = f"phone=77010000001&waitcall=77770000001&ts=1795231920&mes=%5Bwaitcall%5D&to=77770000001&sha1={over}"
    post = Reader(SecretText("s3cr3t")).read(body.encode())
    assert isinstance(post, WaitCall)
    assert (post.phone, post.to) == ("+77010000001", "77770000001")
