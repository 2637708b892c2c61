"""Names, phones, networks and the phrases for people (FORMAT §2, §6). Errors are ValueErrors that say what is right.

Names are matched without regard to case, so they are kept in lower case everywhere; a person's ``name`` keeps how
the key was written.
"""

from __future__ import annotations

import codecs
import ipaddress
import re
from dataclasses import dataclass
from typing import Literal

import phonenumbers

from bridge.config.scalar import shown

Network = ipaddress.IPv4Network | ipaddress.IPv6Network

_NAME = re.compile(r"[\w.-]{1,64}")
_INSIDE_PHONE = str.maketrans("", "", " -()\u00a0")
_DOMAIN = re.compile(r"(?=.{1,253}$)[\w](?:[\w-]{0,61}[\w])?(?:\.[\w](?:[\w-]{0,61}[\w])?)*")
_MAIL = re.compile(r"[^\s@<>,;:\"()\[\]\\]{1,64}@(\S+)")
_FIELDS = ("host", "service", "severity", "state", "title", "detail", "key", "source", "producer", "from", "recipient")
_SETTABLE = ("host", "service", "severity", "state", "title", "detail", "key")


def parse_name(text: str) -> str:
    """A name of people, teams, rotas, providers …: letters of any script, digits, ``-_.``, kept in lower case."""
    if not _NAME.fullmatch(text):
        raise ValueError(f"a name of letters, digits, -, _ and . without blanks; found {shown(text)}")
    return text.lower()


def parse_file_name(text: str) -> str:
    """A name of a file without its ending and folder; case is kept."""
    if not _NAME.fullmatch(text) or text.startswith("."):
        raise ValueError(f"a name of a file without folder and ending; found {shown(text)}")
    return text


def parse_title(text: str) -> str:
    """A name of rules, mails, tests and silences: may hold blanks, no colon and no line end."""
    if not text.strip() or ":" in text or "\n" in text:
        raise ValueError(f"a name without colon; found {shown(text)}")
    return text.strip()


def parse_condition_name(text: str) -> str:
    """A name of conditions: as that of a rule, matched without case."""
    return parse_title(text).lower()


def parse_phone(text: str, region: str | None = None) -> str:
    """``+7 701 000-00-01`` → ``+77010000001``. A national number is refused with the one that *region* makes of it."""
    bare = text.translate(_INSIDE_PHONE)
    if re.fullmatch(r"\+[0-9]{7,15}", bare):
        return bare
    meant = _international(bare, region)
    hint = f"did you mean {meant}?" if meant else "write + and 7 to 15 digits"
    raise ValueError(f"{shown(text)} is not an international number; {hint}")


def _international(bare: str, region: str | None) -> str:
    """What *bare* would be when dialled in *region*, "" when that is no number."""
    if not re.fullmatch(r"\+?[0-9]{3,20}", bare):
        return ""
    for text, country in ((bare, region), ("+" + bare, None)):
        try:
            number = phonenumbers.parse(text, country)
        except phonenumbers.NumberParseException:
            continue
        if phonenumbers.is_possible_number(number):
            return str(phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164))
    return ""


def parse_our_number(text: str) -> str:
    """A phone, or a short code of 3 to 8 digits, where answers arrive."""
    bare = text.translate(_INSIDE_PHONE)
    if not re.fullmatch(r"\+[0-9]{7,15}|[0-9]{3,8}", bare):
        raise ValueError(f"{shown(text)} is neither a phone (+ and digits) nor a short code")
    return bare


def parse_prefix(text: str) -> str:
    """``+7701``."""
    if not re.fullmatch(r"\+[0-9]{1,15}", text):
        raise ValueError(f'a prefix, + and 1 to 15 digits, like "+7701"; found {shown(text)}')
    return text


def parse_prefix_or_default(text: str) -> str:
    """A prefix, or the word ``default``."""
    return text if text == "default" else parse_prefix(text)


def parse_network(text: str) -> Network:
    """``10.0.0.0/8``, ``10.0.0.5`` or ``::1``."""
    try:
        return ipaddress.ip_network(text)
    except ValueError:
        pass
    try:
        meant = f"; write {ipaddress.ip_network(text, strict=False)}"
    except ValueError:
        meant = ""
    raise ValueError(f"{shown(text)} is no network like 10.0.0.0/8{meant}")


def parse_sender(text: str) -> str:
    """What the phone may show as originator: 11 characters with a letter, or up to 15 digits."""
    if re.fullmatch(r"\+?[0-9]+", text):
        if len(text.lstrip("+")) > 15:
            raise ValueError(f"{shown(text)} has {len(text.lstrip('+'))} digits; 15 at most")
        return text.lstrip("+")
    if len(text) > 11:
        raise ValueError(f"{shown(text)} has {len(text)} characters; letters and digits, 11 at most")
    if not re.fullmatch(r"[A-Za-z0-9 ._&-]+", text):
        raise ValueError(f"{shown(text)} cannot be a sender; Latin letters and digits, 11 at most")
    return text


def parse_region(text: str) -> str:
    """An ISO 3166 country of two letters with a numbering plan."""
    if text.upper() not in phonenumbers.SUPPORTED_REGIONS:
        raise ValueError(f"a country of two letters, like KZ; found {shown(text)}")
    return text.upper()


def parse_language(text: str) -> str:
    """A language of two or three letters: ``ru``."""
    if not re.fullmatch(r"[A-Za-z]{2,3}", text):
        raise ValueError(f"a language of two letters, like ru; found {shown(text)}")
    return text.lower()


def parse_charset(text: str) -> str:
    """A charset that Python knows, under its usual name."""
    try:
        return codecs.lookup(text).name
    except (LookupError, ValueError):
        raise ValueError(f"{shown(text)} is no charset; write one like utf-8 or koi8-r") from None


def parse_domain(text: str) -> str:
    """A mail domain, in lower case."""
    if not _DOMAIN.fullmatch(text):
        raise ValueError(f"a mail domain, like sms.example.kz; found {shown(text)}")
    return text.lower()


def parse_mail_address(text: str) -> str:
    """``it@example.kz``; the domain comes back in lower case."""
    found = _MAIL.fullmatch(text)
    if not found or not _DOMAIN.fullmatch(found[1]):
        raise ValueError(f"a mail address, like it@example.kz; found {shown(text)}")
    return text[: found.start(1)] + found[1].lower()


def parse_field(text: str) -> str:
    """A field of events that ``by`` and ``equal`` may take: ``host``, ``label.rack`` …"""
    if text not in _FIELDS and not (text.startswith("label.") and len(text) > 6):
        raise ValueError(f"a field of the event ({', '.join(_FIELDS)} or label.X); found {shown(text)}")
    return text


def parse_set_field(text: str) -> str:
    """A field that ``set`` may change."""
    if text not in _SETTABLE and not (text.startswith("label.") and len(text) > 6):
        raise ValueError(f"no such field; {', '.join(_SETTABLE)} or label.X")
    return text


WhoKind = Literal["name", "on-call", "next", "phone", "recipient", "nobody"]


@dataclass(frozen=True, slots=True)
class Who:
    """One phrase of ``to``. *name*: person or team, rota, or phone (``+77010000001``); "" for the bare words."""

    kind: WhoKind
    name: str = ""

    def __str__(self) -> str:
        if self.kind in ("name", "phone"):
            return self.name
        return f"{self.kind} {self.name}" if self.name else self.kind


def parse_who(text: str, region: str | None = None) -> Who:
    """``on-call dba-night`` → Who("on-call", "dba-night")."""
    words = text.split()
    if words in (["recipient"], ["nobody"]):
        return Who("recipient" if words == ["recipient"] else "nobody")
    if text.startswith("+") or re.fullmatch(r"[0-9 ()-]{7,}", text):
        return Who("phone", parse_phone(text, region))
    match words:
        case ["on-call", rota]:
            return Who("on-call", parse_name(rota))
        case ["next", rota]:
            return Who("next", parse_name(rota))
        case [name]:
            return Who("name", parse_name(name))
    raise ValueError(f"a person, a team, on-call ROTA, next ROTA or a phone; found {shown(text)}")


TargetKind = Literal["thread", "sender", "nobody", "address", "name"]


@dataclass(frozen=True, slots=True)
class MailTarget:
    """Where a mail goes: a word, an address, or a person or team by name."""

    kind: TargetKind
    name: str = ""

    def __str__(self) -> str:
        return self.name or self.kind


def parse_reply_target(text: str) -> MailTarget:
    """Of ``replies.mail``: ``thread``, ``nobody``, an address, a person or a team."""
    if text == "thread":
        return MailTarget("thread")
    return MailTarget("nobody") if text == "nobody" else _address_or_name(text)


def parse_mail_target(text: str) -> MailTarget:
    """Of ``mail_to``: ``sender``, an address, a person or a team."""
    return MailTarget("sender") if text == "sender" else _address_or_name(text)


def _address_or_name(text: str) -> MailTarget:
    if "@" in text:
        return MailTarget("address", parse_mail_address(text))
    return MailTarget("name", parse_name(text))
