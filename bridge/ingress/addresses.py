"""Reading the path of MAIL and RCPT.

Nearly every path is a plain ``<local@domain>`` and is read by one pattern; whatever it does not know (quoted
local parts, source routes, missing brackets) goes to aiosmtpd's reader, which is the standard library's header
parser and costs a fifth of a whole mail.
Source: RFC 5321 §4.1.2 (paths), §4.1.1.3 (source routes are dropped), RFC 6531 §3.3 (UTF-8).
"""

from __future__ import annotations

import re
from collections.abc import Callable

from bridge.errors import BridgeError

Reader = Callable[[str], tuple[str | None, str | None]]
"""aiosmtpd's ``_getaddr``: (address, rest), or (None, None) for what is no address."""

_PLAIN = re.compile(
    r"<([A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]+@[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?|)>(?: +([!-~ ]*))?", re.ASCII
)
_LONGEST = 320  # RFC 5321 §4.5.3.1: 64 + 1 + 255


class NotAnAddress(BridgeError):
    """What stands after FROM: or TO: is not an address."""


def read_path(text: str, slow: Reader) -> tuple[str, str]:
    """(address, parameters as written) of what stands after ``FROM:`` or ``TO:``.

    ``<>`` gives the empty address. An address may lack its domain (``<root>``: many devices send it).
    Raises :class:`NotAnAddress`.
    """
    found = _PLAIN.fullmatch(text)
    if found is not None and len(found[1]) <= _LONGEST:
        return found[1], found[2] or ""
    return _read_slowly(text, slow)


def _read_slowly(text: str, slow: Reader) -> tuple[str, str]:
    if not text or not text.isprintable() or (text[0] == "<" and ">" not in text):
        raise NotAnAddress(text)
    if text == "<>" or text.startswith("<> "):
        return "", text[2:].strip()
    try:
        address, rest = slow(text)
    except (ValueError, IndexError, AttributeError, TypeError, RecursionError) as error:
        raise NotAnAddress(text) from error  # the header parser stumbles over odd input instead of refusing it
    if not address or rest is None or address == "<>" or len(address) > _LONGEST or rest[:1] == "<":
        raise NotAnAddress(text)
    if address[0] == "@" or address[-1] == "@":
        raise NotAnAddress(text)
    return address, rest.strip()
