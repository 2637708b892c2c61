"""A whole bridge that is called by the pretend provider, in every form in which it may call."""

from __future__ import annotations

import asyncio
import smtplib
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import aiohttp
import pytest
import structlog

from bridge.app.bridge import Bridge, Surroundings
from bridge.book.loading import load_book
from bridge.providers.base import Inbound
from bridge.simulator.serve import running
from bridge.simulator.settings import Account, Handler, Limits, Switches
from bridge.simulator.simulator import Simulator

pytestmark = pytest.mark.anyio

PHONE, NUMBER = "+77010000001", "77770000000"
PATH, WORD = "p4th" * 8, "s3cr3t_KEY-1"
CONFIG = """
listen:
  - {{door: smtp, address: "127.0.0.1:0", trust: 127.0.0.1}}
  - {{door: http, address: "127.0.0.1:0"}}
domains: bridge.test
node: n1
operator: {{mail: operator@bridge.test}}
region: KZ
timezone: Asia/Almaty
currency: KZT
people: {{aigul: {{name: Aigul, phone: "{phone}"}}}}
providers:
  smsc:
    type: smsc-http
    base_url: "http://127.0.0.1:{http}"
    login: one
    password: {{env: CALLED_SECRET}}
    number: "+{number}"
    inbound: {inbound}
    poll: 60s
    callbacks: {{path: {{env: CALLED_PATH}}, secret: {{env: CALLED_WORD}}{more}}}
{link}send_via: smsc
budgets: {{total: {{money: 1000000 KZT/day}}}}
"""
LINK = """\
  smpp: {{type: smsc-smpp, hosts: ["127.0.0.1:{smpp}"], tls: "off", login: one, password: {{env: CALLED_SECRET}},
         number: "+{number}"}}
"""
RULES = 'rules: [{rule: all, when: {recipient: all@bridge.test}, to: aigul, text: "{{ title }}"}]\n'


@dataclass
class House:
    bridge: Bridge
    simulator: Simulator

    async def rows(self, query: str) -> list[tuple[Any, ...]]:
        return [tuple(row) for row in await self.bridge.store.read(lambda tx: tx.raw(query))]

    async def becomes(self, query: str, wanted: list[tuple[Any, ...]], within: float = 8) -> None:
        deadline = asyncio.get_running_loop().time() + within
        while (found := await self.rows(query)) != wanted:
            posted = [(one.status, one.post.body) for one in self.simulator.air.posted]
            assert asyncio.get_running_loop().time() < deadline, (found, posted)
            await asyncio.sleep(0.02)

    @property
    def posted(self) -> list[int]:
        """The answers to what was posted; what goes over the link is told there too."""
        return [one.status for one in self.simulator.air.posted if one.post.url.startswith("http")]

    async def posts(self, count: int) -> None:
        async with asyncio.timeout(8):
            while len(self.posted) < count:
                await asyncio.sleep(0.02)

    def handle(self, query: str, *, tail: str = "", **more: Any) -> None:
        """The provider is to post to our handler, with *query* behind the question mark."""
        url = f"http://{self.bridge.http_addresses[0]}/callbacks/smsc/{PATH}{tail}?{query}"
        self.simulator.air.handlers = (Handler(url=url, **more),)

    async def alert(self) -> None:
        await asyncio.to_thread(self._alert)

    def _alert(self) -> None:
        with smtplib.SMTP("127.0.0.1", self.bridge.doors[0].port, timeout=5) as session:
            session.sendmail("mon@host.test", ["all@bridge.test"], b"Subject: disk is full\r\n\r\nx\r\n")


@pytest.fixture
async def opened(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Any]:
    """``await opened(more="", inbound="callback", **switches)``: *more* is what else stands under ``callbacks``."""
    for name, value in (("SECRET", "secret"), ("PATH", PATH), ("WORD", WORD)):
        monkeypatch.setenv(f"CALLED_{name}", value)
    async with AsyncExitStack() as stack:

        async def house(more: str = "", inbound: str = "callback", linked: bool = True, **switches: Any) -> House:
            limits = Limits(identical_seconds=0)
            account = Account(login="one", password="secret", number=NUMBER, balance=Decimal(1000))
            made = Switches(limits=limits, operator_delay=0.01, delivery_delay=0.05, **switches)
            simulator = Simulator(accounts=(account,), switches=made)
            port = await stack.enter_async_context(running(simulator))
            smpp = await simulator.listen_for_smpp("127.0.0.1", 0)
            (tmp_path / "rules").mkdir()
            (tmp_path / "rules" / "10.yaml").write_text(RULES)
            link = LINK.format(smpp=smpp, number=NUMBER) if linked else ""
            config = CONFIG.format(http=port, link=link, number=NUMBER, phone=PHONE, more=more, inbound=inbound)
            (tmp_path / "config.yaml").write_text(config)
            book = load_book(tmp_path / "config.yaml").require()
            bridge = Bridge(book, Surroundings(tmp_path / "bridge.db"))
            await bridge.start()
            stack.push_async_callback(bridge.stop)
            return House(bridge, simulator)

        yield house


@pytest.mark.parametrize("charset", ["windows-1251", "koi8-r", "utf-8"])
@pytest.mark.parametrize("form", ["", "fmt=2&", "fmt=3&"])
@pytest.mark.parametrize("checksum", ["sha1", "md5"])
async def test_statuses_and_answers_are_read_in_every_form(opened: Any, charset: str, form: str, checksum: str) -> None:
    if form and charset == "koi8-r":
        charset = "utf-8"  # the provider has none in bodies that are no form
    house = await opened(f", charset: {charset}, checksum: {checksum}")
    house.handle(f"{form}charset={charset}&tenant=a&{checksum}={WORD}")
    await house.alert()
    await house.becomes("SELECT state FROM messages", [("DELIVERED",)])
    house.simulator.reply(PHONE.lstrip("+"), "принял: ёлка", NUMBER)
    await house.becomes("SELECT phone, text FROM replies", [(PHONE, "принял: ёлка")])
    assert set(house.posted) == {200}


async def test_what_stands_between_the_sign_and_the_question_mark_comes_back_in_the_address(opened: Any) -> None:
    house = await opened()
    house.handle(f"charset=utf-8&sha1={WORD}&x=1", tail="/!tenant=a&k=v")
    await house.alert()
    await house.becomes("SELECT state FROM messages", [("DELIVERED",)])
    assert set(house.posted) == {200}


async def test_another_sum_of_the_provider_is_a_line_of_the_configuration(opened: Any) -> None:
    template = "{id}/{phone}/{mes}/{secret}"
    house = await opened(f', sums: {{inbound: "{template}"}}', inbound_template=template)
    house.handle(f"charset=utf-8&sha1={WORD}")
    house.simulator.reply(PHONE.lstrip("+"), "ok", NUMBER)
    await house.becomes("SELECT text FROM replies", [("ok",)])


async def test_T24_a_sum_that_does_not_fit_is_said_once_a_minute_and_without_the_secret(opened: Any) -> None:
    house = await opened()
    house.handle(f"charset=utf-8&sha1={WORD}x")
    with structlog.testing.capture_logs() as logs:
        for _ in range(3):
            house.simulator.reply(PHONE.lstrip("+"), "ok", NUMBER)
        await house.posts(3)
    assert house.posted == [403, 403, 403]
    (said,) = [one for one in logs if one["event"] == "callback refused"]
    assert said["why"] == "inbound: the sum is wrong, it should run over {phone}:{mes}:{to}:{secret}"
    assert WORD not in str(logs)


async def test_T25_an_sms_that_came_over_the_link_and_by_a_post_and_by_a_poll_is_one(opened: Any) -> None:
    house = await opened()
    house.handle(f"charset=utf-8&sha1={WORD}")
    async with asyncio.timeout(8):
        while not house.simulator.smpp.bound_as("one"):
            await asyncio.sleep(0.02)
    house.simulator.reply(PHONE.lstrip("+"), "ok", NUMBER)
    await house.becomes("SELECT text FROM replies", [("ok",)])
    await house.posts(1)
    assert set(house.posted) == {200}  # the first is the SMS; our answer to it may have a status by now
    door = house.bridge.gateways.doors["smsc"].gateway
    found = await door.inbound(0, 24)
    assert [one.text for one in found] == ["ok"]
    assert house.bridge._accounts is not None
    assert await house.bridge._accounts.fetch(door) == 0
    assert await house.rows("SELECT count(*) FROM replies") == [(1,)]


async def test_T25_where_the_list_is_fetched_a_post_says_only_that_it_is_time_to(opened: Any) -> None:
    """Somebody who has seen one signed answer posts its words again, with an id of his own."""
    house = await opened(inbound="poll", linked=False)
    house.handle(f"charset=utf-8&sha1={WORD}")
    house.simulator.reply(PHONE.lstrip("+"), "ok", NUMBER)
    await house.becomes("SELECT text FROM replies", [("ok",)])
    (post,) = [one.post for one in house.simulator.air.posted if b"mes=" in one.post.body]
    fields = {name: values[0] for name, values in parse_qs(post.body.decode()).items()}
    url = f"http://{house.bridge.http_addresses[0]}/callbacks/smsc/{PATH}"
    async with aiohttp.ClientSession() as session:
        for number in range(5):
            async with session.post(url, data={**fields, "id": f"99000{number}"}) as answer:
                assert answer.status == 200
    await asyncio.sleep(1.5)  # the list is fetched meanwhile
    assert await house.rows("SELECT count(*) FROM replies") == [(1,)]
    assert house.bridge.metrics.callbacks.labels("smsc", "asked")._value.get() == 6


async def test_an_sms_that_is_posted_where_answers_are_off_is_none(opened: Any) -> None:
    house = await opened(inbound='"off"', linked=False)
    house.handle(f"charset=utf-8&sha1={WORD}")
    house.simulator.reply(PHONE.lstrip("+"), "ok", NUMBER)
    await house.posts(1)
    assert house.posted == [200]
    assert await house.rows("SELECT count(*) FROM replies") == [(0,)]


@pytest.mark.parametrize("first", ["link", "post"])
async def test_T25_whichever_way_came_first_and_the_same_words_later_are_another_sms(
    opened: Any, first: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    house = await opened()
    now = datetime.now(UTC)
    monkeypatch.setattr(house.bridge._links, "_now", lambda: now)
    smpp = house.bridge.gateways.doors["smpp"].gateway
    http = house.bridge.gateways.doors["smsc"].gateway
    over_link = Inbound("", PHONE, NUMBER, "ok", None, None)
    posted = Inbound("5", PHONE, NUMBER, "ok", now, now)

    async def link() -> None:
        await house.bridge._links.keep(smpp, over_link)

    async def post() -> None:
        await house.bridge.store.write(lambda tx: house.bridge._accounts._keep(tx, http, [posted]))

    for come in (link, post) if first == "link" else (post, link):
        await come()
    assert await house.rows("SELECT count(*) FROM replies") == [(1,)]
    posted = Inbound("6", PHONE, NUMBER, "ok", now + timedelta(minutes=9), None)
    await post()
    assert await house.rows("SELECT count(*) FROM replies") == [(2,)]
