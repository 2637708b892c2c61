"""The SMPP gateway and the pretend provider, over sockets: what is taken, refused, unknown, and what comes back."""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import ssl
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import trustme

from bridge.config.secrets import SecretText
from bridge.errors import (
    DeliveryError,
    NotSent,
    OutcomeUnknown,
    PermanentFailure,
    StoreUnavailable,
    TemporaryFailure,
)
from bridge.providers.base import Inbound, LinkState, NoWayToAsk, Piece, Question, Report
from bridge.providers.smsc_smpp import SmscSmpp
from bridge.simulator.settings import Account, SmppSwitches, Switches
from bridge.simulator.simulator import Simulator
from bridge.smpp.link import Peer
from tests.integration.smpp_world import (
    NUMBER,
    PASSWORD,
    PHONE,
    World,
    request_of,
    settings,
    smpp_world,
    until,
    wanted,
)

pytestmark = pytest.mark.anyio

DANGEROUS = json.loads((Path(__file__).parents[1] / "vectors" / "dangerous_texts.json").read_text())


@pytest.fixture
async def world() -> AsyncIterator[World]:
    async with smpp_world() as made:
        yield made


# Taken


async def test_an_accepted_message_is_on_the_phone_with_its_text_sender_and_validity(world: World) -> None:
    accepted = await world.gateway.submit(request_of(world.gateway))
    (arrived,) = world.arrived
    assert (accepted.provider_id, accepted.segments) == (arrived.id, 1)
    assert (arrived.phone, arrived.sender, arrived.text) == ("77010000001", NUMBER, "12 CRIT db01: disk full")
    assert timedelta(minutes=28) < arrived.valid_until - arrived.received_at <= timedelta(minutes=30)


@pytest.mark.parametrize(
    "text",
    [
        "Сервер базы данных не отвечает",
        "Қазақстан ә ғ қ ң ө ұ ү һ і",
        "€ [x] {y} \\ ~ | ^",
        "fire 🔥 👨‍👩‍👧",
        "two\nlines",
    ],
)
async def test_every_letter_arrives(world: World, text: str) -> None:
    await world.gateway.submit(request_of(world.gateway, text=text))
    assert [one.text for one in world.arrived] == [text]


@pytest.mark.parametrize("text", ["x" * 400, "ж" * 200, "{" * 200, "🔥" * 80], ids=["gsm", "ucs2", "escapes", "pairs"])
@pytest.mark.parametrize("form", ["udh", "udh16", "sar"])
async def test_a_long_text_is_one_message_with_one_reference_and_an_id_for_each_part(text: str, form: Any) -> None:
    async with smpp_world() as world:
        gateway = SmscSmpp(
            "smpp", settings(world.port), SecretText(PASSWORD), wanted=wanted(world.port), form=form
        )  # fmt: skip
        accepted = await gateway.submit(request_of(gateway, text=text))
        await gateway.close()
        (arrived,) = world.arrived
    assert arrived.text == text
    assert len(accepted.provider_id.split()) == accepted.segments == len(arrived.parts) >= 3


@pytest.mark.parametrize("text", [one["text"] for one in DANGEROUS["dangerous"] if "SMTP" not in one["why"]])
@pytest.mark.parametrize("trims", [True, False])
async def test_T13_T14_a_dangerous_text_arrives_as_a_readable_one(text: str, trims: bool) -> None:
    async with smpp_world() as world:
        world.simulator.air.switches = world.simulator.air.switches.model_copy(update={"trim_before_commands": trims})
        await world.gateway.submit(request_of(world.gateway, text=text))
        (arrived,) = world.arrived
    assert (arrived.channel, arrived.hidden) == ("sms", "")
    letters = [letter for letter in text if letter.isalnum()]
    assert [letter for letter in arrived.text if letter.isalnum()] == letters


@pytest.mark.parametrize("at", range(140, 160))
async def test_T14_no_command_and_no_separator_is_put_together_across_parts(world: World, at: int) -> None:
    await world.gateway.submit(request_of(world.gateway, text="x" * at + "\n~~~\nhidden" + "y" * 200))
    (arrived,) = world.arrived
    assert (arrived.channel, arrived.hidden) == ("sms", "")
    assert "hidden" in arrived.text


@pytest.mark.parametrize(("channel", "shown"), [("call", "call"), ("viber", "viber")])
async def test_T14_a_channel_is_the_rule_s_and_a_text_cannot_add_parameters_to_it(
    world: World, channel: Any, shown: str
) -> None:
    text = "disk full\nvoice:m\n Subj: x\nｂｏｔ:@evil\n~~~\nparam:1,1,1"
    await world.gateway.submit(request_of(world.gateway, text=text, channel=channel))
    (arrived,) = world.arrived
    assert (arrived.channel, arrived.hidden) == (shown, "")
    assert not any(line.startswith(("voice:", "subj:", "bot:", "param:")) for line in arrived.text.split("\n"))
    assert "voice:m" in arrived.text


async def test_a_flash_message_is_left_to_another_door(world: World) -> None:
    with pytest.raises(PermanentFailure):
        await world.gateway.submit(request_of(world.gateway, channel="flash"))
    assert world.arrived == ()


@pytest.mark.parametrize("phone", [*DANGEROUS["dangerous_recipients"], "+7701000000１"])
async def test_T15_what_is_no_number_costs_no_request(world: World, phone: str) -> None:
    with pytest.raises(PermanentFailure):
        await world.gateway.submit(request_of(world.gateway, phone=phone))
    assert list(world.simulator.air.exchanges) == []


# Not taken


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (0x0A, PermanentFailure),
        (0x0B, PermanentFailure),
        (0x45, PermanentFailure),
        (0x08, TemporaryFailure),
        (0x04, NotSent),
        (0x4FF, TemporaryFailure),
    ],
)
async def test_a_refusal_is_an_error_and_nothing_arrives(world: World, status: int, kind: type[DeliveryError]) -> None:
    world.fault(command_status=status)
    with pytest.raises(kind) as caught:
        await world.gateway.submit(request_of(world.gateway))
    assert type(caught.value) is kind
    assert world.arrived == ()


async def test_T37_an_unknown_status_keeps_its_number(world: World) -> None:
    world.fault(command_status=0x4FF)
    with pytest.raises(TemporaryFailure) as caught:
        await world.gateway.submit(request_of(world.gateway))
    assert caught.value.code == "0x04ff"


@pytest.mark.parametrize("status", [0x58, 0x14])
async def test_a_busy_provider_gets_the_same_pdu_again_a_little_later(world: World, status: int) -> None:
    world.fault(command_status=status, times=2)
    await world.gateway.submit(request_of(world.gateway))
    submitted = [one for one in world.simulator.air.exchanges if one.door == "send"]
    assert len(submitted) == 3
    assert len({one.body for one in submitted}) == 1
    assert len(world.arrived) == 1


async def test_a_provider_that_stays_busy_has_taken_nothing(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bridge.providers.smsc_smpp._BUSY_PAUSES", (0.01, 0.01))
    world.fault(command_status=0x58)
    with pytest.raises(NotSent) as caught:
        await world.gateway.submit(request_of(world.gateway))
    assert caught.value.code == "0x0058"
    assert world.arrived == ()


async def test_a_double_is_refused_and_after_an_open_attempt_proves_nothing(world: World) -> None:
    first = request_of(world.gateway)
    await world.gateway.submit(first)
    with pytest.raises(PermanentFailure):
        await world.gateway.submit(first)
    with pytest.raises(OutcomeUnknown):
        await world.gateway.submit(replace(first, repeat=True))
    assert len(world.arrived) == 1


# Unknown


LOST: list[dict[str, Any]] = [
    {"silent": True},
    {"drop": "after"},
    {"half": True},
    {"answer": "garbage"},
    {"answer": "html"},
]


@pytest.mark.parametrize("fault", [*LOST, {"drop": "before"}], ids=str)
async def test_F07_without_an_answer_the_outcome_is_unknown_and_one_pdu_was_sent(fault: dict[str, Any]) -> None:
    async with smpp_world(answer_within=0.3) as world:
        world.fault(**fault)
        with pytest.raises(OutcomeUnknown):
            await world.gateway.submit(request_of(world.gateway))
        assert len([one for one in world.simulator.air.exchanges if one.door == "send"]) == 1
        assert len(world.arrived) == (0 if fault == {"drop": "before"} else 1)


@pytest.mark.parametrize("fault", LOST, ids=str)
async def test_the_repeat_of_a_taken_message_is_identical_and_pays_nothing(fault: dict[str, Any]) -> None:
    async with smpp_world(answer_within=0.3) as world:
        world.fault(**fault, times=1)
        request = request_of(world.gateway)
        with pytest.raises(OutcomeUnknown):
            await world.gateway.submit(request)
        with pytest.raises(OutcomeUnknown):
            await world.gateway.submit(replace(request, repeat=True, attempt=2))
        sent = [one.body for one in world.simulator.air.exchanges if one.door == "send"]
        assert len(sent) == 2
        assert len(set(sent)) == len(world.arrived) == 1


async def test_the_repeat_of_a_lost_message_arrives_once(world: World) -> None:
    world.fault(drop="before", times=1)
    request = request_of(world.gateway)
    with pytest.raises(OutcomeUnknown):
        await world.gateway.submit(request)
    await world.gateway.submit(replace(request, repeat=True, attempt=2))
    assert len(world.arrived) == 1


async def test_an_answer_that_comes_late_makes_the_repeat_needless() -> None:
    async with smpp_world(answer_within=0.1) as world:
        world.fault(delay=0.3, times=1)
        request = request_of(world.gateway)
        with pytest.raises(OutcomeUnknown):
            await world.gateway.submit(request)
        await asyncio.sleep(0.4)
        accepted = await world.gateway.submit(replace(request, repeat=True, attempt=2))
        assert [accepted.provider_id] == [one.id for one in world.arrived]
        assert len([one for one in world.simulator.air.exchanges if one.door == "send"]) == 1


async def test_a_repeat_of_several_parts_keeps_their_reference(world: World) -> None:
    world.fault(drop="after", times=1)
    request = request_of(world.gateway, text="x" * 200)
    with pytest.raises(OutcomeUnknown):
        await world.gateway.submit(request)
    with pytest.raises(OutcomeUnknown):
        await world.gateway.submit(replace(request, repeat=True, attempt=2))
    first, second = (one.body for one in world.simulator.air.exchanges if one.door == "send")
    assert first == second


async def test_a_text_that_broke_in_the_middle_goes_whole_again_with_a_new_reference(world: World) -> None:
    request = request_of(world.gateway, text="x" * 200)
    refuse_second = world.simulator.smpp.door.submit

    def once(login: str, message: Any, fault: Any, **more: Any) -> str:
        if message.octets[5] == 2:
            world.simulator.smpp.door.submit = refuse_second  # type: ignore[method-assign]
            fault = fault.model_copy(update={"command_status": 0x08})
        return refuse_second(login, message, fault, **more)

    world.simulator.smpp.door.submit = once  # type: ignore[method-assign]
    with pytest.raises(TemporaryFailure):
        await world.gateway.submit(request)
    assert list(world.arrived) == []
    accepted = await world.gateway.submit(replace(request, attempt=2))
    (arrived,) = list(world.arrived)
    assert (arrived.text, len(accepted.provider_id.split())) == ("x" * 200, 2)


async def test_a_text_that_breaks_again_and_again_is_not_paid_for_ever(world: World) -> None:
    request = request_of(world.gateway, text="x" * 200)
    submit = world.simulator.smpp.door.submit

    def broken(login: str, message: Any, fault: Any, **more: Any) -> str:
        status = 0x08 if message.octets[5] == 2 else None
        return submit(login, message, fault.model_copy(update={"command_status": status}), **more)

    world.simulator.smpp.door.submit = broken  # type: ignore[method-assign]
    for attempt in (1, 2):
        with pytest.raises(TemporaryFailure):
            await world.gateway.submit(replace(request, attempt=attempt))
    with pytest.raises(PermanentFailure):
        await world.gateway.submit(replace(request, attempt=3))


# Links


async def test_an_empty_answer_is_an_acceptance_without_an_id(world: World) -> None:
    world.fault(answer="empty")
    assert (await world.gateway.submit(request_of(world.gateway))).provider_id == ""
    assert len(world.arrived) == 1


async def test_a_cut_link_comes_back_and_nothing_is_sent_twice(world: World) -> None:
    await world.gateway.submit(request_of(world.gateway))
    world.simulator.smpp.cut()
    await asyncio.sleep(0.02)
    await world.gateway.submit(request_of(world.gateway, "1235", text="second"))
    assert [one.text for one in world.arrived] == ["12 CRIT db01: disk full", "second"]


async def test_without_a_provider_nothing_was_sent(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bridge.providers.smsc_smpp._PLACE_WITHIN", 0.2)
    gateway = SmscSmpp("smpp", settings(1), SecretText(PASSWORD), wanted=wanted(1))
    with pytest.raises(NotSent):
        await gateway.submit(request_of(gateway))
    await gateway.close()


async def test_a_second_host_is_tried_when_the_first_is_not_there(world: World) -> None:
    peers = (Peer("127.0.0.1", 1, None), Peer("127.0.0.1", world.port, None))
    links = wanted(world.port, peers=peers)
    gateway = SmscSmpp("smpp", settings(world.port), SecretText(PASSWORD), wanted=links)
    await gateway.submit(request_of(gateway))
    await gateway.close()
    assert len(world.arrived) == 1


@pytest.mark.parametrize("change", [{"login": "nobody"}, {"password": "wrong"}], ids=str)
async def test_a_refused_login_is_said_at_once_and_not_tried_again(world: World, change: dict[str, str]) -> None:
    secret = SecretText(change.get("password", PASSWORD))
    login = change.get("login", "acme")
    gateway = SmscSmpp("smpp", settings(world.port, login=login), secret, wanted=wanted(world.port))
    for _ in range(3):
        with pytest.raises(NotSent, match="login is refused"):
            await gateway.submit(request_of(gateway))
    await gateway.close()
    assert world.arrived == ()


async def test_a_window_is_kept_and_used() -> None:
    async with smpp_world(pace={"window": 3}) as world:
        world.fault(delay=0.1)
        world.simulator.air.switches = Switches(smpp=SmppSwitches(window=3))
        begin = asyncio.get_running_loop().time()
        requests = [request_of(world.gateway, str(number), text=f"n {number}") for number in range(9)]
        await asyncio.gather(*(world.gateway.submit(request) for request in requests))
        assert 0.3 <= asyncio.get_running_loop().time() - begin < 0.9
        assert len(world.arrived) == 9


async def test_no_more_than_the_rate_leaves() -> None:
    async with smpp_world(pace={"rate": 20.0}) as world:
        begin = asyncio.get_running_loop().time()
        requests = [request_of(world.gateway, str(number), text=f"n {number}") for number in range(6)]
        await asyncio.gather(*(world.gateway.submit(request) for request in requests))
        assert asyncio.get_running_loop().time() - begin >= 0.25


async def test_whose_turn_would_come_too_late_was_not_sent_and_the_door_is_well(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("bridge.providers.smsc_smpp._PLACE_WITHIN", 0.3)
    async with smpp_world(pace={"rate": 5.0}) as world:
        requests = [request_of(world.gateway, str(number), text=f"n {number}") for number in range(6)]
        ended = await asyncio.gather(*(world.gateway.submit(each) for each in requests), return_exceptions=True)
        late = [one for one in ended if isinstance(one, NotSent)]
        assert len(late) == 4
        assert {one.code for one in late} == {"rate"}  # with a code the breaker does not count it
        assert len(world.arrived) == 2
        await world.gateway.submit(request_of(world.gateway, "9", text="n 9"))  # the late ones have taken no turn


async def test_a_provider_that_still_counts_the_broken_link_is_asked_again_soon(world: World) -> None:
    await until(lambda: world.gateway.link.up == 1)
    world.account(allowed_addresses=["192.0.2.1"])  # bind failed, as when all places are taken
    world.simulator.smpp.cut()
    await until(lambda: "0x000d" in world.gateway.link.why)
    assert not world.gateway.link.refused
    world.account(allowed_addresses=[])
    await until(lambda: world.gateway.link.up == 1)


async def test_bind_failed_at_the_first_try_is_final(world: World) -> None:
    world.account(allowed_addresses=["192.0.2.1"])
    fresh = SmscSmpp("smpp", settings(world.port), SecretText(PASSWORD), wanted=wanted(world.port))
    await fresh.open(world.keep)
    await until(lambda: fresh.link.refused)
    await fresh.close()


async def test_how_the_link_is_can_be_seen(world: World) -> None:
    await until(lambda: world.gateway.link.up == 1)
    assert world.gateway.link == LinkState(up=1, wanted=1, why="", refused=False)
    await world.simulator.smpp.close()
    await until(lambda: world.gateway.link.up == 0)
    assert world.gateway.link.why
    assert not world.gateway.link.refused


async def test_a_login_that_is_refused_can_be_seen_before_anything_is_sent(world: World) -> None:
    wrong = SmscSmpp("smpp", settings(world.port), SecretText("wrong"), wanted=wanted(world.port))
    await wrong.open(world.keep)
    await until(lambda: wrong.link.refused)
    assert "0x000e" in wrong.link.why
    await wrong.close()


async def test_an_idle_link_is_kept_alive_and_a_dead_one_is_found() -> None:
    async with smpp_world(SmppSwitches(idle_seconds=0.3), pace={"enquire_after": 0.1}) as world:
        await until(lambda: world.simulator.smpp.bound == 1)
        await asyncio.sleep(0.6)
        assert world.simulator.smpp.bound == 1
        await world.gateway.submit(request_of(world.gateway))


async def test_closing_says_goodbye(world: World) -> None:
    await until(lambda: world.simulator.smpp.bound == 1)
    await world.gateway.close()
    await until(lambda: world.simulator.smpp.bound == 0)


@contextlib.asynccontextmanager
async def over_tls(authority: trustme.CA, name: str) -> AsyncIterator[tuple[Simulator, int]]:
    server = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert(name).configure_cert(server)
    async with Simulator(accounts=(Account(login="acme", password=PASSWORD),)) as simulator:
        yield simulator, await simulator.listen_for_smpp("127.0.0.1", 0, server)


@pytest.mark.parametrize(("name", "taken"), [("127.0.0.1", True), ("smpp.example.kz", False)])
async def test_T36_an_own_authority_is_trusted_for_its_name_only(name: str, taken: bool) -> None:
    authority = trustme.CA()
    trust = ssl.create_default_context()
    authority.configure_trust(trust)
    async with over_tls(authority, name) as (simulator, port):
        await _submitted(port, trust, taken)
        assert len(simulator.messages()) == taken


async def test_T36_a_strange_certificate_is_refused() -> None:
    async with over_tls(trustme.CA(), "127.0.0.1") as (simulator, port):
        await _submitted(port, ssl.create_default_context(), False)
        assert simulator.messages() == ()


async def _submitted(port: int, trust: ssl.SSLContext, taken: bool) -> None:
    links = wanted(port, peers=(Peer("127.0.0.1", port, trust),))
    gateway = SmscSmpp("smpp", settings(port, tls="required"), SecretText(PASSWORD), wanted=links)
    with contextlib.nullcontext() if taken else pytest.raises(NotSent, match="certificate"):
        await gateway.submit(request_of(gateway))
    await gateway.close()


# What comes back


@pytest.mark.parametrize("form", ["both", "tlvs", "text"])
@pytest.mark.parametrize(
    ("fate", "state"), [("delivered", "DELIVERED"), ("read", "DELIVERED"), ("undelivered", "UNDELIVERED")]
)
async def test_a_receipt_says_what_became_of_it(form: Any, fate: str, state: str) -> None:
    async with smpp_world(SmppSwitches(receipts=form)) as world:
        world.fault(fate=fate)
        accepted = await world.gateway.submit(request_of(world.gateway))
        await until(lambda: world.arrivals)
        (report,) = world.arrivals
        assert isinstance(report, Report)
        assert (report.provider_id, report.phone, report.answer.state) == (accepted.provider_id, PHONE, state)
        assert report.answer.error == ("1" if fate == "undelivered" else "")
        if form != "text":
            assert report.answer.cost == Decimal(18)
        if form != "tlvs":
            assert report.answer.at is not None
            assert abs(report.answer.at - datetime.now(UTC)) < timedelta(minutes=2)


async def test_each_part_has_a_receipt(world: World) -> None:
    accepted = await world.gateway.submit(request_of(world.gateway, text="x" * 400))
    await until(lambda: len(world.arrivals) == 3)
    reported = [one.provider_id for one in world.arrivals if isinstance(one, Report)]
    assert sorted(reported) == sorted(accepted.provider_id.split())


@pytest.mark.parametrize("inbound", ["udh", "udh16", "sar", "payload", "latin-1"])
@pytest.mark.parametrize(
    "text", ["12 ok", "12 ок", "x" * 300, "ж" * 100], ids=["gsm", "ucs2", "gsm parts", "ucs2 parts"]
)
async def test_an_answer_of_a_person_arrives_whole_or_in_pieces_that_make_it(inbound: Any, text: str) -> None:
    async with smpp_world(SmppSwitches(inbound=inbound)) as world:
        await until(lambda: world.simulator.smpp.bound == 1)
        world.simulator.reply(PHONE, text, NUMBER)
        await until(lambda: world.arrivals and len(world.arrivals) == getattr(world.arrivals[0], "total", 1))
        if isinstance(world.arrivals[0], Inbound):
            assert (world.arrivals[0].phone, world.arrivals[0].to) == (PHONE, NUMBER)
            assert world.arrivals[0].text == text
        else:
            pieces = sorted((one for one in world.arrivals if isinstance(one, Piece)), key=lambda one: one.number)
            assert {(one.phone, one.to, one.total) for one in pieces} == {(PHONE, NUMBER, len(pieces))}
            assert world.gateway.decoded(b"".join(one.octets for one in pieces), pieces[0].coding) == text


async def test_F10_what_could_not_be_kept_is_not_acknowledged_and_comes_again() -> None:
    async with smpp_world(SmppSwitches(again_seconds=0.05)) as world:
        await until(lambda: world.simulator.smpp.bound == 1)
        world.refuse.append(StoreUnavailable("locked"))
        world.simulator.reply(PHONE, "12 ok", NUMBER)
        await until(lambda: world.arrivals)
        await until(lambda: len(world.simulator.air.posted) == 2)
        assert [one.reason for one in world.simulator.air.posted] == ["0x64", "0x0"]


async def test_without_anybody_who_keeps_nothing_is_acknowledged_away() -> None:
    async with smpp_world() as world:
        await world.gateway.close()
        alone = SmscSmpp("smpp", settings(world.port), SecretText(PASSWORD), wanted=wanted(world.port))
        await alone.submit(request_of(alone))
        await asyncio.sleep(0.1)
        assert not world.simulator.air.posted
        await alone.open(world.keep)
        await until(lambda: world.arrivals)
        await alone.close()


async def test_a_question_by_the_provider_s_ids_tells_the_fate_of_the_worst_part(world: World) -> None:
    accepted = await world.gateway.submit(request_of(world.gateway, text="x" * 400))
    question = Question(PHONE, "1234", accepted.provider_id)
    await until(lambda: world.arrived[0].status == 1)
    assert (await world.gateway.status(question)).state == "DELIVERED"
    assert list(await world.gateway.statuses([question, Question(PHONE, "2")])) == [question]
    with pytest.raises(NoWayToAsk):
        await world.gateway.status(Question(PHONE, "1234"))
    with pytest.raises(TemporaryFailure):
        await world.gateway.status(Question(PHONE, "1234", "999"))


# Secrets


async def test_T29_no_secret_is_logged_or_said(
    caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str]
) -> None:
    said: list[str] = []
    async with smpp_world(answer_within=0.2) as world:
        with caplog.at_level(logging.DEBUG):
            for number, fault in enumerate(({}, {"command_status": 0x45}, *LOST)):
                world.fault(**fault)
                try:
                    await world.gateway.submit(request_of(world.gateway, str(number), text=f"n {number}"))
                except DeliveryError as error:
                    said.append(f"{error!r} {error} {error.__cause__!r} {error.__context__!r}")
        said += [repr(world.gateway), repr([one.as_json() for one in world.simulator.air.exchanges])]
    assert len(said) == 8
    printed = capsys.readouterr()
    assert "link up" in printed.out + caplog.text  # as no test or another one of this process has set logs up
    assert all("canary" not in text for text in [*said, caplog.text, printed.out, printed.err])
