"""The pages and the machine doors over real sockets and a real store, as a browser without script sees them."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager
from datetime import timedelta
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from bridge.errors import StoreUnavailable
from bridge.model import Unsubscribed
from bridge.store import rows, schema, views
from bridge.store.engine import Store
from bridge.store.statements import insert
from bridge.web.guards import CSP
from bridge.web.ports import Part
from tests.integration.web_house import AIGUL, IVAN, House, status, token, web_house

pytestmark = pytest.mark.anyio

OpenHouse = Callable[..., AbstractAsyncContextManager[House]]
PAGES = ("/", "/incidents", "/search", "/search?q=db01", "/phones", "/incident/1000", "/mail/M-1")


@pytest.fixture
def open_house(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> OpenHouse:
    return lambda **changes: web_house(tmp_path, monkeypatch, **changes)


@pytest.fixture
async def house(open_house: OpenHouse) -> AsyncIterator[House]:
    async with open_house() as house:
        yield house


class Tags(HTMLParser):
    """Every tag with its attributes."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))

    def names(self) -> set[str]:
        return {tag for tag, _ in self.found}


def text_of(page: str) -> str:
    return " ".join(re.sub(r"<[^>]*>", " ", page).split())


# --- the frame ---


async def test_every_page_carries_the_headers_of_safety_word_for_word(house: House) -> None:
    await house.zabbix()
    for path in (*PAGES, "/nowhere"):
        async with house.session.get(house.url + path) as answer:
            assert answer.headers["Content-Security-Policy"] == CSP, path
            assert answer.headers["Cache-Control"] == "no-store"
            assert answer.headers["Referrer-Policy"] == "no-referrer"
            assert answer.headers["X-Content-Type-Options"] == "nosniff"
            assert answer.headers["Cross-Origin-Opener-Policy"] == "same-origin"
            assert answer.headers["Permissions-Policy"] == "camera=(), microphone=(), geolocation=()"


async def test_no_page_holds_inline_script_style_or_handlers(house: House) -> None:
    await house.zabbix()
    for path in PAGES:
        code, page = await house.get(path)
        assert code == 200, path
        for tag, attributes in Tags(page).found:
            assert tag not in ("style", "iframe", "object", "base"), path
            assert "style" not in attributes, path
            assert not [name for name in attributes if name.startswith("on")], path
            assert tag != "script" or (attributes.get("src") or "").startswith("/static/"), path


async def test_every_page_is_small_has_one_headline_and_unique_ids(house: House) -> None:
    for n in range(60):
        await house.zabbix(f"web{n}")
    await house.deliver()
    for path in PAGES:
        _, page = await house.get(path)
        tags = Tags(page)
        ids = [attributes["id"] for _, attributes in tags.found if "id" in attributes]
        assert len(ids) == len(set(ids)), path
        assert [tag for tag, _ in tags.found].count("h1") == 1, path
        assert len(page.encode()) <= 40_000, path


@pytest.mark.parametrize("language", ["en", "ru", "kk"])
async def test_every_page_speaks_every_language(house: House, language: str) -> None:
    await house.zabbix()
    await house.deliver()
    words = {"en": "Search", "ru": "Поиск", "kk": "Іздеу"}
    for path in PAGES:
        _, page = await house.get(path + ("&" if "?" in path else "?") + f"lang={language}")
        assert f'<html lang="{language}"' in page
        assert words[language] in page


async def test_language_and_theme_are_remembered_by_cookie_and_asked_of_the_browser(house: House) -> None:
    assert 'lang="ru"' in (await house.get("/", **{"Accept-Language": "de, ru;q=0.8, en;q=0.5"}))[1]
    assert 'data-theme="dark"' in (await house.get("/?theme=dark&lang=kk"))[1]
    _, page = await house.get("/")
    assert '<html lang="kk" data-theme="dark">' in page


async def test_a_page_that_is_not_there_says_so_kindly(house: House) -> None:
    for path in ("/nowhere", "/mail/M-999", "/incident/5", "/message/77"):
        code, page = await house.get(path)
        assert code == 404, path
        assert "Nothing lives here" in page


async def test_static_files_have_hashed_names_and_are_kept_for_ever(house: House) -> None:
    _, page = await house.get("/")
    names = re.findall(r'(?:href|src)="(/static/[^"]+)"', page)
    assert len(names) == 4
    for name in names:
        assert re.fullmatch(r"/static/\w+\.[0-9a-f]{12}\.(css|js|svg)", name)
        async with house.session.get(house.url + name) as answer:
            assert answer.status == 200
            assert answer.headers["Cache-Control"] == "public, max-age=31536000, immutable"
    assert (await house.get("/static/..%2fapp.py"))[0] == 404
    assert (await house.get("/static/console.css"))[0] == 404


# --- who may ---


async def test_T28_a_console_that_is_not_on_loopback_answers_403_with_a_reason(open_house: OpenHouse) -> None:
    async with open_house(console_open=False) as house:
        await house.zabbix()
        for path in (*PAGES, "/live", "/nowhere"):
            code, page = await house.get(path)
            assert code == 403, path
            assert "later release" in page
            assert "db01" not in page
        assert (await house.get("/healthz"))[0] == 200
        assert (await house.session.post(f"{house.url}/incident/1000/ack")).status == 403
        assert house.orders == []


async def test_T28_a_name_that_is_not_ours_is_refused_against_rebinding(open_house: OpenHouse) -> None:
    async with open_house(hosts=frozenset({"sms.example.kz"})) as house:
        for name in ("evil.example", "evil.example:8025", "127.0.0.1.evil.example", ""):
            code, page = await house.get("/", Host=name)
            assert code == 421, name
            assert "csrf" not in page
        for name in ("localhost:8025", "127.0.0.1", "[::1]:8025", "sms.example.kz", "SMS.example.kz:443"):
            assert (await house.get("/", Host=name))[0] == 200, name


async def test_T28_an_act_needs_the_token_of_this_browser_and_a_page_of_ours(house: House) -> None:
    await house.zabbix()
    _, page = await house.get("/")
    right = token(page)
    cases: list[tuple[dict[str, str], dict[str, str]]] = [
        ({}, {}),
        ({"csrf": ""}, {}),
        ({"csrf": "0" * 40}, {}),
        ({"csrf": right}, {"Sec-Fetch-Site": "cross-site"}),
        ({"csrf": right}, {"Sec-Fetch-Site": "same-site"}),
        ({"csrf": right}, {"Origin": "https://evil.example"}),
        ({"csrf": right}, {"Origin": "null"}),
    ]
    for fields, headers in cases:
        async with house.session.post(f"{house.url}/incident/1000/ack", data=fields, headers=headers) as answer:
            assert answer.status == 403, (fields, headers)
    async with (
        aiohttp.ClientSession() as stranger,
        stranger.post(f"{house.url}/incident/1000/ack", data={"csrf": right}) as answer,
    ):
        assert answer.status == 403, "the token is bound to the cookie"
    assert house.orders == []
    assert await house.act_on("/incident/1000/ack") == (303, "/?done=ack:1000")


async def test_T28_the_cookie_is_strict_and_no_script_reads_it(house: House) -> None:
    async with house.session.get(house.url) as answer:
        said = answer.headers["Set-Cookie"].lower()
    assert "httponly" in said
    assert "samesite=strict" in said


async def test_T28_no_act_by_get_and_none_leads_away(house: House) -> None:
    await house.zabbix()
    assert (await house.get("/incident/1000/ack"))[0] == 404
    for back in ("https://evil.example/", "//evil.example/", "/\\evil.example", "javascript:alert(1)"):
        assert (await house.act_on("/incident/1000/ack", back=back))[1] == "/?done=ack:1000"
    assert (await house.act_on("/incident/1000/ack", back="/incident/1000"))[1] == "/incident/1000?done=ack:1000"
    assert {order.words[1] for order in house.orders} == {"ack"}


PAYLOADS = (
    "<script>alert(1)</script>", "\"><img src=x onerror=alert(1)>", "'><svg/onload=alert(1)>", "{{7*7}}", "{% raw %}",
    "javascript:alert(1)", "</textarea><script>alert(1)</script>", "<iframe srcdoc='<script>alert(1)</script>'>",
    "\u202etxt.exe", "<a href=//evil>x</a>", "\x1b[31mred", "--><script>", "&lt;script&gt;",
    "<style>*{display:none}</style>",
)  # fmt: skip


async def test_T28_foreign_text_is_inert_in_every_field_of_every_page(house: House) -> None:
    for n, payload in enumerate(PAYLOADS):
        await house.mail(subject=payload, text=payload, sender=f"{'x' * (n + 1)}@evil.example")
        await house.zabbix(f"h{n}", title=payload)
    await house.deliver()
    for payload in PAYLOADS:
        await house.reply(payload)
        house.simulator.reply(AIGUL, payload, "77770000000")
    numbers = [row[0] for row in await house.raw("SELECT id FROM incidents")]
    mails = [row[0] for row in await house.raw("SELECT id FROM mails")]
    paths = ["/", "/incidents", "/phones", "/search?q=%3Cscript%3E", "/search?q=alert"]
    paths += [f"/incident/{number}" for number in numbers] + [f"/mail/M-{number}" for number in mails]
    ours = Tags((await house.get("/"))[1]).names() | {
        "ol",
        "li",
        "pre",
        "details",
        "summary",
        "aside",
        "dl",
        "dt",
        "dd",
    }
    for path in paths:
        code, page = await house.get(path)
        assert code == 200, path
        tags = Tags(page)
        assert not tags.names() & {"img", "iframe", "style", "textarea", "object"}, path
        assert tags.names() <= ours | {"input", "button", "form", "kbd", "label", "b", "small", "h2"}, path
        links = [attributes.get("href") or "" for tag, attributes in tags.found if tag == "a"]
        assert all(link.startswith(("/", "?", "#")) and not link.startswith("//") for link in links), path
        assert "\u202e" not in page, path
        assert "\x1b" not in page, path
        assert "49" not in re.findall(r"·\s*(49)\s*<", page), path


# --- now, incidents, search ---


async def test_now_says_who_is_needed_and_acks_with_a_way_back(house: House) -> None:
    assert "All quiet. No alert yet." in (await house.get("/"))[1]
    await house.zabbix()
    await house.deliver()
    _, page = await house.get("/")
    assert "1 open, nobody has it" in page
    assert "Aigul told at 08:00, delivered." in text_of(page)
    assert (await house.act_on("/incident/1000/ack", back="/")) == (303, "/?done=ack:1000")
    _, page = await house.get("/?done=ack:1000")
    assert "Acked: incident 1000." in page
    assert "acked by the console" in page
    assert re.search(r'action="/incident/1000/unack"[^>]*>.*?autofocus', page, re.S)
    assert (await house.act_on("/incident/1000/unack", back="/")) == (303, "/?done=unack:1000")
    assert "1 open, nobody has it" in (await house.get("/"))[1]


async def test_now_puts_the_worst_and_the_unclaimed_first(house: House) -> None:
    await house.zabbix("db01", title="first")
    await house.zabbix("db02", title="second")
    await house.act_on("/incident/1000/ack")
    _, page = await house.get("/")
    assert page.index("second") < page.index("first")
    assert "2 open, nobody on 1 of them" in page


async def test_now_says_when_an_outcome_is_unknown(house: House) -> None:
    await house.zabbix()
    await house.hand_over("UNKNOWN", "no answer within 25 s")
    _, page = await house.get("/")
    assert "Aigul told at 08:00, unknown." in text_of(page)
    assert "1 message has an unknown outcome" in page
    assert 'class="tag unknown"' in page


async def test_now_never_says_told_of_somebody_whom_nothing_reached(house: House) -> None:
    await house.zabbix()
    assert "SMS to Aigul: waiting." in text_of((await house.get("/"))[1])
    await house.hand_over("REFUSED", "the number cannot be reached")
    page = text_of((await house.get("/"))[1])
    assert "Aigul was not reached: not sent." in page
    assert "told at" not in page


async def test_now_names_the_part_that_is_not_well(house: House) -> None:
    house.parts.append(Part("smtp 0.0.0.0:25", "address in use"))
    _, page = await house.get("/")
    assert "smtp 0.0.0.0:25" in page
    assert "address in use" in page


async def test_incidents_are_listed_by_day_and_filtered_by_the_address(house: House) -> None:
    await house.zabbix("db01", title="old one")
    await house.zabbix("db01", title="old one", over=True)
    house.later(days=1)
    await house.zabbix("db02", title="new one")
    _, page = await house.get("/incidents")
    assert page.index("new one") < page.index("old one")
    assert "today" in page
    assert "21 Nov" in page
    assert "old one" not in (await house.get("/incidents?state=open"))[1]
    assert "new one" not in (await house.get("/incidents?state=over"))[1]
    assert (await house.get("/incidents?state=nonsense"))[0] == 200


async def test_a_long_list_of_incidents_is_read_page_by_page(house: House) -> None:
    for n in range(50):
        house.later(seconds=1)
        await house.zabbix(f"web{n:02}")
    _, first = await house.get("/incidents?state=open")
    (older,) = re.findall(r'href="(\?state=open&amp;before=\d+)"', first)
    _, second = await house.get("/incidents" + older.replace("&amp;", "&"))
    hosts = [re.findall(r'class="mono">(web\d\d)<', page) for page in (first, second)]
    assert hosts[0] + hosts[1] == [f"web{n:02}" for n in reversed(range(50))]
    assert "Older ones" in first
    assert "Older ones" not in second
    assert (await house.get("/incidents?before=nonsense"))[0] == 200


@pytest.mark.parametrize(
    "phrase, found",
    [
        ("M-1", "/mail/M-1"), ("disk full", "/mail/M-1"), ("db01", "/incident/1000"), ("0001", "/message/1"),
        ("+7 701 000 0001", "/message/1"), ("1000", "/incident/1000"), ("looking into", "/incident/1000#r-1"),
    ],
)  # fmt: skip
async def test_search_finds_mails_incidents_messages_and_replies(house: House, phrase: str, found: str) -> None:
    await house.mail()
    await house.deliver()
    await house.reply("looking into it now, will call")
    code, page = await house.get(f"/search?q={phrase.replace('+', '%2B').replace(' ', '+')}")
    assert code == 200
    assert f'href="{found}"' in page


async def unsubscribed(house: House) -> None:
    """Aigul from Viber, and a phone that is nobody's from VK, an hour later."""
    gone = (Unsubscribed("smsgate:one", "viber", AIGUL, house.now),
            Unsubscribed("smsgate:one", "vk", "+77019998877", house.now + timedelta(hours=1)))  # fmt: skip
    values = [rows.unsubscribed_row(one) for one in gone]
    await house.store.write(lambda tx: tx.many(insert(schema.unsubscribed), values))


async def test_who_unsubscribed_is_listed_with_what_takes_it_back(house: House) -> None:
    assert "Unsubscribed" not in (await house.get("/search"))[1]
    await unsubscribed(house)
    _, page = await house.get("/search")
    said = ("Nothing goes to +7 701 ••• 88 77 by VK any more (smsgate:one)",
            "If this person asks for it again: smsbridge unsubscribes undo PHONE",
            "Nothing goes to +7 701 ••• 00 01 by Viber any more (smsgate:one)",
            "If this person asks for it again: smsbridge unsubscribes undo aigul")  # fmt: skip
    places = [page.find(sentence) for sentence in said]
    assert min(places) > 0
    assert places == sorted(places), "the newest first"
    assert AIGUL not in page


@pytest.mark.parametrize(
    ("phrase", "ways"),
    [("aigul", ["Viber"]), ("AIG", ["Viber"]), ("0001", ["Viber"]), (AIGUL, ["Viber"]), ("+7 701 999 88 77", ["VK"]),
     ("8877", ["VK"]), ("001", []), ("ivan", []), ("-", [])],
)  # fmt: skip
async def test_a_search_for_a_person_or_a_phone_says_what_they_unsubscribed_from(
    house: House, phrase: str, ways: list[str]
) -> None:
    await unsubscribed(house)
    async with house.session.get(f"{house.url}/search", params={"q": phrase}) as answer:
        page = await answer.text()
    assert re.findall(r"by (\w+) any more \(smsgate:one\)", page) == ways
    assert ("Mails are kept for 90 days" in page) == (ways == [])
    assert f"{len(ways)} found" in page


async def test_search_that_finds_nothing_says_for_how_long_mails_are_kept(house: House) -> None:
    for phrase in ("db77", "%", "_", "\\", "'; DROP TABLE mails; --", "0" * 400, "-"):
        async with house.session.get(f"{house.url}/search", params={"q": phrase}) as answer:
            page = await answer.text()
        assert "Mails are kept for 90 days" in page, phrase


async def test_T31_numbers_are_masked_everywhere_but_on_the_pretend_phones(house: House) -> None:
    await house.zabbix()
    await house.deliver()
    await house.reply("hello", "+77019998877")
    for path in (*PAGES, "/search?q=0001"):
        _, page = await house.get(path)
        if not path.startswith("/phones"):
            assert AIGUL not in page, path
            assert "+77019998877" not in page, path
    assert "+7 701 000 0001" in (await house.get("/phones"))[1]


# --- the trail ---


async def test_the_trail_tells_the_whole_story_in_order(house: House) -> None:
    await house.zabbix()
    house.later(seconds=1)
    await house.deliver()
    house.later(minutes=2)
    await house.reply("10 ok")
    await house.deliver()
    house.later(minutes=20)
    await house.zabbix(over=True)
    await house.deliver()
    _, page = await house.get("/incident/1000")
    text = text_of(page[page.index('<ol class="trail"') :])
    order = [
        "Mail M-1 from zabbix@mon1.bridge.test", "Read as an event of zabbix: problem, high",
        "Taken by “the one on call”", "3 rules said no", "switches: ", "Opened incident 1000", "SMS 1 to Aigul",
        "smsc took it", "SMS 1: delivered", "SMS from Aigul", "Read as ack", "Acked by Aigul", "Answer 2 to Aigul",
        "Mail to zabbix@mon1.bridge.test", "Acked by Aigul at 08:02, by SMS “10 ok”.", "Mail M-2",
        "It is over", "SMS 3 to Aigul",
    ]  # fmt: skip
    places = [text.index(part) for part in order]
    assert places == sorted(places), list(zip(order, places, strict=True))
    verdict = text_of(page[page.index("card verdict") : page.index('class="filters"')])
    for part in (
        "mailed at 08:00:00",
        "on the phone of Aigul 2.0 s later",
        "answered “10 ok” after 2 min",
        "Over since",
    ):
        assert part in verdict, (part, verdict)
    assert "3 SMS, 54.00 KZT" in verdict


async def test_a_mail_and_a_message_lead_to_the_same_trail(house: House) -> None:
    await house.zabbix()
    await house.deliver()
    async with house.session.get(f"{house.url}/message/1", allow_redirects=False) as answer:
        assert answer.status == 303
        assert answer.headers["Location"] == "/incident/1000#message-1"
    assert 'id="message-1"' in (await house.get("/incident/1000"))[1]
    _, page = await house.get("/mail/M-1")
    assert "SMS 1 to Aigul" in page
    assert 'id="message-1"' in page


async def test_what_was_decided_against_is_a_step_with_its_reason(house: House) -> None:
    await house.mail("drop")
    _, page = await house.get("/mail/M-1")
    assert "Dropped by the rule “dropped”: not today." in page
    assert "No SMS was sent." in page
    await house.zabbix()
    await house.zabbix()
    _, page = await house.get("/incident/1000")
    assert "Aigul was not told" in page
    assert "Told before: open since 08:00." in page
    _, against = await house.get("/incident/1000?show=against")
    assert "Aigul was not told" in against
    assert "Opened incident" not in against


async def test_a_mail_that_nobody_wanted_says_that_the_operator_hears_of_it(house: House) -> None:
    await house.mail("nobody")
    _, page = await house.get("/mail/M-1")
    assert "No rule took it" in page
    assert "No rule takes it: the operator hears of it." in page


async def test_an_unknown_outcome_comes_first_in_the_verdict(house: House) -> None:
    await house.zabbix()
    await house.hand_over("UNKNOWN", "no answer within 25 s")
    _, page = await house.get("/incident/1000")
    assert "It is not known whether the SMS reached Aigul." in page
    assert "Outcome unknown at smsc" in page
    assert "verdict unknown" in page


async def test_an_undelivered_sms_is_said_in_red(house: House) -> None:
    await house.zabbix()
    (client_id,) = await house.hand_over()
    assert await house.post(status(client_id, AIGUL, "20")) == 200
    _, page = await house.get("/incident/1000")
    assert "It did not reach Aigul." in page
    assert "verdict bad" in page


# --- phones ---


async def test_phones_exist_only_with_a_pretend_provider(open_house: OpenHouse) -> None:
    async with open_house(simulator=None, demo=None) as house:
        assert (await house.get("/phones"))[0] == 404
        assert "/phones" not in (await house.get("/"))[1]


async def test_an_answer_and_a_call_reach_the_pretend_provider(house: House) -> None:
    assert await house.act_on("/phones/answer", phone=AIGUL, text="12 ок") == (303, "/phones#phone-77010000001")
    assert await house.act_on("/phones/answer", phone=IVAN, text="", said="list") == (303, "/phones#phone-77010000002")
    assert await house.act_on("/phones/call", phone=AIGUL) == (303, "/phones#phone-77010000001")
    answers = [(answer.phone, answer.to, answer.text) for answer in house.simulator.air.answers]
    assert answers == [
        ("77010000001", "77770000000", "12 ок"),
        ("77010000002", "77770000000", "list"),
        ("77010000001", "77770000000", "[CALL]"),
    ]
    _, page = await house.get("/phones")
    assert "12 ок" in page
    assert "not read yet" in page


async def test_an_answer_shows_how_it_was_read(house: House) -> None:
    await house.zabbix()
    await house.deliver()
    await house.act_on("/phones/answer", phone=AIGUL, text="10 ok")
    await house.reply("10 ok")
    assert "read as ack" in (await house.get("/phones"))[1]


async def test_an_empty_answer_is_refused_with_a_sentence(house: House) -> None:
    assert (await house.act_on("/phones/answer", phone=AIGUL, text="  "))[0] == 409
    assert "An answer needs some text." in house.said


async def test_suggestions_are_what_may_be_typed_now_in_the_owners_words(house: House) -> None:
    await house.zabbix(to="team")
    await house.deliver()
    _, page = await house.get("/phones")
    assert re.search(r'name="said" value="10 ok"', page)
    assert re.search(r'name="said" value="\d\d ок"', page), "Ivan writes Russian"
    await house.reply("10 ok")
    assert re.search(r'name="said" value="10 un"', (await house.get("/phones"))[1])


async def test_the_provider_is_made_to_fail_and_nobody_forgets_it(house: House) -> None:
    await house.act_on("/phones/faults", toggle="silent")
    await house.act_on("/phones/faults", toggle="noreceipt")
    assert house.simulator.air.faults.as_json()["smsc"] == {"all": {"silent": True, "receipts": "none"}}
    assert "provider: takes it and falls silent, never reports delivery" in (await house.get("/"))[1]
    await house.act_on("/phones/faults", toggle="silent")
    assert house.simulator.air.faults.as_json()["smsc"] == {"all": {"receipts": "none"}}
    await house.act_on("/phones/faults", toggle="money")
    await house.act_on("/phones/faults", toggle="refuse")
    assert house.simulator.air.faults.as_json()["smsc"] == {"all": {"receipts": "none", "refuse": 8}}
    await house.act_on("/phones/faults", toggle="")
    assert house.simulator.air.faults.as_json()["smsc"] == {}
    assert "provider:" not in (await house.get("/"))[1]


async def test_the_buttons_send_the_demos_mails(house: House) -> None:
    for kind in ("problem", "recovery", "storm", "nonsense"):
        assert (await house.act_on("/phones/mail", kind=kind))[0] == 303
    assert house.demo_mails == ["problem", "recovery", "storm"]


# --- fragments and the stream ---


async def test_a_fragment_is_the_living_part_and_is_not_sent_twice(house: House) -> None:
    async with house.session.get(f"{house.url}/?part=main") as answer:
        assert answer.headers["X-Fragment"] == "1"
        page, tag = await answer.text(), answer.headers["ETag"]
    assert "<html" not in page
    assert '<main class="page" id="main"' in page
    assert (await house.get("/?part=main", **{"If-None-Match": tag}))[0] == 304
    await house.zabbix()
    assert (await house.get("/?part=main", **{"If-None-Match": tag}))[0] == 200


async def events_of(answer: aiohttp.ClientResponse, count: int) -> list[dict[str, Any]]:
    """The next *count* events of a stream."""
    found: list[dict[str, Any]] = []
    event: dict[str, Any] = {}
    async with asyncio.timeout(10):
        while len(found) < count:
            line = (await answer.content.readline()).decode().rstrip("\n")
            name, _, value = line.partition(": ")
            if line.startswith(("id: ", "event: ")):
                event[name] = value
            elif line.startswith("data: "):
                found.append(event | json.loads(value))
                event = {}
    return found


async def test_the_stream_hints_at_what_changed_with_the_journals_number(house: House) -> None:
    async with house.session.get(f"{house.url}/live?scope=now,incident:1000") as answer:
        assert answer.headers["Content-Type"].startswith("text/event-stream")
        assert answer.headers["X-Accel-Buffering"] == "no"
        await answer.content.readuntil(b"\n\n")
        await house.zabbix()
        (event,) = await events_of(answer, 1)
    seq = await house.store.read(views.last_seq)
    assert event == {"id": str(seq), "event": "changed", "what": ["incident:1000", "now"], "seq": seq}


async def test_a_stream_that_comes_back_hears_what_it_missed(house: House) -> None:
    await house.zabbix()
    seq = await house.store.read(views.last_seq)
    await house.zabbix("db02")
    headers = {"Last-Event-ID": str(seq)}
    async with house.session.get(f"{house.url}/live?scope=all&since=0", headers=headers) as answer:
        (event,) = await events_of(answer, 1)
    assert "incident:1001" in event["what"]
    assert "incident:1000" not in event["what"]


async def test_a_stream_that_missed_too_much_is_told_to_fetch_everything(house: House) -> None:
    await house.zabbix()
    house.later(minutes=11)
    async with house.session.get(f"{house.url}/live?scope=now&since=0") as answer:
        (event,) = await events_of(answer, 1)
    assert event["event"] == "all"
    assert event["seq"] == await house.store.read(views.last_seq)


async def test_200_changes_of_one_moment_are_one_hint(house: House) -> None:
    async with house.session.get(f"{house.url}/live?scope=now") as answer:
        await answer.content.readuntil(b"\n\n")
        for n in range(200):
            house.changes.publish("now", f"incident:{n}")
        house.changes.publish("now")
        first = await events_of(answer, 1)
        house.changes.publish("now", "again")
        second = await events_of(answer, 1)
    assert first[0]["what"] == second[0]["what"] == ["now"]


async def test_pretend_phones_are_hinted_at_too(house: House) -> None:
    async with house.session.get(f"{house.url}/live?scope=phones") as answer:
        await answer.content.readuntil(b"\n\n")
        house.simulator.reply(AIGUL, "hello", "77770000000")
        (event,) = await events_of(answer, 1)
    assert event["what"] == ["phones"]


async def test_the_stream_says_goodbye_when_the_bridge_stops(house: House) -> None:
    async with house.session.get(f"{house.url}/live?scope=now") as answer:
        await answer.content.readuntil(b"\n\n")
        house.changes.close()
        (event,) = await events_of(answer, 1)
        assert event["event"] == "bye"
        assert (await answer.content.read()).strip() == b""
    assert len(house.changes) == 0


# --- machines ---


async def test_healthz_lives_and_readyz_says_which_part_is_not_ready(house: House) -> None:
    assert await house.get("/healthz") == (200, "ok\n")
    assert (await house.get("/readyz"))[0] == 200
    house.parts.append(Part("store", "disk full"))
    code, said = await house.get("/readyz")
    assert code == 503
    assert json.loads(said) == {"ready": False, "parts": {"store": "disk full"}}
    assert (await house.get("/healthz"))[0] == 200


async def test_metrics_are_prometheus_text_where_they_are_served(open_house: OpenHouse) -> None:
    async with open_house() as house:
        code, said = await house.get("/metrics")
        assert code == 200
        assert "smsbridge_mails_total 1.0" in said


async def test_a_listener_serves_only_what_it_is_told_to(open_house: OpenHouse) -> None:
    async with open_house(serve=frozenset({"callbacks"})) as house:
        assert (await house.get("/healthz"))[0] == 200
        for path in ("/", "/metrics", "/live", "/phones"):
            assert (await house.get(path))[0] == 404, path
        assert await house.post(b"x=1") == 403


async def test_while_the_store_is_away_the_page_says_so(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    async def away(self: Store, operation: object) -> None:
        raise StoreUnavailable("locked")

    monkeypatch.setattr(Store, "read", away)
    code, page = await house.get("/")
    assert code == 503
    assert "The store is away" in page


async def test_a_mistake_of_ours_is_a_page_with_a_reference_and_no_secret(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def broken(self: Store, operation: object) -> None:
        raise RuntimeError("psw=secret")

    monkeypatch.setattr(Store, "read", broken)
    async with house.session.get(house.url) as answer:
        page = await answer.text()
        assert answer.status == 500
        assert answer.headers["Content-Security-Policy"] == CSP
    assert re.search(r"Reference E-[0-9a-f]{4} is in the log", page)
    assert "secret" not in page
