"""The colon line that old programs mail, as the bridge reads it. Pure, bounded, never raises.

``<login>:<psw>:<id>:<time>[,<tz>]:<translit>,<format>,<sender>[,<test>]:<phones>:<mes>``. A text may hold colons, no
other field may; every field but the text must fit its pattern whole, so that a field that slipped is a refusal and
never a recipient (threats T12). What the provider can do and this door does not (a list in the text, contact groups,
other channels, another time, a test) is refused by name: nothing is sent otherwise than the program meant it.
Source: the provider's SMTP page, §2 and §3.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

MASK = "***"  # stands in place of the password in whatever is kept
_LONGEST = 100_000  # characters; the provider takes 100 KB
_TAGGED = re.compile(r"\[text\](.*?)\[/text\]", re.IGNORECASE | re.DOTALL)
_WORD = r"[^:\x00-\x1f\x7f-\x9f\u2028\u2029]"
_LOGIN = re.compile(rf"{_WORD}{{0,200}}")
_PASSWORD = re.compile(rf"{_WORD}{{1,200}}")
_ID = re.compile(r"[A-Za-z0-9._-]{0,40}")
_NOW = re.compile(r"0?(?:,[+-]?[0-9]{0,2})?")
_TRANSLIT = re.compile(r"[012]?")
_SMS = re.compile(r"[01]?")  # 1 is flash; what channel is used, the rule says
_SENDER = re.compile(r"[^:,\x00-\x1f\x7f-\x9f\u2028\u2029]{0,40}")
_PHONES = re.compile(r" *\+?[0-9]{3,15} *(?:[,;] *\+?[0-9]{3,15} *){0,999}")
_SPLIT = re.compile(r"[,;]")


@dataclass(frozen=True, slots=True)
class Line:
    """What the program says. *wrong* is the reason why it may not be sent (FORMAT §13), "" = none."""

    login: str  # "" where *password* is an API key
    password: str = field(repr=False)
    phones: tuple[str, ...] = ()  # as written: digits, perhaps after a plus
    text: str = ""
    sender: str = ""  # what the program wants to be shown; nobody follows it
    id: str = ""
    wrong: str = ""


def read_line(body: str) -> Line | None:
    """The record in the *body* of a mail; None where there is none."""
    line = _cut(body)
    if line is None:
        return None
    login, password, number, time, group, phones, text = line
    if not _LOGIN.fullmatch(login) or not _PASSWORD.fullmatch(password):
        return None
    parts = [part.strip() for part in group.split(",")]
    translit, kind, sender, test = (*parts, "", "", "", "")[:4]
    wrong = _wrong(number, time, phones, text, translit, kind, sender, test if len(parts) <= 4 else "?")
    named = () if wrong else tuple(dict.fromkeys(one.strip() for one in _SPLIT.split(phones)))
    return Line(login, password, named, text.strip(), sender, number, wrong)


def _cut(body: str) -> list[str] | None:
    """The seven fields; the record may stand between ``[text]`` and ``[/text]``."""
    tagged = _TAGGED.search(body[:_LONGEST])
    fields = (tagged[1] if tagged else body[:_LONGEST]).strip("\r\n \ufeff").split(":", 6)
    return fields if len(fields) == 7 else None


def _wrong(number: str, time: str, phones: str, text: str, translit: str, kind: str, sender: str, test: str) -> str:
    """The first thing that is wrong with the fields behind the password."""
    if not _ID.fullmatch(number) or not _TRANSLIT.fullmatch(translit) or not _SENDER.fullmatch(sender):
        return "wrong format"
    if not _NOW.fullmatch(time):
        return "sending at another time is not taken"
    if not _SMS.fullmatch(kind):
        return "only SMS are taken"
    if test not in ("", "0"):
        return "a test record is not sent" if test == "1" else "wrong format"
    if not phones.strip():
        return "a list in the text is not taken"
    if not _PHONES.fullmatch(phones):
        return "wrong number"
    return "" if text.strip() else "no text"


def masked(body: str) -> str:
    """*body* as it may be kept and shown: whatever stands where the password would is not in it.

    Without a second colon all behind the first is taken away: a line that was cut short may end in the password.
    """
    head, tag, rest = _before_tag(body)
    login, colon, behind = rest.partition(":")
    if not colon:
        return body
    _password, colon, behind = behind.partition(":")
    return f"{head}{tag}{login}:{MASK}{colon}{behind}"


def _before_tag(body: str) -> tuple[str, str, str]:
    found = re.search(r"\[text\]", body, re.IGNORECASE)
    return ("", "", body) if found is None else (body[: found.start()], found[0], body[found.end() :])
