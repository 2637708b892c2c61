"""No request of ours goes where a text or an answer wants it to go: addresses come from the configuration only."""

from __future__ import annotations

import dataclasses
import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from bridge.errors import OutcomeUnknown
from bridge.model import Message
from bridge.providers.base import Request

pytestmark = pytest.mark.anyio

NOW = datetime(2026, 11, 21, 3, 12, tzinfo=UTC)
PLAIN = Message(
    id=1, phone="+77010000001", person="", text="disk full", encoding="GSM-7", segments=1, price=None, currency="KZT",
    rule="night", message_class="critical", channel="sms", providers=("smsc",), originator="", answerable=False,
    created_at=NOW, due_at=NOW, valid_until=NOW + timedelta(minutes=30), language="en",
)  # fmt: skip
FETCHED = {"fileurl", "image_url", "image_url_whatsapp", "button_url", "url", "callback", "list"}


def request_of(door: Any, text: str) -> Request:
    return Request(door.canonical(dataclasses.replace(PLAIN, text=text), NOW), "1234")


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_T26_a_provider_sends_us_nowhere_else(door: Any, wire: Any, status: int) -> None:
    async with wire.peer(wire.answer(b'{"id": 1234, "cnt": 1}')) as inside:
        head = f"HTTP/1.1 {status} Elsewhere\r\nLocation: {inside.url}/latest/meta-data\r\nContent-Length: 0\r\n\r\n"
        async with wire.peer(wire.raw(head.encode(), cut=False)) as peer:
            gateway = door(peer.url)
            with pytest.raises(OutcomeUnknown):
                await gateway.submit(request_of(gateway, "disk full"))
            assert len(peer.bodies) == 1
    assert inside.connections == 0


async def test_T26_no_address_in_a_text_is_asked_by_us_or_named_to_the_provider(door: Any, wire: Any) -> None:
    async with wire.peer(wire.answer(b"{}")) as inside:
        said = {"id": 1234, "cnt": 1, "fileurl": inside.url, "callback": inside.url}
        async with wire.peer(wire.answer(json.dumps(said).encode())) as peer:
            gateway = door(peer.url)
            for text in (
                f"{inside.url}/x", "http://169.254.169.254/latest", "http://[::1]/", "http://2130706433/",
                f"x&fileurl={inside.url}", f"fileurl={inside.url}\nlist=1", f"image_url: {inside.url}",
            ):  # fmt: skip
                await gateway.submit(request_of(gateway, text))
                assert not FETCHED & set(peer.form())
                assert peer.form()["mes"] == text
    assert inside.connections == 0
