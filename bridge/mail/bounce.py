"""What an error mail says: a report (RFC 3464), or the plain letter of an older server. Pure, never raises.

An error mail is the text of a stranger and may quote ours: only the fields of a report, and the words before the quoted
mail, decide anything, and only the first 64 kB are looked at, line by line.
Sources: RFC 3462 (the form), RFC 3464 §2.3 (fields of a recipient), RFC 3463 (codes), RFC 3834 (automatic answers).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

_MOST = 64 * 1024
_MOST_LINES = 80  # of a plain letter: what failed stands at its top
_LONGEST_REASON = 200
_LONGEST_FIELD = 2000
_MOST_GROUPS = 50

_STATUS = re.compile(r"(?<![\d.])([245]\.\d{1,3}\.\d{1,3})(?![\d.])")
_REPLY = re.compile(r"(?<![\d.])5\d\d(?=[ -])")
_BOUNDARY = re.compile(r"""boundary\s*=\s*(?:"([^"]{1,70})"|([^\s;"]{1,70}))""", re.IGNORECASE)
_REPORT = re.compile(r"message/(?:global-)?delivery-status\b", re.IGNORECASE)
_QUOTED = re.compile(r"-{2}|>|(?:Received|Return-Path|Message-ID|From|Subject):", re.IGNORECASE)
_DELAYED = re.compile(
    r"delayed|still (?:being )?(?:tr|attempt)|will (?:be )?(?:retr|keep trying|continue)|not yet (?:been )?delivered|"
    r"temporar|transient|warning|no action (?:is )?required|задерж|попыт\w+ (?:будут|продолж)",
    re.IGNORECASE,
)
_FAILED = re.compile(
    r"undeliver|returned to sender|delivery (?:has |to the following recipients? )?fail|could(?: not|n't) be delivered|"
    r"permanent(?:ly)? (?:fail|error)|failed permanently|giv(?:en|ing) up|user unknown|"
    r"не (?:было |может быть )?доставлен",
    re.IGNORECASE,
)
_ARRIVED = frozenset({"delivered", "relayed", "expanded"})

Said = Literal["failed", "delayed", "else"]
Fields = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Bounce:
    """``failed``: the mail will never arrive. ``delayed``: somebody still tries. ``else``: it decides nothing."""

    said: Said
    status: str = ""  # RFC 3463, "" where none is named
    reason: str = ""  # one printable line of the server that refused it; may quote the mail


def read_bounce(content: bytes) -> Bounce:
    """What the error mail *content* says about the one mail it is about."""
    lines = [line.rstrip("\r") for line in content[:_MOST].decode("utf-8", "replace").split("\n")]
    head, body = _fields(lines)
    recipients = _recipients(head, body)
    if recipients:
        return _of_report(recipients)
    return _of_letter(head, body)


def _of_report(recipients: Sequence[Fields]) -> Bounce:
    """Of several groups (an alias behind the address) one that arrived outweighs those that failed."""
    actions = {fields["action"].split()[0].lower() for fields in recipients if fields["action"].split()}
    wanted: Said = "failed" if "failed" in actions and not actions & _ARRIVED else "else"
    if "delayed" in actions and not actions & _ARRIVED:
        wanted = "delayed"
    about = next((one for one in recipients if one["action"].lower().startswith(wanted)), recipients[0])
    status = _STATUS.search(about.get("status", ""))
    diagnostic = about.get("diagnostic-code", "").partition(";")[2].strip()
    return Bounce(wanted, status[1] if status else "", _line(diagnostic))


def _of_letter(head: Fields, body: Sequence[str]) -> Bounce:
    """Without a report: by the words at its top. An automatic answer of a person's mailbox is no failure."""
    named = "x-failed-recipients" in head  # Exim's own word
    if not named and head.get("auto-submitted", "").lower().startswith("auto-replied"):
        return Bounce("else")
    top = list(_top(body))
    words = "\n".join((head.get("subject", ""), *top))
    if _DELAYED.search(words):
        return Bounce("delayed")
    if not (named or _FAILED.search(words) or _REPLY.search(words)):
        return Bounce("else")
    telling = next((line for line in top if _REPLY.search(line) or _STATUS.search(line)), "")
    status = _STATUS.search(telling)
    return Bounce("failed", status[1] if status and status[1][0] != "2" else "", _line(telling))


def _top(body: Sequence[str]) -> Iterator[str]:
    """The letter's own lines: up to where it begins to quote."""
    for line in body[:_MOST_LINES]:
        if _QUOTED.match(line):
            return
        yield line


def _recipients(head: Fields, body: Sequence[str]) -> list[Fields]:
    """The groups of a report that name an action; none where the mail is no report."""
    boundary = _BOUNDARY.search(head.get("content-type", ""))
    if boundary is None or not head["content-type"].lower().lstrip().startswith("multipart/"):
        return []
    for part in _parts(body, "--" + (boundary[1] or boundary[2])):
        fields, text = _fields(part)
        if _REPORT.match(fields.get("content-type", "").strip()):
            return [group for group in _groups(text) if "action" in group]
    return []


def _parts(body: Iterable[str], delimiter: str) -> Iterator[list[str]]:
    part: list[str] | None = None
    for line in body:
        if line.rstrip() in (delimiter, delimiter + "--"):
            if part is not None:
                yield part
            part = []
        elif part is not None:
            part.append(line)
    if part:
        yield part


def _groups(lines: Sequence[str]) -> Iterator[Fields]:
    """Fields between empty lines."""
    group: list[str] = []
    groups = 0
    for line in (*lines, ""):
        if line.strip():
            group.append(line)
        elif group and groups < _MOST_GROUPS:
            groups += 1
            yield _fields(group)[0]
            group = []


def _fields(lines: Sequence[str]) -> tuple[dict[str, str], Sequence[str]]:
    """Header fields up to the first empty line (lower-case names, unfolded, the first of each), and what follows."""
    fields: dict[str, str] = {}
    last = ""
    for number, line in enumerate(lines):
        if not line.strip():
            return fields, lines[number + 1 :]
        name, colon, value = line.partition(":")
        if line[0] in " \t":
            if last and len(fields[last]) < _LONGEST_FIELD:
                fields[last] += " " + line.strip()
        elif colon:
            last = "" if name.strip().lower() in fields else name.strip().lower()
            fields.setdefault(name.strip().lower(), value.strip())
    return fields, ()


def _line(text: str) -> str:
    return "".join(letter if letter.isprintable() else " " for letter in " ".join(text.split()))[:_LONGEST_REASON]
