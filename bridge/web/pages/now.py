"""Now: is anybody needed, and is the bridge itself well?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute

from bridge.config.models.providers import Provider
from bridge.model import CLASSES, Incident, Notification
from bridge.store import health, views
from bridge.store.engine import Tx
from bridge.store.health import GatewayHealth
from bridge.store.views import Account, Queue, Sent, Waiting
from bridge.web.console import Console
from bridge.web.pages.acts import Acts, just_done
from bridge.web.pages.listed import listed_incident, listed_message
from bridge.web.ports import Health, Ports
from bridge.web.seen import Mark, Seen

_MOST_INCIDENTS = 25  # a page of more is no answer any more, and too long for a phone
_MOST_MESSAGES = 8
_STATES = {"money": ("bad", "cross"), "password": ("bad", "cross"), "blocked": ("bad", "cross")}


@dataclass(frozen=True, slots=True)
class _Rows:
    """All rows of the page."""

    incidents: list[Incident]
    free: int
    told: dict[int, list[Notification]]
    states: dict[int, Sent]
    messages: list[Sent]
    accounts: list[Account]
    queue: Queue
    last: Incident | None
    last_mail: datetime | None
    health: Mapping[str, GatewayHealth]


@dataclass(frozen=True, slots=True)
class _Line:
    """A gateway, or a part of the bridge, with its state."""

    name: str
    state: Mark
    why: str


def _read(now: datetime, tx: Tx) -> _Rows:
    incidents = views.open_incidents(tx, _MOST_INCIDENTS)
    told = views.told(tx, [incident.id for incident in incidents])
    ids = sorted({note.message_id for notes in told.values() for note in notes} - {0})
    return _Rows(
        incidents,
        views.count_open(tx)[1],
        told,
        views.messages_by_id(tx, ids),
        views.last_messages(tx, _MOST_MESSAGES),
        views.accounts(tx),
        views.queue(tx),
        next(iter(views.latest_incidents(tx, 1)), None),
        views.last_mail_at(tx),
        health.look(tx, now),
    )


class Now:
    """The first page, and the acts that begin on it."""

    def __init__(self, console: Console) -> None:
        self._console = console

    def routes(self) -> list[BaseRoute]:
        return [self._console.route("/", self._page), *Acts(self._console).routes()]

    async def _page(self, request: Request) -> Response:
        v, rows = await self._console.read(request, partial(_read, self._console.ports.now()))
        parts = await self._console.ports.health()
        listed = [
            listed_incident(v, incident, rows.told.get(incident.id, ()), rows.states, n if n <= 9 else None)
            for n, incident in enumerate(rows.incidents, 1)
        ]
        return self._console.page(
            request,
            v,
            "now.j2",
            title=_headline(v, rows),
            here="now",
            scope="now",
            hold=True,
            lead=_lead(v, rows),
            done=just_done(request, v),
            never=rows.last_mail is None,
            command=command(self._console.ports),
            incidents=listed,
            more=max(0, v.open - len(listed)),
            messages=[listed_message(v, sent) for sent in rows.messages],
            gateways=_gateways(v, rows.accounts, rows.health, self._console.ports.silent()),
            queue=_queue(v, rows.queue),
            rotas=_rotas(v),
            parts=_parts(v, parts),
        )


def command(ports: Ports) -> str:
    """A command that sends a first mail, in the demo."""
    demo = ports.demo
    if demo is None:
        return ""
    return f'swaks --server {demo.smtp} --to {demo.address} --header "Subject: db01 disk full"'


def _headline(v: Seen, rows: _Rows) -> str:
    if v.open:
        return open_headline(v, rows.free)
    if rows.last is None:
        return v.say("now.calm")
    return v.say("now.quiet", span=v.ago(rows.last.last_at))


def open_headline(v: Seen, free: int) -> str:
    """``3 open, nobody on 2 of them``; *free* is how many nobody has."""
    id = "now.taken" if not free else "now.free" if free >= v.open else "now.busy"
    return v.say(id, n=v.open, free=v.say.words.of_them(min(free, v.open)))


def _lead(v: Seen, rows: _Rows) -> str:
    """What is unknown or set aside stands above everything."""
    unknown = sum(w.count for (_, state), w in rows.queue.messages.items() if state == "UNKNOWN")
    lines = []
    if unknown:
        lines.append(v.say("now.unknown", n=unknown))
    if rows.queue.quarantined.count:
        lines.append(v.say("now.quarantined", n=rows.queue.quarantined.count))
    return " ".join(lines)


def _gateways(
    v: Seen, accounts: Sequence[Account], health: Mapping[str, GatewayHealth], silent: Mapping[str, str]
) -> list[_Line]:
    """Each provider of the configuration, with what is known of its account."""
    config = v.book.config
    known = {account.account: account for account in accounts}
    lines = []
    for name, provider in config.providers.items():
        line = _gateway(v, name, known.get(_account_of(name, provider)), health.get(name))
        if name in silent and line.state.kind != "bad":
            line = _Line(name, Mark("warn", "warn", v.say("gateway.silent")), silent[name])
        lines.append(line)
    return lines


def _account_of(name: str, provider: Provider) -> str:
    """The account's name as its gateway makes it; "" where that is made of a key, which pages do not read."""
    family = provider.type.partition("-")[0]
    return f"plain:{name}" if family == "plain" else f"{family}:{provider.login}" if provider.login else ""


def _gateway(v: Seen, name: str, account: Account | None, health: GatewayHealth | None) -> _Line:
    if account is None and health is not None:
        account = Account(name, "well", "", None, None, None, "", None)  # of which nobody tells a balance
    if account is None:
        return _Line(name, Mark("hold", "dash", v.say("gateway.idle")), "")
    money = v.money(account.balance, account.currency) if account.balance is not None else ""
    balance = v.say("gateway.balance", money=money) if money else ""
    does = _does(v, health) if health is not None and health.judged else ""
    if account.state == "well":
        poor = health is not None and health.is_poor
        mark = Mark("warn", "warn", v.say("gateway.slow")) if poor else Mark("ok", "ok", v.say("gateway.well"))
        return _Line(name, mark, " ".join(filter(None, (does, balance))))
    kind, sign = _STATES.get(account.state, ("warn", "warn"))
    word = v.say("gateway.money" if account.state == "money" else "gateway.paused")
    return _Line(name, Mark(kind, sign, word), " ".join(filter(None, (account.reason, balance))))


def _does(v: Seen, health: GatewayHealth) -> str:
    """What became of its last messages, and how soon."""
    span = "" if health.seconds is None else v.say.words.span(timedelta(seconds=health.seconds))
    return v.say("gateway.does", n=health.judged, part=round(100 * health.delivered / health.judged), span=span)


def _queue(v: Seen, queue: Queue) -> list[tuple[str, str]]:
    lines = []
    for name in CLASSES:
        ready = _sum(queue, name, ("READY", "INFLIGHT"))
        held = _sum(queue, name, ("HELD",))
        text = _waiting(v, ready) + (", " + v.say("queue.held", n=held.count) if held.count else "")
        lines.append((v.say(f"class.{name}"), text))
    lines.append((v.say("queue.unread"), _waiting(v, queue.unread)))
    lines.append((v.say("queue.outgoing"), _waiting(v, queue.outgoing)))
    if queue.quarantined.count:
        lines.append((v.say("queue.quarantined"), _waiting(v, queue.quarantined)))
    return lines


def _sum(queue: Queue, name: str, states: Sequence[str]) -> Waiting:
    found = [waiting for (each, state), waiting in queue.messages.items() if each == name and state in states]
    oldest = min((w.oldest for w in found if w.oldest), default=None)
    return Waiting(sum(w.count for w in found), oldest)


def _waiting(v: Seen, waiting: Waiting) -> str:
    if not waiting.count or waiting.oldest is None:
        return "0"
    return v.say("queue.waiting", n=waiting.count, span=v.ago(waiting.oldest))


def _rotas(v: Seen) -> list[tuple[str, str]]:
    rotas = v.book.people.rotas
    lines = []
    for name in v.book.config.rotas:
        person = rotas.who(name, v.now)
        until = rotas.until(name, v.now)
        at = v.say.words.day_and_time(until, v.zone) if until else ""
        who = v.say("oncall.until", who=v.book.name(person), at=at) if person else v.say("oncall.nobody")
        lines.append((name, who))
    return lines


def _parts(v: Seen, health: Health) -> list[_Line]:
    """Only what is not well: the rest is one click away under /readyz."""
    return [
        _Line(part.name, Mark("bad", "cross", v.say("part.bad")), part.reason) for part in health.parts if part.reason
    ]
