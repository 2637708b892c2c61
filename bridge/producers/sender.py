"""What subject and sender of a mail say before anybody knows who wrote it."""

from __future__ import annotations

import re

from bridge.model import Email, Envelope

# Corporate gateways and forwarding people put these before a subject; several may stand in a row.
_PREFIX = re.compile(
    r"\s*(?:\[\s*(?:external|ext|extern|внешн[а-яё]{2,3}|внешняя почта|сыртқы)\s*\]:?"
    r"|\*+\s*(?:external|ext)\s*\*+:?"
    r"|(?:re|fwd?|wg|aw|tr|rv|sv|vs|на|отв|ответ|пересл|переслано)\s*(?:\[\d{1,3}\])?\s*:)\s*",
    re.I,
)
_INNER_SUBJECT = re.compile(r"(?m)^(?:Subject|Тема|Тақырып|Betreff): ?(\S.*)$")
_INNER_ROOM = 3_000  # characters in which a forwarded mail's own subject is looked for

# Names that a mail account has, not a machine.
_ACCOUNTS = frozenset(
    "root admin administrator noreply no-reply donotreply do-not-reply mailer-daemon postmaster daemon nobody info "
    "alert alerts alarm alarms monitor monitoring notify notification notifications notifier robot bot mail mailer "
    "support www-data apache nginx cron system service".split()
)
_LOCAL_ENDS = frozenset({"local", "lan", "internal", "intra", "intranet", "localdomain", "home", "corp", "arpa"})
_SECOND_LEVELS = frozenset({"com", "co", "org", "net", "gov", "edu", "ac", "gob", "mil"})
_MAIL_SERVERS = frozenset({"mail", "smtp", "mx", "mx1", "mx2", "mta", "relay", "email", "notifications", "sns"})
_IP = re.compile(r"\[(?:IPv6:)?([0-9A-Fa-f:.]{2,45})\]\Z", re.I)


def bare_subject(subject: str) -> str:
    """*subject* without ``[External]``, ``Re:``, ``Fwd:`` and their like; unchanged when nothing else is there."""
    at = 0
    while found := _PREFIX.match(subject, at):
        at = found.end()
    return subject[at:].strip() or subject.strip()


def subjects(email: Email) -> tuple[str, ...]:
    """The mail's bare subject, then those of mails forwarded in its text, at most three in all."""
    inner = (bare_subject(found[1]) for found in _INNER_SUBJECT.finditer(email.text, 0, _INNER_ROOM))
    return tuple(dict.fromkeys((bare_subject(email.subject), *inner)))[:3]


def sender_host(email: Email, envelope: Envelope) -> str:
    """The machine that a mail's sender names, as well as an address can name one.

    ``apc@ups1.office.example`` is ``ups1.office.example``; where the domain is an organisation's (two labels, or a
    mail server's name) the local part is taken, ``boiler3@district.example`` is ``boiler3``, unless it is an
    account's (``root@``, ``noreply@``). Without any sender: the name or address of the peer.
    """
    address = email.from_address or envelope.mail_from.strip("<>").lower()
    local, at, domain = address.rpartition("@")
    if not at:
        return address or envelope.helo or envelope.peer
    if literal := _IP.match(domain):
        return literal[1]
    domain = domain.strip(".")
    labels = domain.split(".")
    if labels[0] == "localhost":
        return local
    if _names_machine(labels):
        return domain
    return domain if local in _ACCOUNTS or not local else local


def _names_machine(labels: list[str]) -> bool:
    if labels[0] in _MAIL_SERVERS:
        return False
    if len(labels) == 1 or (len(labels) == 2 and labels[1] in _LOCAL_ENDS):
        return True
    organisation = 3 if labels[-2] in _SECOND_LEVELS and len(labels[-1]) == 2 else 2
    return len(labels) > organisation
