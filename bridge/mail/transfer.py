"""Transfer encodings taken off (RFC 2045 §6), as far as their senders kept to them."""

from __future__ import annotations

import binascii
import re

from bridge.mail.headers import unbase64

LONGEST = 1_100_000  # bytes of an encoded text that are decoded: more than is kept of any text

_BASE64_LINE = re.compile(rb"[A-Za-z0-9+/]+={0,2}\s*\Z")


def decoded(body: bytes, encoding: str) -> tuple[bytes, str]:
    """*body* without its transfer *encoding*, and what was wrong (``""``: nothing).

    What is no base64 although it says so is taken as it stands; what follows the base64 is kept behind it, because
    gateways append their disclaimers as plain text.
    """
    if encoding == "quoted-printable":
        return binascii.a2b_qp(body[:LONGEST]), ""
    if encoding != "base64":
        return body, ""
    data, rest = _base64(body[:LONGEST])
    if not rest:
        return data, ""
    return (data + b"\n" + rest, "base64 with something else behind it") if data else (rest, "base64 that is none")


def _base64(body: bytes) -> tuple[bytes, bytes]:
    """Decoded leading lines, and what follows them."""
    rows = body.split(b"\n")
    used = 0
    ended = False
    for row in rows:
        if row.strip() and (ended or not _BASE64_LINE.match(row)):
            break
        ended = ended or b"=" in row
        used += 1
    return unbase64(b"".join(rows[:used])), b"\n".join(rows[used:]).strip()
