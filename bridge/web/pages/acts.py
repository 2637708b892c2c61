"""Acts on incidents: an order to dispatch, then back to where it was begun, with a way to take it back."""

from __future__ import annotations

from dataclasses import dataclass

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute

from bridge.model import Order
from bridge.web.console import Console, back_to, done
from bridge.web.seen import Seen

BY = "console"  # who acts, until there are logins
_UNDO = {"ack": "unack", "unack": "ack"}


@dataclass(frozen=True, slots=True)
class Done:
    """What was just done, and the path that undoes it ("" = nothing does)."""

    sentence: str
    undo: str


class Acts:
    """``POST /incident/1000/ack``, ``/unack``, ``/resolve``."""

    def __init__(self, console: Console) -> None:
        self._console = console

    def routes(self) -> list[BaseRoute]:
        return [self._console.route("/incident/{number:int}/{act}", self._act, method="POST")]

    async def _act(self, request: Request) -> Response:
        number, act = request.path_params["number"], request.path_params["act"]
        if act not in ("ack", "unack", "resolve"):
            raise HTTPException(404)
        form = await request.form()
        await self._console.ports.act(Order(BY, ("incidents", act, str(number))))
        self._console.ports.changes.publish("now", "incidents", f"incident:{number}")
        return done(request, f"{back_to(form, '/')}?done={act}:{number}")


def just_done(request: Request, v: Seen) -> Done | None:
    """What ``?done=ack:1000`` says, for the page after an act; None for anything else that stands there."""
    act, _, number = request.query_params.get("done", "").partition(":")
    if act not in ("ack", "unack", "resolve") or not (number.isascii() and number.isdecimal()):
        return None
    undo = f"/incident/{number}/{_UNDO[act]}" if act in _UNDO else ""
    return Done(v.say(f"done.{act}", id=number), undo)
