"""A gateway described in YAML: what is sent, and what answers mean. The wire itself: tests/contract."""

from __future__ import annotations

import asyncio
import base64
import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from urllib.parse import parse_qsl, urlsplit
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

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
from bridge.providers.base import NoWayToAsk, Question, Request
from bridge.providers.http import Answer
from bridge.providers.plain_http import PlainHttpGateway

NOW = datetime(2026, 11, 21, 3, 12, tzinfo=UTC)
SECRETS = {"password": "canary-Passw0rd", "token": "canary-t0ken", "apikey": "canary-k3y"}
REQUEST = {"to": "{digits}", "text": "{text}", "ref": "{id}"}
OK = Answer(200, b'{"id": "m-17"}')


class Wire:
    """Stands where the HTTP client would."""

    def __init__(self) -> None:
        self.answers: list[Answer | DeliveryError] = []
        self.asked: list[tuple[str, str, bytes | None, Mapping[str, str]]] = []

    async def ask(
        self, method: str, url: str, body: bytes | None, headers: Mapping[str, str], *, within: float, most: int
    ) -> Answer:
        assert within < 25
        assert most <= 1 << 20
        self.asked.append((method, url, body, headers))
        answer = self.answers.pop(0) if self.answers else OK
        if isinstance(answer, DeliveryError):
            raise answer
        return answer


def gateway(wire: Wire, secrets: tuple[str, ...] = (), **changes: Any) -> PlainHttpGateway:
    keys = {
        "type": "plain-http",
        "base_url": "https://local.test/send",
        "request": REQUEST,
        "success": '"id": *"(?P<id>[^"]+)"',
        "failure": '"error": *"(?P<code>[^"]*)"',
        **{key: {"env": "X"} for key in secrets},
        **changes,
    }
    given = {key: SecretText(SECRETS[key]) for key in secrets}
    return PlainHttpGateway("local", Provider.model_validate(keys), given, wire)  # type: ignore[arg-type]


def message(**changes: Any) -> Message:
    made = Message(
        id=1, phone="+77010000001", person="", text="12 CRIT db01", encoding="GSM-7", segments=1, price=None,
        currency="KZT", rule="night", message_class="critical", channel="sms", providers=("local",), originator="",
        answerable=False, created_at=NOW, due_at=NOW, valid_until=NOW + timedelta(minutes=30), language="en",
    )  # fmt: skip
    return replace(made, **changes)


def request_of(door: PlainHttpGateway, *, repeat: bool = False, **changes: Any) -> Request:
    return Request(door.canonical(message(**changes), NOW), "1234", repeat, heard=repeat)


def submitted(answer: Answer | DeliveryError, *, repeat: bool = False, **changes: Any) -> Any:
    """How a hand-over ends that is answered so."""
    wire = Wire()
    wire.answers = [answer]
    door = gateway(wire, **changes)
    try:
        return asyncio.run(door.submit(request_of(door, repeat=repeat)))
    except DeliveryError as error:
        return error


# what is sent


def test_a_form_is_posted_with_the_fields_and_nothing_else() -> None:
    wire = Wire()
    door = gateway(
        wire, number="+77055550000", request={**REQUEST, "from": "{sender}", "n": "{number}", "p": "{parts}/{minutes}"}
    )
    asyncio.run(door.submit(request_of(door, answerable=True, text="a&to=1\nb {password}")))
    ((method, url, body, headers),) = wire.asked
    assert (method, url) == ("POST", "https://local.test/send")
    assert headers == {"Content-Type": "application/x-www-form-urlencoded"}
    assert parse_qsl((body or b"").decode(), keep_blank_values=True) == [
        ("to", "77010000001"), ("text", "a&to=1\nb {password}"), ("ref", "1234"), ("from", "77055550000"),
        ("n", "+77055550000"), ("p", "1/30"),
    ]  # fmt: skip


@given(st.text())
def test_T15_text_of_strangers_is_the_value_of_one_field(text: str) -> None:
    wire = Wire()
    for body in ("form", "json"):
        door = gateway(wire, plain={"body": body})
        asyncio.run(door.submit(request_of(door, text=text)))
    (_, _, form, _), (_, _, document, _) = wire.asked
    names = [name for name, _ in parse_qsl((form or b"").decode(), keep_blank_values=True)]
    assert names == ["to", "text", "ref"]
    assert list(json.loads(document or b"")) == ["to", "text", "ref"]


async def _sent(plain: dict[str, Any], text: str, request: Mapping[str, str] = REQUEST) -> tuple[str, bytes, str]:
    """URL, body and content type of one hand-over."""
    wire = Wire()
    door = gateway(wire, plain=plain, request=request)
    await door.submit(Request(door.canonical(message(text=text), NOW), "7"))
    ((_, url, body, headers),) = wire.asked
    return url, body or b"", headers.get("Content-Type", "")


def test_T15_a_form_in_another_charset_holds_every_letter_it_has_and_the_nearest_of_the_others() -> None:
    _, body, kind = asyncio.run(_sent({"charset": "windows-1251"}, "жарық жоқ & text=1"))
    assert kind == "application/x-www-form-urlencoded; charset=windows-1251"
    fields = dict(parse_qsl(body.decode("ascii"), encoding="cp1251", strict_parsing=True))
    assert fields == {"to": "77010000001", "text": "жарыq жоq & text=1", "ref": "7"}


def test_a_url_in_another_charset() -> None:
    url, body, _ = asyncio.run(_sent({"charset": "koi8-r", "method": "get"}, "диск"))
    assert body == b""
    assert dict(parse_qsl(urlsplit(url).query, encoding="koi8-r"))["text"] == "диск"


@given(st.text(st.characters(codec="utf-8"), min_size=1, max_size=60))
def test_T16_any_text_in_xml_is_the_text_of_one_element(text: str) -> None:
    request = {"/m/sms/0/@to": "{digits}", "/m/sms/0": "{text}", "/m/sms/1": "second", "/m/@ref": "{id}"}
    for charset in ("utf-8", "windows-1251"):
        _, body, kind = asyncio.run(_sent({"body": "xml", "charset": charset}, text, request))
        whole = ElementTree.fromstring(body)  # noqa: S314 - what we wrote
        assert kind == f"application/xml; charset={charset}"
        assert (whole.tag, whole.attrib, [one.tag for one in whole]) == ("m", {"ref": "7"}, ["sms", "sms"])
        assert (whole[0].attrib, [list(one) for one in whole]) == ({"to": "77010000001"}, [[], []])
        planned = gateway(Wire(), plain={"body": "xml"}).canonical(message(text=text), NOW)["text"]
        written = "".join(letter for letter in planned if _is_xml(letter))
        assert (whole[0].text or "") == written.replace("\r\n", "\n").replace("\r", "\n")


def _is_xml(letter: str) -> bool:
    """XML 1.0 §2.2."""
    return letter in "\t\n\r" or " " <= letter <= "\ud7ff" or "\ue000" <= letter <= "\ufffd" or letter > "\uffff"


def test_an_answer_is_read_in_its_charset() -> None:
    wire = Wire()
    wire.answers = [Answer(200, '{"error": "нет денег"}'.encode("cp1251"))]
    door = gateway(wire, plain={"charset": "windows-1251"})
    with pytest.raises(TemporaryFailure) as caught:
        asyncio.run(door.submit(Request(door.canonical(message(), NOW), "7")))
    assert caught.value.code == "нет денег"


def test_json_and_put_and_headers_as_described() -> None:
    wire = Wire()
    plain = {"body": "json", "method": "put", "headers": {"X-Key": "{apikey}", "X-Ref": "{id}"}}
    door = gateway(wire, ("apikey",), plain=plain, request={"/m/0/to": "{phone}", "/m/0/text": "{text}"})
    asyncio.run(door.submit(request_of(door, text="Ж")))
    ((method, _, body, headers),) = wire.asked
    assert method == "PUT"
    assert headers == {"Content-Type": "application/json", "x-key": "canary-k3y", "x-ref": "1234"}
    assert json.loads(body or b"") == {"m": [{"to": "+77010000001", "text": "Ж"}]}


@pytest.mark.parametrize(
    "secrets,changes,expected",
    [
        (("token",), {}, "Bearer canary-t0ken"),
        (("password",), {"login": "acme"}, "Basic " + base64.b64encode(b"acme:canary-Passw0rd").decode()),
        (("token",), {"request": {**REQUEST, "key": "{token}"}}, None),
        (("password",), {"login": "acme", "plain": {"headers": {"X-Pass": "{password}"}}}, None),
    ],
)
def test_what_stands_nowhere_goes_where_http_has_its_place(
    secrets: tuple[str, ...], changes: Mapping[str, Any], expected: str | None
) -> None:
    wire = Wire()
    door = gateway(wire, secrets, **changes)
    asyncio.run(door.submit(request_of(door)))
    assert wire.asked[0][3].get("Authorization") == expected


def test_T30_what_is_stored_and_printed_holds_no_secret() -> None:
    door = gateway(Wire(), ("password",), login="acme", request={**REQUEST, "psw": "{password}"})
    assert "canary" not in repr(request_of(door)) + repr(door) + door.revision + repr(vars(door))


def test_a_repeat_is_the_same_letter_by_letter() -> None:
    wire = Wire()
    door = gateway(wire)
    request = request_of(door)
    asyncio.run(door.submit(request))
    asyncio.run(door.submit(replace(request, repeat=True, heard=True, attempt=2)))
    assert wire.asked[0] == wire.asked[1]


@pytest.mark.parametrize("changes", [{"phone": "12"}, {"phone": ""}, {"phone": "+7701000000１"}, {"channel": "call"}])
def test_T15_what_cannot_be_sent_costs_no_request(changes: Mapping[str, Any]) -> None:
    wire = Wire()
    door = gateway(wire)
    with pytest.raises(PermanentFailure):
        asyncio.run(door.submit(request_of(door, **changes)))
    assert wire.asked == []


def test_the_revision_changes_with_what_a_stored_request_means() -> None:
    first = gateway(Wire()).revision
    assert gateway(Wire(), base_url="https://other.test").revision != first
    assert gateway(Wire(), request={**REQUEST, "x": "1"}).revision != first
    assert gateway(Wire(), plain={"body": "json"}).revision != first
    assert gateway(Wire(), plain={"charset": "koi8-r"}).revision != first
    assert gateway(Wire(), plain={"method": "get"}).revision != first
    assert gateway(Wire(), plain={"query": {"a": "1"}}).revision != first
    assert gateway(Wire(), success="other").revision == first


@pytest.mark.parametrize(
    "secrets,changes,sentence",
    [
        ((), {"request": {**REQUEST, "k": "{apikey}"}}, "providers.local.apikey: is missing"),
        (
            (),
            {"plain": {"balance": {"amount": "/a", "request": {"k": "{token}"}}}},
            "providers.local.token: is missing",
        ),
        ((), {"base_url": "http://local.test"}, "without TLS"),
        ((), {"plain": {"balance": {"amount": "/a", "url": "http://local.test"}}}, "without TLS"),
        ((), {"success": None}, "base_url, request and success are needed"),
    ],
)
def test_T36_what_is_missing_or_open_is_told_at_the_start(
    secrets: tuple[str, ...], changes: Mapping[str, Any], sentence: str
) -> None:
    with pytest.raises(ConfigError, match=sentence):
        gateway(Wire(), secrets, **changes)


def test_a_secret_that_no_header_can_carry_is_told_at_the_start(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(SECRETS, "token", "a\r\nX-Other: 1")
    with pytest.raises(ConfigError, match=r"providers\.local\.token: holds a character"):
        gateway(Wire(), ("token",))


def test_T15_by_get_all_fields_stand_in_the_url_each_as_one_value_and_there_is_no_body() -> None:
    wire = Wire()
    fields = {**REQUEST, "user": "{login}", "psw": "{password}"}
    keys: dict[str, Any] = {"login": "acme", "request": fields, "plain": {"method": "get", "query": {"v": "1"}}}
    door = gateway(wire, ("password",), base_url="https://local.test/send?api=2", **keys)
    asyncio.run(door.submit(request_of(door, text="a&to=1 #x\nәё+%41")))
    ((method, url, body, headers),) = wire.asked
    assert (method, body, headers) == ("GET", None, {})
    assert url.isascii()
    assert url.startswith("https://local.test/send?api=2&v=1&")
    assert parse_qsl(urlsplit(url).query, keep_blank_values=True) == [
        ("api", "2"), ("v", "1"), ("to", "77010000001"), ("text", "a&to=1 #x\nәё+%41"), ("ref", "1234"),
        ("user", "acme"), ("psw", SECRETS["password"]),
    ]  # fmt: skip


@given(text=st.text(min_size=1, max_size=60))
def test_T15_by_get_text_of_strangers_is_the_value_of_one_field(text: str) -> None:
    wire = Wire()
    door = gateway(wire, plain={"method": "get"})
    request = request_of(door, text=text)
    asyncio.run(door.submit(request))
    sent = parse_qsl(urlsplit(wire.asked[0][1]).query, keep_blank_values=True)
    assert [name for name, _ in sent] == ["to", "text", "ref"]
    assert dict(sent)["text"] == request.canonical["text"]


def test_a_query_stands_in_the_url_of_every_request_beside_its_body() -> None:
    wire = Wire()
    plain = {"query": {"key": "{apikey}", "output": "json"}, "balance": {"amount": "/left", "method": "get"}}
    door = gateway(wire, ("apikey",), plain=plain)
    asyncio.run(door.submit(request_of(door)))
    wire.answers = [Answer(200, b'{"left": "5"}')]
    asyncio.run(door.balance())
    query = f"?key={SECRETS['apikey']}&output=json"
    assert [(method, url) for method, url, _, _ in wire.asked] == [
        ("POST", f"https://local.test/send{query}"), ("GET", f"https://local.test/send{query}"),
    ]  # fmt: skip
    assert dict(parse_qsl((wire.asked[0][2] or b"").decode()))["to"] == "77010000001"


def test_by_get_login_and_password_that_stand_nowhere_are_basic_auth() -> None:
    wire = Wire()
    door = gateway(wire, ("password",), login="acme", plain={"method": "get"})
    asyncio.run(door.submit(request_of(door)))
    assert wire.asked[0][3] == {"Authorization": "Basic " + base64.b64encode(b"acme:canary-Passw0rd").decode()}
    assert "canary" not in wire.asked[0][1]


def test_what_no_url_can_hold_costs_no_request_and_what_the_gateway_finds_too_long_is_refused() -> None:
    wire = Wire()
    door = gateway(wire, plain={"method": "get"})
    with pytest.raises(PermanentFailure):
        asyncio.run(door.submit(request_of(door, text="ё" * 1400)))
    assert wire.asked == []
    assert type(submitted(Answer(414, b"<html>"))) is PermanentFailure


# what an answer means


def test_taken_with_the_id_the_parts_and_the_price_that_it_says() -> None:
    answer = Answer(201, '{"id": "m-17", "price": 4.50, "parts": 2}'.encode("utf-8-sig"))
    taken = submitted(answer, plain={"cost": "/price", "segments": "/parts"})
    assert (taken.provider_id, taken.cost, taken.segments) == ("m-17", Decimal("4.50"), 2)


@pytest.mark.parametrize(
    "status,body,kind,code",
    [
        (200, b'{"error": "E9"}', TemporaryFailure, "E9"),
        (400, b'{"error": "E9"}', TemporaryFailure, "E9"),
        (200, b'{"error": ""}', TemporaryFailure, "200"),
        (200, b'{"id": "1", "error": "E9"}', OutcomeUnknown, ""),
        (404, b'{"id": "1"}', OutcomeUnknown, ""),
        (500, b'{"error": "E9"}', OutcomeUnknown, ""),
        (302, b'{"id": "1"}', OutcomeUnknown, ""),
        (502, b"<html>Bad Gateway</html>", OutcomeUnknown, ""),
        (200, b"", OutcomeUnknown, ""),
        (200, b"\xff\xfe{", OutcomeUnknown, ""),
        (401, b'{"id": "1"}', AccountPaused, "401"),
        (429, b"", NotSent, "429"),
    ],
)
def test_T37_only_what_is_described_counts(status: int, body: bytes, kind: type[DeliveryError], code: str) -> None:
    ended = submitted(Answer(status, body))
    assert (type(ended), ended.code) == (kind, code)


@pytest.mark.parametrize(
    "means,kind",
    [
        ("refused", PermanentFailure), ("temporary", NotSent), ("money", AccountPaused), ("blocked", AccountPaused),
        ("password", AccountPaused), ("unknown", OutcomeUnknown),
    ],
)  # fmt: skip
def test_a_described_answer_goes_before_success_and_failure(means: str, kind: type[DeliveryError]) -> None:
    plain = {"answers": [{"place": "/code", "is": "7", "means": means}], "code": "/code"}
    ended = submitted(Answer(200, b'{"id": "m-1", "code": 7}'), plain=plain)
    assert (type(ended), ended.code) == (kind, "7")
    assert isinstance(ended, AccountPaused) is (means in ("money", "password", "blocked"))
    assert getattr(ended, "cause", means) == means


@pytest.mark.parametrize(
    "answer,fits",
    [
        (Answer(200, b'{"code": "7", "x": null}'), True),
        (Answer(200, b'{"code": "8"}'), False),
        (Answer(503, b'{"code": "7"}'), False),
        (Answer(302, b'{"code": "7"}'), False),
    ],
)
def test_all_that_is_written_of_an_answer_must_fit(answer: Answer, fits: bool) -> None:
    plain = {"answers": [{"place": "/code", "is": "7", "match": '"code"', "means": "refused"}]}
    assert isinstance(submitted(answer, plain=plain), PermanentFailure) is fits


def test_a_named_status_counts_though_it_is_a_5xx() -> None:
    plain = {"answers": [{"status": 503, "means": "temporary"}]}
    assert isinstance(submitted(Answer(503, b"busy"), plain=plain), NotSent)


@pytest.mark.parametrize(
    "repeats,repeat,kind",
    [
        ("known", True, None), ("known", False, PermanentFailure), ("refused", True, OutcomeUnknown),
        ("refused", False, NotSent), ("paid", True, OutcomeUnknown),
    ],
)  # fmt: skip
def test_what_a_double_proves_depends_on_what_makes_it_one(
    repeats: str, repeat: bool, kind: type[DeliveryError] | None
) -> None:
    plain = {"answers": [{"status": 409, "means": "duplicate"}], "repeats": repeats}
    ended = submitted(Answer(409, b""), repeat=repeat, plain=plain)
    if kind is None:
        assert ended.provider_id == ""
    else:
        assert type(ended) is kind


def test_T29_a_gateway_that_repeats_our_secret_is_not_quoted() -> None:
    answer = Answer(200, b'{"error": "wrong key canary-k3y"}')
    ended = submitted(answer, secrets=("apikey",), plain={"headers": {"X-Key": "{apikey}"}})
    assert ended.code == "wrong key ***"


@given(st.integers(200, 599), st.binary(max_size=300))
def test_T37_no_answer_is_an_exception_of_another_kind(status: int, body: bytes) -> None:
    plain = {"cost": "/a/0", "segments": "x(.)", "code": "/e", "answers": [{"place": "/a", "means": "refused"}]}
    ended = submitted(Answer(status, body), plain=plain)
    assert isinstance(ended, DeliveryError) or b'"id"' in body


# what is asked


STATUS = {
    "url": "https://local.test/state?v=1",
    "method": "get",
    "request": {"id": "{provider_id}", "n": "{digits}"},
    "state": "/state",
    "states": {"ok": "delivered", "seen": "read", "bad": "undelivered", "old": "expired", "q": "accepted"},
    "not_found": "nothing of",
    "cost": "/price",
}
ASKED = Question("+77010000001", "1234", "m-17")


def asked(answer: Answer | DeliveryError, question: Question = ASKED, **changes: Any) -> Any:
    wire = Wire()
    wire.answers = [answer]
    plain = {"status": STATUS, "repeats": "refused", **changes}
    try:
        return asyncio.run(gateway(wire, plain=plain).status(question))
    except DeliveryError as error:
        return error


@pytest.mark.parametrize(
    "word,state,read",
    [("ok", "DELIVERED", False), ("seen", "DELIVERED", True), ("bad", "UNDELIVERED", False), ("old", "EXPIRED", False),
     ("q", "ACCEPTED", False)],
)  # fmt: skip
def test_a_state_is_what_the_description_says(word: str, state: str, read: bool) -> None:
    found = asked(Answer(200, f'{{"state": "{word}", "price": "4,50"}}'.encode()))
    assert (found.state, found.code, found.read, found.cost) == (state, word, read, Decimal("4.50"))
    receipt = gateway(Wire(), plain={"status": STATUS}).receipt(7, found)
    assert (receipt.message_id, receipt.state, receipt.provider) == (7, state, "local")
    assert bool(receipt.reason) is (state in ("UNDELIVERED", "EXPIRED"))


def test_a_question_by_get_has_its_fields_in_the_url_and_no_body() -> None:
    wire = Wire()
    wire.answers = [Answer(200, b'{"state": "ok"}')]
    asyncio.run(gateway(wire, ("token",), plain={"status": STATUS}).status(ASKED))
    ((method, url, body, headers),) = wire.asked
    assert (method, body) == ("GET", None)
    assert urlsplit(url).query == "v=1&id=m-17&n=77010000001"
    assert headers == {"Authorization": "Bearer canary-t0ken"}


def test_not_found_is_proof_only_where_a_repeat_is_not_paid() -> None:
    absent = Answer(404, b"nothing of m-17 here")
    assert asked(absent).state is None
    assert type(asked(absent, repeats="paid")) is TemporaryFailure


@pytest.mark.parametrize(
    "answer",
    [Answer(200, b'{"state": "new word"}'), Answer(200, b"{}"), Answer(500, b'{"state": "ok"}'),
     OutcomeUnknown("the connection broke"), NotSent("no connection"), Answer(503, b"nothing of")],
)  # fmt: skip
def test_a_question_without_an_answer_may_be_asked_again(answer: Answer | DeliveryError) -> None:
    assert type(asked(answer)) is TemporaryFailure


def test_without_its_own_id_the_gateway_is_not_asked() -> None:
    assert type(asked(OK, Question("+77010000001", "1234"))) is TemporaryFailure


def test_many_are_asked_one_after_the_other_and_one_bad_answer_hides_no_other() -> None:
    wire = Wire()
    wire.answers = [Answer(500, b""), Answer(200, b'{"state": "ok"}')]
    second = replace(ASKED, provider_id="m-18")
    found = asyncio.run(gateway(wire, plain={"status": STATUS}).statuses([ASKED, second]))
    assert {question: answer.state for question, answer in found.items()} == {second: "DELIVERED"}
    wire.answers = [Answer(500, b"")]
    with pytest.raises(TemporaryFailure):
        asyncio.run(gateway(wire, plain={"status": STATUS}).statuses([ASKED]))


@pytest.mark.parametrize(
    "plain,doubt",
    [
        ({}, "hold"), ({"repeats": "refused"}, "once"), ({"repeats": "known"}, "repeat"),
        ({"status": {**STATUS, "request": {"n": "{id}"}}}, "ask"), ({"status": STATUS, "repeats": "refused"}, "once"),
    ],
)  # fmt: skip
def test_a_lost_answer_is_met_as_the_description_allows(plain: Mapping[str, Any], doubt: str) -> None:
    assert gateway(Wire(), plain=plain).doubt == doubt


def test_balance_and_inbound_are_read_by_their_places() -> None:
    wire = Wire()
    plain = {
        "balance": {"url": "https://local.test/b", "amount": "left=([0-9.]+)", "currency": "in=(...)"},
        "inbound": {
            "request": {"after": "{after}"},
            "list": "/m",
            "id": "/id",
            "phone": "/p",
            "text": "/t",
            "to": "/n",
        },
    }
    items = [{"id": 5, "p": "77010000001", "t": "12 ок", "n": "+7705"}, {"id": 6, "p": "BANK", "t": "ad"}, 7]
    wire.answers = [Answer(200, b"left=12.50 in=KZT"), Answer(200, json.dumps({"m": items}).encode())]
    door = gateway(wire, plain=plain)
    found = asyncio.run(door.balance())
    assert (found.amount, found.currency) == (Decimal("12.50"), "KZT")
    (inbound,) = asyncio.run(door.inbound(4, 24))
    assert (inbound.id, inbound.phone, inbound.text, inbound.to) == ("5", "+77010000001", "12 ок", "7705")
    assert wire.asked[1][2] == b"after=4"


@pytest.mark.parametrize(
    "ask",
    [lambda door: door.balance(), lambda door: door.inbound(0, 24), lambda door: door.status(ASKED),
     lambda door: door.statuses([ASKED]), lambda door: door.price(request_of(door))],
    ids=["balance", "inbound", "status", "statuses", "price"],
)  # fmt: skip
def test_what_is_not_described_is_not_asked(ask: Callable[[PlainHttpGateway], Any]) -> None:
    wire = Wire()
    with pytest.raises(NoWayToAsk):
        asyncio.run(ask(gateway(wire)))
    assert wire.asked == []


def test_F24_a_question_with_a_wrong_key_pauses_the_account() -> None:
    assert type(asked(Answer(401, b""))) is AccountPaused
