"""``send@send.<domain>`` over a real socket, and each of its switches."""

from __future__ import annotations

import base64
import smtplib
from collections.abc import AsyncIterator
from typing import Any

import anyio
import pytest

from bridge.simulator.smsc.mail import body_of

pytestmark = pytest.mark.anyio

LINE = "demo:secret:7:0:0,0,:77010000001:disk: full"
TO = "send@send.smsc.test"
PLAIN = "Content-Type: text/plain; charset=utf-8\r\n\r\n"


class Door:
    """The simulator's inbox and a client for it."""

    def __init__(self, world: Any, port: int) -> None:
        self.world = world
        self.port = port

    @property
    def arrived(self) -> list[tuple[str, str, str]]:
        return [(one.phone, one.text, one.id) for one in self.world.simulator.messages()]

    async def mail(self, body: str | bytes, to: str = TO, head: str = PLAIN) -> Any:
        raw = body.encode("utf-8") if isinstance(body, str) else body

        def send() -> Any:
            with smtplib.SMTP("127.0.0.1", self.port, timeout=5) as client:
                client.ehlo()
                return client.sendmail("bounce@example.kz", [to], head.encode() + raw, ["BODY=8BITMIME"])

        return await anyio.to_thread.run_sync(send)


@pytest.fixture
async def door(world: Any) -> AsyncIterator[Door]:
    port = await world.simulator.listen_for_mail("127.0.0.1", 0)
    yield Door(world, port)
    await world.simulator.close()


async def test_a_line_by_mail_reaches_the_phone_under_its_id(door: Door) -> None:
    await door.mail(LINE)
    assert door.arrived == [("77010000001", "disk: full", "7")]
    assert door.world.ask("status", phone="77010000001", id="7", fmt="1").startswith("-1,")


async def test_the_line_never_shows_in_the_inbox_and_its_password_nowhere(door: Door) -> None:
    await door.mail(LINE)
    assert door.world.simulator.mails() == ()
    (exchange,) = door.world.simulator.air.exchanges
    assert "secret" not in str(exchange.as_json())
    assert exchange.door == "mail"


async def test_other_mail_reaches_the_inbox_as_before(door: Door) -> None:
    await door.mail("hello", to="it@example.kz")
    assert [mail.recipients for mail in door.world.simulator.mails()] == [("it@example.kz",)]
    assert door.arrived == []


async def test_one_account_s_minute_rule_holds_over_mail_and_http(door: Door) -> None:
    door.world.send(mes="disk: full")
    await door.mail(LINE)
    assert len(door.arrived) == 1
    door.world.switch(mail_duplicates=False)
    await door.mail(LINE)
    assert len(door.arrived) == 2


@pytest.mark.parametrize(
    "wrong", ["demo:wrong:7:0:0,0,:77010000001:x", "no line at all", "demo:secret:7:0:0,12,:77010000001:x"]
)
async def test_a_wrong_line_gets_its_250_and_nothing_arrives(door: Door, wrong: str) -> None:
    await door.mail(wrong)
    assert door.arrived == []
    assert door.world.simulator.air.exchanges[-1].answer.startswith("ERROR = ")


async def test_errors_may_come_in_the_session_or_by_mail(door: Door) -> None:
    door.world.switch(mail_errors="refuse")
    with pytest.raises(smtplib.SMTPDataError):
        await door.mail("demo:wrong:7:0:0,0,:77010000001:x")
    door.world.switch(mail_errors="mail")
    await door.mail("demo:wrong:7:0:0,0,:77010000001:x")
    (letter,) = door.world.simulator.mails()
    assert letter.recipients == ("bounce@example.kz",)
    assert "ERROR = 2" in letter.text


async def test_the_test_field_sends_to_nobody(door: Door) -> None:
    await door.mail("demo:secret:7:0:0,0,A,1:77010000001:x")
    assert door.arrived == []


async def test_list_mode_lets_the_text_choose_the_recipients(door: Door) -> None:
    await door.mail("demo:secret:7:0:0,0,::77010000001:a\n77010000002:b")
    assert [(phone, text) for phone, text, _ in door.arrived] == [("77010000001", "a"), ("77010000002", "b")]
    door.world.switch(mail_lists=False)
    await door.mail("demo:secret:8:0:0,0,::77010000001:c")
    assert len(door.arrived) == 2


async def test_without_a_charset_it_is_koi8_r(door: Door) -> None:
    await door.mail("demo:secret:7:0:0,0,:77010000001:Сбой".encode("koi8-r"), head="\r\n")
    assert door.arrived == [("77010000001", "Сбой", "7")]


async def test_nothing_of_more_than_100_kb_is_taken(door: Door) -> None:
    with pytest.raises(smtplib.SMTPDataError):
        await door.mail(LINE + "\n" + "x\n" * 60_000)


@pytest.mark.parametrize(("fault", "taken"), [({"drop": "after"}, 1), ({"drop": "before"}, 0), ({"half": True}, 1)])
async def test_a_cut_connection_takes_the_message_or_not_as_the_fault_says(
    door: Door, fault: dict[str, Any], taken: int
) -> None:
    door.world.simulator.set_faults({"smsc": {"all": {"on": ["mail"], **fault}}})
    with pytest.raises(smtplib.SMTPServerDisconnected):
        await door.mail(LINE)
    assert len(door.arrived) == taken


async def test_a_refusal_of_the_provider_is_silent(door: Door) -> None:
    door.world.simulator.set_faults({"smsc": {"all": {"on": ["mail"], "refuse": 6}}})
    await door.mail(LINE)
    assert door.arrived == []


@pytest.mark.parametrize(("number", "kind"), [(451, 4), (554, 5)])
async def test_an_answer_may_be_a_refusal_of_the_mail_server(door: Door, number: int, kind: int) -> None:
    fault = {"on": ["mail"], "http_status": number, "take": False}
    door.world.simulator.set_faults({"smsc": {"all": fault}})
    with pytest.raises(smtplib.SMTPDataError) as caught:
        await door.mail(LINE)
    assert caught.value.smtp_code == number
    assert caught.value.smtp_code // 100 == kind
    assert door.arrived == []


@pytest.mark.parametrize(("take", "taken"), [({}, 0), ({"take": True}, 1)])
async def test_a_mail_server_that_refuses_has_taken_nothing_unless_it_lies(
    door: Door, take: dict[str, Any], taken: int
) -> None:
    door.world.simulator.set_faults({"smsc": {"all": {"on": ["mail"], "http_status": 451, **take}}})
    with pytest.raises(smtplib.SMTPDataError):
        await door.mail(LINE)
    assert len(door.arrived) == taken


def test_decoding_and_trimming_are_switches() -> None:
    text = base64.b64encode(LINE.encode()).decode()
    mail = f"Content-Type: text/plain\r\nContent-Transfer-Encoding: base64\r\n\r\n{text}\r\n".encode()
    assert body_of(mail) == LINE
    assert body_of(mail, decode=False) == text
    assert body_of(b"\r\nabc\r\n", trim=False) == "abc\n"


def test_the_first_plain_part_counts_and_html_only_where_there_is_none() -> None:
    both = (
        "Content-Type: multipart/alternative; boundary=b\r\n\r\n--b\r\nContent-Type: text/html\r\n\r\n<p>h</p>\r\n"
        "--b\r\nContent-Type: text/plain\r\n\r\nplain\r\n--b--\r\n"
    )
    assert body_of(both.encode()) == "plain"
    assert body_of(b"Content-Type: text/html\r\n\r\n[text]x[/text]\r\n") == "[text]x[/text]"
    assert body_of(b"Content-Type: text/plain; charset=nonsense\r\n\r\nabc\r\n") == "abc"
