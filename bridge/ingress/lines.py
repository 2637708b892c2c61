"""Cutting a stream of bytes into command lines and into the content of DATA. Pure: bytes in, bytes out.

Only CR LF ends a line, and only CR LF . CR LF ends a mail; nothing else ever does (threats T01).
Source: RFC 5321 §2.3.8, §4.1.1.4, §4.5.2.
"""

from __future__ import annotations

import re

from bridge.errors import BridgeError
from bridge.ingress import replies

_END = b"\r\n.\r\n"
_LINE_END = re.compile(rb"\r\n|\r|\n")


class BadLine(BridgeError):
    """A line that is no command line was taken out of the stream; *reply* says why."""

    def __init__(self, reply: str) -> None:
        super().__init__(reply)
        self.reply = reply


class Inbox:
    """Bytes that came and were not read yet."""

    __slots__ = ("_skipping", "bytes", "limit")

    def __init__(self, limit: int) -> None:
        self.bytes = bytearray()
        self.limit = limit
        self._skipping = False  # inside a line that is too long

    def take(self) -> bytes | None:
        """The next line without its CR LF; None while it is not whole.

        Raises :class:`BadLine` for one that is too long or holds a bare CR or LF; that line is gone then.
        A bare LF takes what stands before it out of the stream, so that nobody waits for a CR LF that will
        never come, but nothing of it is obeyed.
        """
        data = self.bytes
        end = data.find(b"\n")
        if end < 0:
            if len(data) > self.limit:
                self._skipping = True
                data.clear()
            return None
        line = bytes(data[: end + 1])
        del data[: end + 1]
        if self._skipping or len(line) > self.limit:
            self._skipping = False
            raise BadLine(replies.command_too_long(self.limit))
        if line[-2:] != b"\r\n" or line.find(b"\r", 0, -2) >= 0:
            raise BadLine(replies.BARE_COMMAND_END)
        return line[:-2]


class Content:
    """The content of one DATA while it comes in.

    ``feed`` is called with what came; ``size`` counts it without the final dot's line, ``held`` is what is in
    memory. Once dropped (too big, no room) the rest is only looked through for its end.
    """

    __slots__ = ("_raw", "dropped", "size")

    def __init__(self) -> None:
        self._raw = bytearray(b"\r\n")  # the end of the DATA line: the dot may come at once
        self.size = 0
        self.dropped = False

    @property
    def held(self) -> int:
        """Bytes in memory."""
        return len(self._raw)

    def feed(self, data: bytearray) -> bool:
        """Take bytes out of *data*; True when the final dot came (what follows it stays in *data*)."""
        raw = self._raw
        before = len(raw)
        raw += data
        end = raw.find(_END, max(0, before - len(_END) + 1))
        if end >= 0:
            self.size += end + len(b"\r\n") - before
            data[:] = raw[end + len(_END) :]
            del raw[end + 2 :]
            return True
        self.size += len(data)
        data.clear()
        if self.dropped:
            del raw[: -len(_END) + 1]
        return False

    def drop(self) -> None:
        """Forget what came, keep looking for the end."""
        self.dropped = True
        del self._raw[: -len(_END) + 1]

    def take(self) -> bytes:
        """The content with its dots unstuffed and its line ends as they came."""
        raw = bytes(self._raw)
        self._raw = bytearray()
        if raw.find(b"\r\n.") >= 0:
            raw = raw.replace(b"\r\n.", b"\r\n")
        return raw[2:]


def has_bare_ends(content: bytes) -> bool:
    """Whether a CR or an LF stands alone."""
    pairs = content.count(b"\r\n")
    return content.count(b"\n") != pairs or content.count(b"\r") != pairs


def repaired(content: bytes) -> bytes:
    """*content* with each bare CR or LF made CR LF."""
    return _LINE_END.sub(b"\r\n", content)


def longest_line_over(content: bytes, limit: int) -> bool:
    """Whether a line is longer than *limit* bytes (without its line end)."""
    start, size = 0, len(content)
    while size - start > limit:
        end = content.rfind(b"\n", start, start + limit + 2)
        if end < 0:
            return True
        start = end + 1
    return False
