"""The trail: why did I get this, why did she not? One page for a mail, an incident or a message."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute

from bridge.model import Incident
from bridge.store import views_trail
from bridge.store.engine import Tx
from bridge.store.views_trail import TrailRows
from bridge.web.console import Console
from bridge.web.seen import Mark, Seen
from bridge.web.trail import SHOWS, Shown, Step, answerers_of, filtered, only_ids, people_of, shown
from bridge.web.trail_steps import steps_of
from bridge.web.trail_verdict import SENT, verdict


@dataclass(frozen=True, slots=True)
class _Filter:
    key: str
    word: str
    count: int
    here: bool


@dataclass(frozen=True, slots=True)
class _Entry:
    href: str
    text: str


@dataclass(frozen=True, slots=True)
class _Person:
    name: str
    mark: Mark | None
    why: str


@dataclass(frozen=True, slots=True)
class _Trail:
    """The page as plain values."""

    name: str
    host: str
    title: str
    marks: tuple[Mark, ...]
    facts: str
    verdict: tuple[str, ...]
    end: str
    filters: tuple[_Filter, ...]
    steps: tuple[Shown, ...]
    contents: tuple[_Entry, ...]
    people: tuple[_Person, ...]
    pairs: tuple[tuple[str, str], ...]
    cut: bool
    incident: int = 0
    can_ack: bool = False
    can_undo: bool = False


class Trails:
    """``/mail/M-123``, ``/incident/1000``, ``/message/5``."""

    def __init__(self, console: Console) -> None:
        self._console = console

    def routes(self) -> list[BaseRoute]:
        route = self._console.route
        return [
            route("/mail/M-{number:int}", self._mail),
            route("/incident/{number:int}", self._incident),
            route("/message/{number:int}", self._message),
        ]

    async def _mail(self, request: Request) -> Response:
        number = request.path_params["number"]
        v, rows = await self._console.read(request, lambda tx: views_trail.of_mail(tx, number))
        return self._show(request, v, rows, f"M-{number}", f"mail:{number}")

    async def _incident(self, request: Request) -> Response:
        number = request.path_params["number"]
        v, rows = await self._console.read(request, lambda tx: views_trail.of_incident(tx, number))
        return self._show(request, v, rows, str(number), f"incident:{number}")

    async def _message(self, request: Request) -> Response:
        """A message is read in the trail it belongs to, at its own step."""
        number = request.path_params["number"]

        def read(tx: Tx) -> tuple[int, int] | None:
            return views_trail.home_of_message(tx, number)

        home = await self._console.ports.store.read(read)
        if home is None or not any(home):
            raise HTTPException(404)
        incident, mail = home
        path = f"/incident/{incident}" if incident else f"/mail/M-{mail}"
        return RedirectResponse(f"{path}#message-{number}", 303)

    def _show(self, request: Request, v: Seen, rows: TrailRows | None, name: str, scope: str) -> Response:
        if rows is None:
            raise HTTPException(404)
        show = request.query_params.get("show", "")
        trail = build(v, rows, name, show if show in SHOWS else "")
        scopes = {scope, *(f"incident:{i.id}" for i in rows.incidents), *(f"mail:{m.id}" for m in rows.mails[-20:])}
        title = ": ".join(filter(None, (trail.host, trail.title)))
        return self._console.page(
            request, v, "trail.j2", title=title, here="incidents", scope=",".join(sorted(scopes)), trail=trail
        )


def build(v: Seen, rows: TrailRows, name: str, show: str) -> _Trail:
    """The whole page of *rows*; *show* is one of the filters."""
    incident = rows.incidents[0] if len(rows.incidents) == 1 else None
    steps = [_without_link_to(step, incident) for step in only_ids(steps_of(v, rows))]
    said = verdict(v, rows, incident)
    subject = rows.mails[0].subject if rows.mails else ""
    places = tuple(shown(v, filtered(steps, show), people_of(v, rows), answerers_of(v, rows)))
    return _Trail(
        name=name,
        host=incident.host.partition(".")[0] if incident else "",
        title=(incident.title if incident else subject) or v.say("untitled"),
        marks=_marks(v, rows, incident),
        facts=_facts(v, incident),
        verdict=said.sentences,
        end=said.end,
        filters=_filters(v, steps, show),
        steps=places,
        contents=_contents(v, rows),
        people=tuple(_people(v, rows)),
        pairs=_pairs(v, rows, incident),
        cut=rows.cut,
        incident=incident.id if incident else 0,
        can_ack=incident is not None and incident.state == "open",
        can_undo=incident is not None and incident.state == "acked",
    )


def _without_link_to(step: Step, incident: Incident | None) -> Step:
    """A page does not link to itself."""
    own = incident is not None and step.link is not None and step.link[0] == f"/incident/{incident.id}"
    return replace(step, link=None) if own else step


def _marks(v: Seen, rows: TrailRows, incident: Incident | None) -> tuple[Mark, ...]:
    if incident is not None:
        return v.severity(incident.severity), v.incident(incident)
    if rows.mails and rows.mails[0].state != "PLANNED":
        return (Mark("hold", "mail", v.say(f"mail.{rows.mails[0].state.lower()}")),)
    return ()


def _facts(v: Seen, incident: Incident | None) -> str:
    if incident is None:
        return ""
    code = v.say("trail.code", code=incident.code) if incident.code else ""
    key = v.say("trail.key", key=incident.key[:120])
    return " · ".join(filter(None, (v.say("step.incident", id=incident.id), code, key)))


def _people(v: Seen, rows: TrailRows) -> Iterator[_Person]:
    """Who knew, and since when: the last alert of each phone, and what its owner answered."""
    alerts = {sent.message.phone: sent for sent in rows.messages if sent.message.rule != "(answer)"}
    for phone, sent in alerts.items():
        m = sent.message
        answer = next((reply for reply in rows.replies if reply.phone == phone), None)
        told = v.say("knew.told", at=v.seconds(m.created_at))
        said = v.say("knew.answered", at=v.seconds(answer.received_at)) if answer else v.say("knew.silent")
        yield _Person(v.who(m.person, phone), v.message(m.state, sent.provider), f"{told} {said}")


def _pairs(v: Seen, rows: TrailRows, incident: Incident | None) -> tuple[tuple[str, str], ...]:
    pairs = []
    if incident is not None:
        pairs += [
            (v.say("field.since"), v.seconds(incident.opened_at)),
            (v.say("field.count"), str(incident.count)),
            (v.say("field.rule"), incident.rule),
            (v.say("field.source"), incident.source or "–"),
            (v.say("field.producer"), incident.producer),
        ]
    segments = sum(sent.message.segments for sent in rows.messages if sent.message.state in SENT)
    if segments:
        pairs.append((v.say("field.segments"), str(segments)))
    return tuple(pairs)


def _filters(v: Seen, steps: list[Step], show: str) -> tuple[_Filter, ...]:
    return tuple(_Filter(key, v.say(f"show.{key or 'all'}"), len(filtered(steps, key)), key == show) for key in SHOWS)


def _contents(v: Seen, rows: TrailRows) -> tuple[_Entry, ...]:
    """Several events in one mail: where each of them is found."""
    if len(rows.mails) != 1 or len(rows.events) < 2:
        return ()
    return tuple(
        _Entry(
            f"/incident/{event.incident_id}" if event.incident_id else f"#e-{event.mail_id}-{event.n}",
            ": ".join(filter(None, (str(event.event.get("host", "")), str(event.event.get("title", ""))))),
        )
        for event in rows.events[:50]
    )
