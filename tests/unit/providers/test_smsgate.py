"""The smsgate doors on a real socket: what leaves, and what is learnt from what comes back."""

from __future__ import annotations

import dataclasses
import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from bridge.config.models.providers import Provider
from bridge.config.secrets import SecretText
from bridge.errors import (
    AccountPaused,
    ConfigError,
    DeliveryError,
    NotSent,
    OutcomeUnknown,
    PermanentFailure,
    TemporaryFailure,
)
from bridge.model import Message
from bridge.providers.base import Accepted, Question, Request
from bridge.providers.build import gateways
from bridge.providers.http import HttpClient
from bridge.providers.smsgate import Smsgate

pytestmark = pytest.mark.anyio

SECRET = "canary-Passw0rd&=+"
NOW = datetime(2026, 11, 21, 3, 12, tzinfo=UTC)
PHONE = "+77010000001"
TAKEN = json.dumps({"message": [[{"id_message": "1000123", "client_id_message": "1234", "phone": "77010000001"}]]})
BLANK = Message(
    id=1, phone=PHONE, person="aigul", text="12 CRIT db01: disk full", encoding="GSM-7", segments=1, price=None,
    currency="KZT", rule="night", message_class="critical", channel="sms", providers=("gate",), originator="",
    answerable=False, created_at=NOW, due_at=NOW, valid_until=NOW + timedelta(minutes=30), language="en",
)  # fmt: skip


def door(http: HttpClient, url: str, kind: str = "json", **keys: Any) -> Smsgate:
    login = {} if "token" in keys else {"login": "acme", "password": {"env": "GATE"}}
    settings = Provider.model_validate({"type": f"smsgate-{kind}", "base_url": url, **login, **keys})
    return Smsgate("gate", settings, SecretText(SECRET), http, now=lambda: NOW)


def request_of(gate: Smsgate, **changes: Any) -> Request:
    return Request(gate.canonical(dataclasses.replace(BLANK, **changes), NOW), "1234")


def states(*rows: dict[str, str]) -> bytes:
    return json.dumps({"state": rows}).encode()


async def test_login_and_password_are_in_the_body_and_nowhere_else(http: HttpClient, wire: Any) -> None:
    async with wire.peer(wire.answer(TAKEN.encode())) as peer:
        assert await door(http, peer.url).submit(request_of(door(http, peer.url))) == Accepted("1000123")
    sent = json.loads(peer.bodies[0])
    assert (sent["login"], sent["password"]) == ("acme", SECRET)
    assert b"Passw0rd" not in peer.heads[0]
    assert b"application/json; charset=utf-8" in peer.heads[0]
    assert peer.heads[0].startswith(b"POST /sendmessagejson.php HTTP/1.1")


@pytest.mark.parametrize("kind", ["json", "xml"])
async def test_a_token_is_in_a_header_and_nowhere_else(http: HttpClient, wire: Any, kind: str) -> None:
    async with wire.peer(wire.answer(b"")) as peer:
        gate = door(http, peer.url, kind, token={"env": "GATE"})
        with pytest.raises(OutcomeUnknown):
            await gate.submit(request_of(gate))
    assert f"Authorization: Bearer {SECRET}".encode() in peer.heads[0]
    assert b"Passw0rd" not in peer.bodies[0]
    assert b"password" not in peer.bodies[0]


async def test_what_must_not_be_sent_costs_no_connection(http: HttpClient, wire: Any) -> None:
    async with wire.peer(wire.answer(TAKEN.encode())) as peer:
        gate = door(http, peer.url)
        for wrong in ({"phone": "G1"}, {"channel": "call"}, {"text": ""}):
            with pytest.raises(PermanentFailure):
                await gate.submit(request_of(gate, **wrong))
        with pytest.raises(PermanentFailure):
            await gate.submit(dataclasses.replace(request_of(gate), client_id="x"))
    assert peer.connections == 0


async def test_where_nobody_listens_nothing_was_sent(http: HttpClient) -> None:
    gate = door(http, "http://127.0.0.1:1")
    with pytest.raises(NotSent):
        await gate.submit(request_of(gate))
    with pytest.raises(TemporaryFailure):
        await gate.balance()


async def test_T37_an_answer_without_end_is_cut_off(http: HttpClient, wire: Any) -> None:
    async with wire.peer(wire.answer(b'{"message": "' + b"x" * 70_000 + b'"}')) as peer:
        gate = door(http, peer.url)
        with pytest.raises(OutcomeUnknown):
            await gate.submit(request_of(gate))


async def test_T29_a_provider_that_repeats_the_password_does_not_put_it_into_an_error(
    http: HttpClient, wire: Any
) -> None:
    said = json.dumps({"error": f"Что-то пошло не так: acme/{SECRET}"}, ensure_ascii=False).encode()
    async with wire.peer(wire.answer(said)) as peer:
        gate = door(http, peer.url)
        with pytest.raises(TemporaryFailure) as caught:
            await gate.submit(request_of(gate))
    assert caught.value.code == "Что-то пошло не так: acme/***"


async def test_a_message_is_asked_for_by_the_provider_s_id(http: HttpClient, wire: Any) -> None:
    async with wire.peer(wire.answer(states({"id_message": "77", "state": "deliver"}))) as peer:
        gate = door(http, peer.url)
        assert (await gate.status(Question(PHONE, "1234", "77"))).state == "DELIVERED"
        with pytest.raises(TemporaryFailure):
            await gate.status(Question(PHONE, "1234", "78"))
        with pytest.raises(TemporaryFailure):
            await gate.status(Question(PHONE, "1234"))
    assert json.loads(peer.bodies[0])["state"] == [{"id_message": "77"}]
    assert len(peer.bodies) == 2


async def test_many_are_asked_for_in_one_request_and_what_is_no_state_hides_no_other(
    http: HttpClient, wire: Any
) -> None:
    rows = states({"id_message": "2", "state": "Что-то"}, {"id_message": "1", "state": "expired"})
    async with wire.peer(wire.answer(rows)) as peer:
        asked = [Question(PHONE, str(n), str(n)) for n in range(1, 151)]
        found = await door(http, peer.url).statuses([Question(PHONE, "no id"), *asked])
        assert await door(http, peer.url).statuses([Question(PHONE, "no id")]) == {}
    assert {question.provider_id: answer.state for question, answer in found.items()} == {"1": "EXPIRED"}
    assert [len(json.loads(body)["state"]) for body in peer.bodies] == [100]


async def test_who_unsubscribes_is_named_with_account_and_way(http: HttpClient, wire: Any) -> None:
    row = {"id_message": "77", "state": "deliver", "state_viber": "unsubscribe", "state_sms": "deliver"}
    async with wire.peer(wire.answer(states(row))) as peer:
        gate, asked = door(http, peer.url, channels=["viber", "sms"]), Question(PHONE, "1234", "77 501 0")
        answers = await gate.statuses([asked])
    receipt = gate.receipt(5, answers[asked])
    assert (receipt.state, receipt.unsubscribed) == ("DELIVERED", (("smsgate:acme", "viber"),))


async def test_who_unsubscribed_gets_no_viber_from_this_account(http: HttpClient) -> None:
    gate = door(http, "http://127.0.0.1:1", channels=["viber", "sms"])
    assert "send_viber" in request_of(gate, unsubscribed=(("smsgate:other", "viber"),)).canonical
    assert "send_viber" not in request_of(gate, unsubscribed=(("smsgate:acme", "viber"),)).canonical


async def test_inbound_is_asked_for_from_far_enough_back_for_any_zone(http: HttpClient, wire: Any) -> None:
    async with wire.peer(wire.answer(b"<response/>")) as peer:
        assert await door(http, peer.url).inbound(0, 24) == ()
    assert b'<time start="2026-11-19 15:12:00" />' in peer.bodies[0]


async def test_nobody_can_ask_for_a_price(http: HttpClient) -> None:
    gate = door(http, "http://127.0.0.1:1")
    with pytest.raises(TemporaryFailure):
        await gate.price(request_of(gate))


async def test_doors_with_one_login_are_one_account_and_settings_make_a_revision(http: HttpClient) -> None:
    one, other = door(http, "https://gate.example"), door(http, "https://gate.example", "xml")
    assert one.account == other.account == "smsgate:acme"
    assert (one.doubt, other.doubt, door(http, "https://gate.example", "get").doubt) == ("repeat", "repeat", "once")
    assert one.revision != door(http, "https://other.example").revision
    assert one.revision == door(http, "https://gate.example", sender="X").revision
    assert door(http, "https://gate.example", ids="5-9").ids == (5, 9)
    token = door(http, "https://gate.example", token={"env": "GATE"})
    assert token.account.startswith("smsgate:")
    assert "canary" not in token.account + repr(token) + repr(vars(token))


@pytest.mark.parametrize(
    ("keys", "sentence"),
    [
        ({"channels": ["viber", "call"]}, "makes no calls"),
        ({"channels": ["sms", "sms"]}, "twice"),
        ({"base_url": "http://gate.example"}, "without TLS"),
        ({"base_url": None}, "names the host"),
    ],
    ids=str,
)
async def test_what_cannot_work_is_said_at_the_start(http: HttpClient, keys: dict[str, Any], sentence: str) -> None:
    with pytest.raises(ConfigError, match=sentence):
        door(http, **{"url": "https://gate.example", **keys})


def test_all_three_types_are_opened_from_the_configuration(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GATE", SECRET)
    base = {"base_url": "https://gate.example", "login": "acme", "password": {"env": "GATE"}}
    kinds = ("json", "xml", "get")
    opened = gateways(
        {kind: Provider.model_validate({"type": f"smsgate-{kind}", **base}) for kind in kinds}, HttpClient()
    )
    assert {name: type(one) for name, one in opened.items()} == dict.fromkeys(kinds, Smsgate)
    with pytest.raises(ConfigError, match=r"providers\.gate\.token: is missing"):
        gateways(
            {"gate": Provider.model_validate({"type": "smsgate-json", "base_url": "https://a.example"})}, HttpClient()
        )


async def test_a_blocked_account_says_so_when_asked(http: HttpClient, wire: Any) -> None:
    async with wire.peer(wire.answer("<response><error>Ваш аккаунт заблокирован</error></response>".encode())) as peer:
        with pytest.raises(AccountPaused) as caught:
            await door(http, peer.url).balance()
    assert caught.value.cause == "blocked"


@pytest.mark.parametrize("kind", ["json", "xml"])
async def test_every_end_is_an_acceptance_or_an_error_of_ours(http: HttpClient, wire: Any, kind: str) -> None:
    ends = [
        wire.raw(b""),
        wire.raw(b"HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\n{"),
        wire.answer(b"<html>", "502 Bad"),
    ]
    for end in ends:
        async with wire.peer(end) as peer:
            gate = door(http, peer.url, kind)
            with pytest.raises(DeliveryError) as caught:
                await gate.submit(request_of(gate))
            assert isinstance(caught.value, OutcomeUnknown)
            assert len(peer.bodies) == 1


KEPT = json.dumps({"error": "Недостаточно средств. SMS будет отправлена как только вы пополните счет."}).encode()


def money(amount: str) -> bytes:
    return f'<response><money currency="RUR">{amount}</money></response>'.encode()


@pytest.mark.parametrize(("left", "prices"), [("0", {}), ("-1", {}), ("3.10", {"default": "3.20", "+7702": "4"})])
async def test_F24_an_account_that_keeps_what_it_cannot_pay_is_given_no_more_until_there_is_money(
    http: HttpClient, wire: Any, left: str, prices: dict[str, str]
) -> None:
    answers = [KEPT, money(left), money("100"), TAKEN.encode(), TAKEN.encode()]
    async with wire.peer(*map(wire.answer, answers)) as peer:
        gate = door(http, peer.url, prices=prices)
        with pytest.raises(OutcomeUnknown):
            await gate.submit(request_of(gate))
        with pytest.raises(AccountPaused) as caught:
            await gate.submit(request_of(gate))
        assert not isinstance(caught.value, OutcomeUnknown)
        assert [b"balance.php" in head for head in peer.heads] == [False, True]
        assert await gate.submit(request_of(gate)) == Accepted("1000123")
        assert await gate.submit(request_of(gate)) == Accepted("1000123"), "nobody asks for the balance any more"
        assert len(peer.heads) == 5


async def test_F24_where_nobody_says_what_the_account_holds_the_message_itself_finds_out(
    http: HttpClient, wire: Any
) -> None:
    async with wire.peer(*map(wire.answer, [KEPT, b"?", TAKEN.encode()])) as peer:
        gate = door(http, peer.url)
        with pytest.raises(OutcomeUnknown):
            await gate.submit(request_of(gate))
        assert await gate.submit(request_of(gate)) == Accepted("1000123")


async def test_F24_a_repeat_by_its_number_asks_for_no_balance(http: HttpClient, wire: Any) -> None:
    async with wire.peer(*map(wire.answer, [KEPT, TAKEN.encode()])) as peer:
        gate = door(http, peer.url)
        with pytest.raises(OutcomeUnknown):
            await gate.submit(request_of(gate))
        again = dataclasses.replace(request_of(gate), repeat=True, heard=True)
        assert await gate.submit(again) == Accepted("1000123")
