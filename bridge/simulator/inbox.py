"""The mailbox of the pretend world: takes every mail for everybody, on loopback, and shows it."""

from __future__ import annotations

import asyncio
from email import message_from_bytes, policy
from email.message import EmailMessage
from itertools import count

from aiosmtpd.smtp import SMTP, Envelope, Session

from bridge.simulator.air import Air
from bridge.simulator.records import Change, Mail

_LARGEST = 10 * 1024 * 1024


class Inbox:
    """aiosmtpd handler; newest mails last in ``air.mails``."""

    def __init__(self, air: Air) -> None:
        self._air = air
        self._ids = count(1)

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        raw = envelope.content if isinstance(envelope.content, bytes) else (envelope.content or "").encode()
        mail = self._read(raw, _null(envelope.mail_from or ""), tuple(envelope.rcpt_tos))
        self._air.mails.append(mail)
        self._air.changes.publish(Change("mail", "", mail.as_json()))
        return f"250 2.0.0 taken as {mail.id}"

    def _read(self, raw: bytes, mail_from: str, recipients: tuple[str, ...]) -> Mail:
        parsed = message_from_bytes(raw, policy=policy.default)
        return Mail(
            id=next(self._ids),
            mail_from=mail_from,
            recipients=recipients,
            subject=str(parsed.get("Subject", "")),
            message_id=_folded(parsed, "Message-ID"),
            in_reply_to=_folded(parsed, "In-Reply-To"),
            references=_folded(parsed, "References"),
            text=_text(parsed),
            raw=raw.decode("utf-8", "replace"),
            received_at=self._air.now(),
        )


def _null(mail_from: str) -> str:
    """aiosmtpd keeps the null sender as ``<>``; here it is empty."""
    return "" if mail_from == "<>" else mail_from


def _folded(parsed: EmailMessage, name: str) -> str:
    return " ".join(str(parsed.get(name, "")).split())


def _text(parsed: EmailMessage) -> str:
    """The first plain part (or the HTML as it is); an unknown charset is read as latin-1."""
    part = parsed.get_body(("plain", "html"))
    payload = part.get_payload(decode=True) if part is not None else None
    if part is None or not isinstance(payload, bytes):
        return ""
    try:
        text = payload.decode(part.get_content_charset("utf-8"), "replace")
    except LookupError:
        text = payload.decode("latin-1")
    return text.replace("\r\n", "\n")


async def open_inbox(air: Air, host: str, port: int) -> asyncio.Server:
    """Listen; *port* 0 takes a free one. The caller closes the server."""
    inbox = Inbox(air)

    def protocol() -> SMTP:
        return SMTP(inbox, data_size_limit=_LARGEST, enable_SMTPUTF8=True, hostname="simulator.test", ident="simulator")

    return await asyncio.get_running_loop().create_server(protocol, host, port)
