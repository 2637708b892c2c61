"""One connection: bytes in, lines and replies out, TLS, deadlines. Knows no SMTP command.

Replaces aiosmtpd's reading and writing (1.4.6): replies to pipelined commands leave in one write and nobody
waits for a drain after each, which is worth a third of the throughput; a line that never ends, a peer that
drips and one that never reads are all cut by one lazy timer for each connection.
"""

from __future__ import annotations

import asyncio
import ssl
from typing import Any

from aiosmtpd.smtp import SMTP

from bridge.ingress import replies
from bridge.ingress.limits import Caps
from bridge.ingress.lines import BadLine, Content, Inbox

_UNREAD_HIGH = 1 << 16  # bytes that may wait to be read before the peer is made to wait
_UNSENT_HIGH = 1 << 14  # bytes of replies that are gathered before they are written


class Wire(SMTP):
    """The socket's side of a session; :class:`bridge.ingress.visitor.Visitor` is the other."""

    def __init__(self, *, loop: asyncio.AbstractEventLoop, hostname: str, caps: Caps) -> None:
        super().__init__(None, loop=loop, hostname=hostname, enable_SMTPUTF8=True)
        self.caps = caps
        self.tls = False
        self.certificate: dict[str, Any] | None = None
        self._inbox = Inbox(caps.command_length)
        self._content: Content | None = None  # a DATA that is under way
        self._unsent: list[bytes] = []
        self._unsent_size = 0
        self._waiter: asyncio.Future[None] | None = None
        self._ended = False  # nothing is read or said any more
        self._at_end = False  # the peer will send nothing more
        self._busy = False  # we let the peer wait: his clocks stand still
        self._stopping = False
        self._full = False  # the transport holds too much unsent
        self._since = self._line_at = self._data_at = loop.time()
        self._timer: asyncio.TimerHandle | None = None

    # What a session does with its wire ------------------------------------------------------------

    def say(self, reply: str) -> None:
        """Answer with one line (or several, joined by CR LF); it leaves when no command is waiting."""
        data = reply.encode("ascii") + b"\r\n"
        self._unsent.append(data)
        self._unsent_size += len(data)
        if self._unsent_size > _UNSENT_HIGH:
            self._flush()

    def end(self, reply: str = "") -> None:
        """Say *reply* and hang up. A peer that does not read it is cut after ``linger`` seconds."""
        if self._ended:
            return
        if reply:
            self.say(reply)
        self._flush()
        self._ended = True
        self._content = None
        if self._timer is not None:
            self._timer.cancel()
        transport = self._transport_now()
        transport.close()
        self._timer = self.loop.call_later(self.caps.linger, transport.abort)
        self._wake()

    def stop(self) -> None:
        """Go down: at once where no mail is coming in, else after it."""
        self._stopping = True
        if self._content is None and not self._busy:
            self.end(replies.GOING_DOWN)

    async def next_line(self) -> bytes | None:
        """The next command line without its CR LF; None when there will be none."""
        while not self._ended:
            if self._stopping:
                self.end(replies.GOING_DOWN)
                return None
            try:
                line = self._inbox.take()
            except BadLine as bad:
                self._line_at = self.loop.time()
                self.strange(bad.reply)
                continue
            if line is not None:
                self._line_at = self.loop.time()
                return line
            if not await self._more():
                return None
        return None

    async def read_content(self) -> Content | None:
        """All of a DATA up to its final dot; None when the connection ended before."""
        content = self._content = Content()
        self._data_at = self._line_at
        done = content.feed(self._inbox.bytes)
        self.content_grew(content)
        while not (done or self._ended):
            if not await self._more():
                return None
            done = self._content is None
        self._content = None
        return None if self._ended else content

    async def start_tls(self, context: ssl.SSLContext) -> bool:
        """Take the server's side of a handshake; False when it failed (the connection is gone then).

        What stands in the inbox afterwards came under TLS: reading plain text stops before anything is awaited.
        """
        self._inbox.bytes.clear()
        self._flush()
        self._busy = True
        try:
            await self._writer.start_tls(context, ssl_handshake_timeout=self.caps.handshake)
        except (OSError, TimeoutError):  # ssl.SSLError is an OSError
            self._ended = True
            self._transport_now().abort()
            return False
        finally:
            self._busy = False
        self.transport = self._writer.transport
        self.tls = True
        self.certificate = self.transport.get_extra_info("peercert") or None
        self._line_at = self.loop.time()
        return not self._ended

    def mail_kept(self) -> None:
        """The session is of use: its life begins anew."""
        self._since = self._line_at = self.loop.time()

    # What a session adds --------------------------------------------------------------------------

    def strange(self, reply: str) -> None:
        """A line came that is no command."""
        raise NotImplementedError

    def content_grew(self, content: Content) -> None:
        """More of a DATA is in memory."""
        raise NotImplementedError

    # What the loop calls --------------------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        asyncio.StreamReaderProtocol.connection_made(self, transport)
        self.transport = transport
        self._timer = self.loop.call_later(self._soonest(), self._watch)

    def connection_lost(self, error: Exception | None) -> None:
        self._ended = True
        if self._timer is not None:
            self._timer.cancel()
        asyncio.StreamReaderProtocol.connection_lost(self, error)
        self.transport = None
        self._wake()

    def data_received(self, data: bytes) -> None:
        if self._ended:
            return
        buffer = self._inbox.bytes
        buffer += data
        content = self._content
        if content is not None:
            if content.feed(buffer):
                self._content = None
                self._wake()
            self.content_grew(content)
            return
        if len(buffer) > _UNREAD_HIGH and self._waiter is None:
            self._transport_now().pause_reading()
        self._wake()

    def eof_received(self) -> bool:
        """The peer sends no more; it may still read, and what it sent is still obeyed."""
        self._at_end = True
        self._wake()
        return not self.tls

    def pause_writing(self) -> None:
        self._full = True
        super().pause_writing()

    def resume_writing(self) -> None:
        self._full = False
        super().resume_writing()

    # Inside ---------------------------------------------------------------------------------------

    def _transport_now(self) -> asyncio.Transport:
        return self._writer.transport  # type: ignore[return-value]  # typed as WriteTransport, is a Transport

    def _flush(self) -> None:
        if self._unsent:
            data = b"".join(self._unsent)
            self._unsent.clear()
            self._unsent_size = 0
            if not self._ended and not self._writer.transport.is_closing():
                self._writer.transport.write(data)

    async def _more(self) -> bool:
        """Write what waits and wait for more to read; False when nothing more will come."""
        self._flush()
        if self._full:
            try:
                await self._writer.drain()
            except ConnectionError:
                return False
        if self._at_end or self._ended:
            return False
        transport = self._transport_now()
        if not transport.is_reading():
            transport.resume_reading()
        self._waiter = self.loop.create_future()
        await self._waiter
        return True

    def _wake(self) -> None:
        waiter = self._waiter
        if waiter is not None:
            self._waiter = None
            if not waiter.done():
                waiter.set_result(None)

    def _watch(self) -> None:
        """Hang up on a peer that is too late, else look again when it may be."""
        now = self.loop.time()
        caps = self.caps
        if self._busy:
            self._timer = self.loop.call_later(self._soonest(), self._watch)
            return
        reply = self._overdue(now)
        if reply:
            self.end(reply)
            return
        quiet = now + caps.data_grace if self._content is not None else self._line_at + caps.idle
        due = min(self._since + caps.lifetime, quiet, now + caps.data_grace)
        self._timer = self.loop.call_at(max(due, now + 0.01), self._watch)

    def _soonest(self) -> float:
        """Seconds after which a peer that just came may be late."""
        return min(self.caps.idle, self.caps.lifetime, self.caps.data_grace)

    def _overdue(self, now: float) -> str:
        caps = self.caps
        if now >= self._since + caps.lifetime:
            return replies.too_long(caps.lifetime)
        content = self._content
        if content is None:
            return replies.too_quiet(caps.idle) if now >= self._line_at + caps.idle else ""
        spent = now - self._data_at
        if spent >= caps.data_grace and content.size < caps.data_rate * spent:
            return replies.too_slow(caps.data_rate)
        return ""
