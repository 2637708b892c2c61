"""The smsc door on a real socket: what leaves, and what it means when it goes wrong."""

from __future__ import annotations

import dataclasses
import json
import socket
import ssl
import time
import traceback
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import trustme
from hypothesis import given
from hypothesis import strategies as st

from bridge.config.models.providers import Provider
from bridge.config.secrets import SecretText
from bridge.errors import ConfigError, NotSent, OutcomeUnknown, PermanentFailure, TemporaryFailure
from bridge.model import Message, WayText
from bridge.providers.base import Accepted, Question, Request, StatusAnswer
from bridge.providers.http import HttpClient
from bridge.providers.smsc_http import SmscHttp

pytestmark = pytest.mark.anyio

Make = Callable[..., SmscHttp]
NOW = datetime(2026, 11, 21, 3, 12, tzinfo=UTC)
DANGERS = json.loads((Path(__file__).parents[2] / "vectors" / "dangerous_texts.json").read_text())
TAKEN = b'{"id": 1234, "cnt": 1, "cost": "18.00", "balance": "982.00"}'
NOBODY = "http://127.0.0.1:1"
BLANK = Message(
    id=1,
    phone="+77010000001",
    person="aigul",
    text="12 CRIT db01: disk full",
    encoding="GSM-7",
    segments=1,
    price=None,
    currency="KZT",
    rule="night",
    message_class="critical",
    channel="sms",
    providers=("smsc",),
    originator="",
    answerable=False,
    created_at=NOW,
    due_at=NOW,
    valid_until=NOW + timedelta(minutes=30),
    language="en",
)


def message(**changes: Any) -> Message:
    return dataclasses.replace(BLANK, **changes)


def request_of(door: SmscHttp, *, repeat: bool = False, **changes: Any) -> Request:
    return Request(door.canonical(message(**changes), NOW), "1234", repeat)


# What leaves


async def test_sends_one_form_with_everything_and_nothing_else(door: Make, wire: Any) -> None:
    async with wire.peer(wire.answer(TAKEN)) as peer:
        gateway = door(peer.url)
        accepted = await gateway.submit(request_of(gateway))
    assert accepted == Accepted("1234", 1, Decimal("18.00"), Decimal("982.00"))
    assert peer.heads[0].startswith(b"POST /sys/send.php HTTP/1.1")
    assert peer.form() == {
        "login": "acme",
        "psw": "canary-Passw0rd&=+",
        "phones": "77010000001",
        "mes": "12 CRIT db01: disk full",
        "charset": "utf-8",
        "fmt": "3",
        "cost": "3",
        "op": "1",
        "translit": "0",
        "valid": "00:30",
        "maxsms": "1",
        "id": "1234",
    }


async def test_a_key_stands_alone(door: Make, wire: Any) -> None:
    async with wire.peer(wire.answer(TAKEN)) as peer:
        gateway = door(peer.url, apikey={"env": "KEY"})
        await gateway.submit(request_of(gateway))
    assert peer.form()["apikey"] == "canary-Passw0rd&=+"
    assert {"login", "psw"} & peer.form().keys() == set()


async def test_a_resend_is_the_same_request_byte_for_byte_with_today_s_password(
    door: Make, http: HttpClient, wire: Any
) -> None:
    async with wire.peer(wire.answer(TAKEN)) as peer:
        gateway = door(peer.url)
        stored = json.loads(json.dumps(dict(gateway.canonical(message(text="Сервер упал & co"), NOW))))
        await gateway.submit(Request(stored, "1234"))
        await gateway.submit(Request(stored, "1234", repeat=True))
        settings = Provider.model_validate(
            {"type": "smsc-http", "base_url": peer.url, "login": "acme", "password": {"env": "X"}}
        )
        renewed = SmscHttp("smsc", settings, SecretText("new"), http)
        await renewed.submit(Request(stored, "1234", repeat=True))
    assert peer.bodies[0] == peer.bodies[1]
    assert peer.form(2) == peer.form(0) | {"psw": "new"}
    assert renewed.revision == gateway.revision


async def test_the_stored_request_holds_no_credentials_and_no_id(door: Make) -> None:
    canonical = door(NOBODY).canonical(message(), NOW)
    assert {"login", "psw", "apikey", "id", "list"} & canonical.keys() == set()
    assert "canary" not in json.dumps(dict(canonical))


@pytest.mark.parametrize(("channel", "flag"), [("flash", "flash"), ("call", "call"), ("viber", "viber"), ("sms", None)])
async def test_a_channel_is_one_flag(door: Make, channel: str, flag: str | None) -> None:
    canonical = door(NOBODY).canonical(message(channel=channel), NOW)
    flags = {"flash", "call", "viber", "whatsapp", "soc", "mail", "hlr", "ping", "bin", "tg", "bot"}
    assert flags & canonical.keys() == ({flag} if flag else set())


@pytest.mark.parametrize(("way", "flag"), [("vk", "soc"), ("whatsapp", "whatsapp"), ("viber", "viber")])
async def test_an_ordinary_message_takes_the_first_way_of_the_door(door: Make, way: str, flag: str) -> None:
    gateway = door(NOBODY, channels=[way, "sms"])
    assert gateway.canonical(message(), NOW)[flag] == "1"
    assert flag not in gateway.canonical(message(channel="call"), NOW)
    assert flag not in gateway.canonical(message(way=1), NOW)
    assert flag not in gateway.canonical(message(way=7), NOW), "ways that were taken away leave the last"


@pytest.mark.parametrize(
    ("kind", "way", "wish", "valid"),
    [
        ("normal", 0, None, "00:05"),
        ("critical", 0, None, "00:03"),
        ("critical", 0, timedelta(minutes=9), "00:09"),
        ("normal", 1, None, "00:30"),
    ],
)
async def test_a_way_is_tried_no_longer_than_the_next_one_may_wait(
    door: Make, kind: Any, way: int, wish: timedelta | None, valid: str
) -> None:
    gateway = door(NOBODY, channels=["viber", "sms"], viber_validity="5m")
    ways = (WayText("viber", validity=wish),) if wish else ()
    assert gateway.canonical(message(message_class=kind, way=way, ways=ways), NOW)["valid"] == valid


async def test_viber_shows_the_rule_s_own_text_and_no_part_is_counted(door: Make) -> None:
    gateway = door(NOBODY, channels=["viber", "sms"])
    rich = message(ways=(WayText("viber", "__CALL__: a long story"),))
    by_viber, by_sms = gateway.canonical(rich, NOW), gateway.canonical(dataclasses.replace(rich, way=1), NOW)
    assert (by_viber["mes"], "maxsms" in by_viber) == ("_CALL__: a long story", False)
    assert (by_sms["mes"], by_sms["maxsms"]) == (BLANK.text, "1")


@pytest.mark.parametrize(
    ("left", "valid"),
    [
        (timedelta(minutes=30), "00:30"),
        (timedelta(hours=2, minutes=5, seconds=59), "02:05"),
        (timedelta(seconds=10), "00:01"),
        (timedelta(seconds=-10), "00:01"),
        (timedelta(days=3), "24:00"),
    ],
)
async def test_the_life_time_is_what_is_left_between_a_minute_and_a_day(
    door: Make, left: timedelta, valid: str
) -> None:
    assert door(NOBODY).canonical(message(valid_until=NOW + left), NOW)["valid"] == valid


@pytest.mark.parametrize(
    ("changes", "sender"),
    [
        ({}, "ACME"),
        ({"phone": "+77770000001"}, "ACME-KZ"),
        ({"phone": "+79161234567"}, "ACME"),
        ({"originator": "NIGHT"}, "NIGHT"),
        ({"originator": "+77055550001"}, "77055550001"),
        ({"answerable": True}, "77055550000"),
        ({"answerable": True, "originator": "NIGHT"}, "77055550000"),
    ],
)
async def test_the_sender_is_where_an_answer_arrives_else_the_rule_s_else_the_prefix_s(
    door: Make, changes: dict[str, Any], sender: str
) -> None:
    gateway = door(
        NOBODY, sender="ACME", senders={"+77": "A", "+7777": "ACME-KZ", "+7701": "ACME"}, number="+77055550000"
    )
    assert gateway.canonical(message(**changes), NOW)["sender"] == sender


async def test_without_any_sender_the_account_s_own_is_used(door: Make) -> None:
    assert "sender" not in door(NOBODY).canonical(message(answerable=True), NOW)


async def test_number_as_sender_false_keeps_the_name(door: Make) -> None:
    gateway = door(NOBODY, sender="ACME", number="+77055550000", number_as_sender=False)
    assert gateway.canonical(message(answerable=True), NOW)["sender"] == "ACME"


@pytest.mark.parametrize(
    ("changes", "most"),
    [
        ({"segments": 2}, "2"),
        ({"text": "Сервер", "encoding": "UCS-2", "segments": 3}, "3"),
        ({"text": "señor"}, None),
        ({"channel": "call"}, None),
    ],
)
async def test_parts_are_capped_where_both_sides_count_alike(
    door: Make, changes: dict[str, Any], most: str | None
) -> None:
    assert door(NOBODY).canonical(message(**changes), NOW).get("maxsms") == most


async def test_a_number_that_would_be_repaired_keeps_its_plus(door: Make) -> None:
    gateway = door(NOBODY)
    assert gateway.canonical(message(phone="+84912345678"), NOW)["phones"] == "+84912345678"
    assert gateway.canonical(message(phone="+8613912345678"), NOW)["phones"] == "8613912345678"


# Hostile content


@pytest.mark.parametrize(
    "recipient", [*DANGERS["dangerous_recipients"], "+7701000000１", "+0701000000", "77010000001\n"]
)
async def test_T15_nothing_but_one_number_is_a_recipient(door: Make, wire: Any, recipient: str) -> None:
    async with wire.peer(wire.answer(TAKEN)) as peer:
        gateway = door(peer.url)
        for stored in (
            gateway.canonical(message(phone=recipient), NOW),
            {**gateway.canonical(message(), NOW), "phones": recipient},
        ):
            with pytest.raises(PermanentFailure) as caught:
                await gateway.submit(Request(stored, "1234"))
            assert caught.value.status == "5.1.3"
    assert peer.bodies == []


@pytest.mark.parametrize("danger", DANGERS["dangerous"], ids=lambda one: one["why"])
async def test_T13_T14_no_text_is_a_command(door: Make, danger: dict[str, str]) -> None:
    text = door(NOBODY).canonical(message(text=danger["text"]), NOW)["mes"]
    plain = text.strip("\ufeff\u200b \t\r\n").upper()
    assert not plain.startswith("__")
    assert all(line.strip() != "~~~" for line in text.replace("\r", "\n").split("\n"))


@pytest.mark.parametrize("text", [text for text in DANGERS["must_stay_unchanged"] if not text.startswith("__")])
async def test_a_harmless_text_stays_as_it_is(door: Make, text: str) -> None:
    assert door(NOBODY).canonical(message(text=text), NOW)["mes"] == text


@pytest.mark.parametrize(
    "text",
    [
        "x&cost=1",
        "x&phones=77010000009",
        "a=b&list=77010000009:other",
        "100% + 5; ok?",
        "%26cost=1",
        "\x00@/etc/passwd",
        "ok\n77010000009:other text",
        "Қазақстан 👍",
    ],
)
async def test_T15_a_text_is_one_parameter_and_adds_none(door: Make, wire: Any, text: str) -> None:
    async with wire.peer(wire.answer(TAKEN)) as peer:
        gateway = door(peer.url)
        request = request_of(gateway, text=text, encoding="UCS-2")
        await gateway.submit(request)
    assert peer.form()["mes"] == text
    assert peer.form().keys() == {*request.canonical, "login", "psw", "id"}


@given(st.text(alphabet=st.characters(codec=None), max_size=60))
def test_a_request_can_be_made_of_any_text(text: str) -> None:
    settings = Provider.model_validate(
        {"type": "smsc-http", "base_url": NOBODY, "login": "acme", "password": {"env": "X"}}
    )
    gateway = SmscHttp("smsc", settings, SecretText("x"), HttpClient())
    canonical = gateway.canonical(message(text=text, encoding="UCS-2"), NOW)
    canonical["mes"].encode("utf-8")
    assert gateway.canonical(message(text=canonical["mes"], encoding="UCS-2"), NOW) == canonical


# How it ends


async def test_F07_a_page_of_html_is_an_unknown_outcome(door: Make, wire: Any) -> None:
    async with wire.peer(wire.answer(b"<html>502 Bad Gateway</html>", "502 Bad Gateway")) as peer:
        gateway = door(peer.url)
        with pytest.raises(OutcomeUnknown):
            await gateway.submit(request_of(gateway))
    assert len(peer.bodies) == 1


async def test_an_answer_counts_whatever_the_http_status_says(door: Make, wire: Any) -> None:
    async with wire.peer(wire.answer(TAKEN, "500 Internal Server Error")) as peer:
        gateway = door(peer.url)
        assert (await gateway.submit(request_of(gateway))).provider_id == "1234"


@pytest.mark.parametrize(
    "fault",
    ["closes", "resets", "half a head", "half a body", "HTML", "503", "nothing", "redirects", "refuses", "drips"],
)
async def test_T36_a_host_that_took_the_bytes_is_followed_by_no_other(
    door: Make, wire: Any, fault: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bridge.providers.smsc_http.LONGEST", 0.4)
    head = b"HTTP/1.1 200 OK\r\nContent-Length: 60\r\n"
    behave = {
        "closes": wire.raw(b""),
        "resets": wire.raw(b"", reset=True),
        "half a head": wire.raw(head),
        "half a body": wire.raw(head + b'\r\n{"id": 12'),
        "HTML": wire.answer(b"<html>Bad Gateway</html>", "502 Bad Gateway"),
        "503": wire.answer(b"", "503 Service Unavailable"),
        "nothing": wire.silence,
        "redirects": wire.raw(b"HTTP/1.1 307 x\r\nLocation: /other\r\nContent-Length: 0\r\n\r\n", cut=False),
        "refuses": wire.answer(b'{"error": "busy", "error_code": 9}'),
        "drips": wire.drip(TAKEN, 0.1),
    }[fault]
    async with wire.peer(behave) as first, wire.peer(wire.answer(TAKEN)) as second:
        gateway = door(first.url, reserve_urls=[second.url])
        with pytest.raises(NotSent if fault == "refuses" else OutcomeUnknown):
            await gateway.submit(request_of(gateway))
    assert (len(first.bodies), second.connections) == (1, 0)


async def test_T36_a_host_without_a_valid_certificate_gets_nothing_and_the_next_one_is_asked(
    door: Make, wire: Any
) -> None:
    serving = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    trustme.CA().issue_cert("127.0.0.1").configure_cert(serving)
    async with wire.peer(wire.answer(TAKEN), ssl=serving) as first, wire.peer(wire.answer(TAKEN)) as second:
        gateway = door(f"https://127.0.0.1:{first.port}", reserve_urls=[second.url])
        assert (await gateway.submit(request_of(gateway))).provider_id == "1234"
    assert (len(first.bodies), len(second.bodies)) == (0, 1)


async def test_all_hosts_share_one_deadline(door: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    """Three that take the connection and say nothing in TLS are not three times as slow."""
    monkeypatch.setattr("bridge.providers.smsc_http.LONGEST", 0.5)
    with socket.socket() as mute:
        mute.bind(("127.0.0.1", 0))
        mute.listen(5)
        url = f"https://127.0.0.1:{mute.getsockname()[1]}"
        gateway = door(url, reserve_urls=[url, url])
        begin = time.monotonic()
        with pytest.raises(NotSent):
            await gateway.submit(request_of(gateway))
    assert time.monotonic() - begin < 2


async def test_a_reserve_host_takes_over_when_the_first_is_not_there(door: Make, wire: Any) -> None:
    async with wire.peer(wire.answer(TAKEN)) as second:
        gateway = door(NOBODY, reserve_urls=[NOBODY, second.url])
        assert (await gateway.submit(request_of(gateway))).provider_id == "1234"
        assert len(second.bodies) == 1


async def test_no_host_at_all_is_not_sent(door: Make) -> None:
    gateway = door(NOBODY, reserve_urls=["http://127.0.0.1:2"])
    with pytest.raises(NotSent):
        await gateway.submit(request_of(gateway))


async def test_a_double_is_not_sent_the_first_time_and_unknown_the_second(door: Make, wire: Any) -> None:
    async with wire.peer(wire.answer(b'{"error": "duplicate request", "error_code": 9}')) as peer:
        gateway = door(peer.url)
        with pytest.raises(NotSent) as caught:
            await gateway.submit(request_of(gateway))
        assert caught.value.retry_after == 61
        with pytest.raises(OutcomeUnknown):
            await gateway.submit(request_of(gateway, repeat=True))


# Questions


async def test_asks_for_one_message_by_number_and_id(door: Make, wire: Any) -> None:
    async with wire.peer(wire.answer(b'{"status": 1, "err": 0}')) as peer:
        answer = await door(peer.url).status(Question("+77010000001", "1234"))
    assert answer.state == "DELIVERED"
    assert peer.heads[0].startswith(b"POST /sys/status.php ")
    expected = {"phone": "77010000001", "id": "1234", "all": "2", "fmt": "3", "charset": "utf-8"}
    assert expected.items() <= peer.form().items()


async def test_asks_for_many_in_one_list(door: Make, wire: Any) -> None:
    one, two = Question("+77010000001", "1"), Question("+77010000002", "2")
    async with wire.peer(wire.answer(b'[{"id": 2, "status": 20, "err": 6}, {"id": 1, "status": 0}]')) as peer:
        found = await door(peer.url).statuses([one, two, Question("G1", "3")])
    assert (found[one].state, found[two].state) == ("ACCEPTED", "UNDELIVERED")
    assert (peer.form()["phone"], peer.form()["id"]) == ("77010000001,77010000002", "1,2")


async def test_asks_for_a_single_one_alone(door: Make, wire: Any) -> None:
    one = Question("+77010000001", "1")
    async with wire.peer(wire.answer(b'{"status": 1, "err": 0}')) as peer:
        gateway = door(peer.url)
        assert (await gateway.statuses([one]))[one].state == "DELIVERED"
        assert await gateway.statuses([Question("G1", "3")]) == {}
    assert [peer.form(place)["id"] for place in range(len(peer.bodies))] == ["1"]


async def test_asks_for_one_list_a_minute(door: Make, wire: Any) -> None:
    questions = [Question("+77010000001", "1"), Question("+77010000002", "2")]
    async with wire.peer(wire.answer(b"[]")) as peer:
        gateway = door(peer.url)
        await gateway.statuses(questions)
        with pytest.raises(TemporaryFailure) as caught:
            await gateway.statuses(questions)
    assert 55 < caught.value.retry_after <= 61
    assert len(peer.bodies) == 1


async def test_asks_for_no_more_than_fifty_at_once(door: Make, wire: Any) -> None:
    questions = [Question(f"+7701{n:07}", str(n)) for n in range(1, 80)]
    async with wire.peer(wire.answer(b"[]")) as peer:
        assert await door(peer.url).statuses(questions) == {}
    assert peer.form()["id"].split(",") == [str(n) for n in range(1, 51)]


async def test_a_question_without_an_answer_may_be_asked_again(door: Make, wire: Any) -> None:
    async with wire.peer(wire.raw(b"")) as peer:
        for ask in (
            door(peer.url).status(Question("+77010000001", "1")),
            door(peer.url).balance(),
            door(peer.url).inbound(0, 24),
            door(NOBODY).balance(),
        ):
            with pytest.raises(TemporaryFailure):
                await ask


async def test_asks_for_the_balance_with_its_currency(door: Make, wire: Any) -> None:
    async with wire.peer(wire.answer(b'{"balance": "100.01", "currency": "KZT"}')) as peer:
        balance = await door(peer.url).balance()
    assert (balance.amount, balance.currency) == (Decimal("100.01"), "KZT")
    assert peer.form()["cur"] == "1"


async def test_a_price_question_can_send_nothing(door: Make, wire: Any) -> None:
    async with wire.peer(wire.answer(b'{"cost": "1.40", "cnt": 1}')) as peer:
        gateway = door(peer.url)
        price = await gateway.price(request_of(gateway))
    assert (price.cost, price.segments) == (Decimal("1.40"), 1)
    assert peer.form()["cost"] == "1"
    assert "id" not in peer.form()


async def test_polls_inbound_by_hours_first_and_by_id_afterwards(door: Make, wire: Any) -> None:
    async with wire.peer(wire.answer(b"[]")) as peer:
        gateway = door(peer.url)
        await gateway.inbound(0, 24)
        await gateway.inbound(48583869, 24)
    first, second = peer.form(0), peer.form(1)
    assert (first["get_answers"], first["hour"], "after_id" in first) == ("1", "24", False)
    assert (second["after_id"], "hour" in second) == ("48583869", False)


async def test_an_sms_whose_id_is_lower_than_the_last_one_is_found_now_and_then(
    door: Make, wire: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    late, newer = ({"id": n, "phone": "77010000001", "message": f"{n}"} for n in (7, 12))
    listed = json.dumps([late, newer]).encode()
    script = [wire.answer(b"[]"), wire.answer(json.dumps([newer]).encode()), wire.answer(listed), wire.answer(b"[]")]
    async with wire.peer(*script) as peer:
        gateway = door(peer.url)
        assert await gateway.inbound(10, 24) == ()
        monkeypatch.setattr(gateway, "_next_late", 0.0)  # ten minutes later
        assert [one.id for one in await gateway.inbound(10, 24)] == ["12", "7"]
        assert await gateway.inbound(12, 24) == ()
    asked = [(peer.form(n).get("after_id"), peer.form(n).get("hour")) for n in range(len(peer.bodies))]
    assert asked == [("10", None), ("10", None), (None, "1"), ("12", None)]


async def test_a_long_list_of_inbound_is_read_whole(door: Make, wire: Any) -> None:
    rows = [{"id": n, "phone": "77010000001", "message": "x" * 500} for n in range(1, 500)]
    async with wire.peer(wire.answer(json.dumps(rows).encode())) as peer:
        assert len(await door(peer.url).inbound(0, 24)) == 499


# Whose message a status is about


@pytest.mark.parametrize(
    ("found", "ours"),
    [
        (StatusAnswer("ACCEPTED"), True),
        (StatusAnswer("ACCEPTED", phone="77010000001", text="12 CRIT db01: disk full", sent_at=NOW), True),
        (StatusAnswer("ACCEPTED", text=" 12 crit db01: disk  full\r\n"), True),
        (StatusAnswer("ACCEPTED", text="12 CRIT db01"), True),
        (StatusAnswer("ACCEPTED", sent_at=NOW - timedelta(minutes=1)), True),
        (StatusAnswer("DELIVERED", phone="77010000002"), False),
        (StatusAnswer("DELIVERED", text="13 CRIT db02: disk full"), False),
        (StatusAnswer("DELIVERED", text="12 CRIT db01: disk full", sent_at=NOW - timedelta(hours=1)), False),
    ],
)
async def test_T37_a_reused_id_is_not_our_message(door: Make, found: StatusAnswer, ours: bool) -> None:
    gateway = door(NOBODY)
    assert gateway.is_ours(request_of(gateway), found, NOW) is ours


async def test_a_number_with_its_plus_is_still_ours(door: Make) -> None:
    gateway = door(NOBODY)
    request = request_of(gateway, phone="+84912345678")
    assert gateway.is_ours(request, StatusAnswer("ACCEPTED", phone="84912345678"), NOW)


# The door itself


async def test_doors_with_one_login_are_one_account(door: Make) -> None:
    assert door(NOBODY).account == door("https://smsc.kz").account == "smsc:acme"
    assert door(NOBODY, apikey={"env": "K"}).account != "smsc:acme"


async def test_the_revision_follows_what_a_stored_request_means(door: Make) -> None:
    revision = door("https://smsc.kz").revision
    assert door("https://smsc.kz", sender="ACME", rate="5/1s").revision == revision
    assert door("https://smsc.ru").revision != revision
    assert door("https://smsc.kz", reserve_urls=["https://www2.smsc.kz"]).revision != revision


async def test_limits_are_the_provider_s_at_most(door: Make) -> None:
    assert [door(NOBODY, **keys).parallel for keys in ({}, {"parallel": 3}, {"parallel": 99})] == [14, 3, 14]
    assert door(NOBODY).ids == (1, 2**31 - 1)
    assert door(NOBODY, ids="1000-2000").ids == (1000, 2000)


async def test_T36_a_door_without_tls_does_not_open(door: Make) -> None:
    with pytest.raises(ConfigError, match="insecure: true"):
        door("http://smsc.kz")
    with pytest.raises(ConfigError, match="insecure: true"):
        door("https://smsc.kz", reserve_urls=["http://www2.smsc.kz"])
    assert door("http://smsc.kz", insecure=True).name == "smsc"


async def test_T29_no_error_and_no_print_holds_the_password(door: Make, wire: Any) -> None:
    said: list[str] = []
    async with wire.peer(wire.raw(b""), wire.answer(b"canary?"), wire.answer(b'{"error_code": 2}')) as peer:
        gateway = door(peer.url)
        for url in (peer.url, peer.url, peer.url, NOBODY, "http://127.0.0.1:99999"):
            try:
                target = door(url)
                await target.submit(request_of(target))
            except Exception as error:  # noqa: BLE001 - every one of them is printed
                said.append("".join(traceback.format_exception(error)))
        said.append(repr(gateway) + str(gateway) + repr(vars(gateway)["_secret"]))
    assert len(said) == 6
    assert all("Passw0rd" not in text for text in said)
