"""The colon line, in which smsc takes messages by mail. Pure; it refuses, it never escapes.

``<login>:<psw>:<id>:<time>[,<tz>]:<translit>,<format>,<sender>[,<test>]:<phones>:<mes>``. No escape is documented,
so a colon, a comma or a line end in the wrong place would shift the fields: password bytes would become recipients,
an empty ``phones`` would let the text choose them (threats T12). Each field but the text has a pattern that leaves
no doubt. Source: the provider's SMTP page.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from bridge.errors import PermanentFailure

LONGEST_LINE = 998
"""Octets (RFC 5321 §4.5.3.1.6): a relay may fold or refuse a longer line."""

_FOLD_AT = 700  # octets of text in one line: the first one also carries login, password and the other fields
_SECRET = re.compile(r"[^:\x00-\x1f\x7f-\x9f\u2028\u2029]{1,200}")
_FIELDS: dict[str, re.Pattern[str]] = {
    "id": re.compile(r"0?|[A-Za-z0-9._-]{1,40}"),
    "time": re.compile(r"0?|[0-9]{10}|[0-9]{1,2}-[0-9]{1,2}|0[0-9]{9,11}|\+[0-9]{1,5}"),
    "tz": re.compile(r"(?:[+-]?[0-9]{1,2})?"),
    "translit": re.compile(r"[012]"),
    "format": re.compile(r"[0-9]|1[013]"),
    "sender": re.compile(r"[^:,\x00-\x1f\x7f-\x9f\u2028\u2029]{0,40}"),
    "test": re.compile(r"[01]?"),
    "phones": re.compile(r"\+?[0-9]{7,15}(?:[,;]\+?[0-9]{7,15})*"),
}
_TAG = re.compile(r"\[(\s*/?\s*text\s*)\]", re.IGNORECASE)
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")


@dataclass(frozen=True, slots=True)
class Record:
    """One line without its login. *format* is the provider's number: 0 SMS, 1 flash, 9 call, 10 Viber."""

    phones: str  # digits, with or without a plus
    mes: str
    id: str = ""
    time: str = ""
    tz: str = ""
    translit: str = "0"
    format: str = "0"
    sender: str = ""
    test: str = ""


def encode(login: str, secret: str, record: Record) -> str:
    """The body of the mail. An empty *login* makes *secret* an API key.

    Raises PermanentFailure for whatever cannot stand there without doubt; its reason names the field, never a value.
    """
    if (login and not _SECRET.fullmatch(login)) or not _SECRET.fullmatch(secret):
        raise PermanentFailure("login or password holds what the mail format cannot carry", status="5.7.8")
    for name, pattern in _FIELDS.items():
        if not pattern.fullmatch(getattr(record, name)):
            raise PermanentFailure(f"{name} holds what the mail format cannot carry", status=_STATUS.get(name, "5.6.0"))
    if _TAG.search(record.mes) or _CONTROL.search(record.mes):
        raise PermanentFailure("the text holds what the mail format cannot carry", status="5.6.0")
    time = f"{record.time},{record.tz}" if record.tz else record.time
    group = ",".join((record.translit, record.format, record.sender, *([record.test] if record.test else [])))
    line = f"{login}:{secret}:{record.id}:{time}:{group}:{record.phones}:{record.mes}"
    if any(len(one.encode("utf-8")) > LONGEST_LINE for one in line.split("\n")):
        raise PermanentFailure("a word of the text is longer than a line of a mail may be", status="5.6.0")
    return line


_STATUS = {"phones": "5.1.3", "sender": "5.1.7"}


def can_carry(secret: str) -> bool:
    """Whether a login, password or key may stand in the line at all."""
    return _SECRET.fullmatch(secret) is not None


def readable(text: str) -> str:
    """*text* as a record may carry it, letters and length kept: the tags that cut a record out of a mail get round
    brackets, control characters become blanks, and a line that is too long is broken at a blank."""
    text = _TAG.sub(r"(\1)", text.replace("\r\n", "\n").replace("\r", "\n"))
    lines = (_folded(line) for line in _CONTROL.sub(" ", text).split("\n"))
    return "\n".join(lines).rstrip("\n")


def _folded(line: str) -> str:
    """*line* with a line end in place of a blank where more than 700 octets would stand in one."""
    folded: list[str] = []
    room = _FOLD_AT
    for word in line.split(" "):
        size = len(word.encode("utf-8", "replace")) + 1
        if folded and size > room:
            folded.append("\n")
            room = _FOLD_AT
        elif folded:
            folded.append(" ")
        folded.append(word)
        room -= size
    return "".join(folded)
