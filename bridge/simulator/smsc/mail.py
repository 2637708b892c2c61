"""``send@send.<domain>``: the provider's mail door (smsc-smtp.md §6).

A 250 is all that a client gets, whatever becomes of the line; what was wrong shows in ``/sim/requests``.
"""

from __future__ import annotations

import asyncio
import re
from dataclasses import dataclass
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Literal
from urllib.parse import urlencode

from bridge.simulator.air import Air
from bridge.simulator.faults import HEALTHY, Fault
from bridge.simulator.records import Exchange
from bridge.simulator.smsc import colon
from bridge.simulator.smsc.gateway import NAME, Smsc
from bridge.simulator.smsc.replies import Refused, error
from bridge.simulator.smsc.request import Raw

_ADDRESS = re.compile(r"send@send\.[^\s@]+", re.IGNORECASE)
_LARGEST = 100 * 1024
_FORM = "application/x-www-form-urlencoded"
_HELD = 600.0  # seconds that a silent door holds a client, if the client holds out
_SPOILED = {"garbage": "999 \x01]]>", "html": "<html>502 Bad Gateway</html>", "empty": ""}


@dataclass(frozen=True, slots=True)
class Answered:
    """What goes back in the session, and by mail; *cut* ends the connection instead."""

    reply: str = ""
    letter: str = ""
    cut: bool = False


def is_send_address(address: str) -> bool:
    """Whether the provider reads what is sent there."""
    return _ADDRESS.fullmatch(address) is not None


class MailDoor:
    """Takes mails for the provider; the account, its limits and its memory are those of the other doors."""

    def __init__(self, air: Air, smsc: Smsc) -> None:
        self._air = air
        self._smsc = smsc

    async def take(self, content: bytes, to: str, peer: str) -> Answered:
        """One whole mail for *to* (``send@…``)."""
        if len(content) > _LARGEST:
            return Answered("552 5.3.4 message too big")
        fault, said = self._enter(content, to, peer)
        if fault.delay:
            await asyncio.sleep(fault.delay)
        if fault.silent:
            await asyncio.sleep(_HELD)
        if fault.silent or fault.half or fault.drop in ("before", "after"):
            return Answered(cut=True)
        if fault.answer:
            return Answered(_SPOILED.get(fault.answer, _SPOILED["garbage"]), cut=fault.answer == "empty")
        if fault.http_status >= 400:
            return Answered(f"{fault.http_status} {_class(fault.http_status)}.3.0 not now")
        refused = said.startswith("ERROR")
        if refused and self._air.switches.mail_errors == "refuse":
            return Answered(f"554 5.6.0 {said}")
        return Answered("250 2.0.0 queued", said if refused and self._air.switches.mail_errors == "mail" else "")

    def _enter(self, content: bytes, to: str, peer: str) -> tuple[Fault, str]:
        """What goes wrong, and what send.php would have said; "" where nothing was read."""
        switches = self._air.switches
        try:
            body = body_of(content, decode=switches.mail_decodes, trim=switches.mail_trims, html=switches.mail_html)
            line = colon.read(body if switches.mail_lines else body.partition("\n")[0])
            params = line.params(lists=switches.mail_lists)
        except Refused as refused:
            fault, said = HEALTHY, error(0, refused.code, refused.text)
            self._note(Raw("mail", "MAIL", to, b"", b"(no colon line)", "text/plain", peer, ""), said)
            return fault, said
        form = urlencode({**params, "charset": "utf-8", "fmt": "0"}, errors="replace").encode("ascii")
        raw = Raw("mail", "MAIL", to, b"", form, _FORM, peer, "")
        met = self._smsc.meet(raw)
        said = ""
        if line.is_virtual and not switches.mail_test_sends:
            said = "OK - virtual"
        elif _is_taken(met.door) or met.door.refuse:
            said = self._smsc.answer(raw, met).body.decode("utf-8")
        self._note(raw, said)
        return met.door, said

    def _note(self, raw: Raw, said: str) -> None:
        target, body = raw.shown()
        now = self._air.now()
        self._air.exchanges.append(Exchange(NAME, "mail", raw.method, target, body, raw.peer, now, said))


def body_of(content: bytes, *, decode: bool = True, trim: bool = True, html: bool = True) -> str:
    """The first plain part (an HTML one where there is no other), koi8-r unless the mail says otherwise.

    *decode*: whether the provider undoes base64 and quoted-printable. *trim*: whether the end of the last line goes.
    *html*: whether a mail without plain text is read. Refused 1 where nothing is.
    """
    mail = message_from_bytes(content, policy=policy.default)
    plain = _first(mail, "text/plain")
    if plain is None and not html:
        raise Refused(1)
    plain = plain or _first(mail, "text/html") or mail
    payload = plain.get_payload(decode=True) if decode else None
    if not isinstance(payload, bytes):
        raw = plain.get_payload()
        payload = raw.encode("ascii", "surrogateescape") if isinstance(raw, str) else b""
    text = _decoded(payload, plain.get_content_charset("koi8-r")).replace("\r\n", "\n")
    return text.rstrip("\n") if trim else text


def _first(mail: EmailMessage, kind: str) -> EmailMessage | None:
    return next((part for part in mail.walk() if part.get_content_type() == kind), None)


def _decoded(payload: bytes, charset: str) -> str:
    try:
        return payload.decode(charset, "replace")
    except LookupError:
        return payload.decode("koi8-r", "replace")


def _is_taken(fault: Fault) -> bool:
    """A 4xx or 5xx at the dot says that nothing was taken, and is right unless ``take`` says otherwise."""
    return fault.takes and (fault.http_status < 400 or fault.take is True)


def _class(code: int) -> Literal[4, 5]:
    return 5 if code >= 500 else 4
