"""The mailbox of the pretend world: takes every mail for everybody, on loopback, and shows it."""

from __future__ import annotations

import asyncio
import ssl
from email import message_from_bytes, policy
from email.message import EmailMessage
from itertools import count

from aiosmtpd.smtp import SMTP, Envelope, Session

from bridge.simulator.air import Air
from bridge.simulator.records import Change, Mail
from bridge.simulator.smsc.mail import MailDoor, is_send_address

_LARGEST = 10 * 1024 * 1024


class Inbox:
    """aiosmtpd handler; newest mails last in ``air.mails``."""

    def __init__(self, air: Air, provider: MailDoor | None = None) -> None:
        self._air = air
        self._provider = provider
        self._ids = count(1)

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        raw = envelope.content if isinstance(envelope.content, bytes) else (envelope.content or "").encode()
        mail_from = _null(envelope.mail_from or "")
        for_people = tuple(to for to in envelope.rcpt_tos if self._provider is None or not is_send_address(to))
        reply = self._keep(self._read(raw, mail_from, for_people)) if for_people else ""
        for to in envelope.rcpt_tos:
            if self._provider is not None and to not in for_people:
                answered = await self._provider.take(raw, to, _peer(session))
                if answered.letter:
                    self._keep(self._read(_letter(answered.letter), to, (mail_from,)))
                if answered.cut and isinstance(server.transport, asyncio.Transport):
                    server.transport.abort()
                reply = answered.reply
        return reply

    def _keep(self, mail: Mail) -> str:
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


def _letter(text: str) -> bytes:
    return f"Subject: SMS\r\n\r\n{text}\r\n".encode("utf-8", "replace")


def _peer(session: Session) -> str:
    return str(session.peer[0]) if session.peer else ""


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


async def open_inbox(
    air: Air, host: str, port: int, provider: MailDoor | None = None, tls: ssl.SSLContext | None = None
) -> asyncio.Server:
    """Listen; *port* 0 takes a free one. The caller closes the server. *provider* reads what is sent to it.

    STARTTLS is offered with *tls*, and never insisted on.
    """
    inbox = Inbox(air, provider)

    def protocol() -> SMTP:
        return SMTP(
            inbox,
            data_size_limit=_LARGEST,
            enable_SMTPUTF8=True,
            hostname="simulator.test",
            ident="simulator",
            tls_context=tls,
        )

    return await asyncio.get_running_loop().create_server(protocol, host, port)
