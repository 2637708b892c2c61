"""Mails on their way out: tried again by error kind, given up once, never a report about a report."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from bridge.delivery.poster import Poster
from bridge.egress.smtp import Refused
from bridge.errors import DeliveryError, NotSent, OutcomeUnknown, PermanentFailure, TemporaryFailure
from bridge.model import OutgoingMail
from bridge.store import rows, schema
from bridge.store.engine import Store
from bridge.store.statements import insert

pytestmark = pytest.mark.anyio

_ADD = insert(schema.outgoing_mails)


class Relay:
    def __init__(self, *ends: DeliveryError | Sequence[object]) -> None:
        self.ends = list(ends)
        self.sent: list[tuple[str, tuple[str, ...], bytes]] = []

    async def send(self, envelope_from: str, to: Sequence[str], content: bytes) -> Sequence[object]:
        self.sent.append((envelope_from, tuple(to), content))
        end = self.ends.pop(0) if self.ends else ()
        if isinstance(end, DeliveryError):
            raise end
        return end


class Desk:
    def __init__(self, store: Store, clock: Any, relay: Relay | None) -> None:
        self.store = store
        self.clock = clock
        self.relay = relay
        self.ended: list[str] = []
        self.poster = Poster(
            store, lambda: self.relay, owner="n1/a", now=clock, ended=lambda _mail, how: self.ended.append(how)
        )

    async def put(self, count: int = 1) -> None:
        now = self.clock()
        made = [
            OutgoingMail(n, "failed", "", ("a@b.test",), f"<{n}@b>", "x", b"raw", now, now) for n in range(1, count + 1)
        ]
        await self.store.write(lambda tx: tx.many(_ADD, [rows.outgoing_row(one) for one in made]))

    async def states(self) -> list[tuple[str, str]]:
        return await self.store.read(lambda tx: tx.raw("SELECT state, reason FROM outgoing_mails ORDER BY id"))  # type: ignore[return-value]


async def test_a_mail_goes_once_as_it_was_written(store: Store, clock: Any) -> None:
    desk = Desk(store, clock, Relay())
    await desk.put()
    for _ in range(3):
        await desk.poster.round()
    assert desk.relay is not None
    assert desk.relay.sent == [("", ("a@b.test",), b"raw")]
    assert await desk.states() == [("SENT", "")]


async def test_without_a_relay_mails_wait(store: Store, clock: Any) -> None:
    desk = Desk(store, clock, None)
    await desk.put()
    await desk.poster.round()
    desk.relay = Relay()
    await desk.poster.round()
    assert desk.ended == ["sent"]


@pytest.mark.parametrize("kind", [NotSent, TemporaryFailure, OutcomeUnknown])
async def test_what_may_be_tried_again_is_tried_again_ever_more_rarely(store: Store, clock: Any, kind: Any) -> None:
    desk = Desk(store, clock, relay := Relay(*(kind("greylisted") for _ in range(4))))
    await desk.put()
    pauses = []
    for _ in range(5):
        begin = clock.now
        tries = len(relay.sent)
        while len(relay.sent) == tries:
            await desk.poster.round()
            clock.forward(10)
        pauses.append((clock.now - begin).total_seconds())
    assert pauses == sorted(pauses)
    assert desk.ended == ["later"] * 4 + ["sent"]


async def test_a_refusal_is_the_end_and_no_mail_is_written_about_it(store: Store, clock: Any) -> None:
    desk = Desk(store, clock, Relay(PermanentFailure("no such mailbox")))
    await desk.put()
    await desk.poster.round()
    assert await desk.states() == [("FAILED", "no such mailbox")]
    assert desk.ended == ["failed"]


async def test_after_three_days_a_mail_is_given_up(store: Store, clock: Any) -> None:
    desk = Desk(store, clock, relay := Relay(*(TemporaryFailure("busy") for _ in range(1000))))
    await desk.put()
    for _ in range(24 * 4):
        await desk.poster.round()
        clock.forward(3600)
    assert await desk.states() == [("FAILED", "busy")]
    assert 60 < len(relay.sent) < 90


async def test_one_refused_recipient_does_not_send_it_to_the_others_again(store: Store, clock: Any) -> None:
    desk = Desk(store, clock, relay := Relay((Refused("a@b.test", PermanentFailure("no such mailbox")),)))
    await desk.put()
    for _ in range(3):
        await desk.poster.round()
    assert len(relay.sent) == 1
    assert (await desk.states())[0][0] == "SENT"


async def test_many_mails_go_a_few_at_a_time(store: Store, clock: Any) -> None:
    desk = Desk(store, clock, relay := Relay())
    await desk.put(10)
    assert await desk.poster.round()
    assert len(relay.sent) == 4
    while await desk.poster.round():
        pass
    assert len(relay.sent) == 10
