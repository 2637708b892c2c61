"""Foreign text made harmless to look at and cheap to send (threat row T23).

Knows which characters a reader cannot see, or that change what he sees: bidirectional controls,
zero-width characters, controls, fillers, floods of marks. Says nothing about alphabets or length.
"""

from __future__ import annotations

import re
import unicodedata

LINE_ENDS = r"\n\r\v\f\x1c-\x1e\x85\u2028\u2029"
# Controls, soft hyphen, joiners, bidirectional controls, fillers, most variation selectors, BOM, tags.
INVISIBLE = (
    r"\0-\x08\x0e-\x1b\x1f\x7f-\x84\x86-\x9f\xad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f"
    r"\u202a-\u202e\u2060-\u206f\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufffb"
    r"\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e0fff"
)
# Not characters at all: halves of surrogate pairs, and code points that Unicode keeps for itself.
_NOTHING = r"\ud800-\udfff\ufdd0-\ufdef" + "".join(f"\\U{plane:04x}fffe\\U{plane:04x}ffff" for plane in range(17))
_EMOJI = (
    r"[\xa9\xae\u203c\u2049\u2122\u2139\u2190-\u21ff\u2300-\u23ff\u2460-\u24ff\u25a0-\u27bf\u2900-\u297f\u2b00-\u2bff"
    r"\u3030\u303d\u3297\u3299\U0001f000-\U0001faff][\ufe0e\ufe0f]?[\U0001f3fb-\U0001f3ff]?"
)
_MOST_MARKS = 3  # Vietnamese and pointed Hebrew need two or three on a letter; floods have dozens

_ordinary = re.compile(
    r"[ -~\n\xa1-\xac\xae-\u02ff\u0370-\u0482\u048a-\u058f\u2010-\u2027\u2030-\u205e\u20a0-\u20bf\u2116]*"
).fullmatch
_line_end = re.compile(rf"\r\n|[{LINE_ENDS}]").sub
_seen_or_not = re.compile(rf"({_EMOJI}(?:\u200d{_EMOJI})*|[0-9#*]\ufe0f\u20e3)|[{INVISIBLE}{_NOTHING}]").sub
_blanks = re.compile(r"[ \t\xa0\u1680\u2000-\u200a\u202f\u205f\u2800\u3000]+").sub
_line_blanks = re.compile(r" *\n *").sub


def clean(text: str) -> str:
    """*text* as an SMS may carry it: nothing hidden, outer blanks gone, runs of blanks one, newlines kept.

    Blanks at the ends of inner lines go too. Doing it again changes nothing.
    """
    return _line_blanks("\n", strip_hidden(text)).strip(" \n")


def is_ordinary(text: str) -> bool:
    """Whether *text* surely hides nothing, so that only its blanks may want tidying."""
    return _ordinary(text) is not None


def strip_hidden(text: str) -> str:
    """*text* without what cannot be seen; its outer blanks stay, so it may be a piece of a larger text.

    Every run of blanks becomes one, every kind of line end ``\\n``. Joiners and variation selectors stay inside
    emoji, where they make one picture of several. Letters and marks are composed (NFC); of a run of marks the
    first 3 stay.
    """
    if is_ordinary(text):
        return _blanks(" ", text)
    text = _seen_or_not(lambda found: found[1] or "", _line_end("\n", text))
    text = _blanks(" ", unicodedata.normalize("NFC", text))
    return text if text.isascii() else _cap_marks(text)


def _cap_marks(text: str) -> str:
    kept: list[str] = []
    run = 0
    for character in text:
        run = run + 1 if unicodedata.category(character) in ("Mn", "Me") else 0
        if run <= _MOST_MARKS:
            kept.append(character)
    return "".join(kept)
