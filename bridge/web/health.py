"""What machines ask: does the process live, may it be given work, what are its figures."""

from __future__ import annotations

from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response

from bridge.web.ports import Ports


class HealthDoors:
    """``/healthz``, ``/readyz`` and ``/metrics``."""

    def __init__(self, ports: Ports) -> None:
        self._ports = ports

    async def alive(self, request: Request) -> Response:
        """The event loop turns: nothing else is asked, so a store that is away never gets a process killed."""
        return PlainTextResponse("ok\n")

    async def ready(self, request: Request) -> Response:
        """200 while every part is well, else 503; both say which part and why."""
        health = await self._ports.health()
        parts = {part.name: part.reason or "ok" for part in health.parts}
        return JSONResponse({"ready": health.ready, "parts": parts}, 200 if health.ready else 503)

    async def metrics(self, request: Request) -> Response:
        """Prometheus text."""
        return Response(generate_latest(self._ports.registry), media_type=CONTENT_TYPE_LATEST)
