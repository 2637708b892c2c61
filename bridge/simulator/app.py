"""The simulator's HTTP side as one ASGI application.

Mounted at the root of the demo's server, or served alone by ``serve``. Its paths: ``/sys/*.php``,
``/rest/send/``, ``/sendmessage.php``, ``/sendmessagejson.php`` and ``/xml/*.php`` as the providers have them,
``/sim/*`` for control.
"""

from __future__ import annotations

from starlette.applications import Starlette
from starlette.routing import BaseRoute, Mount, Route

from bridge.simulator.control import Control
from bridge.simulator.doors import SmscDoor
from bridge.simulator.simulator import Simulator
from bridge.simulator.smsc.gateway import DOORS
from bridge.simulator.smsgate.door import SmsgateDoor
from bridge.simulator.smsgate.gateway import PATHS


def routes(simulator: Simulator) -> list[BaseRoute]:
    """For an application that has paths of its own beside these."""
    doors = [Route(f"/sys/{door}.php", SmscDoor(simulator, door)) for door in DOORS]
    rest = Route("/rest/send/", SmscDoor(simulator, "send"))
    smsgate = [Route(path, SmsgateDoor(simulator, page)) for page, path in PATHS.items()]
    return [*doors, rest, *smsgate, Mount("/sim", routes=Control(simulator).routes())]


def create(simulator: Simulator) -> Starlette:
    """The application; starting and closing *simulator* is the caller's."""
    return Starlette(routes=routes(simulator))
