"""The tree of a mail's parts.

Cut by hand and not by the standard library: its parser recurses once a level and asks every line about every open
boundary (depth 1,500 ends it, 1 MB of parts takes 10 s; T21), and neither can be bounded from outside. Here depth,
number of parts and bytes are, and a broken structure is a text, never an error. Source: RFC 2045, 2046, 2183.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field, replace

from bridge.mail import clean, headers
from bridge.mail.headers import Field
from bridge.mail.transfer import decoded

DEPTH = 20
PARTS = 200
TEXT = 256_000  # characters of text that are kept
HTML = 100_000  # bytes of HTML that are read, of the whole mail


@dataclass(frozen=True, slots=True)
class Part:
    """A leaf with its bytes as they were sent, or a container with its parts."""

    kind: str  # "text/html", lower case
    charset: str  # as declared, "" when it is not
    flowed: str  # "" (fixed), "flowed" or "delsp" (RFC 3676)
    disposition: str  # "attachment", "inline", ""
    name: str  # file name, "" when there is none
    encoding: str  # Content-Transfer-Encoding, lower case
    boundary: str
    body: bytes
    parts: tuple[Part, ...] = ()
    fields: tuple[Field, ...] = ()  # of the inner mail's own header, for a part of a message/rfc822


@dataclass(slots=True)
class Reader:
    """What is left to spend on one mail, and what was found wrong with it."""

    default_charset: str | None = None
    parts: int = PARTS
    html: int = HTML
    text: int = TEXT
    read_as: str = ""  # charset of the last text that was read: raw 8-bit headers are mostly in the same
    troubles: dict[str, None] = field(default_factory=dict)

    def trouble(self, what: str) -> None:
        """Note *what* once."""
        if what:
            self.troubles[what] = None


def tree(fields: list[Field], body: bytes, reader: Reader, depth: int = 0, inner: bool = False) -> Part:
    """The parts below a header; deeper than 20 levels, and more than 200 parts, are not looked into."""
    part = _part(fields, body, inner)
    if not part.kind.startswith(("multipart/", "message/")):
        return part
    if depth >= DEPTH:
        reader.trouble(f"parts nested deeper than {DEPTH}")
        return part
    if part.kind in ("message/rfc822", "message/global"):
        below: tuple[Part, ...] = (_inner_mail(part, reader, depth),)
    elif part.kind.startswith("multipart/"):
        below = tuple(_children(part, reader, depth))
        if not below:
            reader.trouble("multipart without parts")
            return replace(part, kind="text/plain")
    else:
        return part
    return replace(part, parts=below)


def _part(fields: list[Field], body: bytes, inner: bool) -> Part:
    first: dict[str, bytes] = {}
    for name, value in fields:
        if name.startswith("content-"):
            first.setdefault(name, value)
    kind, given = headers.parameters(first.get("content-type", b"text/plain"))
    disposition, more = "", given
    if "content-disposition" in first:
        disposition, more = headers.parameters(first["content-disposition"])
    flowed = given.get("format", "").lower() == "flowed"
    return Part(
        kind if "/" in kind else _sniffed(kind),
        given.get("charset", ""),
        ("delsp" if given.get("delsp", "").lower() == "yes" else "flowed") if flowed else "",
        disposition,
        _file_name(more.get("filename") or given.get("name") or ""),
        first.get("content-transfer-encoding", b"").strip().lower().decode("ascii", "replace"),
        given.get("boundary", "").rstrip(),
        body,
        fields=tuple(fields) if inner else (),
    )


def _sniffed(kind: str) -> str:
    """A content type without a slash, as devices write it: ``text``, ``html``."""
    return "text/html" if "html" in kind else "text/plain"


def _file_name(name: str) -> str:
    name = clean.line(headers.words(name) if "=?" in name else name)
    return re.split(r"[/\\]", name)[-1][:200]


def _inner_mail(part: Part, reader: Reader, depth: int) -> Part:
    body, _ = decoded(part.body, part.encoding)
    fields, rest, _ = headers.cut(_newlines(body))
    return tree(fields, rest, reader, depth + 1, inner=True)


def _newlines(body: bytes) -> bytes:
    return body.replace(b"\r\n", b"\n") if b"\r" in body else body


def _children(part: Part, reader: Reader, depth: int) -> Iterator[Part]:
    boundary = part.boundary.encode("utf-8", "replace")
    if not boundary or b"--" + boundary not in part.body:
        boundary = _found_boundary(part.body)
        reader.trouble("boundary missing or wrong")
    for body in split(part.body, boundary) if boundary else ():
        if reader.parts <= 0:
            reader.trouble(f"more than {PARTS} parts")
            return
        reader.parts -= 1
        fields, rest, _ = headers.cut(body) if not body.startswith(b"\n") else ([], body[1:], [])
        yield tree(fields, rest, reader, depth + 1)


def _found_boundary(body: bytes) -> bytes:
    """The boundary a body seems to use, when its header names none: its first line that begins with two dashes."""
    found = re.search(rb"(?:\A|\n)--([!-~][ -~]{0,68}[!-~])[ \t]*\n[Cc]ontent-", body)
    return found[1] if found else b""


def split(body: bytes, boundary: bytes) -> Iterator[bytes]:
    """Bodies between the lines ``--boundary``; a missing last one is taken to be at the end."""
    mark = b"\n--" + boundary
    at = 0 if body.startswith(mark[1:]) else body.find(mark) + 1
    if not at and not body.startswith(mark[1:]):
        return
    begin = -1
    while True:
        end = body.find(b"\n", at)
        end = len(body) if end < 0 else end
        rest = body[at + len(mark) - 1 : end].rstrip()
        if rest in (b"", b"--"):  # anything else is a longer boundary, of a part inside
            if begin >= 0:
                yield body[begin : max(at - 1, begin)]
            begin = end + 1
            if rest:
                return
        found = body.find(mark, end)
        if found < 0:
            if begin >= 0:
                yield body[begin:]
            return
        at = found + 1


def attachments(root: Part) -> tuple[str, ...]:
    """File names in order, at most 50; a part marked as attachment without a name is called by its kind."""
    names: list[str] = []
    waiting = [root]
    while waiting and len(names) < 50:
        part = waiting.pop()
        if part.name or part.disposition == "attachment":
            names.append(part.name or part.kind)
        waiting += reversed(part.parts)
    return tuple(names)
