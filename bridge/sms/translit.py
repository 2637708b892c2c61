"""Other letters and signs written with what GSM 7-bit has, the way people type them on a phone.

Three steps, each only for characters that GSM-7 lacks (``£ € ñ Ä`` stay): typography, the hand tables of
the languages we speak, and anyascii for the rest of the world. The Kazakh and Russian tables agree with
the frames that are written by hand.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence

from anyascii import anyascii

from bridge.sms import gsm7

_SIGNS = {
    '"': "«»“”„‟″〝〞＂",
    "'": "‘’‚‛′‹›´`ʼʹ＇",
    "-": "‐‑‒–—―−·⁃",
    "..": "…",
    "*": "•●▪■◆★☆‣◦∙",
    "x": "×✕⨯",
    "N": "№",
    "->": "→➔➜➡⟶",
    "<-": "←⬅⟵",
    "^": "↑⬆▲△",
    "v": "↓⬇▼▽",
    "<->": "↔⟷",
    "=>": "⇒",
    "<=": "≤⩽",
    ">=": "≥⩾",
    "!=": "≠",
    "~": "≈∼～",
    "+-": "±",
    "/": "÷⁄∕",
    "u": "µ",
    "2": "²",
    "3": "³",
    "1/2": "½",
    "1/4": "¼",
    "3/4": "¾",
    "|": "│┃¦",
    "(C)": "©",
    "(R)": "®",
    "(TM)": "™",
    "KZT": "₸",
    "RUB": "₽",
    "UAH": "₴",
    " ": "\xa0\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u202f\u205f\u3000",
    "": "\xad\u200b\u200c\u2060\ufeff",
}
_typography = str.maketrans({sign: plain for plain, signs in _SIGNS.items() for sign in signs})
_sign = re.compile(f"[°{''.join(_SIGNS.values())}]").search

_RUSSIAN = {
    "а": "a", "б": "b", "в": "v", "г": "g", "д": "d", "е": "e", "ё": "yo", "ж": "zh", "з": "z", "и": "i", "й": "j",
    "к": "k", "л": "l", "м": "m", "н": "n", "о": "o", "п": "p", "р": "r", "с": "s", "т": "t", "у": "u", "ф": "f",
    "х": "h", "ц": "ts", "ч": "ch", "ш": "sh", "щ": "sch", "ъ": "", "ы": "y", "ь": "", "э": "e", "ю": "yu", "я": "ya",
}  # fmt: skip
_KAZAKH = {"ә": "a", "ғ": "g", "қ": "q", "ң": "n", "ө": "o", "ұ": "u", "ү": "u", "һ": "h", "і": "i"}
_UKRAINIAN = {"є": "ye", "ї": "i", "ґ": "g", "і": "i"}
_TABLES = {
    "ru": {**_KAZAKH, **_UKRAINIAN, **_RUSSIAN},
    "kk": {**_UKRAINIAN, **_RUSSIAN, **_KAZAKH, "ж": "j", "й": "i"},
    "uk": {**_KAZAKH, **_RUSSIAN, **_UKRAINIAN, "г": "h", "и": "y", "й": "y", "х": "kh", "щ": "shch"},
}

_other = re.compile(f"[^{re.escape(gsm7.BASIC + gsm7.EXTENSION)}]").sub
_only_kazakh = re.compile("[әғқңөұүһ]", re.IGNORECASE).search
_only_ukrainian = re.compile("[їєґ]", re.IGNORECASE).search
_not_russian = re.compile("і", re.IGNORECASE).search
_degrees = re.compile("°(?=[CFС])").sub
# "[✅ Up]" says it twice, "Backup ❌" and "❌ web1" do not.
_tick = re.compile("(?<!\\[)[✅☑✓✔]").sub
_cross = re.compile("(?<!\\[)[❌❎✖✗✘]").sub
_any_mark = re.compile("[✓✗✘✔✖]").sub
_emoji_name = re.compile(":[^ :]+:").fullmatch
_GONE = "\0"  # stands where an emoji stood, until the blank after it is gone too
_gone = re.compile(f"{_GONE}+ ?").sub
_word = re.compile(r"\w").search


def typography(text: str) -> str:
    """*text* with quotes, dashes, ``№``, ``…``, arrows and narrow blanks as a typewriter has them.

    Letters and what GSM-7 holds stay as they are; ``…`` becomes ``..``, ``°C`` becomes ``C``.
    """
    if not _sign(text):
        return text
    return _degrees("", text).replace("°", "deg").translate(_typography)


def translit(text: str, language: str = "") -> str:
    """*text* in letters that GSM-7 has; it always can be encoded.

    *language* (``ru``, ``kk``, ``uk``) settles letters that are read in several ways (``ж`` is ``zh`` in Russian
    and ``j`` in Kazakh) where the text itself does not: a Kazakh or Ukrainian letter in it wins. Emoji are
    decoration and go; ticks and crosses become ``ok`` and ``x``. A text of nothing but emoji keeps their names
    (``:fire:``), one that has no letters for anything becomes ``?``.
    """
    return translit_pieces([text], language)[0]


def translit_pieces(texts: Sequence[str], language: str = "") -> list[str]:
    """Each of *texts* as ``translit`` writes it, read as the pieces of one text.

    The letters of one piece say which language the others are in, and a piece of emoji beside one of words
    is decoration.
    """
    folded = [text if gsm7.can_encode(text) else typography(unicodedata.normalize("NFC", text)) for text in texts]
    whole = "".join(folded)
    if gsm7.can_encode(whole):
        return folded
    table = _TABLES[spoken(whole, language)]
    spelled = [_spelled(text, table) for text in folded]
    if any(map(_word, spelled)):
        return spelled
    named = [_other(lambda found: _ascii(found[0]), text) for text in folded]
    return named if any(map(str.strip, named)) else ["?", *[""] * (len(named) - 1)]


def spoken(text: str, language: str = "") -> str:
    """Which table reads the Cyrillic of *text*: ``kk``, ``uk`` or ``ru``; *language* helps where letters do not."""
    if _only_kazakh(text):
        return "kk"
    if _only_ukrainian(text):
        return "uk"
    if language in _TABLES:
        return language
    return "kk" if _not_russian(text) else "ru"


def _spelled(text: str, table: dict[str, str]) -> str:
    text = _any_mark(_GONE, _cross("x", _tick("ok", text)))
    return _gone("", _other(lambda found: _letter(found, table), text))


def _letter(found: re.Match[str], table: dict[str, str]) -> str:
    letter = found[0]
    latin = table.get(letter.lower())
    if latin is None:
        latin = _ascii(letter)
        if letter == _GONE or _emoji_name(latin):
            return _GONE
    elif letter.isupper():
        latin = latin.capitalize()
    return latin.upper() if len(latin) > 1 and letter.isupper() and _among_capitals(found) else latin


def _ascii(letter: str) -> str:
    """What anyascii says, of that only what GSM-7 can carry; it leaves controls and the grave accent as they are."""
    if letter.isspace():
        return " "
    latin = anyascii(letter).replace("`", "'")
    return latin if gsm7.can_encode(latin) else ""


def _among_capitals(found: re.Match[str]) -> bool:
    text, after, before = found.string, found.end(), found.start() - 1
    if after < len(text) and text[after].isalpha():
        return text[after].isupper()
    return before >= 0 and text[before].isupper()
