"""Texts that a gateway would take for a command (threat rows T13, T14).

The provider's text is a command channel: two underscores at its start choose another channel and price
(``__CALL__: …``), and what follows a line ``~~~`` is a comment that reaches nobody. Both are altered by
one visible step that stays readable, whatever trimming or folding comes after us. Only ``defuse`` knows how.
"""

from __future__ import annotations

import re
import unicodedata

from bridge.sms.clean import INVISIBLE, LINE_ENDS

# Tildes and low lines that NFKC or a conversion to a smaller charset turns into the plain ones.
_TILDES = "~\u02dc\u2053\u223c\u301c\uff5e"
_LOW_LINES = "_\u02cd\u2017\ufe33\ufe34\ufe4d\ufe4e\ufe4f\uff3f"
_DROPPED = frozenset(("Mn", "Me", "Cc", "Cf", "Cn", "Co", "Cs"))  # Unicode categories of what may get lost on the way

_suspect = re.compile(f"[{_TILDES}]").search
_lines = re.compile(rf"(\r\n|[{LINE_ENDS}])").split
_invisible = re.compile(f"[{INVISIBLE}]").match
_as_tilde = str.maketrans(dict.fromkeys(_TILDES, "~"))


def defuse(text: str) -> str:
    """*text* so that no gateway reads a command in it; unchanged where there is none.

    Low lines at the very start become one (``__CALL__: x`` is sent as ``_CALL__: x``), a line of three
    tildes becomes ``~ ~ ~``. Doing it again changes nothing. Only the latter makes a text longer (by 2).
    """
    if _suspect(text):
        text = "".join("~ ~ ~" if _is_separator(line) else line for line in _lines(text))
    return _with_one_low_line(text)


def _is_separator(line: str) -> bool:
    if not _suspect(line):
        return False
    plain = unicodedata.normalize("NFKC", line.translate(_as_tilde))
    shown = "".join(" " if _is_blank(character) else character for character in plain if not _is_hidden(character))
    return shown.strip() == "~~~"


def _with_one_low_line(text: str) -> str:
    """*text* whose low lines at the start, hidden characters between them or not, are one."""
    begin = end = count = 0
    for place, character in enumerate(text):
        if character in _LOW_LINES:
            begin = begin if count else place
            end, count = place + 1, count + 1
        elif not _is_hidden(character) and (count or not _is_blank(character)):
            break
    return f"{text[:begin]}_{text[end:]}" if count > 1 else text


def _is_blank(character: str) -> bool:
    return character.isspace() or character == "\u2800"


def _is_hidden(character: str) -> bool:
    """Whether somebody down the line may drop *character*: what has no width, what only sits on another."""
    if character.isspace():
        return False
    return unicodedata.category(character) in _DROPPED or _invisible(character) is not None
