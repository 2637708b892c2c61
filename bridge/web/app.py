"""The whole of HTTP as one ASGI application. A path that is not served on this listener does not exist."""

from __future__ import annotations

from collections.abc import Sequence

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import BaseRoute, Route

from bridge.web import guards
from bridge.web.assets import Assets
from bridge.web.callbacks import CallbackDoor
from bridge.web.console import Console
from bridge.web.health import HealthDoors
from bridge.web.live import Live
from bridge.web.pages.incidents import Incidents
from bridge.web.pages.now import Now
from bridge.web.pages.phones import Phones
from bridge.web.pages.search import Search
from bridge.web.pages.trails import Trails
from bridge.web.ports import Ports

_FAMILIES = ("smsc", "smsgate", "plain")  # of gateways that post to us
_METHODS = ["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]  # a path of callbacks says itself which it takes


def create(ports: Ports, more: Sequence[BaseRoute] = ()) -> Starlette:
    """The application over *ports*; *more* are paths of others (the simulator's, in the demo)."""
    doors = HealthDoors(ports)
    routes: list[BaseRoute] = [Route("/healthz", doors.alive), Route("/readyz", doors.ready), *more]
    if "metrics" in ports.serve:
        routes.append(Route("/metrics", doors.metrics))
    if "callbacks" in ports.serve:
        door = CallbackDoor(ports.callback).__call__
        routes += [Route(f"/callbacks/{family}/{{path:path}}", door, methods=_METHODS) for family in _FAMILIES]
    assets = Assets()
    console = Console(ports, assets)
    if "console" in ports.serve:
        routes += _pages(ports, console, assets)
    middleware = [Middleware(guards.SafeHeaders), Middleware(guards.CappedBody)]
    return Starlette(routes=routes, middleware=middleware, exception_handlers={500: console.failed})


def _pages(ports: Ports, console: Console, assets: Assets) -> list[BaseRoute]:
    pages: list[BaseRoute] = [
        *Now(console).routes(),
        *Incidents(console).routes(),
        *Search(console).routes(),
        *Trails(console).routes(),
        console.route("/live", Live(ports).__call__),
        Route("/static/{name}", assets.__call__),
    ]
    if ports.simulator is not None:
        pages += Phones(console, ports.simulator).routes()

    async def nowhere(request: Request) -> Response:
        if request.method not in ("GET", "HEAD"):
            return PlainTextResponse("Not here.\n", 405)
        return await console.said(request, "error.gone", status=404, n=ports.book().config.keep.mail.days)

    return [*pages, console.route("/{rest:path}", nowhere)]
