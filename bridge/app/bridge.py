"""One running bridge: every part, built from a rule book, started in order, stopped in reverse.

Start: store, what an earlier boot left, logins, gateways, loops, HTTP, mail doors. Stop: mail doors (mails that are
coming in end), planner, hand-overs on the wire, HTTP, store. A reload exchanges the book and what is made of it.
"""

from __future__ import annotations

import asyncio
import shutil
import uuid
from collections.abc import Callable, Coroutine, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import structlog

from bridge import __version__
from bridge.app import opening
from bridge.app.calendars import Calendars
from bridge.app.counting import Counting, pages_of
from bridge.app.inbound import lists_of, wanted_polls
from bridge.app.planner import Planner
from bridge.app.standing import Standing
from bridge.app.troubles import Troubles
from bridge.book import RuleBook
from bridge.config.models.doors import Listener
from bridge.delivery.accounts import Accounts
from bridge.delivery.bounced import Bounces
from bridge.delivery.gateways import Gateways
from bridge.delivery.links import Links
from bridge.delivery.pace import rates_of
from bridge.delivery.poster import Poster
from bridge.delivery.prices import Prices
from bridge.delivery.relays import mail_ways
from bridge.delivery.sender import Sender
from bridge.delivery.watcher import Watcher
from bridge.dispatch.budgets import charge_by
from bridge.dispatch.decide import bound
from bridge.egress.smtp import MailRelay
from bridge.errors import ConfigError, StoreUnavailable
from bridge.ingress.limits import SharedLimits
from bridge.ingress.policy import BookPolicy
from bridge.ingress.smtp import SmtpDoor
from bridge.intake.passwords import NONE, resolved
from bridge.model import (
    Envelope,
    Failed,
    Happening,
    Message,
    Order,
    OutgoingMail,
    Trouble,
    TroubleKind,
)
from bridge.observe import Metrics
from bridge.providers.base import Balance, LinkState
from bridge.providers.build import gateways as open_gateways
from bridge.providers.http import HttpClient
from bridge.store import fates, mails, plans, post
from bridge.store.attempts import Claimed, Outcome
from bridge.store.engine import Store, Tx
from bridge.store.users import Logins, follow
from bridge.web.callbacks import Callbacks, handlers
from bridge.web.hub import Hub
from bridge.web.ports import CallbackAnswer, DemoInfo, Health, Part, Ports, PretendWorld
from bridge.web.server import HttpServer

log = structlog.get_logger("bridge")

DISK_FLOOR = 64 * 1000 * 1000  # bytes that must be free before a mail is begun (threats F03)
_DRAIN_MAILS = 5.0
_DRAIN_ANSWERS = 10.0


def utc_now() -> datetime:
    """The clock of a running bridge."""
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What a bridge is built into: the demo adds a pretend world, tests bring their own store and clock."""

    store_path: Path
    now: Callable[[], datetime] = utc_now
    simulator: PretendWorld | None = None
    demo: DemoInfo | None = None
    routes: Sequence[Any] = ()  # further HTTP paths (the simulator's)
    http: Callable[..., HttpServer] = HttpServer
    sockets: Mapping[str, Sequence[Any]] = field(default_factory=dict)


class Bridge:
    """All parts of one process."""

    def __init__(self, book: RuleBook, around: Surroundings) -> None:
        self._book = book
        self._around = around
        self.now = around.now
        self.node = book.config.node or book.hostname
        self.owner = f"{self.node}/{uuid.uuid4().hex[:12]}"
        self.metrics = Metrics(__version__)
        self.changes = Hub()
        self.store = Store(around.store_path)
        self.metrics.show_commits(lambda: self.store.commits, lambda: self.store.waiting)
        self._http_client = HttpClient()
        self.gateways = Gateways({}, self.now)
        self._calendars = Calendars(
            around.store_path.parent,
            lambda: self._book,
            self._http_client,
            now=self.now,
            metrics=self.metrics,
            trouble=lambda names, why: self._tell(Trouble("calendar", names, why)),
        )
        self._count = Counting(self.metrics, lambda: self._book)
        self._troubles = Troubles(lambda: self.gateways, lambda: self._book, self._tell)
        self._relay: MailRelay | None = None
        self._passwords = NONE
        self._callbacks: Callbacks | None = None
        self._logins = Logins()
        self._limits = SharedLimits()
        self.doors: list[SmtpDoor] = []
        self.servers: list[HttpServer] = []
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._planner: Planner | None = None
        self._sender: Sender | None = None
        self._poster: Poster | None = None
        self._accounts: Accounts | None = None
        self._links: Links | None = None
        self._bounces = Bounces(
            self.store, lambda: self.gateways, now=self.now, decide=self._decide_in, moved=self._mail_came_back
        )
        self._prices: Prices | None = None
        self._stopping = False
        self.instance = ""

    @property
    def book(self) -> RuleBook:
        """The book in force."""
        return self._book

    # --- life ---

    async def start(self) -> None:
        """Everything up; raises what keeps it from starting (StoreVersion, ConfigError, CannotListen)."""
        await self.store.open()
        try:
            await self._pick_up()
            self._use(self._book)
            self._calendars.taken(self._book)
            await self._start_loops()
            await self._open_doors()
            if self._accounts is not None:
                self._run("accounts", self._accounts.run())
            if self._links is not None:
                self._run("links", self._links.run())
            if self._prices is not None:
                self._run("prices", self._prices.run())
            self._run("calendars", self._calendars.run())
        except BaseException:
            await self.stop()
            raise
        log.info("ready", node=self.node, doors=[door.address for door in self.doors], http=self.http_addresses)

    async def stop(self) -> None:
        """Close in reverse order: no mail that was answered 250 is lost, no answer on the wire is thrown away."""
        self._stopping = True
        await asyncio.gather(*(door.stop(_DRAIN_MAILS) for door in self.doors))
        await self._cancel("planner", "accounts", "prices", "calendars", "watcher", "logins", "standing", "poster")
        if self._planner is not None:
            with suppress(StoreUnavailable):
                await self._planner.drain()
            self._planner.close()
        await self._cancel("sender")
        if self._sender is not None:
            with suppress(StoreUnavailable):
                left = await self._sender.finish(_DRAIN_ANSWERS)
                if left:
                    log.warning("answers did not come in time, asked after at the next start", messages=left)
        await self.hang_up()
        self.changes.close()
        await asyncio.gather(*(server.stop() for server in self.servers))
        await self._http_client.close()
        self._logins.close()
        self.store.close()

    async def hang_up(self) -> None:
        """Say goodbye on the links of gateways; a part of ``stop``, and before it where the other end goes first."""
        if self._links is not None:
            await self._cancel("links")
            await self._links.close()

    def reload(self, book: RuleBook) -> None:
        """Take a new book. Doors keep their sockets; what the book says about addresses and people holds at once."""
        self._use(book)
        self._calendars.taken(book, self._book)
        self._book = book
        for door in self.doors:
            door.reload_certificates()
        self.metrics.reloads.labels("taken").inc()
        if self._planner is not None:
            self._planner.started()
        self._wake()
        log.info("reloaded", rules=len(book.rules.by_name), book=book.digest)

    @property
    def http_addresses(self) -> list[str]:
        """Where HTTP is served."""
        return [server.address for server in self.servers]

    # --- building ---

    def _use(self, book: RuleBook) -> None:
        """What is made of a book and holds secrets. Raises ConfigError before anything was exchanged."""
        hostname = BookPolicy(lambda: book).hostname
        mail = mail_ways(book.config.outgoing_mail, hostname)
        opened = open_gateways(book.config.providers, self._http_client, mail)
        accounts = {name: gateway.account for name, gateway in opened.items()}
        callbacks = Callbacks(
            self.store,
            lambda: self._book,
            handlers(book.config, accounts, lists_of(book.config, accounts)),
            self.now,
            self._wake,
            self._count.callback,
            self._fetch,
        )
        outgoing = book.config.outgoing_mail
        relay = None
        if outgoing is not None:
            password = outgoing.password.resolve("outgoing_mail.password") if outgoing.password else None
            relay = MailRelay(outgoing, password, hostname=hostname)
        passwords = resolved(book.config)
        self.gateways = Gateways(opened, self.now, rates_of(book.config), book.zone(""), self.gateways)
        self._callbacks = callbacks
        self._relay = relay
        self._passwords = passwords
        self.metrics.config_loaded.set(self.now().timestamp())

    async def _pick_up(self) -> None:
        """What an earlier boot of this node left behind is ours again (threats §2)."""
        now = self.now()

        def pick_up(tx: Tx) -> tuple[int, int, str]:
            free = mails.release_old_boots(tx, self.node, self.owner)
            post.release_old_boots(tx, self.node, self.owner)
            unknown = fates.orphans(tx, self.node, self.owner, now)
            instance = tx.raw("SELECT value FROM meta WHERE name = 'instance'")[0][0]
            return free, len(unknown), str(instance)

        free, unknown, self.instance = await self.store.write(pick_up)
        if free or unknown:
            log.warning("picked up after an unclean stop", mails=free, messages_unknown=unknown)

    async def _start_loops(self) -> None:
        self._planner = Planner(
            self.store,
            lambda: self._book,
            owner=self.owner,
            own=self.instance,
            now=self.now,
            decided=self._decided,
            passwords=lambda: self._passwords,
            timed=lambda stage, seconds: self.metrics.stage_seconds.labels(stage).observe(seconds),
        )
        self._sender = Sender(
            self.store,
            lambda: self.gateways,
            owner=self.owner,
            now=self.now,
            decide_failed=self._decide_in,
            charge=lambda: charge_by(self._book),
            ended=self._ended,
            alarm=self._alarm,
        )
        watcher = Watcher(
            self.store,
            lambda: self.gateways,
            owner=self.owner,
            now=self.now,
            decide=self._decide_in,
            submit=self._sender.submit,
            charge=lambda: charge_by(self._book),
            moved=lambda message, _state: self._changed(message),
            alarm=self._alarm,
            doubled=self._count.possible_double,
        )
        self._poster = Poster(self.store, lambda: self._relay, owner=self.owner, now=self.now, ended=self._mail_ended)
        accounts = Accounts(
            self.store,
            lambda: self.gateways,
            lambda: wanted_polls(self._book.config),
            now=self.now,
            arrived=self._wake,
            known=self._balance,
            alarm=self._alarm,
            healthy=self._count.health,
            mended=self._troubles.account_mended,
        )
        prices = Prices(self.store, lambda: self.gateways, lambda: self._book, now=self.now)
        standing = Standing(self.store, self.metrics, self.now, lambda: self.gateways, lambda: self._book)
        self._planner.started()
        self._run("planner", self._planner.run())
        self._run("sender", self._sender.run())
        self._run("watcher", watcher.run())
        self._run("poster", self._poster.run())
        self._accounts = accounts
        self._links = Links(
            self.store,
            lambda: self.gateways,
            now=self.now,
            decide=self._decide_in,
            arrived=self._wake,
            shown=self._link_changed,
            alarm=self._alarm,
            mended=self._troubles.link_mended,
        )
        self._prices = prices
        self._run("standing", standing.run())
        self._run("logins", follow(self.store, self._logins))

    async def _open_doors(self) -> None:
        listeners, unbuilt = opening.built(self._book.config.listen)
        for listener in unbuilt:
            log.error("door not started: not built yet", door=listener.door, address=str(listener.address))
        for listener in listeners:
            await (self._open_http(listener) if listener.door == "http" else self._open_smtp(listener))

    async def _open_smtp(self, listener: Listener) -> None:
        door = SmtpDoor(
            listener,
            policy=BookPolicy(lambda: self._book),
            keep=self.keep,
            logins=self._logins,
            limits=self._limits,
            clock=self.now,
            meter=self.metrics.door(str(listener.address)),
            room=self._room,
            sockets=self._around.sockets.get(listener.address.path, ()),
            returns=self._bounces,
        )
        await opening.open_smtp(door, listener)
        self.doors.append(door)

    async def _open_http(self, listener: Listener) -> None:
        ports = Ports(
            store=self.store,
            book=lambda: self._book,
            now=self.now,
            callback=self._take_callback,
            changes=self.changes,
            health=self.health,
            registry=self.metrics.registry,
            act=self.act,
            serve=frozenset(listener.serve),
            simulator=self._around.simulator,
            demo=self._around.demo,
            console_open=opening.is_loopback(listener.address.host),
            hosts=opening.public_hosts(self._book),
            silent=lambda: self._troubles.silent(self.now()),
        )
        self.servers.append(await opening.open_http(listener, ports, self._around.routes, self._around.http))

    # --- what the parts ask of each other ---

    async def keep(self, envelope: Envelope) -> int:
        """Commit a mail, then give it to the planner: the door answers 250 after this."""
        number = await self.store.write(lambda tx: mails.keep(tx, envelope, self.owner))
        if self._planner is not None:
            self._planner.offer(number, envelope)
        return number

    async def act(self, order: Order) -> None:
        """An operator's act, decided at once."""
        await self.store.write(lambda tx: self._decide_in(tx, [order]))
        self.changes.publish()
        self._wake()

    async def health(self) -> Health:
        """Ready means: mail would be taken, kept, decided and sent on."""
        parts = [await self._store_part()]
        for name in ("planner", "sender", "watcher", "poster"):
            task = self._tasks.get(name)
            parts.append(Part(name, "" if task is not None and not task.done() else "not running"))
        going = "going down" if self._stopping else ""
        parts += [Part(f"smtp {door.address}", going) for door in self.doors]
        return Health(tuple(parts))

    async def _store_part(self) -> Part:
        try:
            async with asyncio.timeout(2):
                await self.store.write(lambda tx: None)
        except (StoreUnavailable, TimeoutError) as error:
            return Part("store", str(error) or "slow")
        return Part("store")

    def _decide_in(self, tx: Tx, happenings: Sequence[Happening]) -> None:
        """Decide inside a transaction that is under way; an error of one undoes the transaction."""
        if not happenings:
            return
        book, now = self._book, self.now()
        decided = plans.plan(tx, happenings, *bound(book, now), now)
        for one in decided:
            if one.error is not None:
                raise one.error
            self._count.receipt(one.happening)
        if self._poster is not None and any(isinstance(happening, Failed) for happening in happenings):
            self._poster.wake()

    def _decided(self, decided: Sequence[plans.Decided]) -> None:
        """After a commit of the planner: wake whoever has work now, tell the pages."""
        if not decided:
            return
        self.metrics.plan_batch.observe(len(decided))
        for one in decided:
            self._count.decision(one)
        if any(one.plan.messages for one in decided) and self._sender is not None:
            self._sender.wake()
        if any(one.plan.mails for one in decided) and self._poster is not None:
            self._poster.wake()
        self.changes.publish(*{name for one in decided for name in pages_of(one)})

    def _ended(self, claimed: Claimed, outcome: Outcome, seconds: float) -> None:
        self._count.ended(claimed, outcome, seconds)
        if outcome.message == "REJECTED" and self._poster is not None:
            self._poster.wake()
        self._changed(claimed.message)

    def _changed(self, message: Message) -> None:
        self.changes.publish(
            "now", f"message:{message.id}", f"mail:{message.mail_id}", f"incident:{message.incident_id}"
        )

    def _mail_ended(self, mail: OutgoingMail, how: str) -> None:
        self._count.mail(mail, how)
        self.changes.publish(f"incident:{mail.incident_id}", f"mail:{mail.mail_id}")

    def _mail_came_back(self, provider: str, kind: str, message_id: int) -> None:
        self.metrics.bounces.labels(provider, kind).inc()
        self.changes.publish(f"message:{message_id}")
        self._wake()

    def _balance(self, account: str, balance: Balance) -> None:
        self._count.balance(account, balance)
        self._troubles.balance(account, balance)
        self.changes.publish("now")

    def _alarm(self, kind: TroubleKind, name: str, why: str) -> None:
        self.changes.publish("now")
        self._troubles.alarm(kind, name, why)

    def _link_changed(self, name: str, state: LinkState) -> None:
        self._count.link(name, state)
        self.changes.publish("now")

    def _tell(self, trouble: Trouble) -> None:
        self._run(f"alarm {trouble.kind} {trouble.provider}", self._tell_of(trouble))

    async def _tell_of(self, trouble: Trouble) -> None:
        """The operator hears of it by mail; a store that is away is loud in the log already."""
        with suppress(StoreUnavailable):
            await self.store.write(lambda tx: self._decide_in(tx, [trouble]))
            if self._poster is not None:
                self._poster.wake()

    async def _take_callback(
        self, path: str, body: bytes, content_type: str, query: Mapping[str, str]
    ) -> CallbackAnswer:
        if self._callbacks is None:
            return CallbackAnswer(503, "try again")
        return await self._callbacks(path, body, content_type, query)

    def _fetch(self, provider: str) -> None:
        if self._accounts is not None:
            self._accounts.hurry(provider)

    def _room(self, size: int) -> bool:
        """Whether the disk has room for a mail of *size* bytes and everything that follows from it."""
        return shutil.disk_usage(self.store.path.parent).free > DISK_FLOOR + 4 * size

    def _wake(self) -> None:
        if self._planner is not None:
            self._planner.wake()
        if self._sender is not None:
            self._sender.wake()
        if self._poster is not None:
            self._poster.wake()
        self.changes.publish()

    def _run(self, name: str, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work, name=name)
        task.add_done_callback(_loud)
        self._tasks[name] = task

    async def _cancel(self, *names: str) -> None:
        tasks = [self._tasks[name] for name in names if name in self._tasks]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def _loud(task: asyncio.Task[None]) -> None:
    """A loop that ends by itself is a fault of ours, and readiness shows it."""
    if not task.cancelled() and task.exception() is not None:
        log.critical("loop died", loop=task.get_name(), exc_info=task.exception())


def store_path(book: RuleBook, folder: Path) -> Path:
    """The file of the embedded store. Raises ConfigError for another kind of store."""
    url = book.config.store.url
    if not url.startswith("sqlite://"):
        raise ConfigError(("store.url: only sqlite:// is built in this version",))
    path = Path(url.removeprefix("sqlite://"))
    return path if path.is_absolute() else folder / path
