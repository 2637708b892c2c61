"""What the page leaves open about smsgate's answers: whichever way it is, a message is taken once and asked for."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from bridge.config.models.providers import Provider
from bridge.config.secrets import SecretText
from bridge.errors import AccountPaused, DeliveryError, PermanentFailure
from bridge.providers.base import Accepted, NoWayToAsk, Question, Request, StatusAnswer
from bridge.providers.http import HttpClient
from bridge.providers.smsgate import Smsgate
from bridge.simulator.serve import running
from bridge.simulator.settings import Account, SmsgateSwitches, Switches
from bridge.simulator.simulator import Simulator

pytestmark = pytest.mark.anyio

SECRET = "pa55word-that-nobody-may-see"
PHONE = "77010000001"
DOORS = ["smsgate-json", "smsgate-xml", "smsgate-get"]
SWITCHES: list[dict[str, Any]] = [
    {},
    {"ids_as_numbers": True},
    {"later_ids": True},
    {"id_whatsapp": False},
    {"echo_client_id": False},
    {"single_as_object": True},
    {"refusal_in_list": True},
    {"error_status": 400},
    {"error_prefix": False},
    {"error_prefix": False, "error_status": 400},
    {"macros": True},
    {"unknown_id": "message not found"},
]


@asynccontextmanager
async def opened(kind: str, switches: dict[str, Any], **account: Any) -> AsyncIterator[tuple[Smsgate, Simulator]]:
    known = Account(login="one", password=SECRET, balance=Decimal(1000), **account)
    simulator = Simulator(accounts=(known,), switches=Switches(smsgate=SmsgateSwitches(minute=0.3, **switches)))
    async with running(simulator) as port, HttpClient() as http:
        keys = {"type": kind, "base_url": f"http://127.0.0.1:{port}", "login": "one", "password": {"env": "X"},
                "sender": "ACME", "viber_sender": "ACME", "channels": ["viber", "sms"]}  # fmt: skip
        yield Smsgate("gate", Provider.model_validate(keys), SecretText(SECRET), http), simulator


def request(**changes: str) -> Request:
    fields = {"phone": PHONE, "send_viber": "1", "send_sms": "2", "text_viber": "disk #number# full",
              "text_sms": "disk full", "sender_viber": "ACME", "sender_sms": "ACME",
              "validity_period_viber": "1"}  # fmt: skip
    return Request({**fields, **changes}, "1234")


async def fate(gate: Smsgate, id: str) -> StatusAnswer | DeliveryError:
    try:
        return await gate.status(Question(f"+{PHONE}", "1234", id))
    except DeliveryError as error:
        return error


@pytest.mark.parametrize("switches", SWITCHES, ids=str)
@pytest.mark.parametrize("kind", DOORS)
async def test_a_message_is_taken_once_and_found_by_its_id(kind: str, switches: dict[str, Any]) -> None:
    async with opened(kind, switches) as (gate, simulator):
        accepted = await gate.submit(request())
        assert accepted.provider_id
        found = await fate(gate, accepted.provider_id)
        assert isinstance(found, StatusAnswer)
        assert found.state in ("ACCEPTED", "DELIVERED")
        assert [message.channel for message in simulator.messages(PHONE)] == ["viber"]
        nobody_s = await fate(gate, "999999999")
        assert isinstance(nobody_s, StatusAnswer)
        assert nobody_s.state is None


@pytest.mark.parametrize("switches", SWITCHES, ids=str)
@pytest.mark.parametrize("kind", DOORS)
async def test_a_refusal_is_one_however_it_is_written(kind: str, switches: dict[str, Any]) -> None:
    async with opened(kind, switches, black_list=(PHONE,)) as (gate, simulator):
        with pytest.raises(PermanentFailure) as caught:
            await gate.submit(request())
        assert "стоп-лист" in caught.value.code
        assert simulator.messages(PHONE) == ()


@pytest.mark.parametrize("switches", SWITCHES, ids=str)
@pytest.mark.parametrize("kind", DOORS)
async def test_F24_a_wrong_password_is_one_however_it_is_written(kind: str, switches: dict[str, Any]) -> None:
    async with opened(kind, switches) as (gate, simulator):
        accounts = simulator.air.accounts
        accounts["one"] = accounts["one"].model_copy(update={"password": "another"})
        for ask in (gate.submit(request()), gate.balance(), gate.inbound(0, 24)):
            with pytest.raises(AccountPaused) as caught:
                await ask
            assert caught.value.cause == "password"


@pytest.mark.parametrize("repeated", ["same id", "error", "no id"])
@pytest.mark.parametrize("kind", ["smsgate-json", "smsgate-xml"])
async def test_the_same_number_again_is_the_same_message(kind: str, repeated: str) -> None:
    async with opened(kind, {"repeated": repeated}) as (gate, simulator):
        first = await gate.submit(request())
        again = await gate.submit(Request(request().canonical, "1234", repeat=True, heard=True, attempt=2))
        assert again in (first, Accepted(""))
        assert len(simulator.messages(PHONE)) == 1


@pytest.mark.parametrize("kind", DOORS[:2])
@pytest.mark.parametrize("everywhere", [True, False])
async def test_a_token_that_may_send_but_not_ask_is_no_wrong_password(kind: str, everywhere: bool) -> None:
    known = Account(login="one", password="x", apikey=SECRET, balance=Decimal(1000))
    switches = Switches(smsgate=SmsgateSwitches(token_everywhere=everywhere))
    async with running(Simulator(accounts=(known,), switches=switches)) as port, HttpClient() as http:
        keys = {"type": kind, "base_url": f"http://127.0.0.1:{port}", "token": {"env": "X"}, "sender": "ACME"}
        gate = Smsgate("gate", Provider.model_validate(keys), SecretText(SECRET), http)
        sent = await gate.submit(Request({"phone": PHONE, "send_sms": "1", "text_sms": "x", "sender_sms": "ACME"}, "7"))
        found = await fate(gate, sent.provider_id)
        assert type(found) is (StatusAnswer if everywhere or kind == "smsgate-json" else NoWayToAsk)
        for ask in (gate.balance(), gate.inbound(0, 24)):
            if everywhere:
                assert await ask is not None
            else:
                with pytest.raises(NoWayToAsk):
                    await ask


async def test_an_sms_that_came_in_is_fetched_whatever_the_clock_of_the_provider_shows() -> None:
    for hours in (-11, 0, 14):
        async with opened("smsgate-json", {"hours_from_utc": hours}, number="3443") as (gate, simulator):
            simulator.reply(PHONE, "12 ок\nда", to="3443")
            (one,) = await gate.inbound(0, 1)
            assert (one.phone, one.to, one.text) == (f"+{PHONE}", "3443", "12 ок\nда")
            assert one.received is not None
            assert abs(one.received - datetime.now(UTC)) < timedelta(hours=15)
