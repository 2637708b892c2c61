"""Incidents: what is open, and what was there before? A simple list by day; filters stand in the address."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute

from bridge.model import Incident, Notification
from bridge.store import views
from bridge.store.engine import Tx
from bridge.store.statements import from_us, to_us
from bridge.store.views import Sent
from bridge.web.console import Console
from bridge.web.pages.listed import ListedIncident, listed_incident
from bridge.web.pages.now import open_headline
from bridge.web.seen import Seen

_MOST = 40
_STATES: Mapping[str, tuple[str, ...]] = {
    "open": ("open", "acked"),
    "free": ("open",),
    "over": ("resolved", "closed"),
    "all": (),
}


@dataclass(frozen=True, slots=True)
class _Rows:
    incidents: list[Incident]
    told: dict[int, list[Notification]]
    states: dict[int, Sent]
    free: int


@dataclass(frozen=True, slots=True)
class _Filter:
    key: str
    word: str
    here: bool


@dataclass(slots=True)
class _Day:
    name: str
    incidents: list[ListedIncident]


class Incidents:
    """The list."""

    def __init__(self, console: Console) -> None:
        self._console = console

    def routes(self) -> list[BaseRoute]:
        return [self._console.route("/incidents", self._page)]

    async def _page(self, request: Request) -> Response:
        wanted = request.query_params.get("state", "all")
        key = wanted if wanted in _STATES else "all"

        before = _moment(request.query_params.get("before", ""))

        def read(tx: Tx) -> _Rows:
            incidents = views.latest_incidents(tx, _MOST, _STATES[key], before)
            told = views.told(tx, [incident.id for incident in incidents])
            ids = sorted({note.message_id for notes in told.values() for note in notes} - {0})
            return _Rows(incidents, told, views.messages_by_id(tx, ids), views.count_open(tx)[1])

        v, rows = await self._console.read(request, read)
        days: list[_Day] = []
        for incident in rows.incidents:
            name = v.day(incident.last_at)
            if not days or days[-1].name != name:
                days.append(_Day(name, []))
            days[-1].incidents.append(listed_incident(v, incident, rows.told.get(incident.id, ()), rows.states))
        filters = [_Filter(each, v.say(f"filter.{each}"), each == key) for each in _STATES]
        return self._console.page(
            request,
            v,
            "incidents.j2",
            title=_title(v, rows.free),
            here="incidents",
            scope="incidents",
            hold=True,
            filters=filters,
            days=days,
            older=f"?state={key}&before={to_us(rows.incidents[-1].last_at)}" if len(rows.incidents) == _MOST else "",
        )


def _moment(text: str) -> datetime | None:
    """Microseconds since 1970, as ``older`` wrote them; None for anything else."""
    return from_us(int(text)) if text.isascii() and text.isdecimal() and len(text) <= 16 else None


def _title(v: Seen, free: int) -> str:
    return open_headline(v, free) if v.open else v.say("incidents.title")
