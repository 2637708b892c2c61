"""Both answers to each question that the pages about HTTP, callbacks and mail leave open."""

from __future__ import annotations

import json
from datetime import UTC
from typing import Any
from urllib.parse import parse_qs

import pytest

from bridge.simulator.faults import Fault
from bridge.simulator.settings import Handler
from bridge.simulator.smsc.mail import MailDoor, body_of
from bridge.simulator.smsc.replies import Refused

pytestmark = pytest.mark.anyio


def asked(world: Any, door: str, **params: str) -> Any:
    return json.loads(world.ask(door, charset="utf-8", fmt="3", **params))


def shown(world: Any) -> list[tuple[str, str, str]]:
    return [(one.channel, one.text, one.hidden) for one in world.simulator.messages()]


# send.php


@pytest.mark.parametrize("prefix, channel", [("MAIL", "mail"), ("TGM", "telegram"), ("BOT", "bot")])
def test_T01_prefixes_of_the_smpp_page_may_work_over_http(world: Any, prefix: str, channel: str) -> None:
    world.send(mes=f"__{prefix}__: 1234")
    world.switch(commands="documented")
    world.send(mes=f"__{prefix}__: 4321")

    assert shown(world) == [(channel, "1234", ""), ("sms", f"__{prefix}__: 4321", "")]


def test_T01_documented_prefixes_and_comments_work_over_http_in_any_case(world: Any) -> None:
    world.switch(commands="documented")
    world.send(mes="__CALL__: one\n~~~\n10,20,3")

    assert shown(world) == [("call", "one", "10,20,3")]


@pytest.mark.parametrize("escapes, text", [(True, "one\ntwo"), (False, "one\\ntwo")])
def test_nl_may_make_lines_of_escapes_in_a_list(world: Any, escapes: bool, text: str) -> None:
    world.switch(nl_escapes=escapes)
    world.send(phones="", mes="", list="77010000001:one\\ntwo\n77010000002:x", nl="1")
    world.send(phones="", mes="", list="77010000003:one\\ntwo")

    assert [one.text for one in world.simulator.messages()] == [text, "x", "one\\ntwo"]


def test_older_servers_take_fewer_letters(world: Any) -> None:
    assert world.send(mes="x" * 1000).endswith(",7")
    world.limit(characters=800)
    assert world.send(mes="y" * 801) == "0,-1"


def test_a_flash_call_tells_its_code(world: Any) -> None:
    answer = asked(world, "send", phones="77010000001", mes="code", call="1")
    (message,) = world.simulator.messages()

    assert (message.channel, message.text) == ("call", answer["code"])
    assert len(answer["code"]) == 4
    assert "code" not in asked(world, "send", phones="77010000001", mes="code")


def test_money_is_text_or_a_number(world: Any) -> None:
    assert asked(world, "send", phones="77010000001", mes="one", cost="3", id="1") == {
        "id": 1, "cnt": 1, "cost": "1.40", "balance": "100.50",
    }  # fmt: skip
    world.switch(json_money_as_numbers=True)
    assert asked(world, "send", phones="77010000001", mes="two", cost="3", id="2") == {
        "id": 2, "cnt": 1, "cost": 1.4, "balance": 99.1,
    }  # fmt: skip


@pytest.mark.parametrize("status", [200, 400])
def test_an_error_has_the_http_status_that_is_switched(world: Any, status: int) -> None:
    world.switch(error_status=status)
    wrong, right = world.raw("send", b"login=demo&psw=secret"), world.raw("balance", b"login=demo&psw=secret")

    assert world.simulator.smsc.answer(wrong).status == status
    assert world.simulator.smsc.answer(right).status == 200


# status.php, get.php, info.php


def test_a_message_may_be_filed_late(world: Any, clock: Any) -> None:
    world.switch(filed_after=5.0)
    world.send(id="7")

    assert asked(world, "status", phone="77010000001", id="7")["status"] == -3
    clock.forward(5)
    assert asked(world, "status", phone="77010000001", id="7")["status"] == 1


@pytest.mark.parametrize("fate, last", [("read", 2), ("link", 4)])
@pytest.mark.parametrize("first", [True, False])
def test_what_was_read_may_have_been_delivered_first(world: Any, clock: Any, fate: str, last: int, first: bool) -> None:
    world.switch(delivered_first=first)
    world.simulator.air.handlers = (Handler(url="http://x/?charset=utf-8"),)
    world.simulator.set_faults({"smsc": {"all": {"fate": fate}}})
    world.send()
    clock.forward(10)
    world.simulator.messages()

    statuses = [parse_qs(body.decode())["status"][0] for body in world.posted()]
    assert statuses == (["0", "1", str(last)] if first else ["0", str(last)])


@pytest.mark.parametrize("fate, status", [("stopped", -2), ("no_money", 24)])
def test_a_mailing_may_stop_and_money_run_out_later(world: Any, clock: Any, fate: str, status: int) -> None:
    world.simulator.set_faults({"smsc": {"all": {"fate": fate}}})
    world.send(id="7")
    clock.forward(10)

    assert asked(world, "status", phone="77010000001", id="7")["status"] == status


PLACE = ["Казахстан", "Kcell", ""]


@pytest.mark.parametrize(
    "place, at", [("after err", 3), ("after phone", 5), ("after cost", 6)]
)  # the sender is the tenth field, the message the last one, wherever it stands
def test_the_country_stands_somewhere_before_the_sender(world: Any, clock: Any, place: str, at: int) -> None:
    world.switch(status_place=place)
    world.send(id="7", sender="ACME", mes="a, b")
    clock.forward(10)
    fields = world.ask("status", phone="77010000001", id="7", all="2", fmt="1", charset="utf-8").split(",", 11)

    assert fields[at : at + 3] == PLACE
    assert (fields[9], fields[11]) == ("ACME", "a, b")


@pytest.mark.parametrize("dates, hour", [("moscow", "10"), ("account", "12")])
def test_dates_are_those_of_moscow_or_of_the_account(world: Any, clock: Any, dates: str, hour: str) -> None:
    world.switch(dates=dates)
    world.account(hours_from_moscow=2)
    world.simulator.air.handlers = (Handler(url="http://x/?charset=utf-8", inbound=False),)
    world.send(id="7")
    world.simulator.reply("77010000001", "ok", "77770000000")
    clock.forward(10)

    told = asked(world, "status", phone="77010000001", id="7", all="1")
    (answer,) = asked(world, "get", get_answers="1")
    dates_told = {told["last_date"], told["send_date"], answer["received"], answer["sent"]}
    dates_told |= {parse_qs(body.decode())["time"][0] for body in world.posted()}
    assert {date[11:13] for date in dates_told} == {hour}


@pytest.mark.parametrize("level", [1, 2])
def test_history_tells_as_much_as_status(world: Any, level: int) -> None:
    world.switch(history_all=level)
    world.send(id="7")
    (row,) = asked(world, "get", get_messages="1")

    assert (row["id"], "country" in row) == (7, level == 2)


def test_an_empty_history_is_a_list_or_an_error(world: Any) -> None:
    assert asked(world, "get", get_messages="1") == []
    world.switch(empty_history="error")
    assert asked(world, "get", get_messages="1")["error_code"] == 3


@pytest.mark.parametrize("period, found", [("day", []), ("24 hours", ["late"]), ("all", ["early", "late"])])
def test_the_default_period_of_answers(world: Any, clock: Any, period: str, found: list[str]) -> None:
    world.switch(answers_period=period)
    for text, hours in (("early", 24 * 3), ("late", 20)):
        world.simulator.reply("77010000001", text, "77770000000")
        clock.forward(3600 * hours)

    assert [one["message"] for one in asked(world, "get", get_answers="1")] == found


def test_ids_of_answers_may_not_grow(world: Any) -> None:
    world.switch(inbound_ids="swapped")
    for text in ("one", "two", "three"):
        world.simulator.reply("77010000001", text, "77770000000")

    assert [one["id"] for one in asked(world, "get", get_answers="1")] == [2, 1, 4]


def test_less_may_be_known_of_a_number(world: Any) -> None:
    question = {"get_operator": "1", "phone": "77010000001"}
    assert set(asked(world, "info", **question)) == {"operator", "region", "country", "mcc", "mnc", "tz"}
    world.switch(info_brief=True)
    assert set(asked(world, "info", **question)) == {"operator", "region"}


def test_numbers_to_call_may_be_parted_otherwise(world: Any) -> None:
    world.switch(wait_call_separator=";")

    assert world.ask("wait_call", phone="77010000001", fmt="1") == "77770000001;77770000002"
    assert world.ask("wait_call", phone="77010000001", fmt="0").endswith("all_phones = 77770000001;77770000002")


# posts


@pytest.mark.parametrize("fmt", [2, 3])
@pytest.mark.parametrize("signed", [True, False])
def test_a_document_may_be_unsigned(world: Any, fmt: int, signed: bool) -> None:
    world.switch(sum_in_documents=signed)
    world.simulator.air.handlers = (Handler(url=f"http://x/?charset=utf-8&fmt={fmt}&sha1=hush"),)
    world.simulator.reply("77010000001", "ok", "77770000000")

    assert [b"sha1" in body for body in world.posted()] == [signed]


def test_a_form_is_always_signed(world: Any) -> None:
    world.switch(sum_in_documents=False)
    world.simulator.air.handlers = (Handler(url="http://x/?charset=utf-8&sha1=hush"),)
    world.simulator.reply("77010000001", "ok", "77770000000")

    assert [b"sha1=" in body for body in world.posted()] == [True]


# mail


async def take(world: Any, body: str, kind: str = "plain") -> None:
    mail = f"Content-Type: text/{kind}; charset=utf-8\r\n\r\n{body}".encode()
    await MailDoor(world.simulator.air, world.simulator.smsc).take(mail, "send@send.smsc.kz", "127.0.0.1")


@pytest.mark.parametrize("commands, found", [("all", ("call", "x", "")), ("documented", ("sms", "__CALL__: x", ""))])
async def test_T01_commands_may_work_by_mail(world: Any, commands: str, found: tuple[str, str, str]) -> None:
    world.switch(commands=commands)
    await take(world, "demo:secret:7:0:0,0,:77010000001:__CALL__: x")

    assert shown(world) == [found]


async def test_by_mail_a_comment_may_be_text(world: Any) -> None:
    world.switch(commands="documented")
    await take(world, "demo:secret:7:0:0,0,:77010000001:x\n~~~\ny")

    assert shown(world) == [("sms", "x\n~~~\ny", "")]


@pytest.mark.parametrize("html", [True, False])
async def test_a_mail_of_html_alone_may_be_read(world: Any, html: bool) -> None:
    world.switch(mail_html=html)
    await take(world, "<p>[text]demo:secret:7:0:0,0,:77010000001:x[/text]</p>", "html")

    assert [one.text for one in world.simulator.messages()] == ["x"] * html


def test_a_mail_without_text_is_refused_where_html_is_not_read() -> None:
    with pytest.raises(Refused):
        body_of(b"Content-Type: text/html\r\n\r\n<p>", html=False)


@pytest.mark.parametrize("lines, text", [(True, "one\ntwo"), (False, "one")])
async def test_only_the_first_line_of_a_mail_may_be_read(world: Any, lines: bool, text: str) -> None:
    world.switch(mail_lines=lines)
    await take(world, "demo:secret:7:0:0,0,:77010000001:one\r\ntwo\r\n")

    assert [one.text for one in world.simulator.messages()] == [text]


@pytest.mark.parametrize("sends", [True, False])
async def test_the_test_field_of_a_mail_may_mean_nothing(world: Any, sends: bool) -> None:
    world.switch(mail_test_sends=sends)
    await take(world, "demo:secret:7:0:0,0,,1:77010000001:x")

    assert len(world.simulator.messages()) == sends


@pytest.mark.parametrize("answer", ["ok", "huge", "charset", "other id"])
async def test_T37_a_session_answers_nonsense(world: Any, answer: Any) -> None:
    world.simulator.set_faults({"smsc": {"all": Fault(answer=answer, on=("mail",)).model_dump()}})
    mail = b"Content-Type: text/plain\r\n\r\ndemo:secret:7:0:0,0,:77010000001:x"
    answered = await MailDoor(world.simulator.air, world.simulator.smsc).take(mail, "send@send.smsc.kz", "127.0.0.1")

    assert not answered.reply.startswith("250")


@pytest.mark.parametrize("tz, hour", [("", 11), ("0", 13), ("5", 8)])
def test_a_time_without_tz_counts_from_the_account_s_hours_from_moscow(world: Any, tz: str, hour: int) -> None:
    world.account(hours_from_moscow=2)
    world.send(time="2111251600", **({"tz": tz} if tz else {}))
    (message,) = world.simulator.messages()
    assert message.send_at.astimezone(UTC).hour == hour
