"""What smsgate posts to us: nothing of it is signed, so little of it is believed."""

from __future__ import annotations

import json
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.providers.smsc_callbacks import Malformed
from bridge.providers.smsgate_callbacks import SmsgateReader, States, ViberReply, WayState

ALL = json.loads((Path(__file__).parents[2] / "vectors" / "smsgate.json").read_text(encoding="utf-8"))
VIBER: dict[str, Any] = ALL["inbound_viber_json"]["body"]


def read(body: str | bytes | dict[str, Any]) -> States | ViberReply:
    written = json.dumps(body) if isinstance(body, dict) else body
    return SmsgateReader().read(written.encode() if isinstance(written, str) else written)


def test_states_are_read_and_answered_as_in_the_vector() -> None:
    case = ALL["push_status_xml"]
    post = read(case["request"])
    assert post == States((WayState("3234", "deliver"),))
    assert isinstance(post, States)
    assert post.answer() == case["reply"]


def test_a_viber_answer_is_read_as_in_the_vector() -> None:
    post = read(VIBER)
    assert isinstance(post, ViberReply)
    assert (post.provider_id, post.phone, post.text, post.to) == ("123456", "+79001234567", "ответ", "")


def changed(**changes: Any) -> dict[str, Any]:
    response = VIBER["recipient_response"]
    inner = {name: changes.pop(name) for name in ("from", "content", "recipient") if name in changes}
    return {**VIBER, "recipient_response": {**response, **inner}, **changes}


def test_ids_and_phones_come_as_numbers_or_as_text() -> None:
    other = changed(message_id=123456, recipient={"phone": "+79001234567"})
    first, second = read(VIBER), read(other)
    assert isinstance(first, ViberReply)
    assert isinstance(second, ViberReply)
    assert (second.provider_id, second.phone) == (first.provider_id, first.phone)


def test_T37_half_an_emoji_and_nul_are_made_into_text_that_a_store_takes() -> None:
    post = read(changed(content={"type": "text", "text": "ok\ud83d\x00"}))
    assert isinstance(post, ViberReply)
    assert post.text == "ok?"


def test_T25_an_answer_has_one_key_however_often_it_comes_and_another_one_has_another() -> None:
    def key(**changes: Any) -> str:
        post = read(changed(**changes))
        assert isinstance(post, ViberReply)
        return post.event_key

    assert key() == key()
    keys = {
        key(),
        key(message_id="7"),
        key(timestamp="2023-01-01 09:00:01"),
        key(content={"type": "text", "text": "нет"}),
        key(recipient={"phone": 79001234568}),
    }
    assert len(keys) == 5


@pytest.mark.parametrize("word", ["not_deliver", "expired", "partly_deliver", "send", "unsubscribe"])
def test_T24_only_an_arrival_is_believed(word: str) -> None:
    assert WayState("1", word).state == "ACCEPTED"
    assert [WayState("1", came).state for came in ("deliver", "read", "link")] == ["DELIVERED"] * 3


def state(id: str = "1", word: str = "deliver") -> str:
    return f'<request><state id_sms="{id}" time="">{word}</state></request>'


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"id=1&status=1",
        b"\xff\xfe<",
        b"<request/>",
        b"<response><state id_sms='1'>deliver</state></response>",
        "<request>" + '<state id_sms="1">deliver</state>' * 501 + "</request>",
        state(id=""),
        state(id="1 OR 1"),
        state(word="delivered!"),
        '<!DOCTYPE r [<!ENTITY a "b">]>' + state(),
        b"{" * 5000,
        "{}",
        '{"channel": "viber", "channel": "viber"}',
        json.dumps({**VIBER, "recipient_response": []}),
        changed(channel="sms"),
        changed(message_id="x"),
        changed(message_id=True),
        changed(message_id=""),
        changed(recipient={"phone": "G1"}),
        changed(recipient={"phone": 7.9e10}),
        changed(recipient={"phone": "７９００１２３４５６７"}),
        changed(content={"type": "image", "text": "x"}),
        changed(content={"type": "text", "text": 12}),
        changed(content={"type": "text", "text": "x" * 4001}),
        b" " * (64 * 1024) + b"{}",
    ],
    ids=lambda body: repr(body)[:60],
)
def test_what_cannot_be_read_without_doubt_is_malformed(body: str | bytes | dict[str, Any]) -> None:
    with pytest.raises(Malformed):
        read(body)


@given(body=st.binary(max_size=300) | st.text(max_size=300).map(lambda text: f"<request>{text}</request>".encode()))
def test_any_bytes_are_a_post_or_malformed(body: bytes) -> None:
    with suppress(Malformed):
        assert isinstance(SmsgateReader().read(body), States | ViberReply)
