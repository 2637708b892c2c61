"""From a mail of a rule test to an envelope, and from a file to one: the bytes a sender would have sent."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from email.errors import MessageError
from email.message import EmailMessage
from email.parser import BytesHeaderParser
from email.policy import SMTP
from email.utils import format_datetime, getaddresses
from pathlib import Path
from typing import Any

from bridge.book import RuleBook
from bridge.config.models import TestMail
from bridge.errors import BridgeError
from bridge.intake.passwords import stand_in
from bridge.model import Door, Envelope, Recipient
from bridge.proof.door import as_source, bare, listener_for, mailbox_recipient
from bridge.routing.facts import Facts

_POLICY = SMTP.clone(max_line_length=900)  # RFC 5322 §2.1.1 allows 998
_MOST_LIKES = 20
_THE_PASSWORD = "{password}"  # noqa: S105 - a placeholder
_CONTENT = ("from_", "subject", "text", "html", "headers", "charset", "attachments")


class BadTest(BridgeError):
    """A test that cannot be played; the sentence says what would be right."""


@dataclass(frozen=True, slots=True)
class Mails:
    """The mails of one test file, by name, and the folder its files lie in."""

    named: Mapping[str, TestMail]
    folder: Path

    def find(self, written: str | TestMail) -> TestMail:
        """The mail that a step means, ``like`` followed to its end. Raises BadTest."""
        if isinstance(written, TestMail):
            return self._whole(written, 0)
        if written in self.named:
            return self._whole(self.named[written], 0)
        if written.endswith(".eml"):
            return TestMail(file=written)
        raise BadTest(f'no mail is called "{written}"')

    def _whole(self, mail: TestMail, depth: int) -> TestMail:
        if mail.like is None:
            return mail
        if depth > _MOST_LIKES or mail.like not in self.named:
            raise BadTest(f'like: no mail is called "{mail.like}"')
        below = self._whole(self.named[mail.like], depth + 1)
        written = {name: getattr(mail, name) for name in mail.model_fields_set - {"like"}}
        kept = {name: getattr(below, name) for name in below.model_fields_set}
        merged = {**kept, **written}
        return _mail({name: _gone(value) for name, value in merged.items()})


def _mail(values: dict[str, Any]) -> TestMail:
    """A mail of values that the models have checked before."""
    return TestMail.model_construct(set(values), **values)


def _gone(value: object) -> object:
    """An empty text takes a key away."""
    return None if value in ("", ("",)) else value


def envelope_of(
    mail: TestMail, book: RuleBook, folder: Path, now: datetime, words: Mapping[str, str], number: int
) -> Envelope:
    """The envelope of a test's *mail*; *words* fill its placeholders, *number* makes it a mail of its own.

    Raises BadTest.
    """
    mail = _filled(mail, words)
    content = _from_file(mail, folder) if mail.file else None
    sender = mail.mail_from or mail.from_ or header_sender(content or b"")
    facts = _facts(mail, book, bare(sender))
    if _THE_PASSWORD in (mail.text or "") + (mail.html or ""):
        mail = _filled(mail, {"password": _password(book, facts)})
    recipients = mail.recipient or _recipients(book, facts, content or b"")
    return Envelope(
        content=content if content is not None else _written(mail, recipients, now, number),
        received_at=now,
        mail_from=facts.mail_from,
        recipients=tuple(Recipient(bare(address)) for address in recipients),
        door=facts.door,
        peer=facts.peer,
        login=facts.login,
        certificate=facts.certificate,
        mailbox=facts.mailbox,
        tls=facts.tls,
    )


def _password(book: RuleBook, facts: Facts) -> str:
    """The stand-in for the secret of the source that mails. Raises BadTest where it has none."""
    source = book.sources.of(facts)
    smsc = source.entry.smsc if source.entry else None
    secret = (smsc.password or smsc.apikey) if smsc else None
    if secret is None:
        raise BadTest(f"{_THE_PASSWORD}: source {source.name} has no smsc login")
    return stand_in(secret)


def filled(text: str, words: Mapping[str, str]) -> str:
    """*text* with its placeholders; any other brace is itself. Raises BadTest for those that are not built yet."""
    return re.sub(r"\{(\w+)\}", lambda found: _word(found, words), text)


def _word(found: re.Match[str], words: Mapping[str, str]) -> str:
    if found[1] in ("totp", "bad"):
        raise NotBuilt(f"placeholder {found[0]}")
    return words.get(found[1], found[0])


class NotBuilt(BadTest):
    """A test uses what this version does not do yet; the sentence names it."""


def _filled(mail: TestMail, words: Mapping[str, str]) -> TestMail:
    values = {name: _each(getattr(mail, name), words) for name in mail.model_fields_set}
    return _mail(values)


def _each(value: object, words: Mapping[str, str]) -> object:
    if isinstance(value, str):
        return filled(value, words)
    if isinstance(value, tuple):
        return tuple(_each(one, words) for one in value)
    if isinstance(value, Mapping):
        return {key: _each(one, words) for key, one in value.items()}
    return value


def _facts(mail: TestMail, book: RuleBook, sender: str) -> Facts:
    """What the door saw: as the source shows itself, changed by what the mail says."""
    shown = as_source(book, mail.source, sender) if mail.source else None
    if mail.source and shown is None:
        raise BadTest(f"no way of source {mail.source} hands in mail")
    peer = mail.peer or (shown.peer if shown else "")
    mailbox = mail.mailbox or (shown.mailbox if shown else "")
    listener = listener_for(book, peer)
    door: Door = "imap" if mailbox else "lmtp" if listener and listener.door == "lmtp" else "smtp"
    return Facts(
        door=door,
        peer=peer,
        login=mail.login or (shown.login if shown else ""),
        certificate=shown.certificate if shown else "",
        tls=mail.tls is not False,
        mail_from=sender,
        mailbox=mailbox,
    )


def _recipients(book: RuleBook, facts: Facts, content: bytes) -> Sequence[str]:
    if facts.mailbox:
        found = mailbox_recipient(book, facts.mailbox)
        return (found,) if found else ()
    ours = our_recipients(book, content)
    if not ours:
        raise BadTest("recipient: is missing; write the address the mail is for")
    return ours


def our_recipients(book: RuleBook, content: bytes) -> tuple[str, ...]:
    """The addresses in To and Cc that are of our domains."""
    header = BytesHeaderParser().parsebytes(content)
    written = [str(value) for name in ("to", "cc") for value in header.get_all(name, [])]
    addresses = (address for _name, address in getaddresses(written))
    ours = [address for address in addresses if address.rpartition("@")[2].casefold() in book.config.domains]
    return tuple(dict.fromkeys(ours))


def header_sender(content: bytes) -> str:
    """MAIL FROM as far as the header tells: Return-Path, else From; "" when there is neither."""
    header = BytesHeaderParser().parsebytes(content)
    returned = header.get("return-path")
    return bare(str(returned)) if returned is not None else bare(str(header.get("from", "")))


def _from_file(mail: TestMail, folder: Path) -> bytes:
    beside = [name.rstrip("_") for name in _CONTENT if getattr(mail, name) is not None]
    if beside:
        raise BadTest(f"{beside[0]}: cannot stand beside file:, which holds header and body")
    try:
        return with_crlf((folder / str(mail.file)).read_bytes())
    except OSError as error:
        raise BadTest(f"file {mail.file} cannot be read: {error.strerror}") from error


def with_crlf(content: bytes) -> bytes:
    """A mail as it comes over the wire: every line ends in CR LF."""
    return re.sub(rb"\r\n|\r|\n", b"\r\n", content)


def _written(mail: TestMail, recipients: Sequence[str], now: datetime, number: int) -> bytes:
    """The bytes of a mail that is written by its parts."""
    message = EmailMessage(policy=_POLICY)
    try:
        message["From"] = mail.from_ or ""
        message["To"] = ", ".join(recipients)
        message["Subject"] = mail.subject or ""
        message["Date"] = format_datetime(now)
        message["Message-ID"] = f"<{number}.{now:%Y%m%d%H%M%S}@test.invalid>"
        for name, value in (mail.headers or {}).items():
            del message[name]
            message[name] = value
        _fill(message, mail)
        return message.as_bytes()
    except (ValueError, LookupError, MessageError) as error:
        raise BadTest(f"this mail cannot be written: {error}") from error


def _fill(message: EmailMessage, mail: TestMail) -> None:
    charset = mail.charset or "utf-8"
    if mail.html is None or mail.text is not None:
        message.set_content(mail.text or "", charset=charset)
    if mail.html is not None and mail.text is not None:
        message.add_alternative(mail.html, subtype="html", charset=charset)
    elif mail.html is not None:
        message.set_content(mail.html, subtype="html", charset=charset)
    for name in mail.attachments or ():
        message.add_attachment(b"\0", maintype="application", subtype="octet-stream", filename=name)
