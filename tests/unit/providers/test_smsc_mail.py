"""One mail for one message: what stands in it, what a relay's answer means, and who answers questions."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from email import message_from_bytes, policy
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.config.models.providers import Provider
from bridge.config.models.service import OutgoingMail
from bridge.config.secrets import SecretText
from bridge.egress.smtp import MailRelay, wire_form
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
from bridge.providers.base import Balance, NoWayToAsk, Price, Question, Request, StatusAnswer
from bridge.providers.smsc_mail import MailWay, SmscMail
from bridge.simulator.smsc.mail import body_of

pytestmark = pytest.mark.anyio

NOW = datetime(2026, 11, 21, 3, 12, tzinfo=UTC)
DANGER = json.loads((Path(__file__).parents[2] / "vectors" / "dangerous_texts.json").read_text(encoding="utf-8"))


@dataclass
class Relay:
    """Takes every mail, or ends with *error*."""

    error: DeliveryError | None = None
    mails: list[tuple[str, tuple[str, ...], bytes]] = field(default_factory=list)

    async def send(self, envelope_from: str, to: Sequence[str], content: bytes) -> object:
        self.mails.append((envelope_from, tuple(to), content))
        if self.error is not None:
            raise self.error
        return ()


def door(relay: Relay | MailRelay, secret: str = "canary-Passw0rd", **keys: Any) -> SmscMail:
    login = {} if "apikey" in keys else {"login": "acme", "password": {"env": "SMSC"}}
    settings = {"type": "smsc-smtp", "relay": "smtp://127.0.0.1:25", "to": "send@send.smsc.kz", **login, **keys}
    way = MailWay(relay, keys.get("mail_from", "bounce@sms.example.kz"))
    return SmscMail("mail", Provider.model_validate(settings), SecretText(secret), way)


def message(**changes: Any) -> Message:
    made = Message(
        id=1, phone="+77010000001", person="", text="12 CRIT db01: disk full", encoding="GSM-7", segments=1, price=None,
        currency="KZT", rule="night", message_class="critical", channel="sms", providers=("mail",), originator="",
        answerable=False, created_at=NOW, due_at=NOW, valid_until=NOW + timedelta(minutes=30), language="en",
    )  # fmt: skip
    return replace(made, **changes)


def request_of(gateway: SmscMail, attempt: int = 1, **changes: Any) -> Request:
    stored = json.loads(json.dumps(dict(gateway.canonical(message(**changes), NOW))))
    return Request(stored, "1234", attempt=attempt)


async def test_sends_one_plain_mail_with_the_whole_record_and_nothing_else() -> None:
    relay = Relay()
    gateway = door(relay, sender="ACME")
    accepted = await gateway.submit(request_of(gateway, text="диск: 100%"))
    assert (accepted.provider_id, accepted.handed_over) == ("", True)
    ((sender, to, content),) = relay.mails
    assert to == ("send@send.smsc.kz",)
    assert sender == "bounce+1234.1@sms.example.kz"
    mail = message_from_bytes(content, policy=policy.default)
    assert {name.lower() for name in mail} == {
        "from", "to", "subject", "date", "message-id", "auto-submitted", "mime-version", "content-type",
        "content-transfer-encoding",
    }  # fmt: skip
    assert (mail["Subject"], mail["Content-Transfer-Encoding"]) == ("", "8bit")
    assert mail["Content-Type"] == 'text/plain; charset="utf-8"'
    assert content.partition(b"\r\n\r\n")[2].decode() == (
        "acme:canary-Passw0rd:1234:0:0,0,ACME:77010000001:диск: 100%\r\n"
    )


async def test_a_key_stands_behind_an_empty_login() -> None:
    relay = Relay()
    gateway = door(relay, apikey={"env": "SMSC"})
    await gateway.submit(request_of(gateway))
    assert body_of(relay.mails[0][2]).startswith(":canary-Passw0rd:1234:0:0,0,:77010000001:")


async def test_a_repeat_is_the_same_mail_with_a_bounce_address_of_its_own() -> None:
    relay = Relay()
    gateway = door(relay)
    await gateway.submit(request_of(gateway))
    await gateway.submit(request_of(gateway, attempt=2))
    assert relay.mails[0][2] == relay.mails[1][2]
    assert [sender for sender, _, _ in relay.mails] == [
        "bounce+1234.1@sms.example.kz",
        "bounce+1234.2@sms.example.kz",
    ]


@pytest.mark.parametrize(("channel", "number"), [("sms", "0"), ("flash", "1"), ("call", "9"), ("viber", "10")])
async def test_a_channel_is_the_provider_s_number_for_it(channel: Any, number: str) -> None:
    relay = Relay()
    gateway = door(relay)
    await gateway.submit(request_of(gateway, channel=channel))
    assert body_of(relay.mails[0][2]).split(":")[4] == f"0,{number},"


@pytest.mark.parametrize("case", DANGER["dangerous"], ids=lambda case: repr(case["text"]))
async def test_T13_T14_a_dangerous_text_leaves_as_a_readable_one(case: dict[str, str]) -> None:
    relay = Relay()
    gateway = door(relay)
    await gateway.submit(request_of(gateway, text=case["text"]))
    text = body_of(relay.mails[0][2]).split(":", 6)[6]
    assert not text.lstrip(" \n\ufeff").startswith("__")
    assert all(line.strip() != "~~~" for line in text.split("\n"))
    assert "[text]" not in text.lower()


@pytest.mark.parametrize("length", range(690, 703))
async def test_T13_no_line_that_was_broken_hides_the_rest_of_an_alert(length: int) -> None:
    relay = Relay()
    gateway = door(relay)
    await gateway.submit(request_of(gateway, text=f"{'x' * length} ~~~\nthe rest"))
    lines = body_of(relay.mails[0][2]).split(":", 6)[6].split("\n")
    assert all(line.strip() != "~~~" for line in lines)
    assert lines[-1] == "the rest"


_HOSTILE = st.one_of(
    st.text(max_size=200),
    st.lists(
        st.sampled_from([
            "\r", "\n", "\r\n", ":", "Bcc: evil@example.test", "=?utf-8?q?x=0D=0ABcc:e@e.test?=", "\u2028", "\x85", ".",
            "\x0b", "\x0c", "\x1c", "[text]", "a:b:0:0:0,0,:77010000009:x", "--b1", "\x00", "Ж", " ",
        ]),
        max_size=12,
    ).map("".join),
)  # fmt: skip


@given(_HOSTILE)
async def test_T11_T12_no_text_makes_a_header_or_moves_a_field(text: str) -> None:
    relay = Relay()
    gateway = door(relay)
    with suppress(PermanentFailure):
        await gateway.submit(request_of(gateway, text=text))
    for _sender, _to, content in relay.mails:
        wire = wire_form(content).removesuffix(b".\r\n")
        mail = message_from_bytes(wire, policy=policy.default)
        assert [name.lower() for name in mail] == [
            "from", "to", "subject", "date", "message-id", "auto-submitted", "content-type",
            "content-transfer-encoding", "mime-version",
        ]  # fmt: skip
        assert not mail.is_multipart()
        head = wire.partition(b"\r\n\r\n")[2].split(b":", 6)[:6]
        assert head == [b"acme", b"canary-Passw0rd", b"1234", b"0", b"0,0,", b"77010000001"]


async def test_no_line_of_a_mail_is_longer_than_998_octets() -> None:
    relay = Relay()
    gateway = door(relay)
    text = " ".join(["тревога"] * 120)
    await gateway.submit(request_of(gateway, text=text, encoding="UCS-2"))
    assert max(len(line) for line in relay.mails[0][2].split(b"\r\n")) <= 998
    assert body_of(relay.mails[0][2]).split(":", 6)[6].replace("\n", " ") == text


@pytest.mark.parametrize(
    "changed",
    [
        {"phones": "G1"},
        {"phones": ""},
        {"phones": "77010000001;77010000002"},
        {"sender": "A,1"},
        {"sender": "A:1"},
        {"mes": "x [text]y"},
        {"format": "12"},
    ],
)
async def test_T12_T15_what_the_line_cannot_carry_never_reaches_the_relay(changed: dict[str, str]) -> None:
    relay = Relay()
    gateway = door(relay)
    request = request_of(gateway)
    with pytest.raises(PermanentFailure):
        await gateway.submit(replace(request, canonical={**request.canonical, **changed}))
    assert relay.mails == []


@pytest.mark.parametrize("client_id", ["", "0", "00"])
async def test_an_id_of_ours_is_mandatory(client_id: str) -> None:
    relay = Relay()
    gateway = door(relay)
    with pytest.raises(PermanentFailure):
        await gateway.submit(replace(request_of(gateway), client_id=client_id))
    assert relay.mails == []


@pytest.mark.parametrize(
    ("said", "kind", "code"),
    [
        (NotSent("no connection"), NotSent, ""),
        (TemporaryFailure("the relay said 451 later", code="451", retry_after=60), NotSent, "451"),
        (TemporaryFailure("the relay said 421 closing", code="421"), NotSent, ""),
        (PermanentFailure("the relay said 554 no", code="554", status="5.7.1"), PermanentFailure, "554"),
        (AccountPaused("the relay refuses our login", cause="password"), NotSent, ""),
        (OutcomeUnknown("no answer after the dot"), OutcomeUnknown, ""),
    ],
)
async def test_what_the_relay_says_is_about_this_mail_and_never_about_the_account(
    said: DeliveryError, kind: type[DeliveryError], code: str
) -> None:
    gateway = door(Relay(said))
    with pytest.raises(kind) as caught:
        await gateway.submit(request_of(gateway))
    assert type(caught.value) is kind
    assert caught.value.code == code


async def test_T29_a_relay_that_quotes_the_mail_tells_nobody_the_password() -> None:
    gateway = door(Relay(PermanentFailure("the relay said 554 spam: acme:canary-Passw0rd:1", code="554")))
    with pytest.raises(PermanentFailure) as caught:
        await gateway.submit(request_of(gateway))
    assert "canary" not in f"{caught.value!r} {caught.value.__cause__!r} {caught.value.__context__!r} {gateway!r}"
    assert "canary" not in json.dumps(dict(request_of(gateway).canonical))


@pytest.mark.parametrize("length", range(150, 200))
async def test_T29_a_quoted_line_that_was_cut_inside_the_password_tells_nothing_of_it(length: int) -> None:
    said = f"554 {'x' * length} acme:canary-Passw0rd:1".encode() + b"\r\n"

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"220 relay.test\r\n")
        while line := await reader.readline():
            writer.write(b"250 relay.test\r\n" if line.startswith(b"EHLO") else said)
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server:
        at = f"smtp://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        settings = {"relay": at, "from": "b@sms.example.kz", "tls": "off"}
        relay = MailRelay(OutgoingMail.model_validate(settings), None, hostname="sms.example.kz")
        gateway = door(relay)
        with pytest.raises(PermanentFailure) as caught:
            await gateway.submit(request_of(gateway))
    assert "xxx" in caught.value.reason
    assert "cana" not in caught.value.reason


@pytest.mark.parametrize("keys", [{"login": "a:b"}, {}])
def test_T12_a_login_or_password_with_a_colon_is_refused_at_the_start(keys: dict[str, Any]) -> None:
    with pytest.raises(ConfigError) as caught:
        door(Relay(), "well" if keys else "se:cret", **keys)
    assert ("mail.login" if keys else "mail.password") in str(caught.value)
    assert "se:cret" not in str(caught.value)


@pytest.mark.parametrize("address", ["бот@sms.kz", "a..b@sms.kz", "a.@sms.kz", "a@почта.kz"])
def test_T11_an_address_that_no_header_can_carry_is_refused_at_the_start(address: str) -> None:
    with pytest.raises(ConfigError, match=r"mail\.to"):
        door(Relay(), to=address)
    with pytest.raises(ConfigError, match=r"mail\.mail_from"):
        door(Relay(), mail_from=address)


def test_the_address_of_each_attempt_is_one_that_every_relay_takes() -> None:
    assert len("x" * 37 + "+" + "9" * 19 + "." + "9" * 6) == 64
    door(Relay(), mail_from=f"{'x' * 37}@sms.example.kz")
    with pytest.raises(ConfigError, match="37 characters"):
        door(Relay(), mail_from=f"{'x' * 38}@sms.example.kz")


def test_without_an_address_it_does_not_start() -> None:
    with pytest.raises(ConfigError):
        door(Relay(), to=None)


# Questions


@dataclass
class Answers:
    """A door of the same account that can be asked."""

    name: str = "smsc"
    asked: list[Any] = field(default_factory=list)

    async def status(self, question: Question) -> StatusAnswer:
        self.asked.append(question)
        return StatusAnswer("DELIVERED", "1")

    async def statuses(self, questions: Sequence[Question]) -> Mapping[Question, StatusAnswer]:
        return {question: await self.status(question) for question in questions}

    async def balance(self) -> Balance:
        return Balance(Decimal(5))

    async def price(self, request: Request) -> Price:
        self.asked.append(request)
        return Price(Decimal(18), 1)

    async def inbound(self, after: int, hours: int) -> tuple[Any, ...]:
        return ()


QUESTION = Question("+77010000001", "1234")


async def test_another_door_of_the_account_answers_for_it() -> None:
    gateway, other = door(Relay()), Answers()
    gateway.ask_at(other)  # type: ignore[arg-type]
    assert gateway.doubt == "late"
    assert (await gateway.status(QUESTION)).state == "DELIVERED"
    assert (await gateway.statuses([QUESTION]))[QUESTION].code == "1"
    assert (await gateway.balance()).amount == Decimal(5)
    assert await gateway.inbound(0, 24) == ()
    assert (await gateway.price(request_of(gateway))).cost == Decimal(18)
    assert dict(other.asked[-1].canonical) == {
        "phones": "77010000001", "mes": "12 CRIT db01: disk full", "charset": "utf-8", "fmt": "3",
    }  # fmt: skip


async def test_without_one_there_is_no_way_to_ask() -> None:
    gateway = door(Relay())
    for ask in (gateway.status(QUESTION), gateway.statuses([QUESTION]), gateway.balance(), gateway.inbound(0, 24)):
        with pytest.raises(NoWayToAsk):
            await ask


def test_a_lost_answer_is_repeated_only_where_the_configuration_says_so() -> None:
    assert door(Relay(), on_unknown="resend").doubt == "once"
    assert door(Relay(), on_unknown="hold").doubt == "hold"


def test_a_found_message_is_ours_by_phone_time_and_text() -> None:
    gateway = door(Relay())
    request = request_of(gateway, text="a very long text that the mail broke")
    found = StatusAnswer(
        "ACCEPTED", "0", phone="77010000001", text="a very long\ntext that the mail broke", sent_at=NOW
    )
    assert gateway.is_ours(request, found, NOW)
    assert not gateway.is_ours(request, replace(found, text="another"), NOW)
    assert not gateway.is_ours(request, replace(found, phone="77010000002"), NOW)


def test_a_receipt_names_the_door_and_says_why_in_words() -> None:
    receipt = door(Relay()).receipt(7, StatusAnswer("UNDELIVERED", "20", "1"))
    assert (receipt.message_id, receipt.provider, receipt.reason) == (7, "mail", "the subscriber does not exist")


def test_a_new_password_changes_no_revision_and_another_address_does() -> None:
    assert door(Relay(), "one").revision == door(Relay(), "two").revision
    assert door(Relay()).revision != door(Relay(), to="send@send.smsc.ru").revision


def test_doors_of_one_login_are_one_account() -> None:
    assert door(Relay()).account == "smsc:acme"
