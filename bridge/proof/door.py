"""The doors without a socket: what a mail is told at MAIL and RCPT, and how a source would show itself.

Which door a mail of a rule test meets: the first whose ``trust`` holds its peer, else the first that offers AUTH
(FORMAT §12).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from email.utils import parseaddr

from bridge.book import RuleBook
from bridge.config.models.doors import Listener, Source
from bridge.config.names import Network
from bridge.ingress import replies
from bridge.ingress.decide import is_trusted, mail_refusal, takes_logins
from bridge.ingress.policy import BookPolicy
from bridge.ingress.ports import Facts
from bridge.model import Door, Envelope
from bridge.routing import facts as routing

_MAIL_DOORS = ("smtp", "lmtp")


@dataclass(frozen=True, slots=True)
class Refusal:
    """A reply line of the door. *address* is the recipient it is about, "" = the whole mail."""

    line: str
    address: str = ""


@dataclass(frozen=True, slots=True)
class Knock:
    """What the door made of an envelope: the part of it that comes in (None: nothing does), and what it refused."""

    envelope: Envelope | None
    refusals: tuple[Refusal, ...] = ()


def knock(book: RuleBook, envelope: Envelope, *, admission: bool = True) -> Knock:
    """Hand *envelope* to the door. Without *admission* only sender and recipients are judged, not who is there.

    A mail from a mailbox (``door: imap``) meets no door.
    """
    if envelope.door == "imap":
        return Knock(envelope)
    policy = BookPolicy(lambda: book)
    facts = Facts(
        envelope.door, envelope.peer, envelope.login, envelope.certificate, envelope.tls, envelope.mail_from
    )  # fmt: skip
    listener = listener_for(book, envelope.peer)
    doors = () if listener is None else (listener,)
    line = mail_refusal(doors, policy, facts) if admission else policy.sender_refusal(facts)
    if line is None and listener is not None and len(envelope.content) > listener.max_size:
        line = replies.grew_too_big(listener.max_size)
    if line is not None:
        return Knock(None, (Refusal(line),))
    asked = [(recipient, policy.recipient_refusal(facts, recipient.address)) for recipient in envelope.recipients]
    refused = tuple(Refusal(line, recipient.address) for recipient, line in asked if line)
    taken = tuple(recipient for recipient, line in asked if not line)
    if envelope.recipients and not taken:
        return Knock(None, refused)
    return Knock(replace(envelope, recipients=taken), refused)


def listener_for(book: RuleBook, peer: str) -> Listener | None:
    """The mail door that a mail from *peer* meets; None when the configuration has none."""
    doors = [listener for listener in book.config.listen if listener.door in _MAIL_DOORS]
    trusting = (door for door in doors if is_trusted(door, peer))
    asking = (door for door in doors if takes_logins(door))
    return next(trusting, None) or next(asking, None) or next(iter(doors), None)


def as_source(book: RuleBook, name: str, mail_from: str) -> routing.Facts | None:
    """How source *name* would show itself when it mails as *mail_from*; None where no way of it hands in mail.

    Of several ways in, the first that may use the sender, else the first.
    """
    shown = [_shown(book, way, mail_from) for way in book.config.sources.get(name, ()) if _mails(way)]
    allowed = (facts for facts in shown if book.sources.may_send_as(facts, mail_from))
    return next(allowed, None) or next(iter(shown), None)


def _mails(way: Source) -> bool:
    return way.token is None


def _shown(book: RuleBook, way: Source, mail_from: str) -> routing.Facts:
    peer = _first(way.network) if way.network else _where_logins_are_taken(book)
    listener = listener_for(book, peer)
    door: Door = "imap" if way.mailbox else "lmtp" if listener and listener.door == "lmtp" else "smtp"
    return routing.Facts(
        door=door,
        peer=peer,
        login=way.login[0] if way.login else "",
        certificate=re.sub(r"[*?]", "x", way.certificate[0]) if way.certificate else "",
        tls=True,
        mail_from=mail_from,
        mailbox=way.mailbox[0] if way.mailbox else "",
    )


def _where_logins_are_taken(book: RuleBook) -> str:
    """A peer that may connect where a proof is wanted and only listed networks may give it; "" = anybody may."""
    listener = listener_for(book, "")
    closed = listener is not None and listener.auth_mode == "required"
    return _first(listener.trust) if listener is not None and closed and listener.trust else ""


def _first(networks: Sequence[Network]) -> str:
    return str(next(iter(networks[0].hosts()), networks[0].network_address))


def mailbox_recipient(book: RuleBook, name: str) -> str:
    """What counts as the envelope recipient of a mail found in a mailbox: "" when nothing does."""
    mailbox = book.config.mailboxes.get(name)
    if mailbox is None:
        return ""
    return mailbox.recipient or (mailbox.user if "@" in mailbox.user else "")


def bare(address: str) -> str:
    """The address in ``Ivan <ivan@example.kz>``; ``<>`` is the null sender."""
    return "" if address.strip() == "<>" else parseaddr(address)[1]
