"""The address is looked at on its way into the socket, so what was checked is what is used (threats T26).

URLs come from the configuration only, but whoever answers for a name decides what it resolves to, and may say
something else the next time. Which addresses are meant: ``config.reachable``.
"""

from __future__ import annotations

import errno
import socket

import aiohttp
from aiohttp.abc import ResolveResult

from bridge.config.reachable import literal, may_be_asked


def socket_to(info: tuple[int, int, int, str, tuple[object, ...]]) -> socket.socket:
    """aiohttp asks here for the socket that it then connects to exactly this address. Raises PermissionError."""
    family, kind, protocol, _, place = info
    host = str(place[0])
    address = literal(host)
    if address is None or not may_be_asked(address):
        raise PermissionError(errno.EACCES, f"{host} is an address where no gateway can be")
    return socket.socket(family, kind, protocol)


class Resolver(aiohttp.ThreadedResolver):
    """The system's. ``localhost``, to which plain HTTP may go, is this machine, whatever a name server says."""

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        """As its parent. Raises OSError."""
        found = await super().resolve(host, port, family)
        if host.lower() != "localhost":
            return found
        here = [one for one in found if (address := literal(one["host"])) is not None and address.is_loopback]
        if not here:
            raise OSError(errno.EACCES, "localhost is another machine")
        return here
