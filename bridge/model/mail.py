"""What came in, and what it tells of."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from bridge.model.words import Door, Severity, State


@dataclass(frozen=True, slots=True)
class Recipient:
    """One RCPT TO with its DSN wishes (RFC 3461 §4.1, §4.2), case kept."""

    address: str
    notify: str = ""  # as given: "SUCCESS,FAILURE", "NEVER", "" = nothing asked
    orcpt: str = ""  # "rfc822;Someone@example.kz"


@dataclass(frozen=True, slots=True)
class Envelope:
    """What a door saw, and the raw bytes. Nothing in it was interpreted."""

    content: bytes
    received_at: datetime
    mail_from: str  # "" is the null sender
    recipients: tuple[Recipient, ...]
    door: Door = "smtp"
    peer: str = ""  # address of the peer, without port
    login: str = ""  # AUTH identity
    certificate: str = ""  # subject of a verified client certificate
    mailbox: str = ""  # name of the mailbox in the configuration
    tls: bool = False
    helo: str = ""
    ret: str = ""  # RFC 3461 RET: FULL, HDRS or ""
    envid: str = ""  # RFC 3461 ENVID, as given


@dataclass(frozen=True, slots=True)
class StoredMail:
    """An envelope that is safe on disk; *id* is shown to people as ``M-<id>``."""

    id: int
    envelope: Envelope
    attempts: int = 0  # how often reading it was begun before (three crashes and it is set aside)


@dataclass(frozen=True, slots=True)
class Email:
    """A parsed mail: everything a rule may ask, decoded; no lone surrogates, no control characters."""

    from_address: str  # header From, lower case, "" when there is none
    from_name: str
    subject: str
    text: str  # visible text, HTML made text
    headers: Mapping[str, tuple[str, ...]]  # lower-case name -> decoded values in order
    message_id: str  # with angle brackets, "" when there is none
    references: tuple[str, ...]  # References, then In-Reply-To, without doubles
    date: str  # as written
    attachments: tuple[str, ...]  # file names
    size: int  # bytes of the raw mail
    automatic: str = ""  # why it must never be answered ("Auto-Submitted: auto-replied"), "" = may be
    problems: tuple[str, ...] = ()  # what was wrong with it, for the trail


@dataclass(frozen=True, slots=True)
class Event:
    """One thing that happened, as a producer reported it."""

    source: str
    producer: str
    host: str
    service: str
    severity: Severity
    state: State
    key: str  # the producer's pairing key, "" when it has none
    title: str
    detail: str
    labels: Mapping[str, str] = field(default_factory=dict)
    problem_id: str = ""  # the producer's own number of this trouble: another one is another episode
