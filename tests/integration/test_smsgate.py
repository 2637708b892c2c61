"""smsgate from the store to the phone and back: lost answers, queued messages, pushes, Viber answers.

One store with the product's sender and watcher, a provider on real sockets, and a clock that a test may push forward.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from decimal import Decimal
from functools import partial
from operator import eq
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from sqlalchemy import bindparam, update

from bridge.delivery.gateways import Gateways
from bridge.providers.build import gateways as open_gateways
from bridge.providers.http import HttpClient
from bridge.providers.smsgate_callbacks import SmsgateReader
from bridge.simulator.settings import Account, Handler
from bridge.simulator.simulator import Simulator
from bridge.store import given
from bridge.store.schema import submissions
from bridge.store.statements import Statement
from bridge.web.callbacks import handlers
from tests.integration.sending_world import SECRET
from tests.integration.smsgate_world import PATH, PHONE, World, opened

pytestmark = pytest.mark.anyio


@pytest.fixture(params=["smsgate-json", "smsgate-xml"])
async def world(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[World]:
    async with opened(tmp_path, monkeypatch, request.param) as found:
        yield found


@pytest.fixture
async def cascade(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[World]:
    async with opened(tmp_path, monkeypatch, "smsgate-json", "[viber, sms]") as found:
        yield found


@pytest.fixture
async def by_get(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[World]:
    async with opened(tmp_path, monkeypatch, "smsgate-get") as found:
        yield found


def taken(states: list[str]) -> bool:
    return states in (["ACCEPTED"], ["ACCEPTED_NO_ID"], ["DELIVERED"])


# out


async def test_a_cascade_ends_with_the_sms_and_its_price(cascade: World) -> None:
    cascade.fault(fates={"viber": "undelivered"})
    await cascade.mail()
    await cascade.reach(taken)
    await asyncio.sleep(1)
    cascade.clock.forward(40)
    await cascade.reach(lambda states: states == ["DELIVERED"])
    assert [channel for channel, _ in cascade.on_phone] == ["viber", "sms"]
    assert await cascade.raw("SELECT cost FROM messages") == [("18.00",)]
    assert await cascade.raw("SELECT error FROM receipts") in ([], [("viber:not_deliver sms:deliver",)])


@pytest.mark.parametrize("repeated", ["same id", "error", "no id"])
@pytest.mark.parametrize(
    "fault", [{"drop": "after"}, {"answer": "html"}, {"half": True}, {"drop": "before"}, {"silent": True}], ids=str
)
async def test_F07_a_lost_answer_is_found_out_by_the_same_number_and_sent_once(
    world: World, fault: dict[str, Any], repeated: str
) -> None:
    world.switch(repeated=repeated)
    world.fault(**fault, times=1)
    await world.mail()
    await world.reach(lambda states: states == ["UNKNOWN"])
    world.clock.forward(3)
    await world.reach(taken)
    assert await world.attempts() == ["UNKNOWN", "ACCEPTED"]
    assert len(world.on_phone) == 1
    ids = await world.raw("SELECT DISTINCT client_id FROM submissions")
    assert len(ids) == 1


async def test_a_repeat_within_the_minute_that_is_refused_as_one_is_made_again_after_it(world: World) -> None:
    world.switch(identical_post=True)
    world.fault(drop="after", times=1)
    await world.mail()
    await world.reach(lambda states: states == ["UNKNOWN"])
    world.clock.forward(3)
    while len(await world.attempts()) < 2 or "INFLIGHT" in await world.attempts():
        await world.watcher.round()
        await asyncio.sleep(0.02)
    assert await world.attempts() == ["UNKNOWN", "UNKNOWN"]
    world.clock.forward(62)
    await world.reach(taken)
    assert len(world.on_phone) == 1


async def test_by_get_a_lost_answer_is_repeated_once_and_then_held(by_get: World) -> None:
    by_get.fault(drop="after", times=1)
    await by_get.mail()
    await by_get.reach(lambda states: states == ["UNKNOWN"])
    by_get.clock.forward(3)
    while len(await by_get.attempts()) < 2 or "INFLIGHT" in await by_get.attempts():
        await by_get.watcher.round()
        await asyncio.sleep(0.02)
    by_get.clock.forward(300)
    await by_get.watcher.round()
    assert (await by_get.states(), len(by_get.on_phone)) == (["UNKNOWN"], 1)
    by_get.clock.forward(700)
    await by_get.reach(lambda states: states != ["UNKNOWN"])
    assert (await by_get.attempts(), len(by_get.on_phone)) == (["UNKNOWN", "UNKNOWN"], 1)


async def test_by_get_a_lost_request_arrives_by_its_repeat(by_get: World) -> None:
    by_get.fault(drop="before", times=1)
    await by_get.mail()
    await by_get.reach(lambda states: states == ["UNKNOWN"])
    by_get.clock.forward(3)
    await by_get.reach(taken)
    assert len(by_get.on_phone) == 1


async def unpaid(world: World, to: str = "normal") -> None:
    """A message comes to an account without money, which the alarm says."""
    world.account(balance=Decimal(0))
    await world.mail(to)
    await world.reach(lambda states: states == ["UNKNOWN"])
    assert world.alarms == [("account.money", "gate")]
    assert world.on_phone == []


def paid(world: World) -> None:
    """The operator pays, and says so."""
    world.account(balance=Decimal(100))
    world.gateways.resume("smsgate:one")
    world.clock.forward(5)


@pytest.mark.parametrize("repeated", ["same id", "error", "no id"])
async def test_F24_what_the_provider_sends_once_it_is_paid_is_one_message(world: World, repeated: str) -> None:
    """The refusal says that the message waits there; when the account is well, our number is known there."""
    world.switch(repeated=repeated)
    await unpaid(world)
    paid(world)
    await world.reach(taken)
    await asyncio.sleep(0.1)
    assert len(world.on_phone) == 1
    assert await world.raw("SELECT count(DISTINCT client_id) FROM submissions") == [(1,)]


async def test_F24_what_the_provider_did_not_keep_after_all_is_sent_by_the_repeat(world: World) -> None:
    world.switch(queue_unpaid=False)
    await unpaid(world)
    paid(world)
    await world.reach(taken)
    await asyncio.sleep(0.1)
    assert len(world.on_phone) == 1


async def test_F24_what_is_never_paid_is_held_and_the_operator_reads_where_it_is(world: World) -> None:
    await unpaid(world)
    world.clock.forward(901)
    await world.reach(lambda states: states == ["HELD"])
    ((reason,),) = await world.raw("SELECT reason FROM messages")
    assert "the account is empty, and the provider sends this message once it is paid" in reason
    bodies = [row[0] for row in await world.raw("SELECT content FROM outgoing_mails")]
    assert any(b"sends this message once it is paid" in body.replace(b"=\r\n", b"") for body in bodies)


@pytest.fixture
async def chain(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[tuple[World, Simulator]]:
    """A smsgate, and after it another provider."""
    other = Simulator(accounts=(Account(login="two", password=SECRET, balance=Decimal(1000)),))
    async with opened(tmp_path, monkeypatch, "smsgate-json", other=other) as found:
        yield found, other


async def test_F24_nobody_else_sends_what_an_unpaid_account_keeps_and_the_rest_leaves_by_the_next_provider(
    chain: tuple[World, Simulator],
) -> None:
    world, other = chain
    await unpaid(world)
    await world.mail()
    await world.reach(lambda states: states == ["UNKNOWN", "ACCEPTED"])
    assert [sms.text for sms in other.messages(PHONE)] == ["disk 2 is full"]
    world.clock.forward(601)  # the pause is over, nobody has paid: what comes is not given to the account either
    await world.mail()
    await world.reach(lambda states: states[2:] == ["ACCEPTED"])
    assert [sms.text for sms in other.messages(PHONE)] == ["disk 2 is full", "disk 3 is full"]
    paid(world)
    await asyncio.sleep(1.2)
    assert [text for _, text in world.on_phone] == ["disk 1 is full"], "each arrives once, by whom it may"


async def test_F24_a_critical_message_that_is_kept_unpaid_leaves_by_another_provider_marked_as_a_second_copy(
    chain: tuple[World, Simulator],
) -> None:
    world, other = chain
    await unpaid(world, "critical")
    world.clock.forward(121)
    await world.reach(lambda states: states == ["UNKNOWN", "ACCEPTED"])
    assert await world.raw("SELECT copy FROM messages ORDER BY id") == [(0,), (1,)]
    assert len(other.messages(PHONE)) == 1
    mails = await world.raw("SELECT subject, content FROM outgoing_mails")
    (told,) = [content for subject, content in mails if subject == "[smsbridge] waits until it is paid: message 1"]
    assert b"The account of gate is empty" in told


async def test_F24_by_get_what_is_kept_unpaid_is_not_asked_for_again(by_get: World) -> None:
    await unpaid(by_get)
    paid(by_get)
    for _ in range(3):
        await by_get.watcher.round()
        by_get.clock.forward(10)
    await asyncio.sleep(1.2)
    assert (await by_get.attempts(), len(by_get.on_phone)) == (["UNKNOWN"], 1)


async def test_F24_a_wrong_password_pauses_the_account(world: World) -> None:
    world.account(password="another")
    await world.mail()
    while not world.alarms or await world.states() != ["READY"]:  # the balance question may hear of it first
        await asyncio.sleep(0.02)
    assert world.alarms == [("account.password", "gate")]
    assert world.on_phone == []


# back


async def post(world: World, body: str | bytes, path: str = "") -> tuple[int, str]:
    async with aiohttp.ClientSession() as session, session.post(path or world.url, data=body) as answer:
        return answer.status, await answer.text()


async def provider_id(world: World) -> str:
    """That of the whole; those of its ways stand behind it."""
    ((ids,),) = await world.raw("SELECT provider_id FROM submissions")
    return str(ids).partition(" ")[0]


def pushed(id: str, word: str) -> str:
    return f'<request><state id_sms="{id}" time="2026-01-01 12:57:46">{word}</state></request>'


async def test_a_state_that_is_pushed_moves_the_message_and_is_answered_with_its_id(world: World) -> None:
    world.switch(pushed_id="id_message")
    world.provider.air.handlers = (Handler(url=world.url, gateway="smsgate"),)
    await world.mail()
    deadline = asyncio.get_running_loop().time() + 8
    while await world.states() != ["DELIVERED"] or not world.provider.air.posted:  # its answer comes after our commit
        assert asyncio.get_running_loop().time() < deadline
        await asyncio.sleep(0.05)
    assert world.counted == [("gate", "receipt")]
    (told,) = world.provider.air.posted
    assert (told.status, told.post.wants in told.reason) == (200, True)


@pytest.mark.parametrize("id_of", ["id_message", "id_sms"])
async def test_a_push_is_matched_by_the_id_of_the_whole_and_by_that_of_a_way(cascade: World, id_of: str) -> None:
    cascade.switch(pushed_id=id_of, minute=60)
    cascade.provider.air.handlers = (Handler(url=cascade.url, gateway="smsgate"),)
    await cascade.mail()
    deadline = asyncio.get_running_loop().time() + 8
    while await cascade.states() != ["DELIVERED"] or not cascade.counted:  # it is counted after the commit
        assert asyncio.get_running_loop().time() < deadline
        await asyncio.sleep(0.05)
    assert cascade.counted == [("gate", "receipt")]


async def test_an_id_that_fits_two_messages_moves_neither(cascade: World) -> None:
    cascade.fault(fate="waiting")
    for n in (1, 2):
        await cascade.mail()
        await cascade.reach(partial(eq, ["ACCEPTED"] * n))
    ids = [row[0] for row in await cascade.raw("SELECT provider_id FROM submissions ORDER BY message_id")]
    also_the_first = update(submissions).where(submissions.c.message_id == 2).values(provider_id=bindparam("ids"))
    both = {"ids": f"{ids[1]} {ids[0].split()[0]}"}
    await cascade.store.write(lambda tx: tx.run(Statement(also_the_first), both))
    await post(cascade, pushed(ids[0].split()[0], "deliver"))
    assert await cascade.states() == ["ACCEPTED", "ACCEPTED"]
    await post(cascade, pushed(ids[1].split()[0], "deliver"))
    assert await cascade.states() == ["ACCEPTED", "DELIVERED"]


async def test_who_unsubscribes_is_told_to_the_operator_and_gets_no_viber_even_after_a_restart(cascade: World) -> None:
    cascade.switch(unsubscribed=(PHONE,))
    await cascade.mail()
    await cascade.reach(taken)
    await asyncio.sleep(1)
    cascade.clock.forward(40)
    await cascade.reach(lambda states: states == ["DELIVERED"])
    assert await cascade.raw("SELECT phone, account, way FROM unsubscribed") == [(f"+{PHONE}", "smsgate:one", "viber")]
    ((subject, _),) = await cascade.raw("SELECT subject, kind FROM outgoing_mails")
    assert subject == "[smsbridge] Aigul unsubscribed from Viber"
    assert await cascade.raw("SELECT count(*) FROM journal WHERE kind = 'phone.unsubscribed'") == [(1,)]
    cascade.switch(unsubscribed=())
    async with HttpClient() as fresh:
        doors = Gateways(open_gateways(cascade.book.config.providers, fresh), cascade.clock)
        cascade.gateways.doors.update(doors.doors)  # as after a restart: nothing but the store remembers
        await cascade.mail()
        await cascade.reach(lambda states: len(states) == 2 and states[1] in ("ACCEPTED", "DELIVERED"))
        assert [channel for channel, _ in cascade.on_phone][-1] == "sms"
    requests = [row[0] for row in await cascade.raw("SELECT request FROM submissions ORDER BY message_id")]
    assert ["send_viber" in request for request in requests] == [True, False]
    await cascade.store.write(lambda tx: given.subscribe_again(tx, given.all_unsubscribed(tx), "dana", cascade.clock()))
    await cascade.mail()
    await cascade.reach(lambda states: len(states) == 3 and states[2] in ("ACCEPTED", "DELIVERED"))
    assert "send_viber" in (await cascade.raw("SELECT request FROM submissions ORDER BY message_id"))[-1][0]


async def test_T24_a_state_that_is_no_arrival_or_nobody_s_changes_nothing(world: World) -> None:
    world.fault(fate="waiting")
    await world.mail()
    await world.reach(taken)
    id = await provider_id(world)
    for said in (pushed(id, "not_deliver"), pushed(id, "expired"), pushed("999", "deliver"), pushed(id, "unsubscribe")):
        status, answer = await post(world, said)
        assert (status, "<id_sms>" in answer) == (200, True), "or it comes again, five times"
    assert await world.states() == ["ACCEPTED"]
    assert await world.raw("SELECT * FROM receipts") == []
    assert await post(world, "id=1&status=1") == (400, "cannot be read")
    assert (await post(world, pushed(id, "deliver"), world.url + "x"))[0] == 404
    assert await world.states() == ["ACCEPTED"]


async def test_F10_while_the_store_is_away_a_post_is_answered_503(world: World) -> None:
    await world.mail()
    await world.reach(taken)
    id = await provider_id(world)
    world.store.close()
    assert await post(world, pushed(id, "deliver")) == (503, "try again")


async def test_a_viber_answer_is_kept_once_and_only_from_a_phone_we_wrote_to(cascade: World) -> None:
    cascade.provider.air.handlers = (Handler(url=cascade.url, gateway="smsgate", statuses=False),)
    await cascade.mail()
    await cascade.reach(taken)
    cascade.provider.reply(PHONE, "10 ок")
    deadline = asyncio.get_running_loop().time() + 8
    while not await cascade.raw("SELECT id FROM replies"):
        assert asyncio.get_running_loop().time() < deadline
        await asyncio.sleep(0.05)
    body = cascade.provider.air.posted[0].post.body
    assert await post(cascade, body) == (200, "OK")
    assert await post(cascade, body.replace(PHONE.encode(), b"77019999999")) == (200, "OK")
    assert await cascade.raw("SELECT kind, phone, text FROM replies") == [("sms", f"+{PHONE}", "10 ок")]
    assert [outcome for _, outcome in cascade.counted] == ["inbound", "known", "known"]
    assert await cascade.raw("SELECT answers, proven FROM replies") == [(1, 0)], "which message; and nobody signed it"


async def test_T24_a_viber_answer_to_an_id_that_is_none_of_ours_names_no_message(cascade: World) -> None:
    cascade.switch(answered_id="own")
    cascade.provider.air.handlers = (Handler(url=cascade.url, gateway="smsgate", statuses=False),)
    await cascade.mail()
    await cascade.reach(taken)
    cascade.provider.reply(PHONE, "10 ок")
    deadline = asyncio.get_running_loop().time() + 8
    while not await cascade.raw("SELECT id FROM replies"):
        assert asyncio.get_running_loop().time() < deadline
        await asyncio.sleep(0.05)
    assert await cascade.raw("SELECT answers, proven FROM replies") == [(0, 0)]


async def test_the_handlers_of_the_configuration_know_whose_posts_they_read(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GATE_PATH", PATH)
    provider = world.book.config.providers["gate"]
    with_path = type(provider).model_validate(
        {"type": provider.type, "base_url": "https://gate.example", "callbacks": {"path": {"env": "GATE_PATH"}}}
    )
    config = world.book.config.model_copy(update={"providers": {"gate": with_path}})
    (way_in,) = handlers(config, {"gate": "smsgate:one"})
    assert isinstance(way_in.reader, SmsgateReader)
