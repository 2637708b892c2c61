"""What the envelope alone tells: the part of a mail that the door may judge."""

from __future__ import annotations

from dataclasses import dataclass

from bridge.model import Door, Envelope


@dataclass(frozen=True, slots=True)
class Facts:
    """Who hands something in, and how; the words are those of :class:`bridge.model.Envelope`."""

    door: Door
    peer: str = ""  # address without port
    login: str = ""
    certificate: str = ""
    tls: bool = False
    mail_from: str = ""  # "" is the null sender
    mailbox: str = ""
    recipients: tuple[str, ...] = ()
    token: str = ""  # name of the source whose token, or old-program password, was shown; the web room compares them


def facts_of(envelope: Envelope) -> Facts:
    """The facts of a mail that is already in."""
    return Facts(
        envelope.door,
        envelope.peer,
        envelope.login,
        envelope.certificate,
        envelope.tls,
        envelope.mail_from,
        envelope.mailbox,
        tuple(recipient.address for recipient in envelope.recipients),
    )
