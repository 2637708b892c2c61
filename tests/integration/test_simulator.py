"""The simulator over real sockets: old requests byte for byte, every fault, posts, mail."""

from __future__ import annotations

import asyncio
import json
import socket
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from email.message import EmailMessage
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlencode

import aiohttp
import aiosmtplib
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from bridge.simulator.doors import SmscDoor
from bridge.simulator.serve import CannotListen, running, served
from bridge.simulator.settings import Limits, Switches
from bridge.simulator.simulator import Simulator, utc_now

pytestmark = pytest.mark.anyio

LIBRARY = json.loads((Path(__file__).parents[1] / "vectors" / "library_requests.json").read_text(encoding="utf-8"))
CASES = [pytest.param(case, id=case["name"]) for case in LIBRARY["cases"]]
SEND = {"login": "demo", "psw": "secret", "phones": "77010000001", "mes": "test", "fmt": "1", "id": "7"}


class World:
    """A served simulator: ``raw`` speaks bytes, ``call`` the control API."""

    def __init__(self, simulator: Simulator, port: int, http: aiohttp.ClientSession) -> None:
        self.simulator, self.port, self.http = simulator, port, http
        self.base = f"http://127.0.0.1:{port}"

    async def raw(self, request: bytes, wait: float = 5) -> bytes:
        """Everything that comes back until the server closes or *wait* is over."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        writer.write(request)
        got = b""
        try:
            async with asyncio.timeout(wait):
                while data := await reader.read(65536):
                    got += data
        except (TimeoutError, ConnectionResetError):
            pass
        finally:
            writer.close()
        return got

    async def send(self, wait: float = 5, close: bool = True, **params: str) -> bytes:
        body = urlencode(SEND | params).encode()
        end = b"Connection: close\r\n" if close else b""
        head = b"POST /sys/send.php HTTP/1.1\r\nHost: smsc.test\r\n%sContent-Length: %d\r\n" % (end, len(body))
        return await self.raw(head + b"Content-Type: application/x-www-form-urlencoded\r\n\r\n" + body, wait)

    async def call(self, method: str, path: str, body: object = None, **headers: str) -> tuple[int, Any]:
        sent = None if body is None else json.dumps(body)
        async with self.http.request(method, self.base + path, data=sent, headers=headers) as answer:
            text = await answer.text()
            return answer.status, json.loads(text) if text else None

    async def fault(self, **every: object) -> None:
        status, _ = await self.call("PUT", "/sim/faults", {"smsc": {"all": every}})
        assert status == 200

    async def messages(self) -> list[dict[str, Any]]:
        return (await self.call("GET", "/sim/messages"))[1]


@pytest.fixture
async def world() -> AsyncIterator[World]:
    quick = Switches(operator_delay=0.01, delivery_delay=0.02, limits=Limits(status_lists_a_minute=100))
    simulator = Simulator(switches=quick)
    async with running(simulator) as port, aiohttp.ClientSession() as http:
        yield World(simulator, port, http)


def body_of(answer: bytes) -> bytes:
    return answer.partition(b"\r\n\r\n")[2]


async def until(condition: Any, seconds: float = 5) -> None:
    """Poll an async condition until it holds."""
    async with asyncio.timeout(seconds):
        while not await condition():
            await asyncio.sleep(0.01)


def _as_get(target: str) -> bytes:
    return f"GET {target} HTTP/1.1\r\nHost: smsc.kz\r\nUser-Agent: PHP\r\nConnection: Close\r\n\r\n".encode()


def _as_post(target: str) -> bytes:
    path, _, body = target.partition("?")
    head = f"POST {path} HTTP/1.1\r\nHost: smsc.kz\r\nConnection: Close\r\nContent-Length: {len(body)}\r\n"
    return f"{head}Content-Type: application/x-www-form-urlencoded\r\n\r\n{body}".encode()


REPLIES = {
    "hlr, empty text": "1,1,0.30,999.70",
    "time, own id, flash, sender": "5,1,18.00,982.00",
    "format 12 leaves an empty parameter; empty sender is sent": "5,1,18.00,982.00",
    "price": "18.00,1",
    "status of one": "-3,0,0",
    "status of two": "-3,0,0,1,79999999999\n-3,0,0,2,78888888888",
    "balance": "1000.00",
}
"""What each case is answered by an account that has sent nothing; every other one sends one segment under our id 1."""

BINARY = "0605040B8423F0DC0601AE02056A0045C60C036D79736974652E72750001036D7973697465000101"
ARRIVES = {
    "translit": ("sms", "Vash parol': 123", "77770000000"),
    "newline in the text, at most three parts": ("sms", "http://smsc.kz\nSMSC.KZ", "77770000000"),
    "binary in hex": ("binary", BINARY, "77770000000"),
    "hlr, empty text": ("hlr", "", "HLR"),
    "e-mail": ("mail", "Ваш пароль: 123", "source@mysite.com"),
    "several parameters appended raw": ("sms", "x", "77770000000"),
    "time, own id, flash, sender": ("flash", "x", "ACME"),
    "format 12 leaves an empty parameter; empty sender is sent": ("sms", "a~b c", "77770000000"),
}
"""Channel, text and sender of what is sent."""


def _with_key(target: str) -> str:
    return target.replace("login=demo&psw=secret", "apikey=demo-key")


@pytest.mark.parametrize(
    ("form", "key"), [(_as_get, False), (_as_post, False), (_as_get, True)], ids=["GET", "POST", "GET with a key"]
)
@pytest.mark.parametrize("case", CASES)
async def test_takes_what_the_php_library_asks(world: World, case: dict[str, Any], form: Any, key: bool) -> None:
    answer = await world.raw(form(_with_key(case["target"]) if key else case["target"]))

    head, body = answer.split(b"\r\n\r\n")
    assert b"200 OK" in head
    assert b"content-length: %d" % len(body) in head
    assert b"transfer-encoding" not in head
    assert body.decode() == REPLIES.get(case["name"], "1,1,18.00,982.00")
    sent = [(one["channel"], one["text"], one["sender"]) for one in await world.messages()]
    assert sent == ([ARRIVES[case["name"]]] if case["name"] in ARRIVES else [])


async def test_tells_the_php_library_its_errors(world: World) -> None:
    targets = {case["name"]: case["target"] for case in LIBRARY["cases"]}
    for name in ("translit", "price", "status of one", "status of two", "balance"):
        wrong = targets[name].replace("psw=secret", "psw=secre")
        assert body_of(await world.raw(_as_get(wrong))) == b"0,-2"
    await world.call("PUT", "/sim/accounts", {"demo": {"balance": "1.00"}})
    poor = targets["time, own id, flash, sender"]
    assert body_of(await world.raw(_as_get(poor))) == b"5,-3"


async def test_takes_a_multipart_post_and_json_of_the_rest_door(world: World) -> None:
    form = aiohttp.FormData(SEND | {"id": "1", "mes": "one"}, default_to_multipart=True)
    async with world.http.post(f"{world.base}/sys/send.php", data=form) as answer:
        assert await answer.text() == "1,1"
    async with world.http.post(f"{world.base}/rest/send/", json=SEND | {"id": 2, "mes": "ёлка", "fmt": 3}) as answer:
        assert await answer.json() == {"id": 2, "cnt": 1}

    assert [message["text"] for message in await world.messages()] == ["one", "ёлка"]


async def test_answers_are_not_held_back_on_a_kept_connection(world: World) -> None:
    started = time.monotonic()
    for number in range(50):
        async with world.http.post(f"{world.base}/sys/send.php", data=SEND | {"mes": str(number)}) as answer:
            assert await answer.text() == "7,1"

    assert time.monotonic() - started < 50 * 0.04


async def test_healthy_answers_and_delivers(world: World) -> None:
    assert body_of(await world.send()) == b"7,1"

    async def delivered() -> bool:
        return (await world.messages())[0]["state"] == "delivered"

    await until(delivered)


async def test_F07_refuses_with_the_code(world: World) -> None:
    await world.fault(refuse=6)

    assert body_of(await world.send()) == b"7,-6"
    assert await world.messages() == []


async def test_F08_falls_silent_and_the_message_arrives_all_the_same(world: World) -> None:
    await world.fault(silent=True)

    assert await world.send(wait=0.3) == b""
    assert [message["id"] for message in await world.messages()] == ["7"]


async def test_a_silent_door_does_not_hold_up_the_end(world: World) -> None:
    await world.fault(silent=True)
    waiting = asyncio.create_task(world.send(wait=30))
    await asyncio.sleep(0.05)
    started = time.monotonic()
    await world.simulator.close()

    assert await waiting == b""
    assert time.monotonic() - started < 2


@pytest.mark.parametrize(("drop", "taken"), [("before", 0), ("after", 1)])
async def test_F07_cuts_without_a_byte(world: World, drop: str, taken: int) -> None:
    await world.fault(drop=drop)
    started = time.monotonic()

    assert await world.send(close=False) == b""
    assert time.monotonic() - started < 2
    assert len(await world.messages()) == taken


async def test_F07_closes_after_a_whole_answer_on_a_connection_meant_to_stay(world: World) -> None:
    await world.fault(drop="answered")

    answer = await world.send(close=False, wait=2)
    assert body_of(answer) == b"7,1"
    assert b"connection: close" not in answer.lower()


async def test_F07_half_an_answer(world: World) -> None:
    await world.fault(half=True)

    answer = await world.send(close=False, cost="3")
    whole = len("7,1,18.00,982.00")
    assert b"content-length: %d" % whole in answer
    assert body_of(answer) == b"7,1,18.0"
    assert len(await world.messages()) == 1


@pytest.mark.parametrize(("answer", "says"), [("garbage", b"not an answer"), ("html", b"<html>"), ("empty", b"")])
@pytest.mark.parametrize("take", [True, False])
async def test_T37_an_answer_that_is_none(world: World, answer: str, says: bytes, take: bool) -> None:
    await world.fault(answer=answer, http_status=502, take=take)

    got = await world.send()
    assert got.startswith(b"HTTP/1.1 502")
    assert says in body_of(got)
    assert b"7,1" not in got
    assert len(await world.messages()) == take


@pytest.mark.parametrize(
    "fmt, whole", [("0", b"OK - 1 SMS, ID - 424242"), ("1", b"424242,1"), ("3", b'{"id": 424242, "cnt": 1}')]
)
async def test_T37_an_answer_with_another_id(world: World, fmt: str, whole: bytes) -> None:
    await world.fault(answer="other id")

    assert body_of(await world.send(fmt=fmt)) == whole
    assert body_of(await world.send(fmt="1")) == b"0,-9"
    assert [one["id"] for one in await world.messages()] == ["7"]


async def test_T37_a_bare_ok(world: World) -> None:
    await world.fault(answer="ok")

    assert body_of(await world.send(fmt="3")) == b"OK"


async def test_T37_an_answer_that_does_not_end(world: World) -> None:
    await world.fault(answer="huge")

    answer = await world.send(fmt="3", wait=20)
    assert body_of(answer).rstrip() == b'{"id": 7, "cnt": 1}'
    assert len(answer) > 32 * 1024 * 1024


@pytest.mark.parametrize("charset", ["utf-8", "windows-1251", "koi8-r"])
async def test_T37_an_answer_in_another_charset_than_it_says(world: World, charset: str) -> None:
    text = urlencode({"mes": "диск"}, encoding=charset).partition("=")[2]
    await world.raw(
        _as_get(f"/sys/send.php?login=demo&psw=secret&phones=77010000001&id=7&mes={text}&charset={charset}")
    )
    await world.fault(answer="charset", on=["status"])
    asked = f"/sys/status.php?login=demo&psw=secret&phone=77010000001&id=7&all=1&fmt=1&charset={charset}"
    answer = await world.raw(_as_get(asked))

    assert f"charset={charset}".encode() in answer
    assert "диск".encode(charset) not in answer
    assert "диск".encode("utf-16-le") in answer


async def test_is_slow(world: World) -> None:
    await world.fault(delay=0.2)
    started = time.monotonic()

    assert body_of(await world.send()) == b"7,1"
    assert time.monotonic() - started >= 0.2


async def test_F07_drips(world: World) -> None:
    await world.fault(drip=0.1)
    started = time.monotonic()

    assert body_of(await world.send()) == b"7,1"
    assert time.monotonic() - started >= 0.2


async def test_throttles(world: World) -> None:
    await world.fault(throttle=1)
    answers = [body_of(await world.send(mes=str(number))) for number in range(2)]

    assert answers == [b"7,1", b"0,-9"]


async def test_a_fault_of_one_phone_spares_the_others(world: World) -> None:
    await world.call("PUT", "/sim/faults", {"smsc": {"phones": {"77010000001": {"drop": "after"}}}})

    assert await world.send() == b""
    assert body_of(await world.send(phones="77010000002")) == b"7,1"


async def test_holding_fifteen_requests_open_refuses_the_next(world: World) -> None:
    await world.call("PUT", "/sim/faults", {"smsc": {"phones": {"77010000009": {"silent": True}}}})
    held = [asyncio.create_task(world.send(wait=30, phones="77010000009", mes=str(number))) for number in range(14)]
    await asyncio.sleep(0.2)

    assert body_of(await world.send(fmt="0")) == b"ERROR = 9 (too many concurrent requests)"
    for one in held:
        one.cancel()


async def test_a_server_that_cannot_cut_says_so(world: World) -> None:
    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": urlencode(SEND).encode()}

    await world.fault(drop="after")
    scope = {"type": "http", "method": "POST", "path": "/sys/send.php", "query_string": b"", "headers": []}
    with pytest.raises(RuntimeError, match="cannot cut"):
        await SmscDoor(world.simulator, "send")(scope, receive, receive)


class Seen:
    """A handler that keeps what it got and answers as it is told."""

    def __init__(self) -> None:
        self.posts: list[tuple[str, dict[str, list[str]]]] = []
        self.answers: list[int] = []

    async def take(self, request: Request) -> Response:
        body = (await request.body()).decode("ascii")
        target = request.url.path + (f"?{request.url.query}" if request.url.query else "")
        self.posts.append((target, parse_qs(body, keep_blank_values=True)))
        return PlainTextResponse("OK", self.answers.pop(0) if self.answers else 200)

    def fields(self, name: str) -> list[str]:
        return [fields[name][0] for _, fields in self.posts]


@asynccontextmanager
async def handler(world: World, query: str = "?charset=utf-8&sha1=hush", **which: bool) -> AsyncIterator[Seen]:
    seen = Seen()
    app = Starlette(routes=[Route("/hook/{rest:path}", seen.take, methods=["POST"])])
    async with served(app) as port:
        url = f"http://127.0.0.1:{port}/hook/x{query}"
        status, shown = await world.call("PUT", "/sim/handlers", {"url": url, **which})
        assert status == 200
        assert "hush" not in json.dumps(shown)
        yield seen


async def posted(seen: Seen, number: int) -> None:
    async def enough() -> bool:
        return len(seen.posts) >= number

    await until(enough)
    await asyncio.sleep(0.1)
    assert len(seen.posts) == number


@pytest.mark.parametrize(
    ("receipts", "statuses"),
    [("normal", ["0", "1"]), ("twice", ["0", "0", "1", "1"]), ("reversed", ["1", "0"]), ("none", []), ("lost", [])],
)
async def test_F09_posts_receipts_as_the_fault_says(world: World, receipts: str, statuses: list[str]) -> None:
    await world.fault(receipts=receipts)
    async with handler(world) as seen:
        await world.send()
        await posted(seen, len(statuses))

    assert seen.fields("status") == statuses


@pytest.mark.parametrize(("fate", "status"), [("undelivered", "20"), ("wrong_number", "22"), ("read", "2")])
async def test_posts_how_it_ended(world: World, fate: str, status: str) -> None:
    await world.fault(fate=fate)
    async with handler(world) as seen:
        await world.send()
        await posted(seen, 2)

    assert seen.fields("status") == ["0", status]


async def test_posts_an_expiry(world: World) -> None:
    await world.fault(fate="expired")
    async with handler(world) as seen:
        await world.send(valid="0:01")
        await posted(seen, 1)
        world.simulator.air.timers.advance(utc_now() + timedelta(seconds=61))
        await posted(seen, 2)

    assert seen.fields("status") == ["0", "3"]


async def test_tries_a_refused_post_again_as_switched(world: World) -> None:
    await world.call("PUT", "/sim/switches", {"callback_retries": [0.05, 0.05]})
    async with handler(world, statuses=False) as seen:
        seen.answers = [503, 500]
        await world.call("POST", "/sim/phones/77010000001/reply", {"text": "ok", "to": "77770000000"})
        await posted(seen, 3)

    assert [one["status"] for one in (await world.call("GET", "/sim/posts"))[1]] == [503, 500, 200]


async def test_a_handler_that_is_away_is_noted_and_holds_nobody_up(world: World) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        await world.call("PUT", "/sim/handlers", {"url": f"http://127.0.0.1:{taken.getsockname()[1]}/x"})
        await world.call("POST", "/sim/phones/77010000001/reply", {"text": "ok", "to": "77770000000"})

        async def noted() -> bool:
            return [one["status"] for one in (await world.call("GET", "/sim/posts"))[1]] == [0]

        await until(noted)


async def test_parameters_between_the_bang_and_the_mark_come_by_get(world: World) -> None:
    async with handler(world, "/!tenant=a&k=v?charset=utf-8&x=1&sha1=hush") as seen:
        await world.call("POST", "/sim/phones/77010000001/reply", {"text": "принял", "to": "77770000000"})
        await posted(seen, 1)

    target, fields = seen.posts[0]
    assert target == "/hook/x/?tenant=a&k=v"
    assert fields["x"] == ["1"]
    assert fields["mes"] == ["принял"]
    assert fields["sha1"] != ["hush"]


async def test_the_newest_sender_is_answered_and_a_call_rings(world: World) -> None:
    await world.send()

    status, answer = await world.call("POST", "/sim/phones/+77010000001/reply", {"text": "7 ok"})
    assert (status, answer["to"], answer["phone"]) == (201, "77770000000", "77010000001")
    status, call = await world.call("POST", "/sim/phones/77010000001/call")
    assert (status, call["text"]) == (201, "[CALL]")


@pytest.mark.parametrize(
    ("method", "path", "body", "status", "sentence"),
    [
        ("POST", "/sim/phones/77010000001/reply", {"text": "ok"}, 409, "nobody to answer"),
        ("POST", "/sim/phones/77010000001/reply", {"to": "1"}, 400, 'needs a "text"'),
        ("PUT", "/sim/faults", {"smsc": {"all": {"refuse": 10}}}, 400, "smsc.all.refuse"),
        ("PUT", "/sim/faults", {"pigeon": {}}, 400, "pigeon"),
        ("PUT", "/sim/faults", [], 400, "a JSON object is wanted"),
        ("PUT", "/sim/accounts", {"new": {"balance": 1}}, 400, "password"),
        ("PUT", "/sim/switches", {"identical": "nothing"}, 400, "identical"),
        ("PUT", "/sim/handlers", {}, 400, "url"),
    ],
)
async def test_a_wrong_body_is_answered_with_a_sentence(
    world: World, method: str, path: str, body: object, status: int, sentence: str
) -> None:
    got, answer = await world.call(method, path, body)

    assert got == status
    assert sentence in answer["error"]


async def test_no_page_of_another_site_may_control_it(world: World) -> None:
    status, answer = await world.call("PUT", "/sim/faults", {}, Origin="https://evil.example")

    assert status == 403
    assert "evil.example" in answer["error"]
    assert (await world.call("PUT", "/sim/faults", {}, Origin=world.base))[0] == 200


async def test_accounts_change_key_by_key_and_show_no_secret(world: World) -> None:
    changed = {"demo": {"balance": "5.00", "prices": {"default": "6.00"}}, "new": {"password": "hush"}}
    status, shown = await world.call("PUT", "/sim/accounts", changed)

    assert status == 200
    assert shown["demo"]["balance"] == "5.00"
    assert "hush" not in json.dumps(shown)
    assert "secret" not in json.dumps(shown)
    assert body_of(await world.send()) == b"7,-3"
    assert body_of(await world.send(login="new", psw="hush")) == b"7,1"
    await world.call("PUT", "/sim/accounts", shown)
    assert body_of(await world.send(login="new", psw="hush", mes="still the same password")) == b"7,1"


async def test_switches_change_key_by_key(world: World) -> None:
    await world.call("PUT", "/sim/switches", {"limits": {"identical_seconds": 0}})
    await world.send()

    assert body_of(await world.send()) == b"7,1"
    assert (await world.call("GET", "/sim/switches"))[1]["limits"]["status_lists_a_minute"] == 100


async def test_requests_are_shown_without_secrets(world: World) -> None:
    await world.raw(_as_get("/sys/balance.php?login=demo&psw=secret"))
    await world.send()
    async with world.http.post(f"{world.base}/rest/send/", json=SEND | {"mes": "two"}):
        pass

    _, requests = await world.call("GET", "/sim/requests")
    assert [one["door"] for one in requests] == ["balance", "send", "send"]
    assert [one["answer"] for one in requests][:2] == ["1000.00", "7,1"]
    assert "secret" not in json.dumps(requests)


async def test_clearing_messages(world: World) -> None:
    await world.send()
    status, nothing = await world.call("DELETE", "/sim/messages")

    assert (status, nothing, await world.messages()) == (204, None, [])


async def test_mails_are_listed_newest_first_and_cleared(world: World) -> None:
    port = await world.simulator.listen_for_mail("127.0.0.1", 0)
    for number in (1, 2):
        mail = EmailMessage()
        mail["Subject"] = f"Re: диск {number}"
        mail["Message-ID"] = f"<{number}@bridge.test>"
        mail["In-Reply-To"] = "<alert@zabbix.example>"
        mail["References"] = "<first@zabbix.example> <alert@zabbix.example>"
        mail.set_content("принято\n")
        await aiosmtplib.send(
            mail,
            sender="",
            recipients=["a@example.kz", "b@example.kz"],
            hostname="127.0.0.1",
            port=port,
            start_tls=False,
        )

    _, mails = await world.call("GET", "/sim/mail")
    assert [mail["subject"] for mail in mails] == ["Re: диск 2", "Re: диск 1"]
    newest = mails[0]
    assert (newest["id"], newest["mail_from"], newest["recipients"]) == (2, "", ["a@example.kz", "b@example.kz"])
    assert (newest["message_id"], newest["in_reply_to"]) == ("<2@bridge.test>", "<alert@zabbix.example>")
    assert newest["references"] == "<first@zabbix.example> <alert@zabbix.example>"
    assert newest["text"] == "принято\n"
    assert "Message-ID: <2@bridge.test>" in newest["raw"]
    assert (await world.call("DELETE", "/sim/mail"))[0] == 204
    assert (await world.call("GET", "/sim/mail"))[1] == []


async def test_a_taken_address_is_a_sentence_and_exit_one(world: World) -> None:
    with pytest.raises(CannotListen, match="Address already in use"):
        async with running(Simulator(), port=world.port):
            pass
