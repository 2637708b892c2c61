"""The SMTP door: one listener of the configuration, from its sockets to its last session."""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import Awaitable, Callable, Sequence

from bridge.config.addresses import Address
from bridge.config.models.doors import Listener, Tls
from bridge.errors import ConfigError
from bridge.ingress import tls
from bridge.ingress.limits import Connections, SharedLimits
from bridge.ingress.ports import Clock, Keep, Meter, NoMeter, NoReturns, Policy, Returns, Room
from bridge.ingress.session import Session
from bridge.ingress.visitor import Desk
from bridge.store.users import Logins

_BACKLOG = 512
_ANSWERS = 5.0  # seconds that a commit which is under way may still take when the door closes


def _always_room(_size: int) -> bool:
    return True


class SmtpDoor:
    """Listens, hands connections to sessions, and closes so that no mail is cut that can still come whole.

    *limits* is shared by all doors of the process. *sockets* are already listening ones (systemd, tests) that
    are used instead of the address. *room* is asked before a mail is begun; *pause* is how long an answer to a
    wrong password is held back (tests replace it).
    """

    def __init__(
        self,
        listener: Listener,
        *,
        policy: Policy,
        keep: Keep,
        logins: Logins,
        limits: SharedLimits,
        clock: Clock,
        meter: Meter | None = None,
        room: Room = _always_room,
        sockets: Sequence[socket.socket] = (),
        pause: Callable[[float], Awaitable[None]] = asyncio.sleep,
        returns: Returns | None = None,
    ) -> None:
        self._listener = listener
        self._sockets = tuple(sockets)
        self._servers: list[asyncio.Server] = []
        self._address = listener.address
        self._desk = Desk(
            listener=listener,
            policy=policy,
            keep=keep,
            logins=logins,
            limits=limits,
            connections=Connections(listener.connections.total, listener.connections.per_address),
            clock=clock,
            meter=meter or NoMeter(),
            room=room,
            starttls=self._context(listener.starttls),
            implicit=self._context(listener.tls),
            pause=pause,
            returns=returns or NoReturns(),
        )

    async def start(self) -> None:
        """Listen. Raises OSError when the address cannot be had, ConfigError when it names no socket of ours."""
        loop = asyncio.get_running_loop()

        def session() -> Session:
            return Session(self._desk, loop)

        address = self._listener.address
        if self._sockets:
            for sock in self._sockets:
                self._servers.append(await loop.create_server(session, sock=sock, backlog=_BACKLOG))
        elif address.kind == "unix":
            self._servers.append(await loop.create_unix_server(session, address.path, backlog=_BACKLOG))
        elif address.kind == "tcp":
            self._servers.append(await loop.create_server(session, address.host, address.port, backlog=_BACKLOG))
        else:
            raise ConfigError((f"listen: no socket was handed in for {address}",))
        self._address = _name_of(self._servers[0].sockets[0])

    @property
    def address(self) -> str:
        """Where it listens, with the real port: ``127.0.0.1:2525``, ``[::1]:25`` or ``unix:/path``."""
        return str(self._address)

    @property
    def port(self) -> int:
        """The real port; 0 for a unix socket."""
        return self._address.port

    def reload_certificates(self) -> None:
        """Read the certificate files again, for connections to come. Raises ConfigError; the old ones stay then."""
        desk, listener = self._desk, self._listener
        for context, files in ((desk.starttls, listener.starttls), (desk.implicit, listener.tls)):
            if context is not None and files is not None:
                tls.load_certificate(context, files.cert, files.key)

    async def stop(self, grace: float = 5.0) -> None:
        """Take no new connection; let mails that are coming in finish for *grace* seconds, then cut.

        A mail whose final dot has come is still answered: its commit gets 5 seconds more (threats F19).
        """
        for server in self._servers:
            server.close()
        for session in tuple(self._desk.sessions):
            session.stop()
        await self._wait_for_sessions(grace)
        for session in tuple(self._desk.sessions):
            session.cut()
        await self._wait_for_sessions(_ANSWERS)
        for session in tuple(self._desk.sessions):
            await session.finish()

    async def _wait_for_sessions(self, seconds: float) -> None:
        tasks = [session.task for session in self._desk.sessions if session.task is not None]
        if tasks:
            await asyncio.wait(tasks, timeout=seconds)

    def _context(self, files: Tls | None) -> ssl.SSLContext | None:
        return None if files is None else tls.server_context(files.cert, files.key, self._listener.client_ca)


def _name_of(sock: socket.socket) -> Address:
    name = sock.getsockname()
    return Address("unix", path=name) if isinstance(name, str) else Address("tcp", name[0], name[1])
