"""The text as a command channel (smsc-http.md §13, smsc-smpp.md): prefixes that change what is sent, and
the ``~~~`` line behind which nothing is delivered.

The simulator obeys them as the provider does, so that an alert text that slipped through shows itself:
it arrives on another channel, or with its tail missing.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass

CHANNELS: dict[str, tuple[str, int]] = {
    "CALL": ("call", 7),
    "VIBER": ("viber", 10),
    "SOC": ("soc", 12),
    "PING": ("ping", 5),
    "HLR": ("hlr", 4),
    "MAIL": ("mail", 8),
    "TGM": ("telegram", 13),
    "BOT": ("bot", 13),
}
OVER_HTTP = frozenset({"CALL", "VIBER", "SOC", "PING", "HLR"})
"""What the pages about HTTP name; that SMPP's MAIL, TGM and BOT work there too is inferred (smsc-http.md §13)."""

EVERYWHERE = frozenset(CHANNELS)
NOWHERE: frozenset[str] = frozenset()

_INVISIBLE = "\ufeff\u200b\u200c\u200d\u2060"
_PREFIX = re.compile(r"__(CALL|VIBER|SOC|PING|HLR|MAIL|TGM|BOT)__:?[ ]?")
_SEPARATOR = re.compile(r"(?:\A|\r\n|\n|\r)([^\r\n]*)(?=\r|\n|\Z)")
_TAILS = {"call": "voice:", "mail": "subj:", "bot": "bot:"}


@dataclass(frozen=True, slots=True)
class Command:
    """What the text turned out to be; *channel* is "" when it is only a text, *hidden* what nobody will see."""

    channel: str
    kind: int
    text: str
    hidden: str


def obey(mes: str, *, trim: bool, known: frozenset[str] = EVERYWHERE) -> Command:
    """Read *mes* as the provider does. With *trim* the harsh reading: blanks, invisible characters, letter
    case and compatibility forms (U+FF5E) do not save a text from being a command; without, the literal one.
    *known* are the prefixes that count; where none does, there is no ``~~~`` either.
    """
    if not known:
        return Command("", 0, mes, "")
    shown, hidden = _split(mes, trim=trim)
    start = shown.lstrip(" \t\r\n\u00a0" + _INVISIBLE) if trim else shown
    found = _PREFIX.match(unicodedata.normalize("NFKC", start).upper() if trim else start)
    if found is None or found[1] not in known:
        return Command("", 0, shown, hidden)
    channel, kind = CHANNELS[found[1]]
    return Command(channel, kind, _without_tail(start[found.end() :], channel), hidden)


def _split(mes: str, *, trim: bool) -> tuple[str, str]:
    """What stands before a line of three tildes, and what stands after it."""
    if not trim:
        shown, _, hidden = mes.partition("\n~~~\n")
        return shown, hidden
    for line in _SEPARATOR.finditer(mes):
        if unicodedata.normalize("NFKC", line[1]).strip(" \t\u00a0" + _INVISIBLE) == "~~~":
            return mes[: line.start()], mes[line.end() :].lstrip("\r\n")
    return mes, ""


def _without_tail(text: str, channel: str) -> str:
    """A call's voice, a mail's subject, a bot's name are parameters, not spoken words."""
    tail = _TAILS.get(channel)
    return "\n".join(line for line in text.split("\n") if not (tail and line.startswith(tail)))
