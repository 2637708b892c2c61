"""Parameters of MAIL and RCPT: size, body, and what the sender wants to hear later.

Values keep their case: ENVID and ORCPT go back to the sender as they came.
Sources: RFC 1870 (SIZE), RFC 6152 (BODY), RFC 6531 (SMTPUTF8), RFC 3461 §4 (DSN), RFC 4954 §5 (AUTH=).
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from bridge.errors import BridgeError
from bridge.ingress import replies

_XTEXT = re.compile(r"(?:[!-*,-<>-~]|\+[0-9A-F]{2})*", re.ASCII)  # RFC 3461 §4
_ORCPT = re.compile(r"[A-Za-z0-9.-]+;(?:[!-*,-<>-~]|\+[0-9A-F]{2}|[^\x00-\x7f])+")  # address type ; xtext (or utf-8)
_NOTIFY = frozenset({"SUCCESS", "FAILURE", "DELAY"})


class BadParameter(BridgeError):
    """*reply* is the line that says what is wrong with it."""

    def __init__(self, reply: str) -> None:
        super().__init__(reply)
        self.reply = reply


@dataclass(frozen=True, slots=True)
class MailWishes:
    """Parameters of MAIL. *size* is 0 where none was announced."""

    size: int = 0
    utf8: bool = False
    ret: str = ""
    envid: str = ""


@dataclass(frozen=True, slots=True)
class RecipientWishes:
    """Parameters of RCPT, as written."""

    notify: str = ""
    orcpt: str = ""


_NO_MAIL_WISHES = MailWishes()
_NO_RECIPIENT_WISHES = RecipientWishes()


def mail_wishes(text: str) -> MailWishes:
    """Read what stands after the path of MAIL. Raises :class:`BadParameter`."""
    if not text:
        return _NO_MAIL_WISHES
    values = _split(text, known=("SIZE", "BODY", "SMTPUTF8", "RET", "ENVID", "AUTH"))
    if values.get("BODY", "7BIT").upper() not in ("7BIT", "8BITMIME"):
        raise BadParameter(replies.parameter_wrong("BODY is 7BIT or 8BITMIME"))
    if values.get("SMTPUTF8"):
        raise BadParameter(replies.parameter_wrong("SMTPUTF8 takes no value"))
    return MailWishes(size=_size(values.get("SIZE")), utf8="SMTPUTF8" in values, ret=_ret(values), envid=_envid(values))


def recipient_wishes(text: str) -> RecipientWishes:
    """Read what stands after the path of RCPT. Raises :class:`BadParameter`."""
    if not text:
        return _NO_RECIPIENT_WISHES
    values = _split(text, known=("NOTIFY", "ORCPT"))
    notify, orcpt = values.get("NOTIFY"), values.get("ORCPT")
    if notify is not None and not _fits_notify(notify):
        raise BadParameter(replies.parameter_wrong("NOTIFY is NEVER, or a list of SUCCESS, FAILURE, DELAY"))
    if orcpt is not None and (len(orcpt) > 500 or not _ORCPT.fullmatch(orcpt)):
        raise BadParameter(replies.parameter_wrong("ORCPT is rfc822;address"))
    return RecipientWishes(notify or "", orcpt or "")


def _split(text: str, known: tuple[str, ...]) -> dict[str, str]:
    """Names (upper case) to values (as written; "" where there is no ``=``)."""
    values: dict[str, str] = {}
    for word in text.split():
        name, _, value = word.partition("=")
        name = name.upper()
        if name not in known:
            raise BadParameter(replies.parameter_unknown(name))
        if name in values:
            raise BadParameter(replies.parameter_wrong(f"{name} stands there twice"))
        values[name] = value
    return values


def _size(value: str | None) -> int:
    if value is None:
        return 0
    if not (value.isascii() and value.isdigit() and len(value) <= 20):  # RFC 1870 §3: at most 20 digits
        raise BadParameter(replies.parameter_wrong("Size is a number"))
    return int(value)


def _ret(values: dict[str, str]) -> str:
    ret = values.get("RET")
    if ret is not None and ret.upper() not in ("FULL", "HDRS"):
        raise BadParameter(replies.parameter_wrong("RET is FULL or HDRS"))
    return (ret or "").upper()


def _envid(values: dict[str, str]) -> str:
    envid = values.get("ENVID")
    if envid is not None and not (0 < len(envid) <= 100 and _XTEXT.fullmatch(envid)):
        raise BadParameter(replies.parameter_wrong("ENVID is up to 100 letters, + as +2B"))
    return envid or ""


def _fits_notify(value: str) -> bool:
    words = value.upper().split(",")
    return words == ["NEVER"] or _NOTIFY.issuperset(words)
