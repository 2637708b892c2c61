"""A real Chromium, told what to do over its own protocol: as much of it as the pages' tests need."""

from __future__ import annotations

import asyncio
import base64
import itertools
import shutil
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp

PROGRAM = shutil.which("chromium") or shutil.which("chromium-browser") or ""
_FLAGS = (
    "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run", "--mute-audio",
    "--disable-background-networking", "--disable-component-update", "--remote-debugging-port=0", "about:blank",
)  # fmt: skip


class Browser:
    """One process; every page has cookies of its own."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        self._socket = socket
        self._ids = itertools.count(1)
        self._answers: dict[int, asyncio.Future[dict[str, Any]]] = {}
        self._pages: dict[str, Page] = {}

    async def listen(self) -> None:
        async for message in self._socket:
            said = message.json()
            if "id" in said:
                self._answers.pop(said["id"]).set_result(said)
            elif said.get("sessionId") in self._pages:
                self._pages[said["sessionId"]].heard(said["method"], said["params"])

    async def ask(self, method: str, session: str = "", **params: Any) -> dict[str, Any]:
        number = next(self._ids)
        self._answers[number] = asyncio.get_running_loop().create_future()
        command = {"id": number, "method": method, "params": params} | ({"sessionId": session} if session else {})
        await self._socket.send_json(command)
        answer = await asyncio.wait_for(self._answers[number], 20)
        assert "error" not in answer, (method, answer)
        return answer["result"]

    async def page(
        self,
        *,
        width: int = 1280,
        height: int = 900,
        script: bool = True,
        dark: bool = False,
        beside: Page | None = None,
    ) -> Page:
        """A page of its own browser profile, or another tab of *beside*'s."""
        context = beside.context if beside else (await self.ask("Target.createBrowserContext"))["browserContextId"]
        target = (await self.ask("Target.createTarget", url="about:blank", browserContextId=context))["targetId"]
        session = (await self.ask("Target.attachToTarget", targetId=target, flatten=True))["sessionId"]
        page = self._pages[session] = Page(self, session, context)
        for domain in ("Page", "Runtime", "Log", "Network"):
            await page.ask(f"{domain}.enable")
        await page.ask("Emulation.setScriptExecutionDisabled", value=not script)
        features = [{"name": "prefers-color-scheme", "value": "dark" if dark else "light"}]
        await page.ask("Emulation.setEmulatedMedia", features=features)
        await page.resize(width, height)
        return page


class Page:
    """One tab. *problems* is what the browser complained of: policy, errors of scripts, what could not be loaded."""

    def __init__(self, browser: Browser, session: str, context: str) -> None:
        self._browser = browser
        self.context = context
        self._session = session
        self._loaded = asyncio.Event()
        self.problems: list[str] = []
        self.dialogs: list[str] = []
        self.requests: list[str] = []

    async def ask(self, method: str, **params: Any) -> dict[str, Any]:
        return await self._browser.ask(method, self._session, **params)

    def heard(self, method: str, params: dict[str, Any]) -> None:
        match method:
            case "Page.loadEventFired":
                self._loaded.set()
            case "Page.javascriptDialogOpening":
                self.dialogs.append(params["message"])
            case "Runtime.exceptionThrown":
                self.problems.append(str(params["exceptionDetails"].get("exception", params["exceptionDetails"])))
            case "Log.entryAdded" if params["entry"]["level"] in ("error", "warning"):
                self.problems.append(params["entry"]["text"])
            case "Network.requestWillBeSent":
                self.requests.append(params["request"]["url"])

    async def resize(self, width: int, height: int = 900) -> None:
        phone = width < 700
        await self.ask(
            "Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=phone
        )

    async def open(self, url: str) -> None:
        """Load *url* and wait until it is there."""
        self._loaded.clear()
        await self.ask("Page.navigate", url=url)
        await asyncio.wait_for(self._loaded.wait(), 20)

    async def click_away(self, selector: str) -> None:
        """Click something that leads to another page, and wait for it; works without script in the page."""
        self._loaded.clear()
        await self.click(selector)
        await asyncio.wait_for(self._loaded.wait(), 20)

    async def click(self, selector: str) -> None:
        """Press where *selector* is."""
        document = (await self.ask("DOM.getDocument"))["root"]["nodeId"]
        node = (await self.ask("DOM.querySelector", nodeId=document, selector=selector))["nodeId"]
        assert node, f"nothing fits {selector}"
        await self.ask("DOM.scrollIntoViewIfNeeded", nodeId=node)
        quad = (await self.ask("DOM.getContentQuads", nodeId=node))["quads"][0]
        x, y = sum(quad[0::2]) / 4, sum(quad[1::2]) / 4
        for kind in ("mousePressed", "mouseReleased"):
            await self.ask("Input.dispatchMouseEvent", type=kind, x=x, y=y, button="left", clickCount=1)

    async def focus(self, selector: str) -> None:
        document = (await self.ask("DOM.getDocument"))["root"]["nodeId"]
        node = (await self.ask("DOM.querySelector", nodeId=document, selector=selector))["nodeId"]
        await self.ask("DOM.focus", nodeId=node)

    async def type(self, text: str) -> None:
        """Type into what has the focus."""
        await self.ask("Input.insertText", text=text)

    async def press(self, key: str) -> None:
        """One key; a letter, or ``Enter``, ``Escape``, ``Tab``."""
        codes = {"Enter": 13, "Escape": 27, "Tab": 9}
        text = {"Enter": "\r"}.get(key, key if len(key) == 1 else "")
        common = {"key": key, "windowsVirtualKeyCode": codes.get(key, 0)}
        await self.ask("Input.dispatchKeyEvent", type="keyDown", text=text, **common)
        await self.ask("Input.dispatchKeyEvent", type="keyUp", **common)

    async def see(self, expression: str) -> Any:
        """The value of an expression of the page; evaluated even where the page's own script is off."""
        params = {"expression": expression, "returnByValue": True, "awaitPromise": True}
        answer = await self.ask("Runtime.evaluate", **params)
        assert "exceptionDetails" not in answer, (expression, answer["exceptionDetails"])
        return answer["result"].get("value")

    async def html(self) -> str:
        root = (await self.ask("DOM.getDocument", depth=0))["root"]["nodeId"]
        return str((await self.ask("DOM.getOuterHTML", nodeId=root))["outerHTML"])

    async def until(self, expression: str, within: float = 5.0) -> float:
        """Wait until *expression* is true; how long it took, in seconds."""
        loop = asyncio.get_running_loop()
        begun = loop.time()
        while loop.time() - begun < within:
            if await self.see(expression):
                return loop.time() - begun
            await asyncio.sleep(0.02)
        raise AssertionError(f"not within {within} s: {expression}\n{self.problems}")

    async def picture(self, path: Path, *, whole: bool = True) -> None:
        shot = await self.ask("Page.captureScreenshot", format="png", captureBeyondViewport=whole)
        path.write_bytes(base64.b64decode(shot["data"]))


@asynccontextmanager
async def chromium() -> AsyncIterator[Browser]:
    """A browser for the time of the block; without one on the machine the test fails: tools/test-setup installs it."""
    assert PROGRAM, "chromium is not installed; run: make test (or tools/test-setup)"
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        process = await asyncio.create_subprocess_exec(
            PROGRAM, *_FLAGS, f"--user-data-dir={profile}", stderr=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.DEVNULL,
        )  # fmt: skip
        try:
            address = await asyncio.wait_for(_address(process), 30)
            drain = asyncio.create_task(_drain(process))
            async with (
                aiohttp.ClientSession() as session,
                session.ws_connect(address, max_msg_size=0) as socket,
            ):
                browser = Browser(socket)
                listening = asyncio.create_task(browser.listen())
                yield browser
                listening.cancel()
            drain.cancel()
        finally:
            process.kill()
            await process.wait()


async def _address(process: asyncio.subprocess.Process) -> str:
    assert process.stderr is not None
    while line := await process.stderr.readline():
        if b"DevTools listening on " in line:
            return line.decode().rpartition(" ")[2].strip()
    raise AssertionError("chromium did not start")


async def _drain(process: asyncio.subprocess.Process) -> None:
    assert process.stderr is not None
    while await process.stderr.read(65536):
        pass
