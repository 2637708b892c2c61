"""What a gateway described in YAML posts to us, and how much of it is believed."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.config.models.providers import Provider
from bridge.config.secrets import SecretText
from bridge.providers.plain_http_answers import PlainReply, PlainState
from bridge.providers.plain_http_posts import PlainReader
from bridge.providers.smsc_callbacks import Forged, Malformed

POSTS = {
    "id": "id", "state": "state", "states": {"done": "delivered", "failed": "undelivered"}, "phone": "from",
    "text": "text", "to": "to",
}  # fmt: skip
SECRET = SecretText("canary-s3cret")


def reader(secret: SecretText | None = None, charset: str = "utf-8", **changes: Any) -> PlainReader:
    posts = {**POSTS, **({"proof": "key"} if secret else {}), **changes}
    keys = {"type": "plain-http", "callbacks": {"path": {"env": "P"}, "charset": charset}, "plain": {"posts": posts}}
    return PlainReader(Provider.model_validate(keys), secret)


def form(**fields: str) -> bytes:
    return urlencode(fields).encode()


def test_a_state_is_read_from_a_form_and_from_json() -> None:
    expected = PlainState("m-17", False, "done", "DELIVERED", False)
    assert reader().read(form(id="m-17", state="done")) == expected
    assert reader().read(b'\xef\xbb\xbf{"id": "m-17", "state": "done", "more": [1]}') == expected
    deep = reader(id="/a/0/id", state="/a/0/state")
    assert deep.read(b'{"a": [{"id": "m-17", "state": "done"}]}') == expected


def test_our_id_is_told_from_the_gateway_s() -> None:
    assert reader(our_id="ref").read(form(id="9", ref="1234", state="failed")) == PlainState(
        "1234", True, "failed", "UNDELIVERED", False
    )


def test_an_sms_that_came_in_is_read_once_by_its_id() -> None:
    first = reader().read(form(**{"id": "5", "from": "77010000001", "text": "12 ок", "to": "+7705"}))
    assert first == PlainReply("5", "+77010000001", "7705", "12 ок", False)
    assert first.event_key == reader().read(form(**{"id": "5", "from": "+77010000001", "text": "x"})).event_key


def test_T37_half_an_emoji_and_nul_are_made_into_text_that_a_store_takes() -> None:
    post = reader().read(b'{"id": "5", "from": "77010000001", "text": "ok\\ud83d\\u0000"}')
    assert isinstance(post, PlainReply)
    assert post.text == "ok?"


def test_T24_only_a_post_with_the_secret_is_signed() -> None:
    signed = reader(SECRET).read(form(id="m-17", state="failed", key="canary-s3cret"))
    assert isinstance(signed, PlainState)
    assert signed.signed
    for key in ("", "canary-s3cre", "canary-s3cret ", "CANARY-S3CRET"):
        with pytest.raises(Forged):
            reader(SECRET).read(form(id="m-17", state="failed", key=key))


@pytest.mark.parametrize(
    "body",
    [
        b"", b"id=1", b"state=done", b"id=1&state=other", b"id=1&id=2&state=done", b'{"id": "1", "id": "2"}', b"[1]",
        b"{", b"\xff\xfe", b"from=BANK&text=ad", b"from=77010000001&text=" + b"x" * 5000, b"x" * 70_000,
        json.dumps({"id": {"a": 1}, "state": "done"}).encode(), b"&".join(b"a%d=1" % n for n in range(200)),
        b"[" * 60_000,
    ],
)  # fmt: skip
def test_T24_what_is_in_doubt_is_not_read(body: bytes) -> None:
    with pytest.raises(Malformed):
        reader().read(body)


@given(st.binary(max_size=400))
def test_T24_any_bytes_are_a_post_or_a_refusal(body: bytes) -> None:
    try:
        read = reader().read(body)
    except (Malformed, Forged):
        return
    assert isinstance(read, PlainState | PlainReply)


def test_another_charset_is_read_as_the_provider_writes_it() -> None:
    body = urlencode({"from": "77010000001", "text": "ок"}, encoding="cp1251").encode()
    found = reader(charset="windows-1251").read(body)
    assert isinstance(found, PlainReply)
    assert found.text == "ок"
