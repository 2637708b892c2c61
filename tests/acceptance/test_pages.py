"""The console in a real Chromium, over the real demo: live, with keys, without script, on a phone, against attacks."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass
from email.message import EmailMessage
from pathlib import Path

import aiosmtplib
import pytest

from bridge.app.demo import ONCALL, Demo, Where, running
from tests.acceptance.browser import Browser, Page, chromium

pytestmark = [pytest.mark.anyio, pytest.mark.page]
AIGUL = "+77010000001"
TALK = "#talk-77010000001"
PAGES = ("/", "/incidents", "/search", "/search?q=db01", "/phones", "/incident/1000", "/mail/M-1", "/nowhere")


@dataclass
class Stage:
    """A running demo and a browser in front of it."""

    demo: Demo
    browser: Browser

    @property
    def url(self) -> str:
        return f"http://{self.demo.http[0]}:{self.demo.http[1]}"

    async def page(self, path: str, *, width: int = 1280, script: bool = True, dark: bool = False) -> Page:
        page = await self.browser.page(width=width, height=900 if width > 700 else 740, script=script, dark=dark)
        await page.open(self.url + path)
        return page

    async def mail(self, subject: str, text: str = "hello", sender: str = "root@db01.bridge.test") -> None:
        mail = EmailMessage()
        mail["From"], mail["To"], mail["Subject"] = sender, ONCALL, subject
        mail.set_content(text)
        host, port = self.demo.smtp
        await aiosmtplib.send(mail, sender=sender, recipients=[ONCALL], hostname=host, port=port, start_tls=False)

    async def until(self, happened: Callable[[], Awaitable[bool]], within: float = 5.0) -> None:
        async with asyncio.timeout(within):
            while not await happened():
                await asyncio.sleep(0.02)

    async def story(self) -> None:
        """One alert on the phone, delivered."""
        await self.demo.send("problem")

        async def delivered() -> bool:
            rows = await self.demo.bridge.store.read(lambda tx: tx.raw("SELECT state FROM messages"))
            return bool(rows) and all(row == ("DELIVERED",) for row in rows)

        await self.until(delivered)


@pytest.fixture
async def stage(tmp_path: Path) -> AsyncIterator[Stage]:
    async with AsyncExitStack() as stack:
        demo = await stack.enter_async_context(
            running(Where(tmp_path / "demo", smtp=("127.0.0.1", 0), http=("127.0.0.1", 0)))
        )
        yield Stage(demo, await stack.enter_async_context(chromium()))


def texts(selector: str) -> str:
    return f"[...document.querySelectorAll('{selector}')].map((e) => e.textContent).join(' | ')"


# --- live ---


async def test_an_sms_is_on_the_page_within_a_second_and_the_answer_comes_back_as_mail(stage: Stage) -> None:
    page = await stage.page("/phones")
    await page.until("document.querySelector('#live') && !document.querySelector('#live').hidden")
    await asyncio.sleep(0.5)  # the stream is open
    await stage.demo.send("problem")
    took = await page.until(f"document.querySelector('{TALK} .sms')?.textContent.includes('db01')")
    assert took < 1.5, "one second, and half of one for a busy machine"
    await page.until(f"{texts(TALK)}.includes('delivered')")
    await page.press("/")
    assert await page.see("document.activeElement.id") == "a-77010000001"
    await page.type("10 ok")
    await page.press("Enter")
    await page.until(f"{texts(TALK + ' .mine')}.includes('read as ack')")
    await page.until(f"{texts('#ib, .rows b')}.includes('Re: Problem: Disk space')")
    assert await page.see("document.activeElement.id") == "a-77010000001", "the focus stays in the answer box"
    assert await page.see("document.activeElement.value") == ""
    assert await page.see(f"(({{scrollHeight, scrollTop, clientHeight}}) => scrollHeight - scrollTop - clientHeight)"
                          f"(document.querySelector('{TALK}'))") < 40, "the newest message is in sight"  # fmt: skip
    assert page.problems == []


async def test_now_hears_of_an_alert_and_acks_with_a_key_and_undo_has_the_focus(stage: Stage) -> None:
    page = await stage.page("/")
    assert "All quiet" in await page.see("document.title")
    await asyncio.sleep(0.5)
    await stage.story()
    await page.until("document.title.startsWith('1 open, nobody has it')")
    await page.press("1")
    await page.until("document.querySelector('#done')?.textContent.includes('Acked: incident 1000')")
    await page.until("document.activeElement.form?.action.includes('unack')")  # the browser focuses when it draws
    await page.press("Enter")
    await page.until("document.querySelector('#done')?.textContent.includes('Open again')")
    assert page.problems == []


async def test_what_is_typed_open_or_selected_survives_a_storm_of_changes(stage: Stage) -> None:
    await stage.story()
    page = await stage.page("/phones")
    await page.focus("#a-77010000002")
    await page.type("half an ans")
    await page.see("document.querySelector('#keys').open = true")
    await stage.mail("new alert one")
    await stage.mail("new alert two")
    await page.until(f"{texts(TALK)}.includes('new alert two')")
    assert await page.see("document.querySelector('#a-77010000002').value") == "half an ans"
    await page.see("document.activeElement.blur()")
    await stage.mail("new alert three")
    await page.until(f"{texts(TALK)}.includes('new alert three')")
    assert await page.see("document.querySelector('#a-77010000002').value") == "half an ans"
    page = await stage.page("/incident/1000")
    await page.see("document.querySelector('#mail-1 details').open = true")
    await stage.demo.send("recovery")
    await page.until(f"{texts('.trail')}.includes('It is over')")
    assert await page.see("document.querySelector('#mail-1 details').open")


async def test_nothing_moves_under_a_finger_that_has_scrolled(stage: Stage) -> None:
    await stage.demo.send("storm")
    page = await stage.page("/", width=360)
    await page.until("document.querySelectorAll('.inc').length >= 15", within=8)
    await page.see("scrollTo(0, 900)")
    first = await page.see("document.querySelector('.inc').id")
    await stage.mail("an alert that comes later")
    await page.until("document.querySelector('.fresh') !== null")
    assert "comes later" not in await page.see(texts(".inc h2"))
    await page.click(".fresh")
    await page.until(f"{texts('.inc h2')}.includes('comes later')")
    assert await page.see("document.querySelector('.inc').id") == first


async def test_ten_tabs_of_a_browser_hold_one_stream_and_all_of_them_live(stage: Stage) -> None:
    first = await stage.page("/")
    tabs = [first]
    for _ in range(9):
        tab = await stage.browser.page(beside=first)
        await tab.open(stage.url + "/")
        tabs.append(tab)
    await asyncio.sleep(0.5)
    assert len(stage.demo.bridge.changes) == 1
    await stage.story()
    for tab in tabs:
        await tab.until("document.title.startsWith('1 open')")
    assert len(stage.demo.bridge.changes) == 1


async def test_a_page_that_lost_its_stream_comes_back_by_itself(stage: Stage) -> None:
    page = await stage.page("/")
    await asyncio.sleep(0.5)
    for listener in list(stage.demo.bridge.changes._listeners):
        listener.close()
    await stage.story()
    await page.until("document.title.startsWith('1 open')", within=12)


# --- without script ---


async def test_without_script_every_page_loads_and_every_act_works(stage: Stage) -> None:
    page = await stage.page("/phones", script=False)
    await page.click_away("button[value=problem]")
    await stage.story()
    await page.open(stage.url + "/phones")
    assert "db01" in await page.html()
    await page.focus("#a-77010000001")
    await page.type("10 ok")
    await page.click_away("#phone-77010000001 .say button")
    await page.click_away("button[value=silent]")
    assert "provider: takes it and falls silent" in await page.html()
    await page.click_away("button[name=toggle][value='']")
    assert "provider:" not in await page.html()
    for path in PAGES:
        await page.open(stage.url + path)
        assert "<h1" in await page.html()
    await page.open(stage.url + "/incidents?state=all")
    await page.click_away(".inc-row a")
    assert "SMS 1 to Aigul" in await page.html()
    assert [text for text in page.problems if "404" not in text] == []


async def test_without_script_an_ack_is_one_tap_and_can_be_undone(stage: Stage) -> None:
    await stage.story()
    page = await stage.page("/", script=False, width=360)
    await page.click_away(".inc .btn.main")
    assert "Acked: incident 1000." in await page.html()
    await page.click_away("#done button")
    assert "Open again: incident 1000." in await page.html()


# --- sizes ---


@pytest.mark.parametrize("language", ["en", "ru", "kk"])
async def test_no_page_scrolls_sideways_on_a_phone_and_every_target_is_big_enough(stage: Stage, language: str) -> None:
    await stage.story()
    await stage.mail("An-endless-word-" + "x" * 200, "y" * 500)
    stage.demo.simulator.reply(AIGUL, "ok " + "z" * 200)
    stage.demo.simulator.set_faults({"smsc": {"all": {"silent": True, "receipts": "none"}}})
    page = await stage.page(f"/?lang={language}", width=360)
    for width in (320, 360, 1280):
        await page.resize(width)
        for path in PAGES:
            await page.open(stage.url + path)
            wide = await page.see("[document.documentElement.scrollWidth, document.documentElement.clientWidth]")
            assert wide[0] <= wide[1], (path, width, await page.see(_WIDE))
            assert await page.see(_SMALL) == [], (path, width)


_WIDE = """[...document.querySelectorAll('main *, header *, footer *')].filter((e) => e.getBoundingClientRect().right >
  document.documentElement.clientWidth + 1).slice(0, 5).map((e) => e.outerHTML.slice(0, 120))"""
_SMALL = """[...document.querySelectorAll('a, button, input:not([type=hidden]), summary')]
  .filter((e) => e.checkVisibility() && !e.closest('p, h2, .skip, .vh') && !e.classList.contains('skip'))
  .filter((e) => { const r = e.getBoundingClientRect(); return r.height < 23.9 || r.width < 23.9; })
  .map((e) => e.outerHTML.slice(0, 120))"""


async def test_the_first_ack_stands_above_the_fold_of_a_phone(stage: Stage) -> None:
    await stage.story()
    page = await stage.page("/", width=360)
    bottom = await page.see("document.querySelector('.inc .btn.main').getBoundingClientRect().bottom")
    assert bottom < 740 - 56, "not behind the navigation either"


@pytest.mark.parametrize("dark", [False, True])
async def test_text_stands_out_from_its_ground(stage: Stage, dark: bool) -> None:
    await stage.story()
    page = await stage.page("/", dark=dark)
    for path in ("/", "/phones", "/incident/1000", "/incidents"):
        await page.open(stage.url + path)
        assert await page.see(_FAINT) == [], path


_FAINT = """(() => {
  const rgb = (s) => (s.match(/[\\d.]+/g) || [0, 0, 0, 0]).map(Number);
  const linear = (c) => c <= .04045 ? c / 12.92 : ((c + .055) / 1.055) ** 2.4;
  const light = ([r, g, b]) => [r, g, b].map((c) => linear(c / 255))
    .reduce((sum, c, i) => sum + c * [.2126, .7152, .0722][i], 0);
  const ground = (e) => { for (; e; e = e.parentElement) { const c = rgb(getComputedStyle(e).backgroundColor);
    if (c.length < 4 || c[3] > .99) return c; } return [255, 255, 255]; };
  const faint = [];
  for (const e of document.querySelectorAll('body *')) {
    const own = [...e.childNodes].some((n) => n.nodeType === 3 && n.data.trim());
    if (!own || !e.checkVisibility() || e.closest('.vh, .skip')) continue;
    const [a, b] = [light(rgb(getComputedStyle(e).color)), light(ground(e))].sort((x, y) => y - x);
    if ((a + .05) / (b + .05) < 4.5) faint.push(e.outerHTML.slice(0, 100));
  }
  return faint;
})()"""


# --- safety ---


PAYLOADS = (
    "<script>document.title='hacked'</script>", "<img src=x onerror=\"document.title='hacked'\">",
    "\"><svg onload=alert(1)>", "javascript:alert(1)", "</main><h1>hacked</h1>", "{{ 7 * 7 }}",
    "<iframe src=//evil.test>", "<style>body{display:none}</style>", "\u202edrawkcab", "<a href=//evil.test>click</a>",
)  # fmt: skip


async def test_T28_foreign_text_is_inert_and_the_policy_has_nothing_to_report(stage: Stage) -> None:
    page = await stage.page("/phones")
    for payload in PAYLOADS:
        await stage.mail(payload, payload)
        stage.demo.simulator.reply(AIGUL, payload, "77770000000")
    await page.until(f"{texts(TALK)}.includes('drawkcab')", within=8)
    rows = await stage.demo.bridge.store.read(lambda tx: tx.raw("SELECT id FROM incidents"))
    for path in ("/phones", "/", "/incidents", "/search?q=hacked", *(f"/incident/{row[0]}" for row in rows)):
        await page.open(stage.url + path)
        await page.see("fetch(location.href + (location.search ? '&' : '?') + 'part=main').then((a) => a.status)")
        assert await page.see("document.title") != "hacked"
        assert await page.see("document.querySelectorAll('main script, main img, main iframe, main style').length") == 0
    assert page.dialogs == []
    assert page.problems == []
    assert all(url.startswith((stage.url, "about:")) for url in page.requests), page.requests


async def test_T28_an_untrusted_string_never_becomes_markup(stage: Stage) -> None:
    page = await stage.page("/")
    tried = """(() => { try { document.body.insertAdjacentHTML('beforeend', '<b>x</b>'); return 'taken'; }
      catch (error) { return error.name; } })()"""
    assert await page.see(tried) == "TypeError"
    made = "(() => { try { trustedTypes.createPolicy('other', {}); return 'made'; } catch (e) { return e.name; } })()"
    assert await page.see(made) == "TypeError"


async def test_T28_a_form_on_another_site_cannot_act(stage: Stage, tmp_path: Path) -> None:
    await stage.story()
    page = await stage.page("/")
    evil = tmp_path / "evil.html"
    evil.write_text(f'<form method="post" action="{stage.url}/incident/1000/ack"><button>win</button></form>')
    await page.open(evil.as_uri())
    await page.click_away("button")
    rows = await stage.demo.bridge.store.read(lambda tx: tx.raw("SELECT state FROM incidents"))
    assert rows == [("open",)]


async def test_a_first_visit_is_few_requests_and_a_quick_paint(stage: Stage) -> None:
    page = await stage.page("/")
    await asyncio.sleep(0.5)
    files = [url for url in page.requests if "/static/" in url]
    assert len(files) <= 4
    paint = await page.see("performance.getEntriesByType('paint')[0]?.startTime ?? 0")
    assert paint < 1000, "200 ms is the aim on a free machine"


# --- keys ---


async def test_every_page_is_a_key_away_and_the_keys_are_shown(stage: Stage) -> None:
    await stage.story()
    page = await stage.page("/")
    for key, path in (("i", "/incidents"), ("s", "/search"), ("p", "/phones"), ("n", "/")):
        await page.press("g")
        await page.press(key)
        await page.until(f"location.pathname === '{path}' && document.readyState === 'complete'")
    await page.press("?")
    await page.until("document.querySelector('#keys').open")
    await page.press("j")
    await page.until("document.activeElement.closest('[data-row]') !== null")
    await page.press("/")
    await page.until("location.pathname === '/search'")
