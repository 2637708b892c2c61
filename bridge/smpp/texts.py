"""Letters as octets: the GSM alphabet unpacked (one septet an octet), Latin-1 and UCS-2.

``data_coding = coding * 4`` (0, 4, 8) is how the provider of this door counts; its page says nothing of the standard
value 3 (Latin-1), whose coding bits are those of GSM. Sources: its SMPP page; 3GPP TS 23.038 §6.2.1.
"""

from __future__ import annotations

import re
import unicodedata

from gsm0338.charset import BASIC_CHARACTER_SET, BASIC_CHARACTER_SET_EXTENSION

GSM, LATIN_1, UCS_2 = 0, 4, 8
_ESCAPE = 0x1B
_BASIC = {code: unicodedata.lookup(name) for code, name in BASIC_CHARACTER_SET.items() if code != _ESCAPE}
_EXTENSION = {code: unicodedata.lookup(name) for code, name in BASIC_CHARACTER_SET_EXTENSION.items()}
_pairs = re.compile("(\x1b[\0-\x7f]?)").split
_OCTETS = {letter: bytes((code,)) for code, letter in _BASIC.items()} | {
    letter: bytes((_ESCAPE, code)) for code, letter in _EXTENSION.items()
}


def encode(text: str, coding: int) -> bytes:
    """*text* in one of the three codings above. ValueError for a letter that it does not have."""
    if coding == UCS_2:
        return text.encode("utf-16-be")
    if coding == LATIN_1:
        return text.encode("latin-1")
    try:
        return b"".join(_OCTETS[letter] for letter in text)
    except KeyError as error:
        raise ValueError(f"{error.args[0]!r} is not in the GSM alphabet") from None


def decode(octets: bytes, coding: int) -> str:
    """What a peer wrote, whatever it is: what cannot be read becomes U+FFFD, nothing is raised.

    Of *coding* only its alphabet bits count: classes and "delete after reading" change no letter.
    """
    alphabet = coding & 0x0C if coding < 0xF0 else coding & 0x04
    if alphabet == UCS_2:
        return octets.decode("utf-16-be", "replace")
    if alphabet == LATIN_1 or coding == 3:
        return octets.decode("latin-1")
    return _gsm(octets)


def _gsm(octets: bytes) -> str:
    if any(octet & 0x80 for octet in octets):  # no alphabet of 7 bits: somebody's Latin-1 without saying so
        return octets.decode("latin-1")
    read = octets.decode("ascii")
    plain = _pairs(read)
    return "".join(_extended(piece) if piece.startswith("\x1b") else piece.translate(_BASIC) for piece in plain)


def _extended(pair: str) -> str:
    """A letter of the extension table; of a pair that is none, the plain letter (TS 23.038 §6.2.1.1)."""
    if len(pair) == 1:
        return "\ufffd"
    return _EXTENSION.get(ord(pair[1]), _BASIC.get(ord(pair[1]), "\ufffd"))
