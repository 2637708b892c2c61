"""Who is at the other end: coming and going, TLS, login. The mail commands are the session's.

Sources: RFC 5321 §4.1.1.1 (EHLO), RFC 3207 (STARTTLS), RFC 4954 (AUTH), RFC 2920 (PIPELINING).
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from bridge.config.models.doors import Listener
from bridge.errors import StoreUnavailable
from bridge.ingress import auth, decide, replies, tls
from bridge.ingress.limits import Connections, SharedLimits, network_of
from bridge.ingress.ports import Clock, Facts, Keep, Meter, Policy, Returns, Room
from bridge.ingress.wire import Wire
from bridge.store.users import Logins

_WEB = frozenset({"GET", "POST", "PUT", "HEAD", "OPTIONS", "CONNECT"})  # a browser was made to talk to us


@dataclass(eq=False, slots=True)
class Desk:
    """What all sessions of one door share."""

    listener: Listener
    policy: Policy
    keep: Keep
    logins: Logins
    limits: SharedLimits
    connections: Connections
    clock: Clock
    meter: Meter
    room: Room
    starttls: ssl.SSLContext | None
    implicit: ssl.SSLContext | None
    pause: Callable[[float], Awaitable[None]]
    returns: Returns
    sessions: set[Visitor] = field(default_factory=set)


class Visitor(Wire):
    """One connection and what is known of its peer."""

    def __init__(self, desk: Desk, loop: asyncio.AbstractEventLoop) -> None:
        super().__init__(loop=loop, hostname=desk.policy.hostname, caps=desk.limits.caps)
        self.desk = desk
        self.peer = ""
        self._trusted = False
        self._repairs = False
        self._login = ""
        self._subject = ""
        self._refusal: str | None = None  # why this peer may not say MAIL
        self._helo: str | None = None
        self._commands = 0
        self._strange = 0
        self._tries = 0
        self.task: asyncio.Task[None] | None = None

    # Coming and going -----------------------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        desk = self.desk
        host = transport.get_extra_info("peername")
        # a peer on a unix socket is on this machine
        self.peer = decide.plain_peer(host[0]) if isinstance(host, tuple) else "127.0.0.1"
        self._trusted = decide.is_trusted(desk.listener, self.peer)
        self._repairs = decide.repairs(desk.listener, self.peer)
        super().connection_made(transport)
        full = desk.connections.enter(self.peer, trusted=self._trusted)
        if full is not None:
            self._turn_away(full)
            return
        desk.sessions.add(self)
        desk.meter.opened()
        self.task = self.loop.create_task(self._handle_client())
        self.task.add_done_callback(self._gone)

    def _turn_away(self, full: str) -> None:
        reply = replies.BUSY
        if full == "address":
            reply = replies.connections_open(self.desk.connections.per_address, self.peer)
        self.desk.meter.refused("connect", reply, self.peer)
        self.end("" if self.desk.implicit else reply)

    async def _handle_client(self) -> None:
        if self.desk.implicit is not None and not await self._take_tls(self.desk.implicit):
            return
        self._know_peer()
        self.say(replies.greeting(self.hostname))
        while (line := await self.next_line()) is not None:
            await self._obey(line)
        self.end()

    def _gone(self, task: asyncio.Task[None]) -> None:
        """The session is over: give back what it held. A fault of ours is told to the peer and made loud."""
        self.release()
        self.desk.sessions.discard(self)
        self.desk.connections.leave(self.peer, trusted=self._trusted)
        self.desk.meter.closed()
        if task.cancelled():
            self.end(replies.GOING_DOWN)
        elif error := task.exception():
            self.end(replies.GIVING_UP)
            self.loop.call_exception_handler(
                {"message": "a mail session failed", "exception": error, "protocol": self, "task": task}
            )

    def cut(self) -> None:
        """No more time: hang up, unless an answer of ours is all that is missing."""
        if not self._busy:
            self.end(replies.GOING_DOWN)

    async def finish(self) -> None:
        """Cut what is still open and wait until it is gone."""
        if self.task is not None:
            self.task.cancel()
            await asyncio.wait([self.task])

    # One command ----------------------------------------------------------------------------------

    async def _obey(self, line: bytes) -> None:
        self._commands += 1
        if self._commands > self.caps.commands:
            self._refuse("line", replies.too_many_commands(self.caps.commands))
            self.end()
            return
        word, _, rest = line.partition(b" ")
        verb = word.upper().decode("latin-1")
        command = self._smtp_methods.get(verb)
        if command is None:
            self.strange(replies.NOT_A_COMMAND)
            if verb in _WEB:
                self.end()
            return
        try:
            argument = rest.strip().decode("utf-8")
        except UnicodeDecodeError:
            self.strange(replies.NOT_A_COMMAND)
            return
        await command(argument)

    def strange(self, reply: str) -> None:
        self._strange += 1
        self._refuse("line", reply)
        if self._strange >= self.caps.strange:
            self.end()

    def _refuse(self, stage: str, reply: str) -> None:
        self.desk.meter.refused(stage, reply, self.peer)
        self.say(replies.printable(reply))

    # Greeting and TLS -----------------------------------------------------------------------------

    async def smtp_EHLO(self, argument: str) -> None:
        self._hello(argument)
        lines = [self.hostname, f"SIZE {self.desk.listener.max_size}", "8BITMIME", "SMTPUTF8", "PIPELINING", "DSN"]
        lines.append("ENHANCEDSTATUSCODES")
        if self.desk.starttls is not None and not self.tls:
            lines.append("STARTTLS")
        if self.tls and decide.takes_logins(self.desk.listener):
            lines.append("AUTH PLAIN LOGIN")
        self.say("\r\n".join(f"250-{line}" for line in lines[:-1]) + f"\r\n250 {lines[-1]}")

    async def smtp_HELO(self, argument: str) -> None:
        self._hello(argument)
        self.say(f"250 {self.hostname}")

    def _hello(self, name: str) -> None:
        self.reset()
        self._helo = name[:255]

    async def smtp_STARTTLS(self, argument: str) -> None:
        if argument:
            return self._refuse("line", replies.NO_ARGUMENT)
        if self.tls:
            return self._refuse("line", replies.TLS_IS_ON)
        if self.desk.starttls is None:
            return self._refuse("line", replies.TLS_AWAY)
        if self._inbox.bytes:  # plain text that would be obeyed as if it had come under TLS
            self._inbox.bytes.clear()
            self._forget()
            return self._refuse("line", replies.AFTER_STARTTLS)
        self.say(replies.READY_FOR_TLS)
        if await self._take_tls(self.desk.starttls):
            self._forget()
            self._know_peer()
        return None

    async def _take_tls(self, context: ssl.SSLContext) -> bool:
        if await self.start_tls(context):
            self._subject = tls.subject_of(self.certificate)
            return True
        return False

    def _forget(self) -> None:
        """Back to the state after the greeting (RFC 3207 §4.2)."""
        self.reset()
        self._helo = None
        self._login = ""

    def _know_peer(self) -> None:
        """Decide anew who is there: at the start, after TLS, after a login."""
        self._refusal = decide.admission(self.desk.listener, self._facts(""))

    def _facts(self, mail_from: str) -> Facts:
        return Facts("smtp", self.peer, self._login, self._subject, self.tls, mail_from)

    # Login ----------------------------------------------------------------------------------------

    async def smtp_AUTH(self, argument: str) -> None:
        refusal = self._auth_refusal(argument)
        if refusal:
            return self._refuse("auth", refusal)
        mechanism, _, first = argument.partition(" ")
        try:
            credentials = await self._credentials(mechanism.upper(), first.strip())
        except auth.NotUnderstood as error:
            return self._refuse("auth", error.reply)
        if credentials is not None:
            await self._log_in(credentials)
        return None

    def _auth_refusal(self, argument: str) -> str:
        if self._helo is None:
            return replies.HELLO_FIRST
        if not decide.takes_logins(self.desk.listener):
            return replies.NO_LOGINS_HERE
        if not self.tls:
            return replies.STARTTLS_BEFORE_LOGIN
        if self._login:
            return replies.ALREADY_LOGGED_IN
        if self.in_mail:
            return replies.ONE_MAIL_AT_A_TIME
        if argument.partition(" ")[0].upper() not in ("PLAIN", "LOGIN"):
            return replies.MECHANISM_UNKNOWN
        return ""

    async def _credentials(self, mechanism: str, first: str) -> auth.Credentials | None:
        """What the client says; None when it hung up. Raises :class:`auth.NotUnderstood`."""
        if mechanism == "PLAIN":
            answer = first or await self._ask(auth.ASK_PLAIN)
            return None if answer is None else auth.plain(answer)
        login = first or await self._ask(auth.ASK_USERNAME)
        if login is None:
            return None
        name = auth.decoded(login)
        password = await self._ask(auth.ASK_PASSWORD)
        return None if password is None else auth.Credentials(name, auth.decoded(password))

    async def _ask(self, challenge: str) -> str | None:
        self.say(challenge)
        self._inbox.limit = self.caps.auth_length
        try:
            line = await self.next_line()
        finally:
            self._inbox.limit = self.caps.command_length
        return None if line is None else line.decode("latin-1")

    async def _log_in(self, credentials: auth.Credentials) -> None:
        desk, began = self.desk, self.loop.time()
        keys = self._tries_keys(credentials)
        self._tries += 1
        if self._tries > self.caps.tries or not desk.limits.tries.begin(keys, began):
            self._refuse("auth", replies.TOO_MANY_TRIES)
            return self.end()
        self._busy = True
        try:
            fits = await desk.logins.verify(credentials.login, credentials.password, now=desk.clock())
            if not fits:
                await desk.pause(desk.limits.tries.delay(keys, began))
        except StoreUnavailable:
            desk.limits.tries.forget(keys, began)
            return self._refuse("auth", replies.LOGINS_AWAY)
        finally:
            self._busy = False
        if not fits:
            return self._refuse("auth", replies.LOGIN_WRONG)
        desk.limits.tries.forget(keys, began)
        self._login = credentials.login
        self._know_peer()
        return self.say(replies.LOGGED_IN)

    def _tries_keys(self, credentials: auth.Credentials) -> tuple[str, ...]:
        """What this try counts against. A password that has fitted, or is being checked, costs no second try."""
        logins, login = self.desk.logins, credentials.login
        if logins.knows(login, credentials.password):
            return ()
        # a login that an operator changed or unlocked begins anew
        return f"peer {network_of(self.peer)}", f"login {login[:100]} {logins.stamp(login)}"

    # What a session adds --------------------------------------------------------------------------

    @property
    def in_mail(self) -> bool:
        """Whether a mail was begun."""
        raise NotImplementedError

    def reset(self) -> None:
        """Forget the mail that was begun."""
        raise NotImplementedError

    def release(self) -> None:
        """Give back the memory that was counted for a mail."""
        raise NotImplementedError
