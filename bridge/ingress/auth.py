"""What a client says after AUTH, decoded. Pure.

Sources: RFC 4954 (AUTH), RFC 4616 (PLAIN); LOGIN has no RFC, it asks for two lines.
"""

from __future__ import annotations

import binascii
from base64 import b64decode
from dataclasses import dataclass, field

from bridge.errors import BridgeError
from bridge.ingress import replies

ASK_PLAIN = "334 "
ASK_USERNAME = "334 VXNlcm5hbWU6"  # "Username:"
ASK_PASSWORD = "334 UGFzc3dvcmQ6"  # "Password:"  # noqa: S105


class NotUnderstood(BridgeError):
    """*reply* is the line that says what is wrong with it."""

    def __init__(self, reply: str) -> None:
        super().__init__(reply)
        self.reply = reply


@dataclass(frozen=True, slots=True)
class Credentials:
    """What is to be checked. The password never shows."""

    login: str
    password: str = field(repr=False)


def decoded(line: str) -> str:
    """The text of one base64 line of the client (``=`` alone is the empty text, ``*`` calls the login off)."""
    if line == "*":
        raise NotUnderstood(replies.LOGIN_CALLED_OFF)
    if line == "=":
        return ""
    try:
        return b64decode(line.encode("ascii"), validate=True).decode("utf-8")
    except (binascii.Error, UnicodeError) as error:
        raise NotUnderstood(replies.NOT_BASE64) from error


def plain(line: str) -> Credentials:
    """Credentials of AUTH PLAIN. Acting for somebody else is not possible: such a login does not fit."""
    parts = decoded(line).split("\0")
    if len(parts) != 3:
        raise NotUnderstood(replies.NOT_BASE64)
    acting_for, login, password = parts
    if acting_for not in ("", login):
        return Credentials("", "")
    return Credentials(login, password)
