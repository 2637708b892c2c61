"""The whole loop on one machine: bridge, pretend provider with phones, mail inbox and console in one process.

The demo's folder holds an ordinary configuration that may be edited; only where the doors listen, where the
pretend provider is and where the store lies are set here. Nothing leaves loopback.
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from email.message import EmailMessage
from email.utils import make_msgid
from pathlib import Path

from bridge.app.bridge import Bridge, Surroundings, utc_now
from bridge.book import RuleBook
from bridge.book.loading import load_book
from bridge.config.addresses import Address, HostPort
from bridge.config.models.providers import Provider
from bridge.errors import BridgeError
from bridge.simulator.app import routes
from bridge.simulator.serve import Protocol
from bridge.simulator.settings import Account, Handler, Switches
from bridge.simulator.simulator import Simulator
from bridge.web.ports import DemoInfo, DemoMail
from bridge.web.server import HttpServer

FILES = Path(__file__).with_name("demo_files")
ONCALL = "oncall@bridge.test"
_MAIL, _SMPP = 2526, 2775  # of the pretend provider, as its config.yaml says, so that doctor finds them
PHONE = "+77010000001"
SENDER = "zabbix@mon1.bridge.test"
_STORM = 20


@dataclass(frozen=True, slots=True)
class Where:
    """Where a demo lives and listens; port 0 takes a free one."""

    folder: Path
    smtp: tuple[str, int] = ("127.0.0.1", 2525)
    http: tuple[str, int] = ("127.0.0.1", 8025)


@dataclass(frozen=True, slots=True)
class _Places:
    """The demo's own doors, and the ports of the pretend provider's inbox and of its SMPP."""

    smtp: tuple[str, int]
    http: tuple[str, int]
    mail: int
    smpp: int


@dataclass(frozen=True, slots=True)
class Demo:
    """A running demo."""

    bridge: Bridge
    simulator: Simulator
    smtp: tuple[str, int]
    http: tuple[str, int]
    config: Path
    places: _Places

    @property
    def phones(self) -> str:
        """The page to look at."""
        return f"http://{_shown(self.http)}/phones"

    async def send(self, kind: DemoMail) -> None:
        """Send one of the demo's mails through the real door."""
        await send_demo_mail(self.smtp, kind)

    def reload(self) -> None:
        """Read the demo's files again, keeping the ports. Raises ConfigError, and then changes nothing."""
        self.bridge.reload(_placed(load_book(self.config).require(), self.places))


class _NotYet:
    """The demo's buttons exist before its door does."""

    def __init__(self) -> None:
        self.smtp = ("127.0.0.1", 0)

    async def send(self, kind: DemoMail) -> None:
        await send_demo_mail(self.smtp, kind)


@asynccontextmanager
async def running(where: Where) -> AsyncIterator[Demo]:
    """Run a demo inside the block. Raises ConfigError for an edited configuration that is wrong."""
    config = prepare(where.folder)
    simulator = _simulator(where.folder)
    http = (where.http[0], where.http[1] or _free_port(where.http[0]))
    where = replace(where, smtp=(where.smtp[0], where.smtp[1] or _free_port(where.smtp[0])))
    mail = await _at(_MAIL, simulator.listen_for_mail)
    smpp = await _at(_SMPP, simulator.listen_for_smpp)
    places = _Places(where.smtp, http, mail, smpp)
    book = _placed(load_book(config).require(), places)
    buttons = _NotYet()
    info = DemoInfo(_shown(where.smtp), ONCALL, buttons.send)
    around = Surroundings(
        where.folder / "demo.db", simulator=simulator, demo=info, routes=routes(simulator), http=_http
    )
    bridge = Bridge(book, around)
    simulator.air.handlers = (_handler(where.folder, http),)
    await simulator.start()
    try:
        await bridge.start()
        buttons.smtp = (where.smtp[0], bridge.doors[0].port)
        yield Demo(bridge, simulator, buttons.smtp, http, config, places)
    finally:
        await bridge.hang_up()
        await simulator.close()
        await bridge.stop()


async def _at(port: int, listen: Callable[[str, int], Awaitable[int]]) -> int:
    """Open a door of the pretend provider where the demo's configuration says, else anywhere; its port."""
    try:
        return await listen("127.0.0.1", port)
    except OSError:  # another demo has it
        return await listen("127.0.0.1", 0)


def prepare(folder: Path) -> Path:
    """The demo's files in *folder*, written where they are missing; the path of its configuration."""
    folder.mkdir(parents=True, exist_ok=True)
    for source in sorted(FILES.rglob("*.yaml")):
        target = folder / source.relative_to(FILES)
        if not target.exists():
            target.parent.mkdir(parents=True, exist_ok=True)
            text = source.read_text().replace("{file: secrets/", f"{{file: {folder.resolve()}/secrets/")
            target.write_text(text.replace("sqlite:///demo.db", f"sqlite://{folder.resolve()}/demo.db"))
    kept = folder / "secrets"
    kept.mkdir(mode=0o700, exist_ok=True)
    for name in ("password", "path", "callback"):
        secret = kept / name
        if not secret.exists():
            secret.touch(mode=0o600)
            secret.write_text("secret" if name == "password" else secrets.token_urlsafe(24))
    return folder / "config.yaml"


def _simulator(folder: Path) -> Simulator:
    password = (folder / "secrets" / "password").read_text().strip()
    accounts = (
        Account(login="demo", password=password),
        Account(login="demo-smpp", password=password, number="77770000001"),
    )
    return Simulator(accounts=accounts, switches=Switches())


def _handler(folder: Path, http: tuple[str, int]) -> Handler:
    path, secret = ((folder / "secrets" / name).read_text().strip() for name in ("path", "callback"))
    return Handler(url=f"http://{_shown(http)}/callbacks/smsc/{path}?charset=utf-8&sha1={secret}")


def _placed(book: RuleBook, places: _Places) -> RuleBook:
    """The book with the demo's addresses in place of what the file says: nothing leaves this machine."""
    config = book.config
    doors = {"smtp": places.smtp, "http": places.http}
    listen = tuple(
        each.model_copy(update={"address": Address("tcp", *doors[each.door])}) if each.door in doors else each
        for each in config.listen
    )
    providers = {name: _pretended(each, places) for name, each in config.providers.items()}
    outgoing = config.outgoing_mail
    if outgoing is not None:
        outgoing = outgoing.model_copy(update={"relay": replace(outgoing.relay, host="127.0.0.1", port=places.mail)})
    placed = config.model_copy(update={"listen": listen, "providers": providers, "outgoing_mail": outgoing})
    return replace(book, config=placed)


def _pretended(provider: Provider, places: _Places) -> Provider:
    """The door of the pretend provider that speaks the same; a gateway described in YAML is left alone."""
    match provider.type:
        case "smsc-smpp":
            return provider.model_copy(update={"hosts": (HostPort("127.0.0.1", places.smpp),)})
        case "smsc-smtp" if provider.relay is not None:
            return provider.model_copy(update={"relay": replace(provider.relay, host="127.0.0.1", port=places.mail)})
        case "plain-http" | "smsc-smtp":
            return provider
    return provider.model_copy(update={"base_url": f"http://{_shown(places.http)}", "reserve_urls": ()})


def _http(app: object, host: str, port: int, *, certificate: str = "", key: str = "") -> HttpServer:
    """The demo's HTTP server can also misbehave: the pretend provider cuts connections when asked to."""
    return HttpServer(app, host, port, certificate=certificate, key=key, protocol=Protocol)  # type: ignore[arg-type]


def _free_port(host: str) -> int:
    import socket

    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as probe:
        probe.bind((host, 0))
        return int(probe.getsockname()[1])


def _shown(address: tuple[str, int]) -> str:
    host, port = address
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


async def send_demo_mail(smtp: tuple[str, int], kind: DemoMail) -> None:
    """One alert, its end, or twenty different alerts in a few seconds."""
    import aiosmtplib

    count = _STORM if kind == "storm" else 1
    for number in range(count):
        host = f"web{number + 1:02}" if kind == "storm" else "db01"
        mail = _demo_mail(host, recovery=kind == "recovery", number=number)
        await aiosmtplib.send(
            mail, sender=SENDER, recipients=[ONCALL], hostname=smtp[0], port=smtp[1], start_tls=False, timeout=10
        )
        if kind == "storm":
            await asyncio.sleep(0.1)


def _demo_mail(host: str, *, recovery: bool, number: int) -> EmailMessage:
    """What a Zabbix server writes by default about a full disk."""
    title = "Disk space below 5% on /var"
    now = utc_now()
    mail = EmailMessage()
    mail["From"] = SENDER
    mail["To"] = ONCALL
    mail["Subject"] = f"Resolved in 25m 0s: {title}" if recovery else f"Problem: {title}"
    mail["Message-ID"] = make_msgid(domain="mon1.bridge.test")
    mail["Date"] = now
    mail.set_content(_zabbix_text(host, title, now, recovery=recovery, number=number))
    return mail


def _zabbix_text(host: str, title: str, now: datetime, *, recovery: bool, number: int) -> str:
    at = f"{now:%H:%M:%S} on {now:%Y.%m.%d}"
    head = f"Problem has been resolved at {at}" if recovery else f"Problem started at {at}"
    span = "Problem duration: 25m 0s\n" if recovery else ""
    return f"{head}\nProblem name: {title}\n{span}Host: {host}\nSeverity: High\nOriginal problem ID: {5512 + number}\n"


# --- the story that --once plays -----------------------------------------------------------------


class StepFailed(BridgeError):
    """A step of the story did not happen in its time."""

    def __init__(self, step: int, steps: int, what: str, said: str) -> None:
        super().__init__(
            f"Step {step} of {steps} did not happen: {what}." + (f" The provider said: {said}." if said else "")
        )
        self.step = step


@dataclass(frozen=True, slots=True)
class Step:
    """One step that happened."""

    number: int
    what: str
    detail: str
    took: timedelta


_WITHIN = 10.0
_STEPS = 6


async def story(demo: Demo) -> AsyncIterator[Step]:
    """Alert mail → SMS → ``ok`` → mail in the thread → recovery → SMS; raises :class:`StepFailed`."""
    teller = _Teller(demo)
    await demo.send("problem")
    yield teller.step(1, "an alert mail was handed in", f"to {ONCALL} at {_shown(demo.smtp)}, answered 250")
    text = await teller.sms(2, 1, "no SMS on +77010000001")
    yield teller.step(2, "the SMS is on the phone", text)
    demo.simulator.reply(PHONE, "ok")
    yield teller.step(3, "the phone answered", "ok")
    subject = await teller.mail(4, "no mail in the thread of the alert")
    yield teller.step(4, "the answer is in the thread of the alert", subject)
    before = len(demo.simulator.messages(PHONE))
    await demo.send("recovery")
    yield teller.step(5, "the recovery mail was handed in", "answered 250")
    text = await teller.sms(6, before + 1, "no SMS about the recovery", skip="acked")
    yield teller.step(6, "the end is on the phone", text)


class _Teller:
    def __init__(self, demo: Demo) -> None:
        self.demo = demo
        self._since = asyncio.get_running_loop().time()

    def step(self, number: int, what: str, detail: str) -> Step:
        now = asyncio.get_running_loop().time()
        took, self._since = timedelta(seconds=now - self._since), now
        return Step(number, what, detail, took)

    async def sms(self, step: int, count: int, missing: str, skip: str = "") -> str:
        """The text of the SMS that makes *count* on the phone, and is not about *skip*."""

        def found() -> str:
            texts = [message.text for message in self.demo.simulator.messages(PHONE)]
            new = [text for text in texts[count - 1 :] if not skip or skip not in text]
            return new[-1] if len(texts) >= count and new else ""

        return await self._until(found, step, f"{missing} within {_WITHIN:g} s")

    async def mail(self, step: int, missing: str) -> str:
        """The subject of the mail that answers the alert."""

        def found() -> str:
            return next((m.subject for m in self.demo.simulator.mails() if m.in_reply_to), "")

        return await self._until(found, step, f"{missing} within {_WITHIN:g} s")

    async def _until(self, look: Callable[[], str], step: int, missing: str) -> str:
        deadline = asyncio.get_running_loop().time() + _WITHIN
        while asyncio.get_running_loop().time() < deadline:
            found = look()
            if found:
                return found
            await asyncio.sleep(0.01)
        raise StepFailed(step, _STEPS, missing, await self._said())

    async def _said(self) -> str:
        """What the provider answered last, as the store has it."""
        rows = await self.demo.bridge.store.read(
            lambda tx: tx.raw("SELECT code, error FROM submissions WHERE error <> '' ORDER BY started_at DESC LIMIT 1")
        )
        if not rows:
            return ""
        code, error = rows[0]
        return f"error {code}, {error}" if code else str(error)
